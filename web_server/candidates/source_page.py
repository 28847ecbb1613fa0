"""The page of one crossmatch, what stands on it, and the addresses that stay valid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import mark_safe

from racs_transients.flags import FLAGS
from racs_transients.sky import separation
from web_server.candidates import lightcurve
from web_server.candidates.cone import within
from web_server.candidates.display import SIDES, comparison_values, sexagesimal, side_values
from web_server.candidates.fluxes import points_of
from web_server.candidates.links import links_at
from web_server.candidates.lists import place_in_list
from web_server.candidates.models import Crossmatch
from web_server.candidates.selection import selection
from web_server.candidates.stamp_panels import COLOUR_KEY, blink_panels
from web_server.candidates.tables import crossmatch_order
from web_server.policy import SAMP, relaxed
from web_server.review.history import past_of

# Rows this near may be the same source, whatever object they joined.
NEIGHBOUR_RADIUS = 15 / 3600
MAX_RELATED = 50
_RELATED = (
    *("match_id", "name", "survey", "type", "ra", "dec", "ratio", "ratio_is_limit", "vs", "flag", "is_candidate"),
    *("askap_flux", "askap_flux_err", "askap_scaled_flux", "askap_scaled_flux_err", "askap_origin"),
    *("ref_flux", "ref_flux_err", "ref_origin", "distance_from_centre"),
    *("sky_object_id", "run__image__name", "run__image__epoch", "run__is_current", "run__tag"),
)


@dataclass(frozen=True, slots=True)
class Related:
    """A row that has to do with the one shown.

    Parameters
    ----------
    row : Crossmatch
        The row.
    separation : float
        Its distance from the one shown, arcsec.
    """

    row: Crossmatch
    separation: float


@relaxed(SAMP)
def source(request: HttpRequest, image_id: int, row_id: int) -> HttpResponseBase:
    """Show everything about one crossmatch.

    Parameters
    ----------
    request : django.http.HttpRequest
        The filters and order of the list that it was reached from.
    image_id : int
        The image.
    row_id : int
        The crossmatch; one of another image is not found.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    row = row_of(image_id, row_id)
    products = {product.kind: product for product in row.products.select_related("run")}
    stamp = products.get("stamp")
    same, nearest = _same_and_nearest(row)
    near = within(
        related_rows().filter(run__is_current=True).exclude(pk=row.pk).exclude(sky_object=row.sky_object_id),
        *(row.ra, row.dec, NEIGHBOUR_RADIUS),
    )
    points = points_of([row, *same])
    context = {
        "row": row,
        "image": row.run.image,
        "position": sexagesimal(row.ra, row.dec),
        "degrees": f"{row.ra:.6f} {row.dec:+.6f}",
        "flags": [flag for flag in FLAGS if row.flag_bits and row.flag_bits >> flag.bit & 1],
        "comparison": comparison_values(row),
        "sides": [title for _, title in SIDES],
        "side_values": side_values(row),
        "stamp": stamp,
        "stamp_there": stamp is not None and stamp.file() is not None,
        "panels": blink_panels(row, products),
        "colour_key": COLOUR_KEY,
        "cutouts": [product for kind, product in products.items() if kind.startswith("cutout")],
        "points": points,
        "flux_kinds": lightcurve.KINDS,
        # an XML tree that lightcurve built, with everything in it escaped
        "flux_plot": mark_safe(lightcurve.draw(points)),
        "same": _with_distance(same, row),
        "near": _with_distance(near.order_by("distance", "id")[:MAX_RELATED], row),
        "nearest": _with_distance(nearest, row),
        "links": links_at(row.ra, row.dec),
        "permalink": request.build_absolute_uri(permalink(row)),
        **past_of(row, request.user),
        **_neighbours(request, row),
    }
    return render(request, "candidates/source.html", context)


def row_of(image_id: int, row_id: int) -> Crossmatch:
    """Return a row of an image with what its page needs.

    Parameters
    ----------
    image_id : int
        The image.
    row_id : int
        The row.

    Returns
    -------
    Crossmatch
        The row.

    Raises
    ------
    Http404
        If the image has no such row.
    """
    rows = Crossmatch.objects.select_related("run__image__claim__owner", "sky_object", "survey_run")
    return get_object_or_404(rows, pk=row_id, run__image_id=image_id)


def related_rows() -> QuerySet[Crossmatch]:
    """Return rows with what the tables of related ones show.

    Returns
    -------
    django.db.models.QuerySet
        All rows.
    """
    return Crossmatch.objects.select_related("run__image").only(*_RELATED)


def _with_distance(rows: Any, row: Crossmatch) -> list[Related]:
    found = [*rows]
    distances = separation(row.ra, row.dec, [r.ra for r in found], [r.dec for r in found])
    return [Related(other, float(distance)) for other, distance in zip(found, distances, strict=True)]


def _same_and_nearest(row: Crossmatch) -> tuple[list[Crossmatch], list[Crossmatch]]:
    """Return the other current rows of the object, and the nearest good matches in the pipeline's order."""
    numbers = [int(word) for word in row.nearest_matches.replace(",", " ").split() if word.isdigit()][:MAX_RELATED]
    # whether a run is current is asked here: a condition on another table would cost the indexes
    wanted = Q(sky_object=row.sky_object_id) | Q(run=row.run, match_id__in=numbers)
    found = [*related_rows().filter(wanted).exclude(pk=row.pk).order_by("run__image__epoch", "id")]
    same = [r for r in found if r.sky_object_id == row.sky_object_id and r.run.is_current]
    good = {r.match_id: r for r in found if r.run_id == row.run_id}
    return same[:MAX_RELATED], [good[number] for number in numbers if number in good]


def _neighbours(request: HttpRequest, row: Crossmatch) -> dict[str, Any]:
    """Return the rows before and after in the list that the address describes, and the place in it."""
    filters = selection(request, None if request.GET.get("list") == "query" else row.run)
    rows = filters.qs if filters.form.is_valid() else filters.queryset
    return place_in_list(rows, row, crossmatch_order(request.GET.get("sort", "")))


def permalink(row: Crossmatch) -> str:
    """Return the address of what a row shows, which a later run of the image does not change.

    Parameters
    ----------
    row : Crossmatch
        The row.

    Returns
    -------
    str
        A path of the site.
    """
    return reverse("object", args=(row.sky_object_id, row.run.image_id, row.survey))


def object_page(request: HttpRequest, object_id: int, image_id: int, survey: str) -> HttpResponseRedirect:
    """Lead to the newest row of an object in an image and a survey.

    Parameters
    ----------
    request : django.http.HttpRequest
        Not looked at.
    object_id : int
        The object on the sky.
    image_id : int
        The image.
    survey : str
        The survey.

    Returns
    -------
    django.http.HttpResponseRedirect
        To its page.

    Raises
    ------
    Http404
        If no run has it any longer.
    """
    rows = Crossmatch.objects.filter(sky_object=object_id, run__image_id=image_id, survey=survey)
    newest = F("run__finished").desc(nulls_last=True)
    row = rows.order_by("-run__is_current", newest, "-pk").values_list("pk", flat=True).first()
    if row is None:
        raise Http404("No run of this image has this object any longer.")
    return HttpResponseRedirect(reverse("source", args=(image_id, row)))
