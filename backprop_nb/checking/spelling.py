"""Which parameter a name of a gradient is about: dW1, grad_W1, W1.grad, {"W": [...]}."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, TypeAlias

from backprop_nb.checking.leaves import Leaf, Path, Shape, shape_of

_OF_LOSS = tuple(f"{d}{loss}{d}" for d in "d∂" for loss in ("", "L", "l", "J", "E", "C", "Loss"))
_PREFIXES = ("d", "grad", "gradient", "g", "D", "delta", "nabla", "∇", "∂", *_OF_LOSS)
_SUFFIXES = ("grad", "grads", "gradient", "bar", "g")
_AFFIXES = (*((each, "") for each in _PREFIXES), *(("", each) for each in _SUFFIXES))
"""What a name of a gradient has before or behind the name of its parameter, once its
punctuation is gone."""

Found: TypeAlias = dict[int, Leaf]
"""By the place of a leaf of the arguments the leaf of the answer that is its gradient."""


class ByName:
    """Finds gradients by what their parameters are called.

    A path of a leaf of the arguments begins with the argument's name.  If there is one argument
    ``alone``, an answer may leave out its name.
    """

    def __init__(self, paths: Sequence[Path], shapes: Sequence[Shape], alone: bool) -> None:
        self.paths, self.shapes, self.alone = paths, shapes, alone

    def best(self, there: Sequence[Leaf]) -> Found | None:
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

    def misspelt(
        self, found: Found, there: Sequence[Leaf], wanted: Sequence[int]
    ) -> Iterator[tuple[int, str]]:
        """Yield what to do about gradients that are missing, if another key may have them."""
        taken = {leaf.path for leaf in found.values()}
        strays = [e for e in there if e.path not in taken and isinstance(e.path[-1], str)]
        offers: list[tuple[tuple[float, float], int, Leaf, str]] = []
        for k, shape in enumerate(self.shapes if strays else ()):
            if k in found or k not in wanted:
                continue
            fitting = [leaf for leaf in strays if shape_of(leaf.value) == shape]
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

    def _key_for(self, k: int, stray: Leaf, found: Found) -> str:
        """Return the key under which a gradient would be found, in the manner of the others."""
        keys: list[str] = []
        for first in (0, 1):
            own = _whole_names(self.paths[k], first)
            for j, leaf in found.items():
                for name, new in zip(_whole_names(self.paths[j], first), own, strict=True):
                    before, there, after = str(leaf.path[-1]).rpartition(name)
                    keys += [f"{before}{new}{after}"] if there else []
        for key in filter(str.isidentifier, keys):
            renamed = Leaf((*stray.path[:-1], key), stray.value)
            now = self.best([*found.values(), renamed])
            if now == found | {k: renamed}:
                return key
        return ""

    def _keyed(self, there: Sequence[Leaf], affixes: Sequence[tuple[str, str]]) -> Iterator[Found]:
        """Yield, for each affix and for places from 0 and from 1, whose gradients have names."""
        for (prefix, suffix), counted in product(affixes, (0, 1)):
            given: dict[str, Leaf] = {}
            for leaf in there:
                for spelling in _spellings_of_answer(leaf.path, prefix, suffix, counted):
                    given.setdefault(spelling, leaf)
            for first in (0, 1) if given else ():
                spellings = [list(_spellings(path, first, self.alone)) for path in self.paths]
                found = {
                    k: given[next(each for each in those if each in given)]
                    for k, those in enumerate(spellings)
                    if any(each in given for each in those)
                }
                if len({leaf.path for leaf in found.values()}) == len(found):
                    yield found

    def _tells(self, found: Found) -> tuple[int, int]:
        """Return how many gradients a reading finds, and how many in their shapes."""
        fitting = sum(shape_of(leaf.value) == self.shapes[k] for k, leaf in found.items())
        return len(found), fitting


def word(text: str) -> str:
    """Return a name without its punctuation."""
    return re.sub(r"[\W_]", "", text.replace("∂", "d").replace("∇", "nabla"))


def _plain(text: str) -> str:
    """Return a name as it is compared: of capital letters only the first counts."""
    kept = word(text)
    return kept[:1] + kept[1:].lower()


def _without(text: str, prefix: str, suffix: str) -> str | None:
    """Return a name without what stands before and behind it; None if it has none of that."""
    kept, prefix = word(text), word(prefix)
    if kept.startswith(prefix) and kept.endswith(suffix) and len(kept) > len(prefix + suffix):
        return kept[len(prefix) : len(kept) - len(suffix)]
    return None


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


def last_name(path: Path) -> str:
    """Return how an answer spells a gradient, such as ``dW1`` or ``dW[0]``."""
    start = max(k for k, key in enumerate(path) if isinstance(key, str))
    return f"{path[start]}{''.join(f'[{key!r}]' for key in path[start + 1 :])}"


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()
