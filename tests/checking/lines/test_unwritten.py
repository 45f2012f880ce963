"""A frame that is not filled in is told from code that is wrong, and from code with dots in it."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.lines.unwritten import unwritten
from backprop_nb.checking.report import HINTS


def loss(w, x):
    return np.sum((w * x) ** 2)


def half_written(w, x):
    error = w * x
    dw = ...
    return dw, 2 * error * dw


def computing(w, x):
    return 2 * ... * w, x


def helped(w, x):
    return helper(w, x), helper(x, w)


def helper(a, b):
    step = ...
    return step * a * b**2


def around(w, x):
    def inner():
        return ...

    return inner(), inner()


class Given:
    def gradient(self, w, x):
        return ..., ...


def gradient(w, x):
    return 2 * w[..., None][..., 0] * x**2, 2 * w**2 * x[...]


def with_default(w, x, axis=...):
    return gradient(w, x)


ARGS = np.array([1.0, 2.0]), np.array([3.0, 4.0])


@pytest.mark.parametrize("hints", HINTS)
@pytest.mark.parametrize(
    "frame", [half_written, computing, helped, around, Given().gradient], ids=lambda f: f.__name__
)
def test_a_frame_is_not_written_yet_and_the_line_is_named(frame, hints):
    report = bp.check_gradient(loss, frame, *ARGS, hints=hints)
    assert report.score == 0.0
    assert [each.mistake for each in report.findings] == ["not_written"]
    lines = sorted({dots.start[0] for dots in unwritten(frame)})
    assert f"Put your own code in place of the dots in line {lines[0]}." in str(report)
    assert str(report).startswith("loss: not written yet.")
    assert "wrong" not in str(report)
    assert "✗" not in report._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("written", [gradient, with_default])
def test_dots_that_are_code_are_code(written):
    assert unwritten(written) == []
    assert bp.check_gradient(loss, written, *ARGS).ok


def backward(A, b, x, y):
    delta = ...
    dA = [np.outer(delta, ...) for _ in A]
    return dA, [A_i[..., 0] for A_i in A]


@pytest.mark.parametrize("hints", HINTS)
def test_a_backward_pass_that_is_not_written_is_not_wrong(hints):
    report = bp.check_backward(backward, hints=hints)
    assert report.score == 0.0
    assert "in place of the dots in lines " in report.findings[0].message
    assert str(report).startswith("backward: not written yet.")
    assert "wrong" not in str(report)


def test_dots_that_are_handed_over_are_not_written_yet():
    report = bp.check_gradient(loss, (..., 2 * ARGS[0] ** 2 * ARGS[1]), *ARGS)
    assert [each.ok for each in report.parameters] == [False, True]
    assert report.parameters[0].text == "not written yet"


def test_a_frame_without_a_text_is_not_written_yet_where_dots_come_back():
    space = {}
    exec("def gradient(w, x):\n    return ...", space)
    report = bp.check_gradient(loss, space["gradient"], *ARGS)
    assert [each.text for each in report.parameters] == ["not written yet"] * 2
    assert report.findings[0].message == ("Put your own code in place of the dots.")


def never_called():
    return ...


def right_beside_dots(w, x):
    return gradient(w, x) if len(w) else never_called()


def test_what_is_right_is_right_whatever_stands_beside_it():
    assert unwritten(right_beside_dots)
    assert bp.check_gradient(loss, right_beside_dots, *ARGS).ok


def first_of_two(w, x):
    dw = 2 * w * x**2
    dx = ...
    return dw, dx


def wrong_first_of_two(w, x):
    dw = 2 * w * x
    dx = ...
    return dw, dx


@pytest.mark.parametrize(("frame", "score"), [(first_of_two, 0.5), (wrong_first_of_two, 0.0)])
def test_what_is_written_already_is_judged(frame, score):
    report = bp.check_gradient(loss, frame, *ARGS)
    dw, dx = (each.text for each in report.parameters)
    assert dw.startswith("right" if score else "wrong: dw[1] is ")
    assert dx == "not written yet"
    assert report.score == score
    assert "in place of the dots in line " in str(report)


@pytest.mark.parametrize("odd", [3, None, np.sin, print, type("C", (), {"__call__": gradient})()])
def test_what_has_no_text_has_no_dots(odd):
    assert unwritten(odd) == []
