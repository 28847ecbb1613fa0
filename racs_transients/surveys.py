"""The reference surveys as data: what an algorithm needs to know of each, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from racs_transients.survey import (
    CANONICAL_UNITS,
    EXT_THRESH,
    Catalogue,
    DeclinationSteps,
    InputColumn,
    OwnSurvey,
    Survey,
)

__all__ = [
    "CANONICAL_UNITS",
    "EXT_THRESH",
    "NVSS",
    "RACS_LOW",
    "SPECTRAL_INDEX",
    "SUMSS",
    "SURVEYS",
    "Catalogue",
    "DeclinationSteps",
    "InputColumn",
    "OwnSurvey",
    "Survey",
    "frequency_factor",
    "option_words",
]

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
            l_min=245.0,
            l_max=365.0,
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
