"""A list of rows as an address describes it: its order, its pages, and the neighbours of a row in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import django_tables2 as tables
from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django_tables2.rows import BoundRows

from web_server.candidates.models import Crossmatch

PAGE_SIZES = (25, 100)
# A list of more rows than this need not be counted again for so many seconds.
SMALL = 10_000
COUNT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Order:
    """A total order of rows: by a column, where missing values come last either way, then by id.

    Parameters
    ----------
    key : str
        Field of the model.
    descending : bool
        Largest first.
    """

    key: str
    descending: bool

    def sort(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return rows in this order.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.

        Returns
        -------
        django.db.models.QuerySet
            The same, ordered.
        """
        key = F(self.key)
        return rows.order_by(key.desc(nulls_last=True) if self.descending else key.asc(nulls_last=True), "id")

    def next(self, rows: QuerySet[Any], row: Any, *, back: bool = False) -> Any:
        """Return the row that follows another one.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            The list.
        row : django.db.models.Model
            One of them.
        back : bool
            Return the one before instead.

        Returns
        -------
        django.db.models.Model or None
            None at the end.
        """
        return next(iter(self.after(rows, row, 1, back=back)), None)

    def after(self, rows: QuerySet[Any], row: Any, n: int, *, back: bool = False) -> list[Any]:
        """Return the rows that follow another one.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            The list.
        row : django.db.models.Model
            One of them, or another row of the table.
        n : int
            How many.
        back : bool
            Return those before instead, the nearest first.

        Returns
        -------
        list of django.db.models.Model
            Fewer at the end.
        """
        value = getattr(row, self.key)
        missing = rows.filter(**{f"{self.key}__isnull": True}).order_by("-pk" if back else "pk")
        later = Q(pk__lt=row.pk) if back else Q(pk__gt=row.pk)
        down = self.descending != back
        # as the indexes have it: without missing values both ways are the same
        key = F(self.key).desc(nulls_last=True) if down else F(self.key).asc(nulls_first=True)
        known = rows.order_by(key, "-pk" if back else "pk")
        if value is None:
            found = [*missing.filter(later)[:n]]
            rest = known.filter(**{f"{self.key}__isnull": False}) if back else None
        else:
            # the bound alone, which an index serves, then the order among equal values
            beyond, bound = ("lt", "lte") if down else ("gt", "gte")
            here = Q(**{f"{self.key}__{bound}": value})
            found = [*known.filter(here, Q(**{f"{self.key}__{beyond}": value}) | later)[:n]]
            rest = None if back else missing
        return found if rest is None or len(found) == n else [*found, *rest[: n - len(found)]]

    def before(self, row: Any) -> Q:
        """Return the condition of coming before a row.

        Parameters
        ----------
        row : django.db.models.Model
            The row.

        Returns
        -------
        django.db.models.Q
            The condition.
        """
        value, missing = getattr(row, self.key), Q(**{f"{self.key}__isnull": True})
        if value is None:
            return ~missing | Q(pk__lt=row.pk)
        beyond = "gt" if self.descending else "lt"
        return Q(**{f"{self.key}__{beyond}": value}) | Q(**{self.key: value, "pk__lt": row.pk})


def _key(rows: QuerySet[Any]) -> str:
    """Return a name of the rows' query."""
    try:
        sql, parameters = rows.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:  # no row can fit, and no query asks
        return "none"
    return hashlib.sha256(f"{sql}{parameters}".encode()).hexdigest()


def _remembered(rows: QuerySet[Any]) -> int | None:
    """Return how many rows there were within the last minute, if they are many."""
    known: int | None = cache.get(_key(rows))
    return known


def _remember(rows: QuerySet[Any], n: int) -> int:
    """Keep the number of many rows, because counting a million takes longer than reading a page of them."""
    if n > SMALL:
        cache.set(_key(rows), n, COUNT_SECONDS)
    return n


def place_in_list(rows: QuerySet[Crossmatch], row: Crossmatch, order: Order) -> dict[str, Any]:
    """Return where a row stands in a list.

    Parameters
    ----------
    rows : django.db.models.QuerySet
        The list.
    row : Crossmatch
        Perhaps one of them.
    order : Order
        Of the list.

    Returns
    -------
    dict
        ``total``, 0 where the row is none of them, else also ``place`` (None in a list of more than ``SMALL`` rows),
        ``previous`` and ``next``.
    """
    total = _remembered(rows)
    if total is not None:
        here, before = rows.filter(pk=row.pk).exists(), 0
    else:
        counts = rows.order_by().aggregate(
            here=Count("pk", filter=Q(pk=row.pk)), before=Count("pk", filter=order.before(row)), total=Count("pk")
        )
        here, before, total = bool(counts["here"]), counts["before"], _remember(rows, counts["total"])
    if not here:
        return {"total": 0}
    links = rows.select_related("run").only("name", "run__image_id")
    return {
        "previous": order.next(links, row, back=True),
        "next": order.next(links, row),
        "place": None if total > SMALL else before + 1,
        "total": total,
    }


class RowPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of ordered rows, where the last page costs no more than the first."""

    @property
    def rows(self) -> QuerySet[Any]:
        """All rows."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows

    @cached_property
    def count(self) -> int:
        """Count the rows, without what is only there to show them."""
        known = _remembered(self.rows)
        return _remember(self.rows, self.rows.order_by().count()) if known is None else known

    def page(self, number: int | str) -> Page[Any]:
        """Return a page.

        Parameters
        ----------
        number : int or str
            From 1.

        Returns
        -------
        django.core.paginator.Page
            Its rows.
        """
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        stop = min(start + self.per_page, self.count)
        if start > self.count / 2:
            part = [*_read(self.rows.reverse(), self.count - stop, self.count - start)][::-1]
        else:
            part = [*_read(self.rows, start, stop)]
        return Page(part, number, self)


def _read(rows: QuerySet[Any], start: int, stop: int) -> QuerySet[Any]:
    """Return a slice of rows, found first by what an index holds and then read whole."""
    return rows.filter(pk__in=rows.values("pk")[start:stop])


class TablePaginator(RowPaginator):
    """Pages of a table's rows."""

    object_list: BoundRows

    @property
    def rows(self) -> QuerySet[Any]:
        """All rows."""
        rows: QuerySet[Any] = self.object_list.data.data
        return rows

    def page(self, number: int | str) -> Page[Any]:
        """Return a page.

        Parameters
        ----------
        number : int or str
            From 1.

        Returns
        -------
        django.core.paginator.Page
            Its rows, as the table shows them.
        """
        page = super().page(number)
        return Page(BoundRows(data=page.object_list, table=self.object_list.table), page.number, self)


def show_page(table: tables.Table, request: HttpRequest) -> None:
    """Order a table and choose its page as an address asks; what it cannot ask for is ignored.

    Parameters
    ----------
    table : django_tables2.Table
        The table.
    request : django.http.HttpRequest
        ``sort``, ``page`` and ``per_page``.
    """
    table.request = request
    if "sort" in request.GET:
        table.order_by = [request.GET["sort"]]
    asked = request.GET.get("per_page", "")
    per_page = int(asked) if asked in map(str, PAGE_SIZES) else PAGE_SIZES[0]
    table.paginator = TablePaginator(table.rows, per_page)
    table.page = table.paginator.get_page(request.GET.get("page"))
