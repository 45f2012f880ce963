"""From a loss and a wrong gradient function to the lines that are wrong."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backprop_nb.checking.lines.aliases import is_alias, text_of
from backprop_nb.checking.lines.blame import LIKELY, Blame
from backprop_nb.checking.lines.facts import Facts, path_of
from backprop_nb.checking.lines.followed import Array, Followed, traced
from backprop_nb.checking.lines.known import Known
from backprop_nb.checking.lines.mended import Explanation
from backprop_nb.checking.lines.untraced import suspects
from backprop_nb.tracing import pytree
from backprop_nb.tracing.source import Place as SourcePlace
from backprop_nb.tracing.source import Source, locate, operand

_TIES = 0.25
"""Explanations that are no further apart in their cost explain equally well."""
_MAX_FAULTS = 4


@dataclass(frozen=True, eq=False)
class Fault:
    """An expression of a gradient function that is wrong.

    Attributes
    ----------
    source
        The expression, which knows its file and its line; None where no text is known.
    quantity
        What it should be, such as ``"∂L/∂z1"``; empty where it has no name.
    repair
        What to write, in words; empty where none was found.
    proved
        Whether every gradient is right with the right quantity there, what it is computed
        from is right, and no other line explains it as well.
    given, expected
        What it gave, and what it should give.
    spoils
        The gradients that are wrong because of it, by their positions.
    rank
        1 is best.
    number
        Which of several mistakes made at once it explains, from 1.
    """

    source: Source | None
    quantity: str
    repair: str
    proved: bool
    given: Array
    expected: Array
    spoils: tuple[int, ...]
    rank: int = 1
    number: int = 1

    @property
    def line(self) -> int | None:
        """The line in the student's file or cell, from 1."""
        return self.source.start[0] if self.source is not None else None


def find_faults(
    loss: Callable[..., Any],
    gradient: Callable[..., Sequence[Any]],
    args: Sequence[Any],
    wrt: Sequence[int],
) -> list[Fault]:
    """Return the expressions that explain what is wrong, the best first; none if nothing does.

    Parameters
    ----------
    loss
        A function in NumPy that returns a number.
    gradient
        Returns the gradients by the leaves of ``wrt``, in that order.
    args
        What both are called with.
    wrt
        The leaves of the arguments by which the loss is differentiated, in the order of
        ``pytree.flatten``.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, -1.0])
    >>> def loss(w, b):
    ...     return np.sum((w * x + b) ** 2)
    >>> def gradient(w, b):
    ...     e = w * x + b
    ...     return [np.sum(2 * e * x), np.sum(e)]
    >>> [fault] = find_faults(loss, gradient, [0.5, 0.1], [0, 1])
    >>> fault.repair, fault.spoils, fault.proved
    ('multiply it by 2', (1,), True)
    """
    try:
        facts = _facts(loss, gradient, args, wrt)
        other = _facts(loss, gradient, _moved(args, wrt), wrt)
    except Exception:  # whatever the student's function does
        return _by_values(loss, gradient, args, wrt)
    try:
        ways = Blame(facts, [other]).explain()
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return []  # the report without a line is worth more than none
    if not ways:
        return []
    best = min(map(_cost, ways))
    faults: list[Fault] = []
    for way in ways:
        if _cost(way) <= best + _TIES:
            for number, each in enumerate(way, start=1):
                faults += _faults(facts, each, number)
    first = {fault.line: fault for fault in reversed(faults)}  # the best of each line
    kept = [fault for fault in faults if first[fault.line] is fault]
    # What explains as well as another line does is proved no more than that.
    is_only = len(kept) <= len(ways[0])
    return [replace(each, proved=each.proved and is_only) for each in kept[:_MAX_FAULTS]]


def _cost(way: Sequence[Explanation]) -> float:
    return sum(each.cost for each in way)


def _facts(
    loss: Callable[..., Any],
    gradient: Callable[..., Sequence[Any]],
    args: Sequence[Any],
    wrt: Sequence[int],
) -> Facts:
    leaves = pytree.flatten(list(args))
    which = traceable_leaves(leaves, wrt)
    order = sorted(which)
    known = Known(traced(loss, args, which))
    expected = [
        np.zeros(np.shape(leaves[k])) if known.adjoints[at] is None else known.adjoints[at]
        for k in wrt
        for at in [order.index(k)]
    ]
    return Facts(Followed(gradient, args, which), known, expected)


def _by_values(
    loss: Callable[..., Any],
    gradient: Callable[..., Sequence[Any]],
    args: Sequence[Any],
    wrt: Sequence[int],
) -> list[Fault]:
    """Return the lines that are suspect in a function that cannot be traced."""
    leaves = pytree.flatten(list(args))
    which = traceable_leaves(leaves, wrt)
    try:
        known = Known(traced(loss, args, which))
        found = suspects(known, gradient, args)
    except Exception:  # whatever the student's functions do
        return []
    empty = np.zeros(0)
    return [
        Fault(each.source, "", "", False, each.given, empty, (), rank)
        for rank, each in enumerate(found[:_MAX_FAULTS], start=1)
    ]


def traceable_leaves(leaves: Sequence[Any], wrt: Collection[int]) -> set[int]:
    """Return the positions of the leaves of some arguments that are traced: floats alone."""
    return {k for k, leaf in enumerate(leaves) if k in wrt or _is_float(leaf)}


def _is_float(leaf: Any) -> bool:
    """Whether a leaf holds floats; integers are counts, sizes or labels."""
    return isinstance(leaf, float) or getattr(getattr(leaf, "dtype", None), "kind", "") == "f"


def _moved(args: Sequence[Any], wrt: Collection[int]) -> list[Any]:
    """Return the arguments with the parameters moved a little, and the data as they are."""
    random = np.random.default_rng(7)
    leaves = iter(enumerate(pytree.flatten(list(args))))

    def move(_: str, __: Any) -> Any:
        k, leaf = next(leaves)
        if k not in wrt:
            return leaf.copy() if isinstance(leaf, np.ndarray) else leaf
        return (np.asarray(leaf) * (1 + 0.1 * random.uniform(-1, 1, np.shape(leaf))))[()]

    return list(pytree.rebuild(list(args), move))


def _faults(facts: Facts, found: Explanation, number: int) -> Iterator[Fault]:
    index = found.at[-1]
    given = np.asarray(facts.followed.values[index])
    expected = np.asarray(facts.followed.replay(found.changes)[index])
    matches = facts.known.matches(expected)
    quantity = ""
    if found.repair.key is not None and not matches:
        quantity = facts.known.symbol(found.repair.key)
    elif matches:
        scale = facts.constant(matches[0].scale)
        symbol = facts.known.symbol(matches[0].key)
        if scale is not None:
            quantity = symbol if scale == "1" else f"{scale} · {symbol}"
    computes = not is_alias(facts.followed.records[index]) or found.group.path is not None
    for place in _places(facts, found):
        yield Fault(
            place.source() if computes else text_of(place),
            quantity,
            found.repair.words(facts, index),
            found.cost < LIKELY,
            given,
            expected,
            tuple(sorted(found.fixed)),
            number=number,
        )


def _places(facts: Facts, found: Explanation) -> list[SourcePlace]:
    """Return the expression to blame, and the call where a helper was handed something wrong.

    What is called, if it was handed over, is the call's; of an operand both may be meant.
    """
    record = facts.followed.records[found.at[-1]]
    place = locate(*found.group.reported[:2])
    if place is None:
        return []
    path = path_of(record)
    if not path or found.group.path or found.repair.operand is None:
        return [place]
    handed: ast.AST | None
    if found.repair.operand < 0:
        handed = place.node.func if isinstance(place.node, ast.Call) else None
    else:
        handed = operand(place, record.row, found.repair.operand, len(record.args))
    code, call = place.code, locate(*path[0][:2])
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if call is None or not (isinstance(handed, ast.Name) and handed.id in parameters):
        return [place]
    return [call] if found.repair.operand < 0 else [place, call]
