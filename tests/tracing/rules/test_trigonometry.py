"""The sinc function at and near 0, where its formula divides 0 by 0."""

import numpy as np
import pytest

from backprop_nb.tracing import trace


def slope(f, x):
    return trace(f, x).backward().gradients[0]


def series(x, terms=12):
    """Return the slope of sinc from its power series, which is exact near 0."""
    total, factor = 0.0, 1.0
    for k in range(1, terms):
        factor *= -(np.pi**2) / (2 * k * (2 * k + 1))
        total += 2 * k * factor * x ** (2 * k - 1)
    return total


@pytest.mark.parametrize("x", [0.0, 1e-12, 1e-6, 0.0099, 0.0101, 0.3, -0.3, -0.005])
def test_the_slope_of_sinc_keeps_its_precision_near_0(x):
    np.testing.assert_allclose(slope(np.sinc, x), series(x), rtol=1e-11, atol=1e-300)


def test_the_curvature_of_sinc_at_0_is_right():
    found = slope(lambda x: slope(np.sinc, x), 0.0)
    np.testing.assert_allclose(found, -(np.pi**2) / 3, rtol=1e-14)


@pytest.mark.parametrize("x", [1e200, -1e200])
def test_the_inverse_hyperbolic_sine_does_not_overflow(x):
    assert slope(np.arcsinh, x) == pytest.approx(1e-200, rel=1e-12)


def test_angles_change_their_unit_both_ways():
    assert slope(np.degrees, 1.0) == np.degrees(1.0)
    assert slope(lambda x: np.deg2rad(np.rad2deg(x)), 0.7) == pytest.approx(1.0)
