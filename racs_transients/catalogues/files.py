"""Reference catalogues from the user's own files."""

from __future__ import annotations

import csv
import gzip
import logging
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io.votable import parse_single_table
from astropy.table import Table

from racs_transients import sky
from racs_transients.catalogues.canonical import numbers, strings, to_reference_table
from racs_transients.catalogues.guard import check_coverage
from racs_transients.errors import CatalogueError
from racs_transients.image import quiet_fits
from racs_transients.surveys import Catalogue, Survey

logger = logging.getLogger(__name__)


def read_reference_file(
    path: Path, survey: Survey, *, region: tuple[float, float, float] | None = None
) -> pd.DataFrame:
    """Read a survey's catalogue with VizieR's column names.

    Parameters
    ----------
    path : pathlib.Path
        CSV with commas or semicolons, VOTable or FITS, compressed or not.
    survey : Survey
        The survey.
    region : tuple of float, optional
        Right ascension, declination and radius (degrees) of the part that is needed; checked for coverage.

    Returns
    -------
    pandas.DataFrame
        ``schema.REFERENCES``.

    Raises
    ------
    CatalogueError
        If the file cannot be read or trusted.
    """
    if not path.exists():
        raise CatalogueError(f"There is no catalogue {path}.")
    try:
        raw = _read(path)
    except (OSError, EOFError, ValueError, IndexError, KeyError, csv.Error) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CatalogueError(f"{path} cannot be read as a catalogue: {reason}.") from error
    if region is not None:
        raw = _cut(raw, survey, path, region)
    table = to_reference_table(_by_catalogue(raw, survey), survey, str(path))
    if region is not None:
        check_coverage(table, survey, *region, origin=str(path), complete=False)
    return table


def _read(path: Path) -> Table:
    name = path.name.lower().removesuffix(".gz")
    with quiet_fits():
        if name.endswith((".xml", ".vot", ".votable")):
            return parse_single_table(path).to_table(use_names_over_ids=True)
        if name.endswith((".fits", ".fit")):
            return Table.read(path)
    frame = pd.read_csv(path, sep=_separator(path), comment="#", skipinitialspace=True)
    columns = {name: np.ma.masked_array(frame[name].to_numpy(object), frame[name].isna()) for name in frame}
    return Table(columns)


def _separator(path: Path) -> str:
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as stream:
        head = next((line for line in stream if line.strip() and not line.startswith("#")), "")
    return ";" if head.count(";") > head.count(",") else ","


def _by_catalogue(raw: Table, survey: Survey) -> list[tuple[Catalogue, Table]]:
    """Return the rows of each of the survey's catalogues: a later one's rows fill its own column of names."""
    parts: list[tuple[Catalogue, Table]] = []
    rest = np.ones(len(raw), bool)
    for catalogue in survey.catalogues[1:]:
        own = catalogue.columns.get("name")
        if own is None or own.name not in raw.colnames:
            continue
        named = rest & strings(raw, own).notna().to_numpy(bool)
        rest &= ~named
        if named.any():
            parts.append((catalogue, raw[named]))
    if rest.any() or not parts:
        parts.insert(0, (survey.catalogues[0], raw[rest]))
    return parts


def _cut(raw: Table, survey: Survey, path: Path, region: tuple[float, float, float]) -> Table:
    """Return the rows of a region, so that the other two hundred thousand cost nothing."""
    columns = survey.catalogues[0].columns
    names = [columns[role].name for role in ("ra", "dec")]
    if not set(names) <= set(raw.colnames) or len(raw) == 0:
        return raw
    ra, dec = (pd.Series(numbers(raw, columns[role], "deg", str(path))) for role in ("ra", "dec"))
    unknown = (ra.isna() | dec.isna()).to_numpy()
    if _inside(ra, dec, region).any() or unknown.any():
        # rows without a position stay, to be complained of
        return raw[_inside(ra, dec, region) | unknown]
    if ra.max() <= 24 and _inside(ra * 15, dec, region).any():
        raise CatalogueError(f"{path}: the right ascensions ({names[0]}) are in hours; they must be in degrees.")
    raise CatalogueError(
        f"{path} has no source within {region[2]:.2f}° of RA {region[0]:.3f}°, Dec {region[1]:.3f}°; "
        f"is it the {survey.name} catalogue of another field?"
    )


def _inside(
    ra: pd.Series, dec: pd.Series, region: tuple[float, float, float]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(sky.separation(ra, dec, region[0], region[1]) <= region[2] * 3600)
