"""The review page in a browser: keys, undo, votes that cannot be saved at once, two people."""

from __future__ import annotations

import uuid

import pytest
from PIL import Image as Picture
from playwright.sync_api import expect

from racs_transients.plots.layout import GAP, MARGIN, PANEL, TOP
from tests.web.conftest import make_row, make_run
from tests.web.live import session_of, wait_until
from web_server.candidates.models import Crossmatch, Product, Run, SurveyRun
from web_server.review.models import Decision, Label, Vote

N = 6


@pytest.fixture
def image(served, tmp_path):
    """An image with six candidates of falling ratio, each with a stamp whose panels are red and blue."""
    run, comparison = make_run(1, root=tmp_path)
    stamp = Picture.new("RGB", (2 * MARGIN + 2 * PANEL + GAP, TOP + PANEL + 104), "white")
    for number, colour in enumerate(("red", "blue")):
        left = MARGIN + number * (PANEL + GAP)
        stamp.paste(colour, (left, TOP, left + PANEL, TOP + PANEL))
    stamp.save(tmp_path / "stamp.jpg")
    for number in range(N):
        row = make_row(comparison, number + 1, ratio=10.0 - number, is_candidate=True)
        Product.objects.create(run=run, kind="stamp", path=f"{number}/../stamp.jpg", crossmatch=row)
    (tmp_path / "0").mkdir()
    return run.image


@pytest.fixture
def review(visit, image):
    """Open the review page of the image's candidates for somebody."""

    def open_page(user, **options):
        page = visit(user, f"/review/?image={image.pk}&is_candidate=true", **options)
        page.wait_for_selector("#review[data-ready]")
        return page

    return open_page


def saved(user):
    """What somebody's votes are, by the number of the row."""
    votes = Vote.objects.filter(reviewer=user, active=True).select_related("label")
    return {vote.subject.sky_object.crossmatches.get().match_id: vote.label.key for vote in votes}


def shows(page, number):
    expect(page.locator("#name")).to_have_text(f"J1-{number:03d}")


def log_in(page, user):
    page.context.add_cookies([{"name": "sessionid", "value": session_of(user), "domain": "127.0.0.1", "path": "/"}])


def retry(page):
    """Press the button, which is gone where the page has tried by itself meanwhile."""
    page.evaluate("document.getElementById('retry').click()")


def settled(page):
    """Wait until nothing is on its way."""
    wait_until(page, "!Object.keys(localStorage).some(key => key.startsWith('racs-review/'))")


def test_a_letter_votes_and_shows_the_next_candidate(review, person):
    ann = person("ann")
    page = review(ann)
    shows(page, 1)
    page.keyboard.press("m")
    shows(page, 2)
    expect(page.locator("#left")).to_have_text("5")
    expect(page.locator("#said")).to_contain_text("There is a match")
    page.keyboard.press("i")
    shows(page, 3)
    settled(page)
    assert saved(ann) == {1: "m", 2: "i"}


def test_undo_goes_several_steps_back(review, person):
    ann = person("ann")
    page = review(ann)
    for number, key in enumerate("mni", start=1):
        shows(page, number)
        page.keyboard.press(key)
    shows(page, 4)
    page.keyboard.press("u")
    shows(page, 3)
    expect(page.locator("#said")).to_contain_text("Undone")
    page.keyboard.press("u")
    shows(page, 2)
    settled(page)
    assert saved(ann) == {1: "m"}
    expect(page.locator("#left")).to_have_text("5")
    page.keyboard.press("u")
    page.keyboard.press("u")
    expect(page.locator("#said")).to_have_text("There is nothing to undo.")
    settled(page)
    assert saved(ann) == {}


def test_undo_reaches_back_over_a_reload(review, person):
    ann = person("ann")
    page = review(ann)
    page.keyboard.press("m")
    shows(page, 2)
    settled(page)
    page.reload()
    page.wait_for_selector("#review[data-ready]")
    page.keyboard.press("u")
    shows(page, 1)
    settled(page)
    assert saved(ann) == {}


def test_a_changed_vote_comes_back_when_the_change_is_undone(review, person):
    ann = person("ann")
    page = review(ann)
    page.keyboard.press("m")
    shows(page, 2)
    page.keyboard.press("ArrowLeft")
    shows(page, 1)
    page.keyboard.press("n")
    shows(page, 2)
    settled(page)
    assert saved(ann) == {1: "n"}
    page.keyboard.press("u")
    shows(page, 1)
    settled(page)
    assert saved(ann) == {1: "m"}
    page.keyboard.press("u")
    settled(page)
    assert saved(ann) == {}


@pytest.mark.parametrize("modifier", ["Control", "Alt", "Meta"])
def test_keys_with_a_modifier_write_nothing(review, person, modifier):
    """Defect 11.2 2 of the earlier site: Ctrl+C, Ctrl+F and Ctrl+S wrote tags."""
    page = review(person("ann"))
    for key in "cfsmnu":
        page.keyboard.press(f"{modifier}+{key}")
    page.keyboard.press(f"{modifier}+ArrowRight")
    shows(page, 1)
    settled(page)
    assert not Vote.objects.exists()


def test_a_key_that_is_held_down_votes_once(review, person):
    ann = person("ann")
    page = review(ann)
    page.keyboard.down("m")
    shows(page, 2)
    page.keyboard.down("m")  # without a release it is a repetition
    page.keyboard.down("m")
    page.keyboard.up("m")
    shows(page, 2)
    settled(page)
    assert saved(ann) == {1: "m"}


def test_keys_write_into_the_note_instead_of_voting(review, person):
    """Defect 11.2 2 of the earlier site: only some kinds of fields were exempt."""
    ann = person("ann")
    page = review(ann)
    page.locator("#note").click()
    page.keyboard.type("nice?")
    page.keyboard.press("ArrowLeft")
    page.locator("#number").click()
    page.keyboard.press("m")
    shows(page, 1)
    assert not Vote.objects.exists()
    page.get_by_role("button", name="Not sure").click()
    shows(page, 2)
    settled(page)
    assert [(vote.label.key, vote.note) for vote in Vote.objects.all()] == [("x", "nice?")]


def test_keys_vote_on_no_other_page(visit, image, person):
    page = visit(person("ann"), f"/images/{image.pk}/crossmatches/?is_candidate=true")
    for path in ("", "/", "/query/", f"/images/{image.pk}/"):
        if path:
            page.goto(path)
        address = page.url
        for key in ("m", "i", "u", "ArrowRight"):
            page.keyboard.press(key)
        assert page.url == address
    assert not Vote.objects.exists()


def test_arrows_walk_through_the_list_without_a_vote(review, person):
    page = review(person("ann"))
    page.keyboard.press("ArrowRight")
    shows(page, 2)
    page.keyboard.press("ArrowRight")
    shows(page, 3)
    page.keyboard.press("ArrowLeft")
    shows(page, 2)
    page.go_back()
    shows(page, 3)
    page.reload()
    shows(page, 3)
    assert not Vote.objects.exists()


def test_help_lists_the_keys_and_keys_do_nothing_meanwhile(review, person):
    page = review(person("ann"))
    page.keyboard.press("?")
    dialog = page.locator("#help-dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("tr")).to_have_count(13 + 5)
    page.keyboard.press("m")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    shows(page, 1)
    page.keyboard.press("m")
    shows(page, 2)


def test_a_number_of_the_list_is_gone_to(review, person):
    page = review(person("ann"))
    page.keyboard.press("g")
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    shows(page, 4)


def test_keys_are_switched_off_for_good(review, person):
    ann = person("ann")
    page = review(ann)
    page.get_by_role("switch").click()
    expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "false")
    page.keyboard.press("m")
    page.wait_for_timeout(200)
    shows(page, 1)
    page.reload()
    page.wait_for_selector("#review[data-ready]")
    page.keyboard.press("m")
    page.wait_for_timeout(200)
    shows(page, 1)
    assert not Vote.objects.exists()
    page.get_by_role("switch").click()
    page.keyboard.press("m")
    shows(page, 2)


def test_blinking_shows_one_panel_in_place_of_the_other(review, person):
    page = review(person("ann"))
    middle = (
        "[...document.querySelector('.blink').getContext('2d').getImageData(230, 230, 1, 1).data].map(v => v > 128)"
    )
    expect(page.locator(".blink")).to_be_hidden()
    page.keyboard.press("z")
    assert page.evaluate(middle)[:3] == [True, False, False]
    expect(page.locator(".blink-words")).to_have_text("survey")
    page.keyboard.press("z")
    assert page.evaluate(middle)[:3] == [False, False, True]
    page.keyboard.press("Escape")
    expect(page.locator(".blink")).to_be_hidden()


def test_votes_are_kept_while_the_server_is_away_and_sent_when_it_is_back(review, person):
    """Defect 11.2 9 of the earlier site: failed saves looked like success or nothing."""
    ann = person("ann")
    page = review(ann)
    page.keyboard.press("ArrowRight")
    shows(page, 2)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.keyboard.press("m")
    expect(page.locator("#trouble-words")).to_contain_text("The server does not answer")
    shows(page, 3)
    page.keyboard.press("i")
    expect(page.locator("#unsaved li")).to_have_count(2)
    assert saved(ann) == {}
    page.context.set_offline(False)
    retry(page)
    settled(page)
    expect(page.locator("#trouble")).to_be_hidden()
    assert saved(ann) == {2: "m", 3: "i"}


def test_unsaved_votes_survive_a_reload(review, person):
    ann = person("ann")
    page = review(ann)
    page.wait_for_load_state("networkidle")
    page.route("**/vote/**", lambda route: route.fulfill(status=503, body="busy"))
    page.keyboard.press("m")
    expect(page.locator("#trouble-words")).to_contain_text("503")
    page.reload()
    page.wait_for_selector("#review[data-ready]")
    expect(page.locator("#unsaved")).to_contain_text("There is a match")
    expect(page.locator("#left")).to_have_text("5")
    page.unroute("**/vote/**")
    retry(page)
    expect(page.locator("#trouble")).to_be_hidden()
    assert saved(ann) == {1: "m"}


def test_a_vote_whose_answer_is_lost_is_one_vote(review, person):
    ann = person("ann")
    page = review(ann)
    page.wait_for_load_state("networkidle")

    def lose(route):
        route.fetch()
        route.abort()

    page.route("**/vote/**", lose, times=1)
    page.keyboard.press("m")
    expect(page.locator("#trouble")).to_be_visible()
    retry(page)
    expect(page.locator("#trouble")).to_be_hidden()
    assert Vote.objects.filter(reviewer=ann).count() == 1


def test_an_undo_after_a_lost_answer_takes_the_vote_back(review, person):
    ann = person("ann")
    page = review(ann)
    page.wait_for_load_state("networkidle")

    def lose(route):
        route.fetch()
        route.abort()

    page.route("**/vote/**", lose, times=1)
    page.keyboard.press("m")
    expect(page.locator("#trouble")).to_be_visible()
    page.keyboard.press("u")
    shows(page, 1)
    retry(page)
    settled(page)
    assert saved(ann) == {}


def test_an_expired_login_keeps_the_vote_until_the_same_person_is_back(review, person):
    ann, bob = person("ann"), person("bob")
    page = review(ann)
    page.wait_for_load_state("networkidle")
    page.context.clear_cookies(name="sessionid")
    page.keyboard.press("m")
    expect(page.locator("#trouble-words")).to_contain_text("Your login has expired")
    expect(page.locator("#log-in")).to_be_visible()
    log_in(page, bob)
    retry(page)
    expect(page.locator("#trouble-words")).to_contain_text("You are logged in as bob")
    assert not Vote.objects.exists()
    page.context.clear_cookies(name="csrftoken")  # as a new login does
    log_in(page, ann)
    retry(page)
    expect(page.locator("#trouble")).to_be_hidden()
    assert saved(ann) == {1: "m"}
    assert saved(bob) == {}


def test_votes_of_one_person_are_not_sent_from_the_page_of_another(visit, image, person):
    ann, bob = person("ann"), person("bob")
    address = f"/review/?image={image.pk}&is_candidate=true"
    page = visit(ann, address)
    page.wait_for_selector("#review[data-ready]")
    page.wait_for_load_state("networkidle")
    page.route("**/vote/**", lambda route: route.abort(), times=1)
    page.keyboard.press("m")
    expect(page.locator("#trouble")).to_be_visible()
    log_in(page, bob)
    page.goto(address)
    page.wait_for_selector("#review[data-ready]")
    page.keyboard.press("i")
    wait_until(page, "Object.keys(localStorage).filter(key => key.startsWith('racs-review/')).length === 1")
    assert (saved(ann), saved(bob)) == ({}, {1: "i"})
    log_in(page, ann)
    page.goto(address)
    settled(page)
    assert (saved(ann), saved(bob)) == ({1: "m"}, {1: "i"})


def test_a_refused_vote_is_shown_until_it_is_discarded(review, person):
    ann = person("ann")
    page = review(ann)
    page.wait_for_load_state("networkidle")
    Label.objects.filter(key="m").update(active=False)
    page.keyboard.press("m")
    expect(page.locator("#unsaved")).to_contain_text("Select a valid choice")
    page.keyboard.press("n")
    shows(page, 3)
    expect(page.locator("#unsaved li")).to_have_count(1)
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#trouble")).to_be_hidden()
    assert saved(ann) == {2: "n"}


def test_two_people_vote_blindly_and_disagree(review, person):
    ann, bob = person("ann"), person("bob")
    hers, his = review(ann), review(bob)
    hers.keyboard.press("m")
    shows(hers, 2)
    settled(hers)
    his.reload()
    expect(his.locator("#candidate")).to_contain_text("The votes of others show after yours")
    assert "ann" not in his.locator("#candidate").inner_html()
    his.wait_for_selector("#review[data-ready]")
    his.keyboard.press("i")
    shows(his, 2)
    settled(his)
    his.keyboard.press("ArrowLeft")
    expect(his.locator("#candidate")).to_contain_text("Conflict")
    expect(his.locator("#candidate")).to_contain_text("ann: There is a match")


def test_a_lead_decides_with_the_letters_of_leads_only(review, person):
    lea, ann = person("lea", "lead"), person("ann")
    page = review(ann)
    page.keyboard.press("t")
    page.keyboard.press("y")
    shows(page, 1)
    page = review(lea)
    page.keyboard.press("t")
    shows(page, 2)
    settled(page)
    assert Decision.objects.get().label.key == "t"
    page.keyboard.press("u")
    shows(page, 1)
    settled(page)
    assert not Decision.objects.filter(active=True).exists()


def test_after_the_last_one_the_page_says_so(review, person):
    ann = person("ann")
    page = review(ann)
    for number in range(N):
        shows(page, number + 1)
        page.keyboard.press("m")
    expect(page.locator("#review-done")).to_contain_text("You have reviewed all 6")
    assert len(saved(ann)) == N


def test_the_page_works_without_script(visit, image, person):
    ann = person("ann")
    page = visit(ann, f"/images/{image.pk}/crossmatches/?is_candidate=true", java_script_enabled=False)
    page.get_by_role("link", name="Review these").click()
    shows(page, 1)
    page.locator("#note").fill("bright")
    page.get_by_role("button", name="Non-detection").click()
    shows(page, 2)
    expect(page.locator("main")).to_contain_text("Saved: Non-detection")
    assert [(vote.label.key, vote.note) for vote in Vote.objects.all()] == [("n", "bright")]
    page.get_by_role("link", name="Previous").click()
    shows(page, 1)
    page.get_by_role("button", name="Take it back").click()
    assert saved(ann) == {}
    page.get_by_role("switch").click()
    expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "false")
    page.get_by_label("Go to number").fill("5")
    page.get_by_role("button", name="Go", exact=True).click()
    shows(page, 5)


def test_a_letter_before_the_candidate_it_is_meant_for_is_shown_votes_on_no_other(review, person):
    ann = person("ann")
    page = review(ann)
    page.keyboard.press("m")
    shows(page, 2)
    settled(page)
    held = []

    def hold():
        page.route("**/part/**", lambda route: held.append(route))
        page.reload()
        page.wait_for_selector("#review[data-ready]")

    def arrive():
        while held:
            held.pop().continue_()
        page.unroute("**/part/**")

    hold()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    expect(page.locator("#said")).to_contain_text("nothing was recorded")
    arrive()
    shows(page, 3)
    page.keyboard.press("n")
    shows(page, 4)
    settled(page)
    assert saved(ann) == {1: "m", 3: "n"}
    hold()
    for _ in range(2):
        page.keyboard.press("u")
    page.keyboard.press("i")
    expect(page.locator("#said")).to_contain_text("nothing was recorded")
    arrive()
    shows(page, 1)
    page.keyboard.press("i")
    settled(page)
    assert saved(ann) == {1: "i"}


def test_a_vote_of_another_list_is_still_to_be_undone_there(review, person, image):
    ann = person("ann")
    page = review(ann)
    page.keyboard.press("m")
    shows(page, 2)
    settled(page)
    for address in ("?is_candidate=true", f"?image={image.pk}&is_candidate=true"):
        page.goto(f"/review/{address}")
        page.wait_for_selector("#review[data-ready]")
        page.keyboard.press("u")
        if "image" not in address:
            expect(page.locator("#said")).to_contain_text("belongs to another list")
    shows(page, 1)
    settled(page)
    assert saved(ann) == {}


def test_an_answer_from_anybody_but_the_site_saves_nothing(review, person):
    ann = person("ann")
    page = review(ann)
    page.wait_for_load_state("networkidle")
    page.route("**/vote/**", lambda route: route.fulfill(body="<h1>Log in to the guest network</h1>"), times=1)
    page.keyboard.press("m")
    expect(page.locator("#trouble-words")).to_contain_text("1 vote is not saved yet")
    retry(page)
    expect(page.locator("#trouble")).to_be_hidden()
    assert saved(ann) == {1: "m"}


def test_votes_are_saved_though_the_field_was_run_again_meanwhile(visit, image, person):
    ann = person("ann")
    page = visit(ann, f"/review/?image={image.pk}&is_candidate=true")
    page.wait_for_selector("#review[data-ready]")
    page.wait_for_load_state("networkidle")
    Run.objects.update(is_current=False)
    # the same run written again has other numbers
    Product.objects.all().delete()
    for row in Crossmatch.objects.filter(match_id__gt=1):
        Crossmatch.objects.filter(pk=row.pk).update(id=row.pk + 1000)
    for number, key in enumerate("mni", start=1):
        shows(page, number)
        page.keyboard.press(key)
    settled(page)
    assert saved(ann) == {1: "m", 2: "n", 3: "i"}
    page.keyboard.press("u")
    settled(page)
    assert saved(ann) == {1: "m", 2: "n"}


def test_the_review_goes_on_with_the_later_run_that_took_the_place_of_the_one_shown(visit, image, person):
    ann = person("ann")
    page = visit(ann, f"/review/?image={image.pk}&is_candidate=true")
    page.wait_for_selector("#review[data-ready]")
    page.wait_for_load_state("networkidle")
    old = [*Crossmatch.objects.order_by("match_id")]
    Run.objects.update(is_current=False)
    run = Run.objects.create(id=uuid.uuid4(), image=image, tag="test")
    comparison = SurveyRun.objects.create(run=run, survey="SUMSS")
    for row in old:
        values = {"name": row.name, "ratio": row.ratio, "is_candidate": True, "sky_object": row.sky_object}
        make_row(comparison, row.match_id, **values)
    for number, key in enumerate("mnifes", start=1):
        shows(page, number)
        page.keyboard.press(key)
    expect(page.locator("main")).to_contain_text("You have reviewed all")
    votes = Vote.objects.filter(reviewer=ann, active=True).order_by("pk")
    given = dict(votes.values_list("subject__sky_object", "label__key"))
    assert [given[row.sky_object_id] for row in old] == [*"mnifes"]


def test_a_double_click_votes_once_and_not_on_the_candidate_that_it_brought(review, person):
    ann = person("ann")
    page = review(ann)
    page.wait_for_load_state("networkidle")
    box = page.get_by_role("button", name="There is a match").bounding_box()
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*at)
    shows(page, 2)
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    expect(page.locator("#said")).to_contain_text("second click")
    shows(page, 2)
    page.mouse.click(*at)
    shows(page, 3)
    settled(page)
    assert saved(ann) == {1: "m", 2: "m"}


def test_escape_leaves_a_field_and_letters_vote_again(review, person):
    ann = person("ann")
    page = review(ann)
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.keyboard.press("Escape")
    shows(page, 1)
    page.get_by_label("Note").fill("faint")
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    shows(page, 2)
    settled(page)
    assert saved(ann) == {1: "i"}
    assert Vote.objects.get().note == "faint"


@pytest.mark.parametrize("height", [720, 800])
def test_stamp_and_labels_fit_on_a_screen_of_1280_pixels(review, person, height):
    page = review(person("lea", "lead"), viewport={"width": 1280, "height": height})
    boxes = [button.bounding_box() for button in page.locator("button[name=label]").all()]
    assert len(boxes) == 15
    assert max(box["y"] + box["height"] for box in boxes) <= height
    assert page.locator(".stamp img").bounding_box()["height"] > height / 2


def test_votes_that_the_page_was_left_with_are_sent_from_any_other(review, person):
    ann = person("ann")
    page = review(ann)
    page.wait_for_load_state("networkidle")
    page.route("**/vote/**", lambda route: route.fulfill(status=503, body="busy"))
    for number, key in enumerate("mi", start=1):
        shows(page, number)
        page.keyboard.press(key)
    expect(page.locator("#trouble-words")).to_contain_text("503")
    page.goto("/searches/")
    expect(page.locator("#unsent")).to_contain_text("2 votes are not saved yet, but kept in this browser")
    expect(page.locator("#unsent")).to_contain_text("503")
    assert saved(ann) == {}
    page.unroute("**/vote/**")
    page.goto("/starred/")
    settled(page)
    expect(page.locator("#unsent")).to_be_hidden()
    assert saved(ann) == {1: "m", 2: "i"}


def test_a_page_that_cannot_store_votes_is_not_left_without_a_question(review, person):
    page = review(person("ann"))
    page.wait_for_load_state("networkidle")
    page.evaluate("Storage.prototype.setItem = () => { throw new Error('full') }, 0")
    page.route("**/vote/**", lambda route: route.fulfill(status=503, body="busy"))
    page.keyboard.press("m")
    expect(page.locator("#trouble-words")).to_contain_text("as long as this page is open")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("/")
    assert asked == ["beforeunload"]


def test_what_one_did_in_another_window_is_not_asked_for_again(review, person):
    """Defect 11.2 3 of the earlier site: two tabs fought over one list."""
    ann = person("ann")
    first = review(ann)
    second = first.context.new_page()
    second.goto(first.url)
    second.wait_for_selector("#review[data-ready]")
    second.wait_for_load_state("networkidle")
    first.keyboard.press("m")
    shows(first, 2)
    first.keyboard.press("i")
    shows(first, 3)
    expect(second.locator("#left")).to_have_text("4")
    expect(second.get_by_role("button", name="There is a match")).to_have_attribute("aria-pressed", "true")
    first.keyboard.press("u")
    shows(first, 2)
    expect(second.locator("#left")).to_have_text("5")
    settled(first)
    first.keyboard.press("e")
    shows(first, 3)
    expect(second.locator("#left")).to_have_text("4")
    # from its first candidate on, which it votes on again, to the first one that is left
    second.keyboard.press("x")
    shows(second, 3)
    settled(second)
    assert saved(ann) == {1: "x", 2: "e"}
    expect(second.locator("#left")).to_have_text("4")
