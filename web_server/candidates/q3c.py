"""Q3C: the extension and its indexes, made where that is allowed."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, transaction

TABLES = ("candidates_crossmatch", "candidates_skyobject")
_AVAILABLE = "SELECT 1 FROM pg_available_extensions WHERE name = 'q3c'"
_INSTALLED = "SELECT 1 FROM pg_extension WHERE extname = 'q3c'"


def make_indexes(connection: Any) -> str:
    """Make the extension, where it may be made, and the indexes that the cone search uses.

    Parameters
    ----------
    connection : django.db.backends.base.base.BaseDatabaseWrapper
        The database.

    Returns
    -------
    str
        One sentence on why Q3C is not used; empty where it is, and on other databases than PostgreSQL.
    """
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute(_INSTALLED)
        if cursor.fetchone() is None:
            cursor.execute(_AVAILABLE)
            if cursor.fetchone() is None:
                return (
                    "The PostgreSQL server has no Q3C (Debian: postgresql-N-q3c); cone searches work without it, but "
                    "are slower. Once it is installed, run `manage.py q3c`."
                )
            try:
                with transaction.atomic(using=connection.alias):
                    cursor.execute("CREATE EXTENSION q3c")
            except DatabaseError:
                return (
                    "This role may not create the extension Q3C; cone searches work without it, but are slower. An "
                    f"administrator can run `CREATE EXTENSION q3c` in the database {connection.settings_dict['NAME']}; "
                    "then run `manage.py q3c`."
                )
        for table in TABLES:
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {table}_q3c ON {table} (q3c_ang2ipix(ra, dec))")
    return ""


def drop_indexes(connection: Any) -> None:
    """Drop the indexes; the extension stays.

    Parameters
    ----------
    connection : django.db.backends.base.base.BaseDatabaseWrapper
        The database.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"DROP INDEX IF EXISTS {table}_q3c")
