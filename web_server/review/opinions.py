"""What the review page shows of votes and decisions: one's own always, those of others where `sees_votes` says so."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db.models import Q

from web_server.accounts.roles import is_lead
from web_server.candidates.models import Crossmatch
from web_server.review.models import Decision, Subject, Vote
from web_server.review.visibility import sees_votes

# Other images of an object whose votes are shown, the newest first.
MAX_HISTORY = 10


@dataclass(slots=True)
class Opinions:
    """What is known of one subject and the same object in other images.

    Parameters
    ----------
    subject : Subject or None
        The subject; None where nobody has judged it, or nothing of it may be shown.
    vote : Vote or None
        One's own.
    decision : Decision or None
        The decision that holds, where it is one's own or may be seen.
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
    others: list[Vote] = field(default_factory=list)
    seen: bool = False
    may_look: bool = False
    history: list[tuple[Subject, list[Vote | Decision]]] = field(default_factory=list)

    @property
    def chosen(self) -> set[int]:
        """The labels that the user has given."""
        return {given.label_id for given in (self.vote, self.decision) if given is not None}


def opinions_on(row: Crossmatch, user: User) -> Opinions:
    """Return what a user may see of the votes on a row's subject and on the same object in other images.

    Parameters
    ----------
    row : Crossmatch
        The row.
    user : django.contrib.auth.models.User
        Who looks.

    Returns
    -------
    Opinions
        Nothing of others that `sees_votes` does not allow.
    """
    judged = [*Subject.objects.filter(sky_object=row.sky_object_id).select_related("image").order_by("-id")]
    present = next((one for one in judged if (one.image_id, one.survey) == (row.run.image_id, row.survey)), None)
    others = [one for one in judged if one != present][:MAX_HISTORY]
    subjects = [*others, present] if present is not None else others
    found = Opinions(may_look=is_lead(user))
    if not subjects:
        return found
    open_to_user = {one.pk for one in subjects if sees_votes(user, one)}
    votes = Vote.objects.filter(Q(reviewer=user) | Q(subject__in=open_to_user), subject__in=subjects, active=True)
    decisions = Decision.objects.filter(Q(lead=user) | Q(subject__in=open_to_user), subject__in=subjects, active=True)
    given: list[Vote | Decision] = [
        *votes.select_related("label", "reviewer"),
        *(decisions.select_related("label", "lead") if open_to_user or is_lead(user) else ()),
    ]
    for judgement in given:
        if present is None or judgement.subject_id != present.pk:
            continue
        if isinstance(judgement, Decision):
            found.decision = judgement
        elif isinstance(judgement, Vote) and judgement.reviewer_id == user.pk:
            found.vote = judgement
        elif isinstance(judgement, Vote):
            found.others.append(judgement)
    found.seen = present is not None and present.pk in open_to_user
    found.subject = present if found.seen else None
    found.may_look = is_lead(user) and not found.seen
    by_subject = [(one, [g for g in given if g.subject_id == one.pk]) for one in others]
    found.history = [(one, there) for one, there in by_subject if there]
    return found
