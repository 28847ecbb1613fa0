"""From command line and ini file to a checked `Config`; all mistakes are reported at once."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from racs_transients.arguments import FALSE, OPTIONS, TRUE, UNSET, Findings, kind_words, read_arguments, spelled
from racs_transients.config import LATER_STAGES, SECTIONS, Config, Database, LaterStage, Option
from racs_transients.dbconfig import DEFAULT_FILE, URL_VARIABLE, options_from_environment
from racs_transients.errors import ConfigError

_CONNECTION = frozenset({"db_engine", "db_database", "db_username", "db_password", "db_host", "db_port"})


@dataclass(frozen=True, slots=True)
class ParsedOptions:
    """A configuration and what is to be said of it once logging works.

    Parameters
    ----------
    config : Config
        The checked options.
    warnings : tuple of str
        Old names, sections that do not fit.
    skipped : tuple of str
        Stages not built yet that only a default asks for.
    """

    config: Config
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]


def parse_options(arguments: Sequence[str], *, later: Mapping[str, LaterStage] = LATER_STAGES) -> ParsedOptions:
    """Return the configuration that a command line asks for.

    Parameters
    ----------
    arguments : sequence of str
        Without the program's name.
    later : mapping
        Options of stages that are not built yet.

    Returns
    -------
    ParsedOptions
        Configuration and remarks; paths are absolute.

    Raises
    ------
    ConfigError
        Naming every mistake.
    """
    findings = Findings()
    texts, images = read_arguments(arguments, findings)
    values = {name: _value(name, text, findings) for name, text in texts.items()}
    values = {name: value for name, value in values.items() if value is not None}
    config = _assembled(tuple(_absolute(name) for name in images), values)
    skipped = _check_later(config, values, later, findings)
    findings.mistakes += [*_wrong_files(config, values), *_contradictions(config)]
    if findings.mistakes:
        raise ConfigError(_all_in_one(findings.mistakes))
    return ParsedOptions(config, tuple(findings.warnings), tuple(skipped))


# Options of the section that say which database, not what is done with it.
_DATABASE_OPTIONS = (*sorted(_CONNECTION), "website_media_dir")


def add_database_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the database, for programs beside the pipeline.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser.
    """
    group = parser.add_argument_group("database", f"default: {URL_VARIABLE}, else ./{DEFAULT_FILE}")
    for name in _DATABASE_OPTIONS:
        option = OPTIONS[name][1]
        group.add_argument(spelled(name), dest=name, metavar=kind_words(option), help=option.help.replace("%", "%%"))


def database_options(parsed: argparse.Namespace) -> Database:
    """Return the section that the options of `add_database_options` make.

    Parameters
    ----------
    parsed : argparse.Namespace
        The parsed command line.

    Returns
    -------
    Database
        The section; the environment where no option names a database.

    Raises
    ------
    ConfigError
        Naming every mistake.
    """
    findings = Findings()
    texts = {name: getattr(parsed, name) for name in _DATABASE_OPTIONS if getattr(parsed, name) is not None}
    values = {name: _value(name, text, findings) for name, text in texts.items()}
    if findings.mistakes:
        raise ConfigError(_all_in_one(findings.mistakes))
    return _assembled((), {name: value for name, value in values.items() if value is not None}).database


def _all_in_one(mistakes: Sequence[str]) -> str:
    if len(mistakes) == 1:
        return mistakes[0] + "."
    return "\n".join([f"{len(mistakes)} mistakes in the options:", *(f"  - {mistake}" for mistake in mistakes)])


def _absolute(name: str) -> Path:
    """Return a path that stays right wherever the work is done; a name is relative to where the user stands."""
    return Path(name).expanduser().absolute()


def _value(name: str, text: str, findings: Findings) -> Any:
    """Return the value that a text means; None where it means "unset" or is a mistake."""
    option, text = OPTIONS[name][1], str(text).strip()
    if text.lower() in UNSET:
        return None
    if option.kind == "bool":
        if text.lower() not in TRUE | FALSE:
            findings.mistakes.append(f"{spelled(name)} is yes or no, not {text!r}")
            return None
        return text.lower() in TRUE
    if option.choices:
        match = next((choice for choice in option.choices if choice.lower() == text.lower()), None)
        if match is None:
            findings.mistakes.append(f"{spelled(name)} is one of {', '.join(option.choices)}, not {text!r}")
        return match
    if option.kind in ("int", "float"):
        return _number(spelled(name), text, option, findings)
    return text if option.kind == "str" else _absolute(text)


def _number(name: str, text: str, option: Option, findings: Findings) -> float | int | None:
    unit = f" {option.unit}" if option.unit else ""
    try:
        value: float | int = int(text) if option.kind == "int" else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        kind = "a whole number" if option.kind == "int" else "a number"
        findings.mistakes.append(f"{name} is {kind}{f' in{unit}' if unit else ''}, not {text!r}")
        return None
    low, high = option.minimum, option.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        limits = " and ".join(
            f"{words} {limit:g}" for words, limit in (("at least", low), ("at most", high)) if limit is not None
        )
        findings.mistakes.append(f"{name} is {limits}{unit}, not {text}")
        return None
    return value


def _assembled(images: tuple[Path, ...], values: Mapping[str, Any]) -> Config:
    if not _CONNECTION & values.keys():
        values = {**values, **options_from_environment()}
    elif "db_engine" not in values and _CONNECTION - {"db_database"} & values.keys():
        # SQLite knows no user, password, host or port
        values = {**values, "db_engine": "postgresql"}
    sections = {
        section: kind(**{name: value for name, value in values.items() if OPTIONS[name][0] == section})
        for section, kind in SECTIONS.items()
    }
    return Config(images=images, **sections)


def _current(config: Config, name: str) -> Any:
    return getattr(getattr(config, OPTIONS[name][0]), name)


def _is_looked_at(config: Config, name: str) -> bool:
    """Return whether the option that switches this one on is set so."""
    switch, _, value = OPTIONS[name][1].only_with.partition("=")
    return not switch or str(_current(config, switch)) == (value or "True")


def _check_later(
    config: Config, values: Mapping[str, Any], later: Mapping[str, LaterStage], findings: Findings
) -> list[str]:
    """Note stages that are not built yet: a mistake where asked for, else a line for the log."""
    asked: dict[str, list[str]] = {}
    skipped = []
    for name, stage in later.items():
        value = _current(config, name)
        if value is None or str(value) in stage.built or not _is_looked_at(config, name):
            continue
        if name == "sourcefinder" and config.catalogues.askap_csv is not None:
            # a list is given, so that no finder runs
            continue
        if name in values:
            asked.setdefault(stage.name, []).append(spelled(name))
        elif stage.built:
            skipped.append(f"{stage.name} ({spelled(name)}, on by default): not built yet, left out")
    findings.mistakes += [f"{', '.join(names)}: {stage} is not built yet" for stage, names in asked.items()]
    return skipped


def _wrong_files(config: Config, values: Mapping[str, Any]) -> list[str]:
    mistakes = [_file_problem(path, "image") for path in config.images]
    for name, value in values.items():
        kind = OPTIONS[name][1].kind
        if not _is_looked_at(config, name):
            continue
        problem = ""
        if kind == "file":
            problem = _file_problem(value, "file")
        elif kind == "folder" and not value.is_dir():
            problem = f"there is no folder {value}"
        elif kind == "new_folder" and value.exists() and not value.is_dir():
            problem = f"{value} is no folder"
        mistakes.append(f"{spelled(name)}: {problem}" if problem else "")
    return [mistake for mistake in mistakes if mistake]


def _file_problem(path: Path, what: str) -> str:
    if path.is_dir():
        return f"{path} is a folder, not a file"
    if not path.is_file():
        return f"there is no {what} {path}"
    return "" if os.access(path, os.R_OK) else f"{path} may not be read"


def _contradictions(config: Config) -> list[str]:
    analysis, names = config.analysis, [path.name for path in config.images]
    major, minor = analysis.beam_major, analysis.beam_minor
    rules = {
        "no image is given; name one beside the options or with images= in [GENERAL]": not config.images,
        "two images have the same name, so that their results folders would be one": len(set(names)) < len(names),
        "--sumss-only and --nvss-only exclude each other": analysis.sumss_only and analysis.nvss_only,
        "--weight-crop needs --weight-crop-image": analysis.weight_crop and analysis.weight_crop_image is None,
        "--postage-stamps needs --transients": config.postagestamps.postage_stamps and not config.transients.transients,
        "--db-engine postgresql needs --db-database, the name of the database": config.database.db_inject
        and config.database.db_engine == "postgresql"
        and config.database.db_database is None,
        "--beam-minor needs a --beam-major that is not smaller": minor is not None and (major is None or minor > major),
        "--askap-csv is the list of one image; run the images one by one": len(names) > 1
        and config.catalogues.askap_csv is not None,
    }
    return [words for words, is_broken in rules.items() if is_broken]
