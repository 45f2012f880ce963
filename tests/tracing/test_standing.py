"""``X.dot(W)`` with a plain X: what NumPy makes of it is the recorded product."""

import re
import types

import numpy as np
import pytest
from rule_checks import assert_differentiable

import backprop_nb as bp
from backprop_nb.errors import DetachedError, ShapeError

RNG = np.random.default_rng(0)
X, A, W = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3)), RNG.normal(size=(3, 2))
A32 = A.astype("f")
v, w = X[1], W[:, 0]
DATA = types.SimpleNamespace(X=X)
BATCHES = {"first": [X]}


def assigned(W):
    z = X.dot(W)
    z[z < 0] = 0.0
    z += 1
    z *= W[0]
    return z * z


def into_a_buffer(W):
    out = np.zeros((4, 2))
    for k in range(4):
        out[k] = X[k].dot(W)
    out -= X.dot(W) ** 2
    return out


def softmax(W):
    scores = X.dot(W)
    scores -= np.max(scores, axis=1, keepdims=True)
    e = np.exp(scores)
    return e / np.sum(e, axis=1, keepdims=True)


def in_steps(w):
    for k in range(4):
        w = w + 0.1 * (1 - X[k].dot(w)) * X[k]
    return w


def perceptron(w):
    for k in range(4):
        if X[k].dot(w) < 0:
            w = w + X[k]
    return w * w


def batches(W):
    return sum(np.sum(X[i : i + 2].dot(W) ** 2) for i in range(0, 4, 2))


OF_MATRICES = {
    "matrices": lambda W: X.dot(W),
    "of a product": lambda W: X.T.dot(X.dot(W)),
    "twice": lambda W: A.dot(A.dot(W)),
    "three times": lambda W: A.dot(A.dot(A.dot(W))),
    "attribute": lambda W: DATA.X.dot(W),
    "entry": lambda W: BATCHES["first"][0].dot(W),
    "rows": lambda W: X[:2].dot(W),
    "columns": lambda W: X[:, 1:].dot(W[1:]),
    "row": lambda W: X[0].dot(W),
    "listed rows": lambda W: X[[2, 0]].dot(W),
    "comparison": lambda W: (X > 0).dot(W),
    "of a row": lambda W: np.ones(2).dot(X[0].dot(W)),
    "of a row of a product": lambda W: np.ones(2).dot(v.dot(A.dot(W))),
    "sum": lambda W: (X + 1).dot(W),
    "method after it": lambda W: X.dot(W).dot(np.ones(2)),
    "plus": lambda W: 1 + X.dot(W) + 2,
    "array plus": lambda W: np.ones((4, 2)) + np.ones((4, 2)) * X.dot(W),
    "@": lambda W: np.ones((5, 4)) @ X.dot(W) @ W.T,
    "function": lambda W: np.tanh(X.dot(W)),
    "function of this package": lambda W: bp.sigmoid(X.dot(W)),
    "function of two": lambda W: np.maximum(X.dot(W), 0) ** 2,
    "method": lambda W: X.dot(W).sum(axis=0) - X.dot(W).std(axis=0),
    "transpose": lambda W: X.dot(W).T,
    "index": lambda W: X.dot(W)[1:, 0],
    "iteration": lambda W: sum(row * row for row in X.dot(W)),
    "sign": lambda W: abs(-X.dot(W)),
    "power": lambda W: X.dot(W) ** 2,
    "list": lambda W: np.array([X[k].dot(W) for k in range(3)]),
    "join": lambda W: np.concatenate([X.dot(W), X.dot(W)]),
    "einsum": lambda W: np.einsum("ij->j", X.dot(W)),
    "shape": lambda W: X.dot(W) * X.dot(W).shape[0] * len(X.dot(W)) * X.dot(W).ndim,
    "two of them": lambda W: X.dot(W) - X.dot(W) * 2,
    "number of NumPy's": lambda W: np.float64(3.0) * X.dot(W),
    "argument": lambda W: (lambda z: z * z)(X.dot(W)),
    "owner is an argument": lambda W: (lambda M: M.dot(W))(X),
    "assigned": assigned,
    "into a buffer": into_a_buffer,
    "softmax": softmax,
    "batches": batches,
}
OF_VECTORS = {
    "vectors": lambda w: v.dot(w),
    "vectors, and on": lambda w: 2.0 * v.dot(w) ** 2 + np.exp(v.dot(w)) - 1,
    "matrix and vector": lambda w: X.dot(w) ** 2,
    "quadratic": lambda w: v.dot(A.dot(w)),
    "deeper": lambda w: v.dot(A.dot(A.dot(w))) * v.dot(w),
    "list": lambda w: np.array([X[k].dot(w) for k in range(4)]) ** 2,
    "in steps": in_steps,
    "perceptron": perceptron,
    "decision": lambda w: w * 2 if v.dot(w) > 0 else w * 3,
    "other decision": lambda w: w * 2 if v.dot(w) < 0 else w * 3,
    "text": lambda w: w * (2 if f"{v.dot(w):.2f}" else 3),
}


@pytest.mark.parametrize("f", OF_MATRICES.values(), ids=OF_MATRICES)
def test_a_method_of_a_plain_matrix_is_the_recorded_product(f):
    assert_differentiable(f, W)


@pytest.mark.parametrize("f", OF_VECTORS.values(), ids=OF_VECTORS)
def test_a_method_of_a_plain_vector_is_the_recorded_product(f):
    assert_differentiable(f, w)


def test_it_is_one_node():
    graph = bp.trace(lambda W: X.dot(W), W)
    assert [node.op for node in graph.nodes] == [None, "constant", "dot"]


def test_it_is_recorded_in_traces_inside_of_traces():
    def energy(w):
        return np.sum(X.dot(w) ** 2)

    np.testing.assert_allclose(bp.jacobian(bp.grad(energy))(w), 2 * X.T @ X, rtol=1e-12)
    assert_differentiable(bp.grad(energy), w)


# --- what is known only when NumPy has computed ------------------------------------------


def phi(x):
    """Return features that depend on no weight."""
    return np.stack([x[:, 0], x[:, 1] ** 2, np.ones(len(x))], axis=1)[:, ::-1]


NUMBERS = iter(range(100))


def numbered():
    return A + next(NUMBERS)


def changed_afterwards(W):
    U = W * 1.0
    z = phi(X).dot(U)
    U += 5.0
    return z * z + np.sum(U)


def in_a_loop(W):
    for _ in range(3):
        W = A.copy().dot(W) - 0.1
    return W


OF_CALLS = {
    "transposed product": lambda W: X.T.dot(X).dot(W),
    "method": lambda W: X.mean(axis=0).dot(W),
    "copy": lambda W: X.copy().dot(W) * 2 + 1,
    "another shape": lambda W: np.arange(6).reshape(2, 3).dot(W),
    "whole numbers": lambda W: np.asfortranarray([[1, 2, 3], [3, 4, 5]]).dot(W),
    "masks": lambda W: np.asfortranarray(X > 0).dot(W),
    "single precision": lambda W: A32.copy().dot(W),
    "inverse": lambda W: np.linalg.inv(X.T.dot(X)).dot(W),
    "learner's function": lambda W: phi(X).dot(W) ** 2,
    "transpose of it": lambda W: phi(X).T.dot(phi(X).dot(W) - 1.0),
    "chain": lambda W: X.T.dot(phi(X).dot(W)),
    "row": lambda W: phi(X)[1].dot(W),
    "vector": lambda W: phi(X).dot(W[:, 0]),
    "number": lambda W: phi(X)[2].dot(W[:, 1]) ** 2,
    "three axes": lambda W: phi(X).dot(np.stack([W, W * W])),
    "owner with three axes": lambda W: np.stack([X, X + 1]).dot(W),
    "never read": lambda W: (phi(X).dot(W), W * 2)[1],
    "read twice": lambda W: (lambda z: z * z[0])(phi(X).dot(W)),
    "comparison": lambda W: np.where(phi(X).dot(W) > 0, 1.0, 0.1) * phi(X).dot(W),
    "changed afterwards": changed_afterwards,
    "in a loop": in_a_loop,
    "another type": lambda W: A.dot(A32.dot(W)),
}


@pytest.mark.parametrize("f", OF_CALLS.values(), ids=OF_CALLS)
def test_a_method_of_what_was_called_is_the_recorded_product(f):
    assert_differentiable(f, W)


OF_SINGLE_PRECISION = {
    "matrix": lambda W: A.dot(W),
    "vector": lambda W: v.dot(W),
    "vectors": lambda W: v.dot(W[:, 0]),
    "chain": lambda W: A.dot(A32.dot(W)),
    "longer chain": lambda W: A.dot(A32.dot(A32.dot(W))),
    "of a call": lambda W: A.copy().dot(W),
    "chain of a call": lambda W: A.dot(A32.copy().dot(W)),
}


@pytest.mark.parametrize("f", OF_SINGLE_PRECISION.values(), ids=OF_SINGLE_PRECISION)
def test_numpy_may_cast_before_it_multiplies(f):
    single = W.astype("f")
    graph = bp.trace(f, single)
    expected = f(single)
    assert graph.value.dtype == expected.dtype
    np.testing.assert_allclose(graph.value, expected, rtol=1e-6)
    assert len(graph.nodes) <= 8


def test_an_array_without_rows_has_a_product_without_entries():
    graph = bp.trace(lambda W: np.sum(X[:0].copy().dot(W)) + np.sum(W), W)
    assert graph.value == np.sum(W)


def test_what_is_called_is_called_once():
    def f(w):
        return numbered().dot(w)

    first = bp.trace(f, w).value
    second = bp.trace(f, w).value
    np.testing.assert_allclose(second - first, np.full(3, np.sum(w)), rtol=1e-12)


@pytest.mark.parametrize("text", ["X.dot(w)", "X.copy().dot(w) * 2", "X.T.dot(X).dot(w)"])
def test_code_without_a_text_is_followed_too(text):
    f = eval(f"lambda w: {text}", {"X": X})
    assert_differentiable(f, w)


def test_its_node_stands_where_the_product_does():
    def f(w):
        z = phi(X).dot(w)
        y = w + 1
        return y * np.sum(z)

    node = bp.trace(f, w).node("z")
    assert (node.op, str(node.source)) == ("dot", "phi(X).dot(w)")


def test_lengths_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match=r"X\.copy\(\) of shape \(4,3\), w of length 2 there"):
        bp.trace(lambda w: X.copy().dot(w), np.ones(2))


@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_infinity_hides_what_stands_beside_it():
    infinite = np.array([[1.0, np.inf, 0.0], [0.0, 1.0, 2.0]])

    def f(w):
        z = infinite.copy().dot(w)
        return z[1]

    with pytest.raises(DetachedError, match=r"np\.dot\(infinite\.copy\(\), w\) in place of"):
        bp.trace(f, w)


WIDE = np.ones((1, 5000))


@pytest.mark.parametrize(
    ("f", "instead"),
    [
        (lambda W: WIDE.copy().dot(np.repeat(W[:, 0], 2000)[:5000]), r"np\.dot\(WIDE\.copy\(\)"),
        (lambda W: np.linalg.inv(A).dot(A.dot(W)), r"np\.dot\(np\.linalg\.inv\(A\), A\.dot\(W"),
        (lambda W: X.copy().dot(b=W), "keep the value as it is"),
        (lambda W: X.dot(b=W), "keep the value as it is"),
        (lambda W: v.searchsorted(W[0]), "keep the value as it is"),
    ],
    ids=["too long", "chain", "call by name", "by name", "another method"],
)
def test_what_cannot_be_found_is_refused_with_the_function(f, instead):
    with pytest.raises(DetachedError, match=instead):
        bp.trace(f, W)


# --- what reads it without asking ----------------------------------------------------------

BUFFER, LINE = np.zeros((4, 2)), np.zeros(4)


def into_an_array_of_the_caller(W):
    BUFFER[:] = X.dot(W)
    return np.sum(BUFFER * BUFFER)


def row_by_row(W):
    for k in range(4):
        BUFFER[k] = X[k].dot(W)
    return np.sum(BUFFER * W[0])


def of_vectors(W):
    LINE[:] = X.dot(W[:, 0])
    return np.sum(LINE * W[0, 0])


def number_by_number(W):
    for k in range(4):
        LINE[k] = X[k].dot(W[:, 0])
    return np.sum(LINE * W[0, 0])


def into_a_copy(W):
    BUFFER[:] = X.dot(W)
    return np.sum(BUFFER.copy()[1:] * 2) + np.sum(W)


def into_a_number(W):
    BUFFER[:] = X.dot(W)
    return W[0, 0] * float(BUFFER.sum())


def into_single_precision(W):
    single = SINGLE
    single[:] = X.dot(W)
    return np.sum(W[0] * single)


SINGLE = np.zeros((4, 2), "f")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("f", "buffer"),
    [
        (into_an_array_of_the_caller, "BUFFER"),
        (row_by_row, "BUFFER"),
        (of_vectors, "LINE"),
        (number_by_number, "LINE"),
        (into_a_copy, "BUFFER"),
        (into_a_number, "BUFFER"),
        (into_single_precision, "single"),
    ],
)
def test_an_array_of_the_caller_that_takes_it_is_refused_with_the_edit(f, buffer):
    with pytest.raises(DetachedError) as caught:
        bp.trace(f, W)
    edit = rf"(new|{buffer}) = np\.array\({buffer}, dtype=float\)"
    assert re.search(edit, caught.value.instead)
    assert ".dot(" in caught.value.at
    for array in (BUFFER, LINE, SINGLE):
        array[...] = 0.0


def test_a_library_that_takes_it_is_found_out():
    distance = pytest.importorskip("scipy.spatial.distance")
    with pytest.raises(DetachedError, match=r"np\.dot\(X, W\) in place of X\.dot\(W\)"):
        bp.trace(lambda W: np.sum(distance.cdist(X.dot(W), X.dot(W))) * W[0, 0], W)


def test_a_nan_of_the_learners_is_one():
    plain = np.array([np.nan, 1.0])
    graph = bp.trace(lambda W: np.nansum(plain * W[0]) + np.sum(X.dot(W)), W)
    assert graph.value == np.nansum(plain * W[0]) + np.sum(X.dot(W))
