"""Writing results into the database of the site."""

from racs_transients.database.connect import open_database
from racs_transients.database.inject import Injection, inject_run

__all__ = ["Injection", "inject_run", "open_database"]
