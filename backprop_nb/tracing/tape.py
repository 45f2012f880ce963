"""The tape: what one trace writes down, and where in the learner's code it stands.

What is computed on a tape is handed out as a :class:`Recorded` value, which knows
its place on the tape.  Tapes nest: a tape that was opened later lies inside of the
earlier ones, and where values of two traces meet in one call, the later tape
records it.  So a derivative can be traced again::

    tape 0:  x ─────────────┬─► …          grad(grad(f))(x)
    tape 1:  x of tape 0 ───┴─► f, and back through f: recorded on tape 0 too
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from inspect import CO_GENERATOR
from types import CodeType, FrameType
from typing import Any

import numpy as np

from backprop_nb.errors import BackpropError
from backprop_nb.tracing import messages
from backprop_nb.tracing.code_text import KEPT, keep_text
from backprop_nb.tracing.libraries import learner_frame
from backprop_nb.tracing.marked import number_in
from backprop_nb.tracing.pytree import SEQUENCES
from backprop_nb.tracing.record import CONSTANT, Guard, Record, Scope, is_piecewise_constant
from backprop_nb.tracing.rules import Row
from backprop_nb.tracing.source import FOLDER

# What these compute is recorded at the line of the learner that asked for it.
_OWN_FILES = frozenset(
    f"{folder}{os.sep}{name}" for folder, _, names in os.walk(FOLDER) for name in names
)
_LITERALS = frozenset({int, float, bool})
NO_OPTIONS: dict[str, Any] = {}  # one for all calls without any; nobody writes into it
_ENDED: Any = ()  # the records of a trace that is over: a value that escaped can add nothing

BY_VALUE = (np.linalg.LinAlgError, IndexError)
"""What NumPy raises for values, not for shapes alone."""

_serial = itertools.count()

_running = threading.local()


def is_tracing() -> bool:
    """Whether a function is being traced in this thread."""
    return getattr(_running, "count", 0) > 0


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Say that a function is being traced in this thread."""
    _running.count = getattr(_running, "count", 0) + 1
    try:
        yield
    finally:
        _running.count -= 1


def writes() -> int:
    """Return how often this thread has begun to write to what others may look at."""
    return getattr(_running, "writes", 0)


def write_begins() -> None:
    """Remember that an array is changed in place, or an argument."""
    _running.writes = writes() + 1


# Record(...) and a Recorded value without a call of Python code, which would cost as
# much as the NumPy call that they write down.
_record = functools.partial(tuple.__new__, Record)
_new = object.__new__


class Recorded:
    """A value on a tape; the array that a learner computes with derives from it."""

    __slots__ = ("_index", "_memory", "_tape", "_value")

    is_changing = False
    """Whether the value is an array that is written to."""

    def __init__(self, tape: Tape, index: int, value: Any) -> None:
        self._tape = tape
        self._index: Any = index
        self._value = value
        # The values with the same entries, this one included, that an assignment would change.
        self._memory: Any = None

    def alias(self) -> Recorded:
        """Return a second value for the same record."""
        return type(self)(self._tape, self._index, self._value)

    def laid_as(self, array: Any) -> Recorded:
        """Return the value with its axes in the order in memory that they have in an array."""
        value, array = plain(self), plain(array)
        if value.ndim < 2 or value.strides == array.strides or _axes(value) == _axes(array):
            return self
        own, value = self.alias(), self._value
        if isinstance(value, Recorded):
            own._value = value.laid_as(array)
        else:
            own._value = np.empty_like(array, dtype=value.dtype)
            own._value[...] = value
        return own

    def now(self) -> Any:
        """Return a value that later assignments do not change: of most values, itself."""
        return self

    def __index__(self) -> int:
        raise NotImplementedError


class Tape:
    """The records of one trace.

    Parameters
    ----------
    kind
        What the values on it are handed out as.
    root
        The frame that calls the traced function.

    Attributes
    ----------
    codes
        The code of the learner's functions that computed something.
    guards
        The decisions that Python took on values of this tape.
    stood_in
        Where something stands in for a value of this tape, since NumPy took no other.
    is_smooth
        Whether a gradient flows through everything but the constants.
    is_stopped
        Whether a value was taken out of it on purpose.
    """

    def __init__(self, kind: type[Recorded], root: FrameType) -> None:
        self.kind = kind
        self.serial = next(_serial)
        self.records: list[Record] = []
        # The type of each input that was a number of Python's.
        self.given: dict[int, type] = {}
        self.codes: set[CodeType] = set()
        self.guards: list[Guard] = []
        self.stood_in: list[tuple[CodeType, int]] = []
        self.is_smooth = True
        self.is_stopped = False
        self._constants: dict[int, tuple[Any, int]] = {}
        self._groups: list[list[Recorded]] = []
        self._frame: FrameType | None = None
        self._scope: Scope | None = None
        # The calls from the root down to the current line, oldest first.
        self._stack: dict[FrameType, Scope | None] = {root: None}
        # Generators that may go on: one call, however often it is left.
        self._paused: dict[FrameType, Scope | None] = {}

    def close(self) -> tuple[Record, ...]:
        """Return the records and let go of the learner's frames and arrays."""
        records, self.records = tuple(self.records), _ENDED
        self._constants, self._stack, self._paused = {}, {}, {}
        for group in self._groups:
            for value in group:
                value._memory = None
        self._frame = self._scope = None
        return records

    @property
    def captured(self) -> list[Any]:
        """The arrays that are constants so far, those of the caller themselves."""
        return [value for value, _ in self._constants.values()]

    @property
    def is_over(self) -> bool:
        """Whether the trace has ended."""
        return self.records is _ENDED

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
            if not value._tape.is_over:
                copy = value.alias()
            elif value._value.dtype.kind in "biu":  # a mask, as good as plain
                copy = np.array(plain(value))[()]
            else:
                messages.ended(sys._getframe(1))
        else:
            copy = messages.real_copy(value, "An array in a traced function", frame)[()]
            self.check_read(copy)
        self.records.append(Record(CONSTANT, (), (), {}, copy, None, -1))
        self._constants[id(value)] = (value, len(self.records) - 1)
        return len(self.records) - 1

    def holds(self, value: Any) -> bool:
        """Whether a value was recorded on this tape."""
        return isinstance(value, Recorded) and value._tape is self

    def index(self, value: Recorded) -> int:
        """Return the position of the record that made a value."""
        return int(value._index)

    def is_flat(self, value: Recorded) -> bool:
        """Whether a value of this tape stays the same under a small change of the inputs.

        Only such a value may become a plain one: no gradient is lost.
        """
        if value._value.dtype.kind in "biu":
            return True
        if self.is_over:  # nothing is known any more
            return False
        pending, seen = [value._index], set()
        while pending:
            record = self.records[index := pending.pop()]
            if record.row is None and record.value.dtype.kind not in "biu":
                return False
            if index not in seen and not is_piecewise_constant(record):
                pending += [parent for parent in record.parents if parent is not None]
            seen.add(index)
        return True

    def decide(self, value: Recorded, asked: str, answer: Any, frame: FrameType) -> None:
        """Write down that Python went on with ``answer``, which it found in ``value``."""
        if self.is_over:
            return
        frame = self._learner(frame)
        self.guards.append(Guard(value._index, asked, answer, self._scope, frame.f_lasti))
        inner = value._value
        if isinstance(inner, Recorded):
            inner._tape.decide(inner, asked, answer, frame)

    def apply(
        self,
        row: Row,
        compute: Callable[..., Any],
        operands: Sequence[Any],
        keywords: dict[str, Any],
        frame: FrameType,
    ) -> Any:
        """Compute one call, record it, and return what stands for the result."""
        if self.is_over:
            return _without_tape(compute, operands, keywords, frame)
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
                index = self._index_of(item, frame)
                values.append(self.records[index].value)
                parents.append(index)
        try:
            value = compute(*values, **keywords) if keywords else compute(*values)
        except BackpropError:  # of a trace around this one: it has said everything
            raise
        except (ValueError, IndexError, TypeError) as error:
            shapes = [np.shape(plain(value)) for value in values]
            decided_by(error, operands, frame)
            raise messages.misfit(row, shapes, error, frame) from None
        return self._write(row, tuple(values), tuple(parents), keywords, value, frame)

    def apply_operator(
        self, row: Row, compute: Callable[..., Any], x: Any, y: Any, frame: FrameType
    ) -> Any:
        """Do what ``apply`` does for an operator: the most frequent call, in half the time."""
        kind = self.kind
        if self.records is _ENDED:
            return self.apply(row, compute, (x, y), NO_OPTIONS, frame)
        if type(x) is kind and x._tape is self:
            a, from_x = x._value, x._index
        elif type(x) in _LITERALS:
            a, from_x = x, None
        else:
            return self.apply(row, compute, (x, y), NO_OPTIONS, frame)
        if type(y) is kind and y._tape is self:
            b, from_y = y._value, y._index
        elif type(y) in _LITERALS:
            b, from_y = y, None
        else:
            return self.apply(row, compute, (x, y), NO_OPTIONS, frame)
        try:
            value = compute(a, b)
        except (ValueError, IndexError, TypeError):  # which is told there
            return self.apply(row, compute, (x, y), NO_OPTIONS, frame)
        return self._write(row, (a, b), (from_x, from_y), NO_OPTIONS, value, frame)

    def _write(
        self,
        row: Row,
        args: tuple[Any, ...],
        parents: tuple[int | None, ...],
        keywords: dict[str, Any],
        value: Any,
        frame: FrameType,
    ) -> Any:
        """Write one call down, and return what stands for its result."""
        if frame is not self._frame:
            while frame.f_code.co_filename in _OWN_FILES and frame.f_back is not None:
                frame = frame.f_back
            if frame is not self._frame:
                self._enter(frame)
        records = self.records
        result: Any = _new(self.kind)
        result._tape, result._index, result._value = self, len(records), value
        result._memory = None
        call = (row, args, parents, keywords, value, self._scope, frame.f_lasti)
        records.append(_record(call))
        return result

    def apply_at(
        self,
        row: Row,
        operands: Sequence[Any],
        keywords: dict[str, Any],
        place: tuple[Scope | None, int],
    ) -> Any:
        """Record a call that belongs to an earlier place of the learner's code."""
        result = self.apply(row, row.call, operands, keywords, sys._getframe(0))
        scope, lasti = place
        self.records[-1] = self.records[-1]._replace(scope=scope, lasti=lasti)
        return result

    def last(self, name: str, operands: tuple[Any, Any], frame: FrameType) -> Any:
        """Return what was recorded last, if it is this very call: NumPy may ask for it twice."""
        row, args, parents, _, value, scope, lasti = self.records[-1]
        is_it = getattr(row, "name", "") == name and lasti == frame.f_lasti
        if not is_it or parents[1] != operands[1]._index or scope is not self._scope:
            return None
        if not np.array_equal(args[0], operands[0]):
            return None
        return self.kind(self, len(self.records) - 1, value)

    def stand_in(self, frame: FrameType) -> int:
        """Remember where something stands in for a value; return the number of the place."""
        frame = learner_frame(frame)
        self.stood_in.append((frame.f_code, frame.f_lasti))
        return len(self.stood_in) - 1

    def check_read(self, value: Any) -> None:
        """Refuse what was computed from something that stands in for a value."""
        if self.stood_in and (number := number_in(value)) is not None:
            raise messages.read_past(*self.stood_in[min(number, len(self.stood_in) - 1)])

    def place(self, frame: FrameType) -> tuple[Scope | None, int]:
        """Return where in the learner's code a frame is."""
        frame = self._learner(frame)
        return self._scope, frame.f_lasti

    def _index_of(self, item: Any, frame: FrameType) -> int:
        """Return the record of an operand, which is no literal."""
        if is_live(item):
            item = item.now()
            if self.holds(item):
                return int(item._index)
        return self.constant(item, frame)

    def share(self, value: Recorded, result: Recorded) -> None:
        """Remember that a result may be a view: an assignment to either changes both."""
        if np.may_share_memory(plain(value), plain(result)):
            if value._memory is None:
                value._memory = [value]
                self._groups.append(value._memory)
            value._memory.append(result)
            result._memory = value._memory

    def _learner(self, frame: FrameType) -> FrameType:
        """Make the learner's frame the current scope, and return it."""
        frame = learner_frame(frame)
        if frame is not self._frame:
            self._enter(frame)
        return frame

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
            self.codes.add(below.f_code)
            resumed = self._paused.pop(below, None)
            scope = resumed or Scope(self._stack[known], below.f_code, known.f_lasti)
            self._stack[below] = scope
            known = below
        self._frame, self._scope = frame, self._stack[frame]


def _without_tape(
    compute: Callable[..., Any],
    operands: Sequence[Any],
    keywords: dict[str, Any],
    frame: FrameType,
) -> Any:
    """Compute with what outlives its trace: a mask or a position, which is as good as plain."""
    if any(isinstance(each, Recorded) and each._value.dtype.kind == "f" for each in operands):
        messages.ended(frame)
    return compute(*map(plain, operands), **keywords)


def innermost(values: Iterable[Recorded]) -> Tape:
    """Return the tape that records a call on these values: the one opened last."""
    tapes = {value._tape.serial: value._tape for value in values}
    last = tapes[max(tapes)]
    if last.is_over and len(tapes) > 1:
        del tapes[last.serial]
        running = [tape for tape in tapes.values() if not tape.is_over]
        return max(running, key=lambda tape: tape.serial, default=last)
    return last


def decided(value: Recorded, frame: FrameType, asked: str = "value") -> Any:
    """Return the plain value with which Python goes on; its tape remembers it."""
    answer = bool(plain(value)) if asked == "truth" else np.array(plain(value))[()]
    value._tape.decide(value, asked, answer, frame)
    return answer


def decided_by(error: Exception, operands: Sequence[Any], frame: FrameType) -> None:
    """Write down the values that NumPy refuses, as of a matrix: the learner may catch the error.

    Of an index that is out of range these are whole numbers.
    """
    if isinstance(error, BY_VALUE):
        kinds = "iu" if isinstance(error, IndexError) else "iufb"
        for each in operands:
            if isinstance(each, Recorded) and plain(each).dtype.kind in kinds:
                decided(each.now(), frame)


def shown(value: Any, frame: FrameType) -> Any:
    """Return the plain value of which text is made; its tape remembers it if more than read."""
    now = value.now()
    if isinstance(now, Recorded):
        if now._value.ndim == 0 and now._value.dtype.kind in "biu":
            decided(now, frame)
        elif frame.f_code.co_filename not in _OWN_FILES and not messages.is_only_printed(frame):
            decided(now, frame, "text")
    return plain(value)


def _axes(array: Any) -> list[int]:
    """Return the axes of an array from the one with the longest way from entry to entry."""
    axes = (axis for axis, length in enumerate(array.shape) if length != 1)
    return sorted(axes, key=lambda axis: -abs(array.strides[axis]))


def is_live(value: Any) -> bool:
    """Whether a value stands for a recorded one, or for an array that may become one."""
    return hasattr(type(value), "is_changing")


def has_traced(tree: Any) -> bool:
    """Whether a recorded value stands in lists or tuples."""
    if issubclass(type(tree), SEQUENCES):
        return any(map(has_traced, tree))
    return is_live(tree)


def taken_in(value: Any, what: str) -> Any:
    """Return a value as it is now: recorded, or a plain copy if it holds none that is.

    Raises
    ------
    UnsupportedError
        If it is not made of real numbers.
    """
    value = value.now() if is_live(value) else value
    return value.alias() if isinstance(value, Recorded) else messages.real_copy(value, what)


def is_other_float(value: Any, dtype: Any) -> bool:
    """Whether a value computes in another float type than this one, in any order of bytes."""
    kind: str = getattr(getattr(value, "dtype", None), "kind", "")
    return kind == "f" and bool(value.dtype != dtype and value.dtype.name != dtype.name)


def is_foreign(value: Any) -> bool:
    """Whether it computes by itself, such as a traced array, and is no array of NumPy's."""
    return hasattr(type(value), "__array_function__") and not isinstance(value, np.ndarray)


def taken_out(value: Any) -> Any:
    """Return a copy of the plain value behind a recorded one; its tapes remember that."""
    if not is_live(value):
        return value
    value = value.now()
    while isinstance(value, Recorded):
        value._tape.is_stopped = True
        value = value._value
    return np.array(value)[()]


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
