"""The stages that compare fluxes: of matches, of what ASKAP lacks, of what the survey lacks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from racs_transients import sky
from racs_transients.calibration import Calibration
from racs_transients.comparison import (
    FluxScaling,
    match_rows,
    no_askap_rows,
    no_catalogue_rows,
    survey_limits,
)
from racs_transients.crossmatch import Association
from racs_transients.mosaics import index_mosaics, measure_on_mosaics
from racs_transients.photometry import convolved_forced_photometry
from racs_transients.stages.run import Field, Run
from racs_transients.survey_options import of_survey

# An ASKAP source this near tells which island an unmatched catalogue source lies in, arcsec
ISLAND_REACH = 60.0


def compare_vanished(
    field: Field, association: Association, scaling: FluxScaling, calibration: Calibration, run: Run
) -> pd.DataFrame:
    """Measure the image at the survey's resolution where the catalogue has a source and ASKAP none.

    Parameters
    ----------
    field : Field
        Both sides.
    association : Association
        Who is matched.
    scaling : FluxScaling
        ASKAP to survey frequency.
    calibration : Calibration
        Astrometric offset of the image.
    run : Run
        Log.

    Returns
    -------
    pandas.DataFrame
        Rows of the category noaskapmatch.
    """
    survey = field.survey
    with run.stages(f"ASKAP at {survey.name}-only sources") as done:
        missing = field.references[~association.matched].reset_index(drop=True)
        dec = missing["dec"] + calibration.dec_offset / 3600
        ra = missing["ra"] + calibration.ra_offset / 3600 / np.cos(np.deg2rad(missing["dec"]))
        axes, flux_error = survey.beam_axes(missing["dec"]), run.config.analysis.askap_flux_error
        neighbours = field.sources[["ra", "dec"]]
        alone = convolved_forced_photometry(field.image, field.noise, ra, dec, axes)
        forced = convolved_forced_photometry(
            field.image, field.noise, ra, dec, axes, neighbours=neighbours, flux_error=flux_error
        ).assign(map_value=alone["flux"])
        rows = no_askap_rows(missing, forced, _islands_near(missing, field.sources), survey, scaling)
        done(f"{len(rows)} positions, {rows['failure'].notna().sum()} failed")
    return rows


def _islands_near(positions: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Return the island of the nearest ASKAP source, missing where that is too far to matter."""
    index, separation = sky.nearest(positions["ra"], positions["dec"], sources["ra"], sources["dec"])
    columns = ["island_id", "island_components"]
    near = sources[columns].reindex(np.where(separation <= ISLAND_REACH, index, -1)).reset_index(drop=True)
    return near.assign(nn_separation=separation)


def compare_matches(field: Field, association: Association, scaling: FluxScaling) -> pd.DataFrame:
    """Compare the fluxes of the matches.

    Parameters
    ----------
    field : Field
        Both lists.
    association : Association
        Who is matched.
    scaling : FluxScaling
        ASKAP to survey frequency.

    Returns
    -------
    pandas.DataFrame
        Rows of the category match.
    """
    return match_rows(association, field.sources, field.references, field.survey, scaling)


def compare_new(field: Field, association: Association, scaling: FluxScaling, run: Run) -> pd.DataFrame:
    """Measure the survey where ASKAP has a source that it should have seen; count those too faint.

    Parameters
    ----------
    field : Field
        Both sides.
    association : Association
        Who is matched.
    scaling : FluxScaling
        ASKAP to survey frequency.
    run : Run
        Options.

    Returns
    -------
    pandas.DataFrame
        Rows of the category nocatalogmatch.
    """
    survey, counts = field.survey, run.folder.survey(field.survey.name)
    threshold = run.config.transients.transients_askap_snr_thresh
    with run.stages(f"{survey.name} at ASKAP-only sources") as done:
        lacking = field.sources.iloc[association.unmatched_sources]
        covered = lacking[survey.contains(lacking["ra"], lacking["dec"])].reset_index(drop=True)
        expected, _ = scaling.apply(covered["flux_int"], covered["flux_int_err"])
        # half the threshold: the noise of a mosaic may lie below the typical one
        worth = covered[expected >= threshold / 2 * survey.rms.at(covered["dec"])].reset_index(drop=True)
        rows = no_catalogue_rows(worth, _survey_at(worth, field, run), survey, scaling)
        seen = ~(rows["predicted_snr"] < threshold)
        counts["askap_only_too_faint"] = len(covered) - int(seen.sum())
        counts["askap_only_outside_survey"] = len(lacking) - len(covered)
        done(f"{seen.sum()} expected above {threshold:g} σ, {len(covered) - seen.sum()} too faint")
    return rows[seen].reset_index(drop=True)


def _survey_at(positions: pd.DataFrame, field: Field, run: Run) -> pd.DataFrame:
    """Return the survey's flux at positions: measured on its mosaics where they are given, else a limit."""
    survey = field.survey
    limits = survey_limits(survey, positions["ra"], positions["dec"])
    mosaics = of_survey(run.config, survey, "mosaic_dir")
    if mosaics is None or len(positions) == 0:
        return limits
    index = index_mosaics(mosaics, survey)
    measured = measure_on_mosaics(
        index, survey, positions["ra"], positions["dec"], neighbours=field.references[["ra", "dec"]]
    ).assign(origin="forced")
    # a position that no mosaic covers is compared with the catalogue's limit
    return measured.where(measured["mosaic"].notna(), limits)[list(limits)]
