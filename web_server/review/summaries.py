"""What was said of the rows of a list, as far as its reader may know, in three queries however long it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from web_server.candidates.models import Crossmatch
from web_server.review.models import Decision, Judgement, Subject, Vote
from web_server.review.visibility import visible_subjects

# sky object, image and survey: what makes a subject
Key = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Summary:
    """What was said of one row.

    Parameters
    ----------
    state : str
        A `Subject.State`; unreviewed where the reader may not know.
    tag : str
        Decided, else agreed by all votes.
    own : Vote or None
        What the reader said.
    votes : tuple of Vote
        Active ones, the first first.
    decision : Decision or None
        Of a lead.
    """

    state: str = Subject.State.UNREVIEWED
    tag: str = ""
    own: Vote | None = None
    votes: tuple[Vote, ...] = ()
    decision: Decision | None = None

    @property
    def words(self) -> str:
        """Everything in one line: who said what."""
        said = [f"{vote.reviewer.get_username()}: {vote.label}" for vote in self.votes]
        if self.decision is not None:
            said.append(f"decided by {self.decision.lead.get_username()}: {self.decision.label}")
        return "; ".join(said)


NOTHING = Summary()


def key_of(row: Crossmatch) -> Key:
    """Return what finds the summary of a row.

    Parameters
    ----------
    row : Crossmatch
        With its run.

    Returns
    -------
    tuple of (int, int, str)
        Sky object, image and survey.
    """
    return row.sky_object_id, row.run.image_id, row.survey


def summaries(user: Any, keys: Iterable[Key]) -> dict[Key, Summary]:
    """Return what was said of some rows.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        The reader.
    keys : iterable of (int, int, str)
        Sky object, image and survey of each row.

    Returns
    -------
    dict
        For those of which the reader may know that something was said.
    """
    wanted = set(keys)
    near = visible_subjects(user).filter(
        sky_object__in={place for place, _, _ in wanted}, image__in={image for _, image, _ in wanted}
    )
    found = {key: subject for subject in near if (key := _key(subject)) in wanted}
    if not found:
        return {}
    numbers = [subject.pk for subject in found.values()]
    votes: dict[int, list[Vote]] = defaultdict(list)
    for vote in _active(Vote, numbers, "reviewer"):
        votes[vote.subject_id].append(vote)
    decided = [subject.pk for subject in found.values() if subject.state == Subject.State.DECIDED]
    decisions = {decision.subject_id: decision for decision in _active(Decision, decided, "lead")}
    return {
        key: Summary(
            state=subject.state,
            tag=subject.tag,
            own=next((vote for vote in votes[subject.pk] if vote.reviewer_id == user.pk), None),
            votes=tuple(votes[subject.pk]),
            decision=decisions.get(subject.pk),
        )
        for key, subject in found.items()
    }


def _key(subject: Subject) -> Key:
    return subject.sky_object_id, subject.image_id, subject.survey


def _active(model: type[Judgement], subjects: list[int], who: str) -> Any:
    return model.objects.filter(subject__in=subjects, active=True).select_related("label", who)  # type: ignore[attr-defined]
