"""What other programs fetch without a log-in: one file each, for a short while."""

from __future__ import annotations

import io
import time
from urllib.parse import urlsplit

import pytest
from astropy.io import fits
from astropy.io.votable import parse_single_table
from django.core import signing

from tests.web.cutouts import add_cutouts
from web_server.candidates.models import Product
from web_server.review.models import Label
from web_server.review.services import cast_vote


def messages(client, row, query=""):
    response = client.get(f"/images/{row.run.image_id}/crossmatches/{row.pk}/samp/?{query}")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return response.json()


def path_of(message):
    address = urlsplit(message["params"]["url"])
    assert (address.scheme, address.netloc) == ("http", "testserver")
    return address.path


@pytest.fixture
def cutout(site):
    return add_cutouts(site["rows"][0], site["root"], askap=20.0)["askap"]


def table_of(client, message):
    content = client.get(path_of(message)).content
    return parse_single_table(io.BytesIO(content)).to_table()


def test_point_at_says_degrees_as_text(reader, site):
    point = messages(reader, site["rows"][0])["point"]
    assert point == {"mtype": "coord.pointAt.sky", "params": {"ra": "10.01000000", "dec": "-60.00000000"}}


def test_a_cutout_is_fetched_without_a_log_in(reader, client, site, cutout):
    message = messages(reader, site["rows"][0])[f"cutout-{cutout.pk}"]
    assert message["mtype"] == "image.load.fits"
    client.logout()
    response = client.get(path_of(message))
    header = fits.Header.fromstring(response.getvalue()[:2880].decode())
    response.close()
    assert header["BUNIT"] == "Jy/beam"
    assert client.get(f"/products/{cutout.pk}/").status_code == 302


def test_an_address_expires(reader, client, site, cutout, monkeypatch):
    path = path_of(messages(reader, site["rows"][0])[f"cutout-{cutout.pk}"])
    client.logout()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 599)
    response = client.get(path)
    response.close()
    assert response.status_code == 200
    monkeypatch.setattr(time, "time", lambda: now + 602)
    assert client.get(path).status_code == 404


def test_no_other_file_is_had_by_changing_an_address(reader, client, site, cutout):
    everything = messages(reader, site["rows"][0])
    token = path_of(everything[f"cutout-{cutout.pk}"]).split("/")[2]
    other = Product.objects.get(kind="stamp").pk
    value, rest = token.split(":", 1)
    forged = signing.b64_encode(str(other).encode()).decode()
    client.logout()
    for wrong in (f"{forged}:{rest}", f"{value}:{rest[:-1]}x", "x", signing.dumps(other), signing.dumps(other, "x")):
        assert client.get(f"/signed/{wrong}/cutout.fits").status_code == 404
    # what one kind of address is signed for opens no other kind
    assert client.get(f"/signed/{token}/crossmatches.vot").status_code == 404


def test_the_addresses_are_not_given_to_strangers(client, site):
    row = site["rows"][0]
    assert client.get(f"/images/{row.run.image_id}/crossmatches/{row.pk}/samp/").status_code == 302


def test_messages_of_a_row_of_another_image_are_not_found(reader, site):
    other = site["elsewhere"]
    assert reader.get(f"/images/{site['run'].image_id}/crossmatches/{other.pk}/samp/").status_code == 404


def test_the_table_is_the_list_that_the_source_was_reached_from(reader, client, site):
    here = messages(reader, site["rows"][0], "is_candidate=true&page=3")["table"]
    everywhere = messages(reader, site["rows"][0], "list=query&is_candidate=true")["table"]
    assert here["mtype"] == "table.load.votable"
    client.logout()
    assert [*table_of(client, here)["name"]] == ["J1-001"]
    assert sorted(table_of(client, everywhere)["name"]) == ["J1-001", "J2-001"]


def test_the_table_says_which_list_it_is_and_nothing_of_its_signature(reader, client, site):
    run = site["run"]
    path = path_of(messages(reader, site["rows"][0], "is_candidate=true")["table"])
    client.logout()
    content = client.get(path).content.decode()
    assert f"/images/{run.image_id}/crossmatches/export.vot?is_candidate=true&amp;run={run.pk}" in content
    assert "/signed/" not in content


def test_the_table_shows_the_votes_that_its_reader_may_see(client, site, person):
    row, label = site["rows"][0], Label.objects.filter(lead_only=False).first()
    cast_vote(person("voter"), row, label)
    for role, sees in (("viewer", True), ("reviewer", False)):
        client.force_login(person(f"new-{role}", role))
        message = messages(client, row)["table"]
        client.logout()
        assert ("voter: " in str([*table_of(client, message)[0].values()])) is sees


def test_a_closed_account_has_no_table(client, site, person):
    user = person("leaver")
    client.force_login(user)
    path = path_of(messages(client, site["rows"][0])["table"])
    user.is_active = False
    user.save()
    assert client.get(path).status_code == 404


def test_nothing_is_changed_through_a_signed_address(reader, client, site, cutout):
    path = path_of(messages(reader, site["rows"][0])[f"cutout-{cutout.pk}"])
    assert client.post(path).status_code == 405
