"""The stage that draws an image's comparison with one survey: diagnostics, overlays, changes; and annotations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from racs_transients.crossmatch import compact
from racs_transients.plots import diagnostics, overlays, style, verdicts
from racs_transients.runfolder import RunFolder, image_stem
from racs_transients.stages.annotation import annotate
from racs_transients.stages.association import scaling_of
from racs_transients.stages.run import Field, Run
from racs_transients.survey_options import of_survey

# What follows the image's name in the file's, as documented; an overlay's begins with the list it shows
FILE_NAMES = {
    "flux_ratio_image_view": "flux_ratio_image_view",
    "position_offset": "position_offset_from",
    "source_counts": "source_counts",
    "flux_ratios": "flux_ratio_vs_askap_flux",
    "flux_ratios_from_centre": "flux_ratio_vs_distance_from_centre",
    "variability": "variability",
    "counts": "category_counts",
    "askap_overlay": "askap_source_overlay",
    "survey_overlay": "source_overlay",
}


def figures(field: Field, diagnostic: pd.DataFrame, full: pd.DataFrame, rows: pd.DataFrame, run: Run) -> None:
    """Draw the comparison with one survey into the results folder.

    Parameters
    ----------
    field : Field
        Both sides.
    diagnostic : pandas.DataFrame
        Pairs of the diagnostic crossmatch at any distance.
    full : pandas.DataFrame
        Pairs of the full lists at any distance.
    rows : pandas.DataFrame
        ``schema.CROSSMATCHES``; without rows where no transient search was asked for.
    run : Run
        Options and results folder.

    Raises
    ------
    RunFolderError
        If a file cannot be written.
    """
    name = field.survey.name
    with run.stages(f"{name} figures") as done:
        drawn = [_write(kind, figure, field, run) for kind, figure in _drawn(field, diagnostic, full, rows, run)]
        annotated = annotate(field, rows, run)
        done(f"{len(drawn)} drawn" + (f", {annotated} annotation files" if annotated else ""))


def _write(kind: str, figure: Figure, field: Field, run: Run) -> str:
    file = file_name(kind, field.survey.name, run.folder)
    run.folder.write(file, lambda path: style.save(figure, path))
    run.folder.add_product(file, kind, survey=field.survey.name)
    return file


def file_name(kind: str, survey: str, folder: RunFolder) -> str:
    """Return the documented name of a plot.

    Parameters
    ----------
    kind : str
        A key of ``schema.PLOT_KINDS``.
    survey : str
        The survey.
    folder : RunFolder
        The results folder, which knows the image and the surveys.

    Returns
    -------
    str
        The base survey's plots have the documented names; those of a second survey name it, too.
    """
    words = FILE_NAMES[kind]
    if kind == "position_offset":
        words = f"{words}_{survey.lower()}"
    elif kind == "survey_overlay":
        words = f"{survey.lower()}_{words}"
    elif next(iter(folder.manifest["surveys"])) != survey:
        words = f"{words}_{survey.lower()}"
    return f"{_stem(folder)}_{words}.png"


def _stem(folder: RunFolder) -> str:
    return image_stem(Path(folder.manifest["image"]["path"]))


def _drawn(
    field: Field, diagnostic: pd.DataFrame, full: pd.DataFrame, rows: pd.DataFrame, run: Run
) -> Iterator[tuple[str, Figure]]:
    """Yield kind and figure, one after the other, so that one at a time is in memory."""
    title = _stem(run.folder)
    yield from _diagnostics(field, diagnostic, full, run, title)
    if run.config.transients.transients:
        flags, against = run.config.flags, f"{title} against {field.survey.name}"
        yield (
            "variability",
            verdicts.variability(
                rows, vs_threshold=flags.min_significance, min_ratio=flags.candidate_min_ratio, title=against
            ),
        )
        yield "counts", verdicts.counts(rows, title=against)
    if run.config.catalogues.produce_overlays:
        yield from _overlays(field, run, title)


def _diagnostics(
    field: Field, diagnostic: pd.DataFrame, full: pd.DataFrame, run: Run, title: str
) -> Iterator[tuple[str, Figure]]:
    options, image, survey = run.config.crossmatching, field.image, field.survey.name
    radius = options.diagnostic_max_separation
    near = diagnostic[diagnostic["separation"] <= radius]
    shape = (image.data.shape[0], image.data.shape[1])
    yield (
        "flux_ratio_image_view",
        diagnostics.flux_ratio_image_view(near, image.wcs, shape, survey, title=title),
    )
    yield "position_offset", diagnostics.position_offset(near, image.beam, survey, radius=radius, title=title)
    bars = diagnostics.source_numbers(
        field.sources,
        full,
        field.survey,
        factor=scaling_of(field, run, None).factor,
        snr=run.config.transients.transients_askap_snr_thresh,
        radius=options.transient_max_separation,
    )
    yield "source_counts", diagnostics.source_counts(bars, title=title)
    yield "flux_ratios", diagnostics.flux_ratios(near, survey, title=title)
    yield (
        "flux_ratios_from_centre",
        diagnostics.flux_ratios_from_centre(near, image.centre, survey, title=title),
    )


def _overlays(field: Field, run: Run, title: str) -> Iterator[tuple[str, Figure]]:
    options, survey = run.config.crossmatching, field.survey.name
    if field.native is not None:
        title = f"{title}, convolved to the resolution of {survey}"
    behind = overlays.backdrop(field.image)
    for kind, sources, name, threshold in (
        ("askap_overlay", field.sources, "ASKAP", options.askap_ext_thresh),
        ("survey_overlay", field.references, survey, of_survey(run.config, field.survey, "ext_thresh")),
    ):
        extended = ~compact(sources, threshold) if options.remove_extended else None
        yield kind, overlays.overlay(behind, sources, name=name, extended=extended, title=title)
