"""Programs in processes of their own, and their settings files."""

from __future__ import annotations

import configparser
import logging
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from racs_transients.errors import ConfigError, SourceFinderError

logger = logging.getLogger(__name__)

TIME_LIMIT_S = 4 * 3600


def run_programs(name: str, commands: Sequence[Sequence[str]], folder: Path, *, limit: float = TIME_LIMIT_S) -> None:
    """Run commands at the same time and wait for them; one that fails or does not end is an error.

    Parameters
    ----------
    name : str
        What users call the program; in lower case, with a number, the name of its logs.
    commands : sequence of sequence of str
        The commands.
    folder : pathlib.Path
        Where they run and the logs go.
    limit : float
        Seconds that all of them may take together.

    Raises
    ------
    SourceFinderError
        If one cannot be started, fails, or does not end in time.
    """
    # more threads of a linear algebra library than cores make everything slower
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    logs = [folder / f"{name.lower()}_{number}.log" for number in range(len(commands))]
    deadline, workers = time.monotonic() + limit, []
    try:
        for command, log in zip(commands, logs, strict=True):
            with log.open("w", encoding="utf-8") as stream:
                workers.append(
                    subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, env=environment, cwd=folder)
                )
        for worker in workers:
            worker.wait(timeout=max(1.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise SourceFinderError(f"{name} did not end within {limit / 3600:g} hours and was stopped.") from error
    except OSError as error:
        raise SourceFinderError(f"{name} cannot be started: {error}.") from error
    finally:
        for worker in workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait()
    for worker, log in zip(workers, logs, strict=True):
        if worker.returncode != 0:
            raise SourceFinderError(failure(name, log, f"exit code {worker.returncode}"))


def failure(name: str, log: Path, what: str) -> str:
    """Return the sentence on a program that failed, and log the end of what it wrote.

    Parameters
    ----------
    name : str
        The program.
    log : pathlib.Path
        What it wrote.
    what : str
        How it failed.

    Returns
    -------
    str
        The sentence.
    """
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    # the folder does not outlive a failure, the program's log does
    logger.error("the end of what %s wrote:\n%s", name, "\n".join(lines[-30:]))
    reason = lines[-1].strip() if lines else "it wrote nothing"
    return f"{name} failed with {what} ({reason}); the log shows more of its output."


def settings_section(path: Path, section: str, program: str) -> dict[str, str]:
    """Return a section of a settings file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    section : str
        Its section.
    program : str
        What users call the program.

    Returns
    -------
    dict
        Option, as it is spelled there, to text.

    Raises
    ------
    ConfigError
        If it cannot be read.
    """
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign, assignment]
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
        return dict(parser[section])
    except KeyError as error:
        raise ConfigError(f"{path} has no section [{section}].") from error
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise ConfigError(f"{path} cannot be read as {program} settings: {str(error).splitlines()[0]}.") from error
