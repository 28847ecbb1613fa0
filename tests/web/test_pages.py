"""What the pages show, and what they refuse."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.apps import apps
from django.core.management import call_command
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from racs_transients.schema import CROSSMATCHES
from tests.web.conftest import make_row
from web_server.candidates.display import number, sexagesimal
from web_server.candidates.models import Crossmatch, Product, Run


def crossmatches(site, **query):
    return f"/images/{site['run'].image_id}/crossmatches/?{urlencode(query, doseq=True)}"


def names(response):
    """Return the names of a list page in their order."""
    return re.findall(r'<td class="name"><a href="[^"]*">([^<]+)</a>', response.content.decode())


def short(response):
    return [int(name[-3:]) for name in names(response)]


ADDRESSES = ["/", "/query/", "/images/{image}/", "/images/{image}/crossmatches/", "/images/{image}/crossmatches/{row}/"]


def filled(address, site):
    return address.format(image=site["run"].image_id, row=site["rows"][0].pk)


@pytest.mark.parametrize("address", [*ADDRESSES, "/admin/", "/products/1/"])
def test_an_anonymous_visitor_sees_the_login_page_only(client, site, address):
    response = client.get(filled(address, site))
    assert response.status_code == 302
    assert "/login/" in response["Location"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_looking_changes_nothing(reader, site, address):
    def state():
        tables = [model for model in apps.get_models() if model._meta.app_label in ("candidates", "auth", "admin")]
        return {model: list(model.objects.order_by("pk").values()) for model in tables}

    before = state()
    assert reader.get(filled(address, site)).status_code == 200
    assert state() == before


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_page_names_another_host_but_in_links(reader, site, address):
    text = reader.get(filled(address, site)).content.decode()
    assert not re.search(r'(?:src|action)="(?:https?:)?//', text)
    assert all(link.startswith("/static/") for link in re.findall(r'<link [^>]*href="([^"]+)"', text))
    assert not re.search(r'<script(?![^>]* src="/static/)', text)
    assert " style=" not in text


def test_home_lists_current_runs_with_their_numbers(reader, site):
    site["run"].survey_runs.update(n_rows=5, candidates=1)
    old = site["run"]
    old.pk = "00000000-0000-0000-0000-0000000000ff"
    old.is_current = False
    old.tag = "superseded"
    old.save(force_insert=True)
    text = reader.get("/").content.decode()
    assert "image1.fits" in text
    assert "image2.fits" in text
    assert "superseded" not in text
    assert "23:59:36.00 -60:00:00.0" in text
    assert "|Vs| ≥ 4.3 and |m| ≥ 1.2" in text


@pytest.mark.parametrize("sort", ["image", "-candidates", "rows", "finished", "nonsense", "-"])
def test_home_can_be_sorted_by_every_column_and_by_nonsense(reader, site, sort):
    assert reader.get("/", {"sort": sort}).status_code == 200


def test_image_page_shows_plots_and_says_which_are_gone(reader, site):
    text = reader.get(f"/images/{site['run'].image_id}/").content.decode()
    assert f'src="/products/{site["plot"].pk}/"' in text
    assert text.count("not available") == 1
    counted = re.findall(r'aria-label="(\d+) rows ([^"]+)"', text)
    assert ("1", "noaskapmatch, Good") in counted
    assert ("2", "match, Good") in counted
    assert ("1", "match, Failed") in counted


def test_the_epoch_of_an_image_keeps_its_part_of_a_day(reader, site):
    site["run"].image.epoch = 58597.5
    site["run"].image.save()
    assert '<td class="number">58597.5000</td>' in reader.get(f"/images/{site['run'].image_id}/").content.decode()


@pytest.mark.parametrize(("rows", "words"), [(0, "has no rows"), (None, "No transient search was made")])
def test_a_search_that_found_nothing_is_not_said_to_be_missing(reader, site, rows, words):
    site["run"].survey_runs.update(n_rows=rows, candidates=rows, counts={})
    assert words in reader.get(f"/images/{site['run'].image_id}/").content.decode()


def test_times_are_utc_in_another_time_zone_too(reader, site, settings):
    settings.TIME_ZONE = "Australia/Sydney"
    Run.objects.filter(pk=site["run"].pk).update(finished=datetime(2026, 1, 1, 20, 30, tzinfo=UTC))
    assert "20:30:00 UTC" in reader.get(f"/images/{site['run'].image_id}/").content.decode()
    home = reader.get("/").content.decode()
    assert "2026-01-01 20:30" in home
    assert "2 Jan 2026, 7:30" not in home


def test_without_its_current_run_an_image_is_listed_with_the_newest_that_is_left(reader, site):
    run = site["run"]
    Run.objects.filter(pk=run.pk).update(is_current=False)
    oldest = Run.objects.create(id=UUID(int=70), image=run.image, tag="test", is_current=False)
    other_tag = Run.objects.create(id=UUID(int=71), image=run.image, tag="another")
    current = Run.objects.create(id=UUID(int=72), image=run.image, tag="test")
    current.delete()
    assert [*run.image.runs.filter(is_current=True).order_by("pk")] == [run, other_tag]
    oldest.delete()
    assert [*run.image.runs.filter(is_current=True).order_by("pk")] == [run, other_tag]
    assert "J1-001" in reader.get("/query/").content.decode()
    run.image.delete()
    assert not Run.objects.filter(pk__in=[run.pk, other_tag.pk]).exists()


def test_a_moved_results_folder_is_said_and_no_error(reader, site):
    shutil.rmtree(site["root"])
    text = reader.get(f"/images/{site['run'].image_id}/").content.decode()
    assert text.count("not available") == 2
    assert "not available: the results folder was moved" in reader.get(filled(ADDRESSES[-1], site)).content.decode()
    response = reader.get(f"/products/{site['plot'].pk}/")
    assert response.status_code == 404
    assert "is not available" in response.content.decode()


def test_products_are_sent_by_number_and_a_report_is_sandboxed(reader, site):
    response = reader.get(f"/products/{site['plot'].pk}/")
    assert b"".join(response.streaming_content) == b"\x89PNG plot"
    assert response["Content-Type"] == "image/png"
    report = reader.get(f"/products/{Product.objects.get(kind='report').pk}/")
    assert report["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert b"".join(report.streaming_content) == b"<script>alert(1)</script>"
    site["plot"].path = "../../etc/passwd"
    site["plot"].save()
    assert reader.get(f"/products/{site['plot'].pk}/").status_code == 404


def test_rows_are_sorted_with_missing_values_last_and_a_total_order(reader, site):
    assert short(reader.get(crossmatches(site))) == [1, 2, 5, 4, 3]
    assert short(reader.get(crossmatches(site, sort="ratio"))) == [4, 5, 2, 1, 3]
    assert short(reader.get(crossmatches(site, sort="-name"))) == [5, 4, 3, 2, 1]
    assert short(reader.get(crossmatches(site, sort="nonsense"))) == [1, 2, 5, 4, 3]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"type": "noaskapmatch"}, [1]),
        ({"type": ["noaskapmatch", "match"]}, [1, 2, 5, 4, 3]),
        ({"flag": "Failed"}, [3]),
        ({"flag": ["Failed", "Edge of ASKAP image"]}, [2, 3]),
        ({"is_candidate": "true"}, [1]),
        ({"vetoed": "true"}, [2, 3]),
        ({"vetoed": "false"}, [1, 5, 4]),
        ({"survey": "SUMSS"}, [1, 2, 5, 4, 3]),
        ({"ratio_min": 1.5, "ratio_max": 3}, [2, 5, 4]),
        ({"ratio_max": 1e9}, [1, 2, 5, 4]),
        ({"vs_abs_min": 4.3, "m_abs_min": 1.2}, [1]),
        ({"name": "-004"}, [4]),
        ({"ra_min": 359, "ra_max": 1}, [2, 3]),
        ({"ra_min": 5, "ra_max": 20}, [1, 5, 4]),
        ({"position": "0 -60", "radius": 10, "radius_unit": "arcsec"}, [2, 3]),
        ({"position": "0 -60", "radius": 1, "radius_unit": "arcsec"}, []),
        ({"position": "00:40:02.4 -60:00:00", "radius": 1, "radius_unit": "arcsec"}, [1]),
        ({"position": "0h40m02.4s, -60d00m00s", "radius": 1, "radius_unit": "arcsec"}, [1]),
    ],
)  # fmt: skip
def test_each_filter_gives_its_rows(reader, site, query, expected):
    response = reader.get(crossmatches(site, **query))
    assert response.status_code == 200
    assert short(response) == expected


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"position": "somewhere", "radius": 1}, "is no position: give right ascension and declination"),
        ({"position": "nan nan", "radius": 1}, "is no position"),
        ({"position": "10 -95", "radius": 1}, "is no position"),
        ({"position": "10 -60"}, "A cone needs a radius"),
        ({"radius": 1}, "A cone needs a position"),
        ({"position": "10 -60", "radius": 31, "radius_unit": "deg"}, "between 0 and 30 degrees"),
        ({"position": "10 -60", "radius": -1}, "between 0 and 30 degrees"),
        ({"ratio_min": "abc"}, "Enter a number"),
        ({"type": "nothing"}, "Select a valid choice"),
        ({"radius_unit": "parsec"}, "Select a valid choice"),
    ],
)
def test_bad_input_is_said_beside_the_field_and_lists_nothing(reader, site, query, words):
    response = reader.get(crossmatches(site, **query))
    assert response.status_code == 400
    assert words in response.content.decode().replace("&#x27;", "'")
    assert names(response) == []


@pytest.mark.parametrize("page", ["0", "99", "x", "-1"])
def test_a_page_that_does_not_exist_is_one_that_does(reader, site, page):
    assert len(names(reader.get(crossmatches(site, page=page)))) == 5


def test_pages_hold_each_row_once(reader, site):
    comparison = site["run"].survey_runs.get()
    for match_id in range(6, 60):
        make_row(comparison, match_id, ratio=1.5)
    seen = [name for page in (1, 2, 3) for name in short(reader.get(crossmatches(site, page=page)))]
    assert sorted(seen) == list(range(1, 60))
    text = reader.get(crossmatches(site, page=2)).content.decode()
    assert "59 rows, page 2 of 3" in text
    assert len(names(reader.get(crossmatches(site, per_page=100)))) == 59


def test_the_query_page_knows_current_runs_of_all_images(reader, site):
    assert (
        names(reader.get("/query/?is_candidate=true")) == ["J1-001", "J2-001"]
        or len(names(reader.get("/query/?is_candidate=true"))) == 2
    )
    site["other_run"].is_current = False
    site["other_run"].save()
    assert len(names(reader.get("/query/?is_candidate=true"))) == 1


def test_the_source_page_shows_every_value_of_the_schema_with_its_meaning(reader, site):
    row = site["rows"][0]
    text = reader.get(filled(ADDRESSES[-1], site)).content.decode().replace("&#x27;", "'").replace("&amp;", "&")
    for column in CROSSMATCHES:
        if not column.name.startswith(("askap_", "native_", "ref_")):
            assert column.description in text or column.name in (
                "name", "type", "survey", "ra", "dec", "flag", "flag_bits", "nearest_matches", "is_candidate",
                "failure",
            )  # fmt: skip
    assert "00:40:02.40 -60:00:00.0" in text
    assert 'alt="Postage stamp of' in text
    assert row.name in text


def test_flags_are_shown_in_words_with_what_they_do(reader, site):
    text = reader.get(f"/images/{site['run'].image_id}/crossmatches/{site['rows'][1].pk}/").content.decode()
    assert "Edge of ASKAP image" in text
    assert 'class="severity veto">veto<' in text
    assert "lies near blank pixels" in text


def test_the_same_object_elsewhere_and_the_nearest_matches_are_linked(reader, site):
    other = site["elsewhere"]
    text = reader.get(filled(ADDRESSES[-1], site)).content.decode()
    assert f"/images/{other.run.image_id}/crossmatches/{other.pk}/" in text
    text = reader.get(f"/images/{site['run'].image_id}/crossmatches/{site['rows'][3].pk}/").content.decode()
    nearest = text.partition("Nearest good matches")[2]
    assert re.findall(r'<td class="name"><a href="[^"]*">[^<]*-(\d+)</a>', nearest) == ["002", "001"]


def test_previous_and_next_follow_the_list_that_led_here(reader, site):
    def links(row, **query):
        address = f"/images/{site['run'].image_id}/crossmatches/{row.pk}/?{urlencode(query)}"
        text = reader.get(address).content.decode()
        found = {
            kind: re.search(rf'rel="{kind}" href="/images/\d+/crossmatches/(\d+)/', text) for kind in ("prev", "next")
        }
        place = re.search(r"<span>(\d+) of (\d+)</span>", text)
        return [int(match[1]) if match else None for match in found.values()], place and place.groups()

    rows = site["rows"]
    for sort in ("-ratio", "ratio", "name", "-name", "position", "vs"):
        order = [
            next(row for row in rows if row.match_id == n) for n in short(reader.get(crossmatches(site, sort=sort)))
        ]
        for place, row in enumerate(order):
            before = order[place - 1].pk if place else None
            after = order[place + 1].pk if place + 1 < len(order) else None
            assert links(row, sort=sort) == ([before, after], (str(place + 1), "5")), sort
    assert links(rows[0], is_candidate="true") == ([None, None], ("1", "1"))
    assert links(rows[0], is_candidate="true", list="query") == ([None, site["elsewhere"].pk], ("1", "2"))
    # a row that the list does not hold has no place in it
    assert links(rows[1], is_candidate="true") == ([None, None], None)


def test_a_row_of_another_image_is_not_found(reader, site):
    assert reader.get(f"/images/{site['other_run'].image_id}/crossmatches/{site['rows'][0].pk}/").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/images/999/",
        "/images/{image}/?run=nonsense",
        "/images/{image}/crossmatches/999/",
        "/products/999/",
        "/nowhere/",
    ],
)
def test_what_does_not_exist_is_404(reader, site, address):
    assert reader.get(filled(address, site)).status_code == 404


def test_a_run_of_another_image_is_not_shown(reader, site):
    assert reader.get(f"/images/{site['run'].image_id}/?run={site['other_run'].pk}").status_code == 404


def test_login_and_logout(client, site, django_user_model):
    django_user_model.objects.create_user("ann", password="correct horse")
    assert (
        "Please enter a correct username"
        in client.post(reverse("login"), {"username": "ann", "password": "x"}).content.decode()
    )
    answer = client.post(reverse("login"), {"username": "ann", "password": "correct horse", "next": "/query/"})
    assert answer["Location"] == "/query/"
    assert client.get(reverse("logout")).status_code == 405
    client.post(reverse("logout"))
    assert client.get("/").status_code == 302


def test_login_does_not_lead_to_another_host(client, site, django_user_model):
    django_user_model.objects.create_user("ann", password="x")
    answer = client.post(reverse("login"), {"username": "ann", "password": "x", "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_a_post_without_token_is_refused(site, django_user_model):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.create_user("ann"))
    assert client.post(reverse("logout")).status_code == 403


def test_the_administration_shows_and_does_not_edit(client, site, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("admin", password="x"))
    for model in apps.get_app_config("candidates").get_models():
        name = model._meta.model_name
        assert client.get(f"/admin/candidates/{name}/").status_code == 200
        assert client.get(f"/admin/candidates/{name}/add/").status_code == 403
    row = Crossmatch.objects.first()
    assert client.post(f"/admin/candidates/crossmatch/{row.pk}/change/", {"name": "x"}).status_code == 403


def test_few_queries(reader, site, django_assert_max_num_queries):
    for address in ADDRESSES:
        with django_assert_max_num_queries(12):
            reader.get(filled(address, site))


def test_django_finds_nothing_to_complain_of(db):
    call_command("check")


@given(st.floats(0, 360), st.floats(-90, 90))
def test_no_position_has_sixty_seconds(ra, dec):
    text = sexagesimal(ra, dec)
    hours, degrees = text.split()
    for part in (hours, degrees[1:]):
        _, minutes, seconds = part.split(":")
        assert int(minutes) < 60
        assert float(seconds) < 60
    assert int(hours[:2]) < 24
    from astropy.coordinates import SkyCoord

    back = SkyCoord(text, unit=("hourangle", "deg"))
    assert back.separation(SkyCoord(ra, dec, unit="deg")).arcsec < 0.1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        ("", "–"),
        (True, "yes"),
        (3, "3"),
        (0.0, "0"),
        (-1.23456, "-1.235"),
        (123456.0, "123456"),
        (1e-9, "1.000e-09"),
    ],
)
def test_numbers_are_short_and_keep_their_meaning(value, text):
    assert number(value) == text
