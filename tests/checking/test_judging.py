"""Who judges: what is right, wrong, at a kink, and what differences cannot tell."""

import math

import numpy as np
import pytest
from of_two import W, X, f, right

import backprop_nb as bp


def relu(x):
    return np.sum(np.maximum(x, 0))


@pytest.mark.parametrize("slope", [0.0, 0.3, 0.5, 1.0])
def test_at_a_kink_any_slope_between_its_sides_is_right_with_a_remark(slope):
    x = np.array([-1.0, 0.0, 2.0])
    report = bp.check_gradient(relu, np.array([0.0, slope, 1.0]), x)
    assert report.ok
    assert ("x[1] is at a kink" in str(report)) == (slope != 0.5)  # which is the tracer's own


@pytest.mark.parametrize(
    ("function", "given", "x"),
    [
        (relu, [0.0, 1.2, 1.0], [-1.0, 0.0, 2.0]),  # beyond both sides
        (relu, [0.0, 1.0, 0.5], [-1.0, 0.0, 2.0]),  # another entry is wrong
        (lambda x: np.sum(np.where(x > 0, 1.0, 0.0)), [0.5], [0.0]),  # a jump
        (lambda x: np.sum(np.sin(1e4 * x)), [0.0], [1.0]),  # a sharp bend
        (lambda x: np.sum(x**2), [1e-5], [0.0]),
    ],
)
def test_what_is_no_slope_of_a_kink_is_wrong(function, given, x):
    assert not bp.check_gradient(function, np.array(given), np.array(x)).ok


def test_a_small_entry_beside_large_ones_is_held_against_itself():
    x = np.array([1e4, 0.3, -0.7])  # as of features that are not scaled

    def gradient(x):
        return 2 * x + np.array([0.0, 0.001, 0.0])

    report = bp.check_gradient(lambda x: np.sum(x**2), gradient, x)
    assert str(report).splitlines()[1] == (
        "  dx  wrong: dx[1] is 0.601, expected 0.6 (relative error 0.0017)"
    )
    assert bp.check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x + 1e-5, x).ok


def test_small_entries_in_float32_have_the_rounding_of_large_ones():
    x = np.array([1e4, 0.3, -0.7])
    off = np.array([0.0, 0.05, 0.0])  # of 20000: no more than float32 leaves of a long sum
    narrow = np.float32(2 * x + off)
    for given in (narrow, narrow.astype(float)):
        assert bp.check_gradient(lambda x: np.sum(x**2), given, x).ok
    assert not bp.check_gradient(lambda x: np.sum(x**2), 2 * x + off, x).ok
    halves = bp.check_gradient(
        lambda x: np.sum(x**2), [2e4, 1.0, -1.5], np.array([1e4, 0.25, -0.75])
    )
    assert not halves.ok


@pytest.mark.parametrize("rounded", [np.int16, np.int64, np.round])
def test_a_gradient_rounded_to_whole_numbers_is_not_taken_for_float32(rounded):
    x = np.array([1e4, 0.3, -0.7])
    report = bp.check_gradient(lambda x: np.sum(x**2), lambda x: rounded(2 * x), x)
    assert not report.ok
    assert bp.check_gradient(lambda x: np.sum(x**2), 2 * np.float32(x), x).ok


def test_float32_is_right_to_its_own_precision_and_float64_is_not():
    dW, dx = right(W, X)
    report = bp.check_gradient(f, (dW.astype(np.float32), dx), W, X)
    assert report.ok
    assert "to the precision of float32" in str(report)
    assert not bp.check_gradient(f, (dW * (1 + 5e-5), dx), W, X).ok


def test_a_function_that_cannot_be_traced_is_judged_by_differences_alone():
    report = bp.check_gradient(lambda x: np.sin(x).item(), np.cos, 1.0)
    assert report.ok
    assert "central differences alone" in report.notes[0]


def test_a_jump_is_said():
    report = bp.check_gradient(lambda x: np.where(x > 0, 1.0, 0.0), 0.0, 0.0)
    assert report.ok  # the tracer's convention
    assert "a kink or a jump" in report.notes[0]


def classifier(ending):
    """A loss of softmax that ends in its own way, and its gradient by hand."""
    rng = np.random.default_rng(0)
    X, W, y = rng.random((50, 30)), 0.01 * rng.standard_normal((30, 10)), rng.integers(0, 10, 50)
    X[:, 0] *= 1e-4  # small slopes beside large ones

    def probabilities(W):
        e = np.exp(X @ W)
        return e / np.sum(e, axis=1, keepdims=True)

    def loss(W):
        return ending(-np.mean(np.log(probabilities(W)[np.arange(50), y])))

    def gradient(W):
        p = probabilities(W)
        p[np.arange(50), y] -= 1
        return X.T @ p / 50

    return loss, gradient, W


def test_differences_alone_accuse_no_small_entry_of_their_own_rounding():
    loss, gradient, W = classifier(lambda value: value.item())
    report = bp.check_gradient(loss, gradient, W)
    assert report.ok
    assert "central differences alone" in report.notes[0]
    wrong = bp.check_gradient(loss, lambda W: gradient(W) * (1 + 0.01 * (W[0] == W)), W)
    assert not wrong.ok


def in_one_entry(gradient):
    gradient[321, 4] += 0.01
    return gradient


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda right: right, "loss: right."),
        (lambda right: 2 * right, "dW is twice the right one"),
        (lambda right: right / 7, "dW is 1/7 times the right one"),
        (in_one_entry, "dW is wrong in this entry at least: dW[321, 4]"),
        (lambda right: np.where(right > 0, right, 0), "dW is wrong in this entry at least"),
    ],
)
def test_a_large_gradient_that_differences_alone_judge_is_looked_at_here_and_there(wrong, said):
    rng, asked = np.random.default_rng(1), []
    X, Y, W = rng.random((20, 400)), rng.random((20, 10)), 0.1 * rng.standard_normal((400, 10))

    def loss(W):
        asked.append(W)
        return np.mean((np.tanh(X @ W) - Y) ** 2).item()

    f = np.tanh(X @ W)
    report = bp.check_gradient(loss, wrong(2 * X.T @ ((f - Y) * (1 - f**2)) / Y.size), W)
    assert said in f"{report}"
    assert report.notes[1].startswith("W has 4,000 entries: 300 were looked at one by one")
    assert len(asked) < 2000  # of all of them it would be 16 000


@pytest.mark.parametrize(
    ("ending", "decimals"),
    [
        (lambda value: round(value, 6), 6),
        (lambda value: round(float(value), 2), 2),
        (lambda value: float(f"{value:.3f}"), 3),
    ],
)
def test_a_rounded_loss_has_no_gradient_to_compare_with(ending, decimals):
    loss, gradient, W = classifier(ending)
    said = f"given:    values of {decimals} decimals.*instead:  the loss without round"
    with pytest.raises(bp.UnsupportedError, match=f"(?s){said}"):
        bp.check_gradient(loss, gradient, W)


def test_what_is_flat_is_not_rounded():
    """All ReLUs are dead: their slope is 0, which the gradient has forgotten."""
    X, y = np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([1.0, 0.0])

    def loss(W, v):
        return np.mean((np.maximum(X @ W, 0) @ v - y) ** 2)

    def gradient(W, v):
        h = np.maximum(X @ W, 0)
        d = 2 * (h @ v - y) / len(y)
        return X.T @ np.outer(d, v), h.T @ d

    report = bp.check_gradient(loss, gradient, -np.ones((2, 2)), np.array([0.5, 0.25]))
    assert [each.ok for each in report.parameters] == [False, True]


@pytest.mark.parametrize("seed", range(8))
def test_a_loss_in_float32_judges_a_gradient_along_directions(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.random((100, 20)), rng.standard_normal(100)
    W, b, v = 0.3 * rng.standard_normal((20, 15)), np.zeros(15), 0.3 * rng.standard_normal(15)

    def loss(W, b, v):
        W, b, v, data, targets = (np.float32(each) for each in (W, b, v, X, y))
        return np.mean((np.maximum(data @ W + b, 0) @ v - targets) ** 2).item()

    def gradient(W, b, v, slope=lambda h: h > 0):
        h = np.maximum(X @ W + b, 0)
        d = 2 * (h @ v - y) / len(y)
        D = np.outer(d, v) * slope(h)
        return X.T @ D, D.sum(axis=0), h.T @ d

    report = bp.check_gradient(loss, gradient, W, b, v)
    assert report.ok
    assert "computed in float32, so W was judged along 12 directions" in report.notes[1]
    assert not bp.check_gradient(loss, lambda *p: gradient(*p, slope=np.ones_like), W, b, v).ok


@pytest.mark.parametrize(
    ("f", "gradient", "x"),
    [
        (lambda p: -np.sum(np.log(p)).item(), lambda p: -1 / p, np.array([0.9995, 1e-4, 1e-7])),
        (lambda t: math.asin(t), lambda t: 1 / math.sqrt(1 - t * t), 0.9995),
        (lambda s: math.sqrt(s), lambda s: 0.5 / math.sqrt(s), 1e-4),
    ],
)
def test_no_step_that_leaves_where_f_is_defined_counts(f, gradient, x):
    assert bp.check_gradient(f, gradient, x).ok


def test_what_differences_cannot_tell_is_noted():
    w = np.array([1e6, 1.0, 1e-3])
    report = bp.check_gradient(lambda w: np.sum(w**2).item(), lambda w: 2 * w, w)
    assert report.ok
    assert report.notes[1].startswith("The slopes by w are known to ±3e+02 only, beside a loss of")


@pytest.mark.parametrize("factor", [1.0, 1.01, -1.0, 0.0, 100.0])
def test_beside_a_huge_loss_nobody_is_accused_or_acquitted(factor):
    def loss(w, around):
        return (np.sum(w**2) + around).item()

    def gradient(w):
        return 2 * factor * w

    w = np.array([0.1, -0.6, 0.5])
    with pytest.raises(bp.UnsupportedError) as caught:
        bp.check_gradient(lambda w: loss(w, 1e13), gradient, w)
    said = str(caught.value)
    assert "cannot tell whether the gradient by w is right" in said
    assert "given:    a loss of 1e+13, whose slopes are known to ±" in said
    # What it says to write instead works, and so does what is far off.
    assert bp.check_gradient(lambda w: loss(w, 0.0), gradient, w).ok == (factor == 1)
    assert not bp.check_gradient(lambda w: loss(w, 1e13), lambda w: 1e6 * w, w).ok


def test_beside_a_large_loss_what_is_far_off_is_wrong_and_the_rest_is_not_known():
    w = np.array([0.1, -0.6, 0.5])

    def check(gradient):
        return bp.check_gradient(lambda w: (np.sum(w**2) + 1e9).item(), gradient, w)

    assert not check(lambda w: -2 * w).ok
    with pytest.raises(bp.UnsupportedError, match="cannot tell"):
        check(lambda w: 2.02 * w)


def costs(around, size=1.0):
    """A loss that cannot be traced."""
    return lambda w: around + size * sum(math.cosh(float(v)) for v in w)


def test_one_gradient_that_is_wrong_is_reported_beside_one_that_nobody_can_tell():
    def loss(w, b):
        return costs(0.0, 1e9)(w) + math.cosh(float(b))

    w = np.array([1.0, 0.5])
    report = bp.check_gradient(loss, lambda w, b: (2e9 * np.sinh(w), np.sinh(b)), w, 0.7)
    assert [each.ok for each in report.parameters] == [False, False]
    assert report.score == 0.0
    assert "db  nobody can tell, beside a loss as large as this" in str(report)
    assert [each.message for each in report.findings] == ["dw is twice the right one."]
    assert report.notes[-1].endswith("nobody can tell the gradient by b.")
    with pytest.raises(bp.UnsupportedError, match="the gradient by b is right"):
        bp.check_gradient(loss, lambda w, b: (1e9 * np.sinh(w), np.sinh(b)), w, 0.7)


@pytest.mark.parametrize("factor", [1, -1, 0, 2, -3])
def test_no_gradient_is_right_for_being_smaller_than_what_is_known(factor):
    w = np.array([0.1, -0.1, 0.6])

    def gradient(w):
        return factor * 1e-4 * np.sinh(w)

    with pytest.raises(bp.UnsupportedError, match="cannot tell"):
        bp.check_gradient(costs(2e6, 1e-4), gradient, w)
    assert bp.check_gradient(costs(2.0, 1e-4), gradient, w).ok == (factor == 1)


@pytest.mark.parametrize("number", [np.float64, np.float32])
@pytest.mark.parametrize("around", [0.7, 90.0, 2e4])
def test_a_zero_gradient_is_right_beside_an_ordinary_loss_or_larger_slopes(around, number):
    """All units of a ReLU are dead."""

    def loss(w, b):
        h = max(0.0, -abs(float(w[0])))
        return float(number(number(around) * number((h - float(b)) ** 2 + 1)))

    def gradient(w, b):
        return np.zeros(2), 2 * b * around

    report = bp.check_gradient(loss, gradient, np.array([0.5, -0.25]), 0.7)
    assert [each.ok for each in report.parameters] == [True, True]


def test_no_entry_is_called_right_that_only_cannot_be_told_from_the_right_one():
    w = np.array([0.126, -0.132, 0.640])
    [found] = bp.check_gradient(costs(1e9), lambda w: -np.sinh(w), w).findings
    assert found.message == "dw is wrong in this entry at least: dw[2]."


@pytest.mark.parametrize("returned", [np.asarray, float], ids=["traced", "not traced"])
def test_the_kinks_of_many_relus_near_by_accuse_nobody(returned):
    """Within the usual step of central differences lie those of some rows and units."""
    rng = np.random.default_rng(0)
    X, W, b = rng.random((200, 20)), 0.001 * rng.standard_normal((20, 30)), np.zeros(30)

    def loss(W, b):
        return returned(np.mean(np.maximum(X @ W + b, 0)))

    def gradient(W, b):
        slope = (X @ W + b > 0) / (len(X) * len(b))
        return X.T @ slope, slope.sum(axis=0)

    report = bp.check_gradient(loss, gradient, W, b)
    assert report.ok
    assert not any("a kink or a jump" in note for note in report.notes)


def test_a_gradient_of_a_function_that_reads_text_of_a_value_is_judged_by_differences():
    def f(x):
        return float(f"{x}") * x

    assert bp.check_gradient(f, lambda x: 2 * x, 0.7).ok
    assert not bp.check_gradient(f, lambda x: x, 0.7).ok
