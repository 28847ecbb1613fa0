"""What must hold before the site is served."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


def refuse_missing_database() -> None:
    """Stop with one sentence where there is no database, or none with our tables.

    Raises
    ------
    ImproperlyConfigured
        Naming the database and what to do.
    """
    db = settings.DATABASE
    if db.path is not None and not db.path.is_file():
        raise ImproperlyConfigured(
            f"There is no {db.describe()}: run the pipeline, or make an empty one with `manage.py migrate`."
        )
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise ImproperlyConfigured(f"The {db.describe()} cannot be opened: {str(error).strip()}.") from error
    finally:
        connection.close()
    if missing:
        raise ImproperlyConfigured(
            f"The tables of the {db.describe()} are older than this site or absent: run `manage.py migrate`."
        )
