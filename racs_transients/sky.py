"""Positions on the sphere: separations, neighbours, offsets and names, for whole columns.

astropy's matching does the same one catalogue at a time; the unit-vector trees here also give pairs
and k neighbours, and never tear at RA 0 or at the poles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from racs_transients.beam import FloatArray

IntArray = NDArray[np.int64]
ARCSEC_PER_RADIAN = float(np.rad2deg(1) * 3600)
_GALACTIC_POLE = (192.85948, 27.12825)
# Galactic longitude of the celestial pole
_LONGITUDE_OF_POLE = 122.93192


def unit_vectors(ra: ArrayLike, dec: ArrayLike) -> FloatArray:
    """Return unit vectors of sky positions.

    Parameters
    ----------
    ra, dec : array_like, shape (n,)
        Position, degrees.

    Returns
    -------
    numpy.ndarray, shape (n, 3)
        Cartesian unit vectors.
    """
    lon, lat = np.deg2rad(np.asarray(ra, float)), np.deg2rad(np.asarray(dec, float))
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def _arcsec_of_chord(chord: ArrayLike) -> FloatArray:
    return np.asarray(2 * np.arcsin(np.minimum(np.asarray(chord, float) / 2, 1)) * ARCSEC_PER_RADIAN)


def _chord_of_arcsec(arcsec: float) -> float:
    return float(2 * np.sin(min(arcsec / ARCSEC_PER_RADIAN, np.pi) / 2))


def separation(ra1: ArrayLike, dec1: ArrayLike, ra2: ArrayLike, dec2: ArrayLike) -> FloatArray:
    """Return the angle between positions, element by element.

    Parameters
    ----------
    ra1, dec1, ra2, dec2 : array_like
        Positions, degrees.

    Returns
    -------
    numpy.ndarray
        Angle, arcsec; NaN where a coordinate is NaN.
    """
    difference = unit_vectors(ra1, dec1) - unit_vectors(ra2, dec2)
    return _arcsec_of_chord(np.sqrt((difference**2).sum(axis=-1)))


def galactic_latitude(ra: ArrayLike, dec: ArrayLike) -> FloatArray:
    """Return the Galactic latitude of positions.

    Parameters
    ----------
    ra, dec : array_like
        Position, degrees.

    Returns
    -------
    numpy.ndarray
        Degrees; good to 0.1″, as the pole is that of J2000.

    References
    ----------
    The Hipparcos and Tycho Catalogues (ESA SP-1200, 1997), vol. 1, eq. 1.5.13.
    """
    return np.asarray(90 - separation(ra, dec, *_GALACTIC_POLE) / 3600)


def galactic_longitude(ra: ArrayLike, dec: ArrayLike) -> FloatArray:
    """Return the Galactic longitude of positions.

    Parameters
    ----------
    ra, dec : array_like
        Position, degrees.

    Returns
    -------
    numpy.ndarray
        Degrees in [0, 360).

    References
    ----------
    As `galactic_latitude`.
    """
    lat, pole = np.deg2rad(np.asarray(dec, float)), np.deg2rad(_GALACTIC_POLE[1])
    lon = np.deg2rad(np.asarray(ra, float) - _GALACTIC_POLE[0])
    along = np.sin(lat) * np.cos(pole) - np.cos(lat) * np.sin(pole) * np.cos(lon)
    return np.asarray((_LONGITUDE_OF_POLE - np.rad2deg(np.arctan2(np.cos(lat) * np.sin(lon), along))) % 360)


def nearest(
    ra: ArrayLike, dec: ArrayLike, ra_others: ArrayLike, dec_others: ArrayLike, k: int = 1
) -> tuple[IntArray, FloatArray]:
    """Return the nearest of other positions for each position.

    Parameters
    ----------
    ra, dec : array_like, shape (n,)
        Positions, degrees.
    ra_others, dec_others : array_like, shape (m,)
        Where to search, degrees.
    k : int
        Rank: 1 is the nearest, 2 the second nearest.

    Returns
    -------
    index : numpy.ndarray of int, shape (n,)
        Index into the others, -1 where there are fewer than k.
    separation : numpy.ndarray, shape (n,)
        Angle, arcsec; NaN where there are fewer than k.
    """
    here = unit_vectors(ra, dec)
    others = unit_vectors(ra_others, dec_others)
    if len(here) == 0 or len(others) < k:
        return np.full(len(here), -1, np.int64), np.full(len(here), np.nan)
    chord, index = cKDTree(others).query(here, k=[k])
    return np.asarray(index[:, 0], np.int64), _arcsec_of_chord(chord[:, 0])


def nearest_neighbour(ra: ArrayLike, dec: ArrayLike) -> FloatArray:
    """Return the distance to the nearest other position of the same list.

    Parameters
    ----------
    ra, dec : array_like, shape (n,)
        Positions, degrees.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Angle, arcsec; NaN for a list of one.
    """
    return nearest(ra, dec, ra, dec, k=2)[1]


def pairs_within(
    ra: ArrayLike, dec: ArrayLike, ra_others: ArrayLike, dec_others: ArrayLike, radius: float
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return all pairs of two lists closer than a radius.

    Parameters
    ----------
    ra, dec : array_like, shape (n,)
        Positions, degrees.
    ra_others, dec_others : array_like, shape (m,)
        The other positions, degrees.
    radius : float
        Largest angle, arcsec, inclusive.

    Returns
    -------
    i, j : numpy.ndarray of int
        Indices into the first and second list, ordered by i, then j.
    separation : numpy.ndarray
        Angle, arcsec.
    """
    here, others = unit_vectors(ra, dec), unit_vectors(ra_others, dec_others)
    if len(here) == 0 or len(others) == 0:
        empty = np.empty(0, np.int64)
        return empty, empty, np.empty(0)
    # a hair wider, then cut on the angle itself, so that "inclusive" does not hang on rounding
    chord = _chord_of_arcsec(radius) * (1 + 1e-12) + 1e-15
    found = cKDTree(here).sparse_distance_matrix(cKDTree(others), chord, output_type="ndarray")
    order = np.lexsort((found["j"], found["i"]))
    return found["i"][order], found["j"][order], _arcsec_of_chord(found["v"][order])


def offsets(ra0: ArrayLike, dec0: ArrayLike, ra: ArrayLike, dec: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return tangent-plane offsets of positions from others.

    Parameters
    ----------
    ra0, dec0 : array_like
        Origin, degrees.
    ra, dec : array_like
        Position, degrees; within 90° of the origin.

    Returns
    -------
    east, north : numpy.ndarray
        Gnomonic offsets, arcsec.
    """
    lat0, lat = np.deg2rad(np.asarray(dec0, float)), np.deg2rad(np.asarray(dec, float))
    dlon = np.deg2rad(np.asarray(ra, float) - np.asarray(ra0, float))
    depth = np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(dlon)
    east = np.cos(lat) * np.sin(dlon) / depth
    # the plain difference of products loses digits near zero; this form does not
    north = (np.sin(lat - lat0) + 2 * np.sin(lat0) * np.cos(lat) * np.sin(dlon / 2) ** 2) / depth
    return np.asarray(east * ARCSEC_PER_RADIAN), np.asarray(north * ARCSEC_PER_RADIAN)


def iau_name(prefix: str, ra: ArrayLike, dec: ArrayLike) -> NDArray[np.object_]:
    """Return IAU-style names: coordinates truncated, not rounded, to 0.1 s and 1″.

    Parameters
    ----------
    prefix : str
        Put before the J; a blank is added where it is not empty.
    ra, dec : array_like, shape (n,)
        Position, degrees.

    Returns
    -------
    numpy.ndarray of str, shape (n,)
        For example ``J031845.2-363712``.
    """
    # 1e-6: a coordinate printed with few decimals must not fall one unit short
    tenths = np.floor(np.asarray(ra, float) % 360 / 15 * 36000 + 1e-6).astype(np.int64) % 864000
    dec = np.asarray(dec, float)
    arcsec = np.floor(np.abs(dec) * 3600 + 1e-6).astype(np.int64)
    sign = np.where(np.signbit(dec), "-", "+")
    start = f"{prefix} J" if prefix else "J"
    hours, minutes, seconds, tenth = tenths // 36000, tenths // 600 % 60, tenths // 10 % 60, tenths % 10
    degrees, arcmin, rest = arcsec // 3600, arcsec // 60 % 60, arcsec % 60
    columns = (part.ravel() for part in (hours, minutes, seconds, tenth, sign, degrees, arcmin, rest))
    names = [
        f"{start}{h:02d}{m:02d}{s:02d}.{t}{sg}{d:02d}{am:02d}{r:02d}"
        for h, m, s, t, sg, d, am, r in zip(*columns, strict=True)
    ]
    return np.array(names, dtype=object)
