"""Association of catalogue sources with ASKAP sources, and the three categories that follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from racs_transients import sky
from racs_transients.sky import IntArray

MATCH, NO_ASKAP_MATCH, NO_CATALOGUE_MATCH = "match", "noaskapmatch", "nocatalogmatch"


@dataclass(frozen=True, slots=True, eq=False)
class Association:
    """Nearest ASKAP source of each catalogue source.

    Parameters
    ----------
    source : numpy.ndarray of int, shape (n_references,)
        Row of the nearest ASKAP source, -1 where there is none at all.
    separation : numpy.ndarray, shape (n_references,)
        Distance to it, arcsec; NaN where there is none.
    matched : numpy.ndarray of bool, shape (n_references,)
        Whether it lies within the match radius.
    unmatched_sources : numpy.ndarray of int
        Rows of ASKAP sources that no catalogue source is matched to.
    """

    source: IntArray
    separation: NDArray[np.float64]
    matched: NDArray[np.bool_]
    unmatched_sources: IntArray


def associate(references: pd.DataFrame, sources: pd.DataFrame, max_separation: float) -> Association:
    """Match each catalogue source with the nearest ASKAP source.

    Parameters
    ----------
    references : pandas.DataFrame
        Catalogue sources with ra and dec, degrees.
    sources : pandas.DataFrame
        ASKAP sources with ra and dec, degrees.
    max_separation : float
        Match radius, arcsec, inclusive.

    Returns
    -------
    Association
        Several catalogue sources may have the same ASKAP source: all stay matched.
    """
    index, separation = sky.nearest(references["ra"], references["dec"], sources["ra"], sources["dec"])
    matched = np.asarray(separation <= max_separation)
    unmatched = np.setdiff1d(np.arange(len(sources)), index[matched])
    return Association(index, separation, matched, unmatched)


def group_sums(association: Association, flux: NDArray[np.float64]) -> tuple[IntArray, NDArray[np.float64]]:
    """Return size and summed catalogue flux of the groups that share an ASKAP source.

    Parameters
    ----------
    association : Association
        The matches.
    flux : numpy.ndarray, shape (n_references,)
        Catalogue flux of each reference (or squared error, to sum in quadrature).

    Returns
    -------
    size : numpy.ndarray of int, shape (n_references,)
        Number of catalogue sources on the same ASKAP source; 0 where unmatched.
    total : numpy.ndarray, shape (n_references,)
        Sum over the group; the own value where unmatched.
    """
    size = np.zeros(len(flux), np.int64)
    total = np.array(flux, float)
    rows = association.source[association.matched]
    length = int(rows.max()) + 1 if len(rows) else 0
    size[association.matched] = np.bincount(rows, minlength=length)[rows]
    total[association.matched] = np.bincount(rows, weights=flux[association.matched], minlength=length)[rows]
    return size, total


def compact(table: pd.DataFrame, threshold: float) -> NDArray[np.bool_]:
    """Return which sources are not extended: neither axis beyond a multiple of the beam's.

    Parameters
    ----------
    table : pandas.DataFrame
        Sources with major, minor, beam_major and beam_minor, arcsec.
    threshold : float
        Multiple of the beam.

    Returns
    -------
    numpy.ndarray of bool
        True for compact sources; a missing size counts as compact.
    """
    extended = (table["major"] > threshold * table["beam_major"]) | (table["minor"] > threshold * table["beam_minor"])
    return ~extended.to_numpy(bool)
