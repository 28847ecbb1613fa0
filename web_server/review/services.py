"""Votes and decisions: each function is one transaction, and nothing is ever deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from web_server.candidates.models import Crossmatch
from web_server.notify.services import enqueue_decision, enqueue_first_investigate
from web_server.review.models import Decision, Event, Judgement, Label, Subject, Vote


class ReviewError(Exception):
    """What a person asked for cannot be done; the text says why."""


def find_subject(row: Crossmatch) -> Subject | None:
    """Return the subject of a row, if anybody has judged it.

    Parameters
    ----------
    row : Crossmatch
        Row of any run.

    Returns
    -------
    Subject or None
        The subject.
    """
    return Subject.objects.filter(sky_object=row.sky_object_id, image=row.run.image_id, survey=row.survey).first()


def _locked_subject(row: Crossmatch) -> Subject:
    """Return the subject of a row, made where there is none, which no other transaction changes meanwhile."""
    subject, _ = Subject.objects.get_or_create(
        sky_object_id=row.sky_object_id, image_id=row.run.image_id, survey=row.survey
    )
    # nothing on SQLite, where a transaction is alone from its start
    return Subject.objects.select_for_update().get(pk=subject.pk)


@transaction.atomic
def cast_vote(
    user: User,
    row: Crossmatch,
    label: Label,
    *,
    note: str = "",
    seconds: float | None = None,
    token: UUID | None = None,
) -> Vote:
    """Record what a reviewer thinks of a row's subject, in place of an earlier vote.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        A reviewer.
    row : Crossmatch
        What was shown.
    label : Label
        An active label that is not for leads only.
    note : str
        In the reviewer's own words.
    seconds : float, optional
        How long it was looked at.
    token : uuid.UUID, optional
        What tells this vote from others of the reviewer.

    Returns
    -------
    Vote
        The active vote; the present one where it says the same; that of the token, whatever became of it, where
        it was sent before.

    Raises
    ------
    ReviewError
        If the label cannot be voted for.
    """
    if label.lead_only or not label.active:
        raise ReviewError(f"“{label.words}” is no label to vote for.")
    subject = _locked_subject(row)
    sent = Vote.objects.filter(reviewer=user, token=token).first() if token else None
    if sent is not None:
        return sent
    present = subject.votes.filter(reviewer=user, active=True).first()
    if present is not None and (present.label_id, present.note) == (label.pk, note):
        return present
    new = Vote(subject=subject, reviewer=user, label=label, note=note, seconds=seconds, token=token)
    vote: Vote = _replace(present, new, row)
    _record(user, "vote", subject, present, vote)
    enqueue_first_investigate(vote)
    refresh(subject)
    return vote


@transaction.atomic
def withdraw_vote(user: User, vote: Vote) -> Vote | None:
    """Take back one's own vote; the one that it replaced holds again.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        Who voted.
    vote : Vote
        The active vote.

    Returns
    -------
    Vote or None
        The vote that holds now.

    Raises
    ------
    ReviewError
        If it is somebody else's vote, or no longer the active one.
    """
    if vote.reviewer_id != user.pk:
        raise ReviewError("Only the reviewer who gave a vote can take it back.")
    subject = Subject.objects.select_for_update().get(pk=vote.subject_id)
    earlier: Vote | None = _end_and_restore(vote)
    _record(user, "vote withdrawn", subject, vote, earlier)
    refresh(subject)
    return earlier


@transaction.atomic
def decide(lead: User, row: Crossmatch, label: Label, *, note: str = "", token: UUID | None = None) -> Decision:
    """Record what a lead decided of a row's subject, beside the votes and in place of an earlier decision.

    Parameters
    ----------
    lead : django.contrib.auth.models.User
        A lead.
    row : Crossmatch
        What was shown.
    label : Label
        Any active label.
    note : str
        Why.
    token : uuid.UUID, optional
        What tells this decision from others of the lead.

    Returns
    -------
    Decision
        The active decision; that of the token, whatever became of it, where it was sent before.

    Raises
    ------
    ReviewError
        If the label is no longer offered.
    """
    if not label.active:
        raise ReviewError(f"“{label.words}” is no longer offered.")
    subject = _locked_subject(row)
    sent = Decision.objects.filter(lead=lead, token=token).first() if token else None
    if sent is not None:
        return sent
    present = subject.decisions.filter(active=True).first()
    if present is not None and (present.lead_id, present.label_id, present.note) == (lead.pk, label.pk, note):
        return present
    decision: Decision = _replace(
        present, Decision(subject=subject, lead=lead, label=label, note=note, token=token), row
    )
    _record(lead, "decision", subject, present, decision)
    enqueue_decision(decision)
    refresh(subject)
    return decision


@transaction.atomic
def withdraw_decision(lead: User, decision: Decision) -> Decision | None:
    """Take back a decision, one's own or another lead's; the one that it replaced holds again, else the votes count.

    Parameters
    ----------
    lead : django.contrib.auth.models.User
        A lead.
    decision : Decision
        The active decision.

    Returns
    -------
    Decision or None
        The decision that holds now, of the lead who had given it.

    Raises
    ------
    ReviewError
        If it is no longer the active one.
    """
    subject = Subject.objects.select_for_update().get(pk=decision.subject_id)
    earlier: Decision | None = _end_and_restore(decision)
    _record(lead, "decision withdrawn", subject, decision, earlier)
    refresh(subject)
    return earlier


def refresh(subject: Subject) -> None:
    """Bring the state of a subject up to date with its votes and decision.

    Parameters
    ----------
    subject : Subject
        Locked by the caller's transaction. Votes for the same tag with other reasons agree.
    """
    decision = subject.decisions.filter(active=True).select_related("label").first()
    tags = [*subject.votes.filter(active=True).values_list("label__tag", flat=True)]
    subject.n_votes, agreed = len(tags), len(set(tags)) == 1
    if decision is not None:
        subject.state, subject.tag = Subject.State.DECIDED, decision.label.tag
    elif not tags:
        subject.state, subject.tag = Subject.State.UNREVIEWED, ""
    elif not agreed:
        subject.state, subject.tag = Subject.State.CONFLICT, ""
    elif len(tags) < settings.VOTES_NEEDED:
        subject.state, subject.tag = Subject.State.PARTIAL, tags[0]
    else:
        subject.state, subject.tag = Subject.State.AGREED, tags[0]
    subject.save(update_fields=("state", "tag", "n_votes"))


def _end(judgement: Any) -> Any:
    """End an active vote or decision; return the one that it replaced."""
    ended = type(judgement).objects.filter(pk=judgement.pk, active=True).update(active=False, ended=timezone.now())
    if not ended:
        raise ReviewError("It was already taken back or replaced; reload the page to see what holds now.")
    return judgement.replaces


def _end_and_restore(judgement: Any) -> Any:
    """End an active vote or decision; return the one that it replaced, given again."""
    earlier = _end(judgement)
    if earlier is None:
        return None
    model, new = type(earlier), ("id", "created", "active", "ended")
    same = {field.attname: getattr(earlier, field.attname) for field in model._meta.fields if field.name not in new}
    # the token goes with what holds
    model.objects.filter(pk=earlier.pk).update(token=None)
    return model.objects.create(**same)


def _replace(present: Judgement | None, new: Any, row: Crossmatch) -> Any:
    if present is not None:
        _end(present)
    new.replaces, new.run = present, row.run_id
    new.save()
    return new


def _record(user: User, what: str, subject: Subject, before: Judgement | None, after: Judgement | None) -> None:
    Event.objects.create(
        who=user,
        what=what,
        subject=subject,
        sky_object_id=subject.sky_object_id,
        image_id=subject.image_id,
        before=_words(before),
        after=_words(after),
    )


def _words(judgement: Judgement | None) -> str:
    if judgement is None:
        return ""
    return f"{judgement.label}: {judgement.note}" if judgement.note else str(judgement.label)
