"""Products with zeros, spreads, averages, and sums that skip NaN."""

import itertools

import numpy as np
import pytest

from backprop_nb.errors import BackpropError
from backprop_nb.tracing import trace


def gradient(f, x):
    return trace(f, x).backward().gradients[0]


def product_of_the_others(x):
    return [np.prod(np.delete(x, i)) for i in range(len(x))]


@pytest.mark.parametrize("zeros", [(), (1,), (0, 3), (0, 1, 2, 3)])
def test_the_slope_of_a_product_is_exact_whatever_is_zero(zeros):
    x = np.array([2.0, -3.0, 0.5, 4.0])
    x[list(zeros)] = 0.0
    np.testing.assert_array_equal(gradient(np.prod, x), product_of_the_others(x))


def test_a_product_over_an_axis_does_not_mix_the_rows():
    x = np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 5.0], [1.0, 2.0, 3.0]])
    found = gradient(lambda x: np.sum(np.prod(x, axis=1)), x)
    np.testing.assert_array_equal(found, [product_of_the_others(row) for row in x])


def test_second_derivatives_of_a_product_are_exact_at_two_zeros():
    x = np.array([0.0, 3.0, 0.0, 5.0])

    def slope(x, i):
        return trace(np.prod, x).backward().gradients[0][i]

    for i, j in itertools.permutations(range(4), 2):
        second = trace(lambda x, i=i: slope(x, i), x).backward().gradients[0]
        others = [x[k] for k in range(4) if k not in (i, j)]
        assert second[j] == np.prod(others)
        assert second[i] == 0.0


def test_the_spread_of_equal_entries_has_the_slope_0():
    assert gradient(np.std, np.full(3, 2.0)).tolist() == [0.0, 0.0, 0.0]
    assert gradient(np.var, np.full(3, 2.0)).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("options", [{"ddof": 1}, {"correction": 1}])
def test_the_sample_variance_divides_by_one_less(options):
    x = np.array([1.0, 2.0, 6.0])
    np.testing.assert_allclose(gradient(lambda x: np.var(x, **options), x), x - 3.0)


@pytest.mark.parametrize("name", ["nansum", "nanmean"])
def test_nan_counts_as_absent_and_receives_nothing(name):
    f, plain = getattr(np, name), getattr(np, name.removeprefix("nan"))
    x = np.array([1.0, np.nan, 3.0])
    found = gradient(f, x)
    assert found[1] == 0.0
    assert found[[0, 2]].tolist() == gradient(plain, x[[0, 2]]).tolist()


def test_a_weighted_average_is_the_one_written_out():
    x, w = np.array([[1.0, 4.0], [2.0, 8.0]]), np.array([1.0, 3.0])

    def written_out(x, w):
        return np.sum(np.sum(x * w, axis=1) / np.sum(w))

    found = trace(lambda x, w: np.sum(np.average(x, axis=1, weights=w)), x, w).backward()
    expected = trace(written_out, x, w).backward()
    for each, other in zip(found.gradients, expected.gradients, strict=True):
        np.testing.assert_allclose(each, other)


REFUSED = {
    "sum dtype": lambda x: np.sum(x, dtype=np.float32),
    "prod initial": lambda x: np.prod(x, initial=2.0),
    "max initial": lambda x: np.max(x, initial=2.0),
    "var mean": lambda x: np.var(x, mean=0.0),
    "cumsum dtype": lambda x: np.cumsum(x, dtype=np.float32)[0],
    "average returned": lambda x: np.average(x, returned=True)[0],
    "diff prepend": lambda x: np.diff(x, prepend=0.0)[0],
    "nan_to_num copy": lambda x: np.nan_to_num(x, copy=False)[0],
    "nan_to_num second": lambda x: np.nan_to_num(x, False)[0],
    "divmod": lambda x: np.divmod(x, 2.0)[0][0],
    "sum out": lambda x: np.sum(x, out=np.zeros(())),
    "clip out": lambda x: x.clip(0.0, 1.0, out=np.zeros(2))[0],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_rule_does_not_know_is_refused_at_the_call(name):
    with pytest.raises(BackpropError, match=rf"np\.{name.split()[0]}\b") as caught:
        trace(REFUSED[name], np.array([1.0, 2.0]))
    assert "test_reductions.py" in str(caught.value)


def test_a_trace_of_a_stack_of_matrices_counts_every_diagonal_entry_once():
    x = np.arange(12.0).reshape(2, 2, 3)
    found = gradient(lambda x: np.sum(np.linalg.trace(x)), x)
    np.testing.assert_array_equal(found, np.broadcast_to(np.eye(2, 3), x.shape))


def test_a_product_of_numbers_that_are_not_0_yet_may_meet_0_in_a_compiled_graph():
    f = trace(np.prod, np.array([1.0, 2.0, 3.0])).compile()
    value, [x] = f(np.array([0.0, 2.0, 3.0]))
    assert value == 0.0
    assert x.tolist() == [6.0, 0.0, 0.0]
