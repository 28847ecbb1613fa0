"""The tables of the pages; headings and tooltips come from the schema."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from web_server.candidates.display import COLUMNS, heading, limit_sign, number, sexagesimal, tooltip
from web_server.candidates.lists import Order
from web_server.candidates.models import Crossmatch, Run
from web_server.review.progress import UNTOUCHED, Progress
from web_server.review.summaries import NOTHING, Key, Summary, key_of

LISTED = (
    "type",
    "survey",
    "flag",
    "ratio",
    "vs",
    "m",
    "askap_flux",
    "ref_flux",
    "gal_l",
    "gal_b",
    "separation",
    "askap_snr",
    "predicted_snr",
    "distance_from_centre",
)
# what says whether a listed value is a limit
LIMITS = ("ratio_is_limit", "askap_origin", "ref_origin")
DEFAULT_SORT = "-ratio"


class OrderedColumn(tables.Column):  # type: ignore[misc]
    """A column whose order is total: missing values last, then by id."""

    def order(self, rows: QuerySet[Any], is_descending: bool) -> tuple[QuerySet[Any], bool]:
        """Order rows by the column.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.
        is_descending : bool
            Largest first.

        Returns
        -------
        rows : django.db.models.QuerySet
            Ordered.
        done : bool
            True.
        """
        return Order(str(self.accessor or self._explicit_name), is_descending).sort(rows), True


class SchemaColumn(OrderedColumn):
    """A column of the crossmatches.

    Parameters
    ----------
    name : str
        Of the schema.
    """

    def __init__(self, name: str) -> None:
        column = COLUMNS[name]
        kind = "number" if column.dtype in ("float", "int") else "words"
        attrs = {"th": {"title": tooltip(column), "class": kind}, "td": {"class": kind}}
        super().__init__(verbose_name=heading(column), accessor=name, attrs=attrs, default="–")
        self.column_name = name

    def render(self, value: Any, record: Crossmatch) -> str:
        """Return a value as text.

        Parameters
        ----------
        value : object
            Of the row.
        record : Crossmatch
            The row.

        Returns
        -------
        str
            Its digits, after the sign of a limit.
        """
        return f"{limit_sign(record, self.column_name)}{number(value)}"


class CrossmatchTable(tables.Table):  # type: ignore[misc]
    """Crossmatches; each leads to its source page, which knows the list it came from."""

    name = OrderedColumn(
        verbose_name="name", attrs={"th": {"title": COLUMNS["name"].description}, "td": {"class": "name"}}
    )
    position = OrderedColumn(
        verbose_name="RA, Dec",
        accessor="ra",
        attrs={
            "th": {"title": "Right ascension and declination, ICRS, in hours and degrees"},
            "td": {"class": "position"},
        },
    )

    image = tables.Column(
        accessor="run__image__name", orderable=False, verbose_name="image", attrs={"td": {"class": "text-nowrap"}}
    )
    mine = tables.Column(
        accessor="pk",
        orderable=False,
        verbose_name="my vote",
        attrs={"th": {"title": "What you said of it"}, "td": {"class": "said"}},
    )
    review = tables.Column(
        accessor="pk",
        orderable=False,
        attrs={
            "th": {"title": "State of the review and who said what, as far as you may see it"},
            "td": {"class": "said"},
        },
    )

    # what the source page is told of the list that leads to it
    origin = ""
    # what was said of the rows of the page
    said: Mapping[Key, Summary] = MappingProxyType({})

    class Meta:
        model = Crossmatch
        fields = ("name", "position", "mine", "review", *LISTED, "image")
        order_by = DEFAULT_SORT
        attrs = {"class": "rows"}  # noqa: RUF012
        empty_text = "No crossmatch fits."
        row_attrs = {"class": lambda record: "candidate" if record.is_candidate else None}  # noqa: RUF012

    def render_name(self, value: str, record: Crossmatch) -> SafeString:
        """Return the name as a link.

        Parameters
        ----------
        value : str
            The name.
        record : Crossmatch
            The row.

        Returns
        -------
        SafeString
            HTML.
        """
        query = self.origin
        address = f"/images/{record.run.image_id}/crossmatches/{record.pk}/"
        mark = mark_safe(' <span class="mark">candidate</span>') if record.is_candidate else ""
        return format_html('<a href="{}{}">{}</a>{}', address, f"?{query}" if query else "", value, mark)

    def render_position(self, record: Crossmatch) -> str:
        """Return the position in hours and degrees.

        Parameters
        ----------
        record : Crossmatch
            The row.

        Returns
        -------
        str
            The position.
        """
        return sexagesimal(record.ra, record.dec)

    def render_image(self, value: str, record: Crossmatch) -> SafeString:
        """Return the name of the image as a link.

        Parameters
        ----------
        value : str
            The name.
        record : Crossmatch
            The row.

        Returns
        -------
        SafeString
            HTML.
        """
        return format_html('<a href="{}">{}</a>', reverse("image", args=(record.run.image_id,)), value)

    def render_mine(self, record: Crossmatch) -> str:
        """Return what the reader said of a row.

        Parameters
        ----------
        record : Crossmatch
            The row.

        Returns
        -------
        str
            Words.
        """
        own = self.said.get(key_of(record), NOTHING).own
        return f"✓ {own.label}" if own else "–"

    def render_review(self, record: Crossmatch) -> SafeString:
        """Return what everybody said of a row.

        Parameters
        ----------
        record : Crossmatch
            The row.

        Returns
        -------
        SafeString
            HTML.
        """
        said = self.said.get(key_of(record), NOTHING)
        words = f"{said.state}: {said.tag}" if said.tag else str(said.state)
        return format_html('<span title="{}">{}</span>', said.words, words) if said.votes else SafeString(words)


for _name in LISTED:
    CrossmatchTable.base_columns[_name] = SchemaColumn(_name)


def crossmatch_order(sort: str) -> Order:
    """Return the order of the list of crossmatches.

    Parameters
    ----------
    sort : str
        Name of a column, after a minus sign for the largest first; the default order where it is neither.

    Returns
    -------
    Order
        That of `CrossmatchTable` with this ``sort``.
    """
    columns = {"name": "name", "position": "ra"} | dict(zip(LISTED, LISTED, strict=True))
    asked = sort if sort.removeprefix("-") in columns else DEFAULT_SORT
    return Order(columns[asked.removeprefix("-")], asked.startswith("-"))


class RunTable(tables.Table):  # type: ignore[misc]
    """The current runs of all images."""

    image = OrderedColumn(accessor="image__name", verbose_name="image")
    tag = OrderedColumn(verbose_name="description")
    position = OrderedColumn(accessor="image__ra", verbose_name="RA, Dec of the centre")
    surveys = tables.Column(orderable=False, empty_values=())
    askap_sources = OrderedColumn(verbose_name="ASKAP sources", attrs={"td": {"class": "number"}})
    rows = OrderedColumn(accessor="n_rows", verbose_name="crossmatches", attrs={"td": {"class": "number"}})
    candidates = OrderedColumn(accessor="n_candidates", verbose_name="candidates", attrs={"td": {"class": "number"}})
    reviewed = tables.Column(
        accessor="pk",
        orderable=False,
        verbose_name="reviewed",
        attrs={"th": {"title": "Candidates that somebody has voted on"}, "td": {"class": "number"}},
    )
    by_me = tables.Column(
        accessor="pk",
        orderable=False,
        verbose_name="by me",
        attrs={"th": {"title": "Candidates that you have voted on"}, "td": {"class": "number"}},
    )
    claimed_by = OrderedColumn(accessor="image__claim__owner__username", verbose_name="claimed by", default="–")
    finished = OrderedColumn(verbose_name="finished (UTC)")

    progress: Mapping[UUID, Progress] = MappingProxyType({})

    class Meta:
        model = Run
        fields = (
            "image",
            "tag",
            "position",
            "surveys",
            "askap_sources",
            "rows",
            "candidates",
            "reviewed",
            "by_me",
            "claimed_by",
            "finished",
        )
        order_by = "-finished"
        attrs = {"class": "rows"}  # noqa: RUF012
        empty_text = "No image has been injected yet."

    def render_image(self, value: str, record: Run) -> SafeString:
        """Return the name as a link.

        Parameters
        ----------
        value : str
            The name.
        record : Run
            The run.

        Returns
        -------
        SafeString
            HTML.
        """
        return format_html(
            '<a href="/images/{}/?{}">{}</a>', record.image_id, urlencode({"run": str(record.pk)}), value
        )

    def render_finished(self, value: datetime) -> str:
        """Return the time as other pages write it.

        Parameters
        ----------
        value : datetime.datetime
            In UTC.

        Returns
        -------
        str
            The time, to the minute.
        """
        return f"{value:%Y-%m-%d %H:%M}"

    def render_position(self, record: Run) -> str:
        """Return the position in hours and degrees.

        Parameters
        ----------
        record : Run
            The run.

        Returns
        -------
        str
            The position.
        """
        return sexagesimal(record.image.ra, record.image.dec)

    def render_surveys(self, record: Run) -> str:
        """Return the surveys compared with.

        Parameters
        ----------
        record : Run
            The run.

        Returns
        -------
        str
            Their names.
        """
        return ", ".join(part.survey for part in record.survey_runs.all())

    def render_reviewed(self, record: Run) -> str:
        """Return how many candidates somebody has voted on.

        Parameters
        ----------
        record : Run
            The run.

        Returns
        -------
        str
            The number.
        """
        return str(self.progress.get(record.pk, UNTOUCHED).anybody)

    def render_by_me(self, record: Run) -> str:
        """Return how many candidates the reader has voted on.

        Parameters
        ----------
        record : Run
            The run.

        Returns
        -------
        str
            The number.
        """
        return str(self.progress.get(record.pk, UNTOUCHED).reader)

    def render_candidates(self, value: int, record: Run) -> SafeString:
        """Return the number as a link to the list.

        Parameters
        ----------
        value : int
            The number.
        record : Run
            The run.

        Returns
        -------
        SafeString
            HTML.
        """
        query = urlencode({"run": str(record.pk), "is_candidate": "true"})
        return format_html('<a href="/images/{}/crossmatches/?{}">{}</a>', record.image_id, query, value)
