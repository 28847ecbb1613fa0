"""From rows to candidates: change, blends, and what of the change they explain."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from racs_transients import candidates, schema, tables
from racs_transients.comparison import FluxScaling, flux_scaling
from racs_transients.config import FlagSettings
from racs_transients.crossmatch import NO_ASKAP_MATCH, NO_CATALOGUE_MATCH
from racs_transients.flags import names_of
from racs_transients.stages.verdict import _bright_list
from racs_transients.surveys import NVSS, SUMSS

DEC, RMS, CATALOGUED = -35.0, 0.6, 18.0
SAME = FluxScaling(1.0, 0.0)


def vanished(measured, offset, flux, scaling=SAME):
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
    row = candidates.with_blends(row, sources, SUMSS, scaling)
    row = candidates.with_change(row, scaling, 3.0)
    row = candidates.with_explanations(row, sources, references, SUMSS, scaling)
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


def test_blends_are_compared_at_the_survey_frequency_and_flux_scale():
    half = FluxScaling(0.5, 0.0)
    by_peak = vanished(0.05, 47.0, 40.0, half)
    assert by_peak["blend_flux"] == pytest.approx(vanished(0.05, 47.0, 20.0)["blend_flux"])
    # the two components together have the 18 mJy of the catalogue, though the beam shows less in their middle
    by_sum = vanished(0.05, 47.0, 18.0, half)
    assert by_sum["blend_explains"] == pytest.approx(1)


def test_the_image_makes_artefacts_round_what_is_bright_at_the_survey_frequency():
    sources = tables.empty(schema.SOURCES).reindex(range(2)).assign(ra=[10.0, 11.0], dec=DEC, flux_int=[500.0, 440.0])
    nothing = pd.DataFrame({"ra": [], "dec": [], "flux_int": []}, dtype=float)
    field = SimpleNamespace(survey=SUMSS, sources=sources, bright=nothing)
    # 436 mJy are bright at 843 MHz
    assert _bright_list(field, FluxScaling(0.9, 0.0))["flux"].tolist() == [450.0]


def change(scaling=SAME, **columns):
    """Return ratio, Vs and m of one row."""
    row = tables.conform(pd.DataFrame({name: [value] for name, value in columns.items()}), schema.CROSSMATCHES)
    return candidates.with_change(row, scaling, 3.0).iloc[0]


def test_what_is_unseen_is_below_three_times_the_noise_of_its_own_side():
    new = change(
        type=NO_CATALOGUE_MATCH, askap_origin="detected", askap_rms=0.25, askap_scaled_flux=18.0,
        askap_scaled_flux_err=0.5, ref_origin="forced", ref_rms=1.5, ref_scaled_flux=-0.4, ref_scaled_flux_err=1.5,
    )  # fmt: skip
    assert new["ratio"] == pytest.approx(18 / (3 * 1.5))
    assert new["ratio_is_limit"]
    # ASKAP's noise counts at the survey's frequency and flux scale
    vanished = change(
        FluxScaling(0.7, 0.0), type=NO_ASKAP_MATCH, askap_origin="forced", askap_rms=0.6, askap_scaled_flux=0.2,
        askap_scaled_flux_err=0.42, ref_origin="catalogued", ref_rms=1.5, ref_scaled_flux=18.0, ref_scaled_flux_err=1.5,
    )  # fmt: skip
    assert vanished["ratio"] == pytest.approx(18 / (3 * 0.6 * 0.7))


def test_a_forced_flux_is_compared_with_the_survey_peak_too():
    # a source of 1.5 beams, whose peak the image shows: only the integrated flux looks changed
    row = change(
        type=NO_ASKAP_MATCH, askap_origin="forced", askap_rms=1.0, askap_scaled_flux=10.0, askap_scaled_flux_err=1.0,
        ref_origin="catalogued", ref_rms=1.5, ref_flux_peak=10.5, ref_flux_peak_err=1.5,
        ref_scaled_flux=22.0, ref_scaled_flux_err=2.0,
    )  # fmt: skip
    assert row["ratio"] == pytest.approx(2.2)
    assert row["ratio_peak"] == pytest.approx(1.05)
    assert row["vs_peak"] == pytest.approx(-0.5 / np.hypot(1.0, 1.5))
    judged = candidates.with_verdict(pd.DataFrame([row]), FlagSettings(), outlier_threshold=3.0)
    assert "Peak and integrated disagree" in names_of(int(judged["flag_bits"].iloc[0]))


def test_how_much_a_source_of_unknown_spectral_index_must_brighten_is_documented():
    scaling = flux_scaling(887.5, NVSS, spectral_index=-0.8, spectral_index_err=0.3)

    def smallest(fluxes, **survey):
        scaled, errors = scaling.apply(fluxes / scaling.factor, np.full(len(fluxes), 0.3))
        rows = pd.DataFrame(
            {"type": "match", "askap_origin": "detected", "askap_rms": 0.3, "askap_scaled_flux": scaled,
             "askap_scaled_flux_err": errors, **survey}
        )  # fmt: skip
        rows = candidates.with_change(tables.conform(rows, schema.CROSSMATCHES), scaling, 3.0)
        found = (rows["ratio"] >= 2) & (rows["vs_abs"] >= FlagSettings().min_significance)
        return scaled[found.to_numpy()].min()

    bright = {"ref_origin": "catalogued", "ref_scaled_flux": 100.0, "ref_scaled_flux_err": 3.0, "ref_rms": 0.5}
    assert smallest(np.arange(101.0, 400.0), **bright) == pytest.approx(244, abs=2)
    limit = {"ref_origin": "limit", "ref_scaled_flux": 3.4, "ref_scaled_flux_err": 0.51, "ref_rms": 0.51}
    assert smallest(np.arange(4.0, 20.0, 0.05), **limit) == pytest.approx(9.5, abs=0.1)
    text = " ".join((Path(__file__).parents[2] / "PIPELINE.md").read_text(encoding="utf-8").split())
    assert "a brightening counts from a ratio of 2.4 on, and a new source without a mosaic from about 9.5 mJy" in text
