"""Many rows at once: COPY on PostgreSQL, executemany on SQLite."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, Table, text


def allocate_ids(connection: Connection, table: Table, n: int) -> NDArray[np.int64]:
    """Return numbers for rows to be inserted, which no row ever had.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        In a transaction that may write.
    table : sqlalchemy.Table
        A table with a generated primary key ``id``.
    n : int
        How many.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Ascending.
    """
    if n == 0:
        return np.empty(0, np.int64)
    if connection.dialect.name == "sqlite":
        # the transaction holds the write lock, so that nobody else takes them
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
        last = connection.execute(query, {"table": table.name}).scalar() or 0
        return np.arange(last + 1, last + 1 + n, dtype=np.int64)
    query = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :n)")
    taken = connection.execute(query, {"table": table.name, "n": n}).scalars().all()
    return np.sort(np.array(taken, np.int64))


def insert_rows(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """Insert a table; missing numbers become NULL, missing words empty.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        In a transaction.
    table : sqlalchemy.Table
        Where to.
    frame : pandas.DataFrame
        Columns of the table, each present.
    """
    if len(frame) == 0:
        return
    frame = frame.replace([np.inf, -np.inf], np.nan) if _has_infinity(frame) else frame
    frame = frame.assign(**frame.select_dtypes("str").fillna(""))
    if connection.dialect.name == "postgresql":
        _copy(connection, table, frame)
    else:
        _execute_many(connection, table, frame)


def _has_infinity(frame: pd.DataFrame) -> bool:
    return bool(np.isinf(frame.select_dtypes("float").to_numpy(float)).any())


def _copy(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    stream = io.StringIO()
    frame.to_csv(stream, index=False, header=False)
    stream.seek(0)
    # an empty field is NULL in a column of numbers and an empty word in one of words
    words = _names(frame.select_dtypes("str"))
    options = f"FORMAT csv, FORCE_NOT_NULL ({words})" if words else "FORMAT csv"
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.copy_expert(f'COPY "{table.name}" ({_names(frame)}) FROM STDIN ({options})', stream)


def _names(frame: pd.DataFrame) -> str:
    return ", ".join(f'"{name}"' for name in frame.columns)


def _execute_many(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    marks = ", ".join("?" * len(frame.columns))
    # column by column: Python's own numbers, None where missing
    values = [_python_values(frame[name]) for name in frame.columns]
    statement = f'INSERT INTO "{table.name}" ({_names(frame)}) VALUES ({marks})'
    driver: Any = connection.connection.driver_connection
    driver.executemany(statement, zip(*values, strict=True))


def _python_values(column: pd.Series) -> list[Any]:
    missing = column.isna().to_numpy()
    values: list[Any] = column.astype(object).tolist() if missing.any() else column.tolist()
    if missing.any():
        for row in np.flatnonzero(missing):
            values[row] = None
    return values
