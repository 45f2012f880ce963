"""The check of a backward pass, written as a course writes it: asked, judged, its line found."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

from backprop_nb.checking.asking import Answers, ask_all
from backprop_nb.checking.compare import MISSING
from backprop_nb.checking.convention import (
    Bias,
    Course,
    Names,
    Parameters,
    Penalty,
    Reduction,
    Samples,
    Weights,
)
from backprop_nb.checking.diagnosis import judge
from backprop_nb.checking.isolation import run_isolated
from backprop_nb.checking.limits import check_seconds
from backprop_nb.checking.lines.program import reachable
from backprop_nb.checking.lines.unwritten import half_written, unwritten
from backprop_nb.checking.packing import check_calls
from backprop_nb.checking.probes import make_probes
from backprop_nb.checking.report import Finding, Hints, Report, check_hints
from backprop_nb.checking.returned import Answer
from backprop_nb.checking.search import is_right
from backprop_nb.checking.unexplained import layers_meant, other_courses
from backprop_nb.checking.wrong_line import line_of, may_have_line, raised_line, with_line
from backprop_nb.errors import EndedError, UnsupportedError
from backprop_nb.meant import suggesting
from backprop_nb.network.activations import ActivationName, OutputName
from backprop_nb.network.losses import LossName
from backprop_nb.tracing import pytree

_STARTING = 5.0
"""Seconds for a busy machine to make a copy of a process."""


@suggesting
def check_backward(
    backward: Callable[..., Any],
    *,
    samples: Samples = "single",
    reduction: Reduction = "mean",
    half: bool = False,
    activation: ActivationName = "sigmoid",
    output: OutputName = "sigmoid",
    loss: LossName = "squared error",
    l2: float = 0.0,
    l2_factor: Penalty = "1/2",
    weights: Weights = "out_in",
    bias: Bias = True,
    parameters: Parameters = "lists",
    names: Names | None = None,
    order: str | Sequence[str] | None = None,
    calls: str | Sequence[str] = "parameters x y",
    returns: str | None = None,
    labels: bool = False,
    widths: Sequence[int] | None = None,
    layers: int = 3,
    hints: Hints = "plain",
    seed: int = 0,
    seconds: float | None = None,
) -> Report:
    """Check a backward pass, written as your course does, and say which mistake it contains.

    Without any option it is that of the document: sigmoid layers f = σ(A f + b), and the
    squared error ‖y − f_K‖².

    Parameters
    ----------
    backward : callable
        ``backward(A, b, x, y) -> (dA, db)``: lists of the weights and of the biases,
        input and target; it returns a list of the gradients of each.  It is called
        by position, several times, and may be any callable.  A course that hands over its
        parameters in another way says so with ``parameters``, ``calls`` and ``returns``.
    samples : "single", "column", "rows" or "columns"
        How data are laid out.  ``"single"``: x (n_0,), y (n_K,), b[i] (n_{i+1},).
        ``"column"``: x (n_0, 1), y (n_K, 1), b[i] (n_{i+1}, 1).
        ``"rows"``: x (N, n_0), y (N, n_K), b[i] (n_{i+1},).  ``"columns"``: x (n_0, N),
        y (n_K, N), b[i] (n_{i+1}, 1).
    reduction : "mean", "sum" or "mean_entries"
        Of the loss over the samples; ``"mean_entries"`` is the mean over samples and outputs,
        as of ``np.mean((f - y) ** 2)``.
    half : bool
        Whether the squared error has a ½ in front of it.
    activation : "sigmoid", "tanh", "relu", "leaky relu" or "identity"
        Of the hidden layers.  A leaky ReLU has the slope 0.01 below 0.
    output : one of these, or "softmax"
        Of the last layer.
    loss : "squared error" or "cross-entropy"
        The cross-entropy is that of a sigmoid, −Σ y ln f + (1 − y) ln (1 − f), or that of a
        softmax, −Σ y ln f.
    l2, l2_factor : float, and "1/2", "1", "1/2N" or "1/N"
        What is added to the loss is l2 times the factor times the sum of all squared
        weights, without the biases: l2/2 Σ W² by default.
    weights : "out_in" or "in_out"
        Whether the weights of a layer have a row for each of its units, as in ``W @ x``, or a
        column, as in ``x @ W`` and ``W.T @ x``.
    bias : bool, "flat", "matrix" or "in_weights"
        Whether there are biases; in a shape other than that of ``samples``: (n,), or a matrix,
        (1, n) with rows and (n, 1) with columns; or as the first column of ``"out_in"``
        weights, the first row of ``"in_out"`` ones.
    parameters : "lists", "pairs", "dicts", "dict", "list", "flat" or "separate"
        How the pass gets the parameters: as two lists; as one list of pairs (W, b), or of
        dicts with the keys W and b; as one dict; as one list W1, b1, W2, …; as one vector in
        which these lie one after the other in C order; or each as an argument of its own.
    names : str, or a pair
        What weights and biases are called: ``("W{i}", "b{i}")``, where {i} is the number of
        the layer, or {i-1} counted from 0; for two lists ``("A", "b")``, without a number.
        In place of a pattern there may be a list of names.
    order : str, optional
        All names in the order in which one list, vector or call has them, such as
        ``"W1 W2 b1 b2"``.  By default the layers follow each other, weights first.
    calls : str
        The arguments in their order, such as ``"x y parameters"`` or ``"x y W1 b1 W2 b2"``.
        ``"l2"`` stands for that number, ``"widths"`` for the list of widths, and ``"n0"``,
        ``"n1"``, … for one of them.
    returns : str, optional
        How the gradients come back, if not as the parameters came: one of the ways of
        ``parameters``, or ``"biases weights"`` for two lists in this order.  Names with
        a ``d`` or ``grad`` are understood always, and so is a pair (loss, gradients).
    labels : bool
        Whether the targets of a softmax are numbers of classes, from 0, and not vectors.
    widths : sequence of int, optional
        n_0, …, n_K of the only network that the code is written for.  Otherwise it is asked
        about networks of several widths.
    layers : int
        K, of the networks that are asked about.
    hints : "none", "vague", "clear" or "plain"
        How much the report gives away: which gradients are wrong; a first hint, with
        the numbers that were given; a second one, with the quantity that is wrong
        first; the mistake itself, with the numbers that were expected.
    seed : int
        Of the networks and the data, so that nobody can write for just these.
    seconds : float, optional
        How long one call of ``backward`` may take; then it is stopped, and the report
        says so.  Without it an endless loop has no end.  On Linux the calls are then made
        in a copy of this process, so that ``backward`` may crash as well; elsewhere the
        limit holds in the main thread of a Unix system, between two steps of Python.

    Returns
    -------
    Report
        Per gradient whether it is right, and which mistakes, or pairs of them, explain
        what is wrong, the best first.  What ``backward`` raises is in the report too.

    Raises
    ------
    UnsupportedError
        ``backward`` cannot be called.
    InvalidValueError
        An unknown convention, or two that do not go together; an unknown level of hints, or
        `seconds` that is not positive.

    Notes
    -----
    The pass runs in this process, with all that it may do.  A submission that nobody
    trusts belongs into one of its own: see the command ``backprop-nb grade``.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> def backward(A, b, x, y):
    ...     f = [x]
    ...     for A_i, b_i in zip(A, b):
    ...         f.append(bp.sigmoid(A_i @ f[-1] + b_i))
    ...     delta = (f[-1] - y) * f[-1] * (1 - f[-1])  # and where is the 2?
    ...     dA, db = [], []
    ...     for i in reversed(range(len(A))):
    ...         dA.insert(0, np.outer(delta, f[i]))
    ...         db.insert(0, delta)
    ...         delta = A[i].T @ delta * f[i] * (1 - f[i])
    ...     return dA, db
    >>> report = bp.check_backward(backward)
    >>> report.score, report.findings[0].mistake
    (0.0, 'missing_factor_2')

    A course with one sample per row, ``x @ W``, ReLU, a softmax, and its parameters in a dict:

    >>> def backward(X, Y, params):
    ...     Z1 = X @ params["W1"] + params["b1"]
    ...     H = np.maximum(Z1, 0)
    ...     E = np.exp(H @ params["W2"] + params["b2"])
    ...     D2 = (E / E.sum(axis=1, keepdims=True) - Y) / len(X)
    ...     D1 = D2 @ params["W2"].T  # and where is the slope of the ReLU?
    ...     return {"dW1": X.T @ D1, "db1": D1.sum(0), "dW2": H.T @ D2, "db2": D2.sum(0)}
    >>> report = bp.check_backward(
    ...     backward,
    ...     samples="rows",
    ...     weights="in_out",
    ...     activation="relu",
    ...     output="softmax",
    ...     loss="cross-entropy",
    ...     parameters="dict",
    ...     calls="x y parameters",
    ...     layers=2,
    ... )
    >>> report.findings[0].parameter, report.findings[0].mistake
    ('dW1', 'sigma_prime_missing_in_hidden')
    """
    if not callable(backward):
        raise UnsupportedError(
            "`backward` must be a function.",
            given=f"{type(backward).__name__}",
            expected="a function backward(A, b, x, y) that returns (dA, db)",
        )
    check_hints(hints)
    check_seconds(seconds)
    network = samples, reduction, half, activation, output, loss, l2, l2_factor, weights, bias
    asked = layers, seed, None if widths is None else tuple(widths)
    course = Course(*network, *asked, parameters, names, order, calls, returns, labels)
    check_calls(course)
    dots = unwritten(backward)
    probes = make_probes(course)
    # Each call has its limit; the whole has one as well, as not every call can be stopped.
    together = None if seconds is None else (len(probes) + 1) * seconds + _STARTING
    call = operator.call if together is None else partial(run_isolated, seconds=together)
    try:
        answers = call(ask_all, backward, probes, seconds)
    except EndedError as error:
        return _without_answers(course, hints, error)
    report = with_line(judge(answers, course, hints), raised_line(answers, hints), course)
    with contextlib.suppress(EndedError):
        if may_have_line(answers, course, hints):
            line = call(line_of, backward, course, hints)
            report = with_line(report, line, course)
    with contextlib.suppress(EndedError):
        if not dots and _may_be_another_course(report):
            option = call(_option_of, backward, course, seconds)
            report = _with_option(report, option) if option else report
    if not dots:
        report = _with_layers(report, backward, course)
    return half_written(report, dots) if dots and not report.ok else report


def _may_be_another_course(report: Report) -> bool:
    """Whether nothing is right, and no mistake that is known explains it."""
    first = report.findings[0].mistake if report.findings else ""  # right at the first call
    return (
        report.hints in ("clear", "plain")
        and not any(each.ok for each in report.parameters)
        and first in ("not_recognised", "raised_exception", "wrong_shape")
    )


def _option_of(backward: Callable[..., Any], course: Course, seconds: float | None) -> str:
    """Return the option with which all would be right; "" if there is none."""
    for option, other in other_courses(course):
        probes = make_probes(other)
        for k, probe in enumerate(probes):  # the first one tells of nearly all
            answer = ask_all(backward, [probe], seconds).answers[0]
            if answer.failure or not is_right(other, k, answer):
                break
        else:
            if other.layers == course.layers or _is_for(other, backward, course, seconds):
                return option
    return ""


def _is_for(other: Course, backward: Callable[..., Any], course: Course, seconds: Any) -> bool:
    """Whether a pass that is right with other layers cannot be meant for those of a course.

    A loop over layers that goes wrong in the middle is right where there is no middle.  It is
    meant for fewer only if the parameters of the rest have no part in what it gives.
    """
    probes = make_probes(course)
    probe = next((each for each in probes if len({*each.widths}) == 1), probes[0])
    failed = ask_all(backward, [probe], seconds).answers[0]
    if failed.raised:
        meant = layers_meant(failed.failure, course)
        return other.layers > course.layers or other.layers == meant
    K, given = other.layers, probe.arguments
    part = replace(probe, A=probe.A[:K], b=probe.b[:K], course=other)
    alone, among = (
        ask_all(each, [part], seconds).answers[0]
        for each in (backward, lambda *_: backward(*deepcopy(given)))
    )
    return course.layers > K and not alone.failure and alone.same_as(among)


def _with_option(report: Report, option: str) -> Report:
    """Return a report that first says with which option all would be right."""
    first = report.findings[0].parameter
    subject = f"{first} and all others are" if len(report.parameters) > 1 else f"{first} is"
    text = f"{subject} right with {option}. Is that your course?"
    if "column" in option and "columns" not in option:
        text += (
            " If not, a sample is a vector here, which .T leaves as it is: np.outer(delta, x) "
            "multiplies each entry of delta by each of x."
        )
    rest = [replace(each, rank=each.rank + 1) for each in report.findings]
    return replace(report, findings=(Finding("another_course", first, 1, text), *rest))


def _with_layers(report: Report, backward: Callable[..., Any], course: Course) -> Report:
    """Return a report that first says with how many layers to check code that names fewer."""
    is_said = any(each.mistake == "another_course" for each in report.findings)
    if report.ok or is_said or course.parameters != "dict" or report.hints == "none":
        return report
    keys = {e for f in reachable(backward) for e in pytree.flatten(list(f.__code__.co_consts))}
    named = {i for (_, i), name in course.leaf_names.items() if name in keys}
    K = len(named)
    rest = report.parameters[-(len(report.parameters) * (course.layers - K) // course.layers) :]
    if not 0 < K < course.layers or named != {*range(K)} or any(each.ok for each in rest):
        return report
    text = (
        f"The networks have {course.layers} layers, and this code names the parameters of {K}. "
        f"If it is for {K} of them, check it with layers={K}."
    )
    first = report.findings[0].parameter if report.findings else report.parameters[0].name
    found = [replace(each, rank=each.rank + 1) for each in report.findings]
    return replace(report, findings=(Finding("another_course", first, 1, text), *found))


def _without_answers(course: Course, hints: Hints, error: EndedError) -> Report:
    """Return the report on a backward pass of which nothing is left to be judged."""
    none = Answer(failure=MISSING)
    report = judge(Answers((none,) * len(make_probes(course)), none), course, hints)
    first = report.findings[0].parameter
    others = " and all others" if len(report.parameters) > 1 else ""
    text = f"{first}{others}: {error.given}."
    return replace(report, findings=(Finding("raised_exception", first, 1, text),))
