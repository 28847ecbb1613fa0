"""Guessing passwords is slow."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def attempt(name="ann", password="wrong", address="10.0.0.1", **headers):
    form = {"username": name, "password": password}
    return Client().post(reverse("login"), form, REMOTE_ADDR=address, headers=headers)


@pytest.fixture(autouse=True)
def ann(db):
    return User.objects.create_user("ann", password="right")


def statuses(times, **values):
    return [attempt(**values).status_code for _ in range(times)]


def test_after_five_wrong_passwords_the_right_one_must_wait_too():
    assert statuses(4) == [200] * 4
    answer = attempt()
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    assert "Wait 15 minutes" in answer.content.decode()
    assert attempt(password="right").status_code == 429
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(minutes=16))
    assert attempt(password="right").status_code == 302


def test_attempts_during_the_pause_do_not_lengthen_it():
    statuses(5)
    before = AccessAttempt.objects.values().get()
    statuses(3)
    assert AccessAttempt.objects.values().get() == before


def test_who_guesses_shuts_out_neither_others_at_the_address_nor_the_owner_elsewhere():
    User.objects.create_user("bob", password="right")
    statuses(5)
    assert attempt("bob", "right").status_code == 302
    assert attempt("ann", "right", address="10.0.0.2").status_code == 302


def test_guessing_many_names_from_one_address_is_stopped_too():
    answers = [attempt(f"name{number}").status_code for number in range(50)]
    assert answers == [200] * 49 + [429]
    assert attempt("ann", "right").status_code == 429
    assert attempt("ann", "right", address="10.0.0.2").status_code == 302


def test_an_own_account_does_not_wipe_out_the_count_for_another():
    User.objects.create_user("eve", password="right")
    statuses(4)
    assert attempt("eve", "right").status_code == 302
    assert attempt().status_code == 429


def test_a_right_password_forgets_the_wrong_ones():
    statuses(4)
    assert attempt(password="right").status_code == 302
    assert statuses(4) == [200] * 4


def test_a_claimed_address_is_believed_only_from_ones_own_proxy(settings):
    claimed = [attempt(x_forwarded_for=f"1.2.3.{number}").status_code for number in range(5)]
    assert claimed == [200] * 4 + [429]
    settings.BEHIND_PROXY = True
    # what the visitor claims stands before what the proxy saw
    behind = [attempt(address="127.0.0.1", x_forwarded_for=f"9.9.9.{n}, 1.2.3.4").status_code for n in range(5)]
    assert behind == [200] * 4 + [429]
    assert attempt(password="right", address="127.0.0.1", x_forwarded_for="1.2.3.5").status_code == 302


def test_the_log_in_of_the_administration_is_throttled_too():
    form = {"username": "ann", "password": "wrong"}
    assert [Client().post("/admin/login/", form).status_code for _ in range(5)] == [200] * 4 + [429]


def test_no_password_is_written_down():
    attempt(password="nearly my password")
    assert "nearly my password" not in str(AccessAttempt.objects.values().get())
