"""The documented ways of hosting the site, and the wheel in an environment of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from sqlalchemy import text

from racs_transients.database import inject_run, open_database
from racs_transients.dbconfig import DbConfig, sqlite_config
from tests.postgres import USER
from tests.serving import free_port, serving_site
from web_server.secret_key import secret_key

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]


def page(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.status, answer.read().decode()


def assert_login_page_with_style(url):
    status, shown = page(url + "/")
    assert status == 200
    assert 'name="csrfmiddlewaretoken"' in shown
    styles = re.findall(r'href="(/static/[^"]+\.css)"', shown)
    assert styles
    for style in styles:
        assert page(url + style)[0] == 200


def clean_environment(**values):
    hidden = ("RACS_TRANSIENTS_", "DJANGO_", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)} | values


def test_a_copy_of_web_server_is_served_as_documented(small_results, browser_libraries, tmp_path):
    db = sqlite_config(tmp_path / "racs.sqlite3")
    inject_run(small_results, db)
    copy = shutil.copytree(ROOT / "web_server", tmp_path / "hosting/web_server")
    template = (copy / "settings.py.template").rename(copy / "settings.py")
    edited = re.sub(r"DATABASE = .*", f'DATABASE = DbConfig("sqlite", "{db.database}")', template.read_text())
    template.write_text(edited)

    def manage(*words):
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(
            command, cwd=copy, env=clean_environment(), capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "No changes detected" in manage("makemigrations")
    assert "No migrations to apply" in manage("migrate")
    port = free_port()
    command = [sys.executable, "manage.py", "runserver", f"0.0.0.0:{port}", "--noreload"]
    with serving_site(command, port, cwd=copy, environment=clean_environment()) as url:
        assert_login_page_with_style(url)
    # the copy was served, not the package it was made from
    (copy / "candidates/urls.py").write_text("raise RuntimeError('this is the copy')\n")
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=copy,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "this is the copy" in done.stderr


def test_the_site_of_a_missing_database_is_refused(tmp_path):
    environment = clean_environment(RACS_TRANSIENTS_DATABASE_URL=f"sqlite:///{tmp_path}/gone.sqlite3")
    command = [sys.executable, "-m", "racs_transients", "site"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: There is no SQLite file {tmp_path}/gone.sqlite3: run the pipeline first")
    code = "import web_server.wsgi"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert "There is no SQLite file" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "gone.sqlite3").exists()


def test_createdb_and_a_run_make_a_served_site_on_postgresql(small_results, postgres, browser_libraries, tmp_path):
    db = postgres.create("racs")
    environment = clean_environment()
    options = ["--db-engine", "postgresql", "--db-database", "racs", "--db-username", db.username, "--db-host", db.host]
    program = [sys.executable, "-m", "racs_transients"]
    subprocess.run([*program, "inject", str(small_results), *options], env=environment, check=True, cwd=tmp_path)
    user = ["createsuperuser", "--no-input", "--username", "lead", "--email", "lead@example.org"]
    subprocess.run(
        [*program, "manage", *options, *user],
        env=environment | {"DJANGO_SUPERUSER_PASSWORD": "x"},
        check=True,
        cwd=tmp_path,
    )
    port = free_port()
    site = [*program, "site", "--port", str(port), "--workers", "1", *options]
    environment["XDG_STATE_HOME"] = str(tmp_path)
    with serving_site(site, port, cwd=tmp_path, environment=environment) as url:
        assert_login_page_with_style(url)
    key = tmp_path / "racs_transients/secret_key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "nobody has an account" not in (tmp_path / "server.log").read_text()


def test_a_key_that_cannot_be_kept_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "state").write_text("no folder")
    monkeypatch.delenv("RACS_TRANSIENTS_SECRET_KEY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    words = r"cannot be kept in .*/state/racs_transients/secret_key \(.+\): set RACS_TRANSIENTS_SECRET_KEY\.$"
    with pytest.raises(ImproperlyConfigured, match=words):
        secret_key(DbConfig("postgresql", "racs"))


def backup_commands(of):
    """Return the documented commands, by the paragraph that leads to them."""
    chapter = (ROOT / "HOSTING.md").read_text().partition("## 6. Backup and restore")[2]
    blocks = re.findall(r"([^\n]+)\n```\n(.*?)```", chapter, re.DOTALL)
    return next(commands for words, commands in blocks if words.startswith(of))


def accounts_and_rows(db):
    engine = open_database(db)
    with engine.connect() as connection:
        return [
            connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
            for table in ("auth_user", "candidates_crossmatch", "django_migrations")
        ]


def make_account(db, folder):
    command = [sys.executable, "-m", "racs_transients", "manage", "createsuperuser", "--no-input", "--username", "ann"]
    secret = {"RACS_TRANSIENTS_DATABASE_URL": db.url, "DJANGO_SUPERUSER_PASSWORD": "x", "XDG_STATE_HOME": str(folder)}
    subprocess.run([*command, "--email", "ann@example.org"], cwd=folder, check=True, env=clean_environment(**secret))


def test_a_backup_of_postgresql_is_restored_as_documented(small_results, postgres, tmp_path):
    if not (shutil.which("pg_dump") and shutil.which("pg_restore")):
        pytest.skip("the programs of PostgreSQL are not installed")
    # a role as the document makes it: neither administrator nor owner of the extension
    postgres.run("CREATE ROLE team LOGIN")
    postgres.create("racs")
    postgres.run('ALTER DATABASE "racs" OWNER TO team')
    if postgres.has_q3c:
        postgres.run("CREATE EXTENSION q3c", database="racs")
    db = postgres.database("racs", user="team")
    inject_run(small_results, db)
    make_account(db, tmp_path)
    commands = (
        backup_commands("PostgreSQL").replace("--owner racs", "--owner team").replace("--role racs", "--role team")
    )
    if postgres.has_q3c:
        commands = commands.replace(
            "pg_restore", 'psql racs_restored -c "CREATE EXTENSION IF NOT EXISTS q3c" && pg_restore'
        )
    programs = {"PGHOST": db.host, "PGPORT": str(db.port), "PGUSER": USER}
    try:
        subprocess.run(["bash", "-ec", commands], cwd=tmp_path, env=os.environ | programs, check=True)
        restored = accounts_and_rows(postgres.database("racs_restored", user="team"))
        assert restored == accounts_and_rows(db)
        assert restored[0] == 1
        assert restored[1] > 0
    finally:
        for name in ("racs", "racs_restored"):
            postgres.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        postgres.run("DROP ROLE team")


def test_a_backup_of_sqlite_is_restored_as_documented(small_results, tmp_path):
    if shutil.which("sqlite3") is None:
        pytest.skip("the program sqlite3 is not installed")
    db = sqlite_config(tmp_path / "racs.sqlite3")
    inject_run(small_results, db)
    make_account(db, tmp_path)
    key = (tmp_path / "racs.sqlite3.secret_key").read_text()
    chapter = (ROOT / "HOSTING.md").read_text().partition("## 6. Backup and restore")[2]
    restoring = re.findall(r"To restore,[^\n]+\n```\n(.*?)```", chapter, re.DOTALL)[0]
    before = accounts_and_rows(db)
    with contextlib.closing(sqlite3.connect(tmp_path / "racs.sqlite3")) as open_one:
        # somebody votes meanwhile
        open_one.execute("SELECT count(*) FROM auth_user").fetchone()
        subprocess.run(["bash", "-ec", backup_commands("SQLite")], cwd=tmp_path, check=True)
        open_one.execute("DELETE FROM candidates_product")
        open_one.execute("DELETE FROM candidates_crossmatch")
        open_one.commit()
    assert accounts_and_rows(db) != before
    subprocess.run(["bash", "-ec", restoring], cwd=tmp_path, check=True)
    assert accounts_and_rows(db) == before
    assert (tmp_path / "backup.sqlite3.secret_key").read_text() == key


def copied_clone(tmp_path, *left_out):
    """Copy the sources as Git has them, but for what is named."""
    ignored = shutil.ignore_patterns(
        ".venv", ".git", ".*_cache", ".hypothesis", "*.egg-info", "build", "demo", *left_out
    )
    return shutil.copytree(ROOT, tmp_path / "clone", ignore=ignored)


def build_wheel(source, folder, **environment):
    """Build the wheel with the packages of this environment; return it and what was said."""
    command = [*PIP[:-1], "-v", "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source)]
    env = dict(os.environ) | environment
    done = subprocess.run(command, check=False, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("racs_transients-*.whl")), done.stdout + done.stderr


def stand_in_for_npm(folder, script):
    """Return a PATH on which npm is this script."""
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_a_wheel_is_built_where_no_library_can_be_fetched_and_says_so(tmp_path):
    source = copied_clone(tmp_path, "node_modules")
    path = stand_in_for_npm(tmp_path / "bin", "echo 'npm error the registry does not answer' >&2; exit 1")
    wheel, said = build_wheel(source, tmp_path, PATH=path)
    sentence = "The wheel is built without Bootstrap: npm says “npm error the registry does not answer”"
    assert sentence in said
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if "node_modules" in name]
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "django", "check", "--settings", "web_server.default_settings"],
        cwd=tmp_path,
        env=clean_environment(PYTHONPATH=str(tmp_path / "installed")),
        capture_output=True,
        text=True,
        check=False,
    )
    words = "The pages have no layout, bootstrap and sampjs not found: run `python -m web_server.vendor`"
    assert words in done.stderr
    assert done.returncode == 0


def test_a_build_fetches_what_the_wheel_passes_on_with_npm(browser_libraries, tmp_path):
    source = copied_clone(tmp_path, "node_modules")
    script = f'echo "$@" >{tmp_path}/asked; ls -A >>{tmp_path}/asked; cp -r {ROOT}/web_server/node_modules .'
    wheel, said = build_wheel(source, tmp_path, PATH=stand_in_for_npm(tmp_path / "bin", script))
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("ci --ignore-scripts ")
    assert "--omit=dev --omit=optional" in asked
    assert asked.split()[-3:] == [".npmrc", "package-lock.json", "package.json"]
    assert "without Bootstrap" not in said
    packages = {name.split("/")[2] for name in zipfile.ZipFile(wheel).namelist() if "/node_modules/" in name}
    assert packages == {"bootstrap", "sampjs"}
    assert not (source / "web_server/node_modules").exists()


def test_the_lock_names_no_registry_and_pins_every_package():
    lock = json.loads((ROOT / "web_server/package-lock.json").read_text())
    packages = {name: about for name, about in lock["packages"].items() if name}
    assert packages
    assert not [name for name, about in packages.items() if "resolved" in about]
    assert all(about["integrity"].startswith("sha512-") for about in packages.values())


def test_the_wheel_serves_a_page_outside_the_clone(browser_libraries, tmp_path):
    source = copied_clone(tmp_path)
    wheel, _ = build_wheel(source, tmp_path)
    shutil.rmtree(source)
    venv.create(tmp_path / "environment", with_pip=False)
    python = tmp_path / "environment/bin/python"
    subprocess.run([*PIP, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)], check=True)
    # the dependencies, without the clone that is installed beside them: files of .pth are not read there
    packages = next((tmp_path / "environment/lib").glob("python*")) / "site-packages"
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(*command):
        return subprocess.run(
            command, cwd=tmp_path, env=clean_environment(), check=True, capture_output=True, text=True
        )

    where = run(
        python, "-c", "import racs_transients, web_server; print(racs_transients.__file__, web_server.__file__)"
    ).stdout
    assert all(Path(name).is_relative_to(packages) for name in where.split())
    run(python.with_name("processASKAPimage.py"), "--help")
    run(python.with_name("racs-transients"), "manage", "migrate")
    port = free_port()
    command = [str(python.with_name("racs-transients")), "site", "--port", str(port), "--workers", "1"]
    with serving_site(command, port, cwd=tmp_path, environment=clean_environment()) as url:
        assert_login_page_with_style(url)
        assert page(url + "/static/vendor/bootstrap/css/bootstrap.min.css")[1].startswith("@charset")
        assert page(url + "/static/vendor/sampjs/samp.js")[0] == 200
        with pytest.raises(urllib.error.HTTPError, match="404"):
            page(url + "/static/vendor/aladin-lite/aladin.js")
