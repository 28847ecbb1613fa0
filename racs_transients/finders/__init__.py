"""Source finders and the readers of their lists."""

from racs_transients.finders.base import SourceFinder, canonical_sources, good_fits
from racs_transients.finders.lists import ListSource, read_source_list
from racs_transients.finders.registry import FINDERS

__all__ = ["FINDERS", "ListSource", "SourceFinder", "canonical_sources", "good_fits", "read_source_list"]
