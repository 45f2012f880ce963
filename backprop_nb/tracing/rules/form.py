"""How a call was written: its arguments with holes where the recorded arrays stood.

Most rows name their arrays one by one.  Where arrays stand anywhere, in lists, behind
a keyword, inside of an index, the call is taken apart into the arrays and its form;
filled again, with other values or with printed names, the form is the call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_nb.tracing import pytree
from backprop_nb.tracing.rules.template import literal


@dataclass(frozen=True, slots=True)
class Hole:
    """The place of the array at ``position``; it prints as ``#1``, as in a template."""

    position: int

    def __repr__(self) -> str:
        return f"#{self.position + 1}"


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """The arguments of a call, with holes for its arrays."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def filled(self, arrays: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of the call on ``arrays``."""
        return fill(self.args, arrays), fill(dict(self.kwargs), arrays)

    def text(self, names: Sequence[str]) -> str:
        """Return the arguments as source, with names for the arrays."""
        named = (f"{key}={text_of(value, names)}" for key, value in self.kwargs.items())
        return ", ".join([*(text_of(value, names) for value in self.args), *named])

    def __repr__(self) -> str:
        return f"({self.text([f'#{k + 1}' for k in range(99)])})"


def take_apart(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[list[Any], Form]:
    """Return the arrays of a call, recorded ones and others, and its form."""
    arrays: list[Any] = []
    return arrays, Form(with_holes(args, arrays), with_holes(dict(kwargs), arrays))


def with_holes(tree: Any, arrays: list[Any]) -> Any:
    """Return a tree with holes in place of its arrays, which join those in ``arrays``."""
    return pytree.rebuild(tree, lambda _, leaf: hole(leaf, arrays) if is_array(leaf) else leaf)


def hole(array: Any, arrays: list[Any]) -> Hole:
    """Return the hole of an array, which joins those in ``arrays``."""
    arrays.append(array)
    return Hole(len(arrays) - 1)


def is_array(leaf: Any) -> bool:
    """Whether a leaf is an array, plain or recorded; a number of NumPy's is a literal."""
    return hasattr(type(leaf), "__array_function__") and not isinstance(leaf, np.generic)


def fill(tree: Any, arrays: Sequence[Any]) -> Any:
    """Return a tree with arrays in its holes."""
    return pytree.rebuild(
        tree, lambda _, leaf: arrays[leaf.position] if isinstance(leaf, Hole) else leaf
    )


def text_of(tree: Any, names: Sequence[str]) -> str:
    """Return source for a tree, with names in its holes."""

    def text(leaf: Any) -> str:
        return names[leaf.position] if isinstance(leaf, Hole) else literal(leaf)

    return written(tree, text)


def written(tree: Any, leaf: Callable[[Any], str]) -> str:
    """Return source for a tree, with the text of each leaf."""
    if isinstance(tree, dict):
        return f"{{{', '.join(f'{literal(k)}: {written(v, leaf)}' for k, v in tree.items())}}}"
    if not isinstance(tree, list | tuple):
        return leaf(tree)
    items = ", ".join(written(each, leaf) for each in tree)
    if isinstance(tree, list):
        return f"[{items}]"
    return f"({items},)" if len(tree) == 1 else f"({items})"
