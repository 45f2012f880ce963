"""The lengths of a problem, for which the factor of a wrong gradient may stand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.checking.compare import factor_in_words, is_plain
from backprop_nb.tracing import pytree


class Reading(NamedTuple):
    """How many times the right gradient a wrong one is, by a length of the problem."""

    text: str
    factor: Callable[[int], float]
    slip: str

    def fits(self, factor: float, length: int) -> bool:
        """Whether a slip makes a gradient so many times the right one, with either sign."""
        return math.isclose(abs(factor), self.factor(length), rel_tol=1e-6)

    @property
    def mistake(self) -> str:
        """Its id in the catalogue, if it is there."""
        if "√" in self.text or "−" in self.text:
            return "wrong_count"
        return "batch_not_averaged" if self.factor(9) > 1 else "batch_averaged"


READINGS = (
    Reading("{0}", lambda n: n, "a division by it is missing"),
    Reading("1/{0}", lambda n: 1 / n, "a division by it is too many"),
    Reading("{0}/2", lambda n: n / 2, "a division by it and a factor 2 are missing"),
    Reading("2·{0}", lambda n: 2 * n, "a division by it is missing, and a 2 is too many"),
    Reading("{0}/({0} − 1)", lambda n: n / (n - 1), "one less stands in its place"),
    Reading("({0} − 1)/{0}", lambda n: 1 - 1 / n, "it stands in the place of one less"),
    Reading("√{0}", math.sqrt, "a division by its square root is missing"),
    Reading("1/√{0}", lambda n: n**-0.5, "a division by its square root is too many"),
    Reading("1/(2·{0})", lambda n: 0.5 / n, "a division by it is too many, and a 2 is missing"),
    Reading("2/{0}", lambda n: 2 / n, "a division by it and a factor 2 are too many"),
    Reading("{0}²", lambda n: n**2, "two divisions by it are missing"),
    Reading("1/{0}²", lambda n: 1 / n**2, "two divisions by it are too many"),
)
"""The likeliest first."""


def lengths(named: Sequence[tuple[str, Any]]) -> dict[str, int]:
    """Return the lengths from 2 on of arrays and how many entries they have, by what they count.

    >>> lengths([("X", np.ones((5, 4))), ("y", np.ones(5))])
    {'rows of X': 5, 'columns of X': 4, 'entries of X': 20, 'entries of y': 5}
    """
    found: dict[str, int] = {}
    for name, array in named:
        shape = np.shape(array)
        axes = ["rows", "columns"] if len(shape) == 2 else []
        found |= {f"{each} of {name}": n for each, n in zip(axes, shape, strict=False)}
        if len(shape) > 2:
            found |= {f"positions on axis {k} of {name}": n for k, n in enumerate(shape)}
        if shape:
            found[f"entries of {name}"] = math.prod(shape)
    return {words: n for words, n in found.items() if n > 1}


def count_in_words(length: int, known: Mapping[str, int]) -> str:
    """Say what a number counts; of what it counts along several axes one for each.

    >>> count_in_words(5, {"rows of X": 5, "entries of y": 5, "columns of W": 5})
    '5 is the number of rows of X, and of columns of W'
    >>> count_in_words(6, {"entries of W": 6, "rows of X": 6})
    '6 is the number of rows of X'
    """
    kinds: dict[str, str] = {}
    fitting = [words for words, n in known.items() if n == length]
    # Rows are what is averaged over as a rule, and never the entries of a matrix.
    for words in sorted(fitting, key=lambda words: "entries" in words):
        kinds.setdefault(words.partition(" ")[0].replace("entries", "rows"), words)
    return f"{length} is the number of {', and of '.join([*kinds.values()][:2])}"


def longer(args: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield arguments of which all axes of one length are longer by one, by entries that recur.

    >>> [[a.shape, b.shape] for a, b in longer([np.ones((5, 4)), np.ones(5)])]
    [[(5, 5), (5,)], [(6, 4), (6,)]]
    """
    leaves = [leaf for leaf in pytree.flatten(list(args)) if isinstance(leaf, np.ndarray)]

    def grown(length: int, _: str, leaf: Any) -> Any:
        for axis, n in enumerate(leaf.shape if isinstance(leaf, np.ndarray) else ()):
            if n == length:
                leaf = np.concatenate([leaf, leaf.take([0], axis)], axis)
        return leaf

    for length in sorted({n for leaf in leaves for n in leaf.shape if n > 1}):
        yield list(pytree.rebuild(list(args), partial(grown, length)))


def length_behind(
    factor: float,
    known: Mapping[str, int],
    elsewhere: Sequence[tuple[Mapping[str, int], float | None]],
    is_one_number: bool = False,
    averaged: Collection[float] | None = None,
) -> tuple[str, str]:
    """Return a mistake, and what is said of it, if a factor stands for a length; or else "".

    A factor that may as well stand for itself tells no mistake.

    ``elsewhere`` is the same problem with other lengths, and the factor there, if there is one: it
    tells whether the factor follows.  A gradient that is one number is always a multiple of the
    right one.  ``averaged`` is how many the loss takes means over, if that is known: a 2 that is
    none of them is rather one of the formula.

    >>> length_behind(3.0, {"entries of f": 3}, [({"entries of f": 4}, 4.0)])[1]
    'is 3 times the right one, and 3 is the number of entries of f: a division by it is missing'
    >>> length_behind(1.5, {"entries of f": 3}, [])[1].partition(": ")[2]
    'perhaps a division by it and a factor 2 are missing, or one less stands in its place'
    >>> length_behind(3.0, {"entries of f": 3}, [({"entries of f": 4}, 3.0)])
    ('', '')
    """
    sure, unsure = dict[tuple[Reading, int], None](), dict[tuple[Reading, int], None]()
    for reading, (words, n) in itertools.product(READINGS, known.items()):
        if reading.fits(factor, n):
            there = [(each[words], one) for each, one in elsewhere if one and each[words] != n]
            if not there:
                unsure[reading, n] = None
            elif all(reading.fits(one, m) for m, one in there):
                sure[reading, n] = None
    times = factor_in_words(factor)
    is_simple = is_plain(factor)
    likely = READINGS[: 2 if is_simple else 5]
    unsure = {
        (reading, n): None
        for reading, n in unsure
        if reading in likely and (not is_simple or averaged is None or n in averaged)
    }
    found = [*(sure or ({} if is_one_number else unsure))]
    if not found:
        return "", ""
    reading, n = found[0]
    slips = [each.slip for each, m in found if m == n][: 1 if sure else 2]
    sign = "−" if factor < 0 else ""
    if sure or not is_simple:
        times = f"is {sign}{reading.text.format(n)} times the right one"
    perhaps = "" if sure else "perhaps "
    turned = ", and the sign is wrong" if factor < 0 else ""
    return (
        reading.mistake if sure or not is_simple else "",
        f"{times}, and {count_in_words(n, known)}: {perhaps}{', or '.join(slips)}{turned}",
    )
