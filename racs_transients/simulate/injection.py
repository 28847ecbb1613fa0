"""New sources put into an image, and known ones taken out of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from numpy.typing import NDArray

from racs_transients.image import Image, near_blank
from racs_transients.simulate.observation import paint


def with_gaussians(image: Image, gaussians: pd.DataFrame) -> NDArray[np.float32]:
    """Return the image's pixels with Gaussians added.

    Parameters
    ----------
    image : Image
        The image.
    gaussians : pandas.DataFrame
        ra, dec (degrees), flux_peak (mJy/beam, negative to take out), major, minor (arcsec), pa (degrees).

    Returns
    -------
    numpy.ndarray, shape (ny, nx), float32
        Jy/beam.
    """
    data = image.data.copy()
    paint(data, image.wcs, image.pixel_scales, gaussians)
    return data


def random_positions(
    image: Image, n: int, rng: np.random.Generator, margin: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions spread uniformly over the valid pixels of an image.

    Parameters
    ----------
    image : Image
        The image.
    n : int
        How many.
    rng : numpy.random.Generator
        Source of randomness.
    margin : float
        Distance to blank pixels, arcsec.

    Returns
    -------
    ra, dec : numpy.ndarray, shape (n,)
        Degrees.
    """
    ny, nx = image.data.shape
    found = np.empty((2, 0))
    while found.shape[1] < n:
        ra, dec = image.pixel_to_sky(rng.uniform(0, nx - 1, 4 * n), rng.uniform(0, ny - 1, 4 * n))
        keep = ~near_blank(image, ra, dec, margin)
        found = np.column_stack([found, np.stack([ra[keep], dec[keep]])])
    return found[0, :n], found[1, :n]


def write_like(original: Path, data: NDArray[np.float32], path: Path) -> None:
    """Write pixels under the header of another image.

    Parameters
    ----------
    original : pathlib.Path
        Image whose header is kept.
    data : numpy.ndarray, shape (ny, nx)
        Jy/beam.
    path : pathlib.Path
        File to write.
    """
    header = fits.getheader(original)
    header.remove("BLANK", ignore_missing=True)
    shape = tuple(header[f"NAXIS{axis}"] for axis in range(header["NAXIS"], 0, -1))
    fits.PrimaryHDU(data.reshape(shape), header).writeto(path, overwrite=True)
