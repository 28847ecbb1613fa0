"""How the form of the filters lies on the page: groups of fields, side by side."""

from __future__ import annotations

from collections.abc import Iterable

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Fieldset, Layout
from django import forms
from django_filters.fields import RangeField

# Fields that no group names come first, in the group of what the rows are.
FIRST = "Rows"
GROUPS: dict[str, tuple[str, ...]] = {
    FIRST: ("type", "survey", "is_candidate", "vetoed", "flag", "any_flag", "no_flag", "name", "row", "image"),
    "Review": ("tag", "reason", "reviewed_by", "state", "mine", "starred"),
    "Position": ("position", "frame", "radius", "radius_unit", "ra", "dec", "gal_l", "gal_b"),
    "Numbers": (
        "ratio", "vs_abs", "m_abs", "askap_flux", "ref_flux", "separation", "askap_nn_separation",
        "distance_from_centre",
    ),
}  # fmt: skip


# what the position needs beside it
OF_CONE = ("frame", "radius", "radius_unit")


def filter_layout(form: forms.Form) -> FormHelper:
    """Return how crispy forms lays the filters out.

    Parameters
    ----------
    form : django.forms.Form
        The form of a set of filters; fields that it has not are left out of the groups.

    Returns
    -------
    crispy_forms.helper.FormHelper
        Without the element of the form and its buttons, which the page has.
    """
    named = {name for names in GROUPS.values() for name in names}
    rest = [name for name in form.fields if name not in named]
    helper = FormHelper(form)
    helper.form_tag = False
    helper.disable_csrf = True
    helper.include_media = False
    helper.layout = Layout(
        *(
            _group(title, [name for name in (*names, *(rest if title == FIRST else ())) if name in form.fields])
            for title, names in GROUPS.items()
        )
    )
    return helper


def in_force(form: forms.Form) -> list[str]:
    """Return which filters are set, each with its value as the form shows it.

    Parameters
    ----------
    form : django.forms.Form
        The form of a set of filters.

    Returns
    -------
    list of str
        Label and value; the cone as one.
    """
    set_ones = {name: _words(form[name]) for name in form.fields if name not in OF_CONE}
    if set_ones.get("position"):
        frame, radius, unit = (_words(form[name]) for name in OF_CONE)
        set_ones["position"] += (f" ({frame})" if frame else "") + (f" within {radius} {unit}" if radius else "")
    return [f"{form[name].label} {words}" for name, words in set_ones.items() if words]


def _words(field: forms.BoundField) -> str:
    given = field.data if isinstance(field.data, (list, tuple)) else [field.data]
    if isinstance(field.field, RangeField):
        low, high = given
        return f"{low} to {high}" if low and high else f"≥ {low}" if low else f"≤ {high}" if high else ""
    given = [value for value in given if value]
    # asked for only where one is chosen: some come from the database
    names = {str(key): str(name) for key, name in getattr(field.field, "choices", ())} if given else {}
    return ", ".join(names.get(value, str(value)) for value in given)


def _group(title: str, names: Iterable[str]) -> Fieldset:
    cells = [Div(name, css_class="col") for name in names]
    return Fieldset(title, Div(*cells, css_class="row row-cols-2 row-cols-md-3 row-cols-lg-4 row-cols-xl-5 gx-3 gy-1"))
