"""Write results folders into the database: all of a run or nothing, as often as you like."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from racs_transients.database.inject import inject_run
from racs_transients.dbconfig import config_from_options
from racs_transients.errors import RacsTransientsError
from racs_transients.options import add_database_options, database_options

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser.
    """
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="results folder of a complete run")
    add_database_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Inject each folder; a bad one does not stop the others.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of `add_arguments`.

    Returns
    -------
    int
        0, or the exit code of the worst failure.
    """
    options = database_options(arguments)
    db = config_from_options(options)
    exit_code = 0
    for folder in arguments.folders:
        try:
            done = inject_run(folder, db, media_dir=options.website_media_dir)
        except RacsTransientsError as error:
            logger.error("%s: %s", folder, error)
            exit_code = max(exit_code, error.exit_code)
            continue
        how = "replaced" if done.replaced else "added"
        logger.info(
            "%s: %d rows %s, %d new objects, in the %s", folder, done.rows, how, done.new_objects, db.describe()
        )
    return exit_code
