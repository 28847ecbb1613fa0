"""The source finders that can be run, by the name of the option."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from racs_transients.finders.aegean import Aegean
from racs_transients.finders.base import SourceFinder
from racs_transients.finders.pybdsf import PyBDSF
from racs_transients.finders.selavy import Selavy

FINDERS: Mapping[str, SourceFinder] = MappingProxyType(
    {finder.name: finder for finder in (Aegean(), PyBDSF(), Selavy())}
)
