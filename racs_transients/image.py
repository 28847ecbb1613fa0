"""Radio images: reading, checking, and the way between sky and pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales
from numpy.typing import ArrayLike, NDArray

from racs_transients.beam import Beam, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A two-dimensional radio image on the sky.

    Parameters
    ----------
    path : pathlib.Path
        The file it came from.
    data : numpy.ndarray, shape (ny, nx), float32
        Brightness, Jy/beam; NaN where blank.
    wcs : astropy.wcs.WCS
        Celestial coordinates of the two axes.
    frequency : float
        Observing frequency, MHz.
    beam : Beam
        Restoring beam.
    epoch : float
        Time of the observation, MJD; NaN where unknown.
    """

    path: Path
    data: NDArray[np.float32]
    wcs: WCS
    frequency: float
    beam: Beam
    epoch: float = float("nan")

    @property
    def pixel_scales(self) -> tuple[float, float]:
        """Size of a pixel along x and y at the reference position, arcsec."""
        scales = proj_plane_pixel_scales(self.wcs) * 3600
        return float(scales[0]), float(scales[1])

    @property
    def centre(self) -> tuple[float, float]:
        """Right ascension and declination of the central pixel position, degrees."""
        ny, nx = self.data.shape
        ra, dec = self.pixel_to_sky((nx - 1) / 2, (ny - 1) / 2)
        return float(ra), float(dec)

    def sky_to_pixel(self, ra: ArrayLike, dec: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return 0-based pixel positions.

        Parameters
        ----------
        ra, dec : array_like
            ICRS position, degrees.

        Returns
        -------
        x, y : numpy.ndarray
            Pixel positions along the first and second FITS axis; NaN where the projection has none.
        """
        x, y = self.wcs.wcs_world2pix(np.asarray(ra, float), np.asarray(dec, float), 0)
        return np.asarray(x), np.asarray(y)

    def pixel_to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return sky positions of 0-based pixel positions.

        Parameters
        ----------
        x, y : array_like
            Pixel positions along the first and second FITS axis.

        Returns
        -------
        ra, dec : numpy.ndarray
            ICRS position, degrees, ra in [0, 360).
        """
        ra, dec = self.wcs.wcs_pix2world(np.asarray(x, float), np.asarray(y, float), 0)
        return np.asarray(ra) % 360, np.asarray(dec)
