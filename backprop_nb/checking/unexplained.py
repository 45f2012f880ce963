"""What can be said of a wrong gradient that no mistake of the catalogue explains."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np

from backprop_nb.checking.compare import factor_in_words
from backprop_nb.checking.convention import Course
from backprop_nb.checking.packing import argument_names


def factors_in_words(
    factors: Sequence[float | None], sizes: Sequence[Mapping[str, int]], update: bool = False
) -> str:
    """Say how many times the right gradient a given one is on some networks; "" if it is not.

    Parameters
    ----------
    factors
        For each network; None where there is no factor.
    sizes
        For each network its numbers by their symbols.
    update
        Whether it may be the step of an update.

    Examples
    --------
    >>> sizes = [{"N": 4, "n_K": 2}, {"N": 4, "n_K": 3}]
    >>> factors_in_words([0.5, 0.5], sizes), factors_in_words([2.0, 4 / 3], sizes)
    ('is half of the right one', 'is N/n_K times the right one')
    >>> factors_in_words([-0.1, -0.1], sizes, update=True)[:48]
    'is −0.1 times the right one, as if −0.1 · gradie'
    """
    known = [factor for factor in factors if factor is not None]
    if not known or len(known) < len(factors):
        return ""
    one = known[0]
    constant = bool(np.allclose(known, one, rtol=1e-5))
    if constant and abs(one) in (0.5, 1.0, 2.0):
        return factor_in_words(one)
    for words, values in _products(sizes):
        if np.allclose(known, values, rtol=1e-5):
            return f"is {words} times the right one"
    if not constant:
        return "is a multiple of the right one, by another factor on each network"
    words = factor_in_words(one)
    if update and -1 < one < 0:
        rate = f"{one:.4g}".replace("-", "−")
        words += (
            f", as if {rate} · gradient were returned, the step of an update with the learning "
            f"rate {abs(one):.4g}: return the gradient itself"
        )
    return words


def _products(sizes: Sequence[Mapping[str, int]]) -> Iterator[tuple[str, list[float]]]:
    """Yield products of powers of sizes that are not always 1, the simplest first."""
    symbols = [name for name in sizes[0] if any(each[name] != 1 for each in sizes)]
    found = []
    for powers in product((0, 1, -1, 2, -2), repeat=len(symbols)):
        for factor in (1.0, -1.0, 2.0, -2.0, 0.5, -0.5):
            if any(powers):
                effort = sum(map(abs, powers)) + (factor != 1.0)
                found.append((effort, powers, factor))
    for _, powers, factor in sorted(found, key=lambda each: each[0]):
        values = [
            factor
            * float(
                np.prod([float(each[name]) ** p for name, p in zip(symbols, powers, strict=True)])
            )
            for each in sizes
        ]
        yield _in_symbols(dict(zip(symbols, powers, strict=True)), factor), values


def _in_symbols(powers: Mapping[str, int], factor: float) -> str:
    """Return a product as text.

    >>> _in_symbols({"N": -1, "n_K": 1}, 2.0), _in_symbols({"N": -1, "n_K": -1}, -0.5)
    ('2 n_K/N', '−1/(2 N n_K)')
    """
    over = [*(["2"] if abs(factor) == 2 else []), *_powers(powers, 1)]
    under = [*(["2"] if abs(factor) == 0.5 else []), *_powers(powers, -1)]
    sign = "−" if factor < 0 else ""
    top = " ".join(over) or "1"
    if not under:
        return f"{sign}{top}"
    bottom = " ".join(under)
    return f"{sign}{top}/{bottom if len(under) == 1 else f'({bottom})'}"


def _powers(powers: Mapping[str, int], sign: int) -> list[str]:
    return [f"{name}{'²' if abs(p) == 2 else ''}" for name, p in powers.items() if p * sign > 0]


def option_meant(failure: str, course: Course) -> str:
    """Return a sentence on the option with which code would run that raised an error; "" if none.

    >>> option_meant("it raised ValueError: too many values to unpack (expected 2)", Course())
    ' The networks have 3 layers. If this code is for 2 of them, check it with layers=2.'
    """
    unpacked = re.search(r"values to unpack \(expected (\d+)", failure)
    meant = int(unpacked[1]) if unpacked else 0
    if 0 < meant != course.layers:
        return (
            f" The networks have {course.layers} layers. If this code is for {meant} of them, "
            f"check it with layers={meant}."
        )
    if re.search(r"TypeError: .*positional argument", failure):
        called = ", ".join(
            name for word in course.called_with for name in argument_names(course, word)
        )
        return f" It is called with ({called}); `calls` says what else it should be called with."
    if "KeyError" in failure and course.parameters in ("dict", "dicts"):
        own = course.symbols if course.parameters == "dicts" else course.leaf_names.values()
        keys = ", ".join(map(repr, own))
        return f" The keys of the parameters are {keys}; `names` says how else they are called."
    return ""
