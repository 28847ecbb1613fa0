"""The stages that pair the lists and measure flux scale and astrometry from the pairs."""

from __future__ import annotations

import logging
import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from racs_transients.calibration import MIN_PAIRS, Calibration, calibrate
from racs_transients.comparison import (
    FluxScaling,
    flux_scaling,
    match_rows,
)
from racs_transients.config import Crossmatching
from racs_transients.crossmatch import Association, associate, compact
from racs_transients.native import hidden_matches
from racs_transients.schema import CROSSMATCHES
from racs_transients.stages.run import Field, Run
from racs_transients.survey_options import of_survey
from racs_transients.surveys import Survey
from racs_transients.tables import conform, stack

logger = logging.getLogger(__name__)

# No calibration is that far off, nor are that many sources variable
_LARGEST_FLUX_SCALE, _PAIRS_THAT_SAY_SO = 3.0, 5


def scaling_of(field: Field, run: Run, calibration: Calibration | None) -> FluxScaling:
    """Return how ASKAP fluxes of the image become fluxes of the survey.

    Parameters
    ----------
    field : Field
        Image and survey.
    run : Run
        Options.
    calibration : Calibration, optional
        Flux scale to divide out, where the options want that.

    Returns
    -------
    FluxScaling
        Factor and error.
    """
    options = run.config.analysis
    return flux_scaling(
        field.image.frequency,
        field.survey,
        spectral_index=options.spectral_index,
        spectral_index_err=options.spectral_index_err,
        calibration=calibration if options.correct_flux_scale else None,
    )


def _all_pairs(sources: pd.DataFrame, references: pd.DataFrame, survey: Survey, scaling: FluxScaling) -> pd.DataFrame:
    """Return each catalogue source with its nearest ASKAP source at any distance, compared by itself.

    Catalogue sources that have the nearest ASKAP source in common are no group here: it may be far from each.
    """
    rows = match_rows(associate(references, sources, np.inf), sources, references, survey, scaling)
    flux, error = rows["ref_flux_int"], rows["ref_flux_int_err"]
    rows = rows.assign(ref_flux=flux, ref_scaled_flux=flux, ref_flux_err=error, ref_scaled_flux_err=error)
    ln_ratio = np.log(rows["askap_scaled_flux"]) - np.log(flux)
    return conform(
        rows.drop(columns=["askap_group", "ref_group_flux"]).assign(ln_ratio=ln_ratio, ratio=np.exp(np.abs(ln_ratio))),
        CROSSMATCHES,
    )


def diagnostic_crossmatch(field: Field, run: Run) -> tuple[pd.DataFrame, Calibration]:
    """Pair the lists for the diagnostics, and measure flux scale and astrometry from the good pairs.

    Parameters
    ----------
    field : Field
        Both lists.
    run : Run
        Options.

    Returns
    -------
    pairs : pandas.DataFrame
        Each catalogue source with its nearest ASKAP source; extended ones left out where the options
        want that.
    calibration : Calibration
        What the pairs say of flux scale and astrometry.
    """
    options, survey = run.config.crossmatching, field.survey
    sources, references = field.sources, field.references
    with run.stages(f"{survey.name} diagnostic crossmatch") as done:
        if options.remove_extended:
            sources = sources[compact(sources, options.askap_ext_thresh)].reset_index(drop=True)
            references = references[compact(references, of_survey(run.config, survey, "ext_thresh"))].reset_index(
                drop=True
            )
        pairs = _all_pairs(sources, references, survey, scaling_of(field, run, None))
        near = (pairs["separation"] <= options.diagnostic_max_separation).to_numpy()
        reliable = _isolated_and_bright(pairs)
        calibration = calibrate(pairs["ln_ratio"], pairs["ra_offset"], pairs["dec_offset"], near & reliable)
        run.folder.survey(survey.name).update(calibration=calibration.to_dict(), references=len(field.references))
        _check_unit(pairs.loc[near, "ln_ratio"], survey.name)
        _check_astrometry(pairs[reliable], survey.name, options)
        done(f"{near.sum()} pairs within {options.diagnostic_max_separation:g}″; " + _words(calibration, survey.name))
    return pairs, calibration


def _words(found: Calibration, survey: str) -> str:
    if found.pairs < MIN_PAIRS:
        return f"{found.pairs} good ones, fewer than the {MIN_PAIRS} that flux scale and offset are measured from"
    offset = f"{found.ra_offset:+.2f}″ {found.dec_offset:+.2f}″"
    return f"ASKAP/{survey} flux {found.flux_scale:.3f}, offset {offset} from {found.pairs} good ones"


def _check_astrometry(pairs: pd.DataFrame, survey: str, options: Crossmatching) -> None:
    """Warn where bright sources lie farther from their catalogue positions than the diagnostic radius."""
    matched = pairs[pairs["separation"] <= options.transient_max_separation]
    if len(matched) >= MIN_PAIRS and matched["separation"].median() > options.diagnostic_max_separation:
        logger.warning(
            "%d bright isolated sources lie %+.1f″ east and %+.1f″ north of where %s has them in the median, "
            "farther than --diagnostic-max-separation (%g″), so that neither flux scale nor offset is measured from "
            "them; is the image's astrometry off?",
            len(matched),
            matched["ra_offset"].median(),
            matched["dec_offset"].median(),
            survey,
            options.diagnostic_max_separation,
        )


def _check_unit(ln_ratio: pd.Series, survey: str) -> None:
    """Warn where the fluxes of both sides differ by more than any calibration: a scale divided out would hide it."""
    if len(ln_ratio) >= _PAIRS_THAT_SAY_SO and abs(ln_ratio.median()) > math.log(_LARGEST_FLUX_SCALE):
        logger.warning(
            "the fluxes of ASKAP and %s differ by a factor %.3g in the median of %d pairs; is one of them in another "
            "unit (Jy for mJy) or frequency?",
            survey,
            math.exp(ln_ratio.median()),
            len(ln_ratio),
        )


def _isolated_and_bright(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which pairs measure the flux scale: alone in two beams, compact, ten times the noise."""
    alone = ~(rows["askap_nn_separation"] < 90) & ~(rows["ref_nn_separation"] < 2 * rows["ref_beam_major"])
    large = (rows["askap_major"] > 1.5 * rows["askap_beam_major"]) | (rows["ref_major"] > 1.2 * rows["ref_beam_major"])
    bright = (rows["ref_flux_int"] > 10 * rows["ref_rms"]) & (rows["askap_snr"] > 10)
    return (alone & ~large & bright).to_numpy(bool)


def transient_crossmatch(field: Field, scaling: FluxScaling, run: Run) -> tuple[Association, Association, pd.DataFrame]:
    """Match the full lists.

    Parameters
    ----------
    field : Field
        Both lists.
    scaling : FluxScaling
        ASKAP to survey frequency.
    run : Run
        Options.

    Returns
    -------
    association : Association
        Who is matched with whom.
    hidden : Association
        Who is matched with a full-resolution source that convolution hid; nobody without convolution.
    pairs : pandas.DataFrame
        Each catalogue source with its nearest ASKAP source.
    """
    sources, references, name = field.sources, field.references, field.survey.name
    radius = run.config.crossmatching.transient_max_separation
    with run.stages(f"{name} transient crossmatch") as done:
        association = associate(references, sources, radius)
        pairs = _all_pairs(sources, references, field.survey, scaling)
        native = sources.iloc[:0] if field.native is None else field.native.sources
        hidden = hidden_matches(references, sources, native, association, radius)
        if hidden.matched.any():
            finer = _all_pairs(native, references, field.survey, scaling)[hidden.matched].assign(rescued=True)
            # without any source in the convolved image there are no pairs at all
            others = pairs[~pairs["ref_source_id"].isin(finer["ref_source_id"])]
            pairs = stack([others, finer], CROSSMATCHES)
        run.folder.survey(name)["rescued"] = int(hidden.matched.sum())
        done(
            f"{len(references)} {name}, {len(sources)} ASKAP, {association.matched.sum()} matched"
            + (f" and {hidden.matched.sum()} at full resolution" if field.native is not None else "")
            + f", {(~association.matched & ~hidden.matched).sum()} {name} only, "
            f"{len(association.unmatched_sources)} ASKAP only"
        )
    return association, hidden, pairs
