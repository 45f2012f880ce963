"""How a course's backward pass is called, and how its answer is read: the edges of the check.

Inside, the weights of a network are a list A and its biases a list b, each array in the
course's own layout.  Here they are put into the arguments of the student's function, and its
answer is taken apart.

Examples
--------
>>> course = Course("rows", weights="in_out", parameters="dict", calls="x y parameters", layers=1)
>>> W, b, x, y = np.ones((2, 3)), np.zeros(3), np.ones((4, 2)), np.ones((4, 3))
>>> [*arguments(course, [W], [b], x, y)[2]]
['W1', 'b1']
>>> round(float(course_loss(course)(x, y, {"W1": W, "b1": b})), 4)
0.0426
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from backprop_nb.checking.convention import Course
from backprop_nb.checking.matching import Unmatched, match
from backprop_nb.errors import InvalidValueError, either
from backprop_nb.network.activations import OUTPUTS
from backprop_nb.network.losses import LOSSES
from backprop_nb.tracing import pytree

Arrays: TypeAlias = Sequence[Any]
Place: TypeAlias = tuple[str, int]
"""("A", i) or ("b", i)."""

# --- from parameters to arguments -----------------------------------------------


def arguments(course: Course, A: Arrays, b: Arrays, x: Any, y: Any) -> list[Any]:
    """Return the arguments with which a course calls its backward pass.

    ``x`` and ``y`` are laid out as the course does; labels are made from y here.
    """
    leaves = _leaves(course, A, b)
    widths = widths_of(course, A)
    given: dict[str, Any] = {"x": x, "y": y, "l2": course.l2, "widths": list(widths)}
    if course.labels:
        given["y"] = np.argmax(y, axis=0 if course.columns or course.samples == "single" else 1)
    given |= {f"n{k}": n for k, n in enumerate(widths)}
    packed = packed_as(course, course.parameters, leaves)
    given |= dict(zip(argument_names(course, "parameters"), packed, strict=True))
    return [given[name] for name in names_of_arguments(course)]


def names_of_arguments(course: Course) -> list[str]:
    """Return the names of all arguments of a course's backward pass."""
    return [name for word in course.called_with for name in argument_names(course, word)]


def argument_names(course: Course, word: str) -> list[str]:
    """Return the names of the arguments for which a word of ``calls`` stands."""
    return [word] if word != "parameters" else _names_as(course, course.parameters)


def _names_as(course: Course, how: str) -> list[str]:
    """Return a name for each part of what is packed in some way."""
    if how == "separate":
        return [*course.leaf_names.values()]
    if how in ("lists", "biases weights"):
        return list_names(course)[:: 1 if how == "lists" else -1]
    return ["theta" if how == "flat" else "parameters"]


def list_names(course: Course) -> list[str]:
    """Return the names of the lists in which parameters are kept."""
    return [*course.symbols[: 1 + (("b", 0) in course.leaf_names)]]


def check_calls(course: Course) -> None:
    """Raise ``InvalidValueError`` if ``calls`` has a word that stands for nothing."""
    numbers = [f"n{k}" for k in range(course.layers + 1)]
    own = argument_names(course, "parameters")
    known = ["parameters", "x", "y", "l2", "widths", *own]
    unknown = [word for word in course.called_with if word not in (*known, *numbers)]
    if unknown:
        raise InvalidValueError(
            f"`calls` has {unknown[0]!r}, which stands for no argument.",
            given=f"calls = {course.calls!r}",
            expected=f'{either(dict.fromkeys(known))}, or the width of one layer, such as "n0"',
        )


def widths_of(course: Course, A: Arrays) -> tuple[int, ...]:
    """Return the widths of the layers, from the weights."""
    out, into = (0, 1) if course.weights == "out_in" else (1, 0)
    return (int(A[0].shape[into]), *(int(each.shape[out]) for each in A))


def _leaves(course: Course, A: Arrays, b: Arrays) -> dict[Place, Any]:
    """Return the arrays that a pass gets, in the course's order."""
    if course.bias != "in_weights":
        given = {("A", i): each for i, each in enumerate(A)}
        given |= {("b", i): each for i, each in enumerate(b)}
        return {place: given[place] for place in course.leaf_names}
    return {("A", i): with_bias_among(course, A[i], b[i]) for _, i in course.leaf_names}


def with_bias_among(course: Course, A: Any, b: Any) -> Any:
    """Return the matrix that has the biases of a layer among its weights."""
    if course.weights == "out_in":
        return np.concatenate([b.reshape(-1, 1), A], axis=1)
    return np.concatenate([b.reshape(1, -1), A], axis=0)


def packed_as(course: Course, how: str, leaves: dict[Place, Any]) -> list[Any]:
    """Return arrays packed in some way, each argument or part of an answer by itself."""
    if how == "separate":
        return [*leaves.values()]
    if how in ("lists", "biases weights"):
        kinds = [kind for kind in "Ab" if (kind, 0) in leaves]
        lists = [[leaves[kind, i] for i in range(course.layers)] for kind in kinds]
        return lists if how == "lists" else lists[::-1]
    if how == "flat":
        return [np.concatenate([each.reshape(-1) for each in leaves.values()])]
    if how == "list":
        return [[*leaves.values()]]
    if how == "dict":
        return [{course.leaf_names[place]: each for place, each in leaves.items()}]
    if ("b", 0) not in leaves:  # pairs of one
        return [[leaves["A", i] for i in range(course.layers)]]
    if how == "pairs":
        return [[(leaves["A", i], leaves["b", i]) for i in range(course.layers)]]
    W, b = course.symbols
    return [[{W: leaves["A", i], b: leaves["b", i]} for i in range(course.layers)]]


# --- from arguments to parameters -----------------------------------------------


def unpacked(
    course: Course, given: Sequence[Any], widths: Sequence[int]
) -> tuple[list[Any], list[Any], Any, Any]:
    """Return A, b, x and y from the arguments of a course's backward pass.

    It undoes :func:`arguments`, with nothing but what can be traced.
    """
    names = names_of_arguments(course)
    by_name = dict(zip(names, given, strict=True))
    parts = [by_name[name] for name in argument_names(course, "parameters")]
    leaves = _leaves_of(course, parts, widths)
    A, b = ([leaves[kind, i] for i in range(course.layers) if (kind, i) in leaves] for kind in "Ab")
    if course.bias == "in_weights":
        out_in = course.weights == "out_in"
        b = [each[:, 0] if out_in else each[0] for each in A]
        A = [each[:, 1:] if out_in else each[1:] for each in A]
    return A, b, by_name["x"], by_name["y"]


def _leaves_of(course: Course, parts: Sequence[Any], widths: Sequence[int]) -> dict[Place, Any]:
    if course.parameters != "flat":
        places = _places_in(course, course.parameters)
        return dict(zip(places, pytree.flatten(list(parts)), strict=True))
    (tree,) = parts
    shapes = leaf_shapes(course, widths)
    ends = np.cumsum([0, *(math.prod(shape) for shape in shapes.values())])
    cuts = zip(shapes.items(), pairwise(map(int, ends)), strict=True)
    return {place: tree[low:high].reshape(shape) for (place, shape), (low, high) in cuts}


def leaf_shapes(course: Course, widths: Sequence[int]) -> dict[Place, tuple[int, ...]]:
    """Return the shape of each array that a pass gets, in the course's order."""
    shapes = {}
    for kind, i in course.leaf_names:
        n_in, n_out = widths[i], widths[i + 1]
        if kind == "b":
            shapes[kind, i] = course.bias_shape(n_out)
        else:
            shapes[kind, i] = course.weight_shape(n_in + (course.bias == "in_weights"), n_out)
    return shapes


# --- from an answer to gradients --------------------------------------------------


class Misspelt(str):
    """What to do about a gradient that is missing, if another key has it."""


def gradients_in(course: Course, answer: Any, A: Arrays, b: Arrays) -> dict[str, Any] | str:
    """Return by ``"dA[i]"`` and ``"db[i]"`` what an answer has for each array of parameters.

    What is missing is None, or a :class:`Misspelt` key that may be it, and ``"loss"`` a number
    that stood beside them.  An answer that cannot be read is a sentence on what it is.
    """
    leaves, how = _leaves(course, A, b), course.returns or course.parameters
    # By the names that the course has for each array; else in the structure that was agreed on.
    named = match(answer, [*leaves.values()], [*course.leaf_names.values()], order=False)
    trees = packed_as(course, how, leaves)
    structured = match(answer, trees, _names_as(course, how), order=False)
    places = _places_in(course, how)
    parts: Sequence[Any]
    if not isinstance(named, Unmatched) and any(named.spelled):
        parts = [
            Misspelt(named.misspelt[k]) if k in named.misspelt else each
            for k, each in enumerate(named.leaves)
        ]
        places, loss = [*leaves], named.loss
    elif not isinstance(structured, Unmatched):
        parts, loss = structured.leaves, structured.loss
        if how == "flat":
            parts = _cut(parts[0], leaves)
    elif not isinstance(named, Unmatched) and how in ("list", "separate", "pairs"):
        places, parts, loss = [*leaves], named.leaves, named.loss
    else:
        return f"it returned {structured.found}. {_advice(course, how)}"
    found = zip(places, parts, strict=True)
    gradients = {f"d{kind}[{i}]": each for (kind, i), each in found}
    return gradients if loss is None else gradients | {"loss": loss}


def _cut(vector: Any, leaves: dict[Place, Any]) -> list[Any]:
    """Return the parts of a vector; if it has another length, it is what each of them is."""
    sizes = [each.size for each in leaves.values()]
    if np.size(vector) != sum(sizes):
        return [vector] * len(leaves)
    parts = np.split(np.ravel(vector), np.cumsum(sizes)[:-1])
    return [part.reshape(each.shape) for part, each in zip(parts, leaves.values(), strict=True)]


def _places_in(course: Course, how: str) -> list[Place]:
    """Return what each leaf of arguments or of an answer stands for, packed in some way."""
    places = [*course.leaf_names]
    if how == "flat":
        return places
    numbers = packed_as(course, how, {place: k for k, place in enumerate(places)})
    return [places[k] for k in pytree.flatten(numbers)]


def _advice(course: Course, how: str) -> str:
    """Say how a course hands its gradients over."""
    names = [f"d{name}" for name in course.leaf_names.values()]
    keys = ", ".join(f'"{name}"' for name in names)
    lists = [f"d{name}" for name in list_names(course)]
    W, b = (f"d{each}" for each in course.symbols)
    forms = {
        "lists": f"({', '.join(lists)}), a list of gradients each",
        "biases weights": f"({', '.join(lists[::-1])}), a list of gradients each",
        "pairs": f"a list of pairs ({W}, {b}), one for each layer",
        "dicts": f'a list of dicts with the keys "{W}" and "{b}", one for each layer',
        "dict": f"a dict with the keys {keys}",
        "list": f"a list [{', '.join(names)}]",
        "flat": f"one vector of all entries of {', '.join(names)}, in this order",
        "separate": f"({', '.join(names)})",
    }
    return f"Return {forms[how]}"


# --- the loss, as the course calls it -----------------------------------------------


def course_loss(course: Course, widths: Sequence[int] | None = None) -> Callable[..., Any]:
    """Return the loss as a function of exactly the arguments of a course's backward pass.

    It can be traced, and shares nothing with the pass in ``reference.py``.

    Only a vector that holds all parameters needs the widths, and only where the course does not
    say.
    """
    of_widths = course.widths if widths is None else widths
    names = names_of_arguments(course)

    def loss(*given: Any) -> Any:
        A, b, x, y = unpacked(course, given, of_widths or ())
        return _loss(course, A, b, x, y)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    safe = [name if name.isidentifier() else f"p{k}" for k, name in enumerate(names)]
    parameters = [inspect.Parameter(name, kind) for name in safe]
    loss.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return loss


def _loss(course: Course, A: Arrays, b: Arrays, x: Any, y: Any) -> Any:
    """Return the loss, with one sample per row inside."""
    rows_in, y = _in_rows(course, x), y if course.labels else _in_rows(course, y)
    N, K = rows_in.shape[0], len(A)
    f = rows_in
    weights = [each.T if course.weights == "out_in" else each for each in A]
    biases = [each.reshape(1, -1) for each in b] if course.has_bias else [0.0] * K
    for i in range(K):
        # Each z and each f is named once, so that z2 is what a report on layer 2 calls it;
        # nothing else is named, as a report has no other name for what is equal.
        z = f @ weights[i] + biases[i]
        if i < K - 1:  # the loss makes the last f of the last z
            f = OUTPUTS[course.activation].for_tracer().of(z)
    n = z.shape[1]
    if course.labels:
        y = 1.0 * (np.arange(n) == np.reshape(y, (-1, 1)))
    rows = LOSSES[course.loss].rows(z, y, OUTPUTS[course.output].for_tracer())
    share = {"sum": 1.0, "mean": 1 / N, "mean_entries": 1 / (N * n)}[course.reduction]
    total = np.sum(rows) * (share * (0.5 if course.half else 1.0))
    if course.l2:
        factor = {"1/2": 0.5, "1": 1.0, "1/2N": 0.5 / N, "1/N": 1 / N}[course.l2_factor]
        for A_i in A:
            total = total + course.l2 * factor * np.sum(A_i**2)
    return total


def _in_rows(course: Course, data: Any) -> Any:
    if course.samples == "single":
        return data.reshape(1, -1)
    return data.T if course.columns else data
