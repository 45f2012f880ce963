"""Code with float() and math in it, followed by the values that its names take."""

import importlib.util
import math

import numpy as np
import pytest

from backprop_nb.checking.lines.followed import traced
from backprop_nb.checking.lines.known import Known
from backprop_nb.checking.lines.untraced import suspects

NETWORK = """
import math
import numpy as np

X = np.array([[0.5, -1.2, 0.3], [0.3, 0.8, -0.4], [-0.7, 0.4, 0.9], [1.1, 0.2, -0.6]])
T = np.array([[0.2], [0.9], [0.4], [0.7]])


def loss(W1, b1, W2, b2):
    H = np.tanh(X @ W1 + b1)
    return np.sum((H @ W2 + b2 - T) ** 2) / len(X)


def tanh(M):
    return np.array([[math.tanh(v) for v in row] for row in M])


def gradient(W1, b1, W2, b2):
    n = len(X)
    Z = X @ W1 + b1
    H = tanh(Z)
    out = H @ W2 + b2
    E = 2 * (out - T) / n
    gW2 = H.T @ E
    gb2 = E.sum(axis=0)
    dH = E @ W2.T
    dZ = dH * (1 - H**2)
    gW1 = X.T @ dZ
    gb1 = dZ.sum(axis=0)
    return gW1, gb1, gW2, gb2
"""

NEURON = """
import math
import numpy as np

X = [[0.5, -1.2], [0.3, 0.8], [-0.7, 0.4]]
Y = [1.0, 0.0, 1.0]


def loss(w, b):
    p = 1 / (1 + np.exp(-(np.array(X) @ w + b)))
    y = np.array(Y)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def sig(t):
    return 1.0 / (1.0 + math.exp(-t))


def gradient(w, b):
    n = len(X)
    dw = [0.0, 0.0]
    db = 0.0
    for x, y in zip(X, Y):
        z = float(b)
        for j in range(2):
            z += float(w[j]) * x[j]
        p = sig(z)
        d = p - y
        for j in range(2):
            dw[j] += d * x[j] / n
        db += d / n
    return np.array(dw), db
"""

DRAWS = {
    NETWORK: lambda rng: [rng.normal(size=s) for s in ((3, 2), 2, (2, 1), 1)],
    NEURON: lambda rng: [rng.normal(size=2), 0.3],
}

WRONG = [
    (NETWORK, "E = 2 * (out - T) / n", "E = (out - T) / n"),
    (NETWORK, "E = 2 * (out - T) / n", "E = 2 * (T - out) / n"),
    (NETWORK, "dZ = dH * (1 - H**2)", "dZ = dH"),
    (NETWORK, "dZ = dH * (1 - H**2)", "dZ = dH * (1 - Z**2)"),
    (NETWORK, "dH = E @ W2.T", "dH = out @ W2.T"),
    (NETWORK, "gW1 = X.T @ dZ", "gW1 = X.T @ dH"),
    (NETWORK, "gb1 = dZ.sum(axis=0)", "gb1 = dH.sum(axis=0)"),
    (NETWORK, "gb1 = dZ.sum(axis=0)", "gb1 = dZ.mean(axis=0)"),
    (NETWORK, "gW2 = H.T @ E", "gW2 = Z.T @ E"),
    (NETWORK, "math.tanh(v)", "math.sin(v)"),
    (NEURON, "d = p - y", "d = y - p"),
    (NEURON, "d = p - y", "d = p * (1 - p) * (p - y)"),
    (NEURON, "z += float(w[j]) * x[j]", "z = float(w[j]) * x[j]"),
    (NEURON, "dw[j] += d * x[j] / n", "dw[j] += d * x[j]"),
    (NEURON, "dw[j] += d * x[j] / n", "dw[j] = d * x[j] / n"),
    (NEURON, "db += d / n", "db += d"),
    (NEURON, "db += d / n", "db += p / n"),
    (NEURON, "p = sig(z)", "p = z"),
]


def module(text, path):
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize(("text", "old", "new"), WRONG, ids=[new for _, _, new in WRONG])
def test_the_line_is_suspected_first(text, old, new, tmp_path):
    assert text.count(old) == 1
    made = module(text.replace(old, new), tmp_path / "student.py")
    args = DRAWS[text](np.random.default_rng(0))
    known = Known(traced(made.loss, args, set(range(len(args)))))
    found = suspects(known, made.gradient, args)
    assert found[0].source.start[0] == text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize("text", [NETWORK, NEURON], ids=["network", "neuron"])
@pytest.mark.parametrize("seed", range(3))
def test_a_right_pass_has_no_suspect(text, seed, tmp_path):
    made = module(text, tmp_path / "student.py")
    args = DRAWS[text](np.random.default_rng(seed))
    known = Known(traced(made.loss, args, set(range(len(args)))))
    assert suspects(known, made.gradient, args) == []


def test_the_arguments_are_not_changed():
    def loss(w):
        return np.sum(w**2)

    def gradient(w):
        w *= float(math.sqrt(4.0))
        return w

    args = [np.array([1.0, 2.0])]
    suspects(Known(traced(loss, args, {0})), gradient, args)
    np.testing.assert_array_equal(args[0], [1.0, 2.0])


def test_lists_of_several_lengths_and_other_things_are_no_hindrance():
    def loss(w):
        return np.sum(w**2)

    def gradient(w):
        odd = [[1], [1, 2], "text", None, {"a": w}, np.array(["x"])]
        ragged = [[w[0]], [w[0], w[1]]]
        return 3 * w * len(odd) * len(ragged)

    args = [np.array([1.3, 2.7])]
    [found] = suspects(Known(traced(loss, args, {0})), gradient, args)
    assert str(found.source) == "return 3 * w * len(odd) * len(ragged)"


def test_a_number_that_is_written_out_is_no_suspect():
    def loss(w):
        return np.sum(w**2)

    def gradient(w):
        rate = 0.17
        eps = 1e-8
        step = rate * w
        return step / (rate + eps)

    args = [np.array([1.3, 2.7])]
    found = suspects(Known(traced(loss, args, {0})), gradient, args)
    assert [str(each.source) for each in found] == ["step = rate * w"]
