"""How much a flux changed: ratio, Vs and m, from two fluxes at one frequency and their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from racs_transients.beam import FloatArray

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """The comparison of two columns of fluxes.

    Parameters
    ----------
    ratio : numpy.ndarray, shape (n,)
        Larger over smaller flux, ≥ 1.
    ratio_err : numpy.ndarray, shape (n,)
        Its 1σ error; NaN where the ratio is a limit.
    ratio_is_limit : numpy.ndarray of bool, shape (n,)
        Whether the ratio is a lower limit.
    ln_ratio : numpy.ndarray, shape (n,)
        Signed logarithm of first over second flux.
    vs : numpy.ndarray, shape (n,)
        Signed change over its error.
    m : numpy.ndarray, shape (n,)
        Signed modulation.
    """

    ratio: FloatArray
    ratio_err: FloatArray
    ratio_is_limit: BoolArray
    ln_ratio: FloatArray
    vs: FloatArray
    m: FloatArray


def compare(
    askap: ArrayLike,
    askap_err: ArrayLike,
    askap_floor: ArrayLike,
    survey: ArrayLike,
    survey_err: ArrayLike,
    survey_floor: ArrayLike,
) -> Change:
    """Compare ASKAP fluxes with survey fluxes at the survey's frequency.

    Parameters
    ----------
    askap, survey : array_like, shape (n,)
        Flux densities as measured, mJy; forced ones may be negative.
    askap_err, survey_err : array_like, shape (n,)
        1σ errors, mJy.
    askap_floor, survey_floor : array_like, shape (n,)
        Smallest flux that counts as seen, mJy: 3 × the noise for a forced flux, 0 for a detected one.

    Returns
    -------
    Change
        NaN where a flux is missing.

    Notes
    -----
    Vs = (A − C) / √(σ_A² + σ_C²) and m = 2 (A − C) / (A + C). Vs takes the fluxes as measured; ratio
    and m take a flux below its floor as the floor, which makes the ratio a lower limit; or as the other flux, where
    that is below the floor, too: then nothing is known to have changed.

    References
    ----------
    Mooley et al. 2016, ApJ 818, 105, section 5, for Vs and m; Radcliffe et al. 2019, MNRAS 490, 4024.
    """
    a, c = np.asarray(askap, float), np.asarray(survey, float)
    a_err, c_err = np.asarray(askap_err, float), np.asarray(survey_err, float)
    a_unseen, c_unseen = a < np.asarray(askap_floor, float), c < np.asarray(survey_floor, float)
    a_most, c_most = np.where(a_unseen, askap_floor, a), np.where(c_unseen, survey_floor, c)
    # what is unseen may be anything below its floor, also what the other side is
    a_seen, c_seen = (
        np.where(a_unseen, np.minimum(a_most, c_most), a),
        np.where(c_unseen, np.minimum(a_most, c_most), c),
    )
    is_limit = a_unseen | c_unseen
    with np.errstate(divide="ignore", invalid="ignore"):
        usable = (a_seen > 0) & (c_seen > 0)
        ln_ratio = np.where(usable, np.log(np.where(usable, a_seen, 1)) - np.log(np.where(usable, c_seen, 1)), np.nan)
        ratio = np.exp(np.abs(ln_ratio))
        ratio_err = np.where(is_limit, np.nan, ratio * np.hypot(a_err / a_seen, c_err / c_seen))
        error = np.hypot(a_err, c_err)
        vs = np.where(error > 0, (a - c) / error, np.nan)
        m = np.where(usable, 2 * (a_seen - c_seen) / (a_seen + c_seen), np.nan)
    return Change(ratio, ratio_err, np.asarray(is_limit), ln_ratio, vs, m)


def outliers(ln_ratio: ArrayLike, among: ArrayLike, threshold: float) -> BoolArray:
    """Return which ratios lie outside median ± threshold × robust standard deviation.

    Parameters
    ----------
    ln_ratio : array_like, shape (n,)
        Signed logarithms of the ratio.
    among : array_like of bool, shape (n,)
        Rows that define median and standard deviation.
    threshold : float
        In standard deviations (1.4826 × median absolute deviation).

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        False where the ratio is missing or fewer than five rows define the spread.
    """
    values = np.asarray(ln_ratio, float)
    sample = values[np.asarray(among, bool) & np.isfinite(values)]
    if len(sample) < 5:
        return np.zeros(values.shape, bool)
    median = np.median(sample)
    spread = 1.4826 * np.median(np.abs(sample - median))
    return np.asarray(np.abs(values - median) > threshold * spread)
