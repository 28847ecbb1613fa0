"""The labels that a new database starts with: the documented buttons, keys, tags and reasons.

Afterwards they are rows that an administrator edits; this list is read by a migration only.
"""

from __future__ import annotations

from dataclasses import dataclass

SAFE, TECHNICAL, INVESTIGATE = "Safe to ignore", "Technical issue", "Investigate"


@dataclass(frozen=True, slots=True)
class LabelSeed:
    """A label as documented.

    Parameters
    ----------
    group : str
        Row of buttons.
    words : str
        On the button.
    key : str
        Letter that gives it.
    tag, reason : str
        What is stored.
    lead_only : bool
        Whether it is a decision of a lead instead of a vote.
    """

    group: str
    words: str
    key: str
    tag: str
    reason: str
    lead_only: bool = False


LABELS = (
    LabelSeed(SAFE, "There is a match", "m", "ignore", "is match"),
    LabelSeed(SAFE, "Non-detection", "n", "ignore", "non-detection"),
    LabelSeed(SAFE, "Extended/diffuse", "e", "ignore", "extended"),
    LabelSeed(SAFE, "Close to bright source", "b", "ignore", "bright source"),
    LabelSeed(SAFE, "Multiple sources", "d", "ignore", "multiple"),
    LabelSeed(TECHNICAL, "Field edge", "f", "problem", "edge of field"),
    LabelSeed(TECHNICAL, "Convolved flux error", "c", "problem", "convolved flux error"),
    LabelSeed(TECHNICAL, "Catalogue artefact", "a", "problem", "catalogue artefact"),
    LabelSeed(TECHNICAL, "ASKAP artefact", "q", "problem", "askap artefact"),
    LabelSeed(TECHNICAL, "Extraction error", "s", "problem", "src. ext. error"),
    LabelSeed(TECHNICAL, "Too noisy", "o", "problem", "too noisy"),
    LabelSeed(INVESTIGATE, "Transient", "t", "transient", "transient", lead_only=True),
    LabelSeed(INVESTIGATE, "Maybe", "y", "maybe", "maybe", lead_only=True),
    LabelSeed(INVESTIGATE, "Investigate", "i", "investigate", "investigate"),
    LabelSeed(INVESTIGATE, "Not sure", "x", "help", "not sure"),
)
