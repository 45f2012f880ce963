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


def half_of_a_pass(A, b, x, y):
    f1 = bp.sigmoid(A[0] @ x + b[0])
    f2 = bp.sigmoid(A[1] @ f1 + b[1])
    delta2 = 2 * (f2 - y) * f2
    delta1 = ...
    return [..., np.outer(delta2, f1)], [delta1, delta2]


def half_in_a_dict(A, b, x, y):
    f1 = bp.sigmoid(A[0] @ x + b[0])
    f2 = bp.sigmoid(A[1] @ f1 + b[1])
    delta2 = 2 * (f2 - y) * f2
    return {"dA0": ..., "db0": None, "dA1": np.outer(delta2, f1), "db1": delta2}


@pytest.mark.parametrize("seconds", [None, 20.0])
@pytest.mark.parametrize(
    ("frame", "options"),
    [(half_of_a_pass, {}), (half_in_a_dict, {"returns": "dict", "names": ("A", "b")})],
)
def test_what_is_wrong_in_half_a_pass_is_said_with_its_line(frame, options, seconds):
    report = bp.check_backward(frame, widths=(3, 4, 2), seconds=seconds, **options)
    first, *_, last = report.findings
    assert (first.mistake, first.source) == ("activation_as_slope", "2 * (f2 - y) * f2")
    assert first.repair == "multiply it by (1 - f2)"
    assert last.mistake == "not_written"
    assert [each.is_open for each in report.parameters] == [True, True, False, False]
    assert "missing" not in str(report)


def test_what_is_wrong_in_half_a_gradient_is_said_with_its_line():
    first, *_, last = bp.check_gradient(loss, wrong_first_of_two, *ARGS).findings
    assert (first.source, first.repair) == ("2 * w * x", "multiply it by x")
    assert last.mistake == "not_written"


def with_a_line_to_write(w, x):
    dw = 2 * w
    ...  # noqa: PIE790, the frame that a student is given
    return dw, 2 * w**2 * x


def test_no_line_is_blamed_that_may_wait_for_one_to_be_written():
    report = bp.check_gradient(loss, with_a_line_to_write, *ARGS)
    assert [each.mistake for each in report.findings] == ["not_written"]
    assert [each.ok for each in report.parameters] == [False, True]
