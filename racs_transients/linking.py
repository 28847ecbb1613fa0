"""Rows of one object: what the comparisons of an image with several surveys say of the same thing."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from racs_transients import sky

# Positions agree within three times their combined error, within these limits, arcsec
REACH_SIGMA = 3.0
REACH = (5.0, 15.0)
# The other position's error is about that of the row's own.
_BOTH = np.sqrt(2.0)


def reach(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return within which distance another position may be that of the same object.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows with the position errors of both sides, arcsec.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Arcsec.
    """
    sides = ("askap_ra_err", "askap_dec_err", "ref_ra_err", "ref_dec_err")
    error = rows[list(sides)].max(axis=1).fillna(0).to_numpy(float)
    return np.asarray(np.clip(REACH_SIGMA * _BOTH * error, *REACH))


def object_numbers(rows: pd.DataFrame) -> NDArray[np.int64]:
    """Return which rows belong to one object: one number each, from 1 in the order of the rows.

    Parameters
    ----------
    rows : pandas.DataFrame
        Crossmatch rows of all surveys.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Number of the object of each row.

    Notes
    -----
    Rows are of one object where they have the same source of the full-resolution image, or where rows of
    two surveys are each other's nearest and within `reach`: what ASKAP does not show has no source that
    could link the two surveys' entries.
    """
    n = len(rows)
    if n == 0:
        return np.empty(0, np.int64)
    # the lists of convolved images differ from survey to survey
    source = rows["native_source_id"].where(rows["native_beam_major"].notna(), rows["askap_source_id"])
    # each source is a node behind those of the rows
    known = np.flatnonzero(source.notna())
    nodes, sources = pd.factorize(source.iloc[known])
    pairs = [np.stack([known, n + nodes])]
    names = list(rows["survey"].unique())
    pairs += [_mutual(rows, first, second) for k, first in enumerate(names) for second in names[k + 1 :]]
    i, j = np.concatenate(pairs, axis=1)
    size = n + len(sources)
    _, label = connected_components(coo_array((np.ones(len(i)), (i, j)), shape=(size, size)), directed=False)
    number, _ = pd.factorize(label[:n])
    return np.asarray(number + 1, np.int64)


def _mutual(rows: pd.DataFrame, first: str, second: str) -> NDArray[np.int64]:
    """Return pairs of rows of two surveys that are each other's nearest and within reach, shape (2, n)."""
    a, b = (np.flatnonzero(rows["survey"] == name) for name in (first, second))
    here, there = rows.iloc[a], rows.iloc[b]
    index, separation = sky.nearest(here["ra"], here["dec"], there["ra"], there["dec"])
    back, _ = sky.nearest(there["ra"], there["dec"], here["ra"], here["dec"])
    if len(a) == 0 or len(b) == 0:
        return np.empty((2, 0), np.int64)
    near = separation <= np.maximum(reach(here), reach(there)[index])
    both = np.flatnonzero(near & (back[index] == np.arange(len(a))))
    return np.stack([a[both], b[index[both]]])
