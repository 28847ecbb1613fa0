"""The pipeline: from one image to transient candidates, stage after stage."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pandas as pd

from racs_transients import products, stages
from racs_transients.arguments import without_secrets
from racs_transients.config import Config
from racs_transients.database import inject_run
from racs_transients.dbconfig import config_from_options
from racs_transients.errors import DatabaseError, RacsTransientsError
from racs_transients.logs import Stages, log_file
from racs_transients.runfolder import RunFolder, folder_name, image_stem, open_run_folder
from racs_transients.schema import CROSSMATCHES
from racs_transients.stages import Field, Run
from racs_transients.tables import empty, stack

logger = logging.getLogger(__name__)

N_STAGES = 9


def run_image(path: Path, config: Config, folder: RunFolder) -> pd.DataFrame:
    """Compare one image with its survey and write all products into its results folder.

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
    survey = stages.choose_survey(image.centre[1], config)
    # the catalogue first: what is wrong with it shows before the costly stages
    references, bright = stages.reference_catalogue(image, survey, run)
    noise = stages.noise_maps(image, run)
    sources = stages.source_list(image, noise, run)
    field = Field(image, noise, sources, survey, references, bright)
    products.write_catalogues(folder, stem, survey, sources, references)

    pairs, calibration = stages.diagnostic_crossmatch(field, run)
    products.write_crossmatch(folder, stem, survey, "diagnostic", pairs)

    scaling = stages.scaling_of(field, run, calibration)
    association, pairs = stages.transient_crossmatch(field, scaling, run)
    products.write_crossmatch(folder, stem, survey, "transient", pairs)
    if not config.transients.transients:
        return empty(CROSSMATCHES)

    matched = stages.compare_matches(field, association, scaling)
    vanished = stages.compare_vanished(field, association, scaling, calibration, run)
    new = stages.compare_new(field, association, scaling, run)
    rows = stages.judge(stack([matched, vanished, new], CROSSMATCHES), field, scaling, run)
    products.write_transients(folder, rows)
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
    for path in config.images:
        target = (config.general.output_dir or Path()) / folder_name(path, config.general.output_tag)
        try:
            _run_in_folder(path, target, config)
        except RacsTransientsError as error:
            logger.error("%s: %s", path.name, error)
            exit_code = max(exit_code, error.exit_code)
    return exit_code


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
    ):
        rows = run_image(path, config, folder)
        folder.finish("complete")
        logger.info("%s: %d candidates; results in %s", path.name, rows["is_candidate"].sum(), target)
        if config.database.db_inject:
            _inject(folder, config)


def _inject(folder: RunFolder, config: Config) -> None:
    """Write the finished run into the database; where that fails, the products stay."""
    db = config_from_options(config.database)
    try:
        done = inject_run(folder.path, db, media_dir=config.database.website_media_dir)
    except DatabaseError as error:
        raise DatabaseError(
            f"{error} The results are complete; `racs-transients inject {folder.path}` writes them later."
        ) from error
    logger.info("%d rows in the %s", done.rows, db.describe())
