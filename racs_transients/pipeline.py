"""The pipeline: from one image to transient candidates, stage after stage."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from racs_transients import products, stages
from racs_transients.arguments import without_secrets
from racs_transients.config import Config
from racs_transients.database import inject_run
from racs_transients.dbconfig import config_from_options
from racs_transients.errors import DatabaseError, RacsTransientsError
from racs_transients.logs import Stages, collected_warnings, configure, log_file
from racs_transients.parallel import side_by_side
from racs_transients.runfolder import RunFolder, folder_name, image_stem, open_run_folder
from racs_transients.schema import CROSSMATCHES
from racs_transients.stages import Field, Run
from racs_transients.tables import empty, stack

logger = logging.getLogger(__name__)

FAILED = 1

# Stages for the image, for each survey it is compared with, and for its convolution to that survey's beam
N_STAGES, N_SURVEY_STAGES, N_CONVOLUTION = 5, 7, 4


def run_image(path: Path, config: Config, folder: RunFolder) -> pd.DataFrame:
    """Compare one image with its surveys and write all products into its results folder.

    Parameters
    ----------
    path : pathlib.Path
        The image.
    config : Config
        What to do.
    folder : RunFolder
        The results folder, open.

    Returns
    -------
    pandas.DataFrame
        The master table: all rows of the three categories, ``schema.CROSSMATCHES``; no rows where no
        transient search was asked for.

    Raises
    ------
    RacsTransientsError
        If a stage cannot be done; what was finished stays.
    """
    stem = image_stem(path)
    run = Run(config, folder, Stages(N_STAGES, folder.record_stage))
    image = stages.load_image(path, run)
    surveys = stages.choose_surveys(image, config)
    run.stages.expect(_stages_of(config, len(surveys)))
    stages.check_convolution(image, surveys, run)
    # the catalogues first: what is wrong with them shows before the costly stages
    catalogues = [stages.reference_catalogue(image, survey, run) for survey in surveys]
    native = stages.observe(image, run)
    products.write_sources(folder, stem, native.sources)

    parts: list[pd.DataFrame] = []
    fields: list[Field] = []
    for survey, (references, bright) in zip(surveys, catalogues, strict=True):
        products.write_references(folder, stem, survey, references)
        field = stages.field_of(native, survey, references, bright, run)
        if field.native is not None:
            products.write_sources(folder, image_stem(field.image.path), field.sources, survey.name)
        fields.append(field)
        parts.append(compare(field, stem, run, first_id=1 + sum(map(len, parts))))
    rows = empty(CROSSMATCHES)
    if config.transients.transients:
        rows = stages.link(parts, run)
        products.write_transients(folder, rows)
        stages.postage_stamps(fields, rows, run)
    stages.report(rows, run)
    return rows


def _stages_of(config: Config, n_surveys: int) -> int:
    """Return how many stages a run has."""
    once = N_STAGES + config.analysis.weight_crop + config.postagestamps.postage_stamps
    return once + (N_SURVEY_STAGES + N_CONVOLUTION * config.analysis.convolve) * n_surveys


def compare(field: Field, stem: str, run: Run, *, first_id: int) -> pd.DataFrame:
    """Compare an image with one survey, on the survey's own terms.

    Parameters
    ----------
    field : Field
        Both sides.
    stem : str
        Name of the image without ``.fits``.
    run : Run
        Options, results folder, log.
    first_id : int
        Number of the first row.

    Returns
    -------
    pandas.DataFrame
        Rows of the three categories, ``schema.CROSSMATCHES``; none where no transient search was asked for.
    """
    folder, survey = run.folder, field.survey
    pairs, calibration = stages.diagnostic_crossmatch(field, run)
    products.write_crossmatch(folder, stem, survey, "diagnostic", pairs)

    scaling = stages.scaling_of(field, run, calibration)
    association, hidden, full = stages.transient_crossmatch(field, scaling, run)
    products.write_crossmatch(folder, stem, survey, "transient", full)
    rows = empty(CROSSMATCHES)
    if run.config.transients.transients:
        missing = field.references[~association.matched & ~hidden.matched]
        parts = [
            stages.compare_matches(field, association, scaling, run),
            stages.compare_hidden(field, hidden, scaling, calibration, run),
            stages.compare_vanished(field, missing, scaling, calibration, run),
            stages.compare_new(field, association, scaling, calibration, run),
        ]
        rows = stages.judge(stack(parts, CROSSMATCHES), field, scaling, run, first_id=first_id)
    stages.figures(field, pairs, full, rows, run)
    return rows


def run_images(config: Config) -> int:
    """Run all images of a configuration, each in its own results folder.

    Parameters
    ----------
    config : Config
        What to do.

    Returns
    -------
    int
        Exit code: 0, or that of the worst failure; one bad image does not stop the others.
    """
    exit_code = 0
    for path, code in _processed(config):
        if code < 0:
            logger.error("%s: its process was ended by signal %d; was there enough memory?", path.name, -code)
        elif code == 0 and config.database.db_inject:
            code = _guarded(path, lambda path=path: _inject(_target(path, config), config))  # type: ignore[misc]
        exit_code = max(exit_code, code if code >= 0 else FAILED)
    return exit_code


def _processed(config: Config) -> Iterator[tuple[Path, int]]:
    """Return each image with its exit code, as it is done: one after the other, or side by side."""
    jobs = min(config.general.jobs, len(config.images))
    if jobs > 1:
        yield from side_by_side(partial(_in_child, config), config.images, jobs)
    else:
        for path in config.images:
            yield path, _process(path, config)


def _in_child(config: Config, path: Path) -> int:
    """Process an image in a process of its own, whose lines on the screen begin with the image."""
    configure(config.general.log_level, prefix=f"{image_stem(path)}: ")
    return _process(path, config)


def _process(path: Path, config: Config) -> int:
    return _guarded(path, lambda: _run_in_folder(path, _target(path, config), config))


def _guarded(path: Path, work: Callable[[], None]) -> int:
    """Return the exit code of work on an image; whatever stops it must not stop the other images."""
    try:
        work()
    except RacsTransientsError as error:
        logger.error("%s: %s", path.name, error)
        return error.exit_code
    except Exception as error:  # a fault of the program; the log file has the traceback
        notes = "; ".join(getattr(error, "__notes__", []))
        logger.error("%s: unexpected %s: %s (%s)", path.name, type(error).__name__, " ".join(str(error).split()), notes)
        logger.debug("traceback", exc_info=True)
        return FAILED
    return 0


def _target(path: Path, config: Config) -> Path:
    return (config.general.output_dir or Path()) / folder_name(path, config.general.output_tag)


def _run_in_folder(path: Path, target: Path, config: Config) -> None:
    with (
        open_run_folder(
            target,
            image=path,
            settings=config.to_dict(redacted=True),
            command=without_secrets(sys.argv),
            clobber=config.general.clobber,
        ) as folder,
        log_file(target / "processASKAPimage.log"),
        collected_warnings(folder.manifest["warnings"]),
    ):
        rows = run_image(path, config, folder)
        folder.finish("complete")
        found = f"{rows['is_candidate'].sum()} candidates" if config.transients.transients else "no transient search"
        logger.info("%s: %s; results in %s", path.name, found, target)


def _inject(folder: Path, config: Config) -> None:
    """Write a finished run into the database; where that fails, the products stay."""
    db = config_from_options(config.database)
    try:
        done = inject_run(folder, db, media_dir=config.database.website_media_dir)
    except DatabaseError as error:
        raise DatabaseError(
            f"{error} The results are complete; `racs-transients inject {folder}` writes them later."
        ) from error
    logger.info("%d rows in the %s", done.rows, db.describe())
