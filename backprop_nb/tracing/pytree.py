"""Arguments as trees: lists, tuples and dicts with numbers and arrays as leaves."""

from __future__ import annotations

import copy
import keyword
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

SEQUENCES = (list, tuple)
"""What has leaves in an order.  A union would be made anew by every call that asks."""
_NESTED = (*SEQUENCES, dict)


def rebuild(tree: Any, replace: Callable[[str, Any], Any], name: str = "x") -> Any:
    """Return a copy of ``tree`` in which every leaf went through ``replace(name, leaf)``.

    The name of an item is built from the name of the tree and the item's place,
    so that the first matrix of a list ``A`` is ``A0``, as in the document.

    >>> rebuild([1.0, {"w": 2.0}], lambda name, leaf: name, "A")
    ['A0', {'w': 'A1_w'}]
    """
    kind = type(tree)  # isinstance would ask a traced leaf what it stands for
    if issubclass(kind, dict):
        named = {key: rebuild(item, replace, _join(name, str(key))) for key, item in tree.items()}
        return named if kind is dict else _like(tree, named.items())
    if issubclass(kind, SEQUENCES):
        items = [rebuild(item, replace, _join(name, str(k))) for k, item in enumerate(tree)]
        if issubclass(kind, list):
            return items if kind is list else _like(tree, enumerate(items))
        return kind(*items) if hasattr(tree, "_fields") else tuple(items)
    return replace(name, tree)


def _like(tree: Any, items: Iterable[tuple[Any, Any]]) -> Any:
    """Return a copy with other items, of the same class, such as an OrderedDict."""
    new = copy.copy(tree)
    for key, item in items:
        new[key] = item
    return new


def _join(name: str, key: str) -> str:
    """Return an identifier for an item: ``A`` and 0 give ``A0``, ``p`` and w give ``p_w``."""
    glue = "" if key.isdecimal() and not name[-1:].isdecimal() else "_"
    return identifier(f"{name}{glue}{key}")


@lru_cache(maxsize=4096)  # few names, at every call on an array that is written to
def identifier(text: str) -> str:
    """Return ``text`` as a name that Python accepts, so that it cannot become other code.

    >>> identifier("learning rate"), identifier("x²"), identifier("lambda")
    ('learning_rate', 'x2', 'lambda_')
    """
    normal = unicodedata.normalize("NFKC", text)  # as Python reads names
    name = "".join(c if f"_{c}".isidentifier() else "_" for c in normal)
    name = name if name[:1].isidentifier() else f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def flatten(tree: Any) -> list[Any]:
    """Return the leaves of ``tree`` in order.

    >>> flatten([1.0, {"w": 2.0}])
    [1.0, 2.0]
    """
    kind = type(tree)
    if issubclass(kind, dict):
        tree = tree.values()
    elif not issubclass(kind, SEQUENCES):
        return [tree]
    leaves = []
    for item in tree:
        if issubclass(type(item), _NESTED):
            leaves += flatten(item)
        else:
            leaves.append(item)
    return leaves


def paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield the keys that lead to each leaf of ``tree``, and the leaf, in order.

    >>> [*paths([1.0, {"w": 2.0}])]
    [((0,), 1.0), ((1, 'w'), 2.0)]
    """
    if not isinstance(tree, list | tuple | dict):
        yield path, tree
        return
    for key, item in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield from paths(item, (*path, key))


def entries(name: str, tree: Any) -> Iterator[tuple[str, Any]]:
    """Yield how each leaf of what has a name is read, and the leaf, in order.

    >>> [*entries("p", [1.0, {"w": 2.0}])]
    [('p[0]', 1.0), ('p[1]["w"]', 2.0)]
    """
    for path, leaf in paths(tree):
        keys = (f'["{key}"]' if isinstance(key, str) else f"[{key!r}]" for key in path)
        yield name + "".join(keys), leaf
