"""What a gradient function answered, as leaves: its arrays and numbers, and the way to each."""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from backprop_nb.errors import in_words

Path: TypeAlias = tuple[Any, ...]
Shape: TypeAlias = tuple[int, ...]

_MAX_DEPTH = 6
_MAX_LEAVES = 1000
_MAX_KEYS = 8


class Leaf(NamedTuple):
    """An array or a number of an answer."""

    path: Path
    """The keys that lead to it; the first is the name or the place of the argument."""
    value: Any

    @property
    def text(self) -> str:
        """How the answer spells it: the keys that are text."""
        return "_".join(str(key) for key in self.path if isinstance(key, str))


def leaves_of(answer: Any) -> list[Leaf]:
    """Return the arrays and numbers of an answer, with the keys that lead to them."""
    return list(islice(_flat(answer), _MAX_LEAVES))


def _flat(value: Any, path: Path = ()) -> Iterator[Leaf]:
    inside: Mapping[Any, Any] | None = None
    if len(path) < _MAX_DEPTH:
        inside = items_by_name(value)
        if inside is None and isinstance(value, list | tuple) and not is_numbers(value):
            inside = dict(enumerate(value))
    if inside is None:
        yield Leaf(path, value)
        return
    for key, each in inside.items():
        yield from _flat(each, (*path, key))


def items_of(value: Any) -> list[Any] | None:
    """Return what a sequence has in it; None of what is no sequence."""
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, np.ndarray) and value.ndim:
        return list(value)
    return None


def items_by_name(value: Any) -> Mapping[Any, Any] | None:
    """Return the items of a dict, and the attributes of an object; None of anything else."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=False))
    if isinstance(value, list | tuple | np.ndarray | np.generic | str | bytes | type) or callable(
        value
    ):
        return None
    try:
        attributes = vars(value)
    except TypeError:
        return None
    return {key: each for key, each in attributes.items() if not key.startswith("_")}


def is_number(value: Any) -> bool:
    """Whether it is one number."""
    return isinstance(value, numbers.Number | np.number) and not isinstance(value, bool)


def is_numbers(value: Any, depth: int = 3) -> bool:
    """Whether it is a number, or a list of numbers, which may stand for an array."""
    if isinstance(value, list):
        return depth > 0 and bool(value) and all(is_numbers(each, depth - 1) for each in value)
    return is_number(value)


def shape_of(value: Any) -> Shape | None:
    """Return the shape of numbers; None of what is none."""
    try:
        array = np.asarray(value)
    except Exception:  # whatever a student's object does
        return None
    return array.shape if array.dtype.kind in "fiubc" else None


def form_of(answer: Any) -> tuple[Hashable, list[Any]]:
    """Return how an answer is built, which tells how it is read, and its arrays and numbers."""
    leaves = leaves_of(answer)
    values = [leaf.value for leaf in leaves]
    shapes = [None if each is None else getattr(each, "shape", ()) for each in values]
    return (type(answer), *zip((leaf.path for leaf in leaves), shapes, strict=True)), values


def described(answer: Any) -> str:
    """Say what an answer is, without asking it anything that it could answer wrongly."""
    if answer is None:
        return "nothing"
    kind = type(answer).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    inside = items_by_name(answer)
    if isinstance(answer, Mapping) and inside is not None:
        keys = [repr(key) for key in [*inside][:_MAX_KEYS]]
        more = "" if len(inside) <= _MAX_KEYS else " and others"
        said = (", ".join(keys) + more) if more else in_words(keys) if keys else ""
        return f"{article} {kind} with the keys {said}" if keys else f"an empty {kind}"
    if isinstance(answer, list | tuple):
        return f"{article} {kind} of {len(answer)}"
    if isinstance(answer, np.ndarray):
        return f"an array of shape {answer.shape}"
    if is_number(answer):
        return "one number"
    if inside:
        names = in_words([*map(str, [*inside][:_MAX_KEYS])])
        return f"an object of type {kind} with the attributes {names}"
    return f"an object of type {kind}"
