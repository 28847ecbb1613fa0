"""Forced photometry by Aegean's priorized fit, an alternative to the pipeline's own estimator."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from numpy.typing import ArrayLike, NDArray

from racs_transients import sky
from racs_transients.beam import Beam, axes, covariance
from racs_transients.convolve import beams_at
from racs_transients.finders.process import TIME_LIMIT_S, run_programs
from racs_transients.image import Image
from racs_transients.image_files import image_header
from racs_transients.noise import NoiseMaps
from racs_transients.photometry import JOINT_REACH, SAME_SOURCE, Axes, forced_photometry

NOT_FITTED = "Aegean could not fit the position"


def aegean_forced_photometry(
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
    """Measure point-source fluxes at positions with Aegean, all of them in one call.

    Parameters
    ----------
    image : Image
        The image.
    noise : NoiseMaps
        Its background and noise.
    ra, dec : array_like, shape (n,)
        Positions, degrees.
    beam_axes : tuple of numpy.ndarray, shape (n,), optional
        Beam at each position (FWHM in arcsec, position angle in degrees); the image's by default.
    noise_beam : Beam, optional
        Autocorrelation of the noise; the beam at each position by default.
    neighbours : pandas.DataFrame, optional
        Other known sources, with ra and dec in degrees, fitted together with positions near them.
    flux_error : float
        Fractional error of the flux scale, added in quadrature.

    Returns
    -------
    pandas.DataFrame
        As `photometry.forced_photometry`.

    Raises
    ------
    SourceFinderError
        If Aegean fails or does not end.

    Notes
    -----
    Aegean minimises the unweighted squares of the residuals where a unit source is above 0.1. In noise of rms σ with
    a Gaussian autocorrelation of covariance K, the amplitude of a source of covariance M has the variance
    2σ² √(det[((2M)⁻¹ + K⁻¹)⁻¹] / det M): 4/3 σ² for K = M. Aegean's own errors are several times too small.

    References
    ----------
    Hancock, Trott & Hurley-Walker 2018, PASA 35, e011.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    # what cannot be measured, why, the noise, and a first guess of the flux
    table = forced_photometry(image, noise, ra, dec, beam_axes=beam_axes)
    rows = np.flatnonzero(table["failure"].isna())
    if not len(rows):
        return table
    shapes = beams_at(image, image.beam, ra, dec) if beam_axes is None else covariance(*beam_axes)
    correlation = shapes if noise_beam is None else beams_at(image, noise_beam, ra, dec)
    fitted = _fit(image, noise, _positions(image, noise, table, ra, dec, shapes, neighbours))[: len(rows)]
    flux = table["flux"].to_numpy(copy=True)
    flux[rows] = fitted * 1e3
    error = table["rms"].to_numpy() * _noise_factor(shapes, correlation)
    failed = table["failure"].isna() & np.isnan(flux)
    return table.assign(
        flux=flux,
        flux_err=np.where(np.isnan(flux), np.nan, np.hypot(error, flux_error * flux)),
        rms=table["rms"].mask(failed),
        n_joint=table["n_joint"].mask(failed, 0),
        failure=table["failure"].mask(failed, NOT_FITTED),
    )


def _noise_factor(shapes: NDArray[np.float64], correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the error of an amplitude in units of the noise."""
    combined = np.linalg.inv(np.linalg.inv(2 * shapes) + np.linalg.inv(correlation))
    return np.asarray(np.sqrt(2 * np.sqrt(np.linalg.det(combined) / np.linalg.det(shapes))))


def _positions(
    image: Image,
    noise: NoiseMaps,
    table: pd.DataFrame,
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    shapes: NDArray[np.float64],
    neighbours: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return what is fitted: the positions that can be, and behind them their neighbours."""
    rows = np.flatnonzero(table["failure"].isna())
    major, minor, pa = axes(shapes[rows])
    guess = table["flux"].to_numpy()[rows] / 1e3
    targets = pd.DataFrame({"ra": ra[rows], "dec": dec[rows], "peak_flux": guess, "a": major, "b": minor, "pa": pa})
    if neighbours is None or not len(neighbours):
        return targets
    index, separation = sky.nearest(neighbours["ra"], neighbours["dec"], targets["ra"], targets["dec"])
    beams = separation / major[index]
    beside = np.flatnonzero((beams > SAME_SOURCE) & (beams < JOINT_REACH))
    near = neighbours.iloc[beside][["ra", "dec"]].reset_index(drop=True)
    first = forced_photometry(image, noise, near["ra"], near["dec"])
    near = near.assign(
        peak_flux=first["flux"] / 1e3, **{name: targets[name].to_numpy()[index[beside]] for name in ("a", "b", "pa")}
    )
    return pd.concat([targets, near[first["failure"].isna()]], ignore_index=True)


def _fit(image: Image, noise: NoiseMaps, positions: pd.DataFrame) -> NDArray[np.float64]:
    """Return the peak flux (Jy/beam) that Aegean fits at each position, NaN where it does not."""
    with tempfile.TemporaryDirectory(prefix="aegean-priorized-") as name:
        folder, header = Path(name), image_header(image)
        for product, data in (("image", image.data), ("background", noise.background), ("rms", noise.rms)):
            fits.PrimaryHDU(np.asarray(data), header).writeto(folder / f"{product}.fits")
        positions.to_csv(folder / "positions.csv", index=False)
        command = [sys.executable, "-m", "racs_transients.finders.priorized_worker", str(folder)]
        run_programs("Aegean", [command], folder, limit=TIME_LIMIT_S)
        fluxes = pd.read_csv(folder / "fluxes.csv", index_col="number")["peak_flux"]
    return fluxes.reindex(range(len(positions))).to_numpy(float)
