"""The programs: ``processASKAPimage.py`` and ``racs-transients``."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType

from racs_transients import __version__, logs
from racs_transients.errors import INTERRUPTED, RacsTransientsError

logger = logging.getLogger(__name__)

FAILED = 1
# The commands of racs-transients: where each is, and what it does.
COMMANDS = {
    "simulate": ("racs_transients.simulate.command", "make a simulated field with a truth table"),
    "recall": ("racs_transients.simulate.recall", "compare the candidates of a run with a simulated truth"),
    "inject": ("racs_transients.database.command", "write results folders into the database"),
    "site": ("racs_transients.site", "serve the review site"),
    "manage": ("racs_transients.manage", "run an administrative command of the site, such as createsuperuser"),
}
# Many small fits are slower with several BLAS threads, and images run side by side.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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
    # before numpy is imported, which reads this
    _limit_threads()
    from racs_transients.options import parse_options

    options = parse_options(arguments)
    config = options.config
    logs.configure(config.general.log_level)
    for line in options.warnings:
        logger.warning(line)
    os.nice(max(0, config.general.nice - os.nice(0)))
    # a batch system ends a job with SIGTERM: as Ctrl-C, it stops the source finder, too
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    # the pipeline's libraries are slow to import: wrong options are reported before
    from racs_transients.pipeline import run_images

    return run_images(config)


def _limit_threads() -> None:
    """Give linear algebra one thread unless the user says otherwise; numpy reads this when it is imported."""
    for name in _THREAD_VARIABLES:
        os.environ.setdefault(name, "1")


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
    _limit_threads()
    parser = argparse.ArgumentParser(prog="racs-transients", description="Tools beside processASKAPimage.py.")
    parser.add_argument("--version", action="version", version=f"racs_transients {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    words = sys.argv[1:] if arguments is None else list(arguments)
    module: ModuleType | None = None
    for name, (home, help_) in COMMANDS.items():
        command = commands.add_parser(name, help=help_)
        # only the one that is asked for: some are slow to import
        if words[:1] == [name]:
            module = import_module(home)
            command.description = module.__doc__
            module.add_arguments(command)
    parsed = parser.parse_args(words)
    logs.configure("INFO")
    return _guarded(lambda: int(module.run(parsed)) if module else FAILED)


def _guarded(run: Callable[[], int]) -> int:
    """Turn whatever stops the program into one message and an exit code."""
    try:
        return run()
    except RacsTransientsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:  # the top level: a fault of the program still ends in one line
        notes = "; ".join(getattr(error, "__notes__", [])) or "--log-level DEBUG shows the traceback"
        print(f"error: unexpected {type(error).__name__}: {' '.join(str(error).split())} ({notes})", file=sys.stderr)
        logger.debug("traceback", exc_info=True)
        return FAILED
