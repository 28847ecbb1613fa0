"""What every page may show."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def thresholds(request: HttpRequest) -> dict[str, float]:
    """Return the thresholds of the site's preset view.

    Parameters
    ----------
    request : django.http.HttpRequest
        Not looked at.

    Returns
    -------
    dict
        Names for the templates.
    """
    return {"vs_threshold": settings.CANDIDATE_VS_THRESHOLD, "m_threshold": settings.CANDIDATE_M_THRESHOLD}
