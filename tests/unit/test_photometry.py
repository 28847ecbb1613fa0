"""Forced photometry: fluxes, neighbours, convolution, failures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter

from racs_transients import sky
from racs_transients.beam import FWHM_PER_SIGMA, Beam, covariance, response
from racs_transients.convolve import beams_at, convolve_at
from racs_transients.image import Image
from racs_transients.noise import NoiseMaps
from racs_transients.photometry import (
    BLANK,
    MAX_NEIGHBOURS,
    NO_NOISE,
    OUTSIDE,
    convolved_forced_photometry,
    forced_photometry,
    interpolate,
)

CENTRE = (150.0, -40.0)
COLUMNS = ["flux", "flux_err", "rms", "n_joint", "failure"]


def empty_image(shape=(200, 200), pixels=(3.0, 3.0), beam=None, centre=CENTRE, turn=0.0):
    beam = beam or Beam(12, 12)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---SIN", "DEC--SIN"
    wcs.wcs.crval = centre
    wcs.wcs.crpix = (shape[1] + 1) / 2, (shape[0] + 1) / 2
    wcs.wcs.cdelt = -pixels[0] / 3600, pixels[1] / 3600
    sin, cos = np.sin(np.deg2rad(turn)), np.cos(np.deg2rad(turn))
    wcs.wcs.pc = [[cos, -sin], [sin, cos]]
    return Image(Path("field.fits"), np.zeros(shape, np.float32), wcs, 888.0, beam)


def paint(image, ra, dec, flux, beam=None):
    """Return the image with point sources (mJy) added."""
    y, x = np.indices(image.data.shape)
    pixel_ra, pixel_dec = image.pixel_to_sky(x, y)
    data = image.data.astype(float)
    for one_ra, one_dec, one_flux in zip(ra, dec, flux, strict=True):
        shape = (beam or image.beam).covariance
        data += 1e-3 * one_flux * response(*sky.offsets(one_ra, one_dec, pixel_ra, pixel_dec), shape)
    return Image(image.path, data.astype(np.float32), image.wcs, image.frequency, image.beam)


def flat_noise(image, rms=1e-3, background=0.0):
    return NoiseMaps(np.full(image.data.shape, background, np.float32), np.full(image.data.shape, rms, np.float32))


def offset(ra, dec, east, north):
    """Return positions offset by arcsec."""
    return ra + np.asarray(east) / 3600 / np.cos(np.deg2rad(dec)), dec + np.asarray(north) / 3600


def scattered(image, n, margin, seed=1):
    """Return positions on a grid, jittered within a pixel."""
    side = int(np.sqrt(n))
    ny, nx = image.data.shape
    x, y = np.meshgrid(np.linspace(margin, nx - 1 - margin, side), np.linspace(margin, ny - 1 - margin, side))
    jitter = np.random.default_rng(seed).uniform(-0.5, 0.5, (2, side * side))
    return image.pixel_to_sky(x.ravel() + jitter[0], y.ravel() + jitter[1])


def test_interpolation_keeps_peaks_to_0_3_percent_at_four_pixels_a_beam():
    image = empty_image((260, 260))
    ra, dec = scattered(image, 64, 20)
    value = interpolate(paint(image, ra, dec, np.full(64, 100.0)), ra, dec)
    assert value == pytest.approx(0.1, rel=3e-3)
    assert np.abs(value / 0.1 - 1).max() > 1e-6  # positions do lie between pixels


def test_isolated_source_has_its_peak_as_flux_and_the_noise_as_error():
    image = empty_image()
    ra, dec = offset(*CENTRE, [0.0, 31.0], [0.0, 90.0])
    found = forced_photometry(paint(image, ra, dec, [10, 4]), flat_noise(image, 0.5e-3), ra, dec)
    assert list(found) == COLUMNS
    assert found["flux"].to_numpy() == pytest.approx([10, 4], rel=3e-3)
    assert found["flux_err"].to_numpy() == pytest.approx(0.5)
    assert found["rms"].to_numpy() == pytest.approx(0.5)
    assert found["n_joint"].tolist() == [1, 1]
    assert found["failure"].isna().all()


def test_background_is_subtracted():
    image = empty_image()
    ra, dec = offset(*CENTRE, [0.0], [0.0])
    found = forced_photometry(paint(image, ra, dec, [10]), flat_noise(image, background=2e-3), ra, dec)
    assert found["flux"].to_numpy() == pytest.approx([8], rel=4e-3)


def test_flux_scale_error_adds_in_quadrature():
    image = empty_image()
    ra, dec = offset(*CENTRE, [0.0], [0.0])
    painted = paint(image, ra, dec, [100])
    found = forced_photometry(painted, flat_noise(image, 3e-3), ra, dec, flux_error=0.04)
    assert found["flux_err"].to_numpy() == pytest.approx([5], rel=2e-3)


@pytest.mark.parametrize("ratio", [1.0, 10.0])
@pytest.mark.parametrize("distance", [0.7, 1.0, 1.5, 1.98])
@pytest.mark.parametrize("angle", [0, 60, 130])
def test_pairs_are_measured_without_bias(ratio, distance, angle):
    beam = Beam(75, 45, 20)
    image = empty_image((120, 160), pixels=(11.0, 17.0), beam=beam)
    direction = np.deg2rad(angle)
    east, north = np.sin(direction), np.cos(direction)
    fwhm = FWHM_PER_SIGMA / np.sqrt(np.array([east, north]) @ np.linalg.inv(beam.covariance) @ [east, north])
    ra, dec = offset(*CENTRE, [0, distance * fwhm * east], [0, distance * fwhm * north])
    flux = np.array([10.0, 10 * ratio])
    painted = paint(image, ra, dec, flux)
    found = forced_photometry(painted, flat_noise(image), ra, dec, neighbours=pd.DataFrame({"ra": ra, "dec": dec}))
    assert found["n_joint"].tolist() == [2, 2]
    assert found["flux"].to_numpy() == pytest.approx(flux, rel=0.01)
    # B = [[1, b], [b, 1]] has the variance 1 / (1 − b²)
    b = np.exp(-4 * np.log(2) * distance**2)
    assert found["flux_err"].to_numpy() == pytest.approx(1 / np.sqrt(1 - b**2), rel=0.01)
    if distance == 0.7:
        alone = forced_photometry(painted, flat_noise(image), ra, dec)
        assert alone["flux"].iloc[0] > 1.2 * flux[0]


def test_neighbour_nearer_than_it_can_be_told_apart_is_the_same_source():
    image = empty_image()
    ra, dec = offset(*CENTRE, [0.0], [0.0])
    painted = paint(image, ra, dec, [10])
    for separation, joint in ((0.0, 1), (4.0, 1), (6.0, 2)):  # the beam is 12 arcsec
        near_ra, near_dec = offset(ra, dec, [separation], [0.0])
        near = pd.DataFrame({"ra": near_ra, "dec": near_dec})
        found = forced_photometry(painted, flat_noise(image), ra, dec, neighbours=near)
        assert found["n_joint"].tolist() == [joint]
        assert found["flux"].to_numpy() == pytest.approx([10], rel=0.01)


def test_neighbour_listed_twice_changes_nothing():
    image = empty_image()
    ra, dec = offset(*CENTRE, [0.0, 12.0], [0.0, 3.0])
    painted = paint(image, ra, dec, [10, 30])
    once = pd.DataFrame({"ra": ra[1:], "dec": dec[1:]})
    single = forced_photometry(painted, flat_noise(image), ra[:1], dec[:1], neighbours=once)
    double = forced_photometry(painted, flat_noise(image), ra[:1], dec[:1], neighbours=pd.concat([once, once]))
    assert double["flux"].to_numpy() == pytest.approx(single["flux"].to_numpy(), rel=1e-3)
    assert double["flux_err"].to_numpy() == pytest.approx(single["flux_err"].to_numpy(), rel=1e-3)


def test_chain_of_sources_costs_only_its_links_and_stays_unbiased():
    image = empty_image((60, 300))
    ra, dec = offset(*CENTRE, (np.arange(41) - 20) * 0.9 * 12, np.zeros(41))
    flux = np.where(np.arange(41) % 3 == 0, 30.0, 10.0)
    painted = paint(image, ra, dec, flux)
    found = forced_photometry(painted, flat_noise(image), ra, dec, neighbours=pd.DataFrame({"ra": ra, "dec": dec}))
    assert found["n_joint"].tolist() == [3, 4, *[5] * 37, 4, 3]
    assert found["flux"].to_numpy() == pytest.approx(flux, rel=0.015)


def test_crowd_of_neighbours_is_limited_to_the_nearest():
    image = empty_image()
    rng = np.random.default_rng(3)
    angle = rng.uniform(0, 2 * np.pi, 40)
    near_ra, near_dec = offset(*CENTRE, 20 * np.sin(angle), 20 * np.cos(angle))
    ra, dec = offset(*CENTRE, [0.0, 9.0], [0.0, 0.0])
    # the one neighbour that matters comes last
    near = pd.DataFrame({"ra": [*near_ra, ra[1]], "dec": [*near_dec, dec[1]]})
    painted = paint(image, ra, dec, [10, 50])
    found = forced_photometry(painted, flat_noise(image), ra[:1], dec[:1], neighbours=near)
    assert found["n_joint"].tolist() == [MAX_NEIGHBOURS + 1]
    assert found["flux"].to_numpy() == pytest.approx([10], abs=0.3)


def test_position_that_cannot_be_measured_keeps_its_row_with_the_reason():
    image = empty_image()
    data = image.data.copy()
    data[:, :50] = np.nan
    image = Image(image.path, data, image.wcs, image.frequency, image.beam)
    noise = flat_noise(image)
    noise.rms[:, 150:] = np.nan
    ra, dec = image.pixel_to_sky([100.2, 20, 51, 170, 1000, 100], [100.7, 100, 100, 100, 100, 198])
    ra, dec = np.append(ra, [np.nan, CENTRE[0] + 180]), np.append(dec, [-40, -CENTRE[1]])
    near = pd.DataFrame({"ra": [*ra, np.nan], "dec": [*dec, 0.0]})
    found = forced_photometry(image, noise, ra, dec, neighbours=near)
    assert found.index.tolist() == list(range(8))
    expected = [None, BLANK, BLANK, NO_NOISE, OUTSIDE, BLANK, OUTSIDE, OUTSIDE]
    assert found["failure"].astype(object).where(found["failure"].notna(), None).tolist() == expected
    failed = found["failure"].notna()
    assert found.loc[failed, ["flux", "flux_err", "rms"]].isna().all(axis=None)
    assert np.isfinite(found.loc[~failed, ["flux", "flux_err", "rms"]]).all(axis=None)


@pytest.mark.parametrize(
    "neighbours", [None, pd.DataFrame({"ra": [], "dec": []}), pd.DataFrame(CENTRE, ["ra", "dec"]).T]
)
def test_no_positions_give_an_empty_table_with_its_columns(neighbours):
    image = empty_image((40, 40))
    found = forced_photometry(image, flat_noise(image), [], [], neighbours=neighbours)
    assert list(found) == COLUMNS
    assert len(found) == 0
    axes = (np.empty(0), np.empty(0), np.empty(0))
    found = convolved_forced_photometry(image, flat_noise(image), [], [], axes, neighbours=neighbours)
    assert list(found) == [*COLUMNS, "native_flux", "native_flux_err", "native_rms"]
    assert len(found) == 0


def constant_axes(n, major, minor, pa=0.0):
    return np.full(n, float(major)), np.full(n, float(minor)), np.full(n, float(pa))


@pytest.mark.parametrize("beam", [Beam(12, 12), Beam(17.2, 11.6, 70)])
@pytest.mark.parametrize(("major", "minor"), [(45, 45), (60, 45), (90, 45)])
@pytest.mark.parametrize("turn", [0, 35])
def test_convolved_point_source_keeps_its_flux(beam, major, minor, turn):
    image = empty_image((320, 320), pixels=(2.5, 2.5), beam=beam, turn=turn)
    ra, dec = scattered(image, 4, 90)
    found = convolved_forced_photometry(
        paint(image, ra, dec, np.full(4, 20.0)), flat_noise(image), ra, dec, constant_axes(4, major, minor)
    )
    assert found["failure"].isna().all()
    assert found["flux"].to_numpy() == pytest.approx(20, rel=2e-3)
    assert found["native_flux"].to_numpy() == pytest.approx(20, rel=3e-3)


def test_convolution_at_positions_equals_convolution_of_the_image():
    rng = np.random.default_rng(5)
    image = empty_image((200, 200), pixels=(2.5, 2.5))
    image = Image(image.path, rng.normal(size=(200, 200)).astype(np.float32), image.wcs, 888.0, image.beam)
    whole = gaussian_filter(image.data.astype(float), 6.0, truncate=6)
    x, y = rng.integers(50, 150, (2, 30))
    ra, dec = image.pixel_to_sky(x, y)
    kernel = np.tile(np.eye(2) * 15.0**2, (30, 1, 1))
    assert convolve_at(image, ra, dec, kernel) == pytest.approx(whole[y, x], abs=2e-3 * whole.std())


def test_convolved_flux_forgives_a_position_error_that_the_native_flux_does_not():
    image = empty_image((240, 240), pixels=(2.5, 2.5))
    ra, dec = offset(*CENTRE, [0.0], [0.0])
    painted = paint(image, ra, dec, [20])
    off_ra, off_dec = offset(ra, dec, [8.0], [0.0])
    found = convolved_forced_photometry(painted, flat_noise(image), off_ra, off_dec, constant_axes(1, 60, 45))
    assert found["flux"].iloc[0] == pytest.approx(20 * 2 ** (-((8 / 22.5) ** 2)), rel=5e-3)
    assert found["native_flux"].iloc[0] < 6.5


def test_neighbours_do_not_leak_into_the_convolved_flux():
    image = empty_image((320, 320), pixels=(2.5, 2.5), beam=Beam(15, 12, 40))
    ra, dec = offset(*CENTRE, [0.0, 35.0, -20.0], [0.0, 10.0, 60.0])
    painted = paint(image, ra, dec, [0, 50, 30])
    near = pd.DataFrame({"ra": ra[1:], "dec": dec[1:]})
    axes = constant_axes(1, 60, 45)
    joint = convolved_forced_photometry(painted, flat_noise(image), ra[:1], dec[:1], axes, neighbours=near)
    alone = convolved_forced_photometry(painted, flat_noise(image), ra[:1], dec[:1], axes)
    assert alone["flux"].iloc[0] > 5
    assert joint["flux"].to_numpy() == pytest.approx([0], abs=0.3)
    assert joint["n_joint"].tolist() == [3]


def test_hole_in_the_window_fails_only_the_convolved_flux():
    image = empty_image((240, 240), pixels=(2.5, 2.5))
    data = image.data.copy()
    data[125:135, 100:140] = np.nan
    image = Image(image.path, data, image.wcs, image.frequency, image.beam)
    ra, dec = image.pixel_to_sky([120, 120, 6, 500], [119, 50, 120, 0])
    found = convolved_forced_photometry(image, flat_noise(image), ra, dec, constant_axes(4, 60, 45))
    assert found["failure"].tolist()[0] == BLANK
    assert found["failure"].isna().tolist() == [False, True, False, False]
    assert found["failure"].tolist()[2:] == [BLANK, OUTSIDE]
    assert found["native_flux"].notna().tolist() == [True, True, True, False]


def test_image_as_wide_as_the_survey_is_measured_as_it_is():
    image = empty_image((120, 160), pixels=(11.0, 17.0), beam=Beam(60, 45))
    ra, dec = offset(*CENTRE, [0.0, 300.0], [0.0, 0.0])
    painted = paint(image, ra, dec, [20, 20])
    axes = tuple(np.array(values, float) for values in ([55, 180], [45, 90], [0, 0]))
    found = convolved_forced_photometry(painted, flat_noise(image), ra, dec, axes)
    assert found["flux"].to_numpy() == pytest.approx([20, 20], rel=3e-3)
    assert found["flux"].iloc[0] == found["native_flux"].iloc[0]
    assert found["flux_err"].iloc[0] == found["native_flux_err"].iloc[0]
    assert found["flux_err"].iloc[1] > 1.2 * found["native_flux_err"].iloc[1]


def test_beam_turns_with_the_meridians():
    image = empty_image((4001, 4001), pixels=(5.0, 5.0), beam=Beam(20, 10, 0), centre=(30.0, -73.0))
    ra, dec = image.pixel_to_sky([2000, 500], [2000, 2000])
    found = beams_at(image, image.beam, ra, dec)
    assert found[0] == pytest.approx(image.beam.covariance, abs=1e-3)
    # north at a position east of the centre leans by Δα sin δ against north at the centre
    lean = (ra[1] - 30) * np.sin(np.deg2rad(dec[1]))
    assert abs(lean) > 6
    assert found[1] == pytest.approx(covariance(20, 10, lean), abs=0.3)


def test_arguments_are_left_as_they_were():
    image = empty_image()
    ra, dec = np.array([CENTRE[0]]), np.array([CENTRE[1]])
    near = pd.DataFrame({"ra": ra + 0.004, "dec": dec})
    before = (image.data.copy(), ra.copy(), dec.copy(), near.copy())
    forced_photometry(image, flat_noise(image), ra, dec, neighbours=near)
    convolved_forced_photometry(image, flat_noise(image), ra, dec, constant_axes(1, 60, 45), neighbours=near)
    assert (image.data == before[0]).all()
    assert (ra, dec) == (before[1], before[2])
    pd.testing.assert_frame_equal(near, before[3])
