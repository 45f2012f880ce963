"""Functions of each entry: the rows, and where the textbook formula breaks down or overflows."""

import numpy as np
import pytest
from rule_checks import BROADCAST, ONE_ARGUMENT, RowTests, case, ways

from backprop_nb.tracing import sigmoid, trace
from backprop_nb.tracing.rules.elementwise import ROWS

ONE = [row.name for row in ROWS if row.is_elementwise and row.function.nin == 1]
TWO = [row.name for row in ROWS if row.is_elementwise and row.function.nin == 2]
FUNCTIONS = {row.name: row.function for row in ROWS}

CASES = {
    **dict.fromkeys([*ONE, "sinc", "sigmoid"], ONE_ARGUMENT),
    **dict.fromkeys(TWO, BROADCAST),
    "heaviside": [
        case(0.0, (2, 3)),
        case(0, ()),
        case(np.array([0, 1, -1]), (3,)),
        case(np.array([0, 1, -1]), ()),
        case(np.array([[0], [1]]), (3,)),
        case((3,), (3,)),
    ],
    "power": [*BROADCAST, *(case((3,), exponent) for exponent in (0, 1, 2, 3, -1, 0.5))],
    "nan_to_num": [*ONE_ARGUMENT, case((3,), nan=1.0, posinf=2.0, neginf=-2.0)],
}

# Ways to write one and the same call.
FORMS = {
    **{name: ways(FUNCTIONS[name]) for name in [*ONE, "sinc", "nan_to_num", "sigmoid"]},
    **{name: ways(FUNCTIONS[name], of=2) for name in TWO},
    "absolute": [lambda x: np.abs(x), lambda x: np.absolute(x), lambda x: abs(x)],
    "remainder": [lambda x, y: x % y, lambda x, y: np.mod(x, y), lambda x, y: np.remainder(x, y)],
    "add": [lambda x, y: x + y, lambda x, y: np.add(x, y)],
    "subtract": [lambda x, y: x - y, lambda x, y: np.subtract(x, y)],
    "multiply": [lambda x, y: x * y, lambda x, y: np.multiply(x, y)],
    "divide": [lambda x, y: x / y, lambda x, y: np.divide(x, y), np.true_divide],
    "power": [lambda x, y: x**y, lambda x, y: np.power(x, y), lambda x, y: pow(x, y)],
    "negative": [lambda x: -x, lambda x: np.negative(x)],
    "positive": [lambda x: +x, lambda x: np.positive(x)],
}


class TestRows(RowTests):
    """The tests that every row shares."""


def gradients(f, *args):
    return trace(f, *args).backward().gradients


def slope(f, x):
    return gradients(f, x)[0]


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
    found = gradients(lambda x, y: slope(lambda a: a**y, x), 2.0, 0.0)
    np.testing.assert_allclose(found, [0.0, 0.5])


def test_the_second_derivative_of_a_square_at_0_is_2_for_every_kind_of_exponent():
    for exponent in (2, 2.0, np.array(2.0)):
        assert slope(lambda x, e=exponent: slope(lambda a: a**e, x), 0.0) == 2.0


@pytest.mark.parametrize("f", [np.logaddexp, np.logaddexp2])
def test_far_apart_and_huge_exponents_neither_overflow_nor_warn(f):
    assert gradients(f, 1000.0, -1000.0) == (1.0, 0.0)
    assert gradients(f, 5000.0, 5000.0) == pytest.approx((0.5, 0.5))
    assert gradients(f, -np.inf, 2.0) == (0.0, 1.0)


def test_small_arguments_keep_their_digits():
    assert gradients(np.expm1, 1e-20) == (1.0,)
    assert gradients(np.log1p, 1e-20) == (1.0,)


@pytest.mark.parametrize(("x", "y"), [(-1000.0, 0.0), (0.0, 0.5), (1000.0, 1.0)])
def test_far_arguments_neither_overflow_nor_warn(x, y):
    assert sigmoid(x) == y
    [slope] = gradients(sigmoid, x)
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


def test_the_step_at_0_is_its_second_argument():
    x = np.array([0.0, 1.0, -1.0])
    [slope] = gradients(lambda h: np.sum(np.heaviside(x, h)), np.full(3, 0.5))
    assert slope.tolist() == [1.0, 0.0, 0.0]


def modulo(x, y):
    return divmod(x, y)[1]


DIVISORS = [0.1, 0.2, 0.3, 0.7, 1 / 3, 1e-3, 2.0, -0.1, -0.3]
MULTIPLES = [(k * y, y) for y in DIVISORS for k in range(-110, 111)]


@pytest.mark.parametrize("f", [np.fmod, np.remainder, modulo])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_slope_of_a_remainder_is_the_multiple_that_its_value_took_away(f, dtype):
    x, y = np.array(MULTIPLES, dtype).T
    [by_x, by_y] = trace(lambda x, y: np.sum(f(x, y)), x, y).backward().gradients
    exact = x.astype(np.longdouble) - f(x, y).astype(np.longdouble)
    assert np.all(by_x == 1.0)
    np.testing.assert_array_equal(by_y, -np.round(exact / y.astype(np.longdouble)))
    assert len(set(by_y)) > 200
