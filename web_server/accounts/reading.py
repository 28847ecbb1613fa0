"""Which pages are open without an account: none, or with one setting the pages of the results."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase

from web_server.accounts.roles import View

# Names of addresses. A new page is closed until it is written here.
RESULT_PAGES = frozenset({"home", "image", "crossmatches", "query", "export", "source", "object", "product", "panel"})


class Gate(LoginRequiredMiddleware):
    """Asks for a log-in everywhere but on pages that say they need none, and on results where reading is open."""

    def process_view(
        self, request: HttpRequest, view_func: View, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        """Let a request pass, or send it to the log-in page.

        Parameters
        ----------
        request : django.http.HttpRequest
            The request.
        view_func : callable
            What would answer it.
        view_args, view_kwargs : object
            Of the address.

        Returns
        -------
        django.http.HttpResponseBase or None
            None where it may pass.
        """
        name = request.resolver_match.view_name if request.resolver_match else None
        if settings.OPEN_READING and request.method in ("GET", "HEAD") and name in RESULT_PAGES:
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)
