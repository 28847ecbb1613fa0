"""The lists of crossmatches: of an image, and of all. Nothing here changes anything."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from web_server.candidates.lists import PAGE_SIZES, RowPaginator, show_page
from web_server.candidates.models import Image, Product, Run
from web_server.candidates.old_names import present_names
from web_server.candidates.selection import chosen, run_of, selection
from web_server.candidates.tables import LIMITS, LISTED, CrossmatchTable, crossmatch_order
from web_server.review.summaries import NOTHING, key_of, summaries

IN_A_GALLERY = 60


@present_names
def image_crossmatches(request: HttpRequest, image_id: int) -> HttpResponse:
    """Show the crossmatches of one run of an image.

    Parameters
    ----------
    request : django.http.HttpRequest
        Filters, ``sort``, ``page`` and ``run``.
    image_id : int
        The image.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    run = run_of(request, image_id)
    return _list_page(request, {"image": run.image, "run": run})


@present_names
def query(request: HttpRequest) -> HttpResponse:
    """Show the crossmatches of all current runs.

    Parameters
    ----------
    request : django.http.HttpRequest
        Filters, ``sort`` and ``page``.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    return _list_page(request, {"image": None, "run": None})


def _list_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    filters = selection(request, context["run"])
    found, valid = chosen(filters), filters.form.is_valid()
    columns = ("name", "ra", "dec", "is_candidate", "sky_object_id", *LISTED, *LIMITS, "run__image__name")
    hidden = () if context["run"] is None else ("image",)
    table = CrossmatchTable(found.select_related("run__image").only(*columns), exclude=hidden)
    table.origin = _origin(request, context["run"])
    show_page(table, request)
    table.said = summaries(request.user, [key_of(row.record) for row in table.page.object_list])
    context |= {
        "table": table,
        "filter": filters,
        "presets": _presets(context["run"]),
        "page_sizes": PAGE_SIZES,
        "search_query": request.GET.urlencode(),
        **_elsewhere(request, context["image"]),
    }
    return render(request, "candidates/crossmatches.html", context, status=200 if valid else 400)


def _origin(request: HttpRequest, run: Run | None) -> str:
    """Return what a source page is told of the list that leads to it."""
    origin = request.GET.copy()
    origin.pop("page", None)
    if run is None:
        origin["list"] = "query"
    return origin.urlencode()


def _elsewhere(request: HttpRequest, image: Image | None) -> dict[str, Any]:
    """Return where the same list is found in other forms."""
    place = {} if image is None else {"image_id": image.pk}
    asked = request.GET.copy()
    asked.pop("page", None)
    query = f"?{asked.urlencode()}" if asked else ""
    return {
        "list_address": (reverse("query") if image is None else reverse("crossmatches", kwargs=place)) + query,
        "gallery": reverse("quickview", kwargs=place) + query,
        "exports": [
            (words, reverse("export", kwargs={"kind": kind, **place}) + query)
            for kind, words in (("csv", "CSV"), ("vot", "VOTable"))
        ],
    }


@present_names
def quickview(request: HttpRequest, image_id: int | None = None) -> HttpResponse:
    """Show the small stamps of a list.

    Parameters
    ----------
    request : django.http.HttpRequest
        Filters, ``sort``, ``page`` and ``run`` of the list.
    image_id : int, optional
        The image whose list it is; none for all images.

    Returns
    -------
    django.http.HttpResponse
        The page; a picture is fetched when it comes into view.
    """
    run = None if image_id is None else run_of(request, image_id)
    image = None if run is None else run.image
    filters = selection(request, run)
    valid = filters.form.is_valid()
    elsewhere = _elsewhere(request, image)
    if not valid:
        return redirect(elsewhere["list_address"])
    rows = crossmatch_order(request.GET.get("sort", "")).sort(chosen(filters))
    columns = (
        *("name", "type", "survey", "flag", "ratio", "ratio_is_limit", "is_candidate"),
        *("sky_object_id", "run__image_id"),
    )
    page = RowPaginator(rows.select_related("run").only(*columns), IN_A_GALLERY).get_page(request.GET.get("page"))
    shown = [*page.object_list]
    stamps = dict(
        Product.objects.filter(crossmatch__in=[row.pk for row in shown], kind="stamp_web").values_list(
            "crossmatch", "pk"
        )
    )
    said = summaries(request.user, map(key_of, shown))
    pictures = [(row, stamps.get(row.pk), said.get(key_of(row), NOTHING)) for row in shown]
    context = {"image": image, "run": run, "page": page, "pictures": pictures, "origin": _origin(request, run)}
    return render(request, "candidates/quickview.html", context | elsewhere)


def _presets(run: Run | None) -> list[tuple[str, str]]:
    """Return the ready lists: words and query."""
    vs, m = settings.CANDIDATE_VS_THRESHOLD, settings.CANDIDATE_M_THRESHOLD
    queries = {
        "Candidates": {"is_candidate": "true"},
        "Flagged, ratio ≥ 2": {"vetoed": "true", "ratio_min": "2"},
        f"|Vs| ≥ {vs:g}, |m| ≥ {m:g}, not flagged": {
            "vetoed": "false",
            "vs_abs_min": f"{vs:g}",
            "m_abs_min": f"{m:g}",
        },
        "All": {},
    }
    presets = []
    for words, values in queries.items():
        address = QueryDict(mutable=True)
        if run is not None:
            address["run"] = str(run.pk)
        address.update(values)
        presets.append((words, address.urlencode()))
    return presets
