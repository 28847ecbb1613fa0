"""The rows of the crossmatch: one measurement on two sides, for each of the three categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from racs_transients import sky
from racs_transients.calibration import Calibration
from racs_transients.crossmatch import MATCH, NO_ASKAP_MATCH, NO_CATALOGUE_MATCH, Association, group_sums
from racs_transients.schema import CROSSMATCHES
from racs_transients.surveys import Survey, frequency_factor
from racs_transients.tables import conform

_COLUMNS = frozenset(column.name for column in CROSSMATCHES)


@dataclass(frozen=True, slots=True)
class FluxScaling:
    """How ASKAP fluxes are brought to the survey's frequency and flux scale.

    Parameters
    ----------
    factor : float
        Survey flux expected per ASKAP flux.
    fraction_err : float
        Fractional 1σ error of the factor: spectral index and flux scale.
    """

    factor: float
    fraction_err: float

    def apply(self, flux: ArrayLike, flux_err: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return scaled fluxes and errors.

        Parameters
        ----------
        flux, flux_err : array_like, shape (n,)
            ASKAP fluxes and 1σ errors, mJy.

        Returns
        -------
        flux, flux_err : numpy.ndarray, shape (n,)
            At the survey's frequency, mJy.
        """
        scaled = np.asarray(flux, float) * self.factor
        return scaled, np.hypot(np.asarray(flux_err, float) * self.factor, scaled * self.fraction_err)


def flux_scaling(
    image_frequency: float,
    survey: Survey,
    *,
    spectral_index: float,
    spectral_index_err: float,
    calibration: Calibration | None = None,
) -> FluxScaling:
    """Return the scaling between an image and a survey.

    Parameters
    ----------
    image_frequency : float
        MHz.
    survey : Survey
        The survey.
    spectral_index : float
        α of S ∝ ν^α.
    spectral_index_err : float
        Scatter of α from source to source.
    calibration : Calibration, optional
        Flux scale to divide out.

    Returns
    -------
    FluxScaling
        Factor and its fractional error, |ln(ν₂/ν₁)| σ_α and the flux scale's error in quadrature.
    """
    factor = frequency_factor(image_frequency, survey.frequency, spectral_index)
    fraction = abs(np.log(survey.frequency / image_frequency)) * spectral_index_err
    if calibration is not None:
        factor /= calibration.flux_scale
        fraction = np.hypot(fraction, calibration.flux_scale_err)
    return FluxScaling(float(factor), float(fraction))


def _side(prefix: str, table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return a table's columns under their names in the crossmatch, as far as it has them."""
    named = {prefix + str(name): table[name].reset_index(drop=True) for name in table}
    return {name: values for name, values in named.items() if name in _COLUMNS}


def _scaled(prefix: str, flux: ArrayLike, flux_err: ArrayLike, scaling: FluxScaling | None) -> dict[str, ArrayLike]:
    scaled, scaled_err = (flux, flux_err) if scaling is None else scaling.apply(flux, flux_err)
    return {
        f"{prefix}flux": flux,
        f"{prefix}flux_err": flux_err,
        f"{prefix}scaled_flux": scaled,
        f"{prefix}scaled_flux_err": scaled_err,
    }


def match_rows(
    association: Association, sources: pd.DataFrame, references: pd.DataFrame, survey: Survey, scaling: FluxScaling
) -> pd.DataFrame:
    """Return the matches: a catalogue source and the ASKAP source nearest to it.

    Parameters
    ----------
    association : Association
        From `crossmatch.associate` on the two tables.
    sources, references : pandas.DataFrame
        ASKAP and catalogue sources.
    survey : Survey
        The survey.
    scaling : FluxScaling
        ASKAP to survey frequency.

    Returns
    -------
    pandas.DataFrame
        Crossmatch rows. Catalogue sources that share an ASKAP source are compared as a group: their
        sum with the one ASKAP flux.
    """
    size, total = group_sums(association, references["flux_int"].to_numpy(float))
    _, variance = group_sums(association, references["flux_int_err"].to_numpy(float) ** 2)
    here = association.matched
    ref = references[here].reset_index(drop=True)
    askap = sources.iloc[association.source[here]].reset_index(drop=True)
    east, north = sky.offsets(ref["ra"], ref["dec"], askap["ra"], askap["dec"])
    columns = {
        "type": MATCH,
        "survey": survey.name,
        "ra": ref["ra"],
        "dec": ref["dec"],
        "separation": association.separation[here],
        "ra_offset": east,
        "dec_offset": north,
        **_side("askap_", askap),
        **_scaled("askap_", askap["flux_int"], askap["flux_int_err"], scaling),
        "askap_origin": "detected",
        "askap_group": size[here],
        **_side("ref_", ref),
        **_scaled("ref_", total[here], np.sqrt(variance[here]), None),
        "ref_origin": "catalogued",
        "ref_group_flux": total[here],
        "ref_rms": survey.rms.at(ref["dec"]),
        "ref_snr": ref["flux_peak"] / survey.rms.at(ref["dec"]),
    }
    return conform(pd.DataFrame(columns), CROSSMATCHES)


def as_forced(rows: pd.DataFrame, forced: pd.DataFrame, scaling: FluxScaling) -> pd.DataFrame:
    """Return matches with forced ASKAP fluxes in place of fitted ones, each catalogue source for itself.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `match_rows`.
    forced : pandas.DataFrame
        Forced photometry at the catalogue positions: flux, flux_err, rms, map_value, failure.
    scaling : FluxScaling
        ASKAP to survey frequency.

    Returns
    -------
    pandas.DataFrame
        Crossmatch rows.
    """
    columns = {
        **_scaled("askap_", forced["flux"], forced["flux_err"], scaling),
        "askap_origin": np.where(forced["failure"].isna(), "forced", "none"),
        "askap_flux_peak": forced["map_value"],
        "askap_flux_peak_err": forced["rms"],
        "askap_rms": forced["rms"],
        "askap_snr": forced["flux"] / forced["rms"],
        **_scaled("ref_", rows["ref_flux_int"], rows["ref_flux_int_err"], None),
        "ref_group_flux": rows["ref_flux_int"],
        "failure": forced["failure"],
    }
    return conform(rows.assign(**{name: pd.Series(values) for name, values in columns.items()}), CROSSMATCHES)


def no_askap_rows(
    references: pd.DataFrame,
    forced: pd.DataFrame,
    nearest_sources: pd.DataFrame,
    survey: Survey,
    scaling: FluxScaling,
) -> pd.DataFrame:
    """Return the catalogue sources that ASKAP shows nothing for, with a forced ASKAP flux.

    Parameters
    ----------
    references : pandas.DataFrame
        Catalogue sources without a match.
    forced : pandas.DataFrame
        Forced photometry at their positions: flux, flux_err, rms, native_flux, native_flux_err,
        native_rms, failure; map_value is the brightness there with its neighbours in it.
    nearest_sources : pandas.DataFrame
        island_id, island_components and nn_separation (distance) of the nearest ASKAP source; NA
        where it is too far to matter.
    survey : Survey
        The survey.
    scaling : FluxScaling
        ASKAP to survey frequency.

    Returns
    -------
    pandas.DataFrame
        Crossmatch rows.
    """
    ref = references.reset_index(drop=True)
    scaled, _ = scaling.apply(forced["rms"], forced["rms"])
    columns = {
        "type": NO_ASKAP_MATCH,
        "survey": survey.name,
        "ra": ref["ra"],
        "dec": ref["dec"],
        **_side("askap_", nearest_sources),
        **_scaled("askap_", forced["flux"], forced["flux_err"], scaling),
        "askap_origin": np.where(forced["failure"].isna(), "forced", "none"),
        "askap_flux_peak": forced["map_value"],
        "askap_flux_peak_err": forced["rms"],
        "askap_rms": forced["rms"],
        "askap_snr": forced["flux"] / forced["rms"],
        **_scaled("native_", forced["native_flux"], forced["native_flux_err"], scaling),
        "native_origin": np.where(forced["native_flux"].notna(), "forced", "none"),
        "native_rms": forced["native_rms"],
        **_side("ref_", ref),
        **_scaled("ref_", ref["flux_int"], ref["flux_int_err"], None),
        "ref_origin": "catalogued",
        "ref_group_flux": ref["flux_int"],
        "ref_rms": survey.rms.at(ref["dec"]),
        "ref_snr": ref["flux_peak"] / survey.rms.at(ref["dec"]),
        "predicted_snr": ref["flux_int"] / scaled,
        "failure": forced["failure"],
    }
    return conform(pd.DataFrame(columns), CROSSMATCHES)


def no_catalogue_rows(
    sources: pd.DataFrame, measured: pd.DataFrame, survey: Survey, scaling: FluxScaling
) -> pd.DataFrame:
    """Return the ASKAP sources that the catalogue lacks, with the survey's flux or limit.

    Parameters
    ----------
    sources : pandas.DataFrame
        ASKAP sources without a match.
    measured : pandas.DataFrame
        The survey at their positions: flux, flux_err, rms, mosaic, origin (forced or limit), failure.
    survey : Survey
        The survey.
    scaling : FluxScaling
        ASKAP to survey frequency.

    Returns
    -------
    pandas.DataFrame
        Crossmatch rows.
    """
    askap = sources.reset_index(drop=True)
    scaled, _ = scaling.apply(askap["flux_int"], askap["flux_int_err"])
    columns = {
        "type": NO_CATALOGUE_MATCH,
        "survey": survey.name,
        "ra": askap["ra"],
        "dec": askap["dec"],
        **_side("askap_", askap),
        **_scaled("askap_", askap["flux_int"], askap["flux_int_err"], scaling),
        "askap_origin": "detected",
        "askap_group": 0,
        "ref_origin": measured["origin"],
        **_scaled("ref_", measured["flux"], measured["flux_err"], None),
        "ref_flux_peak": measured["flux"].where(measured["origin"] == "forced"),
        "ref_flux_peak_err": measured["flux_err"].where(measured["origin"] == "forced"),
        "ref_rms": measured["rms"],
        "ref_mosaic": measured["mosaic"],
        "ref_snr": measured["flux"].where(measured["origin"] == "forced") / measured["rms"],
        "predicted_snr": scaled / measured["rms"],
        "failure": measured["failure"],
    }
    return conform(pd.DataFrame(columns), CROSSMATCHES)


def survey_limits(survey: Survey, ra: ArrayLike, dec: ArrayLike) -> pd.DataFrame:
    """Return what a survey without images says of a position where its catalogue has nothing.

    Parameters
    ----------
    survey : Survey
        The survey.
    ra, dec : array_like, shape (n,)
        Positions, degrees.

    Returns
    -------
    pandas.DataFrame
        Flux is the catalogue's 95 % completeness, its error and rms the typical noise there.
    """
    dec = np.asarray(dec, float)
    return pd.DataFrame(
        {
            "flux": survey.completeness_at(ra, dec),
            "flux_err": survey.rms.at(dec),
            "rms": survey.rms.at(dec),
            "mosaic": pd.Series(pd.NA, index=range(len(dec)), dtype="str"),
            "origin": "limit",
            "failure": pd.Series(pd.NA, index=range(len(dec)), dtype="str"),
        }
    )
