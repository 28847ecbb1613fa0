"""Pages and order of long lists, and what an address may ask of them."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.db import connection

from tests.web.conftest import make_row
from web_server.candidates import lists
from web_server.candidates.filters import CrossmatchFilter
from web_server.candidates.lists import PAGE_SIZES, Order, RowPaginator, place_in_list
from web_server.candidates.models import Crossmatch
from web_server.candidates.tables import LISTED


def matches(response):
    return [int(n) for n in re.findall(r'<td class="name"><a href="[^"]*">[^<]*-(\d+)</a>', response.content.decode())]


@pytest.fixture
def many(site):
    """130 rows more, with few different values, some missing."""
    comparison = site["run"].survey_runs.get()
    rows = [make_row(comparison, n, ratio=[1.5, None, 2.5, 4.0][n % 4]) for n in range(6, 136)]
    return [*site["rows"], *rows]


@pytest.mark.parametrize("sort", ["ratio", "-ratio", "name", "-position"])
@pytest.mark.parametrize("per_page", PAGE_SIZES)
@pytest.mark.parametrize("small", [lists.SMALL, 10])
def test_the_pages_together_are_the_list_in_its_order(reader, site, many, sort, per_page, small, monkeypatch):
    monkeypatch.setattr(lists, "SMALL", small)
    key = {"position": "ra"}.get(sort.removeprefix("-"), sort.removeprefix("-"))
    known = [row for row in many if getattr(row, key) is not None]
    downwards = sort.startswith("-")
    ordered = sorted(known, key=lambda row: (getattr(row, key), row.pk), reverse=downwards)
    ordered += sorted((row for row in many if row not in known), key=lambda row: row.pk, reverse=downwards)
    address = f"/images/{site['run'].image_id}/crossmatches/"
    pages = -(-len(many) // per_page)
    shown = [
        n
        for page in range(1, pages + 1)
        for n in matches(reader.get(address, {"sort": sort, "per_page": per_page, "page": page}))
    ]
    assert shown == [row.match_id for row in ordered]
    cache.clear()


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("key", ["ratio", "name", "separation"])
def test_next_and_previous_walk_the_whole_list(many, key, descending):
    rows, order = Crossmatch.objects.filter(run=many[0].run), Order(key, descending)
    ordered = list(order.sort(rows))
    for number, row in enumerate(ordered):
        place = place_in_list(rows, row, order)
        assert place["place"] == number + 1
        assert place["total"] == len(ordered)
        assert place["previous"] == (ordered[number - 1] if number else None)
        assert place["next"] == (ordered[number + 1] if number + 1 < len(ordered) else None)


@pytest.mark.parametrize("per_page", ["-5", "0", "1000000", "x", ""])
@pytest.mark.parametrize("address", ["/", "/query/"])
def test_an_unknown_page_size_is_the_usual_one(reader, many, address, per_page):
    response = reader.get(address, {"per_page": per_page})
    assert response.status_code == 200
    assert len(matches(response)) == (PAGE_SIZES[0] if address == "/query/" else 0)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"name": "x" * 60000}, "at most 100 characters"),
        ({"name": "\x00"}, "Null characters are not allowed"),
        ({"position": "1" * 500 + " 2", "radius": 1}, "at most 100 characters"),
        ({"is_candidate": "maybe"}, "Select a valid choice"),
        ({"vetoed": "1"}, "Select a valid choice"),
        ({"any_flag": "99"}, "Select a valid choice"),
        ({"ratio_min": "nan"}, "Enter a number"),
    ],
)
def test_values_that_no_field_can_have_are_said(reader, site, query, words):
    response = reader.get("/query/", query)
    assert response.status_code == 400
    assert words in response.content.decode()


@pytest.mark.parametrize("value", ["1e400", "-1e400", "1e999999999"])
def test_huge_bounds_are_bounds(reader, site, value):
    found = matches(reader.get("/query/", {"ratio_min": value}))
    assert len(found) == (5 if value.startswith("-") else 0)


def test_any_flag_finds_those_beside_the_primary_one(reader, site):
    row = site["rows"][0]
    row.flag_bits = 0b110
    row.save()
    assert matches(reader.get("/query/", {"any_flag": "1"})) == [1, 2]
    assert matches(reader.get("/query/", {"any_flag": "2"})) == [1]
    assert matches(reader.get("/query/", {"any_flag": ["0", "2"]})) == [1, 3]


def test_many_related_rows_need_no_more_queries(reader, site, many, django_assert_max_num_queries):
    row = site["rows"][0]
    row.nearest_matches = ",".join(str(other.match_id) for other in many[6:40])
    row.save()
    for n in range(200, 220):
        make_row(site["run"].survey_runs.get(), n, ra=row.ra, sky_object=row.sky_object)
        make_row(site["run"].survey_runs.get(), n + 100, ra=row.ra)
    with django_assert_max_num_queries(16):
        text = reader.get(f"/images/{site['run'].image_id}/crossmatches/{row.pk}/?sort=-ratio").content.decode()
    assert text.count('<td class="name">') == 34 + 21 + 20


def test_the_index_of_the_lists_holds_what_filters_and_orders_read(db):
    if connection.vendor != "postgresql":
        pytest.skip("indexes of SQLite include no other columns")
    fields = {field.name: field.column for field in Crossmatch._meta.concrete_fields}
    asked = {one.field_name for one in CrossmatchFilter.base_filters.values()} | {*LISTED, "name", "run", "sky_object"}
    wanted = {fields[name] for name in asked if name in fields}
    assert len(wanted) > 15
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'crossmatch_of_run_by_ratio'")
        held = set(re.findall(r"\w+", cursor.fetchone()[0]))
    assert wanted <= held, f"make a migration that adds {wanted - held} to the index"


def test_only_a_long_list_is_not_counted_again_at_once(site, many, monkeypatch):
    rows = Crossmatch.objects.filter(run=site["run"])
    assert RowPaginator(rows, 25).count == len(many)
    many[0].delete()
    assert RowPaginator(rows, 25).count == len(many) - 1
    monkeypatch.setattr(lists, "SMALL", 100)
    assert RowPaginator(rows, 25).count == len(many) - 1
    many[1].delete()
    assert RowPaginator(rows, 25).count == len(many) - 1
    assert RowPaginator(rows.filter(match_id__gt=2), 25).count == len(many) - 2
    cache.clear()


def test_a_long_list_has_neighbours_but_no_places(reader, site, many, monkeypatch):
    monkeypatch.setattr(lists, "SMALL", 100)
    rows, order = Crossmatch.objects.filter(run=site["run"]), Order("ratio", True)
    one, two, *_ = order.sort(rows)
    for _ in range(2):  # counted, then remembered
        assert place_in_list(rows, two, order) | {"next": None} == {
            "previous": one,
            "next": None,
            "place": None,
            "total": len(many),
        }
    assert place_in_list(rows, site["elsewhere"], order) == {"total": 0}
    address = f"/images/{site['run'].image_id}/crossmatches/{two.pk}/?sort=-ratio"
    assert f"in a list of {len(many)}" in reader.get(address).content.decode()
    cache.clear()
