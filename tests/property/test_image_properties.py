"""Images anywhere on the sky: positions and pixels go there and back."""

from pathlib import Path

import numpy as np
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from racs_transients import sky
from racs_transients.beam import Beam
from racs_transients.image import Image, image_radius, near_blank

RA = st.one_of(st.sampled_from([0.0, 90.0, 180.0, 270.0, 359.9999]), st.floats(0, 360, exclude_max=True))
DEC = st.one_of(st.sampled_from([-90.0, 0.0, 90.0]), st.floats(-90, 90))


def image_at(ra, dec, turn=0.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---SIN", "DEC--SIN"
    wcs.wcs.crval = ra, dec
    wcs.wcs.crpix = 50.5, 40.5
    cos, sin = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    wcs.wcs.cd = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-10 / 3600, 12 / 3600])
    data = np.random.default_rng(1).normal(size=(80, 100)).astype(np.float32)
    data[30:33, 60] = np.nan
    return Image(Path("field.fits"), data, wcs, 888.0, Beam(40, 40))


@given(ra=RA, dec=DEC, turn=st.floats(0, 360), x=st.floats(0, 99), y=st.floats(0, 79))
def test_pixels_go_to_the_sky_and_back(ra, dec, turn, x, y):
    image = image_at(ra, dec, turn)
    lon, lat = image.pixel_to_sky(x, y)
    assert 0 <= lon < 360
    np.testing.assert_allclose(image.sky_to_pixel(lon, lat), (x, y), atol=1e-5)


@given(ra=RA, dec=DEC, turn=st.floats(0, 360))
def test_scales_radius_and_blanks_do_not_depend_on_the_place(ra, dec, turn):
    image, reference = image_at(ra, dec, turn), image_at(150.0, -40.0)
    np.testing.assert_allclose(image.pixel_scales, reference.pixel_scales, rtol=1e-9)
    np.testing.assert_allclose(image_radius(image), image_radius(reference), rtol=1e-6)
    assert sky.separation(*image.centre, ra, dec) < 0.01
    x, y = np.meshgrid(np.linspace(0.3, 98.3, 15), np.linspace(0.3, 78.3, 12))
    found, expected = (near_blank(some, *some.pixel_to_sky(x.ravel(), y.ravel()), 45.0) for some in (image, reference))
    np.testing.assert_array_equal(found, expected)
