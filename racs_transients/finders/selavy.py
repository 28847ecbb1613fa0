"""Selavy, ASKAPsoft's source finder, where it is installed."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from racs_transients.errors import SourceFinderError
from racs_transients.finders.base import Settings, canonical_sources
from racs_transients.finders.lists import ListSource, read_raw_list
from racs_transients.finders.process import TIME_LIMIT_S, failure, run_programs, settings_section
from racs_transients.image import Image
from racs_transients.image_files import write_image
from racs_transients.noise import NoiseMaps

logger = logging.getLogger(__name__)

# The documented defaults; a settings file replaces them as a whole.
DEFAULT_SETTINGS: Mapping[str, object] = MappingProxyType(
    {
        "snrCut": "5",
        "flagGrowth": "true",
        "growthCut": "3",
        "VariableThreshold": "true",
        "VariableThreshold.boxSize": "50",
        "nsubx": "1",
        "nsuby": "1",
        "Fitter.doFit": "true",
        "Fitter.fitTypes": "[full]",
        "Fitter.numGaussFromGuess": "true",
        "flagAdjacent": "false",
        "threshSpatial": "5",
        "minPix": "3",
        "minVoxels": "3",
        "minChannels": "1",
        "sortingParam": "-pflux",
    }
)
PARSET, RESULTS = "selavy.in", "selavy-results.txt"
COMPONENTS, ISLANDS = "selavy-results.components.txt", "selavy-results.islands.txt"
# Files are the pipeline's
_OVERRIDDEN = frozenset({"image", "imagefile", "imagetype", "resultsfile", "outfile"})


class Selavy:
    """The source finder Selavy, run as ``selavy -c parset``, under ``mpirun`` where its settings share the work out.

    It measures the noise itself (``VariableThreshold``), for it takes maps only as images of CASA.

    References
    ----------
    Whiting & Humphreys 2012, PASA 29, 371; https://www.atnf.csiro.au/computing/software/askapsoft.
    """

    name = "selavy"

    def settings(self, path: Path | None) -> Settings:
        """Return the settings of a file's section ``[selavy]``, or the documented defaults.

        Parameters
        ----------
        path : pathlib.Path, optional
            File with parameters of Selavy's parset, with or without ``Selavy.`` before them; it replaces the defaults.

        Returns
        -------
        mapping
            Parameter without ``Selavy.`` to text.

        Raises
        ------
        ConfigError
            If the file cannot be read.
        """
        if path is None:
            return DEFAULT_SETTINGS
        section = settings_section(path, self.name, "Selavy")
        settings = {key.removeprefix("Selavy."): text for key, text in section.items()}
        for key in sorted(name for name in settings if name.lower() in _OVERRIDDEN):
            logger.info("%s: %s is left out, the pipeline hands its own image over", path, key)
        return {key: text for key, text in settings.items() if key.lower() not in _OVERRIDDEN}

    def find(self, image: Image, noise: NoiseMaps, settings: Settings, folder: Path) -> None:
        """Find sources, and leave Selavy's lists of components and islands in a folder.

        Parameters
        ----------
        image : Image
            The image.
        noise : NoiseMaps
            Its noise, which Selavy does not take.
        settings : mapping
            From `settings`.
        folder : pathlib.Path
            Where output and log go.

        Raises
        ------
        SourceFinderError
            If Selavy is not installed, fails, or does not end.
        """
        command = _command(settings)
        (folder / PARSET).write_text(parset(settings), encoding="utf-8")
        picture = folder / "image.fits"
        write_image(image, picture)
        try:
            run_programs("Selavy", [command], folder, limit=TIME_LIMIT_S)
        finally:
            picture.unlink()
        if not (folder / COMPONENTS).exists():
            # it ends with exit code 0 after some failures, too
            raise SourceFinderError(failure("Selavy", folder / "selavy_0.log", f"no {COMPONENTS}"))

    def read(self, folder: Path, image: Image, noise: NoiseMaps, *, flux_error: float) -> pd.DataFrame:
        """Return the sources that `find` left.

        Parameters
        ----------
        folder : pathlib.Path
            Where the output is.
        image : Image
            The image.
        noise : NoiseMaps
            Its noise.
        flux_error : float
            Fractional error of the flux scale.

        Returns
        -------
        pandas.DataFrame
            ``schema.SOURCES``.
        """
        islands = folder / ISLANDS
        raw = read_raw_list(ListSource(folder / COMPONENTS, islands=islands if islands.exists() else None))
        return canonical_sources(raw, image, noise, flux_error=flux_error)


def parset(settings: Settings) -> str:
    """Return the text of a parset.

    Parameters
    ----------
    settings : mapping
        Parameter, without ``Selavy.``, to value.

    Returns
    -------
    str
        One line a parameter; image and results are in the folder where Selavy runs.
    """
    files = {"image": "image.fits", "imagetype": "fits", "resultsFile": RESULTS}
    return "".join(f"Selavy.{key} = {value}\n" for key, value in {**files, **settings}.items())


def _command(settings: Settings) -> list[str]:
    """Return the command; with n parts of the image it needs n + 1 processes."""
    selavy = shutil.which("selavy")
    if selavy is None:
        raise SourceFinderError(
            "There is no program selavy on the PATH: install ASKAPsoft, or run Selavy elsewhere and give its list of "
            "components with --askap-csv (and its islands with --askap-islands-csv)."
        )
    command = [selavy, "-c", PARSET]
    try:
        parts = int(str(settings.get("nsubx", 1))) * int(str(settings.get("nsuby", 1)))
    except ValueError as error:
        raise SourceFinderError("nsubx and nsuby in Selavy's settings should be whole numbers.") from error
    if parts == 1:
        return command
    mpirun = shutil.which("mpirun")
    if mpirun is None:
        raise SourceFinderError(
            f"Selavy's settings share the image out among {parts} processes (nsubx × nsuby), for which there is no "
            "program mpirun on the PATH; leave nsubx and nsuby out."
        )
    return [mpirun, "-n", str(parts + 1), *command]
