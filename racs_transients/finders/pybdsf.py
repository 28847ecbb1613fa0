"""PyBDSF, run in a process of its own with our noise maps."""

from __future__ import annotations

import ast
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from astropy.io import fits

from racs_transients.errors import ConfigError
from racs_transients.finders.base import Settings, canonical_sources
from racs_transients.finders.lists import ListSource, read_raw_list
from racs_transients.finders.process import TIME_LIMIT_S, run_programs, settings_section
from racs_transients.image import Image
from racs_transients.image_files import image_header
from racs_transients.list_formats import FORMATS, nearest
from racs_transients.noise import NoiseMaps

logger = logging.getLogger(__name__)

# PyBDSF's own defaults are the documented ones; more processes than one gain nothing (ncores 2: 64 s for 49 s)
DEFAULT_SETTINGS: Mapping[str, object] = MappingProxyType({"ncores": 1})
# Files and messages are the pipeline's
_OVERRIDDEN = frozenset(
    {"filename", "indir", "outdir", "outfile", "quiet", "interactive", "debug", "catalog_type", "format"}
)
# Who sets one of these wants noise of his own
_NOISE = frozenset({"rmsmean_map_filename", "rms_map", "mean_map", "rms_value", "rms_box", "rms_box_bright"})

OUTPUT = "pybdsf_gaul.csv"
_INPUT = ("image.fits", "background.fits", "rms.fits")


class PyBDSF:
    """The source finder PyBDSF; its Gaussians are the sources.

    References
    ----------
    Mohan & Rafferty 2015, ascl:1502.007.
    """

    name = "pybdsf"

    def settings(self, path: Path | None) -> Settings:
        """Return the settings of a file's section ``[pybdsf]``, or PyBDSF's defaults.

        Parameters
        ----------
        path : pathlib.Path, optional
            File with parameters of ``process_image``, values as in Python (``(150, 50)``, ``'zero'`` or zero).

        Returns
        -------
        mapping
            Parameter to value.

        Raises
        ------
        ConfigError
            If the file cannot be read or a parameter is unknown.
        """
        if path is None:
            return DEFAULT_SETTINGS
        section = settings_section(path, self.name, "PyBDSF")
        known = _parameters()
        unknown = sorted(set(section) - known)
        if unknown:
            raise ConfigError(f"{path}: unknown PyBDSF settings {', '.join(unknown)}{nearest(unknown[0], known)}.")
        for key in sorted(section.keys() & _OVERRIDDEN):
            logger.info("%s: %s is left out, the pipeline hands its own images over", path, key)
        return {key: _value(text) for key, text in section.items() if key not in _OVERRIDDEN}

    def find(self, image: Image, noise: NoiseMaps, settings: Settings, folder: Path) -> None:
        """Find sources with our background and noise, and leave PyBDSF's list of Gaussians in a folder.

        Parameters
        ----------
        image : Image
            The image.
        noise : NoiseMaps
            Background and noise that PyBDSF uses, unless the settings say how it is to measure them.
        settings : mapping
            From `settings`.
        folder : pathlib.Path
            Where output and log go.

        Raises
        ------
        SourceFinderError
            If PyBDSF fails or does not end.
        """
        arguments = {"frequency": image.frequency * 1e6, **settings}
        own = sorted(settings.keys() & _NOISE)
        if own:
            logger.info("PyBDSF measures the noise itself, as its settings say (%s)", ", ".join(own))
        else:
            arguments |= _our_noise(image, folder)
        # not JSON: PyBDSF tells tuples from lists
        (folder / "arguments.txt").write_text(repr(arguments), encoding="utf-8")
        header = image_header(image)
        # a pixel without noise can hold no source
        data = np.where(np.isfinite(noise.rms), image.data, np.float32(np.nan))
        for name, array in zip(_INPUT, (data, noise.background, noise.rms), strict=True):
            fits.PrimaryHDU(np.asarray(array), header).writeto(folder / name)
        try:
            command = [sys.executable, "-m", "racs_transients.finders.pybdsf_worker", str(folder.resolve())]
            run_programs("PyBDSF", [command], folder, limit=TIME_LIMIT_S)
        finally:
            for name in _INPUT:
                (folder / name).unlink()

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
            ``schema.SOURCES``; no rows where PyBDSF found nothing.
        """
        path = folder / OUTPUT
        if not path.exists():
            path.write_text(",".join(FORMATS[self.name].columns.values()) + "\n", encoding="utf-8")
        return canonical_sources(read_raw_list(ListSource(path)), image, noise, flux_error=flux_error)


def _our_noise(image: Image, folder: Path) -> dict[str, object]:
    """Return the parameters that make PyBDSF use our maps.

    It leaves given maps aside, without a word, where its box for maps of its own would be larger than a quarter of
    the image, or where it finds their variation insignificant; so the box is given, and maps are asked for.
    """
    box = min(image.data.shape) // 4
    return {
        "rmsmean_map_filename": [str(folder.resolve() / name) for name in _INPUT[1:]],
        "rms_box": (box, max(1, box // 3)),
        "rms_map": True,
        "mean_map": "map",
    }


def _parameters() -> frozenset[str]:
    """Return the names of PyBDSF's parameters."""
    from bdsf.opts import Opts
    from bdsf.tc import TC

    return frozenset(name for name, value in vars(Opts).items() if isinstance(value, TC))


def _value(text: str) -> object:
    """Return a value written as in Python; any other text, such as the name of a file, is text."""
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = {"true": True, "false": False, "none": None}.get(text.lower(), text)
    return _absolute(value)


def _absolute(value: object) -> object:
    """Return names of files as they are seen from anywhere."""
    if isinstance(value, list | tuple):
        return type(value)(_absolute(item) for item in value)
    return str(Path(value).resolve()) if isinstance(value, str) and value and Path(value).is_file() else value
