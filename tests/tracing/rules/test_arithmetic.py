"""Powers where the textbook formula breaks down: exponent 0, base 0."""

import numpy as np
import pytest

from backprop_nb.tracing import trace


def gradients(f, *args):
    return trace(f, *args).backward().gradients


@pytest.mark.parametrize("exponent", [0, 0.0, np.array(0.0), np.array(0)])
def test_x_to_the_0_has_slope_0_at_0_without_a_warning(exponent):
    assert gradients(lambda x: x**exponent, 0.0) == (0.0,)


@pytest.mark.parametrize("exponent", [1, 1.0, np.array(1.0)])
def test_x_to_the_1_has_slope_1_at_0(exponent):
    assert gradients(lambda x: x**exponent, 0.0) == (1.0,)


def test_an_array_of_exponents_meets_each_convention_in_its_place():
    exponents = np.array([0.0, 1.0, 2.0, 3.0])
    [slope] = gradients(lambda x: np.sum(x**exponents), np.zeros(4))
    np.testing.assert_array_equal(slope, [0.0, 1.0, 0.0, 0.0])


def test_a_negative_base_has_the_slope_of_an_integer_power():
    assert gradients(lambda x: x**3, -2.0) == (12.0,)
    [slope] = gradients(lambda x: np.sum(x ** np.array([2.0, 3.0])), np.array([-2.0, -2.0]))
    np.testing.assert_array_equal(slope, [-4.0, 12.0])


def test_base_0_gives_the_exponent_the_limit_0():
    assert gradients(lambda y: 0**y, 2.0) == (0.0,)
    assert gradients(lambda x, y: x**y, 0.0, 2.0)[1] == 0.0


def test_the_slope_of_the_slope_is_right_at_exponent_0():
    # d/dy (y x^(y-1)) = x^(y-1) + y x^(y-1) log x, which is 1/x at y = 0.
    def slope(x, y):
        return trace(lambda a: a**y, x).backward().gradients[0]

    np.testing.assert_allclose(gradients(slope, 2.0, 0.0), [0.0, 0.5])


def test_the_second_derivative_of_a_square_at_0_is_2_for_every_kind_of_exponent():
    for exponent in (2, 2.0, np.array(2.0)):

        def slope(x, exponent=exponent):
            return trace(lambda a: a**exponent, x).backward().gradients[0]

        assert gradients(slope, 0.0) == (2.0,)
