"""The queue of messages. The pipeline writes into it too, so that every column has a default in the database."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Now

from web_server.candidates.models import SkyObject


class Message(models.Model):
    """A message to the channel: what it is about, not what it says; that is read when it is sent."""

    class Kind(models.TextChoices):
        """What a message is about."""

        CANDIDATE = "candidate"
        RUN = "run finished"
        INVESTIGATE = "first investigate"
        DECISION = "decision"

    class State(models.TextChoices):
        """What became of a message."""

        QUEUED = "queued"
        SENT = "sent"
        FAILED = "failed", "failed, tried again"
        GIVEN_UP = "given up"
        DROPPED = "dropped"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    key = models.CharField(max_length=100, help_text="What makes it one message and not two")
    payload = models.JSONField(default=dict, db_default=Value({}, models.JSONField()), help_text="Ids only")
    # with a message, an object stays though its rows are replaced
    sky_object = models.ForeignKey(SkyObject, on_delete=models.PROTECT, null=True, related_name="messages")
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED, db_default=State.QUEUED)
    # also the ticket of the worker that holds it: each attempt has its number
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    next_attempt = models.DateTimeField(db_default=Now())
    error = models.TextField(default="", db_default="", blank=True)
    created = models.DateTimeField(db_default=Now())
    sent = models.DateTimeField(null=True)
    ts = models.CharField(max_length=30, default="", db_default="", help_text="Slack's id of the post")
    channel = models.CharField(max_length=30, default="", db_default="", help_text="Slack's id of its channel")

    class Meta:
        ordering = ("-id",)
        constraints = (
            # a candidate may be sent again, anything automatic once
            models.UniqueConstraint(
                fields=("kind", "key"),
                condition=~Q(kind="candidate") | Q(state__in=("queued", "failed", "given up")),
                name="one_message_of_kind_and_key",
            ),
        )
        indexes = (
            models.Index(fields=("next_attempt",), condition=Q(state__in=("queued", "failed")), name="message_waiting"),
        )

    def __str__(self) -> str:
        return f"{self.kind}, {self.state}"


WAITING = (Message.State.QUEUED, Message.State.FAILED)
AUTOMATIC = tuple(kind.value for kind in Message.Kind if kind is not Message.Kind.CANDIDATE)
