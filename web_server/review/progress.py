"""How far the candidates of runs are reviewed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet

from web_server.candidates.models import Crossmatch
from web_server.review.filters import rows_of
from web_server.review.models import Subject, Vote


@dataclass(frozen=True, slots=True)
class Progress:
    """Numbers of candidates.

    Parameters
    ----------
    anybody : int
        That somebody has voted on or a lead has decided.
    reader : int
        That the reader has voted on.
    """

    anybody: int = 0
    reader: int = 0


UNTOUCHED = Progress()


def progress(user: Any, runs: Iterable[UUID]) -> dict[UUID, Progress]:
    """Return how many candidates of some runs are reviewed; numbers only, so that they tell no vote.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        The reader.
    runs : iterable of uuid.UUID
        Runs.

    Returns
    -------
    dict
        For each run of which anything is reviewed.
    """
    candidates = Crossmatch.objects.filter(run__in=[*runs], is_candidate=True)
    own = Vote.objects.filter(subject=OuterRef("pk"), reviewer=user.pk, active=True)
    anybody = _by_run(candidates, Subject.objects.exclude(state=Subject.State.UNREVIEWED))
    reader = _by_run(candidates, Subject.objects.filter(Exists(own)))
    return {run: Progress(n, reader.get(run, 0)) for run, n in anybody.items()}


def _by_run(candidates: QuerySet[Crossmatch], subjects: QuerySet[Subject]) -> dict[UUID, int]:
    rows = rows_of(candidates, subjects).order_by()
    return dict(rows.values_list("run").annotate(n=Count("pk")))
