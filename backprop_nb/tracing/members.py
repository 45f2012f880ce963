"""The members of a traced array that are the same for many names.

Operators, and the methods that do what a function of NumPy does, are made from the rows
of the rule table; what would make a traced value forget its history is refused.  An
operator is called by the learner's line directly, so the frame above is the learner's.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Collection, Iterator
from functools import partial
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from backprop_nb.tracing import messages
from backprop_nb.tracing.dispatch import dispatch, joined
from backprop_nb.tracing.libraries import OF_OTHERS
from backprop_nb.tracing.rules import COMPOSITES, PIECEWISE_CONSTANT, PLAIN_FUNCTIONS, TABLE, Row
from backprop_nb.tracing.standing import stand_in
from backprop_nb.tracing.tape import NO_OPTIONS, Recorded, decided, innermost, is_live, plain

_ATTRIBUTES = ("shape", "ndim", "size", "dtype", "itemsize", "nbytes")
# What an array has as attributes, and NumPy as functions.
_AS_FUNCTIONS: dict[str, Callable[..., Any]] = {"real": np.real, "imag": np.imag}
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_NUMBERS = (int, float, np.ndarray, np.generic, Recorded)
DETACHING = {
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


def members(own: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Yield the name and the code of everything that the tables say.

    What the class itself defines, its ``own``, has other parameters than the function.
    """
    for name in _ATTRIBUTES:
        yield name, property(operator.attrgetter(f"_value.{name}"), _assigning(name))
    for name, function in _AS_FUNCTIONS.items():
        yield name, property(_calling(function), _assigning(name))
    for name, how in DETACHING.items():
        yield name, _detaching(name, how)
    for row in TABLE.values():
        if row.operator and row.arrays == 2:
            yield from _infix(row)
        elif row.operator:
            yield f"__{row.operator}__", _sign(row)
    for row in PIECEWISE_CONSTANT.values():
        if row.operator and row.arrays == 1:
            yield f"__{row.operator}__", _sign(row)
        elif row.operator in _COMPARISONS:
            yield f"__{row.operator}__", _comparison(row)
        elif row.operator:
            yield from _infix(row) if row.operator == "floordiv" else _mask_operator(row)
    yield "__divmod__", _calling(np.divmod)
    yield "__rdivmod__", _calling(np.divmod, mirrored=True)
    for name in ("conj", "conjugate"):  # of real numbers NumPy's methods give the array itself
        yield name, lambda self: self
    yield "compress", lambda self, condition, axis=None: np.compress(condition, self, axis)
    taken = (*own, *_ATTRIBUTES, *_AS_FUNCTIONS, "resize", "compress", "conjugate")
    functions: list[Callable[..., Any]]
    composed_of_others = [each for each in COMPOSITES if getattr(np, each.__name__, None) is each]
    functions = [*TABLE, *PIECEWISE_CONSTANT, *PLAIN_FUNCTIONS, *composed_of_others]
    for function in functions:
        name = function.__name__
        if hasattr(np.ndarray, name) and name not in taken:
            yield name, _calling(function)


def _assigning(name: str) -> Callable[[Any, Any], None]:
    """Return what ``x.real = values`` does, and what refuses ``x.shape = (3, 1)``."""

    def assign(self: Any, value: Any) -> None:
        if name != "real":
            messages.attribute_assigned(name, value, sys._getframe(1))
        self[...] = value

    return assign


def _detaching(name: str, how: str) -> Callable[..., Any]:
    """Return the method that makes a plain value, of what carries no gradient only."""

    def detach(self: Any, *args: Any, **kwargs: Any) -> Any:
        frame = sys._getframe(1)
        if not self._tape.is_flat(self):
            if self._tape.is_over:
                messages.ended(frame)
            standing = stand_in(self, frame) if name == "__array__" else None
            if standing is not None:
                return standing
            messages.detached(how, self.shape, frame)
        return getattr(np.asarray(decided(self, frame)), name)(*args, **kwargs)

    return detach


def _infix(row: Row) -> Iterator[tuple[str, Any]]:
    """Yield an operator with two operands, mirrored and in place too."""
    compute = getattr(operator, f"__{row.operator}__")

    def forward(self: Any, other: Any) -> Any:
        tape = self._tape if type(other) is float else _tape(self, other)
        return tape.apply_operator(row, compute, self, other, sys._getframe(1))

    def mirrored(self: Any, other: Any) -> Any:
        tape = _tape(self, other)
        return tape.apply_operator(row, compute, other, self, sys._getframe(1))

    def in_place(self: Any, other: Any) -> Any:
        frame = sys._getframe(1)
        tape = _tape(self, other)
        return self._take(tape.apply_operator(row, compute, self, other, frame), frame)

    for prefix, member in {"": forward, "r": mirrored, "i": in_place}.items():
        yield f"__{prefix}{row.operator}__", member


def _sign(row: Row) -> Callable[[Any], Any]:
    compute = getattr(operator, row.operator)

    def sign(self: Any) -> Any:
        if row.is_flat:
            self._tape.is_smooth = False
        return self._tape.apply(row, compute, (self,), NO_OPTIONS, sys._getframe(1))

    return sign


class _OfLists:
    # What a tape does with an operator of which an operand may be a list of traced values.

    @staticmethod
    def apply_operator(
        row: Row, compute: Callable[..., Any], x: Any, y: Any, frame: FrameType
    ) -> Any:
        # A number times a list would repeat the list: NumPy does not take it for an array.
        if row.operator != "mul" or any(isinstance(plain(v), np.ndarray) for v in (x, y)):
            x, y = joined(x), joined(y)
        tape = innermost([each for each in (x, y) if isinstance(each, Recorded)])
        return tape.apply_operator(row, compute, x, y, frame)


def _tape(x: Recorded, y: Any) -> Any:
    """Return what records a call on two operands: the innermost tape, or what joins lists first.

    No method: the lookup would cost a tenth of the operation.
    """
    kind = type(y)
    if kind is x._tape.kind:
        return x._tape if y._tape is x._tape else innermost((x, y))
    if kind is float or kind is int:
        return x._tape
    if not is_live(y):
        return _OfLists if kind is list or kind is tuple else x._tape
    now = y.now()
    return innermost((x, now)) if isinstance(now, Recorded) else x._tape


def _comparison(row: Row) -> Callable[..., Any]:
    """Return an operator that Python mirrors by itself."""
    compute = getattr(operator, row.operator)

    def compare(self: Any, other: Any) -> Any:
        other = joined(other)
        if not isinstance(other, _NUMBERS) or self._tape.is_over:  # None, for example
            return compute(plain(self), plain(other))
        tape = _tape(self, other)
        tape.is_smooth = False
        return tape.apply_operator(row, compute, self, other, sys._getframe(1))

    return compare


def _mask_operator(row: Row) -> Iterator[tuple[str, Any]]:
    """Yield an operator that joins masks; of floats NumPy has none."""
    for name, member in _infix(row):

        def join(self: Any, other: Any, member: Callable[..., Any] = member) -> Any:
            if self.dtype.kind == "f" or np.asarray(plain(other)).dtype.kind == "f":
                messages.no_mask(row.symbol, self.shape, sys._getframe(1))
            return member(self, other)

        yield name, join


def _calling(function: Callable[..., Any], mirrored: bool = False) -> Callable[..., Any]:
    """Return the method or operator that does what a function of NumPy does."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return dispatch(function, (*args, self) if mirrored else (self, *args), kwargs)

    method.__doc__ = f"Do what ``np.{function.__name__}`` does."
    return method


def refusals(known: type) -> Iterator[tuple[str, Any]]:
    """Yield what an array has and a traced one has not, as properties that refuse.

    A ``__getattr__`` would make Python look up every attribute the slow way.
    """
    for name in dir(np.ndarray):
        if not name.startswith("__") and not hasattr(known, name):
            yield name, property(partial(_refuse, name))


def lacking(known: type) -> Iterator[tuple[str, Any]]:
    """Yield what arrays of other libraries have, as properties that say NumPy's way."""
    ufuncs = (each for each in (*TABLE, *PIECEWISE_CONSTANT) if isinstance(each, np.ufunc))
    called = {
        each.__name__: f"np.{each.__name__}({', '.join(['{x}', *'yz'][: each.nin])})"
        for each in ufuncs
    }
    for name, instead in {**called, "abs": called["absolute"], **OF_OTHERS}.items():
        if not hasattr(known, name) and not hasattr(np.ndarray, name):
            yield name, property(partial(_lack, name, instead))


def _lack(name: str, instead: str, self: Any) -> NoReturn:
    messages.no_attribute_of_numpys(name, instead, sys._getframe(1))


def _refuse(name: str, self: Any) -> NoReturn:
    messages.unsupported_method(name, sys._getframe(1))
