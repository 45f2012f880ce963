"""Compiled functions: right on every argument, whatever the traced one had decided."""

import itertools
import random

import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.errors import BackpropWarning
from backprop_nb.tracing import compiled

RNG = np.random.default_rng(3)


def test_a_dropout_mask_is_drawn_anew_at_each_call_with_a_warning():
    x = RNG.normal(size=(24, 8))

    def seeded():
        rng = np.random.default_rng(5)
        return lambda W: np.mean((x * W * (rng.random((24, 8)) < 0.5)) ** 2)

    told = "pass what is drawn or counted, such as a dropout mask"
    with pytest.warns(BackpropWarning, match=told):
        run = bp.trace(seeded(), 0.4).compile()
    fresh = seeded()
    values, ever = [run(0.4)[0] for _ in range(4)], [fresh(0.4) for _ in range(40)]
    assert len(set(values)) == 4
    np.testing.assert_allclose([min(abs(v - e) for e in ever) for v in values], 0.0, atol=1e-12)


# --- paths -----------------------------------------------------------------------------


def decide(x):
    if x[0] > 0:
        return np.sum(x**2)
    return np.sum(x**3) if np.any(x > 2) else np.sum(np.exp(x))


def test_every_decision_has_its_path_and_is_traced_once():
    calls = []

    def counted(x):
        calls.append(x)
        return decide(x)

    run = bp.trace(counted, np.ones(3)).compile()
    calls.clear()
    points = [np.array([s, t, 0.5]) for s, t in itertools.product((1.0, -1.0), (0.0, 3.0))]
    for x in nonempty(points * 3):
        value, [slope] = run(x)
        assert value == decide(x)
        np.testing.assert_allclose(slope, bp.grad(decide)(x), rtol=1e-14)
    assert len(calls) == 2 * 2  # new paths, and whether the function is still that of the trace


def test_no_more_paths_are_kept_than_allowed(monkeypatch):
    monkeypatch.setattr(compiled, "MAX_PATHS", 2)
    calls = []

    def f(x):
        calls.append(x)
        return x * np.float64(int(np.floor(x)))

    run = bp.trace(f, 1.5).compile()
    calls.clear()
    for x in (2.5, 3.5, 3.25, 2.25, 1.25, 2.75):
        assert run(x) == (x * np.floor(x), (np.floor(x),))
    # 2.5, 3.5 and, forgotten meanwhile, 1.25; with each the 1.5 of the trace is asked again.
    assert len(calls) == 2 * 3


def test_the_printed_program_names_the_line_that_decided():
    space = {}
    exec(bp.trace(decide, np.ones(3)).to_numpy(), space)
    value, _ = space["decide_and_gradient"](np.full(3, 2.0))
    assert value == 12.0
    with pytest.raises(ValueError, match=rf"line {decide.__code__.co_firstlineno + 1}"):
        space["decide_and_gradient"](np.full(3, -2.0))


def test_an_error_of_the_function_on_another_path_is_the_learners():
    def f(x):
        if x < 0:
            raise KeyError("no negative numbers")
        return x * 2

    run = bp.trace(f, 1.0).compile()
    with pytest.raises(KeyError, match="no negative numbers"):
        run(-1.0)
    assert run(3.0) == (6.0, (2.0,))


def test_state_that_is_kept_is_no_part_of_a_path():
    class Count:
        def __init__(self):
            self.calls = 0.0

        def __call__(self, x):
            self.calls = self.calls + bp.stop_gradient(x)
            return x * self.calls

    with pytest.warns(
        BackpropWarning, match="what bp.stop_gradient took out, which each run has anew"
    ):
        run = bp.trace(Count(), 2.0).compile()
    first, second = run(2.0)[0], run(2.0)[0]
    assert second - first == 4.0


# --- arguments that are not traced, and their structure -----------------------------------


def masked(w, mask):
    return np.sum((w * mask) ** 2)


def of_kind(w, kind):
    return np.sum(w**2) if kind == "l2" else np.sum(abs(w))


def layers(matrices, x):
    for matrix in matrices:
        x = np.tanh(matrix @ x)
    return np.sum(x)


def all_of(p):
    return sum(np.sum(value) ** 2 for value in p.values())


W = np.array([[0.5, -1.0], [2.0, 0.25]])


def of_any_shape(x, y):
    return np.sum(np.outer(x, y) ** 2) + len(x) * x[0]


def mean_of_the_positive(x):
    y = x[x > 0]
    return np.sum(y**2) / len(y)


def sorted_by_hand(x):
    y = x * 1
    for i in range(len(y)):
        for j in range(len(y) - 1 - i):
            if y[j] > y[j + 1]:
                y[j], y[j + 1] = y[j + 1], y[j]
    return y @ np.array([1.0, 10.0, 100.0])


def by_sign(p):
    h = p["w"][0] * 2
    return h if h > 0 else h * p["w"][1]


SHAPES = [(3, 2), (2, 5), (4, 1)]
OTHERS = {
    "a mask": (masked, (W[0], np.array([True, False])), (W[1], np.array([False, True]))),
    "a text": (of_kind, (W[0], "l2"), (W[1], "l1")),
    "more layers": (layers, ([W], W[0]), ([W, W.T], W[1])),
    "fewer layers": (layers, ([W, W], W[0]), ([W.T], W[1])),
    "more keys": (all_of, ({"a": 1.0},), ({"a": 2.0, "b": 3.0},)),
    "other keys": (all_of, ({"a": 1.0, "b": 2.0},), ({"b": 2.0, "c": 3.0},)),
    "shapes": (of_any_shape, *((RNG.normal(size=n), RNG.normal(size=m)) for n, m in SHAPES)),
    "length": (mean_of_the_positive, *((W[0] * [a, b],) for a, b in [(1, 1), (1, -1), (-1, -1)])),
    "order": (sorted_by_hand, *((np.array(x),) for x in itertools.permutations([0.5, 1.5, 2.5]))),
    "a sign": (by_sign, ({"w": [1.0, 2.0]},), ({"w": [-1.0, 3.0]},), ({"w": [1.0, 3.0]},)),
}


@pytest.mark.filterwarnings("ignore:The output does not depend on")
@pytest.mark.parametrize("name", OTHERS)
def test_other_arguments_lead_to_another_path(name):
    f, *points = OTHERS[name]
    compiled = bp.trace(f, *points[0]).compile()
    for args in nonempty(points * 2):
        value, gradients = compiled(*args)
        graph = bp.trace(f, *args)
        np.testing.assert_allclose(value, f(*args))
        np.testing.assert_equal(gradients, graph.backward().gradients)


@pytest.mark.parametrize("name", ["a mask", "a text"])
def test_what_is_not_traced_is_a_decision(name):
    f, first, second = OTHERS[name]
    assert bp.trace(f, *first).evaluate(*second) == f(*second)
    printed = {}
    exec(bp.trace(f, *first).to_numpy(), printed)
    with pytest.raises(ValueError, match="than in the trace"):
        printed[f"{f.__name__}_and_gradient"](*second)


def test_an_option_of_the_trace_is_not_one_of_the_compiled_function():
    compiled = bp.trace(of_kind, W[0], kind="l2").compile()
    with pytest.raises(bp.UnsupportedError, match="`kind` is the one of the trace"):
        compiled(W[0], kind="l1")


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("way", ["evaluate", "compile"])
def test_another_number_of_arguments_is_refused_with_those_of_the_trace(way, count):
    graph = bp.trace(lambda w, b: np.sum(w * b), np.ones(2), 3.0)
    call = graph.evaluate if way == "evaluate" else graph.compile()
    with pytest.raises(bp.ShapeError, match="must be that of the trace") as caught:
        call(*[2.0] * count)
    assert caught.value.expected == "2: w, b"
    assert caught.value.instead is None


def written(x):
    y = x * 2.0
    y[0] += np.sin(x[1])
    return np.sum(y * np.tanh(x))


@pytest.mark.parametrize(
    "f",
    [written, lambda x: np.sum(x[[0, 0, 1]] ** 3), lambda x: np.sum(np.where(x > 0, x**2, x))],
    ids=["written to", "picked", "chosen"],
)
def test_a_compiled_function_can_be_differentiated(f):
    x = np.array([0.5, -1.2, 2.0])
    fast = bp.trace(f, x).compile()
    value, slope = bp.value_and_grad(lambda x: fast(x)[0] * 2.0)(x)
    assert value == pytest.approx(2.0 * f(x), rel=1e-12)
    np.testing.assert_allclose(slope, 2.0 * bp.grad(f)(x), rtol=1e-12)
    of_slopes = bp.grad(lambda x: np.sum(fast(x)[1][0]))(x)
    np.testing.assert_allclose(of_slopes, bp.grad(lambda x: np.sum(bp.grad(f)(x)))(x), rtol=1e-12)


def by_flag(x, flag):
    return x**2 if flag else x**3


def unless_none(x, factor):
    return x if factor is None else x * factor


@pytest.mark.parametrize(
    ("f", "calls"),
    [
        (by_flag, [(3.0, False), (3.0, 1.0), (3.0, 0.0)]),
        (unless_none, [(2.0, None), (2.0, 3.0)]),
        (lambda x, y: np.sum(np.sin(x * y)), [(True, np.ones(2)), (0.3, np.ones(2))]),
    ],
    ids=["flag", "none", "shape"],
)
def test_a_path_of_a_flag_takes_no_other_numbers(f, calls):
    run = bp.trace(f, 2.0, 1.0).compile()
    assert [run(*args)[0] for args in calls] == [f(*args) for args in calls]
    assert run(*calls[-1])[1][1] is not None


@pytest.mark.parametrize("orders", ["<>", "><", ">>"])
@pytest.mark.parametrize("size", [4, 8])
def test_arguments_may_have_their_bytes_in_either_order(orders, size):
    x, w = np.arange(3.0), np.array([2.0, -1.0, 0.5])
    one, other = (z.astype(f"{order}f{size}") for z, order in zip((x, w), orders, strict=True))
    for traced in ((x, w), (one, other)):
        run = bp.trace(lambda x, w: np.sum(x * w), *traced).compile()
        for args in ((one, other), (x, w), (x.astype(one.dtype), w)):
            value, (d_x, d_w) = run(*args)
            assert value == 0.0
            np.testing.assert_array_equal(d_x, w)
            np.testing.assert_array_equal(d_w, x)


DOUBLES = np.arange(3.0)
NUMBERS = [2.0, 3, np.float32(2), np.float64(2), np.int64(3)]
ARRAYS = [DOUBLES, DOUBLES.astype(np.float32), DOUBLES.astype(int), DOUBLES.astype(np.int8)]


def scaled_mean(a, x):
    return np.sum(np.sin(a * x) * 0.1) / len(x)


@pytest.mark.parametrize("first", [*itertools.product(NUMBERS, ARRAYS)], ids=repr)
def test_the_type_of_a_number_depends_on_no_call_before(first):
    function = bp.trace(scaled_mean, *first).compile()
    draw = random.Random(0)
    for a, x in nonempty(draw.choices([*itertools.product(NUMBERS, ARRAYS)], k=30)):
        graph = bp.trace(scaled_mean, a, x)
        value, gradients = function(a, x)
        assert (value, value.dtype) == (graph.value, graph.value.dtype)
        expected = graph.backward().gradients
        assert [each.dtype for each in gradients] == [each.dtype for each in expected]
