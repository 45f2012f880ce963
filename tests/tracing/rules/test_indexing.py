"""Sorting, taking, padding: which entry receives which gradient, ties and repeats included."""

import inspect

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.lib.stride_tricks import sliding_window_view
from rule_checks import MASK, ORDERED, ROWS_TWICE, MadeTests, RefusedTests, RowTests, case, ways

from backprop_nb.tracing import trace
from backprop_nb.tracing.rules.indexing import add_along_axis, scatter_add

# since NumPy 2.3
AXIS_MAY_LACK = inspect.signature(np.take_along_axis).parameters["axis"].default == -1

INDEX = [
    case((4,), index=2),
    case((4,), index=-1),
    case((4,), index=slice(None, None, -2)),
    case((3, 4), index=(slice(1, 3), 0)),
    case((3, 4), index=(..., None, slice(0, 2))),
    case((3, 4), index=ROWS_TWICE),
    case((3, 4), index=(ROWS_TWICE, ROWS_TWICE)),
    case((3, 4), index=(slice(None), ROWS_TWICE)),
    case((3, 4), index=MASK),
    case((3, 4), index=MASK[:, None] & np.array([True, False, True, True])),
    case((3, 4), index=[2, 0, 2]),
    case((3, 4), index=[True, False, True]),
    case((3, 4), index=[]),
    case((3, 4), index=range(2)),
    case((3, 4), index=((0, 2, 0),)),
    case((3, 4), index=(slice(None), [0, 0])),
    case((3, 4), index=np.int64(1)),
    case((3, 4), index=np.array(1)),
    case((3,), index=True),
    case((3,), index=()),
    case((), index=()),
    case((), index=None),
]
CASES = {
    "trace": [
        case((3, 3)),
        case((2, 3)),
        case((0, 2)),
        *(case((3, 3), offset=k) for k in (1, -2, 4)),
        case((3, 2), offset=-1),
        case((3, 3), offset=1, axis1=1, axis2=0),
        case((2, 3, 4)),
        case((2, 3, 4), offset=1, axis1=-1, axis2=0),
    ],
    "getitem": INDEX,
    "scatter_add": [
        case((), index=2, shape=(4,)),
        case((2,), index=slice(1, 3), shape=(4,)),
        case((3, 4), index=ROWS_TWICE, shape=(3, 4)),
        case((3,), index=(ROWS_TWICE, ROWS_TWICE), shape=(3, 4)),
        case((2, 4), index=MASK, shape=(3, 4)),
        case((3, 4), index=[0, 2, 0], shape=(3, 4)),
        case((), index=(), shape=()),
    ],
    "sliding_window_view": [
        case((4,), window_shape=2),
        case((3, 4), window_shape=(2, 3)),
        case((3, 4), window_shape=2, axis=0),
    ],
    "take_along_axis": [
        *([case((2, 3), ORDERED)] if AXIS_MAY_LACK else []),
        case((3, 2), ORDERED.T, axis=0),
        case((2, 3), np.array([[1]]), axis=1),
        case((2, 3), np.array([[0, -1]]), axis=-1),
        case((2, 3), np.array([5, 0, 5]), axis=None),
    ],
    "add_along_axis": [
        case((2, 3), ORDERED, axis=-1, shape=(2, 3)),
        case((3, 2), ORDERED.T, axis=0, shape=(4, 2)),
        case((2, 1), np.array([[1]]), axis=1, shape=(2, 3)),
        case((3,), np.array([5, 0, 5]), axis=None, shape=(2, 3)),
    ],
    "sort": [case((4,)), case((2, 3)), case((4, 2), axis=0), case((2, 3), axis=None)],
    "partition": [
        case((5,), kth=2),
        case((3, 5), kth=(1, -1)),
        case((5, 2), kth=1, axis=0),
        case((2, 3), kth=2, axis=None),
    ],
    "diag": [
        case((3,)),
        case((3,), k=-1),
        case((3, 3)),
        case((3, 3), k=1),
        case((2, 4), k=1),
        case((4, 2), k=-1),
    ],
    "diagonal": [
        case((3, 3)),
        case((2, 4), offset=1),
        case((4, 2), offset=-1),
        case((2, 3, 4), axis1=0, axis2=2),
        case((2, 3, 4), axis1=-1, axis2=1, offset=1),
    ],
    "tile": [
        case((3,), reps=2),
        case((3,), reps=(2, 2)),
        case((2, 3), reps=2),
        case((2, 3), reps=(2, 1, 3)),
        case((), reps=3),
    ],
    "repeat": [
        case((3,), repeats=2),
        case((2, 3), repeats=2),
        case((2, 3), repeats=2, axis=-1),
        case((2, 3), repeats=[2, 0, 1], axis=1),
        case((3,), repeats=np.array([0, 2, 1])),
        case((3,), repeats=[2]),
        case((), repeats=3),
        case((3,), repeats=0),
    ],
    "pad": [
        case((3,), pad_width=1),
        case((3,), pad_width=(1, 2), constant_values=1.5),
        case((2, 3), pad_width=((1, 0), (0, 2))),
        case((2, 3), pad_width=((1, 2),)),
        *(
            case((3, 4), pad_width=((1, 0), (2, 3)), mode=mode)
            for mode in ("edge", "reflect", "symmetric", "wrap")
        ),
    ],
    "take": [
        case((4,), indices=2),
        case((4,), indices=[0, 2, 0]),
        case((2, 3), indices=[5, 0, -1]),
        case((3, 4), indices=ROWS_TWICE, axis=0),
        case((3, 4), indices=[[0, 1], [1, 1]], axis=-1),
        case((3, 4), indices=np.array(1), axis=1),
        case((3,), indices=[4, -4], mode="wrap"),
        case((3,), indices=[4, -4], mode="clip"),
    ],
}

# Ways to write one and the same call.
FORMS = {
    "trace": ways(np.trace, offset=1),
    "getitem": [lambda x: x[(0,)], lambda x: x.__getitem__((0,))],
    "scatter_add": ways(scatter_add, index=0, shape=(2, 2, 3)),
    "take_along_axis": ways(np.take_along_axis, indices=ORDERED, axis=1),
    "add_along_axis": ways(add_along_axis, indices=ORDERED, axis=1, shape=[2, 3]),
    "sort": ways(np.sort, axis=0),
    "partition": ways(np.partition, kth=1, axis=0),
    "diag": ways(np.diag, k=1),
    "diagonal": ways(np.diagonal, offset=1, axis1=0, axis2=1),
    "tile": [*ways(np.tile, reps=(2, 1)), lambda x: np.tile(x, [2, 1])],
    "repeat": ways(np.repeat, repeats=2, axis=0),
    "sliding_window_view": ways(sliding_window_view, window_shape=2, axis=0),
    "pad": ways(np.pad, pad_width=1, mode="edge"),
    "take": [
        *ways(np.take, indices=[0, 1], axis=1),
        lambda x: np.take(x, (0, 1), axis=1),
        lambda x: x.take(np.array([0, 1]), 1),
    ],
}

# Functions that are not called with one array after the other.
CALLED = {
    "getitem": lambda x, index: x[index],
}


X, V = np.array([[0.5, -1.5, 2.0], [1.25, 0.75, -0.25]]), np.array([1.5, -2.0, 0.5])

# What is padded with may be traced.
MADE = {
    "value": (lambda x, v: np.pad(x, 1, constant_values=v[0]), X, V),
    "two values": (lambda x, v: np.pad(x, (2, 1), constant_values=(v[0], 3.0)), X, V),
    "for each axis": (lambda x, v: np.pad(x, 1, constant_values=((v[0],), (v[1],))), X, V),
    "for each side": (
        lambda x, v: np.pad(
            x, ((1, 2), (0, 3)), "constant", constant_values=[[v[0], v[1]], [v[2], 1.0]]
        ),
        *(X, V),
    ),
    "array": (lambda x, v: np.pad(x, 2, constant_values=v[:2]), X, V),
    "array that is made": (
        lambda x, v: x[0, 0] * np.pad(np.ones(2), 1, constant_values=v[0]),
        *(X, V),
    ),
}
REFUSED = {
    "mean": (lambda x: np.pad(x, 1, "mean"), V, "np.pad"),
    "odd": (lambda x: np.pad(x, 1, "reflect", reflect_type="odd"), V, "np.pad"),
    "dict": (lambda x: np.pad(x, {0: 1}), V, "np.pad"),
    "fill": (lambda x: np.pad(x, 1, "edge", constant_values=x[0]), V, "plain integer"),
    "indices": (lambda x: np.take(x, x[0]), V, "plain integer"),
    "repeats": (lambda x: np.repeat(x, x[0]), V, "plain integer"),
}


class TestRows(RowTests):
    """The tests that every row shares."""


class TestMade(MadeTests):
    """The tests that calls made of others share."""


class TestRefused(RefusedTests):
    """The tests that refused calls share."""


def gradient(f, x, seed):
    return trace(f, x).backward(seed).gradients[0]


@given(
    hnp.arrays(float, hnp.array_shapes(max_dims=3, max_side=4), elements=st.integers(-3, 3)),
    st.data(),
)
def test_sort_and_partition_hand_every_gradient_to_one_entry_of_that_value(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    kth = data.draw(st.integers(0, x.shape[axis] - 1))
    for f in (lambda x: np.sort(x, axis), lambda x: np.partition(x, kth, axis)):
        # A value as the adjoint of its place must come back to an entry of that value.
        np.testing.assert_array_equal(gradient(f, x, f(x)), x)


def test_a_printed_program_sorts_anew_for_new_arguments():
    graph = trace(lambda x: np.sum(np.sort(x) * np.arange(3.0)), np.array([3.0, 1.0, 2.0]))
    names = {}
    exec(graph.to_numpy(), names)
    name = [line for line in graph.to_numpy().splitlines() if line.startswith("def ")][-1]
    function = names[name.removeprefix("def ").split("(")[0]]
    _, (d_x,) = function(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(d_x, [0.0, 1.0, 2.0])


def test_long_lists_of_positions_that_differ_in_the_middle_stay_two_in_the_program():
    one = np.arange(3000)
    other = np.where(one == 1500, 0, one)
    graph = trace(lambda x: np.sum(x[one] * x[other]), np.arange(3000.0))
    value, (d_x,) = graph.compile()(np.arange(3000.0))
    assert value == graph.value
    np.testing.assert_array_equal(d_x, graph.backward().gradients[0])


def test_positions_that_change_later_do_not_change_the_trace():
    positions = np.array([0, 1])

    def f(x):
        y = np.take(x, positions) + np.take_along_axis(x, positions, 0)
        positions[:] = 2
        return y

    np.testing.assert_array_equal(gradient(f, np.zeros(3), np.ones(2)), [2.0, 2.0, 0.0])


@given(
    st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=2),
    st.integers(0, 99),
)
def test_padding_is_linear_and_its_rule_is_the_transpose(mode, width, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, 3))
    g = rng.normal(size=np.pad(x, width, mode).shape)
    found = gradient(lambda x: np.pad(x, width, mode), x, g)
    np.testing.assert_allclose(np.sum(found * x), np.sum(g * np.pad(x, width, mode)))
