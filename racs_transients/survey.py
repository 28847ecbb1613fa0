"""What is to know of a reference survey: its catalogues, beam, noise and footprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from racs_transients import sky
from racs_transients.beam import FloatArray

BoolArray = NDArray[np.bool_]


# Size of an extended source where nothing else is said, in beams
EXT_THRESH = 1.2
# What a column of a catalogue can be that holds numbers, and its unit in ``schema.REFERENCES``
CANONICAL_UNITS = MappingProxyType(
    {
        "ra": "deg", "dec": "deg", "ra_err": "arcsec", "dec_err": "arcsec",
        "flux_peak": "mJy", "flux_peak_err": "mJy", "flux_int": "mJy", "flux_int_err": "mJy",
        "major": "arcsec", "minor": "arcsec", "pa": "deg",
        "beam_major": "arcsec", "beam_minor": "arcsec", "beam_pa": "deg",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InputColumn:
    """Where a value stands in the survey's own table.

    Parameters
    ----------
    name : str
        Name of the column.
    unit : str
        Its unit; ``"s"`` on a right ascension error means seconds of time.
    """

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class DeclinationSteps:
    """A quantity known in steps of declination.

    Parameters
    ----------
    edges : tuple of float
        Declinations at which the value changes, degrees, ascending.
    values : tuple of float
        Values between them, one more than edges.
    """

    edges: tuple[float, ...]
    values: tuple[float, ...]

    def at(self, dec: ArrayLike) -> FloatArray:
        """Return the value at declinations; an edge belongs to the step south of it.

        Parameters
        ----------
        dec : array_like
            Declination, degrees.

        Returns
        -------
        numpy.ndarray
            The values.
        """
        return np.asarray(self.values)[np.searchsorted(self.edges, np.asarray(dec, float), side="left")]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One table of a survey, and the part of the sky that it covers.

    Parameters
    ----------
    table : str
        VizieR's name of the table; empty for a catalogue that is only a file.
    columns : mapping
        Canonical column to column of the table. In a file that holds several catalogues of a survey a row
        belongs to the one whose own name column it fills, else to the first.
    density : DeclinationSteps
        Sources per deg² inside the footprint.
    completeness : DeclinationSteps
        Flux density above which the catalogue is 95 % complete, mJy.
    name_prefix : str
        What precedes the table's own names of its sources.
    dec_min, dec_max : float
        Footprint in declination, degrees.
    b_min, b_max : float
        Footprint in Galactic latitude without its sign, degrees.
    l_min, l_max : float
        Footprint in Galactic longitude, degrees; the border beyond may lie beyond 360.
    """

    table: str
    columns: Mapping[str, InputColumn] = field(hash=False)
    density: DeclinationSteps
    completeness: DeclinationSteps
    name_prefix: str = ""
    dec_min: float = -90.0
    dec_max: float = 90.0
    b_min: float = 0.0
    b_max: float = 90.0
    l_min: float = 0.0
    l_max: float = 360.0

    def contains(self, ra: ArrayLike, dec: ArrayLike) -> BoolArray:
        """Return whether positions lie inside the catalogue's footprint.

        Parameters
        ----------
        ra, dec : array_like
            Positions, degrees.

        Returns
        -------
        numpy.ndarray of bool
            True inside.
        """
        dec = np.asarray(dec, float)
        b = np.abs(sky.galactic_latitude(ra, dec))
        along = (sky.galactic_longitude(ra, dec) - self.l_min) % 360 <= self.l_max - self.l_min
        return np.asarray((dec >= self.dec_min) & (dec <= self.dec_max) & (b >= self.b_min) & (b <= self.b_max) & along)


@dataclass(frozen=True, slots=True)
class Survey:
    """A reference survey.

    Parameters
    ----------
    name : str
        Short name, as in options and tables.
    frequency : float
        MHz.
    catalogues : tuple of Catalogue
        The tables that make it up; where two know a source, the earlier counts.
    beam_fwhm : float
        FWHM across the beam, arcsec.
    rms : DeclinationSteps
        Measured median noise of the images, mJy/beam.
    bright_mjy : float
        Flux density from which a source makes artefacts around it, mJy.
    reference : str
        Where the numbers come from.
    beam_cosec_dec : bool
        Whether the beam is longer north-south, by the cosecant of the declination.
    beam_major : float, optional
        FWHM along a beam that is the same everywhere but not round, arcsec.
    beam_pa : float
        Its position angle, degrees.
    sizes_deconvolved : bool
        Whether the catalogue gives deconvolved sizes instead of fitted ones.
    flux_scale_err : float
        Fractional uncertainty of the flux scale already inside the catalogue's errors.
    skyview : str
        Name of its images at SkyView; empty where there are none.
    centre_dec : tuple of float
        Declinations between which an image's centre must lie for the survey to be the one compared with
        where no option chooses, exclusive; NaN where it never is.
    """

    name: str
    frequency: float
    catalogues: tuple[Catalogue, ...]
    beam_fwhm: float
    rms: DeclinationSteps
    bright_mjy: float
    reference: str
    beam_cosec_dec: bool = False
    beam_major: float | None = None
    beam_pa: float = 0.0
    sizes_deconvolved: bool = False
    flux_scale_err: float = 0.03
    skyview: str = ""
    centre_dec: tuple[float, float] = (float("nan"), float("nan"))

    @property
    def vizier_tables(self) -> tuple[str, ...]:
        """Names of its tables at VizieR."""
        return tuple(catalogue.table for catalogue in self.catalogues if catalogue.table)

    def beam_axes(self, dec: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the survey's beam at declinations.

        Parameters
        ----------
        dec : array_like
            Declination, degrees.

        Returns
        -------
        major, minor, pa : numpy.ndarray
            FWHM, arcsec, and position angle, degrees.
        """
        dec = np.asarray(dec, float)
        minor = np.full(dec.shape, self.beam_fwhm)
        major = np.full(dec.shape, self.beam_major or self.beam_fwhm)
        if self.beam_cosec_dec:
            major = major / np.abs(np.sin(np.deg2rad(dec)))
        return major, minor, np.full(dec.shape, self.beam_pa)

    def contains(self, ra: ArrayLike, dec: ArrayLike) -> BoolArray:
        """Return whether positions lie inside the survey's footprint.

        Parameters
        ----------
        ra, dec : array_like
            Positions, degrees.

        Returns
        -------
        numpy.ndarray of bool
            True inside.
        """
        return np.asarray(np.logical_or.reduce([catalogue.contains(ra, dec) for catalogue in self.catalogues]))

    def density_at(self, ra: ArrayLike, dec: ArrayLike) -> FloatArray:
        """Return the number of catalogue sources per deg² at positions.

        Parameters
        ----------
        ra, dec : array_like
            Positions, degrees.

        Returns
        -------
        numpy.ndarray
            Zero outside the footprint.
        """
        densities = [np.where(c.contains(ra, dec), c.density.at(dec), 0.0) for c in self.catalogues]
        return np.asarray(np.maximum.reduce(densities))

    def completeness_at(self, ra: ArrayLike, dec: ArrayLike) -> FloatArray:
        """Return the flux density above which the catalogue is 95 % complete at positions.

        Parameters
        ----------
        ra, dec : array_like
            Positions, degrees.

        Returns
        -------
        numpy.ndarray
            Flux density in mJy, NaN outside the footprint.
        """
        limits = [np.where(c.contains(ra, dec), c.completeness.at(dec), np.nan) for c in self.catalogues]
        return np.asarray(np.fmin.reduce(limits))


@dataclass(frozen=True, slots=True)
class OwnSurvey:
    """A survey that the user describes, with what a run reads of it.

    Parameters
    ----------
    survey : Survey
        The survey.
    texts : mapping
        What the user wrote, for the manifest.
    csv : pathlib.Path, optional
        Its catalogue as a file.
    mosaic_dir : pathlib.Path, optional
        Folder with its images.
    ext_thresh : float
        Size of an extended source, in beams.
    """

    survey: Survey
    texts: Mapping[str, str] = field(hash=False)
    csv: Path | None = None
    mosaic_dir: Path | None = None
    ext_thresh: float = EXT_THRESH
