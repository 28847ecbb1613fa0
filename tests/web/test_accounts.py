"""Invitations, passwords, the people of the site, and what an administrator may not do."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from web_server.accounts.models import Invitation
from web_server.accounts.roles import role_of, set_role
from web_server.accounts.services import InvitationError, accept, invite

pytestmark = pytest.mark.django_db
GOOD = "a long walk home"


def logged_in(user):
    client = Client()
    client.force_login(user)
    return client


def link_in(response):
    return re.search(r'id="link" readonly value="([^"]+)"', response.content.decode())[1]


def join(link, name="newcomer", client=None):
    form = {"username": name, "email": f"{name}@example.org", "password1": GOOD, "password2": GOOD}
    return (client or Client()).post(link, form)


def invited(user, role="reviewer", **changes):
    answer = logged_in(user).post(reverse("invite"), {"note": "new", "role": role, "days": 7} | changes)
    return link_in(answer) if answer.status_code == 200 else answer.status_code


def test_an_invitation_makes_one_account_with_its_role(person):
    link = invited(person("boss", "lead"))
    assert Client().get(link).status_code == 200
    newcomer = Client()
    assert join(link, client=newcomer)["Location"] == "/"
    assert role_of(User.objects.get(username="newcomer")) == "reviewer"
    assert newcomer.get("/").status_code == 200
    again = join(link, "second")
    assert again.status_code == 410
    assert "has been used" in again.content.decode()
    assert not User.objects.filter(username="second").exists()
    assert Invitation.objects.get().used_by.username == "newcomer"


def test_the_token_of_an_invitation_is_kept_nowhere(person):
    token = invited(person("boss", "lead")).rstrip("/").rpartition("/")[2]
    record = Invitation.objects.values().get()
    assert token not in str(record)
    assert len(record["token_digest"]) == 64


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda record: setattr(record, "expires", timezone.now() - timedelta(seconds=1)), "has expired"),
        (lambda record: setattr(record, "revoked", timezone.now()), "has been revoked"),
        (lambda record: setattr(record, "token_digest", "0" * 64), "no such invitation"),
        (lambda record: set_role(record.invited_by, "reviewer"), "may no longer invite"),
        (lambda record: User.objects.filter(pk=record.invited_by_id).update(is_active=False), "may no longer invite"),
    ],
)
def test_a_spoilt_invitation_says_why_and_makes_no_account(person, spoil, words):
    link = invited(person("boss", "lead"), "lead")
    record = Invitation.objects.get()
    spoil(record)
    record.save()
    for answer in (Client().get(link), join(link)):
        assert answer.status_code == 410
        assert words in answer.content.decode()
    assert not User.objects.filter(username="newcomer").exists()


def test_of_two_who_use_an_invitation_at_once_one_gets_an_account(person, monkeypatch):
    record, token = invite(person("boss", "lead"), "viewer", 1)
    # both have seen that it is open before either uses it
    monkeypatch.setattr("web_server.accounts.services.find_invitation", lambda _: record)
    accept(token, User(username="first"))
    with pytest.raises(InvitationError, match="has been used"):
        accept(token, User(username="second"))
    assert not User.objects.filter(username="second").exists()


@pytest.mark.parametrize(("inviter", "role"), [("lead", "admin"), ("lead", "nonsense"), ("admin", "superuser")])
def test_nobody_invites_above_their_own_role(person, inviter, role):
    assert invited(person("boss", inviter), role) == 400
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
def test_only_leads_and_admins_invite(person, role):
    assert invited(person("ann", role)) == 403
    assert logged_in(person("bob", role)).get(reverse("invitations")).status_code == 403


def test_there_is_no_sign_up_without_an_invitation(client):
    answer = join("/accounts/join/guessed/", client=client)
    assert answer.status_code == 410
    assert not User.objects.exists()


def test_a_lead_sees_and_revokes_own_invitations_and_an_admin_all(person):
    boss, other, admin = person("boss", "lead"), person("other", "lead"), person("chief", "admin")
    link = invited(boss, note="for Ann")
    revoke = reverse("revoke_invitation", args=(Invitation.objects.get().pk,))
    assert "for Ann" not in logged_in(other).get(reverse("invitations")).content.decode()
    assert logged_in(other).post(revoke).status_code == 404
    assert "for Ann" in logged_in(boss).get(reverse("invitations")).content.decode()
    assert logged_in(admin).post(revoke).status_code == 302
    assert Client().get(link).status_code == 410
    answer = logged_in(boss).post(revoke, follow=True)
    assert "not open any more" in answer.content.decode()


@pytest.mark.parametrize("days", ["0", "31", "x", ""])
def test_an_invitation_holds_a_month_at_most(person, days):
    assert invited(person("boss", "lead"), days=days) == 400


def test_a_weak_password_makes_no_account_and_keeps_the_invitation(person):
    link = invited(person("boss", "lead"))
    form = {"username": "newcomer", "email": "n@example.org", "password1": "password", "password2": "password"}
    answer = Client().post(link, form)
    assert answer.status_code == 200
    assert "too common" in answer.content.decode()
    assert join(link)["Location"] == "/"


def test_an_admin_changes_roles_and_a_lead_does_not(person):
    ann, change = person("ann", "viewer"), "change_role"
    assert logged_in(person("boss", "lead")).post(reverse(change, args=(ann.pk,)), {"role": "lead"}).status_code == 403
    admin = logged_in(person("chief", "admin"))
    assert admin.post(reverse(change, args=(ann.pk,)), {"role": "reviewer"}).status_code == 302
    assert role_of(User.objects.get(pk=ann.pk)) == "reviewer"
    assert admin.post(reverse(change, args=(ann.pk,)), {"role": "nonsense"}).status_code == 403
    assert admin.post(reverse(change, args=(999,)), {"role": "lead"}).status_code == 404


def test_a_deactivated_account_is_out_at_the_next_click_and_can_come_back(person):
    ann = person("ann")
    client, admin = logged_in(ann), logged_in(person("chief", "admin"))
    assert client.get("/").status_code == 200
    admin.post(reverse("set_active", args=(ann.pk,)), {"active": "0"})
    assert client.get("/").status_code == 302
    assert Client().post(reverse("login"), {"username": "ann", "password": "x"}).status_code == 200
    admin.post(reverse("set_active", args=(ann.pk,)), {"active": "1"})
    assert Client().post(reverse("login"), {"username": "ann", "password": "x"}).status_code == 302


@pytest.mark.parametrize("action", ["change_role", "set_active", "reset_link"])
def test_an_admin_cannot_change_a_superuser_nor_shut_themselves_out(person, action):
    chief, root = person("chief", "admin"), User.objects.create_superuser("root", password="x")
    for user in (chief, root):
        answer = logged_in(chief).post(reverse(action, args=(user.pk,)), {"role": "viewer", "active": "0"})
        assert answer.status_code == 403
        user.refresh_from_db()
        assert user.is_active
        assert role_of(User.objects.get(pk=user.pk)) == "admin"


def set_password(link, password):
    client = Client()
    page = client.get(link, follow=True)
    if "new_password1" not in page.content.decode():
        return page
    return client.post(page.redirect_chain[-1][0], {"new_password1": password, "new_password2": password}, follow=True)


def test_an_admin_makes_a_link_that_sets_a_password_once(person):
    ann, admin = person("ann"), logged_in(person("chief", "admin"))
    answer = admin.post(reverse("reset_link", args=(ann.pk,)))
    assert "no-store" in answer["Cache-Control"]
    link = link_in(answer)
    assert "Password set" in set_password(link, GOOD).content.decode()
    assert "does not work any more" in set_password(link, "another long walk").content.decode()
    assert Client().post(reverse("login"), {"username": "ann", "password": GOOD}).status_code == 302


def test_a_link_for_a_password_ends_after_a_day(person, settings):
    ann, admin = person("ann"), logged_in(person("chief", "admin"))
    link = link_in(admin.post(reverse("reset_link", args=(ann.pk,))))
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "does not work any more" in set_password(link, GOOD).content.decode()


def test_without_e_mail_the_page_says_whom_to_ask(client, person):
    User.objects.filter(pk=person("ann").pk).update(email="ann@example.org")
    for answer in (
        client.get(reverse("password_reset")),
        client.post(reverse("password_reset"), {"email": "ann@example.org"}),
    ):
        assert "This site sends no e-mail" in answer.content.decode()
    assert mail.outbox == []


def test_with_e_mail_a_link_is_sent_to_the_account_and_not_told_of(client, person, settings):
    settings.EMAIL_CONFIGURED = True
    User.objects.filter(pk=person("ann").pk).update(email="ann@example.org")
    answers = [
        client.post(reverse("password_reset"), {"email": f"{name}@example.org"}, follow=True).content
        for name in ("ann", "nobody")
    ]
    assert answers[0] == answers[1]
    (message,) = mail.outbox
    assert message.to == ["ann@example.org"]
    link = re.search(r"http://testserver(/\S+)", message.body)[1]
    assert "Password set" in set_password(link, GOOD).content.decode()


def test_somebody_changes_their_own_password(person):
    client = logged_in(person("ann"))
    form = {"old_password": "x", "new_password1": GOOD, "new_password2": GOOD}
    assert client.post(reverse("password_change"), form).status_code == 302
    assert client.get("/").status_code == 200
    assert Client().post(reverse("login"), {"username": "ann", "password": GOOD}).status_code == 302


def test_what_an_admin_did_is_recorded(person):
    from django.contrib.admin.models import LogEntry

    ann, admin = person("ann"), logged_in(person("chief", "admin"))
    admin.post(reverse("change_role", args=(ann.pk,)), {"role": "lead"})
    admin.post(reverse("reset_link", args=(ann.pk,)))
    admin.post(reverse("set_active", args=(ann.pk,)), {"active": "0"})
    entries = LogEntry.objects.filter(user__username="chief", object_id=str(ann.pk)).order_by("pk")
    assert [entry.change_message for entry in entries] == [
        "Role: lead",
        "Made a link for a new password",
        "Deactivated",
    ]


def test_more_people_need_no_more_queries(person, django_assert_max_num_queries):
    for number in range(20):
        person(f"person-{number}")
    admin = logged_in(person("admin", "admin"))
    with django_assert_max_num_queries(5):
        assert admin.get("/accounts/people/").status_code == 200
