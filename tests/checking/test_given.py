"""How a gradient is called and its answer read, and what it is called."""

import signal

import numpy as np
import pytest
from of_two import W, X, f, right

import backprop_nb as bp


def test_gradients_in_another_order_are_right_and_it_is_said():
    report = bp.check_gradient(f, lambda W, x: right(W, x)[::-1], W, X)
    assert report.ok
    assert "came as dx and dW, in another order than the arguments" in report.notes[0]
    assert not bp.check_gradient(f, right, W, X).notes
    assert not bp.check_gradient(
        f, lambda W, x: {"dx": right(W, x)[1], "dW": right(W, x)[0]}, W, X
    ).notes


def test_what_the_keys_of_an_argument_tell_no_shape_has_told():
    def loss(of):
        return f(of["W"], of["x"])

    def gradient(of):
        dW, dx = right(of["W"], of["x"])
        return {"x": dx, "W": dW}

    report = bp.check_gradient(loss, gradient, {"W": W, "x": X})
    assert report.ok
    assert not report.notes


def test_one_argument_needs_no_tuple():
    assert bp.check_gradient(np.sin, np.cos, 1.0).ok
    assert bp.check_gradient(np.sin, lambda x: (np.cos(x),), 1.0).ok


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


def test_without_arguments_there_is_nothing_to_check():
    with pytest.raises(bp.InvalidValueError, match="nothing to differentiate by"):
        bp.check_gradient(lambda: 1.0, ())


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


def test_nested_arguments_are_named_as_they_are_read():
    def loss(p):
        return np.sum(p["w"] * p["b"][1])

    point = {"w": np.ones(2), "b": [1.0, 2.0]}
    report = bp.check_gradient(loss, {"w": np.full(2, 2.0), "b": [0.0, 3.0]}, point)
    assert [each.name for each in report.parameters] == ["dw", 'dp["b"][0]', 'dp["b"][1]']
    assert [each.ok for each in report.parameters] == [True, True, False]


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
