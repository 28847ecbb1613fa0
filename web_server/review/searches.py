"""Lists that somebody comes back to: kept by name, and the last one without."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from web_server.candidates.models import Image
from web_server.review.models import SavedSearch
from web_server.review.services import ReviewError

# what an address says beside the list itself
_NOT_THE_LIST = ("page", "per_page", "csrfmiddlewaretoken", "image_id", "run")
LONGEST_QUERY = 8000
LONGEST_NAME = 100


def tidy(values: QueryDict) -> str:
    """Return the fields of a form as the query of an address, without empty ones.

    Parameters
    ----------
    values : django.http.QueryDict
        Of the form.

    Returns
    -------
    str
        The query.

    Raises
    ------
    ReviewError
        If it is longer than any list needs.
    """
    kept = QueryDict(mutable=True)
    for name, given in values.lists():
        filled = [value for value in given if value and "\x00" not in value]
        if filled and name not in _NOT_THE_LIST:
            kept.setlist(name, filled)
    query = kept.urlencode()
    if len(query) > LONGEST_QUERY:
        raise ReviewError(f"The search is longer than {LONGEST_QUERY} characters; choose fewer values.")
    return query


@transaction.atomic
def keep(user: User, query: str, image: Image | None, *, name: str = "", shared: bool = False) -> SavedSearch:
    """Keep a list under a name, in place of an earlier one of that name; without a name it is the last search.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        Whose it is.
    query : str
        As `tidy` gives it.
    image : Image or None
        The image whose list it is; None for all.
    name : str
        The name.
    shared : bool
        Whether everybody may use it.

    Returns
    -------
    SavedSearch
        What was kept.

    Raises
    ------
    ReviewError
        If the name is too long.
    """
    if len(name) > LONGEST_NAME or "\x00" in name:
        raise ReviewError(f"A name has at most {LONGEST_NAME} characters.")
    values = {"query": query, "image": image, "shared": shared and bool(name), "changed": timezone.now()}
    search, _ = SavedSearch.objects.update_or_create(owner=user, name=name, defaults=values)
    return search


def searches_for(user: Any) -> QuerySet[SavedSearch]:
    """Return the searches that somebody may use: their own, and shared ones.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        Somebody.

    Returns
    -------
    django.db.models.QuerySet
        By name; the last search, which has none, comes first.
    """
    mine = Q(owner=user.pk) | Q(shared=True)
    return SavedSearch.objects.filter(mine).select_related("owner", "image").order_by("name", "pk")
