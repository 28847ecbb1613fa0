"""Readers of source lists: Aegean tables, and Selavy components as text, CASDA CSV or VOTable."""

from __future__ import annotations

import gzip
import logging
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from xml.parsers.expat import ExpatError

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.io.votable import parse_single_table
from astropy.table import Table

from racs_transients.errors import SourceFinderError
from racs_transients.finders.base import canonical_sources
from racs_transients.image import Image, quiet_fits
from racs_transients.noise import NoiseMaps

logger = logging.getLogger(__name__)

_ROLES = (
    "island_id", "ra", "dec", "flux_peak", "finder_flux_peak_err", "flux_int", "finder_flux_int_err",
    "major", "minor", "pa", "finder_flags", "rms",
)  # fmt: skip
_UNITS = MappingProxyType(
    {
        "ra": "deg", "dec": "deg", "pa": "deg", "major": "arcsec", "minor": "arcsec",
        "flux_peak": "mJy", "finder_flux_peak_err": "mJy",
        "flux_int": "mJy", "finder_flux_int_err": "mJy", "rms": "mJy",
    }
)  # fmt: skip
# Columns and units (where the file states none) of each format, in the order of _ROLES.
_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "aegean": (
            "island", "ra", "dec", "peak_flux", "err_peak_flux", "int_flux", "err_int_flux",
            "a", "b", "pa", "flags", "local_rms",
        ),
        "selavy": (
            "island_id", "ra_deg_cont", "dec_deg_cont", "flux_peak", "flux_peak_err", "flux_int", "flux_int_err",
            "maj_axis", "min_axis", "pos_ang", "flag_c4", "rms_image",
        ),
    }
)  # fmt: skip
_FLUX_UNIT = MappingProxyType({"aegean": "Jy", "selavy": "mJy"})
_PER_BEAM = re.compile(r"\s*(/\s*beam|[ .]?beam(-1|\^-1|\*\*-1))\s*", re.IGNORECASE)
_REQUIRED = ("ra", "dec", "flux_peak", "flux_int", "major", "minor", "pa")


def read_source_list(
    path: Path, image: Image, noise: NoiseMaps, *, kind: str | None = None, flux_error: float = 0.0
) -> pd.DataFrame:
    """Read a supplied source list of the image.

    Parameters
    ----------
    path : pathlib.Path
        Aegean table (CSV, VOTable, FITS) or Selavy components (text, CASDA CSV or VOTable).
    image : Image
        The image they were found in.
    noise : NoiseMaps
        Its noise.
    kind : {"aegean", "selavy"}, optional
        Detected from the columns by default.
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
    raw = read_raw_list(path, kind)
    bad = raw[list(_REQUIRED)].isna().any(axis=1)
    if bad.any():
        raise SourceFinderError(
            f"{path}: {bad.sum()} sources have no position, flux or size, the first is row {bad.argmax() + 1}."
        )
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


def read_raw_list(path: Path, kind: str | None = None) -> pd.DataFrame:
    """Read a source list into common names and units (mJy, arcsec, degrees).

    Parameters
    ----------
    path : pathlib.Path
        The file.
    kind : {"aegean", "selavy"}, optional
        Expected format; what the columns say wins, with a warning.

    Returns
    -------
    pandas.DataFrame
        Columns as `canonical_sources` takes them.

    Raises
    ------
    SourceFinderError
        If the file cannot be read or lacks columns.
    """
    table, units = _read_any(path)
    found = _detect(path, table)
    if kind is not None and kind != found:
        # both documented ini files say aegean of lists that Selavy wrote
        logger.warning("%s is a list by %s, not %s, and is read as such", path.name, found, kind)
    kind = found
    names = dict(zip(_ROLES, _COLUMNS[kind], strict=True))
    absent = [names[role] for role in _REQUIRED if names[role] not in table]
    if absent:
        raise SourceFinderError(f"{path} lacks the columns {', '.join(absent)} of a list by {kind}.")
    columns = {
        role: _convert(table[name], units.get(name) or _default_unit(role, kind), role, path)
        for role, name in names.items()
        if name in table
    }
    raw = pd.DataFrame(columns).reset_index(drop=True)
    return _mended(raw, path)


def _mended(raw: pd.DataFrame, path: Path) -> pd.DataFrame:
    islands = raw["island_id"] if "island_id" in raw else pd.Series(np.arange(len(raw)))
    no_total = raw["flux_int"] == 0
    if no_total.any():
        logger.warning("%s: %d sources have integrated flux 0; their peak is taken", path.name, no_total.sum())
    errors = ["finder_flux_peak_err", "finder_flux_int_err"]
    return raw.assign(
        island_id=pd.factorize(islands, sort=True)[0] + 1,
        flux_int=raw["flux_int"].where(~no_total, raw["flux_peak"]),
        finder_flags=raw.get("finder_flags", 0),
        pa=raw["pa"] % 180,
        # Aegean writes −1 for an error that it could not compute
        **{name: raw[name].where(raw[name] > 0) if name in raw else np.nan for name in errors},
    )


def _default_unit(role: str, kind: str) -> str:
    unit = _UNITS.get(role, "")
    return _FLUX_UNIT[kind] if unit == "mJy" else unit


def _convert(values: pd.Series, unit: str, role: str, path: Path) -> pd.Series:
    if role == "island_id":
        return values.astype("str")
    numbers: pd.Series = pd.to_numeric(values, errors="coerce")
    target = _UNITS.get(role)
    if target is None:
        return numbers.fillna(0).astype("int64")
    try:
        # a brightness per beam is compared in its numerator; beams cancel
        factor: float = u.Unit(_PER_BEAM.sub("", unit).strip()).to(target)
    except (ValueError, TypeError) as error:
        raise SourceFinderError(f"{path}: column for {role} is in {unit!r}, which is no {target}.") from error
    return numbers * factor


def _detect(path: Path, table: pd.DataFrame) -> str:
    for kind in ("aegean", "selavy"):
        if {_COLUMNS[kind][3], _COLUMNS[kind][1]} <= set(table.columns):
            return kind
    raise SourceFinderError(
        f"{path} is neither an Aegean nor a Selavy list: it has no column peak_flux or flux_peak beside its positions."
    )


def _read_any(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return a table and the units that the file states."""
    if not path.exists():
        raise SourceFinderError(f"There is no source list {path}.")
    suffixes = [s.lower() for s in path.suffixes]
    suffix = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else (suffixes or [""])[-1]
    reader = {".xml": _read_votable, ".vot": _read_votable, ".fits": _read_fits, ".txt": _read_text}.get(
        suffix, _read_csv
    )
    try:
        table, units = reader(path)
    except SourceFinderError:
        raise
    except (OSError, EOFError, ValueError, IndexError, KeyError, TypeError, zlib.error, ExpatError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SourceFinderError(f"{path} cannot be read as a source list: {reason}.") from error
    # CASDA puts col_ before each name in its VOTables
    strip = {name: name.removeprefix("col_") for name in table.columns}
    return table.rename(columns=strip), {strip[name]: unit for name, unit in units.items()}


def _read_csv(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    return pd.read_csv(path), {}


def _read_text(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read Selavy's fixed-width text: names in the first line, units in the second."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as stream:
        lines = stream.read().splitlines()
    if len(lines) < 2 or not all(line.startswith("#") for line in lines[:2]):
        raise SourceFinderError(f"{path} is no Selavy component list: its first two lines should hold names and units.")
    names = lines[0].lstrip("#").split()
    # the last column, a comment, may hold blanks or nothing
    wanted = len(names) - 1
    rows = [line.split(None, wanted)[:wanted] for line in lines[2:] if line.strip() and not line.startswith("#")]
    short = next((number for number, row in enumerate(rows, 3) if len(row) < wanted), None)
    if short is not None:
        raise SourceFinderError(f"{path}: line {short} has fewer than {wanted} values; is the file truncated?")
    return pd.DataFrame(rows, columns=names[:wanted]), _unit_by_position(lines[0], lines[1], names)


def _unit_by_position(header: str, unit_line: str, names: list[str]) -> dict[str, str]:
    units, start = {}, 0
    for name in names:
        at = header.index(name, start)
        end = at + len(name)
        found = unit_line[start + 1 : end].strip(" []#")
        if found and found != "--":
            units[name] = found.strip("[]")
        start = end
    return units


def _read_votable(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    with quiet_fits():
        table = parse_single_table(path).to_table(use_names_over_ids=True)
    return _from_astropy(table)


def _read_fits(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    with quiet_fits():
        return _from_astropy(Table.read(path, format="fits"))


def _from_astropy(table: Table) -> tuple[pd.DataFrame, dict[str, str]]:
    units = {name: str(table[name].unit) for name in table.colnames if table[name].unit is not None}
    return pd.DataFrame({name: np.asarray(table[name].tolist(), dtype=object) for name in table.colnames}), units
