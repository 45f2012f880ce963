import math

import numpy as np
import pytest

import backprop_nb as bp

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]])
Y = np.array([[1.0], [0.0]])
W = np.random.default_rng(0).normal(size=(3, 3))
V = np.random.default_rng(1).normal(size=(3, 1))


def loss(w, v):
    return np.sum((np.tanh(X @ w) @ v - Y) ** 2)


def told(f, gradient, *args):
    """Return how far below its function's first line the best finding is, and what to write."""
    found = bp.check_gradient(f, gradient, *args).findings[0]
    assert found.proved
    return found.line - gradient.__code__.co_firstlineno, found.repair


RIGHT = """def gradient(w, v):
    h = np.tanh(X @ w)
    e = 2 * (h @ v - Y)
    dw, dv = X.T @ (e @ v.T * (1 - h**2)), h.T @ e
    return dw, dv
"""


@pytest.fixture
def changed(written):
    """Return the right gradient function with some of its text written otherwise."""

    def made(*changes, **names):
        text = RIGHT
        for old, new in changes:
            assert text.count(old) == 1
            text = text.replace(old, new)
        module = written(text)
        vars(module).update(X=X, Y=Y, np=np, **names)
        return module.gradient

    return made


def one_turn_too_few(w, v):
    dw, dv = np.zeros_like(w), np.zeros_like(v)
    for k in range(1, len(X)):
        h = np.tanh(X[k] @ w)
        e = 2 * (h @ v - Y[k])
        dw += np.outer(X[k], e @ v.T * (1 - h**2))
        dv += np.outer(h, e)
    return dw, dv


def no_sum(w, v):
    dw, dv = np.zeros_like(w), np.zeros_like(v)
    for x, y in zip(X, Y, strict=True):
        h = np.tanh(x @ w)
        e = 2 * (float(h @ v[:, 0]) - y)
        dw = np.outer(x, e * v.T * (1 - h**2))
        dv += np.outer(h, e)
    return dw, dv


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("h.T @ e", "X.T @ e"), 3),
        (("np.tanh(X @ w)", '{"tanh": np.tanh, "exp": np.exp}["exp"](X @ w)'), 1),
        (("e @ v.T", "e @ v"), 3),
        (None, 2),
        (None, 5),
    ],
)
def test_the_line_is_named_and_proved_with_what_to_write(changed, change, line):
    gradient = changed(change) if change else {2: one_turn_too_few, 5: no_sum}[line]
    its, repair = told(loss, gradient, W, V)
    assert its == line
    assert repair


def test_the_function_and_the_arguments_are_as_before(changed):
    gradient, before = changed(("h.T @ e", "X.T @ e")), W.copy()
    code = gradient.__code__
    bp.check_gradient(loss, gradient, W, V)
    assert gradient.__code__ is code
    assert np.array_equal(W, before)


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ([("1 - h**2)), h.T @ e", "1 + h**2))\n    dv = X.T @ e"), ("dw, dv =", "dw =")], {3, 4}),
        # Neither alone makes a gradient right.
        ([("np.tanh", "np.exp"), ("h @ v - Y", "h @ v + Y")], {1, 2}),
    ],
)
def test_two_lines_are_named_together(changed, changes, lines):
    gradient = changed(*changes)
    first = gradient.__code__.co_firstlineno
    found = bp.check_gradient(loss, gradient, W, V).findings
    assert lines <= {each.line - first for each in found if each.line and each.rank == 1}


def test_two_places_of_one_line_are_both_named():
    def f(w, t):
        return np.sum((w * t) ** 2)

    def gradient(w, t):
        back = 2 * w * t
        return back * back, back * back

    found = bp.check_gradient(f, gradient, W[0], X[0]).findings
    assert {each.number for each in found} == {1, 2}
    assert len({each.source.start for each in found}) == 2


def test_gradients_in_another_order_are_exchanged():
    def f(w, t):
        return np.sum((w * t) ** 2)

    def gradient(w, t):
        back = 2 * w * t
        return back * w, back * t

    repair = "back * t, back * w in place of back * w, back * t"
    assert told(f, gradient, W[0], X[0]) == (2, repair)


@pytest.mark.parametrize("number", [float, np.float64, lambda x: np.array([x])])
def test_one_value_handed_over_as_two_gradients_is_wrong_as_one_of_them(number):
    def f(w, t):
        return np.sum((np.tanh(w * math.tanh(0.7) + t) - 0.3) ** 2)

    def gradient(w, t):
        h = math.tanh(0.7)
        o = number(math.tanh(float(np.sum(w * h + t))))
        back = 2 * (o - 0.3) * (1 - o**2)
        dw = back
        dt = back
        return dw, dt

    assert told(f, gradient, number(0.4), number(1.2)) == (4, "multiply it by h")


def test_a_loop_that_leaves_gradients_out_is_named():
    def gradient(w, v):
        h = np.tanh(X @ w)
        found, back = [None, None], 2 * (h @ v - Y)
        for k in range(1, 0, -1):
            found[k] = (X, h)[k].T @ back
            if k > 0:
                back = back @ v.T * (1 - h**2)
        return found

    assert told(loss, gradient, W, V) == (3, "-1 in place of 0")


def forward_pass(w, v, x, y):
    h = np.tanh(x @ w)
    e = h @ v - y
    return np.sum(e**2), (h, e)


def backward_pass(w, v, x, y):
    _, (h, e) = forward_pass(w, v, x, y)
    dv = np.zeros_like(v)
    for k in range(len(x)):
        dv = 2 * np.outer(h[k], e[k])
    return x.T @ (2 * e @ v.T * (1 - h**2)), dv


def test_a_way_of_writing_that_gives_uneven_lists_ends_no_search():
    def gradient(*parameters):  # forward_pass is tried here, too
        return backward_pass(*parameters, X, Y)

    def its_loss(*parameters):
        return forward_pass(*parameters, X, Y)[0]

    finding = bp.check_gradient(its_loss, gradient, W, V).findings[0]
    assert finding.line == backward_pass.__code__.co_firstlineno + 4
    assert (finding.repair, finding.proved) == ("write += in place of =", True)


def until_small(h):
    while np.abs(h).max() > 10:
        h = h / 2
    return h


def test_a_loop_of_another_function_that_would_not_end_is_stopped(changed):
    stopped = ("np.tanh(X @ w)", "until_small(np.tanh(X @ w))"), ("h.T @ e", "X.T @ e")
    gradient = changed(*stopped, until_small=until_small)
    assert bp.check_gradient(loss, gradient, W, V).findings[0].line == 4


def test_a_line_within_a_comprehension_is_named():
    def gradient(w, v):
        hs = [np.tanh(x @ w) for x in X]
        es = [2 * (h @ v - y) for h, y in zip(hs, Y, strict=True)]
        dv = sum(np.outer(h, e) for h, e in zip(X, es, strict=True))
        return sum(np.outer(x, e @ v.T * (1 - h**2)) for x, e, h in zip(X, es, hs, strict=True)), dv

    assert told(loss, gradient, W, V) == (3, "hs in place of X")


def test_a_slope_too_many_is_left_out():
    def logistic(w, b):
        z = X @ w + b
        return np.mean(np.log(1 + np.exp(z)) - Y[:, 0] * z)

    def gradient(w, b):
        p = bp.sigmoid(X @ w + b)
        d = (p - Y[:, 0]) * p * (1 - p) / len(Y)
        return X.T @ d, d.sum()

    assert told(logistic, gradient, W[0], 0.3) == (2, "leave out * p * (1 - p)")


def test_what_comes_before_explains_as_well_as_a_factor_that_is_left_out():
    """Of two lines that undo each other either may be wrong."""

    def cross_entropy(w, b):
        p = bp.sigmoid(X @ w + b)
        return -np.mean(Y[:, 0] * np.log(p) + (1 - Y[:, 0]) * np.log(1 - p))

    def gradient(w, b):
        p = bp.sigmoid(X @ w + b)
        dp = (p - Y[:, 0]) / p / len(Y)
        dz = dp * p * (1 - p)
        return X.T @ dz, dz.sum()

    first = gradient.__code__.co_firstlineno
    found = bp.check_gradient(cross_entropy, gradient, W[0], 0.3).findings
    assert {each.line for each in found if each.rank == 1} == {first + 2, first + 3}
    assert not any(each.proved for each in found)


def test_a_line_that_gives_what_is_true_is_not_proved_to_be_wrong(changed):
    flat = changed(("return dw", 'return dw.ravel("F").reshape(w.shape)'))
    found = bp.check_gradient(loss, flat, W, V).findings
    assert 5 in {each.line for each in found if each.rank == 1}
    assert 4 not in {each.line for each in found if each.proved}


def test_gradients_that_are_returned_bare_are_multiplied_where_they_are_returned():
    def gradient(w, v):
        gs = [np.zeros_like(w), np.zeros_like(v)]
        for x, y in zip(X, Y, strict=True):
            h = np.tanh(x @ w)
            e = 2 * (h @ v - y)
            gs[0] = gs[0] + np.outer(x, e @ v.T * (1 - h**2))
            gs[1] = gs[1] + np.outer(h, e)
        return gs

    def mean(w, v):
        return loss(w, v) / len(X)

    found = bp.check_gradient(mean, gradient, W, V).findings
    assert gradient.__code__.co_firstlineno + 7 in {each.line for each in found}


def test_a_line_that_only_decides_is_named():
    def hinge(w, b):
        return np.sum(np.maximum(0, 1 - Y[:, 0] * (X @ w + b)))

    def gradient(w, b):
        dw, db = np.zeros_like(w), 0.0
        for x, y in zip(X, Y[:, 0], strict=True):
            margin = 1 + y * (x @ w + b)
            if margin > 0:
                dw -= y * x
                db -= y
        return dw, db

    found = bp.check_gradient(hinge, gradient, W[0], -5.0).findings
    first = gradient.__code__.co_firstlineno
    assert {each.line for each in found if each.rank == 1} == {first + 3, first + 4}


@pytest.mark.parametrize(
    ("factor", "repair"),
    [
        ("h > 2", "0 in place of 2"),  # and not 0.5, which is right by chance
        ("h", "h > 0 in place of h"),
        ("np.abs(h)", "h > 0 in place of np.abs(h)"),
    ],
)
def test_a_mask_in_place_is_wrong_at_its_own_line(factor, repair, changed):
    gradient = changed(("np.tanh(X @ w)", f"X @ w\n    h *= {factor}"), ("1 - h**2", "h > 0"))

    def loss(w, v):
        return np.sum((np.maximum(X @ w, 0) @ v - Y) ** 2)

    assert told(loss, gradient, W, V) == (2, repair)
