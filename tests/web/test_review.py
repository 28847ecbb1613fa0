"""The review page's answers: which candidate comes next, what is saved, and what a reviewer may not know yet."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.web.conftest import make_row, make_run
from web_server import review
from web_server.candidates.models import Crossmatch, Run
from web_server.review import services
from web_server.review.models import RESERVED_KEYS, Decision, Event, Label, Vote
from web_server.review.visibility import LOOKED

pytestmark = pytest.mark.django_db
WORDS = "what nobody else may read"


@pytest.fixture
def label():
    return {label.key: label for label in Label.objects.all()}


@pytest.fixture
def log_in(person):
    """A client in which somebody is logged in."""

    def make(name, role="reviewer"):
        client = Client()
        client.user = person(name, role)
        client.force_login(client.user)
        return client

    return make


@pytest.fixture
def ann(log_in):
    return log_in("ann")


@pytest.fixture
def queue(site):
    """The address of the first image's list: rows 1, 2, 4, 5 by ratio, then 3, which has none."""
    return f"image={site['run'].image_id}&run={site['run'].pk}"


def vote(client, row, given, query, **values):
    values = {"label": given.pk, "reviewer": client.user.pk} | values
    return client.post(f"/review/{row.pk}/vote/?{query}", values, headers={"accept": "application/json"})


def first_left(client, query):
    """Return the row that the start leads to, None where all are done."""
    answer = client.get(f"/review/?{query}")
    return int(answer["location"].split("/")[2]) if answer.status_code == 302 else None


def test_the_queue_is_the_list_in_its_order_without_what_is_done(ann, site, queue, label):
    """Defect 11.2 3 of the earlier site: the order of the heading was ignored, and rows moved after each tag."""
    seen = []
    while (row := first_left(ann, queue)) is not None:
        seen.append(row)
        assert vote(ann, Crossmatch.objects.get(pk=row), label["m"], queue).json() == {"saved": True}
    assert seen == [site["rows"][number - 1].pk for number in (1, 2, 5, 4, 3)]
    assert "You have reviewed all 5 of this list" in ann.get(f"/review/?{queue}").content.decode()


@pytest.mark.parametrize(
    ("more", "numbers"), [("&sort=name", [1, 2, 3, 4, 5]), ("&sort=-name", [5, 4, 3, 2, 1]), ("&ratio_min=2", [1, 2])]
)
def test_filters_and_order_are_those_of_the_lists(ann, site, queue, label, more, numbers):
    rows = {row.pk: row.match_id for row in site["rows"]}
    seen = []
    while (row := first_left(ann, queue + more)) is not None:
        seen.append(rows[row])
        vote(ann, Crossmatch.objects.get(pk=row), label["m"], queue)
    assert seen == numbers


def test_two_windows_have_lists_of_their_own(ann, site, queue):
    """Defect 11.2 3 of the earlier site: one list for each session, so two tabs fought."""
    row = site["rows"][1].pk
    first = ann.get(f"/review/{row}/part/?{queue}&sort=name").context
    other = ann.get(f"/review/{row}/part/?{queue}&ratio_min=2").context
    again = ann.get(f"/review/{row}/part/?{queue}&sort=name").context
    assert (first["place"], first["total"], other["place"], other["total"]) == (2, 5, 2, 2)
    assert first["next"] == again["next"] == site["rows"][2]


def test_a_list_of_one_row_says_so(ann, site, queue):
    """Defect 11.2 3 of the earlier site: a list of one row showed 0 / 0."""
    page = ann.get(f"/review/{site['rows'][0].pk}/?{queue}&name=001").content.decode()
    assert "No. 1 of 1" in page
    assert '<strong id="left">1</strong> of 1 left' in page


def test_progress_counts_my_votes_and_nobody_elses(ann, log_in, site, queue, label):
    """Defect 11.2 7 of the earlier site: done and to do were counted by different rules."""
    bob = log_in("bob")
    vote(ann, site["rows"][0], label["m"], queue)
    vote(ann, site["rows"][2], label["m"], queue)
    left = [client.get(f"/review/{site['rows'][1].pk}/?{queue}").context["left"] for client in (ann, bob)]
    assert left == [3, 5]


def test_a_lead_has_reviewed_what_they_decided(log_in, site, queue, label):
    lea = log_in("lea", "lead")
    vote(lea, site["rows"][0], label["t"], queue)
    assert first_left(lea, queue) == site["rows"][1].pk
    assert lea.get(f"/review/{site['rows'][1].pk}/?{queue}").context["left"] == 4


def test_what_comes_next_goes_round_the_list(ann, site, queue, label):
    rows = site["rows"]
    vote(ann, rows[1], label["m"], queue)
    ahead = ann.get(f"/review/{rows[4].pk}/part/?{queue}").context["ahead"]
    assert ahead == [rows[3].pk, rows[2].pk, rows[0].pk]
    last = ann.get(f"/review/{rows[2].pk}/part/?{queue}").context["ahead"]
    assert last == [rows[0].pk, rows[4].pk, rows[3].pk]


def test_the_list_of_all_images_goes_from_image_to_image(ann, site, label):
    assert first_left(ann, "is_candidate=true") == site["rows"][0].pk
    vote(ann, site["rows"][0], label["m"], "is_candidate=true")
    assert first_left(ann, "is_candidate=true") == site["elsewhere"].pk
    assert ann.get(f"/review/{site['elsewhere'].pk}/?is_candidate=true").status_code == 200


def test_a_number_beyond_the_list_is_the_last_one(ann, site, queue):
    for number, place in (("1", 0), ("3", 4), ("99", 2), ("0", 0)):
        assert first_left(ann, f"{queue}&number={number}") == site["rows"][place].pk


def test_a_row_is_reached_through_its_run_only(ann, site, queue, label):
    elsewhere = site["elsewhere"]
    for address in ("", "part/"):
        assert ann.get(f"/review/{elsewhere.pk}/{address}?{queue}").status_code == 404
    assert vote(ann, elsewhere, label["m"], queue).status_code == 404
    for action in ("undo", "votes"):
        assert ann.post(f"/review/{elsewhere.pk}/{action}/?{queue}").status_code == 404
    assert not Vote.objects.exists()


def test_a_run_that_is_no_longer_current_is_shown_where_it_is_named_only(ann, site, queue):
    Run.objects.filter(pk=site["run"].pk).update(is_current=False)
    row = site["rows"][0].pk
    assert ann.get(f"/review/{row}/?{queue}").status_code == 200
    assert ann.get(f"/review/{row}/?is_candidate=true").status_code == 404


@pytest.mark.parametrize(
    "query", ["image=999", "image=1&run=nonsense", f"image=1&run={uuid.UUID(int=77)}", "image=" + "9" * 18]
)
def test_what_does_not_exist_is_not_found(ann, site, query):
    """Defect 11.2 5 of the earlier site: a missing object and a sort by nonsense were errors of the server."""
    assert ann.get(f"/review/?{query}").status_code == 404
    assert ann.get(f"/review/99999/?{query}").status_code == 404


@pytest.mark.parametrize(
    "more", ["&sort=nonsense", "&sort=-run", "&number=x", "&number=" + "9" * 40, "&number=²", "&page=x", "&image=x"]
)
def test_nonsense_in_an_address_is_no_error(ann, site, queue, more):
    """Defect 11.2 5 of the earlier site."""
    assert ann.get(f"/review/?{queue}{more}").status_code in (200, 302)
    assert ann.get(f"/review/{site['rows'][0].pk}/?{queue}&sort=nonsense").status_code == 200


def test_wrong_filters_are_explained_by_the_list(ann, site, queue):
    """Defect 11.2 5 of the earlier site: a cone search with text was an error of the server."""
    answer = ann.get(f"/review/?{queue}&position=nonsense&radius=1", follow=True)
    assert answer.status_code == 400
    assert "is no position" in answer.content.decode()
    page = ann.get(f"/review/{site['rows'][0].pk}/?{queue}&position=nonsense&radius=1")
    assert page.context["total"] == 0


def test_nothing_changes_by_looking(ann, site, queue):
    row = site["rows"][0].pk
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for address in ("", f"{row}/", f"{row}/part/", "session/"):
            ann.get(f"/review/{address}?{queue}")
    assert not [q["sql"] for q in queries if q["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
    for address in (f"{row}/vote/", f"{row}/undo/", f"{row}/votes/", "keys/"):
        assert ann.get(f"/review/{address}?{queue}").status_code == 405


@pytest.mark.parametrize("role", ["viewer", None])
def test_who_cannot_vote_has_no_review_page(client, log_in, site, queue, label, role):
    row = site["rows"][0]
    client = log_in("vic", role) if role else client
    client.user = getattr(client, "user", None) or log_in("somebody").user
    refused = 403 if role else 302
    for address in ("", f"{row.pk}/", f"{row.pk}/part/", "session/"):
        assert client.get(f"/review/{address}?{queue}").status_code == refused
    assert vote(client, row, label["m"], queue).status_code == refused
    assert not Vote.objects.exists()


def test_a_change_needs_the_token_of_the_page(person, site, queue, label):
    client = Client(enforce_csrf_checks=True)
    client.user = person("ann")
    client.force_login(client.user)
    assert vote(client, site["rows"][0], label["m"], queue).status_code == 403
    assert not Vote.objects.exists()


# ---- what is saved


def test_a_vote_keeps_note_and_time(ann, site, queue, label):
    vote(ann, site["rows"][0], label["m"], queue, note=" NVSS 20″ away ", seconds="2.5")
    saved = Vote.objects.get()
    assert (saved.note, saved.seconds, saved.run) == ("NVSS 20″ away", 2.5, site["run"].pk)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"label": "999"}, "Select a valid choice"),
        ({"label": "ignore"}, "Select a valid choice"),
        ({"note": "x" * 2001}, "at most 2000"),
        ({"note": "\0"}, "Null characters"),
        ({"seconds": "nan"}, "Enter a number"),
        ({"token": "1"}, "valid UUID"),
        ({"reviewer": ""}, "required"),
    ],
)
def test_a_vote_that_makes_no_sense_is_refused_with_the_reason(ann, site, queue, label, values, words):
    answer = vote(ann, site["rows"][0], label["m"], queue, **values)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert not Vote.objects.exists()


def test_a_refusal_is_told_without_script_too(ann, site, queue, label):
    """Defect 11.2 9 of the earlier site: what was not saved looked like success, or like nothing."""
    row = site["rows"][0].pk
    page = ann.post(f"/review/{row}/vote/?{queue}", {"label": "999", "reviewer": ann.user.pk}, follow=True)
    assert "Select a valid choice" in page.content.decode()
    assert page.redirect_chain[-1][0].startswith(f"/review/{row}/")


def test_what_one_person_gave_is_not_saved_for_another(ann, log_in, site, queue, label):
    bob = log_in("bob")
    answer = vote(bob, site["rows"][0], label["m"], queue, reviewer=ann.user.pk)
    assert answer.status_code == 409
    assert "You are logged in as bob" in answer.json()["error"]
    undo = {"reviewer": ann.user.pk}
    assert (
        bob.post(
            f"/review/{site['rows'][0].pk}/undo/?{queue}", undo, headers={"accept": "application/json"}
        ).status_code
        == 409
    )
    assert not Vote.objects.exists()


def test_a_label_of_leads_is_refused_to_others_and_is_a_decision_for_leads(ann, log_in, site, queue, label):
    """Defect 11.2 10 of the earlier site: an override destroyed the tag before it, and named the wrong person."""
    row = site["rows"][0]
    vote(ann, row, label["m"], queue)
    assert vote(ann, row, label["t"], queue).status_code == 400
    lea = log_in("lea", "lead")
    assert vote(lea, row, label["t"], queue).status_code == 200
    assert [(v.reviewer, v.label) for v in Vote.objects.filter(active=True)] == [(ann.user, label["m"])]
    assert [(d.lead, d.label) for d in Decision.objects.filter(active=True)] == [(lea.user, label["t"])]


def test_undo_takes_back_ones_own_vote_only(ann, log_in, site, queue, label):
    row, bob = site["rows"][0], log_in("bob")
    token = uuid.uuid4()
    vote(ann, row, label["m"], queue, token=token)
    for values in ({"token": token}, {}):
        bob.post(f"/review/{row.pk}/undo/?{queue}", values | {"reviewer": bob.user.pk})
    # nor through another row
    ann.post(f"/review/{site['rows'][1].pk}/undo/?{queue}", {"token": token, "reviewer": ann.user.pk})
    assert Vote.objects.filter(active=True).count() == 1
    for _ in range(2):
        answer = ann.post(
            f"/review/{row.pk}/undo/?{queue}",
            {"token": token, "reviewer": ann.user.pk},
            headers={"accept": "application/json"},
        )
        assert answer.json() == {"saved": True}
    assert not Vote.objects.filter(active=True).exists()


def test_a_double_click_takes_back_what_was_shown_and_nothing_beneath(ann, log_in, site, queue, label):
    row, lea = site["rows"][0], log_in("lea", "lead")

    def click_twice(client):
        page = client.get(f"/review/{row.pk}/?{queue}").content.decode()
        form = page[page.index("data-undo") : page.index("Take it back")]
        values = dict(re.findall(r'name="(\w+)" value="(\w+)"', form))
        for _ in range(2):
            assert client.post(f"/review/{row.pk}/undo/?{queue}", values).status_code == 302

    for key in "mn":
        vote(ann, row, label[key], queue)
    click_twice(ann)
    assert Vote.objects.get(active=True).label == label["m"]
    vote(lea, row, label["i"], queue)
    vote(lea, row, label["t"], queue)
    click_twice(lea)
    assert not Vote.objects.filter(reviewer=lea.user, active=True).exists()
    assert Decision.objects.get(active=True).label == label["t"]
    click_twice(lea)
    assert not Decision.objects.filter(active=True).exists()


# ---- what a reviewer may not know yet


def everything_shown(client, row, query):
    return "".join(client.get(f"/review/{row.pk}/{address}?{query}").content.decode() for address in ("", "part/"))


def test_others_stay_hidden_until_ones_own_vote_is_in(ann, log_in, site, queue, label):
    row, bob = site["rows"][0], log_in("robert")
    before = everything_shown(bob, row, queue)
    lea = log_in("leandra", "lead")
    services.cast_vote(ann.user, row, label["i"], note=WORDS)
    services.decide(lea.user, row, label["t"], note=WORDS + "!")
    shown = everything_shown(bob, row, queue)
    for secret in (WORDS, "ann<", "ann:", "leandra", "Decided", "Conflict", "Partial"):
        assert secret not in shown
    # but for the tokens of the forms there is no difference at all
    assert len(before) == len(shown)
    services.cast_vote(bob.user, row, label["m"])
    shown = everything_shown(bob, row, queue)
    for word in (WORDS, "ann:", "decided by leandra", "Decided"):
        assert word in shown


def test_a_lead_asks_for_the_votes_and_that_is_recorded(ann, log_in, site, queue, label):
    row, lea = site["rows"][0], log_in("lea", "lead")
    services.cast_vote(ann.user, row, label["i"], note=WORDS)
    assert WORDS not in everything_shown(lea, row, queue)
    assert ann.post(f"/review/{row.pk}/votes/?{queue}").status_code == 403
    lea.post(f"/review/{row.pk}/votes/?{queue}")
    assert WORDS in everything_shown(lea, row, queue)
    event = Event.objects.get(what=LOOKED)
    assert (event.who, event.subject) == (lea.user, services.find_subject(row))


def test_votes_on_the_object_in_other_images_show_where_they_may(ann, log_in, site, queue, label):
    row, elsewhere, bob = site["rows"][0], site["elsewhere"], log_in("robert")
    services.cast_vote(ann.user, elsewhere, label["i"], note=WORDS)
    assert WORDS not in everything_shown(bob, row, queue)
    assert WORDS in everything_shown(ann, row, queue)
    services.cast_vote(bob.user, elsewhere, label["x"])
    shown = everything_shown(bob, row, queue)
    assert WORDS in shown
    assert "image2.fits, NVSS" in shown


def test_the_comments_are_not_on_the_page(ann, site, queue):
    from web_server.review.models import Comment

    Comment.objects.create(sky_object=site["rows"][0].sky_object, author=ann.user, text=WORDS)
    assert WORDS not in everything_shown(ann, site["rows"][0], queue)


# ---- what it looks like and costs


def test_only_labels_in_use_are_offered_and_those_of_leads_to_leads(ann, log_in, site, queue, label):
    Label.objects.filter(key="m").update(active=False)
    Label.objects.create(
        group="Safe to ignore", words="Satellite", key="w", tag="ignore", reason="satellite", position=3
    )
    row = site["rows"][0]

    def offered(client):
        groups = client.get(f"/review/{row.pk}/part/?{queue}").context["groups"]
        return ["".join(label.key for label in labels) for labels in groups.values()]

    assert [sorted(keys) for keys in offered(ann)] == [sorted(keys) for keys in ("nebdw", "fcaqso", "ix")]
    assert offered(log_in("lea", "lead"))[2] == "tyix"


def test_the_letters_on_the_buttons_are_those_that_vote(ann, log_in, site, queue, label):
    """Defect 11.2 13 of the earlier site: two buttons had the wrong letters."""
    page = log_in("lea", "lead").get(f"/review/{site['rows'][0].pk}/part/?{queue}").content.decode()
    for key, one in label.items():
        assert f'value="{one.pk}" data-key="{key}" data-words="{one.words}"' in page
        assert f"{one.words} <kbd>{key}</kbd></button>" in page


def test_a_signed_m_is_not_called_its_size(ann, site, queue):
    """Defect 11.2 13 of the earlier site: the column |m| showed signed m."""
    Crossmatch.objects.filter(pk=site["rows"][0].pk).update(m=-1.6, ratio_err=0.5)
    numbers = ann.get(f"/review/{site['rows'][0].pk}/part/?{queue}").context["numbers"]
    texts = {value.name: value.texts[0] for value in numbers}
    assert (texts["m"], texts["vs"], texts["ratio"]) == ("-1.600", "-8.000", "9.000 ± 0.5000")


def test_every_row_of_every_kind_has_its_page(ann, site, queue):
    """Defect 11.2 1 of the earlier site: as shipped no page rendered."""
    for row in site["rows"]:
        page = ann.get(f"/review/{row.pk}/?{queue}")
        assert page.status_code == 200
        assert row.name in page.content.decode()


def test_a_list_by_a_part_of_an_image_s_name_is_reviewed_and_leads_back(ann, site, label):
    first = ann.get("/review/?image=image1.f&sort=name")
    assert first["Location"] == f"/review/{site['rows'][0].pk}/?image=image1.f&sort=name"
    assert 'href="/query/?image=image1.f&amp;sort=name"' in ann.get(first["Location"]).content.decode()
    given = {"label": label["i"].pk, "reviewer": ann.user.pk}
    assert ann.post(first["Location"].replace("/?", "/vote/?"), given).status_code == 302
    nothing = ann.get("/review/?image=nobody&sort=name")
    assert nothing.status_code == 200
    assert 'href="/query/?image=nobody&amp;sort=name"' in nothing.content.decode()


def test_the_page_asks_few_questions(ann, log_in, site, queue, label):
    bob = log_in("bob")
    services.cast_vote(bob.user, site["rows"][0], label["m"])
    services.cast_vote(ann.user, site["rows"][0], label["m"])
    lead = log_in("lead", "lead")
    # a lead who may yet ask for the votes costs no more
    for client, address, most in (
        (ann, f"{site['rows'][0].pk}/", 13),
        (lead, f"{site['rows'][0].pk}/", 12),
        (ann, f"{site['rows'][1].pk}/", 12),
        (ann, f"{site['rows'][1].pk}/part/", 12),
    ):
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/review/{address}?{queue}")
        assert len(queries) <= most, [q["sql"][:80] for q in queries]


def test_no_label_has_a_letter_that_does_something_else(db):
    script = (Path(review.__file__).parent / "static/review/review.js").read_text()
    commands = script[script.index("const COMMANDS") : script.index("};", script.index("const COMMANDS"))]
    letters = {name.strip('"') for name in re.findall(r'^  ("?\S+"?):', commands, re.M)}
    assert {letter for letter in letters if len(letter) == 1} == set(RESERVED_KEYS)
    for letter in RESERVED_KEYS:
        with pytest.raises(ValidationError, match="does something else"):
            Label(group="G", words="W", key=letter, tag="new", reason="new").full_clean()
    Label(group="G", words="W", key="w", tag="new", reason="new").full_clean()


def test_keys_can_be_switched_off_for_oneself(ann, log_in, site, queue):
    address = f"/review/{site['rows'][0].pk}/?{queue}"
    assert ann.get(address).context["keys_on"] is True
    answer = ann.post(f"/review/keys/?{queue}", {"on": "0", "row": site["rows"][0].pk})
    assert answer["location"] == address
    assert ann.get(address).context["keys_on"] is False
    assert log_in("bob").get(address).context["keys_on"] is True
    assert ann.post("/review/keys/", {"on": "1", "row": "9" * 5000})["location"] == "/review/"


def test_lists_lead_to_their_review_for_those_who_may(ann, log_in, site):
    image, run = site["run"].image_id, site["run"].pk
    listed = f"/images/{image}/crossmatches/?ratio_min=2&sort=name&page=1"
    page = ann.get(listed).content.decode()
    assert f"/review/?ratio_min=2&amp;sort=name&amp;image={image}&amp;run={run}" in page
    assert (
        f"/review/?image={image}&amp;run={run}&amp;is_candidate=true" in ann.get(f"/images/{image}/").content.decode()
    )
    assert "/review/?is_candidate=true" in ann.get("/query/?is_candidate=true").content.decode()
    assert "/review/?" not in log_in("vic", "viewer").get(listed).content.decode()


def test_objects_that_two_rows_share_are_reviewed_once(ann, site, queue, label):
    run, comparison = make_run(3)
    first = make_row(comparison, 1, ratio=3.0)
    make_row(comparison, 2, ratio=2.0, sky_object=first.sky_object)
    query = f"image={run.image_id}"
    vote(ann, first, label["m"], query)
    assert first_left(ann, query) is None


# ---- databases and runs that change meanwhile


def test_a_vote_kept_for_another_database_at_this_address_counts_for_no_candidate_here(ann, site, queue, label):
    row = site["rows"][0]
    subject = f"{row.sky_object_id} {site['run'].image_id} {row.survey}"
    assert vote(ann, row, label["m"], queue, name="J000000-000000", subject=subject).status_code == 404
    assert not Vote.objects.exists()
    assert vote(ann, row, label["m"], queue, name=row.name, subject=subject).status_code == 200
    undo = {"reviewer": ann.user.pk, "name": "J000000-000000"}
    assert ann.post(f"/review/{row.pk}/undo/?{queue}", undo).status_code == 404
    assert Vote.objects.filter(active=True).count() == 1


def test_a_vote_counts_though_a_later_run_took_the_place_of_what_was_shown(ann, site, label):
    row = site["rows"][0]
    Run.objects.filter(pk=site["run"].pk).update(is_current=False)
    for query in ("is_candidate=true", f"image={site['run'].image_id}"):
        assert vote(ann, row, label["m"], query).status_code == 200
        assert services.find_subject(row).votes.get(active=True).run == row.run_id
        undone = ann.post(f"/review/{row.pk}/undo/?{query}", {"reviewer": ann.user.pk})
        assert undone.status_code == 302
        assert not Vote.objects.filter(active=True).exists()


def test_a_vote_counts_though_its_run_was_written_again_and_numbered_anew(ann, site, queue, label):
    row = site["rows"][1]
    subject, gone = f"{row.sky_object_id} {site['run'].image_id} {row.survey}", row.pk
    Crossmatch.objects.filter(pk=row.pk).update(id=row.pk + 1000)
    assert vote(ann, row, label["m"], queue).status_code == 404
    assert vote(ann, row, label["m"], queue, subject=subject).status_code == 200
    assert Vote.objects.get().subject == services.find_subject(Crossmatch.objects.get(pk=gone + 1000))
    # the image is still the parent of what is voted on
    for wrong in (
        subject,
        "",
        "1",
        "x y z",
        f"{'9' * 30} 1 SUMSS",
        "1 1 \0",
        f"{row.sky_object_id} {site['run'].image_id} NVSS",
    ):
        elsewhere = f"image={site['other_run'].image_id}"
        assert vote(ann, row, label["n"], elsewhere, subject=wrong).status_code == 404
    assert Vote.objects.count() == 1
