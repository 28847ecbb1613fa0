"""The candidates on which reviewers disagree, for leads to decide."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from web_server.accounts.roles import lead_required
from web_server.candidates.models import Crossmatch
from web_server.review import services
from web_server.review.models import Label, Subject
from web_server.review.services import ReviewError
from web_server.review.summaries import Key, key_of, summaries

ON_A_PAGE = 25


def shown_rows(subjects: list[Subject]) -> dict[Key, Crossmatch]:
    """Return the row that shows each subject: that of the newest current run.

    Parameters
    ----------
    subjects : list of Subject
        Subjects.

    Returns
    -------
    dict
        By sky object, image and survey; a subject without a current row is left out.
    """
    rows = (
        Crossmatch.objects.filter(
            run__is_current=True,
            sky_object__in={subject.sky_object_id for subject in subjects},
            run__image__in={subject.image_id for subject in subjects},
        )
        .select_related("run__image")
        .order_by("run__finished", "pk")
    )
    return {key_of(row): row for row in rows}


@require_GET
@lead_required
def conflicts(request: HttpRequest) -> HttpResponse:
    """Show the subjects in conflict, the votes side by side.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``page``.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    found = Subject.objects.filter(state=Subject.State.CONFLICT).select_related("image").order_by("image", "pk")
    page = Paginator(found, ON_A_PAGE).get_page(request.GET.get("page"))
    subjects = [*page.object_list]
    keys = {(subject.sky_object_id, subject.image_id, subject.survey): subject for subject in subjects}
    rows, said = shown_rows(subjects), summaries(request.user, keys)
    entries: list[dict[str, Any]] = [
        {"subject": subject, "row": rows.get(key), "said": said.get(key)} for key, subject in keys.items()
    ]
    context = {"page": page, "entries": entries, "labels": Label.objects.filter(active=True)}
    return render(request, "review/conflicts.html", context)


@require_POST
@lead_required
def decide(request: HttpRequest, subject_id: int) -> HttpResponse:
    """Decide over a subject.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``label`` and ``note``.
    subject_id : int
        The subject.

    Returns
    -------
    django.http.HttpResponse
        Leads to the conflicts that are left.
    """
    subject = get_object_or_404(Subject, pk=subject_id)
    row = next(iter(shown_rows([subject]).values()), None)
    given = request.POST.get("label", "")
    label = Label.objects.filter(pk=int(given)).first() if given.isdecimal() and len(given) < 19 else None
    assert isinstance(request.user, User)
    try:
        if row is None:
            raise ReviewError("No current run shows this candidate any more.")
        if label is None:
            raise ReviewError("Choose what you decide.")
        note = request.POST.get("note", "").strip()[:2000]
        services.decide(request.user, row, label, note=note)
        messages.success(request, f"{row.name}: decided as {label}.")
    except ReviewError as error:
        messages.error(request, str(error))
    return redirect("conflicts")
