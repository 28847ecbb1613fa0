"""Messages to Slack: queued by a click, sent by the worker, retried, never twice; against a server like Slack's."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.slack_server import CHANNEL, COMPLETE, GET_URL, POST, UPLOAD, local_slack
from web_server.candidates.models import Product, SkyObject
from web_server.notify import services, slack, worker
from web_server.notify.checks import check_slack
from web_server.notify.models import Message
from web_server.review.models import Label, Subject
from web_server.review.services import cast_vote, decide, find_subject, withdraw_decision, withdraw_vote

pytestmark = pytest.mark.django_db
KINDS = ["run finished", "first investigate", "decision"]


@pytest.fixture
def slack_here(settings, monkeypatch):
    """A server like Slack's that the settings name; no pause between messages."""
    monkeypatch.setattr(worker, "BETWEEN", 0.0)
    with local_slack() as server:
        settings.SLACK_URL, settings.SLACK_TOKEN = f"{server.url}/api/", "xoxb-test"
        settings.SLACK_CHANNEL, settings.SITE_URL = CHANNEL, "https://racs.example"
        yield server


@pytest.fixture
def row(site):
    row = site["rows"][0]
    row.gal_l, row.gal_b, row.askap_scaled_flux, row.ref_flux, row.m = 301.23456, -45.6, 12.349, 1.5, -1.6
    row.save()
    return row


@pytest.fixture
def label(db):
    return {label.key: label for label in Label.objects.all()}


def work():
    out = StringIO()
    call_command("work", "--once", stdout=out)
    return out.getvalue()


def make_due(message):
    Message.objects.filter(pk=message.pk).update(next_attempt=timezone.now())


def blocks_of(call):
    return call["blocks"] if isinstance(call["blocks"], list) else json.loads(call["blocks"])


def fields_of(call):
    section = next(block for block in blocks_of(call) if block["type"] == "section")
    return dict(field["text"].split("\n") for field in section["fields"])


def test_a_limit_is_sent_as_one(slack_here, person, row):
    row.ratio_is_limit, row.ref_origin = True, "limit"
    row.save()
    services.enqueue_candidate(person("ann"), row)
    work()
    (post,) = slack_here.said(POST)
    said = fields_of(post)
    assert (said["*Flux ratio*"], said["*SUMSS flux*"]) == ("≥ 9.00", "&lt; 1.50 mJy")


def test_a_candidate_arrives_with_its_numbers_and_its_stamp_in_the_thread(slack_here, person, row):
    services.enqueue_candidate(person("ann"), row)
    assert "sent" in work()
    message = Message.objects.get()
    assert (message.state, message.channel, message.error) == ("sent", CHANNEL, "")
    (post,) = slack_here.said(POST)
    assert post["channel"] == CHANNEL
    assert fields_of(post) == {
        "*RA, Dec*": "10.010, -60.000 deg",
        "*l, b*": "301.235, -45.600 deg",
        "*Type and survey*": "noaskapmatch, SUMSS",
        "*Flux ratio*": "9.00",
        "*Scaled ASKAP flux*": "12.35 mJy",
        "*SUMSS flux*": "1.50 mJy",
        "*Vs*": "-8.00",
        "*m*": "-1.60",
        "*Pipeline flag*": "Good",
        "*Reviewers*": "not agreed yet",
    }
    text = json.dumps(blocks_of(post))
    assert "Sent by ann" in text
    links = [button["url"] for button in blocks_of(post)[-1]["elements"]]
    assert links[0] == f"https://racs.example/images/{row.run.image_id}/crossmatches/{row.pk}/"
    assert ["simbad" in links[1], "ned" in links[2], len(links)] == [True, True, 3]
    assert slack_here.said(UPLOAD) == [b"stamp"]
    (done,) = slack_here.said(COMPLETE)
    assert (done["thread_ts"], done["channel_id"]) == (message.ts, CHANNEL)


def test_two_clicks_are_one_message_and_a_later_one_is_another(slack_here, person, row):
    ann = person("ann")
    assert services.enqueue_candidate(ann, row) == services.enqueue_candidate(ann, row)
    work()
    services.enqueue_candidate(ann, row)
    work()
    assert len(slack_here.said(POST)) == 2


def test_a_row_without_a_stamp_or_with_one_that_is_gone_is_sent_alone(slack_here, person, row, site):
    (site["root"] / "stamp.jpg").unlink()
    services.enqueue_candidate(person("ann"), row)
    services.enqueue_candidate(person("bob"), site["rows"][1])
    work()
    assert len(slack_here.said(POST)) == 2
    assert not slack_here.said(GET_URL)


def test_a_product_outside_of_its_run_is_never_sent(slack_here, person, row, site):
    (site["root"].parent / "secret").write_text("secret")
    Product.objects.filter(kind="stamp").update(path="../secret")
    services.enqueue_candidate(person("ann"), row)
    work()
    assert Message.objects.get().state == "sent"
    assert not slack_here.said(UPLOAD)


def test_no_sign_of_slack_gets_through_from_a_name_or_note(slack_here, settings, person, row, label):
    settings.SLACK_AUTOMATIC = ["decision"]
    row.name = "J1 <!channel>"
    row.save()
    decide(person("lea", "lead"), row, label["t"], note="<!channel> & co")
    work()
    (post,) = slack_here.said(POST)
    header, *others = blocks_of(post)
    # plain text, in which nothing has a meaning
    assert header["text"] == {"type": "plain_text", "text": "J1 <!channel>", "emoji": False}
    said = json.dumps(others)
    assert "&lt;!channel&gt; &amp; co" in said
    assert "<!channel>" not in said
    assert "<!channel>" not in post["text"]


def test_votes_are_told_only_when_agreed_or_decided(slack_here, person, row, label):
    cast_vote(person("zoe"), row, label["i"])
    services.enqueue_candidate(person("bob"), row)
    work()
    cast_vote(person("yan"), row, label["i"])
    services.enqueue_candidate(person("dan"), row)
    work()
    decide(person("lea", "lead"), row, label["t"])
    services.enqueue_candidate(person("eve"), row)
    work()
    told = [fields_of(post)["*Reviewers*"] for post in slack_here.said(POST)]
    assert told == ["not agreed yet", "investigate (agreed)", "transient (decided)"]
    assert not any(name in json.dumps(slack_here.said(POST)) for name in ("zoe", "yan"))


@pytest.mark.parametrize("trouble", ["internal_error", 500, "hang up"])
def test_trouble_is_tried_again_later_with_growing_pauses(slack_here, person, row, trouble):
    slack_here.trouble[POST] = [trouble, trouble, trouble]
    message = services.enqueue_candidate(person("ann"), row)
    pauses = []
    for _ in range(3):
        before = timezone.now()
        assert "failed" in work()
        message.refresh_from_db()
        assert message.state == "failed"
        assert "posting the message" in message.error
        pauses.append((message.next_attempt - before).total_seconds())
        assert "nothing is due" in work()
        make_due(message)
    assert pauses == pytest.approx([30, 60, 120], abs=5)
    work()
    message.refresh_from_db()
    assert (message.state, message.attempts, message.error) == ("sent", 4, "")
    assert len(slack_here.said(POST)) == 1


def test_a_slow_slack_is_given_up_for_now(slack_here, person, row, monkeypatch):
    monkeypatch.setattr(slack, "TIMEOUT", 0.2)
    slack_here.trouble[POST] = [0.6]
    services.enqueue_candidate(person("ann"), row)
    assert "timed out" in work()
    assert Message.objects.get().state == "failed"


@pytest.mark.parametrize(
    ("path", "trouble"),
    [
        *itertools.product([GET_URL, UPLOAD, COMPLETE], [500, "hang up", (429, 7)]),
        # the address of the upload itself answers with a status only
        *itertools.product([GET_URL, COMPLETE], ["internal_error"]),
    ],
)
def test_when_only_the_stamp_fails_only_the_stamp_is_sent_again(slack_here, person, row, path, trouble):
    slack_here.trouble[path] = [trouble]
    message = services.enqueue_candidate(person("ann"), row)
    work()
    message.refresh_from_db()
    assert message.state == "failed"
    assert "uploading the stamp" in message.error
    assert message.ts
    make_due(message)
    work()
    message.refresh_from_db()
    assert message.state == "sent"
    assert len(slack_here.said(POST)) == 1
    assert [done["thread_ts"] for done in slack_here.said(COMPLETE)][-1] == message.ts


def test_a_rate_limit_holds_everything_back_as_long_as_slack_says(slack_here, person, row, site):
    slack_here.trouble[POST] = [(429, 120)]
    ann = person("ann")
    services.enqueue_candidate(ann, row)
    other = services.enqueue_candidate(ann, site["rows"][1])
    before = timezone.now()
    assert "again in 120 s" in work()
    for message in Message.objects.all():
        assert (message.next_attempt - before).total_seconds() == pytest.approx(120, abs=5)
    assert not slack_here.calls
    other.refresh_from_db()
    assert (other.state, other.attempts) == ("queued", 0)


@pytest.mark.parametrize("code", ["invalid_auth", "channel_not_found", "not_in_channel"])
def test_what_a_person_must_mend_waits_for_the_button(slack_here, client, person, row, code):
    slack_here.trouble[POST] = [code]
    services.enqueue_candidate(person("ann"), row)
    assert "given up" in work()
    assert "nothing is due" in work()
    client.force_login(person("root", "admin"))
    page = client.get("/slack/").content.decode()
    assert code in page
    message = Message.objects.get()
    assert client.post(f"/slack/{message.pk}/retry/").status_code == 302
    work()
    message.refresh_from_db()
    assert message.state == "sent"


def test_after_a_day_of_failures_it_is_given_up_and_all_are_tried_again_at_once(slack_here, client, person, row, site):
    for name, one in (("ann", row), ("bob", site["rows"][1])):
        message = services.enqueue_candidate(person(name), one)
        Message.objects.filter(pk=message.pk).update(attempts=worker.MAX_ATTEMPTS - 1)
    slack_here.trouble[POST] = [500, 500]
    work()
    assert set(Message.objects.values_list("state", flat=True)) == {"given up"}
    client.force_login(person("root", "admin"))
    client.post("/slack/retry/")
    work()
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}


def test_to_send_again_what_was_given_up_tries_it_again(slack_here, person, row):
    slack_here.trouble[POST] = ["channel_not_found"]
    ann = person("ann")
    services.enqueue_candidate(ann, row)
    work()
    assert services.enqueue_candidate(ann, row).state == "queued"
    assert Message.objects.count() == 1


def test_a_row_that_is_gone_is_dropped(slack_here, person, row):
    services.enqueue_candidate(person("ann"), row)
    row.delete()
    assert "no longer in the database" in work()
    assert Message.objects.get().state == "dropped"


def test_a_message_outlives_that_its_run_is_written_again(slack_here, person, row):
    services.enqueue_candidate(person("ann"), row)
    old, row.pk = row.pk, None
    type(row).objects.filter(pk=old).delete()
    row.save()
    work()
    assert Message.objects.get().state == "sent"
    assert f"/crossmatches/{row.pk}/" in json.dumps(slack_here.said(POST))


def test_a_message_that_a_worker_left_is_taken_by_the_next_when_the_lease_ends(person, row):
    message = services.enqueue_candidate(person("ann"), row)
    assert worker.take() == message
    assert worker.take() is None
    make_due(message)
    again = worker.take()
    assert again.attempts == 2


def test_who_was_too_slow_writes_nothing_over_the_next_worker(person, row):
    services.enqueue_candidate(person("ann"), row)
    slow = worker.take()
    make_due(slow)
    worker.take()
    worker._write(slow, state="given up")
    assert Message.objects.get().state == "queued"


def test_automatic_messages_are_off_unless_asked_for(person, site, row, label):
    cast_vote(person("ann"), row, label["i"])
    decide(person("lea", "lead"), row, label["t"])
    services.enqueue_run_finished(site["run"])
    assert not Message.objects.exists()


def test_what_the_pipeline_queued_is_dropped_where_such_messages_are_off(slack_here, site):
    Message.objects.create(kind="run finished", key="x", payload={"run": str(site["run"].pk)})
    assert "are off" in work()
    assert Message.objects.get().state == "dropped"
    assert not slack_here.calls


def test_of_a_run_without_a_transient_search_no_numbers_are_told(slack_here, settings, site):
    settings.SLACK_AUTOMATIC = KINDS
    site["run"].survey_runs.update(n_rows=None, candidates=None)
    services.enqueue_run_finished(site["run"])
    work()
    (post,) = slack_here.said(POST)
    assert "No transient search was made." in json.dumps(blocks_of(post))
    assert "None" not in json.dumps(blocks_of(post))


def test_a_finished_run_is_told_once_with_its_counts(slack_here, settings, site):
    settings.SLACK_AUTOMATIC = KINDS
    for _ in range(2):
        services.enqueue_run_finished(site["run"])
        work()
    (post,) = slack_here.said(POST)
    assert "SUMSS* 0 candidates of 0 rows" in json.dumps(blocks_of(post))
    assert f"https://racs.example/images/{site['run'].image_id}/?run={site['run'].pk}" in json.dumps(blocks_of(post))


def test_only_the_first_investigate_is_told_and_not_by_whom(slack_here, settings, person, row, label):
    settings.SLACK_AUTOMATIC = KINDS
    cast_vote(person("zoe"), row, label["m"])
    assert not Message.objects.exists()
    cast_vote(person("yan"), row, label["i"])
    cast_vote(person("xia"), row, label["i"])
    work()
    (post,) = slack_here.said(POST)
    assert "wants to investigate" in post["text"]
    assert not any(name in json.dumps(post) for name in ("zoe", "yan", "xia"))
    assert fields_of(post)["*Reviewers*"] == "not agreed yet"


def test_an_investigate_after_one_that_was_taken_back_is_the_first(slack_here, settings, person, row, label):
    settings.SLACK_AUTOMATIC = KINDS
    ann, bob = person("ann"), person("bob")
    withdraw_vote(ann, cast_vote(ann, row, label["i"]))
    assert "dropped: the vote was taken back" in work()
    cast_vote(ann, row, label["m"])
    assert "nothing is due" in work()
    cast_vote(bob, row, label["i"])
    work()
    cast_vote(person("cat"), row, label["i"])
    assert "nothing is due" in work()
    (post,) = slack_here.said(POST)
    assert "wants to investigate" in post["text"]


def test_old_news_is_no_news_when_somebody_votes_later(slack_here, settings, person, row, label):
    settings.SLACK_AUTOMATIC = KINDS
    cast_vote(person("ann"), row, label["i"])
    Message.objects.update(created=timezone.now() - worker.OLDEST_AUTOMATIC - timedelta(minutes=1))
    assert "dropped: too old" in work()
    cast_vote(person("bob"), row, label["m"])
    assert "nothing is due" in work()


def test_a_decision_is_told_unless_it_was_taken_back_meanwhile(slack_here, settings, person, row, label):
    settings.SLACK_AUTOMATIC = KINDS
    lea = person("lea", "lead")
    withdraw_decision(lea, decide(lea, row, label["m"]))
    decide(lea, row, label["t"], note="rises")
    vote = cast_vote(person("ann"), row, label["i"])
    withdraw_vote(vote.reviewer, vote)
    work()
    (post,) = slack_here.said(POST)
    assert "Decided by lea: transient (transient): rises" in post["text"]
    assert [*Message.objects.order_by("id").values_list("state", flat=True)] == ["dropped", "sent", "dropped"]


def test_a_vote_that_fails_queues_nothing(settings, person, row, label, monkeypatch):
    settings.SLACK_AUTOMATIC = KINDS
    monkeypatch.setattr("web_server.review.services.refresh", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        decide(person("lea", "lead"), row, label["t"])
    assert not Message.objects.exists()
    assert not Subject.objects.exists()


def test_old_news_is_dropped(slack_here, settings, site):
    settings.SLACK_AUTOMATIC = KINDS
    services.enqueue_run_finished(site["run"])
    Message.objects.update(created=timezone.now() - timedelta(days=3))
    assert "too old" in work()


def test_without_token_or_channel_all_say_what_is_missing(client, settings, person, row):
    settings.SLACK_TOKEN = settings.SLACK_CHANNEL = ""
    with pytest.raises(CommandError, match="RACS_TRANSIENTS_SLACK_TOKEN and RACS_TRANSIENTS_SLACK_CHANNEL"):
        work()
    client.force_login(person("ann"))
    address = f"/images/{row.run.image_id}/crossmatches/{row.pk}/"
    assert "Slack is not set up" in client.post(f"{address}slack/", follow=True).content.decode()
    assert not Message.objects.exists()


def test_settings_that_cannot_work_are_reported(settings):
    settings.SLACK_AUTOMATIC, settings.SITE_URL = ["decisions"], "racs.example"
    assert [error.id for error in check_slack()] == ["notify.E001", "notify.E002"]


def test_who_may_send_and_who_may_see_the_queue(slack_here, client, person, row):
    address = f"/images/{row.run.image_id}/crossmatches/{row.pk}/slack/"
    assert client.post(address).status_code == 302
    for name, role, sends, sees in (
        ("vic", "viewer", 403, 403),
        ("ann", "reviewer", 302, 403),
        ("lea", "lead", 302, 403),
        ("root", "admin", 302, 200),
    ):
        client.force_login(person(name, role))
        assert client.post(address).status_code == sends
        assert client.get("/slack/").status_code == sees
        assert client.post("/slack/retry/").status_code == (302 if sees == 200 else 403)
    assert client.get(address).status_code == 405
    assert client.post(f"/images/{row.run.image_id + 1}/crossmatches/{row.pk}/slack/").status_code == 404
    assert Message.objects.count() == 3


def test_after_the_click_one_is_back_on_the_page_and_never_on_another_site(slack_here, client, person, row):
    client.force_login(person("ann"))
    address = f"/images/{row.run.image_id}/crossmatches/{row.pk}/"
    for asked, expected in (
        (f"{address}?flag=Good#slack", f"{address}?flag=Good#slack"),
        ("https://evil.example/", address),
        ("//evil.example/", address),
        ("", address),
    ):
        assert client.post(f"{address}slack/", {"next": asked})["Location"] == expected


def test_an_object_with_a_message_is_kept_by_the_database(person, row):
    services.enqueue_candidate(person("ann"), row)
    assert Message.objects.get().sky_object == SkyObject.objects.get(pk=row.sky_object_id)
    assert find_subject(row) is None
