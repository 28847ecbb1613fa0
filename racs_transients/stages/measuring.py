"""The stages that compare fluxes: of matches, of what ASKAP lacks, of what the survey lacks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from racs_transients import sky
from racs_transients.calibration import Calibration
from racs_transients.comparison import (
    FluxScaling,
    as_forced,
    match_rows,
    no_askap_rows,
    no_catalogue_rows,
    survey_limits,
)
from racs_transients.crossmatch import Association
from racs_transients.finders.priorized import aegean_forced_photometry
from racs_transients.mosaics import measure_on_mosaics
from racs_transients.native import counterparts
from racs_transients.photometry import Estimator, convolved_forced_photometry, forced_photometry
from racs_transients.schema import CROSSMATCHES
from racs_transients.smoothing import noise_beam
from racs_transients.stages.run import Field, Run
from racs_transients.stages.survey_images import survey_mosaics
from racs_transients.tables import empty

# What measures a flux where no source was found. Aegean fits the image as it is, without convolution of cutouts.
ESTIMATORS: Mapping[str, Estimator] = MappingProxyType({"gls": forced_photometry, "aegean": aegean_forced_photometry})


def compare_vanished(
    field: Field, missing: pd.DataFrame, scaling: FluxScaling, calibration: Calibration, run: Run
) -> pd.DataFrame:
    """Measure the image at the survey's resolution where the catalogue has a source and ASKAP none.

    Parameters
    ----------
    field : Field
        Both sides.
    missing : pandas.DataFrame
        Catalogue sources without a match, ``schema.REFERENCES``.
    scaling : FluxScaling
        ASKAP to survey frequency.
    calibration : Calibration
        Astrometric offset of the image.
    run : Run
        Log.

    Returns
    -------
    pandas.DataFrame
        Rows of the category noaskapmatch; with convolution measured on the convolved image and on the full-resolution
        one (``native_*``).
    """
    survey = field.survey
    with run.stages(f"ASKAP at {survey.name}-only sources") as done:
        missing = missing.reset_index(drop=True)
        forced = _forced_at(missing, field, calibration, run)
        near = _islands_near(missing, field.sources, run.config.flags.island_reach)
        rows = no_askap_rows(missing, forced, near, survey, scaling)
        if field.native is not None:
            rows = rows.assign(native_beam_major=field.native.image.beam.major)
        done(f"{len(rows)} positions, {rows['failure'].notna().sum()} failed")
    return rows


def _forced_at(references: pd.DataFrame, field: Field, calibration: Calibration, run: Run) -> pd.DataFrame:
    """Return ASKAP's flux at catalogue positions, at the survey's resolution and at the full one."""
    # where the image shows what the catalogue lists
    ra, dec = _shifted(references, calibration, 1)
    measure = ESTIMATORS[run.config.transients.forced_photometry]
    flux_error, neighbours = run.config.analysis.askap_flux_error, field.sources[["ra", "dec"]]
    if field.native is None:
        axes = field.survey.beam_axes(references["dec"])
        alone = convolved_forced_photometry(field.image, field.noise, ra, dec, axes)
        if measure is not forced_photometry:
            forced = measure(field.image, field.noise, ra, dec, neighbours=neighbours, flux_error=flux_error)
            return forced.assign(map_value=alone["flux"], **_native_block(forced))
        forced = convolved_forced_photometry(
            field.image, field.noise, ra, dec, axes, neighbours=neighbours, flux_error=flux_error
        )
        return forced.assign(map_value=alone["flux"])
    native = field.native
    correlation = noise_beam(field.image.beam, native.image.beam)
    alone = forced_photometry(field.image, field.noise, ra, dec)
    forced = measure(
        field.image, field.noise, ra, dec, noise_beam=correlation, neighbours=neighbours, flux_error=flux_error
    )
    finer = measure(
        native.image, native.noise, ra, dec, neighbours=native.sources[["ra", "dec"]], flux_error=flux_error
    )
    return forced.assign(map_value=alone["flux"], **_native_block(finer))


def _shifted(positions: pd.DataFrame, calibration: Calibration, sign: int) -> tuple[pd.Series, pd.Series]:
    """Return positions moved by the image's astrometric offset: 1 from survey to image, -1 from image to survey."""
    east, north = sign * calibration.ra_offset / 3600, sign * calibration.dec_offset / 3600
    return positions["ra"] + east / np.cos(np.deg2rad(positions["dec"])), positions["dec"] + north


def _native_block(forced: pd.DataFrame) -> dict[str, pd.Series]:
    return {f"native_{name}": forced[name] for name in ("flux", "flux_err", "rms")}


def _islands_near(positions: pd.DataFrame, sources: pd.DataFrame, reach: float) -> pd.DataFrame:
    """Return the island of the nearest ASKAP source, missing where that is too far to matter (arcsec)."""
    index, separation = sky.nearest(positions["ra"], positions["dec"], sources["ra"], sources["dec"])
    columns = ["island_id", "island_components"]
    near = sources[columns].reindex(np.where(separation <= reach, index, -1)).reset_index(drop=True)
    return near.assign(nn_separation=separation)


def compare_matches(field: Field, association: Association, scaling: FluxScaling, run: Run) -> pd.DataFrame:
    """Compare the fluxes of the matches.

    Parameters
    ----------
    field : Field
        Both lists.
    association : Association
        Who is matched.
    scaling : FluxScaling
        ASKAP to survey frequency.
    run : Run
        Options.

    Returns
    -------
    pandas.DataFrame
        Rows of the category match.
    """
    rows = match_rows(association, field.sources, field.references, field.survey, scaling)
    return _with_native(rows, field, scaling, run)


def _with_native(rows: pd.DataFrame, field: Field, scaling: FluxScaling, run: Run) -> pd.DataFrame:
    """Return rows of ASKAP sources with their counterparts at full resolution."""
    if field.native is None:
        return rows
    block = counterparts(
        rows["askap_ra"],
        rows["askap_dec"],
        field.native.sources,
        beam_major=field.native.image.beam.major,
        reach_beams=run.config.flags.created_beams,
        scaling=scaling,
        survey_rms=rows["ref_rms"],
    )
    return rows.assign(**{str(name): block[name] for name in block})


def compare_hidden(
    field: Field, hidden: Association, scaling: FluxScaling, calibration: Calibration, run: Run
) -> pd.DataFrame:
    """Compare catalogue sources whose ASKAP source only the full-resolution image shows.

    Parameters
    ----------
    field : Field
        Both sides.
    hidden : Association
        Catalogue sources with the full-resolution sources that convolution hid.
    scaling : FluxScaling
        ASKAP to survey frequency.
    calibration : Calibration
        Astrometric offset of the image.
    run : Run
        Log.

    Returns
    -------
    pandas.DataFrame
        Rows of the category match: shape and place of the full-resolution source, compared is the flux of the
        convolved image at the catalogue position.
    """
    if field.native is None:
        return empty(CROSSMATCHES)
    with run.stages(f"ASKAP at {field.survey.name} sources that convolution hid") as done:
        native, references = field.native.sources, field.references[hidden.matched].reset_index(drop=True)
        rows = _with_native(match_rows(hidden, native, field.references, field.survey, scaling), field, scaling, run)
        forced = _forced_at(references, field, calibration, run)
        rows = as_forced(rows, forced, scaling).assign(rescued=True)
        done(f"{len(rows)} positions, {rows['failure'].notna().sum()} failed")
    return rows


def compare_new(
    field: Field, association: Association, scaling: FluxScaling, calibration: Calibration, run: Run
) -> pd.DataFrame:
    """Measure the survey where ASKAP has a source that it should have seen; count those too faint.

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
        rows = no_catalogue_rows(worth, _survey_at(worth, field, calibration, run), survey, scaling)
        seen = ~(rows["predicted_snr"] < threshold)
        counts["askap_only_too_faint"] = len(covered) - int(seen.sum())
        counts["askap_only_outside_survey"] = len(lacking) - len(covered)
        rows = _with_native(rows, field, scaling, run)
        done(f"{seen.sum()} expected above {threshold:g} σ, {len(covered) - seen.sum()} too faint")
    return rows[seen].reset_index(drop=True)


def _survey_at(positions: pd.DataFrame, field: Field, calibration: Calibration, run: Run) -> pd.DataFrame:
    """Return the survey's flux at positions: measured on its mosaics where they are given, else a limit."""
    survey = field.survey
    limits = survey_limits(survey, positions["ra"], positions["dec"])
    ra, dec = _shifted(positions, calibration, -1)
    mosaics = survey_mosaics(survey, ra, dec, run) if len(positions) else []
    if not mosaics:
        return limits
    measured = measure_on_mosaics(
        mosaics,
        survey,
        ra,
        dec,
        neighbours=field.references[["ra", "dec"]],
        estimator=ESTIMATORS[run.config.transients.forced_photometry],
    ).assign(origin="forced")
    # a position that no mosaic covers is compared with the catalogue's limit
    return measured.where(measured["mosaic"].notna(), limits)[list(limits)]
