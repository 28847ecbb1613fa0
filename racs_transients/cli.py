"""The programs: ``processASKAPimage.py`` and ``racs-transients``."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence

from racs_transients import __version__, logs
from racs_transients.errors import RacsTransientsError
from racs_transients.options import parse_options

logger = logging.getLogger(__name__)

INTERRUPTED = 130


def process_askap_image(arguments: Sequence[str] | None = None) -> int:
    """Run ``processASKAPimage.py``.

    Parameters
    ----------
    arguments : sequence of str, optional
        Command line without the program's name; that of the process by default.

    Returns
    -------
    int
        0 done, 1 failed, 2 wrong use.
    """
    return _guarded(lambda: _process(sys.argv[1:] if arguments is None else list(arguments)))


def _process(arguments: list[str]) -> int:
    options = parse_options(arguments)
    config = options.config
    logs.configure(config.general.log_level)
    for line in options.warnings:
        logger.warning(line)
    for line in options.skipped:
        logger.info(line)
    os.nice(max(0, config.general.nice - os.nice(0)))
    # the pipeline's libraries are slow to import: wrong options are reported before
    from racs_transients.pipeline import run_images

    return run_images(config)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``racs-transients``.

    Parameters
    ----------
    arguments : sequence of str, optional
        Command line without the program's name; that of the process by default.

    Returns
    -------
    int
        0 done, 1 failed, 2 wrong use.
    """
    from racs_transients.simulate import command

    parser = argparse.ArgumentParser(prog="racs-transients", description="Tools beside processASKAPimage.py.")
    parser.add_argument("--version", action="version", version=f"racs_transients {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    command.add_arguments(commands.add_parser("simulate", help="make a simulated field with a truth table"))
    parsed = parser.parse_args(arguments)
    logs.configure("INFO")
    return _guarded(lambda: command.run(parsed))


def _guarded(run: Callable[[], int]) -> int:
    """Turn what a user can mend into one message and an exit code."""
    try:
        return run()
    except RacsTransientsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
