"""``racs-transients simulate``."""

from __future__ import annotations

import argparse
import logging
import shlex
from pathlib import Path

from racs_transients.errors import ConfigError
from racs_transients.simulate.field import simulate_field
from racs_transients.simulate.settings import FieldSettings

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
    if not settings.reference.contains(settings.dec):
        raise ConfigError(
            f"{settings.survey} does not reach declination {settings.dec}°; choose another --dec or --survey."
        )
    files = simulate_field(settings, arguments.folder)
    survey = settings.survey.lower()
    command = [
        "processASKAPimage.py", files.image, f"--{survey}-only", f"--{survey}-csv", files.catalogue,
        f"--{survey}-mosaic-dir", files.mosaics, "--transients",
    ]  # fmt: skip
    logger.info("%s holds the field and %s the truth; process it with", arguments.folder, files.truth.name)
    logger.info("  %s", shlex.join(str(word) for word in command))
    return 0
