"""The stand-in for an array while a function is traced.

It behaves like the array it stands for and remembers every call: NumPy hands a call
back through its two protocols, ``__array_ufunc__`` and ``__array_function__``, and
operators and methods arrive directly.  What would make it forget is refused.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import numpy as np

from backprop_nb.errors import is_own
from backprop_nb.tracing import messages, pytree
from backprop_nb.tracing.dispatch import applied, composed, dispatch, into, joined, laid_out
from backprop_nb.tracing.members import DETACHING, lacking, members, refusals
from backprop_nb.tracing.memory import (
    Memory,
    View,
    has_recorded,
    is_basic,
    items_of,
    plain_index,
)
from backprop_nb.tracing.options import fixed_index
from backprop_nb.tracing.record import Record
from backprop_nb.tracing.rules import (
    PIECEWISE_CONSTANT,
    TABLE,
    UFUNC_METHODS,
    Row,
    row_of,
)
from backprop_nb.tracing.rules.assignment import ASSIGNED, assigned
from backprop_nb.tracing.rules.changes import change_at
from backprop_nb.tracing.rules.indexing import fill_index, getitem
from backprop_nb.tracing.rules.row import full_name
from backprop_nb.tracing.rules.shaping import astype
from backprop_nb.tracing.tape import (
    NO_OPTIONS,
    Recorded,
    decided,
    decided_by,
    has_traced,
    innermost,
    is_live,
    is_tracing,
    plain,
    shown,
    write_begins,
)
from backprop_nb.tracing.text import Text

_GETITEM: Any = row_of(getitem)
_BOUNDS = frozenset({int, type(None)})


def _is_settled(item: Any) -> bool:
    """Whether an item of an index is a plain position or slice, which nothing can change."""
    if type(item) is slice:
        return {type(item.start), type(item.stop), type(item.step)} <= _BOUNDS
    return type(item) is int


def _stands_for(self: Traced) -> type:
    """Return what ``isinstance`` is told outside of this package: the type it stands for.

    So ``isinstance(x, np.ndarray)`` and ``case float():`` take the branch that they take
    without the tracer, in the learner's code and in NumPy's.
    """
    if is_own(sys._getframe(1)):  # which knows what a traced value is
        return type(self)
    return self._tape.given.get(self._index) or type(plain(self))


class Traced(Recorded):
    """An array, or a number, of a function that is being traced.

    Operators, and the methods that do what a function of NumPy does, are added below.
    """

    __slots__ = ()

    shape: tuple[int, ...]
    ndim: int
    size: int
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[position] for position in range(len(self)))

    def __bool__(self) -> bool:
        if self.size != 1:
            messages.ambiguous(self.shape, sys._getframe(1))
        answer: bool = decided(self, sys._getframe(1), "truth")
        return answer

    def __repr__(self) -> str:
        return self._as_text(repr(self._shown(sys._getframe(1))))

    def __str__(self) -> str:
        return self._as_text(str(self._shown(sys._getframe(1))))

    def __format__(self, spec: str) -> str:
        return self._as_text(format(self._shown(sys._getframe(1)), spec))

    def _as_text(self, text: str) -> str:
        """Return text of which no number is made unseen; of an array none is made at all."""
        return text if self.ndim else Text.of(self, text)

    def _shown(self, frame: FrameType) -> Any:
        """Return what text is made of: of a number that was given, the very one."""
        value, index = shown(self, frame), self._index
        given = None if self.is_changing else self._tape.given.get(index)
        return given(value) if given else value

    __class__: Any = property(_stands_for)

    def __hash__(self) -> int:
        frame = sys._getframe(1)
        if is_own(frame):
            return object.__hash__(self)
        is_decided = self.ndim == 0 and self._tape.is_flat(self)
        if not is_decided or not messages.only_looks_up(frame):
            messages.as_key(self.shape, is_decided, frame)
        return hash(decided(self, frame))

    # -- NumPy's two protocols -----------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            name, frame = f"{full_name(ufunc)}.{method}", sys._getframe(1)
            if method == "at":
                if not is_live(args[0]):
                    messages.out_given(name, args[0], frame)
                return composed(ufunc, partial(change_at, ufunc), args, kwargs, frame, name)
            if method not in UFUNC_METHODS:
                messages.unsupported(name, frame)
            if (out := kwargs.pop("out", None)) is not None:
                return into(out, getattr(ufunc, method), args, kwargs, frame)
            parts = partial(UFUNC_METHODS[method], ufunc)
            result = composed(ufunc, parts, args, kwargs, frame, name)
            if method == "accumulate":
                return laid_out(result, ufunc.accumulate, args, kwargs)
            return result
        if len(args) == 1 and not kwargs and ufunc in TABLE:
            now = self.now()
            if isinstance(now, Recorded):  # the most frequent call by a name, in half the time
                row, frame = TABLE[ufunc], sys._getframe(1)
                return now._tape.apply(row, row.call, (now,), NO_OPTIONS, frame)
        return dispatch(ufunc, args, kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        return dispatch(function, args, kwargs)

    # -- what is refused; DETACHING has more ------------------------------------

    def __index__(self) -> int:
        if self.dtype.kind not in "biu":
            messages.as_index(self.shape, sys._getframe(1))
        return operator.index(decided(self, sys._getframe(1)))

    # -- assignment in place ------------------------------------------------------

    def __setitem__(self, index: Any, value: Any) -> None:
        frame = sys._getframe(1)
        if not isinstance(plain(self), np.ndarray):
            messages.number_assigned(frame)
        _open(self, frame)
        self.write(value, frame, index)  # now it is one of those that are written to

    def write(self, value: Any, frame: FrameType, index: Any = ...) -> None:
        """Assign to some entries, or to all."""
        self[index] = value

    @property
    def flat(self) -> Flat:
        """All entries in one row, to be read and written."""
        return Flat(self)

    @flat.setter
    def flat(self, values: Any) -> None:
        self.flat[:] = values

    def fill(self, value: Any) -> None:
        """Assign one value to all entries."""
        self[...] = value

    def sort(self, axis: int = -1, kind: Any = None, order: Any = None) -> None:
        """Sort in place."""
        self[...] = dispatch(np.sort, (self, axis, kind), {})

    def partition(self, kth: Any, axis: int = -1) -> None:
        """Sort in part, in place."""
        self[...] = dispatch(np.partition, (self, kth, axis), {})

    def put(self, indices: Any, values: Any, mode: str = "raise") -> None:
        """Do what ``np.put`` does."""
        dispatch(np.put, (self, indices, values, mode), {})

    # -- what an array does in another way than NumPy's functions -----------------

    def __getitem__(self, index: Any) -> Any:
        # The most frequent index, in a third of the time.
        if type(self) is Traced and all(map(_is_settled, items_of(index))):
            return applied(self._tape, _GETITEM, [self], {"index": index}, sys._getframe(1))
        return dispatch(getitem, (self,), {"index": index})

    @property
    def T(self) -> Any:
        """The array with its axes reversed."""
        return dispatch(np.transpose, (self,), {})

    @property
    def mT(self) -> Any:
        """The array with its last two axes exchanged."""
        return dispatch(np.matrix_transpose, (self,), {})

    def transpose(self, *axes: Any) -> Any:
        """Permute the axes as ``ndarray.transpose`` does."""
        several = len(axes) != 1 or isinstance(axes[0], int)
        chosen = (axes or None) if several else axes[0]
        return dispatch(np.transpose, (self,), {"axes": chosen})

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
        """Return the same entries in another shape."""
        chosen = shape[0] if len(shape) == 1 else shape
        result = dispatch(np.reshape, (self,), {"shape": chosen, "order": order})
        return result.copy(order) if copy else result

    def flatten(self, order: str = "C") -> Any:
        """Return all entries in one row, sharing nothing with this array."""
        return dispatch(np.ravel, (self.copy(),), {"order": order}).copy()

    def copy(self, order: str = "C") -> Any:
        """Return a value that shares nothing: a later ``+=`` leaves the other alone."""
        own = self.alias()
        if not is_laid_out(self, order):
            own._value = self._value.copy(order)
        return own

    def __copy__(self, memo: Any = None) -> Any:
        return self.copy("K")

    __deepcopy__ = __copy__

    def __round__(self, digits: int | None = None) -> Any:
        rounded = dispatch(np.round, (self, digits or 0), {})
        return int(rounded) if digits is None else rounded

    def astype(
        self,
        dtype: Any,
        order: str = "K",
        casting: str = "unsafe",
        subok: bool = True,
        copy: bool = True,
    ) -> Any:
        """Return the array with entries of another float type; whole numbers have no slope."""
        kind = np.dtype(dtype)
        if kind.kind not in "fbiu":
            messages.unsupported(f"x.astype({kind.name!r})", sys._getframe(1))
        if not copy and kind == self.dtype:
            return self
        return dispatch(astype, (self,), {"dtype": kind}).copy(order)

    # -- changes in place --------------------------------------------------------

    def _take(self, new: Any, frame: FrameType) -> Any:
        """Take the value of ``new``, as ``+=`` does to an array and to all its aliases."""
        if not isinstance(plain(self), np.ndarray):
            return new  # numbers are immutable: Python binds the name anew
        new = _fitted(self, new, frame)
        if self._memory is not None:  # there are views, which see the change
            self[...] = new
        else:
            if self._tape.records[self._index].row is None:  # an argument
                write_begins()
            new = new.laid_as(self) if new.ndim > 1 else new
            self._tape, self._index, self._value = new._tape, new._index, new._value
        return self


_FLAGS = {"C": "C_CONTIGUOUS", "F": "F_CONTIGUOUS", "K": "FORC", "A": "FORC"}


def is_laid_out(x: Traced, order: str) -> bool:
    """Whether the entries lie as in a copy in this order, next to each other.

    Only then does a view of such a copy show all that a view of x does.
    """
    return order in _FLAGS and bool(plain(x).flags[_FLAGS[order]])


class Flat:
    """The entries of an array in one row, as ``x.flat`` gives them."""

    def __init__(self, array: Traced) -> None:
        self._array = array
        self._next = 0

    def __next__(self) -> Any:
        if self._next == len(self):
            raise StopIteration
        self._next += 1
        return self[self._next - 1]

    def __len__(self) -> int:
        return self._array.size

    def __iter__(self) -> Iterator[Any]:
        return self

    def __getitem__(self, index: Any) -> Any:
        row = self._array.reshape(-1)[index]
        return row.copy() if np.ndim(row) else row

    def __setitem__(self, index: Any, values: Any) -> None:
        places, values = np.arange(len(self))[index], _operand(values)
        if np.ndim(values):
            values = np.resize(np.ravel(values), places.shape)
        self._array[np.unravel_index(places, self._array.shape)] = values


# --- arrays that are written to ----------------------------------------------------------


class Changing(Traced):
    """An array that is written to: it looks at a :class:`Memory`.

    Its value is NumPy's own array or view, which changes.  As an operand it counts for
    what it holds at the moment: a recorded value or, before any traced value was assigned
    to it, a plain array.
    """

    __slots__ = ()

    is_changing = True
    __class__: Any = property(lambda self: np.ndarray)

    def now(self) -> Any:
        """Return the recorded value that the entries have now, or the plain array itself."""
        memory: Memory = self._memory
        if memory.state is None:
            return self._value
        value = self._index.now(memory) if self._index else memory.now()
        return value.laid_as(self._value)

    def copy(self, order: str = "C") -> Any:
        """Return a value that shares nothing with this one."""
        copy = self.now().copy(order)
        return copy if isinstance(copy, Recorded) else prepared(copy)

    def __getitem__(self, index: Any) -> Any:
        seen = None
        if all(map(_is_settled, items_of(index))):  # the most frequent index, in half the time
            seen = self.look(_GETITEM, [self], {"index": index})
        return super().__getitem__(index) if seen is None else seen

    def __setitem__(self, index: Any, value: Any) -> None:
        self.write(value, sys._getframe(1), index)

    def look(self, row: Row, operands: list[Any], options: dict[str, Any]) -> Any:
        """Return a view that a call makes of this array, ``None`` if it makes a copy."""
        if len(operands) > 1:
            return None
        memory: Memory = self._memory
        try:
            value = row.call(self._value, **options)
        except (ValueError, IndexError, TypeError) as error:
            raise messages.misfit(row, [self.shape], error, sys._getframe(1)) from None
        view = View(self._index, row, options, memory.place(sys._getframe(1)))
        is_array = isinstance(value, np.ndarray)
        if is_array and (not value.size or np.may_share_memory(value, memory.array)):
            return _looking(memory, value, view)
        if memory.state is None:
            return None
        if row is _GETITEM:  # what it copies are entries of the block
            return view.now(memory)
        return memory.record(row, [self.now()], options, view.place)

    def astype(self, dtype: Any, *args: Any, copy: bool = True, **options: Any) -> Any:
        """Return the array in another type, or itself if it has the type and may be shared."""
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        return prepared(self.now().astype(dtype, *args, **options))

    def lend(self, result: Any, name: str) -> bool:
        """Write down who has a plain view of this array, if the result of a call is one."""
        array = self._memory.array
        views = (each for each in pytree.flatten(result) if type(each) is np.ndarray)
        if any(np.may_share_memory(each, array) for each in views):
            self._memory.lent_to = name
        return bool(self._memory.lent_to)

    def made(self, result: Any) -> Any:
        """Return the result of a call on plain arrays as one that can be written to."""
        if type(result) in (list, tuple):
            return type(result)(each if _is_view(each) else prepared(each) for each in result)
        return prepared(result)

    def split(self, row: Row, operands: list[Any], options: dict[str, Any], count: int) -> Any:
        """Return the views that a call makes of this array."""
        return [self.look(row, operands, {**options, "output": k}) for k in range(count)]

    def __array__(self, dtype: Any = None, *, copy: bool | None = None) -> Any:
        """Return the plain array, as long as there is no other."""
        value = self.now()
        if isinstance(value, Recorded):
            detached: Any = Traced.__array__  # type: ignore[attr-defined]
            return detached(value, *(() if dtype is None else (dtype,)))
        plain_array = np.array(value, dtype=dtype, copy=copy)
        if np.may_share_memory(plain_array, value):
            self._memory.lent_to = "a library"
        return plain_array

    def write(self, value: Any, frame: FrameType, index: Any = ...) -> None:
        """Assign to some entries, as NumPy does it; then let the tape know."""
        memory: Memory = self._memory
        if self._holds(value, index):  # M[1] += v has been done by the view M[1]
            return
        index, value = fixed_index(index), _operand(value)
        traced = [each for each in (value, *items_of(index)) if isinstance(each, Recorded)]
        if memory.state is None and not traced:
            self._value[index] = value
            return
        if traced:
            if memory.lent_to:
                messages.lent(memory.lent_to, frame)
            memory.follow(innermost(traced), Traced)
        if self._index and has_recorded(index):
            # The place in the whole block may be another one next time.
            value, index = dispatch(assigned, (self.now(), value), {"at": (index,)}), ...
        try:
            self._value[plain_index(index)] = plain(value)
        except (ValueError, IndexError, TypeError) as error:
            shapes = [self.shape, np.shape(plain(value))]
            decided_by(error, items_of(index), frame)
            raise messages.misfit(ASSIGNED, shapes, error, frame) from None
        place = self._index.place_in(memory, index) if self._index else index
        memory.assign(place, value, memory.place(frame))

    def _holds(self, value: Any, index: Any) -> bool:
        """Whether a value is the very part of the block that it is assigned to."""
        if type(value) is not Changing or value._memory is not self._memory:
            return False
        return is_basic(index) and _layout(value._value) == _layout(self._value[index])


def _is_view(array: Any) -> bool:
    return getattr(array, "base", None) is not None


def _layout(array: Any) -> tuple[Any, ...]:
    return array.__array_interface__["data"], array.shape, array.strides


def _looking(memory: Memory, value: Any, view: View | None) -> Changing:
    made = object.__new__(Changing)
    made._memory, made._value, made._index = memory, value, view
    made._tape = memory.tape  # type: ignore[assignment]
    return made


def prepared(result: Any) -> Any:
    """Let an array of floats that is made while a trace runs receive traced values."""
    if type(result) is not np.ndarray or result.dtype.kind != "f" or not is_tracing():
        return result
    return _looking(Memory(result), result, None)


def _open(x: Traced, frame: FrameType) -> None:
    """Make an array, and all that share its entries, ones that are written to."""
    group: list[Traced] = x._memory or [x]
    root = group[0]
    memory = Memory(np.array(plain(root)))
    memory.follow(root._tape, Traced, Traced(root._tape, root._index, root._value))
    views: dict[int, View | None] = {root._index: None}
    for each in group:
        if each is not root:
            record = each._tape.records[each._index]
            outer = views[record.parents[0] or 0]
            place = (record.scope, record.lasti)
            options = _settled(each._tape, record, frame)
            views[each._index] = View(outer, record.row, options, place)
        view = views[each._index]
        each._value = view.of(memory.array) if view else memory.array
        each._memory, each._index = memory, view
        _become(each, Changing)
    group.clear()


def _settled(tape: Any, record: Record, frame: FrameType) -> dict[str, Any]:
    """Return the options of a view; where it lies is decided, if that was computed."""
    if len(record.args) == 1:
        return record.keywords
    places = [
        decided(Traced(tape, index or 0, value), frame)
        for index, value in zip(record.parents[1:], record.args[1:], strict=True)
    ]
    return {**record.keywords, "index": fill_index(record.keywords["index"], places)}


_become = object.__dict__["__class__"].__set__  # what `__class__` says is what it stands for


def _operand(value: Any) -> Any:
    """Return what is assigned as a value that stays as it is."""
    if is_live(value):
        value = value.now()
        return value.alias() if isinstance(value, Recorded) else value.copy()
    if isinstance(value, list | tuple):
        return joined(value) if has_traced(value) else np.array(value)
    if isinstance(value, np.ndarray):
        return value.copy()
    return value.item() if isinstance(value, np.float64 | np.integer | np.bool) else value


# --- what the tables give to both classes -----------------------------------------------


def _of_now(name: str) -> Callable[..., Any]:
    """Return the method of what an array that is written to holds now."""

    def method(self: Changing, *args: Any, **kwargs: Any) -> Any:
        if args and not is_live(args[0]):
            args = (joined(args[0]), *args[1:])
        return prepared(getattr(self.now(), name)(*args, **kwargs))

    return method


def _attribute_of_now(name: str) -> Callable[[Changing], Any]:
    def attribute(self: Changing) -> Any:
        if self._memory.state is None and name in _SHARING:
            self._memory.lent_to = f".{name}"
        return getattr(self.now(), name)

    return attribute


_SHARING = {"base", "ctypes", "data", "getfield", "real", "view"}
"""What gives a plain view of an array."""


def _in_place(name: str) -> Callable[..., Any]:
    """Return the operator that writes its result into an array which is written to."""

    def method(self: Changing, other: Any) -> Any:
        frame = sys._getframe(1)
        value, other = self.now(), other.now() if is_live(other) else joined(other)
        if not isinstance(value, Recorded) and not isinstance(other, Recorded):
            getattr(self._value, f"__i{name}__")(other)
            return self
        result = getattr(operator, f"__{name}__")(value, other)
        self.write(_fitted(self, result, frame), frame)
        return self

    return method


def _fitted(x: Traced, result: Any, frame: FrameType) -> Any:
    """Return the result of ``x += …`` in the type of x, and refuse what NumPy would."""
    is_array = isinstance(plain(result), np.ndarray) or not x.shape
    if (
        not is_array
        or result.shape != x.shape
        or not np.can_cast(result.dtype, x.dtype, "same_kind")
    ):
        messages.changed_in_place(
            "The result does not fit into the array that is changed in place.",
            f"{x.dtype} of shape {x.shape}, result {result.dtype} of shape {result.shape}",
            frame,
        )
    return result if result.dtype == x.dtype else result.astype(x.dtype)


for _name, _member in [*members(vars(Traced))]:
    if not isinstance(_member, property):
        _member.__name__, _member.__qualname__ = _name, f"Traced.{_name}"
    setattr(Traced, _name, _member)

for _name, _member in [*refusals(Traced)]:
    setattr(Traced, _name, _member)
    setattr(Changing, _name, property(_attribute_of_now(_name)))

for _name, _member in [*lacking(Traced)]:
    setattr(Traced, _name, _member)

for _row in (*TABLE.values(), *PIECEWISE_CONSTANT.values()):
    if _row.operator:
        for _name in (f"__{_row.operator}__", f"__r{_row.operator}__"):
            if hasattr(Traced, _name):
                setattr(Changing, _name, _of_now(_name))
        if hasattr(Traced, f"__i{_row.operator}__"):
            setattr(Changing, f"__i{_row.operator}__", _in_place(_row.operator))
for _name in ({*DETACHING} - {"__array__"}) | {"__bool__", "__index__", "__round__"}:
    setattr(Changing, _name, _of_now(_name))
