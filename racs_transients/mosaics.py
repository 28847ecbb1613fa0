"""Survey mosaics in a folder: found by their headers, assigned to positions, measured there."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS, WcsError
from numpy.typing import ArrayLike, NDArray

from racs_transients import sky
from racs_transients.beam import Beam
from racs_transients.cache import keep
from racs_transients.errors import ImageError
from racs_transients.image import Image, near_blank, quiet_fits, read_image
from racs_transients.noise import measure_noise
from racs_transients.photometry import Estimator, forced_photometry
from racs_transients.surveys import Survey, option_words

logger = logging.getLogger(__name__)

_FITS_NAME = re.compile(r"\.(fits?|fts)(\.(gz|fz))?$", re.IGNORECASE)
# A position needs this many survey beams of valid pixels around it.
_MARGIN_BEAMS = 2.0
# An image of another frequency or beam is none of the survey, whatever folder it lies in.
_FREQUENCY_TOLERANCE, _BEAM_TOLERANCE = 0.03, 0.2


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
        Distance from the centre to the farthest corner, degrees.
    """

    path: Path
    ra: float
    dec: float
    radius: float


def index_mosaics(folder: Path, survey: Survey, *, cache_dir: Path | None = None) -> list[Mosaic]:
    """Return the mosaics below a folder, found by what their headers say.

    Parameters
    ----------
    folder : pathlib.Path
        Any FITS image below it counts, compressed or not; what is no image is named in the log.
    survey : Survey
        Whose mosaics they are.
    cache_dir : pathlib.Path, optional
        Where the footprints are kept, so that each file is read once until it changes.

    Returns
    -------
    list of Mosaic
        In the order of their paths.

    Raises
    ------
    ImageError
        If there is no mosaic at all.
    """
    key = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    kept = None if cache_dir is None else cache_dir / f"mosaics-{key}.json"
    known, entries, mosaics = _read_index(kept), {}, []
    for path in sorted(path for path in folder.rglob("*") if _FITS_NAME.search(path.name)):
        status, name = path.stat(), str(path.relative_to(folder))
        stamp = [status.st_size, status.st_mtime_ns]
        try:
            is_known = known.get(name, [])[:2] == stamp
            mosaic = Mosaic(path, *known[name][2:]) if is_known else footprint(path)
        except ImageError as error:
            logger.warning("not a mosaic: %s", error)
            continue
        entries[name] = [*stamp, mosaic.ra, mosaic.dec, mosaic.radius]
        mosaics.append(mosaic)
    if not mosaics:
        raise ImageError(
            f"No {survey.name} mosaic lies below {folder}; check {option_words(survey, 'mosaic_dir')} or leave it out."
        )
    if entries != known:
        _write_index(kept, entries)
    return mosaics


def _read_index(path: Path | None) -> dict[str, list[float]]:
    if path is None or not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        logger.warning("the index of mosaics %s is damaged (%s) and is made anew", path, type(error).__name__)
        return {}


def _write_index(path: Path | None, entries: dict[str, list[float]]) -> None:
    """Keep an index; one that cannot be written costs only time."""
    if path is None:
        return
    try:
        keep(path, lambda target: target.write_text(json.dumps(entries), encoding="utf-8"))
    except OSError as error:
        logger.warning("the index of mosaics could not be kept in %s: %s", path.parent, error.strerror)


def footprint(path: Path) -> Mosaic:
    """Return where a mosaic lies, from its header alone.

    Parameters
    ----------
    path : pathlib.Path
        A FITS file.

    Returns
    -------
    Mosaic
        Centre and size.

    Raises
    ------
    ImageError
        If it has no image with celestial coordinates.
    """
    try:
        with quiet_fits(), fits.open(path) as hdus:
            header = next((hdu.header for hdu in hdus if hdu.header.get("NAXIS", 0) >= 2), None)
            wcs = None if header is None else WCS(header).celestial
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error, fits.VerifyError, WcsError) as error:
        raise ImageError(f"{path} cannot be read as FITS ({str(error).strip().partition(chr(10))[0]}).") from error
    if header is None or wcs is None or wcs.naxis != 2:
        raise ImageError(f"{path} has no image with celestial coordinates.")
    nx, ny = int(header["NAXIS1"]), int(header["NAXIS2"])
    ra, dec = wcs.wcs_pix2world([(nx - 1) / 2, 0, 0, nx - 1, nx - 1], [(ny - 1) / 2, 0, ny - 1, 0, ny - 1], 0)
    farthest = np.max(sky.separation(ra[0], dec[0], ra[1:], dec[1:])) / 3600
    if not np.isfinite(farthest):
        raise ImageError(f"{path} has corners that lie nowhere on the sky.")
    return Mosaic(path, float(ra[0] % 360), float(dec[0]), float(farthest))


def open_mosaic(path: Path, survey: Survey) -> Image:
    """Read a survey mosaic, whose header may lack frequency and beam.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    survey : Survey
        Whose mosaic it is; gives what the header lacks.

    Returns
    -------
    Image
        The mosaic.

    Raises
    ------
    ImageError
        If it is no image, or one of another frequency or beam.
    """
    expected = Beam(*(float(axis) for axis in survey.beam_axes(footprint(path).dec)))
    image = read_image(path, frequency=survey.frequency, beam=expected)
    if abs(image.frequency / survey.frequency - 1) > _FREQUENCY_TOLERANCE:
        raise ImageError(f"{path} is at {image.frequency:g} MHz and so no {survey.name} mosaic; take it out.")
    if abs(image.beam.major / expected.major - 1) > _BEAM_TOLERANCE:
        raise ImageError(
            f"{path} has a beam of {image.beam.major:.3g}″ where {survey.name} has {expected.major:.3g}″; take it out."
        )
    return image


def assign_mosaics(mosaics: list[Mosaic], survey: Survey, ra: ArrayLike, dec: ArrayLike) -> NDArray[np.int64]:
    """Return the mosaic of each position: of those with valid pixels around it, the one with the nearest centre.

    Parameters
    ----------
    mosaics : list of Mosaic
        From `index_mosaics`.
    survey : Survey
        The survey.
    ra, dec : array_like, shape (n,)
        Positions, degrees.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Number of the mosaic in the list, -1 where none has two survey beams of valid pixels all around.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    number, nearest = np.full(len(ra), -1), np.full(len(ra), np.inf)
    for candidate, mosaic in enumerate(mosaics):  # one in memory at a time
        distance = sky.separation(ra, dec, mosaic.ra, mosaic.dec) / 3600
        rows = np.flatnonzero((distance <= mosaic.radius) & (distance < nearest))
        if len(rows) == 0:
            continue
        try:
            image = open_mosaic(mosaic.path, survey)
        except ImageError as error:
            logger.warning("a mosaic is left out: %s", error)
            continue
        rows = rows[~near_blank(image, ra[rows], dec[rows], _MARGIN_BEAMS * survey.beam_fwhm)]
        number[rows], nearest[rows] = candidate, distance[rows]
    return number


def measure_on_mosaics(
    mosaics: list[Mosaic],
    survey: Survey,
    ra: ArrayLike,
    dec: ArrayLike,
    *,
    neighbours: pd.DataFrame | None = None,
    estimator: Estimator = forced_photometry,
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
    estimator : callable
        What measures on a mosaic, `photometry.forced_photometry` or its like.

    Returns
    -------
    pandas.DataFrame
        flux, flux_err (mJy), rms (mJy/beam), mosaic (file name, NA where none covers the position) and
        failure (words, NA where measured).
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    number = assign_mosaics(mosaics, survey, ra, dec)
    failure = pd.Series("no mosaic covers the position", index=range(len(ra)), dtype="str")
    parts = [pd.DataFrame({"flux": np.nan, "flux_err": np.nan, "rms": np.nan, "failure": failure})[number < 0]]
    parts[0].insert(3, "mosaic", pd.Series(pd.NA, index=parts[0].index, dtype="str"))
    for used in np.unique(number[number >= 0]):
        rows = np.flatnonzero(number == used)
        image = open_mosaic(mosaics[used].path, survey)
        axes = survey.beam_axes(dec[rows])
        measured = estimator(image, measure_noise(image), ra[rows], dec[rows], beam_axes=axes, neighbours=neighbours)
        name = pd.Series(mosaics[used].path.name, index=measured.index, dtype="str")
        parts.append(measured.assign(mosaic=name).set_index(pd.Index(rows))[list(parts[0])])
    return pd.concat(parts).sort_index()
