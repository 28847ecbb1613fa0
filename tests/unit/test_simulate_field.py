"""Simulated fields on disk: files, catalogues, truth."""

from __future__ import annotations

import dataclasses
import hashlib
import logging

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from racs_transients import cli, sky
from racs_transients.catalogues.files import read_reference_file
from racs_transients.image import read_image
from racs_transients.mosaics import index_mosaics, open_mosaic
from racs_transients.photometry import interpolate
from racs_transients.simulate import FieldSettings, simulate_field
from racs_transients.surveys import SURVEYS, frequency_factor

# Columns that VizieR gives for VIII/81B and VIII/65
SUMSS_COLUMNS = [
    "_RAJ2000",
    "_DEJ2000",
    "RAJ2000",
    "e_RAJ2000",
    "DEJ2000",
    "e_DEJ2000",
    "Sp",
    "e_Sp",
    "St",
    "e_St",
    "MajAxis",
    "MinAxis",
    "PA",
    "dMajAxis",
    "dMinAxis",
    "dPA",
    "Mosaic",
    "Nm",
    "Xpos",
    "Ypos",
    "MGPS",
    "E",
]
NVSS_COLUMNS = [
    "_RAJ2000",
    "_DEJ2000",
    "NVSS",
    "RAJ2000",
    "DEJ2000",
    "e_RAJ2000",
    "e_DEJ2000",
    "S1.4",
    "e_S1.4",
    "l_MajAxis",
    "MajAxis",
    "l_MinAxis",
    "MinAxis",
]


@pytest.fixture(scope="module")
def sumss(tmp_path_factory):
    # offsets so large that a source is lost where they are applied the wrong way round
    settings = FieldSettings(
        seed=11, size=700, new=5, vanished=5, variable=5, artefacts=0, doubles=0.2, ra_offset=6.0, dec_offset=-5.0
    )
    return simulate_field(settings, tmp_path_factory.mktemp("sumss"))


@pytest.fixture(scope="module")
def nvss(tmp_path_factory):
    settings = FieldSettings(seed=12, size=700, survey="NVSS", ra=0.0, dec=-35.0, new=5, vanished=5, variable=5)
    return simulate_field(settings, tmp_path_factory.mktemp("nvss"))


def _digests(folder):
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_same_seed_gives_the_same_bytes_and_another_seed_another_field(tmp_path):
    settings = FieldSettings(seed=4, size=400)
    for name, chosen in (("a", settings), ("b", settings), ("c", dataclasses.replace(settings, seed=5))):
        simulate_field(chosen, tmp_path / name)
    first, again, other = (_digests(tmp_path / name) for name in "abc")
    assert len(first) >= 6
    assert first == again
    same = {name for name, digest in other.items() if first.get(name) == digest}
    assert same == {"weights.i.SIM.cont.taylor.0.fits"}  # the noise level has nothing random


def test_image_has_the_header_and_border_of_a_racs_tile(sumss):
    header = fits.getheader(sumss.image)
    kinds = [header[f"CTYPE{axis}"] for axis in (1, 2, 3, 4)]
    assert kinds == ["RA---SIN", "DEC--SIN", "FREQ", "STOKES"]
    assert (header["BUNIT"], header["RADESYS"], header["TELESCOP"]) == ("Jy/beam", "ICRS", "ASKAP")
    assert header["RESTFREQ"] == header["CRVAL3"] == 887.5e6
    image = read_image(sumss.image)
    assert image.beam.major == pytest.approx(sumss.settings.beam.major)
    assert image.centre == pytest.approx((sumss.settings.ra, sumss.settings.dec))
    assert np.isfinite(image.epoch)
    valid = np.isfinite(image.data)
    assert not valid[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    assert valid[350, 15:-15].all()
    area = valid.sum() * (sumss.settings.pixel / 3600) ** 2
    assert sumss.settings.area == pytest.approx(area, rel=0.03)


def test_weights_are_the_inverse_square_of_the_noise(tmp_path):
    # few sources, so that the spread of the pixels is the noise
    quiet = FieldSettings(seed=2, size=1000, density=1.0, new=0, vanished=0, variable=0)
    files = simulate_field(quiet, tmp_path)
    data, weights = fits.getdata(files.image)[0, 0], fits.getdata(files.weights)[0, 0]
    assert ((weights > 0) == np.isfinite(data)).all()
    for part in (slice(480, 520), slice(60, 80), slice(15, 25)):
        strip, weight = data[300:700, part], weights[300:700, part]
        # 1.4826 median absolute deviations: a source or two may stand there
        measured = 1.4826 * np.median(np.abs(strip)) * 1e3
        assert measured == pytest.approx(quiet.rms / np.sqrt(np.median(weight)), rel=0.15)


def test_catalogue_has_exactly_the_columns_of_vizier(sumss, nvss):
    assert list(pd.read_csv(sumss.catalogue)) == SUMSS_COLUMNS
    columns = list(pd.read_csv(nvss.catalogue))
    assert [name for name in columns if name not in {"PA", "f_resFlux", "resFlux"}] == NVSS_COLUMNS


@pytest.mark.parametrize("name", ["sumss", "nvss"])
def test_pipeline_reads_the_catalogue_with_its_coverage_guard(name, request):
    files = request.getfixturevalue(name)
    settings = files.settings
    table = read_reference_file(files.catalogue, SURVEYS[settings.survey], region=(settings.ra, settings.dec, 0.5))
    assert len(table) > 10
    assert (table["ra_err"] >= 0.4).all()
    assert (table["ra_err"] < 12).all()


def test_nvss_gives_right_ascension_errors_in_seconds_of_time(nvss):
    table = pd.read_csv(nvss.catalogue)
    in_arcsec = table["e_RAJ2000"] * 15 * np.cos(np.deg2rad(table["_DEJ2000"]))
    # a round beam: as large as those in declination but for the 0.01 s of rounding
    assert (in_arcsec / table["e_DEJ2000"]).median() == pytest.approx(1, abs=0.1)
    assert table["e_RAJ2000"].max() < 1


def test_sumss_gives_both_position_errors_in_arcsec(sumss):
    table = pd.read_csv(sumss.catalogue)
    ratio = table["e_DEJ2000"] / table["e_RAJ2000"]
    assert ratio.between(0.95, 1 / np.sin(np.deg2rad(54)) + 0.1).all()
    assert table["e_RAJ2000"].min() >= 1


def test_sexagesimal_positions_are_those_in_degrees(sumss, nvss):
    for files in (sumss, nvss):
        table = pd.read_csv(files.catalogue)
        hours = table["RAJ2000"].str.split(expand=True).astype(float)
        degrees = table["DEJ2000"].str.lstrip("+-").str.split(expand=True).astype(float)
        assert table["DEJ2000"].str.startswith("-").all()
        ra = 15 * (hours[0] + hours[1] / 60 + hours[2] / 3600)
        dec = -(degrees[0] + degrees[1] / 60 + degrees[2] / 3600)
        assert sky.separation(ra, dec, table["_RAJ2000"], table["_DEJ2000"]).max() < 0.15


def test_errors_have_the_floor_of_the_flux_scale_and_the_noise(sumss):
    table = pd.read_csv(sumss.catalogue)
    assert (table["e_St"] >= 0.03 * table["St"] - 0.06).all()
    assert (table["e_Sp"] >= SURVEYS["SUMSS"].rms.at(-55.0) - 0.06).all()


def test_point_sources_have_the_same_flux_in_catalogue_and_mosaic(sumss):
    survey, table = SURVEYS["SUMSS"], pd.read_csv(sumss.catalogue)
    truth = pd.read_csv(sumss.truth)
    alone = _alone(table, truth[truth["survey_flux"] > 0.2])
    (mosaic,) = index_mosaics(sumss.mosaics, survey)
    image = open_mosaic(mosaic.path, survey)
    nearest, _ = sky.nearest(alone["_RAJ2000"], alone["_DEJ2000"], truth["ra"], truth["dec"])
    true = truth.iloc[nearest].reset_index(drop=True)
    on_mosaic = interpolate(image, true["ra"], true["dec"]) * 1e3
    assert len(alone) >= 5
    np.testing.assert_allclose(alone["Sp"], on_mosaic, atol=0.25, rtol=0.03)
    pulls = (alone["Sp"] - true["survey_flux"]) / survey.rms.at(-55.0)
    assert pulls.abs().max() < 4


def _alone(table, sources):
    """Return rows of point sources with one true source within 2′."""
    i, _, _ = sky.pairs_within(table["_RAJ2000"], table["_DEJ2000"], sources["ra"], sources["dec"], 150)
    count = np.bincount(i, minlength=len(table))
    return table[(count == 1) & (table["dMajAxis"] == 0)].reset_index(drop=True)


def test_field_across_ra_zero_lies_on_both_sides_of_it(nvss):
    for table, name in ((pd.read_csv(nvss.catalogue), "_RAJ2000"), (pd.read_csv(nvss.truth), "ra")):
        ra = table[name]
        assert ra.between(0, 360, inclusive="left").all()
        assert ((ra < 2) | (ra > 358)).all()
        assert (ra < 180).sum() > 5
        assert (ra > 180).sum() > 5
    _check_bright_sources(nvss)


def test_image_is_shifted_and_scaled_as_asked(sumss):
    _check_bright_sources(sumss)


def _check_bright_sources(files):
    settings, image = files.settings, read_image(files.image)
    truth = pd.read_csv(files.truth)
    lonely = sky.nearest_neighbour(truth["ra"], truth["dec"]) > 60
    sources = truth[(truth["askap_flux"] > 10) & (truth["major"] == 0) & lonely].reset_index(drop=True)
    ra = sources["ra"] + settings.ra_offset / 3600 / np.cos(np.deg2rad(sources["dec"]))
    seen = interpolate(image, ra, sources["dec"] + settings.dec_offset / 3600) * 1e3
    inside = np.isfinite(seen)
    assert inside.sum() >= 3
    expected = sources["askap_flux"][inside] * settings.flux_scale
    np.testing.assert_allclose(seen[inside], expected, atol=5 * 3 * settings.rms)
    assert np.median(seen[inside] / expected) == pytest.approx(1, abs=0.03)


def test_truth_says_what_happens_to_each_source(sumss):
    truth, settings = pd.read_csv(sumss.truth), sumss.settings
    factor = frequency_factor(settings.frequency, settings.reference.frequency)
    kinds = truth.groupby("kind")
    assert kinds.size()[["new", "vanished", "variable"]].to_list() == [5, 5, 5]
    assert (kinds.get_group("new")["survey_flux"] == 0).all()
    assert (kinds.get_group("vanished")["askap_flux"] == 0).all()
    variable = kinds.get_group("variable")
    change = np.abs(np.log(variable["askap_flux"] * factor / variable["survey_flux"]))
    assert (change >= np.log(settings.variable_factor) - 1e-9).all()
    steady = kinds.get_group("steady")
    drawn = np.log(steady["askap_flux"] * factor / steady["survey_flux"])
    np.testing.assert_allclose(drawn, steady["ln_ratio"], atol=1e-9)
    assert truth["truth_id"].is_unique


def test_transients_are_bright_enough_for_both_bands(sumss):
    truth, settings = pd.read_csv(sumss.truth), sumss.settings
    factor = frequency_factor(settings.frequency, settings.reference.frequency)
    chosen = truth[truth["kind"].isin(["new", "vanished", "variable"])]
    bright = np.maximum(chosen["askap_flux"], chosen["survey_flux"] / factor)
    poorer = max(settings.rms, float(settings.reference.rms.at(settings.dec)) / factor)
    assert (bright >= settings.transient_snr * poorer * 0.999).all()


def test_catalogued_sources_of_the_truth_are_in_the_catalogue(sumss):
    truth, table = pd.read_csv(sumss.truth), pd.read_csv(sumss.catalogue)
    listed = truth[truth["in_catalogue"]]
    assert len(listed) == len(table)
    _, separation = sky.nearest(listed["ra"], listed["dec"], table["_RAJ2000"], table["_DEJ2000"])
    assert np.median(separation) < 5
    assert not truth.loc[truth["kind"] == "new", "in_catalogue"].any()
    lonely = truth[(sky.nearest_neighbour(truth["ra"], truth["dec"]) > 60) & (truth["major"] == 0)]
    # 20 mJy is 14 σ
    assert lonely.loc[lonely["survey_flux"] > 20, "in_catalogue"].mean() > 0.95
    assert not lonely.loc[lonely["survey_flux"] < 0.5, "in_catalogue"].any()


def test_default_field_has_the_density_of_a_real_tile(sumss):
    truth = pd.read_csv(sumss.truth)
    side = (sumss.settings.size * sumss.settings.pixel + 2 * 1080) / 3600
    background = truth[truth["kind"].isin(["steady", "extended"])]
    expected = sumss.settings.density * side**2
    assert abs(len(background) - expected) < 5 * np.sqrt(expected)
    assert FieldSettings().density >= 60


def test_command_writes_a_field_and_says_how_to_process_it(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        code = cli.main(["simulate", str(tmp_path / "field"), "--size", "400", "--seed", "3"])
    assert code == 0
    names = {path.name for path in (tmp_path / "field").iterdir()}
    assert {"truth.csv", "sumss.csv", "sumss_mosaics", "settings.json"} <= names
    command = next(record.getMessage() for record in caplog.records if "processASKAPimage.py" in record.getMessage())
    assert "--sumss-only" in command
    assert str(tmp_path / "field" / "sumss.csv") in command


@pytest.mark.parametrize("wrong", [["--size", "20"], ["--survey", "SUMSS", "--dec", "10"]])
def test_command_refuses_an_impossible_field_in_one_sentence(tmp_path, wrong, capsys):
    assert cli.main(["simulate", str(tmp_path / "field"), *wrong]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "field").exists()
