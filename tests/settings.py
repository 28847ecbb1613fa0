"""The site's settings for tests: on a file of SQLite, or the database that the environment names."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("RACS_TRANSIENTS_SECRET_KEY", "only for tests")
os.environ.pop("RACS_TRANSIENTS_DATABASE_URL", None)

from racs_transients.dbconfig import DbConfig, config_from_url
from web_server.default_settings import *  # noqa: F403

_url = os.environ.get("RACS_TRANSIENTS_TEST_DATABASE_URL")
# a file, so that a server in another process can open it; each process that runs tests has its own
_file = str(Path(tempfile.gettempdir()) / f"racs_transients_tests_{os.getpid()}.sqlite3")
DATABASE = config_from_url(_url) if _url else DbConfig("sqlite", _file)
DATABASES = {"default": DATABASE.django() | {"TEST": {"NAME": None if _url else _file}}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
