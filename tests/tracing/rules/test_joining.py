"""Joining and cutting: nothing is lost, nothing comes twice, and a piece is a node."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_checks import RefusedTests, RowTests, case, ways

from backprop_nb.errors import ShapeError
from backprop_nb.tracing import trace

OUTSIDE = np.zeros(6)

JOINED = [case((3,), (3,)), case((2, 3), (2, 3)), case((2, 3), (2, 3), (2, 3))]
PIECES = [
    case((6,), indices_or_sections=3, output=1),
    case((6, 2), indices_or_sections=[1, 4], output=2),
]
CASES = {
    "concatenate": [
        *JOINED,
        case((2, 3), (1, 3)),
        case((2, 3), (2, 1), axis=1),
        case((2, 3), (2, 0), (2, 1), axis=-1),
        case((2, 3), (2,), axis=None),
    ],
    "stack": [*JOINED, case((), ()), case((), 1.0), case((2, 3), (2, 3), axis=-1)],
    "hstack": [*JOINED, case((), (3,)), case((2, 3), (2, 1)), case((), 1.0)],
    "vstack": [*JOINED, case((3,), (2, 3)), case((), ())],
    "dstack": [*JOINED, case((2, 3), (2, 3, 2)), case((), ())],
    "column_stack": [*JOINED, case((3,), (3, 2)), case((), ())],
    "append": [case((3,), ()), case((2, 3), (4,)), case((2, 3), (1, 3), axis=0), case((3,), 1.0)],
    "block": [
        case((2, 2), (2, 1), (1, 2), (1, 1), plan=lambda a, b, c, d: [[a, b], [c, d]]),
        case((2,), (), plan=lambda a, b: [a, b]),
        case((3,), plan=lambda a: a),
        case((2, 0), (2, 1), plan=lambda a, b: [a, b]),
    ],
    "split": [
        *PIECES,
        case((2, 6), indices_or_sections=2, axis=-1, output=0),
        case((6,), indices_or_sections=np.array([2, 9]), output=1),
        case((6,), indices_or_sections=(4, 2, -1), output=2),
        case((6,), indices_or_sections=(4, 2, -1), output=1),
    ],
    "array_split": [*PIECES, *(case((8,), indices_or_sections=3, output=k) for k in range(3))],
    "hsplit": [*PIECES[:1], case((2, 6), indices_or_sections=[2], output=1)],
    "vsplit": [case((6, 2), indices_or_sections=3, output=1)],
    "dsplit": [case((2, 1, 6), indices_or_sections=3, output=1)],
}

# Ways to write one and the same call.
FORMS = {
    "concatenate": [
        lambda x, y: np.concatenate([x, y], 1),
        lambda x, y: np.concatenate((x, y), axis=1),
        lambda x, y: np.concat([x, y], axis=1),
    ],
    "stack": [
        lambda x, y: np.stack([x, y], 1),
        lambda x, y: np.stack((x, y), axis=1, out=None),
        lambda x, y: np.stack(arrays=[x, y], axis=1),
    ],
    "hstack": [lambda x, y: np.hstack([x, y]), lambda x, y: np.hstack(tup=(x, y))],
    "vstack": [lambda x, y: np.vstack([x, y]), lambda x, y: np.vstack(tup=(x, y))],
    "dstack": [lambda x, y: np.dstack([x, y]), lambda x, y: np.dstack(tup=(x, y))],
    "column_stack": [
        lambda x, y: np.column_stack([x, y]),
        lambda x, y: np.column_stack(tup=(x, y)),
    ],
    "append": ways(np.append, of=2, axis=0),
    "block": [lambda x, y: np.block([x, y]), lambda x, y: np.block(arrays=[x, y])],
    "split": [
        lambda x: np.split(x, 3, 1)[2],
        lambda x: np.split(x, axis=1, indices_or_sections=3)[-1],
        lambda x: np.split(ary=x, indices_or_sections=3, axis=1)[2],
    ],
    "array_split": [
        lambda x: np.array_split(x, 2, 1)[1],
        lambda x: np.array_split(ary=x, indices_or_sections=2, axis=1)[1],
    ],
    "hsplit": [lambda x: np.hsplit(x, [1])[1], lambda x: np.hsplit(x, np.array([1]))[1]],
    "vsplit": [lambda x: np.vsplit(x, 2)[1], lambda x: np.vsplit(x, indices_or_sections=2)[1]],
    "dsplit": [lambda x: np.dsplit(x[None], 3)[2]],
}

# Functions that are not called with one array after the other.
CALLED = {
    **{
        f.__name__: lambda *arrays, f=f, **options: f(arrays, **options)
        for f in (np.concatenate, np.stack, np.hstack, np.vstack, np.dstack, np.column_stack)
    },
    **{
        f.__name__: lambda x, output, f=f, **options: f(x, **options)[output]
        for f in (np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit)
    },
    "append": np.append,
    "block": lambda *arrays, plan: np.block(plan(*arrays)),
}


ONES = np.ones(3)
REFUSED = {
    "lengths": (lambda x: np.concatenate([x, np.ones((2, 2))]), ONES, "np.concatenate does not"),
    "shapes": (lambda x: np.stack([x, x[:1]]), ONES, "np.stack does not fit"),
    "out": (lambda x: np.concatenate([x, x], out=OUTSIDE), ONES, "would write traced values"),
    "dtype": (lambda x: np.concatenate([x, x], dtype=np.float32), ONES, "np.concatenate"),
    "condition": (lambda x: np.select([x], [x]), ONES, "np.select"),
    "complex": (lambda x: np.vstack([x, np.array([1j, 0, 0])]), ONES, "real numbers"),
    "uneven": (lambda x: np.split(x, 2), ONES, r"np\.split does not fit: .*equal division"),
}


class TestRows(RowTests):
    """The tests that every row shares."""


class TestRefused(RefusedTests):
    """The tests that refused calls share."""


@given(
    st.integers(0, 7),
    st.integers(1, 4) | st.lists(st.integers(-9, 9), max_size=3).map(tuple),
    st.integers(-2, 1),
    st.data(),
)
def test_a_piece_gives_its_gradient_back_to_where_it_was_cut(length, sections, axis, data):
    shape = (length, 2) if axis % 2 == 0 else (2, length)
    x = np.arange(2.0 * length).reshape(shape)
    pieces = np.array_split(x, sections, axis)
    k = data.draw(st.integers(0, len(pieces) - 1))
    graph = trace(lambda x: np.array_split(x, sections, axis)[k], x)
    np.testing.assert_array_equal(graph.value, pieces[k])
    [d_x] = graph.backward(pieces[k] + 1).gradients
    np.testing.assert_array_equal(d_x, np.where(np.isin(x, pieces[k]), x + 1, 0))


def test_lists_and_numbers_beside_a_traced_array_are_constants():
    graph = trace(lambda x: np.hstack([1, x, [2.0, 3.0], np.ones(1)]), np.zeros(2))
    np.testing.assert_array_equal(graph.value, [1, 0, 0, 2, 3, 1])
    [d_x] = graph.backward(np.arange(6.0)).gradients
    np.testing.assert_array_equal(d_x, [1.0, 2.0])


def test_the_rows_of_a_traced_matrix_can_be_joined():
    A = np.arange(6.0).reshape(2, 3)
    graph = trace(lambda A: np.concatenate(A), A)
    np.testing.assert_array_equal(graph.value, np.concatenate(A))
    np.testing.assert_array_equal(graph.backward(np.arange(6.0)).gradients[0], A)


def test_joining_prints_as_it_was_written():
    graph = trace(lambda x, y: np.concatenate([x, y], axis=1), np.ones((2, 3)), np.ones((2, 1)))
    [step] = graph.backward(np.ones((2, 4))).steps
    rules = [contribution.rule.replace(step.node.name, "z") for contribution in step.contributions]
    assert rules == ["d_z[:, 0:3]", "d_z[:, 3:4]"]


def test_a_message_names_each_of_the_joined_arrays():
    with pytest.raises(ShapeError, match=r"given: +x of shape \(3,\), x\[:1\] of shape \(1,\)"):
        trace(lambda x: np.stack([x, x[:1]]), np.ones(3))
    with pytest.raises(ShapeError, match="expected: equal shapes\n"):
        trace(lambda x: np.stack([x, x[:1]]), np.ones(3))
    with pytest.raises(ShapeError, match=r"given: +x of shape \(3,\), 2 \* x of shape \(3,\)"):
        trace(lambda x: np.einsum("ij,j", x, 2 * x), np.ones(3))
