"""Django's administration, for the role admin as well: labels to edit; the rest stays with superusers."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from web_server.accounts.roles import is_admin


class ReviewAdminSite(AdminSite):
    """Lets admins in; what they may do there, each model says."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may open the administration.

        Parameters
        ----------
        request : django.http.HttpRequest
            Who asks.

        Returns
        -------
        bool
            True for admins, and staff as everywhere in Django.
        """
        return super().has_permission(request) or is_admin(request.user)
