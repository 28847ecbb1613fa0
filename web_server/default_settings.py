"""The settings of the site; ``settings.py`` of an own copy imports them and changes what it needs.

Secrets and addresses come from the environment: RACS_TRANSIENTS_DATABASE_URL,
RACS_TRANSIENTS_SECRET_KEY, RACS_TRANSIENTS_ALLOWED_HOSTS (comma separated),
RACS_TRANSIENTS_DEBUG (1 for development); ``security.py`` names the others.
"""

import os
from pathlib import Path

from racs_transients.dbconfig import DEFAULT_FILE, URL_VARIABLE, config_from_url, sqlite_config
from web_server.secret_key import secret_key
from web_server.security import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent
DEBUG = os.environ.get("RACS_TRANSIENTS_DEBUG", "") == "1"
ALLOWED_HOSTS = os.environ.get("RACS_TRANSIENTS_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
DATABASE = config_from_url(os.environ[URL_VARIABLE]) if os.environ.get(URL_VARIABLE) else sqlite_config(DEFAULT_FILE)
DATABASES = {"default": DATABASE.django()}
SECRET_KEY = secret_key(DATABASE)

INSTALLED_APPS = [
    "web_server.candidates",
    "web_server.review",
    "web_server.accounts",
    "web_server.notify",
    "web_server.accounts.administration.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "crispy_bootstrap5",
    "crispy_forms",
    "csp",
    "django_filters",
    "django_tables2",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "web_server.accounts.reading.Gate",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "web_server.times.in_utc",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "web_server.urls"
WSGI_APPLICATION = "web_server.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "web_server.candidates.context.everywhere",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en-au"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
# served from the package itself: nothing to collect, nothing to configure
WHITENOISE_USE_FINDERS = True
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.AppDirectoriesFinder", "web_server.finders.VendorFinder"]
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
DJANGO_TABLES2_TEMPLATE = "candidates/table.html"

# The site's preset view; a row's is_candidate is the pipeline's own decision.
CANDIDATE_VS_THRESHOLD = 4.3
CANDIDATE_M_THRESHOLD = 1.2

# The service that knows where a named source is, asked only for a cone by name.
SESAME_URL = "https://cds.unistra.fr/cgi-bin/nph-sesame/"

# Votes that a candidate needs before it counts as agreed.
VOTES_NEEDED = 2

# Slack: the token of a bot, the id of a channel, which messages are sent of themselves (comma separated, from
# "run finished", "first investigate" and "decision"), and the address that people reach the site under, for links.
SLACK_TOKEN = os.environ.get("RACS_TRANSIENTS_SLACK_TOKEN", "")
SLACK_CHANNEL = os.environ.get("RACS_TRANSIENTS_SLACK_CHANNEL", "")
SLACK_AUTOMATIC = [w.strip() for w in os.environ.get("RACS_TRANSIENTS_SLACK_AUTOMATIC", "").split(",") if w.strip()]
SLACK_URL = os.environ.get("RACS_TRANSIENTS_SLACK_URL", "https://slack.com/api/")  # another one only in tests
SITE_URL = os.environ.get("RACS_TRANSIENTS_SITE_URL", "").rstrip("/")
# When the surveys were observed, years: the plot of flux against time shows their fluxes there.
SURVEY_YEARS = {"SUMSS": (1997.5, 2007.1), "NVSS": (1993.7, 1996.8), "RACS-low": (2019.3, 2020.5)}

# Links of the source page beside those of candidates/links.py: name to address with {ra}, {dec}, {signed},
# {position} and {hms}; a name of that table with an empty address takes its link out.
SKY_SERVICES: dict[str, str] = {}

# Surveys that the sky viewer can fetch from elsewhere once its reader has chosen one: the address of the HiPS, and
# the hosts that the page may then ask.
_CDS = ["https://alasky.cds.unistra.fr", "https://alaskybis.cds.unistra.fr"]
SKY_SURVEYS = {
    "SUMSS": {"url": "https://alasky.cds.unistra.fr/SUMSS", "hosts": _CDS},
    "NVSS": {"url": "https://alasky.cds.unistra.fr/NVSS/intensity", "hosts": _CDS},
    "RACS-low": {"url": "https://casda.csiro.au/hips/RACS/low/I", "hosts": ["https://casda.csiro.au"]},
    "DSS2": {"url": "https://alasky.cds.unistra.fr/DSS/DSSColor", "hosts": _CDS},
}

# How long an address works that is sent to another program, which has no log-in.
SIGNED_SECONDS = 600

# The server's log: errors with their traceback, on standard error.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["console"], "level": "WARNING", "propagate": False}},
}
