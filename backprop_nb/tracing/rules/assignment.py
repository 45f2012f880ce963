"""Assignment in place, ``x[index] = value``, as a function that leaves ``x`` alone.

What is overwritten no longer counts, so its adjoint is 0; each value receives the
adjoint of the entries that are still its own at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.form import is_array
from backprop_nb.tracing.rules.indexing import fill_index, index_text, open_index
from backprop_nb.tracing.rules.row import dispatched, row, unbroadcast
from backprop_nb.tracing.rules.template import ATOM, LOOSE, Printed, Template


@dispatched
def assigned(x: Any, *values: Any, at: Sequence[Any]) -> Any:
    """Return a copy of ``x`` after ``x[at[0]] = values[0]`` and so on.

    Several places have no entry in common.
    """
    changed = np.array(x)
    for index, value in zip(at, values, strict=True):
        changed[index] = value
    return changed


def bind_assignment(x: Any, *values: Any, at: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return the arrays of a call, those in its places included, and the places with holes."""
    arrays: list[Any] = []
    places = tuple(open_index(index, arrays) for index in at)
    return [x, *values, *arrays], {"at": places}


def _filled(at: Sequence[Any], rest: Sequence[Any]) -> tuple[list[Any], tuple[Any, ...]]:
    """Return the values, and their places with the recorded arrays put in."""
    values, arrays = rest[: len(at)], rest[len(at) :]
    return [*values], tuple(fill_index(index, arrays) for index in at)


def _compute(x: Any, *rest: Any, at: Sequence[Any]) -> Any:
    values, places = _filled(at, rest)
    return assigned(x, *values, at=places)


def _vjps(g: Any, ans: Any, x: Any, *rest: Any, at: Sequence[Any]) -> Callable[[int], Any]:
    values, places = _filled(at, rest)
    mask: Any = places[0] if len(places) == 1 else None
    is_mask = is_array(mask) and mask.dtype == bool and mask.shape == x.shape

    def vjp(position: int) -> Any:
        if position:
            if is_mask and np.shape(values[0]) == ():  # however many entries it picks
                return np.sum(np.where(mask, g, 0.0))
            own = g[places[position - 1]]
            last = _is_last(x.shape, places[position - 1])
            own = own if last is None else np.where(last, own, 0.0)
            return unbroadcast(own, values[position - 1])
        if is_mask:
            return np.where(mask, 0.0, g)  # in a third of the time
        return assigned(g, *[0.0] * len(at), at=places)

    return vjp


def _is_last(shape: tuple[int, ...], index: Any) -> Any:
    """Return which positions of an index win, ``None`` if it names no entry twice."""
    items = index if isinstance(index, tuple) else (index,)
    if not any(is_array(item) and item.dtype.kind in "iu" and item.size > 1 for item in items):
        return None
    winner = np.zeros(shape, dtype=np.intp)
    order = np.reshape(np.arange(winner[index].size), np.shape(winner[index]))
    winner[index] = order
    last = winner[index] == order
    return None if np.all(last) else last


def _changes(
    arguments: Sequence[str], keywords: Mapping[str, Any], latex: dict[Any, str] | None = None
) -> list[tuple[str, str]]:
    """Return the text of each place, and of what is assigned to it."""
    count = len(keywords["at"])
    values, arrays = arguments[1 : 1 + count], arguments[1 + count :]
    places = (index_text(index, arrays, latex) for index in keywords["at"])
    return list(zip(places, values, strict=True))


def statement(
    name: str, arguments: Sequence[Printed], keywords: Mapping[str, Any], shape: tuple[int, ...]
) -> list[str]:
    """Return the lines that do it as a person would write it."""
    (first, precedence), *_ = arguments
    atom = first if precedence is ATOM else f"({first})"
    # Of an array without axes NumPy's copy may be a number, which cannot be assigned to.
    copied = f"{atom}.copy()" if shape else f"np.array({first})"
    changes = _changes([text for text, _ in arguments], keywords)
    lines = [f"{name}[{place}] = {value}" for place, value in changes]
    return [f"{name} = {copied}", *lines]


def _text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    """Return how it reads inside of a sentence; as source it takes lines of its own."""
    changes = [f"[{place}] = {value}" for place, value in _changes(arguments, keywords)]
    return f"{arguments[0]} with {', '.join(changes)}"


def _latex(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    changes = _changes(arguments, keywords, latex={})
    texts = [rf"{{[{place}]}} \leftarrow {value}" for place, value in changes]
    return rf"{arguments[0]} \;\text{{with}}\; {', '.join(texts)}"


ASSIGNED = row(
    assigned,
    joint=_vjps,
    bind=bind_assignment,
    compute=_compute,
    numpy=Template(_text, LOOSE, (ATOM, LOOSE)),
    latex=Template(_latex, LOOSE, (ATOM, LOOSE)),
    statement=statement,
    symbol="[ ] =",
    title="The assignment",
    in_words="An overwritten entry no longer counts: its adjoint is 0, "
    "and the new value receives it.",
    expected="a value that fits into the entries it is assigned to",
)

ROWS = (ASSIGNED,)
