"""Elliptical Gaussian beams as covariance matrices, for one beam or a column of them.

radio-beam offers the same algebra one beam at a time; the pipeline needs it for whole columns
(a SUMSS beam differs from source to source), hence these few array functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# FWHM of a Gaussian in units of its standard deviation
FWHM_PER_SIGMA = float(np.sqrt(8 * np.log(2)))


@dataclass(frozen=True, slots=True)
class Beam:
    """An elliptical Gaussian beam.

    Parameters
    ----------
    major : float
        Full width at half maximum of the major axis, arcsec.
    minor : float
        Full width at half maximum of the minor axis, arcsec.
    pa : float
        Position angle of the major axis, degrees from north through east.
    """

    major: float
    minor: float
    pa: float = 0.0

    @property
    def area(self) -> float:
        """Solid angle under the beam, arcsec²."""
        return float(gaussian_area(self.major, self.minor))

    @property
    def covariance(self) -> FloatArray:
        """Covariance matrix (2, 2) in the (east, north) frame, arcsec²."""
        return covariance(self.major, self.minor, self.pa)

    def deconvolved_from(self, target: Beam) -> Beam | None:
        """Return the beam that convolves this one to `target`, or None where there is none.

        Parameters
        ----------
        target : Beam
            The wider beam.

        Returns
        -------
        Beam or None
            The kernel's beam.
        """
        major, minor, pa = axes(target.covariance - self.covariance)
        if not minor > 0:
            return None
        return Beam(float(major), float(minor), float(pa))


def gaussian_area(major: ArrayLike, minor: ArrayLike) -> FloatArray:
    """Return the solid angle of Gaussians with the given FWHM.

    Parameters
    ----------
    major, minor : array_like
        Full widths at half maximum, arcsec.

    Returns
    -------
    numpy.ndarray
        Solid angle, arcsec²: π major minor / (4 ln 2).
    """
    return np.asarray(np.pi / (4 * np.log(2)) * np.asarray(major, float) * np.asarray(minor, float))


def covariance(major: ArrayLike, minor: ArrayLike, pa: ArrayLike) -> FloatArray:
    """Return covariance matrices of Gaussians in the (east, north) frame.

    Parameters
    ----------
    major, minor : array_like, shape (...)
        Full widths at half maximum, arcsec.
    pa : array_like, shape (...)
        Position angle of the major axis, degrees from north through east.

    Returns
    -------
    numpy.ndarray, shape (..., 2, 2)
        Covariance, arcsec².
    """
    a = (np.asarray(major, float) / FWHM_PER_SIGMA) ** 2
    b = (np.asarray(minor, float) / FWHM_PER_SIGMA) ** 2
    angle = np.deg2rad(np.asarray(pa, float))
    sin, cos = np.sin(angle), np.cos(angle)
    a, b, sin, cos = np.broadcast_arrays(a, b, sin, cos)
    east = a * sin**2 + b * cos**2
    north = a * cos**2 + b * sin**2
    cross = (a - b) * sin * cos
    return np.stack([np.stack([east, cross], -1), np.stack([cross, north], -1)], -2)


def axes(matrix: NDArray[Any]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return FWHM axes and position angle of covariance matrices.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (..., 2, 2)
        Covariance in the (east, north) frame, arcsec².

    Returns
    -------
    major, minor : numpy.ndarray, shape (...)
        Full widths at half maximum, arcsec; NaN where the matrix has no such positive axis.
    pa : numpy.ndarray, shape (...)
        Position angle in [0, 180), degrees.
    """
    east, north, cross = matrix[..., 0, 0], matrix[..., 1, 1], matrix[..., 0, 1]
    mean, difference = (east + north) / 2, (north - east) / 2
    radius = np.hypot(difference, cross)
    with np.errstate(invalid="ignore"):
        major = np.sqrt(mean + radius) * FWHM_PER_SIGMA
        minor = np.sqrt(mean - radius) * FWHM_PER_SIGMA
    pa = np.rad2deg(np.arctan2(cross, difference)) / 2 % 180
    return np.asarray(major), np.asarray(minor), np.asarray(pa)


def response(east: ArrayLike, north: ArrayLike, matrix: NDArray[Any]) -> FloatArray:
    """Return the beam's response at offsets from its centre.

    Parameters
    ----------
    east, north : array_like, shape (...)
        Offsets, arcsec.
    matrix : numpy.ndarray, shape (..., 2, 2)
        Beam covariance, arcsec².

    Returns
    -------
    numpy.ndarray, shape (...)
        Response, 1 at the centre.
    """
    x, y = np.asarray(east, float), np.asarray(north, float)
    a, b, c = matrix[..., 0, 0], matrix[..., 1, 1], matrix[..., 0, 1]
    determinant = a * b - c**2
    return np.asarray(np.exp(-0.5 * (b * x**2 - 2 * c * x * y + a * y**2) / determinant))
