"""Every address of the site, asked by everybody: what it answers, and that looking changes nothing."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.web.addresses import ADDRESSES, PEOPLE, answers_of, routes
from tests.web.cutouts import add_cutouts
from tests.web.live import session_of
from web_server.accounts.models import Invitation
from web_server.accounts.reading import RESULT_PAGES
from web_server.accounts.services import invite
from web_server.notify.models import Message
from web_server.review.models import Claim, Comment, Label, SavedSearch, Star
from web_server.review.services import cast_vote, decide

# What a page may write: who is logged in, and who tried to be.
_MAY_CHANGE = ("django_session", "axes_")
_WRITES = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)


@pytest.fixture
def walk(site, person):
    """The people, and a path for each address."""
    people = {role: person(f"the {role}".replace(" ", "-"), role) for role in PEOPLE[1:-1]}
    people["superuser"] = User.objects.create_superuser("root", password="x")
    invitation, token = invite(people["lead"], "viewer", 7)
    attempt = {"username": "x", "ip_address": "10.0.0.1", "user_agent": "x", "attempt_time": timezone.now()}
    AccessAttempt.objects.create(**attempt, failures_since_start=1)
    AccessLog.objects.create(**attempt)
    AccessFailureLog.objects.create(**attempt)
    row = site["rows"][0]
    values = {
        **one_of_each(people["lead"], row),
        "image_id": row.run.image_id,
        "row_id": row.pk,
        "survey": row.survey,
        "kind": "csv",
        "product_id": add_cutouts(row, site["root"], askap=20.0)["askap"].pk,
        "message_id": Message.objects.create(kind="candidate", key="x").pk,
        "user_id": people["viewer"].pk,
        "uidb64": "MQ",
        "token": token,
        "invitation_id": invitation.pk,
        "content_type_id": 1,
        "app_label": "auth",
        "url": "nowhere/",
        "id": people["viewer"].pk,
    }

    def path(route):
        given = values | {"object_id": row.sky_object_id}
        model = re.match(r"admin/(\w+)/(\w+)/", route)
        if model and "<path:object_id>" in route:
            given["object_id"] = apps.get_model(*model.groups()).objects.first().pk
        plain = re.sub(r"\(\?P<(\w+)>[^()]*\)|<(?:\w+:)?(\w+)>", lambda m: str(given[m[1] or m[2]]), route)
        return "/" + re.sub(r"[\^$]", "", plain)

    def client(who, **options):
        visitor = Client(**options)
        if who != "anonymous":
            visitor.cookies["sessionid"] = session_of(people[who])
        return visitor

    return path, client


def one_of_each(lead, row):
    """Write one record of each kind that the review keeps; return their numbers in addresses."""
    label = Label.objects.filter(lead_only=True).first()
    Claim.objects.create(image=row.run.image, owner=lead)
    cast_vote(lead, row, Label.objects.filter(lead_only=False).first())
    return {
        "subject_id": decide(lead, row, label).subject_id,
        "comment_id": Comment.objects.create(author=lead, text="x", sky_object=row.sky_object).pk,
        "star_id": Star.objects.create(user=lead, sky_object=row.sky_object).pk,
        "search_id": SavedSearch.objects.create(owner=lead, name="x").pk,
    }


def state():
    """Return all rows of all tables but those that a page may change."""
    tables = [model for model in apps.get_models() if not model._meta.db_table.startswith(_MAY_CHANGE)]
    return {model._meta.db_table: list(model.objects.order_by("pk").values()) for model in tables}


@contextmanager
def written():
    """Collect the tables that are written to, whether or not a row is different afterwards."""
    tables = set()

    def watch(execute, sql, parameters, many, context):
        match = _WRITES.match(sql)
        if match and not match[1].startswith(_MAY_CHANGE):
            tables.add(match[1])
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(watch):
        yield tables


def test_every_address_is_written_down():
    known = list(routes())
    unknown = [route for route in known if answers_of(route) is None]
    assert unknown == [], "say in tests/web/addresses.py what these answer to whom"
    assert set(ADDRESSES) <= set(known), "these addresses are gone"


@pytest.mark.slow
@pytest.mark.parametrize("who", PEOPLE)
def test_a_get_answers_as_the_role_allows_and_writes_nothing(walk, who):
    path, client = walk
    before, wrong = state(), []
    for route in routes():
        visitor = client(who)
        with written() as tables:
            answer = visitor.get(path(route))
        expected = answers_of(route).get[PEOPLE.index(who)]
        if answer.status_code != expected or tables:
            wrong.append((path(route), answer.status_code, f"expected {expected}", tables))
        answer.getvalue()  # to the end of a file, which closes it
    assert wrong == []
    assert state() == before


@pytest.mark.slow
@pytest.mark.parametrize("who", PEOPLE)
def test_a_post_without_the_token_of_the_form_is_refused_everywhere(walk, who):
    path, client = walk
    before = state()
    visitor = client(who, enforce_csrf_checks=True)
    answers = {path(route): visitor.post(path(route)).status_code for route in routes()}
    assert {address: status for address, status in answers.items() if status != 403} == {}
    assert state() == before


@pytest.mark.slow
@pytest.mark.parametrize("who", PEOPLE)
def test_a_post_of_somebody_without_the_role_is_refused_and_changes_nothing(walk, who):
    path, client = walk
    before, wrong = state(), []
    for route, answers in ADDRESSES.items():
        if answers.post_from and PEOPLE.index(who) < PEOPLE.index(answers.post_from):
            answer = client(who).post(path(route), {"role": "admin", "active": "0", "days": 1})
            refused = "/login/" in answer.get("Location", "") if who == "anonymous" else answer.status_code == 403
            if not refused:
                wrong.append((path(route), answer.status_code))
    assert wrong == []
    assert state() == before


def test_open_reading_opens_pages_of_results_to_a_look_and_nothing_else(walk, settings):
    path, client = walk
    settings.OPEN_READING = True
    from django.urls import resolve

    before, opened = state(), set()
    for route in routes():
        closed = answers_of(route).get[0] == 302
        name = resolve(path(route)).view_name
        with written() as tables:
            answer = client("anonymous").get(path(route))
        assert tables == set(), route
        if closed and "/login/" not in answer.get("Location", ""):
            opened.add(name)
            assert answer.status_code in (200, 302), route
            assert client("anonymous").post(path(route)).status_code == 302, route
        answer.getvalue()
    assert opened == RESULT_PAGES
    assert state() == before


def test_an_expired_invitation_opens_nothing(walk):
    path, client = walk
    Invitation.objects.update(expires=timezone.now() - timedelta(days=1))
    assert client("anonymous").get(path("accounts/join/<slug:token>/")).status_code == 410


def test_numbers_that_no_database_holds_are_not_found(walk):
    """As any other number of nothing: 404, or what a role is not allowed, never a server error."""
    path, client = walk
    superuser = client("superuser", raise_request_exception=False)
    for route in ADDRESSES:
        if "<number:" in route:
            address = path(re.sub(r"<number:\w+>", "9" * 23, route))
            assert superuser.get(address).status_code in (404, 405), address
            assert superuser.post(address).status_code in (404, 405), address
