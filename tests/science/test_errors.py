"""Errors of fitted sources are right: pulls of Aegean's fits in beam-correlated noise have width one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter

from racs_transients import sky
from racs_transients.beam import FWHM_PER_SIGMA, Beam
from racs_transients.finders.aegean import Aegean
from racs_transients.image import Image
from racs_transients.noise import measure_noise

RMS = 2.5e-4


def field(pixels_per_beam, axis_ratio, side, step, snr, seed=1):
    """Return an image with sources on a jittered grid in noise with the beam as autocorrelation, and the truth."""
    rng = np.random.default_rng(seed)
    beam = Beam(15 * axis_ratio, 15.0)
    pixel = beam.minor / pixels_per_beam
    sigma = np.array([beam.major, beam.minor]) / pixel / FWHM_PER_SIGMA
    width = sigma / np.sqrt(2)
    noise = gaussian_filter(rng.normal(size=(side, side)), width, mode="wrap", truncate=6)
    data = RMS * noise * np.sqrt(4 * np.pi * width[0] * width[1])
    x, y = (v.ravel() for v in np.meshgrid(*[np.arange(step, side - step, step, float)] * 2))
    x, y = x + rng.uniform(-2, 2, x.size), y + rng.uniform(-2, 2, x.size)
    flux = RMS * rng.uniform(*snr, x.size)
    reach = int(4 * sigma.max())
    for column, row, peak in zip(x, y, flux, strict=True):
        i, j = int(column), int(row)
        stamp = np.s_[j - reach : j + reach + 1, i - reach : i + reach + 1]
        rows, columns = np.mgrid[stamp]
        data[stamp] += peak * np.exp(-0.5 * (((rows - row) / sigma[0]) ** 2 + ((columns - column) / sigma[1]) ** 2))
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---SIN", "DEC--SIN"
    wcs.wcs.crval = 320.0, -55.0
    wcs.wcs.crpix = (side + 1) / 2, (side + 1) / 2
    wcs.wcs.cdelt = -pixel / 3600, pixel / 3600
    image = Image(Path("pulls.fits"), data.astype(np.float32), wcs, 888.0, beam)
    ra, dec = image.pixel_to_sky(x, y)
    return image, pd.DataFrame({"ra": ra, "dec": dec, "flux": flux * 1e3})


def pulls(pixels_per_beam, axis_ratio, snr, folder, number=900):
    """Return the pulls of peak and integrated flux and of both coordinates."""
    step = int(7 * pixels_per_beam * axis_ratio)
    image, truth = field(pixels_per_beam, axis_ratio, step * (int(np.sqrt(number)) + 2), step, snr)
    noise, finder = measure_noise(image, box_beams=30), Aegean()
    finder.find(image, noise, finder.settings(None), folder)
    found = finder.read(folder, image, noise, flux_error=0.0)
    index, separation = sky.nearest(truth["ra"], truth["dec"], found["ra"], found["dec"])
    assert (separation < 7).mean() > 0.99
    near = separation < 7
    truth, found = truth[near].reset_index(drop=True), found.iloc[index[near]].reset_index(drop=True)
    east, north = sky.offsets(truth["ra"], truth["dec"], found["ra"], found["dec"])
    table = pd.DataFrame(
        {
            "peak": (found["flux_peak"] - truth["flux"]) / found["flux_peak_err"],
            "int": (found["flux_int"] - truth["flux"]) / found["flux_int_err"],
            "ra": east / found["ra_err"],
            "dec": north / found["dec_err"],
        }
    )
    return table, found


def check(table, found):
    widths = table.std()
    # 5 % for the model, and three standard errors of a width measured from so many sources
    assert widths["peak"] == pytest.approx(1, abs=0.05 + 3 / np.sqrt(2 * len(table)))
    # on the safe side; see the notes of condon_errors
    assert 0.75 < widths["int"] < 1.05
    assert widths[["ra", "dec"]].between(0.9, 1.35).all()
    assert table.median().abs().max() < 0.35
    # Aegean's own errors, without covariance, are far too small
    assert (found["flux_peak_err"] / found["finder_flux_peak_err"]).median() > 1.5


def test_pulls_of_blind_fits_have_width_one(tmp_path):
    check(*pulls(6, 1.5, (8, 30), tmp_path, number=450))


@pytest.mark.slow
@pytest.mark.parametrize(("pixels_per_beam", "axis_ratio"), [(4, 1.0), (6, 1.5), (10, 1.0)])
@pytest.mark.parametrize("snr", [(8, 15), (20, 60)])
def test_pulls_at_other_samplings_and_brightnesses(pixels_per_beam, axis_ratio, snr, tmp_path):
    check(*pulls(pixels_per_beam, axis_ratio, snr, tmp_path))
