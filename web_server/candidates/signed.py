"""Addresses of one file each that another program fetches without a log-in, for a short while."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponseBase, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_safe

from web_server.candidates.exports import export
from web_server.candidates.models import Product
from web_server.candidates.views import product

_FILE, _TABLE = "candidates.signed.file", "candidates.signed.table"


def file_address(request: HttpRequest, cutout: Product) -> str:
    """Return an address of one cutout that needs no log-in.

    Parameters
    ----------
    request : django.http.HttpRequest
        Where the site is reached.
    cutout : Product
        The cutout.

    Returns
    -------
    str
        The whole address; it holds for ``SIGNED_SECONDS``.
    """
    token = signing.dumps(cutout.pk, salt=_FILE)
    return request.build_absolute_uri(reverse("signed_file", args=(token,)))


def table_address(request: HttpRequest, query: str, image_id: int | None) -> str:
    """Return an address of a list as VOTable that needs no log-in; it shows what the reader may see.

    Parameters
    ----------
    request : django.http.HttpRequest
        Where the site is reached, and who asks.
    query : str
        The list's filters and order.
    image_id : int or None
        The image whose list it is; None for all images.

    Returns
    -------
    str
        The whole address; it holds for ``SIGNED_SECONDS``.
    """
    token = signing.dumps([request.user.pk, image_id, query], salt=_TABLE, compress=True)
    return request.build_absolute_uri(reverse("signed_table", args=(token,)))


def _opened(token: str, salt: str) -> Any:
    try:
        return signing.loads(token, salt=salt, max_age=settings.SIGNED_SECONDS)
    except signing.BadSignature as error:
        raise Http404("This address is wrong or has expired; send it again from the page of the source.") from error


@login_not_required
@require_safe
def signed_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """Send the cutout that a signed address names.

    Parameters
    ----------
    request : django.http.HttpRequest
        Without a log-in.
    token : str
        From `file_address`.

    Returns
    -------
    django.http.HttpResponse
        The file.
    """
    return product(request, _opened(token, _FILE))


@login_not_required
@require_safe
def signed_table(request: HttpRequest, token: str) -> HttpResponseBase:
    """Send the list that a signed address describes, as VOTable.

    Parameters
    ----------
    request : django.http.HttpRequest
        Without a log-in.
    token : str
        From `table_address`.

    Returns
    -------
    django.http.HttpResponse
        What the one who asked for the address would get.

    Raises
    ------
    Http404
        If they have no account any longer.
    """
    user_id, image_id, query = _opened(token, _TABLE)
    user = AnonymousUser() if user_id is None else get_user_model().objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise Http404("The account that this address was made for is closed.")
    request.user, request.GET = user, QueryDict(query)
    return export(request, "vot", image_id)
