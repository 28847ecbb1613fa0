"""The reference surveys as data: what an algorithm needs to know of each, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from racs_transients.beam import FloatArray


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
class Survey:
    """A reference survey.

    Parameters
    ----------
    name : str
        Short name, as in options and tables.
    frequency : float
        MHz.
    vizier_tables : tuple of str
        VizieR tables that make up the catalogue, main one first.
    columns : mapping
        Canonical column to column of the VizieR table.
    beam_fwhm : float
        FWHM across the beam, arcsec.
    beam_cosec_dec : bool
        Whether the beam is longer north-south, by the cosecant of the declination.
    sizes_deconvolved : bool
        Whether the catalogue gives deconvolved sizes instead of fitted ones.
    dec_min, dec_max : float
        Footprint in declination, degrees.
    density : DeclinationSteps
        Sources per deg² inside the footprint.
    rms : DeclinationSteps
        Measured median noise of the mosaics, mJy/beam.
    completeness : DeclinationSteps
        Flux density above which the catalogue is 95 % complete, mJy.
    bright_mjy : float
        Flux density from which a source makes artefacts around it, mJy.
    flux_scale_err : float
        Fractional uncertainty of the flux scale already inside the catalogue's errors.
    reference : str
        Where the numbers come from.
    """

    name: str
    frequency: float
    vizier_tables: tuple[str, ...]
    columns: Mapping[str, InputColumn] = field(hash=False)
    beam_fwhm: float
    beam_cosec_dec: bool
    sizes_deconvolved: bool
    dec_min: float
    dec_max: float
    density: DeclinationSteps
    rms: DeclinationSteps
    completeness: DeclinationSteps
    bright_mjy: float
    flux_scale_err: float
    reference: str

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
        major = minor / np.abs(np.sin(np.deg2rad(dec))) if self.beam_cosec_dec else minor.copy()
        return major, minor, np.zeros(dec.shape)

    def contains(self, dec: ArrayLike) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Return whether declinations lie inside the survey's footprint.

        Parameters
        ----------
        dec : array_like
            Declination, degrees.

        Returns
        -------
        numpy.ndarray of bool
            True inside.
        """
        dec = np.asarray(dec, float)
        return np.asarray((dec >= self.dec_min) & (dec <= self.dec_max))


_POSITION = {"ra": InputColumn("_RAJ2000", "deg"), "dec": InputColumn("_DEJ2000", "deg")}

SUMSS = Survey(
    name="SUMSS",
    frequency=843.0,
    # MGPS-2 is the same telescope's survey of |b| < 10°
    vizier_tables=("VIII/81B/sumss212", "VIII/82/mgpscat"),
    columns=MappingProxyType(
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
    ),
    beam_fwhm=45.0,
    beam_cosec_dec=True,
    sizes_deconvolved=False,
    dec_min=-90.0,
    dec_max=-30.0,
    density=DeclinationSteps((-50.0,), (31.3, 21.5)),
    rms=DeclinationSteps(
        (-80.0, -70.0, -60.0, -50.0, -46.0, -42.0, -38.0, -34.0),
        (1.08, 1.47, 1.30, 1.37, 1.50, 1.52, 1.76, 2.01, 2.66),
    ),
    completeness=DeclinationSteps((-50.0,), (8.0, 18.0)),
    bright_mjy=436.0,
    flux_scale_err=0.03,
    reference="Mauch et al. 2003, MNRAS 342, 1117; Murphy et al. 2007, MNRAS 382, 382",
)

NVSS = Survey(
    name="NVSS",
    frequency=1400.0,
    vizier_tables=("VIII/65/nvss",),
    columns=MappingProxyType(
        {
            **_POSITION,
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
    beam_fwhm=45.0,
    beam_cosec_dec=False,
    sizes_deconvolved=True,
    dec_min=-40.0,
    dec_max=90.0,
    density=DeclinationSteps((), (52.4,)),
    rms=DeclinationSteps((-30.0,), (0.525, 0.51)),
    completeness=DeclinationSteps((), (3.4,)),
    bright_mjy=2094.0,
    flux_scale_err=0.03,
    reference="Condon et al. 1998, AJ 115, 1693",
)

SURVEYS: Mapping[str, Survey] = MappingProxyType({survey.name: survey for survey in (SUMSS, NVSS)})

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
