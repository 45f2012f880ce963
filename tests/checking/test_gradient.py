"""The check of a gradient: what is right, what is wrong, and where."""

import json
import math
import signal

import numpy as np
import pytest

import backprop_nb as bp

W, X = np.array([[1.0, -2.0, 0.5], [0.3, 0.7, -1.1]]), np.array([0.4, -0.6, 1.5])


def f(W, x):
    return np.sum(np.tanh(W @ x) ** 2)


def right(W, x):
    t = np.tanh(W @ x)
    d = 2 * t * (1 - t**2)
    return np.outer(d, x), W.T @ d


def test_a_right_gradient_is_right_whether_it_is_a_function_or_values():
    for gradient in (right, right(W, X), list(right(W, X))):
        report = bp.check_gradient(f, gradient, W, X)
        assert report.ok
        assert report.score == 1.0
        assert type(report.score) is float
        assert report.findings == ()
        report.raise_if_wrong()
    assert str(report).splitlines() == ["f: right, all 2 gradients.", "  dW  right", "  dx  right"]


def test_gradients_in_another_order_are_right_and_it_is_said():
    report = bp.check_gradient(f, lambda W, x: right(W, x)[::-1], W, X)
    assert report.ok
    assert "came as dx and dW, in another order than the arguments" in report.notes[0]
    assert not bp.check_gradient(f, right, W, X).notes
    assert not bp.check_gradient(
        f, lambda W, x: {"dx": right(W, x)[1], "dW": right(W, x)[0]}, W, X
    ).notes


def test_one_argument_needs_no_tuple():
    assert bp.check_gradient(np.sin, np.cos, 1.0).ok
    assert bp.check_gradient(np.sin, lambda x: (np.cos(x),), 1.0).ok


def test_a_wrong_entry_is_found_and_only_its_parameter_counts_as_wrong():
    def wrong(W, x):
        dW, dx = right(W, x)
        dW[1, 2] += 0.5
        return dW, dx

    report = bp.check_gradient(f, wrong, W, X)
    dW, dx = report.parameters
    assert (dW.ok, dx.ok, dW.worst, report.score) == (False, True, (1, 2), 0.5)
    assert "dW[1, 2]" in str(report)
    with pytest.raises(bp.WrongGradientError, match=r"dW\[1, 2\]") as caught:
        report.raise_if_wrong()
    assert isinstance(caught.value, AssertionError)


def changed(gradient, where):
    gradient = gradient.copy()
    gradient[where] += 0.25
    return gradient


@pytest.mark.parametrize(
    ("change", "mistake", "words"),
    [
        (lambda g: -g, "sign_flipped", "opposite sign"),
        (lambda g: g / 2, "missing_factor_2", "half"),
        (lambda g: 2 * g, "extra_factor_2", "twice"),
        (
            lambda g: -3 * g,
            "batch_not_averaged",
            "is −3 times the right one, and 3 is the number of",
        ),
        (lambda g: -7 * g, "not_recognised", "is −7 times the right one."),
        (lambda g: g / 4, "not_recognised", "is 0.25 times the right one"),
        (lambda g: g.T, "wrong_shape", "transpose would be right"),
        (lambda g: g[0], "wrong_shape", "its shape is (3,), expected (2, 3)"),
        (lambda g: g * np.nan, "not_finite", "not finite"),
        (lambda g: 0 * g, "missing_gradient", "zero everywhere"),
        (lambda g: g + 1, "not_recognised", "dW differs in every entry; no simple factor"),
        (lambda g: changed(g, (1, 2)), "not_recognised", "right but for one of its 6 entries, dW"),
        (lambda g: changed(g, 1), "not_recognised", "wrong in 3 of its 6 entries, all of them in"),
        (lambda g: changed(g, (..., 2)), "not_recognised", "all of them in column 2"),
        (lambda g: g[None], "wrong_shape", "The numbers are right, and only the shape differs"),
        (lambda g: None, "missing_gradient", "it is missing"),
        (lambda g: "text", "wrong_shape", "not made of real numbers"),
    ],
)
def test_what_is_wrong_is_said_with_the_parameters_name(change, mistake, words):
    dW, dx = right(W, X)
    report = bp.check_gradient(f, (change(dW), dx), W, X)
    (finding,) = report.findings
    assert (finding.mistake, finding.parameter, finding.rank) == (mistake, "dW", 1)
    assert "dW" in finding.message
    assert words in finding.message
    assert words.split(",")[0] in str(report)
    json.dumps(report.to_dict())


def test_a_gradient_that_is_missing_at_the_end_is_reported():
    report = bp.check_gradient(f, right(W, X)[:1], W, X)
    assert [each.ok for each in report.parameters] == [True, False]
    assert report.findings[0].mistake == "missing_gradient"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"first": 0, "second": 0}, "A dict with the keys 'first' and 'second' was returned"),
        (right(W, X)[0], "An array of shape (2, 3) was returned"),
        (None, "Nothing was returned"),
        ((), "A tuple of 0 was returned"),
        ((*right(W, X), X), "A tuple of 3 was returned"),
    ],
)
def test_an_answer_that_cannot_be_read_is_said_once_with_how_to_hand_it_over(given, words):
    report = bp.check_gradient(f, given, W, X)
    assert report.score == 0.0
    (finding,) = report.findings
    assert finding.mistake == "not_matched"
    assert words in finding.message
    assert "Return (dW, dx)" in finding.message


def test_gradients_in_any_shape_of_answer_are_right():
    dW, dx = right(W, X)
    answers = [
        (dx, dW),
        {"dW": dW, "dx": dx},
        {"grad_W": dW, "grad_x": dx},
        (f(W, X), {"dW": dW, "dx": dx}),
        np.concatenate([dW.ravel(), dx]),
    ]
    assert [bp.check_gradient(f, each, W, X).ok for each in answers] == [True] * len(answers)


@pytest.mark.parametrize("wrapped", [tuple, list])
def test_one_gradient_may_stand_in_a_tuple_or_a_list(wrapped):
    def square(x):
        return np.sum(x**2)

    assert bp.check_gradient(square, wrapped([2 * X]), X).ok
    assert bp.check_gradient(square, wrapped([2 * X[None]]), X[None]).ok
    assert bp.check_gradient(square, wrapped([6.0]), 3.0).ok


def test_a_gradient_that_is_missing_may_be_that_of_data():
    def loss(W, b, weight):
        return np.sum(weight * (W @ X + b) ** 2)

    def gradient(W, b, weight):
        d = 2 * weight * (W @ X + b)
        return {"dW": np.outer(d, X), "db": d}

    b, weight = np.array([0.1, 0.2]), np.array([1.0, 2.0])
    report = bp.check_gradient(loss, gradient, W, b, weight)
    assert (
        "it is missing, and all others are right. Return it, too; or if weight is data"
        in report.findings[0].message
    )
    assert report.findings[0].message.endswith("lambda W, b: loss(W, b, weight).")
    assert bp.check_gradient(
        lambda W, b: loss(W, b, weight), lambda W, b: gradient(W, b, weight), W, b
    ).ok


def test_labels_and_data_have_no_gradient():
    def loss(W, x, labels):
        z = W @ x
        return -np.log(np.exp(z) / np.sum(np.exp(z)))[labels[0]]

    def gradient(W, x, labels):
        p = np.exp(W @ x) / np.sum(np.exp(W @ x))
        p[labels[0]] -= 1
        return {"dW": np.outer(p, x)}

    report = bp.check_gradient(loss, gradient, W, X, np.array([1]))
    assert report.ok
    assert [each.name for each in report.parameters] == ["dW"]
    report = bp.check_gradient(
        lambda W, labels: loss(W, X, labels),
        lambda W, labels: gradient(W, X, labels),
        W,
        np.array([1]),
    )
    assert report.ok
    assert [each.name for each in report.parameters] == ["dW"]


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit])
def test_a_gradient_that_raises_is_reported_and_does_not_raise(error):
    def gradient(W, x):
        raise error("no")

    report = bp.check_gradient(f, gradient, W, X)
    assert report.score == 0.0
    assert report.findings[0].mistake == "raised_exception"
    assert f"{error.__name__}: no" in str(report)


def test_without_arguments_there_is_nothing_to_check():
    with pytest.raises(bp.InvalidValueError, match="nothing to differentiate by"):
        bp.check_gradient(lambda: 1.0, ())


def test_standard_error_stays_silent(capfd):
    report = bp.check_gradient(lambda x: np.log(x), lambda x: 1 / x, 0.0)
    assert "The function is -inf here" in report.notes[0]
    assert capfd.readouterr() == ("", "")


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
        "  dx  wrong: dx[1] is 0.601, expected 0.6 (largest relative error 5e-06)"
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


class OnGpu:
    """An array of another library."""

    def __init__(self, values):
        self._values = np.asarray(values)
        self.shape, self.dtype = self._values.shape, self._values.dtype

    def __array__(self, dtype=None, copy=None):
        return self._values.astype(dtype or self.dtype)


def tf32(x):
    """Round float32 to the 10 bits of the mantissa that a tensor core multiplies."""
    bits = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0xFFF + (bits >> 13 & 1)) & 0xFFFFE000
    return rounded.astype(np.uint32).view(np.float32)


def coarse(mistake=1.0, wrap=OnGpu, multiply=tf32):
    """Return a loss, its gradient in coarse products with a factor too much, and arguments."""
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(20, 30)), rng.normal(size=(10, 20))
    x, y = rng.normal(size=(30, 64)), rng.normal(size=(10, 64))

    def loss(A, B):
        return np.sum((B @ np.tanh(A @ x) - y) ** 2) / 64

    def gradient(A, B):
        f = np.tanh(multiply(A) @ multiply(x))
        d_z = (2 / 64 * (multiply(B) @ multiply(f) - y)).astype(np.float32)
        d_A = multiply(multiply(B).T @ multiply(d_z) * (1 - f**2)) @ multiply(x).T
        d_B = multiply(d_z) @ multiply(f).T * mistake
        return wrap(d_A.astype(np.float32)), wrap(d_B.astype(np.float32))

    return loss, gradient, A, B


@pytest.mark.parametrize("is_function", [True, False])
def test_products_in_tf32_are_named_in_place_of_a_line(is_function):
    loss, gradient, A, B = coarse()
    report = bp.check_gradient(loss, gradient if is_function else gradient(A, B), A, B)
    assert not report.ok  # nobody knows until it is computed with all digits
    [finding] = report.findings
    assert (finding.mistake, finding.line) == ("coarse_products", None)
    assert 'jax_default_matmul_precision", "highest"' in finding.message
    assert "jax" not in str(bp.check_gradient(loss, gradient, A, B, hints="none"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"mistake": 2.0},
        {"mistake": -1.0},
        {"mistake": 1.002},
        {"wrap": np.asarray},  # NumPy has no such products
        {"wrap": lambda d: OnGpu(d.astype(np.float64))},
        {
            "wrap": lambda d: OnGpu(
                d + 0.02 * abs(d).max() * (np.arange(d.size) == 7).reshape(d.shape)
            )
        },
    ],
    ids=["twice", "sign", "a little more", "NumPy", "float64", "one entry"],
)
def test_another_mistake_is_not_taken_for_coarse_products(wrong):
    loss, gradient, A, B = coarse(**wrong)
    report = bp.check_gradient(loss, gradient(A, B), A, B)
    assert not report.ok
    assert "coarse_products" not in [each.mistake for each in report.findings]


def test_all_digits_of_float32_from_another_library_are_right():
    loss, gradient, A, B = coarse(multiply=np.float32)
    assert bp.check_gradient(loss, gradient, A, B).ok


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
        (lambda right: right / 7, "dW is 0.1429 times the right one"),
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


def test_a_loss_may_end_in_a_float():
    def loss(w, x):
        return float(np.sum((w * x) ** 2))

    def gradient(w, x):
        error = w * x
        dw = 2 * error * x
        return dw, error * w

    report = bp.check_gradient(loss, gradient, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert report.notes == ()
    assert report.subject == "loss"
    assert (report.findings[0].source, report.findings[0].proved) == ("error * w", True)


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


def test_nested_arguments_are_named_as_they_are_read():
    def loss(p):
        return np.sum(p["w"] * p["b"][1])

    point = {"w": np.ones(2), "b": [1.0, 2.0]}
    report = bp.check_gradient(loss, {"w": np.full(2, 2.0), "b": [0.0, 3.0]}, point)
    assert [each.name for each in report.parameters] == ["dw", 'dp["b"][0]', 'dp["b"][1]']
    assert [each.ok for each in report.parameters] == [True, True, False]


# --- the line ---------------------------------------------------------------------


def forward(W1, b1, W2, x):
    h = np.tanh(W1 @ x + b1)
    return h, W2 @ h


def net_loss(W1, b1, W2, x, y):
    return np.sum((forward(W1, b1, W2, x)[1] - y) ** 2)


def wrong_slope(W1, b1, W2, x, y):
    h, out = forward(W1, b1, W2, x)
    d2 = 2 * (out - y)
    d1 = (W2.T @ d2) * (1 - h)
    return {"dW1": np.outer(d1, x), "db1": d1, "dW2": np.outer(d2, h)}


RANDOM = np.random.default_rng(3)
NET = [RANDOM.normal(size=shape) for shape in ((3, 2), (3,), (2, 3), (2,), (2,))]
LINE = wrong_slope.__code__.co_firstlineno + 3


def test_the_line_of_a_wrong_gradient_is_found_proved_and_repaired():
    report = bp.check_gradient(net_loss, wrong_slope, *NET)
    finding = report.findings[0]
    assert (finding.line, finding.rank, finding.proved) == (LINE, 1, True)
    assert finding.source in ("h", "1 - h", "(W2.T @ d2) * (1 - h)")
    assert finding.parameter == "dW1"
    assert f"Line {LINE}" in finding.message
    assert finding.repair in finding.message
    assert "no simple factor explains it" not in str(report)  # the line does
    json.dumps(report.to_dict())


@pytest.mark.parametrize(
    ("hints", "line", "repair"),
    [
        ("none", False, False),
        ("vague", False, False),
        ("clear", True, False),
        ("plain", True, True),
    ],
)
def test_hints_decide_whether_the_line_and_its_repair_are_given_away(hints, line, repair):
    report = bp.check_gradient(net_loss, wrong_slope, *NET, hints=hints)
    named = [each for each in report.findings if each.line is not None]
    assert bool(named) == line
    assert any(each.repair for each in report.findings) == repair
    assert (f"ine {LINE}" in str(report)) == line


def test_a_right_gradient_has_no_line():
    def right_pass(W1, b1, W2, x, y):
        h, out = forward(W1, b1, W2, x)
        d2 = 2 * (out - y)
        d1 = (W2.T @ d2) * (1 - h**2)
        return {"dW1": np.outer(d1, x), "db1": d1, "dW2": np.outer(d2, h)}

    report = bp.check_gradient(net_loss, right_pass, *NET)
    assert report.ok
    assert report.findings == ()


def test_values_without_a_function_have_no_line():
    given = wrong_slope(*NET)
    report = bp.check_gradient(net_loss, given, *NET)
    assert not report.ok
    assert [each.line for each in report.findings] == [None] * len(report.findings)


# --- what all gradients are ---------------------------------------------------------


def sum_of_squares(w, b, x):
    return np.sum((x @ w + b) ** 2)


WEIGHTS, BIAS, DATA = np.array([1.0, -2.0]), np.array([0.5]), np.arange(6.0).reshape(3, 2)


def gradients(w, b):
    residual = 2 * (DATA @ w + b)
    return DATA.T @ residual, np.array([residual.sum()])


def checked(change):
    def loss(w, b):
        return sum_of_squares(w, b, DATA)

    return bp.check_gradient(loss, lambda w, b: change(w, b, *gradients(w, b)), WEIGHTS, BIAS)


@pytest.mark.parametrize(
    ("change", "mistake", "words"),
    [
        (lambda w, b, dw, db: (-0.1 * dw, -0.1 * db), "step_returned", "step of an update, −0.1"),
        (lambda w, b, dw, db: (w - 0.1 * dw, b - 0.1 * db), "update_returned", "w − 0.1 · gradie"),
        (lambda w, b, dw, db: (w + 2 * dw, b + 2 * db), "update_returned", "w + 2 · gradient"),
        (lambda w, b, dw, db: (-dw, -db), "sign_flipped", "the opposite sign"),
        (lambda w, b, dw, db: (7 * dw, 7 * db), "not_recognised", "is 7 times the right one."),
    ],
)
def test_what_all_gradients_are_is_said_once(change, mistake, words):
    findings = checked(change).findings
    (finding,) = (each for each in findings if each.mistake != "wrong_line")
    assert finding.mistake == mistake
    assert finding.message.startswith("Like all others, dw ")
    assert words in finding.message


def test_an_update_has_no_line_that_is_not_proved():
    report = checked(lambda w, b, dw, db: (-0.1 * dw, -0.1 * db))
    assert all(each.proved for each in report.findings[:-1])
    assert report.findings[-1].mistake == "step_returned"


def test_a_single_parameter_that_was_updated_is_said_to_be_so():
    report = bp.check_gradient(lambda w: np.sum(w**4), lambda w: w - 0.1 * 4 * w**3, WEIGHTS)
    (finding,) = report.findings
    assert finding.message.startswith("dw looks like the updated w, w − 0.1 · gradient.")


def test_gradients_that_differ_are_told_one_by_one():
    report = checked(lambda w, b, dw, db: (2 * dw, -db))
    said = [each.message for each in report.findings if each.mistake != "wrong_line"]
    assert "db" in said[-1]
    assert not any("Like all others" in each for each in said)


def test_another_loss_beside_the_gradients_is_a_note():
    def with_loss(times):
        return checked(lambda w, b, dw, db: (times * sum_of_squares(w, b, DATA), (dw, db)))

    assert with_loss(1.0).notes == ()
    for times, words in ((0.5, "half as much"), (3.0, "3 times as much"), (0.123, "the loss is")):
        report = with_loss(times)
        assert report.ok
        (note,) = report.notes
        assert words in note
        assert note.endswith("The gradients are judged without it.")
    assert with_loss(0.0).ok


def test_another_loss_is_said_beside_a_gradient_of_a_wrong_shape_too():
    report = checked(lambda w, b, dw, db: (0.0, {"dw": dw, "db": db.sum()}))
    assert not report.ok
    assert "The number that is returned beside the gradients is 0, and the loss" in report.notes[0]


# --- what is data ---------------------------------------------------------------------


def test_an_input_without_a_target_is_said_to_be_data():
    def loss(w, b, x):
        return sum_of_squares(w, b, x)

    report = bp.check_gradient(loss, lambda w, b, x: gradients(w, b), WEIGHTS, BIAS, DATA)
    assert report.ok
    assert report.notes == ("These are the gradients by w and b; x counts as data.",)


def test_a_number_in_the_place_of_a_gradient_is_no_loss():
    def squashed(w, t):
        return np.sum(np.tanh(w * t) ** 2)

    def gradient(w, t):
        u = np.tanh(w * t)
        back = 2 * u * (1 - u**2)
        return back * t, np.sum(back * w)

    w, t = np.array([0.5, -1.2, 0.3]), np.array([1.3, 0.7, 2.0])
    report = bp.check_gradient(squashed, gradient, w, t, hints="clear")
    assert [each.ok for each in report.parameters] == [True, False]
    assert "its shape is (), expected (3,)" in str(report)
    assert bp.check_gradient(squashed, (gradient(w, t)[0], squashed(w, t)), w, t).ok


def test_gradients_of_one_shape_in_another_order_are_told_as_such():
    def product(a, b):
        return a**2 * b

    def at_once(a, b):
        return a**2, 2 * a * b

    def by_name(a, b):
        da, db = 2 * a * b, a**2
        return db, da

    finding, *others = bp.check_gradient(product, at_once, 3.0, 5.0).findings
    assert finding.repair == "(2 * a * b, a ** 2) in place of (a ** 2, 2 * a * b)"
    assert finding.proved
    assert not others
    # Two lines could be exchanged here, and no line is known there.
    for gradient in (by_name, at_once(3.0, 5.0)):
        assert [
            each.message for each in bp.check_gradient(product, gradient, 3.0, 5.0).findings
        ] == [
            "da would be right as db: the order is that of the arguments.",
            "db would be right as da: the order is that of the arguments.",
        ]


_UNFITTING = """
import numpy as np

def gradient(A, f):
    delta, outputs = np.ones(2), [f, A @ f]
    back = A.T * delta
    return WHAT
"""
_TOO_LATE = "np.outer(delta, f), back + f * 0"


@pytest.mark.parametrize(
    ("what", "shapes"),
    [
        ("np.outer(delta, f), A @ delta", "A is (2, 3) and delta is (2,)"),
        ("np.outer(delta, f), delta * f", "delta is (2,) and f is (3,)"),
        ("delta[:, None] @ f, delta", "delta[:, None] is (2, 1) and f is (3,)"),
        ("np.outer(delta, f), A.transpose @ delta", "A.transpose is a function and delta is (2,)"),
        ("np.outer(delta, f), outputs - f", "outputs is a list of 2 and f is (3,)"),
        (_TOO_LATE, "back is (3, 2) and f * 0 is (3,)"),
    ],
)
@pytest.mark.parametrize("hints", ["clear", "plain"])
def test_shapes_that_do_not_fit_are_named_in_place_of_operands(what, shapes, hints, written):
    wrong = written(_UNFITTING.replace("WHAT", what)).gradient
    A, f = np.arange(6.0).reshape(2, 3), np.array([0.5, 1.0, -2.0])
    report = bp.check_gradient(lambda A, f: np.sum(A @ f), wrong, A, f, hints=hints)
    assert f"the shapes do not fit: {shapes}" in report.findings[-1].message
    assert "gufunc" not in str(report)
    assert "operand" not in str(report)
    assert {each.remark[:22] for each in report.parameters} == {"it raised ValueError i"}
    # A line is shown once, and once said to be wrong; what only raises because of it is not.
    assert what != _TOO_LATE or report.findings[-1].line is None
    shown = [line for line in str(report).splitlines() if " | " in line]
    assert len(shown) == len(set(shown)) > 0
    assert str(report).count("goes wrong first") <= 1


def loss_of(p):
    return np.sum(np.tanh(p["W"]) * p["b"])


_STORING = """
import numpy as np
from types import SimpleNamespace

def gradient(p):
    t = np.tanh(p["W"])
    g = {"W": (1 - t**2) * p["b"], "b": t}
    made = SimpleNamespace(**g)
    STORED
    return HANDED
"""


@pytest.mark.parametrize(
    ("stored", "handed"),
    [
        ('g["W"] = g["W"] * 2', "g"),
        ('g["W"] = g["W"] / 2', "g"),
        ('g["W"] *= 2', "g"),
        ('g["W"] += 0.1 * p["W"]', "g"),
        ('g["W"][:] = g["W"] * 2', "g"),
        ('g["W"], g["b"] = g["W"] * 2, g["b"]', "g"),
        ("made.W = made.W * 2", "vars(made)"),
        ('np.add(g["W"], g["W"], out=g["W"])', "g"),
        ('np.add.at(g["W"], [0, 1], g["W"])', "g"),
    ],
)
def test_what_is_stored_wrong_is_not_to_be_stored_elsewhere(stored, handed, written):
    wrong = written(text := _STORING.replace("STORED", stored).replace("HANDED", handed)).gradient
    p = {"W": np.array([0.5, -1.0]), "b": np.array([2.0, 0.7])}
    found = bp.check_gradient(loss_of, wrong, p).findings[0]
    assert text.splitlines()[found.line - 1].strip() == stored
    assert found.repair.startswith(("leave out", "leave the line out"))


def test_a_changed_argument_is_noted_in_the_words_of_the_check_of_a_pass():
    def gradient(W, x):
        given = right(W, x)
        x -= 1
        return given

    report = bp.check_gradient(f, gradient, W, X)
    assert report.ok
    assert report.notes[-1].startswith("It changes its arguments: x is not as before the call. ")

    def adding(p):
        p["dW"], p["W"][0] = 1.0, 3.0
        return {"W": 2 * np.ones(2)}

    [note] = bp.check_gradient(lambda p: np.sum(2 * p["W"]), adding, {"W": np.ones(2)}).notes
    assert note.startswith("It changes its arguments: the dict p is not")


_LABELS, _INPUT = np.array([2, 0, 1, 2]), np.random.default_rng(5).normal(size=(4, 3))


def of_classes(W, V, x, y):
    z = np.maximum(x @ W, 0) @ V
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y])


_OF_CLASSES = """
import numpy as np

def gradient(W, V, x, y):
    z = x @ W
    h = np.maximum(z, 0)
    p = np.exp(h @ V)
    p = p / p.sum(axis=1, keepdims=True)
    d = p.copy()
    d[np.arange(len(y)), y] -= 1
    d = d / len(y)
    dh = d @ V.T
    dh[z <= 0] = 0
    return x.T @ dh, h.T @ d
"""


@pytest.mark.parametrize(
    ("right", "wrong", "repairs"),
    [
        ("[np.arange(len(y)), y] -=", "[:, y] -=", ["d[np.arange(len(y)), y] in place of d[:, y]"]),
        ("[np.arange(len(y)), y] -=", "[y] -=", ["d[np.arange(len(y)), y] in place of d[y]"]),
        ("[np.arange(len(y)), y] -=", " -=", ["d[np.arange(len(y)), y] in place of d"]),
        ("[np.arange(len(y)), y] -= 1", " = p - 1", ["np.eye(p.shape[1])[y] in place of 1"]),
        ("dh[z <= 0]", "dh[dh <= 0]", ["z in place of dh", "h in place of dh"]),
        ("dh[z <= 0]", "dh[z > 0]", ["z < 0 in place of z > 0"]),
    ],
)
def test_entries_that_are_picked_wrong_are_picked_again_and_compared_as_a_whole(
    right, wrong, repairs, written
):
    text = _OF_CLASSES.replace(right, wrong)
    W, V = np.random.default_rng(6).normal(size=(2, 3, 3))
    gradient = written(text).gradient
    [found, *_] = bp.check_gradient(of_classes, gradient, W, V, _INPUT, _LABELS).findings
    assert found.proved
    assert wrong in text.splitlines()[found.line - 1]
    assert found.repair in repairs
    assert found.given.shape == found.expected.shape


def endless(W, x):
    while W.size:
        d = 2 * x
    return d


def endless_elsewhere(W, x):
    while W[0, 0] != 1.0:  # as it is where the check is made, and nowhere near
        d = 2 * x
    d = 2 * np.tanh(W @ x)
    return np.outer(d, x), W.T @ d


@pytest.mark.parametrize(("w", "power"), [(3, 4), (2**22, 4), (2**40, 4), (999, 9)])
def test_powers_of_a_whole_number_are_as_large_as_in_python(w, power):
    assert bp.check_gradient(lambda w: w**power, lambda w: power * w ** (power - 1), w).ok


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarm on this system")
def test_a_gradient_that_takes_too_long_is_stopped_and_its_line_told():
    report = bp.check_gradient(f, endless, W, X, seconds=0.2)
    [found] = report.findings
    # 0 if the time was over before the loop began, as on a busy machine.
    assert found.line - endless.__code__.co_firstlineno in (0, 1, 2)
    assert found.message.startswith("dW: no answer after 0.2 s. It was stopped in line ")
    report = bp.check_gradient(f, endless_elsewhere, W, X, seconds=0.2)
    assert report.score == 0.0
    assert bp.check_gradient(f, right, W, X, seconds=5).ok
    with pytest.raises(ValueError, match="seconds"):
        bp.check_gradient(f, right, W, X, seconds=0)


def test_an_interrupt_ends_the_check_at_the_line_that_ran():
    def interrupted(W, x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        bp.check_gradient(f, interrupted, W, X)
    assert caught.traceback[-1].name == "interrupted"
    assert "seconds=" in caught.value.__notes__[0]


def test_a_gradient_has_one_name_whether_or_not_the_call_raises():
    def loss(p, x):
        return np.sum(p["W"] * x)

    def raising(p, x):
        raise ArithmeticError

    p, x = {"W": np.ones(2)}, np.array([1.0, 2.0])
    reports = [
        bp.check_gradient(loss, each, p, x) for each in (raising, lambda p, x: {"W": p["W"]})
    ]
    assert [report.parameters[0].name for report in reports] == ["dW", "dW"]
    named, _ = bp.check_gradient(loss, lambda p, x: {"grad_W": x}, p, x).parameters
    assert named.name == "grad_W"


def test_parameters_have_the_names_by_which_the_code_reads_them():
    random = np.random.default_rng(0)
    X = random.normal(size=(2, 3))

    def loss(layers):
        return np.sum(X @ layers[0]["W"] @ layers[1]["W"]) + np.sum(layers[1]["c"] ** 2)

    def gradient(layers):
        d = np.ones((2, 2))
        first = X.T @ d @ layers[1]["W"].T
        last = (X @ layers[0]["W"]).T @ d
        return [{"dW": first}, {"dW": last, "dc": layers[1]["c"]}]

    layers = [
        {"W": random.normal(size=(3, 4))},
        {"W": random.normal(size=(4, 2)), "c": np.arange(3.0)},
    ]
    report = bp.check_gradient(loss, gradient, layers)
    names = [each.name for each in report.parameters]
    assert names == ['dlayers[0]["W"]', 'dlayers[1]["W"]', "dc"]
    assert [each.quantity for each in report.findings][:1] == ['∂L/∂layers[1]["c"]']


def test_a_name_in_an_expression_of_the_learners_stays_as_it_is():
    def loss(W, x):
        W1, W2 = W
        return np.sum(np.tanh(x @ W1) @ W2)

    def gradient(W, x):
        W1, W2 = W
        h = np.tanh(x @ W1)
        d = np.outer(np.ones(2), W2) * (1 - h)
        return [x.T @ d, h.sum(axis=0)]

    random = np.random.default_rng(0)
    W = [random.normal(size=(3, 4)), random.normal(size=4)]
    x = random.normal(size=(2, 3))
    report = bp.check_gradient(lambda W: loss(W, x), lambda W: gradient(W, x), W)
    assert [each.name for each in report.parameters] == ["dW[0]", "dW[1]"]
    assert report.findings[0].quantity == "∂L/∂(x @ W1)"
