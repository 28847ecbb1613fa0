"""What the review page shows of votes and decisions: one's own, those of others once `visibility` opens them."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef

from web_server.accounts.roles import is_lead
from web_server.candidates.models import Crossmatch
from web_server.review.models import Decision, Event, Subject, Vote
from web_server.review.visibility import LOOKED, opens

# Other images of an object whose votes are shown, the newest first.
MAX_HISTORY = 10


@dataclass(slots=True)
class Opinions:
    """What is known of one subject and the same object in other images.

    Parameters
    ----------
    subject : Subject or None
        The subject, for its state; None where nobody has judged it, or nothing of it may be shown.
    vote : Vote or None
        One's own.
    decision : Decision or None
        The decision that holds, where it is one's own or may be seen.
    own_decision : bool
        Whether it is one's own.
    others : list of Vote
        Active votes of others, where they may be seen.
    seen : bool
        Whether they may be seen.
    may_look : bool
        Whether the user may ask for them.
    history : list of (Subject, list of Vote or Decision)
        The same object in other images: what may be seen of it.
    """

    subject: Subject | None = None
    vote: Vote | None = None
    decision: Decision | None = None
    own_decision: bool = False
    others: list[Vote] = field(default_factory=list)
    seen: bool = False
    may_look: bool = False
    history: list[tuple[Subject, list[Vote | Decision]]] = field(default_factory=list)

    @property
    def chosen(self) -> set[int]:
        """The labels of the user's own vote and decision."""
        own = (self.vote, self.decision if self.own_decision else None)
        return {given.label_id for given in own if given is not None}


def looked_at(user: User) -> Exists:
    """Return the expression, of a crossmatch, that a user has asked for the votes on its subject.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        Who looks.

    Returns
    -------
    django.db.models.Exists
        The expression.
    """
    here = {"subject__sky_object": OuterRef("sky_object"), "subject__image": OuterRef("run__image")}
    return Exists(Event.objects.filter(who=user, what=LOOKED, subject__survey=OuterRef("survey"), **here))


def opinions_on(row: Crossmatch, user: User, *, looked: bool) -> Opinions:
    """Return what a user may see of the votes on a row's subject and on the same object in other images.

    Parameters
    ----------
    row : Crossmatch
        The row.
    user : django.contrib.auth.models.User
        Who looks.
    looked : bool
        Whether they asked for the votes, of `looked_at`.

    Returns
    -------
    Opinions
        Nothing of others that is not open to the user.
    """
    of_object = {"subject__sky_object": row.sky_object_id, "active": True}
    votes = [*Vote.objects.filter(**of_object).select_related("label", "reviewer", "subject__image").order_by("-id")]
    own = {vote.subject_id for vote in votes if vote.reviewer_id == user.pk}
    voted = any(_is_of(row, vote) and vote.subject_id in own for vote in votes)
    lead = is_lead(user)
    seen = opens(user, voted=voted, looked=looked)
    decisions = Decision.objects.filter(**of_object).select_related("label", "lead", "subject__image").order_by("-id")
    found = Opinions(seen=seen, may_look=lead and not seen)
    history: dict[Subject, list[Vote | Decision]] = {}
    for judgement in (*votes, *(decisions if lead or own else ())):
        is_own = user.pk == (judgement.lead_id if isinstance(judgement, Decision) else judgement.reviewer_id)
        if _is_of(row, judgement):
            if seen or is_own:
                _add(found, judgement, is_own=is_own)
        # of other images a lead sees what a list shows, but not before they judged this one
        elif is_own or opens(user, voted=judgement.subject_id in own, looked=seen):
            history.setdefault(judgement.subject, []).append(judgement)
    found.history = [*history.items()][:MAX_HISTORY]
    return found


def _is_of(row: Crossmatch, judgement: Vote | Decision) -> bool:
    return (judgement.subject.image_id, judgement.subject.survey) == (row.run.image_id, row.survey)


def _add(found: Opinions, judgement: Vote | Decision, *, is_own: bool) -> None:
    if found.seen:
        found.subject = judgement.subject
    if isinstance(judgement, Decision):
        found.decision, found.own_decision = judgement, is_own
    elif is_own:
        found.vote = judgement
    else:
        found.others.append(judgement)
