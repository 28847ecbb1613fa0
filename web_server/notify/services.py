"""Putting messages into the queue: one row in the caller's transaction, so that no click waits for Slack."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from web_server.candidates.models import Crossmatch, Run
from web_server.notify.models import WAITING, Message
from web_server.review.models import Decision, Vote

INVESTIGATE_TAG = "investigate"


def not_configured() -> str:
    """Return what Slack still needs.

    Returns
    -------
    str
        A sentence; empty where token and channel are known.
    """
    needed = {
        "RACS_TRANSIENTS_SLACK_TOKEN": settings.SLACK_TOKEN,
        "RACS_TRANSIENTS_SLACK_CHANNEL": settings.SLACK_CHANNEL,
    }
    missing = " and ".join(name for name, value in needed.items() if not value)
    return f"Slack is not set up: {missing} must be in the environment of the site and its worker." if missing else ""


def enqueue_candidate(user: User, row: Crossmatch) -> Message:
    """Queue a candidate; one that the user has already queued stays one message.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        Who sends it.
    row : Crossmatch
        What is sent.

    Returns
    -------
    Message
        The message; one that was given up is tried again.
    """
    # the row by its run and number: its id changes when the same run is written again
    payload = {"run": str(row.run_id), "match_id": row.match_id}
    open_messages = Message.objects.filter(state__in=(*WAITING, Message.State.GIVEN_UP))
    message, _ = open_messages.get_or_create(
        kind=Message.Kind.CANDIDATE,
        key=f"{user.pk}:{row.run_id}:{row.match_id}",
        defaults={"payload": payload, "sky_object_id": row.sky_object_id, "sender": user},
    )
    if message.state == Message.State.GIVEN_UP:
        retry(message)
    return message


def enqueue_run_finished(run: Run) -> Message | None:
    """Queue that a run finished, once; the pipeline writes the same row in its own transaction.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    Message or None
        The message; None where such messages are off.
    """
    return _automatic(Message.Kind.RUN, str(run.pk), {"run": str(run.pk)})


def enqueue_first_investigate(vote: Vote) -> Message | None:
    """Queue the first vote to investigate a subject; later ones say nothing new, unless it was never told.

    Parameters
    ----------
    vote : Vote
        A new vote of any kind.

    Returns
    -------
    Message or None
        The message; None where such messages are off, or it is no vote to investigate.
    """
    if vote.label.tag != INVESTIGATE_TAG:
        return None
    subject = vote.subject
    payload = {"subject": subject.pk}
    message = _automatic(Message.Kind.INVESTIGATE, str(subject.pk), payload, subject.sky_object_id)
    if message is not None and message.state == Message.State.DROPPED:
        # the vote that it was about was taken back before it was sent
        now = timezone.now()
        again = {"state": Message.State.QUEUED, "attempts": 0, "created": now, "next_attempt": now, "error": ""}
        Message.objects.filter(pk=message.pk, state=Message.State.DROPPED).update(**again)
        message.refresh_from_db()
    return message


def enqueue_decision(decision: Decision) -> Message | None:
    """Queue what a lead decided.

    Parameters
    ----------
    decision : Decision
        The decision.

    Returns
    -------
    Message or None
        The message; None where such messages are off.
    """
    payload = {"decision": decision.pk}
    return _automatic(Message.Kind.DECISION, str(decision.pk), payload, decision.subject.sky_object_id)


def _automatic(kind: Message.Kind, key: str, payload: dict[str, Any], sky_object: int | None = None) -> Message | None:
    if kind not in settings.SLACK_AUTOMATIC:
        return None
    defaults = {"payload": payload, "sky_object_id": sky_object}
    return Message.objects.get_or_create(kind=kind, key=key, defaults=defaults)[0]


def retry(message: Message) -> None:
    """Let the worker try a message again that it had given up.

    Parameters
    ----------
    message : Message
        The message; nothing happens to one in another state.
    """
    retry_all(message.pk)
    message.refresh_from_db()


def retry_all(*ids: int) -> int:
    """Let the worker try messages again that it had given up.

    Parameters
    ----------
    *ids : int
        The messages; all where none is named.

    Returns
    -------
    int
        How many are queued again.
    """
    given_up = Message.objects.filter(state=Message.State.GIVEN_UP)
    if ids:
        given_up = given_up.filter(pk__in=ids)
    return given_up.update(state=Message.State.QUEUED, attempts=0, next_attempt=timezone.now())
