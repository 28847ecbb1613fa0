"""Who may do what."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client

from web_server.accounts.roles import (
    ROLES,
    is_admin,
    is_lead,
    is_reviewer,
    is_viewer,
    lead_required,
    role_of,
    set_role,
)
from web_server.review.models import Label

pytestmark = pytest.mark.django_db
QUESTIONS = (is_viewer, is_reviewer, is_lead, is_admin)


@pytest.mark.parametrize("number", range(4))
def test_each_role_may_do_what_the_one_before_may(number):
    user = User.objects.create_user("ann")
    set_role(user, ROLES[-1])
    set_role(user, ROLES[number])
    user = User.objects.get(pk=user.pk)
    assert [question(user) for question in QUESTIONS] == [n <= number for n in range(4)]


def test_without_a_group_one_may_look_and_nobody_may_do_nothing():
    assert role_of(User.objects.create_user("ann")) == "viewer"
    assert role_of(User.objects.create_superuser("root")) == "admin"
    assert role_of(User(username="gone", is_active=False)) is None
    assert role_of(User.objects.create_user("staff", is_staff=True)) == "lead"
    assert not any(question(AnonymousUser()) for question in QUESTIONS)


def test_staff_in_a_group_have_the_role_of_the_group():
    user = User.objects.create_user("staff", is_staff=True)
    set_role(user, "viewer")
    assert role_of(user) == "viewer"


def test_a_view_for_leads_is_closed_to_reviewers(rf):
    view = lead_required(lambda request: HttpResponse("done"))
    request = rf.post("/")
    request.user = User.objects.create_user("ann")
    set_role(request.user, "reviewer")
    with pytest.raises(PermissionDenied, match="role lead"):
        view(request)
    set_role(request.user, "lead")
    assert view(request).content == b"done"


def test_admins_edit_labels_and_nothing_else_of_the_data(person):
    client = Client()
    client.force_login(person("ann", "admin"))
    page = client.get("/admin/").content.decode()
    assert "/admin/review/label/" in page
    assert "/admin/auth/user/" not in page
    label = Label.objects.get(key="i")
    values = {field: getattr(label, field) for field in ("tag", "reason", "group", "key", "position")}
    answer = client.post(f"/admin/review/label/{label.pk}/change/", values | {"words": "Look again", "active": "on"})
    assert answer.status_code == 302
    label.refresh_from_db()
    assert label.words == "Look again"
    client.force_login(person("lea", "lead"))
    assert client.get("/admin/").status_code == 302
