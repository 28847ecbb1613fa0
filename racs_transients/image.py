"""Radio images: reading, checking, and the way between sky and pixels."""

from __future__ import annotations

import logging
import re
import warnings
import zlib
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
from astropy.wcs import WCS, FITSFixedWarning, WcsError
from astropy.wcs.utils import proj_plane_pixel_scales
from numpy.typing import ArrayLike, NDArray

from racs_transients import sky
from racs_transients.beam import Beam, FloatArray
from racs_transients.errors import ImageError

logger = logging.getLogger(__name__)

_FREQUENCY_KEYWORDS = ("RESTFRQ", "RESTFREQ", "FREQ", "OBSFREQ")
_PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "µ": 1e-6}
_JY_PER_BEAM = {
    spelling: factor
    for prefix, factor in _PREFIXES.items()
    for spelling in (f"{prefix}jy/beam", f"{prefix}jy/bm", f"{prefix}jybeam-1", f"beam-1{prefix}jy")
}
# Half of the pixels of a radio image are below its background, also with extended emission; a weights map has none.
_MIN_NEGATIVE = 0.01
# Nothing that is compared here was observed outside these frequencies, MHz
_FREQUENCIES = (10.0, 1e6)
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
        factor = _unit_factor(header, path)
        if factor != 1:
            data *= np.float32(factor)
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
    if not _FREQUENCIES[0] <= found_frequency <= _FREQUENCIES[1]:
        raise ImageError(
            f"{path} would be at {found_frequency:g} MHz; check its header or --frequency, which is in Hz."
        )
    image = Image(path, data, wcs, float(found_frequency), found_beam, _epoch_from(header))
    _check_beam(image)
    return image


def _read_plane(path: Path) -> tuple[NDArray[np.float32], fits.Header]:
    if not path.is_file():
        raise ImageError(f"There is no image {path}." if not path.exists() else f"{path} is no file.")
    try:
        with fits.open(path, memmap=True) as hdus:
            hdu = next((h for h in hdus if h.header.get("NAXIS", 0) >= 2 and _is_image(h)), None)
            if hdu is None:
                raise ImageError(f"{path} holds no image: no FITS extension has two or more axes.")
            header, shape = hdu.header.copy(), tuple(hdu.shape)
            if any(length != 1 for length in shape[:-2]):
                raise ImageError(f"{path} is a cube of {' × '.join(map(str, shape[::-1]))}; give a single plane.")
            data = np.array(hdu.data, dtype=np.float32, order="C")
    except (OSError, EOFError, ValueError, TypeError, IndexError, zlib.error, fits.VerifyError) as error:
        raise ImageError(
            f"{path} cannot be read as FITS ({_first_line(error)}); is it truncated or no FITS file?"
        ) from error
    return data.reshape(shape[-2:]), header


def _is_image(hdu: Any) -> bool:
    return isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _celestial(header: fits.Header, path: Path) -> WCS:
    try:
        full = WCS(header)
        wcs = full.celestial
    except (ValueError, KeyError, TypeError, WcsError) as error:
        raise ImageError(f"The coordinates in the header of {path} cannot be read: {_first_line(error)}.") from error
    if wcs.naxis != 2 or wcs.wcs.lng < 0:
        raise ImageError(f"{path} has no celestial coordinates in its header (CTYPE1, CTYPE2).")
    if (full.wcs.lng, full.wcs.lat) != (0, 1) or not str(wcs.wcs.ctype[0]).startswith("RA"):
        axes = ", ".join(str(axis) for axis in full.wcs.ctype)
        raise ImageError(f"The axes of {path} are {axes}, not right ascension and declination; regrid it.")
    if str(wcs.wcs.radesys).startswith("FK4") or _equinox(header) != 2000.0:
        raise ImageError(f"{path} is not in J2000 coordinates (EQUINOX, RADESYS); regrid it.")
    return wcs


def _equinox(header: fits.Header) -> float:
    text = str(header.get("EQUINOX", header.get("EPOCH", 2000.0))).strip().lstrip("JB")
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _unit_factor(header: fits.Header, path: Path) -> float:
    unit = str(header.get("BUNIT", "")).strip()
    if not unit:
        logger.warning("%s states no unit (BUNIT); taken as Jy/beam", path.name)
        return 1.0
    factor = _JY_PER_BEAM.get(re.sub(r"[\s.*^()]", "", unit.lower()))
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
    if len(finite) >= 100 and (finite < 0).mean() < _MIN_NEGATIVE:
        raise ImageError(f"{path} has (almost) no negative pixels, so it is no radio image; is it a weights image?")


def _frequency_from(header: fits.Header) -> float | None:
    """Return the frequency in MHz: of the spectral axis, else of the usual keywords."""
    for axis in range(1, 10):  # also of axes that were dropped and left their keywords
        if str(header.get(f"CTYPE{axis}", "")).upper().startswith("FREQ") and header.get(f"CRVAL{axis}"):
            # the plane's own frequency, where its reference pixel is not the first
            value = header[f"CRVAL{axis}"] + (1 - header.get(f"CRPIX{axis}", 1)) * header.get(f"CDELT{axis}", 0)
            return _in_mhz(float(value), str(header.get(f"CUNIT{axis}", "")).strip())
    for keyword in _FREQUENCY_KEYWORDS:
        value = header.get(keyword)
        if isinstance(value, int | float) and value > 0:
            return _in_mhz(float(value), "")
    return None


def _in_mhz(value: float, unit: str) -> float:
    known = {"hz": 1e-6, "khz": 1e-3, "mhz": 1.0, "ghz": 1e3}.get(unit.lower())
    # Hz by the standard; a value that small can only be MHz
    return value * (known if known is not None else 1e-6 if value > 1e6 else 1.0)


def _beam_from(header: fits.Header, path: Path) -> Beam | None:
    if header.get("BMAJ") and header.get("BMIN"):
        words = [header["BMAJ"], header["BMIN"], header.get("BPA", 0.0)]
        try:
            major, minor, pa = (float(word) for word in words)
        except ValueError as error:
            raise ImageError(f"The beam in the header of {path} (BMAJ, BMIN, BPA: {words}) is no number.") from error
        return Beam(major * 3600, minor * 3600, pa)
    if header.get("CASAMBM"):
        return _beam_table(path)
    # AIPS leaves the beam in the history only; the last restoration counts
    for line in reversed([str(card) for key in ("HISTORY", "COMMENT") for card in header.get(key, [])]):
        found = _BEAM_IN_HISTORY.search(line)
        if found:
            major, minor, pa = (float(value) for value in found.groups())
            return Beam(major * 3600, minor * 3600, pa)
    return None


def _beam_table(path: Path) -> Beam | None:
    """Return the first beam of CASA's table of beams, one for each plane."""
    with fits.open(path) as hdus:
        if "BEAMS" not in hdus:
            return None
        table = hdus["BEAMS"]
        major, minor = (
            float((table.data[name][0] * u.Unit(table.columns[name].unit or "deg")).to_value("arcsec"))
            for name in ("BMAJ", "BMIN")
        )
        return Beam(major, minor, float(table.data["BPA"][0]))


def _check_beam(image: Image) -> None:
    beam, pixel = image.beam, max(image.pixel_scales)
    if not 0 < beam.minor <= beam.major * 1.0001:
        raise ImageError(f"{image.path} has an impossible beam of {beam.major:g}″ × {beam.minor:g}″.")
    if beam.major > max(image.data.shape) / 4 * pixel:
        raise ImageError(
            f"The beam of {image.path} ({beam.major:.3g}″ × {beam.minor:.3g}″) is wider than a quarter of the image; "
            "are BMAJ and BMIN in degrees?"
        )
    if beam.minor < 1.99 * pixel:  # real images have just two pixels
        raise ImageError(
            f"The beam of {image.path} ({beam.major:.3g}″ × {beam.minor:.3g}″) is not sampled by its pixels "
            f"of {pixel:.3g}″; are BMAJ and BMIN in degrees?"
        )


def _epoch_from(header: fits.Header) -> float:
    if isinstance(header.get("MJD-OBS"), int | float):
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
