"""The reference surveys as data: what an algorithm needs to know of each, and nothing else."""

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
        return np.asarray((dec >= self.dec_min) & (dec <= self.dec_max) & (b >= self.b_min) & (b <= self.b_max))


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


_POSITION = {"ra": InputColumn("_RAJ2000", "deg"), "dec": InputColumn("_DEJ2000", "deg")}
_MOST = MappingProxyType(
    {
        **_POSITION,
        "ra_err": InputColumn("e_RAJ2000", "arcsec"),
        "dec_err": InputColumn("e_DEJ2000", "arcsec"),
        "flux_peak": InputColumn("Sp", "mJy"),
        "flux_peak_err": InputColumn("e_Sp", "mJy"),
        "flux_int": InputColumn("St", "mJy"),
        "flux_int_err": InputColumn("e_St", "mJy"),
        "major": InputColumn("MajAxis", "arcsec"),
        "minor": InputColumn("MinAxis", "arcsec"),
        "pa": InputColumn("PA", "deg"),
        "mosaic": InputColumn("Mosaic"),
    }
)

SUMSS = Survey(
    name="SUMSS",
    frequency=843.0,
    catalogues=(
        Catalogue(
            table="VIII/81B/sumss212",
            columns=_MOST,
            density=DeclinationSteps((-50.0,), (31.3, 21.5)),
            completeness=DeclinationSteps((-50.0,), (8.0, 18.0)),
            dec_max=-30.0,
            b_min=10.0,
        ),
        # MGPS-2, the same telescope's survey of the Galactic plane: 48,850 sources in 2,388 deg² down to
        # 10 mJy/beam everywhere, which is SUMSS's limit north of -50°, and so taken to be as complete
        Catalogue(
            table="VIII/82/mgpscat",
            columns=MappingProxyType({**_MOST, "name": InputColumn("MGPS")}),
            density=DeclinationSteps((), (20.5,)),
            completeness=DeclinationSteps((), (18.0,)),
            name_prefix="MGPS ",
            dec_max=-30.0,
            b_max=10.0,
        ),
    ),
    beam_fwhm=45.0,
    beam_cosec_dec=True,
    rms=DeclinationSteps(
        (-80.0, -70.0, -60.0, -50.0, -46.0, -42.0, -38.0, -34.0),
        (1.08, 1.47, 1.30, 1.37, 1.50, 1.52, 1.76, 2.01, 2.66),
    ),
    bright_mjy=436.0,
    skyview="SUMSS 843 MHz",
    centre_dec=(-91.0, -27.0),
    reference="Mauch et al. 2003, MNRAS 342, 1117; Murphy et al. 2007, MNRAS 382, 382",
)

NVSS = Survey(
    name="NVSS",
    frequency=1400.0,
    catalogues=(
        Catalogue(
            table="VIII/65/nvss",
            columns=MappingProxyType(
                {
                    **_POSITION,
                    "name": InputColumn("NVSS"),
                    "ra_err": InputColumn("e_RAJ2000", "s"),
                    "dec_err": InputColumn("e_DEJ2000", "arcsec"),
                    "flux_int": InputColumn("S1.4", "mJy"),
                    "flux_int_err": InputColumn("e_S1.4", "mJy"),
                    "major": InputColumn("MajAxis", "arcsec"),
                    "major_limit": InputColumn("l_MajAxis"),
                    "minor": InputColumn("MinAxis", "arcsec"),
                    "minor_limit": InputColumn("l_MinAxis"),
                    "pa": InputColumn("PA", "deg"),
                }
            ),
            density=DeclinationSteps((), (52.4,)),
            completeness=DeclinationSteps((), (3.4,)),
            name_prefix="NVSS J",
            dec_min=-40.0,
        ),
    ),
    beam_fwhm=45.0,
    sizes_deconvolved=True,
    rms=DeclinationSteps((-30.0,), (0.525, 0.51)),
    bright_mjy=2094.0,
    skyview="NVSS",
    centre_dec=(-43.0, 91.0),
    reference="Condon et al. 1998, AJ 115, 1693",
)

RACS_LOW = Survey(
    name="RACS-low",
    frequency=887.5,
    catalogues=(
        # the sources, not their Gaussians: 2.1 million in 28,020 deg². The table of |b| < 5° (galreg) is left out:
        # its completeness was not measured.
        Catalogue(
            table="J/other/PASA/38.58/galcut",
            columns=MappingProxyType(
                {
                    **_POSITION,
                    "name": InputColumn("RACS-DR1"),
                    "ra_err": InputColumn("e_RAJ2000", "arcsec"),
                    "dec_err": InputColumn("e_DEJ2000", "arcsec"),
                    "flux_peak": InputColumn("Fpk", "mJy"),
                    "flux_peak_err": InputColumn("e_Fpk", "mJy"),
                    "flux_int": InputColumn("Ftot", "mJy"),
                    "flux_int_err": InputColumn("e_Ftot", "mJy"),
                    "major": InputColumn("amaj", "arcsec"),
                    "minor": InputColumn("bmin", "arcsec"),
                    "pa": InputColumn("PA", "deg"),
                }
            ),
            density=DeclinationSteps((), (75.8,)),
            completeness=DeclinationSteps((), (5.0,)),
            name_prefix="RACS-DR1 ",
            dec_min=-80.0,
            dec_max=30.0,
            b_min=5.0,
        ),
    ),
    beam_fwhm=25.0,
    # of the mosaics at 25″
    rms=DeclinationSteps((), (0.3,)),
    # that of SUMSS, at this frequency
    bright_mjy=418.0,
    flux_scale_err=0.05,
    reference="Hale et al. 2021, PASA 38, e058; McConnell et al. 2020, PASA 37, e048",
)

SURVEYS: Mapping[str, Survey] = MappingProxyType({survey.name: survey for survey in (SUMSS, NVSS, RACS_LOW)})


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


def option_words(survey: Survey, option: str) -> str:
    """Return how an option is called that exists once for each survey, for messages.

    Parameters
    ----------
    survey : Survey
        The survey.
    option : {"csv", "mosaic_dir"}
        Which option.

    Returns
    -------
    str
        For example ``--sumss-csv``, or ``file in [SURVEY:GLEAM]``.
    """
    if survey.name in SURVEYS:
        return f"--{survey.name.lower()}-{option.replace('_', '-')}"
    return f"{'file' if option == 'csv' else option} in [SURVEY:{survey.name}]"


# Spectral index of the scaling S ∝ ν^α between ASKAP's and a survey's frequency, and its scatter
# (science: SUMSS-NVSS and ASKAP-NVSS pairs).
SPECTRAL_INDEX = -0.8


def frequency_factor(from_mhz: float, to_mhz: float, spectral_index: float = SPECTRAL_INDEX) -> float:
    """Return the factor that moves a flux density from one frequency to another.

    Parameters
    ----------
    from_mhz, to_mhz : float
        Frequencies, MHz.
    spectral_index : float
        α of S ∝ ν^α.

    Returns
    -------
    float
        ``(to / from) ** α``.
    """
    return float((to_mhz / from_mhz) ** spectral_index)
