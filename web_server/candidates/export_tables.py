"""The rows of a list as files: CSV that is also ECSV, and VOTable; units, UCDs and origin inside, nothing rounded."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pandas as pd
from astropy.io.votable import from_table
from astropy.io.votable.tree import Info
from django.db.models import QuerySet

from racs_transients import tables
from racs_transients.schema import CROSSMATCHES, Column
from web_server.candidates.models import Crossmatch
from web_server.review.summaries import NOTHING, Summary, summaries

# Beside the pipeline's columns: where a row belongs, and what was said of it as far as the reader may know.
_PLACE = {
    Column("row_id", "int", "", "meta.record", "Number of the row on the site"): "pk",
    Column("image_id", "int", "", "meta.id", "Number of the image on the site"): "run__image_id",
    Column("image", "str", "", "meta.id;meta.file", "Name of the image"): "run__image__name",
    Column("run_id", "str", "", "meta.id", "Run of the pipeline that the row comes from"): "run_id",
}
_SAID: dict[Column, Callable[[Summary], str]] = {
    Column("review_state", "str", "", "meta.code", "State of the review, as far as you may see it"): lambda s: s.state,
    Column("review_tag", "str", "", "meta.code", "Tag that was decided, else that all votes agree on"): lambda s: s.tag,
    Column("my_tag", "str", "", "meta.code", "Your own vote"): lambda s: s.own.label.tag if s.own else "",
    Column("my_reason", "str", "", "meta.note", "Its reason"): lambda s: s.own.label.reason if s.own else "",
    Column("votes", "str", "", "meta.note", "Votes and decision that you may see"): lambda s: s.words,
}
COLUMNS = (*_PLACE, *CROSSMATCHES, *_SAID)
_NUMBERS = ("float", "int")
_TEXTS = tuple(number for number, column in enumerate(COLUMNS) if column.dtype == "str")
_FIELDS = (*_PLACE.values(), *(column.name for column in CROSSMATCHES))
_SURVEY = _FIELDS.index("survey")
_DATATYPES = {"float": "float64", "int": "int64", "str": "string", "bool": "bool"}
# a spreadsheet takes text that begins so for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BREAKS = str.maketrans("\r\n", "  ")
# in the comments it begins a cell behind what separates cells
_FORMULA_OF_COMMENT = re.compile(r"(?<=[,;])[=+@-]")
CHUNK = 2000


def _chunks(rows: QuerySet[Crossmatch], user: Any) -> Iterator[list[list[Any]]]:
    """Return the values of ordered rows, some thousand rows at a time; missing ones are None."""
    values = iter(rows.values_list("sky_object_id", *_FIELDS).iterator(chunk_size=CHUNK))
    while chunk := [*islice(values, CHUNK)]:
        keys = [(row[0], row[2], row[1 + _SURVEY]) for row in chunk]
        known = summaries(user, keys)
        yield [
            [*row[1:], *(said(known.get(key, NOTHING)) for said in _SAID.values())]
            for key, row in zip(keys, chunk, strict=True)
        ]


def csv_lines(rows: QuerySet[Crossmatch], user: Any, origin: dict[str, Any]) -> Iterator[str]:
    """Return CSV piece by piece: comments that make it ECSV, names of the columns, rows.

    Parameters
    ----------
    rows : django.db.models.QuerySet of Crossmatch
        Ordered.
    user : django.contrib.auth.models.User or AnonymousUser
        The reader.
    origin : dict
        What the rows are; written into the comments.

    Yields
    ------
    str
        Some lines.
    """
    header = ["%ECSV 1.0", "---", "delimiter: ','", f"meta: {_described_origin(origin)}", "datatype:"]
    yield "".join(f"# {line}\n" for line in (*header, *map(_described, COLUMNS)))
    buffer = io.StringIO()
    # ECSV knows a header without quotes only; text has them always, so that no # in it begins a comment
    buffer.write(",".join(column.name for column in COLUMNS) + "\n")
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for chunk in _chunks(rows, user):
        for row in chunk:
            for number in _TEXTS:
                row[number] = _harmless(str(row[number]))
            writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _described_origin(origin: dict[str, Any]) -> str:
    """Return what the rows are as JSON in which no name and no address gives a spreadsheet a cell with a formula."""
    return _FORMULA_OF_COMMENT.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(origin))


def _described(column: Column) -> str:
    given = {
        "name": column.name,
        "unit": column.unit,
        "datatype": _DATATYPES[column.dtype],
        "description": column.description,
        "meta": {"ucd": column.ucd},
    }
    # JSON is YAML
    return f"- {json.dumps({name: value for name, value in given.items() if value}, ensure_ascii=False)}"


def _harmless(text: str) -> str:
    return ("'" + text if text.startswith(_FORMULA) else text).translate(_BREAKS)


def votable(rows: QuerySet[Crossmatch], user: Any, origin: dict[str, Any]) -> bytes:
    """Return rows as a VOTable with binary values.

    Parameters
    ----------
    rows : django.db.models.QuerySet of Crossmatch
        Ordered.
    user : django.contrib.auth.models.User or AnonymousUser
        The reader.
    origin : dict
        What the rows are; written beside the table.

    Returns
    -------
    bytes
        The file.
    """
    names = [column.name for column in COLUMNS]
    parts = [tables.conform(_frame(chunk, names), COLUMNS) for chunk in _chunks(rows, user)]
    table = tables.to_astropy(tables.stack(parts, COLUMNS), COLUMNS)
    document = from_table(table)
    resource = document.resources[0]
    for field, column in zip(resource.tables[0].fields, COLUMNS, strict=True):
        field.ucd = column.ucd
    for name, value in origin.items():
        texts = value if isinstance(value, list) else [value]
        resource.infos.extend(Info(name=name, value=str(text)) for text in texts)
    buffer = io.BytesIO()
    document.to_xml(buffer, tabledata_format="binary2")
    return buffer.getvalue()


def _frame(chunk: list[list[Any]], names: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(chunk, columns=names)
    frame["run_id"] = frame["run_id"].astype(str)
    return frame
