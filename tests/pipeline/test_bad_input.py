"""Bad input: one clear sentence, the right exit code, nothing lost, no traceback."""

import gzip
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from racs_transients.cli import process_askap_image
from racs_transients.image import read_image
from racs_transients.image_files import write_image


@pytest.fixture
def run(small_field, tmp_path, capfd):
    """Process an image (with the small field's catalogue); return exit code and what was said."""

    def process(image, *more, catalogue=small_field.catalogue):
        options = ["--sumss-csv", str(catalogue), "--output-dir", str(tmp_path / "out"), "--produce-overlays", "no"]
        code = process_askap_image([str(image), *options, "--db-inject", "no", "--transients", *more])
        said = capfd.readouterr().err
        assert "Traceback" not in said
        return code, said

    return process


@pytest.fixture
def changed(small_field, tmp_path):
    """Write a copy of the small image with another header or other pixels."""

    def write(name="changed.fits", remove=(), data=None, **cards):
        header, pixels = fits.getheader(small_field.image), fits.getdata(small_field.image)
        for keyword in remove:
            header.remove(keyword, ignore_missing=True)
        for keyword, value in cards.items():
            header[keyword] = value
        path = tmp_path / name
        fits.PrimaryHDU(pixels if data is None else data(pixels), header).writeto(path, overwrite=True)
        return path

    return write


def test_no_such_image(run, tmp_path):
    code, said = run(tmp_path / "absent.fits")
    assert code == 2
    assert "absent.fits" in said


def test_not_fits(run, tmp_path):
    path = tmp_path / "text.fits"
    path.write_text("not an image\n" * 500)
    code, said = run(path)
    assert code == 1
    assert "FITS" in said


def test_truncated(run, small_field, tmp_path):
    path = tmp_path / "short.fits"
    path.write_bytes(small_field.image.read_bytes()[:100_000])
    code, said = run(path)
    assert code == 1
    assert "truncated" in said


def test_damaged_compression(run, small_field, tmp_path):
    path = tmp_path / "short.fits.gz"
    path.write_bytes(gzip.compress(small_field.image.read_bytes(), 1)[:500_000])
    code, said = run(path)
    assert code == 1
    assert "short.fits.gz" in said


FREQUENCY = ("RESTFREQ", *(f"{name}3" for name in ("CTYPE", "CRVAL", "CDELT", "CRPIX", "CUNIT")))
BAD_IMAGES = {
    "no celestial coordinates": ({"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}, (), None, "celestial"),
    "no beam": ({}, ("BMAJ", "BMIN", "BPA"), None, "--beam-major"),
    "no frequency": ({}, FREQUENCY, None, "--frequency"),
    "all blank": ({}, (), lambda p: np.full_like(p, np.nan), "blank"),
    "wrong unit": ({"BUNIT": "K"}, (), None, "BUNIT"),
    "beam in arcsec": ({"BMAJ": 15.0, "BMIN": 12.0}, (), None, "beam"),
    "B1950": ({"RADESYS": "FK4", "EQUINOX": 1950.0}, (), None, "J2000"),
}


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_images_that_lack_something(case, run, changed):
    cards, remove, data, words = BAD_IMAGES[case]
    code, said = run(changed(remove=remove, data=data, **cards))
    assert code == 1
    assert words in said


@pytest.mark.slow
def test_options_stand_in_for_a_bare_header(run, changed):
    path = changed(remove=("BMAJ", "BMIN", "BPA", *FREQUENCY))
    code, _ = run(path, "--beam-major", "15", "--beam-minor", "12", "--beam-pa", "60", "--frequency", "887.5e6")
    assert code == 0


def test_a_weights_image_in_place_of_the_image(run, small_field):
    code, said = run(small_field.weights)
    assert code == 1
    assert "weights" in said


def _catalogue(small_field, tmp_path, change):
    path = tmp_path / "catalogue.csv"
    change(pd.read_csv(small_field.catalogue)).to_csv(path, index=False)
    return path


BAD_CATALOGUES = {
    "column missing": (lambda t: t.drop(columns=["_RAJ2000"]), "_RAJ2000"),
    "flux missing": (lambda t: t.drop(columns=["St", "Sp"]), "St"),
    "empty": (lambda t: t.iloc[:0], "rows"),
    "hours for degrees": (lambda t: t.assign(_RAJ2000=t["_RAJ2000"] / 15), "hours"),
    "no position": (lambda t: t.assign(_DEJ2000=t["_DEJ2000"].where(t.index != 3)), "position"),
    "infinite position": (lambda t: t.assign(_RAJ2000=t["_RAJ2000"].where(t.index != 3, np.inf)), "position"),
    "no flux": (lambda t: t.assign(St=np.nan, Sp=np.nan), "flux"),
    "another field": (lambda t: t.assign(_RAJ2000=t["_RAJ2000"] - 100), "field"),
    "far too many": (lambda t: pd.concat([t.assign(_DEJ2000=t["_DEJ2000"] + d / 500) for d in range(20)]), "too many"),
}


@pytest.mark.parametrize("case", BAD_CATALOGUES)
def test_catalogues_that_cannot_be_trusted(case, run, small_field, tmp_path):
    change, words = BAD_CATALOGUES[case]
    code, said = run(small_field.image, catalogue=_catalogue(small_field, tmp_path, change))
    assert code == 1
    assert words in said


def test_a_small_image_without_a_catalogue_source_is_compared(run, small_field, tmp_path):
    image = read_image(small_field.image)
    listed = pd.read_csv(small_field.catalogue)
    x, y = image.sky_to_pixel(listed["_RAJ2000"], listed["_DEJ2000"])
    corners = [(x0, y0) for x0 in range(100, 700, 20) for y0 in range(100, 700, 20)]
    empty = next(c for c in corners if not ((abs(x - c[0] - 120) < 125) & (abs(y - c[1] - 120) < 125)).any())
    wcs = image.wcs.deepcopy()
    wcs.wcs.crpix -= empty
    part = image.data[empty[1] : empty[1] + 240, empty[0] : empty[0] + 240]
    write_image(replace(image, data=part, wcs=wcs), tmp_path / "small.fits")
    code, said = run(tmp_path / "small.fits")
    assert code == 0
    assert "None of the SUMSS sources lies on small.fits" in said


@pytest.mark.slow
def test_repeated_rows_are_taken_once_and_said(run, small_field, tmp_path):
    path = _catalogue(small_field, tmp_path, lambda t: pd.concat([t, t.iloc[:7]]))
    code, said = run(small_field.image, catalogue=path)
    assert code == 0
    assert "7 rows are repeated" in said


@pytest.mark.slow
def test_a_catalogue_in_jansky_is_told(run, small_field, tmp_path):
    path = _catalogue(small_field, tmp_path, lambda t: t.assign(St=t["St"] / 1000, Sp=t["Sp"] / 1000))
    code, said = run(small_field.image, catalogue=path)
    assert code == 0
    assert "is one of them in another unit" in said


@pytest.mark.slow
def test_a_run_without_a_transient_search_counts_no_candidates(run, small_field):
    code, said = run(small_field.image, "--transients", "no")
    assert code == 0
    assert "candidates" not in said
    assert "no transient search" in said


@pytest.mark.slow
def test_vizier_out_of_reach(run, small_field, tmp_path):
    more = ["--sumss-csv", "none", "--vizier-url", "http://127.0.0.1:9/viz-bin/votable", "--cache-dir", str(tmp_path)]
    code, said = run(small_field.image, *more)
    assert code == 1
    assert "--sumss-csv" in said
    assert not list(tmp_path.glob("sumss*"))


@pytest.mark.slow
def test_results_of_another_run_are_kept(run, small_field, changed, tmp_path):
    assert run(small_field.image)[0] == 0
    master = next((tmp_path / "out").rglob("transients_master.csv"))
    before = master.read_bytes()
    other = changed(name=small_field.image.name, data=lambda p: p * np.float32(1.01))
    code, said = run(other)
    assert code == 1
    assert "--clobber" in said
    assert master.read_bytes() == before


def test_a_results_folder_that_cannot_be_made(run, small_field, tmp_path):
    (tmp_path / "out").write_text("a file")
    code, said = run(small_field.image)
    assert code in (1, 2)
    assert "out" in said


def test_a_source_list_of_another_image(run, small_field, small_results, tmp_path):
    listed = next(small_results.rglob("aegean_comp.csv"))
    table = pd.read_csv(listed)
    table["ra"] -= 50
    table.to_csv(tmp_path / "list.csv", index=False)
    code, said = run(small_field.image, "--askap-csv", str(tmp_path / "list.csv"))
    assert code == 1
    assert "another image" in said


def test_a_survey_that_does_not_reach(run, changed):
    code, said = run(changed(CRVAL2=-20.0), "--sumss-only")
    assert code == 2
    assert "SUMSS does not cover" in said


@pytest.mark.slow
def test_one_bad_image_does_not_stop_the_others(run, small_field, tmp_path):
    bad = tmp_path / "bad.fits"
    shutil.copy(small_field.weights, bad)
    code, said = run(bad, str(small_field.image))
    assert code == 1
    assert "bad.fits" in said
    assert list((tmp_path / "out").rglob("transients_master.csv"))
