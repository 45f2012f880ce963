"""Compiled functions: right on every argument, whatever the traced one had decided."""

import itertools

import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.errors import BackpropWarning
from backprop_nb.tracing import compiled

RNG = np.random.default_rng(3)
INPUTS = RNG.normal(size=(24, 2)) * 2
TARGETS = np.sin(INPUTS[:, :1]) * np.sign(INPUTS[:, 1:])
START = tuple(RNG.normal(size=shape) * 0.4 for shape in ((2, 8), 8, (8, 1), 1))


# --- training by it --------------------------------------------------------------


def leaky(z):
    return np.where(z > 0, z, 0.1 * z)


def leaky_in_place(z):
    z = z * 1
    z[z <= 0] *= 0.1
    return z


def elu(z):
    out = z.copy()
    mask = z < 0
    out[mask] = np.exp(z[mask]) - 1
    return out


def elu_in_loops(z):
    out = np.zeros(z.shape)
    for i in range(0, z.shape[0], 8):
        for j in range(z.shape[1]):
            out[i, j] = z[i, j] if z[i, j] > 0 else np.exp(z[i, j]) - 1
    return out + 0.1 * z


def hard_steps(z):
    return np.clip(z, -1, 1) * np.sign(z) + np.round(z) * z * 0.05


def max_pool(z):
    pairs = z.reshape(len(z), 4, 2)
    largest = pairs.argmax(axis=2)
    pooled = np.take_along_axis(pairs, largest[..., None], axis=2)
    return np.concatenate([pooled[..., 0], pooled[..., 0] * 0.5], axis=1)


def max_pool_in_loops(z):
    out = np.zeros(z.shape)
    for k in range(4):
        out[:, k] = np.max(z[:, 2 * k : 2 * k + 2], axis=1)
    return out + 0.1 * z


def squared(guess):
    return np.mean((guess - TARGETS) ** 2)


def hinge(guess):
    margins = 1 - np.sign(TARGETS) * guess
    margins[margins < 0] = 0.0
    return np.mean(margins)


def hinge_by_python(guess):
    total = 0.0
    for k in range(0, len(guess), 6):
        margin = 1 - np.sign(TARGETS[k, 0]) * guess[k, 0]
        if margin > 0:
            total = total + margin
    return total


NETS = {
    **{each.__name__: (each, squared) for each in (leaky, leaky_in_place, elu, elu_in_loops)},
    **{each.__name__: (each, squared) for each in (hard_steps, max_pool, max_pool_in_loops)},
    "hinge": (np.tanh, hinge),
    "hinge_by_python": (leaky, hinge_by_python),
}


def curve(step, steps=25):
    """Train, and return the losses."""
    params, losses = [each.copy() for each in START], []
    for _ in range(steps):
        loss, slopes = step(*params)
        losses.append(loss)
        for each, slope in zip(params, slopes, strict=True):
            each -= 0.02 * slope
    return np.array(losses)


@pytest.mark.parametrize("name", NETS)
def test_training_by_it_goes_as_with_fresh_gradients(name):
    activation, loss = NETS[name]

    def net(W, b, V, c):
        return loss(activation(INPUTS @ W + b) @ V + c)

    def fresh(*params):
        graph = bp.trace(net, *params)
        return graph.value, graph.backward().gradients

    graph = bp.trace(net, *START)
    found, right = curve(graph.compile()), curve(fresh)
    np.testing.assert_allclose(found, right, rtol=1e-9)
    assert right[-1] < right[0]
    params = [-each for each in START]  # all masks are others there
    np.testing.assert_allclose(graph.evaluate(*params), net(*params), rtol=1e-12)


def test_training_with_a_dropout_mask_as_an_argument():
    def net(W, V, mask):
        return np.mean((np.maximum(INPUTS @ W, 0) * mask @ V - TARGETS) ** 2)

    masks = [RNG.random((24, 8)) < 0.5 for _ in range(6)]
    W, V = START[0], START[2]
    run = bp.trace(net, W, V, masks[0].astype(float)).compile()
    for mask in nonempty(masks):
        value, slopes = run(W, V, mask.astype(float))
        right = bp.trace(net, W, V, mask.astype(float))
        np.testing.assert_allclose(value, right.value)
        np.testing.assert_allclose(slopes[0], right.backward().gradients[0])


def test_training_with_dropout_inside_draws_anew_and_says_so():
    def net(W, rng):
        kept = rng.random((24, 8)) < 0.5
        return np.mean((INPUTS @ W * kept / 0.5) ** 2)

    def seeded():
        rng = np.random.default_rng(5)
        return lambda W: net(W, rng)

    compiling, fresh = seeded(), seeded()
    graph = bp.trace(compiling, START[0])
    with pytest.warns(
        BackpropWarning, match="pass what is drawn or counted, such as a dropout mask"
    ):
        run = graph.compile()
    values = [run(START[0])[0] for _ in range(4)]
    assert len(set(values)) == 4
    ever = [fresh(START[0]) for _ in range(40)]
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


def test_other_shapes_have_their_paths():
    def f(x, y):
        return np.sum(np.outer(x, y) ** 2) + len(x) * x[0]

    run = bp.trace(f, np.ones(3), np.ones(2)).compile()
    for n, m in nonempty([(2, 5), (3, 2), (4, 1), (2, 5)]):
        x, y = RNG.normal(size=n), RNG.normal(size=m)
        value, slopes = run(x, y)
        np.testing.assert_allclose(value, f(x, y))
        for found, right in zip(slopes, bp.trace(f, x, y).backward().gradients, strict=True):
            np.testing.assert_allclose(found, right)


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


def test_the_number_of_entries_that_a_mask_picks_is_a_decision():
    def f(x):
        y = x[x > 0]
        return np.sum(y**2) / len(y)

    run = bp.trace(f, np.array([1.0, -2.0, 3.0])).compile()
    for x in nonempty([np.array([1.0, 2.0, 3.0]), np.array([-1.0, 2.0, -3.0])]):
        value, [slope] = run(x)
        assert value == f(x)
        np.testing.assert_allclose(slope, bp.grad(f)(x))


def test_a_sort_by_hand_is_right_on_every_order():
    def f(x):
        y = x * 1
        for i in range(len(y)):
            for j in range(len(y) - 1 - i):
                if y[j] > y[j + 1]:
                    y[j], y[j + 1] = y[j + 1], y[j]
        return y @ np.array([1.0, 10.0, 100.0])

    run = bp.trace(f, np.arange(3.0)).compile()
    for order in nonempty(itertools.permutations([0.5, 1.5, 2.5])):
        value, [slope] = run(np.array(order))
        assert value == 0.5 + 15 + 250
        np.testing.assert_array_equal(slope, 10.0 ** np.argsort(np.argsort(order)))


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


def test_lists_and_dicts_of_parameters_keep_their_structure_on_other_paths():
    def f(params):
        h = params["w"][0] * 2
        return h if h > 0 else h * params["w"][1]

    run = bp.trace(f, {"w": [1.0, 2.0]}).compile()
    assert run({"w": [-1.0, 3.0]}) == (-6.0, ({"w": [6.0, -2.0]},))
    assert run({"w": [1.0, 3.0]}) == (2.0, ({"w": [2.0, 0.0]},))


def test_state_that_is_kept_is_no_part_of_a_path():
    class Count:
        def __init__(self):
            self.calls = 0.0

        def __call__(self, x):
            self.calls = self.calls + bp.stop_gradient(x)
            return x * self.calls

    with pytest.warns(BackpropWarning, match="keeps values from run to run"):
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
OTHERS = {
    "a mask": (masked, (W[0], np.array([True, False])), (W[1], np.array([False, True]))),
    "a text": (of_kind, (W[0], "l2"), (W[1], "l1")),
    "more layers": (layers, ([W], W[0]), ([W, W.T], W[1])),
    "fewer layers": (layers, ([W, W], W[0]), ([W.T], W[1])),
    "more keys": (all_of, ({"a": 1.0},), ({"a": 2.0, "b": 3.0},)),
    "other keys": (all_of, ({"a": 1.0, "b": 2.0},), ({"b": 2.0, "c": 3.0},)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_traced_leads_to_another_path(name):
    f, first, second = OTHERS[name]
    compiled = bp.trace(f, *first).compile()
    for args in nonempty([first, second, first, second]):
        value, gradients = compiled(*args)
        graph = bp.trace(f, *args)
        np.testing.assert_allclose(value, f(*args))
        np.testing.assert_equal(gradients, graph.backward().gradients)
    if f is not layers and f is not all_of:
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
