"""The list that somebody goes through on the review page, as the address describes it, and what is left of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, QueryDict

from web_server.accounts.roles import is_lead
from web_server.candidates.filters import CrossmatchFilter
from web_server.candidates.lists import Order, RowPaginator
from web_server.candidates.models import Crossmatch, Run
from web_server.candidates.tables import crossmatch_order
from web_server.review.filters import rows_of
from web_server.review.models import Decision, Subject, Vote

# what an address may say beside the list itself
_NOT_THE_LIST = ("page", "per_page", "number", "list", "csrfmiddlewaretoken")


@dataclass(frozen=True, slots=True)
class ReviewList:
    """Rows in an order.

    Parameters
    ----------
    within : django.db.models.QuerySet
        All rows of the run, or of all current runs: what the page may show.
    judged : django.db.models.QuerySet
        All rows of the image, or of all images, in any run: what a vote may be on.
    rows : django.db.models.QuerySet
        Those of them that the filters leave.
    order : Order
        The order.
    query : QueryDict
        What describes the list in an address.
    valid : bool
        Whether the filters make sense.
    """

    within: QuerySet[Crossmatch]
    judged: QuerySet[Crossmatch]
    rows: QuerySet[Crossmatch]
    order: Order
    query: QueryDict
    valid: bool

    @property
    def address(self) -> str:
        """The list as the query of an address."""
        return self.query.urlencode()

    @property
    def of_image(self) -> bool:
        """Whether it is a list of one image by its number, not of all that have a part of a name."""
        return _image_number(self.query) is not None

    def numbered(self, number: int) -> Crossmatch | None:
        """Return the row at a place, or the nearest one to it.

        Parameters
        ----------
        number : int
            From 1.

        Returns
        -------
        Crossmatch or None
            None where the list is empty.
        """
        page = RowPaginator(self.order.sort(self.rows), 1).get_page(max(number, 1))
        return next(iter(page.object_list), None)

    def done(self, user: User) -> int:
        """Return how many rows a user has reviewed.

        Parameters
        ----------
        user : django.contrib.auth.models.User
            The reviewer.

        Returns
        -------
        int
            The number.
        """
        own = Q(Exists(Vote.objects.filter(subject=OuterRef("pk"), active=True, reviewer=user)))
        if is_lead(user):
            own |= Q(Exists(Decision.objects.filter(subject=OuterRef("pk"), active=True, lead=user)))
        return rows_of(self.rows, Subject.objects.filter(own)).order_by().count()

    def first(self, user: User) -> Crossmatch | None:
        """Return the first row that a user has still to review.

        Parameters
        ----------
        user : django.contrib.auth.models.User
            The reviewer.

        Returns
        -------
        Crossmatch or None
            None where all are done.
        """
        return next(iter(self.order.first(unreviewed(self.rows, user), 1)), None)

    def ahead(self, user: User, row: Crossmatch, n: int) -> list[int]:
        """Return the rows that a user reviews after one: the next ones in the list, then from its start.

        Parameters
        ----------
        user : django.contrib.auth.models.User
            The reviewer.
        row : Crossmatch
            The row that is shown.
        n : int
            How many are wanted.

        Returns
        -------
        list of int
            Their ids; fewer where fewer are left.
        """
        rows = unreviewed(self.rows, user).exclude(pk=row.pk).only(self.order.key)
        found = [other.pk for other in self.order.after(rows, row, n)]
        if len(found) < n:
            found += [other.pk for other in self.order.first(rows, n) if other.pk not in found]
        return found[:n]


def unreviewed(rows: QuerySet[Crossmatch], user: User) -> QuerySet[Crossmatch]:
    """Return the rows whose subjects a user has neither voted on nor, as a lead, decided.

    Parameters
    ----------
    rows : django.db.models.QuerySet
        Rows.
    user : django.contrib.auth.models.User
        The reviewer.

    Returns
    -------
    django.db.models.QuerySet
        Rows.
    """
    here = Q(
        subject__sky_object=OuterRef("sky_object"),
        subject__image=OuterRef("run__image"),
        subject__survey=OuterRef("survey"),
        active=True,
    )
    rows = rows.filter(~Exists(Vote.objects.filter(here, reviewer=user)))
    return rows.filter(~Exists(Decision.objects.filter(here, lead=user))) if is_lead(user) else rows


def read_list(request: HttpRequest) -> ReviewList:
    """Return the list that an address describes.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``image`` and ``run``, or neither for all current runs; the filters and ``sort`` of the lists.

    Returns
    -------
    ReviewList
        The list; it has no rows where the filters make no sense.
    """
    query = _without(request.GET, _NOT_THE_LIST)
    parent = _parent(query)
    within = Crossmatch.objects.filter(**parent)
    # a later run of the image may have taken the place of what a page still shows
    judged = Crossmatch.objects.filter(**{name: value for name, value in parent.items() if name == "run__image"})
    filters = CrossmatchFilter(query, queryset=within, request=request)
    valid = filters.form.is_valid()
    rows = filters.qs if valid else within.none()
    return ReviewList(within, judged, rows, crossmatch_order(query.get("sort", "")), query, valid)


def check_parent(chosen: ReviewList) -> None:
    """Make sure that the image and the run of a list are there, which an empty list does not say.

    Parameters
    ----------
    chosen : ReviewList
        The list.

    Raises
    ------
    Http404
        If they are not.
    """
    names = {"run__image": "image", "run": "pk", "run__is_current": "is_current"}
    condition = {names[name]: value for name, value in _parent(chosen.query).items()}
    if chosen.of_image and not Run.objects.filter(**condition).exists():
        raise Http404("There is no such image or run.")


def _parent(query: QueryDict) -> dict[str, Any]:
    """Return the condition of belonging to the image and the run of an address, or to a current run."""
    image, run = _image_number(query), query.get("run") or ""
    if image is None:
        return {"run__is_current": True}
    try:
        return {"run__image": image} | ({"run": UUID(run)} if run else {"run__is_current": True})
    except ValueError as error:
        raise Http404("There is no such image or run.") from error


def _image_number(query: QueryDict) -> int | None:
    words = query.get("image") or ""
    # the database's numbers have no more digits
    return int(words) if words.isdecimal() and len(words) < 19 else None


def _without(query: QueryDict, names: Iterable[str]) -> QueryDict:
    rest = query.copy()
    for name in names:
        rest.pop(name, None)
    return rest
