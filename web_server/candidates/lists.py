"""A list of rows as an address describes it: its order, its pages, and the neighbours of a row in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import django_tables2 as tables
from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q, QuerySet
from django.db.models.lookups import IsNull
from django.http import HttpRequest
from django.utils.functional import cached_property
from django_tables2.rows import BoundRows

from web_server.candidates.models import Crossmatch

PAGE_SIZES = (25, 100)
# A list of more rows than this need not be counted again for so many seconds.
SMALL = 10_000
COUNT_SECONDS = 60
# A list of this part of all rows is read along an index of its order: few rows on the way are none of it.
NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True)
class Order:
    """A total order of rows: by a column, then by id in the same direction; missing values come last either way.

    Parameters
    ----------
    key : str
        Field of the model.
    descending : bool
        Largest first.
    """

    key: str
    descending: bool

    @classmethod
    def of(cls, rows: QuerySet[Any]) -> Order:
        """Return the order that `sort` gave to rows.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Sorted rows.

        Returns
        -------
        Order
            Their order.
        """
        key = str(rows.query.order_by[1])
        return cls(key.removeprefix("-"), key.startswith("-"))

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
        sign, missing = "-" if self.descending else "", IsNull(F(self.key), True).asc()
        # no index has this order: a database that walks one for a page of few rows may walk through all of it
        return rows.order_by(missing, f"{sign}{self.key}", f"{sign}pk")

    def parts(self, rows: QuerySet[Any]) -> tuple[QuerySet[Any], QuerySet[Any]]:
        """Return the rows with a value in this order, and those without: each is as an index has it.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.

        Returns
        -------
        known, missing : django.db.models.QuerySet
            Behind each other they are the sorted rows.
        """
        sign = "-" if self.descending else ""
        known = rows.filter(**{f"{self.key}__isnull": False}).order_by(f"{sign}{self.key}", f"{sign}pk")
        return known, rows.filter(**{f"{self.key}__isnull": True}).order_by(f"{sign}pk")

    def first(self, rows: QuerySet[Any], n: int) -> list[Any]:
        """Return the first rows of a list.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            The list.
        n : int
            How many.

        Returns
        -------
        list of django.db.models.Model
            Fewer where there are no more.
        """
        return _chain(self.parts(rows), n)

    def after(self, rows: QuerySet[Any], row: Any, n: int) -> list[Any]:
        """Return the rows that follow another one.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            The list.
        row : django.db.models.Model
            One of them, or another row of the table.
        n : int
            How many.

        Returns
        -------
        list of django.db.models.Model
            Fewer at the end.
        """
        known, missing = self.parts(rows)
        if getattr(row, self.key) is None:
            return [*missing.filter(self._by_id(row))[:n]]
        return _chain((self._behind(known, row), missing), n)

    def previous(self, rows: QuerySet[Any], row: Any) -> Any:
        """Return the row before another one.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            The list.
        row : django.db.models.Model
            One of them.

        Returns
        -------
        django.db.models.Model or None
            None at the start.
        """
        back = Order(self.key, not self.descending)
        known, missing = back.parts(rows)
        if getattr(row, self.key) is None:
            found = _chain((missing.filter(back._by_id(row)), known), 1)
        else:
            found = [*back._behind(known, row)[:1]]
        return found[0] if found else None

    def _behind(self, known: QuerySet[Any], row: Any) -> QuerySet[Any]:
        """Return those of the rows with a value that follow one of them."""
        # the bound alone, which an index serves, then the order among equal values
        bound = Q(**{f"{self.key}__{'lte' if self.descending else 'gte'}": getattr(row, self.key)})
        return known.filter(bound, self._by_value(row) | self._by_id(row))

    def _by_value(self, row: Any) -> Q:
        """Return the condition of coming after a row by the value of the key."""
        return Q(**{f"{self.key}__{'lt' if self.descending else 'gt'}": getattr(row, self.key)})

    def _by_id(self, row: Any) -> Q:
        """Return the condition of coming after a row with the same value."""
        return Q(**{f"pk__{'lt' if self.descending else 'gt'}": row.pk})

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
        back, value = Order(self.key, not self.descending), getattr(row, self.key)
        if value is None:
            return Q(**{f"{self.key}__isnull": False}) | back._by_id(row)
        return back._by_value(row) | (Q(**{self.key: value}) & back._by_id(row))


def _chain(parts: Iterable[QuerySet[Any]], n: int) -> list[Any]:
    """Return the first rows of querysets behind each other."""
    found: list[Any] = []
    for part in parts:
        if len(found) < n:
            found += part[: n - len(found)]
    return found


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


def _count(rows: QuerySet[Any]) -> int:
    known = _remembered(rows)
    return _remember(rows, rows.order_by().count()) if known is None else known


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
        "previous": order.previous(links, row),
        "next": next(iter(order.after(links, row, 1)), None),
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
        return _count(self.rows)

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
        if self.count <= SMALL or self.count < NEARLY_ALL * _count(self.rows.model._default_manager.all()):
            return Page(_read(self.rows, self.count, start, stop), number, self)
        known, missing = Order.of(self.rows).parts(self.rows)
        n = self.count - missing.count()
        part = [*_read(known, n, start, min(stop, n)), *_read(missing, self.count - n, max(start - n, 0), stop - n)]
        return Page(part, number, self)


def _read(rows: QuerySet[Any], n: int, start: int, stop: int) -> list[Any]:
    """Return a slice of n rows from the nearer end, found first by what an index holds and then read whole."""
    if start >= stop:
        return []
    ids = rows.values("pk")
    slice_ = ids.reverse()[n - stop : n - start] if start > n / 2 else ids[start:stop]
    return [*rows.filter(pk__in=slice_)]


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
