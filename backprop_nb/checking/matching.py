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

import difflib
import math
import numbers
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, islice, product
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from backprop_nb.errors import in_words
from backprop_nb.tracing import pytree

Path: TypeAlias = tuple[Any, ...]
Shape: TypeAlias = tuple[int, ...]

_OF_LOSS = tuple(f"{d}{loss}{d}" for d in "d∂" for loss in ("", "L", "l", "J", "E", "C", "Loss"))
_PREFIXES = ("d", "grad", "gradient", "g", "D", "delta", "nabla", "∇", "∂", *_OF_LOSS)
_SUFFIXES = ("grad", "grads", "gradient", "bar", "g")
_AFFIXES = (*((each, "") for each in _PREFIXES), *(("", each) for each in _SUFFIXES))
"""What a name of a gradient has before or behind the name of its parameter, once its
punctuation is gone."""

INPUTS = {"x", "X", "xs", "x_train", "X_train", "inputs", "input", "data", "images", "features"}
TARGETS = {"y", "Y", "t", "T", "ys", "y_train", "Y_train", "targets", "target", "labels", "label"}
"""Names of data; of an input only where there is a target too, for many a function has an x."""

_SETTINGS = {"reg", "lam", "lambd", "lambda", "l2", "eps", "epsilon", "lr", "rate", "decay"}
_SETTINGS |= {"learningrate", "weightdecay", "margin", "temperature"}
"""Names of numbers that nobody differentiates by."""

_MAX_DEPTH = 6
_MAX_LEAVES = 1000
_MAX_KEYS = 8


@dataclass(frozen=True, eq=False)
class Matched:
    """An answer whose gradients are known by their arguments.

    Attributes
    ----------
    leaves
        The gradient of each leaf of the arguments, in the order of ``pytree.flatten``, as it
        was given; None where it is missing.
    spelled
        What the answer itself calls each, such as ``"dW1"``; "" where it has no name for it.
    data
        The places of the arguments that count as data: no gradient was given for them, and
        they are whole numbers or text, or called as inputs and targets are.
    loss
        The number that was handed over beside the gradients, or None.
    misspelt
        By the place of a missing leaf what to do if another key has its gradient.
    """

    leaves: tuple[Any, ...]
    spelled: tuple[str, ...]
    data: tuple[int, ...] = ()
    loss: Any = None
    misspelt: Mapping[int, str] = field(default_factory=dict)

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

    Parameters
    ----------
    answer
        What it returned.  It is read, in this order, as: gradients in the structure of the
        arguments; a pair (loss, gradients) or (gradients, loss), or the loss before or behind
        the gradients; by the names of keys and
        attributes, with or without a ``d`` or ``grad``, nested or not, counted from 0 or
        from 1; the gradients one after the other; one flat vector of all of them, in C order;
        gradients in another order, if their shapes tell which; gradients of all arguments but
        those that are data.
    arguments
        The arguments by which the loss was differentiated, or all of a function: arrays,
        numbers, and lists, tuples and dicts of them.
    names
        The name of each argument.
    order
        Whether gradients may come in another order than the arguments.
    data
        Whether some of the arguments may be data.

    Returns
    -------
    Matched or Unmatched
        A reading in which all shapes fit comes before one in which they do not.  A gradient
        of a wrong shape, or a missing one, is no reason to be unmatched where the structure is
        that of the arguments.

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


# --- an answer and the arguments, flat ------------------------------------------


def likely_data(arguments: Sequence[Any], names: Sequence[str]) -> tuple[int, ...]:
    """Return which arguments are data, as far as their names and types tell.

    Examples
    --------
    >>> likely_data([np.zeros(3), np.ones((4, 3)), np.zeros(4)], ["w", "x", "y"])
    (1, 2)
    """
    found = _Matching(arguments, names, order=False).data(set())
    return found if len(found) < len(arguments) else ()


class _Leaf(NamedTuple):
    path: Path
    """The keys that lead to it; the first is the name or the place of the argument."""
    value: Any

    @property
    def text(self) -> str:
        """How the answer spells it: the keys that are text."""
        return "_".join(str(key) for key in self.path if isinstance(key, str))


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Number | np.number) and not isinstance(value, bool)


def _is_numbers(value: Any, depth: int = 3) -> bool:
    """Whether it is a number, or a list of numbers, which may stand for an array."""
    if isinstance(value, list):
        return depth > 0 and bool(value) and all(_is_numbers(each, depth - 1) for each in value)
    return _is_number(value)


def _items(value: Any) -> list[Any] | None:
    """Return what a sequence has in it; None of what is no sequence."""
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, np.ndarray) and value.ndim:
        return list(value)
    return None


def _named(value: Any) -> Mapping[Any, Any] | None:
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


def _flat(value: Any, path: Path = ()) -> Iterator[_Leaf]:
    """Yield the arrays and numbers of an answer, with the keys that lead to them."""
    inside: Mapping[Any, Any] | None = None
    if len(path) < _MAX_DEPTH:
        inside = _named(value)
        if inside is None and isinstance(value, list | tuple) and not _is_numbers(value):
            inside = dict(enumerate(value))
    if inside is None:
        yield _Leaf(path, value)
        return
    for key, each in inside.items():
        yield from _flat(each, (*path, key))


def form_of(answer: Any) -> tuple[Hashable, list[Any]]:
    """Return how an answer is built, which tells how it is read, and its arrays and numbers."""
    leaves = list(islice(_flat(answer), _MAX_LEAVES))
    values = [leaf.value for leaf in leaves]
    shapes = [None if each is None else getattr(each, "shape", ()) for each in values]
    return (type(answer), *zip((leaf.path for leaf in leaves), shapes, strict=True)), values


def _shape(value: Any) -> Shape | None:
    """Return the shape of numbers; None of what is none."""
    try:
        array = np.asarray(value)
    except Exception:  # whatever a student's object does
        return None
    return array.shape if array.dtype.kind in "fiubc" else None


def _word(text: str) -> str:
    """Return a name without its punctuation."""
    return re.sub(r"[\W_]", "", text.replace("∂", "d").replace("∇", "nabla"))


def _plain(text: str) -> str:
    """Return a name as it is compared: of capital letters only the first counts."""
    kept = _word(text)
    return kept[:1] + kept[1:].lower()


def _without(text: str, prefix: str, suffix: str) -> str | None:
    """Return a name without what stands before and behind it; None if it has none of that."""
    kept, prefix = _word(text), _word(prefix)
    if kept.startswith(prefix) and kept.endswith(suffix) and len(kept) > len(prefix + suffix):
        return kept[len(prefix) : len(kept) - len(suffix)]
    return None


Found: TypeAlias = dict[int, _Leaf]
"""By the place of a leaf of the arguments the leaf of the answer that is its gradient."""


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
            leaf is not None and _shape(leaf) == shape
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
            items = _items(answer)
            if isinstance(answer, list | tuple) and items and len(items) == 1:
                wrapped = self._structured(items)
                if alone is None or (wrapped is not None and self._fits(wrapped)):
                    return wrapped
            return alone
        items = None if _named(answer) is not None else _items(answer)
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
        items = _items(answer) if isinstance(answer, list | tuple) else None
        if items is None or len(items) < 2 or (len(items) > 2 and _is_numbers(answer)):
            return None
        first, last = (items[0], tuple(items[1:])), (items[-1], tuple(items[:-1]))
        if len(items) == 2:
            first, last = (items[0], items[1]), (items[1], items[0])
        found: list[Matched] = []
        for loss, gradients in (first, last):
            inner = self.of(gradients, loss=False) if _shape(loss) == () else None
            if isinstance(inner, Matched):
                found.append(replace(inner, loss=loss))
        found = [each for each in found if self._fits(each)] or found
        return found[0] if len(found) == 1 else None

    # -- by names

    def _by_keys(self, answer: Any) -> Matched | None:
        """Return what keys and attributes tell, with the affix that tells most."""
        there = [leaf for leaf in islice(_flat(answer), _MAX_LEAVES) if leaf.text]
        found = self._named_best(there)
        if found is None:
            return None
        places = range(len(self.paths))
        data = self.data({self._argument_of(k) for k in found})
        return Matched(
            tuple(found[k].value if k in found else None for k in places),
            tuple(_last_name(found[k].path) if k in found else "" for k in places),
            data,
            _number_beside(answer),
            dict(self._misspelt(found, there, data)),
        )

    def _named_best(self, there: Sequence[_Leaf]) -> Found | None:
        """Return whose gradients have names, if they can be told."""
        # Names without an affix may be those of the parameters, which stand beside their gradients.
        readings = [each for each in self._keyed(there, _AFFIXES) if each]
        readings = readings or [each for each in self._keyed(there, (("", ""),)) if each]
        if not readings:
            return None
        best = max(map(self._tells, readings))
        found, *others = (each for each in readings if self._tells(each) == best)
        # {"dW1": …, "dW2": …} of three alike
        return None if any(each != found for each in others) else found

    def _misspelt(
        self, found: Found, there: Sequence[_Leaf], data: Sequence[int]
    ) -> Iterator[tuple[int, str]]:
        """Yield what to do about gradients that are missing, if another key may have them."""
        taken = {leaf.path for leaf in found.values()}
        strays = [e for e in there if e.path not in taken and isinstance(e.path[-1], str)]
        offers: list[tuple[tuple[float, float], int, _Leaf, str]] = []
        for k, shape in enumerate(self.shapes if strays else ()):
            if k in found or self._argument_of(k) in data:
                continue
            fitting = [leaf for leaf in strays if _shape(leaf.value) == shape]
            pairs = [(leaf, key) for leaf in fitting if (key := self._key_for(k, leaf, found))]
            for leaf, key in pairs:
                own = leaf.path[-1]
                alike = _likeness(own.lower(), key.lower()), _likeness(own, key)
                # A number may be a loss, and of several arrays any other thing.
                if alike[0] >= 0.5 or (len(pairs) == 1 and shape):
                    offers.append((alike, k, leaf, key))
        told, offered = set[int](), set[tuple[Any, ...]]()
        for _, k, leaf, key in sorted(offers, key=lambda each: each[0], reverse=True):
            if k not in told and leaf.path not in offered:
                told.add(k)
                offered.add(leaf.path)
                yield k, f"if {leaf.path[-1]!r} is it, call it {key!r}"

    def _key_for(self, k: int, stray: _Leaf, found: Found) -> str:
        """Return the key under which a gradient would be found, in the manner of the others."""
        keys: list[str] = []
        for first in (0, 1):
            own = _whole_names(self.paths[k], first)
            for j, leaf in found.items():
                for name, new in zip(_whole_names(self.paths[j], first), own, strict=True):
                    before, there, after = str(leaf.path[-1]).rpartition(name)
                    keys += [f"{before}{new}{after}"] if there else []
        for key in filter(str.isidentifier, keys):
            renamed = _Leaf((*stray.path[:-1], key), stray.value)
            now = self._named_best([*found.values(), renamed])
            if now == found | {k: renamed}:
                return key
        return ""

    def _keyed(self, there: Sequence[_Leaf], affixes: Sequence[tuple[str, str]]) -> Iterator[Found]:
        """Yield, for each affix and for places from 0 and from 1, whose gradients have names."""
        alone = len(self.arguments) == 1
        for (prefix, suffix), counted in product(affixes, (0, 1)):
            given: dict[str, _Leaf] = {}
            for leaf in there:
                for spelling in _spellings_of_answer(leaf.path, prefix, suffix, counted):
                    given.setdefault(spelling, leaf)
            for first in (0, 1) if given else ():
                spellings = [list(_spellings(path, first, alone)) for path in self.paths]
                found = {
                    k: given[next(each for each in those if each in given)]
                    for k, those in enumerate(spellings)
                    if any(each in given for each in those)
                }
                if len({leaf.path for leaf in found.values()}) == len(found):
                    yield found

    def _tells(self, found: Found) -> tuple[int, int]:
        """Return how many gradients a reading finds, and how many in their shapes."""
        fitting = sum(_shape(leaf.value) == self.shapes[k] for k, leaf in found.items())
        return len(found), fitting

    # -- without names and structure

    def _one_after_the_other(self, answer: Any) -> Matched | None:
        """Return the arrays of an answer in their order, whatever they are nested in."""
        leaves = [leaf.value for leaf in islice(_flat(answer), _MAX_LEAVES)]
        if not isinstance(answer, list | tuple) or len(leaves) != len(self.shapes):
            return None
        found = Matched(tuple(leaves), ("",) * len(leaves))
        return found if self._fits(found) else None

    def _one_vector(self, answer: Any) -> Matched | None:
        """Return the parts of one vector that has all entries of all leaves."""
        if len(self.shapes) < 2 or not (
            isinstance(answer, np.ndarray) or (isinstance(answer, list) and _is_numbers(answer))
        ):
            return None
        shape, sizes = _shape(answer), [math.prod(shape) for shape in self.shapes]
        if shape is None or math.prod(shape) != sum(sizes) or max(shape, default=1) != sum(sizes):
            return None
        parts = np.split(np.asarray(answer).ravel(), np.cumsum(sizes)[:-1])
        leaves = [part.reshape(s)[()] for part, s in zip(parts, self.shapes, strict=True)]
        return Matched(tuple(leaves), ("",) * len(leaves))

    def _in_another_order(self, answer: Any) -> Matched | None:
        """Return what shapes tell: argument by argument, or leaf by leaf."""
        items = _items(answer) if isinstance(answer, list | tuple) else None
        if items is None or _named(answer) is not None:
            return None
        if len(items) == len(self.arguments) > 1:
            wanted = [_signature(tree) for tree in self.arguments]
            given = [_signature(each) for each in items]
            if sorted(map(repr, wanted)) == sorted(map(repr, given)):
                return self._structured([items[k] for k in _order(wanted, given)])
        leaves = [leaf.value for leaf in islice(_flat(answer), _MAX_LEAVES)]
        shapes = [_shape(leaf) for leaf in leaves]
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
        settings = [k for k in left if _word(self.names[k]).lower() in _SETTINGS]
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
        shapes = [_shape(leaf.value) for leaf in _flat(answer)][:_MAX_LEAVES]
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
        items = [] if given is None else _items(given)
        if items is None or len(items) > len(tree):
            return False
        rest = [None] * (len(tree) - len(items))
        return all(_collect(*pair, leaves) for pair in zip(tree, [*items, *rest], strict=True))
    leaves.append(given)
    return not isinstance(given, Mapping)


def _signature(tree: Any) -> Any:
    """Return the shapes of a tree, in its structure."""
    if isinstance(tree, list | tuple) and not _is_numbers(tree):
        return [_signature(each) for each in tree]
    if isinstance(tree, dict):
        return {key: _signature(each) for key, each in tree.items()}
    return _shape(tree)


def _order(wanted: Sequence[Any], given: Sequence[Any]) -> list[int]:
    """Return which of the given comes at each place, the first of those that are alike first."""
    left = list(range(len(given)))
    order = []
    for each in wanted:
        k = next(k for k in left if given[k] == each)
        left.remove(k)
        order.append(k)
    return order


def _spellings(path: Path, first: int, alone: bool) -> Iterator[str]:
    """Yield what a leaf of the arguments may be called, the places counted from 0 or 1."""
    paths = [path, path[1:]] if alone or any(isinstance(k, str) for k in path[1:]) else [path]
    for keys in paths:
        texts = [str(key + first) if isinstance(key, int) else str(key) for key in keys]
        if any(isinstance(key, str) for key in keys):
            yield _plain("".join(texts))
            # W of the first layer may be "W0", and not "0W".
            yield _plain("".join(sorted(texts, key=str.isdecimal)))


def _spellings_of_answer(path: Path, prefix: str, suffix: str, counted: int) -> Iterator[str]:
    """Yield what a gradient is called without what says that it is one; nothing if nothing does.

    Places in a list are counted from 0 or from 1.
    """
    bare = [_without(key, prefix, suffix) if isinstance(key, str) else None for key in path]
    if all(each is None for each in bare):
        return
    places = [str(key + counted) if isinstance(key, int) else str(key) for key in path]
    texts = [key if each is None else each for key, each in zip(places, bare, strict=True)]
    for start in range(len(texts)):  # {"grads": {"W1": …}} is called W1 too
        if isinstance(path[start], str) or start == 0:
            yield _plain("".join(texts[start:]))
            yield _plain("".join(sorted(texts[start:], key=str.isdecimal)))


def _whole_names(path: Path, first: int) -> tuple[str, str]:
    """Return a parameter's name in one word, and without its number: ``W1`` and ``W``."""
    start = max(k for k, key in enumerate(path) if isinstance(key, str))
    name = "".join(str(key + first if isinstance(key, int) else key) for key in path[start:])
    return name, name.rstrip("0123456789")


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _last_name(path: Path) -> str:
    """Return how an answer spells a gradient, such as ``dW1`` or ``dW[0]``."""
    start = max(k for k, key in enumerate(path) if isinstance(key, str))
    return f"{path[start]}{''.join(f'[{key!r}]' for key in path[start + 1 :])}"


def _number_beside(answer: Any) -> Any:
    """Return the number in a pair of one and something else; None if there is none."""
    if not isinstance(answer, list | tuple) or len(answer) != 2:
        return None
    found = [each for each in answer if _is_number(each)]
    return found[0] if len(found) == 1 else None


def described(answer: Any) -> str:
    """Say what an answer is, without asking it anything that it could answer wrongly."""
    if answer is None:
        return "nothing"
    kind = type(answer).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    inside = _named(answer)
    if isinstance(answer, Mapping) and inside is not None:
        keys = [repr(key) for key in [*inside][:_MAX_KEYS]]
        more = "" if len(inside) <= _MAX_KEYS else " and others"
        said = (", ".join(keys) + more) if more else in_words(keys) if keys else ""
        return f"{article} {kind} with the keys {said}" if keys else f"an empty {kind}"
    if isinstance(answer, list | tuple):
        return f"{article} {kind} of {len(answer)}"
    if isinstance(answer, np.ndarray):
        return f"an array of shape {answer.shape}"
    if _is_number(answer):
        return "one number"
    if inside:
        names = in_words([*map(str, [*inside][:_MAX_KEYS])])
        return f"an object of type {kind} with the attributes {names}"
    return f"an object of type {kind}"
