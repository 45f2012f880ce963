"""Arguments as trees: lists, tuples and dicts with numbers and arrays as leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def rebuild(tree: Any, replace: Callable[[str, Any], Any], name: str = "x") -> Any:
    """Return a copy of ``tree`` in which every leaf went through ``replace(name, leaf)``.

    The name of an item is built from the name of the tree and the item's place,
    so that the first matrix of a list ``A`` is ``A0``, as in the document.

    >>> rebuild([1.0, {"w": 2.0}], lambda name, leaf: name, "A")
    ['A0', {'w': 'A1_w'}]
    """
    if isinstance(tree, dict):
        return {key: rebuild(item, replace, _join(name, str(key))) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        items = [rebuild(item, replace, _join(name, str(k))) for k, item in enumerate(tree)]
        if isinstance(tree, list):
            return items
        return type(tree)(*items) if hasattr(tree, "_fields") else tuple(items)
    return replace(name, tree)


def _join(name: str, key: str) -> str:
    """Return an identifier for an item: ``A`` and 0 give ``A0``, ``p`` and w give ``p_w``."""
    key = "".join(c if c.isalnum() else "_" for c in key)
    glue = "" if key.isdigit() and not name[-1:].isdigit() else "_"
    return f"{name}{glue}{key}"
