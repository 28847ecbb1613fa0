"""Every option, stated once: default, type, unit, limits and help; and the configuration they make."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from racs_transients.surveys import OwnSurvey

Kind = Literal["str", "int", "float", "bool", "file", "files", "folder", "new_folder"]
SECRETS = frozenset({"db_password"})
REDACTED = "***"


@dataclass(frozen=True, slots=True)
class Option:
    """What is to know of an option beside its name and default.

    Parameters
    ----------
    kind : str
        str, int, float, bool, file (must exist), files (one an image), folder (must exist) or new_folder.
    help : str
        One sentence.
    unit : str
        Unit of a number, empty where there is none.
    minimum, maximum : float, optional
        Limits of a number, inclusive.
    choices : tuple of str
        The values allowed, where they are few.
    aliases : tuple of str
        Names of the earlier documentation that mean the same; they work with a warning.
    only_with : str
        Boolean option, or ``name=value``, without which this one is not looked at.
    environment : str
        Environment variable that gives the value where no option does.
    """

    kind: Kind
    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    only_with: str = ""
    environment: str = ""


def _option(default: Any, kind: Kind, help_: str, *, shown: bool = True, **rest: Any) -> Any:
    return field(default=default, repr=shown, metadata={"option": Option(kind, help_, **rest)})


def _number(default: float, help_: str, unit: str = "", minimum: float | None = 0, **rest: Any) -> Any:
    return _option(default, "float", help_, unit=unit, minimum=minimum, **rest)


def default_cache_dir() -> Path:
    """Return where fetched catalogues are kept: the user's cache folder.

    Returns
    -------
    pathlib.Path
        ``$XDG_CACHE_HOME/racs_transients``, by default below ``~/.cache``.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "racs_transients"


@dataclass(frozen=True, slots=True, kw_only=True)
class General:
    """How a run is run."""

    output_tag: str | None = _option(None, "str", "Added to the name of the results folder.")
    output_dir: Path | None = _option(None, "new_folder", "Folder for the results folders; the current one by default.")
    log_level: str = _option("INFO", "str", "How much is logged.", choices=("WARNING", "INFO", "DEBUG"))
    nice: int = _option(10, "int", "Nice level of the process.", minimum=0, maximum=19)
    clobber: bool = _option(False, "bool", "Start afresh: replace an existing results folder.")
    jobs: int = _option(1, "int", "How many images are processed side by side.", minimum=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The image and its sources."""

    survey: str | None = _option(
        None,
        "str",
        "Surveys to compare with, separated by commas, the base survey first: SUMSS, NVSS, RACS-low or those of "
        "sections [SURVEY:name]; by default SUMSS, NVSS or both, by the declination of the image's centre.",
    )
    sumss_only: bool = _option(False, "bool", "Compare with SUMSS only.")
    nvss_only: bool = _option(False, "bool", "Compare with NVSS only.")
    frequency: float | None = _option(
        None, "float", "Frequency of an image whose header has none.", unit="Hz", minimum=1e7
    )
    beam_major: float | None = _option(
        None, "float", "Major axis (FWHM) of the beam of an image whose header has none.", unit="arcsec", minimum=0.1
    )
    beam_minor: float | None = _option(
        None, "float", "Minor axis (FWHM) of that beam; as the major axis by default.", unit="arcsec", minimum=0.1
    )
    beam_pa: float = _number(0.0, "Position angle of that beam.", "deg", minimum=-180, maximum=180)
    weight_crop: bool = _option(False, "bool", "Crop the image with its weights image.")
    weight_crop_value: float = _number(
        0.04, "Pixels at or below this fraction of the maximum weight are cropped.", maximum=1
    )
    weight_crop_image: tuple[Path, ...] | None = _option(
        None,
        "files",
        "The weights image; for several images one for all of them, or as --askap-csv.",
        only_with="weight_crop",
    )
    convolve: bool = _option(False, "bool", "Compare at the survey's resolution, by convolution.")
    convolution_engine: str = _option(
        "fft", "str", "What convolves: our own FFT, or CASA's imsmooth.", choices=("fft", "casa"), only_with="convolve"
    )
    convolved_image: tuple[Path, ...] | None = _option(
        None, "files", "A convolved image made before; for several images as --askap-csv.", only_with="convolve"
    )
    convolved_non_conv_askap_csv: tuple[Path, ...] | None = _option(
        None, "files", "Source list of the image before convolution, as --askap-csv.", only_with="convolve"
    )
    convolved_non_conv_askap_islands_csv: tuple[Path, ...] | None = _option(
        None, "files", "Island list of the image before convolution, as --askap-islands-csv.", only_with="convolve"
    )
    sourcefinder: str = _option("aegean", "str", "The source finder.", choices=("aegean", "pybdsf", "selavy"))
    aegean_settings_config: Path | None = _option(
        None, "file", "File with a section [aegean] that replaces the default settings of Aegean."
    )
    pybdsf_settings_config: Path | None = _option(
        None,
        "file",
        "File with a section [pybdsf] of parameters of process_image that replaces the default settings.",
        only_with="sourcefinder=pybdsf",
    )
    selavy_settings_config: Path | None = _option(
        None,
        "file",
        "File with a section [selavy] of parset parameters that replaces the default settings.",
        only_with="sourcefinder=selavy",
    )
    boundary_value: str = _option("nan", "str", "Pixel value outside the image.", choices=("nan", "zero"))
    askap_flux_error: float = _number(
        0.0, "Fraction (0.1 is 10 %) of the flux added in quadrature to the errors of ASKAP fluxes.", maximum=1
    )
    spectral_index: float = _number(
        -0.8, "Spectral index that moves fluxes between frequencies, S ∝ ν^α.", minimum=-5, maximum=5
    )
    spectral_index_err: float = _number(0.3, "Scatter of the spectral index from source to source.", maximum=5)
    correct_flux_scale: bool = _option(
        True, "bool", "Divide ASKAP fluxes by their median ratio to the survey before they are compared."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogues:
    """Source lists and reference catalogues."""

    askap_csv: tuple[Path, ...] | None = _option(
        None,
        "files",
        "Source list of the image compared (by Aegean, Selavy, PyBDSF or this program, or any table with "
        "--askap-columns; CSV, text, VOTable, FITS) instead of a source finder. For several images one each, in the "
        "same order, separated by commas, or a name in which {image} stands for the image's name without .fits.",
    )
    askap_islands_csv: tuple[Path, ...] | None = _option(
        None,
        "files",
        "Island list (by Selavy or Aegean) that belongs to --askap-csv; for several images as there. Without it "
        "the components of an island are counted in the source list.",
    )
    sumss_csv: Path | None = _option(None, "file", "SUMSS catalogue with VizieR's columns instead of VizieR.")
    nvss_csv: Path | None = _option(None, "file", "NVSS catalogue with VizieR's columns instead of VizieR.")
    racs_low_csv: Path | None = _option(None, "file", "RACS-low catalogue with VizieR's columns instead of VizieR.")
    askap_csv_format: str | None = _option(
        None,
        "str",
        "Which finder wrote --askap-csv; found out by default.",
        choices=("aegean", "selavy", "pybdsf", "racs_transients"),
    )
    askap_columns: str | None = _option(
        None,
        "str",
        "Columns and units of a source list that no known finder wrote, separated by commas, such as ra = RAJ2000 "
        "[hms], dec = DEJ2000 [dms], flux_peak = Sp [mJy/beam], flux_int = S [Jy]; also major, minor, pa, "
        "flux_peak_err, flux_int_err, rms, island, flags.",
    )
    write_ann: bool = _option(False, "bool", "Write annotation files for kvis and regions for DS9.")
    produce_overlays: bool = _option(True, "bool", "Draw the sources over the image.")
    cache_dir: Path = field(
        default_factory=default_cache_dir,
        metadata={
            "option": Option("new_folder", "Where fetched catalogues are kept; the user's cache folder by default.")
        },
    )
    vizier_url: str | None = _option(
        None, "str", "Address of VizieR's votable service, for a mirror.", environment="RACS_TRANSIENTS_VIZIER_URL"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossmatching:
    """Matching the lists."""

    diagnostic_max_separation: float = _number(
        5.0, "Match radius of the diagnostic plots and the calibration.", "arcsec"
    )
    transient_max_separation: float = _number(
        45.0, "Match radius of the transient search.", "arcsec", maximum=600, aliases=("max_separation",)
    )
    remove_extended: bool = _option(False, "bool", "Leave extended sources out of the diagnostic crossmatch.")
    askap_ext_thresh: float = _number(1.2, "Size of an extended ASKAP source, in beams.")
    sumss_ext_thresh: float = _number(1.2, "Size of an extended SUMSS source, in beams.")
    nvss_ext_thresh: float = _number(1.2, "Size of an extended NVSS source, in beams.")
    racs_low_ext_thresh: float = _number(1.2, "Size of an extended RACS-low source, in beams.")
    use_all_fits: bool = _option(False, "bool", "Use the sources that the finder flagged, too.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transients:
    """The transient search."""

    transients: bool = _option(False, "bool", "Search for transients.")
    forced_photometry: str = _option(
        "gls",
        "str",
        "How a flux is measured where no source was found: gls, our own fit in correlated noise, at the survey's "
        "resolution; or aegean, its priorized fit on the image as it is (meant for --convolve).",
        choices=("gls", "aegean"),
    )
    transients_askap_snr_thresh: float = _number(
        5.0,
        "Signal to noise in the survey from which an ASKAP source should have been seen there.",
        aliases=("transients_askap_sumss_snr_thresh",),
    )
    transients_large_flux_ratio_thresh: float = _number(
        3.0, "Outliers in ln ratio: median ± this many robust standard deviations."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagSettings:
    """Thresholds of the flags and of what a candidate is."""

    candidate_min_ratio: float = _number(2.0, "Smallest flux ratio of a candidate.", minimum=1)
    nondetection_rms: float = _number(3.0, "A forced flux below this many times the noise counts as unseen.")
    min_significance: float = _number(4.3, "A large ratio with |Vs| below this is not significant.")
    extended_thresh: float = _number(1.75, "Size of an extended source, in beams.")
    island_reach: float = _number(
        60.0, "An ASKAP source this near tells which island an unmatched catalogue source lies in.", "arcsec"
    )
    large_island_components: int = _option(3, "int", "Number of components of a large island.", minimum=2)
    bright_source_radius: float = _number(10.0, "Reach of the artefacts of a bright source.", "arcmin", maximum=120)
    bright_near_fraction: float = _number(
        0.05, "Largest artefact of a bright source within that reach, as a fraction of all such sources.", maximum=1
    )
    bright_far_radius: float = _number(
        45.0, "Reach of the faint artefacts of very bright sources.", "arcmin", maximum=120
    )
    bright_far_fraction: float = _number(
        0.002, "Brightness of those artefacts, as a fraction of all bright sources within that reach.", maximum=1
    )
    bright_extended_snr: float = _number(
        50.0, "Forced flux of bright extended structure, in units of the image's noise."
    )
    unfound_snr: float = _number(
        10.0, "Forced flux, in units of the local noise, that a finder would have found if it were a source."
    )
    local_rms_factor: float = _number(
        5.0, "Local noise, in units of the image's, above which nothing is trusted.", minimum=1
    )
    local_rms_snr: float = _number(5.0, "Signal to noise below which ASKAP could not show a catalogue source.")
    double_separation: float = _number(112.5, "A neighbour nearer than this is close.", "arcsec")
    blend_explains: float = _number(0.5, "Part of a change that a blend must explain to veto it.", maximum=1)
    edge_margin: float = _number(60.0, "Blank pixels nearer than this make an edge.", "arcsec")
    created_beams: float = _number(
        2.0, "A source farther than this from any full-resolution one was created, in beams."
    )
    inflated_snr: float = _number(5.0, "Signal to noise in the survey that the full-resolution source must reach.")
    convolved_isolation_beams: float = _number(3.0, "Isolation for the convolved flux check, in beams.")
    convolved_flux_ratio: float = _number(1.25, "Largest change of flux by convolution.", minimum=1)
    nearest_matches: int = _option(6, "int", "How many nearest good matches are listed.", minimum=0, maximum=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostageStamps:
    """Postage stamps and the survey images they and the forced photometry use."""

    postage_stamps: bool = _option(False, "bool", "Make postage stamps.")
    postage_stamp_selection: str = _option(
        "all", "str", "Which rows get postage stamps.", choices=("all", "transients"), only_with="postage_stamps"
    )
    postage_stamp_ncores: int | None = _option(
        None,
        "int",
        "Processes for postage stamps; half the processors by default.",
        minimum=1,
        only_with="postage_stamps",
    )
    postage_stamp_radius: float = _number(
        13.0, "Radius of the postage stamps.", "arcmin", minimum=1, maximum=120, only_with="postage_stamps"
    )
    postage_stamp_zscale_contrast: float = _number(
        0.2, "Contrast of the zscale stretch.", maximum=1, only_with="postage_stamps"
    )
    sumss_mosaic_dir: Path | None = _option(None, "folder", "Folder with SUMSS mosaics.")
    nvss_mosaic_dir: Path | None = _option(None, "folder", "Folder with NVSS mosaics.")
    fetch_mosaics: bool = _option(
        False, "bool", "Fetch survey images from SkyView where no mosaic of a folder covers a position."
    )
    skyview_url: str | None = _option(
        None, "str", "Address of SkyView's query form, for a mirror.", environment="RACS_TRANSIENTS_SKYVIEW_URL"
    )
    racs_low_mosaic_dir: Path | None = _option(None, "folder", "Folder with RACS-low images at 25″.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The database and the site."""

    db_inject: bool = _option(True, "bool", "Write the results into the database.")
    db_engine: str = _option(
        "sqlite",
        "str",
        "Database engine; postgresql where a user name, password, host or port is given.",
        choices=("sqlite", "postgresql"),
        only_with="db_inject",
    )
    db_username: str = _option("postgres", "str", "User of the database.", only_with="db_inject")
    db_password: str | None = _option(
        None, "str", "Password of the database; ~/.pgpass is a better place.", only_with="db_inject", shown=False
    )
    db_host: str = _option("localhost", "str", "Host of the database.", only_with="db_inject")
    db_port: int = _option(5432, "int", "Port of the database.", minimum=1, maximum=65535, only_with="db_inject")
    db_database: str | None = _option(
        None,
        "str",
        "Name of the database; for SQLite its file, ./racs_transients.sqlite3 by default.",
        aliases=("db_name",),
        only_with="db_inject",
    )
    db_tag: str = _option("RACS Analysis", "str", "Description of the run in the database.", only_with="db_inject")
    website_media_dir: Path | None = _option(
        None,
        "new_folder",
        "Folder that the products are copied to, for a site that cannot read the results folder.",
        only_with="db_inject",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All options of a run, checked, by section of the ini file.

    Parameters
    ----------
    images : tuple of pathlib.Path
        The images to process.
    general, analysis, catalogues, crossmatching, transients, flags, postagestamps, database : dataclass
        The sections.
    own_surveys : mapping
        Name to survey, of those that the ini file describes.
    """

    images: tuple[Path, ...] = ()
    general: General = General()
    analysis: Analysis = Analysis()
    catalogues: Catalogues = field(default_factory=Catalogues)
    crossmatching: Crossmatching = Crossmatching()
    transients: Transients = Transients()
    flags: FlagSettings = FlagSettings()
    postagestamps: PostageStamps = PostageStamps()
    database: Database = Database()
    own_surveys: Mapping[str, OwnSurvey] = field(default_factory=dict)

    def to_dict(self, *, redacted: bool = True) -> dict[str, Any]:
        """Return the resolved configuration for the manifest.

        Parameters
        ----------
        redacted : bool
            Replace secrets.

        Returns
        -------
        dict
            Section to option to value, JSON-able.
        """
        result: dict[str, Any] = {"images": [str(path) for path in self.images]}
        for section, name, _ in all_options():
            value = getattr(getattr(self, section), name)
            if redacted and name in SECRETS and value is not None:
                value = REDACTED
            result.setdefault(section, {})[name] = _plain(value)
        result |= {"surveys": {name: dict(own.texts) for name, own in self.own_surveys.items()}}
        return result


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


SECTIONS: dict[str, type[Any]] = {
    "general": General,
    "analysis": Analysis,
    "catalogues": Catalogues,
    "crossmatching": Crossmatching,
    "transients": Transients,
    "flags": FlagSettings,
    "postagestamps": PostageStamps,
    "database": Database,
}


def all_options() -> Iterator[tuple[str, str, Option]]:
    """Return every option.

    Yields
    ------
    section : str
        Name of the section, in lower case.
    name : str
        Name of the option, with underscores.
    option : Option
        What is to know of it.
    """
    for section, kind in SECTIONS.items():
        for item in fields(kind):
            yield section, item.name, item.metadata["option"]
