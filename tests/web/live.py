"""The site in a process of its own, for tests with a browser or with several people at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from racs_transients.dbconfig import DbConfig
from tests.serving import free_port, serving_site

# Where the served site says how many requests it is answering, see counted.py.
BUSY = "/requests-being-answered/"

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def database_url() -> str:
    """Return the address of the database that the tests of this process use."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    port = int(given["PORT"]) if given["PORT"] else None
    return DbConfig("postgresql", given["NAME"], given["USER"], given["PASSWORD"], given["HOST"], port).url


@contextlib.contextmanager
def site_server(folder: Path, *, port: int | None = None, workers: int = 1, threads: int = 8) -> Iterator[str]:
    """Serve the site on the tests' database with gunicorn; the value is its address."""
    port = port or free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "RACS_TRANSIENTS_TEST_DATABASE_URL": database_url(),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "gunicorn", "tests.web.counted:application", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", str(workers), "--threads", str(threads), "--worker-class", "gthread"]
    with serving_site(command, port, cwd=folder, environment=environment) as url:
        yield url


def session_of(user) -> str:
    """Log somebody in; return the value of the session's cookie."""
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def wait_for_silence(url, seconds=30):
    """Wait until the site has answered what it was asked: under its queries the tables cannot be emptied."""
    end = time.monotonic() + seconds
    while urllib.request.urlopen(url + BUSY, timeout=seconds).read() != b"0":
        assert time.monotonic() < end, "the site does not come to an end"
        time.sleep(0.02)


def wait_until(page, expression, seconds=10):
    """Wait until an expression is true on a page; Playwright's own way needs ``eval``, which the policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(20)
