"""The one cone search: the same rows on SQLite, PostgreSQL and PostgreSQL with Q3C."""

from __future__ import annotations

import math
from typing import Any

from django.db import connections
from django.db.models import F, Func, Q, QuerySet, Value
from django.db.models.functions import ASin, Cos, Greatest, Least, Power, Radians, Sin, Sqrt

# Q3C before 2.0.4 loses rows of cones near 35°.
MAX_RADIUS = 30.0
# Q3C only chooses the candidates, from a cone that is surely not too small; the haversine decides.
_Q3C_MARGIN = 1e-7


def haversine(ra: float, dec: float) -> Any:
    """Return the expression sin²(θ/2) of the angle θ between a row and a position.

    Parameters
    ----------
    ra, dec : float
        Position, degrees.

    Returns
    -------
    django.db.models.Expression
        Of the columns ``ra`` and ``dec``.

    References
    ----------
    Sinnott 1984, Sky and Telescope 68, 159.
    """
    half_dec = Sin(Radians((F("dec") - Value(dec)) / 2.0))
    half_ra = Sin(Radians((F("ra") - Value(ra)) / 2.0))
    return Power(half_dec, 2.0) + Cos(Radians(F("dec"))) * Value(math.cos(math.radians(dec))) * Power(half_ra, 2.0)


def separation(ra: float, dec: float) -> Any:
    """Return the expression of the angle between a row and a position, degrees.

    Parameters
    ----------
    ra, dec : float
        Position, degrees.

    Returns
    -------
    django.db.models.Expression
        Of the columns ``ra`` and ``dec``.
    """
    # rounding must not leave the domain of the arc sine
    return Func(ASin(Sqrt(Least(Greatest(haversine(ra, dec), 0.0), 1.0))) * 2.0, function="DEGREES")


def cone(ra: float, dec: float, radius: float, using: str = "default") -> Q:
    """Return the condition that a row lies within a radius of a position.

    Parameters
    ----------
    ra, dec : float
        Centre, degrees.
    radius : float
        Degrees, at most `MAX_RADIUS`.
    using : str
        Alias of the database that is asked, which decides whether Q3C helps.

    Returns
    -------
    django.db.models.Q
        For a table with the columns ``ra`` and ``dec``.

    Raises
    ------
    ValueError
        If position or radius are out of range.
    """
    if not (math.isfinite(ra) and -90 <= dec <= 90 and 0 <= radius <= MAX_RADIUS):
        raise ValueError(f"no cone of {radius}° round {ra}°, {dec}°; the largest radius is {MAX_RADIUS:g}°")
    ra %= 360
    limit = math.sin(math.radians(radius) / 2) ** 2
    near = _q3c(ra, dec, radius) if has_q3c(using) else _window(ra, dec, radius)
    # a row at the very centre is at distance 0, whatever rounding makes of it
    return near & Q(_InCone(haversine(ra, dec), limit + 1e-24))


class _InCone(Func):
    """``haversine <= limit`` as a condition."""

    arity = 2
    template = "(%(expressions)s)"
    arg_joiner = " <= "
    conditional = True

    def __init__(self, distance: Any, limit: float) -> None:
        from django.db.models import BooleanField

        super().__init__(distance, Value(limit), output_field=BooleanField())


class _Q3CRadial(Func):
    """Q3C's indexed condition; the columns come first, or the index is not used."""

    function = "q3c_radial_query"
    conditional = True

    def __init__(self, ra: float, dec: float, radius: float) -> None:
        from django.db.models import BooleanField

        super().__init__(F("ra"), F("dec"), Value(ra), Value(dec), Value(radius), output_field=BooleanField())


def _q3c(ra: float, dec: float, radius: float) -> Q:
    return Q(_Q3CRadial(ra, dec, radius + _Q3C_MARGIN))


def _window(ra: float, dec: float, radius: float) -> Q:
    """Return a declination band and a window of right ascension that hold the cone."""
    radius += _Q3C_MARGIN
    band = Q(dec__gte=dec - radius, dec__lte=dec + radius)
    if abs(dec) + radius >= 90:
        return band
    width = math.degrees(math.asin(min(math.sin(math.radians(radius)) / math.cos(math.radians(dec)), 1)))
    low, high = ra - width, ra + width
    if low < 0:
        return band & (Q(ra__gte=low + 360) | Q(ra__lte=high))
    if high >= 360:
        return band & (Q(ra__gte=low) | Q(ra__lte=high - 360))
    return band & Q(ra__gte=low, ra__lte=high)


def has_q3c(using: str = "default") -> bool:
    """Return whether a database has the extension Q3C.

    Parameters
    ----------
    using : str
        Alias of the database.

    Returns
    -------
    bool
        Asked once for each connection.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        return False
    known: bool | None = getattr(connection, "_racs_has_q3c", None)
    if known is None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'q3c'")
            known = cursor.fetchone() is not None
        connection._racs_has_q3c = known  # type: ignore[attr-defined]
    return known


def within(rows: QuerySet[Any], ra: float, dec: float, radius: float) -> QuerySet[Any]:
    """Return the rows of a query within a radius of a position, with their ``distance`` in degrees.

    Parameters
    ----------
    rows : django.db.models.QuerySet
        Of a model with the columns ``ra`` and ``dec``.
    ra, dec : float
        Centre, degrees.
    radius : float
        Degrees.

    Returns
    -------
    django.db.models.QuerySet
        Unordered.
    """
    near: QuerySet[Any] = rows.filter(cone(ra, dec, radius, rows.db)).annotate(distance=separation(ra, dec))
    return near
