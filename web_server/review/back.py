"""Going back after a change, to nowhere but this site."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme


def back_to(request: HttpRequest, name: str, *arguments: int) -> HttpResponseRedirect:
    """Return a redirect to the page that the form names, if it is one of this site.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``next`` of a form.
    name : str
        The page otherwise.
    *arguments : int
        Of that page.

    Returns
    -------
    django.http.HttpResponseRedirect
        The redirect.
    """
    asked = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(asked if allowed else resolve_url(name, *arguments))
