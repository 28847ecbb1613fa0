"""The pages of the results. Nothing here changes anything."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet, Sum
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render

from racs_transients.flags import FLAGS, GOOD
from racs_transients.schema import IMAGES, PLOT_KINDS, RUNS, SURVEY_RUNS
from web_server.candidates.cone import within
from web_server.candidates.display import (
    SIDES,
    Value,
    comparison_values,
    sexagesimal,
    side_values,
    text_of,
    tooltip,
)
from web_server.candidates.filters import TYPES, CrossmatchFilter
from web_server.candidates.links import links_at
from web_server.candidates.lists import PAGE_SIZES, place_in_list, show_page
from web_server.candidates.models import Crossmatch, Image, Product, Run
from web_server.candidates.tables import LISTED, CrossmatchTable, RunTable, crossmatch_order

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


def home(request: HttpRequest) -> HttpResponse:
    """Show the current runs of all images.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``sort`` and ``page``.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    runs = (
        Run.objects.filter(is_current=True)
        .select_related("image")
        .prefetch_related("survey_runs")
        .annotate(n_rows=Sum("survey_runs__n_rows"), n_candidates=Sum("survey_runs__candidates"))
    )
    table = RunTable(runs)
    show_page(table, request)
    return render(request, "candidates/home.html", {"table": table})


def _run_of(request: HttpRequest, image: Image) -> Run:
    """Return the run of an image that the address names, else its newest current one."""
    runs = image.runs.select_related("image")
    asked = request.GET.get("run")
    if asked:
        try:
            return get_object_or_404(runs, pk=UUID(asked))
        except ValueError as error:
            raise Http404(f"There is no run {asked}.") from error
    run = runs.order_by("-is_current", F("finished").desc(nulls_last=True)).first()
    if run is None:
        raise Http404("This image has no run.")
    return run


def image_page(request: HttpRequest, image_id: int) -> HttpResponse:
    """Show one run of an image: numbers, settings, plots and counts.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``run`` names another run than the newest current one.
    image_id : int
        The image.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    image = get_object_or_404(Image, pk=image_id)
    run = _run_of(request, image)
    products = [*run.products.filter(crossmatch=None).select_related("run")]
    order = list(PLOT_KINDS)
    plots = sorted((p for p in products if p.kind in PLOT_KINDS), key=lambda p: (p.survey, order.index(p.kind)))
    context = {
        "image": image,
        "run": run,
        "runs": image.runs.all(),
        "position": sexagesimal(image.ra or 0.0, image.dec or 0.0),
        "numbers": [*_values(image, IMAGES), *_values(run, RUNS)],
        "comparisons": [(part.survey, _values(part, SURVEY_RUNS[1:])) for part in run.survey_runs.all()],
        "counts": _counts(run),
        "plots": [(plot, plot.file() is not None) for plot in plots],
        "files": [p for p in products if p.kind not in PLOT_KINDS],
    }
    return render(request, "candidates/image.html", context)


def _values(record: Any, columns: Any) -> list[Value]:
    return [
        Value(column.name.replace("_", " "), column.unit, tooltip(column), (text_of(record, column),))
        for column in columns
    ]


def _counts(run: Run) -> list[tuple[str, list[tuple[str, int]], int]]:
    """Return for each primary flag the number of rows in each category, and their sum."""
    by_flag: dict[str, Counter[str]] = defaultdict(Counter)
    for part in run.survey_runs.all():
        for kind, flags in part.counts.items():
            for flag, n in flags.items():
                by_flag[flag][kind] += n
    names = [GOOD, *(flag.name for flag in FLAGS)]
    return [
        (name, [(kind, by_flag[name][kind]) for kind in TYPES], sum(by_flag[name].values()))
        for name in names
        if name in by_flag
    ]


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
    run = _run_of(request, image)
    return _list_page(request, run.crossmatches.all(), {"image": image, "run": run})


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
    return _list_page(request, Crossmatch.objects.filter(run__is_current=True), {"image": None, "run": None})


def _list_page(request: HttpRequest, rows: QuerySet[Crossmatch], context: dict[str, Any]) -> HttpResponse:
    filters = CrossmatchFilter(request.GET, queryset=rows)
    valid = filters.form.is_valid()
    found = filters.qs if valid else rows.none()
    columns = ("name", "ra", "dec", "is_candidate", *LISTED, "run__image_id")
    table = CrossmatchTable(found.select_related("run").only(*columns))
    origin = request.GET.copy()
    origin.pop("page", None)
    if context["run"] is None:
        origin["list"] = "query"
    table.origin = origin.urlencode()
    show_page(table, request)
    context |= {"table": table, "filter": filters, "presets": _presets(context["run"]), "page_sizes": PAGE_SIZES}
    return render(request, "candidates/crossmatches.html", context, status=200 if valid else 400)


def _presets(run: Run | None) -> list[tuple[str, str]]:
    """Return the ready lists: words and query."""
    from django.conf import settings

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
    everywhere = request.GET.get("list") == "query"
    rows = Crossmatch.objects.filter(run__is_current=True) if everywhere else row.run.crossmatches.all()
    filters = CrossmatchFilter(request.GET, queryset=rows)
    rows = filters.qs if filters.form.is_valid() else rows
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
