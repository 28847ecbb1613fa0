"""Comments with mentions, and stars: who writes, who reads, what stays."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils.html import escape

from web_server.candidates.models import Crossmatch
from web_server.review import comments, services
from web_server.review.comments import MAX_COMMENT, mentioned
from web_server.review.models import Comment, Event, Label, Star
from web_server.review.services import ReviewError
from web_server.review.visibility import LOOKED

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(site):
    return site["rows"][0]


@pytest.fixture
def address(row):
    return f"/images/{row.run.image_id}/crossmatches/{row.pk}/"


@pytest.fixture
def voted(row):
    """Make somebody see what others think of the row."""
    return lambda user: services.cast_vote(user, row, Label.objects.get(key="m"))


def text_of(client, address):
    return client.get(f"{address}talk/").content.decode()


def test_a_comment_is_shown_as_it_was_typed_and_never_as_html(client, person, row, address, voted):
    ann = person("ann")
    voted(ann)
    client.force_login(ann)
    typed = "<b>rises</b> & falls\r\nsee {{ row }} http://x.example \"'"
    assert client.post(f"{address}comments/", {"text": typed})["Location"] == address
    text = text_of(client, address)
    assert "&lt;b&gt;rises&lt;/b&gt; &amp; falls<br>see {{ row }} http://x.example" in text
    assert "<b>" not in text
    assert Comment.objects.get().text == typed.replace("\r\n", "\n")


def test_one_is_back_on_the_page_that_showed_the_form_and_never_on_another_site(client, person, address):
    client.force_login(person("ann"))
    for asked, expected in (
        (f"{address}?flag=Good#comments", f"{address}?flag=Good#comments"),
        ("https://evil.example/", address),
        ("//evil.example", address),
        ("javascript:alert(1)", address),
    ):
        assert client.post(f"{address}comments/", {"text": "x", "next": asked})["Location"] == expected
    part = client.get(f"{address}talk/", {"part": "1", "next": f"{address}?a=1"}).content.decode()
    assert f'value="{address}?a=1#comments"' in part
    assert "<html" not in part
    assert "evil" not in client.get(f"{address}talk/", {"part": "1", "next": "//evil.example"}).content.decode()


@pytest.mark.parametrize("text", ["", "  \n ", "x" * (MAX_COMMENT + 1), "nul \0 byte"])
def test_a_comment_that_cannot_be_taken_is_not_lost(client, person, address, text):
    client.force_login(person("ann"))
    answer = client.post(f"{address}comments/", {"text": text, "next": f"{address}?a=1"})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert escape(text.strip("\n ")) in answer.content.decode()
    assert not Comment.objects.exists()


def test_ends_of_lines_count_as_the_browser_counts_them(client, person, address):
    client.force_login(person("ann"))
    text = "x" * (MAX_COMMENT - 1) + "\n"
    assert client.post(f"{address}comments/", {"text": "y" + text.replace("\n", "\r\n")}).status_code == 302


def test_people_are_mentioned_by_their_name_in_any_case(person):
    ann, mail, dot = person("ann"), person("bob@x.example"), person("c.d")
    gone = person("gone")
    gone.is_active = False
    gone.save()
    assert mentioned("@ann, @Ann. (@ann's)") == [ann]
    assert mentioned("@bob@x.example and @c.d.") == [mail, dot]
    assert mentioned("to@ann.example a@ann @nobody @gone @ @. ann") == []


def test_mentions_are_bold_and_on_a_page_of_their_own(client, person, site, address, voted):
    ann, bob = person("ann"), person("bob")
    voted(bob)
    client.force_login(ann)
    client.post(f"{address}comments/", {"text": "@bob @nobody <i>look</i>"})
    client.post(f"/images/{site['run'].image_id}/comments/", {"text": "tile edge, @bob"})
    client.force_login(bob)
    assert "<strong>@bob</strong> @nobody &lt;i&gt;look" in text_of(client, address)
    page = client.get("/mentions/").content.decode()
    assert page.index("tile edge") < page.index("&lt;i&gt;look")
    # the newest image that shows the object
    assert f'href="/images/{site["elsewhere"].run.image_id}/crossmatches/{site["elsewhere"].pk}/#comments"' in page
    client.force_login(ann)
    assert "Nobody has mentioned you" in client.get("/mentions/").content.decode()


def test_before_their_vote_reviewers_read_only_their_own(client, person, row, address, voted):
    ann, bob, lea = person("ann"), person("bob"), person("lea", "lead")
    comments.add_comment(ann, "surely a pulsar @bob @lea", sky_object=row.sky_object)
    for user in (bob, lea):
        comments.add_comment(user, f"of {user}", sky_object=row.sky_object)
        client.force_login(user)
        text = text_of(client, address)
        assert "pulsar" not in text
        assert f"of {user}" in text
        assert "after your vote" in text
    client.force_login(bob)
    assert "pulsar" not in client.get("/mentions/").content.decode()
    voted(bob)
    assert "pulsar" in text_of(client, address)
    assert "pulsar" in client.get("/mentions/").content.decode()
    Event.objects.create(who=lea, what=LOOKED, subject=services.find_subject(row))
    client.force_login(lea)
    assert "pulsar" in text_of(client, address)
    client.force_login(person("vic", "viewer"))
    assert "pulsar" in text_of(client, address)


def test_that_somebody_sent_it_to_slack_is_an_opinion_too(client, person, row, address, settings, voted):
    from web_server.notify.services import enqueue_candidate

    settings.SLACK_TOKEN = settings.SLACK_CHANNEL = "x"
    ann, bob = person("ann"), person("bob")
    enqueue_candidate(ann, row)
    client.force_login(bob)
    assert "Queued" not in text_of(client, address)
    voted(bob)
    assert "by ann" in text_of(client, address)
    client.force_login(ann)
    assert "Queued" in text_of(client, address)


def test_only_who_wrote_it_edits_and_the_earlier_text_stays_as_history(client, person, row, address):
    ann, lea = person("ann"), person("lea", "lead")
    comment = comments.add_comment(ann, "first @lea", sky_object=row.sky_object)
    client.force_login(lea)
    answer = client.post(f"{address}comments/{comment.pk}/edit/", {"text": "mine"}, follow=True)
    assert "Only who wrote a comment can change it" in answer.content.decode()
    client.force_login(ann)
    client.post(f"{address}comments/{comment.pk}/edit/", {"text": "second @ann"})
    comment.refresh_from_db()
    assert comment.text == "second @ann"
    assert comment.edited is not None
    assert [*comment.mentions.all()] == [ann]
    event = Event.objects.first()
    assert (event.what, event.before, event.after) == ("comment edited", "first @lea", "second @ann")
    assert event.sky_object == row.sky_object
    n = Event.objects.count()
    client.post(f"{address}comments/{comment.pk}/edit/", {"text": "second @ann"})
    assert Event.objects.count() == n
    assert client.post(f"{address}comments/{comment.pk}/edit/", {"text": " "}).status_code == 400


def test_who_wrote_it_or_a_lead_deletes_and_nothing_is_lost(client, person, row, address, voted):
    ann, bob, lea = person("ann"), person("bob"), person("lea", "lead")
    one, two = (comments.add_comment(ann, f"text {n} @bob", sky_object=row.sky_object) for n in (1, 2))
    client.force_login(bob)
    client.post(f"{address}comments/{one.pk}/delete/")
    assert Comment.objects.filter(deleted=None).count() == 2
    client.force_login(ann)
    client.post(f"{address}comments/{one.pk}/delete/")
    client.force_login(lea)
    client.post(f"{address}comments/{two.pk}/delete/")
    assert client.post(f"{address}comments/{two.pk}/delete/").status_code == 404
    assert Comment.objects.filter(deleted__isnull=False).count() == 2
    assert [event.before for event in Event.objects.filter(what="comment deleted")] == ["text 2 @bob", "text 1 @bob"]
    voted(bob)
    client.force_login(bob)
    assert "text" not in client.get("/mentions/").content.decode().replace("text-", "").replace("color-scheme", "")
    with pytest.raises(ReviewError, match="was deleted"):
        comments.edit_comment(ann, one, "again")


def test_a_comment_is_reached_through_what_it_is_on(client, person, site, row, address):
    ann = person("ann")
    comment = comments.add_comment(ann, "here", sky_object=row.sky_object)
    on_image = comments.add_comment(ann, "there", image=row.run.image)
    client.force_login(ann)
    other = f"/images/{row.run.image_id}/crossmatches/{site['rows'][1].pk}/"
    wrong = (
        f"{other}comments/{comment.pk}/",
        f"{address}comments/{on_image.pk}/",
        f"/images/{row.run.image_id}/comments/{comment.pk}/",
        f"/images/{site['other_run'].image_id}/comments/{on_image.pk}/",
        f"/images/{site['other_run'].image_id}/crossmatches/{row.pk}/comments/{comment.pk}/",
    )
    for start in wrong:
        assert client.post(f"{start}edit/", {"text": "changed"}).status_code == 404
        assert client.post(f"{start}delete/").status_code == 404
    assert client.post(f"/images/{row.run.image_id}/comments/{on_image.pk}/edit/", {"text": "ok"}).status_code == 302
    # the same object, from its row in another image
    same = site["elsewhere"]
    reached = f"/images/{same.run.image_id}/crossmatches/{same.pk}/comments/{comment.pk}/edit/"
    assert client.post(reached, {"text": "from there"}).status_code == 302


def test_who_may_write(client, person, row, address):
    comment = comments.add_comment(person("zoe"), "x", sky_object=row.sky_object)
    places = (f"{address}comments/", f"{address}comments/{comment.pk}/edit/", f"{address}comments/{comment.pk}/delete/")
    for place in (*places, f"{address}star/"):
        assert client.post(place, {"text": "x"})["Location"].startswith("/accounts/login/")
        client.force_login(person(f"ann{len(place)}"))
        assert client.get(place).status_code == 405
        client.logout()
    client.force_login(person("vic", "viewer"))
    for place in places:
        assert client.post(place, {"text": "x"}).status_code == 403
    assert "<textarea" not in text_of(client, address)
    assert Comment.objects.count() == 1


def test_after_an_expired_log_in_one_is_back_on_the_page_and_knows_that_nothing_was_saved(client, person, address):
    ann = person("ann")
    page = f"{address}?is_candidate=true"
    asked = client.post(f"{address}comments/", {"text": "x"}, headers={"referer": f"http://testserver{page}#comments"})
    said = client.get(asked["Location"]).content.decode()
    assert "Nothing was saved: your log-in has expired" in said
    there = parse_qs(urlsplit(asked["Location"]).query)["next"][0]
    again = client.post("/accounts/login/", {"username": ann, "password": "x", "next": there})
    assert again["Location"] == page
    assert client.get(page).status_code == 200
    # a page of another site is not gone to, nor is a script sent elsewhere
    client.logout()
    for headers in ({"referer": "https://elsewhere.example/x"}, {}):
        assert client.post(f"{address}star/", headers=headers)["Location"] == "/accounts/login/?next=/"
    assert "Nothing was saved" in client.get("/accounts/login/").content.decode()
    client.post(f"{address}star/", headers={"accept": "application/json"})
    assert "Nothing was saved" not in client.get("/accounts/login/").content.decode()


def test_a_change_needs_the_token_of_the_page(person, address):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person("ann"))
    for place in ("comments/", "star/", "slack/"):
        assert strict.post(address + place, {"text": "x", "starred": "1"}).status_code == 403
    assert not Comment.objects.exists()
    assert not Star.objects.exists()


def test_a_star_is_ones_own_and_found_again(client, person, site, row, address):
    ann, vic = person("ann"), person("vic", "viewer")
    client.force_login(vic)
    for _ in range(2):
        client.post(f"{address}star/", {"starred": "1"})
    assert Star.objects.get().user == vic
    page = client.get("/starred/").content.decode()
    # the newest image that shows the object
    assert f'href="/images/{site["elsewhere"].run.image_id}/crossmatches/{site["elsewhere"].pk}/"' in page
    assert "take the star away" in text_of(client, address)
    client.force_login(ann)
    assert "have not starred" in client.get("/starred/").content.decode()
    assert client.post(f"/starred/{Star.objects.get().pk}/remove/").status_code == 404
    client.post(f"{address}star/", {"starred": "0"})
    assert Star.objects.count() == 1
    client.force_login(vic)
    client.post(f"/starred/{Star.objects.get().pk}/remove/")
    client.post(f"{address}star/", {"starred": "1"})
    client.post(f"{address}star/", {"starred": "0"})
    assert not Star.objects.exists()


def test_objects_whose_rows_are_gone_are_still_named(client, person, site, row):
    ann = person("ann")
    client.force_login(ann)
    comments.add_comment(ann, "me: @ann", sky_object=row.sky_object)
    Star.objects.create(user=ann, sky_object=row.sky_object)
    Crossmatch.objects.filter(sky_object=row.sky_object).delete()
    assert "in no run any more" in client.get("/starred/").content.decode()
    assert "no longer in any run" in client.get("/mentions/").content.decode()


def test_pages_are_bounded_and_take_few_queries(client, person, site, row, address, django_assert_max_num_queries):
    ann = person("ann")
    client.force_login(ann)
    for n in range(60):
        comments.add_comment(ann, f"{n} @ann", sky_object=site["rows"][n % 5].sky_object)
    for one in site["rows"]:
        Star.objects.create(user=ann, sky_object=one.sky_object)
    for place in ("/mentions/", "/starred/", f"{address}talk/", f"/images/{row.run.image_id}/talk/"):
        with django_assert_max_num_queries(12):
            assert client.get(place).status_code == 200
    page = client.get("/mentions/").content.decode()
    assert page.count("<article") == 50
    assert "?page=2" in page
    assert client.get("/mentions/?page=2").content.decode().count("<article") == 10


def test_the_pages_of_source_and_image_lead_to_the_comments(client, person, row, address):
    client.force_login(person("vic", "viewer"))
    for place in (address, f"/images/{row.run.image_id}/"):
        text = client.get(place).content.decode()
        assert f'data-address="{place}talk/"' in text
        assert f'href="{place}talk/"' in text
    assert client.get(f"/images/{row.run.image_id + 1}/crossmatches/{row.pk}/talk/").status_code == 404
