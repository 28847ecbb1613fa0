"""From a survey's own columns and units to the schema's, with every check on the way."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.table import Table

from racs_transients import sky
from racs_transients.beam import FloatArray, axes, covariance, gaussian_area
from racs_transients.errors import CatalogueError
from racs_transients.image import Image
from racs_transients.schema import REFERENCES
from racs_transients.surveys import CANONICAL_UNITS, Catalogue, InputColumn, Survey
from racs_transients.tables import conform

logger = logging.getLogger(__name__)

_FLUX_COLUMNS = ("flux_int", "flux_peak")


def to_reference_table(tables: Sequence[tuple[Catalogue, Table]], survey: Survey, origin: str) -> pd.DataFrame:
    """Return a survey's catalogues as one in the schema's form.

    Parameters
    ----------
    tables : sequence of (Catalogue, astropy.table.Table)
        The catalogues with their own columns; units in a table win over the catalogue's usual ones. A source
        of a later one within half a beam of one of an earlier is the same and left out: the telescope cannot
        tell them apart, and position errors are smaller.
    survey : Survey
        The survey.
    origin : str
        Where the tables come from, for messages.

    Returns
    -------
    pandas.DataFrame
        ``schema.REFERENCES``.

    Raises
    ------
    CatalogueError
        If a column is missing, a unit contradicts, rows have no position or flux, or there are no rows.
    """
    frames = [_canonical(raw, catalogue, survey, origin) for catalogue, raw in tables]
    together = frames[0]
    for other in frames[1:]:
        _, separation = sky.nearest(other["ra"], other["dec"], together["ra"], together["dec"])
        together = pd.concat([together, other[~(separation <= survey.beam_fwhm / 2)]], ignore_index=True)
    return _completed(together, survey)


def _canonical(raw: Table, catalogue: Catalogue, survey: Survey, origin: str) -> pd.DataFrame:
    """Return one catalogue with the schema's names and units; what it leaves out is missing."""
    columns = catalogue.columns
    _check_columns(raw, columns, survey, origin)
    if len(raw) == 0:
        raise CatalogueError(f"{origin} has no rows; give a catalogue that covers the image.")
    values = {
        role: numbers(raw, columns[role], CANONICAL_UNITS[role], origin)
        for role in CANONICAL_UNITS
        if _has(raw, columns, role)
    }
    frame = pd.DataFrame(values).reindex(columns=list(CANONICAL_UNITS))
    if "ra_err" in values and _in_time(raw, columns["ra_err"]):
        frame = frame.assign(ra_err=frame["ra_err"] * 15 * np.cos(np.deg2rad(frame["dec"])))
    own = _strings(raw, columns, "name")
    frame = frame.assign(
        name=catalogue.name_prefix + own.str.removeprefix(catalogue.name_prefix),
        mosaic=_strings(raw, columns, "mosaic"),
        # an axis that is a limit says nothing of the other: most resolved NVSS sources have a limit for the minor one
        size_is_limit=_is_limit(raw, columns, "major_limit"),
        minor=frame["minor"].mask(_is_limit(raw, columns, "minor_limit")),
    )
    frame = _without_duplicates(frame, origin)
    _check_rows(frame, origin)
    return frame


def _has(raw: Table, columns: Mapping[str, InputColumn], role: str) -> bool:
    return role in columns and columns[role].name in raw.colnames


def _check_columns(raw: Table, columns: Mapping[str, InputColumn], survey: Survey, origin: str) -> None:
    absent = [columns[role].name for role in ("ra", "dec") if not _has(raw, columns, role)]
    fluxes = [columns[role].name for role in _FLUX_COLUMNS if role in columns]
    if not any(name in raw.colnames for name in fluxes):
        absent.append(" or ".join(fluxes))
    if absent:
        near = {n for name in absent for n in difflib.get_close_matches(name, raw.colnames, 2)}
        hint = f"; did you mean {', '.join(sorted(near))}?" if near else f"; it has {', '.join(raw.colnames[:12])}."
        raise CatalogueError(f"{origin} lacks the {survey.name} columns {', '.join(absent)}{hint}")


def numbers(raw: Table, column: InputColumn, unit: str, origin: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return a column's numbers in a unit.

    Parameters
    ----------
    raw : astropy.table.Table
        Any table; the unit it states for the column wins over the one expected.
    column : InputColumn
        Name and expected unit; seconds of time stay what they are.
    unit : str
        The unit wanted.
    origin : str
        Where the table comes from, for messages.

    Returns
    -------
    numpy.ndarray, shape (n,)
        NaN where there is no number.

    Raises
    ------
    CatalogueError
        If the units contradict.
    """
    values = raw[column.name]
    found = pd.to_numeric(_objects(values), errors="coerce").replace([np.inf, -np.inf], np.nan)
    if _in_time(raw, column):
        return found.to_numpy(float)
    stated = str(getattr(values, "unit", None) or column.unit or unit)
    try:
        factor = u.Unit(re.sub(r"/\s*beam|\s*beam-1", "", stated)).to(unit)
    except (ValueError, TypeError) as error:
        raise CatalogueError(
            f"{origin}: column {column.name} is in {stated}, not in {column.unit or unit}; "
            "convert it or correct its unit."
        ) from error
    return np.asarray(found.to_numpy(float) * factor)


def _objects(values: Any) -> pd.Series:
    """Return a column as it is, None where it is masked."""
    masked = np.ma.asarray(values)
    # not filled(None): that would mean numpy's own word for a missing object
    found = np.array(masked.data, dtype=object)
    found[np.ma.getmaskarray(masked)] = None
    return pd.Series(found)


def _in_time(raw: Table, column: InputColumn) -> bool:
    """Return whether a column is in seconds of time."""
    return str(getattr(raw[column.name], "unit", None) or column.unit) == "s"


def _strings(raw: Table, columns: Mapping[str, InputColumn], role: str) -> pd.Series:
    if not _has(raw, columns, role):
        return pd.Series(pd.NA, index=range(len(raw)), dtype="str")
    return strings(raw, columns[role])


def strings(raw: Table, column: InputColumn) -> pd.Series:
    """Return a column's words.

    Parameters
    ----------
    raw : astropy.table.Table
        Any table.
    column : InputColumn
        Its name.

    Returns
    -------
    pandas.Series of str
        NA where there is none.
    """
    text = _objects(raw[column.name]).map(lambda v: v.decode() if isinstance(v, bytes) else v).astype("str").str.strip()
    return text.mask(text == "")


def _is_limit(raw: Table, columns: Mapping[str, InputColumn], role: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return (_strings(raw, columns, role) == "<").fillna(False).to_numpy(bool)


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


def _completed(frame: pd.DataFrame, survey: Survey) -> pd.DataFrame:
    """Fill in what the survey's table leaves out: beam, fitted size, peak, errors, name."""
    beam_major, beam_minor, beam_pa = _beams(frame, survey)
    major, minor, pa = _fitted_sizes(frame, survey)
    area_ratio = gaussian_area(beam_major, beam_minor) / gaussian_area(major, minor)
    flux_int = frame["flux_int"].fillna(frame["flux_peak"])
    rms = survey.rms.at(frame["dec"])
    errors = pd.Series(np.hypot(rms, survey.flux_scale_err * flux_int.to_numpy(float)))
    return conform(
        frame.assign(
            source_id=np.arange(1, len(frame) + 1),
            name=frame["name"].fillna(pd.Series(sky.iau_name(survey.name, frame["ra"], frame["dec"]))),
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


def _beams(frame: pd.DataFrame, survey: Survey) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the beam of each source: its own where the catalogue gives one, else the survey's there."""
    usual = survey.beam_axes(frame["dec"])
    given = frame[["beam_major", "beam_minor", "beam_pa"]].to_numpy(float).T
    major, minor, pa = (np.where(np.isnan(own), usual_, own) for own, usual_ in zip(given, usual, strict=True))
    return major, minor, pa


def _fitted_sizes(frame: pd.DataFrame, survey: Survey) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return sizes with the beam in them; an axis that is a limit or missing is not resolved."""
    beam_major, beam_minor, beam_pa = _beams(frame, survey)
    point = (frame["major"].isna() | frame["size_is_limit"]).to_numpy(bool)
    narrow = point | frame["minor"].isna().to_numpy(bool)
    major, minor = frame["major"].to_numpy(float), frame["minor"].to_numpy(float)
    pa = frame["pa"].fillna(0.0).to_numpy(float)
    if survey.sizes_deconvolved:
        own = covariance(np.where(point, 0, major), np.where(narrow, 0, minor), pa)
        major, minor, pa = axes(covariance(beam_major, beam_minor, beam_pa) + own)
    else:
        minor = np.where(narrow, beam_minor, minor)
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
        Some of the rows, perhaps none.
    """
    x, y = image.sky_to_pixel(references["ra"], references["dec"])
    ny, nx = image.data.shape
    inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
    column, row = np.rint(np.where(inside, x, 0)).astype(int), np.rint(np.where(inside, y, 0)).astype(int)
    kept = pd.Series(inside & np.isfinite(image.data[row, column]))
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
