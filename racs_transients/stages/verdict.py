"""The last stage: change, blends, surroundings, flags and candidates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from racs_transients import candidates, sky
from racs_transients.comparison import (
    FluxScaling,
)
from racs_transients.image import near_blank
from racs_transients.linking import object_numbers
from racs_transients.schema import CROSSMATCHES
from racs_transients.stages.inputs import median_rms
from racs_transients.stages.run import Field, Run
from racs_transients.tables import conform, stack


def judge(rows: pd.DataFrame, field: Field, scaling: FluxScaling, run: Run, *, first_id: int = 1) -> pd.DataFrame:
    """Add change, blends, surroundings and flags to the rows, and mark the candidates.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of all categories with both sides' fluxes.
    field : Field
        Both sides.
    scaling : FluxScaling
        ASKAP to survey frequency.
    run : Run
        Options.
    first_id : int
        Number of the first row; the comparison with another survey goes on from there.

    Returns
    -------
    pandas.DataFrame
        ``schema.CROSSMATCHES``, complete but for ``object_id``, largest ratio first.
    """
    flags, image = run.config.flags, field.image
    with run.stages(f"{field.survey.name} flags and candidates") as done:
        rows = candidates.with_blends(rows, field.components, field.survey, scaling)
        rows = candidates.with_change(rows, scaling, flags.nondetection_rms)
        rows = candidates.with_explanations(rows, field.components, field.references, field.survey, scaling)
        rows = candidates.with_surroundings(
            rows,
            centre=image.centre,
            image_rms=median_rms(field.noise),
            on_edge=_on_edge(rows, field, flags.edge_margin),
            bright=_bright_list(field, scaling),
            near_radius=flags.bright_source_radius,
            far_radius=flags.bright_far_radius,
        )
        rows = candidates.with_verdict(
            rows, flags, outlier_threshold=run.config.transients.transients_large_flux_ratio_thresh
        )
        rows = rows.sort_values(["ratio", "ra", "dec"], ascending=[False, True, True], na_position="last")
        rows = candidates.with_nearest_matches(rows.reset_index(drop=True), flags.nearest_matches, first_id=first_id)
        run.folder.survey(field.survey.name).update(_counts(rows))
        done(f"{len(rows)} rows, {rows['is_candidate'].sum()} candidates")
    return stack([rows], CROSSMATCHES)


def link(parts: Sequence[pd.DataFrame], run: Run) -> pd.DataFrame:
    """Return the rows of all surveys below each other, those of one object with one number.

    Parameters
    ----------
    parts : sequence of pandas.DataFrame
        Rows of each survey, from `judge`.
    run : Run
        Log.

    Returns
    -------
    pandas.DataFrame
        ``schema.CROSSMATCHES``; no row is merged with another or left out.
    """
    with run.stages("linked rows") as done:
        rows = stack(parts, CROSSMATCHES)
        rows = conform(rows.assign(object_id=object_numbers(rows)), CROSSMATCHES)
        run.folder.manifest["objects"] = rows["object_id"].nunique()
        done(f"{len(rows)} rows of {rows['object_id'].nunique()} objects")
    return rows


def _on_edge(rows: pd.DataFrame, field: Field, margin: float) -> NDArray[np.bool_]:
    """Return which rows lie near blank pixels of the image.

    A convolved image is blank wherever blank pixels of the full-resolution one spoil it, so that only half a beam
    around a source must be there.
    """
    if field.native is None:
        return near_blank(field.image, rows["ra"], rows["dec"], margin)
    half_beam = field.image.beam.major / 2
    spoilt = near_blank(field.image, rows["ra"], rows["dec"], half_beam)
    return np.asarray(spoilt | near_blank(field.native.image, rows["ra"], rows["dec"], margin))


def _counts(rows: pd.DataFrame) -> dict[str, object]:
    return {
        "rows": {str(k): int(v) for k, v in rows["type"].value_counts().items()},
        "flags": {str(k): int(v) for k, v in rows["flag"].value_counts().items()},
        "n_rows": len(rows),
        "counts": {str(kind): part["flag"].value_counts().to_dict() for kind, part in rows.groupby("type")},
        "candidates": int(rows["is_candidate"].sum()),
    }


def _bright_list(field: Field, scaling: FluxScaling) -> pd.DataFrame:
    """Return the survey's and the image's own bright sources, with fluxes at the survey's frequency."""
    survey, bright = field.survey, field.bright
    own = field.sources.assign(flux=field.sources["flux_int"] * scaling.factor)
    own = own[own["flux"] >= survey.bright_mjy]
    # a bright source that both sides know counts once
    _, separation = sky.nearest(own["ra"], own["dec"], bright["ra"], bright["dec"])
    own = own[~(separation <= 2 * survey.beam_fwhm)]
    columns = ["ra", "dec", "flux"]
    return pd.concat([bright.assign(flux=bright["flux_int"])[columns], own[columns]], ignore_index=True)
