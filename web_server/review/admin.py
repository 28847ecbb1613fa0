"""Labels are edited in Django's administration; what people said is only looked at there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from web_server.accounts.roles import is_admin
from web_server.review.models import Claim, Comment, Decision, Event, Label, SavedSearch, Star, Subject, Vote


@admin.register(Label)
class LabelAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Labels; one that was given is switched off instead of deleted."""

    list_display = ("tag", "reason", "words", "key", "group", "lead_only", "active", "position")
    list_filter = ("active", "lead_only", "group")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether somebody may see, add and change labels.

        Parameters
        ----------
        request : django.http.HttpRequest
            Who asks.
        obj : Label, optional
            Not looked at.

        Returns
        -------
        bool
            True for admins.
        """
        return is_admin(request.user)

    has_module_permission = has_add_permission = has_change_permission

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return what cannot be edited: what people have said already stays what they said.

        Parameters
        ----------
        request : django.http.HttpRequest
            Not looked at.
        obj : Label, optional
            The label.

        Returns
        -------
        tuple of str
            Fields.
        """
        given = obj is not None and (
            Vote.objects.filter(label=obj).exists() or Decision.objects.filter(label=obj).exists()
        )
        return ("tag", "reason") if given else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no.

        Parameters
        ----------
        request : django.http.HttpRequest
            Not looked at.
        obj : Label, optional
            Not looked at.

        Returns
        -------
        bool
            False.
        """
        return False


class LookedAt(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read only; quick with very many rows."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say no.

        Parameters
        ----------
        request : django.http.HttpRequest
            Not looked at.

        Returns
        -------
        bool
            False.
        """
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no.

        Parameters
        ----------
        request : django.http.HttpRequest
            Not looked at.
        obj : django.db.models.Model, optional
            Not looked at.

        Returns
        -------
        bool
            False.
        """
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no.

        Parameters
        ----------
        request : django.http.HttpRequest
            Not looked at.
        obj : django.db.models.Model, optional
            Not looked at.

        Returns
        -------
        bool
            False.
        """
        return False


# what is listed, and what comes with it
_LISTS: dict[type[Any], tuple[tuple[str, ...], tuple[str, ...]]] = {
    Subject: (("id", "sky_object", "image", "survey", "state", "n_votes", "tag"), ("sky_object", "image")),
    Vote: (("id", "reviewer", "label", "active", "created"), ("reviewer", "label")),
    Decision: (("id", "lead", "label", "active", "created"), ("lead", "label")),
    Claim: (("id", "image", "owner", "since"), ("image", "owner")),
    Comment: (("id", "author", "text", "created", "deleted"), ("author",)),
    Star: (("id", "user", "sky_object", "created"), ("user", "sky_object")),
    SavedSearch: (("id", "owner", "name", "shared", "changed"), ("owner",)),
    Event: (("id", "when", "who", "what", "before", "after"), ("who",)),
}
for _model, (_columns, _related) in _LISTS.items():
    admin.site.register(
        _model,
        type(f"{_model.__name__}Admin", (LookedAt,), {"list_display": _columns, "list_select_related": _related}),
    )
