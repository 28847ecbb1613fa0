"""Comments, star and Slack: a part that pages of sources and images load after themselves, and a page of its own."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET

from web_server.accounts.roles import is_lead, is_reviewer
from web_server.candidates.models import Crossmatch, Image
from web_server.notify.status import slack_of
from web_server.review.comment_views import CommentForm
from web_server.review.models import Comment, Star
from web_server.review.services import find_subject
from web_server.review.visibility import sees_votes


@require_GET
def talk(request: HttpRequest, image_id: int, row_id: int | None = None) -> HttpResponse:
    """Show what people say of the object of a row, or of an image.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``part`` for the part alone, and in ``next`` the page that shows it, to which its forms come back.
    image_id : int
        The image.
    row_id : int, optional
        A row of it; one of another image is not found.

    Returns
    -------
    django.http.HttpResponse
        The page, or the part.
    """
    context = _of_image(request, image_id) if row_id is None else _of_row(request, image_id, row_id)
    origin = request.GET.get("next", "")
    allowed = url_has_allowed_host_and_scheme(origin, allowed_hosts=None, require_https=request.is_secure())
    context["origin"] = origin if allowed else request.path
    template = "review/talk_part.html" if request.GET.get("part") else "review/talk.html"
    return render(request, template, context)


def _of_row(request: HttpRequest, image_id: int, row_id: int) -> dict[str, Any]:
    rows = Crossmatch.objects.select_related("run__image", "sky_object")
    row, user = get_object_or_404(rows, pk=row_id, run__image_id=image_id), request.user
    sees = sees_votes(user, find_subject(row))
    found = Comment.objects.filter(sky_object=row.sky_object_id)
    if not sees:
        found = found.filter(author=user.pk)
    return {
        "row": row,
        "image": row.run.image,
        "title": row.name,
        "address": {"image_id": image_id, "row_id": row_id},
        "hidden": not sees and is_reviewer(user),
        "starred": Star.objects.filter(user=user.pk, sky_object=row.sky_object_id).exists(),
        **_comments(found, user),
        **slack_of(row, user, sees_votes=sees),
    }


def _of_image(request: HttpRequest, image_id: int) -> dict[str, Any]:
    image = get_object_or_404(Image, pk=image_id)
    found = Comment.objects.filter(image=image)
    shown = {"row": None, "image": image, "title": image.name, "address": {"image_id": image_id}}
    return shown | _comments(found, request.user)


def _comments(found: QuerySet[Comment], user: Any) -> dict[str, Any]:
    shown = [*found.filter(deleted=None).select_related("author")]
    prefetch_related_objects([comment for comment in shown if "@" in comment.text], "mentions")
    return {"comments": shown, "writes": is_reviewer(user), "lead": is_lead(user), "form": CommentForm()}
