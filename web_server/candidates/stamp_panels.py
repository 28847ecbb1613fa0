"""The cutouts of a row as pictures that the page blinks, with the row's sources marked, and the colour key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import condition

from racs_transients.errors import ImageError
from racs_transients.plots.stamps import ASKAP_CIRCLE, CATALOGUE_CIRCLE
from racs_transients.sky import offsets
from web_server.candidates.models import Crossmatch, Product
from web_server.candidates.panels import STRETCHES, read_panels

# In the order in which they are blinked, with the words of their buttons.
PANEL_KINDS = {
    "cutout_survey": "Survey",
    "cutout_askap": "ASKAP",
    "cutout_native": "ASKAP, full resolution",
}
# What the colours of the stamps mean: class of the style sheet, shape and words.
COLOUR_KEY = (
    ("base", "ellipse", "sources of the survey compared with"),
    ("second", "ellipse", "sources of a second survey"),
    ("askap", "ellipse", "ASKAP sources in the image compared"),
    ("native", "ellipse", "ASKAP sources at full resolution, where the image compared was convolved"),
    ("row-survey", "circle", "this row's survey source"),
    ("row-askap", "circle", "this row's ASKAP source; dashed: merely the nearest; dotted: measured here"),
)


@dataclass(frozen=True, slots=True)
class BlinkPanel:
    """One picture among those to blink.

    Parameters
    ----------
    product : Product
        The cutout.
    words : str
        Of its button.
    """

    product: Product
    words: str


def blink_panels(row: Crossmatch, products: Mapping[str, Product]) -> list[BlinkPanel]:
    """Return the cutouts of a row that are there.

    Parameters
    ----------
    row : Crossmatch
        The row.
    products : mapping
        Its files by kind.

    Returns
    -------
    list of BlinkPanel
        Survey first.
    """
    found = ((products.get(kind), words) for kind, words in PANEL_KINDS.items())
    named = {"Survey": row.survey}
    return [BlinkPanel(p, named.get(words, words)) for p, words in found if p is not None and p.file() is not None]


def _files(product: Product) -> dict[str, Path]:
    """Return the cutouts of a product's row that are there."""
    row = product.crossmatch
    if row is None or product.kind not in PANEL_KINDS:
        raise Http404(f"{product.title} is no cutout of a source.")
    others = row.products.filter(kind__in=PANEL_KINDS).select_related("run")
    files = {other.kind: path for other in others if (path := other.file()) is not None}
    if product.kind not in files:
        raise Http404(f"{product.title} is not available: the results folder was moved or removed.")
    return files


def _product(product_id: int) -> Product:
    return get_object_or_404(Product.objects.select_related("run", "crossmatch"), pk=product_id)


def _panel_tag(request: HttpRequest, product_id: int) -> str:
    """Return what changes when a panel does: its files and its stretch."""
    files = _files(_product(product_id))
    states = [(kind, path.stat().st_mtime_ns, path.stat().st_size) for kind, path in sorted(files.items())]
    words = f"1 {product_id} {_stretch(request)} {states}"
    return f'"{hashlib.sha256(words.encode()).hexdigest()[:32]}"'


def _circles(row: Crossmatch) -> list[tuple[float, float, str]]:
    """Return where the row's two sources lie from its middle, east and north in arcsec, with their colours."""
    places = ((row.ref_ra, row.ref_dec, CATALOGUE_CIRCLE), (row.askap_ra, row.askap_dec, ASKAP_CIRCLE))
    circles = []
    for ra, dec, colour in places:
        if ra is not None and dec is not None:
            east, north = offsets(row.ra, row.dec, ra, dec)
            circles.append((float(east), float(north), colour))
    return circles


def _stretch(request: HttpRequest) -> str:
    asked = request.GET.get("stretch", "")
    return asked if asked in STRETCHES else next(iter(STRETCHES))


@condition(etag_func=_panel_tag)
def panel(request: HttpRequest, product_id: int) -> HttpResponse:
    """Send a cutout as a grey picture, with the stretch that all cutouts of its row share.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``stretch``: one of ``STRETCHES``.
    product_id : int
        The cutout.

    Returns
    -------
    django.http.HttpResponse
        A PNG file.

    Raises
    ------
    Http404
        Where there is no such cutout, or it cannot be read.
    """
    product = _product(product_id)
    row = product.crossmatch
    assert row is not None  # _panel_tag has asked
    try:
        panels = read_panels(_files(product), row.ra, row.dec)
    except ImageError as error:
        raise Http404(f"{product.title} cannot be read: {error}") from error
    picture = panels.png(product.kind, _stretch(request), _circles(row))
    response = HttpResponse(picture, content_type="image/png")
    response["Cache-Control"] = "private, no-cache"
    return response
