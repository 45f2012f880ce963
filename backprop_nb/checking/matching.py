"""Whose gradient is which: the answer of a gradient function, leaf by leaf of its arguments.

Courses hand gradients over in many shapes: in the structure of the arguments, in a dict with
``dW1`` or ``grad_W1``, beside the loss, as one long vector, as attributes of an object.
:func:`match` reads all of them.  It looks at names and shapes, and never at values: whether a
gradient is right is for others to say.

Examples
--------
>>> W1, b1 = np.zeros((2, 3)), np.zeros(2)
>>> found = match({"db1": b1 + 1, "dW1": W1 + 2}, [W1, b1], ["W1", "b1"])
>>> [leaf.shape for leaf in found.leaves], found.spelled
([(2, 3), (2,)], ('dW1', 'db1'))
>>> print(match({"first": W1, "second": b1}, [W1, b1], ["W1", "b1"]).sentence)
A dict with the keys 'first' and 'second' was returned. Return (dW1, db1), in the order of the \
arguments, or a dict with the keys "dW1" and "db1".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from backprop_nb.checking.leaves import (
    described,
    is_number,
    is_numbers,
    items_by_name,
    items_of,
    leaves_of,
    shape_of,
)
from backprop_nb.checking.spelling import ByName, last_name, word
from backprop_nb.errors import in_words
from backprop_nb.tracing import pytree

INPUTS = {"x", "X", "xs", "x_train", "X_train", "inputs", "input", "data", "images", "features"}
TARGETS = {"y", "Y", "t", "T", "ys", "y_train", "Y_train", "targets", "target", "labels", "label"}
"""Names of data; of an input only where there is a target too, for many a function has an x."""

_SETTINGS = {"reg", "lam", "lambd", "lambda", "l2", "eps", "epsilon", "lr", "rate", "decay"}
_SETTINGS |= {"learningrate", "weightdecay", "margin", "temperature"}
"""Names of numbers that nobody differentiates by."""


@dataclass(frozen=True, eq=False)
class Matched:
    """An answer whose gradients are known by their arguments."""

    leaves: tuple[Any, ...]
    """The gradient of each leaf of the arguments, in the order of ``pytree.flatten``, as it was
    given; None where it is missing."""
    spelled: tuple[str, ...]
    """What the answer itself calls each, such as ``"dW1"``; "" where it has no name for it."""
    data: tuple[int, ...] = ()
    """The places of the arguments that count as data: no gradient was given for them, and they are
    whole numbers or text, or called as inputs and targets are."""
    loss: Any = None
    """The number that was handed over beside the gradients, or None."""
    misspelt: Mapping[int, str] = field(default_factory=dict)
    """By the place of a missing leaf what to do if another key has its gradient."""

    def gradient(self, at: int) -> Any:
        """Return the gradient of a leaf; None for dots, too."""
        leaf = self.leaves[at]
        return None if leaf is ... else leaf


@dataclass(frozen=True)
class Unmatched:
    """An answer in which the gradients could not be found."""

    found: str
    """What was returned, such as ``"a dict with the keys 'a' and 'b'"``."""
    instead: str
    """How to hand the gradients over."""

    @property
    def sentence(self) -> str:
        """Both, in sentences."""
        return f"{self.found[0].upper()}{self.found[1:]} was returned. {self.instead}"


def match(
    answer: Any,
    arguments: Sequence[Any],
    names: Sequence[str],
    *,
    order: bool = True,
    data: bool = True,
) -> Matched | Unmatched:
    """Return whose gradient is which in what a gradient function returned.

    The answer is read, in this order, as: gradients in the structure of the arguments; a pair
    (loss, gradients) or (gradients, loss), or the loss before or behind the gradients; by the
    names of keys and attributes, with or without a ``d`` or ``grad``, nested or not, counted from
    0 or from 1; the gradients one after the other; one flat vector of all of them, in C order;
    gradients in another ``order``, if their shapes tell which and that may be; gradients of all
    arguments but those that are ``data``, if some may be.

    A reading in which all shapes fit comes before one in which they do not.  A gradient of a wrong
    shape, or a missing one, is no reason to be unmatched where the structure is that of the
    arguments.

    Examples
    --------
    >>> w, x, y = np.zeros(3), np.ones((4, 3)), np.zeros(4)
    >>> match((0.5, w), [w, x, y], ["w", "x", "y"]).data
    (1, 2)
    >>> float(match(np.arange(5.0), [np.zeros((2, 2)), 0.0], ["A", "b"]).leaves[1])
    4.0
    """
    matching = _Matching(arguments, names, order, data)
    if answer is None:
        return Unmatched(described(answer), matching.advice())
    return matching.of(answer)


def likely_data(arguments: Sequence[Any], names: Sequence[str]) -> tuple[int, ...]:
    """Return which arguments are data, as far as their names and types tell.

    Examples
    --------
    >>> likely_data([np.zeros(3), np.ones((4, 3)), np.zeros(4)], ["w", "x", "y"])
    (1, 2)
    """
    found = _Matching(arguments, names, order=False).data(set())
    return found if len(found) < len(arguments) else ()


# --- the readings -----------------------------------------------------------------


class _Matching:
    def __init__(
        self,
        arguments: Sequence[Any],
        names: Sequence[str],
        order: bool,
        data: bool = True,
    ) -> None:
        self.arguments, self.names = list(arguments), list(names)
        self.order, self.may_have_data = order, data
        self.counts = [len(pytree.flatten(each)) for each in self.arguments]
        self.paths = [
            (name, *path)
            for name, tree in zip(self.names, self.arguments, strict=True)
            for path, _ in pytree.paths(tree)
        ]
        self.shapes = [np.shape(leaf) for leaf in pytree.flatten(self.arguments)]
        self.by_name = ByName(self.paths, self.shapes, alone=len(self.arguments) == 1)

    def of(self, answer: Any, data: bool = True, loss: bool = True) -> Matched | Unmatched:
        """Return the first reading that fits.

        ``data`` is whether some arguments may be data, ``loss`` whether a loss may be there.
        """
        readings: list[Callable[[Any], Matched | None]] = [
            self._like_the_arguments,
            *([self._beside_the_loss] if loss else []),
            self._by_keys,
            self._one_after_the_other,
            self._one_vector,
        ]
        if self.order:
            readings.append(self._in_another_order)
        if data and self.may_have_data:
            readings += [self._without_data, self._but_data]
        partial: Matched | None = None
        for reading in readings:
            found = reading(answer)
            # Names are definite: who has said dW has not forgotten that there is a dx.
            if found is not None and (self._fits(found) or reading == self._by_keys):
                return found
            partial = partial or found
        return partial or Unmatched(described(answer), self.advice())

    def _fits(self, found: Matched) -> bool:
        """Whether every gradient that should be there is, in the shape of its argument."""
        return all(
            leaf is not None and shape_of(leaf) == shape
            for k, (leaf, shape) in enumerate(zip(found.leaves, self.shapes, strict=True))
            if self._argument_of(k) not in found.data
        )

    def _argument_of(self, leaf: int) -> int:
        """Return the place of the argument to which a leaf belongs."""
        ends = np.cumsum(self.counts)
        return int(np.searchsorted(ends, leaf, side="right"))

    # -- in the structure of the arguments

    def _like_the_arguments(self, answer: Any) -> Matched | None:
        """Return it in the arguments' own structure; for a single argument also without a tuple."""
        if len(self.arguments) == 1:
            alone = self._structured([answer])
            items = items_of(answer)
            if isinstance(answer, list | tuple) and items and len(items) == 1:
                wrapped = self._structured(items)
                if alone is None or (wrapped is not None and self._fits(wrapped)):
                    return wrapped
            return alone
        items = None if items_by_name(answer) is not None else items_of(answer)
        if items is None or len(items) != len(self.arguments):
            return None
        found = self._structured(items)
        # The rows of one array are hardly the gradients of several arguments.
        is_one = isinstance(answer, np.ndarray) and found is not None and not self._fits(found)
        return None if is_one else found

    def _structured(self, items: Sequence[Any]) -> Matched | None:
        leaves: list[Any] = []
        for tree, item in zip(self.arguments, items, strict=True):
            if not _collect(tree, item, leaves):
                return None
        return Matched(tuple(leaves), ("",) * len(leaves))

    # -- beside the loss

    def _beside_the_loss(self, answer: Any) -> Matched | None:
        items = items_of(answer) if isinstance(answer, list | tuple) else None
        if items is None or len(items) < 2 or (len(items) > 2 and is_numbers(answer)):
            return None
        first, last = (items[0], tuple(items[1:])), (items[-1], tuple(items[:-1]))
        if len(items) == 2:
            first, last = (items[0], items[1]), (items[1], items[0])
        found: list[Matched] = []
        for loss, gradients in (first, last):
            inner = self.of(gradients, loss=False) if shape_of(loss) == () else None
            if isinstance(inner, Matched):
                found.append(replace(inner, loss=loss))
        found = [each for each in found if self._fits(each)] or found
        return found[0] if len(found) == 1 else None

    # -- by names

    def _by_keys(self, answer: Any) -> Matched | None:
        """Return what keys and attributes tell, with the affix that tells most."""
        there = [leaf for leaf in leaves_of(answer) if leaf.text]
        found = self.by_name.best(there)
        if found is None:
            return None
        places = range(len(self.paths))
        data = self.data({self._argument_of(k) for k in found})
        wanted = [k for k in places if self._argument_of(k) not in data]
        return Matched(
            tuple(found[k].value if k in found else None for k in places),
            tuple(last_name(found[k].path) if k in found else "" for k in places),
            data,
            _number_beside(answer),
            dict(self.by_name.misspelt(found, there, wanted)),
        )

    # -- without names and structure

    def _one_after_the_other(self, answer: Any) -> Matched | None:
        """Return the arrays of an answer in their order, whatever they are nested in."""
        leaves = [leaf.value for leaf in leaves_of(answer)]
        if not isinstance(answer, list | tuple) or len(leaves) != len(self.shapes):
            return None
        found = Matched(tuple(leaves), ("",) * len(leaves))
        return found if self._fits(found) else None

    def _one_vector(self, answer: Any) -> Matched | None:
        """Return the parts of one vector that has all entries of all leaves."""
        if len(self.shapes) < 2 or not (
            isinstance(answer, np.ndarray) or (isinstance(answer, list) and is_numbers(answer))
        ):
            return None
        shape, sizes = shape_of(answer), [math.prod(shape) for shape in self.shapes]
        if shape is None or math.prod(shape) != sum(sizes) or max(shape, default=1) != sum(sizes):
            return None
        parts = np.split(np.asarray(answer).ravel(), np.cumsum(sizes)[:-1])
        leaves = [part.reshape(s)[()] for part, s in zip(parts, self.shapes, strict=True)]
        return Matched(tuple(leaves), ("",) * len(leaves))

    def _in_another_order(self, answer: Any) -> Matched | None:
        """Return what shapes tell: argument by argument, or leaf by leaf."""
        items = items_of(answer) if isinstance(answer, list | tuple) else None
        if items is None or items_by_name(answer) is not None:
            return None
        if len(items) == len(self.arguments) > 1:
            wanted = [_signature(tree) for tree in self.arguments]
            given = [_signature(each) for each in items]
            if sorted(map(repr, wanted)) == sorted(map(repr, given)):
                return self._structured([items[k] for k in _order(wanted, given)])
        leaves = [leaf.value for leaf in leaves_of(answer)]
        shapes = [shape_of(leaf) for leaf in leaves]
        if sorted(map(repr, shapes)) != sorted(map(repr, self.shapes)):
            return None
        order = _order(self.shapes, shapes)
        return Matched(tuple(leaves[k] for k in order), ("",) * len(leaves))

    # -- data

    def data(self, found: set[int]) -> tuple[int, ...]:
        """Return which of the others are data if there are gradients by these."""
        left = [k for k in range(len(self.arguments)) if k not in found]
        named = [k for k in left if self.names[k] in INPUTS | TARGETS]
        # Who has a gradient by one of the data has it by all; an input alone may be anything.
        if not any(self.names[k] in TARGETS for k in named) or any(
            self.names[k] in INPUTS | TARGETS for k in found
        ):
            # A single letter may be anything; nobody differentiates by what is called targets.
            named = [k for k in named if self.names[k] in TARGETS and len(self.names[k]) > 1]
        settings = [k for k in left if word(self.names[k]).lower() in _SETTINGS]
        # What comes last, behind several parameters that all have a gradient.
        last = len(self.arguments) - 1
        if len(found) > 1 and left == [last] and self.names[last] in INPUTS:
            named = left
        return tuple(k for k in left if k in named or k in settings or self._is_exact(k))

    def _is_exact(self, k: int) -> bool:
        """Whether an argument has nothing but whole numbers, text and the like."""
        leaves = pytree.flatten(self.arguments[k])
        return bool(leaves) and all(np.asarray(leaf).dtype.kind not in "fc" for leaf in leaves)

    def _without_data(self, answer: Any) -> Matched | None:
        """Return the gradients of all arguments but data, if these are the only ones that fit."""
        places = range(len(self.arguments))
        last = len(self.arguments) - 1
        likely = self.data(set())
        if last not in likely and self.names[last] in INPUTS:
            likely += (last,)  # it may count as data once the gradients of the others are there
        exact = {k for k in likely if self._is_exact(k)}
        for number in range(1, len(likely) + 1):
            readings: list[tuple[bool, bool, Matched]] = []
            for left_out in combinations(likely, number):
                kept = [k for k in places if k not in left_out]
                if not kept or not (
                    set(left_out) <= set(self.data(set(kept))) or self._end_with(left_out)
                ):
                    continue
                inner = self._with_only(kept)
                found = inner.of(answer, data=False)
                if isinstance(found, Matched) and inner._fits(found):
                    # Labels are data before inputs are, and the arguments' order comes first.
                    in_order = inner._in_order(answer)
                    both = (exact <= set(left_out), in_order)
                    readings.append((*both, self._spread(found, kept, left_out)))
            best = max((each[:2] for each in readings), default=None)
            first = [found for *both, found in readings if tuple(both) == best]
            if first:
                return first[0] if len(first) == 1 else None
        return None

    def _but_data(self, answer: Any) -> Matched | None:
        """Return an answer as the gradients of all arguments but data, whatever their shapes."""
        left_out = self.data(set())
        kept = [k for k in range(len(self.arguments)) if k not in left_out]
        is_one = len(kept) == 1
        if not left_out or not kept or (is_one and isinstance(answer, list | tuple)):
            return None
        inner = self._with_only(kept)
        found = inner._like_the_arguments(answer) if is_one else inner.of(answer, data=False)
        return self._spread(found, kept, left_out) if isinstance(found, Matched) else None

    def _with_only(self, kept: Sequence[int]) -> _Matching:
        arguments, names = [self.arguments[k] for k in kept], [self.names[k] for k in kept]
        return _Matching(arguments, names, self.order)

    def _end_with(self, left_out: Sequence[int]) -> bool:
        """Whether these are the last of many arguments, as data are where they come last."""
        n = len(self.arguments)
        return n - len(left_out) > 1 and left_out == tuple(range(n - len(left_out), n))

    def _in_order(self, answer: Any) -> bool:
        """Whether an answer that is no dict has its gradients in the order of the arguments."""
        shapes = [shape_of(leaf.value) for leaf in leaves_of(answer)]
        return shapes == self.shapes

    def _spread(self, found: Matched, kept: Sequence[int], left_out: Sequence[int]) -> Matched:
        """Return what was found for some arguments among all of them."""
        inner = iter(zip(found.leaves, found.spelled, strict=True))
        pairs = [
            next(inner) if self._argument_of(k) in kept else (None, "")
            for k in range(len(self.shapes))
        ]
        return Matched(
            tuple(leaf for leaf, _ in pairs),
            tuple(name for _, name in pairs),
            tuple(left_out),
            found.loss,
        )

    def advice(self) -> str:
        """Say how to hand the gradients over."""
        data = self.data(set())
        wanted = [name for k, name in enumerate(self.names) if k not in data] or self.names
        if len(wanted) == 1:
            return f"Return the gradient by {wanted[0]}, in the structure of {wanted[0]}."
        gradients = [f"d{name}" for name in wanted]
        keys = in_words([f'"{each}"' for each in gradients])
        return (
            f"Return ({', '.join(gradients)}), in the order of the arguments, or a dict with the "
            f"keys {keys}."
        )


# --- trees ------------------------------------------------------------------------


def _collect(tree: Any, given: Any, leaves: list[Any]) -> bool:
    """Add what was given for each leaf of a tree; False if it has another structure."""
    if isinstance(tree, dict):
        if given is not None and not (isinstance(given, dict) and given.keys() & tree.keys()):
            return False
        return all(_collect(each, (given or {}).get(key), leaves) for key, each in tree.items())
    if isinstance(tree, list | tuple):
        items = [] if given is None else items_of(given)
        if items is None or len(items) > len(tree):
            return False
        rest = [None] * (len(tree) - len(items))
        return all(_collect(*pair, leaves) for pair in zip(tree, [*items, *rest], strict=True))
    leaves.append(given)
    return not isinstance(given, Mapping)


def _signature(tree: Any) -> Any:
    """Return the shapes of a tree, in its structure."""
    if isinstance(tree, list | tuple) and not is_numbers(tree):
        return [_signature(each) for each in tree]
    if isinstance(tree, dict):
        return {key: _signature(each) for key, each in tree.items()}
    return shape_of(tree)


def _order(wanted: Sequence[Any], given: Sequence[Any]) -> list[int]:
    """Return which of the given comes at each place, the first of those that are alike first."""
    left = list(range(len(given)))
    order = []
    for each in wanted:
        k = next(k for k in left if given[k] == each)
        left.remove(k)
        order.append(k)
    return order


def _number_beside(answer: Any) -> Any:
    """Return the number in a pair of one and something else; None if there is none."""
    if not isinstance(answer, list | tuple) or len(answer) != 2:
        return None
    found = [each for each in answer if is_number(each)]
    return found[0] if len(found) == 1 else None
