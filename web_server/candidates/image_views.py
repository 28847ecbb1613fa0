"""The pages of all images and of one. Nothing here changes anything."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from racs_transients.flags import FLAGS, GOOD
from racs_transients.schema import IMAGES, PLOT_KINDS, RUNS, SURVEY_RUNS
from web_server.accounts.roles import ADMIN, LEAD, REVIEWER, is_lead
from web_server.candidates.display import Value, sexagesimal, text_of, tooltip
from web_server.candidates.filters import TYPES
from web_server.candidates.lists import show_page
from web_server.candidates.models import Run, SurveyRun
from web_server.candidates.selection import run_of
from web_server.candidates.tables import RunTable
from web_server.review.progress import UNTOUCHED, progress


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
        .select_related("image__claim__owner")
        .prefetch_related("survey_runs")
        .annotate(n_rows=Sum("survey_runs__n_rows"), n_candidates=Sum("survey_runs__candidates"))
    )
    # strangers read no names of people
    table = RunTable(runs, exclude=() if request.user.is_authenticated else ("claimed_by",))
    show_page(table, request)
    table.progress = progress(request.user, [row.record.pk for row in table.page.object_list])
    return render(request, "candidates/home.html", {"table": table})


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
    run = run_of(request, image_id)
    image = run.image
    parts = [*run.survey_runs.all()]
    products = [*run.products.filter(crossmatch=None).select_related("run")]
    order = list(PLOT_KINDS)
    plots = sorted((p for p in products if p.kind in PLOT_KINDS), key=lambda p: (p.survey, order.index(p.kind)))
    context = {
        "image": image,
        "run": run,
        "runs": image.runs.all(),
        "position": sexagesimal(image.ra or 0.0, image.dec or 0.0),
        "numbers": [*_values(image, IMAGES), *_values(run, RUNS)],
        "comparisons": [(part.survey, _values(part, SURVEY_RUNS[1:])) for part in parts],
        "counts": _counts(parts),
        "searched": any(part.n_rows is not None for part in parts),
        "plots": [(plot, plot.file() is not None) for plot in plots],
        **_review_of(request, run, parts),
        "files": [p for p in products if p.kind not in PLOT_KINDS],
    }
    return render(request, "candidates/image.html", context)


def _review_of(request: HttpRequest, run: Run, parts: list[SurveyRun]) -> dict[str, Any]:
    """Return the numbers of the ready lists, the progress, and who the image can be assigned to."""
    reviewers = User.objects.filter(Q(groups__name__in=(REVIEWER, LEAD, ADMIN)) | Q(is_superuser=True), is_active=True)
    return {
        "n_candidates": sum(part.candidates or 0 for part in parts),
        "n_flagged": run.crossmatches.filter(ratio__gte=2).exclude(flag=GOOD).order_by().count(),
        "n_rows": sum(part.n_rows or 0 for part in parts),
        "progress": progress(request.user, [run.pk]).get(run.pk, UNTOUCHED),
        "reviewers": reviewers.distinct().order_by("username") if is_lead(request.user) else (),
    }


def _values(record: Any, columns: Any) -> list[Value]:
    return [
        Value(column.name.replace("_", " "), column.unit, tooltip(column), (text_of(record, column),))
        for column in columns
    ]


def _counts(parts: list[SurveyRun]) -> list[tuple[str, list[tuple[str, int]], int]]:
    """Return for each primary flag the number of rows in each category, and their sum."""
    by_flag: dict[str, Counter[str]] = defaultdict(Counter)
    for part in parts:
        for kind, flags in part.counts.items():
            for flag, n in flags.items():
                by_flag[flag][kind] += n
    names = [GOOD, *(flag.name for flag in FLAGS)]
    return [
        (name, [(kind, by_flag[name][kind]) for kind in TYPES], sum(by_flag[name].values()))
        for name in names
        if name in by_flag
    ]
