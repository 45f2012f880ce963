"""Central differences, and the curve that shows how far they can be trusted."""

import numpy as np
import pytest
from nonempty import nonempty
from of_two import W, X, f, right

import backprop_nb as bp
from backprop_nb.checking import central_differences, step_curve

# --- central differences --------------------------------------------------------


def test_central_differences_agree_with_a_gradient_by_hand():
    for given, expected in nonempty(zip(central_differences(f, W, X), right(W, X), strict=True)):
        np.testing.assert_allclose(given, expected, rtol=1e-8, atol=1e-9)


def test_they_have_the_structure_of_the_arguments():
    gradient = central_differences(lambda p, k: p["a"] * p["b"][0] ** k, {"a": 2.0, "b": [3.0]}, 2)
    assert gradient[0]["a"] == pytest.approx(9)
    assert gradient[0]["b"] == [pytest.approx(12)]
    assert gradient[1] == pytest.approx(18 * np.log(3))


def test_neither_the_arguments_nor_what_f_does_to_its_own_reach_each_other():
    def rude(x):
        value = np.sum(x**2)
        x[:] = np.nan
        return value

    x = np.array([1.0, 2.0])
    (gradient,) = central_differences(rude, x)
    np.testing.assert_allclose(gradient, [2.0, 4.0], rtol=1e-8)
    np.testing.assert_array_equal(x, [1.0, 2.0])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_the_step_follows_the_size_of_an_entry(scale):
    (gradient,) = central_differences(lambda x: x**2, scale)
    assert gradient == pytest.approx(2 * scale, rel=1e-7)


@pytest.mark.parametrize("result", [{"W": np.ones(2)}, None, "loss", 1j])
def test_what_is_no_number_at_all_is_told_with_the_order_of_the_functions(result):
    with pytest.raises(bp.UnsupportedError, match="returns a single number") as caught:
        bp.check_gradient(lambda x: result, lambda x: 2 * x, 1.0)  # as if they were exchanged
    assert caught.value.given == f"a result of type {type(result).__name__}"
    assert caught.value.instead == "the loss first: bp.check_gradient(loss, gradient, …)"


def test_a_function_that_returns_an_array_is_refused_with_advice():
    with pytest.raises(bp.ShapeError, match="single number") as caught:
        central_differences(np.tanh, X)
    assert "np.sum" in caught.value.instead


def test_what_has_no_gradient_is_named():
    with pytest.raises(bp.UnsupportedError) as caught:
        central_differences(lambda x, word: x, 1.0, "word")
    assert caught.value.given == "word of type <U4"


@pytest.mark.parametrize("number", [2**63, -(2**64), 10**400])
def test_a_whole_number_that_numpy_does_not_have_is_refused_with_advice(number):
    with pytest.raises(bp.UnsupportedError, match="whole numbers of this size") as caught:
        central_differences(lambda x: x, number)
    assert caught.value.instead.startswith("float(x)")


@pytest.mark.parametrize("step", [0.0, -1e-5, np.nan])
def test_a_step_must_be_above_zero(step):
    with pytest.raises(bp.InvalidValueError, match="`step` must be above 0"):
        central_differences(np.sin, 1.0, step=step)


# --- random numbers -----------------------------------------------------------------

_DRAWN = {
    "dropout": lambda x: np.sum(x * (np.random.random(x.shape) < 0.5)),
    "noise": lambda x: np.sum(x + 1e-3 * np.random.normal()),
    "a sample": lambda x: x[np.random.randint(len(x))] ** 2,
    "a count": lambda x, calls=[]: (calls.append(0) or len(calls)) * np.sum(x),
}


@pytest.mark.parametrize("drawn", _DRAWN)
@pytest.mark.parametrize(
    "ask",
    [
        lambda f, x: bp.check_gradient(f, lambda x: 0.5 + 0 * x, x),
        lambda f, x: bp.check_gradient(f, np.ones(3), x),
        central_differences,
        step_curve,
    ],
    ids=["function", "values", "differences", "curve"],
)
def test_a_function_that_draws_random_numbers_is_refused(ask, drawn):
    np.random.seed(0)
    with pytest.raises(bp.UnsupportedError, match="for the same arguments") as error:
        ask(_DRAWN[drawn], np.array([1.0, 2.0, 4.0]))
    assert "default_rng(0) inside" in str(error.value)
    assert "as an argument" in str(error.value)


def test_a_function_that_draws_the_same_each_time_is_judged():
    def f(x):
        return np.sum(x**2 * (np.random.default_rng(0).random(x.shape) < 0.5))

    def infinite(x):
        return np.sum(x) * np.inf

    x = np.array([1.0, 2.0, 4.0])
    assert bp.check_gradient(f, lambda x: bp.grad(f)(x), x).ok
    assert "is 1, expected inf" in str(bp.check_gradient(infinite, lambda x: x, x))
