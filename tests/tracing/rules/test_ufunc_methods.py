"""Methods of ufuncs: reduce, accumulate, reduceat and outer, of every ufunc that has a rule."""

import numpy as np
import pytest
from rule_checks import MadeTests, RefusedTests, assert_differentiable

from backprop_nb.tracing import trace
from backprop_nb.tracing.rules import TABLE
from backprop_nb.tracing.rules.ufunc_methods import BY_MACHINE

X = np.array([[1.5, 0.5, 2.0, 0.25], [0.75, 1.75, 1.0, 1.25], [0.1, 0.9, 1.6, 2.5]])
MASK = np.array([[True, False, True, True], [True, True, False, True], [True, True, True, False]])
UFUNCS = [each for each in TABLE if isinstance(each, np.ufunc) and each.signature is None]
BINARY = [each for each in UFUNCS if each.nin == 2]
FOLDED = [each for each in BINARY if each not in BY_MACHINE]
JUMPING = (np.remainder, np.fmod, np.heaviside)
SMOOTH = [each for each in FOLDED if each not in JUMPING]


MASKED = np.array([[2.0, -1.0, 0.5], [1.5, 3.0, -0.5]])
CHOOSING = np.array([[0.3, 0.9, 1.4], [0.7, 0.1, 0.2]])

# A traced mask chooses entries of a plain array.
MADE = {
    "sum": (lambda x: np.sum(MASKED, where=x > 0.5) * x, CHOOSING),
    "method": (lambda x: MASKED.sum(axis=0, where=x > 0.5) * x, CHOOSING),
    "prod": (lambda x: np.prod(MASKED, where=x > 0.5) * x, CHOOSING),
    "max": (lambda x: np.max(MASKED, where=x > 0.5, initial=-9.0) * x, CHOOSING),
    "min": (lambda x: MASKED.min(where=x > 0.5, initial=9.0) * x, CHOOSING),
    "reduce": (lambda x: np.add.reduce(MASKED, axis=0, where=x > 0.5) * x, CHOOSING),
    "logaddexp": (
        lambda x: np.logaddexp.reduce(MASKED, axis=0, where=x > 0.5, initial=0.0) * x,
        CHOOSING,
    ),
}
ONLY = {"initial": None, "where": MASK}
REFUSED = {
    "order": (lambda x: np.subtract.reduce(x, axis=(0, 1)), X, "np.subtract.reduce"),
    "nothing": (lambda x: np.subtract.reduce(x[:0]), X, "np.subtract.reduce"),
    "no first value": (lambda x: np.subtract.reduce(x, where=MASK), X, "np.subtract.reduce"),
    "power": (lambda x: np.power.reduce(x), X, "depends on the machine"),
    "product without 1": (lambda x: np.multiply.reduce(x, **ONLY), X, "initial= beside where="),
    "sum without 0": (
        lambda x: np.add.reduce(MASKED, axis=0, initial=None, where=x[:2, :3] > 0.5),
        *(X, "initial= beside where="),
    ),
    "logaddexp": (lambda x: np.logaddexp.reduce(x, **ONLY), X, "initial= beside where="),
    "sum of nothing": (lambda x: np.add.reduce(x[:0], initial=None), X, "at least one entry"),
}


class TestMade(MadeTests):
    """The tests that calls made of others share."""


class TestRefused(RefusedTests):
    """The tests that refused calls share."""


def names(ufuncs):
    return [each.__name__ for each in ufuncs]


def test_there_are_many():
    assert len(SMOOTH) > 10


@pytest.mark.parametrize("ufunc", SMOOTH, ids=names(SMOOTH))
def test_a_method_is_differentiated_as_the_calls_that_it_stands_for(ufunc):
    assert_differentiable(lambda x: ufunc.reduce(x), X)
    assert_differentiable(lambda x: ufunc.reduce(x, axis=1, keepdims=True), X)
    assert_differentiable(lambda x: ufunc.reduce(x, axis=-1, initial=1.25, where=MASK), X)
    assert_differentiable(lambda x: ufunc.accumulate(x, axis=1), X)
    assert_differentiable(lambda x: ufunc.reduceat(x, [0, 2, 1]), X)
    assert_differentiable(lambda x, y: ufunc.outer(x, y), X, np.array([1.1, 0.6]))


@pytest.mark.parametrize("ufunc", FOLDED, ids=names(FOLDED))
def test_a_method_has_numpys_value_and_shape(ufunc):
    for method in ("reduce", "accumulate"):
        f = getattr(ufunc, method)
        for x, axis in ((X, 0), (X, -1), (X[:1], 0), (X[0], 0)):
            graph = trace(lambda x, f=f, axis=axis: f(x, axis=axis), x)
            assert graph.value.shape == f(x, axis=axis).shape
            np.testing.assert_allclose(graph.value, f(x, axis=axis), rtol=1e-12)


@pytest.mark.parametrize("ufunc", sorted(BY_MACHINE, key=str), ids=str)
def test_what_numpy_folds_in_a_way_of_its_own_is_traced_in_its_other_methods(ufunc):
    assert_differentiable(lambda x: ufunc.accumulate(x, axis=1), X)
    assert_differentiable(lambda x, y: ufunc.outer(x, y), X, np.array([1.1, 0.6]))


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.logaddexp, np.hypot])
def test_all_axes_at_once_where_the_order_does_not_matter(ufunc):
    assert_differentiable(lambda x: ufunc.reduce(x, axis=None), X)
    assert_differentiable(lambda x: ufunc.reduce(x, axis=(0, 1), keepdims=True), X)


def test_a_reduction_of_nothing_is_what_changes_nothing():
    graph = trace(lambda x: np.hypot.reduce(x[:, :0], axis=1) + x[:, 0], X)
    assert graph.value.tolist() == X[:, 0].tolist()


def test_a_sum_is_one_node():
    assert [node.op for node in trace(lambda x: np.add.reduce(x), X).nodes] == [None, "sum"]


def test_the_log_of_a_sum_of_exponentials_is_softmax_on_the_way_back():
    shares = trace(np.logaddexp.reduce, X[0]).backward().gradients[0]
    np.testing.assert_allclose(shares, np.exp(X[0]) / np.sum(np.exp(X[0])))


def test_masks_are_folded_and_paired_too():
    assert trace(lambda x: np.sum(x[np.logical_and.reduce(x > 0.2, axis=1)]), X).value == np.sum(
        X[:2]
    )
    assert_differentiable(lambda x: np.where(np.greater.outer(x, x), 1.0, 2.0) @ x, X[0])


@pytest.mark.parametrize(
    "f",
    [
        lambda x, out: MASKED.sum(axis=1, out=out),
        lambda x, out: np.add.reduce(x, axis=1, out=out),
        lambda x, out: np.multiply.accumulate(x[0, :2], out=out),
        lambda x, out: MASKED.mean(axis=1, out=out),
    ],
    ids=["sum", "reduce", "accumulate", "mean"],
)
def test_a_method_writes_into_an_array_that_was_made_in_the_function(f):
    def g(x):
        out = np.zeros(2)
        f(x, out)
        return out * out * x[0, 0]

    assert_differentiable(g, MASKED + 0.25)
