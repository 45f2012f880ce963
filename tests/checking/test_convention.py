"""What a course may choose, and what does not go together."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from courses import COURSES, by_the_tracer
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.checking.convention import Convention, Course
from backprop_nb.checking.probes import make_probes
from backprop_nb.checking.reference import ReferencePass


@pytest.mark.parametrize(
    ("options", "problem", "instead"),
    [
        ({"activation": "selu"}, "`activation` must be", None),
        (
            {"loss": "cross-entropy", "output": "tanh"},
            "needs an output that is a prob",
            "'softmax'",
        ),
        ({"loss": "cross-entropy", "half": True}, "Only the squared error is halved", "half=False"),
        ({"bias": "both"}, "`bias` must be True, False, ", None),
        ({"bias": "matrix"}, "Biases with two axes", 'samples="column"'),
        ({"l2": -1}, "`l2` must be a number that is not negative", None),
        ({"l2": True}, "`l2` must be a number", None),
        ({"labels": True}, "Targets are labels where", 'output="softmax"'),
        ({"widths": (3,)}, "A network needs an input", None),
        ({"parameters": "tuple"}, "`parameters` must be", None),
        ({"returns": "vector"}, "`returns` must be", None),
        ({"parameters": "dict", "names": "W"}, "Each layer needs a name of its own", '"W{i}"'),
        ({"parameters": "dict", "names": (["V", "W"], "b{i}")}, "as many names as", "layers=2"),
        ({"parameters": "list", "order": "W1 b1"}, "`order` must have the name of every", None),
        ({"calls": "x y params"}, "`calls` has 'params', which stands for no argument", None),
        ({"names": 7}, "`names` must be text", None),
        ({"names": "W{i}, b{i}"}, "that of one name", "('W{i}', 'b{i}')"),
        (
            {"output": "softmax", "loss": "cross-entropy", "widths": (2, 1)},
            "A softmax of one unit",
            'output="sigmoid"',
        ),
    ],
)
def test_what_does_not_exist_or_go_together_is_refused(options, problem, instead):
    with pytest.raises(bp.InvalidValueError) as caught:
        bp.check_backward(lambda *_: None, **options)
    assert problem in caught.value.problem
    assert instead is None or instead in caught.value.instead


@pytest.mark.parametrize("name", COURSES)
def test_a_course_survives_json(name):
    course = COURSES[name]
    assert Course(**json.loads(json.dumps(asdict(course)))) == course
    assert hash(Course(**json.loads(json.dumps(asdict(course))))) == hash(course)


def test_names_are_patterns_or_lists():
    assert Course(parameters="dict", layers=2, names="w_{i-1}").weight_names == ("w_0", "w_1")
    names = (["hidden", "out"], ["hidden bias", "out bias"])
    assert Course(parameters="dict", layers=2, names=names).bias_names == tuple(names[1])
    assert Course(names=("W", "b"), layers=2).leaf_names == {
        ("A", 0): "W[0]", ("A", 1): "W[1]", ("b", 0): "b[0]", ("b", 1): "b[1]",
    }  # fmt: skip
    course = Course(parameters="list", layers=2, order="b1, b2, W1, W2")
    assert [*course.leaf_names.values()] == ["b1", "b2", "W1", "W2"]
    assert Course(bias="in_weights", weights="in_out", parameters="list", layers=1).bias_names == (
        "W1[0]",
    )


def test_shapes_follow_the_layout():
    assert Convention("rows", weights="in_out").weight_shape(2, 5) == (2, 5)
    shapes = {
        each: Convention("rows", bias=each).bias_shape(3) for each in (True, "flat", "matrix")
    }
    assert shapes == {True: (3,), "flat": (3,), "matrix": (1, 3)}
    assert Convention("columns", bias="flat").bias_shape(3) == (3,)
    assert Convention("column").data_shape(3, 1) == (3, 1)


@pytest.mark.parametrize("samples", ["single", "rows"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_layer_of_relus_is_silent_on_a_probe(samples, seed):
    course = Course(samples, activation="relu", seed=seed, layers=4)
    for probe in nonempty(make_probes(course)):
        steps = ReferencePass(course).intermediates(probe.A, probe.b, probe.x, probe.y)
        hidden = [e.value for e in steps if e.step.name == "pre_activation" and e.i < 4]
        wide = [z for z in hidden if len(z) > 2]
        assert [(z > 0).any(axis=0).all() and not (z > 0).all() for z in wide] == [True] * len(wide)
        assert len(hidden) == 3


@pytest.mark.parametrize("seed", range(6))
def test_no_probe_is_so_saturated_that_right_passes_differ(seed):
    options = {"activation": "identity", "output": "softmax", "loss": "cross-entropy", "layers": 4}
    for samples in ("single", "rows"):
        course = Course(samples, **options, seed=seed)
        for probe in nonempty(make_probes(course)):
            *_, (_, _, delta) = (
                each
                for each in ReferencePass(course).intermediates(probe.A, probe.b, probe.x, probe.y)
                if each.step.name == "output_delta"
            )
            assert np.abs(delta).max() > 1e-7
    tanh = Course("rows", activation="tanh", output="tanh", seed=seed)
    assert bp.check_backward(by_the_tracer(tanh), samples="rows", activation="tanh", output="tanh",
                             seed=seed).ok  # fmt: skip


def test_wide_layers_are_not_saturated():
    (probe, *_) = make_probes(Course("rows", widths=(784, 32, 10)))
    assert np.abs(probe.x @ probe.A[0].T).mean() < 4


@pytest.mark.parametrize("names", [("W", "b"), (["W"], ["b"])])
def test_the_names_of_a_single_layer_need_no_number(names):
    course = Course(samples="rows", weights="in_out", parameters="dict", layers=1, names=names)
    assert course.weight_names + course.bias_names == ("W", "b")
