"""The sources of a simulated sky, in both bands: the truth table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from racs_transients.simulate.settings import COUNTS_ABOVE, COUNTS_FLUX, LN_RATIO, QUANTILES, FieldSettings
from racs_transients.surveys import frequency_factor

FloatArray = NDArray[np.float64]
NoiseAt = Callable[[FloatArray, FloatArray], FloatArray]


def make_sky(settings: FieldSettings, rng: np.random.Generator, noise_at: NoiseAt) -> pd.DataFrame:
    """Return every source of the field and a margin around it.

    Parameters
    ----------
    settings : FieldSettings
        The field.
    rng : numpy.random.Generator
        Source of randomness.
    noise_at : callable
        ASKAP noise (mJy/beam) at tangent-plane offsets (arcsec) from the centre; NaN outside.

    Returns
    -------
    pandas.DataFrame
        truth_id, kind, ra, dec (degrees), askap_flux and survey_flux (mJy, each at its own frequency and
        before the image's flux scale), major, minor (arcsec, 0 for points), pa (degrees), ln_ratio (the
        steady sources' draw).
    """
    parts = [_background(settings, rng), *_transients(settings, rng, noise_at)]
    sky = pd.concat(parts, ignore_index=True)
    sky = pd.concat([sky, _artefacts(settings, sky, rng)], ignore_index=True)
    ra, dec = _on_sky(settings, sky["x"], sky["y"])
    sky = sky.assign(truth_id=np.arange(1, len(sky) + 1), ra=ra, dec=dec)
    names = ["truth_id", "kind", "ra", "dec", "askap_flux", "survey_flux", "major", "minor", "pa", "ln_ratio"]
    return sky[names]


def _on_sky(settings: FieldSettings, x: pd.Series, y: pd.Series) -> tuple[FloatArray, FloatArray]:
    """Return positions of tangent-plane offsets (orthographic, arcsec, x to the east)."""
    east, north = np.deg2rad(x.to_numpy() / 3600), np.deg2rad(y.to_numpy() / 3600)
    dec0 = np.deg2rad(settings.dec)
    depth = np.sqrt(1 - east**2 - north**2)
    dec = np.arcsin(north * np.cos(dec0) + depth * np.sin(dec0))
    ra = settings.ra + np.rad2deg(np.arctan2(east, depth * np.cos(dec0) - north * np.sin(dec0)))
    return ra % 360, np.rad2deg(dec)


def half_side(settings: FieldSettings) -> float:
    """Return half the side of the sky that is simulated: the field and a margin of 0.3°.

    Parameters
    ----------
    settings : FieldSettings
        The field.

    Returns
    -------
    float
        The half side in arcsec.
    """
    return settings.size * settings.pixel / 2 + 1080.0


def _table(kind: str, x: FloatArray, y: FloatArray, askap: FloatArray, survey: FloatArray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": kind, "x": x, "y": y, "askap_flux": askap, "survey_flux": survey,
            "major": 0.0, "minor": 0.0, "pa": 0.0, "ln_ratio": np.nan,
        }
    )  # fmt: skip


def _background(settings: FieldSettings, rng: np.random.Generator) -> pd.DataFrame:
    half = half_side(settings)
    n = rng.poisson(settings.density * (2 * half / 3600) ** 2)
    # the counts read backwards: a uniform number is the fraction of sources that are brighter
    brighter = np.log(COUNTS_ABOVE[0] * rng.uniform(COUNTS_ABOVE[-1] / COUNTS_ABOVE[0], 1, n))
    flux = np.exp(np.interp(brighter, np.log(COUNTS_ABOVE[::-1]), np.log(COUNTS_FLUX[::-1])))
    ln_ratio = np.interp(rng.uniform(size=n), QUANTILES, LN_RATIO[settings.survey])
    factor = frequency_factor(settings.frequency, settings.reference.frequency)
    table = _table("steady", rng.uniform(-half, half, n), rng.uniform(-half, half, n), flux, flux * factor)
    # the measured pairs are limited by the survey, so the change is drawn at a given survey flux: drawn at a
    # given ASKAP flux, sources that scatter up over the survey's limit would triple the tail
    table = table.assign(ln_ratio=ln_ratio, askap_flux=table["askap_flux"] * np.exp(ln_ratio))
    is_extended = rng.uniform(size=n) < settings.extended
    major = np.where(is_extended, rng.uniform(20, 90, n), 0.0)
    table = table.assign(
        kind=np.where(is_extended, "extended", "steady"),
        major=major,
        minor=major * rng.uniform(0.3, 1, n),
        pa=rng.uniform(0, 180, n),
    )
    return pd.concat([table, _companions(table, settings, rng)], ignore_index=True)


def _companions(table: pd.DataFrame, settings: FieldSettings, rng: np.random.Generator) -> pd.DataFrame:
    """Return a second component, 0.3 to 1 times as bright, for some of the compact sources."""
    chosen = table[(table["kind"] == "steady") & (rng.uniform(size=len(table)) < settings.doubles)]
    n = len(chosen)
    distance, angle, ratio = rng.uniform(15, 60, n), rng.uniform(0, 2 * np.pi, n), rng.uniform(0.3, 1, n)
    return chosen.assign(
        kind="double",
        x=chosen["x"] + distance * np.cos(angle),
        y=chosen["y"] + distance * np.sin(angle),
        askap_flux=chosen["askap_flux"] * ratio,
        survey_flux=chosen["survey_flux"] * ratio,
    )


def _transients(settings: FieldSettings, rng: np.random.Generator, noise_at: NoiseAt) -> list[pd.DataFrame]:
    """Return new, vanished and variable sources at uniformly random positions inside the border."""
    factor = frequency_factor(settings.frequency, settings.reference.frequency)
    counts = {"new": settings.new, "vanished": settings.vanished, "variable": settings.variable}
    tables = []
    for kind, n in counts.items():
        x, y, noise = _inside(settings, rng, n, noise_at)
        survey_noise = settings.reference.rms.at(settings.dec) / factor
        bright = settings.transient_snr * np.maximum(noise, survey_noise) * np.exp(rng.uniform(0, np.log(10), n))
        change = settings.variable_factor * np.exp(rng.uniform(0, np.log(3), n))
        faint = bright / change if kind == "variable" else np.zeros(n)
        rises = np.full(n, kind == "new") if kind != "variable" else rng.uniform(size=n) < 0.5
        askap, survey = np.where(rises, bright, faint), np.where(rises, faint, bright)
        tables.append(_table(kind, x, y, askap, survey * factor))
    return tables


def _inside(
    settings: FieldSettings, rng: np.random.Generator, n: int, noise_at: NoiseAt
) -> tuple[FloatArray, FloatArray, FloatArray]:
    half = settings.size * settings.pixel / 2
    x, y = rng.uniform(-half, half, (2, 20 * n + 100))
    noise = noise_at(x, y)
    keep = np.flatnonzero(np.isfinite(noise))[:n]
    return x[keep], y[keep], noise[keep]


def _artefacts(settings: FieldSettings, sky: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return blobs of 0.5 to 3 % round bright sources, on either side alone."""
    limit = settings.reference.bright_mjy
    tables = []
    for kind, band, other in (
        ("artefact_askap", "askap_flux", "survey_flux"),
        ("artefact_survey", "survey_flux", "askap_flux"),
    ):
        bright = sky[sky[band] > limit]
        source = bright.loc[bright.index.repeat(rng.poisson(settings.artefacts, len(bright)))]
        n = len(source)
        distance, angle = rng.uniform(90, 500, n), rng.uniform(0, 2 * np.pi, n)
        blob = source.assign(
            kind=kind,
            x=source["x"] + distance * np.cos(angle),
            y=source["y"] + distance * np.sin(angle),
            major=0.0,
            minor=0.0,
            ln_ratio=np.nan,
        )
        # on real SUMSS mosaics sidelobes of 2 % at 3′ fade to nothing at 10′
        blob[band], blob[other] = source[band] * rng.uniform(0.005, 0.03, n) * (1 - distance / 600), 0.0
        tables.append(blob)
    return pd.concat(tables, ignore_index=True)
