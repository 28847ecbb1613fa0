"""Searching, which remembers the search, and keeping searches by name."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from web_server.candidates.models import Image
from web_server.review.models import SavedSearch
from web_server.review.searches import keep, searches_for, tidy
from web_server.review.services import ReviewError


def address_of(search: SavedSearch) -> str:
    """Return where a search leads.

    Parameters
    ----------
    search : SavedSearch
        The search.

    Returns
    -------
    str
        Address of a list.
    """
    return _list_address(search.image_id, search.query)


def _list_address(image_id: int | None, query: str) -> str:
    page = reverse("query") if image_id is None else reverse("crossmatches", args=(image_id,))
    return f"{page}?{query}" if query else page


def _image_of(request: HttpRequest) -> Image | None:
    given = request.POST.get("image_id", "")
    return get_object_or_404(Image, pk=int(given)) if given.isdecimal() and len(given) < 19 else None


@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """Remember a search as the last one and show its list.

    Parameters
    ----------
    request : django.http.HttpRequest
        The fields of the form, ``image_id`` and ``run`` where it is the list of an image.

    Returns
    -------
    django.http.HttpResponse
        Leads to the list.
    """
    image = _image_of(request)
    try:
        query = tidy(request.POST)
    except ReviewError as error:
        messages.error(request, str(error))
        return redirect(_list_address(image.pk if image else None, ""))
    assert isinstance(request.user, User)
    keep(request.user, query, image)
    run = request.POST.get("run", "")
    if image is not None and run.replace("-", "").isalnum():
        query = f"run={run}&{query}" if query else f"run={run}"
    return redirect(_list_address(image.pk if image else None, query))


@require_GET
def last_search(request: HttpRequest) -> HttpResponse:
    """Show the list that somebody searched for last.

    Parameters
    ----------
    request : django.http.HttpRequest
        Who asks.

    Returns
    -------
    django.http.HttpResponse
        Leads to the list, or to that of everything where there was no search yet.
    """
    last = SavedSearch.objects.filter(owner=request.user.pk, name="").first()
    return redirect(address_of(last) if last else reverse("query"))


@require_POST
def save_search(request: HttpRequest) -> HttpResponse:
    """Keep a search by name.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``search_name``, ``search_shared``, ``search_query`` and ``image_id``.

    Returns
    -------
    django.http.HttpResponse
        Leads to the list.
    """
    image, name = _image_of(request), request.POST.get("search_name", "").strip()
    assert isinstance(request.user, User)
    query = ""
    try:
        query = tidy(QueryDict(request.POST.get("search_query", "")))
        if not name:
            raise ReviewError("A search that is to be kept needs a name.")
        keep(request.user, query, image, name=name, shared="search_shared" in request.POST)
        messages.success(request, f"The search “{name}” is kept.")
    except ReviewError as error:
        messages.error(request, str(error))
    return redirect(_list_address(image.pk if image else None, query))


@require_POST
def delete_search(request: HttpRequest, search_id: int) -> HttpResponse:
    """Forget one of one's own searches.

    Parameters
    ----------
    request : django.http.HttpRequest
        Who asks.
    search_id : int
        The search; somebody else's is not found.

    Returns
    -------
    django.http.HttpResponse
        Leads to the searches.
    """
    found = get_object_or_404(SavedSearch, pk=search_id, owner=request.user.pk)
    found.delete()
    messages.success(request, f"The search “{found.name}” is forgotten." if found.name else "The search is forgotten.")
    return redirect("searches")


@require_GET
def searches(request: HttpRequest) -> HttpResponse:
    """Show one's own and the shared searches.

    Parameters
    ----------
    request : django.http.HttpRequest
        Who asks.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    found = [(search, address_of(search)) for search in searches_for(request.user)]
    return render(request, "review/searches.html", {"searches": found})
