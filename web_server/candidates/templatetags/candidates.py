"""Filters for the templates of the results."""

from __future__ import annotations

from typing import Any

from django import template

from web_server.candidates.display import number

register = template.Library()


@register.filter
def shown(value: Any, digits: int = 4) -> str:
    """Return a value as people read it.

    Parameters
    ----------
    value : float, int, bool, str or None
        The value.
    digits : int
        Significant digits of a float.

    Returns
    -------
    str
        A dash where it is missing.
    """
    return number(value, digits)
