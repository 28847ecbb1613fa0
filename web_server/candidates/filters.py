"""The filters of crossmatches: one set for every page that lists them."""

from __future__ import annotations

from typing import Any

import django_filters as df
from django import forms
from django.db.models import F, Q, QuerySet

from racs_transients.flags import FLAGS, GOOD
from web_server.candidates.cone import MAX_RADIUS, cone
from web_server.candidates.display import COLUMNS, heading, tooltip
from web_server.candidates.models import Crossmatch, SurveyRun
from web_server.candidates.positions import parse_position

TYPES = ("match", "noaskapmatch", "nocatalogmatch")
# the first one is meant where none is given
UNITS = {"arcmin": 1 / 60, "arcsec": 1 / 3600, "deg": 1.0}
LONGEST_TEXT = 100
_NO_POSITION = "“{}” is no position: give right ascension and declination, as 315.2 -55.1 or 21:00:48 -55:06:00."
_WRAPPING = frozenset({"ra", "gal_l"})


class CrossmatchForm(forms.Form):
    """Checks what belongs together."""

    def clean(self) -> dict[str, Any]:
        """Read the cone: position and radius come together.

        Returns
        -------
        dict
            The values; ``position`` is a pair of degrees.
        """
        values: dict[str, Any] = super().clean() or {}
        text, radius = values.get("position"), values.get("radius")
        if text and "position" not in self.errors:
            try:
                values["position"] = parse_position(text)
            except ValueError:
                self.add_error("position", _NO_POSITION.format(text))
            if radius is None and "radius" not in self.errors:
                self.add_error("radius", "A cone needs a radius.")
        if radius is not None:
            if not text:
                self.add_error("position", "A cone needs a position.")
            size = float(radius) * UNITS[values.get("radius_unit") or next(iter(UNITS))]
            if not 0 < size <= MAX_RADIUS:
                self.add_error("radius", f"The radius lies between 0 and {MAX_RADIUS:g} degrees.")
            values["radius"] = size
        return values


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
        above = Q(**{f"{self.field_name}__gte": low}) if low is not None else Q()
        below = Q(**{f"{self.field_name}__lte": high}) if high is not None else Q()
        wraps = self.field_name in _WRAPPING and low is not None and high is not None and low > high
        return rows.filter(above | below if wraps else above & below)


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


def _yes_or_no(label: str, **options: Any) -> df.TypedChoiceFilter:
    choices = (("", "any"), ("true", "yes"), ("false", "no"))
    return df.TypedChoiceFilter(choices=choices, coerce="true".__eq__, label=label, **options)


class CrossmatchFilter(df.FilterSet):  # type: ignore[misc]
    """Every filter of crossmatches; all of them together.

    Parameters
    ----------
    *args, **keywords
        Those of `django_filters.FilterSet`.
    """

    type = df.MultipleChoiceFilter(
        choices=[(name, name) for name in TYPES], widget=forms.CheckboxSelectMultiple, label="category"
    )
    survey = df.MultipleChoiceFilter(choices=(), widget=forms.CheckboxSelectMultiple, label="survey")
    flag = df.MultipleChoiceFilter(
        choices=[(GOOD, GOOD), *((flag.name, flag.name) for flag in FLAGS)], label="primary flag"
    )
    any_flag = df.MultipleChoiceFilter(
        choices=[(str(flag.bit), flag.name) for flag in FLAGS], label="any flag", method="filter_any_flag"
    )
    vetoed = _yes_or_no(
        "flagged", method="filter_vetoed", help_text="Whether a flag removes the row from the candidates"
    )
    is_candidate = _yes_or_no("candidate", help_text=COLUMNS["is_candidate"].description)
    name = df.CharFilter(lookup_expr="icontains", label="name contains", max_length=LONGEST_TEXT)
    position = df.CharFilter(
        method="filter_cone", label="position", help_text="Degrees, or hours and degrees", max_length=LONGEST_TEXT
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
        self.filters["survey"].extra["choices"] = [(name, name) for name in names]

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
        mask = sum(1 << int(bit) for bit in value)
        return rows.alias(wanted_bits=F("flag_bits").bitand(mask)).filter(wanted_bits__gt=0) if mask else rows

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

    def no_filter(self, rows: QuerySet[Any], name: str, value: object) -> QuerySet[Any]:
        """Return the rows unchanged: the field belongs to another one.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.
        name, value : object
            Not looked at.

        Returns
        -------
        django.db.models.QuerySet
            The same rows.
        """
        return rows
