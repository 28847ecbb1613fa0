"""Local servers that answer like the real ones, over HTTP."""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.io.votable import from_table
from astropy.io.votable.tree import Resource, VOTableFile
from astropy.table import Table

from racs_transients import sky

UNITS = {
    "_r": "arcmin", "_RAJ2000": "deg", "_DEJ2000": "deg", "e_DEJ2000": "arcsec",
    "Sp": "mJy", "e_Sp": "mJy", "St": "mJy", "e_St": "mJy",
    "S1.4": "mJy", "e_S1.4": "mJy", "MajAxis": "arcsec", "MinAxis": "arcsec", "PA": "deg",
    "Ftot": "mJy", "e_Ftot": "mJy", "Fpk": "mJy/beam", "e_Fpk": "mJy/beam", "amaj": "arcsec", "bmin": "arcsec",
}  # fmt: skip


class LocalVizier:
    """Answers cone searches as VizieR's votable service does.

    Parameters
    ----------
    tables : dict
        Name of a VizieR table to its rows.
    """

    def __init__(self, tables: dict[str, pd.DataFrame]) -> None:
        self.tables = tables
        self.queries: list[dict[str, str]] = []
        self.failures: list[int | bytes] = []
        self.row_limit: int | None = None
        self.url = ""

    def answer(self, body: str) -> bytes:
        query = dict(line.split("=", 1) for line in body.splitlines() if "=" in line)
        self.queries.append(query)
        ra, dec = (float(number) for number in re.findall(r"[+-]?[\d.]+", query["-c"]))
        radius = float(query["-c.rd"])
        votable = VOTableFile()
        for name in query["-source"].split(","):
            rows = self.tables.get(name, pd.DataFrame({"_RAJ2000": [], "_DEJ2000": []}))
            near = sky.separation(rows["_RAJ2000"], rows["_DEJ2000"], ra, dec) <= radius * 3600
            rows = rows[near].iloc[: self.row_limit]
            if len(rows):
                votable.resources.append(self._resource(name, rows))
        stream = io.BytesIO()
        votable.to_xml(stream)
        return stream.getvalue()

    @staticmethod
    def _resource(name: str, rows: pd.DataFrame) -> Resource:
        table = Table({c: np.asarray(rows[c].fillna("") if rows[c].dtype == "str" else rows[c]) for c in rows})
        for column in table.colnames:
            unit = UNITS.get(column)
            if column == "e_RAJ2000":
                unit = "s" if "S1.4" in table.colnames else "arcsec"
            table[column].unit = u.Unit(unit) if unit else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            part = from_table(table)
        resource = part.resources[0]
        resource.name = name.rpartition("/")[0]
        resource.tables[0].name = name
        return resource


@contextmanager
def serving(vizier: LocalVizier) -> Iterator[LocalVizier]:
    """Serve while the context lasts; the address is in ``vizier.url``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            failure = vizier.failures.pop(0) if vizier.failures else 200
            answer = failure if isinstance(failure, bytes) else vizier.answer(body)
            self.send_response(failure if isinstance(failure, int) else 200)
            self.send_header("Content-Type", "application/x-votable+xml")
            self.end_headers()
            self.wfile.write(answer if failure == 200 or isinstance(failure, bytes) else b"")

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    vizier.url = f"http://127.0.0.1:{server.server_port}/viz-bin/votable"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield vizier
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
