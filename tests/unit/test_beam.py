"""Beams as covariance matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racs_transients.beam import Beam, axes, covariance, gaussian_area, response


@given(st.floats(5, 100), st.floats(0.2, 0.98), st.floats(0, 179.9))
def test_axes_of_a_covariance_are_the_axes_that_made_it(major, axis_ratio, pa):
    found = axes(covariance(major, major * axis_ratio, pa))
    assert found[0] == pytest.approx(major)
    assert found[1] == pytest.approx(major * axis_ratio)
    assert abs((found[2] - pa + 90) % 180 - 90) < 1e-5


def test_response_is_a_half_at_half_the_width_along_each_axis():
    matrix = covariance(60.0, 45.0, 30.0)
    angle = np.deg2rad(30.0)
    assert response(30 * np.sin(angle), 30 * np.cos(angle), matrix) == pytest.approx(0.5)
    assert response(22.5 * np.cos(angle), -22.5 * np.sin(angle), matrix) == pytest.approx(0.5)


def test_area_is_the_integral_of_the_response():
    beam = Beam(20.0, 12.0, 70.0)
    grid = np.arange(-80, 80, 0.5)
    east, north = np.meshgrid(grid, grid)
    assert response(east, north, beam.covariance).sum() * 0.25 == pytest.approx(beam.area, rel=1e-6)
    assert gaussian_area(20.0, 12.0) == pytest.approx(beam.area)


def test_kernel_and_beam_together_make_the_target():
    beam, target = Beam(17.0, 10.8, 80.0), Beam(60.0, 45.0, 0.0)
    kernel = beam.deconvolved_from(target)
    assert kernel is not None
    np.testing.assert_allclose(beam.covariance + kernel.covariance, target.covariance, atol=1e-9)


@pytest.mark.parametrize("target", [Beam(15.0, 12.0), Beam(10.0, 10.0), Beam(40.0, 8.0)])
def test_a_beam_cannot_be_convolved_to_a_narrower_one(target):
    assert Beam(15.0, 12.0).deconvolved_from(target) is None
