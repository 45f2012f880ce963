"""What is said of a wrong line, as a teaching assistant would: it works, and is no riddle."""

import linecache

import numpy as np
import pytest

import backprop_nb as bp

PROGRAM = """
def relu(Z):
    return np.maximum(Z, 0)

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def sigmoid_prime(z):
    s = sigmoid(z)
    return s * (1 - s)

def of_relu(W, b, v):
    return np.sum((relu(X @ W + b) @ v - t) ** 2)

def through_relu(W, b, v):
    Z = X @ W + b
    H = relu(Z)
    e = 2 * (H @ v - t)
    dH = np.outer(e, v)
    dZ = dH * (Z > 0)
    db = dZ.sum(axis=0)
    dv = (H * e[:, None]).sum(axis=0)
    return X.T @ dZ, db, dv

def of_sigmoid(W, b, v):
    return np.mean((sigmoid(sigmoid(X @ W + b) @ v) - t) ** 2)

def in_a_loop(W, b, v):
    dW, db, dv = np.zeros_like(W), np.zeros_like(b), np.zeros_like(v)
    for x, y in zip(X, t):
        z = x @ W + b
        h = sigmoid(z)
        u = h @ v
        p = sigmoid(u)
        d = 2 * (p - y) * sigmoid_prime(u)
        dv += d * h
        dz = d * v * sigmoid_prime(z)
        dW += np.outer(x, dz)
        db += dz
    n = len(X)
    return dW / n, db / n, dv / n
"""
_RNG = np.random.default_rng(3)
_DATA = {"np": np, "X": _RNG.standard_normal((7, 3)), "t": _RNG.standard_normal(7)}
_ARGS = [_RNG.standard_normal(shape) for shape in ((3, 4), (4,), (4,))]


def said_of(name, *changes):
    """Return the expressions that are blamed in a program with changes, each with its repair."""
    text = PROGRAM
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = f"<advice {hash(text)}>"
    names = dict(_DATA)
    exec(compile(text, file, "exec"), names)
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    loss = names["of_relu" if name == "through_relu" else "of_sigmoid"]
    found = bp.check_gradient(loss, names[name], *_ARGS).findings
    return [(each.source, each.repair) for each in found if each.line is not None]


@pytest.mark.parametrize("called", ["relu(Z)", "np.maximum(Z, 0)", "np.maximum(0, Z)"])
def test_a_relu_in_place_of_its_slope_is_told_as_a_mask(called):
    [(_, repair)] = said_of("through_relu", ("(Z > 0)", called))
    assert repair.removeprefix("(").startswith("Z > 0")
    assert repair.endswith(f"in place of {called}")


def test_nobody_is_told_to_divide_by_what_may_be_zero():
    said = said_of("through_relu", ("dH * (Z > 0)", "dH * Z * (Z > 0)"))
    assert said
    assert not any("divide" in repair for _, repair in said)


@pytest.mark.parametrize(
    ("old", "new", "source", "repair"),
    [
        ("* sigmoid_prime(z)", "* sigmoid_prime(z) / 2", None, "leave out / 2"),
        ("dW / n", "dW", "dW", "divide it by n"),
        ("2 * (p - y)", "(p - y)", None, "multiply it by 2"),
        ("2 * (p - y)", "2 * (y - p)", "y - p", "p - y in place of y - p"),
        ("2 * (p - y)", "(y - p)", "y - p", "2 * (p - y) in place of y - p"),
    ],
)
def test_one_mistake_in_a_loop_over_samples_accuses_no_line_of_another_kind(
    old, new, source, repair
):
    said = said_of("in_a_loop", (old, new))
    assert repair in {each for _, each in said}
    assert not any("zeros" in at or at == "len(X)" for at, _ in said)
    assert source is None or source in {at for at, _ in said}


def test_a_slope_of_an_activation_is_told_with_what_the_slope_is_of():
    said = said_of("in_a_loop", ("v * sigmoid_prime(z)", "v * sigmoid_prime(h)"))
    assert said[0][1] == "z in place of h"
    without_z = ("z = x @ W + b\n        h = sigmoid(z)", "h = sigmoid(x @ W + b)")
    said = said_of("in_a_loop", without_z, ("v * sigmoid_prime(z)", "v * sigmoid_prime(h)"))
    assert ("sigmoid_prime(h)", "(h * (1 - h)) in place of sigmoid_prime(h)") in said
    assert not any("relu" in repair for _, repair in said)


@pytest.mark.parametrize(
    ("old", "new", "repair"),
    [
        ("(H * e[:, None]).sum(axis=0)", "(H.T * e).sum(axis=0)", "H * e[:, None] in place of H.T"),
        ("db = dZ.sum(axis=0)", "db = dZ.sum(axis=0)[:, None]", "leave out [:, None]"),
        ("dZ = dH * (Z > 0)", "dZ = dH * (Z > 0) * (dH > 0)", "leave out * (dH > 0)"),
        (
            "dZ = dH * (Z > 0)",
            "dZ = dH * (Z > 0)\n    dZ[dH <= 0] = 0",
            "leave the line out",
        ),
    ],
)
def test_what_is_to_be_written_is_what_a_person_would_write(old, new, repair):
    [(_, said)] = said_of("through_relu", (old, new))
    assert said.startswith(repair)


def test_a_sum_over_all_numbers_needs_no_second_axis():
    def loss(w, c):
        return np.sum((_DATA["X"] @ w + c - _DATA["t"]) ** 2)

    def gradient(w, c):
        d = 2 * (_DATA["X"] @ w + c - _DATA["t"])
        return _DATA["X"].T @ d, np.sum(d[:, None], axis=1)

    finding = bp.check_gradient(loss, gradient, _ARGS[0][:, 0], 0.3).findings[0]
    assert finding.repair == "np.sum(d) in place of np.sum(d[:, None], axis=1)"


def test_nobody_is_told_to_take_the_relu_out_of_a_right_forward_pass():
    """Though without it ``h >= 0`` would be the right mask."""

    def loss(w, b):
        h = np.maximum(_DATA["X"] @ w + b, 0)
        return np.mean((h - _DATA["t"]) ** 2)

    def gradient(w, b):
        z = _DATA["X"] @ w + b
        h = np.maximum(z, 0)
        g = 2 * (h - _DATA["t"]) / len(h)
        d = g * (h >= 0)
        return _DATA["X"].T @ d, np.sum(d)

    repairs = [e.repair for e in bp.check_gradient(loss, gradient, _ARGS[0][:, 0], 0.3).findings]
    assert "z in place of h" in repairs
    assert "z in place of np.maximum(z, 0)" not in repairs
