"""From crossmatch rows to candidates: change, blends, surroundings, flags, and who is one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from racs_transients import sky
from racs_transients.beam import covariance, response
from racs_transients.blends import blend_flux
from racs_transients.comparison import FluxScaling
from racs_transients.config import FlagSettings
from racs_transients.crossmatch import MATCH, NO_CATALOGUE_MATCH
from racs_transients.flags import GOOD, flag_bits, is_vetoed, primary_flag
from racs_transients.metrics import Change, compare, outliers
from racs_transients.surveys import Survey

FloatArray = NDArray[np.float64]


def with_change(rows: pd.DataFrame, scaling: FluxScaling, nondetection_rms: float) -> pd.DataFrame:
    """Return rows with ratio, Vs and m, from integrated fluxes and from peaks at matched resolution.

    Parameters
    ----------
    rows : pandas.DataFrame
        Crossmatch rows with both sides' fluxes and ``blend_flux``.
    scaling : FluxScaling
        ASKAP to survey frequency, for the noise floors.
    nondetection_rms : float
        A forced flux below this many times the noise counts as unseen.

    Returns
    -------
    pandas.DataFrame
        The rows with the metric columns filled.
    """
    askap_noise, _ = scaling.apply(rows["askap_rms"], rows["askap_rms"])
    askap_floor = np.where(rows["askap_origin"] == "forced", nondetection_rms * askap_noise, 0.0)
    survey_floor = np.where(rows["ref_origin"] == "forced", nondetection_rms * rows["ref_rms"], 0.0)
    limit = rows["ref_origin"] == "limit"
    # a completeness limit above the ASKAP flux allows every survey flux below it, that of ASKAP, too
    allowed = limit & (rows["ref_scaled_flux"] > rows["askap_scaled_flux"])
    compared = rows.assign(ref_scaled_flux=rows["ref_scaled_flux"].mask(allowed, rows["askap_scaled_flux"]))
    change = compare(
        compared["askap_scaled_flux"],
        compared["askap_scaled_flux_err"],
        askap_floor,
        compared["ref_scaled_flux"],
        compared["ref_scaled_flux_err"],
        survey_floor,
    )
    peak = _peak_change(compared, askap_floor, survey_floor)
    return rows.assign(
        ratio=change.ratio,
        # a completeness limit is a limit however bright the other side is
        ratio_is_limit=change.ratio_is_limit | limit,
        ratio_err=np.where(limit, np.nan, change.ratio_err),
        ln_ratio=change.ln_ratio,
        vs=change.vs,
        vs_abs=np.abs(change.vs),
        m=change.m,
        m_abs=np.abs(change.m),
        ratio_peak=peak.ratio,
        vs_peak=peak.vs,
        m_peak=peak.m,
    )


def _peak_change(rows: pd.DataFrame, askap_floor: FloatArray, survey_floor: FloatArray) -> Change:
    """Compare at the survey's resolution: ASKAP's beam-weighted blend or forced flux with the survey's peak."""
    matched, catalogued = (rows["type"] == MATCH).to_numpy(), (rows["type"] != NO_CATALOGUE_MATCH).to_numpy()
    askap = np.where(matched, rows["blend_flux"], rows["askap_scaled_flux"])
    # a forced flux is a peak: against the integrated flux a resolved source would look vanished
    survey = np.where(catalogued, rows["ref_flux_peak"], rows["ref_scaled_flux"])
    survey_err = np.where(catalogued, rows["ref_flux_peak_err"], rows["ref_scaled_flux_err"])
    return compare(askap, rows["askap_scaled_flux_err"], askap_floor, survey, survey_err, survey_floor)


def with_blends(rows: pd.DataFrame, sources: pd.DataFrame, survey: Survey, scaling: FluxScaling) -> pd.DataFrame:
    """Return rows with what the survey's beam makes of the ASKAP components around them.

    Parameters
    ----------
    rows : pandas.DataFrame
        Crossmatch rows.
    sources : pandas.DataFrame
        All ASKAP fits, those that the finder flagged, too.
    survey : Survey
        Whose beam blends.
    scaling : FluxScaling
        ASKAP to survey frequency.

    Returns
    -------
    pandas.DataFrame
        Rows with ``blend_flux`` (mJy at the survey's frequency).
    """
    return rows.assign(blend_flux=_blend_at(rows["ra"], rows["dec"], sources, survey) * scaling.factor)


def with_explanations(
    rows: pd.DataFrame, sources: pd.DataFrame, references: pd.DataFrame, survey: Survey, scaling: FluxScaling
) -> pd.DataFrame:
    """Return rows with the part of their change that blending explains.

    Parameters
    ----------
    rows : pandas.DataFrame
        Crossmatch rows with ``blend_flux`` and ``ln_ratio``.
    sources, references : pandas.DataFrame
        All ASKAP fits and catalogue sources.
    survey : Survey
        Whose beam blends.
    scaling : FluxScaling
        ASKAP to survey frequency.

    Returns
    -------
    pandas.DataFrame
        Rows with ``blend_explains``.

    Notes
    -----
    The blend explains 1 − |ln(B/C)| / |ln(A/C)| of a change from catalogue flux C to ASKAP flux A when
    the components together make B. A is that of the ratio, never below the noise floor: with a forced flux
    as measured, of either sign, the noise would decide. For an ASKAP source that the catalogue lacks, the
    question is asked of the catalogue source it may have been blended into: B with and without the ASKAP
    source.
    """
    total = _component_sums(rows, sources, references) * scaling.factor
    catalogued = (rows["type"] != NO_CATALOGUE_MATCH).to_numpy()
    size = np.abs(rows["ln_ratio"].to_numpy(float))
    change = np.where(size > 0, size, np.nan)
    by_peak = 1 - np.abs(_ln(rows["blend_flux"], rows["ref_flux_peak"])) / change
    by_sum = 1 - np.abs(_ln(total, rows["ref_scaled_flux"])) / change
    explains = np.where(catalogued, np.fmax(by_peak, by_sum), np.nan)
    lacking = np.flatnonzero(rows["type"] == NO_CATALOGUE_MATCH)
    explains[lacking] = _explained_by_neighbour(rows.iloc[lacking], sources, references, survey, scaling)
    return rows.assign(blend_explains=explains)


def _ln(a: pd.Series | FloatArray, b: pd.Series | FloatArray) -> FloatArray:
    """Return ln(a/b), NaN where either is not positive."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    positive = (a > 0) & (b > 0)
    return np.where(positive, np.log(np.where(positive, a, 1)) - np.log(np.where(positive, b, 1)), np.nan)


def _blend_at(ra: pd.Series, dec: pd.Series, sources: pd.DataFrame, survey: Survey) -> FloatArray:
    return blend_flux(sources, ra, dec, survey.beam_axes(dec))


def _component_sums(rows: pd.DataFrame, sources: pd.DataFrame, references: pd.DataFrame) -> FloatArray:
    """Return the summed flux of the ASKAP components within a beam of their nearest catalogue source."""
    nearest_ref, separation = sky.nearest(sources["ra"], sources["dec"], references["ra"], references["dec"])
    if len(references) == 0 or len(sources) == 0:
        return np.full(len(rows), np.nan)
    near = separation <= references["beam_major"].to_numpy(float)[nearest_ref]
    sums = np.bincount(nearest_ref[near], weights=sources["flux_int"].to_numpy(float)[near], minlength=len(references))
    by_id = pd.Series(sums, index=references["source_id"])
    return by_id.reindex(rows["ref_source_id"]).to_numpy(float)


def _explained_by_neighbour(
    rows: pd.DataFrame, sources: pd.DataFrame, references: pd.DataFrame, survey: Survey, scaling: FluxScaling
) -> FloatArray:
    """Return how much better the nearest catalogue source agrees with the blend that has the row's source in it."""
    index, separation = sky.nearest(rows["ra"], rows["dec"], references["ra"], references["dec"])
    if len(references) == 0 or len(rows) == 0:
        return np.full(len(rows), np.nan)
    neighbour = references.iloc[index]
    axes = survey.beam_axes(neighbour["dec"])
    together = _blend_at(neighbour["ra"], neighbour["dec"], sources, survey) * scaling.factor
    east, north = sky.offsets(neighbour["ra"], neighbour["dec"], rows["ra"], rows["dec"])
    own = rows["askap_scaled_flux"].to_numpy(float) * response(east, north, covariance(*axes))
    with_own = np.abs(_ln(together, neighbour["flux_peak"]))
    without = np.abs(_ln(np.maximum(together - own, 1e-3 * together), neighbour["flux_peak"]))
    return np.where((separation <= axes[0]) & (without > 0), 1 - with_own / without, np.nan)


def with_surroundings(
    rows: pd.DataFrame,
    *,
    centre: tuple[float, float],
    image_rms: float,
    on_edge: NDArray[np.bool_],
    bright: pd.DataFrame,
    near_radius: float,
    far_radius: float,
) -> pd.DataFrame:
    """Return rows with what lies around them: centre, edge, bright sources, Galactic position, name.

    Parameters
    ----------
    rows : pandas.DataFrame
        Crossmatch rows.
    centre : tuple of float
        Image centre, degrees.
    image_rms : float
        Median noise of the image, mJy/beam.
    on_edge : numpy.ndarray of bool, shape (n,)
        Whether blank pixels are near.
    bright : pandas.DataFrame
        Bright sources with ra, dec and flux (mJy at the survey's frequency).
    near_radius, far_radius : float
        Reach of the artefacts of bright and of very bright sources, arcmin.

    Returns
    -------
    pandas.DataFrame
        The rows with those columns filled.
    """
    galactic = SkyCoord(rows["ra"].to_numpy() * u.deg, rows["dec"].to_numpy() * u.deg).galactic
    separation, flux, total = _brighter_sources(rows, bright, near_radius, far_radius)
    return rows.assign(
        name=sky.iau_name("", rows["ra"], rows["dec"]),
        gal_l=galactic.l.deg,
        gal_b=galactic.b.deg,
        distance_from_centre=sky.separation(rows["ra"], rows["dec"], *centre) / 3600,
        image_rms=image_rms,
        on_edge=on_edge,
        bright_separation=separation,
        bright_flux=flux,
        bright_sum=total,
    )


def _brighter_sources(
    rows: pd.DataFrame, bright: pd.DataFrame, near_radius: float, far_radius: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return distance (arcmin) of the nearest brighter source, and the flux of all such in both reaches."""
    reach = 60 * max(near_radius, far_radius)
    i, j, distance = sky.pairs_within(rows["ra"], rows["dec"], bright["ra"], bright["dec"], reach)
    own = np.fmax(rows["askap_scaled_flux"].to_numpy(float), rows["ref_scaled_flux"].to_numpy(float))
    flux = bright["flux"].to_numpy(float)
    # an artefact is much fainter than its cause; the factor keeps a bright source from being its own
    other = flux[j] > 2 * np.nan_to_num(own[i])
    i, j, distance = i[other], j[other], distance[other] / 60
    nearest = np.full(len(rows), np.inf)
    np.minimum.at(nearest, i, distance)
    sums = [
        np.bincount(i, weights=flux[j] * weight, minlength=len(rows)).astype(float)
        # artefacts fade from their source to the end of its near reach
        for weight in (np.clip(1 - (distance / near_radius) ** 2, 0, 1), distance <= far_radius)
    ]
    return np.where(np.isfinite(nearest), nearest, np.nan), sums[0], sums[1]


def with_verdict(rows: pd.DataFrame, settings: FlagSettings, *, outlier_threshold: float) -> pd.DataFrame:
    """Return rows with flags, outliers and candidates marked.

    Parameters
    ----------
    rows : pandas.DataFrame
        Crossmatch rows with everything measured.
    settings : FlagSettings
        Thresholds of flags and candidates.
    outlier_threshold : float
        For ``large_ratio``, in robust standard deviations.

    Returns
    -------
    pandas.DataFrame
        Rows with flag_bits, flag, large_ratio and is_candidate.
    """
    bits = flag_bits(rows, settings)
    vetoed = is_vetoed(bits)
    undisturbed = (rows["type"] == MATCH).to_numpy() & ~vetoed
    return rows.assign(
        flag_bits=bits,
        flag=primary_flag(rows["type"], bits),
        large_ratio=outliers(rows["ln_ratio"], undisturbed, outlier_threshold),
        is_candidate=(rows["ratio"] >= settings.candidate_min_ratio).to_numpy() & ~vetoed,
    )


def with_nearest_matches(rows: pd.DataFrame, count: int, *, first_id: int = 1) -> pd.DataFrame:
    """Return numbered rows with the nearest good matches of each, nearest first.

    Parameters
    ----------
    rows : pandas.DataFrame
        Crossmatch rows in their final order.
    count : int
        How many neighbours to list.
    first_id : int
        Number of the first row.

    Returns
    -------
    pandas.DataFrame
        Rows with match_id and nearest_matches.
    """
    rows = rows.assign(match_id=np.arange(first_id, first_id + len(rows)))
    good = rows[(rows["type"] == MATCH) & (rows["flag"] == GOOD)]
    found = [sky.nearest(rows["ra"], rows["dec"], good["ra"], good["dec"], k=rank)[0] for rank in range(1, count + 2)]
    ids = np.append(good["match_id"].to_numpy(np.int64), 0)[np.stack(found, axis=1)]
    keep = (ids > 0) & (ids != rows["match_id"].to_numpy(np.int64)[:, None])
    return rows.assign(
        nearest_matches=[",".join(map(str, line[use][:count])) for line, use in zip(ids, keep, strict=True)]
    )
