"""What a run found of the truth: recall of each kind, reasons of losses, false candidates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from racs_transients import sky
from racs_transients.simulate.observation import edge_rise
from racs_transients.simulate.settings import FieldSettings
from racs_transients.surveys import frequency_factor

KINDS = ("new", "vanished", "variable")
_MATCH_RADIUS = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Completeness:
    """Recall and false candidates of one field.

    Parameters
    ----------
    transients : pandas.DataFrame
        True transients with found, blocked (a real neighbour within the survey's beam), snr (brighter
        flux over the noise, the smaller of both bands) and reason (of a loss).
    false : pandas.DataFrame
        Candidates that are no transient, with what they are and whether their true flux changed by the
        candidate ratio all the same.
    area : float
        deg².
    """

    transients: pd.DataFrame
    false: pd.DataFrame
    area: float


def compare_with_truth(truth: pd.DataFrame, rows: pd.DataFrame, settings: FieldSettings) -> Completeness:
    """Compare the master table of a run with the truth.

    Parameters
    ----------
    truth : pandas.DataFrame
        ``truth.csv`` of the field.
    rows : pandas.DataFrame
        ``transients_master.csv`` of the run.
    settings : FieldSettings
        Of the field.

    Returns
    -------
    Completeness
        The result.
    """
    transients = truth[truth["kind"].isin(KINDS)].reset_index(drop=True)
    candidates = rows[rows["is_candidate"]].reset_index(drop=True)
    _, separation = sky.nearest(transients["ra"], transients["dec"], candidates["ra"], candidates["dec"])
    found = separation <= _MATCH_RADIUS
    transients = transients.assign(
        found=found,
        blocked=_is_blocked(transients, truth, settings),
        snr=_signal(transients, settings),
        reason=np.where(found, "", _reasons(transients, rows)),
    )
    return Completeness(transients, _false(candidates, truth, settings), settings.area)


def _signal(transients: pd.DataFrame, settings: FieldSettings) -> pd.Series:
    """Return the brighter flux, scaled to each band, over the noise of the band, the smaller of both."""
    factor = frequency_factor(settings.frequency, settings.reference.frequency)
    bright = np.maximum(transients["askap_flux"], transients["survey_flux"] / factor)
    east, north = sky.offsets(settings.ra, settings.dec, transients["ra"], transients["dec"])
    askap_noise = settings.rms * edge_rise(settings, east, north)
    survey_noise = settings.reference.rms.at(transients["dec"])
    return pd.Series(np.fmin(bright / askap_noise, bright * factor / survey_noise))


def _is_blocked(transients: pd.DataFrame, truth: pd.DataFrame, settings: FieldSettings) -> pd.Series:
    """Return whether another source of a tenth of the brighter flux lies within the survey's beam."""
    major, _, _ = settings.reference.beam_axes(transients["dec"])
    i, j, distance = sky.pairs_within(
        transients["ra"], transients["dec"], truth["ra"], truth["dec"], float(np.max(major, initial=0.0))
    )
    other = truth["truth_id"].to_numpy()[j] != transients["truth_id"].to_numpy()[i]
    bright = transients[["askap_flux", "survey_flux"]].max(axis=1).to_numpy()
    heavy = truth[["askap_flux", "survey_flux"]].max(axis=1).to_numpy()[j] >= 0.1 * bright[i]
    real = ~truth["kind"].str.startswith("artefact").to_numpy(bool)[j]
    blocked = np.zeros(len(transients), bool)
    blocked[i[other & real & heavy & (distance <= major[i])]] = True
    return pd.Series(blocked)


def _reasons(transients: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    if rows.empty:
        return np.full(len(transients), "no row", dtype=object)
    index, separation = sky.nearest(transients["ra"], transients["dec"], rows["ra"], rows["dec"])
    near = rows.iloc[index]
    words = near["type"] + ": " + near["flag"] + ", ratio " + near["ratio"].map("{:.2f}".format)
    return np.where(separation <= 45, words.to_numpy(object), "no row")


def _false(candidates: pd.DataFrame, truth: pd.DataFrame, settings: FieldSettings) -> pd.DataFrame:
    real = truth[truth["kind"].isin(KINDS)]
    _, to_real = sky.nearest(candidates["ra"], candidates["dec"], real["ra"], real["dec"])
    index, separation = sky.nearest(candidates["ra"], candidates["dec"], truth["ra"], truth["dec"])
    source = truth.iloc[index].reset_index(drop=True)
    # an artefact is in one band alone, which is no change of a source; nor is one farther off than a transient may be
    is_source = ~source["kind"].str.startswith("artefact").to_numpy(bool) & (separation <= _MATCH_RADIUS)
    factor = frequency_factor(settings.frequency, settings.reference.frequency)
    with np.errstate(divide="ignore"):
        change = np.exp(np.abs(np.log(source["askap_flux"] * factor / source["survey_flux"])))
    false = candidates.assign(kind=source["kind"], true_ratio=change, truly_changed=is_source & (change >= 2.0))
    return false[~(to_real <= _MATCH_RADIUS)].reset_index(drop=True)
