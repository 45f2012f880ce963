"""The array that remembers, and the tape it writes on.

While a function is traced its arguments are :class:`Traced` arrays.  NumPy hands
every call on them back through its two protocols, ``__array_ufunc__`` and
``__array_function__``; operators and methods arrive directly.  Each call becomes
one record on the :class:`Tape`.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from inspect import CO_GENERATOR
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from backprop_nb.errors import BackpropError
from backprop_nb.tracing import refusals, structure
from backprop_nb.tracing.record import CONSTANT, Record, Scope
from backprop_nb.tracing.rules import PLAIN_FUNCTIONS, STEPS, TABLE, Row
from backprop_nb.tracing.rules.shaping import astype, getitem
from backprop_nb.tracing.rules.spelled import SPELLED

# What these compute is recorded at the line of the learner that asked for it.
_OWN_FILES = frozenset(map(str, Path(__file__).parent.rglob("*.py")))
_LITERALS = frozenset({int, float, bool})
# What NumPy does when an option is not given; saying so changes nothing.
_DEFAULTS = {
    "axes": None,
    "axis": None,
    "copy": None,
    "dtype": None,
    "keepdims": False,
    "order": "C",
    "out": None,
    "subok": False,
    "where": True,
}
_NO_OPTIONS: dict[str, Any] = {}  # one for all operators; nobody writes into it
_serial = itertools.count()

# Record(...) and Traced(...) without a call of Python code, which would cost as much
# as the NumPy call that they write down.
_record = functools.partial(tuple.__new__, Record)
_new = object.__new__


class Tape:
    """The records of one trace, and where in the learner's code it stands.

    A tape that was opened later is nested inside the earlier ones; where values
    of two traces meet in one call, the later tape records it.
    """

    __slots__ = (
        "constants",
        "frame",
        "keeps_steps",
        "paused",
        "records",
        "scope",
        "serial",
        "stack",
    )

    def __init__(self, root: FrameType, keeps_steps: bool = False) -> None:
        self.serial = next(_serial)
        # A learner's comparison gives a plain array; a rule's must stay in the program.
        self.keeps_steps = keeps_steps
        self.records: list[Record] = []
        self.constants: dict[int, tuple[Any, int]] = {}
        self.frame: FrameType | None = None
        self.scope: Scope | None = None
        # The calls from the root down to the current line, oldest first.
        self.stack: dict[FrameType, Scope | None] = {root: None}
        # Generators that may go on: one call, however often it is left.
        self.paused: dict[FrameType, Scope | None] = {}

    def close(self) -> list[Record]:
        """Return the records and let go of the learner's frames and arrays."""
        records, self.records = self.records, _Ended()
        self.constants, self.stack, self.paused = {}, {}, {}
        self.frame = self.scope = None
        return records

    def enter(self, frame: FrameType) -> None:
        """Make ``frame`` the current scope, with a scope for every call on the way to it."""
        chain = []
        known: FrameType | None = frame
        while known is not None and known not in self.stack:
            chain.append(known)
            known = known.f_back
        self.frame = self.scope = None
        if known is None:  # NumPy's own function is traced: there is no line of Python
            return
        while next(reversed(self.stack)) is not known:
            left, scope = self.stack.popitem()
            if left.f_code.co_flags & CO_GENERATOR:
                self.paused[left] = scope
        for below in reversed(chain):
            resumed = self.paused.pop(below, None)
            scope = resumed or Scope(self.stack[known], below.f_code, known.f_lasti)
            self.stack[below] = scope
            known = below
        self.frame, self.scope = frame, self.stack[frame]

    def input(self, value: Any) -> Traced:
        """Record an input."""
        self.records.append(Record(None, (), (), {}, value, None, -1))
        return Traced(self, len(self.records) - 1, value)

    def constant(self, value: Any, frame: FrameType | None = None) -> int:
        """Record an array that is not an input, once for as long as it stays the same."""
        kept, index = self.constants.get(id(value), (None, -1))
        if kept is value and _is_same(self.records[index].value, value):
            return index
        copy: Any
        if type(value) is Traced:  # of a trace around this one, which goes on
            if type(value._tape.records) is _Ended:
                refusals.ended(sys._getframe(1))
            copy = value.copy()
        else:
            copy = refusals.real_copy(value, "An array in a traced function", frame)[()]
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
                index = self.constant(item, frame)
                values.append(self.records[index].value)
                parents.append(index)
        try:
            value = compute(*values, **keywords) if keywords else compute(*values)
        except BackpropError:  # of a trace around this one: it has said everything
            raise
        except (ValueError, IndexError, TypeError) as error:
            shapes = [np.shape(plain(value)) for value in values]
            raise refusals.misfit(row, shapes, error, frame) from None
        if frame is not self.frame:
            self.enter(frame)
        records = self.records
        result = _new(Traced)
        result._tape, result._index, result._value = self, len(records), value
        result._shared = False
        call = (row, tuple(values), tuple(parents), keywords, value, self.scope, frame.f_lasti)
        records.append(_record(call))
        return result


class _Ended(list[Record]):
    """The records of a trace that is over: a value that escaped can add nothing."""

    def append(self, record: Record) -> NoReturn:
        refusals.ended(sys._getframe(1))


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
        if self.size != 1:
            refusals.ambiguous(self.shape, sys._getframe(1))
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

    # -- Python's functions of a number, as NumPy's ----------------------------

    def __abs__(self) -> Any:
        return _dispatch(np.absolute, (self,), {})

    def __mod__(self, other: Any) -> Any:
        return _dispatch(np.remainder, (self, other), {})

    def __rmod__(self, other: Any) -> Any:
        return _dispatch(np.remainder, (other, self), {})

    def __floordiv__(self, other: Any) -> Any:
        return _dispatch(np.floor_divide, (self, other), {})

    def __rfloordiv__(self, other: Any) -> Any:
        return _dispatch(np.floor_divide, (other, self), {})

    def __ifloordiv__(self, other: Any) -> Any:
        if isinstance(plain(self), np.ndarray):
            refusals.changed_in_place(
                "A traced array cannot be changed to one that has no history.",
                f"a traced array of shape {self.shape}",
                sys._getframe(1),
            )
        return self // other

    def __divmod__(self, other: Any) -> Any:
        return _dispatch(np.divmod, (self, other), {})

    def __rdivmod__(self, other: Any) -> Any:
        return _dispatch(np.divmod, (other, self), {})

    def __xor__(self, other: Any) -> NoReturn:
        refusals.power_meant(self.shape, sys._getframe(1))

    __rxor__ = __xor__

    def __round__(self, digits: int | None = None) -> Any:
        return round(plain(self), digits)

    # -- what would lose the history -------------------------------------------

    def __float__(self) -> float:
        refusals.detached("Turning it into a plain number", self.shape, sys._getframe(1))

    def __int__(self) -> int:
        refusals.detached("Turning it into an integer", self.shape, sys._getframe(1))

    def __complex__(self) -> complex:
        refusals.detached("Turning it into a complex number", self.shape, sys._getframe(1))

    def __index__(self) -> int:
        refusals.as_index(self.shape, sys._getframe(1))

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
        return _dispatch(getitem, (self,), {"index": index})

    @property
    def T(self) -> Any:
        """The array with its axes reversed."""
        return _dispatch(np.transpose, (self,), {})

    @property
    def mT(self) -> Any:
        """The array with its last two axes exchanged."""
        return _dispatch(np.matrix_transpose, (self,), {})

    def transpose(self, *axes: Any) -> Any:
        """Permute the axes as ``ndarray.transpose`` does."""
        several = len(axes) != 1 or isinstance(axes[0], int)
        chosen = (axes or None) if several else axes[0]
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
        return _dispatch(np.ravel, (self.copy(),), {"order": order}).copy()

    def copy(self, order: str = "C") -> Any:
        """Return a value that shares nothing: a later ``+=`` leaves the other alone."""
        return Traced(self._tape, self._index, self._value)

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

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
        if kind.kind in "biu":
            return plain(self).astype(kind)
        if kind.kind != "f":
            refusals.unsupported(f"Turning it into {kind.name} numbers", sys._getframe(1))
        if not copy and kind == self.dtype:
            return self
        return _dispatch(astype, (self,), {"dtype": kind})

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
        is_array = isinstance(plain(new), np.ndarray)  # NumPy makes numbers of 0-d arrays
        if not is_array or (new.shape, new.dtype) != (self.shape, self.dtype):
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
            return _tape(self, other).apply(
                row, compute, (self, other), _NO_OPTIONS, sys._getframe(1)
            )

        def mirrored(self: Traced, other: Any) -> Any:
            return _tape(self, other).apply(
                row, compute, (other, self), _NO_OPTIONS, sys._getframe(1)
            )

        def in_place(self: Traced, other: Any) -> Any:
            frame = sys._getframe(1)
            return self._take(
                _tape(self, other).apply(row, compute, (self, other), _NO_OPTIONS, frame), frame
            )

        for prefix, method in {"": forward, "r": mirrored, "i": in_place}.items():
            setattr(Traced, f"__{prefix}{stem}__", method)

    def comparison(ufunc: np.ufunc, function: Callable[..., Any], stem: str) -> None:
        def compare(self: Traced, other: Any) -> Any:
            if self._tape.keeps_steps:
                return _dispatch(ufunc, (self, other), {})
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
    for stem, ufunc in {
        "lt": np.less,
        "le": np.less_equal,
        "eq": np.equal,
        "ne": np.not_equal,
        "gt": np.greater,
        "ge": np.greater_equal,
    }.items():
        comparison(ufunc, getattr(operator, stem), stem)


# Methods that do what NumPy's function of the array does, with the same parameters.
_METHODS: dict[str, Callable[..., Any]] = {
    "all": np.all,
    "any": np.any,
    "argmax": np.argmax,
    "argmin": np.argmin,
    "argpartition": np.argpartition,
    "argsort": np.argsort,
    "clip": np.clip,
    "cumprod": np.cumprod,
    "cumsum": np.cumsum,
    "diagonal": np.diagonal,
    "dot": np.dot,
    "max": np.max,
    "mean": np.mean,
    "min": np.min,
    "nonzero": np.nonzero,
    "prod": np.prod,
    "repeat": np.repeat,
    "round": np.round,
    "searchsorted": np.searchsorted,
    "squeeze": np.squeeze,
    "std": np.std,
    "sum": np.sum,
    "swapaxes": np.swapaxes,
    "take": np.take,
    "trace": np.trace,
    "var": np.var,
}


# Methods that change the array they are called on, where the function makes a new one.
_IN_PLACE = ("partition", "sort")


def _install_methods() -> None:
    def install(name: str, function: Callable[..., Any]) -> None:
        def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
            return _dispatch(function, (self, *args), kwargs)

        method.__name__, method.__qualname__ = name, f"Traced.{name}"
        method.__doc__ = f"Do what ``np.{name}`` does."
        setattr(Traced, name, method)

    def refuse(name: str) -> None:
        def method(self: Traced, *args: Any, **kwargs: Any) -> NoReturn:
            refusals.method_in_place(name, self.shape, sys._getframe(1))

        method.__name__, method.__qualname__ = name, f"Traced.{name}"
        method.__doc__ = f"Refuse: ``x.{name}`` changes x; ``np.{name}`` makes a new array."
        setattr(Traced, name, method)

    for name, function in _METHODS.items():
        install(name, function)
    for name in _IN_PLACE:
        refuse(name)


_install_operators()
_install_methods()


def _tape(x: Traced, y: Any) -> Tape:
    """Return the tape that records a call on ``x`` and ``y``: the innermost."""
    if type(y) is not Traced or y._tape is x._tape:
        return x._tape
    return max(x._tape, y._tape, key=lambda tape: tape.serial)


def _dispatch(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record a call of a NumPy function, or answer it with a plain array."""
    frame = sys._getframe(1)
    if function in PLAIN_FUNCTIONS and not _keeps(function, args):
        if _has_traced(kwargs.get("out")):
            refusals.out_given(function, frame)
        return function(*(plain_tree(arg) for arg in args), **plain_tree(kwargs))
    if function in SPELLED:
        return _spelled(function, args, kwargs, frame)
    row = TABLE.get(function) or STEPS.get(function)
    if row is None:
        refusals.unsupported(refusals.function_name(function), frame)
    bind = _bind_lists if row.bind else _bind
    operands, keywords = bind(row, args, kwargs, frame)
    traced = [item for item in operands if type(item) is Traced]
    if not traced:
        refusals.unsupported(f"{refusals.function_name(function)} with these arguments", frame)
    tape = max((item._tape for item in traced), key=lambda tape: tape.serial)
    if row.pieces is not None:
        try:
            count = row.pieces(*map(plain, operands), **keywords)
        except (ValueError, IndexError, TypeError) as error:
            shapes = [np.shape(plain(item)) for item in operands]
            raise refusals.misfit(row, shapes, error, frame) from None
        parts = [{**keywords, "piece": k} for k in range(count)]
        return row.gather([_applied(tape, row, operands, part, traced, frame) for part in parts])
    return _applied(tape, row, operands, keywords, traced, frame)


def _spelled(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> Any:
    """Trace a function as the others that it is made of."""
    if kwargs.get("out") is not None:
        refusals.out_given(function, frame)
    given = {key: value for key, value in kwargs.items() if key != "out"}
    try:
        return SPELLED[function](*args, **given)
    except BackpropError:
        raise
    except TypeError:
        refusals.unsupported(f"{refusals.function_name(function)} with these arguments", frame)


def _applied(
    tape: Tape,
    row: Row,
    operands: list[Any],
    keywords: dict[str, Any],
    traced: list[Traced],
    frame: FrameType,
) -> Traced:
    """Record a call, and mark arrays that share their entries with its result."""
    result = tape.apply(row, row.call, operands, keywords, frame)
    if row.view:
        for item in traced:
            if np.may_share_memory(plain(item), plain(result)):
                item._shared = result._shared = True
    return result


def _keeps(function: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Whether a step function is called by a rule whose program is being written."""
    return function in STEPS and any(type(arg) is Traced and arg._tape.keeps_steps for arg in args)


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
        refusals.out_given(row.function, frame)
    if len(operands) < count:
        refusals.unsupported(f"{refusals.function_name(row.function)} with these arguments", frame)
    keywords = {
        key: _fixed_option(key, value)
        for key, value in given.items()
        if not _is_default(key, value)
    }
    for key, value in keywords.items():
        if key not in refusals.options(row) or type(value) is Traced:
            refusals.unsupported_option(row, key, value, frame)
        if key == "order" and value not in ("C", "F"):
            refusals.order_of_memory(row, value, frame)
    return operands, keywords


def _bind_lists(
    row: Row, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> tuple[list[Any], dict[str, Any]]:
    """Split a call whose arrays stand in a list, or behind a text, as its row says."""
    assert row.bind is not None
    if kwargs.get("out") is not None:
        refusals.out_given(row.function, frame)
    given = {key: value for key, value in kwargs.items() if key != "out"}
    try:
        operands, options = row.bind(*args, **given)
    except (TypeError, IndexError, KeyError) as error:
        if isinstance(error, BackpropError):
            raise
        refusals.unsupported(f"{refusals.function_name(row.function)} with these arguments", frame)
    for key, value in options.items():
        if _has_traced(value):
            refusals.unsupported_option(row, key, value, frame)
    return operands, {key: _fixed_option(key, value) for key, value in options.items()}


def _is_default(key: str, value: Any) -> bool:
    """Whether an option says what NumPy does anyway; such options are not recorded."""
    if value is np._NoValue:
        return True
    default = _DEFAULTS.get(key, np._NoValue)
    return type(value) is type(default) and bool(value == default)


def _fixed_option(key: str, value: Any) -> Any:
    """Return an axis or a shape that later changes of the learner's lists cannot reach."""
    if key == "index":
        return _fixed_index(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple | range):
        return tuple(_fixed_option("", item) for item in value)
    return value


def plain(value: Any) -> Any:
    """Return the value behind a traced array, however deep traces are nested."""
    while type(value) is Traced:
        value = value._value
    return value


def plain_tree(tree: Any) -> Any:
    """Return lists, tuples and dicts with every traced array replaced by its value."""
    return structure.rebuild(tree, lambda _, leaf: plain(leaf))


def _is_same(kept: Any, value: Any) -> bool:
    """Whether an array is still what it was when it was recorded."""
    if type(value) is Traced:
        return kept._tape is value._tape and kept._index == value._index
    return np.array_equal(kept, value)


def _has_traced(tree: Any) -> bool:
    if isinstance(tree, list | tuple):
        return any(map(_has_traced, tree))
    return type(tree) is Traced


def _fixed_index(index: Any) -> Any:
    """Return an index that later changes of the learner's arrays cannot reach."""
    if not isinstance(index, tuple):
        return _fixed_item(index)
    return tuple(map(_fixed_item, index))


def _fixed_item(item: Any) -> Any:
    if type(item) is Traced:
        refusals.as_index(item.shape, sys._getframe(1))
    if isinstance(item, list | tuple | range):  # an empty list is a list of no positions
        return np.array(item) if len(item) else np.array(item, dtype=np.intp)
    return np.array(item) if isinstance(item, np.ndarray) else item
