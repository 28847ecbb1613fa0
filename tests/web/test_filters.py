"""Filters by position, by votes, and by the names of the earlier site."""

from __future__ import annotations

import contextlib
import html
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlencode

import pytest
from django.core.cache import cache

from racs_transients.flags import FLAGS
from tests.serving import free_port
from tests.web.conftest import make_row
from web_server.review import services
from web_server.review.models import Label, Star

pytestmark = pytest.mark.django_db


def found(client, **query):
    response = client.get(f"/query/?{urlencode(query, doseq=True)}")
    assert response.status_code == 200, response.content.decode()
    return sorted(re.findall(r'<td class="name"><a href="[^"]*">J([^<]+)</a>', response.content.decode()))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"image": "image2"}, ["2-001"]),
        ({"image": "IMAGE"}, ["1-001", "1-002", "1-003", "1-004", "1-005", "2-001"]),
        ({"image": "9" * 40}, []),
        ({"survey": "NVSS"}, ["2-001"]),
        ({"any_flag": ["0", "1"]}, ["1-002", "1-003"]),
        ({"no_flag": ["0", "1"]}, ["1-001", "1-004", "1-005", "2-001"]),
        ({"no_flag": ["1"]}, ["1-001", "1-003", "1-004", "1-005", "2-001"]),
        ({"askap_flux_min": 5, "askap_flux_max": 20}, ["1-001"]),
        ({"ref_flux_max": 3}, ["1-002"]),
        ({"distance_from_centre_min": 2}, ["1-003"]),
        ({"askap_nn_separation_max": 60}, ["1-004"]),
        ({"gal_l_min": 350, "gal_l_max": 10}, ["1-002", "1-003"]),
        ({"gal_l_min": -10, "gal_l_max": 10}, ["1-002", "1-003"]),
        ({"gal_l_min": 350, "gal_l_max": 370}, ["1-002", "1-003"]),
        ({"gal_l_min": -180, "gal_l_max": 180}, ["1-002", "1-003", "1-004", "1-005"]),
        ({"gal_l_min": 180, "gal_l_max": 360}, ["1-002", "1-004"]),
        ({"ra_min": -1, "ra_max": 1}, ["1-002", "1-003"]),
        ({"gal_b_max": -40}, ["1-005"]),
        ({"dec_min": -59, "dec_max": 0}, []),
        ({"row": 2**62}, []),
    ],
)
def test_each_filter_gives_its_rows(reader, site, query, expected):
    values = {
        1: {"askap_flux": 10.0},
        2: {"ref_flux": 2.5, "gal_l": 359.0},
        3: {"distance_from_centre": 3.0, "gal_l": 2.0},
        4: {"askap_nn_separation": 45.0, "gal_l": 180.0},
        5: {"gal_b": -50.0, "gal_l": 20.0},
    }
    for row in site["rows"]:
        for name, value in values[row.match_id].items():
            setattr(row, name, value)
        row.save()
    assert found(reader, **query) == expected


def test_a_source_and_an_image_are_found_by_number(reader, site):
    assert found(reader, row=site["rows"][3].pk) == ["1-004"]
    assert found(reader, image=site["other_run"].image_id) == ["2-001"]


def test_a_cone_in_galactic_coordinates(reader, site):
    # 10.01° −60° ICRS, by astropy
    near = {"frame": "galactic", "radius": 1, "radius_unit": "arcsec"}
    assert found(reader, position="305.55263912 -57.07021683", **near) == ["1-001", "2-001"]
    for wrong in ("21:00:48 -55:06:00", "304 -91", "361 0", "LMC"):
        response = reader.get("/query/", {"position": wrong, **near})
        assert response.status_code == 400
        assert "give l and b in degrees" in response.content.decode()


class Sesame(BaseHTTPRequestHandler):
    """Answers as the service does; SLOW keeps its client waiting."""

    asked: list[str]
    slow: threading.Event

    def do_GET(self):
        name = unquote(self.path.partition("?")[2])
        self.asked.append(name)
        if name == "SLOW":
            self.slow.wait(30)
        known = name == "My star"
        lines = ["# My star\t#Q1", "#=S=Simbad: 1", "%J 10.01000000 -60.00000000 = 00 40 02.4 -60 00 00", "%I.0 * x"]
        body = "\n".join(lines if known else [f"# {name}\t#Q1", "#! *** Nothing found ***"]).encode()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def sesame(settings):
    cache.clear()
    Sesame.asked, Sesame.slow = [], threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sesame)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.SESAME_URL = f"http://127.0.0.1:{server.server_port}/nph-sesame/"
    yield Sesame
    Sesame.slow.set()
    server.shutdown()
    thread.join()
    server.server_close()
    cache.clear()


NAMED = {"frame": "name", "radius": 1, "radius_unit": "arcsec"}


def test_a_name_is_looked_up_once_and_only_when_asked_for(reader, site, sesame):
    assert found(reader, position="My star", **NAMED) == ["1-001", "2-001"]
    assert found(reader, position="My star", **NAMED) == ["1-001", "2-001"]
    assert sesame.asked == ["My star"]
    assert reader.get("/query/", {"position": "Other star", "radius": 1}).status_code == 400
    assert reader.get("/query/", {"position": "Other star", "frame": "name"}).status_code == 400
    assert reader.get("/query/", {"position": "Other star", "frame": "name", "radius": 2000}).status_code == 400
    assert sesame.asked == ["My star"]


def test_an_unknown_name_is_said(reader, site, sesame):
    response = reader.get("/query/", {"position": "Nobody's star", **NAMED})
    assert response.status_code == 400
    assert "know no “Nobody&#x27;s star”" in response.content.decode()


def test_without_network_the_page_says_so(reader, site, settings):
    settings.SESAME_URL = f"http://127.0.0.1:{free_port()}/"
    response = reader.get("/query/", {"position": "My star", **NAMED})
    assert response.status_code == 400
    assert "Sesame does not answer" in response.content.decode()


def test_a_slow_service_is_given_up(reader, site, sesame, monkeypatch):
    monkeypatch.setattr("web_server.candidates.resolver.TIMEOUT", 0.3)
    response = reader.get("/query/", {"position": "SLOW", **NAMED})
    assert response.status_code == 400
    assert "Sesame does not answer" in response.content.decode()


def test_a_service_that_breaks_off_is_no_error_of_the_site(reader, site, settings):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.SESAME_URL = f"http://127.0.0.1:{listener.getsockname()[1]}/"

        def answer():
            connection, _ = listener.accept()
            connection.recv(4096)
            connection.sendall(b"nonsense\r\n\r\n")
            connection.close()

        listener.settimeout(10)
        thread = threading.Thread(target=answer)
        thread.start()
        response = reader.get("/query/", {"position": "My star", **NAMED})
        thread.join()
    assert response.status_code == 400
    assert "Sesame does not answer" in response.content.decode()


OLD = [
    ({"vs__gt_min": "4.3", "m_abs__gt_min": "1.2"}, {"vs_abs_min": "4.3", "m_abs_min": "1.2"}),
    ({"ratio__gt_max": "2"}, {"ratio_max": "2"}),
    ({"ra__gt_min": "350", "ra__gt_max": "10"}, {"ra_min": "350", "ra_max": "10"}),
    ({"d2d_nn_askap_cat__gt_min": "30"}, {"askap_nn_separation_min": "30"}),
    ({"askap_iflux__gt_min": "5", "catalog_iflux__gt_max": "7"}, {"askap_flux_min": "5", "ref_flux_max": "7"}),
    ({"pipelinetag": "Edge of ASKAP image"}, {"flag": "Edge of ASKAP image"}),
    ({"usertag": "investigate", "userreason": "investigate"}, {"tag": "investigate", "reason": "investigate"}),
    ({"checkedby": "Unchecked"}, {"state": "unreviewed"}),
    ({"flagged": "False"}, {"vetoed": "false"}),
    ({"flagged": "2"}, {"vetoed": "true"}),
    ({"flagged": "unknown"}, {"vetoed": ""}),
    ({"inflated_convolved_flux": "True"}, {"any_flag": "9"}),
    ({"inflated_convolved_flux": "False"}, {"no_flag": "9"}),
    ({"transient_type": ["No askap match", "Match"]}, {"type": ["noaskapmatch", "match"]}),
    ({"survey": ["sumss", "nvss"], "source_id": ""}, {"survey": ["SUMSS", "NVSS"]}),
    (
        {"cone_search_0": "10.01", "cone_search_1": "-60", "cone_search_2": "1", "cone_search_3": "arcmin"},
        {"position": "10.01 -60", "radius": "1", "radius_unit": "arcmin"},
    ),
    ({"cone_search_0": "10.01", "cone_search_1": "", "cone_search_2": "", "cone_search_3": "arcsec"}, {}),
    ({"sort_by": "-askap_iflux", "source_id": "5"}, {"sort": "-askap_flux", "row": "5"}),
    ({"sort_by": "id", "image_id": "1"}, {"sort": "-ratio", "image": "1"}),
]


@pytest.mark.parametrize(("old", "new"), OLD)
def test_an_old_bookmark_leads_to_the_same_list(reader, site, old, new):
    response = reader.get(f"/query/?{urlencode(old, doseq=True)}")
    assert response.status_code == 302
    assert response["Location"] == f"/query/?{urlencode(new, doseq=True)}"
    assert reader.get(response["Location"]).status_code == 200


def test_an_old_bookmark_of_an_image_keeps_the_run(reader, site):
    address = f"/images/{site['run'].image_id}/crossmatches/"
    response = reader.get(address, {"vs__gt_min": 4, "run": site["run"].pk})
    assert response["Location"] == f"{address}?vs_abs_min=4&run={site['run'].pk}"


@pytest.fixture
def reviewed(site, person):
    """Rows 1 to 3 judged by Ann and Bob: 1 in conflict, 2 by Bob alone, 3 decided; 4 and 5 by nobody."""
    label = {label.key: label for label in Label.objects.all()}
    ann, bob, lead = person("ann"), person("bob"), person("lead", "lead")
    one, two, three, four, _ = site["rows"]
    services.cast_vote(ann, one, label["i"])
    services.cast_vote(bob, one, label["m"])
    services.cast_vote(bob, two, label["n"])
    services.cast_vote(ann, three, label["i"])
    services.decide(lead, three, label["t"])
    Star.objects.create(user=ann, sky_object=four.sky_object)
    return {"ann": ann, "bob": bob, "lead": lead}


ALL = ["1-001", "1-002", "1-003", "1-004", "1-005", "2-001"]


@pytest.mark.parametrize(
    ("who", "query", "expected"),
    [
        ("lead", {"tag": "ignore"}, ["1-001", "1-002"]),
        ("lead", {"tag": "transient"}, ["1-003"]),
        ("lead", {"reason": ["is match", "investigate"]}, ["1-001", "1-003"]),
        # one and the same vote
        ("lead", {"tag": "ignore", "reviewed_by": "ann"}, []),
        ("lead", {"tag": "ignore", "reviewed_by": "bob"}, ["1-001", "1-002"]),
        ("lead", {"reviewed_by": "lead"}, ["1-003"]),
        ("lead", {"state": "conflict"}, ["1-001"]),
        ("lead", {"state": ["conflict", "partial"]}, ["1-001", "1-002"]),
        ("lead", {"state": "decided"}, ["1-003"]),
        ("lead", {"state": "unreviewed"}, ["1-004", "1-005", "2-001"]),
        ("lead", {"state": ["unreviewed", "partial"]}, ["1-002", "1-004", "1-005", "2-001"]),
        ("lead", {"mine": "true"}, []),
        ("lead", {"starred": "true"}, []),
        ("ann", {"mine": "true"}, ["1-001", "1-003"]),
        ("ann", {"mine": "false"}, ["1-002", "1-004", "1-005", "2-001"]),
        ("ann", {"starred": "true"}, ["1-004"]),
        ("ann", {"starred": "false"}, ["1-001", "1-002", "1-003", "1-005", "2-001"]),
        # what Bob said of 2, which Ann has not voted on, nothing tells her
        ("ann", {"tag": "ignore"}, ["1-001"]),
        ("ann", {"reviewed_by": "bob"}, ["1-001"]),
        ("ann", {"state": "partial"}, []),
        ("ann", {"state": "unreviewed"}, ["1-002", "1-004", "1-005", "2-001"]),
        ("bob", {"state": "decided"}, []),
        ("bob", {"tag": "transient"}, []),
        ("bob", {"state": "conflict"}, ["1-001"]),
    ],
)
def test_filters_by_votes_tell_nobody_more_than_they_may_know(client, reviewed, who, query, expected):
    client.force_login(reviewed[who])
    assert found(client, **query) == expected


def test_nothing_tells_a_blind_reviewer_of_a_vote(client, site, person):
    """Whatever is asked, the rows are the same before and after somebody else's vote."""
    ann, bob = person("ann"), person("bob")
    client.force_login(ann)
    label = Label.objects.get(key="i")
    services.cast_vote(bob, site["rows"][4], label)
    asked = [
        {"tag": label.tag},
        {"reason": label.reason},
        {"reviewed_by": "bob"},
        *({"state": state} for state in ("unreviewed", "partial", "agreed", "conflict", "decided")),
    ]
    before = [found(client, **query) for query in asked]
    services.cast_vote(bob, site["rows"][0], label)
    assert [found(client, **query) for query in asked] == before


def test_the_same_object_in_another_image_or_survey_is_another_subject(client, site, reviewed):
    client.force_login(reviewed["lead"])
    # 2-001 is the same object as 1-001
    assert "2-001" in found(client, state="unreviewed")
    make_row(site["other_run"].survey_runs.get(), 7, sky_object=site["rows"][0].sky_object, survey="SUMSS")
    assert "2-007" in found(client, state="unreviewed")


def test_values_that_are_no_choice_are_said(reader, reviewed):
    for query in (
        {"tag": "x"},
        {"reason": "x"},
        {"reviewed_by": "nobody"},
        {"state": "x"},
        {"mine": "1"},
        {"row": "x"},
    ):
        assert reader.get("/query/", query).status_code == 400


def test_a_list_says_which_filters_are_set(reader, site):
    def said(query):
        text = reader.get(f"/query/?{query}").content.decode()
        summary = re.search(r"<summary>Filters(.*?)</summary>", text)[1]
        return html.unescape(re.sub("<[^>]+>", "", summary)).removeprefix(": ").split(" · ")

    assert said("") == said("sort=-vs&page=2&frame=icrs&radius_unit=arcmin") == [""]
    assert said("ra_min=350&ra_max=10&type=match&type=noaskapmatch&is_candidate=true&any_flag=1&vs_abs_min=4.3") == [
        "category match, noaskapmatch",
        f"any flag {next(flag.name for flag in FLAGS if flag.bit == 1)}",
        "candidate yes",
        "|vs| ≥ 4.3",
        "ra (deg) 350 to 10",
    ]
    assert said("position=10+-60&frame=icrs&radius=2&radius_unit=deg&name=<b>") == [
        "name contains <b>",
        "position 10 -60 (RA, Dec) within 2 deg",
    ]
    # what is wrong is said as it was given
    assert said("ratio_max=much&position=nowhere") == ["position nowhere", "ratio ≤ much"]
