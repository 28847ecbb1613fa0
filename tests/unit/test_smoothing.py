"""Convolution of whole images: flux, shape, noise and borders."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from racs_transients import smoothing
from racs_transients.beam import FWHM_PER_SIGMA, Beam, axes
from racs_transients.convolve import beams_at
from racs_transients.errors import ImageError
from racs_transients.image import Image, read_image
from racs_transients.image_files import write_image
from racs_transients.photometry import interpolate
from racs_transients.simulate.observation import noise_stripes, paint, tangent_wcs
from racs_transients.smoothing import noise_beam, smoothed, smoothing_to
from racs_transients.surveys import NVSS, SUMSS

PSF = Beam(15.0, 12.0, 60.0)
SCALES = (2.5, 2.5)


def blank_image(dec, shape=(420, 500), *, far=False, beam=PSF):
    """An empty image; far: its reference position lies degrees away, as in a cutout of a mosaic."""
    wcs = tangent_wcs(30.0, dec, shape, SCALES)
    if far:
        wcs.wcs.crpix = [-1500.0, 2500.0]
    return Image(Path("test.fits"), np.zeros(shape, np.float32), wcs, 887.5, beam)


def with_points(image, x, y, flux=1.0):
    ra, dec = image.pixel_to_sky(x, y)
    major, minor, pa = axes(beams_at(image, image.beam, ra, dec))
    data = image.data.copy()
    rows = pd.DataFrame({"ra": ra, "dec": dec, "flux_peak": flux * 1e3, "major": major, "minor": minor, "pa": pa})
    paint(data, image.wcs, SCALES, rows)
    return dataclasses.replace(image, data=data), ra, dec


def beam_of(survey, dec):
    return Beam(*(float(axis) for axis in survey.beam_axes(dec)))


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize(
    ("survey", "dec"), [(SUMSS, d) for d in (-88, -73, -60, -43, -36, -31)] + [(NVSS, d) for d in (-36, 0, 30, 70)]
)
def test_a_point_source_keeps_its_flux_and_has_the_beam_of_the_survey(survey, dec, far):
    image, ra, decs = with_points(blank_image(dec, far=far), [250.3], [209.7])
    target = beam_of(survey, image.centre[1])
    result = smoothed(image, smoothing_to(image, target))
    assert interpolate(result, ra, decs) == pytest.approx(1.0, abs=1e-3)
    _, x = np.mgrid[: image.data.shape[0], : image.data.shape[1]]
    weight = np.nan_to_num(result.data)
    area = weight.sum() * np.prod(SCALES)
    assert area == pytest.approx(target.area, rel=1e-2)  # the integrated flux, too
    # its axes on the sky, from the second moments
    along_x = (weight * (x - 250.3) ** 2).sum() / weight.sum()
    assert np.sqrt(along_x) * 2.5 * FWHM_PER_SIGMA == pytest.approx(
        np.sqrt(beams_on_pixels(result)[0, 0]) * FWHM_PER_SIGMA, rel=0.01
    )
    major, minor, pa = axes(beams_at(result, result.beam, *np.atleast_2d(image.centre).T)[0])
    assert (major, minor) == pytest.approx((target.major, target.minor), rel=1e-3)
    if target.major > 1.02 * target.minor:
        assert abs((pa + 90) % 180 - 90) < 0.5


def beams_on_pixels(image):
    """Covariance of the image's beam in arcsec along x and y."""
    from racs_transients.convolve import matrix_at_reference

    inverse = np.linalg.inv(matrix_at_reference(image)) * 2.5
    return inverse @ image.beam.covariance @ inverse.T


@pytest.mark.parametrize("dec", [-31, -60, -85])
def test_no_valid_pixel_has_lost_flux_to_the_border(dec):
    image = blank_image(dec)
    positions = np.arange(60, 140, 4.0)
    image, ra, decs = with_points(image, positions, 60 + np.arange(20) * 18.0)
    data = image.data.copy()
    data[:, :60] = np.nan  # the border runs through the first source
    image = dataclasses.replace(image, data=data)
    result = smoothed(image, smoothing_to(image, beam_of(SUMSS, dec)))
    single = []
    for x, y in zip(positions, 60 + np.arange(20) * 18.0, strict=True):
        one, ra, decs = with_points(blank_image(dec), [x], [y])
        one.data[:, :60] = np.nan
        alone = smoothed(one, smoothing_to(one, beam_of(SUMSS, dec)))
        single.append(float(interpolate(alone, ra, decs)[0]))
    kept = np.isfinite(single)
    assert 5 < kept.sum() < 18
    assert np.array(single)[kept] == pytest.approx(1.0, abs=0.01)
    assert np.isnan(result.data[:, :60]).all()
    assert np.isnan(result.data[0]).all()


def test_a_hole_of_one_pixel_stays_one():
    image = blank_image(-60)
    image.data[200, 200] = np.nan
    result = smoothed(image, smoothing_to(image, beam_of(SUMSS, -60)))
    assert np.isnan(result.data[150:250, 150:250]).sum() == 1


def test_tiles_leave_no_seam(monkeypatch):
    rng = np.random.default_rng(5)
    image = blank_image(-50)
    image = dataclasses.replace(image, data=rng.normal(0, 1, image.data.shape).astype(np.float32))
    image.data[:40, 100:300] = np.nan
    step = smoothing_to(image, beam_of(SUMSS, -50))
    whole = smoothed(image, step).data
    monkeypatch.setattr(smoothing, "_TILE", 150)
    np.testing.assert_allclose(smoothed(image, step).data, whole, atol=2e-6)


def test_noise_becomes_what_the_photometry_takes_it_for():
    image, target = blank_image(-50, (1100, 1100)), beam_of(SUMSS, -50)
    data = np.concatenate([part for _, part in noise_stripes((1100, 1100), SCALES, PSF, 7)])
    image = dataclasses.replace(image, data=data)
    result = smoothed(image, smoothing_to(image, target))
    correlation = noise_beam(target, PSF)
    expected = target.area / np.sqrt(PSF.area * correlation.area)
    values = result.data[np.isfinite(result.data)]
    assert values.std() == pytest.approx(expected, rel=0.05)
    # its autocorrelation half a beam to the north
    lag = 10
    step = np.nan_to_num(result.data)
    there = (step[lag:] * step[:-lag]).mean() / (step**2).mean()
    sigma2 = correlation.covariance[1, 1]
    assert there == pytest.approx(np.exp(-0.5 * (lag * 2.5) ** 2 / sigma2), abs=0.06)


def test_an_image_that_has_the_beam_already_stays_as_it_is():
    target = beam_of(SUMSS, -50)
    image, _, _ = with_points(blank_image(-50, beam=target), [250.0], [210.0])
    result = smoothed(image, smoothing_to(image, target))
    np.testing.assert_allclose(result.data, image.data, atol=1e-6)


@pytest.mark.parametrize("psf", [Beam(60, 20, 90), Beam(70, 50, 0), Beam(46.5, 46.5, 0)])
def test_a_beam_wider_than_the_target_is_an_error(psf):
    with pytest.raises(ImageError, match=r"wider than .* leave --convolve out"):
        smoothing_to(blank_image(-50, beam=psf), beam_of(SUMSS, -50))


def test_the_image_is_not_changed():
    image, _, _ = with_points(blank_image(-50), [250.0], [210.0])
    before = image.data.copy()
    smoothed(image, smoothing_to(image, beam_of(SUMSS, -50)))
    np.testing.assert_array_equal(image.data, before)


def test_the_image_comes_back_from_its_file(tmp_path):
    image, _, _ = with_points(blank_image(-50, far=True), [250.0], [210.0])
    image.data[:] += np.random.default_rng(1).normal(0, 1e-3, image.data.shape).astype(np.float32)
    image = dataclasses.replace(image, epoch=58597.5)
    result = smoothed(image, smoothing_to(image, beam_of(SUMSS, image.centre[1])))
    write_image(result, tmp_path / "a.fits", "made by a test")
    back = read_image(tmp_path / "a.fits")
    np.testing.assert_array_equal(back.data, result.data)
    assert back.centre == pytest.approx(result.centre, abs=1e-9)
    assert (back.frequency, back.epoch) == pytest.approx((887.5, 58597.5))
    assert dataclasses.astuple(back.beam) == pytest.approx(dataclasses.astuple(result.beam), rel=1e-9)
