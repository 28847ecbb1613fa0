"""Run an administrative command of the site: createsuperuser, changepassword, migrate, dbshell, ..."""

from __future__ import annotations

import argparse
import os
import sys

from racs_transients.dbconfig import URL_VARIABLE, config_from_options
from racs_transients.options import add_database_options, database_options
from racs_transients.site import refuse_missing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser.
    """
    add_database_options(parser)
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND", help="as for Django's manage.py")


def run(arguments: argparse.Namespace) -> int:
    """Turn this process into Django's program, on the database that options or environment name.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of `add_arguments`.

    Returns
    -------
    int
        Never: the program takes the process over.
    """
    db = config_from_options(database_options(arguments))
    if arguments.words[:1] not in (["migrate"], ["help"], []):
        refuse_missing(db)
    os.environ[URL_VARIABLE] = db.url
    os.environ["DJANGO_SETTINGS_MODULE"] = "web_server.default_settings"
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "django", *arguments.words])
