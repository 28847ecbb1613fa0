"""Supplied source lists: Aegean, Selavy, PyBDSF or any table whose columns are named, in the schema's units."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.coordinates import Angle

from racs_transients.errors import SourceFinderError
from racs_transients.finders.base import canonical_sources
from racs_transients.finders.islands import components_of, island_names
from racs_transients.finders.readers import RawTable, read_table
from racs_transients.image import Image
from racs_transients.list_formats import (
    FORMATS,
    REQUIRED,
    ROLES,
    SHAPE,
    ListFormat,
    absent_columns,
    detect,
    own_format,
)
from racs_transients.noise import NoiseMaps

logger = logging.getLogger(__name__)

_PER_BEAM = re.compile(r"\s*(/\s*beam|[ .]?beam(-1|\^-1|\*\*-1))\s*", re.IGNORECASE)
# Units of positions as text, and how hours are written
_SEXAGESIMAL = {"hms": u.hourangle, "dms": u.deg}
_HOURS = frozenset({"h", "hr", "hour", "hours"})
# What needs no statement: everybody writes it in degrees
_DEGREES = frozenset({"ra", "dec", "pa"})


@dataclass(frozen=True, slots=True)
class ListSource:
    """A supplied list and what is said of it.

    Parameters
    ----------
    path : pathlib.Path
        The list.
    kind : {"aegean", "selavy", "pybdsf"}, optional
        Expected format; what the columns say wins, with a warning.
    columns : str, optional
        Names and units of the columns of any other table, as `formats.own_format` takes them.
    islands : pathlib.Path, optional
        Island list; without it the components of an island are counted in the list itself.
    """

    path: Path
    kind: str | None = None
    columns: str | None = None
    islands: Path | None = None


def read_source_list(source: ListSource, image: Image, noise: NoiseMaps, *, flux_error: float = 0.0) -> pd.DataFrame:
    """Read a supplied source list of the image.

    Parameters
    ----------
    source : ListSource
        The list.
    image : Image
        The image they were found in.
    noise : NoiseMaps
        Its noise.
    flux_error : float
        Fractional error of the flux scale.

    Returns
    -------
    pandas.DataFrame
        ``schema.SOURCES``, only sources on valid pixels of the image.

    Raises
    ------
    SourceFinderError
        If the file cannot be read, lacks columns, or has no source on the image.
    """
    path, raw = source.path, read_raw_list(source)
    if raw[list(SHAPE)].isna().all(axis=None) and len(raw):
        logger.info("%s has no sizes: its sources are taken as unresolved", path.name)
        beam = image.beam
        raw = raw.assign(major=beam.major, minor=beam.minor, pa=beam.pa % 180)
    bad = raw[[*REQUIRED, *SHAPE]].isna().any(axis=1)
    if bad.any():
        raise SourceFinderError(
            f"{path}: {bad.sum()} sources have no position, flux or size, the first is row {bad.argmax() + 1}."
        )
    # the second of two would be matched with nothing, and so look new
    repeated = raw.duplicated(list(REQUIRED))
    if repeated.any():
        logger.warning("%s: %d sources are repeated and taken once", path.name, repeated.sum())
    raw = raw[~repeated]
    _, rms = noise.at(image, raw["ra"], raw["dec"])
    inside = np.isfinite(rms)
    if not inside.any():
        raise SourceFinderError(
            f"None of the {len(raw)} sources of {path} lies on {image.path.name}; is it the list of another image, "
            "or is its right ascension in hours?"
        )
    if not inside.all():
        logger.warning(
            "%s: %d of %d sources lie outside the image and are left out", path.name, (~inside).sum(), len(raw)
        )
    return canonical_sources(raw[inside], image, noise, flux_error=flux_error)


def read_raw_list(source: ListSource) -> pd.DataFrame:
    """Read a source list into common names and units (mJy, arcsec, degrees).

    Parameters
    ----------
    source : ListSource
        The list.

    Returns
    -------
    pandas.DataFrame
        Columns as `canonical_sources` takes them; no sizes where the list has none.

    Raises
    ------
    SourceFinderError
        If the file cannot be read, or lacks columns or units.
    """
    path, table = source.path, read_table(source.path)
    format_ = own_format(source.columns) if source.columns else _detected(path, table, source.kind)
    error = absent_columns(format_, table.rows.columns, path)
    if error is not None:
        raise error
    columns = {
        role: _convert(table, name, role, format_, path)
        for role, name in format_.columns.items()
        if name in table.rows.columns
    }
    raw = _mended(pd.DataFrame(columns).reset_index(drop=True), path)
    if source.islands is not None:
        if "island_id" not in columns:
            raise SourceFinderError(f"{path} does not say which island a source is in; leave {source.islands} out.")
        raw = raw.assign(island_components=components_of(raw["island_id"], source.islands, path.name))
    return raw.assign(island_id=pd.factorize(raw["island_id"], sort=True)[0] + 1)


def _detected(path: Path, table: RawTable, kind: str | None) -> ListFormat:
    found = detect(table.rows.columns)
    if found is None:
        raise SourceFinderError(
            f"{path} is no list by {', '.join(FORMATS)}; name its columns with --askap-columns. "
            f"It has {', '.join(map(str, table.rows.columns))}."
        )
    if kind is not None and kind != found.name:
        # both documented ini files say aegean of lists that Selavy wrote
        logger.warning("%s is a list by %s, not %s, and is read as such", path.name, found.name, kind)
    return found


def _mended(raw: pd.DataFrame, path: Path) -> pd.DataFrame:
    no_total = raw["flux_int"] == 0
    if no_total.any():
        logger.warning("%s: %d sources have integrated flux 0; their peak is taken", path.name, no_total.sum())
    errors = ["finder_flux_peak_err", "finder_flux_int_err"]
    raw = raw.assign(**{role: raw.get(role, np.nan) for role in SHAPE})
    return raw.assign(
        island_id=raw.get("island_id", pd.Series(np.arange(len(raw)))),
        flux_int=raw["flux_int"].where(~no_total, raw["flux_peak"]),
        finder_flags=raw.get("finder_flags", 0),
        pa=raw["pa"] % 180,
        # Aegean writes −1 for an error that it could not compute
        **{name: raw[name].where(raw[name] > 0) if name in raw else np.nan for name in errors},
    )


def _convert(table: RawTable, name: str, role: str, format_: ListFormat, path: Path) -> pd.Series:
    """Return a column in the unit of its role."""
    values, target = table.rows[name], ROLES[role]
    if role == "island_id":
        return island_names(values)
    if not target:
        return pd.to_numeric(values, errors="coerce").fillna(0).astype("int64")
    unit = _unit(table, name, role, format_, path)
    if unit in _SEXAGESIMAL:
        return _angles(values, unit, name, path)
    numbers: pd.Series = pd.to_numeric(values, errors="coerce")
    if len(numbers) and numbers.isna().all() and values.notna().any():
        hint = f"; write {role} = {name} [{'hms' if role == 'ra' else 'dms'}]" if role in ("ra", "dec") else ""
        raise SourceFinderError(
            f"{path}: the column {name} holds no numbers but {values.dropna().iloc[0]!r}{hint or '.'}"
        )
    try:
        # a brightness per beam is compared in its numerator; beams cancel
        factor: float = u.Unit(_PER_BEAM.sub("", unit).strip()).to(target)
    except (ValueError, TypeError) as error:
        raise SourceFinderError(
            f"{path}: the column {name} ({role}) is in {unit!r}, which cannot be turned into {target}."
        ) from error
    return numbers * factor


def _unit(table: RawTable, name: str, role: str, format_: ListFormat, path: Path) -> str:
    """Return the unit of a column: a user's own word, else the file's, else the format's."""
    stated = table.units.get(name)
    if format_.name in FORMATS:
        return stated or format_.units[role]
    unit = format_.units.get(role) or stated or ("deg" if role in _DEGREES else None)
    if unit is None:
        raise SourceFinderError(
            f"{path} does not state the unit of {name}; write it in --askap-columns: {role} = {name} [{ROLES[role]}]."
        )
    return "hourangle" if role == "ra" and unit.lower() in _HOURS else unit


def _angles(values: pd.Series, unit: str, name: str, path: Path) -> pd.Series:
    try:
        return pd.Series(Angle(values.astype("str").tolist(), unit=_SEXAGESIMAL[unit]).deg, index=values.index)
    except ValueError as error:
        raise SourceFinderError(
            f"{path}: the column {name} is not written as {unit}: {str(error).splitlines()[0]}"
        ) from error
