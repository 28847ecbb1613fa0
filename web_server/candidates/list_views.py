"""The lists of crossmatches: of an image, and of all. Nothing here changes anything."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from web_server.candidates.lists import PAGE_SIZES, show_page
from web_server.candidates.models import Image, Run
from web_server.candidates.old_names import present_names
from web_server.candidates.selection import chosen, run_of, selection
from web_server.candidates.tables import LISTED, CrossmatchTable


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
    image = get_object_or_404(Image, pk=image_id)
    run = run_of(request, image)
    return _list_page(request, {"image": image, "run": run})


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
    columns = ("name", "ra", "dec", "is_candidate", *LISTED, "run__image_id")
    table = CrossmatchTable(found.select_related("run").only(*columns))
    origin = request.GET.copy()
    origin.pop("page", None)
    if context["run"] is None:
        origin["list"] = "query"
    table.origin = origin.urlencode()
    show_page(table, request)
    place = {} if context["image"] is None else {"image_id": context["image"].pk}
    asked = f"?{request.GET.urlencode()}" if request.GET else ""
    context["exports"] = [
        (words, reverse("export", kwargs={"kind": kind, **place}) + asked)
        for kind, words in (("csv", "CSV"), ("vot", "VOTable"))
    ]
    context |= {"table": table, "filter": filters, "presets": _presets(context["run"]), "page_sizes": PAGE_SIZES}
    return render(request, "candidates/crossmatches.html", context, status=200 if valid else 400)


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
