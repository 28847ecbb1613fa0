"""Where each side is measured: positions follow the astrometric offset between image and survey."""

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from racs_transients import schema, sky
from racs_transients.calibration import Calibration
from racs_transients.comparison import FluxScaling, no_askap_rows
from racs_transients.config import Transients
from racs_transients.crossmatch import Association
from racs_transients.stages import measuring
from racs_transients.surveys import SUMSS
from racs_transients.tables import empty

# the image lies 3″ east and 2″ south of the survey
CALIBRATION = Calibration(pairs=100, ra_offset=3.0, dec_offset=-2.0)


def test_the_survey_is_measured_where_it_shows_what_the_image_lists(monkeypatch):
    asked = {}

    def measure(mosaics, survey, ra, dec, *, neighbours, **_):
        asked.update(ra=ra, dec=dec, neighbours=neighbours)
        return pd.DataFrame(
            {"flux": 1.0, "flux_err": 1.0, "rms": 1.0, "mosaic": "m", "failure": None}, index=range(len(ra))
        )

    monkeypatch.setattr(measuring, "survey_mosaics", lambda *_: ["m"])
    monkeypatch.setattr(measuring, "measure_on_mosaics", measure)
    positions = pd.DataFrame({"ra": [0.0, 120.0], "dec": [-70.0, -35.0]})
    field = SimpleNamespace(survey=SUMSS, references=positions)
    run = SimpleNamespace(config=SimpleNamespace(transients=Transients()))
    measuring._survey_at(positions, field, CALIBRATION, run)
    east, north = sky.offsets(asked["ra"], asked["dec"], positions["ra"], positions["dec"])
    np.testing.assert_allclose(east, 3.0, rtol=1e-3)
    np.testing.assert_allclose(north, -2.0, rtol=1e-3)
    # the survey's own sources are where it shows them
    pd.testing.assert_frame_equal(asked["neighbours"], positions)


def test_a_source_is_expected_where_the_mosaic_is_deeper_than_usual(monkeypatch):
    monkeypatch.setattr(measuring, "survey_mosaics", lambda *_: ["m"])
    monkeypatch.setattr(
        measuring,
        "measure_on_mosaics",
        lambda mosaics, survey, ra, dec, **_: pd.DataFrame(
            {"flux": 0.0, "flux_err": 1.0, "rms": 1.0, "mosaic": "m", "failure": None}, index=range(len(ra))
        ),
    )
    # at -55° the usual noise is 1.37 mJy, five times which is 6.9 mJy; here it is 1, and the sources have 6 and 4 mJy
    # at the survey's frequency
    sources = empty(schema.SOURCES).reindex(range(2)).assign(ra=[10.0, 11.0], dec=-55.0, flux_int=[12.0, 8.0])
    counts: dict[str, int] = {}
    field = SimpleNamespace(survey=SUMSS, sources=sources, references=sources, native=None)
    run = SimpleNamespace(
        config=SimpleNamespace(transients=Transients()),
        folder=SimpleNamespace(survey=lambda _: counts),
        stages=lambda _: nullcontext(lambda _: None),
    )
    lists = Association(np.zeros(0, int), np.zeros(0), np.zeros(0, bool), np.array([0, 1]))
    rows = measuring.compare_new(field, lists, FluxScaling(0.5, 0.0), CALIBRATION, run)
    assert rows["predicted_snr"].tolist() == [6.0]
    assert counts == {"askap_only_too_faint": 1, "askap_only_outside_survey": 0}


def test_the_limit_is_that_of_the_source_itself(monkeypatch):
    monkeypatch.setattr(measuring, "survey_mosaics", lambda *_: [])
    # a second of arc inside the border, where the shifted position would lie outside the survey
    positions = pd.DataFrame({"ra": [10.0], "dec": [-30 - 1 / 3600]})
    limits = measuring._survey_at(positions, SimpleNamespace(survey=SUMSS), CALIBRATION, None)
    assert limits["flux"].tolist() == pytest.approx([18.0])


def test_what_the_image_should_have_seen_is_reckoned_at_the_survey_frequency():
    references = empty(schema.REFERENCES).reindex(range(1)).assign(ra=10.0, dec=-55.0, flux_int=20.0, flux_peak=20.0)
    forced = pd.DataFrame(
        {"flux": [0.1], "flux_err": [0.8], "rms": [0.8], "native_flux": [0.0], "native_flux_err": [0.25],
         "native_rms": [0.25], "map_value": [0.1], "failure": [pd.NA]}
    )  # fmt: skip
    near = pd.DataFrame({"island_id": [pd.NA], "island_components": [pd.NA], "nn_separation": [200.0]})
    row = no_askap_rows(references, forced, near, SUMSS, FluxScaling(0.5, 0.0)).iloc[0]
    # its noise of 0.8 mJy/beam is 0.4 there
    assert row["predicted_snr"] == pytest.approx(50)
    assert row["askap_scaled_flux_err"] == pytest.approx(0.4)
    assert row["native_scaled_flux_err"] == pytest.approx(0.125)
