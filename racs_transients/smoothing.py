"""Convolution of whole images to a wider beam, by FFT, one tile in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2

from racs_transients.beam import Beam, FloatArray, axes
from racs_transients.convolve import matrix_at_reference, pixel_to_sky_matrices
from racs_transients.errors import ImageError
from racs_transients.image import Image

# Side of a tile without its margin: 0.3 GB of work arrays, and margins that are a small part of it.
_TILE = 4096
# Margin in standard deviations of the kernel: 10⁻⁶ of it lies outside.
_REACH_SIGMA = 5.0
# A pixel is valid where this fraction of the kernel falls on valid pixels, as in `convolve`.
_COVERED = 0.995
# The image's beam may be this much wider than the target (variance): header values are rounded.
_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Smoothing:
    """What takes an image from its beam to a wider one.

    Parameters
    ----------
    kernel : numpy.ndarray, shape (2, 2)
        Covariance of the kernel along (x, y), pixels².
    gain : float
        Ratio of the beams' areas: Jy per old beam to Jy per new beam.
    beam : Beam
        The wider beam at the reference position, as a header states it.
    """

    kernel: FloatArray
    gain: float
    beam: Beam


def smoothing_to(image: Image, target: Beam) -> Smoothing:
    """Return what convolves an image to a beam.

    Parameters
    ----------
    image : Image
        The image.
    target : Beam
        The beam wanted at the image's centre, position angle from north there.

    Returns
    -------
    Smoothing
        Kernel and gain; the kernel is none in a direction in which the beams agree.

    Raises
    ------
    ImageError
        If the image's beam is wider than the target in any direction.

    Notes
    -----
    A restoring beam is constant on the pixel grid, so the subtraction is done there: north turns against the
    grid between the reference position, for which the header states the beam, and the centre.
    """
    ny, nx = image.data.shape
    ra, dec = np.atleast_2d(image.centre).T
    centre = pixel_to_sky_matrices(image, ra, dec, [(nx - 1) / 2], [(ny - 1) / 2])[0]
    reference = matrix_at_reference(image)
    own = _congruent(np.linalg.inv(reference), image.beam.covariance)
    wanted = _congruent(np.linalg.inv(centre), target.covariance)
    # in units of the wanted beam, so that the tolerance means the same in every direction
    whiten = np.linalg.inv(np.linalg.cholesky(wanted))
    excess, directions = np.linalg.eigh(np.eye(2) - _congruent(whiten, own))
    if excess.min() < -_TOLERANCE:
        raise ImageError(
            f"The beam of {image.path} ({image.beam.major:.1f}″ × {image.beam.minor:.1f}″) is wider than the one it "
            f"should be convolved to ({target.major:.1f}″ × {target.minor:.1f}″); leave --convolve out."
        )
    kernel = _congruent(np.linalg.inv(whiten) @ directions, np.diag(np.clip(excess, 0, None)))
    gain = np.sqrt(np.linalg.det(wanted) / np.linalg.det(own))
    major, minor, pa = axes(_congruent(reference, wanted))
    return Smoothing(kernel, float(gain), Beam(float(major), float(minor), float(pa)))


def _congruent(matrix: NDArray[Any], form: NDArray[Any]) -> FloatArray:
    return np.asarray(matrix @ form @ matrix.T, float)


def noise_beam(convolved: Beam, native: Beam) -> Beam:
    """Return the autocorrelation of the noise of a convolved image.

    Parameters
    ----------
    convolved, native : Beam
        Beams after and before the convolution.

    Returns
    -------
    Beam
        Of covariance 2T − N: noise of autocorrelation N convolved twice with the kernel T − N.
    """
    major, minor, pa = axes(2 * convolved.covariance - native.covariance)
    return Beam(float(major), float(minor), float(pa))


def smoothed(image: Image, smoothing: Smoothing) -> Image:
    """Return an image convolved to a wider beam.

    Parameters
    ----------
    image : Image
        The image.
    smoothing : Smoothing
        From `smoothing_to`.

    Returns
    -------
    Image
        In Jy per new beam; blank where the image is, and where blank pixels or the border would take more than
        0.5 % of the kernel.

    Notes
    -----
    Blank pixels count as zero. The kernel's transfer function is written down, not transformed:
    exp(−2π² fᵀ K f) for the covariance K, so that a kernel narrower than a pixel is exact, too.
    """
    data = np.empty_like(image.data)
    for tile in _tiles(image.data, smoothing.kernel):
        data[tile.inner] = tile.convolved(np.nan_to_num(tile.window, nan=0.0)) * np.float32(smoothing.gain)
    data[uncovered(image, smoothing)] = np.nan
    return replace(image, data=data, beam=smoothing.beam)


def uncovered(image: Image, smoothing: Smoothing) -> NDArray[np.bool_]:
    """Return which pixels of a convolved image are worth nothing: blank before, or too near to blank ones.

    Parameters
    ----------
    image : Image
        The image before convolution.
    smoothing : Smoothing
        What convolves it.

    Returns
    -------
    numpy.ndarray of bool, shape (ny, nx)
        True where more than 0.5 % of the kernel falls on blank pixels or outside.
    """
    result = np.zeros(image.data.shape, bool)
    for tile in _tiles(image.data, smoothing.kernel):
        valid = np.isfinite(tile.window)
        if not valid.all():
            result[tile.inner] = (tile.convolved(valid.astype(np.float32)) < _COVERED) | ~tile.cut(valid)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _Tile:
    """A part of an image (`inner`) with a margin around it (`window`), NaN outside the image."""

    inner: tuple[slice, slice]
    window: NDArray[np.float32]
    margin: tuple[int, int]
    kernel: FloatArray

    def cut(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values of the window without its margin."""
        (rows, columns), (down, left) = self.inner, self.margin
        return values[down : down + rows.stop - rows.start, left : left + columns.stop - columns.start]

    def convolved(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values of the window convolved with the kernel, without the margin."""
        shape = tuple(next_fast_len(length, real=True) for length in values.shape)
        u, v = np.fft.rfftfreq(shape[1]), np.fft.fftfreq(shape[0])[:, None]
        k = self.kernel
        transfer = np.exp(-2 * np.pi**2 * (k[0, 0] * u**2 + 2 * k[0, 1] * u * v + k[1, 1] * v**2)).astype(np.float32)
        spectrum = rfft2(values, shape)
        spectrum *= transfer
        return self.cut(irfft2(spectrum, shape, overwrite_x=True))


def _tiles(data: NDArray[np.float32], kernel: FloatArray) -> Iterator[_Tile]:
    ny, nx = data.shape
    left, down = (int(np.ceil(_REACH_SIGMA * np.sqrt(kernel[axis, axis]))) + 1 for axis in (0, 1))
    for bottom in range(0, ny, _TILE):
        for start in range(0, nx, _TILE):
            inner = slice(bottom, min(bottom + _TILE, ny)), slice(start, min(start + _TILE, nx))
            (y0, y1), (x0, x1) = ((part.start, part.stop) for part in inner)
            window = np.full((y1 - y0 + 2 * down, x1 - x0 + 2 * left), np.nan, np.float32)
            low, high = max(0, y0 - down), min(ny, y1 + down)
            near, far = max(0, x0 - left), min(nx, x1 + left)
            window[low - y0 + down : high - y0 + down, near - x0 + left : far - x0 + left] = data[low:high, near:far]
            yield _Tile(inner, window, (down, left), kernel)
