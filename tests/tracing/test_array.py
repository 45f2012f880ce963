"""The stand-in array: it answers like the array it stands for, and forgets nothing."""

import functools
import itertools
import math
import numbers
import operator
import random

import numpy as np
import pytest
from rule_checks import assert_differentiable

import backprop_nb as bp
from backprop_nb.errors import DetachedError, InPlaceError, UnsupportedError
from backprop_nb.tracing import sigmoid, trace
from backprop_nb.tracing.tape import Recorded

X = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])


def ops(f, *args, **kwargs):
    return [node.op for node in trace(f, *args, **kwargs).nodes if node.op]


def kept(f, *args):
    """Trace ``f`` and return what it put into the list that it gets first."""
    runs = []

    def run(*given):
        runs.append([])
        return f(runs[-1], *given)

    trace(run, *args)
    return runs[0]


# --- one call, one node -------------------------------------------------------


def test_functions_operators_and_methods_are_one_node_each():
    def f(A):
        y = np.exp(-A) @ A.T
        return (y + 1).sum(axis=0).reshape(1, 2).mean()

    assert ops(f, X) == [
        "negative", "exp", "transpose", "matmul", "add", "sum", "reshape", "mean"
    ]  # fmt: skip


def test_python_functions_that_only_use_operators_just_work():
    def f(x):
        return sum(x) + math.prod(x) + max(x) + functools.reduce(operator.sub, list(x))

    x = np.array([2.0, -3.0, 5.0])
    graph = trace(f, x)
    assert graph.value == f(x)
    assert max(node.value.size for node in graph.nodes[1:]) == 1
    # sum + prod + max + (x0 - x1 - x2): the slopes are 1 + -15 + 0 + 1, 1 + 10 - 1, 1 - 6 + 1 - 1.
    np.testing.assert_allclose(graph.backward().gradients[0], [-13.0, 10.0, -5.0])


WITH_LISTS = {
    "difference": lambda x: x - [x[0], 1.0, x[1] * x[2]],
    "list first": lambda x: [x[0], 1.0, x[1]] - x,
    "tuple": lambda x: x / (2.0, x[1], x[2]),
    "power": lambda x: np.abs(x) ** [x[0], 2.0, x[1]],
    "rows": lambda x: np.stack([x, x * x]) @ [[x[0], 1.0], [x[1], 2.0], [0.0, x[2]]],
    "product, list first": lambda x: [x[0], 1.0, x[2]] @ x,
    "number": lambda x: x[1] + [x[0], 1.0, x[2]] / x[0],
    "rest": lambda x: np.exp(x) % [2.0, x[0] + 3, 4.0],
    "floor": lambda x: x * (10 * x // [1.0, x[0] + 3, 4.0]),
    "comparison": lambda x: np.where(x > [x[1], 0.0, x[0] + 3], x, x * x),
    "equality": lambda x: np.where(x == [x[0], 5.0, x[0]], x, x * x),
    "list of arrays": lambda x: x * [x, x * x],
    "in place": lambda x: operator.imul(x * 1.0, [x[0], 1.0, x[2]]),
    "written array": lambda x: np.ones(3) * [x[0], 1.0, x[2]],
    "written array, list first": lambda x: [x[0], 1.0, x[2]] - np.ones(3),
    "written array in place": lambda x: operator.isub(np.ones(3), [x[0], 1.0, x[2]]),
    "written array compared": lambda x: np.where(np.zeros(3) > [x[0], 1.0, x[2]], x, x * x),
    "plain list": lambda x: x * [1.0, 2.0, 3.0] + [[1], [2]],
}


@pytest.mark.parametrize("f", WITH_LISTS.values(), ids=WITH_LISTS)
def test_a_list_beside_an_operator_is_the_array_that_it_stands_for(f):
    assert_differentiable(f, np.array([0.75, -1.25, 2.5]))


def test_a_list_may_hold_the_values_of_an_inner_trace():
    def outer(a):
        inner = bp.grad(lambda b: np.sum(a * b * [a[1], b]))
        return inner(a[0])

    assert_differentiable(outer, np.array([0.75, -1.25]))


TABLE = {0: 2.0, 1: -3.0, 2: 0.5}
NAMES = {True: 1.5, False: -1.0}
LOOKED_UP = {
    "position": lambda x: x * TABLE[np.argmax(x)],
    "mask": lambda x: x * NAMES[x[0] > x[1]],
    "sign": lambda x: x * {1.0: 2.0, -1.0: 3.0}[np.sign(x[0])],
    "get": lambda x: x * TABLE.get(np.argmin(x), 7.0),
    "in a set": lambda x: x * 2.0 if np.argmax(x) in {0, 2} else x,
    "not in a dict": lambda x: x * 2.0 if np.argmax(x) not in TABLE else x * x,
}


@pytest.mark.parametrize("f", LOOKED_UP.values(), ids=LOOKED_UP)
def test_what_is_looked_up_in_a_dict_is_a_decision(f):
    assert_differentiable(f, np.array([0.75, -1.25, 2.5]))
    graph = trace(lambda x: np.sum(f(x)), np.array([0.75, -1.25, 2.5]))
    call = graph.compile()
    for other in itertools.permutations([0.75, -1.25, 2.5]):
        x = np.array(other)
        assert call(x)[0] == graph.evaluate(x) == np.sum(f(x))


@pytest.mark.parametrize(
    ("f", "instead"),
    [
        (lambda x, d: d.update({x[0]: 1}), "a plain number or a name as the key"),
        (lambda x, d: {0: 1}[x[0]], "a plain number or a name as the key"),
        (lambda x, d: {np.argmax(x)}, "int(x) in place of x"),
        (lambda x, d: operator.setitem(d, np.argmax(x), 1), "int(x) in place of x"),
        (lambda x, d: counted(x, d), "int(np.argmax(x)) as the key"),
    ],
    ids=["number", "number looked up", "set", "setitem", "counted"],
)
def test_what_is_stored_in_a_dict_is_refused(f, instead):
    with pytest.raises(DetachedError) as caught:
        trace(lambda x: (f(x, {}), x)[1], np.array([0.75, -1.25, 2.5]))
    assert instead in caught.value.instead


def counted(x, counts):
    counts[np.argmax(x)] = 1
    return counts


def test_a_traced_array_looks_like_the_array():
    def look(seen, x):
        seen += [x.shape, x.ndim, x.size, x.dtype, len(x), str(x), f"{x[0, 0]:.1f}", repr(x[0, 0])]
        seen += [bool(x[0, 0] > 0), bool(x[0, 0]), [float(v.shape == (3,)) for v in x]]
        return np.sum(x)

    assert kept(look, X) == [
        (2, 3), 2, 6, np.dtype(float), 2, str(X), "1.0", "np.float64(1.0)",
        True, True, [1.0, 1.0],
    ]  # fmt: skip


def test_a_number_is_no_sequence():
    with pytest.raises(TypeError, match="iteration over a 0-d array"):
        trace(lambda x: list(x), 1.0)
    with pytest.raises(TypeError, match="has no len"):
        trace(lambda x: len(x), 1.0)


def test_attributes_that_arrays_do_not_have_are_missing_here_too():
    def f(seen, x):
        seen += [hasattr(x, name) for name in ("no_such_thing", "tobytes", "__array_interface__")]
        return x

    assert kept(f, 1.0) == [False, False, False]
    with pytest.raises(AttributeError, match="'Traced' object has no attribute 'shpae'"):
        trace(lambda x: x.shpae, 1.0)


def test_iteration_takes_one_row_at_a_time():
    assert ops(lambda A: sum(row[0] for row in A), X) == ["getitem", "getitem", "add"] * 2


# --- literals and constants ---------------------------------------------------


@pytest.mark.parametrize("number", [2, 2.5, True])
def test_numbers_are_written_into_the_call(number):
    graph = trace(lambda x: x * number, 3.0)
    assert len(graph.nodes) == 2
    assert graph.records[-1].args[1] is number


def test_a_captured_array_is_one_constant_however_often_it_is_used():
    def f(x):
        for _ in range(3):
            x = x * X
        return x + X

    assert ops(f, X).count("constant") == 1


def test_a_captured_array_that_changes_is_a_new_constant():
    weights = np.array([1.0, 2.0])

    def f(x):
        y = x * weights
        weights[0] = 10.0
        return y * weights

    graph = trace(f, np.array([1.0, 1.0]))
    weights[:] = 99.0
    np.testing.assert_array_equal(graph.value, [10.0, 4.0])
    np.testing.assert_array_equal(graph.backward(np.ones(2)).gradients[0], [10.0, 4.0])
    constants = [node.value.tolist() for node in graph.nodes if node.op == "constant"]
    assert constants == [[1.0, 2.0], [10.0, 2.0]]


def test_a_captured_list_that_changes_is_a_new_constant():
    weights = [1.0, 2.0]

    def f(x):
        y = x * weights
        weights[0] = 10.0
        return y * weights

    np.testing.assert_array_equal(trace(f, np.ones(2)).value, [10.0, 4.0])


def test_constants_keep_their_integers_and_truth_values():
    def f(x):
        return np.sum(x * np.arange(3) * np.array([True, False, True], bool))

    graph = trace(f, np.ones(3))
    assert [node.value.dtype.kind for node in graph.nodes if node.op == "constant"] == ["i", "b"]
    np.testing.assert_array_equal(graph.backward().gradients[0], [0.0, 0.0, 2.0])


def test_small_unsigned_integers_do_not_wrap_around_in_a_rule():
    exponents = np.array([0, 1, 2], np.uint8)
    graph = trace(lambda x: np.sum(x**exponents), np.full(3, 1e3))
    np.testing.assert_array_equal(graph.backward().gradients[0], [0.0, 1.0, 2e3])


def test_lists_of_axes_and_shapes_may_change_after_the_call():
    axes, shape, index = [2, 0, 1], [4, 6], [0, 0]

    def f(x):
        y = np.transpose(x, axes).reshape(shape)[index]
        axes[:], shape[:], index[:] = [0, 1, 2], [1, 1], [3, 3]
        return y

    x = np.arange(24.0).reshape(2, 3, 4)
    seed = np.random.default_rng(0).normal(size=(2, 6))
    [gradient] = trace(f, x).backward(seed).gradients
    expected = np.zeros((4, 6))
    expected[0] = seed.sum(axis=0)
    np.testing.assert_allclose(gradient, expected.reshape(4, 2, 3).transpose(1, 2, 0))


# --- options ------------------------------------------------------------------


def test_options_that_say_what_numpy_does_anyway_are_not_recorded():
    def f(x):
        y = np.sum(x, axis=None, keepdims=False, initial=np._NoValue, where=True)
        return np.add(y, np.ravel(x, order="C"), out=None, where=True)

    assert [record.keywords for record in trace(f, X).records] == [{}] * 4


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.nansum(x, where=X > 0),
        lambda x: np.nansum(x, initial=1.0),
        lambda x: np.add(x, x, where=False),
        lambda x: np.add(x, x, dtype=np.float32),
        lambda x: np.ravel(x, order="A"),
        lambda x: np.ravel(x, order="K"),
        lambda x: np.reshape(x, -1, order="A"),
        lambda x: x.flatten("A"),
    ],
    ids=itertools.count(),
)
def test_an_option_without_a_rule_is_refused_and_never_ignored(f):
    with pytest.raises(UnsupportedError, match="cannot be traced with"):
        trace(f, X)


def test_a_traced_axis_is_told_to_become_a_keyword_argument():
    with pytest.raises(DetachedError, match="An index or a count must be a plain integer"):
        trace(lambda x: np.concatenate([x, x], axis=x[0, 0]), X)


def test_column_order_is_right_for_an_array_that_lies_in_columns():
    weights = np.arange(6.0)
    for x in (X, np.asfortranarray(X)):
        graph = trace(lambda x: np.sum(np.ravel(x, order="F") * weights), x)
        np.testing.assert_array_equal(
            graph.backward().gradients[0], weights.reshape((2, 3), order="F")
        )


# --- in place -----------------------------------------------------------------


def test_a_number_is_bound_anew():
    def f(x):
        old = x
        x += 1
        x **= 2
        return old * x

    assert trace(f, 2.0).value == f(2.0) == 18.0
    assert trace(f, 2.0).backward().gradients == (21.0,)


def test_the_type_of_an_array_changes_as_in_numpy():
    def f(x):
        small = x.astype(np.float32)
        same = x.astype(float, copy=False)
        copied = x.astype(float)
        x += 1
        return np.sum(small) + np.sum(same) * 10 + np.sum(copied) * 100

    graph = trace(f, X)
    assert graph.value == f(X.copy())
    np.testing.assert_array_equal(graph.backward().gradients[0], np.full((2, 3), 111.0))
    with pytest.raises(
        UnsupportedError, match=r"x\.astype\('complex128'\) has no differentiation rule"
    ):
        trace(lambda x: x.astype(complex), X)


def _into_another(x):
    y = x * 1
    y += np.float64([0.1, 0.2])
    return np.sum(y * y)


def _into_a_prepared(x):
    y = np.zeros(2, dtype=np.float32)
    y += np.float64(1.1) * x.astype(np.float64)
    y[1:] *= x[1:].astype(np.float64) + 0.1
    y[0] -= np.float64(0.1)
    return np.sum(y * y)


def _assigned_to_a_prepared(x):
    y = np.zeros((2, 2), dtype=np.float32)
    y[0] = x.astype(np.float64) + 0.1
    y[:, 1] = np.exp(x.astype(np.float64))
    return np.sum(y * y)


def _through_a_view(x):
    y = x * 1
    row = y[1:]
    row /= np.float64([3.0])
    return np.sum(y * y)


@pytest.mark.parametrize(
    "f", [_into_another, _into_a_prepared, _assigned_to_a_prepared, _through_a_view]
)
def test_an_array_of_float32_keeps_its_type_in_place(f):
    x = np.array([0.3, -0.7], np.float32)
    graph = trace(f, x)
    assert graph.value == f(x)
    assert graph.value.dtype == np.float32
    [gradient] = graph.backward().gradients
    assert gradient.dtype == np.float32
    v, h = np.array([0.6, -0.8], np.float32), np.float32(2**-6)
    slope = (f(x + h * v) - f(x - h * v)) / (2 * h)
    assert gradient @ v == pytest.approx(slope, rel=1e-3)
    other = -2 * x
    assert graph.evaluate(other) == f(other)
    assert graph.compile()(other)[0] == f(other)


def test_an_array_is_not_narrowed_beyond_what_numpy_allows():
    def f(x):
        y = np.floor(x).astype(int)
        y += x
        return np.sum(y)

    with pytest.raises(InPlaceError, match="does not fit into the array"):
        trace(f, np.zeros(2))


def test_a_zero_dimensional_array_is_not_silently_bound_anew():
    def f(x):
        alias = x
        x += 1
        return alias * x

    assert trace(f, np.array(2.0)).value == f(np.array(2.0)) == 9.0
    assert trace(f, np.array(2.0)).backward().gradients == (6.0,)


# --- nothing is forgotten -----------------------------------------------------

LOSING = {
    "math.floor": lambda x: math.floor(x[0, 0]),
    "np.float64": lambda x: np.float64(x[0, 0]),
    "number times a list": lambda x: x[0, 0] * [x[0, 0], x[0, 1]],
    "np.vectorize": lambda x: np.vectorize(math.sin)(x),
    "np.arange": lambda x: np.arange(x[0, 0]),
    "np.ones": lambda x: np.ones((2, x[0, 0])),
    "reshape": lambda x: x.reshape(x[0, 0], 2),
    "list index": lambda x: [1, 2, 3][x[0, 0]],
    "own index in a tuple": lambda x: x[0, x[0, 0]],
    "own index in a list": lambda x: x[[x[0, 0]]],
    "slice": lambda x: x[: x[0, 0]],
    "sigmoid of a list": lambda x: sigmoid([x[0, 0], 1.0]),
}


@pytest.mark.parametrize("how", LOSING)
def test_nothing_turns_a_traced_value_into_a_plain_one_without_a_word(how):
    f = LOSING[how]
    with pytest.raises(DetachedError) as caught:
        trace(f, X)
    assert f"line {f.__code__.co_firstlineno} of <lambda> in test_array.py" in caught.value.at


OUTSIDE = np.zeros((2, 3))
WHOLE = np.zeros((2, 3), dtype=int)
BEYOND_REACH = {
    "out=": lambda x: np.exp(x, out=OUTSIDE),
    "positional out": lambda x: np.exp(x, OUTSIDE),
    "out= of a reduction": lambda x: np.sum(x, axis=0, out=OUTSIDE[0]),
    "positional out of a reduction": lambda x: np.sum(x, 0, None, OUTSIDE[0]),
    "out= of a flat function": lambda x: np.floor(x, out=OUTSIDE),
    "+=": lambda x: operator.iadd(OUTSIDE, x),
    "item of whole numbers": lambda x: operator.setitem(WHOLE, (0, 0), x[0, 0]),
    "items": lambda x: operator.setitem(OUTSIDE, 0, x[0]),
    "item +=": lambda x: operator.setitem(OUTSIDE, 0, operator.iadd(OUTSIDE[0], x[0])),
    "np.put": lambda x: np.put(OUTSIDE, [0], x[0, 0]),
    "np.putmask": lambda x: np.putmask(OUTSIDE, X > 0, x),
    "np.fill_diagonal": lambda x: np.fill_diagonal(OUTSIDE, x[0, 0]),
    "np.put_along_axis": lambda x: np.put_along_axis(OUTSIDE, np.array([[0]]), x[:1, :1], 1),
}


@pytest.mark.parametrize("how", BEYOND_REACH)
def test_nothing_is_written_into_an_array_that_cannot_hold_it(how):
    with pytest.raises((InPlaceError, DetachedError)) as caught:
        trace(BEYOND_REACH[how], X)
    assert "test_array.py" in caught.value.at
    np.testing.assert_array_equal(OUTSIDE, 0.0)
    np.testing.assert_array_equal(WHOLE, 0)


WRITING = {
    "out=": lambda x: np.exp(x, out=np.zeros((2, 3))),
    "out= of a traced": lambda x: np.exp(x, out=x),
    "positional out": lambda x: np.exp(x, np.zeros((2, 3))),
    "out= of a reduction": lambda x: np.sum(x, axis=0, out=np.zeros(3)),
    "positional out of a reduction": lambda x: np.sum(x, 0, None, np.zeros(3)),
    "positional out of a product": lambda x: np.dot(x, x[0], np.zeros(2)),
    "out= of a plain call": lambda x: np.exp(X, out=x) * 1.5,
    "+=": lambda x: operator.iadd(x, x[0]),
    "//=": lambda x: operator.ifloordiv(x + 10, 2) * x,
    "%=": lambda x: operator.imod(x * 1, 2),
}


@pytest.mark.parametrize("how", WRITING)
def test_what_a_call_writes_into_is_its_result(how):
    assert_differentiable(WRITING[how], X + 0.3)


def test_what_was_written_is_there():
    def f(x):
        out, sums = np.empty((2, 3)), np.empty(2)
        found = np.exp(x, out=out)
        assert found is out
        np.sum(out, axis=1, out=sums)
        x.mean(axis=1, out=out[:, 0])
        return out @ x.T * sums

    assert_differentiable(f, X)


def test_what_is_written_into_an_array_has_no_more_axes_than_it():
    with pytest.raises(InPlaceError, match=r"result of shape \(1, 2, 3\)"):
        trace(lambda x: np.exp(x[None], out=np.zeros((2, 3))), X)
    assert_differentiable(lambda x: np.exp(x[0], out=np.zeros((2, 3))), X)


def test_steps_written_into_an_array_carry_no_gradient():
    def f(x):
        y = x * 2
        np.floor(x, out=y)
        return np.sum(y * x)

    assert_differentiable(f, X + 0.3)


CHANGING = {
    "sort": lambda x: x.sort(),
    "sort of columns": lambda x: x.sort(axis=0),
    "partition": lambda x: x.partition(1),
    "fill": lambda x: x.fill(0.5),
    "fill with one of its own": lambda x: x.fill(x[0, 0]),
    "item": lambda x: operator.setitem(x, (0, 0), 1.0),
    "item +=": lambda x: operator.setitem(x, 0, operator.iadd(x[0], 1.0)),
    "shuffle": lambda x: random.Random(0).shuffle(x),
    "swap": lambda x: exec("x[0], x[1] = x[1], x[0]", {"x": x}),
    "swap of copies": lambda x: exec("x[[0, 1]] = x[[1, 0]]", {"x": x}),
}


@pytest.mark.parametrize("how", CHANGING)
def test_a_method_or_statement_changes_a_traced_array_as_numpys(how):
    def f(x):
        CHANGING[how](x)
        return x * x[::-1]

    assert_differentiable(f, X)


REFUSED_CHANGES = {
    "resize": lambda x: x.resize((3, 2)),
    "shape": lambda x: setattr(x, "shape", (3, 2)),
    "np.fill_diagonal around": lambda x: np.fill_diagonal(x.T, 5.0, wrap=True),
}


@pytest.mark.parametrize("how", REFUSED_CHANGES)
def test_a_change_that_is_not_followed_is_refused(how):
    def f(x):
        REFUSED_CHANGES[how](x)
        return np.sum(x * x[::-1])

    x = X.copy()
    with pytest.raises((TypeError, AttributeError)):
        trace(f, x)
    np.testing.assert_array_equal(x, X)


# --- values that outlive their trace ------------------------------------------


@pytest.mark.parametrize(
    "use",
    [
        lambda y: y + 1,
        lambda y: 1 + y,
        lambda y: np.exp(y),
        lambda y: y[0],
        lambda y: -y,
        lambda y: trace(lambda x: x + y, 1.0),
        lambda y: trace(lambda x: y, 1.0),
        lambda y: trace(lambda x: x * 2, y),
        *(float, np.asarray, operator.methodcaller("tolist"), operator.methodcaller("item")),
    ],
    ids=itertools.count(),
)
def test_an_escaped_value_cannot_be_computed_with_and_is_told_what_keeps(use):
    escaped = []
    trace(lambda x: escaped.append(x * 2) or np.sum(x), np.ones(2))
    with pytest.raises(DetachedError, match=r"after its trace had ended(.|\n)*stop_gradient"):
        use(escaped[0])


def test_an_escaped_value_can_still_be_looked_at():
    escaped = []
    trace(lambda x: escaped.append(x * 2) or np.sum(x), np.ones(2))
    assert (str(escaped[0]), escaped[0].shape) == ("[2. 2.]", (2,))
    np.testing.assert_array_equal(escaped[0] > 1, [True, True])


def of_kind(x):
    match x:
        case np.ndarray():
            return np.sum(x)
        case int():
            return x * 2.0
        case float():
            return x * 3.0
    return x * 5.0


def by_question(x):
    asked = (
        isinstance(x, np.ndarray),
        isinstance(x, float),
        isinstance(x, int),
        isinstance(x, np.floating),
        isinstance(x, np.float32),
        isinstance(x, numbers.Real),
        np.isscalar(x),
        isinstance(x, (list, tuple)),
        isinstance(x * 1.0, np.ndarray),
        isinstance(x * 1.0, float),
        isinstance(np.sum(x), np.generic),
        isinstance(np.reshape(x, (-1,)), np.ndarray),
    )
    return np.sum(x) * float(sum(2**k for k, yes in enumerate(asked) if yes))


@pytest.mark.parametrize("f", [of_kind, by_question])
@pytest.mark.parametrize(
    "x",
    [2.0, 3, np.float64(2.0), np.float32(2.0), np.array(2.0), np.ones(3), np.ones(3, np.float32)],
    ids=["float", "int", "float64", "float32", "no axes", "array", "single"],
)
def test_a_traced_value_passes_for_what_it_stands_for(f, x):
    graph = bp.trace(f, x)
    assert graph.value == f(x)
    assert bp.grad(lambda y: bp.grad(f)(y).sum() * y.sum())(x) is not None


def test_items_of_a_list_pass_for_what_they_stand_for():
    def f(xs):
        return sum(of_kind(x) for x in xs)

    xs = [2.0, 3, np.float64(2.0), np.ones(2)]
    assert bp.trace(f, xs).value == f(xs)


VALUES = {
    "polynomial": "polyval",
    "chebyshev": "chebval",
    "legendre": "legval",
    "laguerre": "lagval",
    "hermite": "hermval",
    "hermite_e": "hermeval",
}


@pytest.mark.parametrize("basis", VALUES)
@pytest.mark.parametrize("options", [{}, {"tensor": False}], ids=["table", "by columns"])
def test_a_polynomial_of_any_basis_is_differentiated(basis, options):
    value = getattr(getattr(np.polynomial, basis), VALUES[basis])
    coefficients = np.array([[1.0, 2.0], [3.0, 4.0], [0.5, -1.0]])
    assert_differentiable(lambda x: value(x, coefficients, **options), np.array([0.5, 2.5]))
    assert_differentiable(lambda x: value(x, coefficients, **options), np.array(0.5))


def test_reshape_takes_copy():
    x = np.arange(6.0)
    for own in (None, True, False):
        graph = bp.trace(lambda x, own=own: np.sum(x.reshape(2, 3, copy=own)[0]), x)
        assert graph.value == 3.0


def test_listed_positions_may_be_traced_in_an_array_that_is_still_plain():
    def f(x):
        P = np.eye(3)
        p = np.argmax(x)
        P[[0, p]] = P[[p, 0]]
        return np.sum(P @ x * np.arange(3.0))

    x = np.array([1.0, 2.0, 5.0])
    graph = bp.trace(f, x)
    assert graph.value == f(x)
    for other in (x[::-1], x[[0, 2, 1]]):
        assert graph.evaluate(other) == graph.compile()(other)[0] == f(other)


def test_what_helps_in_place_of_int_is_followed():
    def interpolated(x):
        i = int(np.trunc(x))
        return (x - i) * X[0, i]

    graph = bp.trace(interpolated, 1.25)
    assert graph.backward().gradients == (X[0, 1],)
    assert graph.compile()(0.5) == (interpolated(0.5), (X[0, 0],))


# --- what outlives its trace --------------------------------------------------------------


class Relu:
    """A layer that keeps its mask for a backward pass of its own, as courses write it."""

    def forward(self, x):
        self.mask, self.best = x > 0, np.argmax(x)
        return x * self.mask

    def backward(self, g):
        return g * self.mask


OUTLIVING = {
    "*": lambda mask: X[0] * mask,
    "* mirrored": lambda mask: mask * X[0],
    "~": lambda mask: ~mask,
    "&": lambda mask: mask & np.array([True, False, True]),
    "sum": lambda mask: mask.sum(),
    "any": lambda mask: np.any(mask),
    "where": lambda mask: np.where(mask, X[0], 0.0),
    "as an index": lambda mask: X[0][mask],
    "one": lambda mask: mask[0],
    "a part": lambda mask: mask[1:],
    "astype": lambda mask: mask.astype(float),
    "asarray": np.asarray,
    "tolist": lambda mask: mask.tolist(),
}


@pytest.mark.parametrize("name", OUTLIVING)
def test_a_mask_outlives_its_trace_as_a_plain_one(name):
    layer, x = Relu(), X[0]
    trace(lambda x: np.sum(layer.forward(x)), x)
    found = OUTLIVING[name](layer.mask)
    assert not isinstance(found, Recorded)
    np.testing.assert_array_equal(found, OUTLIVING[name](x > 0))


def test_a_mask_of_another_trace_is_a_constant_of_this_one():
    layer, x = Relu(), X[0]
    trace(lambda x: np.sum(layer.forward(x)), x)
    graph = trace(lambda g: np.sum(layer.backward(g) ** 2) + g[layer.best], x)
    np.testing.assert_allclose(graph.backward().gradients[0], 2 * x * (x > 0) + np.eye(3)[0])

    def outer(y):
        inner = Relu()
        trace(lambda x: np.sum(inner.forward(x)), x)
        return np.sum(y * inner.mask)

    np.testing.assert_array_equal(trace(outer, x).backward().gradients[0], x > 0)
