"""Many rows at once: binary COPY on PostgreSQL, executemany on SQLite."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, Table, text

ByteArray = NDArray[np.uint8]
# Rows that are encoded together: their bytes stay in the processor's cache.
_CHUNK = 2048


def allocate_ids(connection: Connection, table: Table, n: int) -> NDArray[np.int64]:
    """Return numbers for rows to be inserted, which no row ever had.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        In a transaction that may write, and that nobody else writes beside.
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
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
        last = connection.execute(query, {"table": table.name}).scalar() or 0
        return np.arange(last + 1, last + 1 + n, dtype=np.int64)
    query = text("SELECT setval(s, nextval(s) + :n - 1) FROM pg_get_serial_sequence(:table, 'id') AS s")
    last = int(connection.execute(query, {"table": table.name, "n": n}).scalar_one())
    return np.arange(last - n + 1, last + 1, dtype=np.int64)


def insert_rows(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """Insert a table; missing and infinite numbers become NULL, missing words empty.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        In a transaction.
    table : sqlalchemy.Table
        Where to.
    frame : pandas.DataFrame
        Columns of the table: floats, whole numbers, yes or no, words, UUIDs.
    """
    if len(frame) == 0:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, frame)
    else:
        _execute_many(connection, table, frame)


def _names(frame: pd.DataFrame) -> str:
    return ", ".join(f'"{name}"' for name in frame.columns)


def _missing(column: pd.Series) -> NDArray[np.bool_]:
    if column.dtype.kind == "f":
        return np.asarray(~np.isfinite(column.to_numpy()))
    return np.asarray(column.isna(), bool)


def _execute_many(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    marks = ", ".join("?" * len(frame.columns))
    values = [_python_values(frame[name]) for name in frame.columns]
    driver: Any = connection.connection.driver_connection
    driver.executemany(f'INSERT INTO "{table.name}" ({_names(frame)}) VALUES ({marks})', zip(*values, strict=True))


def _python_values(column: pd.Series) -> list[Any]:
    """Return Python's own values, which the driver takes."""
    if isinstance(column.dtype, pd.StringDtype):
        return column.fillna("").tolist()
    values = column.astype(object).to_numpy(copy=True)
    if isinstance(values[0], uuid.UUID):
        return [value.hex for value in values]
    values[_missing(column)] = None
    return list(values)


def _copy(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """Send the rows in the binary format of COPY, encoded whole columns at a time.

    References
    ----------
    PostgreSQL documentation, COPY, "Binary Format".
    """
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.copy_expert(
            f'COPY "{table.name}" ({_names(frame)}) FROM STDIN (FORMAT binary)', _Stream(_binary_rows(frame))
        )


def _binary_rows(frame: pd.DataFrame) -> Iterator[bytes]:
    yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
    columns = [_Encoded(frame[name]) for name in frame.columns]
    for start in range(0, len(frame), _CHUNK):
        yield _encode(columns, slice(start, start + _CHUNK))
    yield b"\xff\xff"


class _Stream:
    """Blocks as a file to read from: while the server takes one in, the next is made."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.blocks, self.rest = blocks, memoryview(b"")

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, none at the end."""
        if not self.rest:
            self.rest = memoryview(next(self.blocks, b""))
        part, self.rest = bytes(self.rest[:size]), self.rest[size:]
        return part


class _Encoded:
    """A column as bytes: one block after the other, and how long each is; -1 is NULL."""

    def __init__(self, column: pd.Series) -> None:
        missing = _missing(column)
        if isinstance(column.dtype, pd.StringDtype):
            words = [word.encode() for word in column.fillna("").tolist()]
            self.lengths = np.fromiter(map(len, words), np.int64, len(words))
            self.data = np.frombuffer(b"".join(words), np.uint8)
        else:
            blocks = self._blocks(column, missing)
            self.lengths = np.where(missing, -1, blocks.shape[1])
            self.data = blocks[~missing].reshape(-1)
        self.ends = np.cumsum(np.maximum(self.lengths, 0))

    @staticmethod
    def _blocks(column: pd.Series, missing: NDArray[np.bool_]) -> ByteArray:
        """Return the same number of bytes for each value, most significant first; any where it is missing."""
        if column.dtype.kind == "f":
            return column.to_numpy(">f8").view(np.uint8).reshape(-1, 8)
        if column.dtype.kind == "b":
            return column.to_numpy(np.uint8).reshape(-1, 1)
        if column.dtype.kind in "iu":
            return column.fillna(0).to_numpy(">i8").view(np.uint8).reshape(-1, 8)
        return np.frombuffer(b"".join(value.bytes for value in column), np.uint8).reshape(-1, 16)


def _encode(columns: list[_Encoded], rows: slice) -> bytes:
    """Return rows as COPY wants them: the number of fields, and for each its length and its bytes."""
    lengths = np.stack([column.lengths[rows] for column in columns], axis=1)
    n = len(lengths)
    sizes = 4 + np.maximum(lengths, 0)
    row_ends = np.cumsum(2 + sizes.sum(axis=1))
    buffer = np.empty(row_ends[-1], np.uint8)
    row_starts = np.concatenate([[0], row_ends[:-1]])
    _place(buffer, row_starts, np.full((n, 1), len(columns), ">i2").view(np.uint8))
    starts = row_starts[:, None] + 2 + np.cumsum(sizes, axis=1) - sizes
    heads = lengths.astype(">i4").view(np.uint8).reshape(n, len(columns), 4)
    for field, column in enumerate(columns):
        _place(buffer, starts[:, field], heads[:, field])
        filled = lengths[:, field] > 0
        counts = lengths[filled, field]
        begin = column.ends[rows.start] - max(column.lengths[rows.start], 0)
        data = column.data[begin : begin + counts.sum()]
        at = starts[filled, field] + 4
        if len(counts) and (counts == counts[0]).all():
            _place(buffer, at, data.reshape(-1, counts[0]))
        else:
            first = np.cumsum(counts) - counts
            buffer[np.repeat(at - first, counts) + np.arange(len(data))] = data
    return buffer.tobytes()


def _place(buffer: ByteArray, starts: NDArray[np.int64], blocks: ByteArray) -> None:
    """Write blocks of equal length at their places."""
    buffer[starts[:, None] + np.arange(blocks.shape[1])] = blocks
