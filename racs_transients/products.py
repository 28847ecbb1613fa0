"""The files of a results folder: their names, and how each table gets there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from racs_transients.crossmatch import MATCH, NO_ASKAP_MATCH, NO_CATALOGUE_MATCH
from racs_transients.errors import RunFolderError
from racs_transients.runfolder import RunFolder
from racs_transients.schema import CROSSMATCHES, REFERENCES, SOURCES, Column
from racs_transients.surveys import Survey
from racs_transients.tables import read_csv, write_csv, write_votable

MASTER = "transients/transients_master.csv"
MASTER_VOTABLE = "transients/transients_master.vot"
CATEGORY_FILES = {
    MATCH: "transients/transients_good_matches.csv",
    NO_ASKAP_MATCH: "transients/transients_sources_no_askap_match.csv",
    NO_CATALOGUE_MATCH: "transients/transients_askap_sources_no_match_should_be_seen.csv",
}


def read_results(folder: Path | str) -> pd.DataFrame:
    """Read the master table of a results folder.

    Parameters
    ----------
    folder : pathlib.Path or str
        The results folder of a run with ``--transients``.

    Returns
    -------
    pandas.DataFrame
        All rows of the three categories, ``schema.CROSSMATCHES``.

    Raises
    ------
    RunFolderError
        If there is no such table.
    SchemaError
        If another version wrote it.
    """
    path = Path(folder) / MASTER
    if not path.is_file():
        raise RunFolderError(f"There is no {path}: {folder} is not the results folder of a run with --transients.")
    return read_csv(path, CROSSMATCHES)


def _write_table(
    folder: RunFolder, name: str, kind: str, table: pd.DataFrame, columns: Sequence[Column], survey: str = ""
) -> None:
    ordered = table[[column.name for column in columns]]
    folder.write(name, lambda path: write_csv(ordered, path))
    folder.add_product(name, kind, survey=survey)


def write_sources(folder: RunFolder, stem: str, sources: pd.DataFrame, survey: str = "") -> None:
    """Write the source list of an image.

    Parameters
    ----------
    folder : RunFolder
        The results folder.
    stem : str
        Name of the image without ``.fits``.
    sources : pandas.DataFrame
        ``schema.SOURCES``.
    survey : str
        The survey at whose resolution the image is; empty for the full one.
    """
    _write_table(folder, f"{stem}_comp.csv", "askap_catalogue", sources, SOURCES, survey)


def write_references(folder: RunFolder, stem: str, survey: Survey, references: pd.DataFrame) -> None:
    """Write the survey's sources on the image.

    Parameters
    ----------
    folder : RunFolder
        The results folder.
    stem : str
        Name of the image without ``.fits``.
    survey : Survey
        The survey.
    references : pandas.DataFrame
        ``schema.REFERENCES``.
    """
    name = f"{stem}_{survey.name.lower()}_comp.csv"
    _write_table(folder, name, "survey_catalogue", references, REFERENCES, survey.name)


def write_crossmatch(folder: RunFolder, stem: str, survey: Survey, kind: str, rows: pd.DataFrame) -> None:
    """Write a crossmatch: each catalogue source with its nearest ASKAP source at any distance.

    Parameters
    ----------
    folder : RunFolder
        The results folder.
    stem : str
        Name of the image without ``.fits``.
    survey : Survey
        The survey.
    kind : str
        ``"diagnostic"`` or ``"transient"``.
    rows : pandas.DataFrame
        Crossmatch rows.
    """
    name = f"{stem}_{survey.name.lower()}_askap_crossmatch_{kind}.csv"
    _write_table(folder, name, f"{kind}_crossmatch", rows, PAIRS, survey.name)


def write_transients(folder: RunFolder, rows: pd.DataFrame) -> None:
    """Write the master table and one file for each category.

    Parameters
    ----------
    folder : RunFolder
        The results folder.
    rows : pandas.DataFrame
        All rows of the three categories.
    """
    for category, name in CATEGORY_FILES.items():
        _write_table(folder, name, "category", rows[rows["type"] == category], CROSSMATCHES)
    _write_table(folder, MASTER, "master", rows, CROSSMATCHES)
    folder.write(MASTER_VOTABLE, lambda path: write_votable(rows, CROSSMATCHES, path))
    folder.add_product(MASTER_VOTABLE, "master_votable")


# The part of a crossmatch row that exists before any transient search.
PAIRS = tuple(
    column
    for column in CROSSMATCHES
    if column.name in {"survey", "ra", "dec", "separation", "ra_offset", "dec_offset", "ratio", "ln_ratio", "rescued"}
    or (column.name.startswith(("askap_", "ref_")) and column.name != "ref_origin")
)
