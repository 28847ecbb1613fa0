"""At the survey's resolution: convolved image, native counterparts, crop, CASA, ready lists and images."""

import dataclasses
import json
import os
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from racs_transients import products, schema, sky, tables
from racs_transients.cli import process_askap_image
from racs_transients.image import read_image
from racs_transients.image_files import write_image
from racs_transients.simulate import compare_with_truth
from racs_transients.simulate.observation import paint
from racs_transients.weights import cropped

pytestmark = pytest.mark.slow

STEM = "image.i.SIM.cont.taylor.0.restored"
CONVOLVED = f"{STEM}.convolve2sumss.fits"


@pytest.fixture(scope="module")
def command(small_command):
    return [*small_command, "--convolve", "--db-inject", "no", "--produce-overlays", "no"]


@pytest.fixture(scope="module")
def convolved_results(command, tmp_path_factory):
    folder = tmp_path_factory.mktemp("convolved")
    assert process_askap_image([*command, "--output-dir", str(folder)]) == 0
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def convolved_master(convolved_results):
    return rows_of(convolved_results)


def rows_of(results):
    return products.read_results(results)


def results_in(folder):
    return next(path for path in folder.iterdir() if path.name.endswith("_results"))


def test_the_convolved_image_is_a_product_with_the_beam_of_the_survey(small_field, convolved_results):
    image = read_image(convolved_results / CONVOLVED)
    dec = read_image(small_field.image).centre[1]
    assert image.beam.minor == pytest.approx(45.0, abs=0.01)
    assert image.beam.major == pytest.approx(45 / abs(np.sin(np.deg2rad(dec))), abs=0.01)
    sources = tables.read_csv(convolved_results / f"{STEM}.convolve2sumss_comp.csv", schema.SOURCES)
    native = tables.read_csv(convolved_results / f"{STEM}_comp.csv", schema.SOURCES)
    assert sources["beam_minor"].iloc[0] == pytest.approx(45.0, abs=0.01)
    assert native["beam_minor"].iloc[0] == pytest.approx(12.0, abs=0.01)
    assert len(native) > len(sources) > 10


def test_bright_transients_in_the_open_are_found(small_field, convolved_master):
    result = compare_with_truth(pd.read_csv(small_field.truth), convolved_master, small_field.settings)
    transients, settings = result.transients, small_field.settings
    east, north = sky.offsets(settings.ra, settings.dec, transients["ra"], transients["dec"])
    inside = np.maximum(np.abs(east), np.abs(north)) < settings.size * settings.pixel / 2 - 150
    open_field = transients[inside & ~transients["blocked"]]
    assert set(open_field["kind"]) == {"new", "vanished", "variable"}
    assert open_field["found"].all(), open_field[["kind", "snr", "reason"]]
    assert len(result.false[~result.false["truly_changed"]]) == 0


def test_fluxes_of_compact_lone_sources_are_those_of_full_resolution(convolved_master):
    rows = convolved_master[(convolved_master["type"] == "match") & (convolved_master["flag"] == "Good")]
    rows = rows[(rows["native_origin"] == "detected") & (rows["native_nn_separation"] > 120) & (rows["askap_snr"] > 15)]
    assert len(rows) >= 4
    assert (rows["askap_flux"] / rows["native_flux"]).median() == pytest.approx(1, abs=0.05)


def test_what_vanished_is_measured_in_both_images(convolved_master):
    gone = convolved_master[(convolved_master["type"] == "noaskapmatch") & convolved_master["is_candidate"]]
    assert len(gone) >= 3
    assert set(gone["native_origin"]) == {"forced"}
    assert (gone["native_rms"] < gone["askap_rms"]).all()
    assert (gone["native_flux"].abs() < 5 * gone["native_rms"]).all()


def test_a_new_source_has_a_counterpart_at_full_resolution(convolved_master):
    new = convolved_master[(convolved_master["type"] == "nocatalogmatch") & convolved_master["is_candidate"]]
    assert len(new) >= 3
    assert new["native_source_id"].notna().all()
    assert (new["native_separation"] < 2 * new["native_beam_major"]).all()
    assert (new["native_predicted_snr"] >= 5).all()


def test_native_columns_are_empty_without_convolution(small_results):
    rows = rows_of(small_results)
    assert rows["native_source_id"].isna().all()
    assert rows["native_beam_major"].isna().all()
    assert not rows["rescued"].any()


def tables_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.csv")) if ".cache" not in str(p)}


def test_the_same_command_again_convolves_nothing(command, convolved_results, tmp_path):
    again = tmp_path / convolved_results.name
    shutil.copytree(convolved_results, again)
    assert process_askap_image([*command, "--output-dir", str(tmp_path)]) == 0
    assert tables_of(again) == tables_of(convolved_results)
    stages = {s["name"]: s["result"] for s in json.loads((again / "run.json").read_text())["stages"]}
    for name in ("SUMSS convolution", "noise maps at the resolution of SUMSS", "ASKAP sources"):
        assert "earlier run" in stages[name]


def test_a_ready_image_and_ready_lists_give_the_same(command, convolved_results, convolved_master, tmp_path):
    raw = {
        kind: next((convolved_results / ".cache").glob(f"{kind}-*/aegean_comp.csv"))
        for kind in ("sources", "sumss_sources")
    }
    options = [
        "--convolved-image", str(convolved_results / CONVOLVED),
        "--convolved-non-conv-askap-csv", str(raw["sources"]),
        "--askap-csv", str(raw["sumss_sources"]),
    ]  # fmt: skip
    assert process_askap_image([*command, *options, "--output-dir", str(tmp_path)]) == 0
    found = rows_of(results_in(tmp_path))
    columns = ["name", "type", "ratio", "native_flux", "flag", "is_candidate"]
    # a list given by a user leaves out what lies on blank pixels
    inner, expected = (rows.loc[~rows["on_edge"], columns].reset_index(drop=True) for rows in (found, convolved_master))
    pd.testing.assert_frame_equal(inner, expected, rtol=1e-6)
    inputs = json.loads((results_in(tmp_path) / "run.json").read_text())["inputs"]
    assert {"convolved_image", "convolved_non_conv_askap_csv", "askap_csv"} <= set(inputs)


def wrong_beam(image):
    return dataclasses.replace(image, beam=dataclasses.replace(image.beam, major=70.0))


def wrong_place(image):
    wcs = image.wcs.deepcopy()
    wcs.wcs.crval = np.asarray(wcs.wcs.crval) + np.array([0.01, 0])
    return dataclasses.replace(image, wcs=wcs)


def wrong_size(image):
    return dataclasses.replace(image, data=np.ascontiguousarray(image.data[:-5]))


@pytest.mark.parametrize(
    ("change", "unit", "words"),
    [
        (wrong_beam, "Jy/beam", "not that of the survey"),
        (wrong_place, "Jy/beam", "not on the pixel grid"),
        (wrong_size, "Jy/beam", "not on the pixel grid"),
        (lambda image: image, "Jy/pixel", "Jy/pixel"),
    ],
)
def test_a_ready_image_that_does_not_fit_is_an_error(change, unit, words, command, convolved_results, tmp_path, capfd):
    path = tmp_path / "given.fits"
    write_image(change(read_image(convolved_results / CONVOLVED)), path)
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["BUNIT"] = unit
    shutil.copytree(convolved_results, tmp_path / convolved_results.name)
    assert process_askap_image([*command, "--convolved-image", str(path), "--output-dir", str(tmp_path)]) == 1
    assert words in capfd.readouterr().err


def test_a_psf_wider_than_the_survey_is_an_error(command, small_field, tmp_path, capfd):
    path = tmp_path / "wide.fits"
    shutil.copy(small_field.image, path)
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["BMAJ"], hdus[0].header["BPA"] = 60 / 3600, 90.0
    assert process_askap_image([str(path), *command[1:], "--output-dir", str(tmp_path / "out")]) == 1
    assert "wider than the one" in capfd.readouterr().err


def test_one_convolved_image_does_not_serve_two_surveys(command, convolved_results, small_field, tmp_path, capfd):
    path = tmp_path / "north.fits"
    shutil.copy(small_field.image, path)
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["CRVAL2"] = -36.0
    options = ["--convolved-image", str(convolved_results / CONVOLVED), "--output-dir", str(tmp_path / "out")]
    assert process_askap_image([str(path), *command[1:], *options]) == 2
    assert "choose one with" in capfd.readouterr().err


# What convolution hides


PAIR = np.array([300.0, 25.0])


@pytest.fixture(scope="module")
def pair_results(small_field, command, tmp_path_factory):
    """The small field with two pairs that the survey's beam makes one of; of the southern one the faint one is gone."""
    folder = tmp_path_factory.mktemp("pair")
    settings = small_field.settings
    west, north = np.array([0, -52, 0, -52]), np.array([0, 0, -400, -400])
    dec = settings.dec + north / 3600
    ra = settings.ra + west / 3600 / np.cos(np.deg2rad(dec))
    image = read_image(small_field.image)
    shown = pd.DataFrame({"ra": ra, "dec": dec, "flux_peak": [*PAIR, *PAIR], "major": 15.0, "minor": 12.0, "pa": 60.0})
    paint(image.data, image.wcs, image.pixel_scales, shown.iloc[:3])
    write_image(image, folder / f"{STEM}.fits")
    catalogue = pd.read_csv(small_field.catalogue)
    _, separation = sky.nearest(catalogue["_RAJ2000"], catalogue["_DEJ2000"], ra, dec)
    more = catalogue.iloc[[0, 0, 0, 0]].assign(_RAJ2000=ra, _DEJ2000=dec, MajAxis=55.0, MinAxis=45.0)
    more = more.assign(Sp=[*PAIR, *PAIR], St=[*PAIR, *PAIR], e_St=3.0, e_Sp=3.0)
    pd.concat([catalogue[separation > 150], more]).to_csv(folder / "sumss.csv", index=False)
    words = [str(folder / f"{STEM}.fits"), "--sumss-csv", str(folder / "sumss.csv"), *command[3:]]
    assert process_askap_image([*words, "--output-dir", str(folder)]) == 0
    return results_in(folder), ra, dec


def row_at(rows, ra, dec):
    return rows[sky.separation(rows["ref_ra"], rows["ref_dec"], ra, dec) < 1].iloc[0]


def test_a_source_that_convolution_hides_is_rescued(pair_results):
    results, ra, dec = pair_results
    rows = rows_of(results)
    row = row_at(rows, ra[1], dec[1])
    assert row["type"] == "match"
    assert row["rescued"]
    assert row["askap_origin"] == "forced"
    assert row["native_origin"] == "detected"
    assert row["native_flux"] == pytest.approx(25, rel=0.15)
    assert row["askap_flux"] == pytest.approx(25, rel=0.5)
    assert not row["is_candidate"]
    pairs = tables.read_csv(results / f"{STEM}_sumss_askap_crossmatch_transient.csv", products.PAIRS)
    assert pairs["rescued"].sum() == rows["rescued"].sum() >= 1


def test_a_source_that_neither_image_shows_is_missing(pair_results):
    results, ra, dec = pair_results
    row = row_at(rows_of(results), ra[3], dec[3])
    assert row["type"] == "noaskapmatch"
    assert abs(row["native_flux"]) < 5 * row["native_rms"]
    assert abs(row["askap_flux"]) < 10


# Crop


def test_crop_then_convolve(command, small_field, convolved_results, tmp_path):
    options = ["--weight-crop", "--weight-crop-value", "0.3", "--weight-crop-image", str(small_field.weights)]
    shutil.copytree(convolved_results, tmp_path / convolved_results.name)
    assert process_askap_image([*command, *options, "--output-dir", str(tmp_path)]) == 0
    results = results_in(tmp_path)
    original, weights = read_image(small_field.image), fits.getdata(small_field.weights).squeeze()
    cropped = read_image(results / f"{STEM}.weightcrop_0.3.fits")
    keep = weights > 0.3 * weights.max()
    assert 0.3 < keep.mean() < 0.98 * np.isfinite(original.data).mean()
    np.testing.assert_array_equal(np.isfinite(cropped.data), keep & np.isfinite(original.data))
    convolved = read_image(results / f"{STEM}.weightcrop_0.3.convolve2sumss.fits")
    assert not np.isfinite(convolved.data[~keep]).any()
    # nothing of the pixels cropped away comes back in
    assert np.isfinite(convolved.data).sum() < np.isfinite(cropped.data).sum()
    stages = {s["name"]: s["result"] for s in json.loads((results / "run.json").read_text())["stages"]}
    assert "earlier run" not in stages["noise maps"]
    x, y = cropped.sky_to_pixel(*rows_of(results)[["ra", "dec"]].to_numpy().T)
    assert keep[np.rint(y).astype(int), np.rint(x).astype(int)].all()


def test_pixels_at_the_fraction_itself_are_cropped(small_field):
    image = read_image(small_field.image)
    weights = np.full(image.data.shape, 0.26, np.float32)
    weights[:, :500], weights[0, 0] = 0.25, 1.0
    result = cropped(image, weights, 0.25).data
    assert not np.isfinite(result[1:, :500]).any()
    np.testing.assert_array_equal(np.isfinite(result[:, 500:]), np.isfinite(image.data[:, 500:]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data, header: (data[..., :-10], header), "regrid"),
        (lambda data, header: (data, header | {"CRVAL2": -54.0}), "not on the pixel grid"),
        (lambda data, header: (data * 0, header), "no positive weight"),
        (lambda data, header: (np.repeat(data, 2, axis=0), header), "cube"),
    ],
)
def test_weights_that_do_not_fit_are_an_error(change, words, small_field, small_command, tmp_path, capfd):
    header = fits.getheader(small_field.weights)
    keep = {k: header[k] for k in ("CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CDELT1", "CDELT2")}
    data, cards = change(fits.getdata(small_field.weights), keep)
    fits.PrimaryHDU(data, fits.Header(cards)).writeto(tmp_path / "weights.fits")
    options = ["--weight-crop", "--weight-crop-image", str(tmp_path / "weights.fits"), "--db-inject", "no"]
    assert process_askap_image([*small_command, *options, "--output-dir", str(tmp_path / "out")]) == 1
    assert words in capfd.readouterr().err


# CASA

STAND_IN = """#!{python}
import os, sys
from pathlib import Path
assert sys.argv[1:4] == ["--nologger", "--nogui", "--nologfile"], sys.argv
assert sys.argv[4] == "-c"
from racs_transients.beam import Beam
from racs_transients.image import read_image
from racs_transients.image_files import write_image
from racs_transients.smoothing import smoothed, smoothing_to

def imsmooth(imagename, kernel, targetres, major, minor, pa, outfile, overwrite):
    assert kernel == "gauss" and targetres is True
    assert major.endswith("arcsec") and minor.endswith("arcsec") and pa.endswith("deg")
    if os.environ.get("CASA_FAILS"):
        sys.exit("SEVERE imsmooth: no such luck")
    image = read_image(Path(imagename))
    beam = Beam(float(major[:-6]), float(minor[:-6]), float(pa[:-3]))
    os.mkdir(outfile)
    write_image(smoothed(image, smoothing_to(image, beam)), Path(outfile) / "table.fits")

def exportfits(imagename, fitsimage, overwrite):
    from astropy.io import fits
    with fits.open(Path(imagename) / "table.fits") as hdus:
        del hdus[0].header["RESTFRQ"]  # as the real one does with two axes
        hdus.writeto(fitsimage)

sys.modules["casatasks"] = None
exec(compile(Path(sys.argv[5]).read_text(), sys.argv[5], "exec"))
"""


@pytest.fixture
def casa(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "casa").write_text(STAND_IN.format(python=sys.executable))
    (folder / "casa").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.mark.usefixtures("casa")
def test_casa_convolves(command, convolved_results, convolved_master, tmp_path):
    shutil.copytree(convolved_results, tmp_path / convolved_results.name)
    assert process_askap_image([*command, "--convolution-engine", "casa", "--output-dir", str(tmp_path)]) == 0
    results = results_in(tmp_path)
    ours, theirs = (read_image(results / name) for name in (CONVOLVED, f"{STEM}.convolve2sumss_casa.fits"))
    np.testing.assert_allclose(theirs.data, ours.data, atol=1e-6)
    found, expected = (rows.loc[rows["is_candidate"], "name"] for rows in (rows_of(results), convolved_master))
    assert sorted(found) == sorted(expected)
    cache = next((results / ".cache").glob("sumss_convolved-*"))
    assert [path.name for path in cache.iterdir()] == ["convolved.fits"]


@pytest.mark.usefixtures("casa")
def test_what_casa_says_is_told_when_it_fails(command, convolved_results, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("CASA_FAILS", "1")
    shutil.copytree(convolved_results, tmp_path / convolved_results.name)
    assert process_askap_image([*command, "--convolution-engine", "casa", "--output-dir", str(tmp_path)]) == 1
    assert "no such luck" in capfd.readouterr().err


def test_without_casa_the_error_says_what_to_do(command, convolved_results, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    shutil.copytree(convolved_results, tmp_path / convolved_results.name)
    assert process_askap_image([*command, "--convolution-engine", "casa", "--output-dir", str(tmp_path)]) == 2
    assert "[casa]" in capfd.readouterr().err
