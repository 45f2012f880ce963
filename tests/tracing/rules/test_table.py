"""The table as a whole: every row by its function, its operator, and its place in the list."""

import operator

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.tracing import trace
from backprop_nb.tracing.rules import (
    COMPOSITES,
    PIECEWISE_CONSTANT,
    PLAIN_FUNCTIONS,
    TABLE,
    join,
    row_of,
    supported_functions,
)
from backprop_nb.tracing.rules.row import row


def assert_same(found, expected):
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_array_equal(found, expected)


def test_a_row_is_found_by_its_function():
    assert row_of(np.matmul).name == "matmul"
    assert row_of(np.linalg.inv).name == "inv"
    assert row_of(np.histogram) is None


def test_two_rows_for_one_function_are_refused():
    made = row(np.exp, lambda g, ans, x: g)
    with pytest.raises(ValueError, match="two rows for exp"):
        join([made, made])


def test_every_function_is_of_one_kind():
    assert len(TABLE) > 100
    assert not TABLE.keys() & PLAIN_FUNCTIONS
    assert not TABLE.keys() & COMPOSITES.keys()
    assert not PLAIN_FUNCTIONS & COMPOSITES.keys()
    assert not PIECEWISE_CONSTANT.keys() & (TABLE.keys() | PLAIN_FUNCTIONS | COMPOSITES.keys())


def test_all_rules_of_a_row_take_the_same_options():
    several = [each for each in TABLE.values() if each.is_native and isinstance(each.vjps, tuple)]
    assert several
    for each in several:
        for vjp in filter(None, each.vjps):
            assert row(each.function, *[vjp] * len(each.vjps)).options == each.options


def test_the_list_of_functions_leaves_out_those_that_nobody_calls():
    names = supported_functions()
    assert names == sorted(set(names))
    assert {"np.matmul", "np.linalg.inv", "bp.sigmoid", "np.interp"} <= set(names)
    assert not any(name.endswith(("getitem", "scatter_add", "horner")) for name in names)


OPERATORS = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.true_divide,
    operator.pow: np.power,
    operator.matmul: np.matmul,
}


@pytest.mark.parametrize("form", OPERATORS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("kind", ["array", "list", "numpy number", "int", "float"])
def test_a_plain_left_operand_is_recorded_in_its_place(form, kind):
    x = np.array([0.5, 1.5])
    left = {
        "array": np.array([2.0, 3.0]),
        "list": [2.0, 3.0],
        "numpy number": np.float64(2.0),
        "int": 2,
        "float": 2.5,
    }[kind]
    if form is operator.matmul:
        left = np.reshape(left, -1) * np.ones(2)  # a number has no matrix product
    graph = trace(lambda x: form(left, x), x)
    assert graph.records[-1].row is TABLE[OPERATORS[form]]
    assert graph.records[-1].parents[1] == 0
    assert_same(graph.value, form(np.asarray(left), x))


# --- special points -------------------------------------------------------------------

POINTS = np.array([-2.0, -1.5, -1.0, -0.5, 0.0, 0.1, 0.3, 0.5, 1.0, 1.5, 2.0, 3.0, np.pi])
BESIDE_EACH_OTHER = tuple(each.ravel() for each in np.meshgrid(POINTS, POINTS))
EACH_ENTRY = [
    (row.function, k)
    for row in TABLE.values()
    if row.is_elementwise
    for k in range(row.function.nin)
    if row.vjps[k] is not None
]


def measured(f, x, step):
    """Return the slope of f, and where there is one: the same from both sides, at two steps."""
    slopes = [
        slope for h in (step, step / 10) for slope in ((f(x + h) - f(x)) / h, (f(x) - f(x - h)) / h)
    ]
    least, most = np.min(slopes, axis=0), np.max(slopes, axis=0)
    return np.mean(slopes, axis=0), most - least < 1e-3 * np.maximum(1.0, np.abs(most))


@pytest.mark.filterwarnings("ignore::backprop_nb.errors.BackpropWarning")
@pytest.mark.parametrize(
    ("function", "position"), EACH_ENTRY, ids=[f"{f.__name__}-{k}" for f, k in EACH_ENTRY]
)
def test_a_slope_is_right_wherever_there_is_one(function, position):
    """At 0, at ties, at multiples; and the second derivative wherever the rule is smooth."""
    count = function.nin
    args = [POINTS] if count == 1 else list(BESIDE_EACH_OTHER)

    def f(x):
        return function(*(x if k == position else each for k, each in enumerate(args)))

    def gradient(x):
        return bp.grad(lambda x: np.sum(f(x)))(x)

    with np.errstate(all="ignore"):
        slope, exists = measured(f, args[position], 1e-6)
        found = gradient(args[position])
        assert np.count_nonzero(exists) >= 4
        np.testing.assert_allclose(found[exists], slope[exists], rtol=2e-3, atol=2e-3)
        second, is_smooth = measured(gradient, args[position], 1e-5)
        found = bp.grad(lambda x: np.sum(gradient(x)))(args[position])
    both = exists & is_smooth & np.isfinite(found)

    assert np.count_nonzero(both) >= 4
    np.testing.assert_allclose(found[both], second[both], rtol=1e-2, atol=1e-2)
