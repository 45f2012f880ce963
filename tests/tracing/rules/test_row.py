"""What the rows share: forms, literals, dispatch and the transpose of broadcasting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from backprop_nb.tracing.rules.row import Binding, Form, call, dispatched, literal, unbroadcast

# --- forms --------------------------------------------------------------------


def test_a_pattern_takes_its_arguments_by_number():
    assert Form("#2 - #1").fill(["a", "b"], {}) == "b - a"


def test_an_argument_that_looks_like_a_placeholder_is_left_alone():
    assert Form("#1 + #2").fill(["#2", r"\1"], {}) == r"#2 + \1"


def test_the_last_need_counts_for_all_further_arguments():
    form = Form("", needs=(Binding.SUM, Binding.ATOM))
    assert [form.need(k) for k in range(4)] == [Binding.SUM, *[Binding.ATOM] * 3]


def test_a_call_prints_positional_options_first_and_without_their_names():
    form = call("np.f", "axis")
    options = {"keepdims": True, "axis": (0, 1)}
    assert form.fill(["x", "y"], options) == "np.f(x, y, (0, 1), keepdims=True)"


# --- literals -----------------------------------------------------------------

VALUES = [
    None,
    True,
    -3,
    0.1,
    "C",
    1e-300,
    float("inf"),
    -float("inf"),
    np.float64(0.1),
    np.float32(0.1),
    np.longdouble(0.5),
    np.int64(7),
    np.True_,
    (),
    (1,),
    (0, -1),
    [1, [2.5, None]],
    slice(None, 2),
    (slice(1, None, -1), None, 0),
]
ARRAYS = [
    np.arange(6).reshape(2, 3),
    np.array([0.1, -np.inf, np.nan]),
    np.array([True, False]),
    np.float32([0.1, 0.2]),
    np.array([0.5], dtype=np.longdouble),
    np.zeros((0, 3)),
    np.array([], dtype=np.intp),
    np.array(2.5),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_literal_evaluates_to_the_value(value):
    assert eval(literal(value), {"np": np}) == value


@pytest.mark.parametrize("value", ARRAYS, ids=repr)
def test_an_array_evaluates_to_the_same_shape_dtype_and_entries(value):
    found = eval(literal(value), {"np": np})
    assert (found.shape, found.dtype) == (value.shape, value.dtype)
    np.testing.assert_array_equal(found, value)


def test_an_ellipsis_and_not_a_number_are_literals_too():
    assert eval(literal(...)) is ...
    assert np.isnan(eval(literal(float("nan")), {"np": np}))


@pytest.mark.parametrize("value", [object(), print, {"a": 1}, np.array([print])])
def test_nothing_unknown_becomes_code(value):
    with pytest.raises(TypeError, match="no source text for a "):
        literal(value)


def test_text_cannot_end_its_own_quotes():
    hostile = "x'); print('owned"
    assert eval(literal(hostile)) == hostile


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
    for shape in shapes.input_shapes:
        v, g = rng.normal(size=shape), rng.normal(size=shapes.result_shape)
        back = unbroadcast(g, v)
        assert back.shape == v.shape
        forward = np.sum(g * np.broadcast_to(v, shapes.result_shape))
        np.testing.assert_allclose(np.sum(back * v), forward, atol=1e-12)


def test_unbroadcast_leaves_a_gradient_that_fits_as_it_is():
    g = np.ones((2, 1))
    assert unbroadcast(g, np.zeros((2, 1))) is g
