"""What a source list calls its columns: Aegean's, Selavy's and PyBDSF's names, or those the user tells."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from racs_transients.errors import ConfigError, SourceFinderError

# What a list may hold, and the unit it is brought to.
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "ra": "deg", "dec": "deg", "flux_peak": "mJy", "flux_int": "mJy", "major": "arcsec", "minor": "arcsec",
        "pa": "deg", "finder_flux_peak_err": "mJy", "finder_flux_int_err": "mJy", "rms": "mJy", "island_id": "",
        "finder_flags": "",
    }
)  # fmt: skip
REQUIRED = ("ra", "dec", "flux_peak", "flux_int")
SHAPE = ("major", "minor", "pa")


@dataclass(frozen=True, slots=True)
class ListFormat:
    """How one program names its columns.

    Parameters
    ----------
    name : str
        The program.
    columns : mapping
        Role to the column's name.
    units : mapping
        Role to its unit, where the file states none.
    has_shape : bool
        Whether every source has a size; else a list without sizes holds point sources.
    """

    name: str
    columns: Mapping[str, str]
    units: Mapping[str, str] = field(default_factory=dict)
    has_shape: bool = True


def _known(name: str, flux: str, size: str, columns: str) -> ListFormat:
    roles = ("ra", "dec", "flux_peak", "flux_int", "major", "minor", "pa", *list(ROLES)[7:])
    units = {"ra": "deg", "dec": "deg", "pa": "deg", "major": size, "minor": size}
    units |= {role: flux for role, unit in ROLES.items() if unit == "mJy"}
    return ListFormat(name, MappingProxyType(dict(zip(roles, columns.split(), strict=False))), MappingProxyType(units))


# In the order of ROLES; the last is what the pipeline itself writes. PyBDSF lists (gaul and srl) have no flags.
FORMATS: Mapping[str, ListFormat] = MappingProxyType(
    {
        "aegean": _known(
            "aegean", "Jy", "arcsec",
            "ra dec peak_flux int_flux a b pa err_peak_flux err_int_flux local_rms island flags",
        ),
        "selavy": _known(
            "selavy", "mJy", "arcsec",
            "ra_deg_cont dec_deg_cont flux_peak flux_int maj_axis min_axis pos_ang flux_peak_err flux_int_err "
            "rms_image island_id flag_c4",
        ),
        "pybdsf": _known(
            "pybdsf", "Jy", "deg",
            "RA DEC Peak_flux Total_flux Maj Min PA E_Peak_flux E_Total_flux Isl_rms Isl_id",
        ),
        "racs_transients": _known(
            "racs_transients", "mJy", "arcsec",
            "ra dec flux_peak flux_int major minor pa finder_flux_peak_err finder_flux_int_err rms island_id "
            "finder_flags",
        ),
    }
)  # fmt: skip

# What users write for the roles in --askap-columns
OWN_NAMES: Mapping[str, str] = MappingProxyType(
    {role.removeprefix("finder_").removesuffix("_id"): role for role in ROLES}
)
_ENTRY = re.compile(r"\s*(\w+)\s*=\s*([^\[\]=,]+?)\s*(?:\[([^\[\]]*)\])?\s*")


def detect(names: Iterable[str]) -> ListFormat | None:
    """Return the format whose positions and peak fluxes a table has; our own must be unmistakable.

    Parameters
    ----------
    names : iterable of str
        Its columns.

    Returns
    -------
    ListFormat or None
        None where no program wrote it.
    """
    there = set(names)
    for format_ in FORMATS.values():
        # anybody may call columns ra and flux_peak, in any unit; nobody else has finder_flags
        marks = ("ra", "flux_peak", *(["finder_flags"] if format_.name == "racs_transients" else []))
        if {format_.columns[role] for role in marks} <= there:
            return format_
    return None


def own_format(text: str) -> ListFormat:
    """Return the format that a column map describes.

    Parameters
    ----------
    text : str
        ``role = column [unit]``, separated by commas or line ends. Without a unit the file's own counts.

    Returns
    -------
    ListFormat
        The format.

    Raises
    ------
    ConfigError
        If a role is unknown, given twice or missing.
    """
    columns: dict[str, str] = {}
    units: dict[str, str] = {}
    for entry in re.split(r"[,\n]", text):
        if not entry.strip():
            continue
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise ConfigError(f"--askap-columns: {entry.strip()!r} is not of the form flux_int = S_int [mJy].")
        role = OWN_NAMES.get(match[1].lower())
        if role is None:
            near = nearest(match[1].lower(), OWN_NAMES)
            raise ConfigError(f"--askap-columns: unknown name {match[1]}{near}; known are {', '.join(OWN_NAMES)}.")
        if role in columns:
            raise ConfigError(f"--askap-columns: {match[1]} is given twice.")
        columns[role] = match[2].strip()
        if match[3]:
            units[role] = match[3].strip()
    lacking = [role for role in REQUIRED if role not in columns]
    lacking += [role for role in SHAPE if role not in columns and set(SHAPE) & columns.keys()]
    if lacking:
        raise ConfigError(f"--askap-columns lacks {', '.join(lacking)}.")
    return ListFormat("the given columns", columns, units, has_shape="major" in columns)


def nearest(name: str, there: Iterable[str]) -> str:
    """Return words that name what is nearest to a name.

    Parameters
    ----------
    name : str
        What was looked for.
    there : iterable of str
        What there is.

    Returns
    -------
    str
        Empty where nothing is near.
    """
    lower = {known.lower(): known for known in there}
    near = difflib.get_close_matches(name.lower(), lower, 1, 0.5)
    return f"; did you mean {lower[near[0]]}?" if near else ""


def absent_columns(format_: ListFormat, names: Iterable[str], path: object) -> SourceFinderError | None:
    """Return the error for columns that a list lacks.

    Parameters
    ----------
    format_ : ListFormat
        What it should have.
    names : iterable of str
        What it has.
    path : object
        The file.

    Returns
    -------
    SourceFinderError or None
        None where all needed columns are there. For a column map of the user's all that it names are needed.
    """
    there = list(names)
    needed = REQUIRED + SHAPE if format_.name in FORMATS else tuple(format_.columns)
    absent = [format_.columns[role] for role in needed if role in format_.columns]
    absent = [name for name in absent if name not in there]
    if not absent:
        return None
    of = f"of a list by {format_.name}" if format_.name in FORMATS else "that --askap-columns names"
    hint = nearest(absent[0], there) or "."
    return SourceFinderError(f"{path} lacks the columns {', '.join(absent)} {of}{hint} It has {', '.join(there)}.")
