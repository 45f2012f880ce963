"""Products over chosen axes: random subscripts, every way to name axes, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nonempty import nonempty
from rule_checks import RefusedTests, RowTests, case, ways

from backprop_nb.tracing import trace

OUTSIDE = np.zeros(3)

CASES = {
    "matmul": [
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3,), (3, 4)),
        case((2, 3), (3, 4)),
        case((1, 3), (3, 1)),
        case((5, 2, 3), (3,)),
        case((3,), (5, 3, 4)),
        case((5, 2, 3), (3, 4)),
        case((2, 3), (5, 3, 4)),
        case((5, 2, 3), (1, 3, 4)),
        case((6, 1, 2, 3), (5, 3, 4)),
    ],
    "outer": [case((2,), (3,)), case((), (3,)), case((2,), ()), case((2, 2), (3, 1))],
    "dot": [
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3,), (3, 4)),
        case((2, 3), (3, 4)),
        case((), (2, 3)),
        case((2, 3), ()),
        case(2.0, (2, 3)),
        case((3,), 2.0),
        case((5, 2, 3), (3,)),
        case((3,), (5, 3, 4)),
        case((5, 2, 3), (3, 4)),
        case((2, 3), (5, 3, 4)),
        case((2, 5, 3), (4, 3, 2)),
    ],
    "vdot": [case((3,), (3,)), case((2, 3), (3, 2)), case((), ()), case(2.0, ())],
    "inner": [
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3,), (2, 3)),
        case((2, 3), (4, 3)),
        case((), (2, 3)),
        case((2, 3), 2.0),
        case((5, 2, 3), (3,)),
        case((5, 2, 3), (4, 3)),
        case((2, 3), (5, 4, 3)),
        case((3,), (5, 4, 3)),
    ],
    "vecdot": [
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3,), (2, 3)),
        case((2, 1, 3), (4, 3)),
        case((3, 2), (3, 2), axis=0),
    ],
    "tensordot": [
        case((2, 3, 4), (3, 4, 2)),
        case((2, 3), (3, 4), axes=1),
        case((2,), (3,), axes=0),
        case((2, 3, 4), (4, 5, 3), axes=((1, 2), (2, 0))),
        case((2, 3, 4), (4, 5, 3), axes=([-1, 1], [0, -1])),
        case((2, 3), (4, 3), axes=(-1, -1)),
        case((2, 3), (2, 3), axes=2),
    ],
    "einsum": [
        case((2, 3), (3,), subscripts="ij,j"),
        case((2, 3), (3, 4), subscripts="ij,jk->ik"),
        case((2, 3), (3, 4), subscripts="ij, jk -> ki"),
        case((3,), (4,), subscripts="i,j->ji"),
        case((2, 3), subscripts="ij->ji"),
        case((2, 3), subscripts="ij->i"),
        case((2, 3), subscripts="ij->"),
        case((3, 3), subscripts="ii"),
        case((3, 3), subscripts="ii->i"),
        case((3, 3, 2), (3,), subscripts="iij,i->j"),
        case((5, 2, 3), (5, 3, 4), subscripts="...ij,...jk->...ik"),
        case((5, 2, 3), (3, 4), subscripts="...ij,...jk"),
        case((1, 2, 3), (5, 3), subscripts="...ij,...j->i..."),
        case((2, 3), (3,), (2,), subscripts="ij,j,i->"),
        case((2, 3), (), subscripts="ij,->j"),
        case((2, 3), 2.0, subscripts="ij,->ij"),
    ],
    "kron": [
        case((2,), (3,)),
        case((2, 2), (1, 3)),
        case((2, 3), (2,)),
        case((2,), (3, 2)),
        case((), (2,)),
        case((2,), 2.0),
    ],
    "cross": [
        case((3,), (3,)),
        case((4, 3), (3,)),
        case((3,), (4, 3)),
        case((3, 4), (3, 4), axis=0),
        case((3, 4), (4, 3), axisa=0, axisc=0),
        case((2, 1, 3), (3, 4), axisb=0),
    ],
}

# Ways to write one and the same call.
FORMS = {
    "matmul": [lambda x, y: x @ y.T, lambda x, y: np.matmul(x, y.T)],
    "outer": ways(np.outer, of=2),
    "dot": ways(np.dot, of=2, on=lambda x, y: (x, y.T)),
    "vdot": ways(np.vdot, of=2),
    "inner": ways(np.inner, of=2),
    "vecdot": [lambda x, y: np.vecdot(x, y), lambda x, y: np.linalg.vecdot(x, y)],
    "tensordot": [
        *ways(np.tensordot, of=2, axes=(1, 1)),
        lambda x, y: np.tensordot(x, y, [1, 1]),
        lambda x, y: np.linalg.tensordot(x, y, axes=(1, 1)),
    ],
    "einsum": [
        lambda x, y: np.einsum("ij,kj->ik", x, y),
        lambda x, y: np.einsum(" ij, kj -> ik ", x, y, optimize=False),
    ],
    "kron": ways(np.kron, of=2),
    "cross": ways(np.cross, of=2),
}

# Functions that are not called with one array after the other.
CALLED = {
    "einsum": lambda *arrays, subscripts: np.einsum(subscripts, *arrays),
}


ONES = np.ones(3)
REFUSED = {
    "cross": (lambda x: np.cross(x[:1], x), ONES, "vectors of 3 entries"),
    "dot": (lambda x: np.dot(x, x[:2]), ONES, "np.dot does not fit"),
    "einsum": (lambda x: np.einsum("ij,j", x, x), ONES, "np.einsum does not fit"),
    "einsum with a type": (lambda x: np.einsum("i,i", x, x, dtype=float), ONES, "np.einsum with"),
    "einsum, out": (lambda x: np.einsum("i", x, out=OUTSIDE), ONES, "np.einsum would write"),
    "tensordot": (lambda x: np.tensordot(x, x, 3), ONES, "np.tensordot does not fit"),
}


class TestRows(RowTests):
    """The tests that every row shares."""


class TestRefused(RefusedTests):
    """The tests that refused calls share."""


LENGTHS = {"i": 2, "j": 3, "k": 1, "l": 4}


def gradients(f, *inputs, seed=None):
    graph = trace(f, *inputs)
    seed = np.ones_like(graph.value) if seed is None else seed
    return graph.backward(seed).gradients


@st.composite
def contractions(draw):
    """Draw subscripts such as ``"iij,jk->ki"`` that every array of ``LENGTHS`` fits."""
    spec = st.text("ijkl", max_size=3)
    specs = draw(st.lists(spec, min_size=1, max_size=3))
    known = sorted(set("".join(specs)))
    out = draw(st.permutations(known))[: draw(st.integers(0, len(known)))]
    return f"{','.join(specs)}->{''.join(out)}" if draw(st.booleans()) else ",".join(specs)


@given(contractions(), st.integers(0, 99))
def test_einsum_is_linear_in_each_array_and_its_rule_is_the_transpose(subscripts, seed):
    # <g, f(…, v, …)> = <rule(g), v> for every v, since f is linear in v.
    rng = np.random.default_rng(seed)
    specs = subscripts.split("->")[0].split(",")
    arrays = [np.asarray(rng.normal(size=[LENGTHS[c] for c in spec]))[()] for spec in specs]
    value = np.einsum(subscripts, *arrays)
    g = np.asarray(rng.normal(size=value.shape))[()]
    found = gradients(lambda *x: np.einsum(subscripts, *x), *arrays, seed=g)
    for k, gradient in nonempty(enumerate(found)):
        v = np.asarray(rng.normal(size=arrays[k].shape))[()]
        forward = np.sum(g * np.einsum(subscripts, *arrays[:k], v, *arrays[k + 1 :]))
        assert gradient.shape == arrays[k].shape
        np.testing.assert_allclose(np.sum(gradient * v), forward, rtol=1e-9, atol=1e-9)


def test_einsum_with_lists_of_labels_is_recorded_as_the_text_it_means():
    A, x = np.ones((2, 3)), np.arange(3.0)
    by_lists = trace(lambda A, x: np.einsum(A, [0, 1], x, [1], [0]), A, x)
    assert by_lists.records[-1].keywords == {"subscripts": "AB,B->A"}
    np.testing.assert_array_equal(by_lists.value, A @ x)
    implicit = trace(lambda A: np.einsum(A, [..., 0, 0]), np.ones((2, 3, 3)))
    assert implicit.records[-1].keywords == {"subscripts": "...AA"}
    np.testing.assert_array_equal(implicit.value, [3.0, 3.0])


def test_einsum_stretches_axes_of_length_1_and_adds_their_gradients_up():
    x, y = np.ones((1, 2)), np.arange(6.0).reshape(3, 2)
    d_x, d_y = gradients(lambda x, y: np.einsum("...j,...j->...", x, y), x, y)
    np.testing.assert_array_equal(d_x, [[6.0, 9.0]])
    np.testing.assert_array_equal(d_y, np.ones((3, 2)))
    d_x, d_y = gradients(lambda x, y: np.einsum("ij,ij", x, y), x, y)
    np.testing.assert_array_equal(d_x, [[6.0, 9.0]])


@pytest.mark.parametrize(
    "axes", [1, (1, 0), ([1], [0]), [[-1], [-2]], (np.int64(1), np.int64(0)), np.array([1, 0])]
)
def test_tensordot_takes_its_axes_in_every_form(axes):
    x, y = np.ones((2, 3)), np.arange(12.0).reshape(3, 4)
    d_x, d_y = gradients(lambda x, y: np.tensordot(x, y, axes), x, y)
    np.testing.assert_array_equal(d_x, np.ones((2, 4)) @ y.T)
    np.testing.assert_array_equal(d_y, x.T @ np.ones((2, 4)))


def test_dot_of_matrices_prints_as_a_teacher_writes_it():
    graph = trace(lambda A, x: np.dot(A, x), np.ones((2, 3)), np.ones(3))
    [step] = graph.backward(np.ones(2)).steps
    rules = [contribution.rule.replace(step.node.name, "z") for contribution in step.contributions]
    assert rules == ["np.outer(d_z, x)", "A.T @ d_z"]
