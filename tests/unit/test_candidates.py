"""From rows to candidates: change, blends, and what of the change they explain."""

import numpy as np
import pandas as pd
import pytest

from racs_transients import candidates, schema, tables
from racs_transients.comparison import FluxScaling
from racs_transients.config import FlagSettings
from racs_transients.crossmatch import NO_ASKAP_MATCH, NO_CATALOGUE_MATCH
from racs_transients.surveys import SUMSS

DEC, RMS, CATALOGUED = -35.0, 0.6, 18.0
SAME = FluxScaling(1.0, 0.0)


def vanished(measured, offset, flux):
    """Return the judged row of a catalogue source between two ASKAP components, with a forced flux as measured."""
    major = float(SUMSS.beam_axes(DEC)[0])
    sources = tables.conform(
        pd.DataFrame(
            {
                "source_id": [1, 2], "ra": 10.0, "dec": [DEC + offset / 3600, DEC - offset / 3600], "flux_int": flux,
                "major": 12.0, "minor": 12.0, "pa": 0.0, "beam_major": 12.0, "beam_minor": 12.0, "beam_pa": 0.0,
            }
        ),
        schema.SOURCES,
    )  # fmt: skip
    references = tables.conform(
        pd.DataFrame({"source_id": [1], "ra": 10.0, "dec": DEC, "beam_major": major, "flux_peak": CATALOGUED}),
        schema.REFERENCES,
    )
    row = tables.conform(
        pd.DataFrame(
            {
                "type": [NO_ASKAP_MATCH], "ra": 10.0, "dec": DEC, "askap_origin": "forced", "askap_rms": RMS,
                "askap_scaled_flux": measured, "askap_scaled_flux_err": RMS, "ref_origin": "catalogued",
                "ref_source_id": 1, "ref_flux_peak": CATALOGUED, "ref_flux_peak_err": 1.5,
                "ref_scaled_flux": CATALOGUED, "ref_scaled_flux_err": 1.5, "predicted_snr": CATALOGUED / RMS,
                "image_rms": 0.25, "bright_flux": 0.0, "bright_sum": 0.0,
            }
        ),
        schema.CROSSMATCHES,
    )  # fmt: skip
    row = candidates.with_blends(row, sources, SUMSS, SAME)
    row = candidates.with_change(row, SAME, 3.0)
    row = candidates.with_explanations(row, sources, references, SUMSS, SAME)
    return candidates.with_verdict(row, FlagSettings(), outlier_threshold=3.0).iloc[0]


@pytest.mark.parametrize("measured", [-1.0, -0.05, 0.0, 0.05, 1.0])
def test_what_a_blend_explains_does_not_hang_on_the_noise_of_a_forced_flux(measured):
    # the two components make 14.8 of the 18 mJy
    explained = vanished(measured, 47.0, 20.0)
    assert explained["blend_flux"] == pytest.approx(14.8, abs=0.1)
    assert explained["blend_explains"] == pytest.approx(1 - np.log(18 / 14.79) / np.log(18 / 1.8), abs=1e-3)
    assert explained["flag"] == "Likely double"
    # here they make 4: a change by a factor of four is left
    left = vanished(measured, 75.0, 26.0)
    assert left["blend_flux"] == pytest.approx(4.1, abs=0.1)
    assert left["flag"] == "Good"
    assert left["is_candidate"]


def test_a_ratio_to_a_completeness_limit_has_no_error():
    rows = tables.conform(
        pd.DataFrame(
            {
                "type": NO_CATALOGUE_MATCH, "ref_origin": ["limit", "limit", "forced"], "askap_origin": "detected",
                "askap_scaled_flux": [90.0, 9.0, 90.0], "askap_scaled_flux_err": 0.9, "ref_scaled_flux": 18.0,
                "ref_scaled_flux_err": 2.0, "ref_rms": 2.0,
            }
        ),
        schema.CROSSMATCHES,
    )  # fmt: skip
    changed = candidates.with_change(rows, SAME, 3.0)
    assert changed["ratio"].tolist() == pytest.approx([5.0, 1.0, 5.0])
    assert changed["ratio_is_limit"].tolist() == [True, True, False]
    assert changed["ratio_err"].isna().tolist() == [True, True, False]
