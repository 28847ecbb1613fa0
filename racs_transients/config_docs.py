"""Write example.ini, tables of README.md and PIPELINE.md: ``python -m racs_transients.config_docs --write``."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from racs_transients.arguments import OPTIONS, default_text, kind_words, meaning, spelled
from racs_transients.config import SECTIONS
from racs_transients.survey_sections import KEYS, PREFIX

BEGIN, END = "<!-- options:begin -->", "<!-- options:end -->"
KEYS_BEGIN, KEYS_END = "<!-- survey keys:begin -->", "<!-- survey keys:end -->"
_HEAD = """\
# All options with their defaults, for processASKAPimage.py -c FILE. Options on the command line win.
# Generated from racs_transients/config.py: python -m racs_transients.config_docs --write
# A line that begins with "# " and a name shows an option that is unset. None means unset.
"""


def example_ini() -> str:
    """Return an ini file with every option at its default.

    Returns
    -------
    str
        Content of ``example.ini``.
    """
    lines = [_HEAD]
    for section, kind in SECTIONS.items():
        lines += [f"[{section.upper()}]", f"# {str(kind.__doc__).splitlines()[0]}", ""]
        if section == "general":
            lines += ["# The images to process, one a line or separated by blanks.", "# images = None", ""]
        for name in (name for name, (home, _) in OPTIONS.items() if home == section):
            lines += textwrap.wrap(meaning(name), 110, initial_indent="# ", subsequent_indent="# ")
            default = default_text(name)
            hidden = "# " if default == "None" else ""
            lines += [f"{hidden}{name} = {default}", ""]
    lines += [f'# A section [{PREFIX}name] describes a survey of your own: PIPELINE.md, "Other surveys".']
    return "\n".join(lines).rstrip() + "\n"


def survey_keys_table() -> str:
    """Return the table of the keys of a section ``[SURVEY:name]``.

    Returns
    -------
    str
        Markdown.
    """
    rows = [
        f"| `{key}` | {', '.join(filter(None, (option.help.rstrip('.'), option.unit)))} |"
        for key, option in KEYS.items()
    ]
    return "\n".join(["| key | meaning |", "|---|---|", *rows])


def options_table() -> str:
    """Return the tables of all options, one a section.

    Returns
    -------
    str
        Markdown.
    """
    parts = []
    for section, kind in SECTIONS.items():
        rows = [_row(name) for name, (home, _) in OPTIONS.items() if home == section]
        title = f"**`[{section.upper()}]`** {str(kind.__doc__).splitlines()[0]}"
        parts.append("\n".join([title, "", "| option | value | default | meaning |", "|---|---|---|---|", *rows]))
    return "\n\n".join(parts)


def _row(name: str) -> str:
    default = "" if default_text(name) == "None" else f"`{default_text(name)}`"
    cells = (f"`{spelled(name)}`", kind_words(OPTIONS[name][1]), default, meaning(name))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def with_table(readme: str) -> str:
    """Return a README whose option table is the present one.

    Parameters
    ----------
    readme : str
        Text with the two marks.

    Returns
    -------
    str
        The text with what is between the marks replaced.

    Raises
    ------
    ValueError
        If a mark is missing.
    """
    return _between(readme, "README.md", BEGIN, END, options_table())


def with_survey_keys(pipeline: str) -> str:
    """Return a PIPELINE.md whose table of the keys of a survey is the present one.

    Parameters
    ----------
    pipeline : str
        Text with the two marks.

    Returns
    -------
    str
        The text with what is between the marks replaced.

    Raises
    ------
    ValueError
        If a mark is missing.
    """
    return _between(pipeline, "PIPELINE.md", KEYS_BEGIN, KEYS_END, survey_keys_table())


def _between(text: str, name: str, begin: str, end: str, content: str) -> str:
    before, has_begin, rest = text.partition(begin)
    _, has_end, after = rest.partition(end)
    if not has_begin or not has_end:
        raise ValueError(f"{name} needs the lines {begin} and {end}.")
    return f"{before}{begin}\n{content}\n{end}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the generated texts, or say which is stale.

    Parameters
    ----------
    arguments : sequence of str, optional
        Command line without the program's name.

    Returns
    -------
    int
        0 where all is written or fresh, else 1.
    """
    parser = argparse.ArgumentParser(description="Generate example.ini and the option table of README.md.")
    parser.add_argument("--write", action="store_true", help="write them; without it, only say which is stale")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="folder of the checkout")
    parsed = parser.parse_args(arguments)
    readme, example, pipeline = (parsed.root / name for name in ("README.md", "example.ini", "PIPELINE.md"))
    wanted = {
        example: example_ini(),
        readme: with_table(readme.read_text(encoding="utf-8")),
        pipeline: with_survey_keys(pipeline.read_text(encoding="utf-8")),
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if parsed.write:
            path.write_text(wanted[path], encoding="utf-8")
        else:
            sys.stderr.write(f"{path.name} is stale: python -m racs_transients.config_docs --write\n")
    return 1 if stale and not parsed.write else 0


if __name__ == "__main__":
    raise SystemExit(main())
