"""From a loss and a wrong gradient function to the lines that are wrong."""

import linecache
from collections import deque

import numpy as np
import pytest

from backprop_nb import sigmoid
from backprop_nb.checking.lines import runs as running
from backprop_nb.checking.lines.locate import Search

TEXT = """import math

import numpy as np

X = np.array([[0.5, -1.2], [0.3, 0.8], [-0.7, 0.4], [1.1, 0.2]])
T = np.array([[0.2, 1.0], [0.9, -0.3], [0.4, 0.1], [0.7, 0.6]])


def loss(W1, b1, W2, b2):
    H = np.tanh(X @ W1 + b1)
    out = H @ W2 + b2
    return np.sum((out - T) ** 2) / len(X)


def gradient(W1, b1, W2, b2):
    H = np.tanh(X @ W1 + b1)
    out = H @ W2 + b2
    E = 2 * (out - T) / len(X)
    gW2 = H.T @ E
    gb2 = E.sum(axis=0)
    D = E @ W2.T * (1 - H**2)
    gW1 = X.T @ D
    gb1 = D.sum(axis=0)
    return gW1, gb1, gW2, gb2
"""


def find_faults(*asked):
    return Search(*asked).faults()


def normal(*shapes, seed=1):
    random = np.random.default_rng(seed)
    return [random.standard_normal(shape) for shape in shapes]


def changed(text, *changes):
    """Return a text with some of its gradient function changed."""
    head, tail = text.split("def gradient")
    for old, new in changes:
        assert tail.count(old) == 1
        tail = tail.replace(old, new)
    return f"{head}def gradient{tail}"


def faults_in(text, args, wrt=None, lengths=None, **names):
    """Return the faults of the gradient function in a text, and note how long what it gets is."""
    file, space = f"<blamed {hash(text)}>", {"np": np, "sigmoid": sigmoid, **names}
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), space)

    def gradient(*given):
        if lengths is not None:
            lengths.append(len(given[0]))
        return space["gradient"](*given)

    with np.errstate(all="ignore"):
        return find_faults(space["loss"], gradient, args, wrt or range(len(args)))


rng = np.random.default_rng(0)
ARGS = [rng.standard_normal(shape) for shape in ((2, 3), (3,), (3, 2), (2,))]


def line_of(part, text=TEXT):
    head, tail = text.split("def gradient")
    assert tail.count(part) == 1
    return 1 + f"{head}{tail.partition(part)[0]}".count("\n")


def faults_of(*changes):
    return faults_in(changed(TEXT, *changes), ARGS)


def test_one_line_that_explains_all_is_proved_and_has_its_quantity_repair_and_values():
    [fault] = faults_of(("E @ W2.T * (1 - H**2)", "E @ W2.T"))
    assert (fault.line, str(fault.source), fault.number) == (line_of("E @ W2.T"), "E @ W2.T", 1)
    assert (fault.proved, fault.spoils) == (True, (0, 1))
    assert fault.quantity.startswith("∂L/∂")
    assert fault.repair.startswith("multiply it by")
    assert fault.given.shape == fault.expected.shape == (4, 3)
    assert not np.allclose(fault.given, fault.expected)


@pytest.mark.parametrize(
    ("old", "new", "repair"),
    [
        ("2 * (out - T)", "3 * (out - T)", "2 in place of 3"),
        ("out - T", "out + T", "out - T in place of out + T"),
        ("1 - H**2", "1 - H", "square H"),
        ("gb1 = D.sum(axis=0)", "gb1 = D.mean(axis=0)", "D.sum(axis=0) in place of D.mean(axis=0)"),
        ("X.T @ D", "X.T @ E @ W2.T", ""),
    ],
)
def test_one_mistake_has_its_line_first(old, new, repair):
    found = faults_of((old, new))
    assert line_of(old) in {each.line for each in found}
    if repair:
        assert any(repair in each.repair for each in found), [e.repair for e in found]


def test_two_mistakes_at_once_give_both_lines():
    found = faults_of(("1 - H**2", "1 - H"), ("gW2 = H.T @ E", "gW2 = 2 * H.T @ E"))
    lines = {line_of("1 - H**2"), line_of("gW2 = H.T @ E")}
    assert {each.line for each in found} == lines
    assert {each.number for each in found} == {1, 2}
    assert {each.spoils for each in found} == {(0, 1), (2,)}


BELLS = """import numpy as np

x, t = np.split(np.random.default_rng(0).normal(size=(5, 3)), [2], axis=1)


def loss(centres, weights):
    squares = np.sum((x[:, None, :] - centres) ** 2, axis=2)
    return np.sum((np.exp(-squares) @ weights - t[:, 0]) ** 2)


def gradient(centres, weights):
    diff = x[:, None, :] - centres
    dist2 = np.sqrt(np.sum(diff**2, axis=2))
    phi = np.exp(-dist2)
    dout = 2 * (phi @ weights - t[:, 0])
    ddist2 = np.outer(dout, weights) * phi
    return np.sum(-2 * diff * ddist2[:, :, None], axis=0), phi.T @ dout
"""


def test_a_right_difference_with_its_other_sign_is_no_likelier_than_a_sign_elsewhere():
    lines = {each.line for each in faults_in(BELLS, normal((3, 2), 3))}
    assert {13, 16} <= lines
    assert 12 not in lines  # diff


def test_a_right_pass_has_no_fault():
    assert faults_of() == []


def test_what_cannot_be_traced_is_run_all_the_same():
    tanh = "np.array([[math.tanh(v) for v in row] for row in X @ W1 + b1])"
    [fault] = faults_of(("np.tanh(X @ W1 + b1)", tanh), ("2 * (out - T)", "np.sin(out * T) * T"))
    assert (fault.line, fault.proved) == (line_of("E = 2"), True)


def test_what_raises_is_mended_where_it_raises():
    [fault] = faults_of(("E.sum(axis=0)", "E.sum(axis=7)"))
    assert fault.source == "E.sum(axis=7)"
    assert fault.proved


def test_a_function_without_its_text_has_no_line():
    space = {"np": np}
    exec("def f(w): return np.sum(w ** 2)\ndef g(w): return [3 * w]", space)
    found = find_faults(space["f"], space["g"], [np.array([1.0, 2.0])], [0])
    assert [each for each in found if each.line is not None] == []


def branched(x, y):
    u = x * y
    w = np.sin(u)
    return u * w + x


def one_branch(x, y):
    u = x * y
    w = np.sin(u)
    d_w = 1.0 * u
    d_u = 1.0 * w
    return 1.0 + d_u * y, d_u * x, d_w


def other_branch(x, y):
    u = x * y
    d_w = 1.0 * u
    d_u = d_w * np.cos(u)
    return 1.0 + d_u * y, d_u * x


def right_helper(x, y):
    u = x * y
    d_u = np.sin(u) + u * np.cos(u)
    return [1.0 + d_u * y, d_u * x]


def spoiled(x, y):
    d = right_helper(x, y)
    d[1] = d[1] * 2
    return d


@pytest.mark.parametrize(
    ("wrong", "line"),
    [(one_branch, 4), (other_branch, 3), (spoiled, 2)],
    ids=lambda each: getattr(each, "__name__", ""),
)
@pytest.mark.parametrize(
    "args", [(1.7, 0.8), (np.array([0.3, 2.0]), np.array([0.8, -0.5]))], ids=["numbers", "arrays"]
)
def test_a_line_that_gives_what_the_loss_has_too_is_no_suspect_beside_another(wrong, line, args):
    def loss(x, y):
        return np.sum(branched(x, y))

    def gradient(x, y):
        return wrong(x, y)[:2]

    found = find_faults(loss, gradient, args, [0, 1])
    assert {each.line for each in found} == {wrong.__code__.co_firstlineno + line}


class Linear:
    def forward(self, x, W):
        self.x, self.W = x, W
        return x @ W

    def backward(self, d):
        self.dW = self.x.T @ d
        return d @ self.W.T


LAYERS = """
class Layer:
    def forward(self, x):
        {forward}

    def backward(self, d):
        return d

def loss(V, W):
    return np.sum((Linear().forward(Layer().forward(Linear().forward(X, V)), W) - Y) ** 2)

def gradient(V, W):
    first, middle, last = Linear(), Layer(), Linear()
    d = 2 * (last.forward(middle.forward(first.forward(X, V)), W) - Y)
    first.backward(middle.backward(last.backward(d)))
    return first.dW, last.dW
"""


@pytest.mark.parametrize(
    ("forward", "repair"),
    [
        ("self.mask = x > 0; return x * self.mask", "multiply it by self.mask"),
        (
            "self.out = 1 / (1 + np.exp(-x)); return self.out",
            "multiply it by (self.out * (1 - self.out))",
        ),
        ("self.out = np.tanh(x); return self.out", "multiply it by (1 - self.out ** 2)"),
    ],
)
def test_a_slope_that_a_layer_forgets_is_told_in_that_layer(forward, repair):
    X, Y, *args = normal((4, 3), (4, 2), (3, 5), (5, 2), seed=0)
    [fault] = faults_in(LAYERS.format(forward=forward), args, X=X, Y=Y, Linear=Linear)
    assert (fault.line, fault.repair) == (7, repair)


BATCH = np.array([[1.0, 0.5, -1.0], [0.5, 1.0, 1.5], [2.0, -1.5, 0.5], [-1.0, 0.5, 2.0]])
SENT_BACK = np.array([[0.3, -0.7], [-0.2, 0.5], [0.45, 0.25], [0.6, -0.9]])
RELU = """
def loss(W, b):
    return np.sum(dH * np.maximum(batch @ W + b, 0))

def gradient(W, b):
    Z = batch @ W + b
    dZ = {dZ}
    dW = {dW}
    db = {db}
    return dW, db
"""
RIGHT = {"dZ": "dH * (Z > 0)", "dW": "batch.T @ dZ", "db": "dZ.sum(axis=0)"}


def lines_blamed(text, args):
    """Return what the lines blamed of the gradient in a text begin with."""
    faults = faults_in(text, args, batch=BATCH, dH=SENT_BACK)
    return [text.splitlines()[each.line - 1].split()[0] for each in faults]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("dZ", "dH"),
        ("dZ", "np.maximum(dH, 0)"),
        ("dZ", "np.maximum(Z, 0)"),
        ("dZ", "Z > 0"),
        ("dZ", "(Z > 0).astype(float)"),
        ("dZ", "np.where(Z > 0, 1, 0)"),
        ("dZ", "np.sign(Z)"),
        ("dZ", "dH[Z > 0]"),
        ("dZ", "dH * Z > 0"),
        ("dZ", "dH * (dH > 0)"),
        ("dZ", "np.where(dH > 0, dH, 0)"),
        ("dW", "dZ.T @ batch"),
        ("dW", "2 * batch.T @ dZ"),
        ("dW", "-batch.T @ dZ"),
        ("db", "dZ.sum(axis=0, keepdims=True)"),
        ("db", "dZ.mean(axis=0)"),
        ("db", "dZ"),
        ("db", "dZ.sum(axis=0).reshape(-1, 1)"),
    ],
)
def test_the_line_is_blamed_and_none_that_reads_or_returns_what_it_made(name, wrong):
    args = [np.array([[0.5, -1.0], [0.75, 0.5], [-0.5, 1.0]]), np.array([0.3, -0.2])]
    assert lines_blamed(RELU.format(**RIGHT | {name: wrong}), args) == [name]


@pytest.mark.parametrize("constant", ["1", "0", "2.5"])
def test_a_number_in_the_place_of_a_gradient_is_blamed(constant):
    text = f"""
def loss(w, c):
    return c * w

def gradient(w, c):
    dw = {constant}
    dc = w
    return dw, dc
"""
    assert lines_blamed(text, [0.5, 0.2]) == ["dw"]


def test_a_right_value_is_not_blamed_where_the_next_line_forgets_the_slope():
    text = """
A_next = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]])
arriving = np.array([0.2, -0.6])

def loss(z):
    f = sigmoid(z)
    return np.sum(arriving * (A_next @ f))

def gradient(z):
    f = sigmoid(z)
    back = A_next.T @ arriving
    delta = back
    return [delta]
"""
    assert lines_blamed(text, [np.array([0.4, -1.2, 2.0])]) == ["delta"]


# --- long arguments -----------------------------------------------------------------------

LONG = [rng.standard_normal(shape) for shape in ((300, 40), (40, 10), (300, 10))]
LONG_LOSS = """
def loss(x, W, t):
    return np.sum((np.tanh(x @ W) - t) ** 2) / len(x)

def gradient(x, W, t):
    h = np.tanh(x @ W)
    d = 2 * (h - t) / len(x) * (1 - h**2)
    return [x.T @ d]
"""


@pytest.mark.parametrize(
    ("change", "is_short", "repair"),
    [
        (("2 * (h - t)", "(h - t)"), True, "multiply it by 2"),
        ((" / len(x)", ""), True, "divide it by 300"),
        (("2 * (h - t) / len(x)", "(h - t) / 300"), False, "150.0 in place of 300"),
        (("2 * (h - t) / len(x)", "(h - t) / COUNT"), False, "multiply it by 2"),
        (
            ("(x @ W)\n    d = 2 * ", "(x.reshape(300, 40) @ W)\n    d = "),
            False,
            "multiply it by 2",
        ),
    ],
)
def test_long_arguments_are_cut_down_where_that_changes_nothing_else(change, is_short, repair):
    lengths = deque()  # a list would be as before after each run
    text = changed(LONG_LOSS, change)
    first, *_ = faults_in(text, LONG, [1], lengths=lengths, COUNT=300)
    assert (first.line, first.repair) == (7, repair)
    # It is told of the arguments as given.
    h = np.tanh(LONG[0] @ LONG[1])
    np.testing.assert_allclose(first.expected, 2 * (h - LONG[2]) / 300 * (1 - h**2))
    assert first.given.shape == (300, 10)
    assert (6 in [each for each in lengths if type(each) is int]) == is_short


def test_no_length_of_arguments_that_were_cut_down_is_named():
    def loss(x, W):
        return np.sum(np.mean((x @ W) ** 2, axis=1))

    def gradient(x, W):
        d = 2 * (x @ W)
        return [x.T @ d]

    faults = find_faults(loss, gradient, [LONG[0], LONG[1]], [1])
    assert {fault.repair for fault in faults} == {"divide it by 10"}  # not 2·5


DATA = rng.standard_normal((30, 4)), rng.standard_normal(30)


@pytest.mark.parametrize(
    ("times", "repair"), [("2 * ", "divide it by 30"), ("", "multiply it by 2/30")]
)
def test_a_mean_that_is_missing_is_told_as_a_division_also_where_the_data_are_no_arguments(
    times, repair
):
    text = f"""
def loss(w):
    return np.mean((DATA[0] @ w - DATA[1]) ** 2)

def gradient(w):
    e = DATA[0] @ w - DATA[1]
    return [{times}DATA[0].T @ e]
"""
    assert repair in {fault.repair for fault in faults_in(text, [np.ones(4)], DATA=DATA)}


def test_a_search_ends_when_its_time_is_over(monkeypatch):
    text = changed(LONG_LOSS, ("x.T @ d", "x.T @ (h - t) + W.sum()"))
    counts = []
    for seconds in (60.0, -1.0):
        runs = deque()
        monkeypatch.setattr(running, "_SECONDS", seconds)
        faults_in(text, [X, rng.standard_normal((3, 2)), T], [1], lengths=runs)
        counts.append(len(runs))
    assert counts[0] > 500
    assert counts[1] < 20


# --- proofs ---------------------------------------------------------------------------------


def squares(W1, W2):
    return np.sum((np.tanh(X @ W1) @ W2 - T) ** 2)


def entropy(W1, W2):
    z = np.tanh(X @ W1) @ W2
    return np.sum(np.log(1 + np.exp(z)) - (T > 0) * z)


X, T = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))


def sent_back(e, h, W):
    return h


def another_true_quantity(W1, W2):
    h = np.tanh(X @ W1)
    e = 2 * (h @ W2 - T)
    d = sent_back(e, h, W2)
    dz = d * (1 - h**2)
    return [X.T @ dz, h.T @ e]


def slope_in_advance(W1, W2):
    h = np.tanh(X @ W1)
    p = 1 / (1 + np.exp(-h @ W2))
    d = p - (T > 0)
    dz = d * p * (1 - p)
    dh = dz @ W2.T
    return [X.T @ (dh * (1 - h**2)), h.T @ dz]


@pytest.mark.parametrize(
    ("loss", "gradient", "right"),
    [(squares, another_true_quantity, 4), (entropy, slope_in_advance, 4)],
    ids=["another true quantity", "slope in advance"],
)
def test_a_line_is_not_proved_where_an_earlier_one_may_be_wrong(loss, gradient, right):
    """The one before gave what the loss has, and not what it has there."""
    args = [rng.standard_normal(shape) for shape in ((3, 5), (5, 2))]
    faults = find_faults(loss, gradient, args, [0, 1])
    first = gradient.__code__.co_firstlineno
    assert right in {each.line - first for each in faults}
    assert not any(each.proved for each in faults)


@pytest.mark.parametrize(
    "scaled", [lambda x: x / 4, lambda x: 0.25 * x], ids=["divided", "multiplied"]
)
def test_a_factor_is_known_of_what_a_penalty_is_added_to(scaled):
    def loss(W1, W2):
        return scaled(squares(W1, W2)) + 0.3 * np.sum(W1**2)

    def gradient(W1, W2):
        h = np.tanh(X @ W1)
        e = 2 * (h @ W2 - T)
        d = np.cos(e @ W2.T)
        return [X.T @ d / 4 + 0.6 * W1, h.T @ e / 4]

    args = [rng.standard_normal(shape) for shape in ((3, 5), (5, 2))]
    fault, *_ = find_faults(loss, gradient, args, [0, 1])
    assert fault.line == gradient.__code__.co_firstlineno + 3
    assert fault.quantity == "4 · ∂L/∂(X @ W1)"


SEVEN, THEIRS = rng.standard_normal((7, 3)), rng.standard_normal((7, 2))


def twice_the(r):
    return 2 * r


def forgotten_by_its_helper(W1, W2):
    h = np.tanh(SEVEN @ W1)
    r = h @ W2 - THEIRS
    assert len(THEIRS) == len(r)
    e = twice_the(r)
    return [SEVEN.T @ (e @ W2.T * (1 - h**2)), h.T @ e]


def summed_by_sample(W1, W2):
    dW1, dW2 = np.zeros_like(W1), np.zeros_like(W2)
    for x, t in zip(SEVEN, THEIRS, strict=True):
        h = np.tanh(x @ W1)
        e = 2 * (h @ W2 - t)
        dW1 += np.outer(x, W2 @ e * (1 - h**2))
        dW2 += np.outer(h, e)
    dW2 /= len(SEVEN)
    dW2 += 0.2 * W2
    dW1 += 0.2 * W1
    return [dW1, dW2]


@pytest.mark.parametrize(
    ("gradient", "penalty", "places"),
    [
        (forgotten_by_its_helper, 0.0, {-3, 4}),
        (summed_by_sample, 0.1, {5}),
    ],
)
def test_a_factor_that_may_be_missing_at_two_places_is_proved_at_none(gradient, penalty, places):
    def loss(W1, W2):
        off = np.sum((np.tanh(SEVEN @ W1) @ W2 - THEIRS) ** 2) / 7
        return off + penalty * (np.sum(W1**2) + np.sum(W2**2))

    args = [rng.standard_normal(shape) for shape in ((3, 5), (5, 2))]
    faults = find_faults(loss, gradient, args, [0, 1])
    first = gradient.__code__.co_firstlineno
    assert places <= {each.line - first for each in faults}
    assert not any(each.proved for each in faults)


def test_a_mask_that_picks_nothing_is_what_is_wrong():
    x = np.random.default_rng(0).normal(size=(5, 3))

    def loss(W, V):
        return np.sum((np.maximum(0, x @ W) @ V) ** 2)

    def gradient(W, V):
        h = np.maximum(0, x @ W)
        d = 2 * h @ V
        dh = d @ V.T
        dh[h < 0] = 0
        return x.T @ dh, h.T @ d

    random = np.random.default_rng(1)
    args = [random.normal(size=(3, 4)), random.normal(size=(4, 2))]
    (fault,) = find_faults(loss, gradient, args, [0, 1])
    assert (fault.source, fault.repair) == ("h < 0", "h <= 0 in place of h < 0")
    assert fault.proved


def test_a_count_is_not_multiplied_by_what_only_has_the_wanted_shape():
    x, y = np.random.default_rng(0).normal(size=(3, 5)), np.ones((1, 5))

    def loss(w, b):
        return np.sum((w @ x + b - y) ** 2) / 5

    def gradient(w, b):
        m = x.shape[1]
        e = w @ x + b - y
        return 2 / m * e @ x.T, 2 / m * np.sum(e)

    args = [np.array([[0.5, -1.0, 0.3]]), np.array([[0.7]])]
    faults = find_faults(loss, gradient, args, [0, 1])
    assert "np.sum(e, axis=1, keepdims=True) in place of np.sum(e)" in [e.repair for e in faults]
    assert "x.shape[1]" not in [str(each.source) for each in faults]


# --- what students of known courses write ----------------------------------------------

CLASSIFIER = """import numpy as np

X = np.random.default_rng(0).normal(size=(5, 3))
y = np.array([0, 2, 1, 1, 0])


def loss(W, V):
    h = np.maximum(0, X @ W)
    s = h @ V
    return np.sum(np.log(np.sum(np.exp(s), axis=1)) - s[range(5), y]) / 5


def gradient(W, V):
    N, D = X.shape
    h = np.maximum(0, X @ W)
    scores = h @ V
    probs = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    d = probs.copy()
    d[range(N), y] -= 1
    d /= N
    dh = d @ V.T
    dh[h <= 0] = 0
    return X.T @ dh, h.T @ d
"""


@pytest.mark.parametrize(
    ("right", "wrong", "repair"),
    [
        ("d /= N", "d /= D", "N in place of D"),
        ("y] -= 1", "y] = -1", "write += in place of ="),
        ("d = probs.copy()", "d = scores.copy()", "probs in place of scores"),
        (
            "N, D = X.shape\n    h = np.maximum(0, X @ W)",
            "N, D = X.shape\n    h = X @ W",
            "np.maximum(X @ W, 0) in place of X @ W",
        ),
        ("h <= 0", "h < 0", "h <= 0 in place of h < 0"),
    ],
)
def test_a_slip_in_a_classifier_is_the_only_line_and_has_its_repair(right, wrong, repair):
    (fault,) = faults_in(changed(CLASSIFIER, (right, wrong)), normal((3, 4), (4, 3)))
    assert fault.repair == repair
    assert wrong.split("\n")[-1] in fault.source.around.split("\n")[fault.line - 1]


CALLED = """import numpy as np

x, y = np.array([0.5, -1.2, 0.3]), np.array([1.0, 0.0])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def slope(z):
    return sigmoid(z) * (1 - sigmoid(z))


def derivative(output, y):
    return output - y


def through(d, z):
    return d * slope(z)


def loss(W, V):
    return np.sum((sigmoid(V @ sigmoid(W @ x)) - y) ** 2) / 2


def gradient(W, V):
    z = W @ x
    a = sigmoid(z)
    u = V @ a
    d = derivative(sigmoid(u), y) * slope(u)
    back = V.T @ d
    e = through(back, z)
    return np.outer(e, x), np.outer(d, a)
"""


@pytest.mark.parametrize(
    ("right", "wrong", "repair"),
    [
        ("output - y", "y - output", "output - y in place of y - output"),
        ("    return d * slope(z)", "    return slope(z)", "multiply it by d"),
    ],
)
def test_a_function_is_named_before_the_line_that_calls_it(right, wrong, repair):
    assert CALLED.count(right) == 1
    first, *_ = faults_in(CALLED.replace(right, wrong), normal((4, 3), (2, 4)))
    assert (first.repair, first.line) == (repair, 1 + CALLED[: CALLED.index(right)].count("\n"))


def test_a_formula_of_f_that_is_given_z_is_among_the_lines():
    text = CALLED.replace("sigmoid(z) * (1 - sigmoid(z))", "z * (1 - z)")
    faults = faults_in(text, normal((4, 3), (2, 4)))
    assert (11, "sigmoid(z) in place of every z") in [(each.line, each.repair) for each in faults]


OWN_TRACE = """import numpy as np
import backprop_nb as bp


def loss(w):
    return np.sum(np.sin(w) ** 2)


def again(w):
    row = [np.sin(w), w]
    return np.sum(np.sin(row[1]) ** 2)


def gradient(w):
    return [2 * bp.grad(again)(w)]
"""


@pytest.mark.parametrize("traced", ["again", "lambda w: np.sum(np.sin(w) ** 2)"])
def test_a_trace_of_the_learners_own_keeps_no_line_from_being_found(traced):
    text = OWN_TRACE.replace("(again)", f"({traced})")
    assert 15 in {each.line for each in faults_in(text, [0.3 * np.ones(3)])}


@pytest.mark.parametrize(
    ("written", "repair"),
    [
        ("N * D.sum(axis=0)", "leave out N *"),
        ("D.sum(axis=0) * N", "leave out * N"),
        ("len(X) * D.sum(axis=0)", "leave out len(X) *"),
        ("np.sum(D, axis=0) * N", "leave out * N"),
        ("2 * N * np.sum(D, axis=0) / 2", "leave out * N"),
    ],
)
def test_a_sum_beside_a_count_is_no_mean_to_be(written, repair):
    counted = ("E = 2 * (out - T) / len(X)", "N = len(X)\n    E = 2 * (out - T) / N")
    [fault] = faults_of(("gb1 = D.sum(axis=0)", f"gb1 = {written}"), counted)
    assert (fault.repair, fault.proved) == (repair, True)


SUMMED = """import numpy as np

X = np.array([[0.5, -1.2], [0.3, 0.8], [-0.7, 0.4]])
Y = np.array([0.2, 0.9, 0.4])


def loss(w, b):
    return np.sum((X @ w + b - Y) ** 2)


def gradient(w, b):
    N = len(X)
    R = 2 * (X @ w + b - Y)
    return X.T @ R, R.sum()
"""


@pytest.mark.parametrize("count", ["len(X)", "X.shape[0]", "Y.size"])
@pytest.mark.parametrize(
    ("right", "wrong", "repair"),
    [
        ("R.sum()", "N * R.sum()", "leave out N *"),
        ("X.T @ R", "X.T @ R / N", "leave out / N"),
        ("2 * (X @ w + b - Y)", "2 * (X @ w + b - Y) / N", "leave out / N"),
    ],
)
def test_a_length_that_is_counted_right_is_not_to_be_divided_by_itself(count, right, wrong, repair):
    text = changed(SUMMED.replace("len(X)", count), (right, wrong))
    found = faults_in(text, [np.array([0.3, -0.4]), 0.1])
    assert [(each.repair, each.line) for each in found] == [(repair, 13 if "2 *" in right else 14)]


@pytest.mark.parametrize(
    ("sent", "mask"), [("D = D * H", "(H > 0)"), ("D *= H", "H > 0"), ("D = H * D", "(H > 0)")]
)
def test_a_relu_that_stands_for_its_slope_is_to_be_its_mask(sent, mask):
    text = (
        SUMMED.replace("X @ w + b - Y)", "np.maximum(0, X @ w + b) - Y)")
        .replace("    R = 2", "    H = np.maximum(0, X @ w + b)\n    D = 2")
        .replace("return X.T @ R, R.sum()", f"{sent}\n    return X.T @ D, D.sum()")
    )
    found = faults_in(text, [np.array([0.3, -0.4]), 0.1])
    assert [(each.repair, each.proved) for each in found] == [(f"{mask} in place of H", True)]
