"""Survey mosaics in a folder: found by their headers, measured at positions."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from racs_transients import sky
from racs_transients.beam import Beam
from racs_transients.errors import ImageError
from racs_transients.image import Image, image_radius, near_blank, read_image
from racs_transients.noise import measure_noise
from racs_transients.photometry import forced_photometry
from racs_transients.surveys import Survey

logger = logging.getLogger(__name__)

_SUFFIXES = (".fits", ".fits.gz", ".fit", ".fits.fz")
# A position needs this many survey beams of valid pixels around it.
_MARGIN_BEAMS = 2.0


@dataclass(frozen=True, slots=True)
class Mosaic:
    """A survey image in a folder.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    ra, dec : float
        Its centre, degrees.
    radius : float
        Distance from the centre to its farthest valid pixel, degrees.
    """

    path: Path
    ra: float
    dec: float
    radius: float


def open_mosaic(path: Path, survey: Survey) -> Image:
    """Read a survey mosaic, whose header may lack frequency and beam.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    survey : Survey
        Whose mosaic it is.

    Returns
    -------
    Image
        The mosaic.

    Raises
    ------
    ImageError
        If it is no image.
    """
    # NVSS images carry no beam keyword; it is the survey's
    fallback = Beam(survey.beam_fwhm, survey.beam_fwhm)
    return read_image(path, frequency=survey.frequency, beam=None if survey.beam_cosec_dec else fallback)


def index_mosaics(folder: Path, survey: Survey) -> list[Mosaic]:
    """Return the mosaics below a folder, found by what their headers say.

    Parameters
    ----------
    folder : pathlib.Path
        Any FITS image below it counts, compressed or not.
    survey : Survey
        Whose mosaics they are.

    Returns
    -------
    list of Mosaic
        In the order of their paths.

    Raises
    ------
    ImageError
        If there is no mosaic at all.
    """
    mosaics = []
    for path in sorted(p for p in folder.rglob("*") if p.name.lower().endswith(_SUFFIXES)):
        try:
            image = open_mosaic(path, survey)
        except ImageError as error:
            logger.warning("not a mosaic: %s", error)
            continue
        mosaics.append(Mosaic(path, *image.centre, image_radius(image)))
    if not mosaics:
        raise ImageError(
            f"No {survey.name} mosaic lies below {folder}; check --{survey.name.lower()}-mosaic-dir or leave it out."
        )
    return mosaics


def measure_on_mosaics(
    mosaics: list[Mosaic], survey: Survey, ra: ArrayLike, dec: ArrayLike, *, neighbours: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Measure the survey's flux at positions, each on the mosaic with the nearest centre that covers it.

    Parameters
    ----------
    mosaics : list of Mosaic
        From `index_mosaics`.
    survey : Survey
        The survey; its beam at each position is fitted.
    ra, dec : array_like, shape (n,)
        Positions, degrees.
    neighbours : pandas.DataFrame, optional
        Catalogue sources with ra and dec, fitted together with positions near them.

    Returns
    -------
    pandas.DataFrame
        flux, flux_err (mJy), rms (mJy/beam), mosaic (file name, NA where none covers the position) and
        failure (words, NA where measured).
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    result = pd.DataFrame(
        {
            "flux": np.nan,
            "flux_err": np.nan,
            "rms": np.nan,
            "mosaic": pd.Series(pd.NA, index=range(len(ra)), dtype="str"),
            "failure": pd.Series("no mosaic covers the position", index=range(len(ra)), dtype="str"),
        }
    )
    nearest = np.full(len(ra), np.inf)
    for mosaic in mosaics:  # one in memory at a time; in overlaps the nearer centre overwrites the farther
        distance = sky.separation(ra, dec, mosaic.ra, mosaic.dec) / 3600
        rows = np.flatnonzero((distance <= mosaic.radius) & (distance < nearest))
        if len(rows) == 0:
            continue
        image = open_mosaic(mosaic.path, survey)
        rows = rows[~near_blank(image, ra[rows], dec[rows], _MARGIN_BEAMS * survey.beam_fwhm)]
        axes = survey.beam_axes(dec[rows])
        measured = forced_photometry(
            image, measure_noise(image), ra[rows], dec[rows], beam_axes=axes, neighbours=neighbours
        ).assign(mosaic=mosaic.path.name)
        result.loc[rows, list(measured)] = measured.set_index(rows)
        nearest[rows] = distance[rows]
    return result
