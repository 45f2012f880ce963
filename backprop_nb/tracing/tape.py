"""The tape: what one trace writes down, and where in the learner's code it stands.

What is computed on a tape is handed out as a :class:`Recorded` value, which knows
its place on the tape.  Tapes nest: a tape that was opened later lies inside of the
earlier ones, and where values of two traces meet in one call, the later tape
records it.  So a derivative can be traced again::

    tape 0:  x ─────────────┬─► …          grad(grad(f))(x)
    tape 1:  x of tape 0 ───┴─► f, and back through f: recorded on tape 0 too
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from inspect import CO_GENERATOR
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from backprop_nb.errors import BackpropError
from backprop_nb.tracing import messages
from backprop_nb.tracing.code_text import KEPT, keep_text
from backprop_nb.tracing.record import CONSTANT, Record, Scope
from backprop_nb.tracing.rules import Row
from backprop_nb.tracing.source import FOLDER

# What these compute is recorded at the line of the learner that asked for it.
_OWN_FILES = frozenset(
    f"{folder}{os.sep}{name}" for folder, _, names in os.walk(FOLDER) for name in names
)
_LITERALS = frozenset({int, float, bool})

_serial = itertools.count()

# Record(...) and a Recorded value without a call of Python code, which would cost as
# much as the NumPy call that they write down.
_record = functools.partial(tuple.__new__, Record)
_new = object.__new__


class Recorded:
    """A value on a tape; the array that a learner computes with derives from it."""

    __slots__ = ("_index", "_shared", "_tape", "_value")

    def __init__(self, tape: Tape, index: int, value: Any) -> None:
        self._tape = tape
        self._index = index
        self._value = value
        self._shared = False  # whether another value on the tape has the same entries

    def alias(self) -> Recorded:
        """Return a second value for the same record."""
        return type(self)(self._tape, self._index, self._value)


class Tape:
    """The records of one trace.

    Parameters
    ----------
    kind
        What the values on it are handed out as.
    root
        The frame that calls the traced function.
    records_comparisons
        A learner's comparison gives a plain array; a rule's must stay in the program.
    """

    __slots__ = (
        *("records_comparisons", "kind", "records", "serial"),
        *("_constants", "_frame", "_paused", "_scope", "_stack", "given"),
    )

    def __init__(
        self, kind: type[Recorded], root: FrameType, records_comparisons: bool = False
    ) -> None:
        self.kind = kind
        self.records_comparisons = records_comparisons
        self.serial = next(_serial)
        self.records: list[Record] = []
        # The type of each input that was a number of Python's.
        self.given: dict[int, type] = {}
        self._constants: dict[int, tuple[Any, int]] = {}
        self._frame: FrameType | None = None
        self._scope: Scope | None = None
        # The calls from the root down to the current line, oldest first.
        self._stack: dict[FrameType, Scope | None] = {root: None}
        # Generators that may go on: one call, however often it is left.
        self._paused: dict[FrameType, Scope | None] = {}

    def close(self) -> tuple[Record, ...]:
        """Return the records and let go of the learner's frames and arrays."""
        records, self.records = tuple(self.records), _Ended()
        self._constants, self._stack, self._paused = {}, {}, {}
        self._frame = self._scope = None
        return records

    def input(self, value: Any, given: type | None = None) -> Any:
        """Record an input, and return what stands for it; ``given`` is its type outside."""
        if given is not None:
            self.given[len(self.records)] = given
        self.records.append(Record(None, (), (), {}, value, None, -1))
        return self.kind(self, len(self.records) - 1, value)

    def constant(self, value: Any, frame: FrameType | None = None) -> int:
        """Record an array that is not an input, once for as long as it stays the same."""
        known, index = self._constants.get(id(value), (None, -1))
        if known is value and _is_same(self.records[index].value, value):
            return index
        copy: Any
        if isinstance(value, Recorded):  # of a trace around this one, which goes on
            if type(value._tape.records) is _Ended:
                messages.ended(sys._getframe(1))
            copy = value.alias()
        else:
            copy = messages.real_copy(value, "An array in a traced function", frame)[()]
        self.records.append(Record(CONSTANT, (), (), {}, copy, None, -1))
        self._constants[id(value)] = (value, len(self.records) - 1)
        return len(self.records) - 1

    def holds(self, value: Any) -> bool:
        """Whether a value was recorded on this tape."""
        return isinstance(value, Recorded) and value._tape is self

    def index(self, value: Recorded) -> int:
        """Return the position of the record that made a value."""
        return value._index

    def apply(
        self,
        row: Row,
        compute: Callable[..., Any],
        operands: Sequence[Any],
        keywords: dict[str, Any],
        frame: FrameType,
    ) -> Any:
        """Compute one call, record it, and return what stands for the result."""
        while frame.f_code.co_filename in _OWN_FILES and frame.f_back is not None:
            frame = frame.f_back
        kind = self.kind
        values = []
        parents: list[int | None] = []
        for item in operands:
            if type(item) is kind and item._tape is self:
                values.append(item._value)
                parents.append(item._index)
            elif type(item) in _LITERALS:
                values.append(item)
                parents.append(None)
            else:
                index = self.constant(item, frame)
                values.append(self.records[index].value)
                parents.append(index)
        try:
            value = compute(*values, **keywords) if keywords else compute(*values)
        except BackpropError:  # of a trace around this one: it has said everything
            raise
        except (ValueError, IndexError, TypeError) as error:
            shapes = [np.shape(plain(value)) for value in values]
            raise messages.misfit(row, shapes, error, frame) from None
        if frame is not self._frame:
            self._enter(frame)
        records = self.records
        result: Any = _new(kind)
        result._tape, result._index, result._value = self, len(records), value
        result._shared = False
        call = (row, tuple(values), tuple(parents), keywords, value, self._scope, frame.f_lasti)
        records.append(_record(call))
        return result

    def _enter(self, frame: FrameType) -> None:
        """Make ``frame`` the current scope, with a scope for every call on the way to it."""
        chain = []
        known: FrameType | None = frame
        while known is not None and known not in self._stack:
            chain.append(known)
            known = known.f_back
        self._frame = self._scope = None
        if known is None:  # NumPy's own function is traced: there is no line of Python
            return
        while next(reversed(self._stack)) is not known:
            left, scope = self._stack.popitem()
            if left.f_code.co_flags & CO_GENERATOR:
                self._paused[left] = scope
        for below in reversed(chain):
            if id(below.f_code) not in KEPT:
                keep_text(below.f_code, below.f_globals)
            resumed = self._paused.pop(below, None)
            scope = resumed or Scope(self._stack[known], below.f_code, known.f_lasti)
            self._stack[below] = scope
            known = below
        self._frame, self._scope = frame, self._stack[frame]


class _Ended(list[Record]):
    """The records of a trace that is over: a value that escaped can add nothing."""

    def append(self, record: Record) -> NoReturn:
        messages.ended(sys._getframe(1))


def innermost(values: Iterable[Recorded]) -> Tape:
    """Return the tape that records a call on these values: the one opened last."""
    return max((value._tape for value in values), key=lambda tape: tape.serial)


def share(values: Iterable[Recorded], result: Recorded) -> None:
    """Mark the values that have entries in common with a result, which may be a view."""
    for value in values:
        if np.may_share_memory(plain(value), plain(result)):
            value._shared = result._shared = True


def plain(value: Any) -> Any:
    """Return the value behind a recorded one, however deep traces are nested."""
    while isinstance(value, Recorded):
        value = value._value
    return value


def _is_same(known: Any, value: Any) -> bool:
    """Whether an array is still what it was when it was recorded."""
    if isinstance(value, Recorded):
        same: bool = known._tape is value._tape and known._index == value._index
        return same
    return np.array_equal(known, value)
