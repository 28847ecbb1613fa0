"""Forced photometry and blends do not depend on where on the sky, or in what order."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS
from hypothesis import example, given, settings
from hypothesis import strategies as st

from racs_transients import sky
from racs_transients.beam import Beam, response
from racs_transients.blends import blend_flux
from racs_transients.image import Image
from racs_transients.noise import NoiseMaps
from racs_transients.photometry import convolved_forced_photometry, forced_photometry

SIDE, PIXEL = 180, 3.0
BEAM = Beam(16, 12, 35)
FLUX = np.array([20.0, 60.0, 5.0, 35.0, 12.0])
# two of them a beam apart, all between pixels
X = np.array([60.3, 64.1, 90.5, 120.2, 100.9])
Y = np.array([70.6, 72.7, 90.1, 65.4, 123.3])


def field(ra, dec):
    """Return an image centred on a position, its noise maps and the positions of its sources."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---SIN", "DEC--SIN"
    wcs.wcs.crval = ra, dec
    wcs.wcs.crpix = (SIDE + 1) / 2, (SIDE + 1) / 2
    wcs.wcs.cdelt = -PIXEL / 3600, PIXEL / 3600
    y, x = np.indices((SIDE, SIDE))
    # painted on the pixel grid, where the restoring beam is the same everywhere
    east, north = -(x - X[:, None, None]) * PIXEL, (y - Y[:, None, None]) * PIXEL
    data = (1e-3 * FLUX[:, None, None] * response(east, north, BEAM.covariance)).sum(axis=0).astype(np.float32)
    image = Image(Path("field.fits"), data, wcs, 888.0, BEAM)
    noise = NoiseMaps(np.zeros_like(data), np.full_like(data, 1e-3))
    return image, noise, image.pixel_to_sky(X, Y)


def survey_axes(n):
    return np.full(n, 45.0), np.full(n, 45.0), np.zeros(n)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 360, exclude_max=True), st.floats(-90, 90))
@example(0.0, -30.0)
@example(359.999, 0.0)
@example(90.0, 45.0)
@example(180.0, -89.99)
@example(270.0, 90.0)
@example(123.0, -90.0)
def test_fluxes_are_the_same_anywhere_on_the_sky(ra, dec):
    image, noise, (source_ra, source_dec) = field(ra, dec)
    sources = pd.DataFrame({"ra": source_ra, "dec": source_dec})
    found = forced_photometry(image, noise, source_ra, source_dec, neighbours=sources)
    assert found["n_joint"].tolist() == [2, 2, 1, 1, 1]
    assert found["flux"].to_numpy() == pytest.approx(FLUX, rel=5e-3)
    wide = convolved_forced_photometry(image, noise, source_ra, source_dec, survey_axes(5), neighbours=sources.iloc[1:])
    assert wide["flux"].to_numpy()[2:] == pytest.approx(FLUX[2:], rel=0.01, abs=0.05)
    # the first is 0.3 survey beams from the second: one source for the survey
    assert wide["flux"].iloc[0] > 60


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(5)), st.permutations(range(5)))
def test_order_of_rows_and_neighbours_does_not_matter(rows, near):
    image, noise, (ra, dec) = field(359.99, -60.0)
    sources = pd.DataFrame({"ra": ra, "dec": dec})
    straight = forced_photometry(image, noise, ra, dec, neighbours=sources)
    mixed = forced_photometry(image, noise, ra[rows], dec[rows], neighbours=sources.iloc[near])
    pd.testing.assert_frame_equal(mixed, straight.iloc[rows].reset_index(drop=True))
    straight = convolved_forced_photometry(image, noise, ra, dec, survey_axes(5), neighbours=sources)
    mixed = convolved_forced_photometry(
        image, noise, ra[rows], dec[rows], survey_axes(5), neighbours=sources.iloc[near]
    )
    pd.testing.assert_frame_equal(mixed, straight.iloc[rows].reset_index(drop=True))


@given(st.floats(0, 360, exclude_max=True), st.floats(-89.9, 89.9))
def test_blends_are_the_same_anywhere_on_the_sky(ra, dec):
    image, _, (source_ra, source_dec) = field(ra, dec)
    sources = pd.DataFrame({"ra": source_ra, "dec": source_dec, "flux_int": FLUX}).assign(
        major=15.0, minor=12.0, pa=0.0, beam_major=12.0, beam_minor=12.0, beam_pa=0.0
    )
    axes = (np.array([45.0]), np.array([45.0]), np.array([0.0]))
    blend = blend_flux(sources.iloc[::-1], *(np.atleast_1d(value) for value in image.centre), axes)
    apart = sky.separation(*image.centre, source_ra, source_dec)
    # 9 arcsec along north beside the 45 of the beam
    upper = (FLUX * np.exp(-4 * np.log(2) * (apart / np.hypot(45, 9)) ** 2)).sum()
    assert 0.9 * upper < blend[0] <= upper
