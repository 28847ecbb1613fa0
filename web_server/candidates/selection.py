"""Which rows an address asks for: the same for a page, an export, a gallery and a queue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from web_server.candidates.filters import CrossmatchFilter
from web_server.candidates.models import Crossmatch, Run


def run_of(request: HttpRequest, image_id: int) -> Run:
    """Return the run of an image that the address names, else its newest current one.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``run`` may name one.
    image_id : int
        The image.

    Returns
    -------
    Run
        The run, with its image.

    Raises
    ------
    Http404
        If there is no such image or run.
    """
    runs = Run.objects.filter(image=image_id).select_related("image__claim__owner")
    asked = request.GET.get("run")
    if asked:
        try:
            return get_object_or_404(runs, pk=UUID(asked))
        except ValueError as error:
            raise Http404(f"There is no run {asked}.") from error
    run = runs.order_by("-is_current", F("finished").desc(nulls_last=True)).first()
    if run is None:
        raise Http404("There is no such image, or it has no run.")
    return run


def selection(request: HttpRequest, run: Run | None) -> CrossmatchFilter:
    """Return the filters of an address with the rows that they choose from.

    Parameters
    ----------
    request : django.http.HttpRequest
        The filters, and who asks.
    run : Run or None
        The run whose rows are listed; None for the current runs of all images.

    Returns
    -------
    CrossmatchFilter
        Its rows are of use where its form is valid.
    """
    rows = Crossmatch.objects.filter(run__is_current=True) if run is None else run.crossmatches.all()
    return CrossmatchFilter(request.GET, queryset=rows, request=request)


def chosen(filters: CrossmatchFilter) -> QuerySet[Any]:
    """Return the rows of filters; none where something in the form is wrong.

    Parameters
    ----------
    filters : CrossmatchFilter
        The filters.

    Returns
    -------
    django.db.models.QuerySet
        Rows.
    """
    rows: QuerySet[Any] = filters.qs if filters.form.is_valid() else filters.queryset.none()
    return rows
