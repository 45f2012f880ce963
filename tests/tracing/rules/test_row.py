"""What a row derives from its function, dispatch, and the transpose of broadcasting."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from nonempty import nonempty

from backprop_nb.tracing.rules import PIECEWISE_CONSTANT, TABLE
from backprop_nb.tracing.rules.row import (
    AXIS,
    STRETCH,
    dispatched,
    full_name,
    parameters_of,
    row,
    signature_of,
    unbroadcast,
)

# --- what the function itself says ----------------------------------------------


def test_a_row_prints_an_ordinary_call():
    made = row(np.roll, lambda g, ans, x, shift, axis=None: g)
    text = made.numpy.fill(["x"], {"axis": 1, "shift": 2})
    assert text == "np.roll(x, 2, axis=1)"  # what must be given stands without its name
    assert made.latex.fill(["x"], {}) == r"\mathrm{roll}(x)"


def test_a_row_prints_one_of_several_outputs():
    made = row(np.split, lambda g, ans, x, indices_or_sections, output, axis=0: g, outputs=True)
    options = {"indices_or_sections": 3, "output": 1}
    assert made.numpy.fill(["x"], options) == "np.split(x, 3)[1]"
    assert made.latex.fill(["x"], options) == r"\mathrm{split}(x)_{[1]}"
    assert list(made.options) == ["indices_or_sections", "axis"]


def test_the_options_of_a_row_are_what_its_rule_takes():
    made = row(np.sum, lambda g, ans, x, axis=None, keepdims=False: g)
    assert made.options == {"axis": None, "keepdims": False}
    assert made.is_default("keepdims", False)
    assert made.is_default("dtype", None)
    assert made.is_default("where", True)
    assert not made.is_default("axis", 0)
    assert not made.is_default("keepdims", 0)


def test_a_rule_with_any_options_takes_those_of_the_function():
    assert row(np.tril, lambda g, ans, x, **options: g).options == {"k": 0}


def test_what_a_call_needs_is_derived():
    assert row(np.add, None, None).expects == STRETCH
    assert row(np.sum, lambda g, ans, x, axis=None: g).expects == AXIS
    assert row(np.tile, lambda g, ans, x, reps: g).expects == "shapes that NumPy can combine"


def test_an_option_is_kept_for_which_numpy_has_no_default():
    # As np.take_along_axis before NumPy 2.3, whose rule nevertheless has one.
    def along(x, axis):
        return np.sum(x, axis)

    made = row(along, lambda g, ans, x, axis=-1: g)
    assert not made.is_default("axis", -1)
    assert made.numpy.fill(["x"], {"axis": -1}) == "along(x, -1)"


KNOWN = [f for f in (*TABLE, *PIECEWISE_CONSTANT) if isinstance(f, np.ufunc)]


def said(function):
    """Return the signature that NumPy says itself, which it does since version 2.4."""
    try:
        return str(inspect.signature(function))
    except ValueError:
        pytest.skip("this NumPy does not say its signatures")


def test_functions_that_say_no_signature_get_that_of_newer_versions_of_numpy(monkeypatch):
    functions = [*KNOWN, np.concatenate, np.dot, np.inner, np.vdot, np.where]
    expected = nonempty([said(function) for function in functions])
    plain = inspect.signature

    def older(function):
        if function in functions:
            raise ValueError("no signature found")
        return plain(function)

    monkeypatch.setattr(inspect, "signature", older)
    assert [str(signature_of(function)) for function in functions] == expected


def test_what_says_no_signature_and_is_not_known_has_none():
    assert parameters_of(min) == {}


def half(v):
    return v / 2


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (np.exp, "np.exp"),
        (np.true_divide, "np.divide"),
        (np.sum, "np.sum"),
        (np.linalg.inv, "np.linalg.inv"),
        (half, "half"),
        (np.frompyfunc(half, 1, 1), "half (vectorized)"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_function_is_called_as_a_learner_calls_it(function, name):
    assert full_name(function) == name


def test_the_rules_of_an_element_wise_function_undo_broadcasting():
    made = row(np.add, lambda g, ans, x, y: g, lambda g, ans, x, y: g)
    g, x, y = np.ones((2, 3)), np.ones(3), np.ones((2, 1))
    np.testing.assert_array_equal(made.vjps[0](g, x + y, x, y), [2.0, 2.0, 2.0])
    np.testing.assert_array_equal(made.vjps[1](g, x + y, x, y), [[3.0], [3.0]])


# --- dispatch -----------------------------------------------------------------


class Overriding:
    def __array_function__(self, function, types, args, kwargs):
        return function, types, args, kwargs


@dispatched
def twice(x, y=0):
    """Return the double."""
    return 2 * x + y


def test_numbers_and_arrays_go_straight_into_the_function():
    assert twice(3) == 6
    assert twice(np.float64(1.5), y=1) == 4.0
    np.testing.assert_array_equal(twice(np.ones(2)), [2, 2])


@pytest.mark.parametrize(
    ("args", "names"), [((Overriding(),), ()), ((1, Overriding()), ()), ((1,), ("y",)), ((), "x")]
)
def test_an_argument_with_the_protocol_takes_the_call_over(args, names):
    options = {name: Overriding() for name in names}
    assert twice(*args, **options) == (twice, (Overriding,), args, options)


def test_the_wrapper_keeps_name_and_docstring():
    assert (twice.__name__, twice.__doc__) == ("twice", "Return the double.")


# --- unbroadcast --------------------------------------------------------------


@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3), st.integers(0, 99))
def test_unbroadcast_is_the_transpose_of_broadcasting(shapes, seed):
    # <g, broadcast(v)> = <unbroadcast(g), v> for every g and v: that is what transpose means.
    rng = np.random.default_rng(seed)
    for shape in nonempty(shapes.input_shapes):
        v, g = rng.normal(size=shape), rng.normal(size=shapes.result_shape)
        back = unbroadcast(g, v)
        assert back.shape == v.shape
        forward = np.sum(g * np.broadcast_to(v, shapes.result_shape))
        np.testing.assert_allclose(np.sum(back * v), forward, atol=1e-12)


def test_unbroadcast_leaves_a_gradient_that_fits_as_it_is():
    g = np.ones((2, 1))
    assert unbroadcast(g, np.zeros((2, 1))) is g
