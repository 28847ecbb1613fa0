"""The words of a postage stamp: headline, figures, and the box of fluxes below each panel."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from racs_transients.crossmatch import MATCH, NO_ASKAP_MATCH
from racs_transients.flags import GOOD
from racs_transients.image import Image
from racs_transients.surveys import Survey

# as pandas gives a row: its columns could be anything, ours are strings
Row = Mapping[Hashable, Any] | Mapping[str, Any]

# How the origin of a flux is said
_ORIGINS = {"detected": "fitted", "catalogued": "catalogue", "forced": "measured"}


def number(value: float) -> str:
    """Return a flux or a noise with as many decimals as mean something.

    Parameters
    ----------
    value : float
        Any number.

    Returns
    -------
    str
        The number with a true minus sign, a dash where it is missing.
    """
    if pd.isna(value):
        return "–"
    decimals = 2 if abs(value) < 100 else 1 if abs(value) < 1000 else 0
    return f"{value:.{decimals}f}".replace("-", "−")


def _with_error(value: float, error: float) -> str:
    """Return a number to the second significant digit of its error, with two decimals at most."""
    if pd.isna(value) or pd.isna(error) or not error > 0:
        return f"{number(value)} ± {number(error)}"
    decimals = min(2, max(0, 1 - math.floor(math.log10(error))))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}".replace("-", "−")


def headline(row: Row) -> str:
    """Return the first line of a stamp.

    Parameters
    ----------
    row : mapping
        A row of the crossmatch.

    Returns
    -------
    str
        Category, number and name.
    """
    return f"{row['type']} {row['match_id']}   {row['name']}"


def place(row: Row) -> str:
    """Return where a row lies, in words.

    Parameters
    ----------
    row : mapping
        A row of the crossmatch.

    Returns
    -------
    str
        Equatorial and galactic coordinates.
    """
    words = f"{row['ra']:.4f}° {row['dec']:+.4f}°   l {row['gal_l']:.3f}° b {row['gal_b']:+.3f}°"
    return words.replace("-", "−")


def figures(row: Row) -> str:
    """Return the measures of change of a row.

    Parameters
    ----------
    row : mapping
        A row of the crossmatch.

    Returns
    -------
    str
        Ratio, Vs, m and the separation of a match.
    """
    limit = "≥ " if row["ratio_is_limit"] else ""
    ratio: str = _with_error(row["ratio"], row["ratio_err"]) if pd.notna(row["ratio_err"]) else number(row["ratio"])
    separation = f"   separation {row['separation']:.1f}″" if row["type"] == MATCH else ""
    change = f"ratio {limit}{ratio}   Vs {number(row['vs'])}   m {number(row['m'])}"
    return f"{row['survey']}{separation}   {change}"


def verdict(row: Row) -> str:
    """Return the flag of a row, and whether it is a candidate.

    Parameters
    ----------
    row : mapping
        A row of the crossmatch.

    Returns
    -------
    str
        A few words.
    """
    return f"{row['flag']}, candidate" if row["flag"] == GOOD and row["is_candidate"] else str(row["flag"])


def survey_title(row: Row) -> str:
    """Return the title of the survey's panel.

    Parameters
    ----------
    row : mapping
        A row of the crossmatch.

    Returns
    -------
    str
        The catalogue source, where there is one.
    """
    name = row["ref_name"]
    if pd.isna(name):
        return f"{row['survey']}: no catalogue source"
    return str(name) if str(name).startswith(str(row["survey"])) else f"{row['survey']} {name}"


def askap_title(row: Row, kind: str, *, native: bool = False) -> str:
    """Return the title of an ASKAP panel.

    Parameters
    ----------
    row : mapping
        A row of the crossmatch.
    kind : str
        ``"ASKAP"``, with the resolution where there are two.
    native : bool
        Whether it is the panel at full resolution beside a convolved one.

    Returns
    -------
    str
        The ASKAP source, where there is one.
    """
    if native:
        return f"{kind}, full resolution"
    return f"{kind}: no source" if row["type"] == NO_ASKAP_MATCH else f"{kind}: {row['askap_name']}"


def image_note(image: Image) -> str:
    """Return what an image is.

    Parameters
    ----------
    image : Image
        The image.

    Returns
    -------
    str
        Frequency, beam and file.
    """
    name = image.path.name
    # a convolved image's name differs at its end
    name = name if len(name) <= 36 else f"{name[:13]}…{name[-22:]}"
    return f"{image.frequency:.0f} MHz, {image.beam.major:.1f}″ × {image.beam.minor:.1f}″, {name}"


def survey_box(row: Row) -> tuple[str, ...]:
    """Return the lines below the survey's panel.

    Parameters
    ----------
    row : mapping
        A row of the crossmatch.

    Returns
    -------
    tuple of str
        Flux, noise and signal to noise.
    """
    if row["ref_origin"] == "limit":
        flux = f"Sint < {number(row['ref_flux'])} mJy (completeness of the catalogue)"
    else:
        flux = _flux(row, "ref")
    expected: str = f"   expected S/N {row['predicted_snr']:.1f}" if pd.isna(row["ref_name"]) else ""
    return flux, _noise(row, "ref") + expected, *_failure(row)


def askap_box(row: Row, survey: Survey, *, convolved: bool) -> tuple[str, ...]:
    """Return the lines below the panel of the ASKAP image that is compared.

    Parameters
    ----------
    row : mapping
        A row of the crossmatch.
    survey : Survey
        The survey.
    convolved : bool
        Whether that image is a convolved one.

    Returns
    -------
    tuple of str
        Flux, flux at the survey's frequency, noise and signal to noise.
    """
    if pd.isna(row["askap_flux"]):
        return "not measured", f"image median {number(row['image_rms'])} mJy/beam"
    flux = _flux(row, "askap")
    if not convolved and row["askap_origin"] == "forced":
        # the comparison without a convolved image measures at the survey's resolution
        flux += f"; unconvolved {_with_error(row['native_flux'], row['native_flux_err'])}"
    noise = f"{_noise(row, 'askap')}   image median {number(row['image_rms'])}"
    return flux, _scaled(row, "askap", survey), noise


def native_box(row: Row, survey: Survey) -> tuple[str, ...]:
    """Return the lines below the panel of the ASKAP image at full resolution.

    Parameters
    ----------
    row : mapping
        A row of the crossmatch.
    survey : Survey
        The survey.

    Returns
    -------
    tuple of str
        Flux, flux at the survey's frequency and noise; or that there is none.
    """
    if pd.isna(row["native_flux"]):
        return ("no counterpart" if row["askap_origin"] == "detected" else "not measured",)
    return _flux(row, "native"), _scaled(row, "native", survey), f"rms {number(row['native_rms'])} mJy/beam"


def _flux(row: Row, side: str) -> str:
    origin = row[f"{side}_origin"]
    if pd.isna(origin):
        return "Sint –"
    words = f"Sint {_with_error(row[f'{side}_flux'], row[f'{side}_flux_err'])} mJy"
    return f"{words} ({_ORIGINS[origin]})" if origin in _ORIGINS else words


def _scaled(row: Row, side: str, survey: Survey) -> str:
    scaled = _with_error(row[f"{side}_scaled_flux"], row[f"{side}_scaled_flux_err"])
    return f"at {survey.frequency:.0f} MHz {scaled} mJy"


def _noise(row: Row, side: str) -> str:
    return f"rms {number(row[f'{side}_rms'])} mJy/beam   S/N {number(row[f'{side}_snr'])}"


def _failure(row: Row) -> tuple[str, ...]:
    return () if pd.isna(row["failure"]) else (str(row["failure"]),)
