"""Settings of Slack that cannot work are reported when the site or the worker starts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from web_server.notify.models import AUTOMATIC


@register()
def check_slack(**_: Any) -> list[CheckMessage]:
    """Report automatic messages that do not exist, and an address of the site that is none.

    Parameters
    ----------
    **_
        Of Django's checks.

    Returns
    -------
    list of CheckMessage
        What is wrong.
    """
    found: list[CheckMessage] = []
    unknown = [word for word in settings.SLACK_AUTOMATIC if word not in AUTOMATIC]
    if unknown:
        found.append(
            Error(
                f"RACS_TRANSIENTS_SLACK_AUTOMATIC names {', '.join(unknown)}.",
                hint=f"Choose from: {', '.join(AUTOMATIC)}.",
                id="notify.E001",
            )
        )
    if settings.SITE_URL and not settings.SITE_URL.startswith(("http://", "https://")):
        found.append(
            Error(
                f"RACS_TRANSIENTS_SITE_URL is {settings.SITE_URL}.",
                hint="Give the whole address, such as https://racs.example.org.",
                id="notify.E002",
            )
        )
    return found
