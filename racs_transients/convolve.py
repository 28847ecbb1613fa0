"""The beam at positions of an image, and convolution with Gaussian kernels at chosen positions only.

Whole images are convolved in `smoothing`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from racs_transients import sky
from racs_transients.beam import Beam, FloatArray, response
from racs_transients.image import Image

# Half the side of a window in standard deviations of the kernel: less than 0.02 % lies outside.
_REACH_SIGMA = 4.0
# A value counts when this fraction of the kernel falls on valid pixels.
_COVERED = 0.995
_PIXELS_AT_ONCE = 1_000_000


def convolve_at(image: Image, ra: ArrayLike, dec: ArrayLike, kernel: FloatArray) -> FloatArray:
    """Return the mean of the image under normalised Gaussian kernels centred on positions.

    Parameters
    ----------
    image : Image
        The image.
    ra, dec : array_like, shape (n,)
        Positions, degrees.
    kernel : numpy.ndarray, shape (n, 2, 2)
        Covariance of each kernel in the (east, north) frame, arcsec²; its narrowest standard deviation
        at least half a pixel.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Jy per beam of the image; NaN where over 0.5 % of the kernel falls on blank pixels or outside.

    Notes
    -----
    Blank pixels count as zero. With fewer allowed than 0.5 % no flux is lost that matters, whereas
    dividing by the covered part would make up flux where a source lies beside a hole.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    x, y = image.sky_to_pixel(ra, dec)
    result = np.full(len(x), np.nan)
    ny, nx = image.data.shape
    rows = np.flatnonzero((x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5))
    if len(rows) == 0:
        return result
    to_sky = pixel_to_sky_matrices(image, ra[rows], dec[rows], x[rows], y[rows])
    reach = _REACH_SIGMA * np.sqrt(float(np.linalg.eigvalsh(kernel[rows])[:, 1].max()))
    half_x, half_y = (int(np.ceil(reach / scale)) for scale in image.pixel_scales)
    steps_y, steps_x = np.mgrid[-half_y : half_y + 1, -half_x : half_x + 1]
    chunk = max(1, _PIXELS_AT_ONCE // steps_x.size)
    for start in range(0, len(rows), chunk):
        part = slice(start, start + chunk)
        some = rows[part]
        result[some] = _kernel_means(image, x[some], y[some], steps_x, steps_y, to_sky[part], kernel[some])
    return result


def _kernel_means(
    image: Image,
    x: FloatArray,
    y: FloatArray,
    steps_x: NDArray[np.int64],
    steps_y: NDArray[np.int64],
    to_sky: FloatArray,
    kernel: FloatArray,
) -> FloatArray:
    ny, nx = image.data.shape
    column = np.rint(x).astype(int)[:, None, None] + steps_x
    row = np.rint(y).astype(int)[:, None, None] + steps_y
    dx, dy = column - x[:, None, None], row - y[:, None, None]
    east = to_sky[:, 0, 0, None, None] * dx + to_sky[:, 0, 1, None, None] * dy
    north = to_sky[:, 1, 0, None, None] * dx + to_sky[:, 1, 1, None, None] * dy
    weight = response(east, north, kernel[:, None, None])
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    pixels = np.where(inside, image.data[np.clip(row, 0, ny - 1), np.clip(column, 0, nx - 1)], np.nan)
    valid = np.isfinite(pixels)
    total = weight.sum(axis=(1, 2))
    covered = np.where(valid, weight, 0).sum(axis=(1, 2)) / total
    mean = np.where(valid, weight * pixels, 0).sum(axis=(1, 2)) / total
    return np.where(covered >= _COVERED, mean, np.nan)


def pixel_to_sky_matrices(image: Image, ra: ArrayLike, dec: ArrayLike, x: ArrayLike, y: ArrayLike) -> FloatArray:
    """Return the local matrices from pixel steps to offsets on the sky.

    Parameters
    ----------
    image : Image
        The image.
    ra, dec : array_like, shape (n,)
        Positions, degrees.
    x, y : array_like, shape (n,)
        The same positions in pixels.

    Returns
    -------
    numpy.ndarray, shape (n, 2, 2)
        (east, north) in arcsec per step along (x, y).
    """
    x, y = np.asarray(x, float), np.asarray(y, float)

    def step(dx: float, dy: float) -> FloatArray:
        ahead = sky.offsets(ra, dec, *image.pixel_to_sky(x + dx / 2, y + dy / 2))
        behind = sky.offsets(ra, dec, *image.pixel_to_sky(x - dx / 2, y - dy / 2))
        return np.stack([ahead[0] - behind[0], ahead[1] - behind[1]], -1)

    return np.stack([step(1, 0), step(0, 1)], -1)


def matrix_at_reference(image: Image) -> FloatArray:
    """Return the matrix from pixel steps to offsets on the sky at the image's reference position.

    Parameters
    ----------
    image : Image
        The image.

    Returns
    -------
    numpy.ndarray, shape (2, 2)
        (east, north) in arcsec per step along (x, y).
    """
    reference = image.wcs.wcs.crpix - 1
    # as the header gives it: computed from the pixel, right ascension would be lost at a pole
    centre = np.atleast_2d(image.wcs.wcs.crval)
    return np.asarray(pixel_to_sky_matrices(image, *centre.T, *np.atleast_2d(reference).T)[0])


def beams_at(image: Image, beam: Beam, ra: ArrayLike, dec: ArrayLike) -> FloatArray:
    """Return what a beam that is constant on the image's pixel grid is at positions on the sky.

    Parameters
    ----------
    image : Image
        The image.
    beam : Beam
        Beam at the image's reference position, such as the restoring beam.
    ra, dec : array_like, shape (n,)
        Positions, degrees.

    Returns
    -------
    numpy.ndarray, shape (n, 2, 2)
        Covariances in the (east, north) frame of each position, arcsec²; outside the image those at
        the reference position.

    Notes
    -----
    North turns against the pixel grid away from the reference position: by 10° at 3° from the centre of
    a tile at declination −73°, and by anything near the pole.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    x, y = image.sky_to_pixel(ra, dec)
    ny, nx = image.data.shape
    inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
    result = np.tile(beam.covariance, (len(ra), 1, 1))
    if inside.any():
        at_reference = matrix_at_reference(image)
        local = pixel_to_sky_matrices(image, ra[inside], dec[inside], x[inside], y[inside])
        turn = local @ np.linalg.inv(at_reference)
        result[inside] = turn @ beam.covariance @ np.swapaxes(turn, 1, 2)
    return result
