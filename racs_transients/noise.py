"""Background and noise of an image, as maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sep
from numpy.typing import ArrayLike, NDArray

from racs_transients.image import Image

# Side of a mesh cell in beams: small cells follow the artefacts of bright sources and the rise at the edge,
# large ones scatter less. Measured over true rms (1 to 99 %) on one simulated field; on two real SUMSS mosaics,
# Aegean's sources above 18 mJy (where the catalogue is complete) that the catalogue lacks, all that it lacks,
# and catalogue sources above 20 mJy that are found, of 511:
#    8: 0.93 to 1.06, 119, 261, 502
#   12: 0.95 to 1.05, 132, 271, 499
#   16: 0.95 to 1.04, 134, 268, 498
#   20: 0.95 to 1.04, 148, 284, 494
#   30: 0.93 to 1.04, 172, 302, 493
# 12 and 16 differ by less than these counts can tell.
BOX_BEAMS = 12.0
# Standard deviation that is left of a unit Gaussian after clipping at 3σ
CLIPPED_STD = 0.9866
_MIN_BOX = 32
# Noise below this part of the image's median is none: the pixels were filled (the VLA image of Fornax A holds
# 10⁻¹² outside its mask). They count as blank, else the interpolation would swing below zero beside them.
_MIN_NOISE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class NoiseMaps:
    """Background and noise over an image.

    Parameters
    ----------
    background : numpy.ndarray, shape (ny, nx), float32
        Background, Jy/beam.
    rms : numpy.ndarray, shape (ny, nx), float32
        Noise, Jy/beam; NaN where the image is blank or filled with a constant.
    """

    background: NDArray[np.float32]
    rms: NDArray[np.float32]

    def at(self, image: Image, ra: ArrayLike, dec: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return background and noise at positions, from the nearest pixel.

        Parameters
        ----------
        image : Image
            The image the maps belong to.
        ra, dec : array_like, shape (n,)
            Positions, degrees.

        Returns
        -------
        background, rms : numpy.ndarray, shape (n,)
            mJy/beam; NaN outside the image and where it is blank.
        """
        x, y = image.sky_to_pixel(ra, dec)
        ny, nx = self.rms.shape
        inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
        column, row = np.rint(np.where(inside, x, 0)).astype(int), np.rint(np.where(inside, y, 0)).astype(int)
        rms = np.where(inside, self.rms[row, column], np.nan) * 1e3
        background = np.where(inside & np.isfinite(rms), self.background[row, column], np.nan) * 1e3
        return background.astype(float), rms.astype(float)


def typical(rms: NDArray[np.float32]) -> float:
    """Return the median noise of an image, from every tenth pixel along each axis.

    Parameters
    ----------
    rms : numpy.ndarray, shape (ny, nx)
        The noise; NaN where blank.

    Returns
    -------
    float
        In the unit of the map.
    """
    sample = rms[::10, ::10]
    valid = sample[np.isfinite(sample)]
    return float(np.median(valid)) if len(valid) else float("nan")


def measure_noise(image: Image, *, box_beams: float = BOX_BEAMS) -> NoiseMaps:
    """Measure background and noise on a mesh, clipped of sources, and interpolate.

    Parameters
    ----------
    image : Image
        The image.
    box_beams : float
        Side of a mesh cell in beam widths along each axis.

    Returns
    -------
    NoiseMaps
        The maps.

    Notes
    -----
    SExtractor's background mesh (iterative clipping at 3σ in each cell, median filter over 3 × 3 cells,
    bicubic interpolation) through ``sep``; blank pixels take no part. The median filter keeps a bright or
    extended source that fills a cell out of the noise.

    References
    ----------
    Bertin & Arnouts 1996, A&AS 117, 393; Barbary 2016, JOSS 1, 58.
    """
    blank = ~np.isfinite(image.data)
    maps = _mesh(image, blank, box_beams)
    filled = maps.rms < _MIN_NOISE * typical(maps.rms)
    if filled.any():
        maps = _mesh(image, blank | filled, box_beams)
        maps.rms[maps.rms < _MIN_NOISE * typical(maps.rms)] = np.nan
    return maps


def _mesh(image: Image, blank: NDArray[np.bool_], box_beams: float) -> NoiseMaps:
    """Return the maps measured without blank pixels."""
    data = np.where(blank, np.float32(0), image.data)
    width, height = (int(max(_MIN_BOX, round(box_beams * image.beam.major / scale))) for scale in image.pixel_scales)
    ny, nx = data.shape
    mesh = sep.Background(data, mask=blank, bw=min(width, nx), bh=min(height, ny), fw=3, fh=3)
    del data  # a full tile is 0.8 GB
    rms = np.asarray(mesh.rms(), np.float32)
    rms /= np.float32(CLIPPED_STD)
    rms[blank | ~(rms > 0)] = np.nan
    return NoiseMaps(np.asarray(mesh.back(), np.float32), rms)
