"""Noise maps: right level, follow gradients, unmoved by sources, blank where the image is."""

from pathlib import Path

import numpy as np
import pytest
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter

from racs_transients.beam import FWHM_PER_SIGMA, Beam
from racs_transients.image import Image, read_image
from racs_transients.noise import measure_noise

RMS = 2e-4
BEAM_PIXELS = 5
REAL = Path("../shared/data/sumss_mosaics")


def image_of(data):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---SIN", "DEC--SIN"
    wcs.wcs.crval = 150.0, -40.0
    wcs.wcs.crpix = (data.shape[1] + 1) / 2, (data.shape[0] + 1) / 2
    wcs.wcs.cdelt = -3 / 3600, 3 / 3600
    return Image(
        Path("noise.fits"), np.ascontiguousarray(data, np.float32), wcs, 888.0, Beam(3 * BEAM_PIXELS, 3 * BEAM_PIXELS)
    )


def correlated(shape, seed=1):
    """Return unit noise whose autocorrelation is the beam."""
    width = BEAM_PIXELS / FWHM_PER_SIGMA / np.sqrt(2)
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=shape), width, mode="wrap")
    return noise * np.sqrt(4 * np.pi) * width


def with_sources(data, number, flux, seed=2):
    y, x = np.indices((41, 41)) - 20
    stamp = np.exp(-(x**2 + y**2) / 2 * (FWHM_PER_SIGMA / BEAM_PIXELS) ** 2)
    data = data.copy()
    for row, column in np.random.default_rng(seed).integers(20, np.array(data.shape) - 21, (number, 2)):
        data[row - 20 : row + 21, column - 20 : column + 21] += flux * stamp
    return data


def test_level_of_plain_noise():
    maps = measure_noise(image_of(RMS * correlated((900, 900))))
    assert np.median(maps.rms) == pytest.approx(RMS, rel=0.01)
    assert np.percentile(maps.rms, [1, 99]) == pytest.approx([RMS, RMS], rel=0.08)
    assert np.percentile(np.abs(maps.background), 99) < 0.25 * RMS
    assert maps.rms.dtype == maps.background.dtype == np.float32


def test_noise_that_rises_towards_the_edge_is_followed():
    y, x = np.indices((1200, 1200))
    rise = np.exp((np.hypot(x - 600, y - 600) / 600) ** 4 / 1.5)
    radius = np.hypot(x - 600, y - 600)
    data = RMS * rise * correlated((1200, 1200))
    data[radius > 580] = np.nan
    maps = measure_noise(image_of(data))
    ratio = maps.rms / (RMS * rise)
    assert np.nanmedian(ratio[radius < 300]) == pytest.approx(1, abs=0.02)
    assert np.nanmedian(ratio[(radius > 540) & (radius < 580)]) == pytest.approx(1, abs=0.07)
    assert np.nanpercentile(ratio, [1, 99]) == pytest.approx([1, 1], abs=0.12)


@pytest.mark.parametrize(("number", "flux"), [(500, 20 * RMS), (60, 5000 * RMS)])
def test_sources_do_not_raise_the_noise(number, flux):
    data = with_sources(RMS * correlated((1000, 1000)), number, flux)
    maps = measure_noise(image_of(data))
    assert np.median(maps.rms) == pytest.approx(RMS, rel=0.04)
    assert np.percentile(maps.rms, 99) < 1.15 * RMS


def test_noise_is_blank_where_the_image_is_and_positive_elsewhere():
    data = RMS * correlated((400, 500))
    data[:, 450:] = np.nan
    data[100:104, 200:206] = np.nan
    image = image_of(data)
    maps = measure_noise(image)
    np.testing.assert_array_equal(np.isnan(maps.rms), np.isnan(data))
    assert (maps.rms[np.isfinite(data)] > 0).all()
    np.testing.assert_array_equal(image.data, data.astype(np.float32))


def test_pixels_of_a_masked_half_do_not_matter():
    data = RMS * correlated((600, 600))
    half = data.copy()
    half[:, 300:] = np.nan
    whole, cut = measure_noise(image_of(data)), measure_noise(image_of(half))
    ratio = cut.rms[:, :300] / whole.rms[:, :300]
    assert np.percentile(np.abs(ratio - 1), 99) < 0.12


def test_image_smaller_than_a_cell():
    maps = measure_noise(image_of(RMS * correlated((40, 30))))
    assert np.median(maps.rms) == pytest.approx(RMS, rel=0.25)


def test_values_at_positions():
    data = RMS * correlated((200, 300)) + 7 * RMS
    data[:50] = np.nan
    image = image_of(data)
    maps = measure_noise(image)
    ra, dec = image.pixel_to_sky([150.2, 150, 400, -0.4], [99.6, 20, 100, 199.4])
    background, rms = maps.at(image, ra, dec)
    assert rms[0] == pytest.approx(maps.rms[100, 150] * 1e3)
    assert background[0] == pytest.approx(maps.background[100, 150] * 1e3)
    assert background[0] == pytest.approx(7 * RMS * 1e3, rel=0.1)
    assert np.isnan(rms).tolist() == np.isnan(background).tolist() == [False, True, True, False]


@pytest.mark.realdata
@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data is not there")
@pytest.mark.parametrize(("name", "published"), [("J0318M36", 2.160), ("J0336M36", 2.140)])
def test_noise_of_real_mosaics_is_the_published_one(name, published):
    image = read_image(REAL / f"{name}.FITS.gz", frequency=843.0)
    assert np.nanmedian(measure_noise(image).rms) * 1e3 == pytest.approx(published, rel=0.15)


def test_filled_pixels_have_no_noise_and_make_none_beside_them():
    rng = np.random.default_rng(8)
    data = rng.normal(0, 1e-3, (400, 400)).astype(np.float32)
    data[:, :150] = rng.normal(0, 1e-12, (400, 150))
    image = image_of(data)
    rms = measure_noise(image).rms
    assert np.isnan(rms[:, :90]).mean() > 0.9
    known = rms[np.isfinite(rms)]
    assert known.min() > 4e-5
    assert np.isfinite(rms[:, 220:]).all()
