"""Source lists as annotations for image viewers: kvis (``.ann``) and DS9 (``.reg``)."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

# As documented for the lists; candidates are new here
KVIS_COLOURS = {"raw": "RED", "survey": "GREEN", "askap": "BLUE", "candidates": "MAGENTA"}
_KVIS_HEADER = "COORD W\nPA SKY\nCOLOR {colour}\nFONT hershey14"
_DS9_HEADER = "# Region file format: DS9 version 4.1\nglobal color={colour} width=1\nicrs"
# Radius of the circle round a candidate: that of the postage stamps' circles, arcsec
CANDIDATE_RADIUS = 60.0


def ellipses(sources: pd.DataFrame) -> pd.DataFrame:
    """Return the ellipses that stand for sources.

    Parameters
    ----------
    sources : pandas.DataFrame
        ``schema.SOURCES`` or ``schema.REFERENCES``: name; ra, dec, degrees; major, minor (FWHM) and beam_major,
        beam_minor, arcsec; pa and beam_pa, degrees.

    Returns
    -------
    pandas.DataFrame
        Columns name; ra, dec, degrees; major, minor: FWHM, degrees; pa, degrees from north through east. A source
        without a size has the beam's.
    """
    unknown = sources[["major", "minor"]].isna().any(axis=1)
    return pd.DataFrame(
        {
            "name": sources["name"],
            "ra": sources["ra"],
            "dec": sources["dec"],
            "major": sources["major"].mask(unknown, sources["beam_major"]) / 3600,
            "minor": sources["minor"].mask(unknown, sources["beam_minor"]) / 3600,
            "pa": sources["pa"].mask(unknown, sources["beam_pa"]).fillna(0.0),
        }
    )


def candidate_circles(rows: pd.DataFrame) -> pd.DataFrame:
    """Return circles round the candidates.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``schema.CROSSMATCHES``.

    Returns
    -------
    pandas.DataFrame
        As `ellipses`, named by category and name of the row.
    """
    chosen = rows[rows["is_candidate"]]
    diameter = 2 * CANDIDATE_RADIUS / 3600
    return chosen[["ra", "dec"]].assign(
        name=chosen["type"] + " " + chosen["name"], major=diameter, minor=diameter, pa=0.0
    )


def write_kvis(table: pd.DataFrame, path: Path, *, colour: str) -> None:
    """Write an annotation file for kvis.

    Parameters
    ----------
    table : pandas.DataFrame
        From `ellipses` or `candidate_circles`.
    path : pathlib.Path
        The file.
    colour : str
        One of kvis's names.

    Notes
    -----
    ``ELLIPSE`` takes the two semi-axes in degrees and the position angle of the first. With ``PA SKY`` the angle
    counts from north through east; with ``PA STANDARD``, kvis's setting at start, from the horizontal axis
    anticlockwise. Karma User Manual, appendix D; ASKAPsoft's Selavy (halved axes under ``PA SKY``) and
    Aegean's ``ann`` output (``PA SKY`` with the position angle as in its catalogue) do the same.
    """
    lines = _lines(table[["ra", "dec"]], _half(table), table[["pa"]], form="ELLIPSE %.6f %.6f %.6f %.6f %.2f")
    path.write_text(f"{_KVIS_HEADER.format(colour=colour)}\n{lines}", encoding="utf-8")


def write_ds9(table: pd.DataFrame, path: Path, *, colour: str) -> None:
    """Write a region file for DS9 and what reads its format.

    Parameters
    ----------
    table : pandas.DataFrame
        From `ellipses` or `candidate_circles`.
    path : pathlib.Path
        The file.
    colour : str
        One of DS9's names.

    Notes
    -----
    ``ellipse(ra, dec, radius, radius, angle)``: the first radius lies along the horizontal axis turned
    anticlockwise by the angle, so the angle of the major axis is its position angle + 90° (DS9 reference manual,
    Regions; Aegean's ``reg`` output subtracts 90°, the same axis).
    """
    angle = (table[["pa"]] + 90) % 180
    names = table[["name"]].fillna("").replace(r"[{}\r\n]", " ", regex=True)
    form = 'ellipse(%.6f,%.6f,%.3f",%.3f",%.2f) # text={%s}'
    lines = _lines(table[["ra", "dec"]], _half(table) * 3600, angle, names, form=form)
    path.write_text(f"{_DS9_HEADER.format(colour=colour)}\n{lines}", encoding="utf-8")


def _half(table: pd.DataFrame) -> pd.DataFrame:
    return table[["major", "minor"]] / 2


def _lines(*parts: pd.DataFrame, form: str) -> str:
    values = pd.concat([part.astype(object) for part in parts], axis=1)
    stream = StringIO()
    np.savetxt(stream, values.to_numpy(object), fmt=form)
    return stream.getvalue()
