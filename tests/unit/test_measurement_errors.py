"""The error model: limits that are known by other means."""

import numpy as np
import pytest

from racs_transients.beam import Beam
from racs_transients.measurement_errors import condon_errors


def errors(peak=10.0, *, major=15.0, minor=12.0, pa=0.0, rms=1.0, beam=None, flux_error=0.0):
    beam = beam or Beam(15, 12)
    total = np.asarray(peak) * np.asarray(major) * np.asarray(minor) / (beam.major * beam.minor)
    return condon_errors(
        flux_peak=peak, flux_int=total, major=major, minor=minor, pa=pa, rms=rms, beam=beam, flux_error=flux_error
    )


def test_point_source():
    found = errors(peak=[10.0, 100.0])
    # the peak's error is the noise; the size adds its two relative errors to the integrated flux
    np.testing.assert_allclose(found.flux_peak, 1)
    np.testing.assert_allclose(found.flux_int, np.sqrt(3))
    # θ / (2.355 SNR), the beam north-south
    np.testing.assert_allclose(found.dec, 15 / np.sqrt(8 * np.log(2)) / np.array([10, 100]))
    np.testing.assert_allclose(found.ra, 12 / np.sqrt(8 * np.log(2)) / np.array([10, 100]))


def test_position_angle_turns_the_position_errors():
    upright, lying, slanted = errors(pa=0.0), errors(pa=90.0), errors(pa=45.0)
    assert (lying.ra, lying.dec) == pytest.approx((upright.dec, upright.ra))
    assert slanted.ra == pytest.approx(slanted.dec)


def test_wide_source_has_many_independent_beams():
    found, point = errors(major=150.0, minor=120.0), errors()
    # eq. 41 with axes ten times the beam's: ρ² = 100 / 4 · 1.01³ · 10²
    assert found.flux_peak == pytest.approx(10 * np.sqrt(2 / (25 * 1.01**3 * 100)))
    assert found.flux_peak < point.flux_peak
    assert found.ra > point.ra


def test_source_long_in_one_direction():
    # eq. 41 for a source ten round beams long and one wide: θ_M θ_m / 4 θ_N² = 2.5, brackets 1.01 and 2
    found = errors(major=150.0, minor=15.0, pa=90.0, beam=Beam(15, 15))
    relative = {
        name: np.sqrt(2 / (2.5 * 1.01**along * 2**across * 100))
        for name, along, across in (("peak", 1.5, 1.5), ("major", 2.5, 0.5), ("minor", 0.5, 2.5))
    }
    assert found.flux_peak == pytest.approx(10 * relative["peak"])
    # σ(x) = σ(θ_M) / √(8 ln 2), along the major axis
    assert found.ra == pytest.approx(150 * relative["major"] / np.sqrt(8 * np.log(2)))
    assert found.dec == pytest.approx(15 * relative["minor"] / np.sqrt(8 * np.log(2)))
    # Condon et al. 1998: the sizes' errors count less by the ratio of the beam's area to the source's
    sizes = (relative["major"] ** 2 + relative["minor"] ** 2) / 10
    assert found.flux_int == pytest.approx(100 * np.sqrt(relative["peak"] ** 2 + sizes))


def test_flux_scale_is_added_in_quadrature_to_fluxes_only():
    plain, scaled = errors(peak=100.0), errors(peak=100.0, flux_error=0.05)
    assert scaled.flux_peak == pytest.approx(np.hypot(plain.flux_peak, 5))
    assert scaled.flux_int == pytest.approx(np.hypot(plain.flux_int, 5))
    assert (scaled.ra, scaled.dec) == pytest.approx((plain.ra, plain.dec))


def test_negative_source_has_positive_errors():
    found, mirrored = errors(peak=-10.0), errors(peak=10.0)
    for name in ("flux_peak", "flux_int", "ra", "dec"):
        assert getattr(found, name) == pytest.approx(getattr(mirrored, name))


def test_missing_noise_gives_missing_errors_and_columns_keep_their_length():
    found = errors(peak=[10.0, 10.0], rms=[1.0, np.nan])
    assert np.isnan(found.flux_peak).tolist() == [False, True]
    assert errors(peak=[], major=[], minor=[], pa=[], rms=[]).ra.shape == (0,)
