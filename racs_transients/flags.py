"""The registry of flags: what makes a row of the crossmatch untrustworthy, and how much.

A flag is data: its bit, the words the review site shows, what it means, a rule on columns, the
categories it applies to, and whether it removes the row from the candidates (veto) or only warns
(caution). Every flag that applies is kept; the first veto in the category's order is the primary one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from racs_transients.config import FlagSettings
from racs_transients.crossmatch import MATCH, NO_ASKAP_MATCH, NO_CATALOGUE_MATCH

BoolArray = NDArray[np.bool_]
GOOD = "Good"


class Severity(StrEnum):
    """What a flag does to a row."""

    VETO = "veto"
    CAUTION = "caution"


@dataclass(frozen=True, slots=True)
class Flag:
    """One entry of the registry.

    Parameters
    ----------
    bit : int
        Position of the flag in ``flag_bits``; never reused.
    name : str
        The words shown to people.
    description : str
        What the flag says of a row, in one sentence.
    severity : Severity
        Veto or caution.
    categories : tuple of str
        The ``type`` values it applies to.
    rule : callable
        Rows of the crossmatch and thresholds to a boolean column.
    """

    bit: int
    name: str
    description: str
    severity: Severity
    categories: tuple[str, ...]
    rule: Callable[[pd.DataFrame, FlagSettings], pd.Series]


def _extended(rows: pd.DataFrame, side: str, threshold: float) -> pd.Series:
    return (rows[f"{side}_major"] > threshold * rows[f"{side}_beam_major"]) | (
        rows[f"{side}_minor"] > threshold * rows[f"{side}_beam_minor"]
    )


def _is_extended(rows: pd.DataFrame, t: FlagSettings) -> pd.Series:
    return _extended(rows, "askap", t.extended_thresh) | _extended(rows, "ref", t.extended_thresh)


def _is_large(rows: pd.DataFrame, t: FlagSettings) -> pd.Series:
    return rows["ratio"] >= t.candidate_min_ratio


def _is_double(rows: pd.DataFrame, t: FlagSettings) -> pd.Series:
    same_island = (rows["askap_island_components"] > 1).fillna(False) & (rows["type"] == NO_CATALOGUE_MATCH)
    explained: pd.Series = rows["blend_explains"] >= t.blend_explains
    # what the blend leaves of a catalogue source's change must not be a candidate itself
    left = (1 - rows["blend_explains"]) * rows["ln_ratio"].abs() < np.log(t.candidate_min_ratio)
    explained &= left | (rows["type"] == NO_CATALOGUE_MATCH)
    # a small change may be "explained" by chance
    double: pd.Series = same_island | (_is_large(rows, t) & explained)
    return double


def _has_neighbour(rows: pd.DataFrame, t: FlagSettings) -> pd.Series:
    return rows["askap_nn_separation"] <= t.double_separation


def _is_near_bright(rows: pd.DataFrame, t: FlagSettings) -> pd.Series:
    own = rows[["askap_scaled_flux", "ref_scaled_flux"]].max(axis=1)
    near = own < t.bright_near_fraction * rows["bright_flux"]
    # from afar only a catalogue is spoilt: in the image itself the measured noise already follows artefacts
    far = (own < t.bright_far_fraction * rows["bright_sum"]) & (rows["type"] == NO_ASKAP_MATCH)
    return near | far


def _is_bright_structure(rows: pd.DataFrame, t: FlagSettings) -> pd.Series:
    # a compact source that bright would have been found, so it is no compact source
    bright = rows["askap_flux_peak"] > t.bright_extended_snr * rows["image_rms"]
    return bright | (rows["askap_flux"] > t.unfound_snr * rows["askap_rms"])


def _is_noisy(rows: pd.DataFrame, t: FlagSettings) -> pd.Series:
    unseen = (rows["type"] == NO_ASKAP_MATCH) & (rows["predicted_snr"] < t.local_rms_snr)
    # neither a source that a finder makes of such a place nor the lack of one is to be trusted
    # (without convolution a forced flux has the noise of the survey's resolution beside that of the image)
    rms = rows["askap_rms"].where(rows["native_beam_major"].notna(), rows["native_rms"].fillna(rows["askap_rms"]))
    return unseen | (rms > t.local_rms_factor * rows["image_rms"])


def _has_counterpart(rows: pd.DataFrame, t: FlagSettings) -> pd.Series:
    return rows["native_separation"] < t.created_beams * rows["native_beam_major"]


def _is_created(rows: pd.DataFrame, t: FlagSettings) -> pd.Series:
    # without convolution there is no full-resolution beam beside the image's
    return rows["native_beam_major"].notna() & ~_has_counterpart(rows, t)


def _is_inflated(rows: pd.DataFrame, t: FlagSettings) -> pd.Series:
    return _has_counterpart(rows, t) & (rows["native_predicted_snr"] < t.inflated_snr)


def _is_flux_convolved(rows: pd.DataFrame, t: FlagSettings) -> pd.Series:
    isolated = rows["native_nn_separation"] > t.convolved_isolation_beams * rows["native_beam_major"]
    ratio = rows["askap_flux"] / rows["native_flux"]
    changed = (ratio > t.convolved_flux_ratio) | (ratio < 1 / t.convolved_flux_ratio)
    return isolated & _has_counterpart(rows, t) & changed & ~rows["rescued"]


def _peak_disagrees(rows: pd.DataFrame, t: FlagSettings) -> pd.Series:
    return _is_large(rows, t) != (rows["ratio_peak"] >= t.candidate_min_ratio)


_ALL = (MATCH, NO_ASKAP_MATCH, NO_CATALOGUE_MATCH)

FLAGS: tuple[Flag, ...] = (
    Flag(
        0,
        "Failed",
        "A flux or its error could not be measured, so there is no ratio or no Vs",
        Severity.VETO,
        _ALL,
        # without Vs nothing could say that a large ratio is noise
        lambda rows, _: rows["ratio"].isna() | rows["vs_abs"].isna(),
    ),
    Flag(
        1,
        "Edge of ASKAP image",
        "The position lies near blank pixels or the border of the ASKAP image",
        Severity.VETO,
        _ALL,
        lambda rows, _: rows["on_edge"],
    ),
    Flag(
        2,
        "Extended source",
        "The source is larger than the beam on either side of the comparison",
        Severity.VETO,
        _ALL,
        _is_extended,
    ),
    Flag(
        3,
        "Large island source",
        "The source belongs to an island of many components",
        Severity.VETO,
        _ALL,
        lambda rows, t: (rows["askap_island_components"] >= t.large_island_components).fillna(False),
    ),
    Flag(
        4,
        "Likely artefact (bright source)",
        "A bright source is close enough, or bright enough from afar, to make artefacts here",
        Severity.VETO,
        (NO_ASKAP_MATCH, NO_CATALOGUE_MATCH),
        _is_near_bright,
    ),
    Flag(
        5,
        "Likely bright extended structure",
        "No ASKAP source was found although the image is bright here",
        Severity.VETO,
        (NO_ASKAP_MATCH,),
        _is_bright_structure,
    ),
    Flag(
        6,
        "Local RMS too high",
        "The ASKAP image is too noisy here to show the catalogue source, or too disturbed to be trusted",
        Severity.VETO,
        (NO_ASKAP_MATCH, NO_CATALOGUE_MATCH),
        _is_noisy,
    ),
    Flag(
        7,
        "Likely double",
        "A neighbour in the same island, or the blend of neighbours in the survey's beam, explains the change",
        Severity.VETO,
        _ALL,
        _is_double,
    ),
    Flag(
        8,
        "Created convolved source",
        "The source appears only after convolution",
        Severity.VETO,
        (NO_CATALOGUE_MATCH,),
        _is_created,
    ),
    Flag(
        9,
        "Inflated convolved flux error",
        "At full resolution the source is too faint for the survey",
        Severity.VETO,
        (NO_CATALOGUE_MATCH,),
        _is_inflated,
    ),
    Flag(
        10,
        "Flux convolved error",
        "Convolution changed the flux of an isolated source",
        Severity.CAUTION,
        (MATCH, NO_CATALOGUE_MATCH),
        _is_flux_convolved,
    ),
    Flag(
        11,
        "Close neighbour",
        "Another ASKAP source lies within 2.5 survey beams",
        Severity.CAUTION,
        (NO_CATALOGUE_MATCH,),
        _has_neighbour,
    ),
    Flag(
        12,
        "Peak and integrated disagree",
        "Only one of peak and integrated flux shows the change",
        Severity.CAUTION,
        (MATCH, NO_ASKAP_MATCH),
        _peak_disagrees,
    ),
    Flag(
        13,
        "Survey limit only",
        "There is no survey image: the ratio compares with the catalogue's completeness limit",
        Severity.CAUTION,
        (NO_CATALOGUE_MATCH,),
        lambda rows, _: rows["ref_origin"] == "limit",
    ),
    Flag(
        14,
        "Large ratio not significant",
        "The ratio is large but the difference of the fluxes is within their errors",
        Severity.VETO,
        _ALL,
        lambda rows, t: _is_large(rows, t) & (rows["vs_abs"] < t.min_significance),
    ),
)

_LAST = ("Large ratio not significant",)
PRIMARY_ORDER: dict[str, tuple[str, ...]] = {
    MATCH: ("Failed", "Edge of ASKAP image", "Extended source", "Large island source", "Likely double", *_LAST),
    NO_ASKAP_MATCH: (
        "Failed",
        "Likely artefact (bright source)",
        "Likely double",
        "Large island source",
        "Likely bright extended structure",
        "Local RMS too high",
        "Extended source",
        "Edge of ASKAP image",
        *_LAST,
    ),
    NO_CATALOGUE_MATCH: (
        "Failed",
        "Likely artefact (bright source)",
        "Likely double",
        "Extended source",
        "Large island source",
        "Edge of ASKAP image",
        "Local RMS too high",
        "Created convolved source",
        "Inflated convolved flux error",
        *_LAST,
    ),
}
_BY_NAME = {flag.name: flag for flag in FLAGS}
VETO_MASK = sum(1 << flag.bit for flag in FLAGS if flag.severity is Severity.VETO)


def flag_bits(rows: pd.DataFrame, settings: FlagSettings) -> NDArray[np.int64]:
    """Return all flags that apply to each row.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of the crossmatch with the columns that the rules read.
    settings : FlagSettings
        Thresholds.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Bits of `FLAGS`.
    """
    bits = np.zeros(len(rows), np.int64)
    for flag in FLAGS:
        applies = rows["type"].isin(flag.categories) & flag.rule(rows, settings)
        bits |= applies.to_numpy(bool).astype(np.int64) << flag.bit
    return bits


def primary_flag(category: pd.Series, bits: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the words of the first veto in the order of the row's category.

    Parameters
    ----------
    category : pandas.Series
        The ``type`` of each row.
    bits : numpy.ndarray of int, shape (n,)
        From `flag_bits`.

    Returns
    -------
    numpy.ndarray of str, shape (n,)
        ``"Good"`` where no veto applies.
    """
    words = np.full(len(bits), GOOD, dtype=object)
    for name, order in PRIMARY_ORDER.items():
        here = (category == name).to_numpy(bool)
        for flag in reversed(order):
            words[here & (bits >> _BY_NAME[flag].bit & 1 == 1)] = flag
    return words


def is_vetoed(bits: NDArray[np.int64]) -> BoolArray:
    """Return which rows have at least one veto.

    Parameters
    ----------
    bits : numpy.ndarray of int, shape (n,)
        From `flag_bits`.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        True where a veto applies.
    """
    return np.asarray(bits & VETO_MASK != 0)


def names_of(bits: int) -> tuple[str, ...]:
    """Return the words of all flags in a set of bits.

    Parameters
    ----------
    bits : int
        From `flag_bits`.

    Returns
    -------
    tuple of str
        In the order of the registry.
    """
    return tuple(flag.name for flag in FLAGS if bits >> flag.bit & 1)
