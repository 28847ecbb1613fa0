"""The site's settings for tests: on SQLite in memory, or the database that the environment names."""

import os

os.environ.setdefault("RACS_TRANSIENTS_SECRET_KEY", "only for tests")
os.environ.pop("RACS_TRANSIENTS_DATABASE_URL", None)

from racs_transients.dbconfig import DbConfig, config_from_url
from web_server.default_settings import *  # noqa: F403

_url = os.environ.get("RACS_TRANSIENTS_TEST_DATABASE_URL")
DATABASE = config_from_url(_url) if _url else DbConfig("sqlite", ":memory:")
DATABASES = {"default": DATABASE.django()}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
