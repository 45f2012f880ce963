"""Lines that compute nothing, as steps of a trace: what they hand on gets a record of its own.

``delta = error``, where the slope was forgotten, ``return dout`` or ``A1 = cache["Z1"]`` leave no
record: the value is the one that an earlier line made.  With a step in between that returns its
argument, such a line can be put right, and blamed, as any other expression.
"""

from __future__ import annotations

import ast
import dis
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from types import CodeType
from typing import Any, NamedTuple, TypeVar

from backprop_nb.checking.lines.watch import Call, Event, Watch
from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import CONSTANT, Record, Scope
from backprop_nb.tracing.rules import Row
from backprop_nb.tracing.rules.template import Template
from backprop_nb.tracing.source import Place, Source, locate, operand

T = TypeVar("T", bound=Trace)


class _Alias(Row):
    """The row of a line that hands a value on."""

    @cached_property
    def is_elementwise(self) -> bool:
        return True


def handed_on(x: Any) -> Any:
    """Return a value as it is."""
    return x


def _row() -> _Alias:
    template = Template("#1")
    return _Alias(handed_on, (lambda g, ans, x: g,), template, template, symbol="=")


ALIAS, ANSWER = _row(), _row()
"""The rows of what is read from a name or an entry, and of what a helper has returned."""


def is_alias(record: Record) -> bool:
    """Whether a record is that of a line which computes nothing itself."""
    return record.row is ALIAS or record.row is ANSWER


def is_handed_on(record: Record) -> bool:
    """Whether a record is that of a line which reads a value and hands it on."""
    return record.row is ALIAS


def is_returned(record: Record) -> bool:
    """Whether a record is that of a line which returns what others have computed."""
    if not is_alias(record) or record.scope is None:
        return False
    place = locate(record.scope.code, record.lasti)
    return place is not None and isinstance(statement_around(place), ast.Return)


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


@dataclass
class _Step:
    """A line that hands on what a record, or an earlier such step, has."""

    origin: int
    """The record that made the value."""
    before: int | None
    """The step that it was reached by."""
    clock: int
    frame: int
    lasti: int
    is_answer: bool
    """Whether a helper has returned it."""
    is_used: bool = False


class _Held(NamedTuple):
    """What a name or an entry has."""

    value: Any
    origin: int | None
    """The record that made it; ``None`` for what is not traced."""
    step: int | None
    """The last line that handed it on."""


_NOTHING = _Held(None, None, None)


def aliased(trace: T, watch: Watch, values: Sequence[Any]) -> T:
    """Return a trace with a record for each line that handed a value on.

    Parameters
    ----------
    trace
        Of the function that was watched.
    watch
        What its lines did; the clock counted the records, the mark of a value was the position
        of its record.
    values
        Of each record of the tape its value, in the order of the tape; the trace may lack some.
    """
    if not watch.is_complete:
        return trace
    followed: T = _Aliases(trace, watch, values).result()
    return followed


@dataclass
class _Aliases:
    trace: Any
    watch: Watch
    values: Sequence[Any]
    steps: list[_Step] = field(default_factory=list)
    names: list[dict[str, _Held]] = field(default_factory=list)
    """Of each call what its names have."""
    entries: dict[int, dict[Any, _Held]] = field(default_factory=dict)
    """Of each list, dict or object, by its id."""
    returned: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By record the step by which it was returned last, and the clock then."""
    makers: dict[int, int] = field(default_factory=dict)
    """By record the call that made it."""
    stored: tuple[Any, int] = (None, 0)
    """How many entries the line that runs has stored."""
    reached: dict[tuple[int, int], int] = field(default_factory=dict)
    """By record and operand the step that it comes from."""
    results: dict[int, int] = field(default_factory=dict)
    """By record the step by which the watched function returned it."""

    @cached_property
    def _new(self) -> dict[int, int]:
        """From a position on the tape to the one in the trace."""
        found, rest = dict[int, int](), iter(enumerate(self.values))
        for index, record in enumerate(self.trace.records):
            for old, value in rest:
                if value is record.value:
                    found[old] = index
                    break
        return found

    @cached_property
    def _kept(self) -> list[int]:
        return sorted(self._new)

    def _at(self, clock: int) -> int:
        """Return how many records of the trace there were when the tape had so many."""
        return bisect_left(self._kept, clock)

    def result(self) -> Any:
        """Return the trace with the steps that somebody uses."""
        active: int | None = None
        done = 0
        for event in self.watch.events:
            now = self._at(event.clock)
            self._read(active, range(done, now))
            done = max(done, now)
            if event.kind == "call":
                self._call(event)
                active = event.frame
            elif event.kind == "bind":
                self._bind(event)
            else:
                self._return(event)
                active = self.watch.calls[event.frame].caller
        self._read(None, range(done, len(self.trace.records)))
        return self._with_steps()

    # -- what happens ------------------------------------------------------------------

    def _read(self, frame: int | None, indices: range) -> None:
        """Find out by which lines the operands of some records were reached."""
        for index in indices:
            record = self.trace.records[index]
            if frame is not None:
                self.makers[index] = frame
            for k, parent in enumerate(record.parents):
                if parent is None:
                    continue
                if frame is None:
                    step = self.results.get(parent)
                else:
                    step = self._operand(frame, record, k, parent)
                if step is not None:
                    self.reached[index, k] = step

    def _operand(self, frame: int, record: Record, k: int, origin: int) -> int | None:
        scope = record.scope
        if scope is None or scope.code is not self.watch.calls[frame].code:
            return None
        place = locate(scope.code, record.lasti)
        if place is None:
            return None
        node = operand(place, record.row, k, len(record.args))
        return None if node is None else self._step_of(frame, node, origin)

    def _call(self, event: Event) -> None:
        call = self.watch.calls[event.frame]
        arguments = list(self._arguments(call))
        names = {}
        for name, value in event.value.items():
            origin = self._new.get(event.mark[name])
            step = None
            if origin is not None and call.caller is not None:
                steps = (self._step_of(call.caller, node, origin) for node in arguments)
                step = next((each for each in steps if each is not None), None)
            names[name] = _Held(value, origin, step)
        self.names.append(names)

    def _arguments(self, call: Call) -> Iterator[ast.AST]:
        if call.caller is None:
            return
        place = locate(self.watch.calls[call.caller].code, call.lasti)
        if place is not None and isinstance(place.node, ast.Call):
            yield from place.node.args
            yield from (each.value for each in place.node.keywords)
        elif place is not None:
            yield from ast.iter_child_nodes(place.node)

    def _bind(self, event: Event) -> None:
        assert event.slot is not None
        owner, key = event.slot
        is_name = isinstance(key, str) and owner == event.frame
        origin = self._new.get(event.mark)
        held = _Held(event.value, origin, None)
        if origin is not None and event.line:
            held = held._replace(step=self._step(event, origin, key if is_name else None))
        (self.names[owner] if is_name else self.entries.setdefault(owner, {}))[key] = held

    def _return(self, event: Event) -> None:
        origin = self._new.get(event.mark)
        call = self.watch.calls[event.frame]
        if origin is not None:
            step = self._step(event, origin, None)
            self.returned.pop(origin, None)
            if step is not None:
                self.returned[origin] = step, event.clock
        if call.caller is None:
            self.results.update(self._handed_over(event))

    def _handed_over(self, event: Event) -> Iterator[tuple[int, int]]:
        """Yield the records that the watched function returned, and their steps."""
        for frame in self.names[event.frame].values():
            if frame.origin is not None and frame.step is not None:
                yield frame.origin, frame.step
        pending, seen = [event.value], set[int]()
        origin = self._new.get(event.mark)
        if origin is not None and origin in self.returned:
            yield origin, self.returned[origin][0]
        while pending:
            value = pending.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            for held in self.entries.get(id(value), {}).values():
                if held.origin is not None and held.step is not None:
                    yield held.origin, held.step
                pending.append(held.value)

    # -- steps ---------------------------------------------------------------------------

    def _step(self, event: Event, origin: int, name: str | None) -> int | None:
        """Return a step for a line that hands on what was there; ``None`` for what it makes."""
        record = self.trace.records[origin]
        start = self._at(event.start)
        if record.row is CONSTANT or record.value.dtype.kind != "f":
            return None
        _, clock = self.returned.get(origin, (None, -1))
        is_new = origin >= start and self.makers.get(origin) == event.frame
        if is_new and (clock < event.start or event.kind == "return"):
            return None
        code = self.watch.calls[event.frame].code
        before, load, is_answer = self._source(event, origin)
        lasti = load
        if name is not None:
            lasti = _stores(code).get((event.line, name), load)
        elif load is None and event.kind == "bind":
            lasti = self._entry_store(event)
        if lasti is None:
            lasti = _any(code, event.line)
        if lasti is None:
            return before
        self.steps.append(_Step(origin, before, event.clock, event.frame, lasti, is_answer))
        return len(self.steps) - 1

    def _entry_store(self, event: Event) -> int | None:
        """Return the instruction that stores an entry; of several on a line the next one."""
        code = self.watch.calls[event.frame].code
        stores = [
            lasti
            for lasti, place in instructions(code, event.line)
            if place.stores or isinstance(getattr(place.node, "ctx", None), ast.Store)
            if isinstance(place.node, ast.Subscript | ast.Attribute)
        ]
        if not stores:
            return None
        visit = (event.frame, event.line, event.start)
        self.stored = (visit, self.stored[1] + 1) if self.stored[0] == visit else (visit, 0)
        return stores[self.stored[1] % len(stores)]

    def _source(self, event: Event, origin: int) -> tuple[int | None, int | None, bool]:
        """Return how a line reached a value: the step, the reading instruction, whether called."""
        code = self.watch.calls[event.frame].code
        found, load = None, None
        for lasti, place in instructions(code, event.line):
            if isinstance(getattr(place.node, "ctx", None), ast.Store):
                continue
            if self._has(event.frame, place.node, origin):
                load = lasti if load is None else load
                step = self._step_of(event.frame, place.node, origin)
                found = step if found is None else found
        step, clock = self.returned.get(origin, (None, -1))
        if clock >= event.start:
            return step, load, True
        return found, load, self.makers.get(origin) != event.frame and load is None

    def _has(self, frame: int, node: ast.AST, origin: int) -> bool:
        return any(held.origin == origin for held in self._held(frame, node))

    def _step_of(self, frame: int, node: ast.AST, origin: int) -> int | None:
        """Return the step by which an expression reaches a record."""
        found = [held.step for held in self._held(frame, node) if held.origin == origin]
        if found:
            return found[-1]
        if isinstance(node, ast.Call):
            return self.returned.get(origin, (None, -1))[0]
        return None

    def _held(self, frame: int, node: ast.AST) -> list[_Held]:
        """Return what an expression may stand for: several where an index is not written out."""
        match node:
            case ast.Name(id=name):
                held = self.names[frame].get(name)
                return [] if held is None else [held]
            case ast.Attribute(value=owner, attr=key):
                return [
                    self.entries[id(each.value)][key]
                    for each in self._held(frame, owner)
                    if key in self.entries.get(id(each.value), {})
                ]
            case ast.Subscript(value=owner, slice=index):
                found = []
                for each in self._held(frame, owner):
                    inside = self.entries.get(id(each.value), {})
                    if isinstance(index, ast.Constant) and index.value in inside:
                        found.append(inside[index.value])
                    else:
                        found += inside.values()
                return found
            case ast.IfExp(body=one, orelse=other):
                return [*self._held(frame, one), *self._held(frame, other)]
            case ast.NamedExpr(value=value) | ast.Starred(value=value):
                return self._held(frame, value)
        return []

    # -- the new trace -------------------------------------------------------------------

    def _with_steps(self) -> Any:
        # The earlier rounds of a loop belong to it, also where the last one overwrites them.
        rounds: dict[tuple[int, int], list[int]] = {}
        for k, step in enumerate(self.steps):
            rounds.setdefault((step.frame, step.lasti), []).append(k)
        pending = list(self.reached.values())
        while pending:
            step = self.steps[pending.pop()]
            if not step.is_used:
                step.is_used = True
                pending += rounds[step.frame, step.lasti]
                if step.before is not None:
                    pending.append(step.before)
        used = [k for k, step in enumerate(self.steps) if step.is_used]
        if not used:
            return self.trace
        records: list[Record] = []
        new: dict[int, int] = {}
        placed: dict[int, int] = {}
        rest = iter(used)
        following = next(rest, None)
        for index, record in enumerate(self.trace.records):
            while following is not None and self._at(self.steps[following].clock) <= index:
                placed[following] = len(records)
                records.append(self._record(self.steps[following], new, placed))
                following = next(rest, None)
            new[index] = len(records)
            parents = tuple(
                None if parent is None else self._parent(index, k, parent, new, placed)
                for k, parent in enumerate(record.parents)
            )
            records.append(record._replace(parents=parents))
        return replace(
            self.trace,
            records=tuple(records),
            output_index=new[self.trace.output_index],
            guards=(),
            checks=(),
        )

    def _parent(
        self, index: int, k: int, parent: int, new: dict[int, int], placed: dict[int, int]
    ) -> int:
        step = self.reached.get((index, k))
        return new[parent] if step is None else placed[step]

    def _record(self, step: _Step, new: dict[int, int], placed: dict[int, int]) -> Record:
        parent = new[step.origin] if step.before is None else placed[step.before]
        value = self.trace.records[step.origin].value
        scope = self._scopes[step.frame]
        row = ANSWER if step.is_answer else ALIAS
        return Record(row, (value,), (parent,), {}, value, scope, step.lasti)

    @cached_property
    def _scopes(self) -> list[Scope]:
        """The scope of each call: that of what it computed, or one of its own."""
        known: dict[int, Scope] = {}
        for index, frame in self.makers.items():
            scope = self.trace.records[index].scope
            code = self.watch.calls[frame].code
            if scope is not None and scope.code is code:
                known.setdefault(frame, scope)
        # What computed nothing may have called what did.
        for frame in reversed(range(len(self.watch.calls))):
            caller, scope = self.watch.calls[frame].caller, known.get(frame)
            if caller is not None and scope is not None and scope.parent is not None:
                known.setdefault(caller, scope.parent)
        found: list[Scope] = []
        for frame, call in enumerate(self.watch.calls):
            above = None if call.caller is None else found[call.caller]
            found.append(known.get(frame) or Scope(above, call.code, call.lasti))
        return found


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


@lru_cache(maxsize=1024)
def _stores(code: CodeType) -> dict[tuple[int, str], int]:
    """Return the instruction that gives a name its value, by line."""
    found: dict[tuple[int, str], int] = {}
    for each in dis.get_instructions(code):
        if each.opname.startswith("STORE_") and each.positions and each.positions.lineno:
            names = each.argval if isinstance(each.argval, tuple) else (each.argval,)
            for name in names:
                if isinstance(name, str):
                    found[each.positions.lineno, name] = each.offset
    return found


def _any(code: CodeType, line: int) -> int | None:
    places = instructions(code, line)
    return places[-1][0] if places else None
