"""A database of the site with two images, two surveys and rows that tests know."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from tests.web.live import CHROMIUM, FLAGS, session_of, site_server, wait_for_silence
from web_server.accounts.roles import set_role
from web_server.candidates.models import Crossmatch, Image, Product, Run, SkyObject, SurveyRun
from web_server.review.models import Label


def make_run(number, *, root="", survey="SUMSS"):
    """Make an image with a current run and its comparison."""
    image = Image.objects.create(sha256=f"{number:064d}", name=f"image{number}.fits", ra=359.9, dec=-60.0, width=100)
    run = Run.objects.create(
        id=uuid.UUID(int=number),
        image=image,
        tag="test",
        root=str(root),
        finished=datetime(2026, 1, number, tzinfo=UTC),
    )
    return run, SurveyRun.objects.create(run=run, survey=survey, n_rows=0, candidates=0)


def make_row(comparison, match_id, **values):
    """Make one crossmatch with its own object."""
    given = {
        "ra": 10.0 + match_id / 100,
        "dec": -60.0,
        "type": "match",
        "flag": "Good",
        "ratio": 1.0,
        "vs": 1.0,
        "vs_abs": 1.0,
        "m": 0.1,
        "m_abs": 0.1,
        "survey": comparison.survey,
        "name": f"J{comparison.run.id.int}-{match_id:03d}",
    } | values
    place = given.pop("sky_object", None) or SkyObject.objects.create(ra=given["ra"], dec=given["dec"])
    return Crossmatch.objects.create(
        run=comparison.run, survey_run=comparison, sky_object=place, match_id=match_id, **given
    )


@pytest.fixture(scope="session", autouse=True)
def alone_at_the_end(django_db_setup, django_db_blocker):
    """Wait until PostgreSQL has noticed that servers and threads are gone: it drops no database in use."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        end = time.monotonic() + 30
        while connection.vendor == "postgresql" and time.monotonic() < end:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if cursor.fetchone()[0] == 0:
                break
            time.sleep(0.1)


@pytest.fixture
def site(db, tmp_path):
    """Rows of two images; the first has a plot and a stamp on disk."""
    root = tmp_path / "results"
    (root / "plots").mkdir(parents=True)
    (root / "plots/ratio.png").write_bytes(b"\x89PNG plot")
    (root / "stamp.jpg").write_bytes(b"stamp")
    (root / "report.html").write_text("<script>alert(1)</script>")
    run, comparison = make_run(1, root=root)
    wanted = [
        make_row(comparison, 1, ratio=9.0, vs=-8.0, vs_abs=8.0, m_abs=1.6, is_candidate=True, type="noaskapmatch"),
        make_row(comparison, 2, ratio=3.0, flag="Edge of ASKAP image", flag_bits=0b10, ra=0.001),
        make_row(comparison, 3, ratio=None, vs=None, vs_abs=None, m_abs=None, flag="Failed", flag_bits=1, ra=359.999),
        make_row(comparison, 4, ratio=1.5, nearest_matches="2, 1, 77"),
        make_row(comparison, 5, ratio=1.5),
    ]
    comparison.counts = {"noaskapmatch": {"Good": 1}, "match": {"Good": 2, "Edge of ASKAP image": 1, "Failed": 1}}
    comparison.save()
    other_run, other = make_run(2, survey="NVSS")
    elsewhere = make_row(other, 1, ratio=2.5, is_candidate=True, sky_object=wanted[0].sky_object, ra=wanted[0].ra)
    plot = Product.objects.create(run=run, kind="flux_ratios", path="plots/ratio.png", survey="SUMSS")
    Product.objects.create(run=run, kind="source_counts", path="plots/gone.png", survey="SUMSS")
    Product.objects.create(run=run, kind="stamp", path="stamp.jpg", crossmatch=wanted[0])
    Product.objects.create(run=run, kind="report", path="report.html")
    return {"run": run, "rows": wanted, "elsewhere": elsewhere, "plot": plot, "other_run": other_run, "root": root}


@pytest.fixture
def reader(client, django_user_model):
    """A client that is logged in."""
    client.force_login(django_user_model.objects.create_user("reader", password="x"))
    return client


@pytest.fixture
def person(db, django_user_model):
    """Make somebody with a role."""

    def make(name, role="reviewer"):
        user = django_user_model.objects.create_user(name, password="x")
        set_role(user, role)
        return user

    return make


@pytest.fixture
def restored(django_db_setup, django_db_blocker):
    """Put back, after a test that commits, what the migrations wrote: labels and roles.

    Asked for before ``transactional_db``, whose end empties the tables; never with ``django_db(transaction=True)``.
    """
    with django_db_blocker.unblock():
        content = [*Group.objects.all(), *Label.objects.all()]
    assert content, "a test emptied the tables without this fixture"
    yield
    with django_db_blocker.unblock():
        for record in content:
            record.save(force_insert=True)


@pytest.fixture(scope="session")
def site_address(django_db_setup, django_db_blocker, tmp_path_factory):
    """The site, served by a process of its own from the tests' database."""
    with django_db_blocker.unblock(), site_server(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def served(restored, site_address, transactional_db):
    """The address of the site; what the test writes is committed. Only for files all of whose tests use it."""
    yield site_address
    # a browser that is gone may have asked for something before
    wait_for_silence(site_address)


@pytest.fixture(scope="session")
def browser(django_db_setup, browser_libraries):
    """Debian's Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs an event loop in this thread; the tests' own queries come one after the other
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        program = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield program
        program.close()
        # under a running loop Django gives the tests another connection than the one that drops the database
        connection.close()


@pytest.fixture
def visit(served, browser):
    """Open a window in which somebody is logged in; windows of one person share nothing with those of others."""
    contexts = []

    def open_window(user, path="/", **options):
        context = browser.new_context(base_url=served, **({"viewport": {"width": 1280, "height": 800}} | options))
        context.set_default_timeout(10_000)
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": session_of(user), "url": served}])
        page = context.new_page()
        page.goto(path)
        return page

    yield open_window
    for context in contexts:
        context.close()
