"""Reference catalogues: fetched from VizieR or read from files, checked, in the schema's form."""

from racs_transients.catalogues.canonical import bright_sources, to_reference_table, trim_to_image
from racs_transients.catalogues.files import read_reference_file
from racs_transients.catalogues.guard import check_coverage, check_trimmed, query_radius
from racs_transients.catalogues.vizier import fetch_reference

__all__ = [
    "bright_sources",
    "check_coverage",
    "check_trimmed",
    "fetch_reference",
    "query_radius",
    "read_reference_file",
    "to_reference_table",
    "trim_to_image",
]
