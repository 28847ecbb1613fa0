"""How far the candidates of runs are reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, QuerySet

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


def progress(user: Any, runs: Sequence[UUID]) -> dict[UUID, Progress]:
    """Return how many candidates of some runs are reviewed; numbers only, so that they tell no vote.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        The reader.
    runs : sequence of uuid.UUID
        Runs.

    Returns
    -------
    dict
        For each run of which anything is reviewed.
    """
    own = Vote.objects.filter(subject=OuterRef("pk"), reviewer=user.pk, active=True)
    anybody = _by_run(Subject.objects.exclude(state=Subject.State.UNREVIEWED), runs)
    reader = _by_run(Subject.objects.filter(Exists(own)), runs)
    return {run: Progress(n, reader.get(run, 0)) for run, n in anybody.items()}


def _by_run(subjects: QuerySet[Subject], runs: Sequence[UUID]) -> dict[UUID, int]:
    row = "sky_object__crossmatches__"
    candidates = {
        f"{row}run__in": runs,
        f"{row}run__image": F("image"),
        f"{row}survey": F("survey"),
        f"{row}is_candidate": True,
    }
    counted = subjects.filter(**candidates).order_by().values_list(f"{row}run").annotate(n=Count("pk"))
    return dict(counted)
