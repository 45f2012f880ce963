"""How a course's pass is called and its answer read: every way, checked by the tracer."""

from functools import partial
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
from courses import COURSES, OPTIONS, by_the_tracer, handed_over, in_course
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.checking.convention import Course
from backprop_nb.checking.packing import arguments, course_loss, unpacked
from backprop_nb.checking.probes import make_probes
from backprop_nb.checking.search import whole_mistakes

each_course = pytest.mark.parametrize("name", OPTIONS)


@each_course
def test_the_right_pass_is_right_and_is_the_gradient_of_the_courses_loss(name):
    course = COURSES[name]
    report = bp.check_backward(in_course(course), **OPTIONS[name])
    assert report.ok, str(report)
    if course.returns is None:
        # Two sources: the reference pass, and the tracer on a loss that knows nothing of it.
        assert bp.check_backward(by_the_tracer(course), **OPTIONS[name]).ok


@each_course
def test_what_is_packed_comes_out_again(name):
    course = COURSES[name]
    for probe in nonempty(make_probes(course)):
        given = arguments(course, probe.A, probe.b, probe.x, probe.y)
        A, b, x, _ = unpacked(course, given, probe.widths)
        for one, other in zip([*A, *b, x], [*probe.A, *probe.b, probe.x], strict=True):
            np.testing.assert_array_equal(one, other)


# Where shapes differ in a vector, or in a matrix that has the biases, its parts cannot be told.
TOLD = [
    name
    for name, course in COURSES.items()
    if course.parameters != "flat" and course.bias != "in_weights"
]


@pytest.mark.parametrize("name", TOLD)
def test_mistakes_are_recognised_in_any_course(name):
    course = COURSES[name]
    tied = {"cross_entropy_delta", "sigma_prime_missing_at_output"} if course.half else set()
    for mistake in nonempty(whole_mistakes(course)):
        # A partial has no text, so that no time goes into finding its line.
        report = bp.check_backward(partial(in_course(course, mistake.id)), **OPTIONS[name])
        found = {each.mistake for each in report.findings if each.rank == 1}
        assert found == (tied if mistake.id in tied else {mistake.id}), mistake
        assert "dA[" not in str(report) or course.parameters == "lists"


def test_the_loss_has_the_arguments_of_the_pass():
    course = COURSES["rows, no biases"]
    probe = make_probes(course)[0]
    given = arguments(course, probe.A, probe.b, probe.x, probe.y)
    graph = bp.trace(course_loss(course), *given)
    assert [node.name for node in graph.inputs] == ["x", "y", "W1", "W2"]
    f = probe.x
    for W in probe.A:
        f = bp.sigmoid(f @ W)
    assert graph.value == pytest.approx(np.sum((f - probe.y) ** 2) / 2)


# --- answers -------------------------------------------------------------------------

DICT = OPTIONS["columns, dict, tanh"]
KEYS = ["W1", "b1", "W2", "b2"]


ANSWERS = {
    "keys": lambda g: g,
    "prefixed": lambda g: {f"d{key}": each for key, each in g.items()},
    "suffixed": lambda g: {f"{key}_grad": each for key, each in reversed(g.items())},
    "beside the loss": lambda g: (0.5, {f"d{key}": each for key, each in g.items()}),
    "attributes": lambda g: SimpleNamespace(**{f"d{key}": each for key, each in g.items()}),
    "two lists": lambda g: {"dW": [g["W1"], g["W2"]], "db": [g["b1"], g["b2"]]},
}


@pytest.mark.parametrize("change", ANSWERS.values(), ids=ANSWERS)
def test_gradients_are_found_by_their_names(change):
    right = in_course(COURSES["columns, dict, tanh"])
    assert bp.check_backward(lambda *given: change(right(*given)), **DICT).ok


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: None, 'nothing. Return a dict with the keys "dW1", "db1", "dW2", "db2"'),
        (lambda g: {"grad": 1}, "dict with the keys 'grad'. Return a dict with the keys"),
        (lambda g: {"dW1": g["W1"]}, "dW2: it is missing. The same is wrong with db2 and db1"),
        (lambda g: {**g, "W2": g["W2"].T}, "dW2 wrong: its shape is (3, 2), expected (2, 3)"),
        (lambda g: {**g, "W2": "none"}, "dW2: not made of real numbers, but of text"),
    ],
)
def test_what_cannot_be_read_is_said_with_what_is_expected(change, words):
    right = in_course(COURSES["columns, dict, tanh"])
    options = {**DICT, "widths": (4, 3, 2)}
    report = bp.check_backward(lambda *given: change(right(*given)), **options)
    assert not report.ok
    assert words in " ".join(str(report).split())


def test_the_order_of_lists_is_not_guessed_and_can_be_said():
    course = COURSES["one column, biases first"]
    options = {**OPTIONS["one column, biases first"], "returns": None}
    text = str(bp.check_backward(in_course(course), **options))
    assert "dA and db have changed places" in text


def test_what_a_pass_changes_is_named_as_the_course_does():
    course = COURSES["columns, dict, tanh"]

    def backward(params, x, y):
        answer = in_course(course)({**params}, x, y)
        params["W1"] *= 2
        params["cache"] = x
        return answer

    (offence,) = bp.check_backward(backward, **DICT).offences
    assert "W1 and the dict parameters are not as before" in offence.message.replace(
        "the dict parameters and W1", "W1 and the dict parameters"
    )


def test_biases_among_the_weights_are_judged_apart():
    name = "a vector with biases among the weights"
    course = COURSES[name]
    options = {**OPTIONS[name], "parameters": "list", "calls": "parameters x y"}

    def backward(thetas, x, y):
        flat = np.concatenate([each.ravel() for each in thetas])
        cuts = [(4, 4), (3, 5)]
        vector = in_course(course)(flat, 3, 4, 3, x, y, course.l2)
        gradients = [part.reshape(s) for part, s in zip(np.split(vector, [16]), cuts, strict=True)]
        gradients[0][:, 0] *= 3
        return gradients

    report = bp.check_backward(backward, **options)
    assert [each.ok for each in report.parameters] == [True, False, True, True]
    assert report.findings[0].parameter == "dTheta1[:, 0]"


def test_gradients_are_handed_over_in_the_order_that_was_agreed_on():
    course = COURSES["one list, linear output, mean of entries"]
    dA, db = [np.full(1, 1.0), np.full(1, 2.0)], [np.full(1, 3.0), np.full(1, 4.0)]
    assert [float(each[0]) for each in handed_over(course, dA, db)] == [1.0, 2.0, 3.0, 4.0]


# --- courses that nobody thought of ------------------------------------------------------

CHOICES = {
    "samples": ["single", "column", "rows", "columns"],
    "reduction": ["mean", "sum", "mean_entries"],
    "activation": ["sigmoid", "tanh", "relu", "leaky relu", "identity"],
    "output": ["sigmoid", "tanh", "relu", "identity", "softmax"],
    "loss": ["squared error", "cross-entropy"],
    "half": [False, True],
    "l2": [0.0, 0.1],
    "l2_factor": ["1/2", "1", "1/2N", "1/N"],
    "weights": ["out_in", "in_out"],
    "bias": [True, False, "flat", "matrix", "in_weights"],
    "parameters": ["lists", "pairs", "dicts", "dict", "list", "flat", "separate"],
    "layers": [1, 2, 3, 4],
    "calls": ["parameters x y", "x y parameters"],
}


def drawn_course(random):
    """Return options that go together."""
    while True:
        options = {name: random.choice(values) for name, values in CHOICES.items()}
        options["seed"] = random.randrange(1000)
        if options["parameters"] == "flat":
            options["widths"] = random.choice([(3, 3, 3), (4, 3, 2), (2, 5, 3, 4)])
        try:
            return options, Course(**options)
        except bp.InvalidValueError:
            pass


@pytest.mark.parametrize("seed", range(24))
def test_in_courses_drawn_at_random_right_is_right_and_wrong_is_wrong(seed):
    random = Random(seed)
    options, course = drawn_course(random)
    for right in (in_course(course), by_the_tracer(course)):
        report = bp.check_backward(right, **options)
        assert report.ok, (options, str(report))
    mistake = random.choice(whole_mistakes(course))
    assert not bp.check_backward(in_course(course, mistake.id), **options).ok, (mistake, options)
