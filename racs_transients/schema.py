"""Every column of every table, stated once: name, type, unit, UCD and what it means.

File headers, VOTable fields, the documentation of the products and the models of the review site
come from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

DType = Literal["float", "int", "str", "bool"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        Name in tables and files.
    dtype : {"float", "int", "str", "bool"}
        Type of the values; missing is NaN for floats, NA for int and str; bool has no missing value.
    unit : str
        Unit in VOUnit spelling, empty where there is none.
    ucd : str
        IVOA Unified Content Descriptor.
    description : str
        One line on what the value is.
    """

    name: str
    dtype: DType
    unit: str
    ucd: str
    description: str


def prefixed(prefix: str, of: str, columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return columns with a prefix before each name and "of ..." behind each description.

    Parameters
    ----------
    prefix : str
        For example ``"askap_"``.
    of : str
        Words that end the descriptions.
    columns : iterable of Column
        The columns to rename.

    Returns
    -------
    tuple of Column
        The renamed columns.
    """
    return tuple(replace(c, name=prefix + c.name, description=f"{c.description}, {of}") for c in columns)


POSITION = (
    Column("ra", "float", "deg", "pos.eq.ra;meta.main", "Right ascension, ICRS"),
    Column("dec", "float", "deg", "pos.eq.dec;meta.main", "Declination, ICRS"),
    Column("ra_err", "float", "arcsec", "stat.error;pos.eq.ra", "1σ error of the position along right ascension"),
    Column("dec_err", "float", "arcsec", "stat.error;pos.eq.dec", "1σ error of the position along declination"),
)
FLUX = (
    Column("flux_peak", "float", "mJy/beam", "phot.flux.density;stat.max", "Peak flux density"),
    Column("flux_peak_err", "float", "mJy/beam", "stat.error;phot.flux.density", "1σ error of the peak flux density"),
    Column("flux_int", "float", "mJy", "phot.flux.density", "Integrated flux density"),
    Column("flux_int_err", "float", "mJy", "stat.error;phot.flux.density", "1σ error of the integrated flux density"),
)
SHAPE = (
    Column("major", "float", "arcsec", "phys.angSize.smajAxis", "Fitted FWHM of the major axis, beam included"),
    Column("minor", "float", "arcsec", "phys.angSize.sminAxis", "Fitted FWHM of the minor axis, beam included"),
    Column("pa", "float", "deg", "pos.posAng", "Position angle of the major axis, north through east"),
)
NOISE = (
    Column("rms", "float", "mJy/beam", "stat.stdev;phot.flux.density", "Local noise of the image at the position"),
    Column("snr", "float", "", "stat.snr", "Peak flux density over the local noise"),
)
BEAM = (
    Column(
        "beam_major", "float", "arcsec", "phys.angSize;instr.beam", "FWHM of the major axis of the beam at the source"
    ),
    Column(
        "beam_minor", "float", "arcsec", "phys.angSize;instr.beam", "FWHM of the minor axis of the beam at the source"
    ),
    Column("beam_pa", "float", "deg", "pos.posAng;instr.beam", "Position angle of the beam at the source"),
)

# What every source finder's output is turned into.
SOURCES = (
    Column("source_id", "int", "", "meta.id;meta.main", "Number of the source in its list"),
    Column("name", "str", "", "meta.id", "IAU-style name from the position"),
    Column("island_id", "int", "", "meta.id.parent", "Number of the island of emission the source belongs to"),
    Column("island_components", "int", "", "meta.number", "Number of components in that island"),
    *POSITION,
    *FLUX,
    Column("finder_flux_peak_err", "float", "mJy/beam", "stat.error", "Error of the peak as the finder gave it"),
    Column("finder_flux_int_err", "float", "mJy", "stat.error", "Error of the integrated flux as the finder gave it"),
    *SHAPE,
    *NOISE,
    *BEAM,
    Column("finder_flags", "int", "", "meta.code.qual", "Quality flags of the finder, 0 is good"),
    Column("nn_separation", "float", "arcsec", "pos.angDistance", "Distance to the nearest other source of the list"),
)

# What every reference catalogue is turned into.
REFERENCES = (
    Column("source_id", "int", "", "meta.id;meta.main", "Number of the source in the reference catalogue as read"),
    Column("name", "str", "", "meta.id", "Name of the source in the style of the survey"),
    Column("survey", "str", "", "meta.dataset", "Survey the source comes from"),
    *POSITION,
    *FLUX,
    *SHAPE,
    Column("size_is_limit", "bool", "", "meta.code", "Whether the size, that of the major axis, is an upper limit"),
    *BEAM,
    Column("mosaic", "str", "", "meta.id", "Survey mosaic that the catalogue names"),
    Column("nn_separation", "float", "arcsec", "pos.angDistance", "Distance to the nearest other source of the list"),
)

ORIGIN = Column("origin", "str", "", "meta.code", "detected, catalogued, forced, limit or none")
_USED = (
    Column("flux", "float", "mJy", "phot.flux.density", "Flux density that enters the comparison, own frequency"),
    Column("flux_err", "float", "mJy", "stat.error;phot.flux.density", "1σ error of that flux density"),
    Column("scaled_flux", "float", "mJy", "phot.flux.density", "That flux density at the survey's frequency"),
    Column("scaled_flux_err", "float", "mJy", "stat.error;phot.flux.density", "1σ error of the scaled flux density"),
)


def _pick(columns: Iterable[Column], *names: str) -> tuple[Column, ...]:
    by_name = {column.name: column for column in columns}
    return tuple(by_name[name] for name in names)


# One measurement, seen on one side of a crossmatch.
_SIDE = (ORIGIN, *_USED, *POSITION, *FLUX, *SHAPE, *NOISE)
_ASKAP_SIDE = (
    *_pick(SOURCES, "source_id", "name", "island_id", "island_components"),
    *_SIDE,
    *_pick(SOURCES, "beam_major", "beam_minor", "finder_flags", "nn_separation"),
)
_REF_SIDE = (
    *_pick(REFERENCES, "source_id", "name"),
    *_SIDE,
    *_pick(REFERENCES, "beam_major", "beam_minor", "mosaic", "nn_separation"),
)

# The transient crossmatch: the three categories and the master table.
CROSSMATCHES = (
    Column("match_id", "int", "", "meta.id;meta.main", "Number of the row in this run"),
    Column("object_id", "int", "", "meta.id.parent", "Number of the object in this run, one for rows of both surveys"),
    Column("name", "str", "", "meta.id", "IAU-style name from the row's position"),
    Column("type", "str", "", "meta.code.class", "match, noaskapmatch or nocatalogmatch"),
    Column("survey", "str", "", "meta.dataset", "Survey compared with"),
    *POSITION[:2],
    Column("gal_l", "float", "deg", "pos.galactic.lon", "Galactic longitude"),
    Column("gal_b", "float", "deg", "pos.galactic.lat", "Galactic latitude"),
    Column("separation", "float", "arcsec", "pos.angDistance", "Distance between ASKAP and catalogue position"),
    Column("ra_offset", "float", "arcsec", "pos.eq.ra;arith.diff", "ASKAP − catalogue along right ascension"),
    Column("dec_offset", "float", "arcsec", "pos.eq.dec;arith.diff", "ASKAP − catalogue along declination"),
    *prefixed("askap_", "ASKAP image compared", _ASKAP_SIDE),
    Column("askap_group", "int", "", "meta.number", "Number of catalogue sources matched to this ASKAP source"),
    *prefixed(
        "native_",
        "ASKAP image at full resolution",
        (*_pick(SOURCES, "source_id", "name"), ORIGIN, *_USED, *_pick(NOISE, "rms")),
    ),
    Column("native_separation", "float", "arcsec", "pos.angDistance", "Distance to the full-resolution counterpart"),
    Column(
        "native_nn_separation", "float", "arcsec", "pos.angDistance", "Distance of that counterpart to its neighbour"
    ),
    Column(
        "native_beam_major",
        "float",
        "arcsec",
        "phys.angSize;instr.beam",
        "FWHM of the major axis of the full-resolution beam",
    ),
    Column("native_predicted_snr", "float", "", "stat.snr", "Signal to noise in the survey of that counterpart alone"),
    Column(
        "rescued", "bool", "", "meta.code", "Whether convolution hid the source and the full-resolution one matches"
    ),
    *prefixed("ref_", "survey", _REF_SIDE),
    Column("ref_group_flux", "float", "mJy", "phot.flux.density", "Sum of the catalogue sources of the group"),
    Column("predicted_snr", "float", "", "stat.snr", "Signal to noise expected on the side that shows nothing"),
    Column("blend_flux", "float", "mJy", "phot.flux.density", "ASKAP components weighted by the survey's beam, summed"),
    Column("blend_explains", "float", "", "stat.value", "Part of the change in ln flux that the blend explains"),
    Column("ratio", "float", "", "phot.flux.density;arith.ratio", "Larger over smaller flux at one frequency, ≥ 1"),
    Column("ratio_err", "float", "", "stat.error;arith.ratio", "1σ error of the ratio; none for a limit"),
    Column("ratio_is_limit", "bool", "", "meta.code", "Whether the ratio is a lower limit"),
    Column(
        "ln_ratio", "float", "", "phot.flux.density;arith.ratio", "ln(ASKAP / survey); positive is brighter in ASKAP"
    ),
    Column("vs", "float", "", "stat.value", "Change over its error, positive is brighter in ASKAP"),
    Column("vs_abs", "float", "", "stat.value", "Size of the change over its error"),
    Column("m", "float", "", "stat.value", "Modulation: change over mean flux, positive is brighter in ASKAP"),
    Column("m_abs", "float", "", "stat.value", "Size of the modulation"),
    Column("ratio_peak", "float", "", "phot.flux.density;arith.ratio", "Ratio from peak fluxes at matched resolution"),
    Column("vs_peak", "float", "", "stat.value", "Change over its error from peak fluxes at matched resolution"),
    Column("m_peak", "float", "", "stat.value", "Modulation from peak fluxes at matched resolution"),
    Column("large_ratio", "bool", "", "meta.code", "Whether ln ratio is an outlier among the matches"),
    Column("distance_from_centre", "float", "deg", "pos.angDistance", "Distance from the centre of the image"),
    Column("bright_separation", "float", "arcmin", "pos.angDistance", "Distance to the nearest bright source"),
    Column(
        "bright_flux",
        "float",
        "mJy",
        "phot.flux.density",
        "Flux of bright sources in the near reach, fading with distance",
    ),
    Column("bright_sum", "float", "mJy", "phot.flux.density", "Flux density of all bright sources in the far reach"),
    Column("image_rms", "float", "mJy/beam", "stat.stdev", "Median noise of the ASKAP image compared"),
    Column("on_edge", "bool", "", "meta.code", "Whether the row's position is near blank pixels or the border"),
    Column("nearest_matches", "str", "", "meta.id.assoc", "match_id of the nearest good matches, nearest first"),
    Column("flag_bits", "int", "", "meta.code.qual", "All flags that apply, as bits of the flag registry"),
    Column("flag", "str", "", "meta.code.qual", "The primary flag in words, Good where none applies"),
    Column("failure", "str", "", "meta.note", "Why a flux could not be measured"),
    Column("is_candidate", "bool", "", "meta.code", "Whether the row is a transient candidate"),
)

# An image, a run of the pipeline on it, and its comparison with one survey: what the database keeps beside the rows.
IMAGES = (
    Column("ra", "float", "deg", "pos.eq.ra;meta.main", "Right ascension of the image's centre, ICRS"),
    Column("dec", "float", "deg", "pos.eq.dec;meta.main", "Declination of the image's centre, ICRS"),
    Column("frequency", "float", "MHz", "em.freq", "Frequency of the image"),
    *_pick(BEAM, "beam_major", "beam_minor", "beam_pa"),
    Column("epoch", "float", "d", "time.epoch", "Time of the observation, MJD"),
    Column("width", "int", "pix", "pos.cartesian.x", "Pixels along a row of the image"),
    Column("height", "int", "pix", "pos.cartesian.y", "Pixels along a column of the image"),
)
RUNS = (
    Column("image_rms", "float", "mJy/beam", "stat.stdev", "Median noise of the image"),
    Column("askap_sources", "int", "", "meta.number", "Number of sources of the image"),
)
SURVEY_RUNS = (
    Column("survey", "str", "", "meta.dataset", "Survey compared with"),
    Column("references", "int", "", "meta.number", "Number of catalogue sources on the image"),
    Column("pairs", "int", "", "meta.number", "Number of good pairs that measure flux scale and astrometry"),
    Column(
        "flux_scale", "float", "", "phot.flux.density;arith.ratio", "Median flux ratio ASKAP / survey of these pairs"
    ),
    Column("flux_scale_err", "float", "", "stat.error", "1σ error of the flux scale, as a fraction"),
    Column("ln_ratio_scatter", "float", "", "stat.stdev", "Robust standard deviation of ln ratio of these pairs"),
    Column("ra_offset", "float", "arcsec", "pos.eq.ra;arith.diff", "Median of ASKAP − catalogue along right ascension"),
    Column("dec_offset", "float", "arcsec", "pos.eq.dec;arith.diff", "Median of ASKAP − catalogue along declination"),
    Column("askap_only_too_faint", "int", "", "meta.number", "ASKAP-only sources too faint for the survey, not listed"),
    Column("n_rows", "int", "", "meta.number", "Number of rows of the three categories"),
    Column("candidates", "int", "", "meta.number", "Number of transient candidates among them"),
    Column("askap_only_outside_survey", "int", "", "meta.number", "ASKAP-only sources outside the survey's footprint"),
)

# What a file of a results folder is: kind to the title that people see. The site shows plots in this order.
PLOT_KINDS = {
    "flux_ratio_image_view": "Flux ratio over the image",
    "position_offset": "Position offsets",
    "source_counts": "Source counts",
    "flux_ratios": "Flux ratio against ASKAP flux",
    "flux_ratios_from_centre": "Flux ratio against distance from the centre",
    "variability": "Vs against |m|",
    "counts": "Rows by category and flag",
    "askap_overlay": "ASKAP sources over the image",
    "survey_overlay": "Survey sources over the image",
}
STAMP_KINDS = {
    "stamp": "Postage stamp",
    "stamp_web": "Small postage stamp",
    "cutout_askap": "FITS cutout, ASKAP image compared",
    "cutout_native": "FITS cutout, ASKAP image at full resolution",
    "cutout_survey": "FITS cutout, survey",
}
PRODUCT_KINDS = (
    PLOT_KINDS
    | STAMP_KINDS
    | {
        "askap_catalogue": "ASKAP source list",
        "survey_catalogue": "Survey catalogue",
        "diagnostic_crossmatch": "Diagnostic crossmatch",
        "transient_crossmatch": "Transient crossmatch",
        "category": "Rows of one category",
        "master": "All rows of the transient search",
        "master_votable": "All rows of the transient search, VOTable",
        "annotation": "Annotation file",
        "report": "Report",
        "log": "Log",
    }
)
