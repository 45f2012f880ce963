"""What can be said of a wrong gradient that no mistake of the catalogue explains."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, get_args

import numpy as np

from backprop_nb.checking.compare import Array, agrees, factor_in_words, factor_of, is_plain, signed
from backprop_nb.checking.convention import Course, Penalty, Reduction, Weights
from backprop_nb.checking.packing import check_calls, names_of_arguments
from backprop_nb.checking.raised import NO_SUCH_KEY
from backprop_nb.checking.report import NUMBERS, Hints, both_in_digits, scaling
from backprop_nb.errors import BackpropError, in_words
from backprop_nb.network.activations import ActivationName, OutputName
from backprop_nb.network.losses import LossName


def factors_in_words(
    factors: Sequence[float | None], sizes: Sequence[Mapping[str, int]], update: bool = False
) -> str:
    """Say how many times the right gradient a given one is on some networks; "" if it is not.

    A factor is None where there is none.  The sizes are for each network its numbers by their
    symbols.  ``update`` says whether it may be the step of an update.

    >>> sizes = [{"N": 4, "n_K": 2}, {"N": 4, "n_K": 3}]
    >>> factors_in_words([0.5, 0.5], sizes), factors_in_words([2.0, 4 / 3], sizes)
    ('is half of the right one', 'is N/n_K times the right one')
    >>> factors_in_words([-0.1, -0.1], sizes, update=True)[:48]
    'is −0.1 times the right one: it looks like the s'
    """
    known = [factor for factor in factors if factor is not None]
    if not known or len(known) < len(factors):
        return ""
    one = known[0]
    constant = bool(np.allclose(known, one, rtol=1e-5))
    if constant and is_plain(one):
        return factor_in_words(one)
    if words := _product_of_sizes(known, sizes):
        return f"is {words} times the right one"
    if not constant:
        return "is a multiple of the right one, by another factor on each network"
    return step_in_words(one) if update else factor_in_words(one)


_ITSELF = "Return the gradient itself: the update is made where the pass is called"


def step_in_words(factor: float) -> str:
    """Say that a gradient is a multiple of the right one, and whether it looks like an update.

    >>> step_in_words(3.0)
    'is 3 times the right one'
    >>> step_in_words(-0.1).split(", ")[0]
    'is −0.1 times the right one: it looks like the step of an update'
    >>> step_in_words(-0.5)  # rather a sign and a 2
    'is −0.5 times the right one'
    """
    words = factor_in_words(factor)
    if not -1 < factor < 0 or is_plain(factor):
        return words
    return f"{words}: it looks like the step of an update, {signed(factor)} · gradient. {_ITSELF}"


def common_factor(given: Sequence[Array], expected: Sequence[Array]) -> float | None:
    """Return how many times the right gradients some others are, if it is so for all entries.

    >>> common_factor([np.full(1, 3.0), np.full(2, 6.0)], [np.ones(1), np.full(2, 2.0)])
    3.0
    """
    if not given or any(a.shape != b.shape for a, b in zip(given, expected, strict=True)):
        return None
    factor = factor_of(*(np.concatenate([e.ravel() for e in each]) for each in (given, expected)))
    pairs = zip(given, expected, strict=True)
    return factor if factor and all(agrees(a / factor, b) for a, b in pairs) else None


def updated_in_words(
    given: Sequence[Array], expected: Sequence[Array], parameters: Sequence[Array], name: str
) -> str:
    """Say that updated parameters were returned in place of gradients; "" if they were not.

    >>> W, dW = np.ones(2), np.array([1.0, 2.0])
    >>> updated_in_words([W - 0.1 * dW], [dW], [W], "W")[:51]
    'looks like the updated W, W − 0.1 · gradient. Retur'
    """
    if any(a.shape != b.shape for a, b in zip(given, parameters, strict=True)):
        return ""
    rate = common_factor([a - b for a, b in zip(given, parameters, strict=True)], expected)
    # 2 * f - y, where brackets are missing, is f and half of 2 (f - y): nobody has learned there.
    if rate is None or abs(rate - 0.5) < 1e-6:
        return ""
    # A step that leaves nothing of the parameters is none: nearly 0 was given.
    largest = [
        max(float(np.abs(each).max(initial=0.0)) for each in some) for some in (given, parameters)
    ]
    if largest[0] < 1e-3 * largest[1]:
        return ""
    sign, size = ("−", -rate) if rate < 0 else ("+", rate)
    return f"looks like the updated {name}, {name} {sign} {signed(size)} · gradient. {_ITSELF}"


def loss_in_words(
    given: Sequence[float],
    right: Sequence[float],
    sizes: Sequence[Mapping[str, int]],
    hints: Hints = "plain",
) -> str:
    """Say that what is returned beside the gradients is not the loss; "" if it is.

    The numbers are what was returned, and the loss, on some networks.

    >>> loss_in_words([2.0, 6.0], [0.5, 1.5], [{"N": 4}, {"N": 4}]).split(". ")[0]
    'The number that is returned beside the gradients is 2, and the loss is 0.5: N times as much'
    """
    pairs = [*zip(given, right, strict=True)]
    wrong = next((pair for pair in pairs if not agrees(*map(np.array, pair))), None)
    if wrong is None:
        return ""
    subject = "The number that is returned beside the gradients is"
    number, loss = both_in_digits(*wrong)
    if hints == "none":
        text = f"{subject} not the loss."
    elif hints != "plain":
        text = f"{subject} {number}, which is not the loss."
    else:
        known = all(each and math.isfinite(each) for pair in pairs for each in pair)
        times = _times([a / b for a, b in pairs], sizes) if known else ""
        text = f"{subject} {number}, and the loss is {loss}{times and f': {times} as much'}."
    return f"{text} The gradients are judged without it."


def _times(factors: Sequence[float], sizes: Sequence[Mapping[str, int]]) -> str:
    """Return a factor between losses in words, if it stands for something."""
    first = factors[0]
    is_constant = np.allclose(factors, first, rtol=1e-5)
    if is_constant:
        for factor, words in ((0.5, "half"), (2.0, "twice"), (-1.0, "−1 times")):
            if math.isclose(first, factor, rel_tol=1e-5):
                return words
    if words := _product_of_sizes(factors, sizes):
        return f"{words} times"
    if is_constant:
        for count, form in ((round(first), "{} times"), (round(1 / first), "1/{} times")):
            right = float(count) if form[0] == "{" else 1 / count if count else 0.0
            if abs(count) > 1 and math.isclose(first, right, rel_tol=1e-5):
                return form.format(count)
    return ""


def _product_of_sizes(numbers: Sequence[float], sizes: Sequence[Mapping[str, int]]) -> str:
    """Return the simplest product of sizes that numbers are on all networks; "" if none is."""
    found = (words for words, values in _products(sizes) if np.allclose(numbers, values, rtol=1e-5))
    return next(found, "")


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


_TIMES_ONE_OVER = "multiply it by 1/"


def in_sizes(texts: Sequence[str], sizes: Sequence[Mapping[str, int]]) -> str | None:
    """Return what is said of some networks as it holds for all; None if nothing does.

    >>> sizes = [{"N": 7, "n_K": 2}, {"N": 8, "n_K": 4}]
    >>> in_sizes(["multiply it by 5/7", "multiply it by 5/8"], sizes)
    'multiply it by 5/N, with N the number of samples'
    >>> in_sizes(["multiply it by 1/2", "multiply it by 1/4"], sizes)
    'divide it by n_K, with n_K the number of outputs'
    >>> in_sizes(["divide it by 7", "divide it by 8"], sizes)
    'divide it by N, with N the number of samples'
    >>> in_sizes(["multiply it by 10/7", "multiply it by 5/4"], sizes)
    'multiply it by 10/N, with N the number of samples'
    >>> in_sizes(["multiply it by 2", "multiply it by 3"], sizes) is None
    True
    """
    # What divides on one network may multiply on another: 5/n_K is 1 where n_K is 5.
    texts = [text.replace("divide it by ", _TIMES_ONE_OVER) for text in texts]
    parts = [NUMBERS.split(text) for text in texts]
    words = [_in_sizes(each, sizes) for each in zip(*parts, strict=False)]
    if len({*map(len, parts)}) > 1 or None in words:
        return None
    said = "".join(filter(None, words))
    if said.startswith(_TIMES_ONE_OVER):
        said = scaling("it", said.removeprefix("multiply it by "))
    named = {"N": "N the number of samples", "n_K": "n_K the number of outputs"}
    new = [text for name, text in named.items() if name in said and name not in texts[0]]
    return f"{said}, with {in_words(new)}" if new else said


def _number(text: str) -> float:
    """Return a number from a text, which may be a quotient of products.

    >>> _number("5/7"), _number("−2/(7·4)")
    (0.7142857142857143, -0.07142857142857142)
    """
    parts = [part.removeprefix("(").removesuffix(")") for part in text.split("/")]
    first, *rest = (
        math.prod(float(each.replace("−", "-")) for each in part.split("·")) for part in parts
    )
    return first / math.prod(rest)


def _in_sizes(parts: Sequence[str], sizes: Sequence[Mapping[str, int]]) -> str | None:
    if len({*parts}) == 1:
        return parts[0]
    try:
        numbers = [_number(each) for each in parts]
    except (ValueError, ZeroDivisionError):  # words, or a number that nobody can read
        return None
    if words := _product_of_sizes(numbers, sizes):
        return words
    for words, values in _products(sizes):
        times = [number / value for number, value in zip(numbers, values, strict=True)]
        if np.allclose(times, times[0], rtol=1e-5):
            number = signed(times[0])
            return f"{number}{words[1:]}" if words.startswith("1/") else f"{number} {words}"
    return None


def changed_in_words(names: Sequence[str]) -> str:
    """Say that arguments are not as they were before the call."""
    are = "are" if len(names) > 1 else "is"
    return (
        f"It changes its arguments: {in_words(names)} {are} not as before the call. "
        "x = x - 1 makes a new array; x -= 1 and x[0] = 1 write into the caller's."
    )


def unsteady_in_words(name: str, is_doubled: bool) -> str:
    """Say that a gradient is another one when the same is asked again."""
    what = "it stores something between calls, or draws random numbers"
    if is_doubled:
        what = "it is twice the first one, as if the last call's were still in it"
    return (
        f"Called again with the same arguments, it returns a different {name}: {what}. "
        "Every call has to be right."
    )


def fails_again_in_words(failure: str) -> str:
    """Say that a gradient comes at the first call alone."""
    what = failure or "it returns other things than at the first"
    return f"Called again with the same arguments, {what}. Every call has to be right."


def spoilt_in_words(names: Sequence[str]) -> str:
    """Say that data was written into that the loss reads as well."""
    are = "are" if len(names) > 1 else "is"
    return (
        f"It writes into what the loss reads: {in_words(names)} {are} not as before the call, so "
        f"that each call is about other data. Write into a copy with another name, "
        f"mine = {names[0]}.copy()."
    )


_OPTIONS: Mapping[str, Sequence[Any]] = {
    "activation": get_args(ActivationName),
    "output": get_args(OutputName),
    "loss": get_args(LossName),
    "half": (True, False),
    "reduction": get_args(Reduction),
    "l2_factor": get_args(Penalty),
    "weights": get_args(Weights),
    "bias": (True, "flat", "matrix", "in_weights", False),
    "layers": range(1, 6),
    "samples": ("rows", "columns", "column", "single"),
    "calls": ("parameters x y", "x y parameters"),
}


def other_courses(course: Course) -> Iterator[tuple[str, Course]]:
    """Yield the courses that differ by one option, with that option as it is written.

    A softmax comes with its cross-entropy.  A single sample in place of several shows less of
    what is wrong, so it is none of them.

    >>> next(other_courses(Course()))[0]
    "activation='tanh'"
    """
    changes: list[dict[str, Any]] = [
        {name: value} for name, values in _OPTIONS.items() for value in values
    ]
    changes.append({"output": "softmax", "loss": "cross-entropy"})
    for options in changes:
        try:
            other = replace(course, **options)
            check_calls(other)
        except BackpropError:  # they do not go together
            continue
        if other != course and other.N_is_1 <= course.N_is_1:
            yield ", ".join(f"{name}={value!r}" for name, value in options.items()), other


def option_meant(failure: str, course: Course) -> str:
    """Return a sentence on the option with which code would run that raised an error; "" if none.

    >>> option_meant("it raised ValueError: too many values to unpack (expected 2)", Course())
    ' The networks have 3 layers. If this code is for 2 of them, check it with layers=2.'
    """
    meant = layers_meant(failure, course)
    if meant not in (None, course.layers):
        return (
            f" The networks have {course.layers} layers. If this code is for {meant} of them, "
            f"check it with layers={meant}."
        )
    if re.search(r"TypeError: .*positional argument", failure):
        called = ", ".join(names_of_arguments(course))
        return f" It is called with ({called}); `calls` says what else it should be called with."
    is_own = NO_SUCH_KEY in failure
    if "KeyError" in failure and course.parameters in ("dict", "dicts") and not is_own:
        own = course.symbols if course.parameters == "dicts" else course.leaf_names.values()
        keys = ", ".join(map(repr, own))
        return f" The keys of the parameters are {keys}; `names` says how else they are called."
    return ""


def layers_meant(failure: str, course: Course) -> int | None:
    """Return for how many layers code is written that can take the parameters of no others.

    >>> layers_meant("it raised ValueError: too many values to unpack (expected 2)", Course())
    2
    >>> layers_meant(
    ...     "f() takes 6 positional arguments but 8 were given", Course(parameters="separate")
    ... )
    2
    """
    parts = len(course.leaf_names) // course.layers
    if unpacked := re.search(r"values to unpack \(expected (\d+)", failure):
        meant = int(unpacked[1]) / (parts if course.parameters == "list" else 1)
    elif called := re.search(r"takes (\d+) positional arguments but (\d+) were given", failure):
        if int(called[2]) != len(names_of_arguments(course)) or course.parameters != "separate":
            return None
        meant = course.layers - (int(called[2]) - int(called[1])) / parts
    else:
        return None
    return int(meant) if meant >= 1 and meant == int(meant) else None
