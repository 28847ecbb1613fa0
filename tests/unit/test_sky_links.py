"""Addresses of other services at a position."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from web_server.candidates.links import SERVICES, links_at

SOUTH, NORTH = (315.25, -55.5), (0.125, 0.5)


def asked(name, place):
    address = urlsplit(dict(links_at(*place))[name])
    assert address.scheme == "https"
    return {key: values[0] for key, values in parse_qs(address.query, strict_parsing=True).items()}


# service, what of its query says where, south of the equator, north of it
FORMS = [
    ("SIMBAD", "Coord", "315.250000 -55.500000", "0.125000 +0.500000"),
    ("SIMBAD", "CooFrame", "ICRS", "ICRS"),
    ("NED", "coordinates", "315.250000d -55.500000d", "0.125000d +0.500000d"),
    ("VizieR", "-c", "315.250000 -55.500000", "0.125000 +0.500000"),
    ("SkyView", "Position", "315.250000,-55.500000", "0.125000,0.500000"),
    ("SkyView", "coordinates", "ICRS", "ICRS"),
    ("SkyView", "survey", "SUMSS 843 MHz,NVSS", "SUMSS 843 MHz,NVSS"),
    ("Aladin", "target", "315.250000 -55.500000", "0.125000 +0.500000"),
    ("ESASky", "target", "315.250000 -55.500000", "0.125000 +0.500000"),
    ("TNS", "ra", "315.250000", "0.125000"),
    ("TNS", "decl", "-55.500000", "0.500000"),
    ("CASDA", "POS", "CIRCLE 315.250000 -55.500000 0.01", "CIRCLE 0.125000 0.500000 0.01"),
    ("ATNF pulsars", "coords_1", "315.250000", "0.125000"),
    ("ATNF pulsars", "coords_2", "-55.500000", "+0.500000"),
    ("ATNF pulsars", "coords_unit", "rajd/decjd", "rajd/decjd"),
    ("VLASS", "mark", "315.250000,-55.500000", "0.125000,0.500000"),
    ("VLASS", "layer", "vlass1.2", "vlass1.2"),
    ("Legacy Survey", "dec", "-55.500000", "0.500000"),
]


@pytest.mark.parametrize(("name", "field", "south", "north"), FORMS)
def test_the_address_says_where(name, field, south, north):
    assert asked(name, SOUTH)[field] == south
    assert asked(name, NORTH)[field] == north


def test_every_service_has_its_form_tested():
    assert {form[0] for form in FORMS} == set(SERVICES)


def test_settings_add_replace_and_take_out(settings):
    settings.SKY_SERVICES = {"Ours": "https://sky.example.org/?at={hms}", "TNS": "", "NED": "https://ned.example/?{ra}"}
    links = dict(links_at(*NORTH))
    assert links["Ours"] == "https://sky.example.org/?at=00%3A00%3A30.00%20%2B00%3A30%3A00.0"
    assert links["NED"] == "https://ned.example/?0.125000"
    assert "TNS" not in links
    assert "SIMBAD" in links
