"""Radio images: reading, checking, and the way between sky and pixels."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.time import Time
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import proj_plane_pixel_scales
from numpy.typing import ArrayLike, NDArray

from racs_transients import sky
from racs_transients.beam import Beam, FloatArray
from racs_transients.errors import ImageError

logger = logging.getLogger(__name__)

_FREQUENCY_KEYWORDS = ("RESTFRQ", "RESTFREQ", "FREQ", "OBSFREQ", "CRVALFRQ")
_JY_PER_BEAM = {"jy/beam": 1.0, "jybeam-1": 1.0, "beam-1jy": 1.0, "mjy/beam": 1e-3, "mjybeam-1": 1e-3}
_BEAM_IN_HISTORY = re.compile(r"BMAJ=\s*([\d.E+-]+)\s+BMIN=\s*([\d.E+-]+)\s+BPA=\s*([\d.E+-]+)")


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A two-dimensional radio image on the sky.

    Parameters
    ----------
    path : pathlib.Path
        The file it came from.
    data : numpy.ndarray, shape (ny, nx), float32
        Brightness, Jy/beam; NaN where blank.
    wcs : astropy.wcs.WCS
        Celestial coordinates of the two axes.
    frequency : float
        Observing frequency, MHz.
    beam : Beam
        Restoring beam.
    epoch : float
        Time of the observation, MJD; NaN where unknown.
    """

    path: Path
    data: NDArray[np.float32]
    wcs: WCS
    frequency: float
    beam: Beam
    epoch: float = float("nan")

    @property
    def pixel_scales(self) -> tuple[float, float]:
        """Size of a pixel along x and y at the reference position, arcsec."""
        scales = proj_plane_pixel_scales(self.wcs) * 3600
        return float(scales[0]), float(scales[1])

    @property
    def centre(self) -> tuple[float, float]:
        """Right ascension and declination of the central pixel position, degrees."""
        ny, nx = self.data.shape
        ra, dec = self.pixel_to_sky((nx - 1) / 2, (ny - 1) / 2)
        return float(ra), float(dec)

    def sky_to_pixel(self, ra: ArrayLike, dec: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return 0-based pixel positions.

        Parameters
        ----------
        ra, dec : array_like
            ICRS position, degrees.

        Returns
        -------
        x, y : numpy.ndarray
            Pixel positions along the first and second FITS axis; NaN where the projection has none.
        """
        ra, dec = np.asarray(ra, float), np.asarray(dec, float)
        if ra.size == 0:
            return ra, dec
        x, y = self.wcs.wcs_world2pix(ra, dec, 0)
        # a zenithal projection also answers for positions behind the tangent plane
        far = sky.separation(ra, dec, *self.wcs.wcs.crval) > 89 * 3600 if _is_zenithal(self.wcs) else np.False_
        return np.where(far, np.nan, x), np.where(far, np.nan, y)

    def pixel_to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return sky positions of 0-based pixel positions.

        Parameters
        ----------
        x, y : array_like
            Pixel positions along the first and second FITS axis.

        Returns
        -------
        ra, dec : numpy.ndarray
            ICRS position, degrees, ra in [0, 360).
        """
        ra, dec = self.wcs.wcs_pix2world(np.asarray(x, float), np.asarray(y, float), 0)
        return np.asarray(ra) % 360, np.asarray(dec)


def _is_zenithal(wcs: WCS) -> bool:
    return str(wcs.wcs.ctype[0])[-3:] in {"SIN", "TAN", "NCP", "ARC", "STG", "ZEA"}


@contextmanager
def quiet_fits() -> Iterator[None]:
    """Silence astropy on headers that are old or sloppy but clear, such as those of SUMSS mosaics."""
    with warnings.catch_warnings():
        for category in (AstropyWarning, FITSFixedWarning):
            warnings.simplefilter("ignore", category)
        warnings.filterwarnings("ignore", message="Invalid 'BLANK' keyword")
        yield


def read_image(
    path: Path,
    *,
    frequency: float | None = None,
    beam: Beam | None = None,
    blank: Literal["nan", "zero"] = "nan",
) -> Image:
    """Read a radio image with two to four axes.

    Parameters
    ----------
    path : pathlib.Path
        FITS file, also compressed.
    frequency : float, optional
        MHz, for an image whose header has none.
    beam : Beam, optional
        For an image whose header has none.
    blank : {"nan", "zero"}
        Pixel value that means "outside the image".

    Returns
    -------
    Image
        In Jy/beam and equatorial coordinates; FK5 J2000 counts as ICRS (they differ by 0.02″).

    Raises
    ------
    ImageError
        If the file cannot be read, or what the comparison needs is missing or wrong.
    """
    with quiet_fits():
        data, header = _read_plane(path)
        wcs = _celestial(header, path)
        data = data * np.float32(_unit_factor(header, path))
        if blank == "zero":
            data[data == 0] = np.nan
        _check_pixels(data, header, path)
        found_beam = _beam_from(header, path) or beam
        found_frequency = _frequency_from(header) or frequency
    if found_beam is None:
        raise ImageError(
            f"{path} has no beam in its header (BMAJ, BMIN); give --beam-major, --beam-minor and --beam-pa."
        )
    if found_frequency is None:
        raise ImageError(f"{path} has no frequency in its header; give --frequency in Hz.")
    image = Image(path, data, wcs, float(found_frequency), found_beam, _epoch_from(header))
    _check_beam(image)
    return image


def _read_plane(path: Path) -> tuple[NDArray[np.float32], fits.Header]:
    if not path.exists():
        raise ImageError(f"There is no image {path}.")
    try:
        with fits.open(path, memmap=True) as hdus:
            hdu = next((h for h in hdus if h.header.get("NAXIS", 0) >= 2 and _is_image(h)), None)
            if hdu is None:
                raise ImageError(f"{path} holds no image: no FITS extension has two or more axes.")
            header = hdu.header.copy()
            data = np.array(hdu.data, dtype=np.float32)
    except (OSError, EOFError, ValueError, TypeError, fits.VerifyError) as error:
        raise ImageError(
            f"{path} cannot be read as FITS ({_first_line(error)}); is it truncated or no FITS file?"
        ) from error
    if any(length != 1 for length in data.shape[:-2]):
        raise ImageError(f"{path} is a cube of shape {data.shape}; give an image with a single plane.")
    return data.reshape(data.shape[-2:]), header


def _is_image(hdu: Any) -> bool:
    return isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _celestial(header: fits.Header, path: Path) -> WCS:
    try:
        wcs = WCS(header).celestial
    except (ValueError, KeyError, TypeError) as error:
        raise ImageError(f"The coordinates in the header of {path} cannot be read: {_first_line(error)}.") from error
    except Exception as error:  # wcslib's errors share no base class but Exception
        if type(error).__module__.startswith("astropy.wcs"):
            raise ImageError(
                f"The coordinates in the header of {path} cannot be read: {_first_line(error)}."
            ) from error
        raise
    if wcs.naxis != 2:
        raise ImageError(f"{path} has no celestial coordinates in its header (CTYPE1, CTYPE2).")
    if not str(wcs.wcs.ctype[0]).startswith("RA") or wcs.wcs.lat != 1:
        raise ImageError(f"{path} is not in right ascension and declination but {', '.join(wcs.wcs.ctype)}; regrid it.")
    equinox = header.get("EQUINOX", header.get("EPOCH", 2000.0))
    if str(header.get("RADESYS", "")).upper().startswith("FK4") or float(equinox) != 2000.0:
        raise ImageError(f"{path} is in B1950 coordinates; regrid it to J2000.")
    return wcs


def _unit_factor(header: fits.Header, path: Path) -> float:
    unit = str(header.get("BUNIT", "")).strip()
    if not unit:
        logger.warning("%s states no unit (BUNIT); taken as Jy/beam", path.name)
        return 1.0
    factor = _JY_PER_BEAM.get(unit.lower().replace(" ", "").replace(".", "").replace("*", ""))
    if factor is None:
        raise ImageError(f"{path} is in {unit} (BUNIT), not Jy/beam; convert it.")
    return factor


def _check_pixels(data: NDArray[np.float32], header: fits.Header, path: Path) -> None:
    sample = data[:: max(1, data.shape[0] // 1000), :: max(1, data.shape[1] // 1000)]
    finite = sample[np.isfinite(sample)]
    if len(finite) == 0 and not np.isfinite(data).any():
        raise ImageError(f"{path} is blank: it has no valid pixel.")
    if len(finite) and finite.min() == finite.max():
        raise ImageError(f"All pixels of {path} have the value {finite[0]:g}; it holds no sky.")
    # noise makes half of the pixels of any radio image fall below its median brightness, and many below zero
    if len(finite) >= 100 and finite.min() >= 0:
        raise ImageError(f"{path} has no negative pixel, so it is no radio image; is it a weights image?")


def _frequency_from(header: fits.Header) -> float | None:
    """Return the frequency in MHz: of the spectral axis, else of the usual keywords."""
    for axis in range(1, header.get("NAXIS", 0) + 1):
        if str(header.get(f"CTYPE{axis}", "")).upper().startswith("FREQ") and header.get(f"CRVAL{axis}"):
            unit = u.Unit(str(header.get(f"CUNIT{axis}", "Hz")).strip() or "Hz")
            # the plane's own frequency, where its reference pixel is not the first
            value = header[f"CRVAL{axis}"] + (1 - header.get(f"CRPIX{axis}", 1)) * header.get(f"CDELT{axis}", 0)
            return float((value * unit).to_value(u.MHz))
    for keyword in _FREQUENCY_KEYWORDS:
        value = header.get(keyword)
        if isinstance(value, int | float) and value > 0:
            # Hz by the standard; a value that small can only be MHz
            return float(value) / 1e6 if value > 1e6 else float(value)
    return None


def _beam_from(header: fits.Header, path: Path) -> Beam | None:
    if header.get("BMAJ") and header.get("BMIN"):
        return Beam(header["BMAJ"] * 3600, header["BMIN"] * 3600, float(header.get("BPA", 0.0)))
    for line in reversed([str(card) for key in ("HISTORY", "COMMENT") for card in header.get(key, [])]):
        found = _BEAM_IN_HISTORY.search(line)
        if found:
            major, minor, pa = (float(value) for value in found.groups())
            return Beam(major * 3600, minor * 3600, pa)
    if header.get("CASAMBM"):
        with fits.open(path) as hdus:
            table = hdus["BEAMS"]
            row = table.data[0]
            unit = u.Unit(table.columns["BMAJ"].unit or "deg")
            return Beam(
                float((row["BMAJ"] * unit).to_value("arcsec")),
                float((row["BMIN"] * unit).to_value("arcsec")),
                float(row["BPA"]),
            )
    return None


def _check_beam(image: Image) -> None:
    beam, pixel = image.beam, max(image.pixel_scales)
    if not 0 < beam.minor <= beam.major * 1.0001:
        raise ImageError(f"{image.path} has an impossible beam of {beam.major:g}″ × {beam.minor:g}″.")
    if beam.minor < 1.5 * pixel:
        raise ImageError(
            f"The beam of {image.path} ({beam.major:.3g}″ × {beam.minor:.3g}″) is not sampled by its pixels "
            f"of {pixel:.3g}″; are BMAJ and BMIN in degrees?"
        )


def _epoch_from(header: fits.Header) -> float:
    if header.get("MJD-OBS"):
        return float(header["MJD-OBS"])
    try:
        return float(Time(str(header.get("DATE-OBS", "")).strip()).mjd)
    except ValueError:
        return float("nan")


def image_radius(image: Image) -> float:
    """Return the distance from the centre to the farthest corner that has a valid pixel near it.

    Parameters
    ----------
    image : Image
        The image.

    Returns
    -------
    float
        Radius of a circle around the centre that holds all valid pixels, degrees.
    """
    step = max(1, max(image.data.shape) // 500)
    valid = np.isfinite(image.data[::step, ::step])
    y, x = np.nonzero(valid)
    ra, dec = image.pixel_to_sky(x * step, y * step)
    farthest = float(np.nanmax(sky.separation(ra, dec, *image.centre))) / 3600
    return float(farthest + 1.5 * step * max(image.pixel_scales) / 3600)


def near_blank(image: Image, ra: ArrayLike, dec: ArrayLike, margin: float) -> NDArray[np.bool_]:
    """Return which positions have blank pixels or the border nearby.

    Parameters
    ----------
    image : Image
        The image.
    ra, dec : array_like, shape (n,)
        Positions, degrees.
    margin : float
        Half the side of the box that must be free of blanks, arcsec.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        True where the box leaves the image or holds a blank pixel.
    """
    x, y = image.sky_to_pixel(ra, dec)
    half_x, half_y = (int(np.ceil(margin / scale)) for scale in image.pixel_scales)
    ny, nx = image.data.shape
    known = np.isfinite(x) & np.isfinite(y)
    column, row = np.where(known, np.rint(x), -1).astype(int), np.where(known, np.rint(y), -1).astype(int)
    near: NDArray[np.bool_] = (column < half_x) | (column >= nx - half_x) | (row < half_y) | (row >= ny - half_y)
    inside = np.flatnonzero(~near)
    # windows are gathered in chunks, so that many positions do not fill the memory
    chunk = max(1, 20_000_000 // ((2 * half_x + 1) * (2 * half_y + 1)))
    offset_y, offset_x = np.mgrid[-half_y : half_y + 1, -half_x : half_x + 1]
    for start in range(0, len(inside), chunk):
        some = inside[start : start + chunk]
        window = image.data[row[some, None, None] + offset_y, column[some, None, None] + offset_x]
        near[some] = ~np.isfinite(window).all(axis=(1, 2))
    return near
