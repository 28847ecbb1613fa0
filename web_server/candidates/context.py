"""What every page may show."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from web_server.accounts.roles import is_admin, is_lead, is_reviewer


def everywhere(request: HttpRequest) -> dict[str, object]:
    """Return the thresholds of the site's preset view, and what the user may do.

    Parameters
    ----------
    request : django.http.HttpRequest
        Who looks.

    Returns
    -------
    dict
        Names for the templates.
    """
    user = getattr(request, "user", None)
    return {
        "vs_threshold": settings.CANDIDATE_VS_THRESHOLD,
        "m_threshold": settings.CANDIDATE_M_THRESHOLD,
        "open_reading": settings.OPEN_READING,
        "is_reviewer": user is not None and is_reviewer(user),
        "is_lead": user is not None and is_lead(user),
        "is_admin": user is not None and is_admin(user),
    }
