"""Cropping an image where its weights are low."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from racs_transients.errors import ImageError
from racs_transients.image import Image, quiet_fits


def read_weights(path: Path, image: Image) -> NDArray[np.float32]:
    """Read the weights of an image.

    Parameters
    ----------
    path : pathlib.Path
        FITS file with two to four axes.
    image : Image
        The image that they belong to.

    Returns
    -------
    numpy.ndarray, shape (ny, nx), float32
        The weights; blank ones are 0.

    Raises
    ------
    ImageError
        If the file cannot be read, holds no weights, or is not on the image's pixel grid.
    """
    try:
        with quiet_fits(), fits.open(path, memmap=True) as hdus:
            hdu = next((h for h in hdus if h.header.get("NAXIS", 0) >= 2 and h.data is not None), None)
            if hdu is None:
                raise ImageError(f"{path} holds no weights: no FITS extension has two or more axes.")
            wcs, shape = WCS(hdu.header).celestial, hdu.shape
            if any(length != 1 for length in shape[:-2]):
                raise ImageError(f"{path} is a cube of {' × '.join(map(str, shape[::-1]))}; give a single plane.")
            weights = np.nan_to_num(np.array(hdu.data, np.float32).reshape(shape[-2:]), nan=0.0, posinf=0.0, neginf=0.0)
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise ImageError(f"{path} cannot be read as FITS ({error}); is it truncated or no FITS file?") from error
    if weights.shape != image.data.shape:
        sizes = (" × ".join(map(str, array.shape[::-1])) for array in (weights, image.data))
        raise ImageError("The weights {} are {} pixels, the image {}; regrid them.".format(path, *sizes))
    if is_elsewhere(wcs, image):
        raise ImageError(f"The weights {path} are not on the pixel grid of {image.path}; regrid them.")
    if not weights.max() > 0:
        raise ImageError(f"{path} has no positive weight; is it the weights image?")
    return weights


def is_elsewhere(wcs: WCS, image: Image) -> bool:
    """Return whether a grid of the image's shape lies elsewhere on the sky, by over half a pixel.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Celestial coordinates of the other grid.
    image : Image
        The image.

    Returns
    -------
    bool
        True where corners or centre differ.
    """
    ny, nx = image.data.shape
    x, y = np.array([0, nx - 1, 0, nx - 1, (nx - 1) / 2]), np.array([0, 0, ny - 1, ny - 1, (ny - 1) / 2])
    ra, dec = image.pixel_to_sky(x, y)
    known = np.isfinite(ra) & np.isfinite(dec)
    there_x, there_y = wcs.wcs_world2pix(ra[known], dec[known], 0)
    return not bool((np.hypot(there_x - x[known], there_y - y[known]) <= 0.5).all())


def cropped(image: Image, weights: NDArray[np.float32], fraction: float) -> Image:
    """Return an image that is blank where the weights are at or below a fraction of their maximum.

    Parameters
    ----------
    image : Image
        The image.
    weights : numpy.ndarray, shape (ny, nx)
        Its weights.
    fraction : float
        Of the largest weight.

    Returns
    -------
    Image
        The image, of the same size.

    Raises
    ------
    ImageError
        If nothing is left.
    """
    data = np.where(weights > fraction * weights.max(), image.data, np.float32(np.nan))
    if not np.isfinite(data).any():
        raise ImageError(f"--weight-crop leaves no valid pixel of {image.path}; lower --weight-crop-value.")
    return dataclasses.replace(image, data=data)
