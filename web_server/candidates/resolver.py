"""Positions of named sources, from the Sesame service, when somebody asks for it."""

from __future__ import annotations

from hashlib import sha256
from http.client import HTTPException

from astropy.coordinates.name_resolve import NameResolveError, get_icrs_coordinates, sesame_url
from astropy.utils.data import conf
from django.conf import settings
from django.core.cache import cache

TIMEOUT = 5
_KEPT = 86400


class UnknownNameError(Exception):
    """There is no position; the text says why."""


def resolve(name: str) -> tuple[float, float]:
    """Return the position of a named source; an answer is kept for a day.

    Parameters
    ----------
    name : str
        As SIMBAD, NED or VizieR know it.

    Returns
    -------
    ra, dec : float
        ICRS, degrees.

    Raises
    ------
    UnknownNameError
        If the service does not know it, or cannot be reached.
    """
    # what a cache's key may hold is less than what a name may
    key = f"position-{sha256(name.encode()).hexdigest()}"
    known: tuple[float, float] | None = cache.get(key)
    if known is not None:
        return known
    # the same for every thread, so nothing is put back
    sesame_url.set([settings.SESAME_URL])
    try:
        with conf.set_temp("remote_timeout", TIMEOUT):
            place = get_icrs_coordinates(name)
    except (NameResolveError, HTTPException, OSError) as error:
        words = str(error)
        if "Unable to find coordinates" in words:
            raise UnknownNameError(f"SIMBAD, NED and VizieR know no “{name}”; give its position.") from error
        raise UnknownNameError(
            f"The name service Sesame does not answer, so “{name}” cannot be looked up; give its position."
        ) from error
    found = (float(place.ra.deg), float(place.dec.deg))
    cache.set(key, found, _KEPT)
    return found
