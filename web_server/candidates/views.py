"""The files of the results."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404

from racs_transients.schema import PLOT_KINDS, STAMP_KINDS
from web_server.candidates.models import Product

# Kinds that anybody may see where reading is open; reports and tables name paths of the server.
_OPEN = frozenset(PLOT_KINDS | STAMP_KINDS)
_INLINE = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
_DOWNLOADS = {
    ".csv": "text/csv; charset=utf-8",
    ".vot": "application/x-votable+xml",
    ".fits": "application/fits",
    ".html": "text/html; charset=utf-8",
}


def product(request: HttpRequest, product_id: int) -> HttpResponseBase:
    """Send a file of a run.

    Parameters
    ----------
    request : django.http.HttpRequest
        Who asks.
    product_id : int
        The product; nothing that a request says becomes a path.

    Returns
    -------
    django.http.HttpResponse
        The file; a page or an unknown kind is not shown in the site's own name. To the log-in where a stranger asks
        for more than pictures.

    Raises
    ------
    Http404
        Where the file is gone.
    """
    record = get_object_or_404(Product.objects.select_related("run"), pk=product_id)
    if record.kind not in _OPEN and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    path = record.file()
    if path is None:
        raise Http404(f"{record.title} of {record.run} is not available: its results folder was moved or removed.")
    suffix = path.suffix.lower()
    inline = suffix in _INLINE
    kind = _INLINE.get(suffix) or _DOWNLOADS.get(suffix, "application/octet-stream")
    shown = inline or suffix == ".html"
    response = FileResponse(path.open("rb"), as_attachment=not shown, filename=path.name, content_type=kind)
    if suffix == ".html":
        # a report is a page of its own: no script, no form, nothing of the site
        response["Content-Security-Policy"] = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    response["Cache-Control"] = "private, max-age=3600"
    return response
