"""The source page in a browser: stamps, copying, SAMP with a hub and without, the sky viewer."""

from __future__ import annotations

import io
import threading
import time
import urllib.request
from urllib.parse import urlsplit

import numpy as np
import pytest
from astropy.io.votable import parse_single_table
from PIL import Image as Picture
from playwright.sync_api import expect
from pyvo.samp import SAMPHubServer, SAMPIntegratedClient, SAMPWarning
from pyvo.samp.hub import WebProfileDialog

from tests.web.conftest import make_row, make_run
from tests.web.cutouts import add_cutouts
from tests.web.live import wait_until
from web_server.candidates.models import Product
from web_server.vendor import LIBRARIES

HUB = "http://localhost:21012/**"


class Willing(WebProfileDialog):
    """The dialogue of a hub whose user always says yes."""

    def show_dialog(self, *details):
        self.consent()


@pytest.fixture
def row(served, tmp_path):
    """A vanished source with a stamp and two cutouts."""
    run, comparison = make_run(1, root=tmp_path)
    row = make_row(
        comparison, 1, name="J1-001", ref_ra=10.01, ref_dec=-60.0, ref_origin="catalogued", ref_flux=40.0, ref_name="S1"
    )
    make_row(
        comparison,
        2,
        name="J1-002",
        ra=10.03,
        askap_ra=10.03,
        askap_dec=-60.0,
        askap_origin="detected",
        askap_name="A2",
    )
    add_cutouts(row, tmp_path, survey=40.0, askap=0.0)
    Picture.new("RGB", (900, 400), "white").save(tmp_path / "stamp.jpg")
    Product.objects.create(run=run, kind="stamp", path="stamp.jpg", crossmatch=row)
    return row


@pytest.fixture
def open_source(visit, row, person):
    """Open the page of the row, or one below it; pages asked of other hosts are kept in ``abroad``."""

    def open_page(below="", **options):
        page = visit(person("ann"), "/accounts/password_change/", **options)
        page.abroad, page.faults = [], []
        home = urlsplit(page.url).netloc
        page.on("request", lambda r: urlsplit(r.url).netloc in ("", home) or page.abroad.append(r.url))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda m: m.type == "error" and page.faults.append(m.text))
        page.goto(f"/images/{row.run.image_id}/crossmatches/{row.pk}/{below}")
        return page

    return open_page


def pixels(locator):
    return np.asarray(Picture.open(io.BytesIO(locator.screenshot())).convert("L")).astype(int)


def test_blinking_shows_one_panel_after_the_other_and_stops(open_source):
    page = open_source()
    shown = page.locator(".blink-panels img:visible")
    expect(shown).to_have_count(1)
    first = shown.get_attribute("src")
    page.get_by_role("button", name="Blink").press("Enter")
    expect(shown).not_to_have_attribute("src", first)
    page.get_by_role("button", name="Stop").press("Space")
    expect(shown).to_have_count(1)
    page.get_by_role("button", name="ASKAP", exact=True).press("Enter")
    expect(shown).to_have_attribute("alt", "ASKAP around J1-001, grey, north up")
    assert page.abroad == page.faults == []


def test_both_panels_take_the_chosen_stretch(open_source):
    page = open_source()
    panel = page.locator(".blink-panels img:visible")
    before = pixels(panel)
    page.get_by_label("Stretch").select_option("peak")
    wait_until(
        page,
        "[...document.querySelectorAll('.blink-panels img')].every(i => i.complete && i.src.endsWith('peak'))",
    )
    assert np.abs(pixels(panel) - before).max() > 50


def test_the_stamp_is_enlarged_in_place_by_keys(open_source):
    page = open_source()
    link = page.locator("[data-zoom]")
    link.press("Enter")
    image = page.locator("dialog.zoom img")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.naturalWidth === image.clientWidth")
    page.keyboard.press("Escape")
    expect(image).to_have_count(0)
    expect(link).to_be_focused()


def test_coordinates_are_copied_and_that_is_said(open_source):
    page = open_source()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for name, words in (("degrees", "10.010000 -60.000000"), ("sexagesimal", "00:40:02.40 -60:00:00.0")):
        page.get_by_role("button", name=name).click()
        expect(page.locator("[data-copied]")).to_have_text(f"Copied: {words}")
        assert page.evaluate("navigator.clipboard.readText()") == words


def test_where_copying_is_not_allowed_the_text_is_shown(open_source):
    page = open_source()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.get_by_role("button", name="degrees").click()
    expect(page.locator("[data-copied]")).to_contain_text("does not allow copying; here it is: 10.010000")


def test_without_a_hub_the_page_says_so_and_works_on(open_source):
    page = open_source()
    assert page.abroad == []
    page.route(HUB, lambda route: route.abort("connectionrefused"))
    button = page.get_by_role("button", name="Point at the source")
    button.click()
    expect(page.locator(".samp [role=status]")).to_contain_text("No SAMP hub answers on this computer")
    expect(button).to_be_enabled()
    assert {urlsplit(address).netloc for address in page.abroad} == {"localhost:21012"}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A SAMP hub with its web profile, and a program that listens; the messages that it got."""
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:file://{tmp_path}/samp-hub")
    dialog = Willing()
    server = SAMPHubServer(web_profile=True, web_profile_dialog=dialog, lockfile=str(tmp_path / "samp-hub"))
    try:
        server.start()
    except (OSError, SAMPWarning) as error:
        pytest.skip(f"another hub runs: {error}")
    stop = threading.Event()

    def consent():
        while not stop.wait(0.05):
            dialog.handle_queue()

    threading.Thread(target=consent, daemon=True).start()
    listener, got = SAMPIntegratedClient(name="Listener"), []
    listener.connect(hub=server)
    for mtype in ("coord.pointAt.sky", "image.load.fits", "table.load.votable"):
        listener.bind_receive_notification(mtype, lambda key, sender, mtype, params, extra: got.append((mtype, params)))
    yield got
    stop.set()
    listener.disconnect()
    server.stop()


def received(got, n):
    end = time.monotonic() + 10
    while len(got) < n and time.monotonic() < end:
        time.sleep(0.05)
    return got[n - 1]


def test_a_program_at_the_hub_gets_the_place_the_cutout_and_the_table(open_source, hub):
    page = open_source("?is_candidate=false")
    status = page.locator(".samp [role=status]")
    page.get_by_role("button", name="Point at the source").click()
    expect(status).to_have_text("Sent to Listener.")
    assert received(hub, 1) == ("coord.pointAt.sky", {"ra": "10.01000000", "dec": "-60.00000000"})
    # the first message of a page goes out with the first click, the next needs no new consent
    page.reload()
    page.get_by_role("button", name="Send FITS cutout, survey").click()
    mtype, params = received(hub, 2)
    assert mtype == "image.load.fits"
    with urllib.request.urlopen(params["url"]) as answer:
        assert answer.read(9) == b"SIMPLE  ="
    page.get_by_role("button", name="Send the list").click()
    mtype, params = received(hub, 3)
    assert mtype == "table.load.votable"
    with urllib.request.urlopen(params["url"]) as answer:
        table = parse_single_table(io.BytesIO(answer.read())).to_table()
    assert sorted(table["name"]) == ["J1-001", "J1-002"]
    page.get_by_role("button", name="Disconnect").click()
    expect(status).to_have_text("Disconnected from the SAMP hub.")
    assert page.faults == []


@pytest.fixture
def with_aladin():
    if next(library for library in LIBRARIES if library.name == "aladin-lite").missing():
        pytest.skip("Aladin Lite was not fetched: run scripts/setup")


def test_the_sky_viewer_draws_local_cutouts_and_asks_nobody_else(open_source, with_aladin):
    page = open_source("sky/")
    page.wait_for_selector("[data-drawn=yes]", timeout=60_000)
    expect(page.locator("[data-said]")).to_contain_text("Click a source")
    survey, askap = page.locator("#sky-0"), page.locator("#sky-1")
    page.wait_for_timeout(1500)  # the picture fades in

    def dark_part(panel):
        grey = pixels(panel)
        y, x = grey.shape[0] // 2, grey.shape[1] // 2
        return np.mean(grey[y - 30 : y + 30, x - 30 : x + 30] < 40)

    # a source of 40 mJy/beam is black under the common stretch; where ASKAP has none there is light sky
    assert dark_part(survey) > 0.1
    assert dark_part(askap) < 0.02
    assert np.median(pixels(askap)) > 120
    assert page.abroad == page.faults == []


def test_a_survey_from_elsewhere_is_fetched_once_chosen_from_its_host_only(open_source, with_aladin):
    page = open_source("sky/")
    page.context.route("https://**", lambda route: route.abort())
    expect(page.get_by_label("Survey from elsewhere")).to_have_value("")
    page.get_by_label("Survey from elsewhere").select_option("RACS-low")
    page.get_by_role("button", name="Show").click()
    page.wait_for_selector("#sky-2")
    page.wait_for_timeout(1500)
    assert {urlsplit(address).netloc for address in page.abroad} == {"casda.csiro.au"}


def test_without_the_library_the_page_says_how_to_get_it(open_source, row, client, person, monkeypatch):
    monkeypatch.setattr("web_server.vendor.Library.missing", lambda *_: ["aladin.js"])
    client.force_login(person("bob"))
    text = client.get(f"/images/{row.run.image_id}/crossmatches/{row.pk}/sky/").content.decode()
    assert "run scripts/setup" in text
    assert "aladin.js" not in text
