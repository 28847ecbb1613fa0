"""Aegean, run in a process of its own with our noise maps."""

from __future__ import annotations

import json
import logging
import os
import shutil
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
from racs_transients.finders.stripes import Islands, Stripe, share_out, stripe_data
from racs_transients.image import Image
from racs_transients.image_files import image_header
from racs_transients.noise import NoiseMaps

logger = logging.getLogger(__name__)

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
        "beam": ("beam", tuple),
        "blankout": ("blank", bool),
    }
)
# Options about files, planes and messages: the pipeline hands its own noise maps and one plane over.
_OVERRIDDEN = frozenset(
    {
        "autoload", "noise", "background", "table", "tformats", "out", "save", "outbase", "island", "find",
        "hdu", "slice", "progress", "debug", "colprefix",
    }
)  # fmt: skip
# Arguments that mean the opposite of the option
_NEGATED = frozenset({"nocov", "negative"})
# Settings that become constant noise maps
_MAPS = frozenset({"forcerms", "forcebkg"})

OUTPUT = "aegean_comp.csv"
COLUMNS = (
    "island,source,background,local_rms,ra_str,dec_str,ra,err_ra,dec,err_dec,peak_flux,err_peak_flux,"
    "int_flux,err_int_flux,a,err_a,b,err_b,pa,err_pa,flags,residual_mean,residual_std,psf_a,psf_b,psf_pa"
)


class Aegean:
    """The Aegean source finder.

    Parameters
    ----------
    processes : int, optional
        Processes that fit islands at the same time, all usable cores by default; the result does not
        depend on it. Aegean itself uses ``cores`` only for its own noise maps, which are not made here.

    References
    ----------
    Hancock et al. 2012, MNRAS 422, 1812; Hancock, Trott & Hurley-Walker 2018, PASA 35, e011.
    """

    name = "aegean"

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes

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
        maps = _forced(noise, settings)
        (folder / "arguments.json").write_text(json.dumps(_arguments(settings)), encoding="utf-8")
        seed, flood = (
            _number(settings.get(name), default) for name, default in (("seedclip", 5.0), ("floodclip", 4.0))
        )
        islands = share_out(image.data, maps.background, maps.rms, seed=seed, flood=min(seed, flood))
        stripes = [folder / f"stripe_{number:04d}" for number in range(len(islands.stripes))]
        try:
            for stripe, target in zip(islands.stripes, stripes, strict=True):
                _write_stripe(target, image, maps, islands, stripe)
            _run_workers(folder, min(len(stripes), self.processes or usable_cores()))
            _merge(stripes, folder / OUTPUT)
        finally:
            for target in stripes:
                shutil.rmtree(target, ignore_errors=True)

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
        raw = read_raw_list(ListSource(folder / OUTPUT, "aegean"))
        return canonical_sources(raw, image, noise, flux_error=flux_error)


def _read_settings(path: Path) -> Settings:
    section = {key.lower(): text for key, text in settings_section(path, "aegean", "Aegean").items()}
    unknown = sorted(set(section) - set(OPTIONS) - _OVERRIDDEN)
    if unknown:
        raise ConfigError(f"{path}: unknown Aegean settings {', '.join(unknown)}; known are {', '.join(OPTIONS)}.")
    settings: dict[str, object] = {}
    for key, text in section.items():
        if text.lower() == "false":
            continue
        if key in _OVERRIDDEN:
            logger.info("%s: %s is left out, the pipeline hands its own images over", path, key)
            continue
        try:
            settings[key] = _value(OPTIONS[key][1], text)
        except ValueError as error:
            raise ConfigError(f"{path}: {key} should be {error}, not {text!r}.") from error
    return settings


def _value(kind: type, text: str) -> object:
    """Return the value of a setting; a ValueError says what it should be."""
    if kind is bool:
        if text.lower() != "true":
            raise ValueError("true or false")
        return True
    if kind is str:
        if not Path(text).is_file():  # Aegean would go on without it
            raise ValueError("a file that exists")
        return str(Path(text).resolve())
    try:
        if kind is tuple:
            major, minor, pa = (float(number) for number in text.split())
            return [major, minor, pa]
        return kind(text)
    except ValueError as error:
        words = {int: "a whole number", float: "a number", tuple: "major and minor axis and position angle, degrees"}
        raise ValueError(words[kind]) from error


def _arguments(settings: Settings) -> dict[str, object]:
    """Return arguments of find_sources_in_image; without nocov Aegean computes covariances."""
    arguments: dict[str, object] = {"progress": False, "docov": True, "nonegative": True}
    for key, value in settings.items():
        if key not in _MAPS:
            arguments[OPTIONS[key][0]] = not value if key in _NEGATED else value
    return arguments


def _forced(noise: NoiseMaps, settings: Settings) -> NoiseMaps:
    """Return the noise maps with what the settings force upon them."""
    rms, background = settings.get("forcerms"), settings.get("forcebkg")
    return NoiseMaps(
        background=noise.background if background is None else np.full_like(noise.background, _number(background, 0.0)),
        rms=noise.rms if rms is None else np.where(np.isfinite(noise.rms), np.float32(_number(rms, 0.0)), np.nan),
    )


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default


def _write_stripe(target: Path, image: Image, maps: NoiseMaps, islands: Islands, stripe: Stripe) -> None:
    header = image_header(image)
    # a header written by wcslib leaves a reference pixel of 0 out
    header["CRPIX2"] = header.get("CRPIX2", 0.0) - stripe.start
    rows = slice(stripe.start, stripe.stop)
    target.mkdir()
    for name, data in (
        ("image", stripe_data(image.data, maps.background, islands, stripe)),
        ("rms", np.asarray(maps.rms[rows])),
        ("background", np.asarray(maps.background[rows])),
    ):
        fits.PrimaryHDU(data, header).writeto(target / f"{name}.fits")


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run_workers(folder: Path, processes: int) -> None:
    # Aegean hangs and crashes on some images, and sets numpy's error state for the whole process
    command = [sys.executable, "-m", "racs_transients.finders.aegean_worker", str(folder.resolve())]
    commands = [[*command, str(first), str(processes)] for first in range(processes)]
    run_programs("Aegean", commands, folder, limit=TIME_LIMIT_S)


def _merge(stripes: list[Path], output: Path) -> None:
    """Put the tables of the stripes together, with islands numbered through."""
    tables, islands = [], 0
    for target in stripes:
        path = target / OUTPUT
        if path.exists():
            # the random ids of Aegean would make equal runs differ
            table = pd.read_csv(path).drop(columns="uuid", errors="ignore")
            tables.append(table.assign(island=table["island"] + islands))
            islands = int(tables[-1]["island"].max())
    merged = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS.split(","))
    merged.to_csv(output, index=False, lineterminator="\n")
