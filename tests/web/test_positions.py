"""Positions as people write them, and as the pages write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racs_transients.sky import separation
from web_server.candidates.display import sexagesimal
from web_server.candidates.positions import parse_galactic, parse_position

WANTED = (315.2, -55.1)


@pytest.mark.parametrize(
    "text",
    [
        "315.2 -55.1",
        " 315.2, -55.1 ",
        "315.2,-55.1",
        "315.2-55.1",
        "315.2 −55.1",
        "315.2d -55.1d",
        "315.2° -55.1°",
        "315d12m -55d06m",
        "21:00:48 -55:06:00",
        "21:00:48.00,-55:06:00.0",
        "21:00:48-55:06:00",
        "21 00 48 -55 06 00",
        "21 00 48.0, -55 06 0",
        "21h00m48s -55d06m00s",
        "21h 00m 48s -55° 06′ 00″",
        "21h00m48s -55d06'00\"",
        "21h0.8m -55d06m",
        "21:00.8 -55:06",
        "J210048-550600",
        "J210048.0-550600.0",
        "SUMSS J210048-550600",
    ],
)
def test_every_usual_form_is_read(text):
    assert parse_position(text) == pytest.approx(WANTED, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "ra", "dec"),
    [
        ("0 0", 0, 0),
        ("360 90", 0, 90),
        ("0.5 -0.5", 0.5, -0.5),
        ("00:00:00 -00:00:36", 0, -0.01),
        ("12:00:00 05:30:00", 180, 5.5),
        ("10 20", 10, 20),
        ("1h -20d", 15, -20),
        (".5 +.5", 0.5, 0.5),
    ],
)
def test_signs_and_zeros_are_kept(text, ra, dec):
    assert parse_position(text) == pytest.approx((ra, dec), abs=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "M31",
        "10",
        "10 20 30",
        "nan nan",
        "inf 0",
        "1e2 5",
        "361 0",
        "-10 20",
        "10 91",
        "10 -90.1",
        "25:00:00 10:00:00",
        "24:00:01 10:00:00",
        "187.5 -45:00:00",
        "187 30 00 -45 00 00",
        "12:60:00 10:00:00",
        "12:00:60 10:00:00",
        "12:00:00 10:60:00",
        "12.5:30:00 10:00:00",
        "12:00:00",
        "10 - -20",
        "10, 20, 30",
        "1" * 400 + " 2",
        "\x00",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_position(text)


@given(st.floats(0, 360, exclude_max=True), st.floats(-90, 90))
def test_what_the_pages_write_is_read_back(ra, dec):
    read = parse_position(sexagesimal(ra, dec))
    # 0.005 s of right ascension and 0.05″ of declination
    assert separation(ra, dec, *read) < 0.1


@pytest.mark.parametrize(
    ("text", "ra", "dec"),
    [("0 90", 192.85948, 27.12825), ("0 0", 266.40500, -28.93617), ("l 1", None, None), ("0:0:0 1", None, None)],
)
def test_galactic_coordinates(text, ra, dec):
    if ra is None:
        with pytest.raises(ValueError, match="no longitude and latitude"):
            parse_galactic(text)
    else:
        # the pole by definition, the centre as NED gives it
        assert parse_galactic(text) == pytest.approx((ra, dec), abs=2e-5)
