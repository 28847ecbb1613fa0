"""Tables as the schema states them: made, checked, written and read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.table import MaskedColumn, Table

from racs_transients.errors import SchemaError
from racs_transients.schema import Column

_PANDAS_TYPES = {"float": "float64", "int": "Int64", "str": "str", "bool": "bool"}


def conform(frame: pd.DataFrame, columns: Iterable[Column]) -> pd.DataFrame:
    """Return a table with exactly the stated columns, in order and type; absent ones are missing values.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any table.
    columns : iterable of Column
        What the result must have.

    Returns
    -------
    pandas.DataFrame
        A new table with a fresh index.

    Raises
    ------
    SchemaError
        If the table has a column that is not stated, or values of another type.
    """
    columns = tuple(columns)
    unknown = sorted(set(frame.columns) - {c.name for c in columns})
    if unknown:
        raise SchemaError(f"The table has columns that the schema does not state: {', '.join(unknown)}.")
    return pd.DataFrame({c.name: _cast(frame, c) for c in columns})


def _cast(frame: pd.DataFrame, column: Column) -> pd.Series:
    dtype: Any = _PANDAS_TYPES[column.dtype]
    if column.name not in frame:
        default = False if column.dtype == "bool" else (np.nan if column.dtype == "float" else pd.NA)
        return pd.Series(default, index=range(len(frame)), dtype=dtype)
    values = frame[column.name].reset_index(drop=True)
    try:
        if column.dtype == "bool":
            return values.astype("boolean").fillna(False).astype("bool")
        return values.astype(dtype)
    except (TypeError, ValueError) as error:
        raise SchemaError(f"Column {column.name} should hold {column.dtype} values: {error}.") from error


def empty(columns: Iterable[Column]) -> pd.DataFrame:
    """Return a table without rows that has the stated columns.

    Parameters
    ----------
    columns : iterable of Column
        The columns.

    Returns
    -------
    pandas.DataFrame
        No rows.
    """
    return conform(pd.DataFrame(), columns)


def stack(frames: Sequence[pd.DataFrame], columns: Iterable[Column]) -> pd.DataFrame:
    """Return tables of the same columns below each other, with a fresh index.

    Parameters
    ----------
    frames : sequence of pandas.DataFrame
        Tables, each conforming to `columns`.
    columns : iterable of Column
        The columns.

    Returns
    -------
    pandas.DataFrame
        All rows.
    """
    filled = [frame for frame in frames if len(frame)]
    return conform(pd.concat(filled, ignore_index=True), columns) if filled else empty(columns)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as plain CSV with one header row; floats keep all their digits.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    path : pathlib.Path
        File to write.
    """
    frame.to_csv(path, index=False, lineterminator="\n")


def read_csv(path: Path, columns: Iterable[Column]) -> pd.DataFrame:
    """Read a table that `write_csv` wrote.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    columns : iterable of Column
        The columns it must have.

    Returns
    -------
    pandas.DataFrame
        The table.

    Raises
    ------
    SchemaError
        If a column is absent, unknown or of another type.
    """
    columns = tuple(columns)
    strings = {c.name: "str" for c in columns if c.dtype == "str"}
    frame = pd.read_csv(path, dtype=strings, keep_default_na=False, na_values=[""])
    absent = [c.name for c in columns if c.name not in frame]
    if absent:
        raise SchemaError(f"{path} lacks the columns {', '.join(absent)}; was it written by another version?")
    return conform(frame, columns)


def to_astropy(frame: pd.DataFrame, columns: Iterable[Column]) -> Table:
    """Return a table with units, UCDs and descriptions.

    Parameters
    ----------
    frame : pandas.DataFrame
        A table that conforms to `columns`.
    columns : iterable of Column
        The columns.

    Returns
    -------
    astropy.table.Table
        The same rows.
    """
    table = Table()
    for column in columns:
        table[column.name] = _masked(frame[column.name], column)
        table[column.name].meta["ucd"] = column.ucd
    return table


def _masked(values: pd.Series, column: Column) -> MaskedColumn:
    fill: object = {"float": np.nan, "int": 0, "str": "", "bool": False}[column.dtype]
    kind = {"float": "float64", "int": "int64", "str": "str", "bool": "bool"}[column.dtype]
    missing = values.isna().to_numpy()
    data = values.astype(object).where(~missing, fill).to_numpy().astype(kind)
    # an astropy column of strings without rows needs a width of at least one character
    if column.dtype == "str" and data.dtype.itemsize == 0:
        data = data.astype("U1")
    mask = missing if column.dtype != "float" else np.zeros(len(values), bool)
    return MaskedColumn(data, mask=mask, unit=column.unit or None, description=column.description)


def write_votable(frame: pd.DataFrame, columns: Iterable[Column], path: Path) -> None:
    """Write a VOTable that TOPCAT opens with units and UCDs.

    Parameters
    ----------
    frame : pandas.DataFrame
        A table that conforms to `columns`.
    columns : iterable of Column
        The columns.
    path : pathlib.Path
        File to write.
    """
    from astropy.io.votable import from_table

    columns = tuple(columns)
    votable = from_table(to_astropy(frame, columns))
    ucds = {c.name: c.ucd for c in columns}
    for field in votable.get_first_table().fields:
        field.ucd = ucds[field.name]
    votable.to_xml(str(path))
