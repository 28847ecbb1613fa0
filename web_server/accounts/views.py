"""Invitations, new accounts, and the people of the site."""

from __future__ import annotations

from axes.utils import reset
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from web_server.accounts import services
from web_server.accounts.forms import InvitationForm, JoinForm
from web_server.accounts.models import Invitation
from web_server.accounts.roles import ROLES, admin_required, is_admin, lead_required, role_of

_BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_safe
@admin_required
def people(request: HttpRequest) -> HttpResponse:
    """Show all accounts.

    Parameters
    ----------
    request : django.http.HttpRequest
        Of an admin.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    users = list(User.objects.prefetch_related("groups").order_by("-is_active", "username"))
    rows = [{"person": user, "role": role_of(user), "mine": _may_change(request.user, user)} for user in users]
    return render(request, "accounts/people.html", {"rows": rows, "roles": ROLES})


def _may_change(by: object, user: User) -> bool:
    return by != user and (getattr(by, "is_superuser", False) or not user.is_superuser)


@require_POST
@admin_required
def change_role(request: HttpRequest, user_id: int) -> HttpResponse:
    """Give somebody a role.

    Parameters
    ----------
    request : django.http.HttpRequest
        With ``role``.
    user_id : int
        Somebody.

    Returns
    -------
    django.http.HttpResponse
        Back to the page of all accounts.
    """
    user = get_object_or_404(User, pk=user_id)
    role = request.POST.get("role", "")
    services.change_role(_user(request), user, role)
    messages.success(request, f"{user.get_username()} is {role} now.")
    return redirect("people")


@require_POST
@admin_required
def set_active(request: HttpRequest, user_id: int) -> HttpResponse:
    """Deactivate an account, or activate it again.

    Parameters
    ----------
    request : django.http.HttpRequest
        With ``active``, 1 or 0.
    user_id : int
        Somebody.

    Returns
    -------
    django.http.HttpResponse
        Back to the page of all accounts.
    """
    user = get_object_or_404(User, pk=user_id)
    active = request.POST.get("active") == "1"
    services.set_active(_user(request), user, active)
    messages.success(request, f"{user.get_username()} {'can' if active else 'can no longer'} log in.")
    return redirect("people")


@require_POST
@admin_required
@never_cache
def reset_link(request: HttpRequest, user_id: int) -> HttpResponse:
    """Make a link with which somebody sets a new password, and show it this once.

    Parameters
    ----------
    request : django.http.HttpRequest
        Of an admin.
    user_id : int
        Somebody.

    Returns
    -------
    django.http.HttpResponse
        The page with the link.
    """
    user = get_object_or_404(User, pk=user_id)
    link = request.build_absolute_uri(services.reset_path(_user(request), user))
    context = {"link": link, "person": user, "hours": settings.PASSWORD_RESET_TIMEOUT // 3600}
    return render(request, "accounts/link.html", context)


@require_safe
@lead_required
def invitations(request: HttpRequest) -> HttpResponse:
    """Show the invitations: all to an admin, their own to a lead.

    Parameters
    ----------
    request : django.http.HttpRequest
        Of a lead.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    return _invitations_page(request, InvitationForm(_user(request)))


def _invitations_page(request: HttpRequest, form: InvitationForm, status: int = 200) -> HttpResponse:
    shown = _own_invitations(request).select_related("invited_by", "used_by")
    still_open = set(shown.filter(services.open_invitations()).values_list("pk", flat=True))
    rows = [{"invitation": record, "open": record.pk in still_open} for record in shown]
    return render(request, "accounts/invitations.html", {"form": form, "rows": rows}, status=status)


@require_POST
@lead_required
@never_cache
def invite(request: HttpRequest) -> HttpResponse:
    """Make an invitation and show its link this once.

    Parameters
    ----------
    request : django.http.HttpRequest
        With the fields of the form.

    Returns
    -------
    django.http.HttpResponse
        The page with the link, or the form again.
    """
    user = _user(request)
    form = InvitationForm(user, request.POST)
    if not form.is_valid():
        return _invitations_page(request, form, status=400)
    record, token = services.invite(user, **form.cleaned_data)
    link = request.build_absolute_uri(reverse("join", args=(token,)))
    return render(request, "accounts/link.html", {"link": link, "invitation": record})


@require_POST
@lead_required
def revoke(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Take an invitation back.

    Parameters
    ----------
    request : django.http.HttpRequest
        Of a lead.
    invitation_id : int
        One of their own; any for an admin.

    Returns
    -------
    django.http.HttpResponse
        Back to the invitations.
    """
    record = get_object_or_404(_own_invitations(request), pk=invitation_id)
    if services.revoke(record):
        messages.success(request, f"The invitation for {record} is revoked.")
    else:
        messages.error(request, f"The invitation for {record} is not open any more.")
    return redirect("invitations")


@login_not_required
@never_cache
@sensitive_post_parameters()
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Make the account of an invitation.

    Parameters
    ----------
    request : django.http.HttpRequest
        With the fields of the form.
    token : str
        Of the invitation's link.

    Returns
    -------
    django.http.HttpResponse
        The form, or on to the images.
    """
    try:
        record = services.find_invitation(token)
        form = JoinForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            user = services.accept(token, form.save(commit=False))
            login(request, user, backend=_BACKEND)
            messages.success(request, f"Welcome, {user.get_username()}. Your role is {record.role}.")
            return redirect("home")
    except services.InvitationError as error:
        return render(request, "accounts/no_invitation.html", {"reason": str(error)}, status=410)
    return render(request, "accounts/join.html", {"form": form, "invitation": record})


@method_decorator(login_not_required, name="dispatch")
class ForgottenPassword(views.PasswordResetView):
    """Sends a link for a new password, where the site can send e-mail."""

    def dispatch(self, request: HttpRequest, *args: object, **keywords: object) -> HttpResponse:
        """Answer with the form, or with whom to ask where the site sends no e-mail.

        Parameters
        ----------
        request : django.http.HttpRequest
            The request.
        *args, **keywords : object
            Of the address; there are none.

        Returns
        -------
        django.http.HttpResponse
            The page.
        """
        if not settings.EMAIL_CONFIGURED:
            return render(request, "accounts/ask_for_link.html")
        answer = super().dispatch(request, *args, **keywords)
        assert isinstance(answer, HttpResponse)
        return answer


@method_decorator((login_not_required, sensitive_post_parameters()), name="dispatch")
class NewPassword(views.PasswordResetConfirmView):
    """Sets the password of who came with a link."""

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        """Save it, and forget the wrong ones that were tried.

        Parameters
        ----------
        form : django.contrib.auth.forms.SetPasswordForm
            With the new password.

        Returns
        -------
        django.http.HttpResponse
            On to the next page.
        """
        answer = super().form_valid(form)
        reset(username=form.user.get_username())
        return answer


def _own_invitations(request: HttpRequest) -> QuerySet[Invitation]:
    records = Invitation.objects.all()
    return records if is_admin(request.user) else records.filter(invited_by=_user(request))


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied("Log in first.")
    return request.user
