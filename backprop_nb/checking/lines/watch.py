"""A function watched while it runs: which line gave which value to which name.

What the tracer writes down is what was *computed*.  A line that only hands something on, such as
``delta = error``, computes nothing, and a program with ``float()`` in it cannot be traced at all.
Python itself can be asked to report every line, and then all names can be looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from backprop_nb.errors import PACKAGE
from backprop_nb.tracing.libraries import is_learners_code
from backprop_nb.tracing.tape import is_live

_MAX_ENTRIES = 64
"""What holds more is not looked into."""
_MAX_DEPTH = 3
_MAX_LOOKS = 2_000_000
"""So many names and entries are looked at in one run; then nothing more is written down."""

_Kept: TypeAlias = dict[Any, tuple[Any, Any]]
"""By name, index or key: a value, and its mark."""

Slot: TypeAlias = tuple[int, Any]
"""Where a value is kept: the number of a call and a name, or the id of a list, a dict or an object
and the index, the key or the attribute."""

_PLAIN = (str, bytes, bool, type(None), range, slice, type, FunctionType, MethodType, ModuleType)
_LEAVES = (int, float, complex, np.ndarray, np.generic)


class Event(NamedTuple):
    """Something that happened while a function ran.

    Attributes
    ----------
    kind
        ``"call"``: a function begins; ``"bind"``: a line has given a value to a name or to
        an entry; ``"return"``: the function ends.
    frame
        The number of the call.
    line
        The line that did it.
    clock, start
        What the clock showed then, and when the line began.
    slot
        Of a binding, where the value is now.
    value
        What was bound, or returned; of a call, all parameters by their names.
    mark
        What tells whether the value has been changed in place since.
    """

    kind: Literal["call", "bind", "return"]
    frame: int
    line: int
    clock: int
    start: int
    slot: Slot | None
    value: Any
    mark: Any = None


class Call(NamedTuple):
    """A call of one of the student's functions: its code, and where it was called from."""

    code: CodeType
    caller: int | None
    lasti: int


@dataclass
class _Open:
    """A call that has not ended."""

    number: int
    line: int
    start: int
    names: _Kept


@dataclass
class Watch:
    """Watches one run of a function.

    Parameters
    ----------
    clock
        Tells how far something else has come, such as the tape of a trace.
    mark
        Tells what a value is right now, where it may be changed in place.

    Attributes
    ----------
    calls
        The calls of the student's functions, by their numbers.
    events
        What happened, in order.
    is_complete
        Whether nothing is missing, since there was not too much of it.
    """

    clock: Callable[[], int] = lambda: 0
    mark: Callable[[Any], Any] = lambda value: None
    calls: list[Call] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    is_complete: bool = True
    _open: dict[FrameType, _Open] = field(default_factory=dict)
    # Every list, dict and object that was seen, and what was in it.  It is kept, or its id
    # could become that of another one.
    _inside: dict[int, tuple[Any, _Kept]] = field(default_factory=dict)
    _looks: int = 0

    def run(self, f: Callable[..., Any], *args: Any) -> Any:
        """Return what a function returns, and write down what its lines do.

        Whoever else watches, such as a debugger, sees nothing of it, and goes on afterwards.
        """
        before = sys.gettrace()
        sys.settrace(self._begin)
        try:
            return f(*args)
        finally:
            sys.settrace(before)
            self._open.clear()

    def _begin(self, frame: FrameType, what: str, _: Any) -> Callable[..., Any] | None:
        if not self.is_complete or not is_students(frame):
            return None
        back, caller = frame.f_back, None
        while back is not None and back not in self._open:
            back = back.f_back
        if back is not None:
            caller = self._open[back].number
        names = self._locals(frame)
        number = len(self.calls)
        self.calls.append(Call(frame.f_code, caller, back.f_lasti if back is not None else -1))
        now = self.clock()
        given = {name: value for name, (value, _) in names.items()}
        marks = {name: mark for name, (_, mark) in names.items()}
        self.events.append(Event("call", number, frame.f_lineno, now, now, None, given, marks))
        self._open[frame] = _Open(number, frame.f_lineno, now, names)
        for value, _ in names.values():
            # What the caller has put into it since its line began is the caller's.
            for change in self._changes(value, 0):
                self._bind(self._open[back] if back is not None else None, number, *change)
        return self._step

    def _step(self, frame: FrameType, what: str, value: Any) -> Callable[..., Any] | None:
        state = self._open.get(frame)
        if state is None or not self.is_complete:
            return None
        if what == "exception":
            return self._step
        self._look(frame, state)
        if what == "return":
            for change in self._changes(value, 0):
                self._bind(state, state.number, *change)
            at = (state.line, self.clock(), state.start)
            self.events.append(Event("return", state.number, *at, None, value, self.mark(value)))
            del self._open[frame]
        state.line, state.start = frame.f_lineno, self.clock()
        if self._looks > _MAX_LOOKS:
            self.is_complete = False
            self.events.clear()
        return self._step

    def _look(self, frame: FrameType, state: _Open) -> None:
        """Write down what the last line has changed."""
        names = self._locals(frame)
        for value, _ in names.values():
            for change in self._changes(value, 0):
                self._bind(state, state.number, *change)
        for name, now in names.items():
            if _differ(state.names.get(name), now):
                self._bind(state, state.number, (state.number, name), *now)
        state.names = names

    def _bind(self, state: _Open | None, frame: int, slot: Slot, value: Any, mark: Any) -> None:
        now = self.clock()
        number, line, start = (state.number, state.line, state.start) if state else (frame, 0, now)
        self.events.append(Event("bind", number, line, now, start, slot, value, mark))

    def _locals(self, frame: FrameType) -> _Kept:
        found = self._marked(frame.f_locals)
        self._looks += len(found)
        return found

    def _marked(self, values: Mapping[Any, Any]) -> _Kept:
        return {k: (v, self.mark(v)) for k, v in values.items() if not isinstance(v, _PLAIN)}

    def _changes(self, value: Any, depth: int) -> Iterator[tuple[Slot, Any, Any]]:
        """Yield what is new in a list, a dict or an object, and in what it holds."""
        held = None if depth >= _MAX_DEPTH else _entries(value)
        if held is None:
            return
        entries = self._marked(held)
        self._looks += len(entries)
        _, known = self._inside.get(id(value), (None, {}))
        self._inside[id(value)] = value, entries
        for key, now in entries.items():
            yield from self._changes(now[0], depth + 1)
            if _differ(known.get(key), now):
                yield (id(value), key), *now


def _differ(before: tuple[Any, Any] | None, now: tuple[Any, Any]) -> bool:
    return before is None or before[0] is not now[0] or bool(before[1] != now[1])


def _entries(value: Any) -> dict[Any, Any] | None:
    """Return what a list, a dict or an object holds, by index, key or attribute."""
    kind = type(value)
    if kind is list or kind is tuple or isinstance(value, list | tuple):
        found = dict(enumerate(value)) if len(value) <= _MAX_ENTRIES else None
    elif isinstance(value, dict):
        found = dict(value) if len(value) <= _MAX_ENTRIES else None
    elif isinstance(value, _LEAVES) or is_live(value) or kind.__module__ in ("builtins", "numpy"):
        return None
    else:
        inside = getattr(value, "__dict__", None)
        found = dict(inside) if type(inside) is dict and len(inside) <= _MAX_ENTRIES else None
    return found


@lru_cache(maxsize=1024)
def _is_ours(filename: str) -> bool:
    return filename.startswith((PACKAGE, "<frozen"))


def is_students(frame: FrameType) -> bool:
    """Whether a frame runs code of the student's, and not the package's or a library's."""
    file, module = frame.f_code.co_filename, str(frame.f_globals.get("__name__", ""))
    # What a dataclass of ours is made of stands in no file; an example in a docstring is none.
    is_ours = _is_ours(file) or (file == "<string>" and module.startswith("backprop_nb."))
    return is_learners_code(frame.f_code) and not is_ours
