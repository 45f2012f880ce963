"""Joining and cutting: nothing is lost, nothing comes twice, and a piece is a node."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_nb.errors import BackpropError, InPlaceError, ShapeError, UnsupportedError
from backprop_nb.tracing import trace


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


def test_pieces_put_together_again_are_the_whole():
    x = np.arange(7.0)
    graph = trace(lambda x: np.concatenate(np.array_split(x, 3)), x)
    np.testing.assert_array_equal(graph.value, x)
    np.testing.assert_array_equal(graph.backward(x).gradients[0], x)
    assert [node.op for node in graph.nodes] == [None, *["array_split"] * 3, "concatenate"]


def test_an_uneven_split_fails_where_it_is_called():
    with pytest.raises(ShapeError, match=r"np\.split does not fit: .*equal division"):
        trace(lambda x: np.split(x, 3), np.ones(7))


def test_an_array_that_is_joined_twice_receives_both_gradients():
    [d_x] = trace(lambda x: np.stack([x, x, x]), np.ones(2)).backward(np.ones((3, 2))).gradients
    np.testing.assert_array_equal(d_x, [3.0, 3.0])


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


def test_what_was_split_is_a_view_and_cannot_be_changed_in_place():
    def f(x):
        first, _ = np.split(x * 1, 2)
        first += 1
        return first

    with pytest.raises(InPlaceError):
        trace(f, np.ones(4))


def test_joining_prints_as_it_was_written():
    graph = trace(lambda x, y: np.concatenate([x, y], axis=1), np.ones((2, 3)), np.ones((2, 1)))
    [step] = graph.backward(np.ones((2, 4))).steps
    rules = [gift.rule.replace(step.node.name, "z") for gift in step.contributions]
    assert rules == ["d_z[:, 0:3]", "d_z[:, 3:4]"]


@pytest.mark.parametrize(
    ("f", "kind"),
    [
        (lambda x: np.concatenate([x, np.ones((2, 2))]), ShapeError),
        (lambda x: np.stack([x, x[:1]]), ShapeError),
        (lambda x: np.concatenate([x, x], out=np.ones(6)), InPlaceError),
        (lambda x: np.concatenate([x, x], dtype=np.float32), UnsupportedError),
        (lambda x: np.select([x], [x]), BackpropError),
        (lambda x: np.vstack([x, np.array([1j, 0, 0])]), UnsupportedError),
    ],
    ids=["lengths", "shapes", "out", "dtype", "condition", "complex"],
)
def test_what_does_not_fit_fails_where_it_is_called(f, kind):
    with pytest.raises(kind, match=r"in test_joining\.py"):
        trace(f, np.ones(3))


def test_a_message_names_each_of_the_joined_arrays():
    with pytest.raises(ShapeError, match=r"given: +x of shape \(3,\), x\[:1\] of shape \(1,\)"):
        trace(lambda x: np.stack([x, x[:1]]), np.ones(3))
    with pytest.raises(ShapeError, match=r"given: +x of shape \(3,\), 2 \* x of shape \(3,\)"):
        trace(lambda x: np.einsum("ij,j", x, 2 * x), np.ones(3))
