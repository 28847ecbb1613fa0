"""Labels, subjects, votes, decisions, claims, comments, stars, searches and events.

Votes, decisions and comments are never deleted: one that is withdrawn or replaced stays as history.
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from web_server.candidates.models import Image, SkyObject

MAX_NOTE = 2000
# what the review page does at these keys beside voting
RESERVED_KEYS = "uzg?"


class Label(models.Model):
    """What a reviewer, or a lead, can say of a candidate: a tag and its reason, given by one key."""

    group = models.CharField(max_length=50, help_text="Row of buttons")
    words = models.CharField(max_length=50, help_text="On the button")
    key = models.CharField(max_length=1, help_text="Letter that gives it; none may be left empty", blank=True)
    tag = models.CharField(max_length=50, help_text="What is stored and compared between reviewers")
    reason = models.CharField(max_length=100, help_text="Why")
    lead_only = models.BooleanField(db_default=False, default=False, help_text="A decision of a lead, not a vote")
    active = models.BooleanField(db_default=True, default=True, help_text="Offered; an old one stays in the history")
    position = models.PositiveSmallIntegerField(db_default=0, default=0, help_text="Order on the page")

    class Meta:
        ordering = ("position", "id")
        constraints = (
            models.UniqueConstraint(fields=("tag", "reason"), name="one_label_of_tag_and_reason"),
            models.UniqueConstraint(fields=("key",), condition=~Q(key="") & Q(active=True), name="one_label_of_key"),
        )

    def __str__(self) -> str:
        return f"{self.tag} ({self.reason})"

    def clean(self) -> None:
        """Refuse a letter that would do something else than vote."""
        if self.key and self.key in RESERVED_KEYS:
            raise ValidationError({"key": f"“{self.key}” does something else on the review page."})


class Subject(models.Model):
    """What is judged: an object on the sky as an image, by its content, shows it against a survey.

    A run of the same image again is the same subject, so that votes stay; a new image of the field is another one.
    """

    class State(models.TextChoices):
        """What the votes on a subject amount to."""

        UNREVIEWED = "unreviewed"
        PARTIAL = "partial"
        AGREED = "agreed"
        CONFLICT = "conflict"
        DECIDED = "decided"

    sky_object = models.ForeignKey(SkyObject, on_delete=models.PROTECT, related_name="subjects")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="subjects")
    survey = models.CharField(max_length=50)
    # kept by services.refresh in the transaction of every vote and decision
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.UNREVIEWED, db_default=State.UNREVIEWED
    )
    n_votes = models.PositiveIntegerField(default=0, db_default=0)
    tag = models.CharField(max_length=50, default="", db_default="", help_text="Decided, else agreed by all votes")

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("sky_object", "image", "survey"), name="one_subject_of_object_image_survey"
            ),
        )
        indexes = (models.Index(fields=("image", "survey", "state"), name="subject_image_state"),)

    def __str__(self) -> str:
        return f"{self.sky_object} in {self.image}, {self.survey}"


class Judgement(models.Model):
    """A label that somebody gave a subject; given again, the earlier one stays but is not active."""

    label = models.ForeignKey(Label, on_delete=models.PROTECT)
    note = models.CharField(max_length=MAX_NOTE, blank=True, default="", db_default="")
    run = models.UUIDField(null=True, help_text="Run whose numbers were shown; it may be gone")
    created = models.DateTimeField(db_default=Now())
    active = models.BooleanField(default=True, db_default=True)
    ended = models.DateTimeField(null=True, help_text="When it was withdrawn or replaced")
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    token = models.UUIDField(null=True, help_text="Of the page; one that is sent again is not a second one")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.label)


class Vote(Judgement):
    """What one reviewer thinks."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="votes")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="votes")
    seconds = models.FloatField(null=True, help_text="That the candidate was looked at")

    class Meta:
        ordering = ("created", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("subject", "reviewer"), condition=Q(active=True), name="one_active_vote_of_reviewer"
            ),
            models.UniqueConstraint(fields=("reviewer", "token"), name="one_vote_of_token"),
        )
        indexes = (models.Index(fields=("reviewer", "created"), name="vote_reviewer_created"),)


class Decision(Judgement):
    """What a lead decided, beside the votes."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="decisions")
    lead = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions")

    class Meta:
        ordering = ("created", "id")
        constraints = (
            models.UniqueConstraint(fields=("subject",), condition=Q(active=True), name="one_active_decision"),
            models.UniqueConstraint(fields=("lead", "token"), name="one_decision_of_token"),
        )


class Claim(models.Model):
    """Who goes through an image; it keeps nobody else from voting."""

    image = models.OneToOneField(Image, on_delete=models.CASCADE, related_name="claim")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="claims")
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="claims_assigned", null=True
    )
    since = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.image}: {self.owner}"


class Comment(models.Model):
    """A remark on an object on the sky or on an image."""

    sky_object = models.ForeignKey(SkyObject, on_delete=models.PROTECT, null=True, related_name="comments")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, null=True, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments")
    text = models.TextField()
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="mentioned_in", blank=True)
    created = models.DateTimeField(db_default=Now())
    edited = models.DateTimeField(null=True)
    deleted = models.DateTimeField(null=True, help_text="No longer shown; kept for the history")

    class Meta:
        ordering = ("created", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(sky_object__isnull=False, image__isnull=True)
                | Q(sky_object__isnull=True, image__isnull=False),
                name="comment_on_object_or_image",
            ),
        )

    def __str__(self) -> str:
        return self.text[:50]


class Star(models.Model):
    """An object that somebody wants to find again."""

    sky_object = models.ForeignKey(SkyObject, on_delete=models.PROTECT, related_name="stars")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stars")
    created = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-created", "id")
        constraints = (models.UniqueConstraint(fields=("sky_object", "user"), name="one_star_of_user"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.sky_object}"


class SavedSearch(models.Model):
    """A list that somebody comes back to: its address, not its rows. The one without a name is the last search."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="searches")
    name = models.CharField(max_length=100, blank=True, default="", db_default="")
    query = models.TextField(blank=True, default="", db_default="")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, null=True, help_text="None: all images")
    shared = models.BooleanField(default=False, db_default=False)
    changed = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(fields=("owner", "name"), name="one_search_of_name"),)

    def __str__(self) -> str:
        return self.name


class Preferences(models.Model):
    """What somebody chose for the review page."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences")
    keys = models.BooleanField(default=True, db_default=True, help_text="Keys on the review page")

    def __str__(self) -> str:
        return str(self.user)


class Event(models.Model):
    """Who did what to what, when; only ever added to."""

    who = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="events", null=True)
    what = models.CharField(max_length=50)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, null=True, related_name="events")
    sky_object = models.ForeignKey(SkyObject, on_delete=models.PROTECT, null=True, related_name="events")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, null=True, related_name="events")
    before = models.TextField(blank=True, default="", db_default="")
    after = models.TextField(blank=True, default="", db_default="")
    when = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.who}: {self.what} {self.after}"
