"""Simulated observations: correlated noise, painted sources, FITS headers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2

from racs_transients import sky
from racs_transients.beam import Beam, axes, covariance, response
from racs_transients.simulate.settings import FieldSettings

FloatArray = NDArray[np.float64]
# Beyond this many major axes a Gaussian is below 10⁻⁷ of its peak.
_REACH = 2.5
_STRIPE = 1024


def tangent_wcs(ra: float, dec: float, shape: tuple[int, int], scales: tuple[float, float]) -> WCS:
    """Return SIN coordinates centred on a position.

    Parameters
    ----------
    ra, dec : float
        Centre, degrees.
    shape : tuple of int
        (ny, nx).
    scales : tuple of float
        Size of a pixel along x and y, arcsec.

    Returns
    -------
    astropy.wcs.WCS
        Two celestial axes.
    """
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---SIN", "DEC--SIN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    wcs.wcs.cdelt = [-scales[0] / 3600, scales[1] / 3600]
    wcs.wcs.radesys = "ICRS"
    return wcs


def stripes(ny: int) -> Iterator[slice]:
    """Return the rows of an image in stripes that fit the memory.

    Parameters
    ----------
    ny : int
        Number of rows.

    Yields
    ------
    slice
        Rows.
    """
    for start in range(0, ny, _STRIPE):
        yield slice(start, min(start + _STRIPE, ny))


def noise_stripes(
    shape: tuple[int, int], scales: tuple[float, float], beam: Beam, seed: int
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Return unit noise whose autocorrelation is a beam, stripe by stripe.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).
    scales : tuple of float
        Size of a pixel along x and y, arcsec.
    beam : Beam
        The autocorrelation.
    seed : int
        Same seed, same noise.

    Yields
    ------
    rows : slice
        Rows of the stripe.
    noise : numpy.ndarray, shape (rows, nx), float32
        Noise of standard deviation 1.

    Notes
    -----
    White noise convolved with a Gaussian of half the beam's covariance has the beam as its
    autocorrelation, as naturally weighted images do. White rows are seeded one by one, so that
    stripes join without a seam.
    """
    ny, nx = shape
    kernel = beam.covariance / 2
    margin = int(np.ceil(3 * np.sqrt(kernel[1, 1]) / scales[1])) + 1
    margin_x = int(np.ceil(3 * np.sqrt(kernel[0, 0]) / scales[0])) + 1
    width = next_fast_len(nx + 2 * margin_x, real=True)
    norm = np.sqrt(4 * np.pi * np.sqrt(np.linalg.det(kernel)) / (scales[0] * scales[1]))
    for rows in stripes(ny):
        start, stop = rows.start, rows.stop
        height = next_fast_len(stop - start + 2 * margin, real=True)
        white = np.stack(
            [
                np.random.default_rng([seed, row]).standard_normal(width, np.float32)
                for row in range(start, start + height)
            ]
        )
        # frequencies per arcsec; x grows to the west
        u = -np.fft.rfftfreq(width, scales[0])
        v = np.fft.fftfreq(height, scales[1])[:, None]
        exponent = kernel[0, 0] * u**2 + 2 * kernel[0, 1] * u * v + kernel[1, 1] * v**2
        transfer = np.exp(-2 * np.pi**2 * exponent).astype(np.float32)
        smooth = irfft2(rfft2(white) * transfer, white.shape)
        inner = smooth[margin : margin + stop - start, margin_x : margin_x + nx]
        yield rows, (inner * norm).astype(np.float32)


def paint(data: NDArray[np.float32], wcs: WCS, scales: tuple[float, float], components: pd.DataFrame) -> None:
    """Add Gaussians to an array in place.

    Parameters
    ----------
    data : numpy.ndarray, shape (ny, nx), float32
        Jy/beam; may be a memory map.
    wcs : astropy.wcs.WCS
        Its coordinates.
    scales : tuple of float
        Size of a pixel along x and y, arcsec.
    components : pandas.DataFrame
        ra, dec (degrees), flux_peak (mJy/beam), major, minor (arcsec), pa (degrees).
    """
    ny, nx = data.shape
    x, y = wcs.wcs_world2pix(components["ra"], components["dec"], 0)
    matrices = covariance(components["major"], components["minor"], components["pa"])
    half = _REACH * components["major"].to_numpy(float)[:, None] / np.asarray(scales)
    rows = zip(x, y, half, matrices, components[["ra", "dec", "flux_peak"]].to_numpy(float), strict=True)
    for x0, y0, (half_x, half_y), matrix, (ra, dec, peak) in rows:  # each patch has its own size and place
        left, right = max(0, int(x0 - half_x)), min(nx, int(x0 + half_x) + 2)
        low, high = max(0, int(y0 - half_y)), min(ny, int(y0 + half_y) + 2)
        if left >= right or low >= high:
            continue
        rows_y, columns_x = np.mgrid[low:high, left:right]
        patch_ra, patch_dec = wcs.wcs_pix2world(columns_x, rows_y, 0)
        east, north = sky.offsets(ra, dec, patch_ra, patch_dec)
        data[low:high, left:right] += (peak * 1e-3 * response(east, north, matrix)).astype(np.float32)


def observed(sources: pd.DataFrame, flux: str, beam: FloatArray) -> pd.DataFrame:
    """Return sources as a beam shows them.

    Parameters
    ----------
    sources : pandas.DataFrame
        ra, dec, major, minor, pa (intrinsic sizes) and a column of integrated fluxes (mJy).
    flux : str
        That column.
    beam : numpy.ndarray, shape (2, 2) or (n, 2, 2)
        Covariance of the beam at each source, arcsec².

    Returns
    -------
    pandas.DataFrame
        ra, dec, flux_peak (mJy/beam), major, minor, pa with the beam in them.
    """
    seen = covariance(sources["major"], sources["minor"], sources["pa"]) + beam
    major, minor, pa = axes(seen)
    dilution = np.sqrt(np.linalg.det(np.broadcast_to(beam, seen.shape)) / np.linalg.det(seen))
    return sources[["ra", "dec"]].assign(flux_peak=sources[flux] * dilution, major=major, minor=minor, pa=pa)


def edge_rise(settings: FieldSettings, x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the noise relative to the middle at offsets from the centre; NaN outside the border.

    Parameters
    ----------
    settings : FieldSettings
        The field.
    x, y : numpy.ndarray
        Offsets, arcsec.

    Returns
    -------
    numpy.ndarray
        1 in the middle, 3 at the rounded border.
    """
    half = settings.size * settings.pixel / 2
    # a superellipse: nearly a square, with round corners, as mosaics of ASKAP's 36 beams are
    radius = ((np.abs(x) / half) ** 6 + (np.abs(y) / half) ** 6) ** (1 / 6)
    return np.where(radius < 0.985, 1 + 2 * np.clip(radius, 0, 1) ** 8, np.nan)


def askap_header(settings: FieldSettings, wcs: WCS) -> fits.Header:
    """Return a header of four axes like those of RACS images.

    Parameters
    ----------
    settings : FieldSettings
        The field.
    wcs : astropy.wcs.WCS
        Its coordinates.

    Returns
    -------
    astropy.io.fits.Header
        With beam, frequency, unit and date.
    """
    header = fits.Header()
    for axis, (kind, value) in enumerate((("FREQ", settings.frequency * 1e6), ("STOKES", 1.0)), 3):
        header[f"CTYPE{axis}"], header[f"CRVAL{axis}"] = kind, value
        header[f"CDELT{axis}"], header[f"CRPIX{axis}"] = 1.0, 1.0
    header["CUNIT3"] = "Hz"
    for axis in (1, 2):
        header[f"CTYPE{axis}"], header[f"CUNIT{axis}"] = wcs.wcs.ctype[axis - 1], "deg"
        header[f"CRVAL{axis}"], header[f"CRPIX{axis}"] = wcs.wcs.crval[axis - 1], wcs.wcs.crpix[axis - 1]
        header[f"CDELT{axis}"] = wcs.wcs.cdelt[axis - 1]
    header["EQUINOX"], header["RADESYS"] = 2000.0, "ICRS"
    header["BUNIT"], header["BTYPE"] = "Jy/beam", "Intensity"
    header["BMAJ"], header["BMIN"], header["BPA"] = (
        settings.beam.major / 3600,
        settings.beam.minor / 3600,
        settings.beam.pa,
    )
    header["RESTFREQ"], header["TELESCOP"], header["OBJECT"] = settings.frequency * 1e6, "ASKAP", "simulated field"
    header["DATE-OBS"], header["TIMESYS"] = "2019-04-24T12:00:00", "UTC"
    return header


def create_fits(path: Path, header: fits.Header, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Create a FITS image on disk and return its pixels as a writable memory map.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    header : astropy.io.fits.Header
        Its header.
    shape : tuple of int
        Of the array, slowest axis first.

    Returns
    -------
    numpy.ndarray
        Big-endian float32, to be flushed by deleting it.
    """
    full = fits.PrimaryHDU(np.zeros((1,) * len(shape), np.float32), header).header
    for axis, length in enumerate(reversed(shape), 1):
        full[f"NAXIS{axis}"] = length
    text = full.tostring().encode()
    size = int(np.prod(shape)) * 4
    with path.open("wb") as stream:
        stream.write(text)
        stream.truncate(len(text) + -(-size // 2880) * 2880)
    return np.memmap(path, dtype=">f4", mode="r+", offset=len(text), shape=shape)
