"""What was said and done about an object before, as far as its reader may know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from web_server.candidates.models import Crossmatch
from web_server.review.models import Event, Subject
from web_server.review.visibility import LOOKED, opens

MAX_EVENTS = 50
# Who holds an image is no opinion of a candidate.
_OPEN = ("claim", "assign", "release")


@dataclass(slots=True)
class PastSubject:
    """What was judged of an object in one image and survey.

    Parameters
    ----------
    image_id : int
        The image.
    image_name : str
        Its name.
    survey : str
        The survey.
    state, tag : str
        What the votes amount to.
    votes : list of str
        Who said what.
    voters : set of int
        Their numbers.
    """

    image_id: int
    image_name: str
    survey: str
    state: str
    tag: str
    votes: list[str] = field(default_factory=list)
    voters: set[int] = field(default_factory=set)


def past_of(row: Crossmatch, user: Any) -> dict[str, Any]:
    """Return the votes on the object in other images and surveys, the history, and who holds the image.

    Parameters
    ----------
    row : Crossmatch
        With its run, and its image with the claim.
    user : django.contrib.auth.models.User or AnonymousUser
        Who looks.

    Returns
    -------
    dict
        ``sees_votes`` of the row's subject, ``older`` (list of `PastSubject`), ``history`` (events, newest first)
        and ``claim``.
    """
    claim = getattr(row.run.image, "claim", None)
    if not user.is_authenticated:
        return {"sees_votes": False, "older": [], "history": [], "claim": claim}
    subjects, events = _subjects(row), _events(row)
    here = subjects.pop((row.run.image_id, row.survey), None)
    voted = here is not None and user.pk in here.voters
    sees = opens(user, voted=voted, looked=any(e.what == LOOKED and e.who_id == user.pk for e in events))
    # of other images a lead sees what a list shows, but not before they judged this one
    older = [s for s in subjects.values() if opens(user, voted=user.pk in s.voters, looked=sees)]
    history = [e for e in events if sees or e.what in _OPEN or e.who_id == user.pk]
    return {"sees_votes": sees, "older": older, "history": history[:MAX_EVENTS], "claim": claim}


def _subjects(row: Crossmatch) -> dict[tuple[int, str], PastSubject]:
    """Return what was judged of the row's object, by image and survey, in one query."""
    columns = ("image_id", "image__name", "survey", "state", "tag")
    votes = ("votes__active", "votes__reviewer_id", "votes__reviewer__username")
    said = ("votes__label__tag", "votes__label__reason", "votes__note")
    found: dict[tuple[int, str], PastSubject] = {}
    judged = Subject.objects.filter(sky_object=row.sky_object_id).exclude(state=Subject.State.UNREVIEWED)
    for line in judged.order_by("id", "votes__id").values_list(*columns, *votes, *said):
        image_id, image_name, survey, state, tag, active, reviewer, name, label, reason, note = line
        words = str(Subject.State(state).label)
        subject = found.setdefault((image_id, survey), PastSubject(image_id, image_name, survey, words, tag))
        if active:
            subject.voters.add(reviewer)
            subject.votes.append(f"{name}: {label} ({reason})" + (f" “{note}”" if note else ""))
    return found


def _events(row: Crossmatch) -> list[Event]:
    """Return what was done with the row's subject, and who held its image; whoever looks, newest first."""
    subject = Q(subject__sky_object=row.sky_object_id, subject__image=row.run.image_id, subject__survey=row.survey)
    held = Q(image=row.run.image_id, subject=None, sky_object=None, what__in=_OPEN)
    return [*Event.objects.filter(subject | held).select_related("who").order_by("-id")[: 20 * MAX_EVENTS]]
