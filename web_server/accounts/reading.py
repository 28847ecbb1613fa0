"""Which pages are open without an account: none, or with one setting the pages of the results."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

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

    def handle_no_permission(self, request: HttpRequest, view_func: View) -> HttpResponseRedirect:
        """Send a request to the log-in page; after a form, whose address alone shows nothing, back to its page.

        Parameters
        ----------
        request : django.http.HttpRequest
            The request.
        view_func : callable
            What would have answered it.

        Returns
        -------
        django.http.HttpResponseRedirect
            A redirect, which the review page's script takes for an expired log-in.
        """
        answer = super().handle_no_permission(request, view_func)
        if request.method in ("GET", "HEAD") or not request.accepts("text/html"):
            return answer
        messages.error(request, "Nothing was saved: your log-in has expired. Log in and do it again.")
        return redirect_to_login(_page_of_form(request), self.get_login_url(view_func))


def _page_of_form(request: HttpRequest) -> str:
    """Return the page of this site that a form was sent from, without its host."""
    page = request.headers.get("Referer", "")
    allowed = url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()})
    path = urlunsplit(("", "", *urlsplit(page)[2:4], "")) if allowed else ""
    return path or resolve_url("home")
