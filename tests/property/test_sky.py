"""Positions on the sphere: no rotation, order or meridian changes what is near what."""

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from racs_transients import sky
from racs_transients.crossmatch import associate

RA = st.floats(0, 360, exclude_max=True)
DEC = st.floats(-90, 90)
ARCSEC = 1 / 3600


def _rotated(ra, dec, rotation):
    vectors = rotation.apply(sky.unit_vectors(ra, dec))
    return np.rad2deg(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360, np.rad2deg(np.arcsin(vectors[:, 2]))


@given(RA, DEC, RA, DEC)
def test_separation_agrees_with_astropy(ra1, dec1, ra2, dec2):
    expected = SkyCoord(ra1, dec1, unit="deg").separation(SkyCoord(ra2, dec2, unit="deg")).arcsec
    # chord and haversine lose digits at opposite ends; 1 mas is far below any position error
    assert sky.separation(ra1, dec1, ra2, dec2) == pytest.approx(expected, abs=1e-3 if expected < 6e5 else 0.1)


@given(RA, st.floats(-89.9, 89.9), st.floats(-60, 60), st.floats(-60, 60))
def test_offsets_agree_with_astropy(ra, dec, east, north):
    origin = SkyCoord(ra, dec, unit="deg")
    target = origin.directional_offset_by(np.arctan2(east, north) * u.rad, np.hypot(east, north) * u.arcsec)
    found = sky.offsets(ra, dec, target.ra.deg, target.dec.deg)
    assert found[0] == pytest.approx(east, abs=2e-3)
    assert found[1] == pytest.approx(north, abs=2e-3)


@given(st.integers(0, 2**32 - 1))
def test_rotating_the_sky_changes_no_match(seed):
    rng = np.random.default_rng(seed)
    n = 40
    references = pd.DataFrame({"ra": rng.uniform(0, 0.3, n), "dec": rng.uniform(-0.15, 0.15, n)})
    sources = pd.DataFrame(
        {
            "ra": references["ra"] + rng.normal(0, 20, n) * ARCSEC,
            "dec": references["dec"] + rng.normal(0, 20, n) * ARCSEC,
        }
    )
    before = associate(references, sources, 45.0)
    rotation = Rotation.random(random_state=seed)
    turned = [
        pd.DataFrame(dict(zip(("ra", "dec"), _rotated(t["ra"], t["dec"], rotation), strict=True)))
        for t in (references, sources)
    ]
    after = associate(*turned, 45.0)
    np.testing.assert_array_equal(before.source, after.source)
    np.testing.assert_array_equal(before.matched, after.matched)
    np.testing.assert_allclose(before.separation, after.separation, atol=1e-4)


@pytest.mark.parametrize(("ra", "dec"), [(0, 0), (90, -30), (180, 45), (270, -60), (0, 90), (123, -90), (0, -89.9999)])
def test_a_pair_two_arcsec_apart_is_found_everywhere(ra, dec):
    other = SkyCoord(ra, dec, unit="deg").directional_offset_by(200 * u.deg, 2 * u.arcsec)
    index, separation = sky.nearest([ra], [dec], [other.ra.deg, 200.0], [other.dec.deg, 10.0])
    assert index[0] == 0
    assert separation[0] == pytest.approx(2.0, abs=1e-6)


def test_row_order_changes_no_pair():
    rng = np.random.default_rng(3)
    ra, dec = rng.uniform(359.9, 360.1, 200) % 360, rng.uniform(-80.05, -80, 200)
    i, j, _ = sky.pairs_within(ra, dec, ra, dec, 60)
    order = rng.permutation(200)
    k, m, _ = sky.pairs_within(ra[order], dec[order], ra, dec, 60)
    assert set(zip(i, j, strict=True)) == set(zip(order[k], m, strict=True))
    assert len(i) > 200


def test_pairs_include_the_radius_itself():
    i, _, separation = sky.pairs_within([10.0], [0.0], [10.0], [45 * ARCSEC], 45.0)
    assert len(i) == 1
    assert separation[0] == pytest.approx(45.0, abs=1e-9)


def test_empty_lists_have_no_neighbours():
    index, separation = sky.nearest([1.0, 2.0], [0.0, 0.0], [], [])
    np.testing.assert_array_equal(index, [-1, -1])
    assert np.isnan(separation).all()
    assert np.isnan(sky.nearest_neighbour([5.0], [5.0])).all()
    assert len(sky.nearest([], [], [1.0], [1.0])[0]) == 0


def test_names_are_truncated_not_rounded():
    names = sky.iau_name("SUMSS", [0.0, 49.68833, 359.99999], [-0.5, -36.62, 12.99999])
    assert list(names) == ["SUMSS J000000.0-003000", "SUMSS J031845.1-363712", "SUMSS J235959.9+125959"]
