"""The page of one source: fluxes, panels, links, the past, addresses that stay."""

from __future__ import annotations

import html
import io
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import numpy as np
import pytest
from PIL import Image as Picture

from tests.web.conftest import make_row, make_run
from tests.web.cutouts import add_cutouts
from web_server.candidates.models import Crossmatch, Product, Run, SurveyRun
from web_server.review.claims import claim
from web_server.review.models import Label
from web_server.review.services import cast_vote, decide


def address(row):
    return f"/images/{row.run.image_id}/crossmatches/{row.pk}/"


def page(client, row):
    response = client.get(address(row))
    assert response.status_code == 200
    return response.content.decode()


def section(text, title):
    """The page from a heading to the next section."""
    return text.split(f">{title}</h2>")[1].split("</section>")[0]


def picture(client, product, stretch="noise"):
    response = client.get(f"/products/{product.pk}/panel.png?stretch={stretch}")
    assert response.status_code == 200
    return np.asarray(Picture.open(io.BytesIO(response.content)).convert("L")).astype(int)


@pytest.fixture
def epochs(site):
    """The object of the first row in two images at known times, with fluxes."""
    for row, epoch, flux in ((site["rows"][0], 58597.5, -0.5), (site["elsewhere"], 58800.25, 12.5)):
        row.run.image.epoch = epoch
        row.run.image.save()
        row.askap_flux, row.askap_flux_err, row.askap_origin = flux, 0.25, "forced"
        row.askap_scaled_flux, row.askap_scaled_flux_err = flux * 1.04, 0.26
        row.ref_flux, row.ref_flux_err, row.ref_origin = 50.0, 2.0, "catalogued"
        row.save()
    Crossmatch.objects.filter(pk=site["elsewhere"].pk).update(ref_flux=3.4, ref_origin="limit")
    return site


def test_the_plot_and_its_table_show_the_object_in_every_image_and_survey(reader, epochs):
    text = section(page(reader, epochs["rows"][0]), "Flux density against time")
    for words in ("-0.50 ± 0.25", "2019-04-24", "12.50 ± 0.25", "58800.250", "50.00 ± 2.00", "&lt; 3.40", "1993–1996"):
        assert words in text
    assert text.count('class="point measured"') == 2 + 1  # and the key
    assert "ASKAP, scaled to NVSS" in text
    assert "style=" not in text


def test_a_replaced_run_is_not_in_the_plot_of_another_image(reader, epochs):
    Run.objects.filter(pk=epochs["other_run"].pk).update(is_current=False)
    assert "12.50" not in section(page(reader, epochs["rows"][0]), "Flux density against time")


def test_fluxes_without_time_are_in_the_table_alone(reader, site):
    Crossmatch.objects.filter(pk=site["rows"][0].pk).update(askap_flux=7.25)
    text = section(page(reader, site["rows"][0]), "Flux density against time")
    assert "7.25" in text
    assert "unknown" in text
    assert "No flux density has a known time" in text


def test_the_same_object_and_nearest_matches_have_the_columns_of_the_earlier_site(reader, epochs):
    text = page(reader, epochs["rows"][0])
    same = section(text, "The same object in other images and surveys")
    for words in ("image2.fits", "J2-001", "scaled ASKAP (mJy)", "from centre (deg)", "&lt; 3.400", "12.50", ">0.0<"):
        assert words in same
    nearest = section(page(reader, epochs["rows"][3]), "Nearest good matches")
    assert nearest.index("J1-002") < nearest.index("J1-001")
    assert "scaled ASKAP (mJy)" in nearest


def test_panels_share_one_stretch(reader, site):
    products = add_cutouts(site["rows"][0], site["root"], askap=20.0, survey=40.0)
    faint, bright = (picture(reader, products[side], "peak") for side in ("askap", "survey"))
    # half the peak is half as dark: 255 is −3 σ, 0 the brightest
    middle = slice(170, 190)
    assert bright[middle, middle].min() < 15
    assert 105 < faint[middle, middle].min() < 145
    assert picture(reader, products["askap"], "noise")[middle, middle].min() == 0


def test_north_is_up_and_east_left(reader, site):
    row = site["rows"][0]
    products = add_cutouts(row, site["root"], askap=20.0)
    Crossmatch.objects.filter(pk=row.pk).update(ra=row.ra - 0.02, dec=row.dec - 0.02)
    pixels = picture(reader, products["askap"], "peak")
    pixels[300:] = 255  # the scale bar
    y, x = np.unravel_index(pixels.argmin(), pixels.shape)
    assert x < 170
    assert y < 170


def test_a_panel_is_sent_once_and_again_when_its_file_changes(reader, site):
    products = add_cutouts(site["rows"][0], site["root"], askap=20.0, survey=40.0)
    where = f"/products/{products['askap'].pk}/panel.png"
    tag = reader.get(where)["ETag"]
    assert reader.get(where, headers={"If-None-Match": tag}).status_code == 304
    assert reader.get(where + "?stretch=peak", headers={"If-None-Match": tag}).status_code == 200
    add = site["root"] / products["survey"].path
    add.write_bytes(add.read_bytes() + b"\0" * 2880)
    assert reader.get(where, headers={"If-None-Match": tag}).status_code == 200


def test_what_is_no_cutout_or_is_gone_or_broken_has_no_panel(reader, client, site):
    stamp = Product.objects.get(kind="stamp")
    gone = Product.objects.create(run=site["run"], crossmatch=site["rows"][0], kind="cutout_askap", path="gone.fits")
    (site["root"] / "bad.fits").write_bytes(b"no FITS")
    bad = Product.objects.create(run=site["run"], crossmatch=site["rows"][1], kind="cutout_askap", path="bad.fits")
    for product in (stamp, site["plot"], gone, bad):
        assert reader.get(f"/products/{product.pk}/panel.png").status_code == 404
    client.logout()
    assert client.get(f"/products/{stamp.pk}/panel.png").status_code == 302


def test_the_page_offers_what_can_be_blinked(reader, site):
    row = site["rows"][0]
    add_cutouts(row, site["root"], askap=20.0, survey=40.0)
    text = page(reader, row)
    assert text.index(">SUMSS</button>") < text.index(">ASKAP</button>")
    assert "data-blink-toggle" in text
    assert "data-blink" not in page(reader, site["rows"][1])
    assert "What the colours mean" in text


def test_a_permalink_leads_to_the_newest_run(reader, site):
    row = site["rows"][0]
    link = f"/objects/{row.sky_object_id}/{row.run.image_id}/SUMSS/"
    assert f"http://testserver{link}" in page(reader, row)
    assert reader.get(link).url == address(row)
    Run.objects.filter(pk=row.run_id).update(is_current=False)
    newer = Run.objects.create(id=UUID(int=9), image=row.run.image, tag="test")
    part = SurveyRun.objects.create(run=newer, survey="SUMSS")
    again = make_row(part, 4, sky_object=row.sky_object, ra=row.ra)
    assert reader.get(link).url == address(again)
    assert "This run has been replaced" in page(reader, row)
    assert reader.get(f"/objects/{row.sky_object_id}/{row.run.image_id}/NVSS/").status_code == 404


def test_a_permalink_leads_to_the_newest_of_several_runs_of_one_standing(reader, site):
    row, image = site["rows"][0], site["run"].image
    rows = {}
    # numbers of runs are random: the largest is not the newest
    for number, year in ((2**128 - 1, 2020), (7, 2030), (2**100, 2025)):
        when = datetime(year, 1, 1, tzinfo=UTC)
        run = Run.objects.create(id=UUID(int=number), image=image, tag=str(year), finished=when)
        part = SurveyRun.objects.create(run=run, survey="SUMSS")
        rows[year] = make_row(part, 1, sky_object=row.sky_object, ra=row.ra)
    link = f"/objects/{row.sky_object_id}/{image.pk}/SUMSS/"
    assert reader.get(link).url == address(rows[2030])
    Run.objects.filter(image=image).update(is_current=False)
    assert reader.get(link).url == address(rows[2030])


def test_coordinates_are_offered_in_degrees_and_sexagesimal(reader, site):
    text = page(reader, site["rows"][0])
    assert 'data-copy="10.010000 -60.000000"' in text
    assert 'data-copy="00:40:02.40 -60:00:00.0"' in text


@pytest.fixture
def past(site, person):
    """A vote and a decision of others on the first row, and on the object in the other image."""
    label = Label.objects.filter(lead_only=False).first()
    voter, boss = person("voter"), person("boss", "lead")
    cast_vote(voter, site["rows"][0], label, note="seen here")
    cast_vote(voter, site["elsewhere"], label, note="seen there")
    decide(boss, site["rows"][0], label, note="settled")
    claim(voter, site["rows"][0].run.image)
    return {"label": label, "voter": voter, "boss": boss}


def see(client, user, row):
    client.force_login(user)
    text = page(client, row)
    return {words for words in ("seen here", "seen there", "settled") if words in text}


def test_nobody_who_votes_sees_the_past_before_their_own_vote(client, site, past, person):
    row = site["rows"][0]
    for role in ("reviewer", "lead", "admin"):
        user = person(f"new-{role}", role)
        assert see(client, user, row) == set()
        cast_vote(user, row, past["label"])
        assert {"seen here", "settled"} <= see(client, user, row)


def test_a_viewer_sees_all(client, site, past, person):
    assert see(client, person("looker", "viewer"), site["rows"][0]) == {"seen here", "seen there", "settled"}


def test_old_votes_on_what_one_voted_on_show_at_a_new_image(client, site, past):
    new_run, part = make_run(3)
    row = make_row(part, 1, sky_object=site["rows"][0].sky_object, ra=site["rows"][0].ra)
    assert see(client, past["voter"], row) == {"seen here", "seen there"}
    assert new_run.image.name in page(client, row)


def test_who_claimed_the_image_is_no_secret(client, site, past, person):
    text = page(client, site["rows"][0]) if client.force_login(person("other")) is None else ""
    assert "Image claimed by <strong>voter</strong>" in text
    assert "claim" in section(text, "History")


def test_the_page_takes_few_queries(client, site, past, django_assert_max_num_queries):
    client.force_login(past["boss"])
    with django_assert_max_num_queries(12):
        page(client, site["rows"][0])


def test_a_source_leads_to_its_review_within_the_list_that_it_was_reached_from(client, person, site):
    row = site["rows"][0]
    here = f"image={row.run.image_id}&run={row.run_id}"

    def review_of(query, role="reviewer"):
        client.force_login(person(f"{role}-{len(query)}", role))
        text = client.get(f"{address(row)}{query}").content.decode()
        found = re.search(r'href="([^"]+)">Review this source</a>', text)
        return found and html.unescape(found[1])

    assert review_of("", "viewer") is None
    for query, wanted in (
        ("", f"{here}&is_candidate=true"),
        ("?ratio_min=2&sort=-vs&page=3", f"ratio_min=2&sort=-vs&{here}"),
        ("?ratio_min=2&list=query&image=image1", "ratio_min=2&image=image1"),
    ):
        link = review_of(query)
        assert urlsplit(link).path == f"/review/{row.pk}/"
        assert parse_qs(urlsplit(link).query) == parse_qs(wanted)
        text = client.get(link).content.decode()
        assert f'id="name">{row.name}<' in text
        assert "not in the list" not in text
    # of a run that a later one has replaced
    Run.objects.filter(pk=row.run_id).update(is_current=False)
    assert client.get(review_of("?list=query&ratio_min=1")).status_code == 200
