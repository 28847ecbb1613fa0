"""Serve the review site of a database, with gunicorn."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from sqlalchemy import text

from racs_transients.database import open_database
from racs_transients.dbconfig import URL_VARIABLE, DbConfig, config_from_options
from racs_transients.errors import DatabaseError
from racs_transients.options import add_database_options, database_options
from web_server.vendor import missing_libraries

logger = logging.getLogger(__name__)
PORT = 8005


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser.
    """
    parser.add_argument(
        "--address", default="127.0.0.1", help="where to listen; 0.0.0.0 is everywhere (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, default=PORT, help="(default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes that serve (default: %(default)s)")
    add_database_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Turn this process into the server of the site.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of `add_arguments`.

    Returns
    -------
    int
        Never: the server takes the process over.

    Raises
    ------
    DatabaseError
        If there is no such database.
    """
    db = config_from_options(database_options(arguments))
    refuse_missing(db)
    engine = open_database(db)
    logger.info("the site of the %s: http://%s:%d/", db.describe(), arguments.address, arguments.port)
    with engine.connect() as connection:
        if not connection.execute(text("SELECT count(*) FROM auth_user")).scalar():
            logger.warning("nobody has an account yet: `racs-transients manage createsuperuser` makes the first one")
    missing = missing_libraries()
    if missing:
        logger.warning("%s", missing)
    os.environ |= {URL_VARIABLE: db.url, "DJANGO_SETTINGS_MODULE": "web_server.default_settings"}
    server = [sys.executable, "-m", "gunicorn", "web_server.wsgi", "--threads", "4", "--log-level", "warning"]
    listen = ["--bind", f"{arguments.address}:{arguments.port}", "--workers", str(arguments.workers)]
    sys.stdout.flush()
    os.execv(sys.executable, [*server, *listen])


def refuse_missing(db: DbConfig) -> None:
    """Stop where a SQLite file does not exist: an empty site helps nobody.

    Parameters
    ----------
    db : DbConfig
        The database.

    Raises
    ------
    DatabaseError
        Naming the file and what to do.
    """
    if db.path is not None and not db.path.is_file():
        raise DatabaseError(
            f"There is no {db.describe()}: run the pipeline first, or name another one with --db-database or "
            f"{URL_VARIABLE}."
        )
