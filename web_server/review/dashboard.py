"""How the review goes: per image, per reviewer, per day."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from web_server.accounts.roles import lead_required
from web_server.candidates.models import Run
from web_server.review.models import Label, Subject, Vote
from web_server.review.progress import UNTOUCHED, progress

DAYS = 14
ON_A_PAGE = 50
STATES = [state for state in Subject.State if state != Subject.State.UNREVIEWED]


@lead_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show the progress of the images, the agreement of the reviewers and the votes of the last days.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``page`` of the images.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    runs = (
        Run.objects.filter(is_current=True)
        .select_related("image__claim__owner")
        .annotate(candidates=Sum("survey_runs__candidates"))
        .order_by("image__name", "pk")
    )
    page = Paginator(runs, ON_A_PAGE).get_page(request.GET.get("page"))
    days = [timezone.now().date() - timedelta(days=n) for n in reversed(range(DAYS))]
    context = {
        "page": page,
        "images": _images(request.user, [*page.object_list]),
        "states": STATES,
        "reviewers": _reviewers(),
        "days": days,
        "votes": _votes_of(days),
    }
    return render(request, "review/dashboard.html", context)


def _images(user: Any, runs: list[Run]) -> list[dict[str, Any]]:
    done = progress(user, [run.pk for run in runs])
    states: dict[int, Counter[str]] = defaultdict(Counter)
    counted = Subject.objects.filter(image__in={run.image_id for run in runs}).order_by()
    for image, state, n in counted.values_list("image", "state").annotate(n=Count("pk")):
        states[image][state] = n
    return [
        {
            "run": run,
            "reviewed": done.get(run.pk, UNTOUCHED).anybody,
            "states": [states[run.image_id][state] for state in STATES],
        }
        for run in runs
    ]


def _reviewers() -> Any:
    """Return for each reviewer the votes, and how many agree with what the others made of it."""
    # where a lead said what only leads can say, no vote could agree
    votable = set(Label.objects.filter(lead_only=False).values_list("tag", flat=True))
    settled = Q(subject__state__in=(Subject.State.AGREED, Subject.State.DECIDED), subject__tag__in=votable)
    same = Q(label__tag=F("subject__tag"))
    return (
        Vote.objects.filter(active=True)
        .order_by()
        .values(name=F("reviewer__username"))
        .annotate(
            votes=Count("pk"),
            settled=Count("pk", filter=settled),
            agreeing=Count("pk", filter=settled & same),
            disputed=Count("pk", filter=Q(subject__state=Subject.State.CONFLICT)),
        )
        .order_by("-votes", "name")
    )


def _votes_of(days: list[Any]) -> list[tuple[str, list[int]]]:
    """Return for each reviewer the number of votes of each day, changed ones too."""
    counts: dict[str, Counter[Any]] = defaultdict(Counter)
    recent = Vote.objects.filter(created__date__gte=days[0]).order_by()
    for name, day, n in recent.values_list("reviewer__username", TruncDate("created")).annotate(n=Count("pk")):
        counts[name][day] = n
    return [(name, [counts[name][day] for day in days]) for name in sorted(counts)]
