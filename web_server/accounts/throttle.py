"""How often somebody may try a password; django-axes counts."""

from __future__ import annotations

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_cool_off
from django.conf import settings
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# A whole institute may share one address.
ADDRESS_SHARE = 10


def address_of(request: HttpRequest) -> str | None:
    """Return where a request comes from.

    Parameters
    ----------
    request : django.http.HttpRequest
        Any.

    Returns
    -------
    str or None
        The address; behind a proxy what the proxy itself saw, which is the last that its header says.
    """
    told = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    return told.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR") or None


def refusal(request: HttpRequest, _response: HttpResponse | None, _credentials: dict[str, Any] | None) -> HttpResponse:
    """Return the page for who tried too often.

    Parameters
    ----------
    request : django.http.HttpRequest
        The attempt.
    _response : django.http.HttpResponse or None
        Not looked at.
    _credentials : dict or None
        Not looked at.

    Returns
    -------
    django.http.HttpResponse
        Status 429.
    """
    pause = get_cool_off(request)
    context = {"minutes": round(pause.total_seconds() / 60) if pause else None}
    response = render(request, "accounts/too_often.html", context, status=429)
    if pause:
        response["Retry-After"] = str(int(pause.total_seconds()))
    return response


class Throttle(AxesDatabaseHandler):  # type: ignore[misc]  # it has no types
    """Counts for a name and address together, and with more patience for an address alone."""

    def _attempts(self, request: HttpRequest, credentials: dict[str, Any] | None) -> tuple[QuerySet[Any], ...]:
        of_name, of_address = self.get_user_attempts(request, credentials)
        return of_name, of_address

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Return how many attempts failed, for the one limit that axes knows.

        Parameters
        ----------
        request : django.http.HttpRequest
            The attempt.
        credentials : dict, optional
            The name.

        Returns
        -------
        int
            The failures.
        """
        counts = [
            attempts.aggregate(n=Sum("failures_since_start"))["n"] or 0
            for attempts in self._attempts(request, credentials)
        ]
        return max(counts[0], counts[1] // ADDRESS_SHARE)

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Forget the failures of who logged in now, and not those for other names from the same address.

        Parameters
        ----------
        request : django.http.HttpRequest
            The attempt.
        credentials : dict, optional
            The name.

        Returns
        -------
        int
            How many records were forgotten.
        """
        return int(self._attempts(request, credentials)[0].delete()[0])
