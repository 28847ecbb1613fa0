"""Connecting to the database, and making its tables by the site's migrations.

Django owns the schema. The migrations run in a process of their own, so that Django's settings never
leak into the pipeline; this is the only place of the pipeline that knows the site.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from racs_transients.dbconfig import BUSY_TIMEOUT, URL_VARIABLE, DbConfig, check_filesystem
from racs_transients.errors import DatabaseError

logger = logging.getLogger(__name__)

# The apps of the site whose tables the pipeline fills.
APPS = ("candidates", "notify")
# Advisory locks of PostgreSQL are numbers: one of our own.
LOCK = 0x72616373


def open_database(db: DbConfig) -> Engine:
    """Return an engine for a database that has all tables; missing ones are made.

    Parameters
    ----------
    db : DbConfig
        The database.

    Returns
    -------
    sqlalchemy.Engine
        Every transaction of which may write.

    Raises
    ------
    DatabaseError
        If it cannot be reached, or was made by a newer version.
    ConfigError
        If a SQLite file would lie on a network filesystem.
    """
    check_filesystem(db)
    if db.path is not None and not db.path.parent.is_dir():
        raise DatabaseError(f"There is no folder {db.path.parent} for the {db.describe()}; make it first.")
    engine = _engine(db)
    with explained(db):
        if _missing_migrations(engine, db):
            with _one_at_a_time(engine, db):
                # another process may have done it meanwhile
                if _missing_migrations(engine, db):
                    _migrate(db)
    return engine


@contextmanager
def explained(db: DbConfig) -> Iterator[None]:
    """Turn errors of the database into one sentence.

    Parameters
    ----------
    db : DbConfig
        The database, for the words.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    DatabaseError
        For every error of SQLAlchemy or the drivers.
    """
    try:
        yield
    # rows in bulk go to the drivers directly
    except (SQLAlchemyError, sqlite3.Error, psycopg2.Error) as error:
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        raise DatabaseError(f"The {db.describe()} cannot be used: {cause}.") from error


def _engine(db: DbConfig) -> Engine:
    if db.engine == "postgresql":
        return create_engine(db.url, poolclass=NullPool)
    engine = create_engine(db.url, poolclass=NullPool, connect_args={"timeout": BUSY_TIMEOUT})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    # the driver must not open transactions by itself
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    # wait for other writers now, not in the middle
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _missing_migrations(engine: Engine, db: DbConfig) -> set[tuple[str, str]]:
    """Return the migrations that the database lacks.

    Raises
    ------
    DatabaseError
        If it has some that this version does not know.
    """
    ours = {(app, path.stem) for app in APPS for path in _migrations_folder(app).glob("[0-9]*.py")}
    with engine.connect() as connection:
        if not inspect(connection).has_table("django_migrations"):
            return ours
        rows = connection.execute(text("SELECT app, name FROM django_migrations"))
        applied = {(app, name) for app, name in rows if app in APPS}
    unknown = sorted(name for _, name in applied - ours)
    if unknown:
        raise DatabaseError(
            f"The {db.describe()} was made by a newer version of racs_transients (it has {', '.join(unknown)}); "
            "update racs_transients, or use another database. The results folder keeps all results."
        )
    return ours - applied


def _migrations_folder(app: str) -> Path:
    spec = find_spec("web_server")
    if spec is None or not spec.submodule_search_locations:
        raise DatabaseError("The package web_server, which describes the tables, is not installed.")
    return Path(spec.submodule_search_locations[0]) / app / "migrations"


@contextmanager
def _one_at_a_time(engine: Engine, db: DbConfig) -> Iterator[None]:
    """Let one process at a time make tables."""
    if db.path is not None:
        with db.path.with_name(db.path.name + ".lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        yield


def _migrate(db: DbConfig) -> None:
    logger.info("making the tables of the %s", db.describe())
    environment = os.environ | {URL_VARIABLE: db.url, "DJANGO_SETTINGS_MODULE": "web_server.default_settings"}
    done = subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--no-input", "--verbosity", "0"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    if done.returncode:
        reason = lines[-1] if lines else f"exit code {done.returncode}"
        raise DatabaseError(f"The tables of the {db.describe()} could not be made: {reason}.")
    for line in lines:
        logger.warning(line)
