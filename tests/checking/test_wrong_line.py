"""The line of a backward pass that is wrong: which it is, and what to write there."""

import re
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from followed import followed

import backprop_nb as bp
from backprop_nb.checking import wrong_line
from backprop_nb.checking.lines.rewritten import Rewriting
from backprop_nb.checking.report import Finding

_IN_ROWS = {"samples": "rows", "weights": "in_out", "activation": "relu", "output": "identity"}


IN_A_LOOP = """import numpy as np
import backprop_nb as bp

def backward(A, b, x, y):
    f = [np.array(x)]
    for A_i, b_i in zip(A, b):
        f.append(bp.sigmoid(A_i @ f[-1] + b_i))
    dA, db, g = [], [], 2 * (f[-1] - y)
    for i in reversed(range(len(A))):
        delta = g * f[i + 1] * (1 - f[i + 1])
        dA.insert(0, np.outer(delta, f[i]))
        db.insert(0, delta)
        g = A[i].T @ delta
    return dA, db
"""


_ERROR, _SLOPE = "2 * (f[-1] - y)", "f[i + 1] * (1 - f[i + 1])"
_BELOW, _OUTER = "A[i].T @ delta", "np.outer(delta, f[i])"


@pytest.fixture
def without_the_two(written):
    return written(IN_A_LOOP.replace(_ERROR, "f[-1] - y")).backward


@pytest.mark.parametrize("seconds", [None, 5])
def test_a_mistake_that_is_named_has_its_line_too(without_the_two, seconds):
    report = bp.check_backward(without_the_two, seconds=seconds)
    finding = report.findings[0]
    assert (finding.mistake, finding.line, finding.proved) == ("missing_factor_2", 8, True)
    assert finding.repair == "multiply it by 2"
    said = f"What is marked in line 8 should be {finding.quantity}; multiply it by 2. With"
    assert said in str(report).replace("\n", " ")
    assert said in report._repr_mimebundle_()["text/html"]
    with pytest.raises(bp.WrongGradientError, match=r"(?m)^ *8 \|     dA, db, g = "):
        report.raise_if_wrong()


def test_clear_hints_give_the_line_and_not_its_repair(without_the_two):
    report = bp.check_backward(without_the_two, hints="clear")
    assert "What is marked in line 8 is where it goes wrong first." in str(report)
    assert "multiply" not in str(report)
    assert report.findings[0].expected is None


def test_a_line_in_the_forward_pass_is_not_contradicted():
    def backward(params, X, y):
        W1, b1, W2, b2 = params
        H = bp.sigmoid(X @ W1 + b1)
        E = np.exp(H @ W2 + b2)
        D2 = (E / E.sum(1, keepdims=True) - y) / len(X)
        D1 = D2 @ W2.T * (H > 0)
        return [X.T @ D1, D1.sum(0), H.T @ D2, D2.sum(0)]

    report = bp.check_backward(
        backward,
        samples="rows",
        weights="in_out",
        activation="relu",
        output="softmax",
        loss="cross-entropy",
        parameters="list",
        layers=2,
    )
    assert report.findings[0].source == "bp.sigmoid(X @ W1 + b1)"
    assert "look at" not in report.findings[0].message


@pytest.mark.parametrize("hints", ["none", "vague"])
def test_hints_may_keep_the_line_of_a_mistake_back(without_the_two, hints):
    report = bp.check_backward(without_the_two, hints=hints)
    assert [each.line for each in report.findings] == [None] * len(report.findings)


_ONE_LAYER = """
import numpy as np

def backward(A, b, x, y):
    f = 1 / (1 + np.exp(-(x @ A[0].T + b[0])))
    delta = 2 * (f - y) * f * (1 - f)
    return [delta.T @ x], [delta.sum(axis=0)]
"""


def test_a_number_in_place_of_the_size_of_the_batch_is_wrong(written):
    def is_right(size):
        backward = written(_ONE_LAYER.replace("2 *", f"2 / {size} *")).backward
        return bp.check_backward(backward, samples="rows", layers=1, hints="none").ok

    assert [each for each in ("len(x)", *range(1, 9)) if is_right(each)] == ["len(x)"]


def test_beside_what_is_missing_a_line_mends_its_own_gradient_only():
    def backward(x, y, p):
        h = np.tanh(x @ p["W1"] + p["b1"])
        delta = 2 * (h @ p["W2"] + p["b2"] - y) / len(x)
        below = delta @ p["W2"].T * (1 - h**2)
        return {"W1": x.T @ below * 3, "b1": below.sum(0), "b2": delta.sum(0)}

    options = {"activation": "tanh", "output": "identity", "parameters": "dict", "layers": 2}
    calls = "x y parameters"
    report = bp.check_backward(backward, samples="rows", weights="in_out", calls=calls, **options)
    missing, tripled = report.findings
    assert (missing.mistake, missing.line) == ("missing_gradient", None)
    assert tripled.message.startswith("dW1 is the next gradient that is wrong")
    assert (tripled.repair, tripled.proved) == ("leave out * 3", False)


def test_a_missing_mean_is_told_in_samples_and_not_in_a_number(written):
    finding = bp.check_backward(written(_ONE_LAYER).backward, samples="rows", layers=1).findings[0]
    assert finding.repair == "divide it by N, with N the number of samples"
    assert (finding.line, finding.quantity) == (6, "∂L/∂z1")


def test_a_mean_that_one_gradient_alone_lacks_is_told_of_that_one(written):
    text = _ONE_LAYER.replace("f = 1", "N, f = len(x), 1").replace("axis=0)", "axis=0) / N")
    report = bp.check_backward(written(text).backward, samples="rows", layers=1)
    [finding] = report.findings
    assert "It is N times the right one. db[0] is right" in finding.message
    assert (finding.source, finding.repair) == ("delta.T @ x", "divide it by N")
    assert finding.proved


def test_a_width_of_the_course_is_not_taken_for_the_number_of_samples(written):
    backward = written(_ONE_LAYER).backward
    for widths in ((7, 1), (8, 7)):
        finding = bp.check_backward(backward, samples="rows", widths=widths).findings[0]
        assert finding.repair == "divide it by N, with N the number of samples"


_OVER_FIVE = """
import numpy as np

def backward(params, x, y):
    W1, b1, W2, b2 = params
    f = np.tanh(x @ W1 + b1)
    d = 2 * (f @ W2 + b2 - y) / 5
    e = d @ W2.T * (1 - f**2)
    return [x.T @ e, e.sum(0), f.T @ d, d.sum(0)]
"""


_OVER_LEN = _OVER_FIVE.replace("d = 2 * (", "diff = (").replace(
    " / 5", "\n    d = 2 * diff / len(diff)"
)


@pytest.mark.parametrize(
    ("text", "reduction", "repair"),
    [
        (_OVER_LEN, "mean_entries", "diff.size in place of len(diff), for the mean is over all "
         "numbers and not over the rows"),
        (_OVER_FIVE, "mean", "multiply it by 5/N, with N the number of samples"),
        (_OVER_FIVE, "sum", "leave out / 5"),
        (_OVER_FIVE, "mean_entries", "multiply it by 5/(N n_K), with N the number of samples and "
         "n_K the number of outputs"),
    ],
)  # fmt: skip
def test_a_repair_holds_on_networks_of_all_sizes(written, text, reduction, repair):
    course = _IN_ROWS | {"activation": "tanh", "reduction": reduction, "parameters": "list"}
    backward = written(text).backward
    finding = bp.check_backward(backward, layers=2, **course).findings[0]
    assert finding.repair == repair


def test_a_repair_of_one_network_is_not_said_to_make_all_right():
    def backward(A, b, x, y):
        f = x @ A[0] + b[0]
        d = 2 * (f - y) / len(x) * (1 if x.shape[1] == 4 else 1.5)
        return [x.T @ d * 3], [d.sum(0)]

    report = bp.check_backward(backward, layers=1, **_IN_ROWS)
    assert "With it, every gradient is right" not in str(report)


@pytest.mark.parametrize(
    ("old", "new", "quantity", "repair"),
    [
        ("g * f[i + 1] *", "g *", "∂f3/∂z3", "multiply it by f[i + 1]"),
        ("delta, f[i]", "delta, f[i + 1]", "the loss's f2", "f[i] in place of f[i + 1]"),
    ],
)
def test_what_is_said_of_a_loop_is_said_of_the_first_round_that_is_wrong(
    written, old, new, quantity, repair
):
    [finding] = bp.check_backward(written(IN_A_LOOP.replace(old, new)).backward).findings
    assert (finding.quantity, finding.repair) == (quantity, repair)
    given, expected = finding.given, finding.expected
    assert given.shape != expected.shape or not np.allclose(given, expected)


_WAYS = [
    (_ERROR, "(f[-1] - y) / len(y)"),
    (_ERROR, "(y - f[-1]) / len(y)"),
    (_ERROR, "(f[-1] - y) / y.size"),
    (_ERROR, "(f[-1] - y) * len(y)"),
    (_ERROR, "2 * (f[-1] - y) / len(y)"),
    (_ERROR, "(f[-1] - y) ** 2"),
    (_ERROR, "2 * np.mean(f[-1] - y)"),
    (_ERROR, "2 * (f[-1] - y) / len(A)"),
    (_SLOPE, "f[i + 1] * (1 - f[i + 1]) / len(f[i + 1])"),
    (_SLOPE, "f[i + 1] * (1 + f[i + 1])"),
    (_BELOW, "A[i].T @ delta / len(delta)"),
    (_BELOW, "2 * A[i].T @ delta"),
    (_OUTER, "np.outer(f[i], delta)"),
    (_OUTER, "np.outer(g, f[i])"),
    (_OUTER, "np.outer(delta, f[i]) / len(x)"),
]


@pytest.mark.parametrize(("old", "new"), _WAYS, ids=[new for _, new in _WAYS])
def test_what_is_said_to_make_all_right_does_so_at_other_widths(written, old, new):
    text = IN_A_LOOP.replace(old, new)
    report = bp.check_backward(written(text).backward)
    finding = report.findings[0]
    mended = followed(text, finding) if finding.proved else None
    assert ("With it, every gradient is right" in " ".join(str(report).split())) == finding.proved
    for widths in ((4, 3, 5, 2), (5, 6, 7, 9), (3, 2, 4, 1)) if mended else ():
        assert bp.check_backward(written(mended).backward, widths=widths).ok, finding.repair


@pytest.mark.parametrize(
    "new", ["(f[-1] - y) / len(y)", "(y - f[-1]) / y.size", "(f[-1] - y) * len(y)"]
)
def test_a_size_that_is_2_by_chance_is_not_meant_for_the_2(written, new):
    finding = bp.check_backward(written(IN_A_LOOP.replace(_ERROR, new)).backward).findings[0]
    assert (finding.repair, finding.proved) == (f"{_ERROR} in place of {new}", True)


def test_a_name_that_is_not_known_is_told_with_the_one_that_is_meant(written):
    backward = written(IN_A_LOOP.replace("outer(delta", "outer(detla")).backward
    [finding] = bp.check_backward(backward).findings
    assert "name 'detla' is not defined (did you mean delta?) (in backward" in finding.message


def test_of_two_lines_that_explain_it_the_other_is_named_too(written):
    backward = written(IN_A_LOOP.replace(_OUTER, f"{_OUTER} / len(x)")).backward
    [finding] = bp.check_backward(backward).findings
    assert finding.repair == "leave out / len(x); or the mistake is in line 14, dA, instead"


def test_a_number_for_one_of_two_lines_is_said_where_it_is_the_same_on_other_networks(written):
    text = """
def backward(p, X, Y):
    f = X @ p["W1"] + p["b1"]
    diff = f - Y
    dout = diff / diff.size
    return {"W1": X.T @ dout, "b1": dout.sum(axis=0)}
"""
    course = {"samples": "rows", "weights": "in_out", "output": "identity", "layers": 1}
    kept = {"parameters": "dict", "names": ("W{i}", "b{i}"), "calls": "parameters x y"}
    options = course | kept | {"reduction": "mean_entries"}
    [finding] = bp.check_backward(written(text).backward, **options).findings
    assert finding.repair == "multiply it by 2; or the mistake is in line 4, f - Y, instead"


@pytest.mark.parametrize(
    "form",
    [
        "np.clip({}, -0.1, 0.1)",
        "np.clip({}, -1, 1)",
        "({}).clip(-0.1, 0.1)",
        "np.round({}, 2)",
        "np.maximum({}, 0)",
        "np.minimum(0.05, {})",
        "np.abs({})",
        "np.tanh({})",
    ],
)
def test_what_bounds_a_right_value_is_to_be_left_out_and_no_line_below_is_accused(written, form):
    text = IN_A_LOOP.replace(_BELOW, form.format(_BELOW))
    finding = bp.check_backward(written(text).backward).findings[0]
    assert str(finding.source) == form.format(_BELOW)
    assert finding.repair.startswith(f"{_BELOW} in place of ")
    assert finding.proved


def test_a_line_that_follows_from_what_it_reads_is_not_accused(written):
    smoothed = f"np.convolve({_BELOW}, [0.9, 0.1], 'same')"
    text = IN_A_LOOP.replace(_BELOW, smoothed)
    [finding] = bp.check_backward(written(text).backward).findings
    assert (str(finding.source), finding.quantity) == (smoothed, "∂L/∂f2")


@pytest.mark.parametrize("hints", ["clear", "plain"])
def test_a_pass_that_raises_shows_its_line_and_what_is_wrong_where_it_runs(written, hints):
    backward = written(IN_A_LOOP.replace("A[i].T", "A[i]")).backward
    runs, raises = bp.check_backward(backward, hints=hints).findings
    assert runs.message.startswith("Where it runs: dA[1]")
    assert (runs.mistake, raises.mistake) == ("weights_not_transposed", "raised_exception")
    assert raises.message.startswith("dA[2] and all others: it raised ValueError")
    assert (str(raises.source), raises.advice) == ("A[i] @ delta", "")
    assert f"line {raises.line})" in raises.message
    assert bp.check_backward(backward, hints="vague").findings[1].line is None


def test_of_two_lines_that_undo_each_other_both_are_named_and_none_is_proved():
    def backward(A, b, x, y):
        p = bp.sigmoid(x @ A[0].T + b[0])
        dp = (p - y) / p / len(x)
        dz = dp * p * (1 - p)
        return [dz.T @ x], [dz.sum(axis=0)]

    options = {"samples": "rows", "loss": "cross-entropy", "layers": 1}
    finding = bp.check_backward(backward, **options).findings[0]
    first = backward.__code__.co_firstlineno
    assert finding.line in (first + 2, first + 3)
    assert not finding.proved
    assert f"What is marked in line {finding.line} s" in str(finding.at_line)


_LINES = {
    "dZ2 = (P - Y) / len(X)": ("dZ2 = P - Y", "dZ2 = (Y - P) / len(X)"),
    "dW2 = H.T @ dZ2": ("dW2 = Z1.T @ dZ2",),
    "db2 = dZ2.sum(axis=0)": ("db2 = dZ2.max(axis=0)",),
    "dZ1 = dZ2 @ W2.T * (Z1 > 0)": ("dZ1 = dZ2 @ W2.T", "dZ1 = dZ2 @ W2.T * H"),
    "dW1 = X.T @ dZ1": ("dW1 = H.T @ dZ1",),
    "db1 = dZ1.sum(axis=0)": ("db1 = dZ2.sum(axis=0)",),
}
_LESSON = f"""
import numpy as np

def backward(params, X, labels):
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    Z1 = X @ W1 + b1
    H = np.maximum(Z1, 0)
    E = np.exp(H @ W2 + b2)
    P = E / E.sum(axis=1, keepdims=True)
    Y = np.eye(P.shape[1])[labels]
    {"; ".join(_LINES).replace("; ", chr(10) + "    ")}
    return {{"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}}
"""
_PAIRS = [pair for two in combinations(_LINES, 2) for pair in product(*map(_LINES.get, two))]
_SLOW = [pytest.param(pair, marks=pytest.mark.slow) for pair in _PAIRS[2:]]


@pytest.mark.parametrize("pair", [*_PAIRS[:2], *_SLOW])
def test_two_lines_that_are_wrong_at_once_are_both_named_and_no_other(written, pair):
    text = _LESSON
    for wrong in pair:
        (right,) = [each for each, ways in _LINES.items() if wrong in ways]
        text = text.replace(right, wrong)
    backward = written(text).backward
    course = {**_IN_ROWS, "output": "softmax", "loss": "cross-entropy", "labels": True}
    report = bp.check_backward(backward, **course, parameters="dict", layers=2, hints="clear")
    (found,) = [each for each in report.findings if each.line]
    numbers = [k for k, line in enumerate(text.split("\n"), start=1) if line.strip() in pair]
    assert not found.proved
    assert [found.line, int(re.search(r"line (\d+)", found.repair)[1])] == numbers


@pytest.mark.parametrize(("second", "named"), [("multiply it by 2", 0), ("square h", 1)])
def test_two_lines_that_lack_one_factor_are_not_wrong_at_once(monkeypatch, second, named):
    each = Finding("wrong_line", "dW1", 1, "It is wrong.", line=5, repair="multiply it by 2")
    other = replace(each, line=7, repair=second, number=2)
    found = [each, other]
    monkeypatch.setattr(wrong_line.WrongLines, "found", lambda _, alone: [] if alone else found)

    def backward(A, b, x, y):
        return [2 * each for each in A], b

    lines = [finding.line for finding in bp.check_backward(backward).findings if finding.line]
    assert lines == [5] * named


def test_two_mistakes_in_a_loop_are_looked_for_once_and_named_with_what_mends_both(
    monkeypatch, written
):
    asked = list[tuple[int, int]]()
    alone = Rewriting.alone

    def counted(self):
        asked.append((id(self), len(self.lines)))
        return alone(self)

    monkeypatch.setattr(Rewriting, "alone", counted)
    text = IN_A_LOOP.replace(_ERROR, "f[-1] - y").replace(_BELOW, "A[i].T @ g")
    finding = bp.check_backward(written(text).backward).findings[0]
    assert (finding.line, finding.proved) == (8, False)
    assert finding.repair == (
        "multiply it by 2; line 13, A[i].T @ g, seems to be wrong, too (delta in place of g); "
        "with both mended, every gradient is right"
    )
    assert len({of for of, _ in asked}) == len(asked)
    assert [lines for _, lines in asked] == [0, 2]


def test_what_is_wrong_in_each_round_is_said_with_the_names_of_the_course(written):
    text = IN_A_LOOP.replace(f"g * {_SLOPE}", "g * 1.0")
    finding = bp.check_backward(written(text).backward).findings[0]
    assert (finding.line, finding.quantity, finding.proved) == (10, "∂L/∂z3", True)


_CLASSIFIER = _IN_ROWS | {"output": "softmax", "loss": "cross-entropy", "parameters": "dict"}


_OF_TARGETS = _LESSON.replace("labels", "Y").replace("    Y = np.eye", "    # ")


def test_axes_that_are_kept_are_wrong_where_they_are_and_not_where_they_are_returned(written):
    text = _OF_TARGETS.replace("db2 = dZ2.sum(axis=0", "db2 = dZ2.sum(axis=0, keepdims=True")
    finding = bp.check_backward(written(text).backward, layers=2, **_CLASSIFIER).findings[0]
    assert text.splitlines()[finding.line - 1].strip().startswith("db2")
    assert (finding.repair, finding.proved) == ("leave out keepdims=True", True)
    assert finding.difference.startswith("What is marked gives shape (1, ")


def test_values_of_another_batch_than_that_of_the_gradients_are_said_to_be(written):
    text = _OF_TARGETS.replace("T * (Z1 > 0)", "T\n    dZ1 *= Z1 < 0")
    finding = bp.check_backward(written(text).backward, layers=2, **_CLASSIFIER).findings[0]
    line = 1 + text.splitlines().index("    dZ1 *= Z1 < 0")
    assert finding.difference.startswith(f"On another batch than above, after line {line}, dZ1 has")


def test_a_wrong_pass_that_names_two_layers_is_first_told_to_be_checked_with_them(written):
    backward = written(_OF_TARGETS.replace("H.T @", "2 * H.T @")).backward
    first = bp.check_backward(backward, **_CLASSIFIER).findings[0]
    assert first.message.endswith("If it is for 2 of them, check it with layers=2.")
    assert first.message.startswith("The networks have 3 layers, and this code names")
    assert first.rank == 1
