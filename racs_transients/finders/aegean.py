"""Aegean, run in a process of its own with our noise maps."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from astropy.io import fits

from racs_transients.errors import ConfigError, SourceFinderError
from racs_transients.finders.base import Settings, canonical_sources
from racs_transients.finders.lists import read_raw_list
from racs_transients.image import Image
from racs_transients.noise import NoiseMaps

# The documented defaults; a settings file replaces them as a whole.
DEFAULT_SETTINGS: Mapping[str, object] = MappingProxyType(
    {"cores": 1, "maxsummits": 5, "seedclip": 5.0, "floodclip": 4.0, "nocov": True}
)
# Option of the program: (argument of find_sources_in_image, type)
OPTIONS: Mapping[str, tuple[str, type]] = MappingProxyType(
    {
        "cores": ("cores", int),
        "maxsummits": ("max_summits", int),
        "seedclip": ("innerclip", float),
        "floodclip": ("outerclip", float),
        "nocov": ("docov", bool),
        "forcerms": ("rms", float),
        "forcebkg": ("bkg", float),
        "nopositive": ("nopositive", bool),
        "negative": ("nonegative", bool),
        "region": ("mask", str),
        "psf": ("imgpsf", str),
    }
)
# Options that ask for what the pipeline does anyway (it hands its own noise maps over).
_OVERRIDDEN = frozenset({"autoload", "noise", "background", "table", "out", "island", "save"})
# Arguments that mean the opposite of the option
_NEGATED = frozenset({"nocov", "negative"})

OUTPUT = "aegean_comp.csv"
LOG = "aegean.log"
TIME_LIMIT_S = 4 * 3600
COLUMNS = (
    "island,source,background,local_rms,ra_str,dec_str,ra,err_ra,dec,err_dec,peak_flux,err_peak_flux,"
    "int_flux,err_int_flux,a,err_a,b,err_b,pa,err_pa,flags,residual_mean,residual_std,uuid,psf_a,psf_b,psf_pa"
)


class Aegean:
    """The Aegean source finder.

    References
    ----------
    Hancock et al. 2012, MNRAS 422, 1812; Hancock, Trott & Hurley-Walker 2018, PASA 35, e011.
    """

    name = "aegean"

    def settings(self, path: Path | None) -> Settings:
        """Return the settings of a file's section ``[aegean]``, or the documented defaults.

        Parameters
        ----------
        path : pathlib.Path, optional
            File with Aegean's own option names; it replaces the defaults, "true" is a bare option and
            "false" drops one.

        Returns
        -------
        mapping
            Option to value.

        Raises
        ------
        ConfigError
            If the file cannot be read, or an option is unknown or has a wrong value.
        """
        return DEFAULT_SETTINGS if path is None else _read_settings(path)

    def find(self, image: Image, noise: NoiseMaps, settings: Settings, folder: Path) -> None:
        """Find sources with our background and noise, and leave Aegean's component table in a folder.

        Parameters
        ----------
        image : Image
            The image.
        noise : NoiseMaps
            Background and noise that Aegean uses instead of making its own.
        settings : mapping
            From `settings`.
        folder : pathlib.Path
            Where output and log go.

        Raises
        ------
        SourceFinderError
            If Aegean fails or does not end.
        """
        header = _plain_header(image)
        arguments = _arguments(settings)
        inputs = {"image": image.data, "rms": noise.rms, "background": noise.background}
        try:
            for name, data in inputs.items():
                fits.PrimaryHDU(np.asarray(data), header).writeto(folder / f"{name}.fits", overwrite=True)
            (folder / "arguments.json").write_text(json.dumps(arguments), encoding="utf-8")
            _run_worker(folder)
        finally:
            for name in inputs:
                (folder / f"{name}.fits").unlink(missing_ok=True)
        if not (folder / OUTPUT).exists():
            (folder / OUTPUT).write_text(COLUMNS + "\n", encoding="utf-8")

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
            ``schema.SOURCES``; no rows where Aegean found nothing.
        """
        raw = read_raw_list(folder / OUTPUT, "aegean")
        return canonical_sources(raw, image, noise, flux_error=flux_error)


def _read_settings(path: Path) -> Settings:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
        section = parser["aegean"]
    except KeyError as error:
        raise ConfigError(f"{path} has no section [aegean].") from error
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise ConfigError(f"{path} cannot be read as Aegean settings: {str(error).splitlines()[0]}.") from error
    unknown = sorted(set(section) - set(OPTIONS) - _OVERRIDDEN)
    if unknown:
        raise ConfigError(f"{path}: unknown Aegean settings {', '.join(unknown)}; known are {', '.join(OPTIONS)}.")
    settings: dict[str, object] = {}
    for key, text in section.items():
        if text.lower() == "false" or key in _OVERRIDDEN:
            continue
        kind = OPTIONS[key][1]
        try:
            settings[key] = True if kind is bool and text.lower() == "true" else kind(text)
        except ValueError as error:
            raise ConfigError(f"{path}: {key} should be a {kind.__name__}, not {text!r}.") from error
    return settings


def _arguments(settings: Settings) -> dict[str, object]:
    """Return arguments of find_sources_in_image; without nocov Aegean computes covariances."""
    arguments: dict[str, object] = {"progress": False, "docov": True, "nonegative": True}
    for key, value in settings.items():
        arguments[OPTIONS[key][0]] = not value if key in _NEGATED else value
    return arguments


def _plain_header(image: Image) -> fits.Header:
    """Return a two-axis header with the beam in it, whatever the image's own header was like."""
    header = image.wcs.to_header()
    header["BMAJ"], header["BMIN"], header["BPA"] = image.beam.major / 3600, image.beam.minor / 3600, image.beam.pa
    header["BUNIT"] = "Jy/beam"
    return header


def _run_worker(folder: Path) -> None:
    # Aegean hangs and crashes on some images, and sets numpy's error state for the whole process
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with (folder / LOG).open("w", encoding="utf-8") as log:
        command = [sys.executable, "-m", "racs_transients.finders.aegean_worker", str(folder)]
        try:
            done = subprocess.run(
                command, stdout=log, stderr=subprocess.STDOUT, env=environment, timeout=TIME_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise SourceFinderError(
                f"Aegean did not end within {TIME_LIMIT_S / 3600:.0f} hours and was stopped."
            ) from error
    if done.returncode != 0:
        last = (folder / LOG).read_text(encoding="utf-8").strip().splitlines()[-1:]
        raise SourceFinderError(f"Aegean failed with exit code {done.returncode}: {' '.join(last)}")
