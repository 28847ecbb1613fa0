"""The parameters of the earlier site, so that old bookmarks of lists lead to the same lists."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect

from racs_transients.flags import FLAGS

_RANGES = {
    "d2d__gt": "distance_from_centre",
    "ratio__gt": "ratio",
    "vs__gt": "vs_abs",
    "m_abs__gt": "m_abs",
    "askap_iflux__gt": "askap_flux",
    "catalog_iflux__gt": "ref_flux",
    "ra__gt": "ra",
    "dec__gt": "dec",
    "gal_l__gt": "gal_l",
    "gal_b__gt": "gal_b",
    "d2d_nn_askap_cat__gt": "askap_nn_separation",
}
_INFLATED = str(next(flag.bit for flag in FLAGS if flag.name == "Inflated convolved flux error"))
_ANSWERS = {"true": "true", "2": "true", "false": "false", "3": "false"}
_SORTS = {
    "askap_iflux": "askap_flux",
    "-askap_iflux": "-askap_flux",
    "catalog_iflux": "ref_flux",
    "-catalog_iflux": "-ref_flux",
    # rows were numbered from the largest ratio down
    "id": "-ratio",
    "-id": "ratio",
}
_NOBODY = ("Unchecked", "N/A")


def _plain(name: str) -> Callable[[str], tuple[str, str]]:
    return lambda value: (name, value)


# what each parameter with one of its values is called now
_NAMES: dict[str, Callable[[str], tuple[str, str]]] = {
    **{f"{old}_{end}": _plain(f"{new}_{end}") for old, new in _RANGES.items() for end in ("min", "max")},
    "source_id": _plain("row"),
    "image_id": _plain("image"),
    "pipelinetag": _plain("flag"),
    "usertag": _plain("tag"),
    "userreason": _plain("reason"),
    "flagged": lambda value: ("vetoed", _ANSWERS.get(value.lower(), "")),
    "inflated_convolved_flux": lambda value: ("any_flag" if value == "True" else "no_flag", _INFLATED),
    "transient_type": lambda value: ("type", value.lower().replace(" ", "")),
    "checkedby": lambda value: ("state", "unreviewed") if value in _NOBODY else ("reviewed_by", value),
    "sort_by": lambda value: ("sort", _SORTS.get(value, value)),
}
_CONE = tuple(f"cone_search_{n}" for n in range(4))


def renamed(old: QueryDict) -> QueryDict | None:
    """Return the parameters under their present names.

    Parameters
    ----------
    old : django.http.QueryDict
        Of an address.

    Returns
    -------
    django.http.QueryDict or None
        None where no old name is among them.
    """
    if not any(name in _NAMES or name in _CONE for name in old):
        return None
    new = QueryDict(mutable=True)
    for name, values in old.lists():
        for value in values:
            if name in _CONE or (name in _NAMES and not value):
                continue
            now, meaning = _NAMES[name](value) if name in _NAMES else (name, value)
            # surveys were written in small letters
            new.appendlist(now, meaning.upper() if name == "survey" else meaning)
    ra, dec, radius, unit = (old.get(name, "") for name in _CONE)
    # the earlier site searched where all four were filled
    if ra and dec and radius and unit:
        new.update({"position": f"{ra} {dec}", "radius": radius, "radius_unit": unit})
    return new


def present_names(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let a view send addresses with names of the earlier site on to the present ones.

    Parameters
    ----------
    view : callable
        Of a list.

    Returns
    -------
    callable
        The view.
    """

    @wraps(view)
    def _guarded(request: HttpRequest, *args: Any, **keywords: Any) -> HttpResponseBase:
        present = renamed(request.GET)
        if present is not None:
            return redirect(f"{request.path}?{present.urlencode()}")
        return view(request, *args, **keywords)

    return _guarded
