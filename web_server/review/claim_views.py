"""Claiming, giving back and assigning images."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from web_server.accounts.roles import is_lead, is_reviewer, lead_required, reviewer_required
from web_server.candidates.models import Image
from web_server.review import claims
from web_server.review.services import ReviewError


def _do(request: HttpRequest, image_id: int, action: Callable[[User, Image], str]) -> HttpResponse:
    """Do something with an image, say what came of it, and show the image."""
    image = get_object_or_404(Image, pk=image_id)
    assert isinstance(request.user, User)
    try:
        messages.success(request, action(request.user, image))
    except ReviewError as error:
        messages.error(request, str(error))
    return redirect("image", image.pk)


@require_POST
@reviewer_required
def claim(request: HttpRequest, image_id: int) -> HttpResponse:
    """Claim an image for oneself.

    Parameters
    ----------
    request : django.http.HttpRequest
        Who asks.
    image_id : int
        The image.

    Returns
    -------
    django.http.HttpResponse
        Leads to the image.
    """

    def _claim(user: User, image: Image) -> str:
        claims.claim(user, image)
        return f"You have claimed {image}."

    return _do(request, image_id, _claim)


@require_POST
@reviewer_required
def release(request: HttpRequest, image_id: int) -> HttpResponse:
    """Give an image back.

    Parameters
    ----------
    request : django.http.HttpRequest
        Who asks: the owner or a lead.
    image_id : int
        The image.

    Returns
    -------
    django.http.HttpResponse
        Leads to the image.
    """

    def _release(user: User, image: Image) -> str:
        claims.release(user, image, is_lead=is_lead(user))
        return f"{image} is released."

    return _do(request, image_id, _release)


@require_POST
@lead_required
def assign(request: HttpRequest, image_id: int) -> HttpResponse:
    """Give an image to a reviewer.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``owner``: the user's number.
    image_id : int
        The image.

    Returns
    -------
    django.http.HttpResponse
        Leads to the image.
    """

    def _assign(user: User, image: Image) -> str:
        given = request.POST.get("owner", "")
        owner = User.objects.filter(pk=int(given)).first() if given.isdecimal() and len(given) < 19 else None
        if owner is None or not is_reviewer(owner):
            raise ReviewError("Choose a reviewer to assign the image to.")
        claims.assign(user, image, owner)
        return f"{image} is assigned to {owner}."

    return _do(request, image_id, _assign)
