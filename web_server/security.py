"""Settings that keep the site safe; those that depend on where it is served come from the environment.

RACS_TRANSIENTS_HTTPS=1 (served under https: secure cookies, redirect, HSTS), RACS_TRANSIENTS_HSTS_SECONDS,
RACS_TRANSIENTS_PROXY=1 (behind one's own proxy, which sets X-Forwarded-For and X-Forwarded-Proto),
RACS_TRANSIENTS_OPEN_READING=1, RACS_TRANSIENTS_EMAIL_URL and RACS_TRANSIENTS_EMAIL_FROM.
"""

import os
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from web_server.policy import STRICT

_YEAR = 31536000
# scheme: use TLS from the start, switch to TLS, usual port
_MAIL = {"smtp": (False, False, 25), "smtp+tls": (False, True, 587), "smtps": (True, False, 465)}


def _is_on(name: str) -> bool:
    return os.environ.get(f"RACS_TRANSIENTS_{name}", "") == "1"


# Anonymous visitors may read the pages of results, and nothing else.
OPEN_READING = _is_on("OPEN_READING")

CONTENT_SECURITY_POLICY = {"DIRECTIVES": STRICT}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
# a link to another service does not say which candidate it was followed from
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

HTTPS = _is_on("HTTPS")
BEHIND_PROXY = _is_on("PROXY")
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = int(os.environ.get("RACS_TRANSIENTS_HSTS_SECONDS", _YEAR)) if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# scripts read the token from a form of the page, not from the cookie
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# names below the site's own, and the browsers' lists, are for the owner of the domain to decide on
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Wrong passwords: so many for one name from one address, ten times as many from one address, then a pause.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_HANDLER = "web_server.accounts.throttle.Throttle"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address"]
AXES_CLIENT_IP_CALLABLE = "web_server.accounts.throttle.address_of"
AXES_LOCKOUT_CALLABLE = "web_server.accounts.throttle.refusal"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True

# An invitation holds so long at most; a link for a new password so long.
INVITATION_DAYS = 30
PASSWORD_RESET_TIMEOUT = 86400

_mail = urlsplit(os.environ.get("RACS_TRANSIENTS_EMAIL_URL", ""))
EMAIL_CONFIGURED = bool(_mail.scheme)
if EMAIL_CONFIGURED:
    if _mail.scheme not in _MAIL or not _mail.hostname:
        raise ImproperlyConfigured(
            "RACS_TRANSIENTS_EMAIL_URL is no address of a mail server: give smtp+tls://user:password@host:587 "
            f"(or one of {', '.join(_MAIL)})."
        )
    EMAIL_USE_SSL, EMAIL_USE_TLS, _port = _MAIL[_mail.scheme]
    EMAIL_HOST, EMAIL_PORT = _mail.hostname, _mail.port or _port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
    EMAIL_TIMEOUT = 10
    DEFAULT_FROM_EMAIL = os.environ.get("RACS_TRANSIENTS_EMAIL_FROM") or f"racs-transients@{_mail.hostname}"
