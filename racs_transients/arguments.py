"""The command line and the ini file: which option was given which text."""

from __future__ import annotations

import argparse
import configparser
import difflib
import shlex
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TextIO

import configargparse

from racs_transients import __version__
from racs_transients.config import REDACTED, SECRETS, SECTIONS, Option, all_options
from racs_transients.errors import ConfigError

TRUE, FALSE = frozenset({"yes", "true", "t", "y", "1", "on"}), frozenset({"no", "false", "f", "n", "0", "off"})
UNSET = frozenset({"", "none"})
OPTIONS: Mapping[str, tuple[str, Option]] = {name: (section, option) for section, name, option in all_options()}
ALIASES: Mapping[str, str] = {alias: name for name, (_, o) in OPTIONS.items() for alias in o.aliases}
_CONFIGURATION_FILE = ("-c", "--conf_file", "--conf-file")
_EPILOG = """\
Truth values: a bare option, or one followed by yes or no (true, false, 1, 0). "None" means unset.
Exit codes: 0 done, 1 failed, 2 wrong use.

examples:
  processASKAPimage.py image.fits --transients
  processASKAPimage.py -c survey.ini image.fits other.fits --clobber
"""


@dataclass(slots=True)
class Findings:
    """Mistakes and remarks met on the way; mistakes stop the program once all are known.

    Parameters
    ----------
    mistakes, warnings : list of str
        One sentence each.
    """

    mistakes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def is_so(test: Callable[[], bool]) -> bool:
    """Return what a test of a path says.

    Parameters
    ----------
    test : callable
        Such as ``path.is_file``.

    Returns
    -------
    bool
        False where a folder on the way may not be entered or the name is too long.
    """
    try:
        return test()
    except OSError:
        return False


def spelled(name: str) -> str:
    """Return an option as it is written on the command line.

    Parameters
    ----------
    name : str
        With underscores.

    Returns
    -------
    str
        With two leading and all other hyphens.
    """
    return "--" + name.replace("_", "-")


def suggestion(key: str) -> str:
    """Return words that name the option nearest to an unknown one.

    Parameters
    ----------
    key : str
        With underscores.

    Returns
    -------
    str
        Empty where nothing is near.
    """
    near = difflib.get_close_matches(key, [*OPTIONS, *ALIASES, "images"], 1, 0.6)
    return f"; did you mean {ALIASES.get(near[0], near[0])}?" if near else ""


class _IniParser(configargparse.ConfigFileParser):  # type: ignore[misc]
    """Reads the ini file for ConfigArgParse: documented sections, no interpolation, strict names."""

    def __init__(self, findings: Findings) -> None:
        super().__init__()
        self.findings = findings
        self.images: list[str] = []
        self.surveys: dict[str, dict[str, str]] = {}

    def __call__(self) -> _IniParser:
        return self

    def get_syntax_description(self) -> str:
        return "An ini file with the sections of example.ini."

    def parse(self, stream: TextIO) -> dict[str, str]:
        # no section is a default one, so that what stands in [DEFAULT] is not lost silently
        parser = configparser.ConfigParser(interpolation=None, default_section="\n")
        name = Path(stream.name).name
        try:
            # editors of Windows put a byte-order mark first
            parser.read_string(stream.read().removeprefix("\ufeff"))
        except (configparser.Error, UnicodeDecodeError) as error:
            self.findings.mistakes.append(f"{name} is no ini file: {' '.join(str(error).split())}")
            return {}
        values: dict[str, str] = {}
        for section in parser.sections():
            if section.upper().startswith("SURVEY:"):
                self.surveys[section[7:].strip()] = {k.replace("-", "_"): v for k, v in parser[section].items()}
                continue
            for key, value in parser[section].items():
                self._take(values, section, key.replace("-", "_"), value, name)
        return values

    def _take(self, values: dict[str, str], section: str, key: str, value: str, name: str) -> None:
        known = ALIASES.get(key, key)
        if known not in OPTIONS and known != "images":
            self.findings.mistakes.append(f"{name}: unknown option {key} in [{section}]{suggestion(key)}")
            return
        if known != key:
            self.findings.warnings.append(f"{name}: {key} is the old name of {known}")
        home = OPTIONS[known][0].upper() if known in OPTIONS else "GENERAL"
        if section.upper() != home:
            self.findings.warnings.append(f"{name}: {known} belongs into [{home}], not [{section}]")
        if known == "images":
            self.images += self._names(value, name)
        elif spelled(known)[2:] in values:
            self.findings.mistakes.append(
                f"{name}: {known} is given twice, once under an old name or in another section"
            )
        else:
            values[spelled(known)[2:]] = value

    def _names(self, value: str, name: str) -> list[str]:
        """Return file names: one a line, or several on one line, with quotation marks round blanks."""
        if value.strip().lower() in UNSET:
            return []
        if "\n" in value.strip():
            return [line.strip() for line in value.splitlines() if line.strip()]
        words = shlex.shlex(value, posix=True, punctuation_chars=False)
        words.whitespace_split, words.whitespace, words.commenters = True, " \t,", ""
        try:
            return list(words)
        except ValueError:
            self.findings.mistakes.append(f"{name}: a quotation mark in images is not closed")
            return []


class _Parser(configargparse.ArgumentParser):  # type: ignore[misc]
    def error(self, message: str) -> None:
        raise ConfigError(message[0].upper() + message[1:] + "; --help lists the options.")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=38, width=120)


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
        usage="%(prog)s [-c FILE] [options] images [images ...]",
        description="Compare ASKAP images with SUMSS or NVSS and find what appeared, vanished or changed.",
        epilog=_EPILOG,
        formatter_class=_Formatter,
        config_file_parser_class=ini or configargparse.DefaultConfigFileParser,
        add_config_file_help=False,
        add_env_var_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("images", nargs="*", help="the images to process")
    parser.add_argument(
        "-c", "--conf_file", is_config_file=True, metavar="FILE", help="ini file; options given here win"
    )
    parser.add_argument("--version", action="version", version=f"racs_transients {__version__}")
    groups = {name: parser.add_argument_group(f"[{name.upper()}]", _title(kind)) for name, kind in SECTIONS.items()}
    for name, (section, option) in OPTIONS.items():
        groups[section].add_argument(
            spelled(name),
            dest=name,
            env_var=option.environment or None,
            metavar=kind_words(option),
            help=help_text(name).replace("%", "%%"),
        )
    return parser


def _title(kind: type[Any]) -> str:
    return str(kind.__doc__).splitlines()[0]


def kind_words(option: Option) -> str:
    """Return what kind of value an option takes.

    Parameters
    ----------
    option : Option
        The option.

    Returns
    -------
    str
        Its choices or kind.
    """
    words = {
        "bool": "[yes|no]",
        "str": "TEXT",
        "int": "INTEGER",
        "float": "NUMBER",
        "new_folder": "FOLDER",
        "files": "FILE[,FILE...]",
    }
    return "{" + ",".join(option.choices) + "}" if option.choices else words.get(option.kind, option.kind.upper())


def default_text(name: str) -> str:
    """Return the default of an option as people write it.

    Parameters
    ----------
    name : str
        Option.

    Returns
    -------
    str
        ``"None"`` for an unset one and for one that depends on the user.
    """
    item = next(f for f in fields(SECTIONS[OPTIONS[name][0]]) if f.name == name)
    return "None" if item.default is MISSING else str(item.default)


def help_text(name: str) -> str:
    """Return the help of an option: what it does, unit, limits, default, and whether it is built.

    Parameters
    ----------
    name : str
        Option.

    Returns
    -------
    str
        One line.
    """
    return f"{meaning(name)} (default: {default_text(name)})"


def meaning(name: str) -> str:
    """Return what an option does, its unit and conditions.

    Parameters
    ----------
    name : str
        Option.

    Returns
    -------
    str
        One line.
    """
    option = OPTIONS[name][1]
    text = option.help.rstrip(".") + (f", {option.unit}." if option.unit else ".")
    condition, _, value = option.only_with.partition("=")
    if condition:
        text += f" Only with {spelled(condition)}{f' {value}' if value else ''}."
    if option.environment:
        text += f" Also {option.environment}."
    return text


def without_secrets(command: Sequence[str]) -> list[str]:
    """Return a command line whose secrets are replaced, for the manifest.

    Parameters
    ----------
    command : sequence of str
        Words of the command.

    Returns
    -------
    list of str
        As many words.
    """
    result = list(command)
    for number, word in enumerate(command):
        written, has_value, _ = word.partition("=")
        if not written.startswith("--") or written[2:].replace("-", "_") not in SECRETS:
            continue
        if has_value:
            result[number] = f"{written}={REDACTED}"
        elif number + 1 < len(result):
            result[number + 1] = REDACTED
    return result


def read_arguments(
    arguments: Sequence[str], findings: Findings
) -> tuple[dict[str, str], list[str], dict[str, dict[str, str]]]:
    """Return the text given for each option, on the command line or else in the ini file, images and surveys.

    Parameters
    ----------
    arguments : sequence of str
        Command line without the program's name.
    findings : Findings
        Takes mistakes and remarks.

    Returns
    -------
    texts : dict
        Option to text.
    images : list of str
        Names of the images; those of the command line win.
    surveys : dict
        Name of each survey that the ini file describes, to its keys and texts.
    """
    options, images = _sorted_out(arguments, findings)
    ini = _IniParser(findings)
    given, unknown = build_parser(ini).parse_known_args(options)
    for argument in unknown:
        key = argument.partition("=")[0].lstrip("-").replace("-", "_")
        findings.mistakes.append(f"unknown option {argument}{suggestion(key)}")
    texts = {name: getattr(given, name) for name in OPTIONS if getattr(given, name) is not None}
    return texts, images or ini.images, ini.surveys


def _sorted_out(arguments: Sequence[str], findings: Findings) -> tuple[list[str], list[str]]:
    """Return options as ``--name=value`` under their present names, and apart from them the images."""
    words = deque(arguments)
    options: list[str] = []
    images: list[str] = []
    while words:
        word = words.popleft()
        written, has_value, value = word.partition("=")
        key = written[2:].replace("-", "_")
        name = ALIASES.get(key, key)
        if word == "--":
            images += words
            break
        if written.startswith("--") and name in OPTIONS:
            if name != key:
                findings.warnings.append(f"{written} is the old name of {spelled(name)}")
            text = value if has_value else _value_behind(written, name, words, findings)
            options += [] if text is None else [f"{spelled(name)}={text}"]
        elif written in _CONFIGURATION_FILE:
            options += _configuration_file(value if has_value else words.popleft() if words else "", findings)
        else:
            (options if word.startswith("-") and word != "-" else images).append(word)
    return options, images


def _value_behind(written: str, name: str, words: deque[str], findings: Findings) -> str | None:
    """Take the value that follows an option; a bare truth value takes no image name."""
    following = words[0] if words else None
    if OPTIONS[name][1].kind == "bool":
        return words.popleft() if following and following.lower() in TRUE | FALSE | UNSET else "true"
    if following is None or following in _CONFIGURATION_FILE or following.startswith("--"):
        findings.mistakes.append(f"{written} needs a value")
        return None
    return words.popleft()


def _configuration_file(path: str, findings: Findings) -> list[str]:
    if is_so(Path(path).expanduser().is_file):
        return ["--conf_file", str(Path(path).expanduser())]
    findings.mistakes.append(f"there is no configuration file {path}" if path else "-c needs the name of a file")
    return []
