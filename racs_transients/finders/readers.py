"""Reading tables of any kind: FITS, VOTable, Selavy's and PyBDSF's text, CSV; told apart by their content."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.parsers.expat import ExpatError

import numpy as np
import pandas as pd
from astropy.io.votable import parse_single_table
from astropy.table import Table

from racs_transients.errors import SourceFinderError
from racs_transients.image import quiet_fits

_GZIP = b"\x1f\x8b"
_SEPARATORS = ",;\t|"


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """A table as its file has it.

    Parameters
    ----------
    rows : pandas.DataFrame
        The columns under the file's names.
    units : dict
        Column to the unit that the file states.
    """

    rows: pd.DataFrame
    units: dict[str, str]


def read_table(path: Path) -> RawTable:
    """Read a table.

    Parameters
    ----------
    path : pathlib.Path
        FITS, VOTable, fixed-width text with names and units behind ``#`` as Selavy writes it, text with a
        commented header as PyBDSF writes it, or values separated by commas, semicolons, tabs or bars;
        compressed with gzip or not.

    Returns
    -------
    RawTable
        Rows and units.

    Raises
    ------
    SourceFinderError
        If the file cannot be read.
    """
    if not path.exists():
        raise SourceFinderError(f"There is no source list {path}.")
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content.startswith(_GZIP) else content
        table = _parsed(content, path)
    except SourceFinderError:
        raise
    except (OSError, EOFError, ValueError, IndexError, KeyError, TypeError, zlib.error, ExpatError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SourceFinderError(f"{path} cannot be read as a source list: {reason}.") from error
    # CASDA puts col_ before each name in its VOTables
    names = {name: str(name).strip().removeprefix("col_") for name in table.rows.columns}
    return RawTable(table.rows.rename(columns=names), {names[name]: unit for name, unit in table.units.items()})


def _parsed(content: bytes, path: Path) -> RawTable:
    if content.startswith(b"SIMPLE"):
        with quiet_fits():
            return _from_astropy(Table.read(io.BytesIO(content), format="fits"))
    if b"<VOTABLE" in content[:2000].upper():
        with quiet_fits():
            return _from_astropy(parse_single_table(io.BytesIO(content)).to_table(use_names_over_ids=True))
    lines = content.decode("utf-8").splitlines()
    if not lines:
        raise ValueError("it is empty")
    return _selavy_text(lines, path) if _is_selavy_text(lines) else _separated(lines)


def _from_astropy(table: Table) -> RawTable:
    units = {name: str(table[name].unit) for name in table.colnames if table[name].unit is not None}
    flat = [name for name in table.colnames if table[name].ndim == 1]
    return RawTable(pd.DataFrame({name: np.asarray(table[name].tolist(), dtype=object) for name in flat}), units)


def _is_selavy_text(lines: Sequence[str]) -> bool:
    return len(lines) > 1 and lines[0].startswith("#") and "island_id" in lines[0].split() and lines[1].startswith("#")


def _selavy_text(lines: Sequence[str], path: Path) -> RawTable:
    """Read Selavy's fixed-width text: names in the first line, units in the second."""
    names = lines[0].lstrip("#").split()
    # the last column, a comment, may hold blanks or nothing
    wanted = len(names) - 1
    rows = [line.split(None, wanted)[:wanted] for line in lines[2:] if line.strip() and not line.startswith("#")]
    short = next((number for number, row in enumerate(rows, 3) if len(row) < wanted), None)
    if short is not None:
        raise SourceFinderError(f"{path}: line {short} has fewer than {wanted} values; is the file truncated?")
    return RawTable(pd.DataFrame(rows, columns=names[:wanted]), _unit_by_position(lines[0], lines[1], names))


def _unit_by_position(header: str, unit_line: str, names: Sequence[str]) -> dict[str, str]:
    units, start = {}, 0
    for name in names:
        end = header.index(name, start) + len(name)
        found = unit_line[start + 1 : end].strip(" []#")
        if found and found != "--":
            units[name] = found
        start = end
    return units


def _separated(lines: Sequence[str]) -> RawTable:
    """Read values with a separator, below a line of names that may be the last of the comments before them."""
    filled = [line for line in lines if line.strip()]
    first = next((number for number, line in enumerate(filled) if not line.startswith("#")), len(filled))
    comments, rest = filled[:first], filled[first:]
    separator = max(_SEPARATORS, key=(rest or comments)[0].count)
    blanks = (rest or comments)[0].count(separator) == 0
    names = _fields(comments[-1].lstrip("#"), separator, blanks) if comments else []
    if not rest or len(names) != len(_fields(rest[0], separator, blanks)):
        names = []
    rows = pd.read_csv(
        io.StringIO("\n".join(rest)),
        sep=r"\s+" if blanks else separator,
        names=names or None,
        header=None if names else 0,
        comment="#",
        skipinitialspace=True,
        index_col=False,
    )
    return RawTable(rows, {})


def _fields(line: str, separator: str, blanks: bool) -> list[str]:
    return line.split() if blanks else [name.strip() for name in line.split(separator)]
