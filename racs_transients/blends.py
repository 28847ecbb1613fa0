"""What a wide beam makes of several narrow components."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from racs_transients import sky
from racs_transients.beam import FWHM_PER_SIGMA, FloatArray, covariance, response

# Beam and component FWHM within which a component counts: farther out it adds less than 10⁻¹⁰ of its flux.
_REACH = 3.0
# Component wider than this many beams, squared: less than a hundredth of its flux falls into one.
_WIDEST = 100.0


def blend_flux(
    sources: pd.DataFrame, ra: ArrayLike, dec: ArrayLike, beam_axes: tuple[FloatArray, FloatArray, FloatArray]
) -> FloatArray:
    """Return the peak that a beam would show at positions, given the components around.

    Parameters
    ----------
    sources : pandas.DataFrame
        Components with ra, dec (degrees), flux_int (mJy), major, minor (arcsec), pa (degrees) as fitted
        in a beam beam_major, beam_minor, beam_pa. One without flux is left out, one without size is a point.
    ra, dec : array_like, shape (n,)
        Positions, degrees.
    beam_axes : tuple of numpy.ndarray, shape (n,)
        Major and minor FWHM (arcsec) and position angle (degrees) of the wide beam at each position.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Brightness, mJy/beam; 0 where no component is near.

    Notes
    -----
    A component of true covariance K seen with a beam of covariance B is a Gaussian of covariance B + K
    whose peak is its flux times the ratio of the beam's area to its own.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    beams = covariance(*beam_axes)
    component = sources.dropna(subset=["ra", "dec", "flux_int"])
    if len(ra) == 0 or len(component) == 0:
        return np.zeros(len(ra))
    intrinsic = _intrinsic(component)
    near_ra, near_dec, flux = (component[name].to_numpy(float) for name in ("ra", "dec", "flux_int"))
    beam = np.linalg.eigvalsh(beams)[:, 1].max()
    # a failed fit may be degrees wide: a beam sees next to nothing of it, but it would pair all with all
    widest = beam + min(np.linalg.eigvalsh(intrinsic)[:, 1].max(), _WIDEST * beam)
    reach = _REACH * FWHM_PER_SIGMA * float(np.sqrt(widest))
    i, j, _ = sky.pairs_within(ra, dec, near_ra, near_dec, reach)
    seen = beams[i] + intrinsic[j]
    dilution = np.sqrt(np.linalg.det(beams[i]) / np.linalg.det(seen))
    east, north = sky.offsets(ra[i], dec[i], near_ra[j], near_dec[j])
    parts = flux[j] * dilution * response(east, north, seen)
    return np.bincount(i, weights=parts, minlength=len(ra)).astype(float)


def _intrinsic(component: pd.DataFrame) -> FloatArray:
    """Return the components' covariances without their beam, zero along axes that are not resolved."""
    fitted = covariance(component["major"], component["minor"], component["pa"])
    own_beam = covariance(component["beam_major"], component["beam_minor"], component["beam_pa"])
    difference = np.nan_to_num(fitted - own_beam)
    # a size within the fit's noise of the beam may come out negative
    variances, directions = np.linalg.eigh(difference)
    return np.asarray(directions * np.clip(variances, 0, None)[:, None, :] @ np.swapaxes(directions, 1, 2))
