"""What several tests share: the real data, a small simulated field, and running the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from racs_transients.cli import process_askap_image
from racs_transients.simulate import FieldSettings, simulate_field
from tests.postgres import find_binaries, postgres_server
from web_server.vendor import missing_libraries

DATA = Path(__file__).parents[1].parent / "shared/data"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests with a browser are slow, and files with slow tests begin first: one process runs all of a file."""
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker("slow")
    yield
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def database_of_the_tests(tmp_path_factory):
    """Runs that name no database write into one of the session, not where the tests stand."""
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'tests.sqlite3'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RACS_TRANSIENTS_DATABASE_URL", url)
        yield url


@pytest.fixture(scope="session")
def real_data():
    if not DATA.is_dir():
        pytest.skip("the real observations in ../shared/data are absent")
    return DATA


@pytest.fixture(scope="session")
def browser_libraries():
    """Bootstrap and sampjs, which the site does without where npm cannot fetch them."""
    if missing := missing_libraries():
        pytest.skip(missing)


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server of the session's own."""
    found = find_binaries()
    if found is None:
        pytest.skip("no PostgreSQL server is installed")
    with postgres_server(*found) as server:
        yield server


@pytest.fixture(scope="session")
def small_field(tmp_path_factory):
    """A field of 1000² pixels with bright transients, as real in format as the large ones."""
    settings = FieldSettings(seed=3, size=1000, new=5, vanished=5, variable=5, transient_snr=12)
    return simulate_field(settings, tmp_path_factory.mktemp("field"))


@pytest.fixture(scope="session")
def small_command(small_field):
    """Arguments that process the small field with everything it has."""
    return [
        str(small_field.image),
        "--sumss-csv",
        str(small_field.catalogue),
        "--sumss-mosaic-dir",
        str(small_field.mosaics),
        "--transients",
    ]


@pytest.fixture(scope="session")
def small_results(small_command, tmp_path_factory):
    """The results folder of the small field; tests only read it."""
    folder = tmp_path_factory.mktemp("results")
    assert process_askap_image([*small_command, "--output-dir", str(folder)]) == 0
    return next(folder.iterdir())
