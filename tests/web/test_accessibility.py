"""Every page in a browser, light and dark: WCAG 2.2 AA by axe, nothing from another host, no wider than a tablet."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.web.conftest import make_row
from tests.web.live import wait_until
from web_server.vendor import HERE

pytestmark = pytest.mark.look

AXE = HERE / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# Role ("" is nobody) and address of each page; {image}, {row}, {flagged} and {object} are filled in.
PAGES = (
    ("", "/accounts/login/"),
    ("viewer", "/"),
    ("viewer", "/nowhere/"),
    ("viewer", "/images/{image}/"),
    ("viewer", "/images/{image}/crossmatches/"),
    ("viewer", "/images/{image}/crossmatches/{row}/?is_candidate=true"),
    ("viewer", "/images/{image}/crossmatches/{flagged}/"),
    ("viewer", "/query/"),
    ("viewer", "/query/?position=nowhere&ratio_min=much"),
    ("viewer", "/accounts/password/"),
    ("viewer", "/accounts/password/done/"),
    ("reviewer", "/images/{image}/crossmatches/{row}/"),
    ("reviewer", "/review/?image={image}&is_candidate=true"),
    ("lead", "/images/{image}/"),
    ("viewer", "/images/{image}/crossmatches/quickview/"),
    ("viewer", "/images/{image}/crossmatches/{row}/sky/"),
    ("viewer", "/images/{image}/crossmatches/{row}/talk/"),
    ("viewer", "/searches/"),
    ("viewer", "/mentions/"),
    ("viewer", "/starred/"),
    ("reviewer", "/images/{image}/crossmatches/{row}/talk/"),
    ("reviewer", "/review/{row}/?image={image}&is_candidate=true"),
    ("lead", "/dashboard/"),
    ("lead", "/conflicts/"),
    ("lead", "/accounts/invitations/"),
    ("admin", "/accounts/people/"),
    ("admin", "/slack/"),
)
MODES = (("light", 1280), ("dark", 820))


@pytest.fixture
def ways(served, site):
    """What the addresses are filled with."""
    comparison = site["run"].survey_runs.get()
    for match_id in range(10, 40):
        make_row(comparison, match_id, ratio=2.0, is_candidate=True)
    rows = site["rows"]
    return {"image": site["run"].image_id, "row": rows[0].pk, "flagged": rows[1].pk, "object": rows[0].sky_object_id}


@pytest.fixture
def opened(ways, visit, person, browser, served):
    """Open a page as somebody with a role."""
    contexts = []

    def open_page(role, address, **options):
        address = address.format(**ways)
        if role:
            return visit(person(f"one-{len(contexts)}-{options.get('color_scheme')}", role), address, **options)
        context = browser.new_context(base_url=served, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


def violations(page):
    """Return what axe finds: rule, place and words."""
    if not AXE.is_file():
        pytest.skip("axe-core is not fetched: python -m web_server.vendor")
    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    # a page on which axe looked at nothing would have no violation either
    assert len(found["passes"]) > 5
    return [
        (rule["id"], node["html"][:200], node["failureSummary"])
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize(("role", "address"), PAGES)
def test_a_page_violates_no_rule_and_fits_in_either_colours(opened, role, address):
    for mode, width in MODES:
        page = opened(role, address, color_scheme=mode, viewport={"width": width, "height": 900})
        assert page.evaluate("document.documentElement.dataset.bsTheme") == mode
        assert violations(page) == [], mode
        assert page.evaluate("document.documentElement.scrollWidth") <= width, mode


def test_open_menus_and_filters_violate_no_rule(opened):
    for mode, width in MODES:
        page = opened("admin", "/query/", color_scheme=mode, viewport={"width": width, "height": 900})
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert violations(page) == [], mode
        assert page.evaluate("document.documentElement.scrollWidth") <= width, mode


def test_axe_is_asked_about_contrast_and_names(opened):
    page = opened("viewer", "/")
    page.evaluate("document.querySelector('main').append(document.createElement('select'))")
    page.evaluate("document.querySelector('h1').style.color = 'rgb(200 200 200)'")
    assert {"color-contrast", "select-name"} <= {rule for rule, *_ in violations(page)}


def test_no_page_asks_another_host_and_none_fails(visit, person, ways, served):
    page = visit(person("crawler", "admin"))
    asked, troubles = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda answer: troubles.append((answer.status, answer.url)) if answer.status >= 500 else None)
    page.on("pageerror", lambda error: troubles.append((page.url, str(error))))
    seen, waiting = set(), ["/"]
    while waiting:
        address = waiting.pop()
        kind = re.sub(r"\d+", "0", urlsplit(address).path)
        if kind in seen or kind.startswith(("/admin/", "/products/", "/static/")) or "export" in kind:
            continue
        seen.add(kind)
        page.goto(address)
        waiting += page.evaluate(
            "[...document.links].filter(a => a.origin === location.origin && !a.hasAttribute('download'))"
            ".map(a => a.pathname + a.search)"
        )
    assert {"/", "/query/", "/images/0/", "/images/0/crossmatches/", "/images/0/crossmatches/0/"} <= seen
    assert len(asked) > len(seen)
    assert [url for url in asked if not url.startswith((served + "/", "data:", "blob:"))] == []
    assert troubles == []


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_colours_are_chosen_kept_and_follow_the_system(opened):
    page = opened("viewer", "/", color_scheme="dark")
    button = page.locator("#theme")
    dark = background(page)
    expect(button).to_contain_text("Automatic")
    button.click()
    expect(button).to_contain_text("Light")
    light = background(page)
    assert light != dark
    page.reload()
    expect(button).to_contain_text("Light")
    assert background(page) == light
    button.click()
    expect(button).to_contain_text("Dark")
    page.emulate_media(color_scheme="light")
    assert background(page) == dark
    button.click()
    expect(button).to_contain_text("Automatic")
    assert background(page) == light
    page.emulate_media(color_scheme="dark")
    wait_until(page, f"getComputedStyle(document.body).backgroundColor === '{dark}'")


def test_without_script_the_page_follows_the_system_and_the_menus_open(opened):
    page = opened("viewer", "/", color_scheme="dark", java_script_enabled=False)
    page.locator("details.menu summary").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect(page.locator("#theme")).to_be_hidden()
    shot = page.screenshot(clip={"x": 400, "y": 500, "width": 1, "height": 1})
    assert pixel(shot) == (33, 37, 41)


def pixel(picture):
    """Return the colour of a picture of one pixel."""
    import io

    from PIL import Image

    return Image.open(io.BytesIO(picture)).convert("RGB").getpixel((0, 0))


def test_a_menu_closes_with_escape_and_gives_the_focus_back(opened):
    page = opened("viewer", "/")
    summary = page.locator("details.menu summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Change password")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Change password")).to_be_hidden()
    expect(summary).to_be_focused()


def test_the_first_key_leads_past_the_navigation(opened):
    page = opened("viewer", "/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    box = skip.bounding_box()
    assert box["width"] > 50
    assert box["height"] >= 20
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
