"""Four roles as Django groups; each may do all that the one before it may."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

View = Callable[..., HttpResponseBase]

VIEWER, REVIEWER, LEAD, ADMIN = "viewer", "reviewer", "lead", "admin"
ROLES = (VIEWER, REVIEWER, LEAD, ADMIN)


def role_of(user: Any) -> str | None:
    """Return the highest role of a user.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        Somebody.

    Returns
    -------
    str or None
        One of ``ROLES``; a superuser is an admin; without a group, staff are leads, others viewers; nobody has none.
    """
    if not user.is_authenticated or not user.is_active:
        return None
    if user.is_superuser:
        return ADMIN
    # asked once a request: each request loads its own user
    if not hasattr(user, "_role"):
        groups = {group.name for group in user.groups.all()}
        user._role = next((role for role in reversed(ROLES) if role in groups), LEAD if user.is_staff else VIEWER)
    return str(user._role)


def holds(user: Any, role: str) -> bool:
    """Return whether a user may do what a role may.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        Somebody.
    role : str
        One of ``ROLES``.

    Returns
    -------
    bool
        True for that role and those above it.
    """
    held = role_of(user)
    return held is not None and ROLES.index(held) >= ROLES.index(role)


def is_viewer(user: Any) -> bool:
    """Return whether a user may look.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        Somebody.

    Returns
    -------
    bool
        True for everybody with an account.
    """
    return holds(user, VIEWER)


def is_reviewer(user: Any) -> bool:
    """Return whether a user may vote, claim and comment.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        Somebody.

    Returns
    -------
    bool
        True for reviewers, leads and admins.
    """
    return holds(user, REVIEWER)


def is_lead(user: Any) -> bool:
    """Return whether a user may decide and assign.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        Somebody.

    Returns
    -------
    bool
        True for leads and admins.
    """
    return holds(user, LEAD)


def is_admin(user: Any) -> bool:
    """Return whether a user may administer people and labels.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        Somebody.

    Returns
    -------
    bool
        True for admins and superusers.
    """
    return holds(user, ADMIN)


def set_role(user: User, role: str) -> None:
    """Give a user one role in place of any other.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        Somebody.
    role : str
        One of ``ROLES``.
    """
    from django.contrib.auth.models import Group

    others = Group.objects.filter(name__in=ROLES)
    user.groups.remove(*others)
    user.groups.add(Group.objects.get(name=role))
    if hasattr(user, "_role"):
        del user._role


def _required(role: str) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **keywords: Any) -> HttpResponseBase:
            if not holds(request.user, role):
                raise PermissionDenied(f"This needs the role {role}; ask an administrator of the site for it.")
            return view(request, *args, **keywords)

        return guarded

    return decorate


reviewer_required = _required(REVIEWER)
lead_required = _required(LEAD)
admin_required = _required(ADMIN)
