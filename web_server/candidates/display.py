"""How values are shown: positions, numbers, headings and links; the values themselves never change."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from racs_transients.schema import CROSSMATCHES, Column

COLUMNS = {column.name: column for column in CROSSMATCHES}
SIDES = (("askap_", "ASKAP image compared"), ("native_", "ASKAP at full resolution"), ("ref_", "Survey"))
# What is compared; of a limit, the limit.
_FLUXES = {"flux", "scaled_flux"}
# Shown in words elsewhere on the page.
_ELSEWHERE = {"name", "type", "survey", "ra", "dec", "flag", "flag_bits", "nearest_matches", "is_candidate", "failure"}


def sexagesimal(ra: float, dec: float) -> str:
    """Return a position in hours and degrees.

    Parameters
    ----------
    ra, dec : float
        Degrees.

    Returns
    -------
    str
        To 0.01 s and 0.1″; rounding carries over.
    """
    # whole units of the last digit, so that no 60 seconds appear
    hundredths = round(ra % 360 / 15 * 360000) % (24 * 360000)
    seconds, hundredth = divmod(hundredths, 100)
    tenths = round(abs(dec) * 36000)
    arcseconds, tenth = divmod(tenths, 10)
    sign = "-" if dec < 0 and tenths else "+"
    return (
        f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{hundredth:02d} "
        f"{sign}{arcseconds // 3600:02d}:{arcseconds // 60 % 60:02d}:{arcseconds % 60:02d}.{tenth}"
    )


def number(value: Any, digits: int = 4) -> str:
    """Return a value as people read it.

    Parameters
    ----------
    value : float, int, bool, str or None
        The value.
    digits : int
        Significant digits of a float.

    Returns
    -------
    str
        A dash where it is missing.
    """
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    before = math.floor(math.log10(abs(value))) + 1
    if before > 7 or before < -3:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{max(digits - before, 0)}f}"


def text_of(row: Any, column: Column) -> str:
    """Return a value of a record as people read it: positions to 0.01″, times to 9 s, limits with their sign.

    Parameters
    ----------
    row : django.db.models.Model
        The record.
    column : Column
        Of the schema.

    Returns
    -------
    str
        The text.
    """
    value = getattr(row, column.name)
    is_position = column.unit == "deg" and column.ucd.startswith(("pos.eq", "pos.galactic"))
    # four digits of an MJD would be another day
    decimals = 6 if is_position else 4 if column.ucd == "time.epoch" else None
    text = number(value) if decimals is None or not isinstance(value, float) else f"{value:.{decimals}f}"
    return f"{limit_sign(row, column.name)}{text}"


def limit_sign(row: Any, name: str) -> str:
    """Return what stands before a value that nobody measured but that bounds it.

    Parameters
    ----------
    row : django.db.models.Model
        The record.
    name : str
        Of its column.

    Returns
    -------
    str
        ``≥`` before the ratio where it is a lower limit, ``<`` before the flux densities of a side that has an upper
        limit, each with a blank; else empty.
    """
    if name == "ratio":
        return "≥ " if row.ratio_is_limit else ""
    side, _, what = name.partition("_")
    return "< " if what in _FLUXES and getattr(row, f"{side}_origin", "") == "limit" else ""


def heading(column: Column) -> str:
    """Return the heading of a column.

    Parameters
    ----------
    column : Column
        Of the schema.

    Returns
    -------
    str
        Its name in words, with the unit.
    """
    bare = column.name.removesuffix("_abs")
    words = bare.replace("ref_", "survey ").replace("askap_", "ASKAP ").replace("_", " ")
    words = f"|{words}|" if bare != column.name else words
    return f"{words} ({column.unit})" if column.unit else words


def tooltip(column: Column) -> str:
    """Return what a column means.

    Parameters
    ----------
    column : Column
        Of the schema.

    Returns
    -------
    str
        The description, with the unit.
    """
    return f"{column.description} ({column.unit})" if column.unit else column.description


@dataclass(frozen=True, slots=True)
class Value:
    """A number of the source page.

    Parameters
    ----------
    name : str
        Of its column, or of what the sides have in common.
    unit : str
        Its unit.
    tooltip : str
        What it means.
    texts : tuple of str
        Its value, or that of each side.
    """

    name: str
    unit: str
    tooltip: str
    texts: tuple[str, ...]


def comparison_values(row: Any) -> list[Value]:
    """Return the values of a row that belong to no side.

    Parameters
    ----------
    row : Crossmatch
        The row.

    Returns
    -------
    list of Value
        In the order of the schema.
    """
    prefixes = tuple(prefix for prefix, _ in SIDES)
    return [
        Value(column.name, column.unit, tooltip(column), (text_of(row, column),))
        for column in CROSSMATCHES
        if not column.name.startswith(prefixes) and column.name not in _ELSEWHERE
    ]


def side_values(row: Any) -> list[Value]:
    """Return the values of the sides beside each other.

    Parameters
    ----------
    row : Crossmatch
        The row.

    Returns
    -------
    list of Value
        One for each name that a side has; those without any value are left out.
    """
    values = []
    for name in _bare_names(prefix for prefix, _ in SIDES):
        columns = [COLUMNS.get(prefix + name) for prefix, _ in SIDES]
        texts = tuple(text_of(row, column) if column else "" for column in columns)
        known = next(column for column in columns if column)
        if any(text not in ("", "–", "0") for text in texts):
            description = known.description.rpartition(", ")[0] or known.description
            values.append(Value(name, known.unit, description, texts))
    return values


def _bare_names(prefixes: Iterable[str]) -> list[str]:
    """Return the names of the sides' columns without prefix, each once, in the order of the schema."""
    starts = tuple(prefixes)
    names: dict[str, None] = {}
    for column in CROSSMATCHES:
        prefix = next((p for p in starts if column.name.startswith(p)), None)
        if prefix:
            names[column.name.removeprefix(prefix)] = None
    return list(names)
