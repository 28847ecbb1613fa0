"""Emptying the queue. Everything that has to survive a restart is in the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from web_server.notify.models import AUTOMATIC, WAITING, Message
from web_server.notify.posts import NothingToSay, compose
from web_server.notify.slack import Slack, SlackError

# A worker that stopped in the middle of a message leaves it to others after this long.
LEASE = timedelta(minutes=5)
# Seconds after the first failure; doubled with each further one.
FIRST_PAUSE, LONGEST_PAUSE = 30, 3600
MAX_ATTEMPTS = 30  # some 24 hours
# Nobody wants to read of what happened long before the worker was started.
OLDEST_AUTOMATIC = timedelta(days=2)
# Slack takes one message a second in a channel.
BETWEEN = 1.0


def work_once(slack: Slack, *, wait: Callable[[float], bool], say: Callable[[str], object]) -> int:
    """Send everything that is due.

    Parameters
    ----------
    slack : Slack
        Where to.
    wait : callable
        Waits for so many seconds; true where the worker is to stop.
    say : callable
        Takes a line for the log.

    Returns
    -------
    int
        How many messages were taken from the queue.
    """
    done = 0
    while not (done and wait(BETWEEN)):
        message = take()
        if message is None:
            break
        say(f"{message.kind} {message.pk}: {_outcome(message, slack)}")
        done += 1
    return done


def take() -> Message | None:
    """Take the next due message; no other worker gets it while the lease runs.

    Returns
    -------
    Message or None
        The message; None where nothing is due.
    """
    while True:
        now = timezone.now()
        due = Message.objects.filter(state__in=WAITING, next_attempt__lte=now)
        message = due.select_related("sender").order_by("next_attempt", "id").first()
        if message is None:
            return None
        # only one of two workers changes the row as both have seen it
        taken = due.filter(pk=message.pk, attempts=message.attempts)
        if taken.update(attempts=F("attempts") + 1, next_attempt=now + LEASE):
            message.attempts += 1
            return message


def _outcome(message: Message, slack: Slack) -> str:
    """Send a message that was taken, write down what became of it, and say it."""
    try:
        unwanted = _unwanted(message)
        if unwanted:
            raise NothingToSay(unwanted)
        _send(message, slack)
    except NothingToSay as reason:
        _write(message, state=Message.State.DROPPED, error=str(reason))
        return f"dropped: {reason}"
    except SlackError as failure:
        return _failed(message, failure)
    _write(message, state=Message.State.SENT, sent=timezone.now(), error="")
    return "sent"


def _unwanted(message: Message) -> str:
    if message.kind not in AUTOMATIC:
        return ""
    if message.kind not in settings.SLACK_AUTOMATIC:
        return "automatic messages of this kind are off"
    return "too old" if timezone.now() - message.created > OLDEST_AUTOMATIC else ""


def _send(message: Message, slack: Slack) -> None:
    post = compose(message)
    if not message.ts:
        message.ts, message.channel = slack.post(post.text, post.blocks)
        # known from here on, so that a failing upload does not post it again
        _write(message, ts=message.ts, channel=message.channel)
    if post.stamp is not None:
        slack.upload(post.stamp, title=post.title, channel=message.channel, thread=message.ts)


def _failed(message: Message, failure: SlackError) -> str:
    if failure.permanent or message.attempts >= MAX_ATTEMPTS:
        _write(message, state=Message.State.GIVEN_UP, error=failure.reason)
        return f"given up: {failure.reason}"
    pause = failure.pause or min(FIRST_PAUSE * 2 ** (message.attempts - 1), LONGEST_PAUSE)
    again = timezone.now() + timedelta(seconds=pause)
    _write(message, state=Message.State.FAILED, error=failure.reason, next_attempt=again)
    if failure.pause is not None:
        _hold_back(again)
    return f"failed, again in {pause:g} s: {failure.reason}"


def _hold_back(until: datetime) -> None:
    """Let nothing be sent before Slack takes messages again."""
    Message.objects.filter(state__in=WAITING, next_attempt__lt=until).update(next_attempt=until)


def _write(message: Message, **values: Any) -> None:
    """Write down what became of a message, unless another worker has it since."""
    Message.objects.filter(pk=message.pk, attempts=message.attempts).update(**values)
