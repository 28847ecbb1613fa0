"""Where each side is measured: positions follow the astrometric offset between image and survey."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from racs_transients import sky
from racs_transients.calibration import Calibration
from racs_transients.config import Transients
from racs_transients.stages import measuring
from racs_transients.surveys import SUMSS

# the image lies 3″ east and 2″ south of the survey
CALIBRATION = Calibration(pairs=100, ra_offset=3.0, dec_offset=-2.0)


def test_the_survey_is_measured_where_it_shows_what_the_image_lists(monkeypatch):
    asked = {}

    def measure(mosaics, survey, ra, dec, **_):
        asked.update(ra=ra, dec=dec)
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


def test_the_limit_is_that_of_the_source_itself(monkeypatch):
    monkeypatch.setattr(measuring, "survey_mosaics", lambda *_: [])
    # a second of arc inside the border, where the shifted position would lie outside the survey
    positions = pd.DataFrame({"ra": [10.0], "dec": [-30 - 1 / 3600]})
    limits = measuring._survey_at(positions, SimpleNamespace(survey=SUMSS), CALIBRATION, None)
    assert limits["flux"].tolist() == pytest.approx([18.0])
