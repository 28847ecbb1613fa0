"""Postage stamps as pictures: what is drawn, where, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Picture

from racs_transients import beam
from racs_transients.beam import Beam
from racs_transients.convolve import beams_at
from racs_transients.plots import stamp_words as words
from racs_transients.plots.canvas import ellipses, jpeg
from racs_transients.plots.stamps import (
    PANEL,
    Marks,
    Panel,
    Stamp,
    draw,
    grey_levels,
    inside,
    outlines,
    panel_left,
    small_picture,
)
from racs_transients.surveys import SUMSS
from tests.painted import CENTRE, moments, paint, row_table

RADIUS = 400.0
TOP = 102


def marks(ra, dec, major=60.0, minor=30.0, pa=0.0, colour="#ff00ff", **style):
    columns = [np.atleast_1d(np.asarray(value, float)) for value in (ra, dec, major, minor, pa)]
    return Marks(colour, *np.broadcast_arrays(*columns), **style)


def stamp(panels, *drawn, centre=CENTRE, radius=RADIUS):
    return Stamp(
        *centre, radius, 0.2, "match 1   J0320", "50° −36°", "ratio 2", "Good", True, tuple(panels), tuple(drawn), ()
    )  # fmt: skip


def panel(plane, absent="nothing here"):
    return Panel(plane, absent, "title", "note", "short", ("one", "two"))


def coloured(picture, left=0, right=None):
    """Rows and columns of magenta pixels of a picture, or of a part of its width."""
    pixels = np.asarray(picture).astype(int)[:, left:right]
    return np.nonzero((pixels[..., 0] - pixels[..., 1] > 100) & (pixels[..., 2] - pixels[..., 1] > 100))


@pytest.mark.parametrize("centre", [CENTRE, (12.0, -89.2), (0.001, 89.5), (200.0, 0.0)])
@pytest.mark.parametrize("pa", [15.0, 75.0, 140.0])
def test_an_ellipse_lies_on_the_source_and_has_its_position_angle(centre, pa):
    ra, dec = centre[0] + 120 / 3600 / np.cos(np.deg2rad(centre[1])), centre[1] + 100 / 3600
    image = paint([(ra % 360, dec, 1.0, 120, 40, pa)], centre=centre, psf=Beam(12, 12, 0))
    one = stamp([panel(0)], centre=centre)
    picture = np.asarray(draw(one, [image]).convert("L"))[TOP + 2 : TOP + PANEL - 60, 18 : PANEL - 60]
    x, y, xx, yy, xy = moments(np.where(picture < 128, 255.0 - picture, 0.0))
    curve = outlines(one, marks(ra % 360, dec, 120, 40, pa), 16, TOP)[0][:-1] - (18, TOP + 2)
    assert curve.mean(axis=0) == pytest.approx([x + 0.5, y + 0.5], abs=1.0)
    of_curve = np.cov(curve.T)
    shapes = ((xx, yy, xy), (*np.diag(of_curve), of_curve[0, 1]))
    angles = [np.rad2deg(np.arctan2(2 * c, b - a)) / 2 for a, b, c in shapes]
    assert abs((angles[0] - angles[1] + 90) % 180 - 90) < 3


def test_only_sources_inside_get_ellipses():
    step = RADIUS / 3600
    ra = CENTRE[0] + np.array([0, 0.9, 1.1, 0, 180 / step]) * step / np.cos(np.deg2rad(CENTRE[1]))
    dec = CENTRE[1] + np.array([0, 0.9, 0, -1.05, 0]) * step
    one = stamp([panel(None)])
    np.testing.assert_array_equal(inside(one, marks(ra, dec)).ra, ra[:2])
    nothing = draw(one, [])
    for number, is_drawn in enumerate([True, True, False, False, False]):
        picture = draw(stamp([panel(None)], marks(ra[number], dec[number])), [])
        assert (np.asarray(picture) != np.asarray(nothing)).any() == is_drawn


def test_an_ellipse_across_the_border_does_not_reach_the_next_panel():
    dec = CENTRE[1] + 10 / 3600
    ra = CENTRE[0] - (RADIUS - 5) / 3600 / np.cos(np.deg2rad(dec))
    _, x = coloured(draw(stamp([panel(None), panel(None)], marks(ra, dec, 200, 200, panels=(0,))), []))
    assert panel_left(0) + PANEL - 80 < x.min()
    assert x.max() <= panel_left(0) + PANEL + 1


def test_marks_go_on_the_panels_they_name():
    picture = draw(stamp([panel(None)] * 3, marks(*CENTRE, 100, 100, panels=(1, 2))), [])
    counts = [len(coloured(picture, panel_left(n), panel_left(n) + PANEL)[0]) for n in range(3)]
    assert counts[0] == 0
    assert counts[1] == counts[2] > 100


def test_a_panel_without_an_image_says_so():
    image = paint([], rms=1.0)
    texts = [np.asarray(draw(stamp([panel(None, words), panel(0)]), [image])) for words in ("no mosaic", "")]
    changed = np.argwhere((texts[0] != texts[1]).any(axis=2))
    assert len(changed) > 100
    assert changed[:, 1].max() < panel_left(0) + PANEL
    np.testing.assert_array_equal(texts[0][TOP + 200, panel_left(0) + 20], (222, 230, 242))
    # an image that has nothing here says it too, one that has something does not
    image.data[:] = np.nan
    blank = [np.asarray(draw(stamp([panel(0, words)]), [image])) for words in ("no mosaic", "")]
    assert (blank[0] != blank[1]).any()
    image.data[:300] = 1.0
    half = [np.asarray(draw(stamp([panel(0, words)]), [image])) for words in ("no mosaic", "")]
    np.testing.assert_array_equal(half[0], half[1])


def test_each_panel_shows_its_own_image_with_the_same_source_in_the_middle():
    ra, dec = CENTRE[0] + 0.1, CENTRE[1] - 0.05
    narrow = paint([(ra, dec, 1.0, 40, 40, 0)], rms=1e-3)
    wide = paint([(ra, dec, 1.0, 80, 80, 0)], rms=1e-3, pixel=(11.0, 18.7), shape=(100, 100), projection="TAN")
    picture = np.asarray(draw(stamp([panel(1), panel(0)], centre=(ra, dec)), [narrow, wide]).convert("L"))
    widths = []
    for number in range(2):
        left = panel_left(number)
        middle = picture[TOP + 150 : TOP + 310, left + 150 : left + 310]
        x, y, xx, *_ = moments(np.where(middle < 60, 1.0, 0.0))
        assert (x, y) == pytest.approx((79.5, 79.5), abs=1.0)
        widths.append(xx)
    assert widths[0] > 2 * widths[1]


def test_the_grey_levels_follow_zscale_and_the_contrast():
    rng = np.random.default_rng(1)
    data = rng.normal(size=(300, 300)).astype(np.float32)
    data[10, 10], data[20, 20] = np.nan, 50
    soft, hard = (grey_levels(data, contrast) for contrast in (0.1, 0.9))
    assert soft[10, 10] == 255
    assert soft[20, 20] == 0
    order = np.argsort(data[50:60].ravel())
    assert (np.diff(soft[50:60].ravel()[order].astype(int)) <= 0).all()
    assert soft.std() < 0.7 * hard.std()
    assert (grey_levels(np.full((60, 60), 3.0, np.float32), 0.2) >= 0).all()
    assert (grey_levels(np.full((60, 60), np.nan, np.float32), 0.2) == 255).all()


def drawn_beam(picture):
    """Variances of the beam in the corner of the first panel, pixels of the picture; y counts downwards."""
    corner = np.asarray(picture).astype(int)[TOP + PANEL - 80 : TOP + PANEL - 4, 20:110]
    return moments((np.abs(corner - 0x88) < 12).all(axis=2).astype(float))[2:]


def test_the_beam_is_drawn_at_its_size_and_angle():
    image = paint([], psf=Beam(80.0, 25.0, 45.0))
    xx, yy, xy = drawn_beam(draw(stamp([panel(0)]), [image]))
    scale = 2 * RADIUS / PANEL
    # the variance of a filled ellipse along its major axis is a quarter of the squared semi-axis
    assert np.sqrt((xx + yy) / 2 + np.hypot((xx - yy) / 2, xy)) * 4 * scale == pytest.approx(80, rel=0.1)
    # north is up in rows that count downwards, so from north to east is from up to left
    assert xy > 0.5 * np.sqrt(xx * yy)


def test_the_beam_has_the_angle_of_the_point_sources_around_it_far_from_the_reference_position():
    here, reference = (50.0, -85.0), Beam(80.0, 25.0, 45.0)
    empty = paint([], centre=(70.0, -85.0), shape=(600, 600), pixel=(30.0, 30.0), psf=reference)
    pa = float(beam.axes(beams_at(empty, reference, [here[0]], [here[1]]))[2][0])
    assert abs(pa - reference.pa) == pytest.approx(20, abs=1)
    xx, yy, xy = drawn_beam(draw(stamp([panel(0)], centre=here), [empty]))
    # to the left and up from the upright
    assert np.rad2deg(np.arctan2(2 * xy, yy - xx)) / 2 == pytest.approx(pa, abs=2)


def test_outlines_of_ellipses_have_the_stated_axes():
    curve = ellipses(*(np.array([value]) for value in (50.0, 60.0, 40.0, 20.0, 90.0)), points=401)[0]
    np.testing.assert_allclose([np.ptp(curve[:, 0]), np.ptp(curve[:, 1])], [40, 20], rtol=1e-3)
    np.testing.assert_allclose(curve.mean(axis=0), [50, 60], atol=0.1)


def test_a_picture_is_as_small_as_asked():
    noise = np.random.default_rng(1).integers(0, 255, (400, 900, 3)).astype(np.uint8)
    large, small = (jpeg(Picture.fromarray(noise), limit, "said") for limit in (10**7, 200_000))
    assert len(small) <= 200_000 < len(large)
    with Picture.open(BytesIO(small)) as picture:
        assert picture.size == (900, 400)
        assert picture.info["comment"] == b"said"


def test_the_small_picture_holds_the_panels_only():
    one = stamp([panel(None)] * 3)
    small = small_picture(one, draw(one, []))
    assert small.size == ((3 * PANEL + 2 * 14) // 2, PANEL // 2)


def test_the_words_say_what_the_row_says():
    row = row_table(50.0, -36.0, ratio=2.5, ratio_is_limit=True, vs=-4.2, m=-0.86).iloc[0].to_dict()
    assert words.headline(row) == "match 1   J032000.0-360000"
    assert "ratio ≥ 2.50 ± 0.10" in words.figures(row)
    assert "Vs −4.20" in words.figures(row)
    assert "separation 2.1″" in words.figures(row)
    assert words.survey_box(row)[0] == "Sint 27.00 ± 0.80 mJy (catalogue)"
    assert words.askap_box(row, SUMSS, convolved=True)[:2] == (
        "Sint 20.00 ± 0.80 mJy (fitted)",
        "at 843 MHz 20.80 ± 0.90 mJy",
    )


def test_the_words_tell_measured_fluxes_and_limits_from_catalogued_ones():
    new = row_table(50.0, -36.0, type="nocatalogmatch", ref_name=pd.NA, ref_origin="limit", predicted_snr=9.3)
    row = new.iloc[0].to_dict()
    assert words.survey_title(row) == "SUMSS: no catalogue source"
    assert words.survey_box(row)[0] == "Sint < 27.00 mJy (completeness of the catalogue)"
    assert "expected S/N 9.3" in words.survey_box(row)[1]
    assert "separation" not in words.figures(row)
    vanished = row_table(50.0, -36.0, type="noaskapmatch", askap_name=pd.NA, askap_origin="forced", askap_flux=-1.5)
    row = vanished.iloc[0].to_dict()
    assert words.askap_title(row, "ASKAP") == "ASKAP: no source"
    assert words.askap_box(row, SUMSS, convolved=False)[0].startswith("Sint −1.50 ± 0.80 mJy (measured)")


def test_a_flux_that_could_not_be_measured_leaves_a_dash_and_the_reason():
    row = row_table(50.0, -36.0, failure="blank pixels", ratio=np.nan, ratio_err=np.nan, ref_origin=pd.NA)
    row = row.iloc[0].to_dict()
    assert "ratio –" in words.figures(row)
    assert words.survey_box(row)[0] == "Sint –"
    assert words.survey_box(row)[-1] == "blank pixels"


def test_fluxes_have_the_digits_that_their_errors_allow():
    changes = {"askap_flux": 23908.4, "askap_flux_err": 422.1, "ratio": 580.3, "ratio_err": 131.3}
    row = row_table(50.0, -36.0, **changes, ref_flux=426.81, ref_flux_err=12.96).iloc[0].to_dict()
    assert words.askap_box(row, SUMSS, convolved=True)[0] == "Sint 23908 ± 422 mJy (fitted)"
    assert words.survey_box(row)[0] == "Sint 427 ± 13 mJy (catalogue)"
    assert "ratio 580 ± 131 " in words.figures(row)


@pytest.mark.parametrize(("origin", "said"), [("detected", "no counterpart"), ("none", "not measured")])
def test_a_panel_without_a_flux_says_so(origin, said):
    row = row_table(50.0, -36.0, askap_origin=origin, native_origin="none", native_flux=np.nan).iloc[0].to_dict()
    assert words.native_box(row, SUMSS) == (said,)
    assert words.askap_box(row | {"askap_flux": np.nan}, SUMSS, convolved=True)[0] == "not measured"


def test_a_stamp_of_many_sources_is_drawn_as_marks_of_one_style():
    rng = np.random.default_rng(2)
    ra, dec = CENTRE[0] + rng.uniform(-0.05, 0.05, 400), CENTRE[1] + rng.uniform(-0.05, 0.05, 400)
    many = marks(ra, dec, 20, 20)
    assert len(outlines(stamp([panel(None)], many), many, 0, 0)) == 400
    rows, _ = coloured(draw(stamp([panel(None)], replace(many, width=2.0)), []))
    assert len(rows) > 5000
