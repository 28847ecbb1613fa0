"""Logging: one line a stage on the screen, everything in a file of the results folder."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from pathlib import Path
from time import perf_counter

from tqdm import tqdm

from racs_transients.errors import RacsTransientsError

_PACKAGE = logging.getLogger("racs_transients")
_FILE_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure(level: str, *, prefix: str = "") -> None:
    """Send the package's log to the screen.

    Parameters
    ----------
    level : str
        WARNING, INFO or DEBUG.
    prefix : str
        What each line begins with.
    """
    screen = _Screen()
    screen.setFormatter(_ShortFormatter(prefix))
    for handler in list(_PACKAGE.handlers):
        _PACKAGE.removeHandler(handler)
    _PACKAGE.addHandler(screen)
    _PACKAGE.setLevel(level)
    logging.captureWarnings(capture=True)


class _Screen(logging.Handler):
    """Writes above the progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        with tqdm.external_write_mode(file=sys.stderr):
            sys.stderr.write(self.format(record) + "\n")


class _ShortFormatter(logging.Formatter):
    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message += "\n" + self.formatException(record.exc_info)
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        return f"{self._prefix}{level}{message}"


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Write the log to a file, too, while the context lasts; what was there stays above.

    What ends the context is written there as well: the message of an error that the user can mend, the
    traceback of any other, whose exception then carries a note that names the file.

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
    except RacsTransientsError as error:
        handler.handle(_record(str(error)))
        raise
    except KeyboardInterrupt:
        handler.handle(_record("interrupted"))
        raise
    except Exception as error:
        handler.handle(_record("unexpected error", error))
        error.add_note(f"the traceback is in {path}")
        raise
    finally:
        for target in targets:
            target.removeHandler(handler)
        handler.close()


@contextmanager
def collected_warnings(into: list[str]) -> Iterator[None]:
    """Note the words of each warning once, while the context lasts.

    Parameters
    ----------
    into : list of str
        Where they go.

    Yields
    ------
    None
        Nothing.
    """
    handler = _Collector(into)
    _PACKAGE.addHandler(handler)
    try:
        yield
    finally:
        _PACKAGE.removeHandler(handler)


class _Collector(logging.Handler):
    """Keeps the messages of warnings."""

    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._into = into

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message not in self._into:
            self._into.append(message)


def _record(message: str, error: Exception | None = None) -> logging.LogRecord:
    trace = (type(error), error, error.__traceback__) if error is not None else None
    return _PACKAGE.makeRecord(_PACKAGE.name, logging.ERROR, __file__, 0, message, (), trace)


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
        # images side by side would draw over each other's bars
        silent = not sys.stderr.isatty() or parent_process() is not None
        self._bar = tqdm(total=total, unit="stage", leave=False, disable=silent)

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
        try:
            yield words.append
        except BaseException:
            self.close()
            raise
        seconds = perf_counter() - start
        self._bar.update()
        _PACKAGE.info("%s (%.1f s)", ": ".join([name, *filter(None, ["; ".join(words)])]), seconds)
        self._record(name, "; ".join(words), seconds)
        if self._bar.n == self._bar.total:
            self.close()

    def expect(self, total: int) -> None:
        """Set the number of stages, once it is known.

        Parameters
        ----------
        total : int
            Number of stages.
        """
        self._bar.total = total

    def close(self) -> None:
        """Remove the progress bar."""
        self._bar.close()
