"""The check of any gradient of any function, by the tracer and by central differences."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np

from backprop_nb.checking.compare import (
    TOLERANCE_FLOAT32,
    Array,
    agrees,
    compare,
    factor_in_words,
    factor_of,
    fault_in_words,
    fault_of,
    which_entries,
    wrong_entries,
)
from backprop_nb.checking.differences import Point
from backprop_nb.checking.report import Checked, Finding, Report
from backprop_nb.errors import BackpropError, InvalidValueError
from backprop_nb.tracing import calling, pytree

# What a wrong factor alone gives away.
_MISTAKES = {-1.0: "sign_flipped", 0.5: "missing_factor_2"}


def check_gradient(f: Callable[..., Any], gradient: Any, *args: Any) -> Report:
    """Check a gradient of ``f`` against the tracer *and* central differences.

    Parameters
    ----------
    f
        A function in NumPy that returns a single number.
    gradient
        What to check: the gradients themselves, or a function that returns them when
        it is called with ``args``.  One gradient for each argument, as a tuple or a
        list, with the argument's own structure; for a single argument its gradient
        alone will do.
    *args
        The arguments of ``f``: numbers, arrays, or lists, tuples and dicts of them.

    Returns
    -------
    Report
        Per parameter whether its gradient is right, the largest relative error and
        where it lies.  A gradient in float32 counts as right if it is right to that
        precision, with a remark.

    Raises
    ------
    ShapeError, UnsupportedError
        If ``f`` or its arguments are none that have a gradient.  What is wrong with
        ``gradient`` never raises; the report says it.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> def f(w, x):
    ...     return np.sum((w * x) ** 2)
    >>> w, x = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    >>> print(bp.check_gradient(f, lambda w, x: (2 * w * x**2, -2 * w**2 * x), w, x))
    f: 1 of 2 gradients right.
      dw  right
      dx  wrong: dx[1] is -32, expected 32 (largest relative error 2)
    <BLANKLINE>
    dx has the opposite sign: it is −1 times the right one.
    """
    form = "bp.check_gradient({f}, gradient, {args})"
    point = Point(f, args, form)
    if not point.leaves:
        raise InvalidValueError(
            "There is nothing to differentiate by.",
            given="no numbers after f and its gradient",
            instead=calling.right_call(f, form),
        )
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a grader a line on standard error costs all points
        return _report(getattr(f, "__name__", type(f).__name__), gradient, args, point)


def _report(subject: str, gradient: Any, args: Sequence[Any], point: Point) -> Report:
    expected, notes = _expected(point)
    given, failure = _given(gradient, args)
    names = [f"d{name}" for name in point.names]
    if failure:
        parameters = tuple(map(Checked.wrong, names, expected, [failure] * len(names)))
        finding = Finding("raised_exception", names[0], 1, f"{names[0]}: {failure}.")
        return Report(subject, parameters, (finding,), notes=notes)
    alone = len(args) == 1 and not _is_one(given, args[0], expected[0])
    found = _leaves_like(args, (given,) if alone else given)
    parameters = tuple(
        _at_kinks(checked, point, k)
        for k, checked in enumerate(map(compare, names, found, expected))
    )
    findings = tuple(_explain(each, parameters) for each in parameters if not each.ok)
    offences: tuple[Finding, ...] = ()
    many = len(given) if isinstance(given, list | tuple) else 1
    if len(args) > 1 and many != len(args):
        text = (
            f"{names[0]} and the others: {_structure(given)}, expected {len(args)} gradients, "
            "one for each argument."
        )
        if many > len(args):
            offences = (Finding("wrong_shape", names[0], 1, text),)
        elif all(each is None for each in found):
            findings = (Finding("missing_gradient", names[0], 1, text),)
    return Report(subject, parameters, findings, offences, notes)


def _expected(point: Point) -> tuple[list[Array], tuple[str, ...]]:
    """Return the right gradients, by the tracer if it can, and what the judges disagree on."""
    slopes = point.slopes()
    try:
        gradients = point.traced_gradients()
    except BackpropError as error:
        why = "The tracer cannot follow this function, so central differences alone judge."
        return slopes, (f"{why} {error.problem}",)
    value = point.value()
    if not np.isfinite(value):
        return gradients, (f"The function is {value} here, and what changes that says nothing.",)
    return gradients, tuple(_disagreements(point.names, gradients, slopes))


def _disagreements(
    names: Sequence[str], gradients: Sequence[Array], slopes: Sequence[Array]
) -> Iterator[str]:
    for name, one, other in zip(names, gradients, slopes, strict=True):
        size = max(float(np.abs(one).max(initial=0)), 1e-6)
        if not np.all(np.abs(one - other) <= 1e-4 * size):
            yield (
                f"The tracer and central differences do not agree on d{name}: there may be a kink "
                "or a jump within the step, or a sharp bend. The tracer's value is taken."
            )


def _structure(given: Any) -> str:
    if given is None:
        return "nothing was given"
    kind = type(given).__name__
    return f"a {kind} of {len(given)}" if isinstance(given, list | tuple) else f"one {kind}"


def _at_kinks(checked: Checked, point: Point, k: int) -> Checked:
    """Count a gradient as right whose wrong entries all are slopes that a kink has."""
    given, expected = checked.given, checked.expected
    if checked.ok or given is None or given.shape != expected.shape:
        return checked
    wrong = wrong_entries(given, expected)
    for index in wrong:
        low, high = point.sides(k, index)
        room = TOLERANCE_FLOAT32 * max(abs(low), abs(high))
        if not (low < high and low - room <= given[index] <= high + room):
            return checked
    place = replace(checked, name=point.names[k], worst=wrong[0]).place
    remark = f"{place} is at a kink, where any slope between those of its two sides will do"
    return replace(checked, ok=True, remark=remark)


def _given(gradient: Any, args: Sequence[Any]) -> tuple[Any, str]:
    """Return what is to be checked, or what its function failed with."""
    if not callable(gradient):
        return gradient, ""
    copies = pytree.rebuild(list(args), lambda _, leaf: np.array(leaf)[()])
    try:
        return gradient(*copies), ""
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit too; the report says what went wrong
        return None, f"calling the gradient raised {type(error).__name__}: {error}".rstrip(": ")


def _is_one(given: Any, tree: Any, expected: Array) -> bool:
    """Whether a gradient stands in a tuple or a list with nothing else in it."""
    if not (isinstance(given, list | tuple) and len(given) == 1):
        return False
    if isinstance(given, tuple):
        return True
    # [[1.0, 2.0]] may be an array with one row, or have the structure of a list.
    return not isinstance(tree, list | tuple) and np.ndim(given[0]) == expected.ndim


def _leaves_like(tree: Any, given: Any) -> list[Any]:
    """Return what was given leaf by leaf of a tree; None for each leaf that is missing."""
    if isinstance(tree, dict):
        there = given if isinstance(given, dict) else {}
        pairs = [(item, there.get(key)) for key, item in tree.items()]
    elif isinstance(tree, list | tuple):
        items = given[: len(tree)] if isinstance(given, list | tuple) else ()
        pairs = list(zip_longest(tree, items))
    else:
        return [given]
    return [leaf for pair in pairs for leaf in _leaves_like(*pair)]


# --- what is wrong with one of them -----------------------------------------


def _explain(checked: Checked, parameters: Sequence[Checked]) -> Finding:
    """Say what is wrong with one parameter, as far as that shows in its values alone."""
    name, given, expected = checked.name, checked.given, checked.expected
    kind, reason = fault_of(checked)
    if given is not None and kind == "wrong_shape":
        right_as = [each.name for each in parameters if agrees(given, each.expected)]
        if right_as:
            reason = f"It would be right as {right_as[0]}: the order is that of the arguments."
    text = fault_in_words(checked, kind, reason)
    if given is not None and kind == "not_recognised":
        factor = factor_of(given, expected)
        if factor is None:
            text = which_entries(checked, wrong_entries(given, expected))
        else:
            kind = _MISTAKES.get(factor, kind)
            text = f"{name} {factor_in_words(factor)}."
    return Finding(kind, name, 1, text)
