"""The forms of accounts and invitations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User

from web_server.accounts.roles import REVIEWER
from web_server.accounts.services import roles_to_give


class InvitationForm(forms.Form):
    """Whom to invite.

    Parameters
    ----------
    by : django.contrib.auth.models.User
        Who invites; decides on the roles to choose from.
    *args, **keywords : object
        Of every form.
    """

    note = forms.CharField(label="For whom", max_length=200, required=False, help_text="A note for yourself.")
    role = forms.ChoiceField(label="Role")
    days = forms.IntegerField(label="Holds for (days)", min_value=1, max_value=settings.INVITATION_DAYS, initial=7)

    def __init__(self, by: User, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        roles = roles_to_give(by)
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = [(name, name) for name in roles]
        role.initial = REVIEWER


class JoinForm(UserCreationForm):  # type: ignore[type-arg]  # no subscripts at run time
    """A new account."""

    email = forms.EmailField(label="E-mail", help_text="For a new password, where the site can send one.")

    class Meta:
        model = User
        fields = ("username", "email")
