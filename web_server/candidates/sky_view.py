"""The sky viewer of a source: survey and ASKAP cutouts beside each other in Aladin Lite, with our sources on them."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from csp.constants import UNSAFE_INLINE
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from racs_transients.errors import ImageError
from racs_transients.plots.stamps import (
    ASKAP,
    ASKAP_CIRCLE,
    BASE_CATALOGUE,
    CATALOGUE_CIRCLE,
    SECOND_CATALOGUE,
)
from web_server.candidates.cone import within
from web_server.candidates.display import number
from web_server.candidates.models import Crossmatch, Product
from web_server.candidates.panels import read_panels
from web_server.candidates.source_page import row_of
from web_server.candidates.stamp_panels import COLOUR_KEY, blink_panels
from web_server.policy import SKY_VIEWER, relaxed
from web_server.vendor import COMMAND, LIBRARIES

# Degrees round the row in which sources are shown, and how many at most.
SOURCES_WITHIN = 0.25
MAX_SOURCES = 2000
_FIELD = 0.1
_SHOWN = ("ra", "dec", "survey", "ref_ra", "ref_dec", "ref_name", "ref_flux", "ref_origin", "askap_ra", "askap_dec")
_SHOWN_TOO = ("askap_name", "askap_flux", "askap_origin", "run_id")
# Aladin Lite puts a style sheet of its own into the page as text, and styles on what it makes from text: it cannot
# run under the policy of the other pages. So it has a page of its own, which shows nothing that a visitor wrote.
_STYLES = {"style-src": [UNSAFE_INLINE]}


def missing_viewer() -> str:
    """Return why there is no sky viewer.

    Returns
    -------
    str
        A sentence that says how to get it; empty where it is there.
    """
    library = next(library for library in LIBRARIES if library.name == "aladin-lite")
    if not library.missing():
        return ""
    return f"The sky viewer needs Aladin Lite, which is not fetched: run scripts/setup, or `{COMMAND}`."


def sky(request: HttpRequest, image_id: int, row_id: int) -> HttpResponseBase:
    """Show the sky viewer.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``survey``: one of the setting ``SKY_SURVEYS``, which is then fetched from its host, and only from there.
    image_id : int
        The image.
    row_id : int
        The crossmatch.

    Returns
    -------
    django.http.HttpResponse
        The page; its policy names no other host unless a survey was chosen.
    """
    row = row_of(image_id, row_id)
    chosen = request.GET.get("survey", "")
    remote = settings.SKY_SURVEYS.get(chosen)
    hosts = [] if remote is None else [*remote["hosts"]]
    context = {
        "row": row,
        "image": row.run.image,
        "missing": missing_viewer(),
        "scene": json.dumps(_scene(row, chosen, remote)),
        "surveys": settings.SKY_SURVEYS,
        "chosen": chosen if remote else "",
        "hosts": hosts,
        "colour_key": COLOUR_KEY,
    }

    page = partial(render, template_name="candidates/sky.html", context=context)
    return relaxed(SKY_VIEWER, _STYLES, {"connect-src": hosts, "img-src": hosts})(page)(request)


def _scene(row: Crossmatch, chosen: str, remote: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the viewer shows, for its script."""
    products = {product.kind: product for product in row.products.select_related("run")}
    low, high, panels = _panels(row, products)
    if remote is not None:
        panels.insert(0, {"title": chosen, "hips": remote["url"]})
    return {
        "ra": row.ra,
        "dec": row.dec,
        "field": _FIELD,
        "low": low,
        "high": high,
        "panels": panels,
        "catalogues": _catalogues(row),
        "circles": [
            {"ra": ra, "dec": dec, "radius": 30 / 3600, "colour": colour}
            for ra, dec, colour in (
                (row.ref_ra, row.ref_dec, CATALOGUE_CIRCLE),
                (row.askap_ra, row.askap_dec, ASKAP_CIRCLE),
            )
            if ra is not None and dec is not None
        ],
    }


def _panels(row: Crossmatch, products: dict[str, Product]) -> tuple[float, float, list[dict[str, str]]]:
    """Return the limits of the stretch that all cutouts share, Jy/beam, and the cutouts."""
    shown = blink_panels(row, products)
    files = {panel.product.kind: path for panel in shown if (path := panel.product.file()) is not None}
    panels = [{"title": p.words, "fits": reverse("product", args=(p.product.pk,))} for p in shown]
    if not files:
        return 0.0, 0.01, panels
    try:
        low, high = read_panels(files, row.ra, row.dec).limits("noise")
    except ImageError:
        # the viewer then says itself which file it cannot read
        return 0.0, 0.01, panels
    return low / 1000, high / 1000, panels


def _catalogues(row: Crossmatch) -> list[dict[str, Any]]:
    """Return the sources round a row: the survey compared with, others, ASKAP."""
    rows = within(row.run.crossmatches.only(*_SHOWN, *_SHOWN_TOO), row.ra, row.dec, SOURCES_WITHIN)
    found: dict[str, dict[tuple[float, float], str]] = {row.survey: {}}
    askap: dict[tuple[float, float], str] = {}
    for other in rows.order_by("distance", "id")[:MAX_SOURCES]:
        if other.ref_origin == "catalogued" and other.ref_ra is not None and other.ref_dec is not None:
            words = f"{other.survey} {other.ref_name}: {number(other.ref_flux)} mJy"
            found.setdefault(other.survey, {})[other.ref_ra, other.ref_dec] = words
        if other.askap_origin == "detected" and other.askap_ra is not None and other.askap_dec is not None:
            askap[other.askap_ra, other.askap_dec] = f"ASKAP {other.askap_name}: {number(other.askap_flux)} mJy"
    colours = {name: BASE_CATALOGUE if name == row.survey else SECOND_CATALOGUE for name in found}
    return [
        {
            "name": name,
            "colour": colours.get(name, ASKAP),
            "sources": [[ra, dec, words] for (ra, dec), words in sources.items()],
        }
        for name, sources in (*found.items(), ("ASKAP", askap))
    ]
