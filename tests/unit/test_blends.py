"""What a wide beam makes of narrow components."""

import numpy as np
import pandas as pd
import pytest

from racs_transients.blends import blend_flux

BEAM = {"beam_major": 15.0, "beam_minor": 12.0, "beam_pa": 30.0}
POINT = {"major": 15.0, "minor": 12.0, "pa": 30.0}


def components(**columns):
    return pd.DataFrame({**BEAM, **POINT, **columns})


def axes(n, major=60.0, minor=45.0, pa=0.0):
    return np.full(n, major), np.full(n, minor), np.full(n, pa)


def test_points_are_summed_with_the_response_of_the_beam():
    dec = np.array([-40.0, -40 + 30 / 3600, -40 + 0.5])  # on the spot, half the major axis north, far away
    sources = components(ra=[10.0, 10.0, 10.0], dec=dec, flux_int=[8.0, 6.0, 100.0])
    blend = blend_flux(sources, [10.0, 10.0], [-40.0, -39.9], axes(2))
    assert blend == pytest.approx([8 + 6 / 2, 0.0], abs=1e-6)


def test_response_is_wider_along_the_major_axis():
    shift = 30 / 3600
    north = components(ra=[10.0], dec=[shift], flux_int=[10.0])
    east = components(ra=[10.0 + shift], dec=[0.0], flux_int=[10.0])
    assert blend_flux(north, [10.0], [0.0], axes(1)) == pytest.approx([5.0], rel=1e-6)
    assert blend_flux(east, [10.0], [0.0], axes(1)) == pytest.approx([10 * 2 ** -((30 / 22.5) ** 2)], rel=1e-6)


def test_extended_component_is_diluted_by_its_true_size():
    size = 60.0  # round, so that fitted² = beam² + size²
    sources = components(ra=[10.0], dec=[0.0], flux_int=[10.0], major=[np.hypot(15, size)], minor=[np.hypot(12, size)])
    expected = 10 * 60 * 45 / np.sqrt((60**2 + size**2) * (45**2 + size**2))
    assert blend_flux(sources, [10.0], [0.0], axes(1)) == pytest.approx([expected], rel=1e-6)


def test_component_resolved_along_one_axis_is_diluted_along_it_only():
    sources = components(ra=[10.0], dec=[0.0], flux_int=[10.0], major=[np.hypot(15, 40)], minor=[11.0], pa=[30.0])
    pure = blend_flux(sources, [10.0], [0.0], axes(1, 45.0, 45.0))
    assert pure == pytest.approx([10 * 45 / np.hypot(45, 40)], rel=1e-6)


def test_component_smaller_than_its_beam_or_without_size_is_a_point():
    for size in ({"major": [13.0], "minor": [11.0]}, {"major": [np.nan], "minor": [np.nan]}, {"pa": [np.nan]}):
        sources = components(ra=[10.0], dec=[0.0], flux_int=[10.0], **size)
        assert blend_flux(sources, [10.0], [0.0], axes(1)) == pytest.approx([10.0])


def test_very_extended_component_reaches_beyond_the_beam():
    sources = components(ra=[10.0], dec=[400 / 3600], flux_int=[1000.0], major=[600.0], minor=[600.0])
    assert blend_flux(sources, [10.0], [0.0], axes(1))[0] > 1


def test_component_without_flux_is_left_out():
    sources = components(ra=[10.0, 10.0], dec=[0.0, 0.0], flux_int=[np.nan, 3.0])
    assert blend_flux(sources, [10.0], [0.0], axes(1)) == pytest.approx([3.0])


def test_no_components_or_no_positions_give_zeros_and_nothing():
    sources = components(ra=[10.0], dec=[0.0], flux_int=[3.0])
    assert blend_flux(sources.iloc[:0], [10.0, 20.0], [0.0, 0.0], axes(2)).tolist() == [0, 0]
    assert len(blend_flux(sources, [], [], axes(0))) == 0


def test_a_failed_fit_of_degrees_is_seen_where_it_lies_but_does_not_pair_all_with_all():
    sources = components(
        ra=[10.0, 10.0], dec=[0.0, 1.0], flux_int=[1000.0, 10.0], major=[5000.0, 15.0], minor=[5000.0, 12.0]
    )
    here, there = blend_flux(sources, [10.0, 10.0], [0.0, 1.0], axes(2))
    assert here == pytest.approx(1000 * 60 * 45 / 5000**2, rel=0.01)
    # 3600″ from the middle of a component of 5000″, some 0.02 mJy of it would be left
    assert there == pytest.approx(10.0, abs=1e-9)
