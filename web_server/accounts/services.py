"""What changes accounts: invitations, roles, who may log in. Each is one transaction."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from web_server.accounts.models import Invitation
from web_server.accounts.roles import ROLES, holds, role_of, set_role


class InvitationError(Exception):
    """An invitation cannot be used; the text says why."""


def roles_to_give(user: User) -> tuple[str, ...]:
    """Return the roles that a user may give to others.

    Parameters
    ----------
    user : django.contrib.auth.models.User
        A lead or an admin.

    Returns
    -------
    tuple of str
        The own role and those below it.
    """
    return tuple(role for role in ROLES if holds(user, role))


def invite(by: User, role: str, days: int, note: str = "") -> tuple[Invitation, str]:
    """Make an invitation.

    Parameters
    ----------
    by : django.contrib.auth.models.User
        Who invites.
    role : str
        What the new account may do, at most what the inviter may.
    days : int
        How long it holds.
    note : str, optional
        For whom it is.

    Returns
    -------
    Invitation
        The record.
    str
        The token, which is kept nowhere.
    """
    if role not in roles_to_give(by):
        raise PermissionDenied(f"A {role_of(by)} cannot invite somebody as {role}.")
    token = secrets.token_urlsafe(32)
    expires = timezone.now() + timedelta(days=days)
    record = Invitation.objects.create(
        token_digest=_digest(token), role=role, note=note, invited_by=by, expires=expires
    )
    return record, token


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def find_invitation(token: str) -> Invitation:
    """Return the invitation of a link.

    Parameters
    ----------
    token : str
        Of the link.

    Returns
    -------
    Invitation
        One that can be used.

    Raises
    ------
    InvitationError
        If it cannot be used, saying why.
    """
    record = Invitation.objects.select_related("invited_by").filter(token_digest=_digest(token)).first()
    if record is None:
        raise InvitationError("There is no such invitation; was the whole link copied?")
    if record.used is not None:
        raise InvitationError("This invitation has been used: each makes one account.")
    if record.revoked is not None:
        raise InvitationError("This invitation has been revoked; ask whoever sent it for another.")
    if record.expires <= timezone.now():
        raise InvitationError("This invitation has expired; ask whoever sent it for another.")
    if not holds(record.invited_by, record.role):
        raise InvitationError("Who sent this invitation may no longer invite; ask somebody else for one.")
    return record


@transaction.atomic
def accept(token: str, user: User) -> User:
    """Use an invitation for a new account.

    Parameters
    ----------
    token : str
        Of the link.
    user : django.contrib.auth.models.User
        The account, not yet saved.

    Returns
    -------
    django.contrib.auth.models.User
        The account, saved, with its role.
    """
    record = find_invitation(token)
    # of two at once, one finds it unused
    mine = Invitation.objects.filter(pk=record.pk, used=None, revoked=None).update(used=timezone.now())
    if not mine:
        raise InvitationError("This invitation has been used: each makes one account.")
    user.save()
    set_role(user, record.role)
    Invitation.objects.filter(pk=record.pk).update(used_by=user)
    return user


def open_invitations() -> Q:
    """Return the condition for invitations that were neither used nor revoked and have not expired.

    Returns
    -------
    django.db.models.Q
        The condition.
    """
    return Q(used=None, revoked=None, expires__gt=timezone.now())


def revoke(record: Invitation) -> bool:
    """Take an invitation back.

    Parameters
    ----------
    record : Invitation
        The invitation.

    Returns
    -------
    bool
        False where it had been used, revoked or expired before.
    """
    return bool(Invitation.objects.filter(open_invitations(), pk=record.pk).update(revoked=timezone.now()))


@transaction.atomic
def change_role(by: User, user: User, role: str) -> None:
    """Give somebody a role.

    Parameters
    ----------
    by : django.contrib.auth.models.User
        An admin.
    user : django.contrib.auth.models.User
        Somebody else.
    role : str
        The role.
    """
    _refuse(by, user)
    if user.is_superuser:
        raise PermissionDenied(f"{user.get_username()} is a superuser, who may do everything with any role.")
    if role not in roles_to_give(by):
        raise PermissionDenied(f"A {role_of(by)} cannot make somebody {role}.")
    set_role(user, role)
    _record(by, user, f"Role: {role}")


@transaction.atomic
def set_active(by: User, user: User, active: bool) -> None:
    """Let somebody log in or not; a deactivated account is logged out at its next click and keeps all it wrote.

    Parameters
    ----------
    by : django.contrib.auth.models.User
        An admin.
    user : django.contrib.auth.models.User
        Somebody else.
    active : bool
        Whether the account can be used.
    """
    _refuse(by, user)
    user.is_active = active
    user.save(update_fields=["is_active"])
    _record(by, user, "Activated" if active else "Deactivated")


def reset_path(by: User, user: User) -> str:
    """Return the address of a page where somebody sets a new password, once.

    Parameters
    ----------
    by : django.contrib.auth.models.User
        An admin.
    user : django.contrib.auth.models.User
        Somebody.

    Returns
    -------
    str
        The path; it ends with the first use, the next log-in, or after a day.
    """
    _refuse(by, user)
    if not user.is_active:
        raise PermissionDenied(f"The account {user.get_username()} is deactivated; activate it first.")
    _record(by, user, "Made a link for a new password")
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("password_reset_confirm", args=(uid, default_token_generator.make_token(user)))


def _refuse(by: User, user: User) -> None:
    """Keep the last admin in, and superusers out of the hands of admins."""
    if by.pk == user.pk:
        raise PermissionDenied("Nobody changes their own account here; another admin can.")
    if user.is_superuser and not by.is_superuser:
        raise PermissionDenied(f"{user.get_username()} is a superuser, whose account only superusers change.")


def _record(by: User, user: User, what: str) -> None:
    LogEntry.objects.log_actions(by.pk, [user], CHANGE, change_message=what, single_object=True)
