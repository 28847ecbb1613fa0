"""From a survey's own columns and units to the schema's, with every check on the way."""

from __future__ import annotations

import difflib
import logging

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.table import Table

from racs_transients import sky
from racs_transients.beam import axes, covariance, gaussian_area
from racs_transients.errors import CatalogueError
from racs_transients.image import Image
from racs_transients.schema import REFERENCES
from racs_transients.surveys import InputColumn, Survey
from racs_transients.tables import conform

logger = logging.getLogger(__name__)

_FLUX_COLUMNS = ("flux_int", "flux_peak")
# e_St of SUMSS and e_S1.4 of NVSS never fall below this fraction of the flux
_NUMBERS = ("ra", "dec", "ra_err", "dec_err", "flux_peak", "flux_peak_err", "flux_int", "flux_int_err",
            "major", "minor", "pa")  # fmt: skip


def to_reference_table(raw: Table, survey: Survey, origin: str) -> pd.DataFrame:
    """Return a survey's catalogue in the schema's form.

    Parameters
    ----------
    raw : astropy.table.Table
        The survey's own columns; units in the table win over the survey's usual ones.
    survey : Survey
        The survey.
    origin : str
        Where the table comes from, for messages.

    Returns
    -------
    pandas.DataFrame
        ``schema.REFERENCES``.

    Raises
    ------
    CatalogueError
        If a column is missing, a unit contradicts, rows have no position or flux, or there are no rows.
    """
    _check_columns(raw, survey, origin)
    if len(raw) == 0:
        raise CatalogueError(f"{origin} has no rows; give a catalogue that covers the image.")
    values = {role: _numbers(raw, survey.columns[role], origin) for role in _NUMBERS if _has(raw, survey, role)}
    frame = pd.DataFrame(values).reindex(columns=list(_NUMBERS))
    frame = frame.assign(mosaic=_strings(raw, survey, "mosaic"), size_is_limit=_limits(raw, survey))
    frame = _without_duplicates(frame, origin)
    _check_rows(frame, origin)
    frame = _with_seconds_of_time(frame, raw, survey)
    return _completed(frame, survey)


def _has(raw: Table, survey: Survey, role: str) -> bool:
    return role in survey.columns and survey.columns[role].name in raw.colnames


def _check_columns(raw: Table, survey: Survey, origin: str) -> None:
    absent = [survey.columns[role].name for role in ("ra", "dec") if not _has(raw, survey, role)]
    fluxes = [survey.columns[role].name for role in _FLUX_COLUMNS if role in survey.columns]
    if not any(name in raw.colnames for name in fluxes):
        absent.append(" or ".join(fluxes))
    if absent:
        near = {n for name in absent for n in difflib.get_close_matches(name, raw.colnames, 2)}
        hint = f"; did you mean {', '.join(sorted(near))}?" if near else f"; it has {', '.join(raw.colnames[:12])}."
        raise CatalogueError(f"{origin} lacks the {survey.name} columns {', '.join(absent)} of VizieR{hint}")


def _numbers(raw: Table, column: InputColumn, origin: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = raw[column.name]
    numbers = pd.to_numeric(pd.Series(np.ma.filled(np.ma.asarray(values).astype(object), None)), errors="coerce")
    unit = getattr(values, "unit", None)
    if unit is None or not column.unit:
        return numbers.to_numpy(float)
    try:
        # seconds of time are turned into an angle where the declination is known
        wanted = column.unit if column.unit != "s" or u.Unit(unit) == u.s else "arcsec"
        factor = (u.Unit(str(unit).replace("/beam", "")) if wanted == "mJy" else u.Unit(unit)).to(wanted)
    except (ValueError, TypeError) as error:
        raise CatalogueError(
            f"{origin}: column {column.name} is in {unit}, not in {column.unit}; convert it or correct its unit."
        ) from error
    return np.asarray(numbers.to_numpy(float) * factor)


def _strings(raw: Table, survey: Survey, role: str) -> pd.Series:
    if not _has(raw, survey, role):
        return pd.Series(pd.NA, index=range(len(raw)), dtype="str")
    values = pd.Series(np.ma.filled(np.ma.asarray(raw[survey.columns[role].name]).astype(object), None))
    text = values.map(lambda v: v.decode() if isinstance(v, bytes) else v).astype("str").str.strip()
    return text.mask(text == "")


def _limits(raw: Table, survey: Survey) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    is_limit = np.zeros(len(raw), bool)
    for role in ("major_limit", "minor_limit"):
        is_limit |= (_strings(raw, survey, role) == "<").fillna(False).to_numpy(bool)
    return is_limit


def _without_duplicates(frame: pd.DataFrame, origin: str) -> pd.DataFrame:
    repeated = frame.duplicated()
    if repeated.any():
        logger.warning("%s: %d rows are repeated and taken once", origin, repeated.sum())
    return frame[~repeated].reset_index(drop=True)


def _check_rows(frame: pd.DataFrame, origin: str) -> None:
    flux = frame["flux_int"].fillna(frame["flux_peak"])
    problems = {
        "no position": frame["ra"].isna() | frame["dec"].isna(),
        "no flux": flux.isna(),
        "a flux that is not positive": flux <= 0,
        "an impossible position": ~frame["ra"].between(-180, 360) | ~frame["dec"].between(-90, 90),
    }
    for words, bad in problems.items():
        if bad.any():
            raise CatalogueError(
                f"{origin}: {bad.sum()} rows have {words}, the first is row {int(bad.to_numpy().argmax()) + 1}; "
                "remove or mend them."
            )


def _with_seconds_of_time(frame: pd.DataFrame, raw: Table, survey: Survey) -> pd.DataFrame:
    column = survey.columns["ra_err"]
    in_time = (
        column.unit == "s" and _has(raw, survey, "ra_err") and getattr(raw[column.name], "unit", u.s) in (u.s, None)
    )
    if not in_time:
        return frame
    return frame.assign(ra_err=frame["ra_err"] * 15 * np.cos(np.deg2rad(frame["dec"])))


def _completed(frame: pd.DataFrame, survey: Survey) -> pd.DataFrame:
    """Fill in what the survey's table leaves out: beam, fitted size, peak, errors, name."""
    beam_major, beam_minor, beam_pa = survey.beam_axes(frame["dec"])
    major, minor, pa = _fitted_sizes(frame, survey)
    area_ratio = gaussian_area(beam_major, beam_minor) / gaussian_area(major, minor)
    flux_int = frame["flux_int"].fillna(frame["flux_peak"])
    rms = survey.rms.at(frame["dec"])
    errors = pd.Series(np.hypot(rms, survey.flux_scale_err * flux_int.to_numpy(float)))
    return conform(
        frame.assign(
            source_id=np.arange(1, len(frame) + 1),
            name=sky.iau_name(survey.name, frame["ra"], frame["dec"]),
            survey=survey.name,
            ra=frame["ra"] % 360,
            flux_int=flux_int,
            flux_int_err=frame["flux_int_err"].fillna(errors),
            flux_peak=frame["flux_peak"].fillna(flux_int * area_ratio),
            flux_peak_err=frame["flux_peak_err"].fillna(frame["flux_int_err"]).fillna(errors),
            major=major,
            minor=minor,
            pa=pa,
            beam_major=beam_major,
            beam_minor=beam_minor,
            beam_pa=beam_pa,
            nn_separation=sky.nearest_neighbour(frame["ra"], frame["dec"]),
        ),
        REFERENCES,
    )


def _fitted_sizes(frame: pd.DataFrame, survey: Survey) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return sizes with the beam in them; a limit or a missing size is a point source."""
    beam_major, beam_minor, beam_pa = survey.beam_axes(frame["dec"])
    point = (frame["major"].isna() | frame["minor"].isna() | frame["size_is_limit"]).to_numpy(bool)
    major, minor = frame["major"].to_numpy(float), frame["minor"].to_numpy(float)
    pa = frame["pa"].fillna(0.0).to_numpy(float)
    if survey.sizes_deconvolved:
        own = covariance(np.where(point, 0, major), np.where(point, 0, minor), pa)
        major, minor, pa = axes(covariance(beam_major, beam_minor, beam_pa) + own)
    return (
        pd.Series(np.where(point, beam_major, major)),
        pd.Series(np.where(point, beam_minor, minor)),
        pd.Series(np.where(point, beam_pa, pa)),
    )


def trim_to_image(references: pd.DataFrame, image: Image) -> pd.DataFrame:
    """Return the catalogue sources that lie on valid pixels of an image.

    Parameters
    ----------
    references : pandas.DataFrame
        ``schema.REFERENCES``.
    image : Image
        The image.

    Returns
    -------
    pandas.DataFrame
        Some of the rows.

    Raises
    ------
    CatalogueError
        If none does.
    """
    x, y = image.sky_to_pixel(references["ra"], references["dec"])
    ny, nx = image.data.shape
    inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
    column, row = np.rint(np.where(inside, x, 0)).astype(int), np.rint(np.where(inside, y, 0)).astype(int)
    kept = pd.Series(inside & np.isfinite(image.data[row, column]))
    if not kept.any():
        raise CatalogueError(
            f"None of the {len(references)} catalogue sources lies on {image.path.name}; is it the right catalogue?"
        )
    return references.reset_index(drop=True)[kept].reset_index(drop=True)


def bright_sources(references: pd.DataFrame, survey: Survey) -> pd.DataFrame:
    """Return the sources that are bright enough to make artefacts.

    Parameters
    ----------
    references : pandas.DataFrame
        ``schema.REFERENCES``.
    survey : Survey
        Whose limit counts.

    Returns
    -------
    pandas.DataFrame
        Some of the rows.
    """
    return references[references["flux_int"] >= survey.bright_mjy].reset_index(drop=True)
