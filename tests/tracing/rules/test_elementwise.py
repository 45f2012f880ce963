"""The sigmoid: stable, exact in its tails, and kind to every type of number."""

import numpy as np
import pytest

from backprop_nb.tracing import sigmoid, trace


@pytest.mark.parametrize(("x", "y"), [(-1000.0, 0.0), (0.0, 0.5), (1000.0, 1.0)])
def test_far_arguments_neither_overflow_nor_warn(x, y):
    assert sigmoid(x) == y
    [slope] = trace(sigmoid, x).backward().gradients
    assert slope == y * (1 - y)


def test_infinities_reach_the_limits_and_nan_stays():
    np.testing.assert_array_equal(sigmoid([-np.inf, np.inf, np.nan]), [0.0, 1.0, np.nan])


def test_the_far_left_tail_keeps_its_relative_precision():
    np.testing.assert_allclose(sigmoid(-700.0), np.exp(-700.0), rtol=1e-15)


def test_both_halves_add_up_to_1():
    x = np.linspace(-40, 40, 801)
    np.testing.assert_allclose(sigmoid(x) + sigmoid(-x), 1.0, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_float_type_is_kept(dtype):
    assert sigmoid(np.zeros(2, dtype)).dtype == dtype
    assert sigmoid(dtype(0)).dtype == dtype


@pytest.mark.parametrize("x", [0, True, [0, 1], np.arange(3)])
def test_integers_count_as_floats(x):
    assert sigmoid(x).dtype == np.float64
    assert sigmoid(x).shape == np.shape(x)
