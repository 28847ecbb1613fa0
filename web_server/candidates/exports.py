"""Files of the whole list that an address describes."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header

from racs_transients import __version__
from web_server.candidates.export_tables import csv_lines, votable
from web_server.candidates.models import Run
from web_server.candidates.old_names import present_names
from web_server.candidates.selection import chosen, run_of, selection
from web_server.candidates.tables import crossmatch_order

FORMATS = {"csv": "text/csv; charset=utf-8", "vot": "application/x-votable+xml"}
# about 1.5 kB of memory each while the file is made
MOST_ROWS_OF_A_VOTABLE = 250_000


@present_names
def export(request: HttpRequest, kind: str, image_id: int | None = None) -> HttpResponseBase:
    """Send all rows of a list in its order, with all columns.

    Parameters
    ----------
    request : django.http.HttpRequest
        The filters and ``sort`` of the list.
    kind : str
        csv or vot.
    image_id : int, optional
        The image whose list it is; none for all images.

    Returns
    -------
    django.http.HttpResponse
        The file; the list's page, which says what is wrong, where a filter is.

    Raises
    ------
    Http404
        For any other kind of file.
    """
    if kind not in FORMATS:
        raise Http404(f"There is no export as {kind}; there are csv and vot.")
    run = None if image_id is None else run_of(request, image_id)
    image = None if run is None else run.image
    filters = selection(request, run)
    if not filters.form.is_valid():
        page = reverse("query") if image is None else reverse("crossmatches", args=(image.pk,))
        return redirect(f"{page}?{request.GET.urlencode()}")
    rows = crossmatch_order(request.GET.get("sort", "")).sort(chosen(filters))
    address = reverse("export", kwargs={"kind": kind} if image is None else {"kind": kind, "image_id": image.pk})
    origin = _origin(request, f"{address}?{request.GET.urlencode()}".rstrip("?"), run)
    response: HttpResponseBase
    if kind == "csv":
        response = StreamingHttpResponse(csv_lines(rows, request.user, origin), content_type=FORMATS[kind])
    else:
        if rows[MOST_ROWS_OF_A_VOTABLE:].exists():
            return HttpResponse(
                f"A VOTable holds at most {MOST_ROWS_OF_A_VOTABLE} rows: narrow the list, or export it as CSV.\n",
                status=413,
                content_type="text/plain; charset=utf-8",
            )
        response = HttpResponse(votable(rows, request.user, origin), content_type=FORMATS[kind])
    name = f"{image.name.rpartition('/')[2]}_crossmatches.{kind}" if image else f"crossmatches.{kind}"
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def _origin(request: HttpRequest, address: str, run: Run | None) -> dict[str, Any]:
    """Return what a file says of itself; its address not as it was asked for, which may be a signed one."""
    runs = [run] if run is not None else Run.objects.filter(is_current=True).select_related("image").order_by("pk")
    return {
        "title": "Crossmatches of ASKAP images with reference surveys",
        "query": address,
        "user": request.user.get_username(),
        "written": timezone.now().isoformat(timespec="seconds"),
        "software": f"racs_transients {__version__}",
        "runs": [f"{part.pk} {part.image.name}, {part.tag}, version {part.version}" for part in runs],
    }
