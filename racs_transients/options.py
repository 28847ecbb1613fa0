"""From command line and ini file to a checked `Config`; all mistakes are reported at once."""

from __future__ import annotations

import argparse
import difflib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from racs_transients.arguments import OPTIONS, Findings, is_so, kind_words, read_arguments, spelled
from racs_transients.config import SECTIONS, Config, Database
from racs_transients.dbconfig import DEFAULT_FILE, URL_VARIABLE, options_from_environment
from racs_transients.errors import ConfigError
from racs_transients.image_lists import SHARED, file_of_image
from racs_transients.list_formats import own_format
from racs_transients.option_values import absolute, value_of
from racs_transients.runfolder import image_stem
from racs_transients.survey_sections import own_survey
from racs_transients.surveys import SURVEYS, OwnSurvey

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
    """

    config: Config
    warnings: tuple[str, ...]


def parse_options(arguments: Sequence[str]) -> ParsedOptions:
    """Return the configuration that a command line asks for.

    Parameters
    ----------
    arguments : sequence of str
        Without the program's name.

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
    texts, images, sections = read_arguments(arguments, findings)
    values = {name: value_of(spelled(name), OPTIONS[name][1], text, findings) for name, text in texts.items()}
    values = {name: value for name, value in values.items() if value is not None}
    surveys = _own_surveys(sections, findings)
    if "survey" in values:
        values["survey"] = _chosen(values["survey"], [*SURVEYS, *sections], findings)
    config = _assembled(tuple(absolute(name) for name in images), values, surveys)
    findings.mistakes += [*_wrong_files(config, values), *_contradictions(config)]
    if findings.mistakes:
        raise ConfigError(_all_in_one(findings.mistakes))
    return ParsedOptions(config, tuple(findings.warnings))


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
    values = {name: value_of(spelled(name), OPTIONS[name][1], text, findings) for name, text in texts.items()}
    if findings.mistakes:
        raise ConfigError(_all_in_one(findings.mistakes))
    return _assembled((), {name: value for name, value in values.items() if value is not None}).database


def _all_in_one(mistakes: Sequence[str]) -> str:
    if len(mistakes) == 1:
        return mistakes[0] + "."
    return "\n".join([f"{len(mistakes)} mistakes in the options:", *(f"  - {mistake}" for mistake in mistakes)])


def _own_surveys(sections: Mapping[str, Mapping[str, str]], findings: Findings) -> dict[str, OwnSurvey]:
    """Return the surveys of the ini file, checked, files and folders too."""
    found = {name: own_survey(name, texts, findings) for name, texts in sections.items()}
    surveys = {name: survey for name, survey in found.items() if survey is not None}
    for name, survey in surveys.items():
        if survey.csv is not None and (problem := _file_problem(survey.csv, "file")):
            findings.mistakes.append(f"[SURVEY:{name}] file: {problem}")
        if survey.mosaic_dir is not None and (problem := _folder_problem(survey.mosaic_dir)):
            findings.mistakes.append(f"[SURVEY:{name}] mosaic_dir: {problem}")
    return surveys


def _chosen(text: str, known: Sequence[str], findings: Findings) -> str:
    """Return the names that ``--survey`` gives as they are spelled, each once."""
    spelling = {name.lower(): name for name in known}
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name.lower() not in spelling:
            near = difflib.get_close_matches(name.lower(), spelling, 1, 0.6)
            hint = f"; did you mean {spelling[near[0]]}?" if near else ""
            findings.mistakes.append(f"--survey: there is no survey {name} among {', '.join(known)}{hint}")
    return ",".join(dict.fromkeys(spelling[name.lower()] for name in names if name.lower() in spelling))


def _assembled(
    images: tuple[Path, ...], values: Mapping[str, Any], surveys: Mapping[str, OwnSurvey] | None = None
) -> Config:
    if not _CONNECTION & values.keys():
        values = {**values, **options_from_environment()}
    elif "db_engine" not in values and _CONNECTION - {"db_database"} & values.keys():
        # SQLite knows no user, password, host or port
        values = {**values, "db_engine": "postgresql"}
    sections = {
        section: kind(**{name: value for name, value in values.items() if OPTIONS[name][0] == section})
        for section, kind in SECTIONS.items()
    }
    return Config(images=images, own_surveys=surveys or {}, **sections)


def _current(config: Config, name: str) -> Any:
    return getattr(getattr(config, OPTIONS[name][0]), name)


def _is_looked_at(config: Config, name: str) -> bool:
    """Return whether the option that switches this one on is set so."""
    switch, _, value = OPTIONS[name][1].only_with.partition("=")
    return not switch or str(_current(config, switch)) == (value or "True")


def _wrong_files(config: Config, values: Mapping[str, Any]) -> list[str]:
    mistakes = [_file_problem(path, "image") for path in config.images]
    for name, value in values.items():
        kind = OPTIONS[name][1].kind
        if not _is_looked_at(config, name):
            continue
        problem = ""
        if kind == "files":
            wrong = _wrong_lists(value, config.images, shared=name in SHARED)
            mistakes += [f"{spelled(name)}: {problem}" for problem in wrong]
        elif kind == "file":
            problem = _file_problem(value, "file")
        elif kind == "folder":
            problem = _folder_problem(value)
        elif kind == "new_folder" and is_so(value.exists) and not value.is_dir():
            problem = f"{value} is no folder"
        mistakes.append(f"{spelled(name)}: {problem}" if problem else "")
    return [mistake for mistake in mistakes if mistake]


def _wrong_lists(files: Sequence[Path], images: Sequence[Path], *, shared: bool) -> list[str]:
    """Return what is wrong with the files of an option that names one an image."""
    try:
        found = dict.fromkeys(file_of_image(image, files, images, shared=shared) for image in images)
    except ConfigError as error:
        return [str(error)]
    return [problem for path in found if path is not None and (problem := _file_problem(path, "file"))]


def _column_problem(text: str | None) -> str:
    try:
        own_format(text or "")
    except ConfigError as error:
        return str(error).removesuffix(".") if text else ""
    return ""


def _file_problem(path: Path, what: str) -> str:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return f"there is no {what} {path}"
    except OSError as error:  # a folder on the way may not be entered, or the name is too long
        return f"{path} cannot be reached: {error.strerror}"
    if stat.S_ISDIR(mode):
        return f"{path} is a folder, not a file"
    return "" if os.access(path, os.R_OK) else f"{path} may not be read"


def _folder_problem(path: Path) -> str:
    if not is_so(path.is_dir):
        return f"there is no folder {path}"
    return "" if os.access(path, os.R_OK | os.X_OK) else f"{path} may not be read"


def _contradictions(config: Config) -> list[str]:
    analysis, lists, names = config.analysis, config.catalogues, [image_stem(path) for path in config.images]
    major, minor = analysis.beam_major, analysis.beam_minor
    rules = {
        "no image is given; name one beside the options or with images= in [GENERAL]": not config.images,
        "two images have the same name (before .fits), so that their results folders would be one": len(set(names))
        < len(names),
        "--output-tag is a part of a folder's name and cannot hold a slash": "/" in (config.general.output_tag or ""),
        "--sumss-only, --nvss-only and --survey exclude each other": analysis.sumss_only
        + analysis.nvss_only
        + (analysis.survey is not None)
        > 1,
        "--weight-crop needs --weight-crop-image": analysis.weight_crop and analysis.weight_crop_image is None,
        "--postage-stamps needs --transients": config.postagestamps.postage_stamps and not config.transients.transients,
        "--db-engine postgresql needs --db-database, the name of the database": config.database.db_inject
        and config.database.db_engine == "postgresql"
        and config.database.db_database is None,
        "--beam-minor needs a --beam-major that is not smaller": minor is not None and (major is None or minor > major),
        "--askap-islands-csv needs the --askap-csv that it belongs to": lists.askap_islands_csv is not None
        and lists.askap_csv is None,
        "--convolved-non-conv-askap-islands-csv needs the --convolved-non-conv-askap-csv that it belongs to": (
            analysis.convolve
            and analysis.convolved_non_conv_askap_islands_csv is not None
            and analysis.convolved_non_conv_askap_csv is None
        ),
        "--askap-columns and --askap-csv-format exclude each other": None
        not in (lists.askap_columns, lists.askap_csv_format),
        _column_problem(lists.askap_columns): bool(_column_problem(lists.askap_columns)),
    }
    return [words for words, is_broken in rules.items() if is_broken]
