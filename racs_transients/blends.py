"""What a wide beam makes of several narrow components."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from racs_transients import sky
from racs_transients.beam import FloatArray, covariance, response

# Components farther than this many beam major axes add less than 10⁻¹⁰ of their flux.
_REACH = 3.0


def blend_flux(
    sources: pd.DataFrame, ra: ArrayLike, dec: ArrayLike, beam_axes: tuple[FloatArray, FloatArray, FloatArray]
) -> FloatArray:
    """Return the peak that a beam would show at positions, given the components around.

    Parameters
    ----------
    sources : pandas.DataFrame
        Components with ra, dec (degrees), flux_int (mJy), major, minor (arcsec), pa (degrees) as fitted
        in a beam beam_major, beam_minor, beam_pa.
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
    major, minor, pa = (np.asarray(axis, float) for axis in beam_axes)
    reach = _REACH * float(major.max()) if len(major) else 0.0
    i, j, _ = sky.pairs_within(ra, dec, sources["ra"], sources["dec"], reach)
    component = sources.iloc[j]
    east, north = sky.offsets(np.asarray(ra, float)[i], np.asarray(dec, float)[i], component["ra"], component["dec"])
    beam = covariance(major[i], minor[i], pa[i])
    fitted = covariance(component["major"], component["minor"], component["pa"])
    own_beam = covariance(component["beam_major"], component["beam_minor"], component["beam_pa"])
    # a size within the fit's noise of the beam may come out negative: such a component is a point
    intrinsic = np.clip(np.linalg.eigvalsh(fitted - own_beam), 0, None).prod(axis=1) > 0
    seen = beam + np.where(intrinsic[:, None, None], fitted - own_beam, 0.0)
    dilution = np.sqrt(np.linalg.det(beam) / np.linalg.det(seen))
    parts = component["flux_int"].to_numpy(float) * dilution * response(east, north, seen)
    return np.bincount(i, weights=parts, minlength=len(major)).astype(float)
