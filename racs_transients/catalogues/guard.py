"""The coverage guard: a catalogue that is too short must never pass for an empty sky."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.coordinates import SkyCoord
from scipy.stats import poisson

from racs_transients import sky
from racs_transients.beam import FloatArray
from racs_transients.errors import CatalogueError
from racs_transients.image import Image
from racs_transients.surveys import Survey, option_words

logger = logging.getLogger(__name__)

MIN_RADIUS = 1.5
MIN_EXPECTED = 30.0
_MAX_RADIUS = 20.0
# Density differs from place to place by clustering and by noise; measured over SUMSS in circles of
# 1.5° the scatter beyond Poisson is about 10 %, four times which is allowed for here.
_TOLERANCE = 0.4
_TAIL = 1e-6
# That an image of twelve expected sources holds none, in a cone that was plausible
_NONE_TAIL = 1e-3


def expected_count(survey: Survey, ra: float, dec: float, radius: float) -> float:
    """Return how many catalogue sources a cone should hold.

    Parameters
    ----------
    survey : Survey
        The survey.
    ra, dec : float
        Centre, degrees.
    radius : float
        Degrees.

    Returns
    -------
    float
        Density times area inside the survey's footprint.
    """
    points_ra, points_dec, area = _cone_points(ra, dec, radius)
    return float(survey.density_at(points_ra, points_dec).sum() * area)


def _cone_points(ra: float, dec: float, radius: float, n: int = 2000) -> tuple[FloatArray, FloatArray, float]:
    """Return points spread evenly over a cone (a sunflower), and the area that each stands for in deg²."""
    k = np.arange(n) + 0.5
    cap = 1 - np.cos(np.deg2rad(radius))
    distance = np.arccos(1 - cap * k / n)
    centre = SkyCoord(ra * u.deg, dec * u.deg)
    points = centre.directional_offset_by(k * np.pi * (3 - 5**0.5) * u.rad, distance * u.rad)
    return points.ra.deg, points.dec.deg, float(2 * np.pi * cap * np.rad2deg(1) ** 2 / n)


def query_radius(survey: Survey, ra: float, dec: float, radius: float) -> float:
    """Return the radius to ask for: at least 1.5°, and enough to expect 30 sources.

    Parameters
    ----------
    survey : Survey
        The survey.
    ra, dec : float
        Centre, degrees.
    radius : float
        What the image needs, degrees.

    Returns
    -------
    float
        Degrees.
    """
    wanted = max(radius, MIN_RADIUS)
    while expected_count(survey, ra, dec, wanted) < MIN_EXPECTED and wanted < _MAX_RADIUS:
        wanted = min(wanted * 1.3, _MAX_RADIUS)
    return wanted


def check_coverage(
    references: pd.DataFrame, survey: Survey, ra: float, dec: float, radius: float, *, origin: str, complete: bool
) -> None:
    """Stop where a cone holds implausibly few or many catalogue sources.

    Parameters
    ----------
    references : pandas.DataFrame
        Untrimmed catalogue, ``schema.REFERENCES``.
    survey : Survey
        The survey.
    ra, dec : float
        Centre, degrees.
    radius : float
        Degrees.
    origin : str
        Where the catalogue comes from, for messages.
    complete : bool
        Whether the catalogue claims to be the whole survey. A user's own file may be a selection: then
        too few sources are a warning.

    Raises
    ------
    CatalogueError
        If the count is impossible for the survey's density, or for that of one of its catalogues in the
        part of the cone that this one covers; or if the survey does not cover the cone.
    """
    expected = expected_count(survey, ra, dec, radius)
    if expected < 1:
        raise CatalogueError(
            f"{survey.name} does not cover the field at RA {ra:.3f}°, Dec {dec:.3f}°; choose another survey."
        )
    within = sky.separation(references["ra"], references["dec"], ra, dec) <= radius * 3600
    there = references[within]
    found = int(survey.contains(there["ra"], there["dec"]).sum())
    where = f"within {radius:.2f}° of RA {ra:.3f}°, Dec {dec:.3f}°"
    if found > poisson.isf(_TAIL, expected * (1 + _TOLERANCE)):
        raise CatalogueError(
            f"{_counts(origin, found, where, survey.name, expected)}: too many to be true; "
            "is it the catalogue of another survey?"
        )
    points_ra, points_dec, area = _cone_points(ra, dec, radius)
    # each catalogue by itself: SUMSS alone is plausible for a cone that MGPS-2 shares with it
    for catalogue in survey.catalogues:
        covered = catalogue.contains(points_ra, points_dec)
        expected = float(catalogue.density.at(points_dec[covered]).sum() * area)
        listed = int(catalogue.contains(there["ra"], there["dec"]).sum())
        if listed >= poisson.ppf(_TAIL, expected * (1 - _TOLERANCE)):
            continue
        counts = _counts(origin, listed, where, catalogue.table or survey.name, expected)
        if complete or found == 0:
            raise CatalogueError(
                f"{counts}: too few to be true, so that ASKAP sources would pass for new ones; "
                f"{_remedy(survey, complete)}"
            )
        logger.warning("%s; sources it leaves out will look new in ASKAP", counts)


def _counts(origin: str, found: int, where: str, whose: str, expected: float) -> str:
    return f"{origin} has {found} sources {where}, where the density of {whose} lets expect {expected:.0f}"


def check_trimmed(trimmed: pd.DataFrame, survey: Survey, image: Image) -> None:
    """Stop where no catalogue source lies on an image that should hold many.

    Parameters
    ----------
    trimmed : pandas.DataFrame
        The catalogue sources on the image; the cone around it has been checked.
    survey : Survey
        The survey.
    image : Image
        The image.

    Raises
    ------
    CatalogueError
        If their absence is implausible. A small image, or one of which the survey covers a corner, may hold none.
    """
    if len(trimmed):
        return
    step = max(1, max(image.data.shape) // 200)
    y, x = np.nonzero(np.isfinite(image.data[::step, ::step]))
    area = step**2 * image.pixel_scales[0] * image.pixel_scales[1] / 3600**2
    expected = float(survey.density_at(*image.pixel_to_sky(x * step, y * step)).sum() * area)
    words = f"None of the {survey.name} sources lies on {image.path.name}, where {expected:.1f} are to be expected"
    if poisson.pmf(0, expected * (1 - _TOLERANCE)) < _NONE_TAIL:
        raise CatalogueError(f"{words}; is it the right catalogue?")
    logger.warning("%s", words)


def _remedy(survey: Survey, complete: bool) -> str:
    option = option_words(survey, "csv")
    if complete:
        return f"try again later or give the catalogue with {option}."
    return f"check that {option} covers the field and that its right ascension is in degrees."
