"""Files that are fetched or measured once and kept for all runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def keep(path: Path, writer: Callable[[Path], object]) -> None:
    """Write a file under a name of its own and rename it, so that other processes see all of it or none.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    writer : callable
        Writes to the path it is given.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        writer(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
