"""Painting and noise of simulated images."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from racs_transients import sky
from racs_transients.beam import Beam, covariance, gaussian_area, response
from racs_transients.simulate import observation
from racs_transients.simulate.field import write_painted
from racs_transients.simulate.observation import (
    askap_header,
    create_fits,
    edge_rise,
    noise_stripes,
    observed,
    paint,
    stripes,
    tangent_wcs,
)
from racs_transients.simulate.settings import FieldSettings
from racs_transients.simulate.tile import paint_list


def _component(ra, dec, major=20.0, minor=12.0, pa=30.0, flux_peak=7.0):
    row = {"ra": ra, "dec": dec, "flux_peak": flux_peak, "major": major, "minor": minor, "pa": pa}
    return pd.DataFrame({name: np.atleast_1d(value).astype(float) for name, value in row.items()})


def _painted(component, ra, dec, scales=(2.5, 2.5), shape=(120, 140)):
    wcs = tangent_wcs(ra, dec, shape, scales)
    data = np.zeros(shape, np.float32)
    paint(data, wcs, scales, component)
    return data, wcs


def _noise(shape, scales, beam, seed):
    return np.concatenate([part for _, part in noise_stripes(shape, scales, beam, seed)])


@pytest.mark.parametrize(("ra", "dec"), [(0.0, -55.0), (359.9999, 0.0), (180.0, -72.0), (40.0, 60.0), (10.0, -89.9)])
@pytest.mark.parametrize("scales", [(2.5, 2.5), (3.0, 5.0)])
def test_painting_conserves_the_integrated_flux(ra, dec, scales):
    data, _ = _painted(_component(ra, dec), ra, dec, scales)
    integral = data.sum(dtype=float) * scales[0] * scales[1]
    assert integral == pytest.approx(7e-3 * gaussian_area(20.0, 12.0), rel=1e-4)


def test_painted_source_stands_where_the_coordinates_say_with_its_shape_and_angle():
    data, wcs = _painted(_component(0.002, -55.003), 0.0, -55.0)
    y, x = np.indices(data.shape)
    east, north = sky.offsets(0.002, -55.003, *wcs.wcs_pix2world(x, y, 0))
    weight = data / data.sum(dtype=float)
    assert (weight * east).sum() == pytest.approx(0, abs=0.01)
    assert (weight * north).sum() == pytest.approx(0, abs=0.01)
    moments = [(weight * a * b).sum() for a, b in ((east, east), (east, north), (north, north))]
    expected = covariance(20.0, 12.0, 30.0)
    assert moments == pytest.approx([expected[0, 0], expected[0, 1], expected[1, 1]], rel=2e-3)
    assert expected[0, 1] > 10  # position angles run from north through east


def test_source_beyond_the_border_paints_what_of_it_lies_inside():
    wcs = tangent_wcs(0.0, -55.0, (60, 60), (2.5, 2.5))
    x_edge = _component(*(float(v) for v in wcs.wcs_pix2world(-2.0, 30.0, 0)))
    part = np.zeros((60, 60), np.float32)
    paint(part, wcs, (2.5, 2.5), x_edge)
    wide = np.zeros((60, 160), np.float32)
    wider = wcs.deepcopy()
    wider.wcs.crpix = [wcs.wcs.crpix[0] + 50, wcs.wcs.crpix[1]]
    paint(wide, wider, (2.5, 2.5), x_edge)
    assert part.max() > 1e-3
    np.testing.assert_allclose(part, wide[:, 50:110], atol=1e-9)


def test_source_far_outside_leaves_the_image_as_it_is():
    data, _ = _painted(_component(5.0, -55.0), 0.0, -55.0)
    assert not data.any()


def test_noise_has_unit_rms_and_the_beam_as_autocorrelation():
    beam, scales = Beam(20.0, 12.0, 40.0), (2.5, 3.0)
    noise = _noise((900, 1000), scales, beam, 5)
    # about 25,000 independent beams
    assert noise.std() == pytest.approx(1, abs=0.015)
    assert noise.mean() == pytest.approx(0, abs=0.02)
    for dx, dy in ((0, 1), (1, 0), (2, 0), (0, 3), (3, 3), (3, -3), (20, 20)):
        shifted = noise[max(dy, 0) : noise.shape[0] + min(dy, 0), dx:]
        start = noise[max(-dy, 0) : noise.shape[0] - max(dy, 0), : noise.shape[1] - dx]
        expected = response(-dx * scales[0], dy * scales[1], beam.covariance)  # x runs to the west
        assert (shifted * start).mean() == pytest.approx(float(expected), abs=0.02), (dx, dy)


def test_noise_has_no_seam_between_stripes(monkeypatch):
    arguments = ((300, 200), (2.5, 2.5), Beam(15.0, 12.0, 20.0), 8)
    whole = _noise(*arguments)
    monkeypatch.setattr(observation, "_STRIPE", 70)
    striped = _noise(*arguments)
    # only the far wings of the kernel differ
    assert np.abs(striped - whole).max() < 0.06
    jumps = np.abs(np.diff(striped, axis=0)).mean(axis=1)
    assert jumps[69::70][:4].max() < jumps.mean() + 5 * jumps.std()


def test_noise_depends_on_the_seed_alone():
    arguments = ((80, 90), (2.5, 2.5), Beam(15.0, 12.0, 20.0))
    np.testing.assert_array_equal(_noise(*arguments, 1), _noise(*arguments, 1))
    assert not np.array_equal(_noise(*arguments, 1), _noise(*arguments, 2))


def test_a_point_source_shows_the_beam_and_an_extended_one_keeps_its_flux():
    beam = Beam(15.0, 12.0, 20.0)
    sources = pd.DataFrame(
        {"ra": [1.0, 2.0], "dec": -50.0, "major": [0.0, 40.0], "minor": [0.0, 25.0], "pa": [0.0, 70.0], "flux": 10.0}
    )
    seen = observed(sources, "flux", beam.covariance)
    assert seen.loc[0, ["flux_peak", "major", "minor", "pa"]].to_list() == pytest.approx([10.0, 15.0, 12.0, 20.0])
    integral = seen["flux_peak"] * gaussian_area(seen["major"], seen["minor"]) / beam.area
    assert integral.to_list() == pytest.approx([10.0, 10.0])
    assert seen.loc[1, "flux_peak"] < 5


def test_noise_rises_to_a_rounded_border():
    settings = FieldSettings(size=1000, pixel=2.5)
    offsets = np.array([0.0, 900.0, 1100.0, 1225.0])
    rise = edge_rise(settings, offsets, np.zeros(4))
    assert rise[0] == 1
    assert (np.diff(rise) > 0).all()
    assert 2.5 < rise[-1] <= 3
    assert np.isnan(edge_rise(settings, np.array([1240.0]), np.zeros(1))).all()
    # the corner of the square is outside although both offsets alone are inside
    assert np.isnan(edge_rise(settings, np.array([1200.0]), np.array([1200.0]))).all()


def test_fits_file_made_on_disk_is_valid_and_holds_what_is_written(tmp_path):
    path, settings = tmp_path / "image.fits", FieldSettings(size=37)
    wcs = tangent_wcs(settings.ra, settings.dec, (37, 37), (2.5, 2.5))
    pixels = create_fits(path, askap_header(settings, wcs), (1, 1, 37, 37))
    pixels[0, 0] = np.arange(37 * 37).reshape(37, 37)
    del pixels
    assert path.stat().st_size % 2880 == 0
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert hdus[0].data.shape == (1, 1, 37, 37)
        np.testing.assert_array_equal(hdus[0].data.ravel(), np.arange(37 * 37))


def test_a_list_is_painted_as_an_image_stripe_by_stripe(tmp_path, monkeypatch):
    monkeypatch.setattr(observation, "_STRIPE", 64)
    settings = FieldSettings(size=401, rms=0.2)
    components = _component(settings.ra, settings.dec, *(settings.beam.major, settings.beam.minor, settings.beam.pa))
    paint_list(components.assign(flux_peak=100.0), tmp_path / "tile.fits", settings)
    data = fits.getdata(tmp_path / "tile.fits")[0, 0]
    assert data[200, 200] == pytest.approx(0.1, rel=0.03)
    assert np.nanstd(data[120:180, 120:280]) == pytest.approx(0.2e-3, rel=0.15)
    assert np.isnan(data[0, 0])


def test_a_longer_image_takes_no_more_memory(tmp_path):
    def peak(ny):
        shape, scales, beam = (ny, 256), (2.5, 2.5), Beam(15.0, 12.0, 60.0)
        wcs = tangent_wcs(30.0, -50.0, shape, scales)
        header = askap_header(FieldSettings(), wcs)

        def levels(shape):
            yield from ((rows, np.full((rows.stop - rows.start, shape[1]), 1e-3)) for rows in stripes(shape[0]))

        tracemalloc.start()
        write_painted(tmp_path / f"{ny}.fits", header, wcs, scales, shape, _component(30.0, -50.0), beam, 1, levels)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(256)  # what is imported with the first use counts for nobody
    # the pixels themselves are a file
    assert peak(8192) < 1.1 * peak(2048)
