"""Comments on objects and images, with mentions of people: written, edited and deleted, and never lost."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from web_server.accounts.roles import is_lead, is_reviewer
from web_server.candidates.models import Image, SkyObject
from web_server.review.models import Comment, Event, Vote
from web_server.review.services import ReviewError

MAX_COMMENT = 4000
MAX_MENTIONS = 20
# A name after an @ that is not inside a word, such as an address of e-mail; a full stop behind it is not part of it.
MENTION = re.compile(r"(?<![\w.+-])@([\w.@+-]*\w)")


def mentioned(text: str) -> list[User]:
    """Return the people whom a text names.

    Parameters
    ----------
    text : str
        With ``@name``, in upper or lower case.

    Returns
    -------
    list of django.contrib.auth.models.User
        Those who exist and are active.
    """
    names = list(dict.fromkeys(name.lower() for name in MENTION.findall(text)))[:MAX_MENTIONS]
    if not names:
        return []
    return [*User.objects.annotate(lower=Lower("username")).filter(lower__in=names, is_active=True).order_by("pk")]


@transaction.atomic
def add_comment(author: User, text: str, *, sky_object: SkyObject | None = None, image: Image | None = None) -> Comment:
    """Write a comment on an object or on an image.

    Parameters
    ----------
    author : django.contrib.auth.models.User
        A reviewer.
    text : str
        Plain text.
    sky_object : SkyObject, optional
        The object.
    image : Image, optional
        The image; exactly one of both.

    Returns
    -------
    Comment
        The comment.
    """
    comment = Comment.objects.create(author=author, text=text, sky_object=sky_object, image=image)
    comment.mentions.set(mentioned(text))
    _record(author, "comment", comment, after=text)
    return comment


@transaction.atomic
def edit_comment(author: User, comment: Comment, text: str) -> None:
    """Change one's own comment; what it said before stays in the history.

    Parameters
    ----------
    author : django.contrib.auth.models.User
        Who wrote it.
    comment : Comment
        The comment.
    text : str
        What it says now.

    Raises
    ------
    ReviewError
        If somebody else wrote it, or it was deleted.
    """
    if comment.author_id != author.pk:
        raise ReviewError("Only who wrote a comment can change it.")
    present = _locked(comment)
    if present.text == text:
        return
    before, present.text, present.edited = present.text, text, timezone.now()
    present.save(update_fields=("text", "edited"))
    present.mentions.set(mentioned(text))
    _record(author, "comment edited", present, before=before, after=text)


@transaction.atomic
def delete_comment(user: User, comment: Comment) -> None:
    """Show a comment no longer; it stays in the history.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        Who wrote it, or a lead.
    comment : Comment
        The comment.

    Raises
    ------
    ReviewError
        If the user may not, or it was deleted before.
    """
    if comment.author_id != user.pk and not is_lead(user):
        raise ReviewError("Only who wrote a comment, or a lead, can delete it.")
    present = _locked(comment)
    present.deleted = timezone.now()
    present.save(update_fields=("deleted",))
    _record(user, "comment deleted", present, before=present.text)


def mentions_of(user: User) -> QuerySet[Comment]:
    """Return the comments that name somebody, newest first.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        Somebody.

    Returns
    -------
    django.db.models.QuerySet
        Comments with ``shown``: a reviewer who has not judged the object reads them afterwards.
    """
    votes = Vote.objects.filter(subject__sky_object=OuterRef("sky_object"), reviewer=user, active=True)
    blind = is_reviewer(user) and not is_lead(user)
    readable = Q(Exists(votes)) | Q(author=user) | Q(sky_object=None) if blind else Q(pk__isnull=False)
    found = Comment.objects.filter(mentions=user, deleted=None).select_related("author", "sky_object", "image")
    found = found.prefetch_related("mentions")
    return found.annotate(shown=readable).order_by("-created", "-id")


def _locked(comment: Comment) -> Comment:
    """Return a comment as it is now, which no other transaction changes meanwhile."""
    present = Comment.objects.select_for_update().filter(pk=comment.pk, deleted=None).first()
    if present is None:
        raise ReviewError("This comment was deleted; reload the page to see what is there now.")
    return present


def _record(user: User, what: str, comment: Comment, *, before: str = "", after: str = "") -> None:
    Event.objects.create(
        who=user,
        what=what,
        sky_object_id=comment.sky_object_id,
        image_id=comment.image_id,
        before=before,
        after=after,
    )
