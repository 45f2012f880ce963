"""Arrays that are written to: what one block of memory holds, and who looks into it.

NumPy's arrays may share their entries: after ``row = M[1]`` an assignment to ``row``
changes ``M``.  Here such arrays are :class:`Looking` at one :class:`Memory`, whose plain
array is changed as NumPy changes it, so that every alias sees exactly what it would see.
What the tape writes down are values that never change: an assignment is kept until
somebody reads what it could have changed, and is then recorded as one node that makes a
new array of the old one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.tracing.record import Scope
from backprop_nb.tracing.rules import Row
from backprop_nb.tracing.rules.assignment import ASSIGNED, bind_assignment
from backprop_nb.tracing.rules.lists import ARRAY, bind_list
from backprop_nb.tracing.tape import Recorded, Tape, plain, write_begins

Place = tuple[Scope | None, int]
"""Where in the learner's code: the call of a function, and the instruction in it."""


MAX_RUN = 1000
"""So many assignments are one node at most: each of its rules is called with all of them."""
MANY_WRITES = 100
"""Of more assignments those that are overwritten before anybody looks are not recorded."""
SMALL_PART = 32
"""So many times smaller than a block is what is put together from single assignments."""


class Write(NamedTuple):
    """One assignment that is not yet recorded."""

    index: Any
    value: Any
    scope: Scope | None
    lasti: int


class Memory:
    """A block of entries, and what the tape knows about them.

    Attributes
    ----------
    array
        The entries as they are now.
    tape
        Where the values come from; ``None`` while all of them are plain.
    state
        The recorded value that the block had before the ``pending`` assignments.
    version
        How often it has been written to.
    lent_to
        What holds a plain view of the block: it would not see a recorded value.
    """

    __slots__ = ("_found", "_owner", "array", "lent_to", "pending", "state", "tape", "version")

    def __init__(self, array: Any) -> None:
        self.array = array
        self.tape: Tape | None = None
        self.state: Any = None
        self.pending: list[Write] = []
        self.version = 0
        self.lent_to = ""
        # For each entry the assignment that it is from, and what that assigned, by its index.
        self._owner: Any = None
        self._found: dict[int, tuple[Any, Any]] = {}

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
            self._owner = np.full(self.array.shape, -1, dtype=np.intp)
        if self.tape is None or tape.serial > self.tape.serial:
            self.now()
            self.tape = tape

    def place(self, frame: FrameType) -> Place:
        """Return where in the learner's code a frame is."""
        return self.tape.place(frame) if self.tape else (None, -1)

    def assign(self, index: Any, value: Any, place: Place) -> None:
        """Write down an assignment to the block, which has been carried out."""
        self.version += 1
        fits = isinstance(value, Recorded) and value._value.dtype == self.array.dtype
        if is_whole(index) and fits and value._value.shape == self.array.shape:
            self.state, self.pending, self._found = value.laid_as(self.array), [], {}
            self._owner.fill(-1)
            return
        if has_recorded(index):  # on other inputs it may lie elsewhere, on any of them
            self._found = {}
        self.pending.append(Write(index, value, *place))
        at = plain_index(index)
        self._owner[at] = self.version
        if fits and is_basic(index) and self._owner[at].shape == value._value.shape:
            self._found[self.version] = (_key(index), value)

    def found(self, index: Any) -> Any:
        """Return the value that was assigned to just this place and stands there still."""
        if self._owner is None or not is_basic(index):
            return None
        region = np.asarray(self._owner[index])
        if not region.size:
            return None
        number = int(region.flat[0])
        key, value = self._found.get(number, (None, None))
        return value if key == _key(index) and np.all(region == number) else None

    def rows(self, index: Any) -> list[Any] | None:
        """Return the values of a few rows of many, if each was assigned by itself.

        The whole block would be another array for each look, as in ``out[i] = f(out[i-2:i])``.
        """
        places = range(len(self.array))[index] if type(index) is slice else ()
        if not 0 < SMALL_PART * len(places) <= len(self.array):
            return None
        found = [*map(self.found, places)]
        return None if any(each is None for each in found) else found

    def now(self) -> Any:
        """Return the recorded value of the whole block, all assignments included."""
        if self.pending:
            writes, self.pending = self.pending, []
            for run in self._runs(self._standing(writes)):
                self._record(run)
        return self.state

    def _standing(self, writes: list[Write]) -> list[Write]:
        """Return the assignments of which anything stands at the end, all of a few.

        Each that is recorded makes another array of the whole block.
        """
        if len(writes) <= MANY_WRITES:
            return writes
        over = np.zeros(self.array.shape, dtype=bool)
        standing = []
        for write in reversed(writes):
            is_known = not has_recorded(write.index)  # else it may lie elsewhere on other inputs
            if is_known and np.all(over[write.index]):
                continue
            standing.append(write)
            if is_known:
                over[write.index] = True
        return standing[::-1]

    def _runs(self, writes: Sequence[Write]) -> Iterator[list[Write]]:
        """Yield the assignments by the line that made them, as far as the order does not count.

        A loop that fills an array is one node, however often its line ran.
        """
        free: dict[Place, list[Write]] = {}
        touched = np.zeros(self.array.shape, dtype=bool)
        for write in writes:
            if has_recorded(write.index) or np.any(touched[write.index]):
                yield from free.values()
                free.clear()
                touched.fill(False)
            if has_recorded(write.index):
                yield [write]
            else:
                touched[write.index] = True
                run = free.setdefault((write.scope, write.lasti), [])
                run.append(write)
                if len(run) == MAX_RUN:
                    yield from free.values()
                    free.clear()
        yield from free.values()

    def _record(self, run: list[Write]) -> None:
        assert self.tape is not None
        operands, options = bind_assignment(
            self.state, *(write.value for write in run), at=[write.index for write in run]
        )
        place = (run[-1].scope, run[-1].lasti)
        self.state = self.tape.apply_at(ASSIGNED, operands, options, place)


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

    __slots__ = ("_seen", "options", "outer", "place", "row")

    def __init__(self, outer: View | None, row: Row, options: dict[str, Any], place: Place) -> None:
        self.outer, self.row, self.options, self.place = outer, row, options, place
        self._seen: tuple[int, Any] = (-1, None)

    def of(self, array: Any) -> Any:
        """Return the same view of another array."""
        return self.row.call(self.outer.of(array) if self.outer else array, **self.options)

    @property
    def _index(self) -> Any:
        """The index that picks it from the block, if it is picked by just one."""
        return None if self.outer else self.options.get("index")

    def now(self, memory: Memory) -> Any:
        """Return the recorded value of what is seen."""
        version, value = self._seen
        if version != memory.version:
            value = memory.found(self._index) if self._index is not None else None
            if value is None:
                assert memory.tape is not None
                row, options = self.row, self.options
                if operands := memory.rows(self._index):
                    row, (operands, options) = ARRAY, bind_list(operands)
                else:
                    operands = [self.outer.now(memory) if self.outer else memory.now()]
                value = memory.tape.apply_at(row, operands, options, self.place)
            self._seen = (memory.version, value)
        return value

    def place_in(self, memory: Memory, index: Any) -> Any:
        """Return the place in the block of a place in what is seen."""
        is_all = is_whole(index) or (type(index) is slice and index == slice(None))
        if is_all and self._index is not None:
            return self._index
        shape = memory.array.shape
        places = self.of(np.reshape(np.arange(memory.array.size), shape))[index]
        found = np.unravel_index(places, shape)
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


def _key(index: Any) -> Any:
    """Return what tells places apart."""
    return tuple(
        ("slice", item.start, item.stop, item.step)
        if isinstance(item, slice)
        else item
        if item is None or item is Ellipsis
        else int(item)
        for item in items_of(index)
    )


def has_recorded(index: Any) -> bool:
    """Whether a recorded array, such as a mask, is in an index."""
    return any(isinstance(item, Recorded) for item in items_of(index))


def plain_index(index: Any) -> Any:
    """Return an index with the plain array behind each recorded one."""
    return tuple(map(plain, index)) if isinstance(index, tuple) else plain(index)
