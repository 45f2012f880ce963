"""The array that remembers, and the tape it writes on.

While a function is traced its arguments are :class:`Traced` arrays.  NumPy hands
every call on them back through its two protocols, ``__array_ufunc__`` and
``__array_function__``; operators and methods arrive directly.  Each call becomes
one record on the :class:`Tape`.
"""

from __future__ import annotations

import itertools
import math
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from backprop_nb.errors import DetachedError
from backprop_nb.tracing import refusals, structure
from backprop_nb.tracing.graph import CONSTANT, Record
from backprop_nb.tracing.rules import PLAIN_FUNCTIONS, TABLE, Row, row
from backprop_nb.tracing.rules.shaping import getitem
from backprop_nb.tracing.source import Scope

_OWN_FILES = frozenset({__file__, row.__file__})
_LITERALS = frozenset({int, float, bool})
_serial = itertools.count()


class Tape:
    """The records of one trace, and where in the learner's code it stands.

    A tape that was opened later is nested inside the earlier ones; where values
    of two traces meet in one call, the later tape records it.
    """

    __slots__ = ("constants", "frame", "records", "scope", "serial", "stack")

    def __init__(self, root: FrameType) -> None:
        self.serial = next(_serial)
        self.records: list[Record] = []
        self.constants: dict[int, tuple[Any, int]] = {}
        self.frame: FrameType | None = None
        self.scope: Scope | None = None
        # The calls from the root down to the current line, oldest first.
        self.stack: dict[FrameType, Scope | None] = {root: None}

    def close(self) -> list[Record]:
        """Return the records and let go of the learner's frames and arrays."""
        records, self.records = self.records, _Ended()
        self.constants, self.stack = {}, {}
        self.frame = self.scope = None
        return records

    def enter(self, frame: FrameType) -> None:
        """Make ``frame`` the current scope, with a scope for every call on the way to it."""
        chain = []
        known: FrameType | None = frame
        while known is not None and known not in self.stack:
            chain.append(known)
            known = known.f_back
        self.frame, self.scope = frame, None
        if known is None:  # NumPy's own function is traced: there is no line of Python
            return
        while next(reversed(self.stack)) is not known:
            self.stack.popitem()
        for below in reversed(chain):
            self.stack[below] = Scope(self.stack[known], below.f_code, known.f_lasti)
            known = below
        self.scope = self.stack[frame]

    def input(self, value: Any) -> Traced:
        """Record an input."""
        self.records.append(Record(None, (), (), {}, value, None, -1))
        return Traced(self, len(self.records) - 1, value)

    def constant(self, value: Any) -> int:
        """Record an array that is not an input, once for as long as it stays the same."""
        kept, index = self.constants.get(id(value), (None, -1))
        if kept is value and np.array_equal(self.records[index].value, plain(value)):
            return index
        copy = value
        if type(value) is not Traced:
            copy = np.array(value)[()]
            refusals.require_real(copy, "An array in a traced function")
        self.records.append(Record(CONSTANT, (), (), {}, copy, None, -1))
        self.constants[id(value)] = (value, len(self.records) - 1)
        return len(self.records) - 1

    def apply(
        self,
        row: Row,
        compute: Callable[..., Any],
        operands: Sequence[Any],
        keywords: dict[str, Any],
        frame: FrameType,
    ) -> Traced:
        """Compute one call, record it, and return the traced result."""
        while frame.f_code.co_filename in _OWN_FILES and frame.f_back is not None:
            frame = frame.f_back
        values = []
        parents: list[int | None] = []
        for item in operands:
            if type(item) is Traced and item._tape is self:
                values.append(item._value)
                parents.append(item._index)
            elif type(item) in _LITERALS:
                values.append(item)
                parents.append(None)
            else:
                index = self.constant(item)
                values.append(self.records[index].value)
                parents.append(index)
        try:
            value = compute(*values, **keywords)
        except (ValueError, IndexError) as error:
            shapes = [np.shape(plain(value)) for value in values]
            raise refusals.misfit(row, shapes, error, frame) from None
        if frame is not self.frame:
            self.enter(frame)
        records = self.records
        records.append(
            Record(row, tuple(values), tuple(parents), keywords, value, self.scope, frame.f_lasti)
        )
        return Traced(self, len(records) - 1, value)


class _Ended(list[Record]):
    """The records of a trace that is over: a value that escaped can add nothing."""

    def append(self, record: Record) -> NoReturn:
        raise DetachedError(
            "A traced value was used after its trace had ended.",
            instead="return it from the traced function, or compute with graph.value",
        )


class Traced:
    """The stand-in for an array while a function is traced.

    It behaves like the array it stands for, remembers every call, and refuses
    loudly whatever would make it forget.
    """

    __slots__ = ("_index", "_shared", "_tape", "_value")

    def __init__(self, tape: Tape, index: int, value: Any) -> None:
        self._tape = tape
        self._index = index
        self._value = value
        self._shared = False

    # -- what it looks like --------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        shape: tuple[int, ...] = self._value.shape
        return shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the entries."""
        dtype: np.dtype[Any] = self._value.dtype
        return dtype

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        for position in range(len(self)):
            yield self[position]

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"traced({self._value!r})"

    def __str__(self) -> str:
        return str(self._value)

    def __format__(self, spec: str) -> str:
        return format(self._value, spec)

    # -- NumPy's two protocols -----------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            refusals.unsupported(f"np.{ufunc.__name__}.{method}", sys._getframe(1))
        return _dispatch(ufunc, args, kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        return _dispatch(function, args, kwargs)

    # -- what would lose the history -------------------------------------------

    def __float__(self) -> float:
        refusals.detached("Turning it into a plain number", self.shape, sys._getframe(1))

    def __int__(self) -> int:
        refusals.detached("Turning it into an integer", self.shape, sys._getframe(1))

    def __complex__(self) -> complex:
        refusals.detached("Turning it into a complex number", self.shape, sys._getframe(1))

    def __index__(self) -> int:
        refusals.detached("Using it as an index or a count", self.shape, sys._getframe(1))

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        refusals.detached("Turning it into a plain array", self.shape, sys._getframe(1))

    def item(self, *args: Any) -> NoReturn:
        """Refuse: a plain number has no history."""
        refusals.detached("Taking a plain number out", self.shape, sys._getframe(1))

    def tolist(self) -> NoReturn:
        """Refuse: plain numbers have no history."""
        refusals.detached("Turning it into a list", self.shape, sys._getframe(1))

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        refusals.item_assigned(self.shape, sys._getframe(1))

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"a traced array has no attribute {name!r}")
        refusals.unsupported_method(name, sys._getframe(1))

    # -- indexing and methods ----------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        return _dispatch(getitem, (self,), {"index": _fixed_index(index)})

    @property
    def T(self) -> Any:
        """The array with its axes reversed."""
        return _dispatch(np.transpose, (self,), {})

    def transpose(self, *axes: Any) -> Any:
        """Permute the axes as ``ndarray.transpose`` does."""
        chosen = axes[0] if len(axes) == 1 else axes or None
        return _dispatch(np.transpose, (self,), {"axes": chosen})

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        """Return the same entries in another shape."""
        chosen = shape[0] if len(shape) == 1 else shape
        return _dispatch(np.reshape, (self,), {"shape": chosen, "order": order})

    def ravel(self, order: str = "C") -> Any:
        """Return all entries in one row."""
        return _dispatch(np.ravel, (self,), {"order": order})

    def flatten(self, order: str = "C") -> Any:
        """Return all entries in one row, sharing nothing with this array."""
        return _dispatch(np.ravel, (self,), {"order": order}).copy()

    def copy(self, order: str = "C") -> Any:
        """Return a value that shares nothing: a later ``+=`` leaves the other alone."""
        return Traced(self._tape, self._index, self._value)

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        """Add entries up as ``np.sum`` does."""
        return _dispatch(np.sum, (self, *args), kwargs)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """Average entries as ``np.mean`` does."""
        return _dispatch(np.mean, (self, *args), kwargs)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """Exchange two axes."""
        return _dispatch(np.swapaxes, (self, axis1, axis2), {})

    # -- operators; _install_operators adds those with two operands ------------

    def __neg__(self) -> Any:
        return self._tape.apply(TABLE[np.negative], operator.neg, (self,), {}, sys._getframe(1))

    def __pos__(self) -> Any:
        return self._tape.apply(TABLE[np.positive], operator.pos, (self,), {}, sys._getframe(1))

    def _take(self, new: Traced, frame: FrameType) -> Traced:
        """Take the value of ``new``, as ``+=`` does to an array and to all its aliases."""
        if not isinstance(plain(self), np.ndarray):
            return new  # numbers are immutable: Python binds the name anew
        shapes = f"{self.dtype} of shape {self.shape}, result {new.dtype} of shape {new.shape}"
        if self._shared:
            refusals.changed_in_place(
                "An array of which a view exists cannot be changed in place.", shapes, frame
            )
        if (new.shape, new.dtype) != (self.shape, self.dtype):
            refusals.changed_in_place(
                "The result does not fit into the array that is changed in place.", shapes, frame
            )
        self._tape, self._index, self._value = new._tape, new._index, new._value
        return self


def _install_operators() -> None:
    """Give :class:`Traced` its operators with two operands, mirrored and in place too.

    Every one is called by the learner's line directly, so that the frame above
    it is the learner's.
    """

    def infix(row: Row, compute: Callable[..., Any], stem: str) -> None:
        def forward(self: Traced, other: Any) -> Any:
            return _tape(self, other).apply(row, compute, (self, other), {}, sys._getframe(1))

        def mirrored(self: Traced, other: Any) -> Any:
            return _tape(self, other).apply(row, compute, (other, self), {}, sys._getframe(1))

        def in_place(self: Traced, other: Any) -> Any:
            frame = sys._getframe(1)
            return self._take(
                _tape(self, other).apply(row, compute, (self, other), {}, frame), frame
            )

        for prefix, method in {"": forward, "r": mirrored, "i": in_place}.items():
            setattr(Traced, f"__{prefix}{stem}__", method)

    def comparison(function: Callable[..., Any], stem: str) -> None:
        def compare(self: Traced, other: Any) -> Any:
            return function(plain(self), plain(other))

        setattr(Traced, f"__{stem}__", compare)

    for stem, ufunc in {
        "add": np.add,
        "sub": np.subtract,
        "mul": np.multiply,
        "truediv": np.true_divide,
        "matmul": np.matmul,
        "pow": np.power,
    }.items():
        infix(TABLE[ufunc], getattr(operator, stem), stem)
    for stem in ("lt", "le", "eq", "ne", "gt", "ge"):
        comparison(getattr(operator, stem), stem)


_install_operators()


def _tape(x: Traced, y: Any) -> Tape:
    """Return the tape that records a call on ``x`` and ``y``: the innermost."""
    if type(y) is not Traced or y._tape is x._tape:
        return x._tape
    return max(x._tape, y._tape, key=lambda tape: tape.serial)


def _dispatch(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record a call of a NumPy function, or answer it with a plain array."""
    frame = sys._getframe(1)
    if function in PLAIN_FUNCTIONS:
        return function(*(plain_tree(arg) for arg in args), **plain_tree(kwargs))
    row = TABLE.get(function)
    if row is None:
        refusals.unsupported(refusals.function_name(function), frame)
    operands, keywords = _bind(row, args, kwargs, frame)
    traced = [item for item in operands if type(item) is Traced]
    if not traced:
        refusals.unsupported(f"{refusals.function_name(function)} with these arguments", frame)
    tape = max((item._tape for item in traced), key=lambda tape: tape.serial)
    result = tape.apply(row, function, operands, keywords, frame)
    if row.view:
        result._shared = True
        for item in traced:
            item._shared = True
    return result


def _bind(
    row: Row, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> tuple[list[Any], dict[str, Any]]:
    """Split a call into array operands and options, however the learner passed them."""
    count = len(row.vjps)
    given = {**dict(zip(row.signature[count:], args[count:], strict=False)), **kwargs}
    operands = list(args[:count])
    missing = row.signature[len(operands) : count]
    operands += [given.pop(name) for name in missing if name in given]
    if given.get("out") is not None or len(args) > max(count, len(row.signature)):
        refusals.out_given(row, frame)
    keywords = {key: value for key, value in given.items() if not _is_default(key, value)}
    for key in keywords:
        if key not in refusals.options(row) or type(keywords[key]) is Traced:
            refusals.unsupported_option(row, key, frame)
    return operands, keywords


def _is_default(key: str, value: Any) -> bool:
    """Whether an option says what NumPy does anyway; such options are not recorded."""
    if key == "index":
        return False
    return value is None or value is np._NoValue or value is False or (key, value) == ("order", "C")


def plain(value: Any) -> Any:
    """Return the value behind a traced array, however deep traces are nested."""
    while type(value) is Traced:
        value = value._value
    return value


def plain_tree(tree: Any) -> Any:
    """Return lists, tuples and dicts with every traced array replaced by its value."""
    return structure.rebuild(tree, lambda _, leaf: plain(leaf))


def _fixed_index(index: Any) -> Any:
    """Return an index that later changes of the learner's arrays cannot reach."""
    if isinstance(index, tuple):
        return tuple(map(_fixed_index, index))
    if isinstance(index, list | np.ndarray):
        return np.array(index)
    if type(index) is Traced:
        refusals.detached("Using it as an index", index.shape, sys._getframe(2))
    return index
