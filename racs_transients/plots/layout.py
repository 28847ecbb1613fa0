"""Where the panels of a postage stamp lie, in pixels; the review site takes the panels out of the picture."""

from __future__ import annotations

PANEL, MARGIN, GAP, HEAD = 460, 16, 14, 62
TOP = HEAD + 40
