"""What ``X.dot(W)`` returns when X is a plain array and W a traced one.

NumPy asks nobody before a method of a plain array computes: it wants W as a plain array.
It gets one that is *standing in*: it knows the recorded result, hands it on to the array
that NumPy makes of it, and answers everything with it.  Its own entries are NaN that
tell which product they stand for: what reads them past all of this is found out.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from backprop_nb.tracing import messages
from backprop_nb.tracing.libraries import learner_frame
from backprop_nb.tracing.marked import marked
from backprop_nb.tracing.source import locate


class Standing(np.ndarray[Any, Any]):
    """A plain array of NaN in place of a recorded one.

    One without axes would become a number of NumPy's, and one with a single axis could
    make one: those have an axis more than what they stand for.
    """

    is_changing = True
    __array_priority__ = 1e6
    _result: Any = None

    def __array_finalize__(self, made_from: Any) -> None:
        known = getattr(made_from, "__dict__", {})
        result = known.get("_handed")
        if result is None and known.get("_result") is not None:  # X.dot(Y.dot(W))
            x, frame = known["_result"].now(), sys._getframe(1)
            result = _product(x, frame)
            # In another type it is a copy, of which NumPy will make the product.
            is_copy = np.ndarray.dtype.__get__(self) != np.ndarray.dtype.__get__(made_from)
            if result is None or is_copy or not np.ndarray.ndim.__get__(self):
                messages.detached("A plain array", x.shape, frame)
        self.__dict__["_result"] = result

    def now(self) -> Any:
        """Return the recorded value."""
        return self.__dict__["_result"].now()

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
    result = _product(x, frame)
    if result is None:
        return None
    shape = x.shape
    if x.ndim == 1:
        shape = (*shape, 1)
    elif x.ndim == 2 and result.ndim == 1:
        shape = (*shape[::-1], 1)
    nan = np.full(shape, marked(x._tape.stand_in(frame)), dtype=x.dtype).view(Standing)
    nan.__dict__["_handed"] = result
    return nan


def _product(x: Any, frame: FrameType) -> Any:
    """Return the recorded value of ``X.dot(x)``, ``None`` if something else is called."""
    frame = learner_frame(frame)
    place = locate(frame.f_code, frame.f_lasti)
    match place.node if place else None:
        case ast.Call(func=ast.Attribute(value=owner, attr="dot"), args=[_], keywords=[]):
            plain = _looked_up(owner, frame)
            if type(plain) is np.ndarray and plain.dtype.kind in "biuf":
                known = x._tape.last("dot", (plain, x), frame)
                return np.dot(plain, x) if known is None else known
    return None


_PURE = (
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.Constant, ast.Load),
    *(ast.UnaryOp, ast.BinOp, ast.Compare, ast.unaryop, ast.operator, ast.cmpop, ast.List),
)


def _looked_up(owner: ast.expr, frame: FrameType) -> Any:
    """Return what a name, an attribute, an entry or a sum is; nothing is called for it."""
    if not all(isinstance(node, _PURE) for node in ast.walk(owner)):
        return None
    code = compile(ast.Expression(owner), "<owner>", "eval")
    return eval(code, frame.f_globals, dict(frame.f_locals))
