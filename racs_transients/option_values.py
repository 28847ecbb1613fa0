"""From the text of an option to its value."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from racs_transients.arguments import FALSE, TRUE, UNSET, Findings
from racs_transients.config import Option


def absolute(name: str) -> Path:
    """Return a path that stays right wherever the work is done; a name is relative to where the user stands.

    Parameters
    ----------
    name : str
        Name of a file or folder.

    Returns
    -------
    pathlib.Path
        Absolute.
    """
    return Path(name).expanduser().absolute()


def value_of(label: str, option: Option, text: str, findings: Findings) -> Any:
    """Return the value that a text means.

    Parameters
    ----------
    label : str
        The option as the user wrote it, for messages.
    option : Option
        Kind, choices and limits.
    text : str
        What was given.
    findings : Findings
        Takes a mistake.

    Returns
    -------
    object
        The value; None where the text means "unset" or is a mistake.
    """
    text = str(text).strip()
    if text.lower() in UNSET:
        return None
    if option.kind == "bool":
        if text.lower() not in TRUE | FALSE:
            findings.mistakes.append(f"{label} is yes or no, not {text!r}")
            return None
        return text.lower() in TRUE
    if option.choices:
        match = next((choice for choice in option.choices if choice.lower() == text.lower()), None)
        if match is None:
            findings.mistakes.append(f"{label} is one of {', '.join(option.choices)}, not {text!r}")
        return match
    if option.kind in ("int", "float"):
        return _number(label, text, option, findings)
    if option.kind == "files":
        return tuple(absolute(name.strip()) for name in re.split(r"[,\n]", text) if name.strip()) or None
    return text if option.kind == "str" else absolute(text)


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
