"""Files of whole lists, read back with the programs that people read them with."""

from __future__ import annotations

import io
import json
import math
from urllib.parse import parse_qs

import pandas as pd
import pytest
from astropy.io import votable
from astropy.table import Table

from racs_transients.schema import CROSSMATCHES
from tests.web.conftest import make_row
from web_server.candidates.models import Crossmatch
from web_server.review import services
from web_server.review.models import Label

pytestmark = pytest.mark.django_db


def bytes_of(response):
    assert response.status_code == 200
    return b"".join(response) if response.streaming else response.content


def as_csv(client, address="/query/export.csv", **query):
    return bytes_of(client.get(address, query))


def frame(content):
    return pd.read_csv(io.BytesIO(content), comment="#")


def as_votable(client, address="/query/export.vot", **query):
    return votable.parse(io.BytesIO(bytes_of(client.get(address, query))), verify="exception")


@pytest.fixture
def exact(site):
    """Values that rounding would change; some are missing."""
    row = site["rows"][0]
    row.askap_flux, row.ra, row.ref_flux, row.large_ratio = math.pi * 1e-7, 10.01 + 1e-13, None, True
    row.save()
    return row


@pytest.mark.parametrize("query", [{}, {"sort": "name"}, {"is_candidate": "true"}, {"ratio_max": 2, "sort": "ratio"}])
def test_both_files_hold_the_whole_list_in_its_order(reader, site, query):
    for n in range(6, 60):
        make_row(site["run"].survey_runs.get(), n, ratio=1 + n / 100)
    rows = Crossmatch.objects.all()
    if "is_candidate" in query:
        rows = rows.filter(is_candidate=True)
    if "ratio_max" in query:
        rows = rows.filter(ratio__lte=2)
    key = query.get("sort", "-ratio")
    downwards = key.startswith("-")
    missing = sorted((row.pk for row in rows if row.ratio is None), reverse=downwards)
    known = [row for row in rows if row.ratio is not None or key == "name"]
    known.sort(key=lambda row: (getattr(row, key.removeprefix("-")), row.pk), reverse=downwards)
    expected = [row.pk for row in known] + (missing if key != "name" else [])
    assert frame(as_csv(reader, **query))["row_id"].tolist() == expected
    assert as_votable(reader, **query).get_first_table().array["row_id"].tolist() == expected


def test_values_are_unrounded_and_missing_ones_are_empty(reader, exact):
    content = as_csv(reader)
    rows = [frame(content), Table.read(content.decode(), format="ascii.ecsv").to_pandas()]
    rows.append(as_votable(reader).get_first_table().to_table().to_pandas())
    for table in rows:
        row = table[table["row_id"] == exact.pk].iloc[0]
        assert row["askap_flux"] == exact.askap_flux
        assert row["ra"] == exact.ra
        assert math.isnan(row["ref_flux"])
        assert pd.isna(row["askap_source_id"])
        assert bool(row["large_ratio"])
        assert row["image"] == "image1.fits"
        assert row["run_id"] == str(exact.run_id)
    assert "nan" not in content.decode().lower().partition("\nrow_id")[2].replace("unan", "")


def test_units_and_ucds_are_those_of_the_schema(reader, site):
    table = Table.read(as_csv(reader).decode(), format="ascii.ecsv")
    fields = {field.name: field for field in as_votable(reader).get_first_table().fields}
    for column in CROSSMATCHES:
        assert table[column.name].info.meta["ucd"] == fields[column.name].ucd == column.ucd
        assert str(table[column.name].unit or "") == str(fields[column.name].unit or "")
        # astropy breaks the lines of long ones
        assert " ".join(fields[column.name].description.split()) == column.description
        assert table[column.name].description == column.description
    assert str(fields["ra"].unit) == "deg"
    assert str(fields["askap_flux"].unit) == "mJy"


def test_a_file_says_where_it_comes_from(reader, site):
    address = f"/images/{site['run'].image_id}/crossmatches/export"
    origin = Table.read(as_csv(reader, f"{address}.csv", ratio_min=2).decode(), format="ascii.ecsv").meta
    infos = [(info.name, info.value) for info in as_votable(reader, f"{address}.vot", ratio_min=2).resources[0].infos]
    for said in (origin, dict(infos)):
        assert f"/images/{site['run'].image_id}/crossmatches/export." in said["query"]
        assert "ratio_min=2" in said["query"]
        assert said["user"] == "reader"
        assert said["written"].startswith("20")
        assert said["software"].startswith("racs_transients ")
        assert str(site["run"].pk) in str(said["runs"])
        assert str(site["other_run"].pk) not in str(said["runs"])
    both = [info.value for info in as_votable(reader).resources[0].infos if info.name == "runs"]
    assert len(both) == 2


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_of_a_csv_is_a_formula_and_numbers_stay(reader, site, text):
    row = site["rows"][0]
    row.failure, row.vs = text, -8.25
    row.save()
    told = frame(as_csv(reader)).set_index("row_id").loc[row.pk]
    assert told["failure"] == ("'" + text).replace("\r", " ")
    assert told["vs"] == -8.25
    # it is no spreadsheet that reads the other one
    array = as_votable(reader).get_first_table().array
    assert str(array["failure"][array["row_id"].tolist().index(row.pk)]).strip() == text.strip()


def test_no_cell_of_a_comment_is_a_formula(reader, site):
    site["run"].tag = "deep;@SUM(A1),-1,=1+1"
    site["run"].save()
    content = as_csv(reader, "/query/export.csv?x=1,=HYPERLINK(A1)&y=;+1").decode()
    comments = [line for line in content.splitlines() if line.startswith("#")]
    cells = [cell for line in comments for mark in (",", ";") for cell in line.split(mark)]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    origin = Table.read(content, format="ascii.ecsv").meta
    assert parse_qs(origin["query"].partition("?")[2]) == {"x": ["1,=HYPERLINK(A1)"], "y": ["; 1"]}
    assert any("deep;@SUM(A1),-1,=1+1, version" in run for run in origin["runs"])


@pytest.mark.parametrize("text", ["a # b", "#", 'a "b", c', "one\ntwo", "δ ″"])
def test_awkward_text_is_read_back(reader, site, text):
    row = site["rows"][0]
    row.failure = text
    row.save()
    content = as_csv(reader)
    for table in (frame(content), Table.read(content.decode(), format="ascii.ecsv").to_pandas()):
        assert table.set_index("row_id").loc[row.pk, "failure"] == text.replace("\n", " ")


def test_votes_are_those_that_the_reader_may_see(client, site, person):
    ann, bob, lead, viewer = person("ann"), person("bob"), person("lead", "lead"), person("viewer", "viewer")
    label = {label.key: label for label in Label.objects.all()}
    one, two = site["rows"][:2]
    services.cast_vote(ann, one, label["i"])
    services.cast_vote(bob, one, label["m"])
    services.cast_vote(bob, two, label["n"], note="secret of bob")

    def told(user):
        client.force_login(user)
        table = frame(as_csv(client)).set_index("row_id").astype(object).fillna("")
        other = as_votable(client).get_first_table().to_table().to_pandas()
        assert other["votes"].astype(object).fillna("").tolist() == table["votes"].tolist()
        names = ["review_state", "review_tag", "my_tag", "my_reason", "votes"]
        return [table.loc[row.pk, names].tolist() for row in (one, two)]

    both = "ann: investigate (investigate); bob: ignore (is match)"
    blind = ["unreviewed", "", "", "", ""]
    assert told(ann) == [["conflict", "", "investigate", "investigate", both], blind]
    by_bob = ["partial", "ignore", "ignore", "non-detection", "bob: ignore (non-detection)"]
    assert told(bob) == [["conflict", "", "ignore", "is match", both], by_bob]
    for seeing in (lead, viewer):
        assert told(seeing) == [
            ["conflict", "", "", "", both],
            ["partial", "ignore", "", "", "bob: ignore (non-detection)"],
        ]
    client.force_login(ann)
    assert b"secret" not in as_csv(client)


def test_an_empty_list_is_a_file_without_rows(reader, site):
    assert len(frame(as_csv(reader, name="nothing"))) == 0
    assert len(as_votable(reader, name="nothing").get_first_table().array) == 0


@pytest.mark.parametrize("address", ["/query/export.xls", "/query/export.fits", "/images/999/crossmatches/export.csv"])
def test_other_files_do_not_exist(reader, site, address):
    assert reader.get(address).status_code == 404


def test_what_is_wrong_is_said_on_the_page(reader, site):
    response = reader.get("/query/export.csv?ratio_min=x")
    assert response["Location"] == "/query/?ratio_min=x"
    response = reader.get("/query/export.csv?vs__gt_min=4")
    assert response["Location"] == "/query/export.csv?vs_abs_min=4"


def test_a_votable_that_would_be_too_large_is_refused_in_words(reader, site, monkeypatch):
    monkeypatch.setattr("web_server.candidates.exports.MOST_ROWS_OF_A_VOTABLE", 5)
    response = reader.get("/query/export.vot")
    assert response.status_code == 413
    assert "at most 5 rows" in response.content.decode()
    assert reader.get("/query/export.vot?ratio_min=2").status_code == 200


def test_the_header_of_a_csv_is_json_in_comments(reader, site):
    line = next(line for line in as_csv(reader).decode().splitlines() if line.startswith("# meta: "))
    assert json.loads(line.removeprefix("# meta: "))["user"] == "reader"


def test_few_queries_for_many_rows(reader, site, django_assert_max_num_queries):
    for n in range(6, 300):
        make_row(site["run"].survey_runs.get(), n)
    with django_assert_max_num_queries(10):
        as_csv(reader)
    with django_assert_max_num_queries(11):
        as_votable(reader)


def test_the_list_leads_to_its_files(reader, site):
    for address in ("/query/", f"/images/{site['run'].image_id}/crossmatches/"):
        text = reader.get(f"{address}?ratio_min=2&sort=name").content.decode().replace("&amp;", "&")
        for kind in ("csv", "vot"):
            link = f"{address}export.{kind}?ratio_min=2&sort=name"
            assert f'href="{link}"' in text
            assert reader.get(link).status_code == 200
