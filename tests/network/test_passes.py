"""The document's sigmoid, against Python's own arithmetic and to its extremes."""

import math
import warnings

import numpy as np
import pytest

from backprop_nb.network import sigma, sigma_prime


def test_sigma_has_the_documents_values():
    z = np.linspace(-30, 30, 241)
    np.testing.assert_allclose(sigma(z), [1 / (1 + math.exp(-v)) for v in z], rtol=1e-15)


def test_sigma_neither_warns_nor_overflows_at_the_extremes():
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for dtype in (np.float32, np.float64):
            values = sigma(np.array([-np.inf, -1e30, -1000, 0, 1000, 1e30, np.inf], dtype))
            assert values.tolist() == [0, 0, 0, 0.5, 1, 1, 1]


@pytest.mark.parametrize("z", [-20.0, -50.0, -300.0, -700.0])
def test_sigma_keeps_its_relative_precision_near_zero(z):
    assert sigma(z) == pytest.approx(math.exp(z), rel=3e-9 if z == -20 else 1e-15)


def test_sigma_of_nan_is_nan():
    assert np.isnan(sigma(np.nan))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_sigma_keeps_a_float_dtype(dtype):
    assert sigma(np.zeros(3, dtype)).dtype == dtype
    assert sigma(dtype(0)).dtype == dtype


@pytest.mark.parametrize("z", [[-1, 0, 1], np.array([1, 200], np.uint8), np.array([True, False])])
def test_sigma_takes_integers_as_floats(z):
    assert sigma(z).dtype == np.float64
    assert sigma(z).tolist() == sigma(np.asarray(z, float)).tolist()


@pytest.mark.parametrize("z", [0, 0.0, np.float32(0), np.array(0.0)])
def test_sigma_of_a_scalar_is_a_scalar(z):
    assert isinstance(sigma(z), np.floating)


def test_sigma_leaves_its_argument_and_shape_alone():
    z = np.arange(-3.0, 3.0).reshape(2, 3)
    assert sigma(z).shape == (2, 3)
    assert z.tolist() == [[-3, -2, -1], [0, 1, 2]]


def test_sigma_prime_is_the_slope_of_sigma():
    z, h = np.linspace(-5, 5, 21), 1e-6
    slope = (sigma(z + h) - sigma(z - h)) / (2 * h)
    np.testing.assert_allclose(sigma_prime(z), slope, atol=1e-10)
