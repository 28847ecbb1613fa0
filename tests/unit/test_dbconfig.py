"""Which database: one description for options, addresses, Django and SQLAlchemy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from racs_transients.config import Database
from racs_transients.dbconfig import (
    DbConfig,
    check_filesystem,
    config_from_options,
    config_from_url,
    options_from_environment,
    sqlite_config,
)
from racs_transients.errors import ConfigError
from racs_transients.options import parse_options

WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)


@given(
    WORDS,
    WORDS,
    WORDS,
    st.sampled_from(["", "localhost", "db.example.org", "/run/my sockets"]),
    st.sampled_from([0, 5433]),
)
def test_an_address_gives_back_the_database_it_was_made_of(name, user, password, host, port):
    db = DbConfig("postgresql", name, user, password, host, port)
    if name.strip("/") != name:
        return
    assert config_from_url(db.url) == db
    url = make_url(db.url)
    assert (url.database, url.username, url.password) == (name, user, password)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////data/racs.sqlite3", DbConfig("sqlite", "/data/racs.sqlite3")),
        ("postgresql://ann@host/racs", DbConfig("postgresql", "racs", "ann", "", "host", 0)),
        ("postgres://host:5433/racs", DbConfig("postgresql", "racs", "", "", "host", 5433)),
        ("postgresql+psycopg2:///racs?host=/run/pg", DbConfig("postgresql", "racs", "", "", "/run/pg", 0)),
    ],
)
def test_usual_addresses_are_understood(url, expected):
    assert config_from_url(url) == expected


def test_a_relative_file_is_where_the_user_stands(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert config_from_url("sqlite:///racs.sqlite3").path == tmp_path / "racs.sqlite3"
    assert config_from_options(Database()).path == tmp_path / "racs_transients.sqlite3"


@pytest.mark.parametrize(
    "url", ["racs.sqlite3", "mysql://host/racs", "postgresql://host", "sqlite://", "postgresql://h:x/r"]
)
def test_what_is_no_address_is_an_error_that_shows_no_password(url):
    with pytest.raises(ConfigError) as caught:
        config_from_url(url.replace("://", "://ann:hunter2@") if "postgresql" in url else url)
    assert "address of the database" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_options_win_over_the_environment(monkeypatch, tmp_path):
    (tmp_path / "image.fits").touch()
    image = str(tmp_path / "image.fits")
    monkeypatch.setenv("RACS_TRANSIENTS_DATABASE_URL", "postgresql://ann:hunter2@host/racs")

    def database(*options):
        return config_from_options(parse_options([image, *options]).config.database)

    assert database() == DbConfig("postgresql", "racs", "ann", "hunter2", "host", 0)
    assert database("--db-database", str(tmp_path / "x")) == sqlite_config(tmp_path / "x")
    assert database("--db-engine", "postgresql", "--db-database", "y").database == "y"
    assert options_from_environment({}) == {}


def test_postgresql_needs_a_name(tmp_path):
    (tmp_path / "image.fits").touch()
    with pytest.raises(ConfigError, match="--db-engine postgresql needs --db-database"):
        parse_options([str(tmp_path / "image.fits"), "--db-host", "somewhere"])


def test_the_password_is_not_shown():
    db = DbConfig("postgresql", "racs", "ann", "hunter2", "host", 5432)
    assert "hunter2" not in repr(db) + db.describe()
    assert db.django()["PASSWORD"] == "hunter2"


def test_sqlite_on_a_network_filesystem_is_refused(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda1 / ext4 rw 0 0\nserver:/home {tmp_path} nfs4 rw 0 0\n/dev/sdb1 {tmp_path}/local ext4 rw 0 0\n"
    )
    (tmp_path / "local").mkdir()
    check_filesystem(sqlite_config(tmp_path / "local/racs.sqlite3"), mounts)
    check_filesystem(sqlite_config(Path("/racs.sqlite3")), mounts)
    check_filesystem(DbConfig("postgresql", "racs"), mounts)
    with pytest.raises(ConfigError, match=r"network filesystem \(nfs4\).*use a local disk .* or PostgreSQL"):
        check_filesystem(sqlite_config(tmp_path / "racs.sqlite3"), mounts)
