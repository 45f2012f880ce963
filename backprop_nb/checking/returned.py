"""What a backward pass returned, read as gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np

from backprop_nb.checking.compare import MISSING, is_narrow, is_real, not_real
from backprop_nb.checking.leaves import described
from backprop_nb.checking.packing import Misspelt, gradients_in
from backprop_nb.checking.probes import Array, Probe
from backprop_nb.checking.report import NOT_WRITTEN
from backprop_nb.tracing.source import Source

_NUMBER: Final = (int, float, np.integer, np.floating)
_MAX_DEPTH = 4
"""So deep may lists be nested: a gradient has two axes."""


class Kept(NamedTuple):
    """What is in an argument after a call, each array as a digest of its bytes."""

    were: tuple[str, ...]
    """In the arrays that were handed over."""
    now: tuple[str, ...]
    """In those that stand in their place in a list or dict."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a backward pass gave on one probe."""

    gradients: dict[str, Array] = field(default_factory=dict)
    """By name each gradient that is an array of real numbers, dA[0], db[0], …"""
    invalid: dict[str, str] = field(default_factory=dict)
    """By the name of a gradient what was given instead of an array of real numbers;
    for ``"dA"`` or ``"db"`` that it has too many entries."""
    failure: str = ""
    """What it raised, or how what it returned is no pair of sequences; empty if neither."""
    raised: bool = False
    loss: float | None = None
    """The number that it gave beside the gradients, if it did."""
    after: tuple[Kept, ...] = ()
    """What was in each argument after the call."""
    modified: tuple[str, ...] = ()
    """Which of its arguments are no longer as they were: ``"A[1]"``, ``"x"``, ``"the list b"``."""
    raised_at: Source | None = None
    """The submission's own expression that raised, where its text is known."""

    def differs_in(self, other: Answer) -> list[str]:
        """Return the names of the gradients that are not the same to the last bit."""
        names = dict.fromkeys([*self.gradients, *other.gradients])
        return [
            name for name in names if not _same(self.gradients.get(name), other.gradients.get(name))
        ]

    def same_as(self, other: Answer) -> bool:
        """Whether another answer holds the same numbers, NaN included, and nothing else besides."""
        alike = (self.failure, self.invalid) == (other.failure, other.invalid)
        return alike and not self.differs_in(other)


def _same(one: Array | None, other: Array | None) -> bool:
    if one is None or other is None:
        return one is other
    # Their bytes: no comparison that anybody may have changed, and NaN is as it was.
    return (
        one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()
    )


def read_answer(returned: Any, probe: Probe) -> Answer:
    """Return the gradients in what a backward pass returned."""
    course = probe.course
    lists = course.parameters == "lists" and course.returns in (None, "lists")
    is_pair = lists and ("b", 0) in course.leaf_names
    if is_pair and not _may_have_names_or_a_loss(returned):
        return _pair_of_lists(returned, probe)
    found = gradients_in(course, returned, probe.A, probe.b)
    if isinstance(found, str):
        return _no_pair(returned) if is_pair else Answer(failure=found)
    answer = Answer(loss=_real(found.pop("loss", None)))
    for name, given in found.items():
        _put(answer, name, given)
    return _with_biases_apart(answer, probe) if course.bias == "in_weights" else answer


def _pair_of_lists(returned: Any, probe: Probe) -> Answer:
    pair = _items(returned, 2)
    parts = [_items(part, probe.K) for part in pair or ()]
    if pair is None or len(pair) != 2 or parts == [None, None]:
        return _no_pair(returned)
    answer = Answer()
    for name, given, part in zip(("dA", "db"), pair, parts, strict=True):
        _take(name, given, part, probe.K, answer)
    return answer


def _no_pair(returned: Any) -> Answer:
    return Answer(failure=f"it returned {_kind(returned)}, not a pair (dA, db) of lists")


def _may_have_names_or_a_loss(returned: Any) -> bool:
    """Whether it is a dict, an object with attributes, or gradients beside a number."""
    if not isinstance(returned, list | tuple):
        has_attributes = hasattr(returned, "__dict__") and not hasattr(type(returned), "__iter__")
        return isinstance(returned, Mapping) or has_attributes
    is_number = [isinstance(each, _NUMBER) for each in returned[:3]]
    match returned:
        case [_, _, _]:  # (loss, dA, db)
            return is_number[0] != is_number[2]
        case [_, Mapping() | [list() | tuple(), list() | tuple()]]:
            return is_number[0]
        case [Mapping() | [list() | tuple(), list() | tuple()], _]:
            return is_number[1]
    return False


def _put(answer: Answer, name: str, given: Any) -> None:
    """Put a gradient into an answer, or what is invalid about it."""
    if given is None:
        return
    gradient = f"{MISSING}; {given}" if isinstance(given, Misspelt) else _array(given)
    if isinstance(gradient, str):
        answer.invalid[name] = gradient
    else:
        answer.gradients[name] = gradient


def _real(number: Any) -> float | None:
    """Return a number that is real; None of anything else."""
    array = _array(number) if number is not None else ""
    return None if isinstance(array, str) else float(array)


def _with_biases_apart(answer: Answer, probe: Probe) -> Answer:
    """Return an answer in which what is wrong with a matrix is so with both of its parts."""
    apart = Answer(loss=answer.loss)
    out_in = probe.course.weights == "out_in"
    for i in range(probe.K):
        A, b = f"dA[{i}]", f"db[{i}]"
        if A in answer.invalid:
            apart.invalid.update({A: answer.invalid[A], b: answer.invalid[A]})
        if A not in answer.gradients:
            continue
        whole = answer.gradients[A] if out_in else answer.gradients[A].T
        n_in, n_out = probe.widths[i : i + 2]
        if whole.shape == (n_out, n_in + 1):
            apart.gradients[b] = whole[:, 0]
            apart.gradients[A] = whole[:, 1:] if out_in else whole[:, 1:].T
        else:
            expected = (n_out, n_in + 1) if out_in else (n_in + 1, n_out)
            shapes = f"its shape is {answer.gradients[A].shape}, expected {expected}"
            apart.invalid.update({A: shapes, b: shapes})
    return apart


def _items(value: Any, expected: int) -> list[Any] | None:
    """Return the items of a sequence, one more than expected at most; None if it is none."""
    if isinstance(value, str | bytes | Mapping | Set) or not hasattr(type(value), "__iter__"):
        return None
    if isinstance(value, np.ndarray) and not value.ndim:
        return None
    return list(islice(iter(value), expected + 1))


def _take(name: str, given: Any, part: Sequence[Any] | None, K: int, answer: Answer) -> None:
    """Put the gradients of a list into an answer, and what is invalid about them."""
    if part is None:
        if given is not None:
            invalid = NOT_WRITTEN if given is ... else f"{name} is {_kind(given)}, not a list"
            answer.invalid.update({f"{name}[{i}]": invalid for i in range(K)})
        return
    if len(part) > K:
        many = len(given) if isinstance(given, list | tuple | np.ndarray) else f"more than {K}"
        answer.invalid[name] = f"has {many} entries"
    for i, each in enumerate(part[:K]):
        _put(answer, f"{name}[{i}]", each)


def _array(given: Any) -> Array | str:
    """Return a copy of one gradient as an array, or what is invalid about it."""
    if given is ...:
        return NOT_WRITTEN
    if not _is_array_like(given, _MAX_DEPTH):
        return f"not an array, but an object of type {type(given).__name__}"
    try:
        array = np.array(given)
        if array.dtype == object and all(isinstance(each, _NUMBER) for each in array.flat):
            array = array.astype(np.float64)
    except Exception as error:  # whatever a student's object does
        return f"not an array ({type(error).__name__})"
    if not is_real(array):
        return not_real(array)
    # float32 is told apart; what is wider than float64 has bytes that mean nothing.
    return array if is_narrow(array) else array.astype(np.float64)


def _is_array_like(value: Any, deepest: int) -> bool:
    """Whether NumPy may look at it: it would follow the items of any object, without an end."""
    if isinstance(value, list | tuple):
        return deepest > 0 and all(_is_array_like(each, deepest - 1) for each in value)
    return hasattr(type(value), "__array__") or isinstance(value, int | float | complex | str)


def _kind(value: Any) -> str:
    """Say what something is, and what was to be written where it computes nothing yet."""
    prepared = {"generator": "return in place of yield", "coroutine": "def in place of async def"}
    name = type(value).__name__
    return described(value) + (f" (write {prepared[name]})" if name in prepared else "")
