"""The stage that writes annotation files, where they are asked for."""

from __future__ import annotations

import pandas as pd

from racs_transients.annotations import KVIS_COLOURS, candidate_circles, ellipses, write_ds9, write_kvis
from racs_transients.stages.run import Field, Run
from racs_transients.surveys import Survey


def annotate(field: Field, rows: pd.DataFrame, run: Run) -> int:
    """Write the lists of a comparison, and its candidates, for kvis and DS9.

    Parameters
    ----------
    field : Field
        Both lists.
    rows : pandas.DataFrame
        ``schema.CROSSMATCHES``.
    run : Run
        Options and results folder.

    Returns
    -------
    int
        Number of files; 0 where they are not asked for.
    """
    if not run.config.catalogues.write_ann:
        return 0
    survey = field.survey.name
    lists = {survey.lower(): ("survey", ellipses(field.references))}
    if field.native is None:
        lists["askap"] = ("askap", ellipses(field.sources))
    else:
        lists |= {
            "askap": ("askap", ellipses(field.native.sources)),
            f"askap_{survey.lower()}": ("askap", ellipses(field.sources)),
        }
    if run.config.transients.transients:
        lists[f"candidates_{survey.lower()}"] = ("candidates", candidate_circles(rows))
    for name, (kind, table) in lists.items():
        _write(name, KVIS_COLOURS[kind], table, survey, run)
    return 2 * len(lists)


def annotate_raw(catalogue: pd.DataFrame, survey: Survey, run: Run) -> None:
    """Write a catalogue as fetched, beyond the image, where that is asked for.

    Parameters
    ----------
    catalogue : pandas.DataFrame
        ``schema.REFERENCES``.
    survey : Survey
        The survey.
    run : Run
        Options and results folder.
    """
    if run.config.catalogues.write_ann:
        _write(f"{survey.name.lower()}_raw", KVIS_COLOURS["raw"], ellipses(catalogue), survey.name, run)


def _write(name: str, colour: str, table: pd.DataFrame, survey: str, run: Run) -> None:
    run.folder.write(f"{name}.ann", lambda path: write_kvis(table, path, colour=colour))
    run.folder.write(f"{name}.reg", lambda path: write_ds9(table, path, colour=colour.lower()))
    for ending in ("ann", "reg"):
        run.folder.add_product(f"{name}.{ending}", "annotation", survey=survey)
