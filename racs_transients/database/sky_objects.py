"""Which object on the sky a row of a crossmatch belongs to."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from racs_transients import sky
from racs_transients.linking import reach


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
    Two rows of one survey never join the same object: votes belong to (object, image, survey).
    """
    index = np.full(len(rows), -1, np.int64)
    distance = reach(rows)
    for survey in rows["survey"].unique():
        here = np.flatnonzero(rows["survey"] == survey)
        part = rows.iloc[here]
        found, separation = sky.nearest(part["ra"], part["dec"], objects["ra"], objects["dec"])
        order = np.argsort(separation, kind="stable")
        near = order[separation[order] <= distance[here][order]]
        # of several rows that want one object, the nearest has it
        _, first = np.unique(found[near], return_index=True)
        joined = near[first]
        index[here[joined]] = found[joined]
        new = here[index[here] < 0]
        index[new] = len(objects) + np.arange(len(new))
        objects = pd.concat([objects, rows.iloc[new][["ra", "dec", "name"]]], ignore_index=True)
    return index, objects
