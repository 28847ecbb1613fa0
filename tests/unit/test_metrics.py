"""Ratio, Vs and m."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racs_transients.metrics import compare, outliers

FLUX = st.floats(0.1, 1e4)


@given(FLUX, FLUX, st.floats(0.01, 10), st.floats(0.01, 10))
def test_exchanging_the_sides_keeps_the_ratio_and_turns_the_signs(a, c, a_err, c_err):
    forth, back = compare([a], [a_err], [0], [c], [c_err], [0]), compare([c], [c_err], [0], [a], [a_err], [0])
    assert forth.ratio == pytest.approx(back.ratio)
    assert forth.ratio[0] >= 1
    assert forth.vs == pytest.approx(-back.vs)
    assert forth.m == pytest.approx(-back.m)
    assert forth.ratio_err == pytest.approx(back.ratio_err)


def test_ratio_of_four_is_modulation_of_1_2():
    change = compare([40.0], [1.0], [0.0], [10.0], [0.5], [0.0])
    assert change.ratio[0] == pytest.approx(4)
    assert change.m[0] == pytest.approx(1.2)
    assert change.vs[0] == pytest.approx(30 / np.hypot(1, 0.5))
    assert not change.ratio_is_limit[0]


def test_an_unseen_flux_limits_the_ratio_but_not_vs():
    change = compare([-1.0], [0.5], [1.5], [30.0], [1.0], [0.0])
    assert change.ratio[0] == pytest.approx(20)
    assert change.ratio_is_limit[0]
    assert np.isnan(change.ratio_err[0])
    assert change.vs[0] == pytest.approx(-31 / np.hypot(0.5, 1))


def test_an_unseen_flux_whose_floor_is_above_the_other_flux_is_no_change():
    # a noisy place: 3 × the noise is 15 mJy where the catalogue has 8; then the same with the sides exchanged
    change = compare(
        [-1.0, 8.0, -1.0], [5.0, 1.0, 5.0], [15.0, 0.0, 15.0], [8.0, -1.0, 2.0], [1.0, 5.0, 4.0], [0, 15, 12]
    )
    assert change.ratio.tolist() == [1, 1, 1]
    assert change.m.tolist() == [0, 0, 0]
    assert change.ratio_is_limit.all()
    assert change.vs[:2] == pytest.approx([-9 / np.hypot(1, 5), 9 / np.hypot(1, 5)])


@given(st.floats(-5, 50), st.floats(0.1, 20), FLUX)
def test_a_limit_never_points_the_other_way_than_the_fluxes(a, floor, c):
    change = compare([a], [1.0], [floor], [c], [1.0], [0.0])
    if change.ratio_is_limit[0]:
        assert change.m[0] * change.vs[0] >= 0 or change.m[0] == 0
        assert change.ratio[0] <= max(c / max(a, 1e-9), 1) + 1e-9


def test_a_missing_flux_gives_no_number():
    change = compare([np.nan, 5.0], [1.0, 1.0], [3.0, 3.0], [5.0, np.nan], [1.0, 1.0], [0.0, 3.0])
    for values in (change.ratio, change.vs, change.m, change.ln_ratio):
        assert np.isnan(values).all()


def test_without_an_error_there_is_no_vs():
    change = compare([5.0, 5.0], [0.0, np.nan], [0, 0], [9.0, 9.0], [0.0, 1.0], [0, 0])
    assert np.isnan(change.vs).all()
    assert change.ratio == pytest.approx([1.8, 1.8])


def test_scattered_steady_sources_have_vs_of_width_one():
    rng = np.random.default_rng(11)
    true = rng.uniform(5, 100, 20000)
    a_err, c_err = rng.uniform(0.3, 3, (2, 20000))
    change = compare(rng.normal(true, a_err), a_err, 0, rng.normal(true, c_err), c_err, 0)
    assert np.std(change.vs) == pytest.approx(1, abs=0.02)
    assert np.mean(change.vs) == pytest.approx(0, abs=0.03)


def test_outliers_are_measured_against_the_chosen_rows():
    rng = np.random.default_rng(5)
    values = np.append(rng.normal(0.1, 0.1, 500), [1.0, -0.8, np.nan])
    among = np.append(np.ones(500, bool), [False, False, False])
    marked = outliers(values, among, 5.0)
    assert marked[-3:].tolist() == [True, True, False]
    assert marked[:-3].sum() == 0


def test_too_few_rows_define_no_outliers():
    assert not outliers([0, 0, 0, 9], [1, 1, 1, 1], 1.0).any()
