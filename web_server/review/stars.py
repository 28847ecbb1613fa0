"""Objects that somebody wants to find again."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db.models import F, OuterRef, Subquery

from web_server.candidates.models import Crossmatch, SkyObject
from web_server.review.models import Star


def star(user: User, sky_object: SkyObject) -> None:
    """Star an object for oneself.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        Somebody.
    sky_object : SkyObject
        The object.
    """
    Star.objects.get_or_create(user=user, sky_object=sky_object)


def unstar(user: User, sky_object: SkyObject) -> None:
    """Take one's own star away.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        Somebody.
    sky_object : SkyObject
        The object.
    """
    Star.objects.filter(user=user, sky_object=sky_object).delete()


def newest_rows(objects: Iterable[int]) -> dict[int, Crossmatch]:
    """Return the row that stands for each object: of a current run if there is one, the newest.

    Parameters
    ----------
    objects : iterable of int
        Ids of objects.

    Returns
    -------
    dict
        Rows by the object's id; without objects that have none.
    """
    rows = Crossmatch.objects.filter(sky_object=OuterRef("pk"))
    newest = rows.order_by("-run__is_current", F("run__finished").desc(nulls_last=True), "-pk").values("pk")[:1]
    places = SkyObject.objects.filter(pk__in=list(objects)).annotate(newest=Subquery(newest))
    found = Crossmatch.objects.filter(pk__in=[*places.values_list("newest", flat=True)])
    return {row.sky_object_id: row for row in found.select_related("run__image").order_by("pk")}
