"""What a source finder is, and the one form that all source lists are brought to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from racs_transients import sky
from racs_transients.image import Image
from racs_transients.measurement_errors import condon_errors
from racs_transients.noise import NoiseMaps
from racs_transients.schema import SOURCES
from racs_transients.tables import conform

Settings = Mapping[str, object]


class SourceFinder(Protocol):
    """A program that finds sources in an image."""

    name: str

    def settings(self, path: Path | None) -> Settings:
        """Return the settings of a file's section, or the documented defaults without a file.

        Parameters
        ----------
        path : pathlib.Path, optional
            The settings file.

        Returns
        -------
        mapping
            Setting to value.
        """

    def find(self, image: Image, noise: NoiseMaps, settings: Settings, folder: Path) -> None:
        """Find sources and leave the finder's own output in a folder.

        Parameters
        ----------
        image : Image
            The image.
        noise : NoiseMaps
            Its noise.
        settings : mapping
            From `settings`.
        folder : pathlib.Path
            Where the output goes.
        """

    def read(self, folder: Path, image: Image, noise: NoiseMaps, *, flux_error: float) -> pd.DataFrame:
        """Return the sources of that output.

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


def canonical_sources(raw: pd.DataFrame, image: Image, noise: NoiseMaps, *, flux_error: float) -> pd.DataFrame:
    """Return a source list in the schema's form, with errors from the one error model.

    Parameters
    ----------
    raw : pandas.DataFrame
        Columns island_id, ra, dec (degrees), flux_peak (mJy/beam), flux_int (mJy), major, minor
        (arcsec), pa (degrees), finder_flux_peak_err, finder_flux_int_err, finder_flags; optionally
        rms (mJy/beam), used where the noise map has none, and island_components, else counted.
    image : Image
        The image.
    noise : NoiseMaps
        Its noise.
    flux_error : float
        Fractional error of the flux scale, added in quadrature.

    Returns
    -------
    pandas.DataFrame
        ``schema.SOURCES``, ordered by position, so that the order of the input changes nothing.
    """
    raw = raw.assign(ra=raw["ra"] % 360).sort_values(["ra", "dec", "flux_peak"], kind="stable").reset_index(drop=True)
    _, rms = noise.at(image, raw["ra"], raw["dec"])
    rms = np.where(np.isfinite(rms), rms, raw["rms"]) if "rms" in raw else rms
    errors = condon_errors(
        flux_peak=raw["flux_peak"],
        flux_int=raw["flux_int"],
        major=raw["major"],
        minor=raw["minor"],
        pa=raw["pa"],
        rms=rms,
        beam=image.beam,
        flux_error=flux_error,
    )
    counted = raw.groupby("island_id")["ra"].transform("size")
    columns = raw.drop(columns=[c for c in ("rms",) if c in raw]).assign(
        source_id=np.arange(1, len(raw) + 1),
        name=sky.iau_name("", raw["ra"], raw["dec"]),
        island_components=raw.get("island_components", counted),
        ra_err=errors.ra,
        dec_err=errors.dec,
        flux_peak_err=errors.flux_peak,
        flux_int_err=errors.flux_int,
        rms=rms,
        snr=raw["flux_peak"] / rms,
        beam_major=image.beam.major,
        beam_minor=image.beam.minor,
        beam_pa=image.beam.pa,
        nn_separation=sky.nearest_neighbour(raw["ra"], raw["dec"]),
    )
    return conform(columns, SOURCES)


def good_fits(sources: pd.DataFrame) -> pd.DataFrame:
    """Return the sources that their finder has no complaint of.

    Parameters
    ----------
    sources : pandas.DataFrame
        ``schema.SOURCES``.

    Returns
    -------
    pandas.DataFrame
        Rows whose finder_flags are 0.
    """
    return sources[(sources["finder_flags"] == 0).fillna(True)].reset_index(drop=True)
