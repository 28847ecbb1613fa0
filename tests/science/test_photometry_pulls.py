"""Forced photometry's errors are right: pulls in beam-correlated noise have width one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter

from racs_transients.beam import FWHM_PER_SIGMA, Beam
from racs_transients.image import Image
from racs_transients.noise import NoiseMaps
from racs_transients.photometry import convolved_forced_photometry, forced_photometry

RMS = 1e-3


def noise_image(side, pixel, beam, noise_beam, seed=1):
    """Return an image of noise whose autocorrelation is a beam along the axes (PA 0)."""
    # filtering white noise with a Gaussian gives an autocorrelation √2 as wide as the filter
    widths = np.array([noise_beam.major, noise_beam.minor]) / pixel / FWHM_PER_SIGMA / np.sqrt(2)
    data = gaussian_filter(np.random.default_rng(seed).normal(size=(side, side)), widths, mode="wrap", truncate=6)
    # the exact standard deviation of the filtered noise
    data *= RMS * np.sqrt(4 * np.pi * widths[0] * widths[1])
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---SIN", "DEC--SIN"
    wcs.wcs.crval = 80.0, -45.0
    wcs.wcs.crpix = (side + 1) / 2, (side + 1) / 2
    wcs.wcs.cdelt = -pixel / 3600, pixel / 3600
    image = Image(Path("noise.fits"), data.astype(np.float32), wcs, 888.0, beam)
    return image, NoiseMaps(np.zeros((side, side), np.float32), np.full((side, side), RMS, np.float32))


def positions(image, step, margin, seed=2):
    side = image.data.shape[0]
    x, y = np.meshgrid(*[np.arange(margin, side - margin, step, float)] * 2)
    jitter = np.random.default_rng(seed).uniform(-0.5, 0.5, (2, x.size))
    return image.pixel_to_sky(x.ravel() + jitter[0], y.ravel() + jitter[1])


def ring(ra, dec, beam, seed=3):
    """Return a neighbour 0.7 to 2 beams from each position."""
    rng = np.random.default_rng(seed)
    angle, distance = rng.uniform(0, 2 * np.pi, len(ra)), rng.uniform(0.7, 2, len(ra)) * beam.minor / 3600
    return pd.DataFrame(
        {"ra": ra + distance * np.sin(angle) / np.cos(np.deg2rad(dec)), "dec": dec + distance * np.cos(angle)}
    )


@pytest.mark.parametrize("with_neighbours", [False, True])
@pytest.mark.parametrize("widening", [1.0, 1.4])
@pytest.mark.parametrize(("pixels_per_beam", "side"), [(4, 700), (6, 900), (18, 1800)])
def test_pull_on_blank_sky_has_width_one(pixels_per_beam, side, widening, with_neighbours):
    beam = Beam(14, 12)
    noise_beam = Beam(14 * widening, 12 * widening)
    image, noise = noise_image(side, beam.minor / pixels_per_beam, beam, noise_beam)
    ra, dec = positions(image, 2 * pixels_per_beam, 10)
    neighbours = ring(ra, dec, beam) if with_neighbours else None
    found = forced_photometry(image, noise, ra, dec, noise_beam=noise_beam, neighbours=neighbours)
    pull = (found["flux"] / found["flux_err"]).to_numpy()
    assert len(pull) > 2000
    assert pull.std() == pytest.approx(1, abs=0.05)
    assert pull.mean() == pytest.approx(0, abs=0.08)
    assert ((found["n_joint"] > 1).mean() > 0.95) == with_neighbours


@pytest.mark.parametrize("with_neighbours", [False, True])
@pytest.mark.parametrize(("major", "minor"), [(45, 45), (75, 45)])
def test_pull_of_convolved_fluxes_has_width_one(major, minor, with_neighbours):
    beam = Beam(17, 12)
    image, noise = noise_image(1600, 3.0, beam, beam)
    ra, dec = positions(image, 30, 60)
    axes = (np.full(len(ra), float(major)), np.full(len(ra), float(minor)), np.zeros(len(ra)))
    neighbours = ring(ra, dec, Beam(major, minor)) if with_neighbours else None
    found = convolved_forced_photometry(image, noise, ra, dec, axes, neighbours=neighbours)
    assert found["failure"].isna().all()
    assert (found["flux"] / found["flux_err"]).std() == pytest.approx(1, abs=0.05)
    assert (found["native_flux"] / found["native_flux_err"]).std() == pytest.approx(1, abs=0.05)
    # noise grows by about the square root of half the ratio of the beams' areas
    gain = major * minor / (17 * 12)
    assert found["rms"].median() == pytest.approx(np.sqrt(gain / 2), rel=0.1)
