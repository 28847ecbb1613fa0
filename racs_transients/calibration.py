"""Flux scale and astrometry of an image against the survey, from its good matches."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike

MIN_PAIRS = 20


@dataclass(frozen=True, slots=True)
class Calibration:
    """Systematic differences between image and survey.

    Parameters
    ----------
    pairs : int
        Number of matches they come from.
    flux_scale : float
        Median of ASKAP over survey flux at the survey's frequency; 1 where it could not be measured.
    flux_scale_err : float
        Its 1σ error, fraction.
    ln_ratio_scatter : float
        Robust standard deviation of ln ratio; NaN where it could not be measured.
    ra_offset, dec_offset : float
        Median of ASKAP − catalogue position, arcsec; 0 where it could not be measured.
    """

    pairs: int
    flux_scale: float = 1.0
    flux_scale_err: float = 0.0
    ln_ratio_scatter: float = float("nan")
    ra_offset: float = 0.0
    dec_offset: float = 0.0

    def to_dict(self) -> dict[str, float]:
        """Return the values for the manifest.

        Returns
        -------
        dict
            Name to value.
        """
        return asdict(self)


def calibrate(ln_ratio: ArrayLike, ra_offset: ArrayLike, dec_offset: ArrayLike, good: ArrayLike) -> Calibration:
    """Measure flux scale and astrometric offset.

    Parameters
    ----------
    ln_ratio : array_like, shape (n,)
        ln of ASKAP over survey flux at the survey's frequency.
    ra_offset, dec_offset : array_like, shape (n,)
        ASKAP − catalogue position, arcsec.
    good : array_like of bool, shape (n,)
        Compact, isolated, bright pairs.

    Returns
    -------
    Calibration
        Neutral values where fewer than `MIN_PAIRS` good pairs exist.

    Notes
    -----
    Medians, because tails of real variables and blends are wide; the error of a median is
    1.2533 × scatter / √n.
    """
    values = np.asarray(ln_ratio, float)
    use = np.asarray(good, bool) & np.isfinite(values)
    n = int(use.sum())
    if n < MIN_PAIRS:
        return Calibration(pairs=n)
    median = float(np.median(values[use]))
    scatter = float(1.4826 * np.median(np.abs(values[use] - median)))
    return Calibration(
        pairs=n,
        flux_scale=float(np.exp(median)),
        flux_scale_err=1.2533 * scatter / n**0.5,
        ln_ratio_scatter=scatter,
        ra_offset=float(np.median(np.asarray(ra_offset, float)[use])),
        dec_offset=float(np.median(np.asarray(dec_offset, float)[use])),
    )
