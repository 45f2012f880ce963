"""What ``X.dot(W)`` returns when X is a plain array and W a traced one.

NumPy asks nobody before a method of a plain array computes: it wants W as a plain array.
It gets one that is *standing in*: it knows the recorded result, hands it on to the array
that NumPy makes of it, and answers everything with it.  Its own entries are NaN that
tell which product they stand for: what reads them past all of this is found out.

Where X is a name, or an entry of something, its value can be looked up.  In
``phi(X).dot(w)`` it cannot, and a second call could do or give something else: there NumPy
multiplies X by a matrix of ones and zeros, and so tells what X is.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from backprop_nb.tracing import messages
from backprop_nb.tracing.bytecode import called_attributes
from backprop_nb.tracing.libraries import learner_frame
from backprop_nb.tracing.marked import marked
from backprop_nb.tracing.rules import TABLE
from backprop_nb.tracing.source import locate


class Standing(np.ndarray[Any, Any]):
    """A plain array of NaN in place of a recorded one.

    One without axes would become a number of NumPy's, and one with a single axis could
    make one: those have an axis more than what they stand for.
    """

    is_changing = True
    __array_priority__ = 1.0  # more than a plain array's, less than np.matrix has
    _result: Any = None

    def __array_finalize__(self, made_from: Any) -> None:
        known = getattr(made_from, "__dict__", {})
        result = known.get("_handed")
        if result is None and known.get("_result") is not None:  # X.dot(Y.dot(W))
            x, frame = made_from.now(), sys._getframe(1)
            result = _product(x, frame)
            if result is None or not np.ndarray.ndim.__get__(self):
                messages.detached("A plain array", x.shape, frame)
        # In another type it is a copy, of which NumPy will make the product.
        is_copy = known and np.ndarray.dtype.__get__(self) != np.ndarray.dtype.__get__(made_from)
        self.__dict__["_handed" if is_copy else "_result"] = result

    def now(self) -> Any:
        """Return the recorded value."""
        result = self.__dict__["_result"]
        if isinstance(result, _Pending):
            result = self.__dict__["_result"] = result.of(np.ndarray.view(self, np.ndarray))
        return result.now()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        return self.now().__array_ufunc__(ufunc, method, *args, **kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        return self.now().__array_function__(function, types, args, kwargs)


def _of_result(name: str) -> Callable[..., Any]:
    def method(self: Standing, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.now(), name)(*args, **kwargs)

    return method


def _attribute_of_result(name: str) -> Callable[[Standing], Any]:
    return lambda self: getattr(self.now(), name)


_OWN = {*vars(Standing), "__class__", "__new__", "__init__", "__getattribute__", "__setattr__"}
_OWN |= {"__init_subclass__", "__subclasshook__", "__class_getitem__", "__buffer__", "__hash__"}

for _name in set(dir(np.ndarray)) - _OWN:
    if callable(getattr(np.ndarray, _name)):
        setattr(Standing, _name, _of_result(_name))
    else:
        setattr(Standing, _name, property(_attribute_of_result(_name)))


def stand_in(x: Any, frame: FrameType) -> Standing | None:
    """Return what ``X.dot(x)`` gets for a traced ``x``, ``None`` if something else is called."""
    result, shape = _product(x, frame), x.shape
    if result is None:
        result = _pending(x, frame)
        if result is None:
            return None
        shape = (result.length, result.length + 1)
    elif x.ndim == 1:
        shape = (*shape, 1)
    elif x.ndim == 2 and result.ndim == 1:
        shape = (*shape[::-1], 1)
    standing = np.full(shape, marked(x._tape.stand_in(frame)), dtype=x.dtype).view(Standing)
    if isinstance(result, _Pending):
        np.ndarray.view(standing, np.ndarray)[:, :-1] = np.eye(result.length)
    standing.__dict__["_handed"] = result
    return standing


_DOT = TABLE[np.dot]  # while a trace runs there is another np.dot

_MAX_LENGTH = 4096
"""So long a sum of products is told from ones and zeros, of which it takes the square."""


class _Pending:
    """The product of an array that is not known before NumPy has computed.

    Attributes
    ----------
    length
        The length of the sums of which it consists.
    """

    def __init__(self, x: Any, frame: FrameType) -> None:
        self.length: int = x.shape[max(x.ndim - 2, 0)]
        self._x = x.alias()  # a later ``x += 1`` does not reach it
        self._place = x._tape.place(frame)
        self._at = frame.f_code, frame.f_lasti

    def of(self, computed: Any) -> Any:
        """Record the product of the array that times ones and zeros is ``computed``."""
        plain = computed[..., :-1].copy()
        if plain.dtype.kind != "f" or np.any(np.isnan(plain)):
            raise messages.read_past(*self._at)
        computed[...] = computed[..., -1:]
        return self._x._tape.apply_at(_DOT, (plain, self._x), {}, self._place)


def _pending(x: Any, frame: FrameType) -> _Pending | None:
    """Return what waits for the owner of ``phi(X).dot(x)``; ``None`` elsewhere."""
    if learner_frame(frame) is not frame or not x.ndim or not _is_unknown(frame):
        return None
    pending = _Pending(x, frame)
    return pending if 0 < pending.length <= _MAX_LENGTH else None


def _is_unknown(frame: FrameType) -> bool:
    """Whether a frame calls ``X.dot(x)`` and X cannot be looked up."""
    if locate(frame.f_code, frame.f_lasti) is None:  # there is no text
        return called_attributes(frame.f_code).get(frame.f_lasti, ("", ""))[1] == "dot"
    owner = _owner(frame)
    return owner is not None and not _is_pure(owner)


def _product(x: Any, frame: FrameType) -> Any:
    """Return the recorded value of ``X.dot(x)``, ``None`` if X cannot be looked up."""
    frame = learner_frame(frame)
    owner = _owner(frame)
    if owner is None or not _is_pure(owner):
        return None
    code = compile(ast.Expression(owner), "<owner>", "eval")
    plain = eval(code, frame.f_globals, dict(frame.f_locals))
    if type(plain) is not np.ndarray or plain.dtype.kind not in "biuf":
        return None
    known = x._tape.last("dot", (plain, x), frame)
    return np.dot(plain, x) if known is None else known


def _owner(frame: FrameType) -> ast.expr | None:
    """Return X where a frame calls ``X.dot(x)``."""
    place = locate(frame.f_code, frame.f_lasti)
    match place.node if place else None:
        case ast.Call(func=ast.Attribute(value=owner, attr="dot"), args=[_], keywords=[]):
            return owner
    return None


_PURE = (
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.Constant, ast.Load),
    *(ast.UnaryOp, ast.BinOp, ast.Compare, ast.unaryop, ast.operator, ast.cmpop, ast.List),
)


def _is_pure(owner: ast.expr) -> bool:
    """Whether an expression is a name, an attribute, an entry or a sum: nothing is called."""
    return all(isinstance(node, _PURE) for node in ast.walk(owner))
