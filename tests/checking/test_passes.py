"""Backward passes as courses have them written: the right are right, the wrong are wrong."""

from collections import Counter
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from collection import PAIRS, RIGHT, WRONG
from entry import KINDS, WHERE
from followed import followed
from judge import TOLERANCE, error, given, parameters, slopes
from measure import Outcome, figure, outcome
from nonempty import nonempty
from planted import planted

import backprop_nb as bp

BY_NAME = {each.name: each for each in RIGHT}


@cache
def at(course, k):
    """Return the ``k``-th arguments of a course and what is right there."""
    right = next(each for each in RIGHT if each.course == course)
    args = right.args(k)
    return args, slopes(right, args)


def wrong_by(entry, k=0):
    args, expected = at(entry.course, k)
    return error(given(entry, args), expected)


def right_of(entry):
    return BY_NAME[entry.name.rpartition(".")[0]]


def test_the_collection_is_large_and_of_many_kinds():
    assert len(RIGHT) >= 45
    assert len({each.course for each in RIGHT}) >= 20
    assert len(WRONG) >= 110
    assert len(PAIRS) >= 25
    kinds = Counter(each.kinds[0] for each in WRONG)
    assert set(kinds) == set(KINDS)
    assert {each.where[0] for each in WRONG} == set(WHERE)
    assert kinds["forward"] == sum(each.where == ("forward",) for each in WRONG)
    assert 0.35 <= np.mean([each.is_held_out for each in WRONG]) <= 0.45
    assert not {e.course for e in WRONG if e.is_held_out} & {
        e.course for e in WRONG if not e.is_held_out
    }


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: right.name)
def test_a_right_pass_is_right(right):
    assert max(wrong_by(right, k) for k in (0, 1)) < TOLERANCE


LARGE = [each for each in RIGHT if each.has_large]


@pytest.mark.parametrize("right", LARGE, ids=lambda right: right.name)
def test_a_large_pass_is_right(right):
    """Along one direction: a hundred thousand entries are too many to move each alone."""
    args = right.args(0, large=True)
    found, leaves = given(right, args), [leaf for _, leaf in parameters(right, args)]
    rng = np.random.default_rng(0)
    direction = [rng.choice([-1.0, 1.0], leaf.shape) for leaf in leaves]
    values = []
    for step in (1e-6, -2e-6):
        for leaf, way in zip(leaves, direction, strict=True):
            leaf += step * way
        values.append(float(right.loss(*args)))
    slope = sum(float(np.sum(g * d)) for g, d in zip(found, direction, strict=True))
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize(
    "name",
    [
        "activations_by_name.gradient.2",
        "activations_by_name.gradient_per_sample.2",
        "cmu_names.gradient.1",
    ],
)
def test_the_wrong_line_of_a_large_pass_is_named(name):
    """By the search with arguments cut down; at full size it is another one, or takes too long."""
    [wrong] = [each for each in WRONG if each.name == name]
    found = outcome(wrong, large=True)
    assert (found.verdict, found.is_misproved) == ("first", False)


def test_each_wrong_pass_is_wrong():
    """Each at two draws: what is right by luck at one of them has no wrong line."""
    too_near = {
        each.name: errors
        for each in nonempty(WRONG)
        if min(errors := [wrong_by(each, k) for k in (0, 1)]) < 1e-3
    }
    assert too_near == {}


def test_each_wrong_pass_differs_in_one_line():
    for each in nonempty(WRONG):
        texts = [entry.text.splitlines() for entry in (right_of(each), each)]
        changed = [k for k, (a, b) in enumerate(zip(*texts, strict=True), 1) if a != b]
        assert tuple(changed) == each.lines


def test_in_each_pair_both_lines_are_to_blame():
    """Together they give other gradients than each alone, and wrong ones."""
    alone = {each.name: each for each in WRONG}
    idle = []
    for pair in nonempty(PAIRS):
        name, _, numbers = pair.name.rpartition(".")
        singles = [alone[f"{name}.{number}"] for number in numbers.split("+")]
        assert pair.lines == tuple(single.lines[0] for single in singles)
        args, expected = at(pair.course, 0)
        both = given(pair, args)
        if error(both, expected) < 1e-3 or any(same(given(e, args), both) for e in singles):
            idle.append(pair.name)
    assert idle == []


def same(some, others):
    """Whether the gradients are the same, where there are any."""
    if any(one is None for one in (*some, *others)):
        return False
    return error(some, others) < 1e-4


# --- what the checker says of them ------------------------------------------------------------

ASKED_FOR_DATA = {
    "convolution.gradient",
    "convolution.gradient_with_full_padding",
}
"""They have no gradient by an argument of floats.  Nothing tells that it is data, and so the
checker asks whether it is, rather than pass by a gradient that was forgotten."""


def test_each_right_pass_is_accepted():
    found = [outcome(right) for right in nonempty(RIGHT)]
    accused = {each.entry.name: each.report for each in found if not each.is_accepted}
    assert set(accused) == ASKED_FOR_DATA
    for report in nonempty(accused.values()):
        [finding] = report.findings
        assert "it is missing, and all others are right. Return it, too; or if" in finding.message
        assert finding.line is None


SAMPLE = (
    "activations_by_name.gradient.3",
    "attention.gradient.1",
    "closures.gradient.5",
    "cmu_names.gradient.5",
    "columns_dict.gradient_by_the_chain.3",
    "cs231n_two_layer.gradient.6",
    "from_scratch.gradient.1",
    "from_scratch.gradient_with_a_cache.4",
    "layer_lists.gradient.1",
    "layer_lists.gradient.2",
    "logistic.gradient.3",
    "recommender.gradient_masked.1",
    "regression.gradient_bias_first.1",
    "softmax_classifier.gradient_one_hot.3",
    "svm.gradient_in_arrays.1",
    "training_step.gradient.4",
    "trask.gradient_in_one_breath.1",
    "word_vectors.gradient.1",
)
"""Of the half that the checker is tuned on: of every kind, in many conventions, and fast."""


def test_the_sample_is_of_the_seen_half_and_of_most_kinds():
    chosen = [each for each in WRONG if each.name in SAMPLE]
    assert len(chosen) == len(SAMPLE)
    assert not any(each.is_held_out for each in chosen)
    assert len({each.course for each in chosen}) >= 12
    assert len({each.kinds[0] for each in chosen}) >= 10


@pytest.mark.parametrize("name", SAMPLE)
def test_the_wrong_line_is_named_first(name):
    [wrong] = [each for each in WRONG if each.name == name]
    found = outcome(wrong)
    assert found.verdict == "first", found.best
    assert not found.is_misproved
    for finding in found.findings:
        text = followed(wrong.text, finding) if finding.proved else None
        if text is not None:
            mended = replace(wrong, name=f"{name}.mended", text=text)
            assert error(given(mended, args := mended.args(0)), slopes(mended, args)) < TOLERANCE


ONCE_PROVED = (
    "batch_norm.gradient_short.1+2",
    "columns_layers.gradient.1",
    "columns_layers.gradient.7",
    "logistic.gradient_in_loops.3+4",
    "regression.gradient.1+3",
    "svm.gradient_in_arrays.3+4",
    "tied_weights.gradient.1",
    "training_step.gradient_with_momentum.1+2",
)
"""For each of these a right line was once called proved."""
PLANTED = (
    "attention.gradient.planted.31.19",
    "char_rnn.gradient.planted.49.0",
    "layer_norm.gradient.planted.25.4",
    "layer_norm.gradient.planted.33.20",
    "layer_norm.gradient.planted.40.1",
    "strided_convolution.gradient.planted.30.12",
    "strided_convolution.gradient.planted.47.0",
    "word_vectors.gradient.planted.30.1",
)
"""Of the mistakes that are planted by rule: ``tests/checking/passes/planted.py`` has them all."""


@pytest.mark.parametrize("name", [*ONCE_PROVED, *PLANTED])
def test_no_right_line_is_proved_to_be_wrong(name):
    mistakes = (each for right in RIGHT if name.startswith(right.course) for each in planted(right))
    [wrong] = [each for each in (*WRONG, *PAIRS, *mistakes) if each.name == name]
    assert wrong_by(wrong) > 1e-3
    found = outcome(wrong)
    assert not found.is_accepted
    assert found.proved <= set(wrong.lines)


def test_mistakes_are_planted_in_one_line_of_every_pass():
    for right in nonempty(RIGHT):
        edited = list(planted(right))
        assert len(edited) > 10
        assert len({each.text for each in edited} - {right.text}) > 10


IN_PLACE = """
import numpy as np

X, Y = np.random.default_rng(0).normal(size=(4, 3)), np.eye(4)[:, :2]


def loss(w, v):
    h = np.maximum(X @ w, 0)
    return np.sum((h @ v - Y) ** 2) / len(X) + np.sum(w**2)


def gradient(w, v):
    N, h = len(X), np.maximum(X @ w, 0)
    d = h @ v
    d -= Y
    d *= 2 / N
    dh = d @ v.T
    dz = dh * (h > 0)
    return X.T @ dz + 2 * w, h.T @ d
"""


SMALL = """
import numpy as np

import backprop_nb as bp

x, y = np.array([0.5, -0.2, 1.2]), 1.0


def loss(w, v):
    return (bp.sigmoid(bp.sigmoid(w[0] @ x + w[1] @ x) * v[0, 0] + v[0, 1]) - y) ** 2


def gradient(w, v):
    f = bp.sigmoid(w[0] @ x + w[1] @ x)
    g = bp.sigmoid(f * v[0, 0] + v[0, 1])
    delta = 2 * (g - y) * g * (1 - g)
    dv = delta * np.array([f, 1.0])
    dw = delta * v[0, 0] * f * (1 - f) * x
    dv = np.stack([dv, 0 * dv, 0 * dv])
    dw = np.stack([dw, dw, 0 * dw])
    return dw, dv
"""

LABELS = """
import numpy as np

X, y = np.random.default_rng(0).normal(size=(4, 3)), np.array([1, 0, 1, 1])


def loss(w, v):
    s = np.tanh(X @ w) @ v
    s = s - np.max(s, axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(s), axis=1)) - s[np.arange(4), y])


def gradient(w, v):
    h = np.tanh(X @ w)
    p = np.exp(h @ v)
    p /= p.sum(axis=1, keepdims=True)
    p[range(4), y] -= 1
    p /= len(y)
    dz = (p @ v.T) * (1 - h**2)
    return X.T @ dz, h.T @ p
"""

LISTS = """
import numpy as np

X, Y = np.random.default_rng(0).normal(size=(4, 3)), np.ones((4, 2))


def loss(w, v):
    return np.sum((np.tanh(X @ w) @ v - Y) ** 2)


def gradient(w, v):
    dw, dv = [[0.0] * 3 for _ in w], [[0.0] * 2 for _ in v]
    for x, y in zip(X, Y):
        h = [np.tanh(sum(x[i] * w[i][j] for i in range(3))) for j in range(3)]
        out = [sum(h[j] * v[j][k] for j in range(3)) for k in range(2)]
        d = [2 * (out[k] - y[k]) for k in range(2)]
        for j in range(3):
            back = 0.0
            for k in range(2):
                dv[j][k] += h[j] * d[k]
                back += v[j][k] * d[k]
            for i in range(3):
                dw[i][j] += x[i] * back * (1 - h[j] ** 2)
    return dw, dv
"""

NORMALISED = """
import numpy as np

P = np.random.default_rng(0).normal(size=(6, 3))


def loss(w, v):
    h = P @ w
    d = h - h.mean(0, keepdims=True)
    s = (d**2).sum(0, keepdims=True) / (len(h) - 1)
    return np.sum(np.tanh(d * (s + 1e-5) ** -0.5) @ v)


def gradient(w, v):
    h = P @ w
    n = h.shape[0]
    diff = h - 1 / n * h.sum(0, keepdims=True)
    var = 1 / (n - 1) * (diff**2).sum(0, keepdims=True)
    inv = (var + 1e-5) ** -0.5
    out = np.tanh(diff * inv)
    dv = out.T @ np.ones((n, v.shape[1]))
    draw = (1.0 - out**2) * (np.ones((n, v.shape[1])) @ v.T)
    ddiff = inv * draw
    dinv = (diff * draw).sum(0, keepdims=True)
    dvar = (-0.5 * (var + 1e-5) ** -1.5) * dinv
    ddiff += 2 * diff * (1.0 / (n - 1)) * dvar
    dh = ddiff - 1 / n * ddiff.sum(0)
    return P.T @ dh, dv
"""


MASKED = """
import numpy as np

X, Y = np.random.default_rng(0).normal(size=(5, 3)), np.random.default_rng(1).normal(size=(5, 2))


def loss(w, v):
    return np.sum((np.maximum(X @ w, 0) @ v - Y) ** 2)


def gradient(w, v):
    z = X @ w
    h = np.maximum(z, 0)
    d = 2 * (h @ v - Y)
    dv = h.T @ d
    dh = d @ v.T
    dh[h <= 0] = 0
    return X.T @ dh, dv
"""

LEAKY = MASKED.replace("np.maximum(X @ w, 0)", "np.where(X @ w > 0, X @ w, 0.01 * (X @ w))")
LEAKY = LEAKY.replace("np.maximum(z, 0)", "np.where(z > 0, z, 0.01 * z)")
LEAKY = LEAKY.replace("dh[h <= 0] = 0", "dh[z <= 0] *= 0.01")

COUNTED = """
import numpy as np

X, Y = np.random.default_rng(0).normal(size=(6, 3)), np.random.default_rng(1).normal(size=(6, 2))


def loss(w, v):
    h = np.tanh(X @ w)
    return np.sum((h @ v - Y) ** 2) / len(Y)


def gradient(w, v):
    n = len(Y)
    h = np.tanh(X @ w)
    d = 2 * (h @ v - Y) / n
    dh = d @ v.T
    dz = dh * (1 - h**2)
    return X.T @ dz, h.T @ d
"""

OVER_ALL = COUNTED.replace("/ len(Y)", "/ Y.size").replace("n = len(Y)", "n = Y.size")


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (MASKED, "dh[h <= 0] = 0", "dh[h < 0] = 0"),
        (MASKED, "dh[h <= 0] = 0", "h[h <= 0] = 0"),
        (MASKED, "dh[h <= 0] = 0", "dh[dh <= 0] = 0"),
        (MASKED, "dh[h <= 0] = 0", "dh[h >= 0] = 0"),
        (LEAKY, "dh[z <= 0] *= 0.01", "dh[z <= 0] = 0.01"),
        (LEAKY, "dh[z <= 0] *= 0.01", "dh[z <= 0] = 0"),
        (LEAKY, "dh[z <= 0] *= 0.01", "dh[z > 0] *= 0.01"),
        (LEAKY, "dh[z <= 0] *= 0.01", "z[z <= 0] *= 0.01"),
        (COUNTED, "n = len(Y)", "n = X.shape[1]"),
        (COUNTED, "n = len(Y)", "n = Y.size"),
        (COUNTED, "(h @ v - Y) / n", "(h @ v - Y) / Y.size"),
        (OVER_ALL, "n = Y.size", "n = Y.shape[0]"),
        (OVER_ALL, "(h @ v - Y) / n", "(h @ v - Y) / len(Y)"),
        (COUNTED, "(1 - h**2)", "(1 - h)**2"),
        (IN_PLACE, "(h > 0)", "(dh > 0)"),
        (IN_PLACE, "2 * w", "2 * w * w"),
        (IN_PLACE, "2 / N", "2 / N / N"),
        (IN_PLACE, "2 / N", "2 / h.shape[1]"),
        (IN_PLACE, "= 2 / N", "= 2"),
        (IN_PLACE, "    d *= 2 / N\n", ""),
        (IN_PLACE, "    d -= Y\n    d *= 2 / N\n", "    d[:] -= Y\n"),
        (IN_PLACE, "    d -= Y\n    d *= 2 / N\n", "    d *= 2 / N\n    d[:, :] -= Y\n"),
        (COUNTED, "(1 - h**2)", "h * (1 - h)"),
        (SMALL, "np.array([f, 1.0])", "np.array([f, 2.0])"),
        (LABELS, "    p /= len(y)\n", ""),
        (LISTS, "back += v", "back = v"),
        (LISTS, "1 - h[j] ** 2", "1 - h[j]"),
        (NORMALISED, "ddiff +=", "ddiff ="),
        (NORMALISED, "-1.5", "-0.5"),
    ],
)
def test_what_is_proved_to_be_wrong_becomes_right_where_the_words_are_followed(
    text, old, new, written
):
    assert text.count(old) == 1 or text.partition("def gradient")[2].count(old) == 1
    before, _, after = text.partition("def gradient")
    text, rng = f"{before}def gradient{after.replace(old, new)}", np.random.default_rng(1)
    wrong, args = written(text), (rng.normal(size=(3, 3)), rng.normal(size=(3, 2)))
    finding = bp.check_gradient(wrong.loss, wrong.gradient, *args).findings[0]
    assert finding.proved
    mended = written(followed(text, finding))
    assert bp.check_gradient(wrong.loss, mended.gradient, *args).ok


ROUNDS = """
import numpy as np

X, Y = np.random.default_rng(0).normal(size=(4, 3)), np.random.default_rng(1).normal(size=(4, 2))
rate = 0.1


def loss(w, v):
    return np.mean(np.sum((np.tanh(X @ w) @ v - Y) ** 2, axis=1)) + rate * np.sum(w**2)


def gradient(w, v):
    dw, dv = np.zeros_like(w), np.zeros_like(v)
    for x, y in zip(X, Y):
        h = np.tanh(x @ w)
        d = 2 * (h @ v - y) / 4
        dv += np.outer(h, d)
        dw += np.outer(x, (v @ d) * (1 - h**2))
    gw = dw + 2 * rate * w
    return gw, dv
"""


def test_what_is_returned_in_a_loop_is_to_be_behind_it(written):
    text = ROUNDS.replace(
        "    gw = dw + 2 * rate * w\n    return gw", "        return dw + rate * w"
    ).replace("rate * np.sum(w**2)", "rate / 2 * np.sum(w**2)")
    wrong, rng = written(text), np.random.default_rng(1)
    report = bp.check_gradient(
        wrong.loss, wrong.gradient, rng.normal(size=(3, 3)), rng.normal(size=(3, 2))
    )
    finding = report.findings[0]
    assert finding.source == "return dw + rate * w, dv"
    assert finding.repair == "move the line behind the loop, which ends here in its first round"


@pytest.mark.parametrize(
    ("text", "old", "new", "told"),
    [
        (MASKED, "h <= 0", "h < 0", "After line 17, dh has -2.12963 at [1, 1], and should have 0."),
        (COUNTED, "n = len(Y)", "n = Y.size", "the mean is over the rows and not over all numbers"),
        (OVER_ALL, "/ n", "/ len(Y)", "d should be ∂L/∂"),
        (OVER_ALL, " / n", "", "divide it by n."),
        (ROUNDS, " + 2 * rate * w", "", "add 2 * rate * w."),
        (ROUNDS, " / 4", "", "divide it by 4."),
        (COUNTED.replace("n = len(Y)", "n = 0"), " / n", "", "divide it by 6."),
    ],
)
def test_what_is_told_is_of_what_is_marked_and_can_be_written(text, old, new, told, written):
    before, _, after = text.partition("def gradient")
    wrong = written(f"{before}def gradient{after.replace(old, new)}")
    rng = np.random.default_rng(1)
    report = bp.check_gradient(
        wrong.loss, wrong.gradient, rng.normal(size=(3, 3)), rng.normal(size=(3, 2))
    )
    said = " ".join(str(report).split())
    assert told in said


def test_where_three_lines_are_wrong_those_are_named_that_are_the_first(written):
    text = COUNTED.replace("(w, v)", "(w, v, b)").replace("h @ v -", "h @ v + b -")
    text = text.replace("X.T @ dz, h.T @ d", "X.T @ dz, dv, db")
    text = text.replace("(1 - h**2)", "h * (1 - h)")
    text = text.replace("    dh", "    db = d.mean(axis=0)\n    dv = X.T @ d * 3 + 1\n    dh")
    wrong, rng = written(text), np.random.default_rng(1)
    args = rng.normal(size=(3, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    report = bp.check_gradient(wrong.loss, wrong.gradient, *args)
    named = {each.line: each for each in report.findings if each.line}
    lines = text.splitlines()
    assert [lines[line - 1].split()[0] for line in named] == ["db", "dv", "dz"]
    assert not any(each.proved for each in named.values())
    assert all("More may be wrong" in each.message for each in named.values())
    assert next(iter(named.values())).repair == "d.sum(axis=0) in place of d.mean(axis=0)"


def test_an_entry_that_is_changed_is_named_and_not_the_line_that_scales_all(written):
    wrong = written(LABELS.replace("    p[range(4), y]", "    p[range(4), 0]"))
    rng = np.random.default_rng(1)
    args = rng.normal(size=(3, 3)), rng.normal(size=(3, 2))
    [finding] = (e for e in bp.check_gradient(wrong.loss, wrong.gradient, *args).findings if e.line)
    assert finding.source == "p[range(4), 0] -= 1"


LESSON = """
import backprop_nb as bp

x, y = 0.5, 1.0


def loss(a_0, b_0, a_1, b_1):
    return (bp.sigmoid(a_1 * bp.sigmoid(a_0 * x + b_0) + b_1) - y) ** 2


def gradient(a_0, b_0, a_1, b_1):
    f_1 = bp.sigmoid(a_0 * x + b_0)
    f_2 = bp.sigmoid(a_1 * f_1 + b_1)
    delta_2 = 2 * (f_2 - y) * f_2 * (1 - f_2)
    da_1 = delta_2 * f_1
    db_1 = delta_2
    delta_1 = delta_2 * a_1 * f_1 * (1 - f_1)
    da_0 = delta_1 * x
    db_0 = delta_1
    return da_0, db_0, da_1, db_1
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("da_1 = delta_2 * f_1", "da_1 = delta_2"),
        ("da_1 = delta_2 * f_1", "da_1 = f_1"),
        ("da_1 = delta_2 * f_1", "da_1 = 0.5 * delta_2 * f_1"),
        ("db_1 = delta_2", "db_1 = 0.0"),
        ("db_1 = delta_2", "db_1 = 2 * delta_2"),
        ("da_0 = delta_1 * x", "da_0 = delta_1"),
        ("db_0 = delta_1", "db_0 = 1.0"),
        ("db_0 = delta_1", "db_0 = delta_1 * x"),
    ],
)
def test_the_line_that_computes_is_named_and_not_that_which_returns(old, new, written):
    number = LESSON.splitlines().index(f"    {old}") + 1
    lesson = written(LESSON.replace(old, new))
    report = bp.check_gradient(lesson.loss, lesson.gradient, 0.3, -0.2, 0.8, 0.4)
    assert [each.line for each in report.findings if each.line] == [number]
    assert report.findings[0].proved


# --- the figure -------------------------------------------------------------------------------


def said(*findings, ok=False):
    """Return what becomes of a pass of which findings name lines: (rank, line from it, proved)."""
    entry = WRONG[0]
    named = [
        SimpleNamespace(rank=rank, line=entry.lines[0] + away, proved=proved)
        for rank, away, proved in findings
    ]
    lineless = SimpleNamespace(rank=1, line=None, proved=False)
    return Outcome(entry, SimpleNamespace(ok=ok, findings=(*named, lineless)), "", 0.1)


@pytest.mark.parametrize(
    ("found", "verdict", "misproved"),
    [
        (said((1, 0, True)), "first", False),
        (said((1, 2, True), (1, 0, True)), "first", False),
        (said((1, 2, True), (1, 0, False)), "first", True),
        (said((1, 2, False), (2, 0, True)), "later", False),
        (said((1, 2, True)), "elsewhere", True),
        (said(), "no line", False),
        (said(ok=True), "accepted", False),
        (Outcome(WRONG[0], None, "KeyError: 'dW1'", 0.1), "raised", False),
    ],
    ids=["alone", "shared", "not the one proved", "second", "another", "none", "ok", "raised"],
)
def test_the_verdict_on_a_wrong_pass(found, verdict, misproved):
    assert (found.verdict, found.is_misproved) == (verdict, misproved)


def test_the_figure_counts(capsys):
    right = [
        Outcome(RIGHT[0], SimpleNamespace(ok=ok, findings=()), "", 0.3) for ok in (True, False)
    ]
    wrong = [said((1, 0, True)), said((1, 2, True)), said(ok=True)]
    counted = figure(right, wrong, [])
    assert counted["first"] == pytest.approx(1 / 3)
    assert (counted["accused"], counted["accepted"], counted["misproved"]) == (1, 1, 1)
    assert counted["seconds"] == 0.1
    assert "1 of 3 (33 %) line named first" in capsys.readouterr().out
