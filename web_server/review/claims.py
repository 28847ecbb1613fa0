"""Who goes through which image; two people never hold the same claim."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from web_server.candidates.models import Image
from web_server.review.models import Claim, Event
from web_server.review.services import ReviewError


@transaction.atomic
def claim(user: User, image: Image) -> Claim:
    """Claim an image for oneself.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        A reviewer.
    image : Image
        The image.

    Returns
    -------
    Claim
        Theirs.

    Raises
    ------
    ReviewError
        If somebody else holds it.
    """
    # the unique image decides between two who click at once
    found, made = Claim.objects.select_related("owner").get_or_create(image=image, defaults={"owner": user})
    if found.owner_id != user.pk:
        raise ReviewError(f"{image} is claimed by {found.owner}; ask them, or a lead, to release it.")
    if made:
        Event.objects.create(who=user, what="claim", image=image, after=str(user))
    return found


@transaction.atomic
def assign(lead: User, image: Image, owner: User) -> Claim:
    """Give an image to somebody, whoever holds it.

    Parameters
    ----------
    lead : django.contrib.auth.models.User
        A lead.
    image : Image
        The image.
    owner : django.contrib.auth.models.User
        A reviewer.

    Returns
    -------
    Claim
        Theirs.
    """
    before = Claim.objects.select_related("owner").filter(image=image).first()
    held, _ = Claim.objects.update_or_create(image=image, defaults={"owner": owner, "assigned_by": lead})
    Event.objects.create(
        who=lead, what="assign", image=image, before=str(before.owner) if before else "", after=str(owner)
    )
    return held


@transaction.atomic
def release(user: User, image: Image, *, is_lead: bool) -> None:
    """Give an image back.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        The owner or a lead.
    image : Image
        The image.
    is_lead : bool
        Whether the user may release other people's images.

    Raises
    ------
    ReviewError
        If somebody else holds it.
    """
    held = Claim.objects.select_related("owner").filter(image=image).first()
    if held is None:
        return
    if held.owner_id != user.pk and not is_lead:
        raise ReviewError(f"{image} is claimed by {held.owner}; only they or a lead can release it.")
    # only the claim that was looked at, should another one have taken its place meanwhile
    if Claim.objects.filter(pk=held.pk, owner=held.owner_id).delete()[0]:
        Event.objects.create(who=user, what="release", image=image, before=str(held.owner))
