"""The check of a gradient: what is right, what is wrong, and at which line."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from of_two import W, X, f, right

import backprop_nb as bp
from backprop_nb.checking import given
from backprop_nb.errors import InvalidValueError


def test_a_right_gradient_is_right_whether_it_is_a_function_or_values():
    for gradient in (right, right(W, X), list(right(W, X))):
        report = bp.check_gradient(f, gradient, W, X)
        assert report.ok
        assert report.score == 1.0
        assert type(report.score) is float
        assert report.findings == ()
        report.raise_if_wrong()
    assert str(report).splitlines() == ["f: right, all 2 gradients.", "  dW  right", "  dx  right"]


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


def test_a_gradient_that_is_missing_at_the_end_is_reported():
    report = bp.check_gradient(f, right(W, X)[:1], W, X)
    assert [each.ok for each in report.parameters] == [True, False]
    assert report.findings[0].mistake == "missing_gradient"


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit])
def test_a_gradient_that_raises_is_reported_and_does_not_raise(error):
    def gradient(W, x):
        raise error("no")

    report = bp.check_gradient(f, gradient, W, X)
    assert report.score == 0.0
    assert report.findings[0].mistake == "raised_exception"
    assert f"{error.__name__}: no" in str(report)


def test_standard_error_stays_silent(capfd):
    report = bp.check_gradient(lambda x: np.log(x), lambda x: 1 / x, 0.0)
    assert "The function is -inf here" in report.notes[0]
    assert capfd.readouterr() == ("", "")


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


@pytest.mark.parametrize(
    "mask", ["h[h <= 0] = 0", "z[z <= 0] = 0", "dz = dh.copy()\n    dz[z <= 0] = 0"]
)
def test_no_values_are_compared_where_a_mask_is_set_in_another_array(mask, written):
    text = _OF_CLASSES.replace("dh[z <= 0] = 0", mask)
    W, V = np.random.default_rng(6).normal(size=(2, 3, 3))
    report = bp.check_gradient(of_classes, written(text).gradient, W, V, _INPUT, _LABELS)
    [found] = report.findings
    assert found.proved
    assert found.repair.startswith("dh in place of ")
    assert (found.given, found.expected, found.difference) == (None, None, "")


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


def test_half_of_the_gradient_with_the_other_sign_is_no_step_of_an_update():
    def given(times):
        return str(bp.check_gradient(squares, [times * 2 * np.arange(1.0, 4.0)], np.arange(1.0, 4)))

    def squares(x):
        return np.sum(x**2)

    assert "is −0.5 times the right one." in given(-0.5)
    assert "step of an update" not in given(-0.5)
    assert "step of an update" in given(-0.1)


def test_a_line_that_one_mistake_is_in_is_no_other_place_of_the_other():
    def loss(W, V):
        return np.sum((V @ np.tanh(W @ np.arange(1.0, 4.0))) ** 2)

    def gradient(W, V):
        x = np.arange(1.0, 4.0)
        h = np.tanh(W @ x)
        d = 2 * (V @ h)
        dV = np.outer(h, d)
        dh = (V.T @ d) * (1 - h**2)
        dW = np.outer(x, dh)
        return dW, dV

    W, V = np.arange(12.0).reshape(4, 3) / 20, np.arange(8.0).reshape(2, 4) / 10
    first = gradient.__code__.co_firstlineno
    said = str(bp.check_gradient(loss, gradient, W, V))
    assert f"2 mistakes: one in line {first + 4}, and one in line {first + 6}." in said


DATA = np.random.default_rng(3).normal(size=(4, 3))
KEPT: dict[str, np.ndarray] = {}


def squares(w):
    return np.sum((DATA @ w) ** 2)


def test_a_gradient_that_is_right_at_its_first_call_alone_is_not_right():
    def adding(w):
        KEPT["dw"] = KEPT.get("dw", 0) + 2 * DATA.T @ (DATA @ w)
        return KEPT["dw"]

    kept = np.zeros(3)

    def into_the_same_array(w):
        kept[:] += 2 * DATA.T @ (DATA @ w)
        return kept

    for gradient in (adding, into_the_same_array):
        report = bp.check_gradient(squares, gradient, np.ones(3))
        assert not report.ok
        assert [each.mistake for each in report.offences] == ["state_kept_between_calls"]
        assert "it is twice the first one" in report.offences[0].message
        assert all(each.ok for each in report.parameters)


def test_a_backward_pass_may_read_what_the_forward_pass_has_kept():
    def forward(w):
        KEPT["z"] = DATA @ w
        return np.sum(KEPT["z"] ** 2)

    w = np.ones(3)
    forward(w)
    assert bp.check_gradient(forward, lambda w: 2 * DATA.T @ KEPT["z"], w).ok


def test_a_gradient_that_comes_once_alone_is_not_right():
    left = iter([DATA])

    def used_up(w):
        data = next(left)
        return 2 * data.T @ (data @ w)

    def gone(w):
        gone.calls += 1
        return 2 * DATA.T @ (DATA @ w) if gone.calls == 1 else None

    gone.calls = 0
    for gradient, said in ((used_up, "StopIteration"), (gone, "it returns other things")):
        report = bp.check_gradient(squares, gradient, np.ones(3))
        assert not report.ok
        assert said in report.offences[0].message


@pytest.mark.parametrize("kept", ["a dict", "an attribute", "a helper", "a default"])
@pytest.mark.parametrize("is_right", [True, False])
def test_no_gradient_is_judged_by_a_loss_whose_data_it_has_changed(kept, is_right):
    data, held = DATA.copy(), {"x": None}
    held["x"] = data
    box = SimpleNamespace(x=data)

    def read():
        return {"a dict": held["x"], "an attribute": box.x}.get(kept, data)

    def loss(w, x=data):
        return np.sum(((x if kept == "a default" else read()) @ w) ** 2)

    def gradient(w):
        if is_right:
            right = 2 * data.T @ (data @ w)
            data[...] *= 0.5
            return right
        centred = read()
        centred -= centred.mean(axis=0)
        return 2 * centred.T @ (centred @ w)

    with pytest.raises(InvalidValueError) as caught:
        bp.check_gradient(lambda w: loss(w), gradient, np.ones(3))
    before, after = np.sum((DATA @ np.ones(3)) ** 2), np.sum((data @ np.ones(3)) ** 2)
    assert str(caught.value) == (
        "The gradient function changes what the loss reads, so nothing can be checked.\n"
        f"  given:    a loss of {before:.6g} before its call, and of {after:.6g} for the same "
        "arguments after it\n"
        "  expected: data that stay as they are\n"
        "  instead:  a copy to write into, such as x = x.copy(), and the data made anew"
    )


def test_large_data_that_the_loss_reads_are_not_copied(monkeypatch):
    monkeypatch.setattr(given, "_MOST_BYTES", DATA.nbytes - 1)
    before = DATA.copy()

    def gradient(w):
        DATA[0, 0] += 1
        return 2 * DATA.T @ (DATA @ w)

    try:
        with pytest.raises(InvalidValueError, match="changes what the loss reads"):
            bp.check_gradient(squares, gradient, np.ones(3))
    finally:
        DATA[...] = before


@pytest.mark.parametrize("factor", [2, 3])
def test_what_loss_and_gradient_print_is_printed_once(factor, capsys):
    def loss(w):
        print("loss")
        return np.sum(w**2)

    def gradient(w):
        print("gradient")
        return factor * w

    assert bp.check_gradient(loss, gradient, np.ones(20)).ok == (factor == 2)
    assert sorted(capsys.readouterr().out.split()) == ["gradient", "loss"]


def test_a_gradient_that_is_right_is_called_again_in_silence(capsys):
    def gradient(w):
        print("called")
        return 2 * DATA.T @ (DATA @ w)

    assert bp.check_gradient(squares, gradient, np.ones(3)).ok
    assert capsys.readouterr().out == "called\n"


def test_the_loss_is_that_of_the_data_before_the_gradient_wrote_into_them():
    def gradient(w):
        x = DATA
        x -= x.mean(axis=0)
        return 2 * x.T @ (x @ w)

    before = DATA.copy()
    report = bp.check_gradient(squares, gradient, np.ones(3))
    assert np.array_equal(DATA, before)
    assert np.allclose(report.parameters[0].expected, 2 * DATA.T @ (DATA @ np.ones(3)))
    assert report.findings[0].repair == "leave the line out"
    assert "It writes into what the loss reads: DATA is not as before" in report.notes[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([200.0, 4.0], "dw[1] is 4, expected 2 (error 0.01 of the largest entry)"),
        ([100.0, 2.0], "dw[0] is 100, expected 200 (relative error 0.5)"),
        ([200.0, 2.001], "dw[1] is 2.001, expected 2 (error 5e-06 of the largest entry)"),
    ],
)
def test_an_error_is_said_with_what_it_is_relative_to(given, said):
    def loss(w):
        return np.sum(w**2 * np.array([100.0, 1.0]))

    report = bp.check_gradient(loss, lambda w: np.array(given), np.ones(2))
    assert f"wrong: {said}\n" in str(report)


def test_a_mask_that_changes_a_name_in_place_is_told_by_what_the_name_holds():
    X, T = np.random.default_rng(0).normal(size=(2, 5, 3))

    def loss(W):
        return np.sum((np.maximum(X @ W, 0) - T) ** 2)

    def gradient(W):
        d = 2 * (np.maximum(X @ W, 0) - T)
        d *= X @ W < 0
        return X.T @ d

    (finding,) = bp.check_gradient(loss, gradient, np.eye(3)).findings
    line = gradient.__code__.co_firstlineno + 2
    assert (finding.line, finding.source) == (line, "X @ W < 0")
    assert finding.difference.startswith(f"After line {line}, d has ")


def test_a_gradient_that_is_handed_on_as_another_one_is_wrong_at_that_line():
    T = np.arange(6.0).reshape(2, 3)

    def loss(b1, b2):
        return np.sum((np.tanh(b1) @ np.ones((4, 3)) + b2 - T) ** 2)

    def gradient(b1, b2):
        d = 2 * (np.tanh(b1) @ np.ones((4, 3)) + b2 - T)
        db2 = d.sum(axis=0)
        db1 = db2
        return db1, db2

    finding = bp.check_gradient(loss, gradient, 0.1 * np.arange(4.0), np.ones(3)).findings[0]
    assert finding.line == gradient.__code__.co_firstlineno + 3
    assert finding.quantity == "∂L/∂b1"
