"""Overlays: ellipses in pixels, block means, drawing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import EllipseCollection

from racs_transients import schema, tables
from racs_transients.beam import Beam
from racs_transients.image import Image
from racs_transients.plots import overlays, style
from racs_transients.simulate.observation import tangent_wcs


def image_of(data, scales=(2.5, 2.5), ra=70.0, dec=-55.0):
    return Image(Path("x.fits"), data.astype(np.float32), tangent_wcs(ra, dec, data.shape, scales), 888.0, Beam(15, 12))


def sources(ra, dec, major, minor, pa):
    frame = pd.DataFrame({"ra": ra, "dec": dec, "major": major, "minor": minor, "pa": pa})
    return tables.conform(frame.assign(beam_major=15.0, beam_minor=12.0, beam_pa=20.0), schema.SOURCES)


def sky_gaussian(image, ra, dec, major, minor, pa):
    """Paint a Gaussian from the sky positions of the pixels, without any use of the code under test."""
    y, x = np.mgrid[: image.data.shape[0], : image.data.shape[1]]
    pixel_ra, pixel_dec = image.pixel_to_sky(x, y)
    east = (pixel_ra - ra) * np.cos(np.deg2rad(dec)) * 3600
    north = (pixel_dec - dec) * 3600
    angle = np.deg2rad(pa)
    along, across = east * np.sin(angle) + north * np.cos(angle), east * np.cos(angle) - north * np.sin(angle)
    return np.exp(-4 * np.log(2) * ((along / major) ** 2 + (across / minor) ** 2))


def moments(data):
    """Return full axes in pixels (FWHM) and the angle from +x to +y, from second moments."""
    y, x = np.mgrid[: data.shape[0], : data.shape[1]]
    weight = data / data.sum()
    dx, dy = x - (x * weight).sum(), y - (y * weight).sum()
    matrix = np.array([[(dx * dx * weight).sum(), (dx * dy * weight).sum()], [0, (dy * dy * weight).sum()]])
    matrix[1, 0] = matrix[0, 1]
    values, vectors = np.linalg.eigh(matrix)
    angle = np.rad2deg(np.arctan2(vectors[1, 1], vectors[0, 1])) % 180
    return np.sqrt(values[::-1] * 8 * np.log(2)), angle


@pytest.mark.parametrize("pa", [0.0, 30.0, 120.0])
@pytest.mark.parametrize("scales", [(2.5, 2.5), (2.0, 3.4)])
def test_an_ellipse_lies_on_an_elongated_source(pa, scales):
    image = image_of(np.zeros((121, 121)), scales)
    ra, dec = image.centre
    painted = sky_gaussian(image, ra, dec, 60, 25, pa)
    (major, minor), angle = moments(painted)
    found = overlays.outlines(image, sources([ra], [dec], [60.0], [25.0], [pa]))
    assert (found.x[0], found.y[0]) == pytest.approx((60, 60))
    assert found.major[0] == pytest.approx(major, rel=0.01)
    assert found.minor[0] == pytest.approx(minor, rel=0.01)
    assert (found.angle[0] - angle + 90) % 180 == pytest.approx(90, abs=0.5)


def test_a_source_without_a_size_has_that_of_the_beam():
    image = image_of(np.zeros((50, 50)))
    found = overlays.outlines(image, sources([70.0], [-55.0], [np.nan], [np.nan], [np.nan]))
    assert found.major[0] * 2.5 == pytest.approx(15, rel=1e-3)
    assert found.minor[0] * 2.5 == pytest.approx(12, rel=1e-3)


def test_block_means_leave_blanks_out():
    data = np.arange(35, dtype=np.float32).reshape(5, 7)
    data[0, 0], data[0:2, 2:4] = np.nan, np.nan
    result = overlays.block_mean(data, 2)
    assert result.shape == (2, 3)
    assert result[0, 0] == pytest.approx(np.mean([1, 7, 8]))
    assert np.isnan(result[0, 1])
    assert result[1, 2] == pytest.approx(np.mean([18, 19, 25, 26]))


def test_block_means_of_many_stripes_are_those_of_the_whole():
    data = np.random.default_rng(3).normal(size=(2050, 40)).astype(np.float32)
    expected = data[:2048].reshape(512, 4, 10, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(overlays.block_mean(data, 4), expected, atol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 5000])
def test_an_overlay_draws_every_source_once(n, tmp_path):
    rng = np.random.default_rng(4)
    data = rng.normal(0, 3e-4, (2000, 1800))
    data[:100] = np.nan
    image = image_of(data)
    ra, dec = image.pixel_to_sky(*rng.uniform(100, 1700, (2, n)))
    table = sources(ra, dec, 15.0, 12.0, 30.0)
    extended = np.arange(n) % 5 == 4
    figure = overlays.overlay(overlays.backdrop(image), table, name="ASKAP", extended=extended)
    style.save(figure, tmp_path / "overlay.png")
    drawn = [c for c in figure.axes[0].collections if isinstance(c, EllipseCollection)]
    assert sum(len(c.get_offsets()) for c in drawn) == n
    if n > 1:
        assert [len(c.get_offsets()) for c in drawn] == [n * 4 // 5, n // 5]
        assert drawn[0].get_linewidths() != drawn[1].get_linewidths()
        assert "FWHM; below" in figure.axes[0].get_title()
        assert len(figure.axes[0].texts) == 0
        assert figure.axes[0].get_legend() is None


def test_only_ellipses_too_small_to_be_seen_are_enlarged_and_keep_their_shape():
    image = image_of(np.random.default_rng(5).normal(0, 1e-4, (3000, 3000)))
    ra, dec = image.pixel_to_sky([1000, 2000], [1500, 1500])
    figure = overlays.overlay(
        overlays.backdrop(image), sources(ra, dec, [16.0, 900.0], [8.0, 600.0], [0.0, 0.0]), name="ASKAP"
    )
    (drawn,) = [c for c in figure.axes[0].collections if isinstance(c, EllipseCollection)]
    widths, heights = drawn.get_widths() * 2.5, drawn.get_heights() * 2.5
    assert (widths[1], heights[1]) == pytest.approx((900, 600), rel=0.02)
    assert widths[0] > 40
    assert widths[0] / heights[0] == pytest.approx(2, rel=0.02)


def test_thousands_of_ellipses_leave_most_of_the_image_to_be_seen():
    image = image_of(np.random.default_rng(6).normal(0, 1e-4, (2000, 2000)), scales=(12.5, 12.5))
    behind = overlays.backdrop(image)
    covered = []
    for n in (10, 6000):
        ra, dec = image.pixel_to_sky(*np.random.default_rng(7).uniform(0, 2000, (2, n)))
        figure = overlays.overlay(behind, sources(ra, dec, 16.0, 12.0, 0.0), name="ASKAP")
        (drawn,) = [c for c in figure.axes[0].collections if isinstance(c, EllipseCollection)]
        covered.append(np.pi / 4 * (drawn.get_widths() * drawn.get_heights()).sum() / image.data.size)
    # of few each can be seen, of many the image
    assert covered[0] > 10 * np.pi / 4 * 0.01**2
    assert covered[1] < 0.2
