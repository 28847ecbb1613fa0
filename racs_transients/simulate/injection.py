"""New sources put into an image, and known ones taken out of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from numpy.typing import NDArray

from racs_transients import sky
from racs_transients.beam import covariance, response
from racs_transients.image import Image, near_blank

# Beyond this many major axes a Gaussian is below 10⁻⁷ of its peak.
_REACH = 2.5


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
    ny, nx = data.shape
    x, y = image.sky_to_pixel(gaussians["ra"], gaussians["dec"])
    matrices = covariance(gaussians["major"], gaussians["minor"], gaussians["pa"])
    half = _REACH * gaussians["major"].to_numpy(float)[:, None] / np.asarray(image.pixel_scales)
    rows = zip(x, y, half, matrices, gaussians[["ra", "dec", "flux_peak"]].to_numpy(float), strict=True)
    for x0, y0, (half_x, half_y), matrix, (ra, dec, peak) in rows:  # each patch has its own size and place
        left, right = max(0, int(x0 - half_x)), min(nx, int(x0 + half_x) + 2)
        low, high = max(0, int(y0 - half_y)), min(ny, int(y0 + half_y) + 2)
        if left >= right or low >= high:
            continue
        rows_y, columns_x = np.mgrid[low:high, left:right]
        east, north = sky.offsets(ra, dec, *image.pixel_to_sky(columns_x, rows_y))
        data[low:high, left:right] += (peak * 1e-3 * response(east, north, matrix)).astype(np.float32)
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
