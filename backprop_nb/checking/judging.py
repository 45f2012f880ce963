"""Who judges a gradient: the tracer, and central differences as far as they can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.checking.compare import TOLERANCE, TOLERANCE_FLOAT32, Array, compare, wrong_entries
from backprop_nb.checking.differences import DIRECTIONS, LOOKED_AT, Point
from backprop_nb.checking.raised import said_of
from backprop_nb.checking.report import Checked
from backprop_nb.errors import BackpropError, UnsupportedError, in_words

_EACH_ENTRY = 3000
"""So many entries of an array are moved one by one where no other judge is."""


_SHARE = 0.05
"""Slopes that are known to this share of the largest entry are known well enough ..."""

_OF_ALL = 1e-2
"""... and those that are 0, to this share of the largest slope by any parameter ..."""

_WELL_KNOWN, _ORDINARY = 1e-3, 1e5
"""... or to the one, beside a loss that is no larger than the other."""


_LAST_DIGITS = 1e-14
"""So small beside the loss is what is left of a gradient that adds up to 0."""


class Judged(NamedTuple):
    """The right gradients, and what to know of them."""

    gradients: list[Array]
    notes: tuple[str, ...]
    roundings: list[Array]
    """How far off each entry may be."""
    looked_into: tuple[int, ...] = ()
    """Those of which not all entries are known: some alone were looked at, or are large enough."""
    unknown: tuple[int, ...] = ()
    """Those of which nobody can tell whether they are right."""


def judge(point: Point, given: Sequence[Any]) -> Judged:
    """Return the right gradients, by the tracer if it can."""
    value = point.value()
    try:
        gradients = point.traced_gradients()
    except Exception as error:  # of another library, too: as it is, the function has a value
        why = "The tracer cannot follow this function, so central differences alone judge."
        reason = error.problem if isinstance(error, BackpropError) else said_of(error, None)
        return _by_differences_alone(point, given, f"{why} {reason}")
    if not any(each.any() for each in gradients):
        point.check_that_it_is_not_rounded()
    notes = tuple(_disagreements(point, gradients))
    if not np.isfinite(value):
        notes = (f"The function is {value} here, and what changes that says nothing.",)
    return Judged(gradients, notes, [np.zeros(each.shape) for each in gradients])


def _by_differences_alone(point: Point, given: Sequence[Any], why: str) -> Judged:
    point.check_that_it_is_not_rounded()
    values = [_as_numbers(each, leaf) for each, leaf in zip(given, point.leaves, strict=True)]
    found = [_by_differences(point, k, each) for k, each in enumerate(values)]
    slopes, roundings, notes = zip(*found, strict=True)
    # Noise, which is no slope, is not counted.
    largest = max(_largest(np.maximum(abs(s) - r, 0.0)) for s, r, _ in found)
    sizes = [0.0 if each is None else _largest(each) for each in values]
    unknown = tuple(
        k
        for k, (each, (right, rounding, _)) in enumerate(zip(values, found, strict=True))
        if each is not None
        and np.array_equal(each, right)
        and not _is_known(_largest(rounding), sizes[k], abs(point.value()), largest)
    )
    if unknown:
        pairs = enumerate(zip(point.names, given, slopes, roundings, strict=True))
        if all(at_kinks(beside(*each), point, k).ok for k, each in pairs):
            k = unknown[0]
            raise _cannot_tell(point, k, _largest(roundings[k]), sizes[k], why)
        names = in_words([point.names[k] for k in unknown])
        notes += (f"Beside a loss of {point.value():.3g} nobody can tell the gradient by {names}.",)
    partly = tuple(
        k
        for k, (slope, rounding, _) in enumerate(found)
        if slope.size > _EACH_ENTRY or _largest(rounding) > _SHARE * max(_largest(slope), sizes[k])
    )
    return Judged([*slopes], (why, *filter(None, notes)), [*roundings], partly, unknown)


def _as_numbers(given: Any, leaf: Array) -> Array | None:
    """Return a gradient as an array, if it can be compared."""
    values = compare("", given, leaf).given
    fits = values is not None and values.shape == leaf.shape and np.isfinite(values).all()
    return values if fits else None


def _by_differences(point: Point, k: int, values: Array | None) -> tuple[Array, Array, str]:
    """Return the right gradient, how far it may be off, and what to know of it."""
    leaf = point.leaves[k]
    if values is None:
        return *point.slopes_and_rounding(k), ""
    name = point.names[k]
    if point.is_narrow and point.agrees_along(k, values):
        note = (
            f"The loss is computed in float32, so {name} was judged along {4 * DIRECTIONS} "
            "directions, to 5 %."
        )
        return values, np.zeros(leaf.shape), note
    if leaf.size > _EACH_ENTRY:
        slopes, rounding = point.slopes_beside(k, values)
        note = (
            f"{name} has {leaf.size:,} entries: {LOOKED_AT} were looked at one by one, "
            f"and all of them together along {DIRECTIONS} directions."
        )
    else:
        slopes, rounding = point.slopes_and_rounding(k)
        least = _largest(rounding)
        is_rough = least > 1e-5 * _largest(slopes) and values.any()
        known = f"known to ±{least:.1g} only, beside a loss of {point.value():.3g}"
        note = f"The slopes by {name} are {known}." if is_rough else ""
    return _nearest_multiple(values, slopes, rounding), rounding, note


def _is_known(rounding: float, size: float, loss: float, largest: float) -> bool:
    """Whether slopes are known so well that not any gradient of this size would be right.

    One that is zero, or nothing but rounding, says that they are small beside all others.
    """
    if rounding <= _SHARE * size:
        return True
    is_zero = size <= _LAST_DIGITS * max(1.0, loss, largest)
    return is_zero and rounding <= max(_OF_ALL * largest, _WELL_KNOWN * (loss <= _ORDINARY))


def _largest(array: Array) -> float:
    return float(np.abs(array).max(initial=0.0))


def _cannot_tell(point: Point, k: int, rounding: float, size: float, why: str) -> UnsupportedError:
    return UnsupportedError(
        f"{why} Beside a loss as large as this they cannot tell whether the gradient by "
        f"{point.names[k]} is right.",
        given=f"a loss of {point.value():.3g}, whose slopes are known to ±{rounding:.1g}, and a "
        f"gradient of at most {size:.3g}",
        instead="the loss without the large part that is the same everywhere, or one that "
        "the tracer can follow",
    )


def _nearest_multiple(values: Array, slopes: Array, rounding: Array) -> Array:
    """Return the slopes as what given values are a multiple of, if they cannot be told from it."""
    fitted = float(np.sum(values * slopes)) / (float(np.sum(slopes**2)) or 1.0)
    if not np.isfinite(fitted):
        return slopes
    size = np.abs(slopes).max(initial=0.0)
    for factor in (1.0, -1.0, 2.0, 0.5, float(round(fitted)), fitted):
        is_sharp = factor == 1.0 or rounding.max(initial=0.0) <= 1e-3 * size
        near = rounding + TOLERANCE * np.abs(slopes)
        if factor and is_sharp and np.all(np.abs(values / factor - slopes) <= near):
            return values / factor
    return slopes


def _disagreements(point: Point, gradients: Sequence[Array]) -> Iterator[str]:
    """Yield where the tracer and central differences do not agree.

    Of an array with many entries they are compared along some random directions.
    """
    for k, (name, gradient) in enumerate(zip(point.names, gradients, strict=True)):
        if gradient.size <= LOOKED_AT:
            one, (other, rounding) = gradient, point.slopes_and_rounding(k)
            size = max(float(np.abs(one).max(initial=0)), 1e-6)
        else:
            random = np.random.default_rng(k)
            ways = random.choice([-1.0, 1.0], (DIRECTIONS, *gradient.shape))
            one = np.array([np.sum(gradient * way) for way in ways])
            found = [point.slope_along(k, way) for way in ways]
            other, rounding = np.array(found).T
            size = max(float(np.linalg.norm(gradient)), 1e-6)
        if not np.all(np.abs(one - other) <= 1e-4 * size + rounding):
            yield (
                f"The tracer and central differences do not agree on the slope by {name}: there "
                "may be a kink or a jump within the step, or a sharp bend. The tracer's value is "
                "taken."
            )


def beside(name: str, given: Any, expected: Array, rounding: Array) -> Checked:
    """Compare a gradient with the right one, as far as this is known."""
    checked = compare(name, given, expected)
    values = checked.given
    if checked.ok or values is None or values.shape != expected.shape or not rounding.any():
        return checked
    near = np.abs(values - expected) <= rounding
    return compare(name, given, np.where(near, values, expected))


def at_kinks(checked: Checked, point: Point, k: int) -> Checked:
    """Count a gradient as right whose wrong entries all are slopes that a kink has."""
    given, expected = checked.given, checked.expected
    if checked.ok or given is None or given.shape != expected.shape:
        return checked
    wrong = wrong_entries(given, expected)
    for index in wrong:
        low, high = point.sides(k, index)
        room = TOLERANCE_FLOAT32 * max(abs(low), abs(high))
        if not (low < high and low - room <= given[index] <= high + room):
            return checked
    place = replace(checked, name=point.names[k], worst=wrong[0]).place
    remark = f"{place} is at a kink, where any slope between those of its two sides will do"
    return replace(checked, ok=True, remark=remark)
