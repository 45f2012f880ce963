"""What a backward pass answers when it is asked for its gradients.

Asking and judging are two steps.  A submission that nobody trusts is asked in a
process of its own, and only its numbers come back to where they are judged.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from backprop_nb.checking.compare import MISSING, is_narrow, is_real, not_real
from backprop_nb.checking.convention import Course
from backprop_nb.checking.leaves import described
from backprop_nb.checking.limits import TimeLimit, quiet
from backprop_nb.checking.packing import (
    Misspelt,
    gradients_in,
    names_of_arguments,
)
from backprop_nb.checking.probes import Array, Probe
from backprop_nb.checking.raised import last_step, pass_error_in_words, source_of
from backprop_nb.checking.report import NOT_WRITTEN
from backprop_nb.tracing import pytree
from backprop_nb.tracing.source import Source

Pass: TypeAlias = Callable[..., Any]

MAX_PRINTED: Final = 20_000
"""So many characters of what a submission prints are kept."""
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


@dataclass(frozen=True, eq=False)
class Answers:
    """What a backward pass gave on all probes."""

    answers: tuple[Answer, ...]
    """One for each probe.  If it stores something from call to call, only the first is what
    it gives when it is called for the first time."""
    again: Answer
    """What it gave when it was asked for the first one again at once."""
    printed: str = ""
    """What it wrote to standard output, its beginning if it was much."""

    @property
    def raised_at(self) -> Source | None:
        """The expression that raised, in what is told of the first answer that failed."""
        told = self.answers if self.repeats else self.answers[:1]
        return next((each.raised_at for each in told if each.failure), None)

    @property
    def repeats(self) -> bool:
        """Whether it gave the same when it was asked the same."""
        return self.answers[0].same_as(self.again)


def ask_all(backward: Pass, probes: Sequence[Probe], seconds: float | None = None) -> Answers:
    """Ask a backward pass about every probe; nothing it does reaches the caller but numbers.

    What it raises, and a ``sys.exit``, become part of the answer; what it prints is
    kept; warnings and standard error stay silent.  Each call gets lists and arrays
    of its own, and may take so many seconds.
    """
    if seconds is not None:
        backward = TimeLimit(backward, seconds)
    with quiet(MAX_PRINTED) as output:
        first, again = ask(backward, probes[0]), ask(backward, probes[0])
        rest = [ask(backward, probe) for probe in probes[1:]]
    return Answers((first, *rest), again, output.text)


def ask(backward: Pass, probe: Probe) -> Answer:
    """Ask a backward pass about one probe."""
    course = probe.course
    own, before = _as_handed_over(probe)
    given = deepcopy(own)
    leaves = [_flat(each) for each in given]
    try:  # a generator runs only now that its items are taken
        returned = backward(*given)
        answer = _read(returned, probe)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit too
        last = last_step(error)
        if last is not None and last.tb_next is None and isinstance(error, NotImplementedError):
            instead = f"put your own code in place of `raise` in line {last.tb_lineno}"
            return Answer(failure=f"{NOT_WRITTEN}: {instead}", raised=True)
        failure = pass_error_in_words(error, last, course)
        return Answer(failure=failure, raised=True, raised_at=source_of(last))
    after = tuple(_kept(were, _flat(now)) for were, now in zip(leaves, given, strict=True))
    untouched = all(was == were == now for was, (were, now) in zip(before, after, strict=True))
    modified = () if untouched else tuple(_modified(course, given, before, after))
    return replace(answer, after=after, modified=modified)


def _kept(leaves: Sequence[Any], now: Sequence[Any]) -> Kept:
    were = tuple(map(_digest, leaves))
    same = len(now) == len(leaves) and all(map(operator.is_, now, leaves))
    return Kept(were, were if same else tuple(map(_digest, now)))


def _read(returned: Any, probe: Probe) -> Answer:
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


def _flat(tree: Any) -> list[Any]:
    """Return what is in an argument; most are arrays, or lists of them."""
    if type(tree) is np.ndarray:
        return [tree]
    if type(tree) is list and all(type(each) is np.ndarray for each in tree):
        return list(tree)
    return pytree.flatten(tree)


def modified_arguments(probe: Probe, after: Sequence[Kept]) -> tuple[str, ...]:
    """Return the names of a probe's arguments that are not as they were handed over.

    Parameters
    ----------
    probe
    after
        What :func:`ask` found of each argument after the call, in the process where it was called.

    Raises
    ------
    ValueError
        They are not as many as the arguments.
    """
    given, before = _as_handed_over(probe)
    if list(after) == [(each, each) for each in before]:
        return ()
    return tuple(_modified(probe.course, given, before, after))


@lru_cache(maxsize=64)
def _as_handed_over(probe: Probe) -> tuple[tuple[Any, ...], list[tuple[str, ...]]]:
    """Return the arguments of a probe, and what is in them."""
    given = probe.arguments
    return tuple(given), [tuple(map(_digest, pytree.flatten(each))) for each in given]


def _modified(
    course: Course,
    given: Sequence[Any],
    before: Sequence[tuple[str, ...]],
    after: Sequence[Kept],
) -> Iterator[str]:
    """Yield the names of arguments that are not as they were, and of what is kept in them."""
    names = list(course.leaf_names.values())
    words = names_of_arguments(course)
    for word, tree, values, (were, now) in zip(words, given, before, after, strict=True):
        if now != were:
            yield f"the {type(tree).__name__} {word}"
        own = [f"{word}[{i}]" for i in range(len(were))] if course.parameters == "lists" else names
        for k, (array, value) in enumerate(zip(were, values, strict=True)):
            if array != value:
                yield word if isinstance(tree, np.ndarray) else own[k]


def _digest(leaf: Any) -> str:
    """Return what two arrays have in common only if they are the same to the last bit."""
    if not isinstance(leaf, np.ndarray):
        return type(leaf).__name__
    # Its bytes: no comparison that anybody may have changed, and NaN is as it was.
    inside = hashlib.blake2b(np.ndarray.tobytes(leaf), digest_size=8).hexdigest()
    return f"{leaf.dtype.str}{leaf.shape}{inside}"


def _same(one: Array | None, other: Array | None) -> bool:
    if one is None or other is None:
        return one is other
    # Their bytes: no comparison that anybody may have changed, and NaN is as it was.
    return (
        one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()
    )


def _kind(value: Any) -> str:
    """Say what something is, and what was to be written where it computes nothing yet."""
    prepared = {"generator": "return in place of yield", "coroutine": "def in place of async def"}
    name = type(value).__name__
    return described(value) + (f" (write {prepared[name]})" if name in prepared else "")
