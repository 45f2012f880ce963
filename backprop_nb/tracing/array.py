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
from typing import Any, NoReturn

import numpy as np

from backprop_nb.tracing import messages
from backprop_nb.tracing.dispatch import composed, dispatch
from backprop_nb.tracing.rules import (
    PIECEWISE_CONSTANT,
    PLAIN_FUNCTIONS,
    TABLE,
    UFUNC_METHODS,
    Row,
)
from backprop_nb.tracing.rules.indexing import getitem
from backprop_nb.tracing.rules.row import full_name
from backprop_nb.tracing.rules.shaping import astype
from backprop_nb.tracing.tape import Recorded, Tape, innermost, plain

_PACKAGE = __name__.partition(".")[0]
_NO_OPTIONS: dict[str, Any] = {}  # one for all operators; nobody writes into it


def _stands_for(self: Traced) -> type:
    """Return what ``isinstance`` is told outside of this package: the type it stands for.

    So ``isinstance(x, np.ndarray)`` and ``case float():`` take the branch that they take
    without the tracer, in the learner's code and in NumPy's.
    """
    if _is_own(sys._getframe(1)):
        return type(self)
    return self._tape.given.get(self._index) or type(plain(self))


def _is_own(frame: FrameType) -> bool:
    """Whether the package's own code asks, which knows what a traced value is."""
    return str(frame.f_globals.get("__name__")).partition(".")[0] == _PACKAGE


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
        return bool(self._value)

    def __repr__(self) -> str:
        return f"traced({self._value!r})"

    def __str__(self) -> str:
        return str(self._value)

    def __format__(self, spec: str) -> str:
        return format(self._value, spec)

    __class__: Any = property(_stands_for)

    def __hash__(self) -> int:
        if not _is_own(sys._getframe(1)):
            messages.as_key(self.shape, sys._getframe(1))
        return object.__hash__(self)

    # -- NumPy's two protocols -----------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            name, frame = f"{full_name(ufunc)}.{method}", sys._getframe(1)
            if method not in UFUNC_METHODS:
                messages.unsupported(name, frame)
            return composed(ufunc, partial(UFUNC_METHODS[method], ufunc), args, kwargs, frame, name)
        return dispatch(ufunc, args, kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        return dispatch(function, args, kwargs)

    # -- what is refused; _DETACHING has more ------------------------------------

    def __index__(self) -> int:
        messages.as_index(self.shape, sys._getframe(1))

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        messages.item_assigned(self.shape, sys._getframe(1))

    def __xor__(self, other: Any) -> NoReturn:
        messages.power_meant(self.shape, sys._getframe(1))

    __rxor__ = __xor__

    # -- what an array does in another way than NumPy's functions -----------------

    def __getitem__(self, index: Any) -> Any:
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
        return result.copy() if copy else result

    def flatten(self, order: str = "C") -> Any:
        """Return all entries in one row, sharing nothing with this array."""
        return dispatch(np.ravel, (self.copy(),), {"order": order}).copy()

    def copy(self, order: str = "C") -> Any:
        """Return a value that shares nothing: a later ``+=`` leaves the other alone."""
        return self.alias()

    __copy__ = __deepcopy__ = copy

    def __round__(self, digits: int | None = None) -> Any:
        return round(plain(self), digits)

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
            messages.unsupported(f"x.astype({kind.name!r})", sys._getframe(1))
        if not copy and kind == self.dtype:
            return self
        return dispatch(astype, (self,), {"dtype": kind})

    # -- changes in place --------------------------------------------------------

    def __ifloordiv__(self, other: Any) -> Any:
        if isinstance(plain(self), np.ndarray):
            messages.changed_in_place(
                "x //= … would disconnect x from the computation graph.",
                f"a traced array of shape {self.shape}",
                sys._getframe(1),
            )
        return operator.floordiv(self, other)

    def _take(self, new: Any, frame: FrameType) -> Any:
        """Take the value of ``new``, as ``+=`` does to an array and to all its aliases."""
        if not isinstance(plain(self), np.ndarray):
            return new  # numbers are immutable: Python binds the name anew
        shapes = f"{self.dtype} of shape {self.shape}, result {new.dtype} of shape {new.shape}"
        if self._shared:
            messages.changed_in_place(
                "An array of which a view exists cannot be changed in place.", shapes, frame
            )
        is_array = isinstance(plain(new), np.ndarray)  # NumPy makes numbers of 0-d arrays
        if not is_array or (new.shape, new.dtype) != (self.shape, self.dtype):
            messages.changed_in_place(
                "The result does not fit into the array that is changed in place.", shapes, frame
            )
        self._tape, self._index, self._value = new._tape, new._index, new._value
        return self


# --- what is the same for many names ---------------------------------------------------
#
# An operator is called by the learner's line directly, so the frame above is the learner's.

_ATTRIBUTES = ("shape", "ndim", "size", "dtype")
_DETACHING = {
    "__float__": "float(x)",
    "__int__": "int(x)",
    "__complex__": "complex(x)",
    "__array__": "A plain array",
    "item": "x.item()",
    "tolist": "x.tolist()",
    "as_integer_ratio": "x.as_integer_ratio()",
    "is_integer": "x.is_integer()",
    "hex": "x.hex()",
    "__reduce_ex__": "Pickling",
    "__trunc__": "math.trunc(x)",
}


def _members() -> Iterator[tuple[str, Any]]:
    """Yield the name and the code of everything that the tables say."""
    for name in _ATTRIBUTES:
        yield name, property(operator.attrgetter(f"_value.{name}"))
    for name, how in _DETACHING.items():
        yield name, _detaching(how)
    for row in TABLE.values():
        if row.operator and row.arrays == 2:
            yield from _infix(row)
        elif row.operator:
            yield f"__{row.operator}__", _sign(row)
    for row in PIECEWISE_CONSTANT.values():
        if row.operator:
            yield f"__{row.operator}__", _comparison(row)
    yield "__rfloordiv__", _calling(np.floor_divide, mirrored=True)
    yield "__divmod__", _calling(np.divmod)
    yield "__rdivmod__", _calling(np.divmod, mirrored=True)
    functions: list[Callable[..., Any]] = [*TABLE, *PLAIN_FUNCTIONS]
    for function in functions:
        name = function.__name__
        # What the class itself defines has other parameters than the function.
        if hasattr(np.ndarray, name) and name not in (*vars(Traced), *_ATTRIBUTES):
            in_place = function in TABLE and TABLE[function].in_place
            yield name, _changing(name) if in_place else _calling(function)


def _detaching(how: str) -> Callable[..., NoReturn]:
    def detach(self: Traced, *args: Any, **kwargs: Any) -> NoReturn:
        messages.detached(how, self.shape, sys._getframe(1))

    return detach


def _infix(row: Row) -> Iterator[tuple[str, Any]]:
    """Yield an operator with two operands, mirrored and in place too."""
    compute = getattr(operator, row.operator)

    def forward(self: Traced, other: Any) -> Any:
        tape = _tape(self, other)
        return tape.apply(row, compute, (self, other), _NO_OPTIONS, sys._getframe(1))

    def mirrored(self: Traced, other: Any) -> Any:
        tape = _tape(self, other)
        return tape.apply(row, compute, (other, self), _NO_OPTIONS, sys._getframe(1))

    def in_place(self: Traced, other: Any) -> Any:
        frame = sys._getframe(1)
        tape = _tape(self, other)
        return self._take(tape.apply(row, compute, (self, other), _NO_OPTIONS, frame), frame)

    for prefix, member in {"": forward, "r": mirrored, "i": in_place}.items():
        yield f"__{prefix}{row.operator}__", member


def _sign(row: Row) -> Callable[[Traced], Any]:
    compute = getattr(operator, row.operator)
    return lambda self: self._tape.apply(row, compute, (self,), _NO_OPTIONS, sys._getframe(1))


def _tape(x: Traced, y: Any) -> Tape:
    """Return the tape that records a call on two operands: the innermost.

    No method: the lookup would cost a tenth of the operation.
    """
    if type(y) is not Traced or y._tape is x._tape:
        return x._tape
    return innermost((x, y))


def _comparison(row: Row) -> Callable[..., Any]:
    """Return an operator whose result is a plain array, except inside of a rule."""
    compute = getattr(operator, row.operator)

    def compare(self: Traced, other: Any) -> Any:
        if self._tape.records_comparisons:
            return dispatch(row.function, (self, other), {})
        return compute(plain(self), plain(other))

    return compare


def _calling(function: Callable[..., Any], mirrored: bool = False) -> Callable[..., Any]:
    """Return the method or operator that does what a function of NumPy does."""

    def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
        return dispatch(function, (*args, self) if mirrored else (self, *args), kwargs)

    method.__doc__ = f"Do what ``np.{function.__name__}`` does."
    return method


def _changing(name: str) -> Callable[..., NoReturn]:
    """Return the method that changes an array, where the function makes a new one."""

    def method(self: Traced, *args: Any, **kwargs: Any) -> NoReturn:
        messages.method_in_place(name, self.shape, sys._getframe(1))

    method.__doc__ = f"Refuse: ``x.{name}`` changes x; ``np.{name}`` makes a new array."
    return method


def _unsupported() -> Iterator[tuple[str, Any]]:
    """Yield what an array has and a traced one has not, as properties that refuse.

    A ``__getattr__`` would make Python look up every attribute the slow way.
    """
    for name in dir(np.ndarray):
        if not name.startswith("__") and not hasattr(Traced, name):
            yield name, property(partial(_refuse, name))


def _refuse(name: str, self: Traced) -> NoReturn:
    messages.unsupported_method(name, sys._getframe(1))


for _name, _member in [*_members()]:
    if not isinstance(_member, property):
        _member.__name__, _member.__qualname__ = _name, f"Traced.{_name}"
    setattr(Traced, _name, _member)

for _name, _member in [*_unsupported()]:
    setattr(Traced, _name, _member)
