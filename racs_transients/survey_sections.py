"""Surveys of the user's own: a section ``[SURVEY:name]`` of the ini file becomes a `Survey`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from astropy import units as u

from racs_transients.arguments import UNSET, Findings
from racs_transients.config import Option
from racs_transients.option_values import value_of
from racs_transients.surveys import (
    CANONICAL_UNITS,
    EXT_THRESH,
    SURVEYS,
    Catalogue,
    DeclinationSteps,
    InputColumn,
    OwnSurvey,
    Survey,
)

PREFIX = "SURVEY:"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_STEP = re.compile(r"\s*([-+.\deE]+)\s*(?:to\s+([-+.\d]+))?\s*")
_COLUMN = re.compile(r"([^\[\]]+?)\s*(?:\[([^\[\]]+)\])?")
_POSITION = {"ra": InputColumn("_RAJ2000", "deg"), "dec": InputColumn("_DEJ2000", "deg")}

# Numbers that differ with declination, in the notation of `_steps`
_STEPS = ("noise", "completeness", "density")
_NEEDED = ("frequency", "beam", *_STEPS)


def _number(help_: str, unit: str = "", minimum: float | None = 0, maximum: float | None = None) -> Option:
    return Option("float", help_, unit, minimum, maximum)


KEYS: Mapping[str, Option] = MappingProxyType(
    {
        "tables": Option("str", "Tables at VizieR, separated by commas; of a source in two the first counts."),
        "file": Option("file", "The catalogue as a file (CSV, VOTable, FITS), instead of VizieR."),
        "frequency": _number("Frequency.", "Hz", 1e7),
        "beam": Option("str", "FWHM of the beam; or major axis, minor axis, position angle.", "arcsec"),
        "beam_cosec_dec": Option("bool", "Whether the beam is longer north-south by cosec|δ|."),
        "noise": Option("str", "Typical noise of its images.", "mJy/beam"),
        "completeness": Option("str", "Flux density above which the catalogue is 95 % complete.", "mJy"),
        "density": Option("str", "Number of catalogue sources.", "deg⁻²"),
        "bright": _number("Flux density from which a source makes artefacts around it; none by default.", "mJy"),
        "dec_min": _number("Southern border.", "deg", -90, 90),
        "dec_max": _number("Northern border.", "deg", -90, 90),
        "b_min": _number("Galactic latitude, without its sign, below which there is nothing.", "deg", 0, 89),
        "flux_scale_err": _number("Uncertainty of the flux scale, as a fraction (0.03).", "", 0, 1),
        "sizes_deconvolved": Option("bool", "Whether the sizes are deconvolved instead of fitted ones."),
        "ext_thresh": _number("Size of an extended source, in beams (1.2)."),
        "mosaic_dir": Option("folder", "Folder with its images."),
        "skyview": Option("str", "Name of its images at SkyView, for --fetch-mosaics."),
        "reference": Option("str", "Where the numbers come from."),
        **{
            role: Option("str", f"Column: {words}.", CANONICAL_UNITS.get(role, ""))
            for role, words in {
                "ra": "right ascension, ICRS or J2000",
                "dec": "declination",
                "ra_err": "1σ error along right ascension; [s] means seconds of time",
                "dec_err": "1σ error along declination",
                "flux_int": "integrated flux density",
                "flux_int_err": "its 1σ error",
                "flux_peak": "peak flux density",
                "flux_peak_err": "its 1σ error",
                "major": "FWHM of the major axis",
                "major_limit": "“<” where that is an upper limit",
                "minor": "FWHM of the minor axis",
                "minor_limit": "“<” where that is an upper limit",
                "pa": "position angle",
                "beam_major": "major axis of the beam at the source",
                "beam_minor": "minor axis of that beam",
                "beam_pa": "position angle of that beam",
                "name": "the survey's own name of the source",
                "mosaic": "name of the survey's image",
            }.items()
        },
    }
)
ROLES = tuple(key for key, option in KEYS.items() if option.help.startswith("Column:"))


def own_survey(name: str, texts: Mapping[str, str], findings: Findings) -> OwnSurvey | None:
    """Return the survey that a section describes.

    Parameters
    ----------
    name : str
        What stands behind ``SURVEY:``.
    texts : mapping
        Key to text.
    findings : Findings
        Takes every mistake.

    Returns
    -------
    OwnSurvey or None
        None where there is a mistake.
    """
    here, before = f"[{PREFIX}{name}]", len(findings.mistakes)
    if not _NAME.fullmatch(name):
        findings.mistakes.append(f"{here}: a survey's name is letters, digits and . _ + -, not {name!r}")
    if name.lower() in {known.lower() for known in SURVEYS}:
        findings.mistakes.append(f"{here}: {name} is built in; give your survey another name")
    for key in texts.keys() - KEYS.keys():
        near = difflib.get_close_matches(key, KEYS, 1, 0.6)
        findings.mistakes.append(f"{here}: unknown key {key}" + (f"; did you mean {near[0]}?" if near else ""))
    given = {key: text.strip() for key, text in texts.items() if key in KEYS and text.strip().lower() not in UNSET}
    values: dict[str, Any] = {}
    for key, text in given.items():
        values[key] = _value(f"{here} {key}", key, text, findings)
    missing = _missing(given)
    if missing:
        findings.mistakes.append(f"{here} lacks {', '.join(missing)}")
    if values.get("dec_min") is not None and not values["dec_min"] < (values.get("dec_max") or 90):
        findings.mistakes.append(f"{here}: dec_min is not south of dec_max")
    return _built(name, values, given) if len(findings.mistakes) == before else None


def _missing(given: Mapping[str, str]) -> list[str]:
    """Return what a section lacks; VizieR's tables have a position in degrees anyway."""
    missing = [] if given.keys() & {"tables", "file"} else ["tables or file"]
    missing += [key for key in _NEEDED if key not in given]
    if "file" in given:
        missing += [role for role in ("ra", "dec") if role not in given]
    return missing if given.keys() & {"flux_int", "flux_peak"} else [*missing, "flux_int or flux_peak"]


def _value(label: str, key: str, text: str, findings: Findings) -> Any:
    if key in _STEPS:
        return _steps(label, text, findings)
    if key == "beam":
        return _beam(label, text, findings)
    if key in ROLES:
        return _column(label, key, text, findings)
    return value_of(label, KEYS[key], text, findings)


def _steps(label: str, text: str, findings: Findings) -> DeclinationSteps | None:
    """Return numbers by declination: ``1.3 to -50, 2.0`` is 1.3 up to -50° and 2.0 north of it."""
    parts = [_STEP.fullmatch(part) for part in text.split(",")]
    try:
        values = tuple(float(part[1]) for part in parts if part)
        edges = tuple(float(part[2]) for part in parts if part and part[2])
        good = None not in parts and parts[-1] is not None and parts[-1][2] is None
        if good and len(edges) == len(values) - 1 and min(values) > 0 and list(edges) == sorted(set(edges)):
            return DeclinationSteps(edges, values)
    except ValueError:
        pass
    findings.mistakes.append(
        f"{label} is a number, or numbers with the declination up to which each holds, from south to north, "
        f"such as 1.3 to -50, 2.0; not {text!r}"
    )
    return None


def _beam(label: str, text: str, findings: Findings) -> tuple[float, ...] | None:
    try:
        numbers = tuple(float(part) for part in text.split(","))
        if len(numbers) in (1, 3) and min(numbers[:2]) > 0 and numbers[0] >= numbers[min(1, len(numbers) - 1)]:
            return numbers
    except ValueError:
        pass
    findings.mistakes.append(
        f"{label} is one number in arcsec, or major axis, minor axis and position angle; not {text!r}"
    )
    return None


def _column(label: str, role: str, text: str, findings: Findings) -> InputColumn | None:
    """Return a column: ``S_int [Jy]`` is the column S_int, in Jy."""
    match, wanted = _COLUMN.fullmatch(text), CANONICAL_UNITS.get(role, "")
    if match is None:
        findings.mistakes.append(f"{label} is the name of a column, with its unit in brackets; not {text!r}")
        return None
    unit = (match[2] or wanted).strip()
    try:
        if wanted and not (unit == "s" and role == "ra_err"):
            u.Unit(re.sub(r"/\s*beam", "", unit)).to(wanted)
    except (ValueError, TypeError):
        findings.mistakes.append(f"{label}: {unit} is no unit that can be turned into {wanted}")
        return None
    return InputColumn(match[1], unit)


def _built(name: str, values: Mapping[str, Any], texts: Mapping[str, str]) -> OwnSurvey:
    columns = {role: values[role] for role in ROLES if role in values}
    tables = [table.strip() for table in values.get("tables", "").split(",")] if "file" not in values else [""]
    catalogues = tuple(
        Catalogue(
            table=table,
            columns=MappingProxyType(_POSITION | columns if table else columns),
            density=values["density"],
            completeness=values["completeness"],
            **{key: values[key] for key in ("dec_min", "dec_max", "b_min") if key in values},
        )
        for table in tables
    )
    beam = values["beam"]
    optional = ("beam_cosec_dec", "flux_scale_err", "sizes_deconvolved", "skyview")
    survey = Survey(
        name=name,
        frequency=values["frequency"] / 1e6,
        catalogues=catalogues,
        beam_fwhm=beam[min(1, len(beam) - 1)],
        beam_major=beam[0],
        beam_pa=beam[2] if len(beam) == 3 else 0.0,
        rms=values["noise"],
        bright_mjy=values.get("bright", float("inf")),
        reference=values.get("reference", ""),
        **{key: values[key] for key in optional if key in values},
    )
    return OwnSurvey(
        survey,
        MappingProxyType(dict(texts)),
        csv=values.get("file"),
        mosaic_dir=values.get("mosaic_dir"),
        ext_thresh=values.get("ext_thresh", EXT_THRESH),
    )
