"""The defects of the earlier site, each with the tests that would catch it; here are those that no other file has."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.db import connection
from django.db.models.signals import post_init
from django.test import Client
from django.urls import resolve

from tests.web.addresses import ADDRESSES
from web_server.candidates.models import Crossmatch, Image, Product, Run, SkyObject, SurveyRun
from web_server.notify.models import Message
from web_server.review import claims, services
from web_server.review.models import Claim, Comment, Event, Label, Star, Vote
from web_server.review.services import ReviewError

TESTS = Path(__file__).parents[1]
HERE = "web/test_earlier_defects.py"

# What was wrong, by section and number of the description of the earlier site, and what would notice it today.
DEFECTS = {
    "security 1: any change is a GET, without a token": [
        "web/test_every_address.py::test_a_get_answers_as_the_role_allows_and_writes_nothing",
        "web/test_every_address.py::test_a_post_without_the_token_of_the_form_is_refused_everywhere",
    ],
    "security 2: anybody can have any file of the server sent to Slack": [
        "web/test_every_address.py::test_a_post_of_somebody_without_the_role_is_refused_and_changes_nothing",
        "web/test_slack.py::test_a_product_outside_of_its_run_is_never_sent",
        f"{HERE}::test_no_request_names_a_file_for_slack",
    ],
    "security 3: a source is changed through the address of another image": [
        "web/test_review.py::test_a_row_is_reached_through_its_run_only",
        "web/test_comments.py::test_a_comment_is_reached_through_what_it_is_on",
        f"{HERE}::test_nothing_is_changed_through_the_address_of_another_image",
    ],
    "security 4: an anonymous claim": [
        "web/test_every_address.py::test_a_post_of_somebody_without_the_role_is_refused_and_changes_nothing",
    ],
    "security 5: open redirect": [
        "web/test_pages.py::test_login_does_not_lead_to_another_host",
        "web/test_slack.py::test_after_the_click_one_is_back_on_the_page_and_never_on_another_site",
        "web/test_comments.py::test_one_is_back_on_the_page_that_showed_the_form_and_never_on_another_site",
    ],
    "security 6: published key, debugging on, any host, secrets in a file": [
        f"{HERE}::test_without_a_word_the_settings_are_closed",
        f"{HERE}::test_under_https_django_finds_the_site_fit_to_be_deployed",
        "packaging/test_hosting.py::test_createdb_and_a_run_make_a_served_site_on_postgresql",
    ],
    "security 7: open sign-up, no throttle, the server's paths shown to strangers": [
        "web/test_accounts.py::test_there_is_no_sign_up_without_an_invitation",
        "web/test_throttle.py::test_after_five_wrong_passwords_the_right_one_must_wait_too",
        f"{HERE}::test_strangers_read_no_path_of_the_server",
    ],
    "security 8: any tag, comments without log-in, old scripts from other hosts": [
        "web/test_review.py::test_a_vote_that_makes_no_sense_is_refused_with_the_reason",
        "web/test_comments.py::test_who_may_write",
        "web/test_accessibility.py::test_no_page_asks_another_host_and_none_fails",
        "packaging/test_hosting.py::test_the_lock_names_no_registry_and_pins_every_package",
    ],
    "security 9: SQL from text, broken by nan": [
        "web/test_pages.py::test_bad_input_is_said_beside_the_field_and_lists_nothing",
        "database/test_cone.py::test_what_is_no_cone_is_refused",
    ],
    "behaviour 1: no page renders": [
        "web/test_every_address.py::test_a_get_answers_as_the_role_allows_and_writes_nothing",
    ],
    "behaviour 2: keys with Ctrl write tags": [
        "web/test_triage.py::test_keys_with_a_modifier_write_nothing",
        "web/test_triage.py::test_keys_write_into_the_note_instead_of_voting",
        "web/test_triage.py::test_keys_vote_on_no_other_page",
    ],
    "behaviour 3: next and previous": [
        "web/test_pages.py::test_previous_and_next_follow_the_list_that_led_here",
        "web/test_lists.py::test_next_and_previous_walk_the_whole_list",
        "web/test_review.py::test_two_windows_have_lists_of_their_own",
        "web/test_review.py::test_a_list_of_one_row_says_so",
    ],
    "behaviour 4: sorting the images by candidates": [
        "web/test_pages.py::test_home_can_be_sorted_by_every_column_and_by_nonsense"
    ],
    "behaviour 5: wrong input and missing objects are errors of the server": [
        "web/test_pages.py::test_bad_input_is_said_beside_the_field_and_lists_nothing",
        "web/test_pages.py::test_what_does_not_exist_is_404",
        "web/test_pages.py::test_rows_are_sorted_with_missing_values_last_and_a_total_order",
        f"{HERE}::test_a_run_that_wrote_little_has_its_page",
    ],
    "behaviour 6: lists of users are frozen": [f"{HERE}::test_who_came_today_can_be_chosen_today"],
    "behaviour 7: candidates and checked ones are counted by different rules": [
        "web/test_list_pages.py::test_home_and_image_count_what_is_reviewed_by_anybody_and_by_me",
        "web/test_review.py::test_progress_counts_my_votes_and_nobody_elses",
    ],
    "behaviour 8: two win a claim; long names": [
        f"{HERE}::test_of_many_who_claim_at_once_one_wins",
        f"{HERE}::test_the_longest_name_works_everywhere",
    ],
    "behaviour 9: failures look like success": [
        "web/test_triage.py::test_votes_are_kept_while_the_server_is_away_and_sent_when_it_is_back",
        "web/test_triage.py::test_a_refused_vote_is_shown_until_it_is_discarded",
        "web/test_slack.py::test_trouble_is_tried_again_later_with_growing_pauses",
        "web/test_slack.py::test_what_a_person_must_mend_waits_for_the_button",
    ],
    "behaviour 10: staff destroy the tag before theirs": [
        "web/test_votes.py::test_a_decision_stands_beside_the_votes",
        "web/test_review.py::test_a_label_of_leads_is_refused_to_others_and_is_a_decision_for_leads",
    ],
    "behaviour 11: the first click of SAMP fails": [
        "web/test_source_browser.py::test_a_program_at_the_hub_gets_the_place_the_cutout_and_the_table",
        "web/test_source_browser.py::test_without_a_hub_the_page_says_so_and_works_on",
    ],
    "behaviour 12: sixty seconds": ["web/test_pages.py::test_no_position_has_sixty_seconds"],
    "behaviour 13: rounded files, |m| with a sign, wrong letters": [
        "web/test_exports.py::test_values_are_unrounded_and_missing_ones_are_empty",
        "web/test_review.py::test_a_signed_m_is_not_called_its_size",
        "web/test_review.py::test_the_letters_on_the_buttons_are_those_that_vote",
    ],
    "behaviour 14: ranges end at 0; the link to SIMBAD": [
        "web/test_filters.py::test_each_filter_gives_its_rows",
        "unit/test_sky_links.py::test_the_address_says_where",
    ],
    "behaviour 15: old accounts crash; log-in without a page to go to": [
        "web/test_roles.py::test_without_a_group_one_may_look_and_nobody_may_do_nothing",
        "web/test_pages.py::test_login_does_not_lead_to_another_host",
    ],
    "behaviour 16: overflows; missing values are numbers": [
        "database/test_injection.py::test_missing_and_infinite_numbers_are_null",
        "web/test_lists.py::test_many_related_rows_need_no_more_queries",
        "web/test_pages.py::test_each_filter_gives_its_rows",
    ],
    "behaviour 17: a run again doubles everything; orphans; whoever writes first makes the tables": [
        "database/test_injection.py::test_the_same_run_again_replaces_its_rows",
        "database/test_injection.py::test_several_pipelines_may_start_with_an_empty_database_at_once",
        "database/test_schema.py::test_the_migrations_are_complete",
        f"{HERE}::test_a_deleted_image_leaves_nothing_of_its_runs",
    ],
    "behaviour 18: the quick view asks for every source": [
        "web/test_list_pages.py::test_the_gallery_shows_the_small_stamps_of_the_list_when_they_come_into_view",
        "web/test_list_pages.py::test_more_votes_need_no_more_queries",
    ],
    "behaviour 19: links to places that are not there; a block that the base has not": [
        f"{HERE}::test_every_link_leads_to_a_page_and_to_a_place_on_it",
        f"{HERE}::test_every_block_of_a_page_has_its_place_in_the_base",
    ],
    "behaviour 20: home loads all rows to count them": [f"{HERE}::test_home_loads_no_row_of_an_image"],
    "duplication: pages that no link leads to": [f"{HERE}::test_every_link_leads_to_a_page_and_to_a_place_on_it"],
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_has_tests_that_exist(defect):
    assert DEFECTS[defect]
    for name in DEFECTS[defect]:
        file, _, function = name.partition("::")
        tree = ast.parse((TESTS / file).read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name


def row_address(row, image_id=None):
    return f"/images/{image_id or row.run.image_id}/crossmatches/{row.pk}/"


def enter(user):
    client = Client()
    client.force_login(user)
    return client


def test_no_request_names_a_file_for_slack(site, person, settings):
    settings.SLACK_TOKEN, settings.SLACK_CHANNEL = "xoxb-test", "C0123456789"
    row = site["rows"][0]
    given = {"ploturl": "/etc/passwd", "path": "../../etc/passwd", "file": "/etc/passwd"}
    enter(person("ann")).post(f"{row_address(row)}slack/?ploturl=/etc/passwd", given)
    message = Message.objects.get()
    assert "passwd" not in str({field.name: getattr(message, field.name) for field in Message._meta.fields})


@pytest.mark.parametrize("what", ["slack/", "star/", "comments/", "talk/", "samp/", "sky/", ""])
def test_nothing_is_changed_through_the_address_of_another_image(site, person, settings, what):
    settings.SLACK_TOKEN, settings.SLACK_CHANNEL = "xoxb-test", "C0123456789"
    ann = person("ann")
    # to own the other image is no help
    claims.claim(ann, site["other_run"].image)
    address = row_address(site["rows"][0], site["other_run"].image_id) + what
    assert enter(ann).post(address, {"text": "x"}).status_code in (404, 405)
    assert enter(ann).get(address).status_code in (404, 405)
    for model in (Message, Star, Comment, Vote):
        assert not model.objects.exists()


def ask_django(tmp_path, *words, **environment):
    """Run a command of Django with the settings that the site is served with, and nothing of this process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RACS_", "DJANGO_"))}
    kept |= {"PYTHONPATH": str(TESTS.parent), "DJANGO_SETTINGS_MODULE": "web_server.default_settings"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "django", *words],
        cwd=tmp_path,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_word_the_settings_are_closed(tmp_path):
    database = f"sqlite:///{tmp_path}/racs.sqlite3"
    code = (
        "from django.conf import settings as s; "
        "print(s.DEBUG, '*' in s.ALLOWED_HOSTS, s.OPEN_READING, s.SLACK_TOKEN == '', s.SECRET_KEY)"
    )
    said = [
        ask_django(tmp_path, "shell", "--no-imports", "-c", code, RACS_TRANSIENTS_DATABASE_URL=url).stdout.split()
        for url in (database, database, f"sqlite:///{tmp_path}/other/racs.sqlite3")
        if (tmp_path / "other").mkdir(exist_ok=True) is None
    ]
    assert said[0][:4] == ["False", "False", "False", "True"]
    assert len(said[0][4]) >= 50
    # its own for each database, and the same one the next time
    assert said[0] == said[1]
    assert said[0][4] != said[2][4]


def test_under_https_django_finds_the_site_fit_to_be_deployed(browser_libraries, tmp_path):
    environment = {
        "RACS_TRANSIENTS_HTTPS": "1",
        "RACS_TRANSIENTS_ALLOWED_HOSTS": "racs.example.org",
        "RACS_TRANSIENTS_DATABASE_URL": f"sqlite:///{tmp_path}/racs.sqlite3",
    }
    done = ask_django(tmp_path, "check", "--deploy", "--fail-level", "INFO", **environment)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
    # it is this environment that makes it fit
    open_one = environment | {"RACS_TRANSIENTS_HTTPS": "", "RACS_TRANSIENTS_DEBUG": "1"}
    assert ask_django(tmp_path, "check", "--deploy", "--fail-level", "INFO", **open_one).returncode == 1


def test_strangers_read_no_path_of_the_server(client, site, person, settings):
    settings.OPEN_READING = True
    run, row = site["run"], site["rows"][0]
    run.image.path = "/secret/image1.fits"
    run.image.save()
    run.command = ["processASKAPimage.py", "/secret/image1.fits"]
    run.settings = {"GENERAL": {"output_dir": "/secret/results"}}
    run.inputs = {"image": {"path": "/secret/image1.fits", "sha256": "0"}}
    run.warnings = ["/secret/mosaics has no image here"]
    run.save()
    image = f"/images/{run.image_id}/"
    pages = ["/", "/query/", image, f"{image}crossmatches/", row_address(row)]
    pages += [f"/query/export.{kind}" for kind in ("csv", "vot")]
    for page in pages:
        text = client.get(page).getvalue()
        assert b"image1.fits" in text
        assert b"/secret" not in text, page
        assert str(site["root"]).encode() not in text, page
    ann = enter(person("ann", "viewer"))
    assert b"/secret/results" in ann.get(image).getvalue()
    for product in run.products.exclude(path="plots/gone.png"):
        address, opened = f"/products/{product.pk}/", product.kind != "report"
        answer = client.get(address)
        assert answer.status_code == (200 if opened else 302), product.kind
        assert opened == bool(answer.getvalue())
        assert ann.get(address).getvalue()


def test_strangers_read_no_name_of_a_person(client, site, person, settings):
    settings.OPEN_READING = True
    run, row, ann = site["run"], site["rows"][0], person("ann-the-reviewer")
    run.started_by = "bob-of-the-server"
    run.save()
    services.cast_vote(ann, row, Label.objects.filter(lead_only=False).first())
    Claim.objects.create(image=run.image, owner=ann)
    image = f"/images/{run.image_id}/"
    pages = ["/", "/query/", image, f"{image}crossmatches/", row_address(row), "/query/export.csv"]

    def told(visitor, name):
        return [page for page in pages if name.encode() in visitor.get(page).getvalue()]

    viewer = enter(person("vic", "viewer"))
    assert told(viewer, "ann-the-reviewer") == pages
    assert told(client, "ann-the-reviewer") == told(client, "bob-of-the-server") == []


def test_a_run_that_wrote_little_has_its_page(reader, db):
    image = Image.objects.create(sha256="0" * 64, name="bare.fits", ra=1.0, dec=-60.0, width=100)
    assert reader.get(f"/images/{image.pk}/").status_code == 404
    Run.objects.create(image=image, tag="test")
    for address in ("/", f"/images/{image.pk}/", f"/images/{image.pk}/crossmatches/", "/query/"):
        assert reader.get(address).status_code == 200, address


def test_who_came_today_can_be_chosen_today(site, person):
    lead = enter(person("lea", "lead"))
    image = f"/images/{site['run'].image_id}/"
    assert ">newcomer</option>" not in lead.get(image).content.decode()
    services.cast_vote(person("newcomer"), site["rows"][0], Label.objects.filter(lead_only=False).first())
    assert ">newcomer</option>" in lead.get(image).content.decode()
    answer = lead.get("/query/", {"reviewed_by": "newcomer"})
    assert answer.status_code == 200
    assert site["rows"][0].name in answer.content.decode()


@pytest.fixture
def committed(restored, transactional_db):
    """What the test writes is committed."""


def test_of_many_who_claim_at_once_one_wins(committed, person, site):
    people, image = [person(f"p{number}") for number in range(6)], site["run"].image
    won, lost, start = [], [], threading.Barrier(len(people))

    def take(user):
        start.wait()
        try:
            won.append(claims.claim(user, image).owner)
        except ReviewError:
            lost.append(user)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 5)
    assert [Claim.objects.get().owner] == won
    assert [event.who for event in Event.objects.filter(what="claim")] == won


def test_the_longest_name_works_everywhere(site, person):
    name = "x" * 150
    client, row, label = enter(person(name)), site["rows"][0], Label.objects.get(key="i")
    image = f"/images/{site['run'].image_id}/"
    client.post(f"{image}claim/")
    assert Claim.objects.get().owner.username == name
    client.post(f"{row_address(row)}comments/", {"text": f"@{name}"})
    client.post(
        f"/review/{row.pk}/vote/?image={site['run'].image_id}",
        {"label": label.pk, "reviewer": client.session["_auth_user_id"]},
    )
    assert (Comment.objects.count(), Vote.objects.count()) == (1, 1)
    for address in ("/", image, row_address(row), "/query/export.csv", "/mentions/"):
        assert name in client.get(address).getvalue().decode(), address


def test_a_deleted_image_leaves_nothing_of_its_runs(site):
    kept = Crossmatch.objects.filter(run=site["other_run"]).count()
    site["run"].image.delete()
    assert [Run.objects.get(), SurveyRun.objects.get().run] == [site["other_run"]] * 2
    assert Crossmatch.objects.count() == kept
    assert not Product.objects.exists()
    with connection.cursor() as cursor:
        connection.check_constraints()
        cursor.execute(f"SELECT count(*) FROM {Crossmatch._meta.db_table}")
        assert cursor.fetchone()[0] == kept


def test_home_loads_no_row_of_an_image(reader, site):
    loaded = []

    def count(instance, **_):
        loaded.append(instance)

    for model in (Crossmatch, SkyObject):
        post_init.connect(count, sender=model)
    try:
        assert "image1.fits" in reader.get("/").content.decode()
    finally:
        for model in (Crossmatch, SkyObject):
            post_init.disconnect(count, sender=model)
    assert loaded == []


# Pages that a link does not lead to: they follow a form, are part of another page, or are reached by mail.
_WITHOUT_LINK = re.compile(
    r"accounts/(login|password/done|forgotten/sent|new-password|join)|review/session|/part/$|/samp/$|signed/|products/"
)


# So many pages of each kind are looked at.
_OF_A_KIND = 2


def links_of(text, path):
    """Return the addresses of this site that a page leads to, whole, without those of Django's administration."""
    found = re.findall(r'<a [^>]*?href="([^"]+)"|data-address="([^"]+)"', text)
    whole = [
        urljoin(path, (link or part).replace("&amp;", "&").removeprefix("http://testserver")) for link, part in found
    ]
    return [link for link in whole if not urlsplit(link).netloc and not link.startswith("/admin/")]


def test_every_link_leads_to_a_page_and_to_a_place_on_it(site, person, django_user_model):
    """One goes from the first page wherever a link leads: nothing is missing, and no page of the site is left out."""
    bob, row = person("bob"), site["rows"][0]
    label = {label.key: label for label in Label.objects.all()}
    services.cast_vote(bob, row, label["i"])
    services.cast_vote(person("ann"), row, label["m"])
    Comment.objects.create(author=bob, text="x", sky_object=row.sky_object)
    client = enter(django_user_model.objects.create_superuser("root", password="x"))
    waiting, texts, kinds, places, wrong = ["/", "/accounts/forgotten/"], {}, Counter(), [], []
    while waiting:
        address, _ = urldefrag(waiting.pop())
        path = urlsplit(address).path
        kind = resolve(path).route
        if path in texts or kinds[kind] >= _OF_A_KIND:
            continue
        kinds[kind] += 1
        answer = client.get(address, follow=True)
        texts[path] = answer.getvalue().decode(errors="replace")
        if answer.status_code != 200:
            wrong.append((address, answer.status_code))
        elif answer.headers.get("Content-Type", "").startswith("text/html"):
            kinds.update({answer.resolver_match.route} - {kind})
            links = links_of(texts[path], path)
            places += [(path, urlsplit(link).path, urlsplit(link).fragment) for link in links if "#" in link]
            waiting += links
    assert wrong == []
    assert places
    for origin, target, place in places:
        # comments, star and Slack load after their page
        there = "".join(client.get(part).getvalue().decode() for part in (target, f"{target}talk/"))
        assert f'id="{place}"' in there, f"{origin} leads to #{place} of {target}, which has no such place"
    pages = {route for route, answers in ADDRESSES.items() if answers.get[-1] == 200}
    unreached = {route for route in pages - kinds.keys() if not _WITHOUT_LINK.search(route)}
    assert unreached == set(), "no link leads to these"


def test_every_block_of_a_page_has_its_place_in_the_base():
    templates = {path: path.read_text() for path in (TESTS.parent / "web_server").glob("*/templates/**/*.html")}
    by_name = {str(path).partition("/templates/")[2]: text for path, text in templates.items()}
    extending = 0
    for path, text in templates.items():
        parent = re.search(r'{% extends "([^"]+)" %}', text)
        offered = set()
        while parent:
            above = by_name[parent[1]]
            offered |= set(re.findall(r"{% block (\w+) %}", above))
            parent = re.search(r'{% extends "([^"]+)" %}', above)
        if "{% extends" in text:
            extending += 1
            own = set(re.findall(r"{% block (\w+) %}", text))
            # a page that others extend may offer blocks inside of its own
            inner = set(re.findall(r"{% block (\w+) %}{% endblock %}", text))
            assert own - inner <= offered, path
    assert extending > 20
