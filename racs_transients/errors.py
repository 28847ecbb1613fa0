"""The exceptions of the package; each message says what is wrong, where, and what to do."""

from __future__ import annotations

# Exit code of what was stopped by Ctrl-C or SIGTERM
INTERRUPTED = 130


class RacsTransientsError(Exception):
    """Base of all errors that a user can cause or mend; the program exits with `exit_code`."""

    exit_code = 1


class ConfigError(RacsTransientsError):
    """Wrong options or configuration file; nothing has been done yet."""

    exit_code = 2


class ImageError(RacsTransientsError):
    """An image cannot be read or lacks what the comparison needs."""


class CatalogueError(RacsTransientsError):
    """A reference catalogue cannot be had, read or trusted."""


class SourceFinderError(RacsTransientsError):
    """A source finder failed, or a source list cannot be read."""


class SchemaError(RacsTransientsError):
    """A table does not have the columns or units that the schema states."""


class RunFolderError(RacsTransientsError):
    """A results folder cannot be used or written."""


class DatabaseError(RacsTransientsError):
    """The database cannot be reached or does not fit this version."""
