"""Association, groups and rows of the crossmatch."""

import numpy as np
import pandas as pd
import pytest

from racs_transients import comparison, schema, tables
from racs_transients.calibration import Calibration, calibrate
from racs_transients.crossmatch import associate, compact, group_sums
from racs_transients.stages.association import _all_pairs
from racs_transients.surveys import NVSS, SUMSS, frequency_factor

ARCSEC = 1 / 3600


def table(columns, **values):
    frame = pd.DataFrame(values)
    defaults = {"major": 60.0, "minor": 45.0, "beam_major": 60.0, "beam_minor": 45.0, "flux_int_err": 0.5}
    names = {c.name for c in columns}
    return tables.conform(frame.assign(**{k: v for k, v in defaults.items() if k in names and k not in frame}), columns)


def references(ra, dec, flux):
    return table(
        schema.REFERENCES, source_id=range(len(ra)), ra=ra, dec=dec, flux_int=flux, flux_peak=flux, flux_peak_err=0.5
    )


def sources(ra, dec, flux):
    return table(schema.SOURCES, source_id=range(len(ra)), ra=ra, dec=dec, flux_int=flux, flux_peak=flux, rms=0.25)


def test_the_match_radius_is_inclusive():
    found = associate(references([10.0], [0.0], [20.0]), sources([10.0], [45 * ARCSEC], [20.0]), 45.0)
    assert found.matched.tolist() == [True]
    assert not associate(references([10.0], [0.0], [20.0]), sources([10.0], [45.01 * ARCSEC], [20.0]), 45.0).matched[0]


def test_two_catalogue_sources_on_one_askap_source_stay_matches_and_are_compared_as_a_group():
    ref = references([10.0, 10.0, 10.1], [0.0, 20 * ARCSEC, 0.0], [20.0, 10.0, 7.0])
    askap = sources([10.0, 10.1], [10 * ARCSEC, 0.0], [29.0, 7.0])
    found = associate(ref, askap, 45.0)
    assert found.matched.all()
    size, total = group_sums(found, ref["flux_int"].to_numpy())
    assert size.tolist() == [2, 2, 1]
    assert total.tolist() == [30.0, 30.0, 7.0]
    rows = comparison.match_rows(found, askap, ref, SUMSS, comparison.FluxScaling(1.0, 0.0))
    assert rows["ref_scaled_flux"].tolist() == [30.0, 30.0, 7.0]
    assert rows["ref_scaled_flux_err"].iloc[0] == pytest.approx(np.hypot(0.5, 0.5))
    assert rows["ref_flux_int"].tolist() == [20.0, 10.0, 7.0]


def test_the_crossmatch_at_any_distance_compares_each_catalogue_source_by_itself():
    ref = references([10.0, 10.0], [0.0, 500 * ARCSEC], [20.0, 70.0])
    askap = sources([10.0], [1 * ARCSEC], [21.0])
    rows = _all_pairs(askap, ref, SUMSS, comparison.FluxScaling(1.0, 0.0))
    assert rows["separation"].tolist() == pytest.approx([1.0, 499.0])
    for column in ("ref_flux", "ref_scaled_flux"):
        assert rows[column].tolist() == [20.0, 70.0]
        assert rows[f"{column}_err"].tolist() == [0.5, 0.5]
    assert rows["ratio"].tolist() == pytest.approx([1.05, 70 / 21])
    assert rows[["askap_group", "ref_group_flux"]].isna().all(axis=None)


def test_sources_nobody_is_matched_to_are_kept():
    askap = sources([10.0, 10.0, 10.5], [0.0, 30 * ARCSEC, 0.0], [20.0, 5.0, 9.0])
    found = associate(references([10.0], [0.0], [20.0]), askap, 45.0)
    assert found.unmatched_sources.tolist() == [1, 2]


@pytest.mark.parametrize(("n_ref", "n_askap"), [(0, 2), (2, 0), (0, 0)])
def test_empty_lists_give_empty_tables(n_ref, n_askap):
    ref, askap = (
        references([10.0] * n_ref, [0.0] * n_ref, [9.0] * n_ref),
        sources([1.0] * n_askap, [0.0] * n_askap, [9.0] * n_askap),
    )
    found = associate(ref, askap, 45.0)
    rows = comparison.match_rows(found, askap, ref, SUMSS, comparison.FluxScaling(1.0, 0.0))
    assert len(rows) == 0
    assert list(rows) == [c.name for c in schema.CROSSMATCHES]
    assert not found.matched.any()
    assert len(found.unmatched_sources) == n_askap


def test_offsets_are_askap_minus_catalogue():
    found = associate(
        references([10.0], [-60.0], [20.0]), sources([10.0 + 4 * ARCSEC], [-60 + 3 * ARCSEC], [20.0]), 45.0
    )
    rows = comparison.match_rows(
        found,
        sources([10.0 + 4 * ARCSEC], [-60 + 3 * ARCSEC], [20.0]),
        references([10.0], [-60.0], [20.0]),
        SUMSS,
        comparison.FluxScaling(1.0, 0.0),
    )
    assert rows["ra_offset"].iloc[0] == pytest.approx(2.0, abs=1e-3)
    assert rows["dec_offset"].iloc[0] == pytest.approx(3.0, abs=1e-3)


@pytest.mark.parametrize(
    ("from_mhz", "to_mhz", "factor"),
    [(887.5, 843, 1.0420), (887.5, 1400, 0.6944), (864, 843, 1.0199), (843, 887.5, 0.9597)],
)
def test_scaling_factors_are_the_documented_ones(from_mhz, to_mhz, factor):
    assert frequency_factor(from_mhz, to_mhz) == pytest.approx(factor, abs=6e-5)


def test_the_spectral_index_scatter_enters_the_error_of_nvss_more_than_of_sumss():
    errors = {
        s.name: comparison.flux_scaling(887.5, s, spectral_index=-0.8, spectral_index_err=0.3).fraction_err
        for s in (SUMSS, NVSS)
    }
    assert errors["NVSS"] == pytest.approx(0.3 * np.log(1400 / 887.5))
    assert errors["SUMSS"] == pytest.approx(0.3 * np.log(887.5 / 843))
    scaling = comparison.flux_scaling(887.5, NVSS, spectral_index=-0.8, spectral_index_err=0.3)
    flux, err = scaling.apply([100.0], [3.0])
    assert flux[0] == pytest.approx(69.44, abs=0.01)
    assert err[0] == pytest.approx(np.hypot(3 * 0.6944, 69.44 * errors["NVSS"]), rel=1e-3)


def test_fluxes_of_an_image_with_a_high_flux_scale_are_scaled_down():
    calibration = Calibration(pairs=100, flux_scale=1.07, flux_scale_err=0.02)
    options = {"spectral_index": -0.8, "spectral_index_err": 0.3}
    found = comparison.flux_scaling(887.5, SUMSS, **options, calibration=calibration)
    flux, err = found.apply([107.0], [0.0])
    assert flux[0] == pytest.approx(100 * 1.0420, abs=0.01)
    assert err[0] == pytest.approx(flux[0] * np.hypot(0.02, 0.3 * np.log(887.5 / 843)))


def test_calibration_finds_scale_and_offset_in_spite_of_outliers():
    rng = np.random.default_rng(2)
    ln = np.log(1.07) + rng.normal(0, 0.1, 400)
    ln[:20] = 2.0
    found = calibrate(ln, rng.normal(0.6, 1, 400), rng.normal(-0.4, 1, 400), np.ones(400, bool))
    assert found.flux_scale == pytest.approx(1.07, abs=0.02)
    assert found.ra_offset == pytest.approx(0.6, abs=0.25)
    assert found.flux_scale_err == pytest.approx(0.1 * 1.2533 / 20, rel=0.25)


def test_a_handful_of_pairs_calibrates_nothing():
    found = calibrate([0.5] * 10, [3.0] * 10, [3.0] * 10, [True] * 10)
    assert (found.flux_scale, found.ra_offset, found.pairs) == (1.0, 0.0, 10)


def test_either_axis_beyond_the_threshold_makes_a_source_extended():
    sizes = table(schema.SOURCES, ra=[0.0] * 4, dec=[0.0] * 4, major=[60, 73, 60, np.nan], minor=[45, 45, 55, 45])
    assert compact(sizes, 1.2).tolist() == [True, False, False, True]


def test_without_mosaics_the_survey_says_its_completeness():
    limits = comparison.survey_limits(SUMSS, [10.0, 10.0], [-60.0, -40.0])
    assert limits["flux"].tolist() == [8.0, 18.0]
    assert (limits["origin"] == "limit").all()
