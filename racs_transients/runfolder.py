"""The results folder of one image: names, atomic writes, lock, cache of costly stages, manifest."""

from __future__ import annotations

import errno
import fcntl
import getpass
import hashlib
import json
import os
import platform
import resource
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from racs_transients import __version__
from racs_transients.errors import RunFolderError
from racs_transients.schema import PRODUCT_KINDS

MANIFEST = "run.json"
_LOCK = ".lock"
_CACHE = ".cache"
_VERSIONS_OF = ("numpy", "scipy", "astropy", "pandas", "AegeanTools", "bdsf", "astroquery", "sep")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    str
        Hexadecimal digest.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of(*parts: object) -> str:
    """Return a short digest of JSON-able values.

    Parameters
    ----------
    *parts : object
        Numbers, strings, mappings and sequences of them.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn operating system errors of writing into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunFolderError(
                f"No space is left for {path}; free some or choose another --output-dir. "
                "What was finished is kept: the same command goes on from there."
            ) from error
        # numpy, astropy and Pillow say in words of their own that less was written than there is
        check = "the permissions" if error.errno else "the free space and the permissions"
        raise RunFolderError(
            f"Cannot write {path}: {error.strerror or error}; check {check} or choose another --output-dir."
        ) from error


@dataclass(slots=True)
class RunFolder:
    """A results folder in use by this process; made by `open_run_folder`.

    Parameters
    ----------
    path : pathlib.Path
        The folder.
    manifest : dict
        What ``run.json`` holds: identity, settings, inputs, timings, counts, state.
    """

    path: Path
    manifest: dict[str, Any] = field(default_factory=dict)

    def save_manifest(self) -> None:
        """Write ``run.json``, whole or not at all."""
        text = json.dumps(self.manifest, indent=2, default=str) + "\n"
        self.write(MANIFEST, lambda path: path.write_text(text, encoding="utf-8"))

    def write(self, name: str, writer: Callable[[Path], object]) -> Path:
        """Write a product under a temporary name, then rename it.

        Parameters
        ----------
        name : str
            Path relative to the folder.
        writer : callable
            Writes to the path it is given.

        Returns
        -------
        pathlib.Path
            The product.

        Raises
        ------
        RunFolderError
            If it cannot be written.
        """
        target = self.path / name
        temporary = target.with_name(f".{target.name}.part{target.suffix}")
        with _explained(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                writer(temporary)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
        return target

    def add_product(self, name: str, kind: str, *, survey: str = "", match_id: int | None = None) -> None:
        """Note a finished product in the manifest.

        Parameters
        ----------
        name : str
            Path relative to the folder.
        kind : str
            What it is, a key of ``schema.PRODUCT_KINDS``.
        survey : str
            The survey it belongs to, empty where there is none.
        match_id : int, optional
            The row of the crossmatch that it shows.
        """
        if kind not in PRODUCT_KINDS:
            raise KeyError(kind)
        self.manifest["products"][name] = {"kind": kind, "survey": survey, "match_id": match_id}

    def survey(self, name: str) -> dict[str, Any]:
        """Return the part of the manifest that belongs to a survey, to be added to.

        Parameters
        ----------
        name : str
            The survey.

        Returns
        -------
        dict
            Calibration and counts.
        """
        part: dict[str, Any] = self.manifest["surveys"].setdefault(name, {})
        return part

    def cached(self, stage: str, inputs: object, produce: Callable[[Path], object]) -> tuple[Path, bool]:
        """Return the folder with a stage's products, made now or by an earlier run with the same inputs.

        Parameters
        ----------
        stage : str
            Name of the stage.
        inputs : object
            All that the products depend on, JSON-able.
        produce : callable
            Writes the products into the empty folder it is given.

        Returns
        -------
        folder : pathlib.Path
            Where the products are.
        reused : bool
            Whether they were there before, made by the same versions of the program and of what it uses.
        """
        # what another version of the program or of a source finder made is not what run.json would say it is
        versions = [self.manifest["version"], self.manifest["versions"]]
        folder = self.path / _CACHE / f"{stage}-{digest_of(stage, inputs, versions)}"
        if folder.is_dir():
            return folder, True
        with _explained(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=f".{stage}-", dir=folder.parent))
        try:
            with _explained(folder):
                produce(temporary)
                for older in folder.parent.glob(f"{stage}-*"):
                    shutil.rmtree(older)
                temporary.replace(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return folder, False

    def record_input(self, role: str, path: Path) -> str:
        """Note an input file and its SHA-256 in the manifest.

        Parameters
        ----------
        role : str
            What the file is to the run.
        path : pathlib.Path
            The file.

        Returns
        -------
        str
            Its SHA-256.
        """
        digest = file_digest(path)
        self.manifest.setdefault("inputs", {})[role] = {"path": str(path), "sha256": digest}
        return digest

    def record_stage(self, name: str, words: str, seconds: float) -> None:
        """Note a finished stage in the manifest.

        Parameters
        ----------
        name : str
            Name of the stage.
        words : str
            What came out.
        seconds : float
            How long it took.
        """
        self.manifest["stages"].append({"name": name, "result": words, "seconds": round(seconds, 2)})

    def finish(self, state: str, error: str | None = None) -> None:
        """Note how the run ended and save the manifest.

        Parameters
        ----------
        state : str
            ``"complete"`` or ``"failed"``.
        error : str, optional
            The message of a failure.
        """
        self.manifest["state"] = state
        self.manifest["error"] = error
        if state == "complete":
            self._remove_outdated()
        self.manifest["finished"] = _now()
        self.manifest["peak_memory_mb"] = round(peak_memory_mb())
        self.save_manifest()

    def _remove_outdated(self) -> None:
        """Remove tables of earlier runs that this one, with other options, does not have: they say other numbers."""
        given = {Path(file["path"]).resolve() for file in self.manifest["inputs"].values()}
        for name in set(self.manifest["outdated"]) - self.manifest["products"].keys():
            if (self.path / name).resolve() not in given:
                (self.path / name).unlink(missing_ok=True)
        self.manifest["outdated"] = []


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process and its children so far, MB.

    Returns
    -------
    float
        Megabytes.
    """
    used = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    # macOS counts bytes, Linux kilobytes
    return used / (1e6 if sys.platform == "darwin" else 1e3)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def folder_name(image: Path, tag: str | None) -> str:
    """Return the documented name of an image's results folder.

    Parameters
    ----------
    image : pathlib.Path
        The image file.
    tag : str, optional
        ``--output-tag``.

    Returns
    -------
    str
        ``<image without .fits>_results[_<tag>]``.
    """
    return f"{image_stem(image)}_results" + (f"_{tag}" if tag else "")


def image_stem(image: Path) -> str:
    """Return an image's file name without ``.fits`` and ``.gz`` in any case.

    Parameters
    ----------
    image : pathlib.Path
        The image file.

    Returns
    -------
    str
        The stem.
    """
    name = image.name
    for suffix in (".gz", ".fz", ".fits", ".fit"):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return name


@contextmanager
def open_run_folder(
    path: Path, *, image: Path, settings: Mapping[str, Any], command: list[str], clobber: bool
) -> Iterator[RunFolder]:
    """Open the results folder of an image: make it, or go on in it.

    Parameters
    ----------
    path : pathlib.Path
        The folder.
    image : pathlib.Path
        The image; a folder that holds another image's results is refused.
    settings : mapping
        Resolved configuration without secrets, for the manifest.
    command : list of str
        The command line, for the manifest.
    clobber : bool
        Start afresh: remove what an earlier run left.

    Yields
    ------
    RunFolder
        Locked while the context lasts.

    Raises
    ------
    RunFolderError
        If the folder is in use, belongs to another image, is no results folder, or cannot be written.
    """
    with _explained(path):
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / _LOCK).open("a", encoding="utf-8")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunFolderError(f"{path} is in use by another run; wait for it or give an --output-tag.") from error
        digest = file_digest(image)
        earlier = _earlier_manifest(path, clobber)
        if earlier is not None and earlier.get("image", {}).get("sha256") != digest:
            if not _has_nothing(earlier):
                raise RunFolderError(
                    f"{path} holds the results of another image ({earlier.get('image', {}).get('path')}); "
                    "give an --output-tag or --output-dir, or --clobber to replace them."
                )
            earlier = None
        if clobber:
            with _explained(path):
                _remove_contents(path)
        # what a killed run was working in; the lock says that nobody is any more
        for unfinished in (path / _CACHE).glob(".*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        folder = RunFolder(path, _new_manifest(image, digest, settings, command, earlier))
        folder.save_manifest()
        try:
            yield folder
        except BaseException as error:
            # what comes after a complete run does not make its results incomplete
            if folder.manifest["state"] != "complete":
                stopped = isinstance(error, KeyboardInterrupt)
                folder.finish("failed", "interrupted" if stopped else str(error) or type(error).__name__)
            raise


def _has_nothing(earlier: Mapping[str, Any]) -> bool:
    """Return whether a run failed before it had a product: its image may be the same file, cut off then."""
    return earlier.get("state") == "failed" and not earlier.get("products") and not earlier.get("outdated")


def _earlier_manifest(path: Path, clobber: bool) -> dict[str, Any] | None:
    """Return the manifest of the run to go on with; None where there is none."""
    if not (path / MANIFEST).exists():
        if any(entry.name != _LOCK for entry in path.iterdir()):
            raise RunFolderError(
                f"{path} is not empty and no results folder of this program (it has no {MANIFEST}); "
                "move it away or give an --output-tag or --output-dir."
            )
        return None
    if clobber:
        return None
    try:
        earlier = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{path / MANIFEST} cannot be read ({error}); use --clobber to start afresh.") from error
    return dict(earlier)


def _remove_contents(path: Path) -> None:
    for entry in path.iterdir():
        if entry.name == _LOCK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _user() -> str:
    """Return who runs this; in a container a number need not have a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _new_manifest(
    image: Path, digest: str, settings: Mapping[str, Any], command: list[str], earlier: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "run_id": earlier["run_id"] if earlier else str(uuid.uuid4()),
        "state": "running",
        "error": None,
        "started": _now(),
        "finished": None,
        "version": __version__,
        "versions": {name: version(name) for name in _VERSIONS_OF} | {"python": platform.python_version()},
        "command": command,
        "user": _user(),
        "image": {"path": str(image), "sha256": digest},
        "inputs": {},
        "settings": dict(settings),
        "stages": [],
        "surveys": {},
        "warnings": [],
        "products": {},
        # what a run that failed did not come to remove
        "outdated": _tables(earlier) if earlier else [],
    }


def _tables(earlier: Mapping[str, Any]) -> list[str]:
    names = {*earlier.get("products", {}), *earlier.get("outdated", [])}
    return sorted(name for name in names if name.endswith((".csv", ".vot")))
