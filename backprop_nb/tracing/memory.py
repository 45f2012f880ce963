"""Arrays that are written to: what one block of memory holds, and who looks into it.

NumPy's arrays may share their entries: after ``row = M[1]`` an assignment to ``row``
changes ``M``.  Here such arrays look at one :class:`Memory`, whose plain
array is changed as NumPy changes it, so that every alias sees exactly what it would see.
What the tape writes down are values that never change: an assignment is kept until
somebody reads what it could have changed.  Then a new array of the old one is recorded,
or, of a few entries of many, what these are from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.tracing.record import Scope
from backprop_nb.tracing.rules import Row, row_of
from backprop_nb.tracing.rules.assignment import ASSIGNED, bind_assignment
from backprop_nb.tracing.rules.indexing import getitem
from backprop_nb.tracing.rules.lists import ARRAY, bind_list
from backprop_nb.tracing.tape import Recorded, Tape, plain, write_begins

Place = tuple[Scope | None, int]
"""Where in the learner's code: the call of a function, and the instruction in it."""


MANY_WRITES = 100
"""Of more assignments only what stands when somebody looks is recorded."""
PER_NODE = 32
"""So many entries of a block are rather copied than one node more is made."""

_GETITEM: Any = row_of(getitem)


class Write(NamedTuple):
    """One assignment: to which entries of the block, how many, and what."""

    index: Any
    value: Any
    place: Place
    entries: int


class Memory:
    """A block of entries, and what the tape knows about them.

    Attributes
    ----------
    array
        The entries as they are now.
    tape
        Where the values come from; ``None`` while all of them are plain.
    state
        The recorded value that the block had after the first ``recorded`` of the ``writes``.
    writes
        The assignments that an entry may be from.
    owner, offset
        For each entry the number of the write that it is from, 0 for none, and which entry
        it is of what that assigned.
    version
        How often it has been written to.
    lent_to
        What holds a plain view of the block: it would not see a recorded value.
    """

    __slots__ = (
        *("_entries", "array", "lent_to", "offset", "owner", "recorded", "state", "tape"),
        *("version", "writes"),
    )

    def __init__(self, array: Any) -> None:
        self.array = array
        self.tape: Tape | None = None
        self.state: Any = None
        self.writes: list[Write] = []
        self.recorded = 0
        self.owner: Any = None
        self.offset: Any = None
        self.version = 0
        self.lent_to = ""
        self._entries: Any = None

    def follow(self, tape: Tape, kind: Any, state: Any = None) -> None:
        """Let a tape record what is assigned from now on.

        ``state`` is the recorded value of today; without one it is a constant.
        """
        write_begins()
        if self.state is None:
            if state is None:
                array = np.array(self.array)
                state = kind(tape, tape.constant(array), array)
            self.state = state
            self.owner = np.zeros_like(self.array, dtype=np.intp)
            self.offset = np.zeros_like(self.owner)
        if self.tape is None or tape.serial > self.tape.serial:
            self.now()
            self.tape = tape

    @property
    def entries(self) -> Any:
        """The number of each entry."""
        if self._entries is None:
            self._entries = np.empty_like(self.array, dtype=np.intp)
            self._entries[...] = np.reshape(np.arange(self.array.size), self.array.shape)
        return self._entries

    def place(self, frame: FrameType) -> Place:
        """Return where in the learner's code a frame is."""
        return self.tape.place(frame) if self.tape else (None, -1)

    def assign(self, index: Any, value: Any, place: Place) -> None:
        """Write down an assignment to the block, which has been carried out."""
        self.version += 1
        shape = np.shape(plain(value))
        if is_whole(index) and self.fits(value) and shape == self.array.shape:
            self._restart(value.laid_as(self.array))
        elif has_recorded(index):  # on other inputs it may lie elsewhere, on any of them
            self._restart(self.put(self.now(), [(index, value)], place))
        else:
            self.owner[index] = len(self.writes) + 1
            self.offset[index] = np.arange(prod(shape)).reshape(shape) if shape else 0
            self.writes.append(Write(index, value, place, self.owner[index].size))

    def fits(self, value: Any) -> bool:
        """Whether a value is recorded, in the type of the block."""
        return isinstance(value, Recorded) and value._value.dtype == self.array.dtype

    def _restart(self, state: Any) -> None:
        """Take a value of the whole block, and forget who assigned what."""
        self.state, self.writes, self.recorded = state, [], 0
        self.owner.fill(0)

    def now(self) -> Any:
        """Return the recorded value of the whole block, all assignments included."""
        if pending := self.writes[self.recorded :]:
            standing = pending if len(pending) <= MANY_WRITES else [*self._standing()]
            self.recorded = len(self.writes)
            for run in self._runs(standing):
                places = [(write.index, write.value) for write in run]
                self.state = self.put(self.state, places, run[-1].place)
        return self.state

    def _standing(self) -> Iterator[Write]:
        """Yield what is left of the assignments that are not recorded: no two overlap.

        One that overwrites another would make another array of the whole block.
        """
        for number, entries in _by_owner(self.owner, self.recorded):
            write = self.writes[number - 1]
            if len(entries) < write.entries:
                index, value = self.piece(number, entries, self.owner.shape, self.offset)
                write = write._replace(index=index, value=value)
            yield write

    def _runs(self, writes: Sequence[Write]) -> Iterator[list[Write]]:
        """Yield the assignments by the line that made them, as far as the order does not count.

        A loop that fills an array is one node, however often its line ran.
        """
        free: dict[Place, list[Write]] = {}
        touched = np.zeros(self.array.shape, dtype=bool)
        for write in writes:
            if np.any(touched[write.index]):
                yield from free.values()
                free.clear()
                touched.fill(False)
            touched[write.index] = True
            free.setdefault(write.place, []).append(write)
        yield from free.values()

    def put(self, base: Any, pieces: Sequence[tuple[Any, Any]], place: Place) -> Any:
        """Record what a value becomes by assignments to its entries."""
        values = [value for _, value in pieces]
        operands, options = bind_assignment(base, *values, at=[index for index, _ in pieces])
        return self.record(ASSIGNED, operands, options, place)

    def record(self, row: Row, operands: Any, options: dict[str, Any], place: Place) -> Any:
        """Record a call, at its place in the learner's code."""
        assert self.tape is not None
        return self.tape.apply_at(row, operands, options, place)

    def found(self, owner: Any, offset: Any) -> Any:
        """Return the value that was assigned to just some entries, if it stands there still."""
        number = owner.item(0) if owner.size else 0
        value: Any = self.writes[number - 1].value if number else None
        if not self.fits(value) or value._value.shape != owner.shape:
            return None
        if not owner.shape:
            return value
        stands = (owner == number).all() and (offset.ravel() == np.arange(offset.size)).all()
        return value if stands else None

    def piece(
        self, number: int, entries: Any, shape: tuple[int, ...], offset: Any, place: Any = None
    ) -> tuple[Any, Any]:
        """Return an index for some entries of an array, and what a write assigned to them."""
        _, value, written, _ = self.writes[number - 1]
        inner = np.shape(plain(value))
        (into, sides), taken = _picking(entries, shape), offset.ravel()[entries]
        if not inner or (sides == inner and (taken == np.arange(len(taken))).all()):
            return into, value
        index, inner_sides = _picking(taken, inner)
        if inner_sides != sides:
            into, index = np.unravel_index(entries, shape), np.unravel_index(taken, inner)
        if not isinstance(value, Recorded):
            return into, value[index]
        return into, self.record(_GETITEM, [value], {"index": index}, place or written)


class View:
    """How an array looks at a memory: through a call on the block, or on another view.

    Attributes
    ----------
    outer
        The view that the call was made on; ``None`` for the whole block.
    row, options
        The call.
    place
        Where it stands in the learner's code.
    """

    __slots__ = ("_base", "_seen", "options", "outer", "place", "row")

    def __init__(self, outer: View | None, row: Row, options: dict[str, Any], place: Place) -> None:
        self.outer, self.row, self.options, self.place = outer, row, options, place
        self._seen: tuple[int, Any] = (-1, None)
        self._base: tuple[Any, Any] = (None, None)

    def of(self, array: Any) -> Any:
        """Return the same view of another array."""
        return self.row.call(self.outer.of(array) if self.outer else array, **self.options)

    def now(self, memory: Memory) -> Any:
        """Return the recorded value of what is seen."""
        version, value = self._seen
        if version != memory.version:
            value = self._look(memory)
            self._seen = (memory.version, value)
        return value

    def _look(self, memory: Memory) -> Any:
        owner, offset = self.of(memory.owner), self.of(memory.offset)
        if (value := memory.found(owner, offset)) is not None:
            return value
        if self._cost(memory) < (self.outer._cost(memory) if self.outer else memory.array.size):
            return self._put_together(memory, owner, offset)
        block = self.outer.now(memory) if self.outer else memory.now()
        return memory.record(self.row, [block], self.options, self.place)

    def _cost(self, memory: Memory) -> int:
        """Return how many copied numbers it is like to put it together from assignments."""
        owner = self.of(memory.owner)
        owners = np.unique(np.maximum(owner, memory.recorded))
        return PER_NODE * len(owners) + 2 * np.size(owner)

    def _put_together(self, memory: Memory, owner: Any, offset: Any) -> Any:
        """Return what is seen from what was assigned to it, without the whole block."""
        pending = np.where(owner > memory.recorded, owner, 0)
        rows = [*map(memory.found, owner, offset)] if owner.ndim and pending.any() else [None]
        if all(row is not None for row in rows):
            operands, options = bind_list(rows)
            return memory.record(ARRAY, operands, options, self.place)
        pieces = [
            memory.piece(number, entries, owner.shape, offset, self.place)
            for number, entries in _by_owner(pending)
        ]
        whole: Any = pieces[0][1] if len(pieces) == 1 and pending.all() else None
        if memory.fits(whole) and whole._value.shape == owner.shape:
            return whole
        base = self._of_state(memory)
        return memory.put(base, pieces, self.place) if pieces else base

    def _of_state(self, memory: Memory) -> Any:
        """Return the same view of the block as it was recorded last."""
        if self._base[0] is not memory.state:
            block = self.outer._of_state(memory) if self.outer else memory.state
            self._base = memory.state, memory.record(self.row, [block], self.options, self.place)
        return self._base[1]

    @property
    def _index(self) -> Any:
        """The index that picks it from the block, if it is picked by just one."""
        return None if self.outer else self.options.get("index")

    def place_in(self, memory: Memory, index: Any) -> Any:
        """Return the place in the block of a place in what is seen."""
        is_all = is_whole(index) or (type(index) is slice and index == slice(None))
        if is_all and self._index is not None:
            return self._index
        places = self.of(memory.entries)[index]
        found = np.unravel_index(places, memory.array.shape)
        return tuple(map(int, found)) if np.ndim(places) == 0 else found


def items_of(index: Any) -> tuple[Any, ...]:
    """Return the items of an index, one for each axis."""
    return index if isinstance(index, tuple) else (index,)


def is_whole(index: Any) -> bool:
    """Whether an index is ``...``."""
    return index is Ellipsis


def is_basic(index: Any) -> bool:
    """Whether an index is made of integers, slices, ``...`` and ``None`` only."""
    return all(
        item is None
        or item is Ellipsis
        or isinstance(item, slice | np.integer)
        or (isinstance(item, int) and not isinstance(item, bool))
        for item in items_of(index)
    )


def _by_owner(owner: Any, above: int = 0) -> Iterator[tuple[int, Any]]:
    """Yield each owner above a number, with the entries that are its own."""
    order = np.argsort(owner, axis=None, kind="stable")
    numbers, starts = np.unique(owner.ravel()[order], return_index=True)
    for number, entries in zip(numbers.tolist(), np.split(order, starts[1:]), strict=False):
        if number > above:
            yield number, entries


def _picking(entries: Any, shape: tuple[int, ...]) -> tuple[Any, tuple[int, ...]]:
    """Return the index that picks entries of an array, and the shape of what it picks."""
    places = np.unravel_index(entries, shape) if shape else ()
    if len(entries) == 1:
        return tuple(int(each[0]) for each in places), ()
    box = tuple(slice(int(each.min()), int(each.max()) + 1) for each in places)
    sides = tuple(each.stop - each.start for each in box)
    if prod(sides) == len(entries):
        grid = np.ravel_multi_index(
            np.ix_(*(np.arange(*each.indices(each.stop)) for each in box)), shape
        )
        if np.all(np.ravel(grid) == entries):
            return box, sides
    return places, (len(entries),)


def has_recorded(index: Any) -> bool:
    """Whether a recorded array, such as a mask, is in an index."""
    return any(isinstance(item, Recorded) for item in items_of(index))


def plain_index(index: Any) -> Any:
    """Return an index with the plain array behind each recorded one."""
    return tuple(map(plain, index)) if isinstance(index, tuple) else plain(index)
