"""The documented ways of hosting the site, and the wheel in an environment of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
import venv
from pathlib import Path

import pytest

from racs_transients.database import inject_run
from racs_transients.dbconfig import sqlite_config
from tests.serving import free_port, serving_site

ROOT = Path(__file__).parents[2]


def page(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.status, answer.read().decode()


def assert_login_page_with_style(url):
    status, text = page(url + "/")
    assert status == 200
    assert 'name="csrfmiddlewaretoken"' in text
    style = re.search(r'href="(/static/[^"]+\.css)"', text)
    assert style is not None
    assert page(url + style[1])[0] == 200


def clean_environment(**values):
    hidden = ("RACS_TRANSIENTS_", "DJANGO_", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)} | values


def test_a_copy_of_web_server_is_served_as_documented(small_results, tmp_path):
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


def test_createdb_and_a_run_make_a_served_site_on_postgresql(small_results, postgres, tmp_path):
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


@pytest.mark.slow
def test_the_wheel_serves_a_page_outside_the_clone(tmp_path):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    source = shutil.copytree(
        ROOT, tmp_path / "clone", ignore=shutil.ignore_patterns(".*", "*.egg-info", "build", "demo")
    )
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(source)], check=True)
    shutil.rmtree(source)
    venv.create(tmp_path / "environment", with_pip=False)
    python = tmp_path / "environment/bin/python"
    wheel = next(tmp_path.glob("racs_transients-*.whl"))
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)], check=True)
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
