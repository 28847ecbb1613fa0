"""Invitations to the site."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from web_server.accounts.roles import ROLES


class Invitation(models.Model):
    """A link that makes one account; only a digest of its token is kept."""

    token_digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=10, choices=[(role, role) for role in ROLES])
    note = models.CharField(max_length=200, blank=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="invitations")
    made = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True)
    used_by = models.OneToOneField(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="invitation")
    revoked = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-made", "-pk")

    def __str__(self) -> str:
        """Return who is invited as what."""
        return f"{self.note or 'somebody'} as {self.role}"
