"""Databases of both engines, and reading them with Django."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import uuid

import pytest
from django.db import connections

from racs_transients.database import open_database
from racs_transients.dbconfig import sqlite_config
from tests.benchmarks.synthetic import write_results

_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_db(request, tmp_path):
    """A database without tables."""
    if request.param == "sqlite":
        return sqlite_config(tmp_path / "test.sqlite3")
    return request.getfixturevalue("postgres").create(f"test{next(_numbers)}")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A SQLite file with all tables, made once and copied."""
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    open_database(sqlite_config(path)).dispose()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres):
    """A PostgreSQL database with all tables, made once and copied."""
    open_database(postgres.create("template_with_tables")).dispose()
    return "template_with_tables"


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request, tmp_path):
    """A database with all tables and no rows."""
    if request.param == "sqlite":
        copy = tmp_path / "test.sqlite3"
        copy.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        return sqlite_config(copy)
    template = request.getfixturevalue("postgres_template")
    return request.getfixturevalue("postgres").create(f"test{next(_numbers)}", template=template)


@pytest.fixture
def read(django_db_blocker):
    """A context in which Django reads a database under the alias "written"."""

    @contextlib.contextmanager
    def reading(db):
        settings = connections.configure_settings({"default": {}, "written": db.django()})["written"]
        connections.settings["written"] = settings
        with django_db_blocker.unblock():
            try:
                yield "written"
            finally:
                connections["written"].close()
                del connections["written"], connections.settings["written"]

    return reading


@pytest.fixture
def results(small_results, tmp_path):
    """A copy of the small field's results folder that a test may change."""
    return shutil.copytree(small_results, tmp_path / "results")


@pytest.fixture
def many_results(small_results, tmp_path):
    """A results folder with 3000 rows all over the southern sky."""
    return write_results(small_results, tmp_path / "many", 3000)


@pytest.fixture
def change_manifest():
    """A function that changes run.json of a folder."""

    def change(folder, **values):
        path = folder / "run.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


@pytest.fixture
def new_run(change_manifest):
    """A function that makes a folder that of another run of the same image."""
    return lambda folder: change_manifest(folder, run_id=str(uuid.uuid4()))
