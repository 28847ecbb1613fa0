"""The messages that the page of a source sends to other programs through SAMP."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from web_server.candidates.models import Crossmatch
from web_server.candidates.signed import file_address, table_address
from web_server.candidates.source_page import row_of


@never_cache
def samp_messages(request: HttpRequest, image_id: int, row_id: int) -> JsonResponse:
    """Send the messages that can be sent about a source, with fresh addresses of its files.

    Parameters
    ----------
    request : django.http.HttpRequest
        The filters and order of the list that the source was reached from.
    image_id : int
        The image.
    row_id : int
        The crossmatch.

    Returns
    -------
    django.http.JsonResponse
        Name of each message to its type (``mtype``) and ``params``, all of them strings as SAMP wants them.
    """
    row = row_of(image_id, row_id)
    cutouts = row.products.filter(kind__startswith="cutout").select_related("run")
    messages = {"point": _message("coord.pointAt.sky", ra=f"{row.ra:.8f}", dec=f"{row.dec:.8f}")}
    for cutout in cutouts:
        title = f"{row.name}, {cutout.title}"
        messages[f"cutout-{cutout.pk}"] = _message(
            "image.load.fits", **{"url": file_address(request, cutout), "image-id": f"{cutout.pk}", "name": title}
        )
    messages["table"] = _table(request, row)
    return JsonResponse(messages)


def _message(mtype: str, **params: str) -> dict[str, object]:
    return {"mtype": mtype, "params": params}


def _table(request: HttpRequest, row: Crossmatch) -> dict[str, object]:
    query = request.GET.copy()
    everywhere = query.get("list") == "query"
    for name in ("list", "page", "per_page"):
        query.pop(name, None)
    if not everywhere:
        query["run"] = str(row.run_id)
    address = table_address(request, query.urlencode(), None if everywhere else row.run.image_id)
    words = "Crossmatches" if everywhere else f"Crossmatches of {row.run.image.name}"
    return _message(
        "table.load.votable", **{"url": address, "table-id": f"racs-transients-{row.run_id}", "name": words}
    )
