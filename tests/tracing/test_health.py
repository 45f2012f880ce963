"""Health marks: each says what is so, and what it says of the gradient is what the rule does."""

import math
import warnings

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.tracing.rules import TABLE

ZERO = "the slope is taken to be 0, and the second derivative too"
HALF = "each receives half of the gradient"
SHARE = "they share the gradient in equal parts"
STEEP = "the slope is infinite"


def quiet(f, *args):
    """Trace where NumPy and the tracer have much to warn of."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", bp.BackpropWarning)
        return bp.trace(f, *args)


def said(node):
    return [str(mark) for mark in node.health]


# Each function at a point that deserves a remark: kind, the end of the text, the gradients.
CHOICE = "what flows back depends on the choice that NumPy made"
ORDER = "they keep their order, and the gradient follows it back"
WINNER = "the condition decides which receives the gradient"
RANK = "the slope among matrices of the same rank is taken"
FLAT = "hardly any gradient passes"
TWINS, SINGULAR, EYE = np.array([4.0, 1.0, 4.0]), np.diag([1.0, 0.0]), np.eye(2)
REMARKS = [
    (np.absolute, [0.0], "kink", ZERO, [0.0]),
    (np.fabs, [0.0], "kink", ZERO, [0.0]),
    (np.sqrt, [0.0], "kink", STEEP, [math.inf]),
    (np.cbrt, [0.0], "kink", STEEP, [math.inf]),
    (np.arcsin, [1.0], "kink", STEEP, [math.inf]),
    (np.arccos, [-1.0], "kink", STEEP, [-math.inf]),
    (np.arccosh, [1.0], "kink", STEEP, [math.inf]),
    (np.arctan2, [0.0, 0.0], "kink", "the slope is NaN", [math.nan, math.nan]),
    (np.power, [0.0, 0.5], "kink", STEEP, [math.inf, 0.0]),
    (np.float_power, [0.0, 0.5], "kink", STEEP, [math.inf, 0.0]),
    (np.remainder, [4.0, 2.0], "kink", "the slope beside it is taken", [1.0, -2.0]),
    (np.fmod, [4.0, 2.0], "kink", "the slope beside it is taken", [1.0, -2.0]),
    (np.hypot, [0.0, 0.0], "kink", ZERO, [0.0, 0.0]),
    (np.maximum, [2.0, 2.0], "tie", HALF, [0.5, 0.5]),
    (np.minimum, [2.0, 2.0], "tie", HALF, [0.5, 0.5]),
    (np.fmax, [2.0, 2.0], "tie", HALF, [0.5, 0.5]),
    (np.fmin, [2.0, 2.0], "tie", HALF, [0.5, 0.5]),
    (np.max, [np.array([3.0, 1.0, 3.0])], "tie", SHARE, [[0.5, 0.0, 0.5]]),
    (np.min, [np.array([1.0, 1.0, 3.0])], "tie", SHARE, [[0.5, 0.5, 0.0]]),
    (np.nanmax, [np.array([3.0, 1.0, 3.0])], "tie", SHARE, [[0.5, 0.0, 0.5]]),
    (np.nanmin, [np.array([1.0, 1.0, 3.0])], "tie", SHARE, [[0.5, 0.5, 0.0]]),
    (np.ptp, [np.array([1.0, 3.0, 3.0])], "tie", SHARE, [[-1.0, 0.5, 0.5]]),
    (np.clip, [2.0, 0.0, 2.0], "kink", "the whole gradient passes", [1.0, 0.0, 0.0]),
    (np.clip, [2.0, 2.0, 2.0], "tie", "each bound receives half", [0.0, 0.5, 0.5]),
    (lambda h: np.heaviside(0.0, h), [0.5], "kink", "receives the gradient there", [1.0]),
    (np.std, [np.array([2.0, 2.0])], "kink", ZERO, [[0.0, 0.0]]),
    (np.linalg.norm, [np.zeros(2)], "kink", ZERO, [[0.0, 0.0]]),
    (lambda x, y: np.where(x > 0, x, y), [0.0, 0.0], "tie", WINNER, [0.0, 1.0]),
    (lambda x: np.sort(x)[1], [TWINS], "tie", ORDER, [[1.0, 0.0, 0.0]]),
    (lambda x: np.partition(x, 1)[1], [TWINS], "tie", ORDER, [[1.0, 0.0, 0.0]]),
    (np.median, [TWINS], "tie", ORDER, [[1.0, 0.0, 0.0]]),
    (lambda x: np.quantile(x, 0.75), [np.r_[TWINS, 4.0]], "tie", ORDER, [[0.0, 0.0, 0.75, 0.25]]),
    (lambda x: np.linalg.norm(x, 1), [np.array([0.0, 3.0])], "kink", ZERO, [[0.0, 1.0]]),
    (lambda x: np.linalg.norm(x, np.inf), [np.array([-3.0, 3.0])], "tie", SHARE, [[-0.5, 0.5]]),
    (lambda x: np.linalg.norm(x, np.inf), [np.zeros(2)], "kink", ZERO, [[0.0, 0.0]]),
    (lambda a: np.linalg.eigvalsh(a)[0], [EYE], "tie", CHOICE, [SINGULAR]),
    (lambda a: np.linalg.eigh(a, "U")[0][0], [EYE], "tie", CHOICE, [SINGULAR]),
    (lambda a: np.linalg.pinv(a)[0, 0], [SINGULAR], "kink", RANK, [-SINGULAR]),
    (lambda a: np.linalg.svdvals(a)[0], [EYE], "tie", CHOICE, [SINGULAR]),
    (lambda a: np.linalg.svd(a)[1][0], [EYE], "tie", CHOICE, [SINGULAR]),
    (bp.sigmoid, [4.0], "saturated", FLAT, [0.01766270621329112]),
    (np.tanh, [-3.0], "saturated", FLAT, [0.009866037165440211]),
]


@pytest.mark.parametrize(("function", "args", "kind", "end", "gradients"), REMARKS)
def test_the_rule_does_what_the_mark_says(function, args, kind, end, gradients):
    graph = quiet(function, *args)
    # Each output of a function is a node, with the same mark.
    [mark] = {mark for node in graph.nodes for mark in node.health}
    assert mark.kind == kind
    assert mark.text.endswith(end)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bp.BackpropWarning)  # it says where a slope is infinite
        found = graph.backward().gradients
    for gradient, expected in zip(found, gradients, strict=True):
        np.testing.assert_allclose(gradient, expected)


def test_every_remark_of_the_table_is_among_them():
    functions = [node.record.row for f, args, *_ in REMARKS for node in quiet(f, *args).nodes]
    assert {row.name for row in TABLE.values() if row.remarks} <= {
        row.name for row in functions if hasattr(row, "remarks")
    }


BESIDE = [
    (np.absolute, [1e-9]),
    (np.sqrt, [1e-9]),
    (np.fmod, [0.0, 2.0]),
    (np.power, [0.0, 2.0]),
    (np.maximum, [2.0, 1.0]),
    (np.max, [np.array([[1.0, 2.0]])]),
    (lambda x: np.max(x, axis=1)[0], [np.array([[1.0, 2.0], [1.0, 3.0]])]),
    (lambda x: np.clip(x, None, 2.0), [1.0]),
    (lambda x: np.sum(np.sort(x, axis=0)), [np.array([[1.0, 1.0], [2.0, 2.0]])]),
    (np.linalg.norm, [np.array([0.0, 3.0])]),
    (bp.sigmoid, [2.8]),
    (np.tanh, [1.4]),
]


@pytest.mark.parametrize(("function", "args"), BESIDE)
def test_beside_the_point_all_is_healthy(function, args):
    assert [said(node) for node in bp.trace(function, *args).nodes if node.health] == []


def relu(z):
    return np.sum(np.maximum(z, 0.0))


def test_a_mark_names_the_arguments_and_counts_the_entries():
    node = bp.trace(relu, np.array([1.0, 0.0, -1.0, 0.0])).nodes[1]
    assert said(node) == [
        "tie: z and 0.0 are equal in 2 of 4 entries: each receives half of the gradient"
    ]


def test_all_entries_are_all_and_one_number_has_none():
    def texts(x):
        return said(bp.trace(lambda x: np.sum(np.abs(x)), x).nodes[1])

    corner = "where |x| has a corner: the slope is taken to be 0, and the second derivative too"
    assert texts(np.zeros(2)) == [f"kink: x is 0 in all 2 entries, {corner}"]
    assert texts(0.0) == [f"kink: x is 0, {corner}"]


def test_ties_over_an_axis_are_counted_in_the_result():
    graph = bp.trace(lambda x: np.sum(np.max(x, axis=1)), np.array([[1.0, 1.0], [1.0, 2.0]]))
    assert "the largest in 1 of 2 entries" in said(graph.nodes[1])[0]


def test_the_first_infinity_and_the_first_nan_are_told_from_what_follows():
    def f(x, y):
        u = np.log(x)
        v = u * y
        return np.sum(v)

    graph = quiet(f, np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    marks = {node.name: said(node) for node in graph.nodes if node.health}
    assert marks == {
        "u": ["not finite: infinity appears here first in 1 of 2 entries"],
        "v": ["not finite: NaN appears here first in 1 of 2 entries"],
        "f": ["not finite: NaN, handed on from v"],
    }
    assert [mark.handed_on for node in graph.nodes for mark in node.health] == [False, False, True]


def test_an_input_or_a_constant_can_be_the_first():
    graph = quiet(lambda x: x + np.array([1.0, np.inf]), np.array([np.nan, 1.0]))
    assert said(graph.node("x")) == ["not finite: NaN appears here first in 1 of 2 entries"]
    assert said(graph.nodes[-1]) == [
        "not finite: NaN in 1 of 2 entries, handed on from x",
        f"not finite: infinity in 1 of 2 entries, handed on from {graph.nodes[-1].parents[1].name}",
    ]


def test_looking_at_marks_warns_of_nothing():
    graph = quiet(np.arctan2, np.nan, 0.0)
    with np.errstate(all="raise"):
        assert [mark.kind for mark in graph.output.health] == ["not finite"]


def test_saturated_means_the_same_to_the_tracer_and_to_the_network():
    net = bp.SigmoidNetwork.from_parameters(A=[[[1.0], [10.0], [-3.0]]], b=[[0.0, 0.0, 0.0]])
    graph = net.trace(np.array([1.0]), np.zeros(3))
    # Each output of a function is a node, with the same mark.
    [mark] = {mark for node in graph.nodes for mark in node.health}
    assert "in 2 of 3 entries" in mark.text
    assert net.saturation([1.0]) == pytest.approx(2 / 3)


def test_what_begins_here_and_what_is_handed_on_are_told_apart_entry_by_entry():
    graph = quiet(lambda x: np.log(x), np.array([0.0, -1.0, np.inf]))
    assert said(graph.output) == [
        "not finite: NaN appears here first in 1 of 3 entries",
        "not finite: infinity appears here first in 1 of 3 entries",
        "not finite: infinity in 1 of 3 entries, handed on from x",
    ]
