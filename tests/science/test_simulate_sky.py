"""The simulated sky against what is measured on the real one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from racs_transients import sky
from racs_transients.simulate import FieldSettings, simulate_field
from racs_transients.simulate.settings import LN_RATIO, QUANTILES
from racs_transients.simulate.sky import make_sky
from racs_transients.surveys import SURVEYS

DATA = Path(__file__).parents[2].parent / "shared" / "data"
PAIRS = DATA / "matched_pairs" / "vast_cat_match_Fornax.csv.gz"
CATALOGUES = DATA / "reference_catalogues"


def _sky(**changes):
    settings = FieldSettings(seed=6, size=6000, new=0, vanished=0, variable=0, artefacts=0, **changes)
    rng = np.random.default_rng(settings.seed)
    return make_sky(settings, rng, lambda x, _: np.full(x.shape, 0.25))


@pytest.mark.parametrize(
    ("survey", "brighter", "fainter"), [("SUMSS", 0.0011, 0.0061), ("NVSS", 0.0057, 0.026)], ids=["SUMSS", "NVSS"]
)
def test_steady_sources_change_as_often_by_two_as_the_measured_ones(survey, brighter, fainter):
    drawn = np.interp(np.linspace(0, 1, 200_001), QUANTILES, LN_RATIO[survey])
    assert (drawn > np.log(2)).mean() == pytest.approx(brighter, rel=0.2)
    assert (drawn < -np.log(2)).mean() == pytest.approx(fainter, rel=0.2)


@pytest.mark.parametrize("survey", ["SUMSS", "NVSS"])
def test_the_sky_draws_the_ratios_of_the_table(survey):
    steady = _sky(survey=survey, dec=-35.0)
    steady = steady[steady["kind"] == "steady"]
    measured = np.quantile(steady["ln_ratio"], [0.05, 0.16, 0.5, 0.84, 0.95])
    expected = np.interp([0.05, 0.16, 0.5, 0.84, 0.95], QUANTILES, LN_RATIO[survey])
    np.testing.assert_allclose(measured, expected, atol=0.04)
    # the tails are there
    assert (steady["ln_ratio"].abs() > np.log(2)).mean() > 0.003


@pytest.mark.realdata
@pytest.mark.parametrize("survey", ["SUMSS", "NVSS"])
def test_table_of_ratios_is_that_of_the_measured_pairs(survey):
    if not PAIRS.exists():
        pytest.skip(f"{PAIRS.name} is not here")
    pairs = pd.read_csv(PAIRS)
    pairs = pairs[pairs["ref"] == survey]
    ln_ratio = np.log(pairs["flux"] / pairs["flux_ref"])
    bright = ln_ratio[pairs["flux_ref"] > {"SUMSS": 40.0, "NVSS": 10.0}[survey]]
    # the core of pairs above 20 σ of the survey, the tails of all
    core, tails = (np.quantile(values - values.median(), QUANTILES) for values in (bright, ln_ratio))
    expected = np.where((QUANTILES >= 0.05) & (QUANTILES <= 0.95), core, tails)
    np.testing.assert_allclose(expected, LN_RATIO[survey], atol=6e-4)


@pytest.mark.realdata
def test_counts_of_sumss_sources_are_those_of_the_real_survey():
    path = CATALOGUES / "sumss_vizier_columns_derived.csv.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    real = pd.read_csv(path)
    # the half of the sphere's cap that lies far from the plane of the Galaxy, by its right ascensions
    real = real[real["_DEJ2000"].between(-65, -50) & ((real["_RAJ2000"] < 90) | (real["_RAJ2000"] > 330))]
    area = 120 * np.rad2deg(np.sin(np.deg2rad(65)) - np.sin(np.deg2rad(50)))
    field = _sky()
    field = field[field["kind"].isin(["steady", "extended"])]
    simulated_area = ((6000 * 2.5 + 2 * 1080) / 3600) ** 2
    for limit in (15, 30, 100):
        expected = (real["St"] > limit).sum() / area
        found = (field["survey_flux"] > limit).sum()
        tolerance = 0.25 * expected * simulated_area + 3 * np.sqrt(expected * simulated_area)
        assert abs(found - expected * simulated_area) < tolerance, limit
    bright = (real["St"] > 436).sum() / area * simulated_area
    assert (field["survey_flux"] > 436).sum() < bright + 4 * np.sqrt(bright)


@pytest.mark.realdata
def test_sumss_columns_are_those_of_the_genuine_rows(tmp_path):
    path = CATALOGUES / "sumss_bright_sources.csv.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    genuine = pd.read_csv(path, sep=";", comment="#", nrows=200)
    files = simulate_field(FieldSettings(seed=1, size=400), tmp_path)
    assert list(pd.read_csv(files.catalogue)) == list(genuine)


@pytest.mark.parametrize("survey", ["SUMSS", "NVSS"])
def test_catalogue_positions_scatter_as_their_errors_say(tmp_path, survey):
    settings = FieldSettings(seed=7, size=2400, survey=survey, dec=-35.0, doubles=0.0, extended=0.0, artefacts=0.0)
    files = simulate_field(settings, tmp_path)
    table, truth = pd.read_csv(files.catalogue), pd.read_csv(files.truth)
    truth = truth[truth["survey_flux"] > 0.3].reset_index(drop=True)
    i, j, _ = sky.pairs_within(table["_RAJ2000"], table["_DEJ2000"], truth["ra"], truth["dec"], 90)
    single = np.flatnonzero(np.bincount(i, minlength=len(table)) == 1)
    keep = np.isin(i, single)
    row, true = table.iloc[i[keep]].reset_index(drop=True), truth.iloc[j[keep]].reset_index(drop=True)
    east, north = sky.offsets(true["ra"], true["dec"], row["_RAJ2000"], row["_DEJ2000"])
    ra_err = row["e_RAJ2000"] * (15 * np.cos(np.deg2rad(row["_DEJ2000"])) if survey == "NVSS" else 1.0)
    assert len(row) > 40
    for offset, error in ((east, ra_err), (north, row["e_DEJ2000"])):
        pulls = offset / error
        assert np.std(pulls) == pytest.approx(1, abs=0.25)
        assert abs(np.mean(pulls)) < 4 / np.sqrt(len(row))


def test_survey_noise_is_the_measured_one_of_its_declination(tmp_path):
    from astropy.io import fits

    empty = FieldSettings(seed=9, size=400, density=0.5, new=0, vanished=0, variable=0, artefacts=0.0)
    for dec in (-75.0, -45.0):
        files = simulate_field(FieldSettings(**{**_fields(empty), "dec": dec}), tmp_path / str(dec))
        (path,) = files.mosaics.iterdir()
        data = fits.getdata(path)
        measured = 1.4826 * np.median(np.abs(data - np.median(data))) * 1e3
        assert measured == pytest.approx(float(SURVEYS["SUMSS"].rms.at(dec)), rel=0.05)


def _fields(settings):
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}
