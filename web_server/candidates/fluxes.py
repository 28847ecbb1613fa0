"""The flux densities of one object in all images and surveys, as points of the plot."""

from __future__ import annotations

from collections.abc import Iterable

from astropy.time import Time
from django.conf import settings

from web_server.candidates.lightcurve import MEASURED, SCALED, SURVEY, Point
from web_server.candidates.models import Crossmatch


def points_of(rows: Iterable[Crossmatch]) -> list[Point]:
    """Return the points of rows of one object, in the order of time.

    Parameters
    ----------
    rows : iterable of Crossmatch
        With their run and image.

    Returns
    -------
    list of Point
        A measurement that several rows share appears once; those without a time come last.
    """
    points: dict[tuple[object, ...], Point] = {}
    for row in rows:
        for point in _points(row):
            key = (point.kind, point.start, point.flux, point.error, "" if point.kind == MEASURED else point.survey)
            points.setdefault(key, point)
    return sorted(points.values(), key=lambda p: (p.epoch is None, p.epoch or 0.0, p.image, p.kind))


def _points(row: Crossmatch) -> list[Point]:
    epoch = row.run.image.epoch
    first, last = survey_years(row.survey)
    sides = (
        (MEASURED, epoch, epoch, row.askap_flux, row.askap_flux_err, row.askap_origin),
        (SCALED, epoch, epoch, row.askap_scaled_flux, row.askap_scaled_flux_err, row.askap_origin),
        (SURVEY, first, last, row.ref_flux, row.ref_flux_err, row.ref_origin),
    )
    return [
        Point(
            kind=kind,
            start=start,
            end=end,
            flux=flux,
            error=error,
            is_limit=origin == "limit",
            image=row.run.image.name,
            survey=row.survey,
            origin=origin,
            row_id=row.pk,
            image_id=row.run.image_id,
        )
        for kind, start, end, flux, error, origin in sides
        if flux is not None
    ]


def survey_years(survey: str) -> tuple[float | None, float | None]:
    """Return when a survey was observed.

    Parameters
    ----------
    survey : str
        Its name.

    Returns
    -------
    start, end : float or None
        MJD, from the setting ``SURVEY_YEARS``; None where it does not name the survey.
    """
    years = settings.SURVEY_YEARS.get(survey)
    if years is None:
        return None, None
    start, end = (float(Time(year, format="jyear").mjd) for year in years)
    return start, end
