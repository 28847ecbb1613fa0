"""Which object on the sky a row of a crossmatch belongs to."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from racs_transients import sky
from racs_transients.linking import REACH, reach

# A hair more than the largest reach, for rounding; degrees.
_MARGIN = REACH[1] / 3600 * 1.001


def join(rows: pd.DataFrame, objects: pd.DataFrame) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Return the object of each row, and the objects with those made for rows that found none.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``survey``, ``ra``, ``dec``, ``name`` and the position errors.
    objects : pandas.DataFrame
        ``ra``, ``dec`` and ``name`` of the objects there are.

    Returns
    -------
    index : numpy.ndarray of int, shape (n,)
        Row of the second result.
    objects : pandas.DataFrame
        The objects, new ones behind the given ones; given ones never move.

    Notes
    -----
    Two rows of one survey never join the same object: votes belong to (object, image, survey). The nearest pair
    comes first, so that a row which finds its object taken has the next one within reach.
    """
    index = np.full(len(rows), -1, np.int64)
    distance = reach(rows)
    for survey in rows["survey"].unique():
        here = np.flatnonzero(rows["survey"] == survey)
        part = rows.iloc[here]
        i, j, separation = sky.pairs_within(part["ra"], part["dec"], objects["ra"], objects["dec"], REACH[1])
        near = separation <= distance[here][i]
        index[here] = _one_to_one(i[near], j[near], separation[near], len(here))
        new = here[index[here] < 0]
        index[new] = len(objects) + np.arange(len(new))
        objects = pd.concat([objects, rows.iloc[new][["ra", "dec", "name"]]], ignore_index=True)
    return index, objects


def _one_to_one(
    i: NDArray[np.int64], j: NDArray[np.int64], separation: NDArray[np.float64], n: int
) -> NDArray[np.int64]:
    """Return the j of each i from 0 to n, each used once, the nearest pair first; -1 where none is left."""
    found = np.full(n, -1, np.int64)
    taken: set[int] = set()
    order = np.lexsort((j, i, separation))
    # each choice depends on those before it
    for row, place in zip(i[order].tolist(), j[order].tolist(), strict=True):
        if found[row] < 0 and place not in taken:
            found[row] = place
            taken.add(place)
    return found


def window(ra: ArrayLike, dec: ArrayLike) -> tuple[float, float, float, float]:
    """Return the bounds of right ascension and declination outside which no object is within reach of a row.

    Parameters
    ----------
    ra, dec : array_like, shape (n,)
        Positions of the rows, degrees.

    Returns
    -------
    ra_low, ra_high, dec_low, dec_high : float
        Degrees. The right ascension goes through 0 where its lower bound is the larger one; all of it where a
        row lies at a pole or rows lie all around. NaN without rows.
    """
    ra, dec = np.unique(np.asarray(ra, float) % 360), np.asarray(dec, float)
    if len(ra) == 0:
        return np.nan, np.nan, np.nan, np.nan
    dec_low, dec_high = float(dec.min()) - _MARGIN, float(dec.max()) + _MARGIN
    highest = max(-dec_low, dec_high)
    if highest >= 90:
        return 0.0, 360.0, dec_low, dec_high
    # the rows lie in all of the circle but its largest gap
    gaps = np.diff(ra, append=ra[0] + 360)
    last = int(np.argmax(gaps))
    margin = float(np.rad2deg(np.arcsin(np.sin(np.deg2rad(_MARGIN)) / np.cos(np.deg2rad(highest - _MARGIN)))))
    if gaps[last] <= 2 * margin:
        return 0.0, 360.0, dec_low, dec_high
    first = (last + 1) % len(ra)
    return float(ra[first] - margin) % 360, float(ra[last] + margin) % 360, dec_low, dec_high
