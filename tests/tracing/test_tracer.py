"""From a function and its arguments to a graph: inputs, output, isolation, size."""

import enum
import functools
import gc
import sys
import weakref
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_nb.errors import BackpropWarning
from backprop_nb.tracing import sigmoid, trace


class Layer(NamedTuple):
    A: object
    b: object


class Token:
    """Something that can be seen to go away."""


def input_names(f, *args, **kwargs):
    return [node.name for node in trace(f, *args, **kwargs).inputs]


def gradients(f, *args, **kwargs):
    return trace(f, *args, **kwargs).backward().gradients


# --- arguments ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_value", "dtype"),
    [
        (2, np.float64),
        (2.0, np.float64),
        (np.int8(2), np.float64),
        (np.float32(2), np.float32),
        (np.array(2), np.float64),
        (np.array([2, 3]), np.float64),
        (np.array([2, 3], np.uint8), np.float64),
        (np.array([2.0], np.float16), np.float16),
        (np.array([2.0], np.float32), np.float32),
    ],
    ids=repr,
)
def test_a_positional_number_is_a_float_and_a_small_float_stays_small(given_value, dtype):
    graph = trace(lambda x: x * 1, given_value)
    assert graph.inputs[0].value.dtype == dtype
    assert graph.inputs[0].shape == np.shape(given_value)
    np.testing.assert_array_equal(graph.inputs[0].value, given_value)


def test_integers_do_not_overflow_once_they_are_floats():
    assert trace(lambda x: x**40, 10).value == 1e40


def test_truth_values_text_and_none_are_passed_on_untraced():
    def f(x, flag, mode, nothing, mask):
        assert flag is True
        assert (mode, nothing) == ("sum", None)
        return np.sum(x[mask])

    graph = trace(f, np.ones(3), True, "sum", None, np.array([True, False, True]))
    assert [node.name for node in graph.inputs] == ["x"]
    [x, *rest] = graph.backward().gradients
    np.testing.assert_array_equal(x, [1.0, 0.0, 1.0])
    assert rest == [None] * 4


def test_of_the_keywords_floats_and_float_arrays_are_traced_and_the_rest_is_passed_on():
    def f(x, *, rate, scale, axis, keepdims, shape, steps, weights, name):
        assert (type(axis), keepdims, shape, name) == (int, True, [2, 3], "f")
        assert steps.dtype.kind == "i"
        y = x
        for _ in range(axis + 2):
            y = y * rate
        return np.sum(y.sum(axis=axis, keepdims=keepdims) * scale) + np.sum(weights[0] * steps)

    options = {
        "rate": 2.0,
        "scale": np.array([1.0, 2.0, 3.0], np.float32),
        "axis": 0,
        "keepdims": True,
        "shape": [2, 3],
        "steps": np.arange(3),
        "weights": [np.ones(3)],
        "name": "f",
    }
    graph = trace(f, np.ones((2, 3)), **options)
    assert [node.name for node in graph.inputs] == ["x", "rate", "scale"]
    found = graph.backward().gradients
    assert [each.shape for each in found] == [(2, 3), (), (3,)]
    assert found[2].dtype == np.float32


def test_inputs_are_called_what_the_signature_calls_them():
    def f(A, b, *rest, scale=1.0, **others):
        return (A * b + sum(rest)) * scale + others["shift"]

    found = input_names(f, 1.0, 2.0, 3.0, 4.0, scale=5.0, shift=6.0)
    assert found == ["A", "b", "rest0", "rest1", "scale", "shift"]


def test_an_argument_for_which_the_signature_has_no_name_has_one():
    assert input_names(np.multiply, 2.0, 3.0)[0].isidentifier()
    assert input_names(functools.partial(lambda w, x: w * x, 2.0), 3.0) == ["x"]
    assert input_names(max, 2.0, 3.0) == ["x0", "x1"]


def test_methods_callable_objects_and_defaults_have_their_names():
    class Net:
        def __call__(self, theta, x=2.0):
            return theta * x

        def loss(self, y):
            return y * 2

    assert input_names(Net(), 1.0) == ["theta"]
    assert input_names(Net(), 1.0, 3.0) == ["theta", "x"]
    assert input_names(Net().loss, 1.0) == ["y"]


def test_items_of_lists_tuples_and_dicts_are_called_after_their_place():
    def f(A, theta, pair):
        return sum(A) + theta["w"] + theta["in"][1] + pair.A + pair.b

    found = input_names(f, [1.0, 2.0], {"w": 1.0, "in": (2.0, 3.0)}, Layer(1.0, 2.0))
    assert found == ["A0", "A1", "theta_w", "theta_in0", "theta_in1", "pair0", "pair1"]


def test_names_of_inputs_are_unique():
    def f(A, A0, **more):
        return A[0] + A0 + more["A0_"]

    assert input_names(f, [1.0], 2.0, A0_=3.0) == ["A0", "A0_", "A0__"]


def test_names_of_inputs_can_be_written_into_code():
    hostile = "x); import os; (y"

    def f(p, **options):
        return p[hostile] + options[hostile] + options["class"]

    found = input_names(f, {hostile: 1.0}, **{hostile: 2.0, "class": 3.0})
    assert all(name.isidentifier() for name in found)
    assert found[2] == "class_"


def test_a_gradient_has_the_structure_of_its_argument():
    def f(theta, x):
        A, layer, name = theta
        assert (type(layer), name) == (Layer, "net")
        return np.sum(layer.A @ (A["w"] * x) + layer.b)

    theta = ({"w": 2}, Layer(np.ones((2, 3)), [0.5, 1.5][0]), "net")
    found, x = gradients(f, theta, np.ones(3))
    assert type(found) is tuple
    assert type(found[1]) is Layer
    assert found[0]["w"] == 6.0
    np.testing.assert_array_equal(found[1].A, np.full((2, 3), 2.0))
    assert found[1].b == 2.0
    assert found[2] is None
    np.testing.assert_array_equal(x, [4.0, 4.0, 4.0])


def test_one_array_passed_twice_is_two_inputs():
    x = np.array([1.0, 2.0])
    left, right = gradients(lambda a, b: np.sum(a * a * b), x, x)
    np.testing.assert_array_equal(left, 2 * x * x)
    np.testing.assert_array_equal(right, x * x)


def test_the_function_sees_its_own_copy_of_a_list():
    params = [1.0, 2.0]

    def f(params):
        params.append(3.0)
        return params[0] * params[2]

    assert trace(f, params).value == 3.0
    assert params == [1.0, 2.0]


# --- output -------------------------------------------------------------------


def test_a_function_may_return_its_argument():
    graph = trace(lambda x: x, 3.0)
    assert graph.output is graph.inputs[0]
    assert graph.backward().gradients == (1.0,)


def test_a_function_may_return_a_plain_number_and_the_gradient_is_zero():
    graph = trace(lambda x: 3, 2.0)
    assert (graph.value, graph.output.op) == (3, "constant")
    with pytest.warns(BackpropWarning, match="does not depend on x"):
        assert graph.backward().gradients == (0.0,)


def test_a_function_without_arguments_is_a_graph_without_inputs():
    graph = trace(lambda: np.float64(2.0))
    assert graph.inputs == ()
    assert graph.backward().gradients == ()


# --- a trace stands still -----------------------------------------------------


def test_a_trace_is_immune_to_what_happens_to_the_arrays_afterwards():
    x, theta, captured = np.ones(3), [np.ones(3)], np.ones(3)
    graph = trace(lambda x, theta: np.sum(x * theta[0] * captured), x, theta)
    for array in (x, theta[0], captured):
        array[:] = np.nan
    theta[0] = None
    assert graph.value == 3.0
    np.testing.assert_array_equal(graph.backward().gradients[0], np.ones(3))


def test_a_trace_cannot_be_written_to():
    graph = trace(lambda x: x * np.ones(3), np.ones(3))
    assert len(graph.nodes) == 3
    for array in (graph.value, *(node.value for node in graph.nodes)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5.0


def test_the_learners_arrays_stay_writable():
    x, captured = np.ones(3), np.ones(3)
    graph = trace(lambda x: x * captured, x)
    assert len(graph.nodes) == 3
    x[0] = captured[0] = 2.0


# --- nothing is left behind ---------------------------------------------------


def fail_by_detaching(x):
    return float(x[0])


def fail_in_the_learners_code(x):
    return [][len(x)]


def fail_in_numpy(x):
    return x @ np.ones((7, 7))


def fail_in_a_wrapped_call(x):
    OUTSIDE[:] = [x[0], x[1]]


OUTSIDE = np.zeros(2)


def fail_at_the_end(x):
    return None


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize(
    "fail",
    [
        fail_by_detaching,
        fail_in_the_learners_code,
        fail_in_numpy,
        fail_in_a_wrapped_call,
        fail_at_the_end,
    ],
)
def test_an_exception_in_the_function_leaves_nothing_behind(fail):
    seen = []

    def f(x):
        token, y = Token(), np.exp(x)
        seen.extend([weakref.ref(token), weakref.ref(y._value)])
        return fail(y)

    with pytest.raises((TypeError, ValueError, LookupError)) as caught:
        trace(f, np.ones(2))
    del caught
    assert [ref() for ref in seen] == [None, None]


@pytest.mark.usefixtures("no_collector")
def test_a_finished_trace_keeps_no_frame_of_the_learner():
    seen = []

    def f(x):
        token = Token()
        seen.append(weakref.ref(token))
        doubles = [x * 2 for _ in range(2)]
        return np.sum(doubles[0])

    graph = trace(f, np.ones(2))
    assert graph.value == 4.0
    assert seen[0]() is None


@pytest.mark.usefixtures("no_collector")
def test_a_graph_and_all_that_was_asked_of_it_is_freed_by_counting_references():
    graph = trace(lambda x: np.sum(np.exp(x) * x), np.ones(2))
    result = graph.backward()
    refs = [weakref.ref(graph), weakref.ref(result)]
    refs += [weakref.ref(node.value) for node in graph.nodes if node.shape]
    assert [step.contributions[0].rule for step in result.steps]
    assert graph.node("v1").value is not None
    del graph, result
    assert {ref() for ref in refs} == {None}


@pytest.mark.usefixtures("no_collector")
def test_an_escaped_value_does_not_hold_the_frame_that_uses_it():
    escaped = []
    trace(lambda x: escaped.append(x * 2) or x, 1.0)

    def use():
        token = Token()
        ref = weakref.ref(token)
        try:
            escaped[0] + 1
        except TypeError:
            return ref
        raise AssertionError("the value could be used")

    assert use()() is None


@pytest.mark.usefixtures("no_collector")
def test_a_chain_of_20_000_operations_is_traced_reversed_and_freed_without_recursion():
    count = 20_000
    assert count > 10 * sys.getrecursionlimit()

    def f(x):
        for _ in range(count):
            x = x * 1.00001
        return x

    graph = trace(f, np.ones(2))
    result = graph.backward(np.ones(2))
    assert len(result.steps) == count
    assert len({node.name for node in graph.nodes}) == count + 1
    np.testing.assert_allclose(result.gradients[0], 1.00001**count, rtol=1e-9)
    refs = [weakref.ref(graph.nodes[k].value) for k in (1, count // 2, count)]
    del graph, result
    assert [ref() for ref in refs] == [None] * 3


# --- a trace inside a trace ---------------------------------------------------


def derivative(f):
    return lambda x: trace(f, x).backward().gradients[0]


def test_derivatives_nest():
    def f(x):
        return np.sin(x) * x**3

    x = 0.7
    first, second = derivative(f), derivative(derivative(f))
    third = derivative(second)
    assert np.isclose(first(x), np.cos(x) * x**3 + 3 * np.sin(x) * x**2, rtol=1e-14)
    assert np.isclose(second(x), (6 * x - x**3) * np.sin(x) + 6 * x**2 * np.cos(x), rtol=1e-14)
    expected = (6 - 9 * x**2) * np.sin(x) + (18 * x - x**3) * np.cos(x)
    assert np.isclose(third(x), expected, rtol=1e-13)


def test_an_outer_value_is_a_constant_of_the_inner_trace():
    def f(x):
        graph = trace(lambda y: np.sum(x * y * x), np.ones(2))
        assert [node.op for node in graph.nodes] == [
            None, "constant", "multiply", "multiply", "sum"
        ]  # fmt: skip
        return np.sum(graph.backward().gradients[0] * np.array([1.0, 10.0]))

    np.testing.assert_allclose(derivative(f)(np.array([2.0, 3.0])), [4.0, 60.0])


def test_an_inner_graph_is_immune_to_what_the_outer_function_does_next():
    def f(x):
        y = x * 1.0
        graph = trace(lambda a: np.sum(a * a * y), y)
        y += 100.0
        return np.sum(graph.backward().gradients[0])

    x = np.array([2.0, 3.0])
    assert trace(f, x).value == np.sum(2 * x * x)
    np.testing.assert_allclose(derivative(f)(x), 4 * x)


@pytest.mark.parametrize(
    ("divisor", "expected"),
    [
        (np.ones(2), [3.0, 7.0]),  # the inner gradient is x + x², so the outer one is 1 + 2 x
        (np.array([1.0, 3.0]), [3.0, 3.0]),  # times 1, but with a slope: 1 + 2
    ],
)
def test_an_outer_value_that_changes_in_place_between_two_uses_is_two_constants(divisor, expected):
    def f(x):
        y = x * 1.0

        def inner(a):
            nonlocal y
            first = np.sum(a * y)
            y *= x / divisor
            return first + np.sum(a * y)

        return np.sum(trace(inner, np.ones(2)).backward().gradients[0])

    np.testing.assert_allclose(derivative(f)(np.array([1.0, 3.0])), expected)


def test_a_value_of_an_inner_trace_cannot_leave_through_the_outer_one():
    def f(x):
        kept = []
        trace(lambda a: kept.append(a * 2) or a, x)
        return kept[0]

    with pytest.raises(TypeError, match="used after its trace had ended"):
        trace(f, 1.0)


def test_the_value_of_an_inner_trace_flows_on():
    def f(x):
        return trace(lambda a: a * a, x).value * x

    assert gradients(f, 3.0) == (27.0,)


# --- random shapes, random programs -------------------------------------------


UNARY = [np.sin, np.cos, np.tanh, sigmoid, np.negative, np.square, lambda v: np.exp(-v * v)]
BINARY = [np.add, np.subtract, np.multiply, lambda a, b: a / (2 + b * b)]
SHAPES = [
    lambda v: v[::-1],
    lambda v: v.T,
    lambda v: v.sum(axis=-1, keepdims=True),
    lambda v: np.mean(v, axis=0),
    lambda v: v[..., None][..., 0],
    lambda v: np.where(v > 0, v, 0.1 * v),
    lambda v: v.reshape(-1)[: v.size // 2 + 1].sum() + v,
]
PROGRAM = st.lists(
    st.tuples(st.sampled_from("ubs"), *[st.integers(0, 30)] * 3), min_size=1, max_size=10
)


def run(program, x, y):
    """Run a random program on a matrix and a vector; every value so far may be used again."""
    values = [x, y, x @ y]
    for kind, i, j, k in program:
        a, b = values[i % len(values)], values[j % len(values)]
        if kind == "u":
            values.append(UNARY[k % len(UNARY)](a))
        elif kind == "s" and np.ndim(a):
            values.append(SHAPES[k % len(SHAPES)](a))
        else:
            values.append(BINARY[k % len(BINARY)](a, b))
    return sum(np.mean(value) for value in values)


@settings(max_examples=150)
@given(PROGRAM, st.integers(0, 2**32 - 1))
def test_any_small_program_has_the_gradient_that_central_differences_measure(program, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(3, 3)), rng.normal(size=3)
    graph = trace(functools.partial(run, program), x, y)
    assert graph.value == run(program, x, y)
    v, w, h = rng.normal(size=(3, 3)), rng.normal(size=3), 1e-6
    slope = (run(program, x + h * v, y + h * w) - run(program, x - h * v, y - h * w)) / (2 * h)
    dx, dy = graph.backward().gradients
    np.testing.assert_allclose(np.sum(dx * v) + dy @ w, slope, rtol=1e-5, atol=1e-6)
    names = [node.name for node in graph.nodes]
    assert len(set(names)) == len(names)


class Mode(enum.IntEnum):
    SUM, MEAN = 0, 1


@pytest.mark.parametrize("mode", Mode)
def test_an_argument_from_an_enum_is_a_flag(mode):
    def f(x, mode, axis=Mode.SUM):
        return np.sum((np.sum if mode is Mode.SUM else np.mean)(x, axis=axis) ** 2)

    x = np.arange(6.0).reshape(2, 3)
    graph = trace(f, x, mode, axis=Mode.MEAN)
    assert graph.value == f(x, mode, Mode.MEAN)
    assert graph.backward().gradients[1] is None
    fast = trace(f, x, mode).compile()
    for other in Mode:
        assert fast(x, other)[0] == f(x, other)
