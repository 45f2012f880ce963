"""Code that cannot be traced, followed by the values that its names take.

``float()``, ``math.exp`` and compiled code want plain numbers.  So the function runs on plain
numbers, every line is watched, and each value is looked up among the true quantities of the
loss.  A line is suspect that makes something of true quantities alone which is none itself, and
of which nothing true is made.  This proves nothing.
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.checking.lines.known import Array, Key, Known
from backprop_nb.checking.lines.watch import Event, Watch
from backprop_nb.tracing.source import Place, Source, locate

_CLOSE = 1e-9
_ROUNDING = 1e-13
_MAX_SIZE = 4096
"""What has more entries is not looked up entry by entry."""
_COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>", "<lambda>")


class Suspect(NamedTuple):
    """A line that may be wrong: its statement, and what it gave."""

    source: Source
    given: Array


@dataclass(eq=False)
class _Made:
    """A value that a line gave to a name, to an entry, or to its caller."""

    code: CodeType
    line: int
    column: Any
    """What the values of its rounds have in common."""
    value: Array
    reads: list[_Made]
    is_sum: bool = False
    """Whether the same line adds to it afterwards."""
    readers: list[_Made] = field(default_factory=list)

    @property
    def place(self) -> tuple[CodeType, int]:
        return self.code, self.line


def suspects(known: Known, gradient: Callable[..., Any], args: Sequence[Any]) -> list[Suspect]:
    """Return the lines that may be wrong, the one that ran first before the others.

    Parameters
    ----------
    known
        The true quantities of the loss.
    gradient
        Called with copies of ``args``.
    """
    watch = Watch(mark=_mark)
    watch.run(gradient, *copy.deepcopy(list(args)))
    made = _made(watch)
    # A sign or a factor that is wrong shows only where none other is allowed.
    inputs = known.trace.records[: known.trace.input_count]
    sizes = {n for record in inputs for n in record.value.shape}
    constants = [1.0, 2.0, 0.5, *(k / n for n in sizes for k in (1, 2))]
    for factors, signs, plain in (
        (constants, (1, -1), (0.0, 1.0)),
        (constants, (1,), (0.0, 1.0)),
        ([1.0], (1,), (0.0, 1.0)),
        (constants, (1, -1), ()),
    ):
        found = _suspects(made, _Truth(known, factors, signs, plain))
        if found:
            return found
    return []


def _mark(value: Any) -> Any:
    """Return the entries of an array, or of lists of numbers, as they are now."""
    if isinstance(value, list | tuple | np.ndarray):
        array = _numbers(value)
        return None if array is None else (array.shape, array.tobytes())
    return None


def _numbers(value: Any) -> Array | None:
    """Return the floats that a value consists of; ``None`` for anything else."""
    if isinstance(value, float | np.floating):
        return np.array(float(value))
    if isinstance(value, list | tuple):
        numeric = (float, np.floating, list, np.ndarray)
        if not 0 < len(value) <= _MAX_SIZE or not all(isinstance(v, numeric) for v in value):
            return None
        try:
            value = np.array(value)
        except ValueError:  # of several lengths
            return None
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size <= _MAX_SIZE:
        return np.array(value, np.float64)
    return None


def _value(event: Event) -> Array | None:
    if event.mark is not None:
        shape, entries = event.mark
        return np.frombuffer(entries).reshape(shape)
    is_mutable = isinstance(event.value, list | tuple | np.ndarray)
    return None if is_mutable else _numbers(event.value)


def _made(watch: Watch) -> list[_Made]:
    """Return what the lines made, in order, each linked to what it was made of."""
    story = _Story(watch)
    for event in watch.events:
        if event.kind == "call":
            story.begin(event)
        elif watch.calls[event.frame].code.co_name in _COMPREHENSIONS:
            continue  # it is part of the line around it
        elif event.kind == "return":
            story.end(event)
        else:
            story.bind(event)
    return story.made


class _Story:
    """What every name and every entry holds while a run is told again, and who made it."""

    def __init__(self, watch: Watch) -> None:
        self.calls = watch.calls
        self.made: list[_Made] = []
        self._names: dict[int, dict[str, _Made]] = {}
        self._objects: dict[int, dict[str, Any]] = {}
        self._entries: dict[int, dict[Any, _Made]] = {}
        # By call what helpers have returned to the line that runs.
        self._answers: dict[int, list[_Made]] = {}
        self._last: dict[Any, _Made] = {}

    def begin(self, event: Event) -> None:
        """Go on where a function is called: its parameters were made by the caller."""
        self._objects[event.frame] = dict(event.value)
        self._names[event.frame] = dict(self._handed_over(event))

    def end(self, event: Event) -> None:
        """Go on where a function returns."""
        call, value = self.calls[event.frame], _value(event)
        caller = None if call.caller is None else self._around(call.caller)
        if value is None and caller is not None:
            return
        column = (call.code, event.line, caller)
        shown = np.zeros(0) if value is None else value
        one = _Made(call.code, event.line, column, shown, self._reads(event))
        if caller is None:  # what the gradients are made of
            one.reads += self._inside(event.value)
        else:
            self._answers.setdefault(caller, []).append(one)
        self.made.append(one)

    def bind(self, event: Event) -> None:
        """Go on where a line gives a value to a name or to an entry."""
        assert event.slot is not None
        (owner, key), frame, value = event.slot, event.frame, _value(event)
        is_name = isinstance(key, str) and owner == frame
        holder: dict[Any, _Made] = (
            self._names[frame] if is_name else self._entries.setdefault(owner, {})
        )
        if is_name:
            self._objects[frame][key] = event.value
        if value is None or not event.line:
            if is_name:
                holder.pop(key, None)
            return
        code = self.calls[frame].code
        column = (code, event.line, owner, key if is_name else None)
        one = _Made(code, event.line, column, value, self._reads(event))
        before, found = self._last.get((owner, key)), _statement(code, event.line)
        if before is not None and before.place == one.place and found is not None:
            before.is_sum = isinstance(found[0], ast.AugAssign)
        self._last[owner, key] = holder[key] = one
        if is_name:
            self._answers.pop(frame, None)
        self.made.append(one)

    def _around(self, frame: int) -> int:
        """Return the call that a comprehension belongs to."""
        call = self.calls[frame]
        while call.code.co_name in _COMPREHENSIONS and call.caller is not None:
            frame = call.caller
            call = self.calls[frame]
        return frame

    def _handed_over(self, event: Event) -> Iterator[tuple[str, _Made]]:
        caller = self.calls[event.frame].caller
        if caller is None:
            return
        caller = self._around(caller)
        there = [*self._answers.get(caller, ()), *self._names.get(caller, {}).values()]
        for name, given in event.value.items():
            value = _value(event._replace(value=given, mark=event.mark[name]))
            if value is None:
                continue
            found = next((one for one in there if np.array_equal(one.value, value)), None)
            if found is not None:
                yield name, found

    def _reads(self, event: Event) -> list[_Made]:
        """Return what the line of an event reads."""
        frame, found = event.frame, list(self._answers.get(event.frame, ()))
        statement = _statement(self.calls[frame].code, event.line)
        if statement is None:
            return found
        adds = isinstance(statement[0], ast.AugAssign)
        for node in _parts(statement[0]):
            if isinstance(node, ast.Name) and (adds or isinstance(node.ctx, ast.Load)):
                one = self._names[frame].get(node.id)
                if one is not None:
                    found.append(one)
                else:
                    found += self._inside(self._objects[frame].get(node.id))
        return found

    def _inside(self, value: Any, depth: int = 3) -> Iterator[_Made]:
        yield from self._entries.get(id(value), {}).values()
        held = list(value) if isinstance(value, list | tuple) else []
        if isinstance(value, dict):
            held = list(value.values())
        for entry in held[:64] if depth else ():
            yield from self._inside(entry, depth - 1)


class _Truth:
    """The entries of the true quantities, and the factors that leave them true."""

    def __init__(
        self,
        known: Known,
        factors: Sequence[float],
        signs: Sequence[int],
        plain: Sequence[float],
    ) -> None:
        self._plain = plain
        scales = [factor * sign for factor in factors for sign in signs]
        pieces = [
            np.unique(array) * scale
            for key, array in known.arrays.items()
            if len(signs) > 1 or not _has_other_sign(known, key)
            for scale in scales
        ]
        entries = np.concatenate([*pieces, np.zeros(0)])
        sources = np.repeat(np.arange(len(pieces)), [len(each) for each in pieces])
        order = np.argsort(entries, kind="stable")
        self._entries, self._sources = entries[order], sources[order]
        most = {key: np.abs(array).max(initial=0.0) for key, array in known.arrays.items()}
        rounding = _ROUNDING * max(most.values(), default=0.0)
        self.sizes_of_rounding = {
            array.size for key, array in known.arrays.items() if 0 < most[key] < rounding
        }

    def of(self, values: Array) -> Array:
        """Return which of some numbers are true: two of one quantity, or all there are.

        A single number is soon found among so many by chance.
        """
        is_plain = np.isin(values, (0.0, 1.0))
        if np.all(is_plain) or not np.all(np.isfinite(values)):
            return is_plain
        there, at = np.unique(values, return_inverse=True)
        room = _CLOSE * np.abs(there)
        starts = np.searchsorted(self._entries, there - room)
        ends = np.searchsorted(self._entries, there + room, side="right")
        holders = [
            set(self._sources[start:end].tolist()) for start, end in zip(starts, ends, strict=True)
        ]
        telling = [h for h, value in zip(holders, there, strict=True) if value not in (0.0, 1.0)]
        counts = Counter(itertools.chain.from_iterable(telling))
        enough = min(2, len(telling))
        true = np.array([any(counts[each] >= enough for each in h) for h in holders])
        return true[at.ravel()] | np.isin(values, self._plain)


def _has_other_sign(known: Known, key: Key) -> bool:
    """Whether a quantity would speak for a wrong sign: −z, or what an adjoint is times −1."""
    if getattr(known.trace.records[key.record].row, "name", "") == "negative":
        return True
    if key.kind == "adjoint" or known.arrays[key].size < 2:
        return False
    same = known.matches(known.arrays[key])
    return any(each.key.kind == "adjoint" and each.scale < 0 for each in same)


def _judged(made: Sequence[_Made], truth: _Truth) -> dict[int, bool]:
    """Return of each value whether it is true: beside those of the other rounds of its line."""
    columns: dict[Any, list[_Made]] = {}
    for one in made:
        columns.setdefault(one.column, []).append(one)
    found = {}
    for column in columns.values():
        whole = [one for one in column if not one.is_sum]
        true = truth.of(np.concatenate([one.value.ravel() for one in whole] or [np.zeros(0)]))
        ends = np.cumsum([one.value.size for one in whole])
        for one, end in zip(whole, ends, strict=True):
            found[id(one)] = bool(np.all(true[end - one.value.size : end]))
        found |= {id(one): False for one in column if one.is_sum}
    return found


def _suspects(made: Sequence[_Made], truth: _Truth) -> list[Suspect]:
    true = _judged(made, truth)
    for one in made:
        one.readers.clear()
    for one in made:
        for each in one.reads:
            each.readers.append(one)

    def parts(one: _Made) -> Iterator[_Made]:
        """Yield what a value was made of, for a sum over all its rounds."""
        seen, pending = set[int](), list(one.reads)
        while pending:
            each = pending.pop()
            if id(each) in seen:
                continue
            seen.add(id(each))
            if each.is_sum and each.place == one.place:
                pending += each.reads
            else:
                yield each

    def is_cleared(one: _Made) -> bool:
        """Whether something true was made of it."""
        seen, pending = set[int](), list(one.readers)
        while pending:
            each = pending.pop()
            if id(each) in seen:
                continue
            seen.add(id(each))
            if each.is_sum:
                pending += each.readers
            elif not _puts_together(each) and true[id(each)] and np.any(each.value):
                return True
        return False

    # Nothing else is left over: what is handed over is looked at where it was made.
    made = [one for one in made if not _puts_together(one) or one is made[-1]]
    needed = {id(each) for each in _needed(made[-1])} if made else set()
    true |= {id(one): True for one in made if _is_literal(one) or _is_rounding(one, truth)}
    odd = [one for one in made if not one.is_sum and not true[id(one)]]
    cleared = {one.place for one in odd if is_cleared(one)}
    found: dict[tuple[CodeType, int], _Made] = {}
    for one in odd:
        if id(one) not in needed or one.place in cleared or one.place in found:
            continue
        # Who hands on what is cleared does nothing wrong.
        before = [each for each in one.reads if each.place in cleared]
        if any(np.array_equal(each.value, one.value) for each in before):
            continue
        if all(true[id(each)] or each.is_sum or each.place in cleared for each in parts(one)):
            found[one.place] = one
    result = []
    for one in _with_copies(found.values()):
        statement = _statement(one.code, one.line)
        if statement is not None:
            result.append(Suspect(statement[1], one.value))
    return result


def _needed(last: _Made) -> Iterator[_Made]:
    """Yield what a value was made of, however far back, and itself."""
    seen, pending = set[int](), [last]
    while pending:
        each = pending.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            pending += each.reads


def _with_copies(found: Iterable[_Made]) -> Iterator[_Made]:
    """Yield values, before each what it was made of that another line merely handed on."""
    seen = set[tuple[CodeType, int]]()
    for one in found:
        copies = [
            each
            for each in one.reads
            if any(
                # What a helper returned has no other name.
                other.code is each.code
                and other.line != each.line
                and np.array_equal(other.value, each.value)
                for other in each.reads
            )
        ]
        for each in (*copies, one):
            if each.place not in seen:
                seen.add(each.place)
                yield each


def _is_literal(one: _Made) -> bool:
    """Whether a line writes numbers out."""
    statement = _statement(one.code, one.line)
    return statement is not None and not any(
        isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        for node in _parts(statement[0])
    )


def _is_rounding(one: _Made, truth: _Truth) -> bool:
    """Whether a line gives what rounding leaves of a sum that is zero, as a true one of its size.

    The mean of what adds up to zero is no gradient for all that.
    """
    if one.value.size not in truth.sizes_of_rounding:
        return False
    largest = max((np.abs(each.value).max(initial=0.0) for each in one.reads), default=0.0)
    return bool(0 < np.abs(one.value).max(initial=0.0) < _ROUNDING * largest)


def _puts_together(one: _Made) -> bool:
    """Whether a line returns several values, of which one says nothing about another."""
    statement = _statement(one.code, one.line)
    value = statement[0].value if statement and isinstance(statement[0], ast.Return) else None
    return isinstance(value, ast.Tuple | ast.List | ast.Dict)


def _parts(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement, of a loop or a condition those of its head."""
    match statement:
        case ast.For(iter=head) | ast.While(test=head) | ast.If(test=head):
            yield from ast.walk(head)
        case ast.With(items=heads):
            for item in heads:
                yield from ast.walk(item.context_expr)
        case _:
            yield from ast.walk(statement)


@lru_cache(maxsize=4096)
def _statement(code: CodeType, line: int) -> tuple[ast.stmt, Source] | None:
    """Return the statement of a line, of a loop its head alone, and its text."""
    for _, place in instructions(code, line):
        node = statement_around(place)
        if node is not None:
            return node, text_of(place, node)
    return None


def statement_around(place: Place) -> ast.stmt | None:
    """Return the statement that an expression belongs to."""
    node: ast.AST = place.node
    while not isinstance(node, ast.stmt) and node in place.module.parent:
        node = place.module.parent[node]
    return node if isinstance(node, ast.stmt) else None


def text_of(place: Place, statement: ast.stmt | None = None) -> Source:
    """Return the text of the statement around an expression, of a loop what it runs over."""
    statement = statement or statement_around(place)
    match statement:
        case ast.For(iter=head) | ast.While(test=head) | ast.If(test=head):
            return place.source(head)
    return place.source(statement)


@lru_cache(maxsize=4096)
def instructions(code: CodeType, line: int) -> list[tuple[int, Place]]:
    """Return the instructions of a statement and what stands there, in order."""
    found = []
    for lasti in _lines(code).get(line, ()):
        place = locate(code, lasti)
        if place is not None:
            found.append((lasti, place))
    return found


@lru_cache(maxsize=1024)
def _lines(code: CodeType) -> dict[int, list[int]]:
    """Return the instructions of each line."""
    found: dict[int, list[int]] = {}
    for k, (start, *_) in enumerate(code.co_positions()):
        if start is not None:
            found.setdefault(start, []).append(2 * k)
    return found
