"""``np.array([a, b])``: an array of values that stand in lists, however nested."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from backprop_nb.tracing import pytree
from backprop_nb.tracing.rules.form import Hole, fill, hole, is_array, text_of
from backprop_nb.tracing.rules.row import row


def bind_list(
    object: Any, dtype: Any = None, *, copy: Any = None, **options: Any
) -> tuple[list[Any], dict[str, Any]]:
    """Take nested lists apart; what stands in them keeps its place."""
    if any(value is not None for value in options.values()):
        raise TypeError("of traced values only a dtype can be asked for")
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise TypeError("traced values are floats")
    arrays: list[Any] = []

    def opened(item: Any) -> Any:
        if isinstance(item, list | tuple):
            return [opened(each) for each in item]
        kind = item.dtype.kind if hasattr(item, "dtype") else np.asarray(item).dtype.kind
        if kind not in "biuf":
            raise TypeError("traced values are real numbers")
        return hole(item, arrays) if is_array(item) else item

    nested = Nested(opened(object))
    return arrays, {"nested": nested} | ({} if dtype is None else {"dtype": np.dtype(dtype).name})


class Nested:
    """Lists with holes for the arrays.

    Attributes
    ----------
    items
        The lists.
    """

    def __init__(self, items: Any) -> None:
        self.items = items

    @cached_property
    def paths(self) -> dict[int, tuple[int, ...]]:
        """Where each array stands, by its position among them."""
        return {
            leaf.position: keys for keys, leaf in pytree.paths(self.items) if isinstance(leaf, Hole)
        }

    def text(self, names: Sequence[str]) -> str:
        """Return the lists as source, with names for the arrays."""
        return text_of(self.items, names)

    def __repr__(self) -> str:
        return self.text([f"#{k + 1}" for k in range(len(self.paths))])


def _compute(*arrays: Any, nested: Nested, dtype: str | None = None) -> Any:
    items = fill(nested.items, arrays)
    if all(isinstance(each, np.ndarray | np.generic) for each in arrays):
        return np.array(items, dtype=dtype)
    joined = stacked(items)  # of a trace around this one, which sees np.stack and no lists
    return joined if dtype is None or joined.dtype == dtype else joined.astype(dtype)


def stacked(items: Any) -> Any:
    """Return nested lists as an array, made without asking for one."""
    return np.stack([*map(stacked, items)]) if isinstance(items, list | tuple) else items


def _entries(
    g: Any, ans: Any, *arrays: Any, nested: Nested, dtype: Any = None
) -> Callable[[int], Any]:
    return lambda position: g[nested.paths[position]]


def _text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    inside = keywords["nested"].text(arguments)
    kind = keywords.get("dtype")
    return f"np.array({inside}, dtype={kind!r})" if kind else f"np.array({inside})"


def _latex(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    return rf"\left[{', '.join(arguments)}\right]"


ARRAY = row(
    np.array,
    joint=_entries,
    bind=bind_list,
    compute=_compute,
    numpy=_text,
    latex=_latex,
    symbol="[ , ]",
    in_words="Each value stands in one place of the array and receives the adjoint of that place.",
    expected="rows of equal length",
)

ROWS = (ARRAY,)
