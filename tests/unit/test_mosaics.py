"""Survey mosaics: found by header, assigned by valid pixels, measured with the beam at the source."""

import gzip
import logging
import os

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from racs_transients import sky
from racs_transients.beam import covariance, response
from racs_transients.errors import ImageError
from racs_transients.mosaics import assign_mosaics, index_mosaics, measure_on_mosaics, open_mosaic
from racs_transients.surveys import NVSS, SUMSS

DEC = -36.0
SHAPE = (230, 260)
RMS = 2e-3


def write_mosaic(path, ra, dec=DEC, sources=(), *, keywords=None, blank_columns=0, seed=1):
    """Write a mosaic as SUMSS has them: long pixels, neither frequency nor reference frame, blank edges."""
    stretch = 1 / abs(np.sin(np.deg2rad(dec)))
    header = fits.Header(
        {
            "CTYPE1": "RA---SIN", "CRVAL1": ra, "CRPIX1": (SHAPE[1] + 1) / 2, "CDELT1": -11 / 3600,
            "CTYPE2": "DEC--SIN", "CRVAL2": dec, "CRPIX2": (SHAPE[0] + 1) / 2, "CDELT2": 11 * stretch / 3600,
            "BUNIT": "JY/BEAM", "EPOCH": 2000.0, "BMAJ": 45 * stretch / 3600, "BMIN": 45 / 3600, "BPA": 0.0,
        }
    )  # fmt: skip
    for name, value in (keywords or {}).items():
        if value is None:
            del header[name]
        else:
            header[name] = value
    y, x = np.indices(SHAPE)
    pixel_ra, pixel_dec = WCS(header).wcs_pix2world(x, y, 0)
    rng = np.random.default_rng(seed)
    kernel = response(11 * (x - SHAPE[1] // 2), 11 * stretch * (y - SHAPE[0] // 2), covariance(45 * stretch, 45, 0) / 2)
    data = np.fft.irfft2(np.fft.rfft2(rng.normal(size=SHAPE)) * np.fft.rfft2(kernel), SHAPE)
    data *= RMS / data.std()
    for source_ra, source_dec, flux in sources:
        beam = covariance(*SUMSS.beam_axes(source_dec))
        data += flux * 1e-3 * response(*sky.offsets(source_ra, source_dec, pixel_ra, pixel_dec), beam)
    data[:3] = np.nan
    if blank_columns:
        data[:, :blank_columns] = np.nan
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.PrimaryHDU(data.astype(np.float32), header).writeto(path)
    return path


def compress(path):
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), 1))
    path.unlink()
    return packed


def test_mosaics_are_found_by_header_and_others_named_in_the_log(tmp_path, caplog):
    first = compress(write_mosaic(tmp_path / "b" / "J0001M36.FITS", 0.3))
    second = write_mosaic(tmp_path / "a.fits", 359.9)
    (tmp_path / "broken.fits").write_text("no FITS")
    fits.PrimaryHDU().writeto(tmp_path / "empty.fits")
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(tmp_path / "nowhere.fits")
    (tmp_path / "notes.txt").write_text("of no interest")
    with caplog.at_level(logging.WARNING):
        found = index_mosaics(tmp_path, SUMSS)
    assert [mosaic.path for mosaic in found] == [second, first]
    assert [mosaic.ra for mosaic in found] == pytest.approx([359.9, 0.3], abs=1e-6)
    assert [mosaic.dec for mosaic in found] == pytest.approx([DEC, DEC], abs=1e-6)
    half_x, half_y = 130 * 11 / 3600, 115 * 11 / np.sin(np.deg2rad(36)) / 3600
    assert [mosaic.radius for mosaic in found] == pytest.approx([np.hypot(half_x, half_y)] * 2, rel=0.01)
    assert len(caplog.records) == 3
    assert all(any(name in text for text in caplog.messages) for name in ("broken.fits", "empty.fits", "nowhere.fits"))


def test_footprints_are_kept_until_a_file_changes(tmp_path, caplog):
    path = compress(write_mosaic(tmp_path / "mosaics" / "m.FITS", 50.0))
    first = index_mosaics(tmp_path / "mosaics", SUMSS, cache_dir=tmp_path / "cache")
    status, size = path.stat(), path.stat().st_size
    path.write_bytes(bytes(size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert index_mosaics(tmp_path / "mosaics", SUMSS, cache_dir=tmp_path / "cache") == first  # the file is not read
    os.utime(path)
    with pytest.raises(ImageError, match="No SUMSS mosaic"):
        index_mosaics(tmp_path / "mosaics", SUMSS, cache_dir=tmp_path / "cache")
    write_mosaic(tmp_path / "mosaics" / "other.fits", 60.0)
    next((tmp_path / "cache").iterdir()).write_text("garbage")
    found = index_mosaics(tmp_path / "mosaics", SUMSS, cache_dir=tmp_path / "cache")
    assert "damaged" in caplog.text
    assert [mosaic.path.name for mosaic in found] == ["other.fits"]


def test_folder_without_mosaics_is_an_error_that_names_the_option(tmp_path):
    with pytest.raises(ImageError, match="--sumss-mosaic-dir"):
        index_mosaics(tmp_path, SUMSS)


def test_mosaic_without_beam_and_frequency_gets_those_of_the_survey(tmp_path):
    path = write_mosaic(tmp_path / "m.fits", 50.0, keywords={"BMAJ": None, "BMIN": None, "BPA": None})
    image = open_mosaic(path, SUMSS)
    assert image.frequency == 843
    assert (image.beam.major, image.beam.minor) == pytest.approx((45 / np.sin(np.deg2rad(36)), 45))


@pytest.mark.parametrize(
    ("survey", "keywords", "words"),
    [(SUMSS, {"RESTFRQ": 887.5e6}, "887.5 MHz"), (NVSS, {}, "NVSS has 45"), (SUMSS, {"BMAJ": 45 / 3600}, "beam of 45")],
)
def test_image_of_another_frequency_or_beam_is_no_mosaic_of_the_survey(tmp_path, survey, keywords, words):
    path = write_mosaic(tmp_path / "m.fits", 50.0, keywords=keywords)
    with pytest.raises(ImageError, match=words):
        open_mosaic(path, survey)


def test_position_goes_to_the_nearest_centre_with_valid_pixels_around_it(tmp_path, caplog):
    write_mosaic(tmp_path / "1.fits", 0.2)
    write_mosaic(tmp_path / "2.fits", 359.8, blank_columns=100)  # the eastern part is blank
    truncated = write_mosaic(tmp_path / "3.fits", 0.0)
    truncated.write_bytes(truncated.read_bytes()[:30000])
    index = index_mosaics(tmp_path, SUMSS)
    ra = np.array([0.19, 359.97, 359.6, 359.99, 10.0, 0.2])
    dec = np.array([DEC, DEC, DEC, 40.0, DEC, DEC - 0.597])
    with caplog.at_level(logging.WARNING):
        number = assign_mosaics(index, SUMSS, ra, dec)
    # the second's pixels end west of the second position; the last is within two beams of blank rows
    assert number.tolist() == [0, 0, 1, -1, -1, -1]
    assert any("3.fits" in text for text in caplog.messages)
    assert assign_mosaics(index, SUMSS, [], []).tolist() == []


def test_fluxes_are_measured_with_the_beam_at_the_source(tmp_path):
    rng = np.random.default_rng(4)
    ra = 50 + np.array([-0.3, -0.1, 0.1, 0.3, 0.0, 0.02])
    dec = DEC + np.array([-0.4, -0.2, 0.2, 0.4, 0.0, 0.0])  # the last two are 58 arcsec apart
    flux = np.array([400.0, 90.0, 200.0, 300.0, 100.0, 500.0])
    write_mosaic(tmp_path / "m.fits", 50.0, sources=zip(ra, dec, flux, strict=True), seed=int(rng.integers(99)))
    ra, dec = np.append(ra, 53.0), np.append(dec, DEC)
    known = pd.DataFrame({"ra": ra, "dec": dec})
    found = measure_on_mosaics(index_mosaics(tmp_path, SUMSS), SUMSS, ra, dec, neighbours=known)
    assert list(found) == ["flux", "flux_err", "rms", "mosaic", "failure"]
    assert found["mosaic"].tolist()[:6] == ["m.fits"] * 6
    assert found["rms"].to_numpy()[:6] == pytest.approx(RMS * 1e3, rel=0.15)
    pull = (found["flux"].to_numpy()[:6] - flux) / np.hypot(found["flux_err"].to_numpy()[:6], 3e-3 * flux)
    assert np.abs(pull).max() < 3.5
    assert found["flux"].iloc[6:].isna().all()
    assert found["mosaic"].iloc[6:].isna().all()
    assert found["failure"].iloc[:6].isna().all()
    assert found["failure"].iloc[6] == "no mosaic covers the position"


def test_nothing_to_measure_gives_an_empty_table(tmp_path):
    write_mosaic(tmp_path / "m.fits", 50.0)
    found = measure_on_mosaics(index_mosaics(tmp_path, SUMSS), SUMSS, [], [])
    assert list(found) == ["flux", "flux_err", "rms", "mosaic", "failure"]
    assert len(found) == 0


def test_blank_sky_of_a_mosaic_has_pulls_of_width_one(tmp_path):
    write_mosaic(tmp_path / "m.fits", 50.0, seed=8)
    east, north = np.meshgrid(np.linspace(-0.35, 0.35, 40), np.linspace(-0.5, 0.5, 40))
    dec = DEC + north.ravel()
    ra = 50 + east.ravel() / np.cos(np.deg2rad(dec))
    found = measure_on_mosaics(index_mosaics(tmp_path, SUMSS), SUMSS, ra, dec)
    assert found["failure"].isna().all()
    assert (found["flux"] / found["flux_err"]).std() == pytest.approx(1, abs=0.08)
