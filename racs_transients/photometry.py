"""Forced photometry: amplitudes of beams at given positions.

The noise of a radio image is correlated over the beam. Where its autocorrelation equals the beam, the
generalised least squares estimate of the amplitudes a of beams at known positions is the solution of
B a = d, with d the background-subtracted map values there and B the beam's response between positions:
for an isolated source simply the map value, with the local noise as its error. With another
autocorrelation P the same estimate is still unbiased and its covariance is rms² B⁻¹ P B⁻¹.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from racs_transients import sky
from racs_transients.beam import FWHM_PER_SIGMA, Beam, FloatArray, covariance, response
from racs_transients.convolve import beams_at, convolve_at
from racs_transients.image import Image
from racs_transients.noise import NoiseMaps

Axes = tuple[FloatArray, FloatArray, FloatArray]
IntArray = NDArray[np.int64]
# Brightness (mJy/beam, background taken off) and rms (mJy/beam) at positions, as the targets with the
# given numbers see them: each target has its own beam.
ValuesAt = Callable[[FloatArray, FloatArray, IntArray], tuple[FloatArray, FloatArray]]

# Neighbours within this many beams, along the direction to them, are fitted together with a source,
JOINT_REACH = 2.0
# but nearer than this one cannot be told from the source itself and counts as the same.
SAME_SOURCE = 0.4
# A source has so many neighbours within two beams only where a finder broke up extended emission.
MAX_NEIGHBOURS = 12
OUTSIDE, BLANK, NO_NOISE = "outside the image", "blank pixels", "no noise"


class Estimator(Protocol):
    """What measures point-source fluxes at positions: `forced_photometry`, or another with its arguments and result."""

    def __call__(
        self,
        image: Image,
        noise: NoiseMaps,
        ra: ArrayLike,
        dec: ArrayLike,
        *,
        beam_axes: Axes | None = None,
        noise_beam: Beam | None = None,
        neighbours: pd.DataFrame | None = None,
        flux_error: float = 0.0,
    ) -> pd.DataFrame:
        """Measure."""


_ORDER = 8
# Keeps B regular where two neighbours coincide; changes no flux by more than 0.03 % otherwise.
_RIDGE = 1e-4


def forced_photometry(
    image: Image,
    noise: NoiseMaps,
    ra: ArrayLike,
    dec: ArrayLike,
    *,
    beam_axes: Axes | None = None,
    noise_beam: Beam | None = None,
    neighbours: pd.DataFrame | None = None,
    flux_error: float = 0.0,
) -> pd.DataFrame:
    """Measure point-source fluxes at positions, neighbours within two beams fitted together.

    Parameters
    ----------
    image : Image
        The image.
    noise : NoiseMaps
        Its background and noise.
    ra, dec : array_like, shape (n,)
        Positions, degrees.
    beam_axes : tuple of numpy.ndarray, shape (n,), optional
        Beam at each position (FWHM in arcsec, position angle in degrees from north there); the image's,
        constant on its pixel grid, by default.
    noise_beam : Beam, optional
        Autocorrelation of the noise, constant on the pixel grid; the beam at each position by default.
    neighbours : pandas.DataFrame, optional
        Other known sources, with ra and dec in degrees. Those within 0.4 beams of a position count as
        the same source and are not fitted beside it, so the list may hold the positions themselves.
    flux_error : float
        Fractional error of the flux scale, added in quadrature.

    Returns
    -------
    pandas.DataFrame
        One row a position: flux and flux_err (mJy), rms (mJy/beam), n_joint (sources fitted together,
        0 where not measured), failure (words, NA where measured).

    References
    ----------
    Hancock, Trott & Hurley-Walker 2018, PASA 35, e011, for fitting in correlated noise.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    beams = beams_at(image, image.beam, ra, dec) if beam_axes is None else covariance(*beam_axes)
    correlation = beams if noise_beam is None else beams_at(image, noise_beam, ra, dec)

    def values_at(ra_: FloatArray, dec_: FloatArray, _: IntArray) -> tuple[FloatArray, FloatArray]:
        background, rms = _noise_at(image, noise, ra_, dec_)
        return interpolate(image, ra_, dec_) * 1e3 - background, rms

    return _measure(image, _Targets(ra, dec, beams, correlation), values_at, neighbours, flux_error)


def convolved_forced_photometry(
    image: Image,
    noise: NoiseMaps,
    ra: ArrayLike,
    dec: ArrayLike,
    survey_axes: Axes,
    *,
    neighbours: pd.DataFrame | None = None,
    flux_error: float = 0.0,
) -> pd.DataFrame:
    """Measure fluxes at positions as a survey with a wider beam would, by local convolution.

    Parameters
    ----------
    image : Image
        The image at full resolution.
    noise : NoiseMaps
        Its background and noise.
    ra, dec : array_like, shape (n,)
        Positions, degrees.
    survey_axes : tuple of numpy.ndarray, shape (n,)
        The survey's beam at each position (FWHM in arcsec, position angle in degrees).
    neighbours : pandas.DataFrame, optional
        Other known sources, with ra and dec in degrees; see `forced_photometry`.
    flux_error : float
        Fractional error of the flux scale, added in quadrature.

    Returns
    -------
    pandas.DataFrame
        flux, flux_err (mJy), rms (mJy/beam), n_joint and failure at the survey's resolution;
        native_flux, native_flux_err and native_rms at the image's.

    Notes
    -----
    The convolved map at a position is the image's mean under the kernel T − N, times the ratio of the
    beams' areas A_T/A_N, with N and T the covariances of the image's and the survey's beam. Noise whose
    autocorrelation is N has there the autocorrelation 2T − N and the variance
    rms² · A_T² / (A_N · A_(2T−N)), A the solid angles. Where the kernel would be narrower than half a
    pixel in any direction (the image's beam is about as wide as the survey's) the image is measured as it is.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    native = forced_photometry(image, noise, ra, dec, neighbours=neighbours, flux_error=flux_error)
    own, target = beams_at(image, image.beam, ra, dec), covariance(*survey_axes)
    narrowest = np.linalg.eigvalsh(target - own)[:, 0]
    rows = np.flatnonzero(narrowest > (0.5 * max(image.pixel_scales)) ** 2)
    own, target = own[rows], target[rows]
    correlation = 2 * target - own
    gain = np.sqrt(np.linalg.det(target) / np.linalg.det(own))
    noise_gain = gain * (np.linalg.det(own) / np.linalg.det(correlation)) ** 0.25

    def values_at(ra_: FloatArray, dec_: FloatArray, of: IntArray) -> tuple[FloatArray, FloatArray]:
        background, rms = _noise_at(image, noise, ra_, dec_)
        return (convolve_at(image, ra_, dec_, target[of] - own[of]) * 1e3 - background) * gain[of], rms * noise_gain[of]

    result = native
    if len(rows):
        targets = _Targets(ra[rows], dec[rows], target, correlation)
        convolved = _measure(image, targets, values_at, neighbours, flux_error).set_index(pd.Index(rows))
        # of rows that occur twice the convolved one stays
        both = pd.concat([convolved, native])
        result = both[~both.index.duplicated()].sort_index()
    return result.assign(native_flux=native["flux"], native_flux_err=native["flux_err"], native_rms=native["rms"])


@dataclass(frozen=True, slots=True, eq=False)
class _Targets:
    """Positions (degrees) with the beam and the noise autocorrelation there (covariances, arcsec²)."""

    ra: FloatArray
    dec: FloatArray
    beams: FloatArray
    correlation: FloatArray


def _measure(
    image: Image, targets: _Targets, values_at: ValuesAt, neighbours: pd.DataFrame | None, flux_error: float
) -> pd.DataFrame:
    numbers = np.arange(len(targets.ra))
    value, rms = values_at(targets.ra, targets.dec, numbers)
    rms = np.where(rms > 0, rms, np.nan)
    flux, error, count = _solve(targets, value, rms, values_at, neighbours)
    measured = np.isfinite(value) & np.isfinite(rms)
    failure = np.select(
        [measured, ~_inside(image, targets.ra, targets.dec), ~np.isfinite(value)], ["", OUTSIDE, BLANK], NO_NOISE
    )
    return pd.DataFrame(
        {
            "flux": np.where(measured, flux, np.nan),
            "flux_err": np.where(measured, np.hypot(error, flux_error * flux), np.nan),
            "rms": np.where(measured, rms, np.nan),
            "n_joint": np.where(measured, count, 0),
            "failure": pd.Series(failure, dtype="str").mask(measured),
        }
    )


def _noise_at(image: Image, noise: NoiseMaps, ra: FloatArray, dec: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return background and rms, the background 0 where the noise is unknown: that has a reason of its own."""
    background, rms = noise.at(image, ra, dec)
    return np.where(rms > 0, background, 0.0), rms


def _inside(image: Image, ra: FloatArray, dec: FloatArray) -> NDArray[np.bool_]:
    x, y = image.sky_to_pixel(ra, dec)
    ny, nx = image.data.shape
    return np.asarray((x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5))


def _solve(
    targets: _Targets, value: FloatArray, rms: FloatArray, values_at: ValuesAt, neighbours: pd.DataFrame | None
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return flux and error of each target and how many sources were fitted together.

    Each target has a system of its own, itself and its neighbours, so that a chain of sources across
    the image costs no more than its links.
    """
    flux, error, count = value.copy(), rms.copy(), np.ones(len(value), np.int64)
    if neighbours is None or len(neighbours) == 0 or len(value) == 0:
        return flux, error, count
    i, near_ra, near_dec = _neighbour_pairs(targets, np.flatnonzero(np.isfinite(value)), neighbours)
    near_value, _ = values_at(near_ra, near_dec, i)
    usable = np.isfinite(near_value)
    i, near_ra, near_dec, near_value = i[usable], near_ra[usable], near_dec[usable], near_value[usable]
    links = np.bincount(i, minlength=len(value))
    first = np.cumsum(links) - links
    for k in np.unique(links[links > 0]):  # all targets with k neighbours at once
        rows = np.flatnonzero(links == k)
        members = first[rows][:, None] + np.arange(k)
        weights, variance = _weights(targets, rows, near_ra[members], near_dec[members])
        flux[rows] = weights[:, 0] * value[rows] + (weights[:, 1:] * near_value[members]).sum(axis=1)
        error[rows] = rms[rows] * np.sqrt(variance)
        count[rows] = k + 1
    return flux, error, count


def _neighbour_pairs(
    targets: _Targets, rows: IntArray, neighbours: pd.DataFrame
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the target and the neighbour's position of each pair, by target, nearest neighbours first."""
    known = neighbours[["ra", "dec"]].dropna().to_numpy(float)
    beams = targets.beams[rows]
    fwhm = FWHM_PER_SIGMA * np.sqrt(np.linalg.eigvalsh(beams)[:, 1])
    reach = JOINT_REACH * float(fwhm.max(initial=0.0))
    i, j, _ = sky.pairs_within(targets.ra[rows], targets.dec[rows], known[:, 0], known[:, 1], reach)
    near_ra, near_dec = known[j, 0], known[j, 1]
    offset = np.stack(sky.offsets(targets.ra[rows[i]], targets.dec[rows[i]], near_ra, near_dec), -1)[:, :, None]
    # in units of the FWHM along the direction to the neighbour
    distance = np.sqrt((offset * np.linalg.solve(beams[i], offset)).sum(axis=(1, 2))) / FWHM_PER_SIGMA
    order = np.lexsort((near_dec, near_ra, distance, i))
    order = order[(distance[order] <= JOINT_REACH) & (distance[order] >= SAME_SOURCE)]
    rank = np.arange(len(order)) - np.searchsorted(i[order], i[order])
    order = order[rank < MAX_NEIGHBOURS]
    return rows[i[order]], near_ra[order], near_dec[order]


def _weights(
    targets: _Targets, rows: IntArray, near_ra: FloatArray, near_dec: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the weights of the map values in each target's flux, shape (m, k + 1), and its variance over rms²."""
    east, north = sky.offsets(targets.ra[rows, None], targets.dec[rows, None], near_ra, near_dec)
    east, north = (np.pad(offset, ((0, 0), (1, 0))) for offset in (east, north))
    apart = east[:, :, None] - east[:, None, :], north[:, :, None] - north[:, None, :]
    size = east.shape[1]
    beam = response(*apart, targets.beams[rows][:, None, None]) + _RIDGE * np.eye(size)
    correlation = response(*apart, targets.correlation[rows][:, None, None])
    first = np.broadcast_to(np.eye(size)[:, :1], (len(rows), size, 1))
    weights = np.asarray(np.linalg.solve(beam, first)[:, :, 0] * (1 + _RIDGE), float)
    return weights, np.asarray(np.einsum("ni,nij,nj->n", weights, correlation, weights), float)


def interpolate(image: Image, ra: ArrayLike, dec: ArrayLike) -> FloatArray:
    """Return the image's brightness at positions between pixels.

    Parameters
    ----------
    image : Image
        The image.
    ra, dec : array_like, shape (n,)
        Positions, degrees.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Jy/beam; NaN outside and within four pixels of blank ones or the border.

    Notes
    -----
    Lagrange interpolation through eight pixels along each axis: within 0.2 % of the peak for a beam of
    four pixels FWHM, 1 % for three, 9 % for two; a spline would do as well but its filter spreads blanks.
    """
    x, y = image.sky_to_pixel(ra, dec)
    ny, nx = image.data.shape
    first_x, first_y = np.floor(x) - _ORDER // 2 + 1, np.floor(y) - _ORDER // 2 + 1
    inside = (first_x >= 0) & (first_x + _ORDER <= nx) & (first_y >= 0) & (first_y + _ORDER <= ny)
    result = np.full(len(x), np.nan)
    x, y, first_x, first_y = x[inside], y[inside], first_x[inside], first_y[inside]
    steps = np.arange(_ORDER)
    column, row = first_x.astype(int)[:, None] + steps, first_y.astype(int)[:, None] + steps
    patch = image.data[row[:, :, None], column[:, None, :]].astype(float)
    result[inside] = np.einsum("nij,ni,nj->n", patch, _lagrange(y - first_y), _lagrange(x - first_x))
    return result


def _lagrange(position: FloatArray) -> FloatArray:
    """Return the weights of the nodes 0 … 7 at positions between them, shape (n, 8)."""
    nodes = np.arange(_ORDER)
    # the products of the differences to all other nodes
    others = np.array([nodes[nodes != node] for node in nodes])
    return np.asarray(((position[:, None, None] - others) / (nodes[:, None] - others)).prod(axis=2))
