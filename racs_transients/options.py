"""From command line and ini file to a checked `Config`; all mistakes are reported at once."""

from __future__ import annotations

import configparser
import difflib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import configargparse

from racs_transients import __version__
from racs_transients.config import SECTIONS, Config, Option, all_options, default_of
from racs_transients.errors import ConfigError

logger = logging.getLogger(__name__)

_TRUE, _FALSE = frozenset({"yes", "true", "t", "y", "1", "on"}), frozenset({"no", "false", "f", "n", "0", "off"})
_UNSET = frozenset({"", "none"})
_OPTIONS: Mapping[str, tuple[str, Option]] = {name: (section, option) for section, name, option in all_options()}
_ALIASES: Mapping[str, str] = {alias: name for name, (_, o) in _OPTIONS.items() for alias in o.aliases}


@dataclass(slots=True)
class _Findings:
    """Mistakes and remarks met on the way; mistakes stop the program once all are known."""

    mistakes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


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


class _IniParser(configargparse.ConfigFileParser):  # type: ignore[misc]
    """Reads the ini file for ConfigArgParse: documented sections, no interpolation, strict names."""

    def __init__(self, findings: _Findings) -> None:
        super().__init__()
        self.findings = findings
        self.images: list[str] = []

    def __call__(self) -> _IniParser:
        return self

    def get_syntax_description(self) -> str:
        return "An ini file with the sections of example.ini."

    def parse(self, stream: TextIO) -> dict[str, str]:
        parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=None)
        name = getattr(stream, "name", "the configuration file")
        try:
            parser.read_file(stream)
        except (configparser.Error, UnicodeDecodeError) as error:
            raise ConfigError(f"{name} is no ini file: {' '.join(str(error).split())}.") from error
        values: dict[str, str] = {}
        for section in parser.sections():
            for key, value in parser[section].items():
                self._take(values, section, key.replace("-", "_"), value, str(name))
        return values

    def _take(self, values: dict[str, str], section: str, key: str, value: str, name: str) -> None:
        if key == "images":
            self.images += value.replace(",", " ").split() if "\n" not in value else value.split("\n")
            return
        known = _ALIASES.get(key, key)
        if known not in _OPTIONS:
            self.findings.mistakes.append(f"{name}: unknown option {key} in [{section}]{_suggestion(key)}")
            return
        if known != key:
            self.findings.warnings.append(f"{name}: {key} is the old name of {known}")
        home = _OPTIONS[known][0].upper()
        if section.upper() != home:
            self.findings.warnings.append(f"{name}: {known} belongs into [{home}], not [{section}]")
        values[known] = value


def _suggestion(key: str) -> str:
    near = difflib.get_close_matches(key, [*_OPTIONS, *_ALIASES, "images"], 1, 0.6)
    return f"; did you mean {_ALIASES.get(near[0], near[0])}?" if near else ""


class _Parser(configargparse.ArgumentParser):  # type: ignore[misc]
    def error(self, message: str) -> None:
        raise ConfigError(message[0].upper() + message[1:] + "; --help lists the options.")


def build_parser(ini: Callable[[], Any] | None = None) -> configargparse.ArgumentParser:
    """Return the parser of ``processASKAPimage.py``.

    Parameters
    ----------
    ini : callable, optional
        Makes the reader of the configuration file.

    Returns
    -------
    configargparse.ArgumentParser
        Every value stays a string, so that all of them can be checked together.
    """
    parser = _Parser(
        prog="processASKAPimage.py",
        description="Compare ASKAP images with SUMSS or NVSS and find what appeared, vanished or changed.",
        config_file_parser_class=ini or configargparse.DefaultConfigFileParser,
        add_config_file_help=False,
        add_env_var_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("images", nargs="*", help="the images to process")
    parser.add_argument(
        "-c", "--conf_file", "--conf-file", is_config_file=True, metavar="FILE", help="ini file; options given here win"
    )
    parser.add_argument("--version", action="version", version=f"racs_transients {__version__}")
    groups = {section: parser.add_argument_group(section.upper()) for section in SECTIONS}
    for name, (section, option) in _OPTIONS.items():
        names = dict.fromkeys(f"--{n.replace('_', mark)}" for n in (name, *option.aliases) for mark in "-_")
        groups[section].add_argument(
            *names, dest=name, default=None, metavar=_metavar(option), help=help_text(section, name, option)
        )
    return parser


def _metavar(option: Option) -> str:
    return "{" + ",".join(option.choices) + "}" if option.choices else option.kind.removeprefix("new_").upper()


def help_text(section: str, name: str, option: Option) -> str:
    """Return the help of an option: what it does, unit, default, and whether it is built.

    Parameters
    ----------
    section, name : str
        Section and name.
    option : Option
        What is to know of it.

    Returns
    -------
    str
        One line; percent signs doubled as argparse wants them.
    """
    unit = f" [{option.unit}]" if option.unit else ""
    later = " Not built yet." if option.later else ""
    return f"{option.help}{unit} (default: {shown(default_of(section, name))}){later}".replace("%", "%%")


def shown(value: object) -> str:
    """Return a default as people write it.

    Parameters
    ----------
    value : object
        The default.

    Returns
    -------
    str
        ``"unset"`` for None.
    """
    return "unset" if value is None else str(value)


def _with_explicit_booleans(arguments: Sequence[str]) -> list[str]:
    """Return arguments in which each bare boolean option has its value, so that it takes no image name."""
    result: list[str] = []
    for number, argument in enumerate(arguments):
        result.append(argument)
        name = argument.lstrip("-").replace("-", "_")
        if not argument.startswith("--") or _ALIASES.get(name, name) not in _OPTIONS:
            continue
        following = arguments[number + 1].lower() if number + 1 < len(arguments) else ""
        if _OPTIONS[_ALIASES.get(name, name)][1].kind == "bool" and following not in _TRUE | _FALSE:
            result.append("true")
    return result


def parse_options(arguments: Sequence[str]) -> ParsedOptions:
    """Return the configuration that a command line asks for.

    Parameters
    ----------
    arguments : sequence of str
        Without the program's name.

    Returns
    -------
    ParsedOptions
        Configuration and remarks.

    Raises
    ------
    ConfigError
        Naming every mistake.
    """
    findings = _Findings()
    ini = _IniParser(findings)
    parser = build_parser(ini)
    given, unknown = parser.parse_known_args(_with_explicit_booleans(arguments))
    for argument in unknown:
        findings.mistakes.append(f"unknown option {argument}{_suggestion(argument.lstrip('-').replace('-', '_'))}")
    findings.warnings += [
        f"--{alias.replace('_', '-')} is the old name of --{name.replace('_', '-')}"
        for alias, name in _ALIASES.items()
        if any(a.split("=")[0].lstrip("-").replace("-", "_") == alias for a in arguments if a.startswith("--"))
    ]
    texts = {name: getattr(given, name) for name in _OPTIONS if getattr(given, name) is not None}
    values = {name: _value(name, text, findings) for name, text in texts.items()}
    values = {name: value for name, value in values.items() if value is not None}
    images = tuple(Path(name).expanduser() for name in (given.images or ini.images) if name.strip())
    config = _assembled(images, values)
    skipped = _check_later(config, values, findings)
    _check_together(config, values, findings)
    if findings.mistakes:
        lines = "\n".join(f"  - {mistake}" for mistake in findings.mistakes)
        raise ConfigError(f"{len(findings.mistakes)} mistakes in the options:\n{lines}")
    return ParsedOptions(config, tuple(findings.warnings), tuple(skipped))


def _value(name: str, text: str, findings: _Findings) -> Any:
    """Return the value that a text means; None where it means "unset" or is a mistake."""
    option, text = _OPTIONS[name][1], str(text).strip()
    if text.lower() in _UNSET:
        return None
    shown_name = "--" + name.replace("_", "-")
    if option.kind == "bool":
        if text.lower() not in _TRUE | _FALSE:
            findings.mistakes.append(f"{shown_name} is yes or no, not {text!r}")
        return text.lower() in _TRUE
    if option.choices:
        match = next((choice for choice in option.choices if choice.lower() == text.lower()), None)
        if match is None:
            findings.mistakes.append(f"{shown_name} is one of {', '.join(option.choices)}, not {text!r}")
        return match
    if option.kind in ("int", "float"):
        return _number(shown_name, text, option, findings)
    return text if option.kind == "str" else Path(text).expanduser()


def _number(name: str, text: str, option: Option, findings: _Findings) -> float | int | None:
    try:
        value: float | int = int(text) if option.kind == "int" else float(text)
    except ValueError:
        kind = "a whole number" if option.kind == "int" else "a number"
        findings.mistakes.append(f"{name} is {kind}{f' in {option.unit}' if option.unit else ''}, not {text!r}")
        return None
    low, high = option.minimum, option.maximum
    # "not >=" also refuses NaN
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        limits = " and ".join(
            f"{words} {limit:g}" for words, limit in (("at least", low), ("at most", high)) if limit is not None
        )
        findings.mistakes.append(f"{name} is {limits}{f' {option.unit}' if option.unit else ''}, not {text}")
        return None
    return value


def _assembled(images: tuple[Path, ...], values: Mapping[str, Any]) -> Config:
    sections = {
        section: kind(**{name: value for name, value in values.items() if _OPTIONS[name][0] == section})
        for section, kind in SECTIONS.items()
    }
    return Config(images=images, **sections)


def _check_later(config: Config, values: Mapping[str, Any], findings: _Findings) -> list[str]:
    """Note stages that are not built yet: a mistake where asked for, else returned."""
    skipped = []
    for name, (section, option) in _OPTIONS.items():
        value = getattr(getattr(config, section), name)
        if not option.later or value is None or ("*" not in option.later and str(value) not in option.later):
            continue
        shown_name = "--" + name.replace("_", "-")
        if name in values:
            findings.mistakes.append(f"{shown_name} {value}: this stage is not built yet; leave the option out")
        else:
            skipped.append(f"{shown_name} (default) is skipped: this stage is not built yet")
    return skipped


def _check_together(config: Config, values: Mapping[str, Any], findings: _Findings) -> None:
    """Check files, and options that contradict each other."""
    mistakes = findings.mistakes
    if not config.images:
        mistakes.append("no image is given; name one behind the options or with images= in [GENERAL]")
    mistakes += [f"there is no image {path}" for path in config.images if not path.is_file()]
    for name, value in values.items():
        section, option = _OPTIONS[name]
        if option.only_with and not getattr(getattr(config, section), option.only_with):
            continue
        if option.kind == "file" and not value.is_file():
            mistakes.append(f"--{name.replace('_', '-')}: there is no file {value}")
        if option.kind == "folder" and not value.is_dir():
            mistakes.append(f"--{name.replace('_', '-')}: there is no folder {value}")
    if config.analysis.sumss_only and config.analysis.nvss_only:
        mistakes.append("--sumss-only and --nvss-only exclude each other")
    if config.analysis.weight_crop and config.analysis.weight_crop_image is None:
        mistakes.append("--weight-crop needs --weight-crop-image")
    if config.postagestamps.postage_stamps and not config.transients.transients:
        mistakes.append("--postage-stamps needs --transients")
    major, minor = config.analysis.beam_major, config.analysis.beam_minor
    if minor is not None and (major is None or minor > major):
        mistakes.append("--beam-minor needs a --beam-major that is not smaller")
    if len(config.images) > 1 and config.catalogues.askap_csv is not None:
        mistakes.append("--askap-csv is the list of one image; run the images one by one")
    stems = [path.name for path in config.images]
    if len(set(stems)) < len(stems):
        mistakes.append("two images have the same name, so that their results folders would be one")
