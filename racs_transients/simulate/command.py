"""``racs-transients simulate``."""

from __future__ import annotations

import argparse
import logging
import shlex
from pathlib import Path

from racs_transients.errors import ConfigError
from racs_transients.simulate.field import observe_with, simulate_field
from racs_transients.simulate.settings import FieldSettings
from racs_transients.surveys import SURVEYS

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser.
    """
    default = FieldSettings()
    parser.add_argument("folder", type=Path, help="where the files go")
    parser.add_argument("--seed", type=int, default=default.seed, help="same seed, same field (default: %(default)s)")
    parser.add_argument("--size", type=int, default=default.size, help="pixels along each side (default: %(default)s)")
    parser.add_argument("--ra", type=float, default=default.ra, help="centre, degrees (default: %(default)s)")
    parser.add_argument("--dec", type=float, default=default.dec, help="centre, degrees (default: %(default)s)")
    parser.add_argument("--survey", choices=("SUMSS", "NVSS"), default=default.survey, help="(default: %(default)s)")
    parser.add_argument("--also", choices=("SUMSS", "NVSS"), help="observe the field with this survey, too")
    for kind in ("new", "vanished", "variable"):
        value = getattr(default, kind)
        parser.add_argument(
            f"--{kind}", type=int, default=value, help=f"number of {kind} sources (default: %(default)s)"
        )


def run(arguments: argparse.Namespace) -> int:
    """Make the field and say how to process it.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of `add_arguments`.

    Returns
    -------
    int
        0.

    Raises
    ------
    ConfigError
        If the field would lie outside the survey or be too small.
    """
    names = ("seed", "size", "ra", "dec", "survey", "new", "vanished", "variable")
    settings = FieldSettings(**{name: getattr(arguments, name) for name in names})
    if settings.size < 400:
        raise ConfigError(f"--size is at least 400 pixels, not {settings.size}.")
    surveys = list(dict.fromkeys(filter(None, (settings.survey, arguments.also))))
    for name in surveys:
        if not SURVEYS[name].contains(settings.ra, settings.dec):
            raise ConfigError(f"{name} does not reach declination {settings.dec}°; choose another --dec or --survey.")
    files = simulate_field(settings, arguments.folder)
    command: list[object] = ["processASKAPimage.py", files.image, "--transients"]
    for name in surveys:
        seen = files if name == settings.survey else observe_with(files, name)
        option = name.lower()
        command += [f"--{option}-csv", seen.catalogue, f"--{option}-mosaic-dir", seen.mosaics]
    if len(surveys) == 1:
        command.append(f"--{settings.survey.lower()}-only")
    logger.info("%s holds the field and %s the truth; process it with", arguments.folder, files.truth.name)
    logger.info("  %s", shlex.join(str(word) for word in command))
    return 0
