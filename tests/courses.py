"""Passes as courses call them, made from the reference pass and from the tracer."""

import inspect

import backprop_nb as bp
from backprop_nb.checking.convention import Convention, Course
from backprop_nb.checking.mistake import PlacedMistake
from backprop_nb.checking.mistakes import find, pass_with
from backprop_nb.checking.packing import course_loss, packed_as, unpacked, with_bias_among
from backprop_nb.checking.reference import Situation

OPTIONS = {
    "the document's": {},
    "columns, two lists": {"samples": "columns", "names": ("W", "b"), "reduction": "sum"},
    "one column, biases first": {"samples": "column", "half": True, "returns": "biases weights"},
    "rows, x @ W, dict": {
        "samples": "rows",
        "weights": "in_out",
        "activation": "relu",
        "output": "softmax",
        "loss": "cross-entropy",
        "parameters": "dict",
        "calls": "x y parameters",
        "layers": 2,
        "l2": 0.1,
        "labels": True,
    },
    "columns, dict, tanh": {
        "samples": "columns",
        "activation": "tanh",
        "loss": "cross-entropy",
        "layers": 2,
        "parameters": "dict",
        "calls": "parameters x y",
    },
    "rows, no biases": {
        "samples": "rows",
        "weights": "in_out",
        "bias": False,
        "parameters": "separate",
        "calls": "x y W1 W2",
        "layers": 2,
        "half": True,
        "reduction": "sum",
    },
    "a vector with biases among the weights": {
        "samples": "rows",
        "bias": "in_weights",
        "parameters": "flat",
        "layers": 2,
        "calls": "parameters n0 n1 n2 x y l2",
        "names": "Theta{i}",
        "l2": 0.3,
        "l2_factor": "1/2N",
        "loss": "cross-entropy",
        "widths": (3, 4, 3),
    },
    "rows, matrices of biases, one vector": {
        "samples": "rows",
        "weights": "in_out",
        "bias": "matrix",
        "parameters": "flat",
        "output": "softmax",
        "loss": "cross-entropy",
        "calls": "x y parameters widths",
        "layers": 2,
        "widths": (4, 3, 2),
        "reduction": "mean",
    },
    "one list, linear output, mean of entries": {
        "samples": "rows",
        "weights": "in_out",
        "parameters": "list",
        "activation": "relu",
        "output": "identity",
        "reduction": "mean_entries",
        "order": "W1 W2 b1 b2",
        "layers": 2,
    },
    "pairs, flat biases, leaky": {
        "samples": "columns",
        "bias": "flat",
        "parameters": "pairs",
        "output": "identity",
        "activation": "leaky relu",
    },
    "dicts, softmax with squares": {
        "samples": "rows",
        "parameters": "dicts",
        "output": "softmax",
        "activation": "tanh",
        "l2": 0.2,
        "l2_factor": "1/N",
    },
    "one list of matrices with biases, deep": {
        "samples": "columns",
        "weights": "in_out",
        "bias": "in_weights",
        "activation": "leaky relu",
        "output": "softmax",
        "loss": "cross-entropy",
        "calls": "x y parameters",
        "names": ("Theta", ""),
        "layers": 4,
    },
    "lists without biases": {"samples": "column", "bias": False, "activation": "tanh"},
    "vectors, separate": {
        "samples": "single",
        "parameters": "separate",
        "activation": "tanh",
        "output": "tanh",
        "calls": "x y parameters",
        "names": ("w{i}", "b{i}"),
        "layers": 2,
        "reduction": "sum",
    },
}
"""Courses that differ in everything that a course may choose."""

CONVENTIONS = (
    *(
        {"samples": "rows", "reduction": reduction, "half": half}
        for reduction in ("mean", "sum")
        for half in (False, True)
    ),
    {"samples": "rows", "reduction": "mean_entries"},
    {"samples": "single"},
    {"samples": "rows", "activation": "tanh", "output": "tanh"},
    {"samples": "rows", "loss": "cross-entropy"},
    {"samples": "rows", "l2": 0.5},
    {"samples": "rows", "l2": 0.5, "l2_factor": "1"},
)
"""So many conventions it takes to make every mistake of the catalogue."""


def convention_of(mistake, widths=(3, 3, 3, 3)):
    """Return the first of the conventions in which a mistake can be made."""
    for options in CONVENTIONS:
        N = 1 if options["samples"] == "single" else 4
        if mistake.applies(Situation(widths, N, Convention(**options))):
            return options
    raise LookupError(mistake)


COURSES = {name: Course(**options) for name, options in OPTIONS.items()}


def in_course(course, *ids, layers=None):
    """Return the reference pass with some mistakes, as a course calls it."""
    placed = [PlacedMistake(find(each), (layers or {}).get(each)) for each in ids]
    reference = pass_with(placed, course)

    def backward(*given):
        A, b, x, y = unpacked(course, given, course.widths or ())
        if course.labels:
            n = A[-1].shape[0 if course.weights == "out_in" else 1]
            y = (y[:, None] == range(n)).astype(float)
        if not b:
            b = [[0.0] * len(each if course.weights == "out_in" else each.T) for each in A]
        return handed_over(course, *reference(A, b, x, y))

    return backward


def handed_over(course, dA, db):
    """Return gradients as a course wants them."""
    how = course.returns or course.parameters
    if course.bias == "in_weights":
        dA, db = [with_bias_among(course, *each) for each in zip(dA, db, strict=True)], []
    leaves = {("A", i): each for i, each in enumerate(dA)}
    leaves |= {("b", i): each for i, each in enumerate(db)}
    packed = packed_as(course, how, {place: leaves[place] for place in course.leaf_names})
    return packed[0] if len(packed) == 1 and how != "separate" else tuple(packed)


def by_the_tracer(course):
    """Return the gradient of the course's loss, in the structure of the parameters."""

    def backward(*given):
        names = [*inspect.signature(course_loss(course)).parameters]
        data = {name for name in names if name in ("x", "y", "l2", "widths") or name[0] == "n"}
        places = [k for k, name in enumerate(names) if name not in data]

        def loss(*parameters):
            arguments = list(given)
            for k, each in zip(places, parameters, strict=True):
                arguments[k] = each
            return course_loss(course, widths)(*arguments)

        widths = course.widths
        gradients = bp.grad(loss, argnums=tuple(range(len(places))))(*(given[k] for k in places))
        return gradients[0] if len(places) == 1 else gradients

    return backward
