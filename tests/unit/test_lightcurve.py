"""The plot of flux density against time."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from web_server.candidates.lightcurve import MEASURED, SCALED, SURVEY, Point, draw, ticks

ASKAP = Point(MEASURED, 58597.5, 58597.5, 10.0, 1.0, False, "a.fits", "SUMSS", "detected")
SUMSS = Point(SURVEY, 50630.0, 54136.0, 50.0, 2.0, False, "a.fits", "SUMSS", "catalogued")


def parts(points, tag, name):
    tree = ElementTree.fromstring(draw(points))
    return [
        element
        for group in tree.iter("g")
        if name in group.get("class", "").split()
        for element in group
        if element.tag == tag
    ]


def test_a_brighter_point_stands_higher_and_a_later_one_further_right():
    later = replace(ASKAP, start=58700.0, end=58700.0, flux=20.0)
    first, second = parts([ASKAP, later], "circle", MEASURED)
    assert float(second.get("cy")) < float(first.get("cy"))
    assert float(second.get("cx")) > float(first.get("cx"))


def test_measured_scaled_and_survey_differ_in_shape_or_fill():
    points = [ASKAP, replace(ASKAP, kind=SCALED, flux=11.0), SUMSS]
    assert len(parts(points, "circle", MEASURED)) == len(parts(points, "circle", SCALED)) == 1
    assert len(parts(points, "rect", SURVEY)) == 1
    assert not parts(points, "circle", SURVEY)


def test_the_years_of_a_survey_are_a_bar_across():
    (bar,) = parts([ASKAP, SUMSS], "line", SURVEY)
    assert float(bar.get("x2")) - float(bar.get("x1")) > 50


def test_an_error_spans_one_sigma_both_ways():
    (bar,) = parts([ASKAP, SUMSS], "path", MEASURED)
    (mark,) = parts([ASKAP, SUMSS], "circle", MEASURED)
    low, high = float(bar.get("d").split()[1].split("h")[0]), float(bar.get("d").split("V")[1].split("m")[0])
    assert low + high == pytest.approx(2 * float(mark.get("cy")), abs=0.2)
    assert low > high


def test_a_limit_is_an_arrow_downwards_without_a_mark():
    limit = replace(SUMSS, is_limit=True)
    (arrow,) = parts([ASKAP, limit], "path", SURVEY)
    assert arrow.get("class") == "arrow"
    assert "v16" in arrow.get("d")
    assert not parts([ASKAP, limit], "rect", SURVEY)
    assert limit.value == "< 50.00"


def test_a_negative_measurement_stays_inside_the_frame():
    tree = ElementTree.fromstring(draw([replace(ASKAP, flux=-3.0), SUMSS]))
    frame = next(e for e in tree.iter("rect") if e.get("class") == "frame")
    bottom = float(frame.get("y")) + float(frame.get("height"))
    (mark,) = (e for e in tree.iter("circle"))
    assert float(mark.get("cy")) < bottom


def test_nothing_with_a_known_time_is_no_plot():
    assert draw([replace(ASKAP, start=None, end=None)]) == ""
    assert draw([replace(ASKAP, flux=math.nan)]) == ""
    assert draw([]) == ""


def test_a_measurement_without_time_says_so():
    unknown = replace(ASKAP, start=None, end=None)
    assert (unknown.date, unknown.mjd) == ("unknown", "")
    assert (ASKAP.date, ASKAP.mjd) == ("2019-04-24", "58597.500")
    assert (SUMSS.date, SUMSS.mjd) == ("1997–2007", "")


def test_the_picture_has_no_inline_style_and_names_are_escaped():
    picture = draw([replace(SUMSS, survey="<script>alert(1)</script>"), ASKAP])
    assert "style" not in picture
    assert "<script>" not in picture


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.7), (0.0, 55.3), (-2.0, 3000.0), (58590.0, 58600.0)])
def test_ticks_are_round_and_inside(low, high):
    found = ticks(low, high)
    assert 3 <= len(found) <= 8
    assert all(low <= value <= high for value in found)
    steps = {round(b - a, 9) for a, b in pairwise(found)}
    assert len(steps) == 1


def test_one_epoch_and_one_flux_of_zero_can_be_drawn():
    assert "circle" in draw([replace(ASKAP, flux=0.0, error=None)])
