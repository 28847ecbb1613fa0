"""Local servers that answer like the real ones, over HTTP."""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.io.votable.tree import Resource, VOTableFile
from astropy.table import Table
from astropy.wcs import WCS

from racs_transients import sky
from racs_transients.beam import covariance, response
from racs_transients.surveys import Survey

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

    with _served(Handler) as address:
        vizier.url = f"{address}/viz-bin/votable"
        yield vizier


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


FORM = """<html><body><form action="/current/cgi/runquery.pl"><input name="Position" type="text">
<select name="survey" id="Radio:GHz"><option>NVSS</option></select>
<select name="survey" id="Radio:MHz"><option>SUMSS 843 MHz</option></select>
<select name="projection"><option value="Tan" selected>Gnomonic</option></select></form></body></html>"""


class LocalSkyView:
    """Answers as SkyView does: the form, a page for a query, the FITS file that the page names.

    Parameters
    ----------
    survey : Survey
        Whose sky is shown.
    sources : sequence of (ra, dec, flux in mJy)
        Point sources of that sky.
    rms : float
        Noise, Jy/beam.
    """

    def __init__(self, survey: Survey, sources: Sequence[tuple[float, float, float]] = (), rms: float = 1e-3) -> None:
        self.survey, self.sources, self.rms = survey, sources, rms
        self.queries: list[dict[str, str]] = []
        self.failures: list[int | bytes] = []
        self.blank: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda ra, dec: np.zeros(ra.shape, bool)
        self.url = ""

    def fits(self, query: dict[str, str]) -> bytes:
        ra, dec = (float(word) for word in query["Position"].split())
        n, side = int(query["pixels"]), float(query["size"].split(",")[0])
        header = fits.Header(
            {
                "CTYPE1": "RA---SIN", "CRVAL1": ra, "CRPIX1": n / 2 + 0.5, "CDELT1": -side / n,
                "CTYPE2": "DEC--SIN", "CRVAL2": dec, "CRPIX2": n / 2 + 0.5, "CDELT2": side / n,
                "EQUINOX": 2000.0, "RADESYS": "FK5", "SURVEY": query["survey"],
            }
        )  # fmt: skip
        y, x = np.indices((n, n))
        pixel_ra, pixel_dec = WCS(header).wcs_pix2world(x, y, 0)
        beam = self.survey.beam_axes(dec)
        scale = side / n * 3600
        kernel = response(scale * (x - n // 2), scale * (y - n // 2), covariance(*beam) / 2)
        noise = np.random.default_rng(len(self.queries)).normal(size=(n, n))
        data = np.fft.irfft2(np.fft.rfft2(noise) * np.fft.rfft2(kernel), (n, n))
        data *= self.rms / data.std()
        reach = int(360 / scale)
        for source_ra, source_dec, flux in self.sources:
            x0, y0 = (int(value) for value in WCS(header).wcs_world2pix(source_ra, source_dec, 0))
            box = np.s_[max(y0 - reach, 0) : max(y0 + reach, 0), max(x0 - reach, 0) : max(x0 + reach, 0)]
            offsets = sky.offsets(source_ra, source_dec, pixel_ra[box], pixel_dec[box])
            data[box] += flux * 1e-3 * response(*offsets, covariance(*self.survey.beam_axes(source_dec)))
        data[self.blank(pixel_ra, pixel_dec)] = 0
        stream = io.BytesIO()
        fits.PrimaryHDU(data.astype(np.float32), header).writeto(stream)
        return stream.getvalue()

    def answer(self, path: str) -> bytes | int:
        place, _, arguments = path.partition("?")
        if place.endswith("basicform.pl"):
            return FORM.encode()
        if place.endswith("runquery.pl"):
            self.queries.append(dict(parse_qsl(arguments)))
            failure = self.failures.pop(0) if self.failures else None
            page = f'<html><a href="/tempspace/fits/{len(self.queries)}.fits">FITS</a></html>'.encode()
            return page if failure is None else failure
        if not place.endswith(".fits"):
            return 404
        return self.fits(self.queries[int(place.rpartition("/")[2].removesuffix(".fits")) - 1])


@contextmanager
def serving_skyview(skyview: LocalSkyView) -> Iterator[LocalSkyView]:
    """Serve while the context lasts; the address of the form is in ``skyview.url``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = skyview.answer(self.path)
            self.send_response(answer if isinstance(answer, int) else 200)
            self.end_headers()
            self.wfile.write(answer if isinstance(answer, bytes) else b"")

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with _served(Handler) as address:
        skyview.url = f"{address}/current/cgi/basicform.pl"
        yield skyview
