"""The filters of crossmatches: one set for every page that lists them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import django_filters as df
from crispy_forms.helper import FormHelper
from django import forms
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from racs_transients.flags import FLAGS, GOOD
from web_server.candidates.cone import MAX_RADIUS, cone
from web_server.candidates.display import COLUMNS, heading, tooltip
from web_server.candidates.filter_layout import filter_layout, in_force
from web_server.candidates.models import Crossmatch, SurveyRun
from web_server.candidates.positions import parse_galactic, parse_position
from web_server.candidates.resolver import UnknownNameError, resolve
from web_server.review.filters import ReviewFilter, as_choices, yes_or_no

TYPES = ("match", "noaskapmatch", "nocatalogmatch")
# the first one is meant where none is given
UNITS = {"arcmin": 1 / 60, "arcsec": 1 / 3600, "deg": 1.0}
LONGEST_TEXT = 100
_LARGEST_ID = 2**63 - 1
# What the text of the position is, and how it is read.
_READERS: dict[str, tuple[str, Callable[[str], tuple[float, float]], str]] = {
    "icrs": (
        "RA, Dec",
        parse_position,
        "“{}” is no position: give right ascension and declination, as 315.2 -55.1 or 21:00:48 -55:06:00.",
    ),
    "galactic": ("Galactic l, b", parse_galactic, "“{}” is no position: give l and b in degrees, as 340.8 -40.3."),
    "name": ("a name, asked of Sesame", resolve, ""),
}
_WRAPPING = frozenset({"ra", "gal_l"})
_CIRCLE = 360


class CrossmatchForm(forms.Form):
    """Checks what belongs together."""

    @property
    def helper(self) -> FormHelper:
        """How the form lies on the page."""
        return filter_layout(self)

    @property
    def in_force(self) -> list[str]:
        """Which filters are set, in words."""
        return in_force(self)

    def clean(self) -> dict[str, Any]:
        """Read the cone: position and radius come together.

        Returns
        -------
        dict
            The values; ``position`` is a pair of degrees, ``radius`` in degrees.
        """
        values: dict[str, Any] = super().clean() or {}
        text, radius = values.get("position"), values.get("radius")
        if text and radius is None and "radius" not in self.errors:
            self.add_error("radius", "A cone needs a radius.")
        if radius is not None:
            if not text and "position" not in self.errors:
                self.add_error("position", "A cone needs a position.")
            size = float(radius) * UNITS[values.get("radius_unit") or next(iter(UNITS))]
            if not 0 < size <= MAX_RADIUS:
                self.add_error("radius", f"The radius lies between 0 and {MAX_RADIUS:g} degrees.")
            values["radius"] = size
        if text and "position" not in self.errors:
            self._read_position(values, text)
        return values

    def _read_position(self, values: dict[str, Any], text: str) -> None:
        _, read, sentence = _READERS[values.get("frame") or next(iter(_READERS))]
        if read is resolve and self.errors:
            # nobody is asked for a cone that cannot be searched
            return
        try:
            values["position"] = read(text)
        except UnknownNameError as error:
            self.add_error("position", str(error))
        except ValueError:
            self.add_error("position", sentence.format(text))


class RangeFilter(df.RangeFilter):  # type: ignore[misc]
    """Bounds of a column, both inclusive; angles that go round may have the lower one above the upper."""

    def filter(self, rows: QuerySet[Any], value: slice | None) -> QuerySet[Any]:
        """Return the rows inside.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.
        value : slice, optional
            Bounds.

        Returns
        -------
        django.db.models.QuerySet
            Those inside.
        """
        low, high = (value.start, value.stop) if value else (None, None)
        if self.field_name in _WRAPPING and low is not None and high is not None:
            return rows.filter(self._angles(low, high))
        above = Q(**{f"{self.field_name}__gte": low}) if low is not None else Q()
        below = Q(**{f"{self.field_name}__lte": high}) if high is not None else Q()
        return rows.filter(above & below)

    def _angles(self, low: Decimal, high: Decimal) -> Q:
        if high - low >= _CIRCLE:
            return Q(**{f"{self.field_name}__isnull": False})
        first, last = _folded(low), _folded(high)
        above, below = Q(**{f"{self.field_name}__gte": first}), Q(**{f"{self.field_name}__lte": last})
        return above | below if first > last else above & below


def _folded(angle: Decimal) -> float:
    """Return an angle between 0 and 360: people write longitudes from -10 to 10, too."""
    return float(angle) if 0 <= angle <= _CIRCLE else float(angle) % _CIRCLE


class _RangeWidget(df.widgets.RangeWidget):  # type: ignore[misc]
    """Two fields that a screen reader tells apart."""

    suffixes = ("min", "max")
    template_name = "candidates/range_widget.html"

    def __init__(self, label: str) -> None:
        super().__init__(attrs={"step": "any", "inputmode": "decimal"})
        for widget, word in zip(self.widgets, ("from", "to"), strict=True):
            widget.attrs |= {"aria-label": f"{label} {word}", "placeholder": word, "type": "number"}


def _range(name: str) -> RangeFilter:
    column = COLUMNS[name]
    label = heading(column)
    return RangeFilter(field_name=name, label=label, help_text=tooltip(column), widget=_RangeWidget(label))


def _mask(bits: list[str]) -> int:
    return sum(1 << int(bit) for bit in bits)


class AnyOf(df.MultipleChoiceFilter):  # type: ignore[misc]
    """Rows with any of some values of a column of their own.

    Parameters
    ----------
    *args, **keywords
        Those of `django_filters.MultipleChoiceFilter`.
    """

    def __init__(self, *args: Any, **keywords: Any) -> None:
        # no join doubles a row; without this PostgreSQL would sort a million of them to find that out
        super().__init__(*args, distinct=False, **keywords)


class CrossmatchFilter(ReviewFilter):
    """Every filter of crossmatches; all of them together.

    Parameters
    ----------
    *args, **keywords
        Those of `django_filters.FilterSet`.
    """

    type = AnyOf(choices=[(name, name) for name in TYPES], widget=forms.CheckboxSelectMultiple, label="category")
    survey = AnyOf(choices=(), widget=forms.CheckboxSelectMultiple, label="survey")
    flag = AnyOf(choices=[(GOOD, GOOD), *((flag.name, flag.name) for flag in FLAGS)], label="primary flag")
    any_flag = AnyOf(choices=[(str(flag.bit), flag.name) for flag in FLAGS], label="any flag", method="filter_any_flag")
    vetoed = yes_or_no(
        "flagged", method="filter_vetoed", help_text="Whether a flag removes the row from the candidates"
    )
    is_candidate = yes_or_no("candidate", help_text=COLUMNS["is_candidate"].description)
    no_flag = AnyOf(
        choices=[(str(flag.bit), flag.name) for flag in FLAGS], label="none of the flags", method="filter_no_flag"
    )
    row = df.NumberFilter(
        field_name="pk", label="source ID", min_value=1, max_value=_LARGEST_ID, widget=forms.NumberInput
    )
    image = df.CharFilter(
        method="filter_image", label="image", help_text="Its number or a part of its name", max_length=LONGEST_TEXT
    )
    name = df.CharFilter(lookup_expr="icontains", label="name contains", max_length=LONGEST_TEXT)
    position = df.CharFilter(
        method="filter_cone", label="position", help_text="Degrees, or hours and degrees", max_length=LONGEST_TEXT
    )
    frame = df.ChoiceFilter(
        choices=[(name, words) for name, (words, *_) in _READERS.items()],
        method="no_filter",
        label="position is",
        empty_label=None,
        help_text="A name is looked up by the service Sesame (SIMBAD, NED, VizieR)",
    )
    radius = df.NumberFilter(method="no_filter", label="radius", widget=forms.NumberInput(attrs={"step": "any"}))
    radius_unit = df.ChoiceFilter(
        choices=[(name, name) for name in UNITS], method="no_filter", label="unit of the radius", empty_label=None
    )
    ratio = _range("ratio")
    vs_abs = _range("vs_abs")
    m_abs = _range("m_abs")
    askap_flux = _range("askap_flux")
    ref_flux = _range("ref_flux")
    separation = _range("separation")
    askap_nn_separation = _range("askap_nn_separation")
    distance_from_centre = _range("distance_from_centre")
    ra = _range("ra")
    dec = _range("dec")
    gal_l = _range("gal_l")
    gal_b = _range("gal_b")

    class Meta:
        model = Crossmatch
        fields: tuple[str, ...] = ()
        form = CrossmatchForm

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        names = SurveyRun.objects.order_by("survey").values_list("survey", flat=True).distinct()
        self.filters["survey"].extra["choices"] = lambda: as_choices(names)

    def filter_vetoed(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Return the rows that a flag removes from the candidates, or the others.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.
        name : str
            Of the filter.
        value : bool
            Whether flagged ones are wanted.

        Returns
        -------
        django.db.models.QuerySet
            Rows.
        """
        return rows.exclude(flag=GOOD) if value else rows.filter(flag=GOOD)

    def filter_any_flag(self, rows: QuerySet[Any], name: str, value: list[str]) -> QuerySet[Any]:
        """Return the rows to which one of the flags applies, as the primary flag or beside it.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.
        name : str
            Of the filter.
        value : list of str
            Bits of the flags.

        Returns
        -------
        django.db.models.QuerySet
            Rows.
        """
        return rows.alias(wanted_bits=F("flag_bits").bitand(_mask(value))).filter(wanted_bits__gt=0) if value else rows

    def filter_no_flag(self, rows: QuerySet[Any], name: str, value: list[str]) -> QuerySet[Any]:
        """Return the rows to which none of the flags applies.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.
        name : str
            Of the filter.
        value : list of str
            Bits of the flags.

        Returns
        -------
        django.db.models.QuerySet
            Rows.
        """
        bits = Coalesce(F("flag_bits"), 0).bitand(_mask(value))
        return rows.alias(unwanted_bits=bits).filter(unwanted_bits=0) if value else rows

    def filter_image(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return the rows of an image by its number, or of those with a part of a name.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.
        name : str
            Of the filter.
        value : str
            Number or name.

        Returns
        -------
        django.db.models.QuerySet
            Rows.
        """
        if value.isdecimal():
            return rows.filter(run__image_id=min(int(value), _LARGEST_ID))
        return rows.filter(run__image__name__icontains=value)

    def filter_cone(self, rows: QuerySet[Any], name: str, value: object) -> QuerySet[Any]:
        """Return the rows within the radius of the position.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.
        name : str
            Of the filter.
        value : tuple of float
            Position, degrees, as the form read it.

        Returns
        -------
        django.db.models.QuerySet
            Rows.
        """
        (ra, dec), radius = self.form.cleaned_data["position"], self.form.cleaned_data["radius"]
        return rows.filter(cone(ra, dec, radius, rows.db))
