"""Times on the pages are UTC, and say so, whatever ``TIME_ZONE`` an own copy of the settings has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone


def in_utc(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer every request in UTC.

    Parameters
    ----------
    get_response : callable
        What answers.

    Returns
    -------
    callable
        The middleware.
    """

    def _answer(request: HttpRequest) -> HttpResponseBase:
        with timezone.override(UTC):
            return get_response(request)

    return _answer
