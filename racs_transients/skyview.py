"""Survey images from SkyView: tiles of a fixed grid on the sky, fetched once and kept."""

from __future__ import annotations

import logging
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import requests
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from astroquery import cache_conf
from astroquery.exceptions import TimeoutError as AstroqueryTimeout
from astroquery.skyview import SkyViewClass
from numpy.typing import ArrayLike

from racs_transients import sky
from racs_transients.cache import keep
from racs_transients.errors import ImageError
from racs_transients.image import quiet_fits
from racs_transients.mosaics import Mosaic, footprint
from racs_transients.surveys import Survey

logger = logging.getLogger(__name__)

RETRIES = 3
PAUSE_S = 5.0
TIMEOUT_S = 120
# Declination bands of the grid, and the side of a tile, degrees: a tile reaches 15′ beyond its cell, enough for a
# postage stamp of 13′ radius around any position of the cell.
STEP, SIDE = 0.75, 1.25
# Pixels per beam width. SkyView resamples: with Lanczos3 a fitted amplitude changes by +0.1 to +0.3 % (pixels of 11″
# and 15″, beam 45″); with its default, the nearest pixel, by -1 to -2 % and 4 % from place to place; linearly by -3 to
# -5 %.
_PIXELS_PER_BEAM = 6.0
_FAILURES = (requests.RequestException, AstroqueryTimeout, OSError, ValueError, KeyError, AttributeError, TypeError)


def tile_centres(ra: ArrayLike, dec: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres of the tiles that positions lie in.

    Parameters
    ----------
    ra, dec : array_like, shape (n,)
        Positions, degrees.

    Returns
    -------
    ra, dec : numpy.ndarray, shape (m,)
        Centres, each once, degrees.
    """
    dec = np.asarray(dec, float)
    band = np.clip(np.floor((dec + 90) / STEP), 0, 180 / STEP - 1)
    # as many cells along the border nearest to the equator as are no wider than the step
    border = np.minimum(np.abs(band * STEP - 90), np.abs((band + 1) * STEP - 90))
    cells = np.maximum(1, np.ceil(360 * np.cos(np.deg2rad(border)) / STEP))
    cell = np.floor(np.asarray(ra, float) % 360 / 360 * cells)
    centres = np.unique(np.stack([(cell + 0.5) * 360 / cells, (band + 0.5) * STEP - 90], axis=-1), axis=0)
    return centres[:, 0], centres[:, 1]


def fetch_tiles(
    survey: Survey,
    ra: ArrayLike,
    dec: ArrayLike,
    *,
    cache_dir: Path,
    url: str | None = None,
    retries: int = RETRIES,
    pause: float = PAUSE_S,
) -> list[Mosaic]:
    """Return SkyView's images of a survey around positions, from the cache or from SkyView.

    Parameters
    ----------
    survey : Survey
        The survey.
    ra, dec : array_like, shape (n,)
        Positions, degrees.
    cache_dir : pathlib.Path
        Where the images are kept.
    url : str, optional
        Address of SkyView's form; the official one by default.
    retries : int
        How often to ask for a tile.
    pause : float
        Seconds before the second try, doubled each time.

    Returns
    -------
    list of Mosaic
        One for each tile that has pixels; where SkyView has none, the log says so.

    Raises
    ------
    ImageError
        If SkyView cannot be reached or answers with nonsense; tiles fetched before are kept.
    """
    if not survey.skyview:
        logger.warning("SkyView has no images of %s", survey.name)
        return []
    client = SkyViewClass()
    client.URL = url or client.URL
    found, blank, fetched = [], 0, 0
    for centre_ra, centre_dec in zip(*tile_centres(ra, dec), strict=True):
        path = cache_dir / "skyview" / f"{survey.name.lower()}_{centre_ra:08.4f}_{centre_dec:+08.4f}.fits"
        if not _is_kept(path):
            fetched += 1
            hdu = _asked(client, survey, float(centre_ra), float(centre_dec), retries, pause)
            if hdu is None:
                blank += 1
                continue
            _keep(hdu, path)
        found.append(footprint(path))
    logger.info("SkyView: %d tiles of %s, %d of them new", len(found), survey.name, fetched - blank)
    if blank:
        logger.warning("SkyView has no pixels of %s on %d of %d tiles", survey.name, blank, len(found) + blank)
    return found


def _is_kept(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        footprint(path)
        with quiet_fits(), fits.open(path) as hdus:
            return bool(np.isfinite(hdus[0].data).any())
    except (ImageError, OSError, TypeError, ValueError, fits.VerifyError) as error:
        logger.warning("the cached image %s is damaged (%s) and is fetched anew", path, type(error).__name__)
        return False


def _asked(
    client: SkyViewClass, survey: Survey, ra: float, dec: float, retries: int, pause: float
) -> fits.PrimaryHDU | None:
    """Return a tile, asked for until it comes; None where SkyView has no pixels there."""
    problem = ""
    for attempt in range(retries):
        if attempt:
            logger.warning("SkyView: %s; asking again in %.0f s", problem, pause * 2 ** (attempt - 1))
            time.sleep(pause * 2 ** (attempt - 1))
        try:
            return _checked(_query(client, survey, ra, dec), survey, ra, dec)
        except _FAILURES as error:
            words = str(error).strip().splitlines()
            problem = f"{type(error).__name__}: {words[0][:200] if words else ''}"
    raise ImageError(
        f"The {survey.name} image at RA {ra:.3f}°, Dec {dec:.3f}° could not be fetched from SkyView after {retries} "
        f"tries ({problem.rstrip('.')}). Run the same command later, what came is kept; or leave --fetch-mosaics out."
    )


def _query(client: SkyViewClass, survey: Survey, ra: float, dec: float) -> bytes:
    pixels = round(SIDE * 3600 / survey.beam_fwhm * _PIXELS_PER_BEAM)
    # astroquery's own cache would keep a bad answer, too
    with cache_conf.set_temp("cache_active", False):
        urls = client.get_image_list(
            SkyCoord(ra * u.deg, dec * u.deg),
            survey.skyview,
            coordinates="J2000",
            projection="Sin",
            sampler="Lanczos3",
            pixels=str(pixels),
            width=SIDE * u.deg,
            height=SIDE * u.deg,
            cache=False,
        )
    if not urls:
        raise ValueError("the answer names no FITS image")
    response = requests.get(urls[0], timeout=TIMEOUT_S)
    response.raise_for_status()
    return response.content


def _checked(content: bytes, survey: Survey, ra: float, dec: float) -> fits.PrimaryHDU | None:
    """Return a tile with what SkyView's header leaves out; None for a blank one.

    Raises
    ------
    ValueError
        If the answer is no image of the tile.
    """
    with quiet_fits(), fits.open(BytesIO(content)) as hdus:
        data, header = np.array(hdus[0].data, np.float32), hdus[0].header.copy()
        centre = WCS(header).celestial.pixel_to_world(*((n - 1) / 2 for n in data.shape[::-1])).icrs
    if float(sky.separation(centre.ra.deg, centre.dec.deg, ra, dec)) > 120:
        raise ValueError("the answer is an image of another place")
    # SkyView fills with zeros where a survey has no pixels
    data[data == 0] = np.nan
    finite = data[np.isfinite(data)]
    if len(finite) == 0 or finite.min() == finite.max():
        return None
    major, minor, pa = (float(axis) for axis in survey.beam_axes(dec))
    known = {
        "BUNIT": "JY/BEAM", "BMAJ": major / 3600, "BMIN": minor / 3600, "BPA": pa, "RESTFRQ": survey.frequency * 1e6,
    }  # fmt: skip
    header.update({key: value for key, value in known.items() if key not in header})
    return fits.PrimaryHDU(data, header)


def _keep(hdu: fits.PrimaryHDU, path: Path) -> None:
    try:
        with quiet_fits():
            keep(path, lambda target: hdu.writeto(target, overwrite=True, output_verify="fix"))
    except OSError as error:
        raise ImageError(f"{path} cannot be written ({error.strerror}); check --cache-dir.") from error
