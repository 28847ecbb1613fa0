"""Cutouts: where a source lands on the common grid, and FITS pieces that agree with their image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from scipy import ndimage

from racs_transients.beam import Beam
from racs_transients.cutouts import cutout, edge_distance, fits_cards, regrid, sky_grid, write_cutout
from racs_transients.image import read_image
from racs_transients.image_files import write_image
from tests.painted import CENTRE, moments, paint

SIZE, RADIUS = 200, 300.0
SCALE = 2 * RADIUS / SIZE

# projection, pixel of the image (arcsec), centre of the image
GRIDS = [
    ("SIN", (2.5, 2.5), CENTRE),
    ("TAN", (2.5, 2.5), CENTRE),
    ("SIN", (11.0, 18.7), CENTRE),
    ("NCP", (2.5, 2.5), (250.0, -41.0)),
    ("SIN", (2.5, 2.5), (359.99, -88.5)),
]


def place(centre, east=300.0, north=-250.0):
    """A position some arcsec from the centre of an image."""
    return (centre[0] + east / 3600 / np.cos(np.deg2rad(centre[1]))) % 360, centre[1] + north / 3600


@pytest.mark.parametrize(("projection", "pixel", "centre"), GRIDS)
def test_a_source_lands_in_the_middle_within_half_a_pixel(projection, pixel, centre):
    ra, dec = place(centre)
    image = paint([(ra, dec, 1.0, 60, 60, 0)], projection=projection, pixel=pixel, centre=centre)
    x, y, *_ = moments(regrid(image, sky_grid(ra, dec, RADIUS, SIZE), SIZE))
    assert x == pytest.approx((SIZE - 1) / 2, abs=0.25)
    assert y == pytest.approx((SIZE - 1) / 2, abs=0.25)


@pytest.mark.parametrize(("projection", "pixel", "centre"), GRIDS)
def test_north_is_up_and_east_is_left(projection, pixel, centre):
    ra, dec = place(centre)
    north, east = (ra, dec + 150 / 3600), (ra + 150 / 3600 / np.cos(np.deg2rad(dec)), dec)
    for (there_ra, there_dec), (right, up) in ((north, (0, 50)), (east, (-50, 0))):
        image = paint([(there_ra, there_dec, 1.0, 50, 50, 0)], projection=projection, pixel=pixel, centre=centre)
        x, y, *_ = moments(regrid(image, sky_grid(ra, dec, RADIUS, SIZE), SIZE))
        # parallels are curved: at −88.5° a source east lies 0.6 pixels towards the pole
        assert x - (SIZE - 1) / 2 == pytest.approx(right, abs=0.8)
        assert y - (SIZE - 1) / 2 == pytest.approx(up, abs=0.8)


@pytest.mark.parametrize(("projection", "pixel", "centre"), GRIDS)
@pytest.mark.parametrize("pa", [20.0, 100.0, 160.0])
def test_the_position_angle_of_a_source_survives(projection, pixel, centre, pa):
    ra, dec = place(centre)
    image = paint([(ra, dec, 1.0, 120, 50, pa)], projection=projection, pixel=pixel, centre=centre)
    *_, xx, yy, xy = moments(regrid(image, sky_grid(ra, dec, RADIUS, SIZE), SIZE))
    # x grows to the west
    found = np.rad2deg(np.arctan2(-2 * xy, yy - xx)) / 2 % 180
    assert abs((found - pa + 90) % 180 - 90) < 1.5


def test_the_way_between_nodes_is_as_good_as_the_exact_one():
    image = paint([], rms=1.0, centre=CENTRE, shape=(900, 900), psf=Beam(60, 60, 0))
    ra, dec = place(CENTRE, 200, 300)
    grid = sky_grid(ra, dec, 780.0, 460)
    y, x = np.mgrid[:460, :460]
    exact_x, exact_y = image.sky_to_pixel(*grid.wcs_pix2world(x, y, 0))
    exact = ndimage.map_coordinates(image.data, [exact_y, exact_x], order=1, prefilter=False)
    np.testing.assert_allclose(regrid(image, grid, 460), exact, atol=2e-3)


def test_a_grid_far_coarser_than_the_image_keeps_the_flux_of_a_point():
    image = paint([])
    image.data[301, 297] = 1000.0
    ra, dec = image.pixel_to_sky(297, 301)
    small = regrid(image, sky_grid(float(ra), float(dec), 700.0, 40), 40)
    pixels = (1400 / 40 / 2.5) ** 2
    assert small.sum() * pixels == pytest.approx(1000, rel=0.1)


def test_what_lies_off_the_image_is_blank():
    image = paint([], rms=1.0)
    ra, dec = (float(axis) for axis in image.pixel_to_sky(0, 300))
    half = regrid(image, sky_grid(ra, dec, RADIUS, SIZE), SIZE)
    assert np.isnan(half[:, : SIZE // 2 - 2]).all()
    assert np.isfinite(half[:, SIZE // 2 + 2 :]).all()
    for far_ra, far_dec in ((ra + 10, dec), (ra + 180, -dec)):
        assert np.isnan(regrid(image, sky_grid(far_ra, far_dec, RADIUS, SIZE), SIZE)).all()


@pytest.mark.parametrize(("projection", "pixel", "centre"), GRIDS)
def test_a_fits_cutout_agrees_with_its_image(tmp_path, projection, pixel, centre):
    ra, dec = place(centre)
    psf = Beam(60.0, 50.0, 30.0)
    image = paint([(ra, dec, 1.0, 60, 60, 0)], rms=0.01, projection=projection, pixel=pixel, centre=centre, psf=psf)
    piece = cutout(image, ra, dec, 120.0)
    write_cutout(piece, fits_cards(image), tmp_path / "piece.fits")
    with fits.open(tmp_path / "piece.fits") as hdus:
        hdus.verify("exception")
        data, wcs = hdus[0].data.astype(np.float32), WCS(hdus[0].header)
        assert hdus[0].header["BUNIT"] == "Jy/beam"
    assert data.shape[0] % 2 == data.shape[1] % 2 == 1
    y, x = np.mgrid[: data.shape[0], : data.shape[1]]
    parent_x, parent_y = image.sky_to_pixel(*wcs.wcs_pix2world(x, y, 0))
    np.testing.assert_allclose(parent_x, np.rint(parent_x), atol=1e-4)
    np.testing.assert_array_equal(data, image.data[np.rint(parent_y).astype(int), np.rint(parent_x).astype(int)])
    # the position lies in the central pixel
    central = [float(axis) for axis in wcs.wcs_world2pix(ra, dec, 0)]
    assert np.abs(np.array(central) - (np.array(data.shape[::-1]) - 1) / 2).max() <= 0.5 + 1e-6
    again = read_image(tmp_path / "piece.fits")
    assert again.frequency == pytest.approx(887.5)
    assert (again.beam.major, again.beam.minor, again.beam.pa) == pytest.approx((60.0, 50.0, 30.0))


def test_images_of_any_name_get_a_header(tmp_path):
    image = replace(paint([], rms=1.0), path=tmp_path / "Café π\n.fits")
    write_cutout(cutout(image, *CENTRE, 50.0), fits_cards(image), tmp_path / "piece.fits")
    write_image(image, tmp_path / "whole.fits", f"cutout of {image.path.name}")
    for name in ("piece.fits", "whole.fits"):
        assert str(fits.getheader(tmp_path / name)["HISTORY"]) == "cutout of Caf\\xe9 \\u03c0\\n.fits"


def test_a_cutout_over_the_border_is_filled_with_blanks():
    image = paint([], rms=1.0)
    ra, dec = (float(axis) for axis in image.pixel_to_sky(2, 300))
    piece = cutout(image, ra, dec, 50.0)
    assert piece.data.shape == (41, 41)
    assert np.isnan(piece.data[:, :18]).all()
    assert np.isfinite(piece.data[:, 18:]).all()
    assert cutout(image, ra + 5, dec, 50.0) is None
    blank = paint([], rms=1.0)
    blank.data[:] = np.nan
    assert cutout(blank, ra, dec, 50.0) is None


def test_the_distance_to_the_edge_counts_blank_pixels_and_the_border():
    image = paint([], rms=1.0, pixel=(10.0, 20.0), shape=(100, 300))
    image.data[:, 200:] = np.nan
    ra, dec = image.pixel_to_sky([150, 5, 100, 250, -30], [50, 50, 98, 50, 50])
    np.testing.assert_allclose(edge_distance(image, ra, dec), [500, 60, 40, 0, 0])
