"""Logging: one line a stage on the screen, everything in a file of the results folder."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from tqdm import tqdm

_PACKAGE = logging.getLogger("racs_transients")
_FILE_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure(level: str) -> None:
    """Send the package's log to the screen.

    Parameters
    ----------
    level : str
        WARNING, INFO or DEBUG.
    """
    screen = logging.StreamHandler()
    screen.setFormatter(_ShortFormatter())
    for handler in list(_PACKAGE.handlers):
        _PACKAGE.removeHandler(handler)
    _PACKAGE.addHandler(screen)
    _PACKAGE.setLevel(level)
    _PACKAGE.propagate = False
    logging.captureWarnings(capture=True)


class _ShortFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        return message if record.levelno <= logging.INFO else f"{record.levelname.lower()}: {message}"


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Write the log to a file, too, while the context lasts; what was there stays above.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Yields
    ------
    None
        Nothing.
    """
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter(_FILE_FORMAT))
    targets = (_PACKAGE, logging.getLogger("py.warnings"))
    for target in targets:
        target.addHandler(handler)
    try:
        yield
    finally:
        for target in targets:
            target.removeHandler(handler)
        handler.close()


class Stages:
    """The stages of a run: one log line each, and a progress bar on a terminal.

    Parameters
    ----------
    total : int
        Number of stages.
    record : callable
        Called with name, words and seconds of each stage that is done.
    """

    def __init__(self, total: int, record: Callable[[str, str, float], None]) -> None:
        self._record = record
        self._bar = tqdm(total=total, unit="stage", leave=False, disable=not sys.stderr.isatty())

    @contextmanager
    def __call__(self, name: str) -> Iterator[Callable[[str], None]]:
        """Time a stage and log what came out.

        Parameters
        ----------
        name : str
            Name of the stage.

        Yields
        ------
        callable
            To be called with the words that belong on the line.
        """
        words: list[str] = []
        self._bar.set_description(name)
        start = perf_counter()
        yield words.append
        seconds = perf_counter() - start
        self._bar.update()
        with tqdm.external_write_mode():
            _PACKAGE.info("%s: %s (%.1f s)", name, "; ".join(words), seconds)
        self._record(name, "; ".join(words), seconds)

    def close(self) -> None:
        """Remove the progress bar."""
        self._bar.close()
