"""The check of a backward pass: what it asks for and refuses, its limits, and other courses."""

import io
import os
import signal
import sys
import threading

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking import backward as checking
from backprop_nb.checking.isolation import FORKS
from backprop_nb.checking.mistakes import make_backward
from backprop_nb.checking.report import Finding
from backprop_nb.network.activations import softmax

by_hand = make_backward(samples="single")
_IN_ROWS = {"samples": "rows", "weights": "in_out", "activation": "relu", "output": "identity"}


def found(report):
    return [each.mistake for each in report.findings if each.rank == 1]


# --- refusals -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"samples": "row"},
        {"reduction": "average"},
        {"half": 2},
        {"hints": "all"},
        {"layers": 0},
        {"seconds": 0},
    ],
)
def test_a_convention_that_does_not_exist_is_refused_with_those_that_do(options):
    with pytest.raises(bp.InvalidValueError) as caught:
        bp.check_backward(by_hand, **options)
    (name,) = options
    assert f"{name} = {options[name]!r}" in caught.value.given
    assert caught.value.problem.startswith(f"`{name}` must be ")


def test_what_cannot_be_called_is_refused():
    with pytest.raises(bp.UnsupportedError, match="`backward` must be a function"):
        bp.check_backward(by_hand(*[[np.eye(1)], [np.zeros(1)], np.zeros(1), np.zeros(1)]))


def test_an_interrupt_is_not_swallowed():
    def backward(A, b, x, y):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bp.check_backward(backward)


def test_standard_output_is_as_it_was(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    bp.check_backward(lambda *_: sys.exit())
    assert sys.stdout is stream
    assert stream.getvalue() == ""


# --- limits ---------------------------------------------------------------------------


def test_an_endless_loop_is_stopped_at_its_line_and_not_called_again():
    def backward(A, b, x, y):
        print("called")
        while True:
            try:  # noqa: SIM105 - the loop itself is to be stopped, not a helper of it
                x = x + 1
            except Exception:
                pass

    report = bp.check_backward(backward, seconds=0.5)
    assert report.score == 0.0
    assert "OutOfTime: no answer after 0.5 s (in backward, line" in str(report)
    assert [each.mistake for each in report.findings] == ["raised_exception"]
    assert report.offences == ()
    assert report.printed == "called\n"
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.skipif(not FORKS, reason="this system cannot copy a process with threads")
@pytest.mark.parametrize(
    ("end", "seconds", "said"),
    [
        (lambda: os._exit(3), 60, "the process ended with exit code 3"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), 60, "ended by the signal SIGSEGV"),
        (lambda: sum(range(10**15)), 0.2, "still running after"),  # no alarm is heard inside of it
    ],
)
def test_with_a_limit_a_pass_that_ends_its_process_is_only_wrong(monkeypatch, end, seconds, said):
    monkeypatch.setattr(checking, "_STARTING", 0.2)
    report = bp.check_backward(lambda *_: end(), seconds=seconds, hints="none")
    assert report.score == 0.0
    assert report.hints == "none"
    [finding] = report.findings
    assert finding.mistake == "raised_exception"
    assert finding.message.startswith("dA[2] and all others: ")
    assert said in finding.message


def test_a_limit_on_time_leaves_a_quick_pass_alone_in_any_thread():
    reports = [bp.check_backward(by_hand, seconds=60)]
    thread = threading.Thread(target=lambda: reports.append(bp.check_backward(by_hand, seconds=60)))
    thread.start()
    thread.join()
    assert [each.ok for each in reports] == [True, True]


def test_a_right_pass_that_names_an_unwritten_function_is_right():
    def later(x):
        return ...

    def backward(A, b, x, y):
        return by_hand(A, b, x, y) if len(A) else later(x)

    assert bp.check_backward(backward).ok


# --- another course ---------------------------------------------------------------


def for_two_layers(A, b, x, y):
    _, _ = A
    return make_backward(samples="rows")(A, b, x, y)


def with_flat_biases(A, b, x, y):
    if b[0].ndim > 1:
        raise ValueError("operands could not be broadcast together")
    dA, db = make_backward(samples="columns")(A, [each[:, None] for each in b], x, y)
    return dA, [each[:, 0] for each in db]


def made_with(samples="rows", **options):
    return make_backward(samples=samples, **options), {"samples": samples}, options


@pytest.mark.parametrize(
    ("backward", "asked", "option"),
    [
        made_with(activation="relu"),
        made_with(activation="tanh"),
        made_with(activation="leaky relu", samples="columns"),
        made_with(output="softmax", loss="cross-entropy"),
        made_with(weights="in_out"),
        (for_two_layers, {"samples": "rows"}, {"layers": 2}),
        (with_flat_biases, {"samples": "columns"}, {"bias": "flat"}),
        (make_backward(samples="columns"), {"samples": "rows"}, {"samples": "columns"}),
    ],
)
def test_a_pass_that_another_option_makes_right_is_told_so_first(backward, asked, option):
    report = bp.check_backward(backward, **asked)
    first = report.findings[0]
    said = ", ".join(f"{name}={value!r}" for name, value in option.items())
    assert (report.score, first.mistake, first.line) == (0.0, "another_course", None)
    assert f"right with {said}. Is that your course?" in first.message
    assert len(report.findings) > 1
    assert bp.check_backward(backward, **asked | option).ok


def test_another_option_is_told_within_a_limit_and_only_where_nothing_is_known():
    relu = make_backward(samples="rows", activation="relu")
    for options in ({"seconds": 20.0}, {}):
        report = bp.check_backward(relu, samples="rows", **options)
        assert found(report) == ["another_course"]
    assert "activation" not in str(bp.check_backward(relu, samples="rows", hints="vague"))
    assert found(bp.check_backward(make_backward("missing_factor_2"), samples="rows")) == [
        "missing_factor_2"
    ]
    wrong = make_backward("sign_flipped", samples="rows", activation="relu")
    assert "another_course" not in found(bp.check_backward(wrong, samples="rows"))


def in_a_loop(
    forward=lambda z: np.maximum(z, 0),
    slope=lambda f: f > 0,
    clipped=lambda d: d,
    put=lambda grads: grads,
    lookup=lambda f, k: f[k],
):
    """A pass of any number of layers, of which one part may be wrong."""

    def backward(A, b, x, y):
        f = [x]
        for k in range(len(A)):
            z = f[-1] @ A[k] + b[k]
            f.append(forward(z) if k < len(A) - 1 else z)
        d = 2 * (f[-1] - y) / len(x)
        dA, db = [None] * len(A), [None] * len(A)
        for k in reversed(range(len(A))):
            d = clipped(d)
            dA[k], db[k] = lookup(f, k).T @ d, d.sum(0)
            d = d @ A[k].T * slope(f[k])
        return put(dA), db

    return backward


_HIDDEN = {
    "a floor": in_a_loop(forward=lambda z: np.maximum(z, 0.1)),
    "another function": in_a_loop(forward=np.abs),
    "a clip": in_a_loop(clipped=lambda d: np.clip(d, -0.3, 0.3)),
    "a clipped norm": in_a_loop(clipped=lambda d: d * min(1, 1 / np.linalg.norm(d))),
    "a missing key": in_a_loop(lookup=lambda f, k: {0: f[0], 2: f[2]}[k]),
    "one for all": in_a_loop(put=lambda grads: grads[-1:]),
    "reversed": in_a_loop(put=lambda grads: grads[::-1]),
}


@pytest.mark.parametrize("layers", [2, 3, 4])
@pytest.mark.parametrize("mistake", _HIDDEN)
def test_an_option_that_hides_what_is_wrong_in_the_middle_is_not_told(mistake, layers):
    report = bp.check_backward(_HIDDEN[mistake], layers=layers, **_IN_ROWS)
    assert not report.ok
    assert "layers=" not in str(report)


def test_a_single_sample_hides_what_is_wrong_in_a_batch():
    def backward(A, b, x, y):
        E = np.exp(A[0] @ x + b[0])
        d = (E / E.sum() - y) / x.shape[1]  # and where is the axis?
        return [d @ x.T], [d.sum(axis=1, keepdims=True)]

    course = {"samples": "columns", "output": "softmax", "loss": "cross-entropy", "layers": 1}
    assert bp.check_backward(backward, **course | {"samples": "column"}).ok
    assert "samples=" not in str(bp.check_backward(backward, **course))


def test_the_line_is_looked_for_beside_another_option(monkeypatch):
    line = Finding("wrong_line", "dA[0]", 1, "", line=7, proved=True)
    monkeypatch.setattr(checking, "line_of", lambda *_: line)
    relu = make_backward(samples="rows", activation="relu")
    first, second = bp.check_backward(relu, samples="rows").findings
    assert (first.mistake, first.line, second.line) == ("another_course", None, 7)


def named_one_by_one(parameters):
    """A pass of two layers, in which each parameter is named."""

    def of(W1, b1, W2, b2, x, y):
        f = np.maximum(x @ W1 + b1, 0)
        d = 2 * (f @ W2 + b2 - y) / len(x)
        e = d @ W2.T * (f > 0)
        return x.T @ e, e.sum(0), f.T @ d, d.sum(0)

    def from_dict(p, x, y):
        found = of(p["W1"], p["b1"], p["W2"], p["b2"], x, y)
        return dict(zip(("dW1", "db1", "dW2", "db2"), found, strict=True))

    def unpacked(p, x, y):
        W1, b1, W2, b2 = p
        return list(of(W1, b1, W2, b2, x, y))

    ways = {"dict": from_dict, "separate": of, "list": unpacked}
    return ways.get(parameters, lambda p, x, y: list(of(*p[:4], x, y)))


@pytest.mark.parametrize("layers", [1, 3, 4])
@pytest.mark.parametrize("parameters", ["dict", "separate", "list", "list by index"])
def test_code_that_names_its_layers_is_told_for_how_many_it_is(parameters, layers):
    course = _IN_ROWS | {"parameters": parameters.split()[0]}
    backward = named_one_by_one(parameters)
    first = bp.check_backward(backward, layers=layers, **course).findings[0]
    assert "right with layers=2. Is that your course?" in first.message
    assert bp.check_backward(backward, layers=2, **course).ok


def test_a_pass_that_takes_its_arguments_in_another_order_is_told_the_order():
    def backward(x, y, A, b):
        return A[0] @ x, b

    said = bp.check_backward(backward).findings[0].message
    assert "It is called with (A, b, x, y), and takes (x, y, A, b)" in said
    assert "calls='x y parameters'" in said


def test_who_leaves_the_order_out_is_told_the_option():
    def backward(X, Y, params):
        H = np.maximum(X @ params["W1"] + params["b1"], 0)
        P = softmax(H @ params["W2"] + params["b2"])
        D2 = (P - Y) / len(X)
        D1 = D2 @ params["W2"].T * (H > 0)
        return {"dW1": X.T @ D1, "db1": D1.sum(0), "dW2": H.T @ D2, "db2": D2.sum(0)}

    course = {"samples": "rows", "weights": "in_out", "activation": "relu", "output": "softmax"}
    course |= {"loss": "cross-entropy", "parameters": "dict", "layers": 2}
    right, raised = bp.check_backward(backward, **course).findings
    assert right.message.startswith("dW2 and all others are right with calls='x y parameters'.")
    assert "takes (X, Y, params): if that is your course, check it with calls=" in raised.message
    assert bp.check_backward(backward, **course, calls="x y parameters").ok


def yields(A, b, x, y):
    yield A, b


async def waits(A, b, x, y):
    return A, b


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize(
    ("f", "instead"), [(yields, "return in place of yield"), (waits, "def in")]
)
def test_a_pass_that_computes_nothing_yet_is_told_what_to_write(f, instead):
    assert instead in bp.check_backward(f).findings[0].message
