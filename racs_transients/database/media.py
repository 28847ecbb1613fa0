"""Copying a run's products to the folder of the site."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from racs_transients.errors import DatabaseError


@contextmanager
def published(folder: Path, names: Iterable[str], media_dir: Path | None, run_id: str) -> Iterator[Path]:
    """Copy products to the site's folder; taken back where the block fails.

    Parameters
    ----------
    folder : pathlib.Path
        The results folder.
    names : iterable of str
        Products, relative to it.
    media_dir : pathlib.Path, optional
        Folder of the site; None leaves the products where they are.
    run_id : str
        Names the copy.

    Yields
    ------
    pathlib.Path
        The folder that the site reads the products from.

    Raises
    ------
    DatabaseError
        If the copy cannot be made.
    """
    if media_dir is None:
        yield folder.absolute()
        return
    target = media_dir.absolute() / run_id
    part, earlier = target.with_name(f".{run_id}.part"), target.with_name(f".{run_id}.earlier")
    try:
        for left in (part, earlier):
            shutil.rmtree(left, ignore_errors=True)
        part.mkdir(parents=True)
        for name in names:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / name, part / name)
        if target.exists():
            target.rename(earlier)
        part.rename(target)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        _put_back(target, earlier)
        raise DatabaseError(f"The results cannot be copied to {target}: {error.strerror or error}.") from error
    try:
        yield target
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        _put_back(target, earlier)
        raise
    shutil.rmtree(earlier, ignore_errors=True)


def _put_back(target: Path, earlier: Path) -> None:
    if earlier.exists() and not target.exists():
        earlier.rename(target)
