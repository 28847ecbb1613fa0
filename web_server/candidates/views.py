"""The page of one crossmatch, and the files of the runs. Nothing here changes anything."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from racs_transients.flags import FLAGS
from web_server.candidates.cone import within
from web_server.candidates.display import (
    SIDES,
    comparison_values,
    sexagesimal,
    side_values,
)
from web_server.candidates.links import links_at
from web_server.candidates.lists import place_in_list
from web_server.candidates.models import Crossmatch, Product
from web_server.candidates.selection import selection
from web_server.candidates.tables import crossmatch_order

# Rows this near may be the same source, whatever object they joined.
NEIGHBOUR_RADIUS = 15 / 3600
MAX_RELATED = 50
_INLINE = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
_DOWNLOADS = {
    ".csv": "text/csv; charset=utf-8",
    ".vot": "application/x-votable+xml",
    ".fits": "application/fits",
    ".html": "text/html; charset=utf-8",
}


def source(request: HttpRequest, image_id: int, row_id: int) -> HttpResponse:
    """Show everything about one crossmatch.

    Parameters
    ----------
    request : django.http.HttpRequest
        The filters and order of the list that it was reached from.
    image_id : int
        The image.
    row_id : int
        The crossmatch; one of another image is not found.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    rows = Crossmatch.objects.select_related("run__image", "sky_object", "survey_run")
    row = get_object_or_404(rows, pk=row_id, run__image_id=image_id)
    stamp = row.products.filter(kind="stamp").select_related("run").first()
    others = _related().filter(run__is_current=True).exclude(pk=row.pk)
    same = others.filter(sky_object=row.sky_object_id).order_by("id")[:MAX_RELATED]
    near = within(others.exclude(sky_object=row.sky_object_id), row.ra, row.dec, NEIGHBOUR_RADIUS)
    context = {
        "row": row,
        "image": row.run.image,
        "position": sexagesimal(row.ra, row.dec),
        "flags": [flag for flag in FLAGS if row.flag_bits and row.flag_bits >> flag.bit & 1],
        "comparison": comparison_values(row),
        "sides": [title for _, title in SIDES],
        "side_values": side_values(row),
        "stamp": stamp,
        "stamp_there": stamp is not None and stamp.file() is not None,
        "cutouts": row.products.filter(kind__startswith="cutout").select_related("run"),
        "same": same,
        "near": near.order_by("distance", "id")[:MAX_RELATED],
        "nearest": _nearest(row),
        "links": links_at(row.ra, row.dec),
        **_neighbours(request, row),
    }
    return render(request, "candidates/source.html", context)


def _nearest(row: Crossmatch) -> list[Crossmatch]:
    """Return the nearest good matches in the order that the pipeline gave."""
    numbers = [int(word) for word in row.nearest_matches.replace(",", " ").split() if word.isdigit()]
    matches = _related().filter(run=row.run, match_id__in=numbers[:MAX_RELATED])
    found = {match.match_id: match for match in matches}
    return [found[number] for number in numbers if number in found]


def _related() -> QuerySet[Crossmatch]:
    """Return rows with what the tables of related ones show."""
    columns = ("match_id", "name", "survey", "type", "ratio", "vs", "flag", "run__image__name", "run__is_current")
    return Crossmatch.objects.select_related("run__image").only(*columns)


def _neighbours(request: HttpRequest, row: Crossmatch) -> dict[str, Any]:
    """Return the rows before and after in the list that the address describes, and the place in it."""
    filters = selection(request, None if request.GET.get("list") == "query" else row.run)
    rows = filters.qs if filters.form.is_valid() else filters.queryset
    return place_in_list(rows, row, crossmatch_order(request.GET.get("sort", "")))


def product(request: HttpRequest, product_id: int) -> FileResponse:
    """Send a file of a run.

    Parameters
    ----------
    request : django.http.HttpRequest
        Not looked at.
    product_id : int
        The product; nothing that a request says becomes a path.

    Returns
    -------
    django.http.FileResponse
        The file; a page or an unknown kind is not shown in the site's own name.

    Raises
    ------
    Http404
        Where the file is gone.
    """
    record = get_object_or_404(Product.objects.select_related("run"), pk=product_id)
    path = record.file()
    if path is None:
        raise Http404(f"{record.title} of {record.run} is not available: its results folder was moved or removed.")
    suffix = path.suffix.lower()
    inline = suffix in _INLINE
    kind = _INLINE.get(suffix) or _DOWNLOADS.get(suffix, "application/octet-stream")
    shown = inline or suffix == ".html"
    response = FileResponse(path.open("rb"), as_attachment=not shown, filename=path.name, content_type=kind)
    if suffix == ".html":
        # a report is a page of its own: no script, no form, nothing of the site
        response["Content-Security-Policy"] = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    response["Cache-Control"] = "private, max-age=3600"
    return response
