"""Catalogues of a simulated survey, with VizieR's columns and units."""

from __future__ import annotations

import numpy as np
import pandas as pd

from racs_transients import sky
from racs_transients.beam import axes, covariance
from racs_transients.surveys import DeclinationSteps, Survey

# Peak limits of the catalogues, mJy/beam: Mauch et al. 2003; Condon et al. 1998.
_PEAK_LIMIT = {"SUMSS": DeclinationSteps((-50.0,), (6.0, 10.0)), "NVSS": DeclinationSteps((), (2.5,))}


def merged_sources(sources: pd.DataFrame, survey: Survey) -> pd.DataFrame:
    """Return what the survey tells apart: sources within half a beam of a brighter one join it.

    Parameters
    ----------
    sources : pandas.DataFrame
        truth_id, ra, dec (degrees), survey_flux (mJy), major, minor, pa (intrinsic).
    survey : Survey
        Whose beam blends.

    Returns
    -------
    pandas.DataFrame
        One row an object: position of the flux's centre, summed flux, size of the brightest.
    """
    bright_first = sources[sources["survey_flux"] > 0].sort_values("survey_flux", ascending=False, ignore_index=True)
    ra, dec = bright_first["ra"].to_numpy(), bright_first["dec"].to_numpy()
    i, j, _ = sky.pairs_within(ra, dec, ra, dec, 0.7 * survey.beam_fwhm)
    # the first (brightest) of all within reach is a row's leader; leaders of leaders are not followed
    leader = np.full(len(bright_first), len(bright_first))
    np.minimum.at(leader, i, j)
    leader = leader[leader]
    flux = bright_first["survey_flux"]
    total = flux.groupby(leader).sum()
    position = bright_first[["ra", "dec"]].mul(flux, axis=0).groupby(leader).sum().div(total, axis=0)
    # a centre across RA 0 is taken from the leader
    wraps = bright_first["ra"].groupby(leader).agg(np.ptp) > 180
    head = bright_first.loc[total.index]
    return head.assign(ra=position["ra"].where(~wraps, head["ra"]), dec=position["dec"], survey_flux=total).reset_index(
        drop=True
    )


def detected(objects: pd.DataFrame, measured_peak: pd.Series, survey: Survey, rng: np.random.Generator) -> pd.DataFrame:
    """Return the objects that the survey's catalogue lists, with its measurements.

    Parameters
    ----------
    objects : pandas.DataFrame
        From `merged_sources`.
    measured_peak : pandas.Series
        Brightness in the survey's image at their positions, noise included, mJy/beam.
    survey : Survey
        The survey.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    pandas.DataFrame
        truth_id, ra, dec, position errors (arcsec), peak, flux, their errors, fitted major, minor, pa.
    """
    limit = _PEAK_LIMIT[survey.name].at(objects["dec"])
    listed = (measured_peak > limit).to_numpy()
    seen, peak = objects[listed].reset_index(drop=True), measured_peak[listed].to_numpy(float)
    rms = survey.rms.at(seen["dec"])
    beam_major, beam_minor, beam_pa = survey.beam_axes(seen["dec"])
    fitted = covariance(beam_major, beam_minor, beam_pa) + covariance(seen["major"], seen["minor"], seen["pa"])
    major, minor, pa = axes(fitted)
    snr = peak / rms
    ra_err, dec_err = np.hypot(1.0, beam_minor / (2.35 * snr)), np.hypot(1.0, beam_major / (2.35 * snr))
    flux = peak * major * minor / (beam_major * beam_minor)
    scale = survey.flux_scale_err
    return pd.DataFrame(
        {
            "truth_id": seen["truth_id"],
            "ra": (seen["ra"] + rng.normal(0, ra_err) / 3600 / np.cos(np.deg2rad(seen["dec"]))) % 360,
            "dec": seen["dec"] + rng.normal(0, dec_err) / 3600,
            "ra_err": ra_err,
            "dec_err": dec_err,
            "peak": peak,
            "peak_err": np.hypot(rms, scale * peak),
            "flux": flux,
            "flux_err": np.hypot(rms * flux / peak, scale * flux),
            "major": major,
            "minor": minor,
            "pa": pa,
            "own_major": seen["major"],
            "own_minor": seen["minor"],
            "own_pa": seen["pa"],
        }
    )


def vizier_table(rows: pd.DataFrame, survey: Survey, mosaic: pd.Series) -> pd.DataFrame:
    """Return a catalogue with the columns, units and decimals that VizieR gives.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `detected`.
    survey : Survey
        SUMSS or NVSS.
    mosaic : pandas.Series
        Name of the mosaic of each row.

    Returns
    -------
    pandas.DataFrame
        Columns of VIII/81B or VIII/65.
    """
    return _sumss(rows, mosaic) if survey.name == "SUMSS" else _nvss(rows)


def _sexagesimal(ra: pd.Series, dec: pd.Series, decimals: int) -> tuple[list[str], list[str]]:
    from astropy import units as u
    from astropy.coordinates import Angle

    hours = Angle(ra.to_numpy() * u.deg).to_string(unit=u.hour, sep=" ", precision=2, pad=True)
    degrees = Angle(dec.to_numpy() * u.deg).to_string(
        unit=u.deg, sep=" ", precision=decimals, pad=True, alwayssign=True
    )
    return list(np.atleast_1d(hours)), list(np.atleast_1d(degrees))


def _sumss(rows: pd.DataFrame, mosaic: pd.Series) -> pd.DataFrame:
    hours, degrees = _sexagesimal(rows["ra"], rows["dec"], 1)
    return pd.DataFrame(
        {
            "_RAJ2000": rows["ra"].round(7),
            "_DEJ2000": rows["dec"].round(7),
            "RAJ2000": hours,
            "e_RAJ2000": rows["ra_err"].round(1),
            "DEJ2000": degrees,
            "e_DEJ2000": rows["dec_err"].round(1),
            "Sp": rows["peak"].round(1),
            "e_Sp": rows["peak_err"].round(1),
            "St": rows["flux"].round(1),
            "e_St": rows["flux_err"].round(1),
            "MajAxis": rows["major"].round(1),
            "MinAxis": rows["minor"].round(1),
            "PA": rows["pa"].round(1),
            "dMajAxis": rows["own_major"].round(1),
            "dMinAxis": rows["own_minor"].round(1),
            "dPA": rows["own_pa"].round(1).where(rows["own_major"] > 0),
            "Mosaic": mosaic,
            "Nm": 1,
            "Xpos": 0.0,
            "Ypos": 0.0,
            "MGPS": "",
            "E": "",
        }
    )


def _nvss(rows: pd.DataFrame) -> pd.DataFrame:
    hours, degrees = _sexagesimal(rows["ra"], rows["dec"], 1)
    # a size that cannot be told from the beam is an upper limit
    is_limit = rows["own_major"] < 15 + 45 / np.sqrt(rows["peak"] / 0.5)
    names = [f"{h.replace(' ', '')[:6]}{d.replace(' ', '')[:7]}" for h, d in zip(hours, degrees, strict=True)]
    limit = (15 + 45 / np.sqrt(rows["peak"] / 0.5)).round(1)
    return pd.DataFrame(
        {
            "_RAJ2000": rows["ra"].round(7),
            "_DEJ2000": rows["dec"].round(7),
            "NVSS": names,
            "RAJ2000": hours,
            "DEJ2000": degrees,
            "e_RAJ2000": (rows["ra_err"] / 15 / np.cos(np.deg2rad(rows["dec"]))).clip(lower=0.01).round(2),
            "e_DEJ2000": rows["dec_err"].round(1),
            "S1.4": rows["flux"].round(1),
            "e_S1.4": rows["flux_err"].round(1),
            "l_MajAxis": np.where(is_limit, "<", ""),
            "MajAxis": rows["own_major"].round(1).where(~is_limit, limit),
            "l_MinAxis": np.where(is_limit, "<", ""),
            "MinAxis": rows["own_minor"].round(1).where(~is_limit, limit),
            "PA": rows["own_pa"].round(1).where(~is_limit),
            "f_resFlux": "",
        }
    )
