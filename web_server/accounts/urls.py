"""Log-in, log-out, passwords, invitations and people."""

from django.contrib.auth import views as auth
from django.urls import path

from web_server.accounts import views

urlpatterns = [
    path("login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("password/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("forgotten/", views.ForgottenPassword.as_view(), name="password_reset"),
    path("forgotten/sent/", auth.PasswordResetDoneView.as_view(), name="password_reset_done"),
    path("new-password/<slug:uidb64>/<slug:token>/", views.NewPassword.as_view(), name="password_reset_confirm"),
    path("new-password/done/", auth.PasswordResetCompleteView.as_view(), name="password_reset_complete"),
    path("people/", views.people, name="people"),
    path("people/<number:user_id>/role/", views.change_role, name="change_role"),
    path("people/<number:user_id>/active/", views.set_active, name="set_active"),
    path("people/<number:user_id>/password-link/", views.reset_link, name="reset_link"),
    path("invitations/", views.invitations, name="invitations"),
    path("invitations/new/", views.invite, name="invite"),
    path("invitations/<number:invitation_id>/revoke/", views.revoke, name="revoke_invitation"),
    path("join/<slug:token>/", views.join, name="join"),
]
