"""Comments and the star on the pages of a source and of an image."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import prefetch_related_objects
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from web_server.accounts.roles import is_lead, is_reviewer
from web_server.candidates.models import Crossmatch, Image
from web_server.review.comment_views import CommentForm
from web_server.review.comments import MENTION
from web_server.review.models import Comment, Star
from web_server.review.services import find_subject
from web_server.review.visibility import sees_votes

register = template.Library()


@register.inclusion_tag("review/comments.html", takes_context=True)
def comments_on_row(context: dict[str, Any], row: Crossmatch) -> dict[str, Any]:
    """Show the comments on a row's object, as far as its votes may be seen, and the form.

    Parameters
    ----------
    context : dict
        Of the page; ``sees_votes`` where it knows.
    row : Crossmatch
        What is shown.

    Returns
    -------
    dict
        For the template.
    """
    user = context["request"].user
    sees = context["sees_votes"] if "sees_votes" in context else sees_votes(user, find_subject(row))
    found = Comment.objects.filter(sky_object=row.sky_object_id)
    if not sees:
        found = found.filter(author=user.pk)
    address = {"image_id": row.run.image_id, "row_id": row.pk}
    return _shown(context, found, address) | {"hidden": not sees and is_reviewer(user)}


@register.inclusion_tag("review/comments.html", takes_context=True)
def comments_on_image(context: dict[str, Any], image: Image) -> dict[str, Any]:
    """Show the comments on an image, and the form.

    Parameters
    ----------
    context : dict
        Of the page.
    image : Image
        What is shown.

    Returns
    -------
    dict
        For the template.
    """
    return _shown(context, Comment.objects.filter(image=image), {"image_id": image.pk})


def _shown(context: dict[str, Any], found: Any, address: dict[str, int]) -> dict[str, Any]:
    request = context["request"]
    shown = [*found.filter(deleted=None).select_related("author")]
    prefetch_related_objects([comment for comment in shown if "@" in comment.text], "mentions")
    writes = is_reviewer(request.user)
    return {
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "comments": shown,
        "user": request.user,
        "writes": writes,
        "lead": is_lead(request.user),
        "form": CommentForm(auto_id="comment_%s") if writes else None,
        "address": address,
    }


@register.inclusion_tag("review/star.html", takes_context=True)
def star_button(context: dict[str, Any], row: Crossmatch) -> dict[str, Any]:
    """Show the button that stars a row's object.

    Parameters
    ----------
    context : dict
        Of the page.
    row : Crossmatch
        What is shown.

    Returns
    -------
    dict
        For the template.
    """
    request = context["request"]
    known = request.user.is_authenticated
    starred = known and Star.objects.filter(user=request.user, sky_object=row.sky_object_id).exists()
    shown = {"request": request, "csrf_token": context.get("csrf_token"), "row": row}
    return shown | {"known": known, "starred": starred}


@register.filter
def with_mentions(comment: Comment) -> SafeString:
    """Return the text of a comment, escaped, with the people that it names in bold.

    Parameters
    ----------
    comment : Comment
        The comment.

    Returns
    -------
    django.utils.safestring.SafeString
        HTML.
    """
    if "@" not in comment.text:
        return conditional_escape(comment.text)
    names = {user.get_username().lower() for user in comment.mentions.all()}
    parts, end = [], 0
    for match in MENTION.finditer(comment.text):
        if match[1].lower() in names:
            parts += [
                conditional_escape(comment.text[end : match.start()]),
                format_html("<strong>{}</strong>", match[0]),
            ]
            end = match.end()
    # each part is escaped
    return mark_safe("".join([*parts, conditional_escape(comment.text[end:])]))
