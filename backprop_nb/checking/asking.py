"""What a backward pass answers when it is asked for its gradients.

Asking and judging are two steps.  A submission that nobody trusts is asked in a
process of its own, and only its numbers come back to where they are judged.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np

from backprop_nb.checking.convention import Course
from backprop_nb.checking.limits import TimeLimit, quiet
from backprop_nb.checking.packing import names_of_arguments
from backprop_nb.checking.probes import Probe
from backprop_nb.checking.raised import last_step, pass_error_in_words, source_of
from backprop_nb.checking.report import NOT_WRITTEN
from backprop_nb.checking.returned import Answer, Kept, read_answer
from backprop_nb.tracing import pytree
from backprop_nb.tracing.source import Source

Pass: TypeAlias = Callable[..., Any]

MAX_PRINTED: Final = 20_000
"""So many characters of what a submission prints are kept."""


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
        answer = read_answer(returned, probe)
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


def _flat(tree: Any) -> list[Any]:
    """Return what is in an argument; most are arrays, or lists of them."""
    if type(tree) is np.ndarray:
        return [tree]
    if type(tree) is list and all(type(each) is np.ndarray for each in tree):
        return list(tree)
    return pytree.flatten(tree)


def modified_arguments(probe: Probe, after: Sequence[Kept]) -> tuple[str, ...]:
    """Return the names of a probe's arguments that are not as they were handed over.

    ``after`` is what :func:`ask` found of each argument after the call, in the process where it
    was called.  It raises ``ValueError`` if they are not as many as the arguments.
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
