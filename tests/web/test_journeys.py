"""What people do with the site from beginning to end, in a browser, through the pages only."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from astropy.table import Table
from django.core.management import call_command
from PIL import Image as Picture
from playwright.sync_api import expect

from tests.slack_server import CHANNEL, POST, UPLOAD, local_slack
from tests.web.conftest import make_row, make_run
from tests.web.live import site_server, wait_until
from web_server.candidates.models import Product
from web_server.notify.models import Message
from web_server.review.models import Claim, Comment, Decision, SavedSearch, Vote

PASSWORD = "correct horse battery"


@pytest.fixture
def row(served, tmp_path):
    """The strongest of three rows of an image, two of them candidates; it has a stamp."""
    run, comparison = make_run(1, root=tmp_path)
    rows = [
        make_row(comparison, number + 1, ratio=10.0 - number, is_candidate=number < 2, vs=5.0 + number, vs_abs=5.0)
        for number in range(3)
    ]
    Picture.new("RGB", (900, 400), "white").save(tmp_path / "stamp.jpg")
    Product.objects.create(run=run, kind="stamp", path="stamp.jpg", crossmatch=rows[0])
    return rows[0]


def source_of(row):
    return f"/images/{row.run.image_id}/crossmatches/{row.pk}/"


def log_in(page, name, password):
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_one_logs_in_through_the_form_and_arrives_where_one_was_going(served, browser, row, person):
    ann = person("ann")
    ann.set_password(PASSWORD)
    ann.save()
    context = browser.new_context(base_url=served)
    try:
        page = context.new_page()
        page.goto(source_of(row))
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
        assert row.name not in page.content()
        log_in(page, "ann", "a wrong password")
        expect(page.locator("form.narrow")).to_contain_text("Please enter a correct username and password")
        page.goto("/query/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
        page.goto(source_of(row))
        log_in(page, "ann", PASSWORD)
        expect(page.get_by_role("heading", level=1)).to_have_text(row.name)
        page.locator("summary", has_text="ann").click()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
        page.go_back()
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    finally:
        context.close()


def test_one_claims_an_image_others_see_it_and_one_releases_it(visit, row, person):
    ann, bob = person("ann"), person("bob")
    page = visit(ann, "/")
    page.get_by_role("link", name=row.run.image.name).click()
    page.get_by_role("button", name="Claim this image").click()
    review = page.get_by_role("region", name="Review of this image")
    expect(review).to_contain_text("claimed by ann")
    assert Claim.objects.get().owner == ann

    his = visit(bob, "/")
    expect(his.locator("tbody tr")).to_contain_text("ann")
    his.get_by_role("link", name=row.run.image.name).click()
    expect(his.get_by_role("region", name="Review of this image")).to_contain_text("claimed by ann")
    expect(his.get_by_role("button", name="Claim this image")).to_have_count(0)
    expect(his.get_by_role("button", name="Release this image")).to_have_count(0)

    page.get_by_role("button", name="Release this image").click()
    expect(review).to_contain_text("not claimed")
    his.reload()
    his.get_by_role("button", name="Claim this image").click()
    expect(his.get_by_role("region", name="Review of this image")).to_contain_text("claimed by bob")


def test_one_searches_keeps_the_search_and_exports_its_list(visit, row, person):
    page = visit(person("ann"), "/")
    page.get_by_role("link", name="Query").click()
    page.locator("details.filters > summary").click()
    page.locator("[name=ratio_min]").fill("8.5")
    page.get_by_role("button", name="Search", exact=True).click()
    caption = page.locator("caption")
    expect(caption).to_contain_text("2 rows")
    page.locator("details.searches > summary").click()
    page.get_by_label("Keep this search as").fill("strong ones")
    page.get_by_role("button", name="Keep").click()
    search = SavedSearch.objects.get(name="strong ones")
    assert (search.owner.get_username(), search.shared) == ("ann", False)

    page.goto("/query/")
    page.locator("details.searches > summary").click()
    page.get_by_role("link", name="Load my last query").click()
    expect(caption).to_contain_text("2 rows")
    page.goto("/")
    page.get_by_role("link", name="Searches").click()
    page.get_by_role("link", name="strong ones").click()
    expect(caption).to_contain_text("2 rows")

    shown = page.locator("tbody tr").count()
    tables = {}
    for kind, how in (("CSV", "ascii.ecsv"), ("VOTable", "votable")):
        with page.expect_download() as download:
            page.get_by_role("link", name=kind, exact=True).click()
        tables[kind] = Table.read(download.value.path(), format=how)
    assert shown == 2
    for table in tables.values():
        assert list(table["name"]) == ["J1-001", "J1-002"]
        assert list(table["ratio"]) == [10.0, 9.0]


def test_a_comment_reaches_whom_it_mentions(visit, row, person):
    ann, bob = person("ann"), person("bob")
    page = visit(ann, source_of(row))
    page.get_by_label("Write a comment").fill("Is this real, @bob?\n<b>I doubt it</b>")
    page.get_by_role("button", name="Comment").click()
    article = page.get_by_role("article", name="Comment by ann")
    expect(article).to_contain_text("<b>I doubt it</b>")
    expect(page).to_have_url(f"{page.url.split('#')[0]}#comments")
    assert Comment.objects.get().author == ann

    his = visit(bob, "/")
    his.locator("summary", has_text="bob").click()
    his.get_by_role("link", name="Mentions").click()
    mention = his.get_by_role("article", name="Comment by ann")
    # what ann thinks of it waits for his own vote
    expect(mention).to_contain_text("Shown after your vote")
    his.goto(f"/review/?image={row.run.image_id}&is_candidate=true")
    his.wait_for_selector("#review[data-ready]")
    his.keyboard.press("m")
    expect(his.locator("#name")).to_have_text("J1-002")
    wait_until(his, "!Object.keys(localStorage).some(key => key.startsWith('racs-review/'))")
    his.goto("/mentions/")
    expect(mention).to_contain_text("Is this real")
    mention.get_by_role("link", name=row.name).click()
    expect(his.get_by_role("article", name="Comment by ann")).to_contain_text("Is this real")


def test_a_comment_is_not_lost_with_the_log_in(visit, row, person):
    ann = person("ann")
    ann.set_password(PASSWORD)
    ann.save()
    page = visit(ann, source_of(row))
    page.get_by_label("Write a comment").fill("Two lines,\nlong thought about")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Comment").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing was saved")
    log_in(page, "ann", PASSWORD)
    expect(page).to_have_url(re.compile(re.escape(source_of(row))))
    expect(page.get_by_label("Write a comment")).to_have_value("Two lines,\nlong thought about")
    page.get_by_role("button", name="Comment").click()
    expect(page.get_by_role("article", name="Comment by ann")).to_contain_text("long thought about")
    expect(page.get_by_label("Write a comment")).to_have_value("")
    assert Comment.objects.get().author == ann


@pytest.fixture
def with_slack(served, tmp_path, settings, monkeypatch):
    """A second server of the site, which knows a server like Slack's, and the two servers' addresses."""
    with local_slack() as slack:
        known = {"TOKEN": "xoxb-test", "CHANNEL": CHANNEL, "URL": f"{slack.url}/api/"}
        for name, value in known.items():
            monkeypatch.setenv(f"RACS_TRANSIENTS_SLACK_{name}", value)
            setattr(settings, f"SLACK_{name}", value)
        settings.SITE_URL = "https://racs.example"
        monkeypatch.setenv("RACS_TRANSIENTS_SITE_URL", settings.SITE_URL)
        with site_server(tmp_path) as url:
            yield url, slack


def test_a_candidate_goes_to_slack_by_a_button_and_the_worker(visit, with_slack, row, person):
    url, slack = with_slack
    page = visit(person("ann"))
    page.goto(url + source_of(row))
    page.get_by_role("button", name="Send to Slack").click()
    said = page.get_by_role("region", name="Slack")
    expect(said).to_contain_text("the worker sends it")
    expect(said).to_contain_text("by ann")
    assert slack.calls == []

    call_command("work", "--once", stdout=StringIO())
    page.reload()
    expect(said).to_contain_text("Sent 20")
    (message,) = slack.said(POST)
    assert row.name in str(message)
    assert f"https://racs.example{source_of(row)}" in str(message)
    assert len(slack.said(UPLOAD)) == 1
    assert Message.objects.get().state == "sent"


def test_a_lead_resolves_the_conflict_of_two_reviewers(visit, row, person):
    ann, bob, lea = person("ann"), person("bob"), person("lea", "lead")
    for user, key in ((ann, "m"), (bob, "i")):
        page = visit(user, f"/images/{row.run.image_id}/")
        page.get_by_role("link", name="Review the candidates").click()
        page.wait_for_selector("#review[data-ready]")
        page.keyboard.press(key)
        expect(page.locator("#name")).to_have_text("J1-002")
        wait_until(page, "!Object.keys(localStorage).some(key => key.startsWith('racs-review/'))")

    page = visit(lea, "/")
    page.get_by_role("link", name="Conflicts").click()
    conflict = page.get_by_role("region", name=row.name)
    for who, tag in (("ann", "ignore"), ("bob", "investigate")):
        expect(conflict.get_by_role("row", name=who)).to_contain_text(tag)
    conflict.get_by_label("Decide as").select_option(label="maybe (maybe)")
    conflict.get_by_label("Why").fill("it is at the edge")
    conflict.get_by_role("button", name="Decide").click()
    expect(page.locator("main")).to_contain_text("No conflict is open")

    decision = Decision.objects.get()
    assert (decision.label.key, decision.note) == ("y", "it is at the edge")
    # the votes stay as they were cast
    votes = Vote.objects.filter(active=True).values_list("reviewer__username", "label__key")
    assert sorted(votes) == [("ann", "m"), ("bob", "i")]
    page = visit(ann, source_of(row))
    expect(page.locator("main")).to_contain_text("it is at the edge")
