"""Positions as people write them."""

from __future__ import annotations

import re
import warnings

from astropy import units as u
from astropy.coordinates import SkyCoord, jparser

# signs that astropy does not read
_SIGNS = str.maketrans({"−": "-", "°": "d", "′": "m", "'": "m", "″": "s", '"': "s", ",": " "})
_DEGREES = re.compile(r"(\d+\.?\d*|\.\d+)d?(?:\s+|(?=[+-]))([+-]?(?:\d+\.?\d*|\.\d+))d?", re.ASCII)

_FIRST = re.compile(r"(\d+\.?\d*)\s*(\D?)", re.ASCII)


def parse_position(text: str) -> tuple[float, float]:
    """Return the position that a text gives.

    Parameters
    ----------
    text : str
        Right ascension and declination: two numbers in degrees (``315.2 -55.1``), hours and degrees
        (``21:00:48 -55:06:00``, ``21h00m48s -55d06m00s``, ``21 00 48 -55 06 00``), or the name of a
        source made of them (``J210048-550600``).

    Returns
    -------
    ra, dec : float
        Degrees.

    Raises
    ------
    ValueError
        If it is no position.
    """
    words = text.translate(_SIGNS).strip()
    degrees = _DEGREES.fullmatch(words)
    if degrees:
        ra, dec = float(degrees[1]), float(degrees[2])
        if ra > 360 or abs(dec) > 90:
            raise ValueError(f"{text!r} is not on the sky")
        return ra % 360, dec
    if words.startswith("-"):
        raise ValueError(f"{text!r} has a negative right ascension")
    first = _FIRST.match(words)
    if first and float(first[1]) >= 24 and first[2] != "d":
        # astropy would wrap it: 187.5 hours are 292.5 degrees
        raise ValueError(f"{text!r} has a right ascension of more than 24 hours")
    place = jparser.to_skycoord(words) if jparser.search(words) else _sexagesimal(words)
    return float(place.ra.deg), float(place.dec.deg)


def parse_galactic(text: str) -> tuple[float, float]:
    """Return the position that Galactic coordinates give.

    Parameters
    ----------
    text : str
        Longitude and latitude, two numbers in degrees.

    Returns
    -------
    ra, dec : float
        ICRS, degrees.

    Raises
    ------
    ValueError
        If it is no position.
    """
    degrees = _DEGREES.fullmatch(text.translate(_SIGNS).strip())
    if degrees is None or float(degrees[1]) > 360 or abs(float(degrees[2])) > 90:
        raise ValueError(f"{text!r} has no longitude and latitude")
    place = SkyCoord(l=float(degrees[1]), b=float(degrees[2]), unit=u.deg, frame="galactic").icrs
    return float(place.ra.deg), float(place.dec.deg)


def _sexagesimal(words: str) -> SkyCoord:
    try:
        with warnings.catch_warnings():
            # astropy would carry 60 minutes to the next hour
            warnings.simplefilter("error")
            return SkyCoord(words, unit=(u.hourangle, u.deg))
    except Exception as error:  # whatever astropy's parsers raise
        raise ValueError(f"{words!r} has no right ascension and declination") from error
