"""NumPy's own ways to make an array, while a function is being traced.

A learner fills results into ``np.zeros(…)``, or puts traced values into a list and calls
``np.array``.  NumPy asks nobody before it makes a plain array, so for the time of a trace
these functions are replaced in the module ``numpy`` by ones that look first.  They do so
only in the thread of the trace, and only for calls from the learner's own code: a library
that is called there, and every other thread, gets what NumPy gives.  A call costs about a
microsecond more; one of a ufunc, which looks for lists only, a third of that.  What was
imported by name, ``from numpy import zeros``, is not reached, nor what comes from a method
or an operator of a plain array, such as ``y.copy()`` and ``(y == 1) * 1.0``: NumPy asks
nobody there either.  What computes with plain arrays, such as ``np.where`` of them, is left
alone, for plain steps would all become slower.  An assignment to such an array is refused at
its line, with the edit that works.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import operator
import sys
import threading
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

import numpy as np

from backprop_nb.errors import PACKAGE, BackpropError
from backprop_nb.tracing import messages
from backprop_nb.tracing.array import is_laid_out, prepared
from backprop_nb.tracing.bytecode import called_attributes
from backprop_nb.tracing.dispatch import composed, dispatch, joined, laid_out
from backprop_nb.tracing.libraries import is_learners_code
from backprop_nb.tracing.rules.lists import ARRAY
from backprop_nb.tracing.rules.numerical import vectorized
from backprop_nb.tracing.source import locate
from backprop_nb.tracing.tape import Recorded, has_traced, is_live, is_tracing, plain, running

_MAKING = (
    *("zeros", "ones", "empty", "full", "eye", "identity", "arange", "linspace"),
    *("zeros_like", "ones_like", "empty_like", "full_like", "copy", "tile", "repeat"),
    *("logspace", "geomspace", "tri"),
)
_CONVERTING = ("array", "asarray", "asanyarray", "ascontiguousarray")
_OF_LISTS = (
    *("sum", "mean", "prod", "max", "min", "amax", "amin", "std", "var", "median", "average"),
    *("cumsum", "cumprod", "argmax", "argmin", "any", "all", "sort", "argsort", "ptp"),
    *("dot", "inner", "outer", "vdot", "cross", "convolve", "interp", "linalg.norm"),
    *("clip", "diff", "diag", "flip", "percentile", "quantile", "where", "polyval", "trapezoid"),
    *("linalg.det", "linalg.inv", "linalg.solve"),
)
_JOINING = ("concatenate", "stack", "vstack", "hstack", "column_stack", "dstack")

_LISTS = frozenset({list, tuple})
_SEQUENCES = (list, tuple)

_lock = threading.Lock()
_traces = 0


@contextlib.contextmanager
def preparing() -> Iterator[None]:
    """Let arrays that the learner makes receive traced values, as long as a trace runs."""
    global _traces
    with _lock:
        if not _traces:
            _set(1)
        _traces += 1
    try:
        with running():
            yield
    finally:
        with _lock:
            _traces -= 1
            if not _traces:
                _set(0)


def _set(which: int) -> None:
    """Put NumPy's own functions in place, or the new ones."""
    vars(np).update(_OF_NUMPY[which])
    for owner, name, functions in _OF_PARTS:
        setattr(owner, name, functions[which])


def _member(name: str) -> tuple[Any, str]:
    """Return the module, or the class, and the name in it."""
    owner, _, member = name.rpartition(".")
    return operator.attrgetter(owner)(np) if owner else np, member


def _is_learners(name: str) -> bool:
    """Whether ``np.name(…)`` stands in the learner's code, in a thread that traces.

    Extension modules call these functions too, with no frame of their own, and could not
    do with anything but a plain array: so the call itself is looked at.
    """
    frame = sys._getframe(2)
    if not is_tracing() or frame.f_code.co_filename.startswith(PACKAGE):
        return False
    if not is_learners_code(frame.f_code):
        return False
    owner, called = _callee(frame.f_code, frame.f_lasti)
    if called != name:
        return False
    found = frame.f_locals.get(owner, frame.f_globals.get(owner))
    return found is np


@functools.lru_cache(maxsize=4096)
def _callee(code: CodeType, lasti: int) -> tuple[str, str]:
    """Return ``np`` and ``zeros`` where the instruction calls ``np.zeros``."""
    place = locate(code, lasti)
    if place is None:
        return called_attributes(code).get(lasti, ("", ""))
    match place.node:
        case ast.Call(func=ast.Attribute(value=ast.Name(owner), attr=name)):
            return owner, name
    return "", ""


def _making(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that makes an array which can receive traced values."""

    @functools.wraps(original)
    def make(*args: Any, **kwargs: Any) -> Any:
        if not _is_learners(name):
            return original(*args, **kwargs)
        if name in _FILLING and has_traced(_fill_value(*args, **kwargs)):
            return _FILLING[name](*args, **kwargs)
        try:
            made = original(*args, **kwargs)
            if name.startswith("empty") and type(made) is np.ndarray and made.dtype.kind in "biuf":
                made.fill(0)  # what is never read shall not differ from run to run
            return prepared(made)
        except BackpropError:
            raise
        except TypeError:
            if has_traced(args):
                messages.as_index((), sys._getframe(1))
            raise

    return make


def _fill_value(shape: Any = None, fill_value: Any = None, *args: Any, **options: Any) -> Any:
    return fill_value


def _full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **options: Any) -> Any:
    full = np.broadcast_to(fill_value, shape).copy(order)
    return full if dtype is None or full.dtype == dtype else full.astype(dtype)


def _full_like(*args: Any, **options: Any) -> Any:
    return dispatch(_FULL_LIKE, args, options)


_FULL_LIKE = np.full_like
_FILLING: dict[str, Callable[..., Any]] = {"full": _full, "full_like": _full_like}


_ASKED: dict[str, dict[str, Any]] = {
    "array": {"copy": True},
    "ascontiguousarray": {"order": "C", "ndmin": 1},
}
"""What a function asks for by its name."""


def _converting(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``np.array``, or one of its kin, for traced values too."""
    asked = _ASKED.get(name, {})

    @functools.wraps(original)
    def convert(*args: Any, **kwargs: Any) -> Any:
        if not args or not _is_learners(name):
            return original(*args, **kwargs)
        first = args[0]
        if has_traced(first) and not isinstance(first, Recorded):
            return dispatch(ARRAY.function, args, kwargs)
        if isinstance(first, Recorded):
            return _converted(first, *args[1:], **asked | kwargs)
        made = original(*args, **kwargs)
        return made if made is first else prepared(made)

    return convert


def _converted(
    x: Any,
    dtype: Any = None,
    order: Any = None,
    *,
    copy: Any = None,
    ndmin: int = 0,
    **options: Any,
) -> Any:
    order = order or "K"
    if dtype is not None and np.dtype(dtype) != x.dtype:
        x = x.astype(dtype, order)
    elif copy or not (order in "KA" or is_laid_out(x, order)):
        x = x.copy(order)
    return x[(None,) * (ndmin - x.ndim)] if ndmin > x.ndim else x


def _of_lists(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes lists of traced values as the arrays they stand for."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        for arg in args:
            if isinstance(arg, _SEQUENCES):
                args = _joined(args)
                break
        return original(*args, **kwargs)

    return call


def _of_parts(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that joins arrays, of which some may be lists of traced values."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], _SEQUENCES):
            for each in args[0]:
                if isinstance(each, _SEQUENCES):
                    args = (_joined(tuple(args[0])), *args[1:])
                    break
        return original(*args, **kwargs)

    return call


def _of_places(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``np.take`` for traced positions in a plain array, which NumPy does not ask."""

    @functools.wraps(original)
    def take(a: Any, indices: Any, *args: Any, **kwargs: Any) -> Any:
        if is_live(indices) and indices.dtype.kind in "iu":
            return dispatch(original, (a, indices, *args), kwargs)
        return original(a, indices, *args, **kwargs)

    return take


def _joined(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return lists that hold traced values as arrays."""
    return tuple(map(joined, args)) if is_tracing() else args


class _Ufunc:
    # A ufunc that takes lists of traced values too, and is NumPy's own in all else.
    __slots__ = ("_original", "accumulate", "outer", "reduce")

    def __init__(self, original: np.ufunc) -> None:
        self._original = original
        for name in ("accumulate", "outer", "reduce"):
            setattr(self, name, _of_lists(name, getattr(original, name)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # The first and the last of at most two operands: a loop would cost as much again.
        if args and (type(args[0]) in _LISTS or type(args[-1]) in _LISTS):
            args = _joined(args)
        return self._original(*args, **kwargs)

    def at(self, a: Any, indices: Any, *b: Any) -> None:
        self._original.at(a, indices, *_joined(b))

    def __eq__(self, other: object) -> bool:
        return self is other or self._original == other

    def __hash__(self) -> int:
        return hash(self._original)

    def __repr__(self) -> str:
        return repr(self._original)

    def __reduce__(self) -> Any:
        return _named, (self._original.__name__,)

    __class__: Any = property(lambda self: np.ufunc)
    __doc__: Any = property(lambda self: self._original.__doc__)
    __name__: Any = property(lambda self: self._original.__name__)


# One by one: a __getattr__ would make the call slower too.
for _name in (name for name in dir(np.ufunc) if not hasattr(_Ufunc, name)):
    setattr(_Ufunc, _name, property(operator.attrgetter(f"_original.{_name}")))


def _ndenumerate(original: Any) -> Callable[[Any], Any]:
    """Return ``np.ndenumerate`` for traced arrays too."""

    @functools.wraps(original, updated=())
    def entries(arr: Any) -> Any:
        if not is_live(arr):
            return original(arr)
        return ((index, arr[index]) for index in np.ndindex(*arr.shape))

    return entries


class _Entries:
    """``np.nditer(x)`` for a traced array: its entries one by one, to be read."""

    def __init__(self, array: Any, places: list[tuple[int, ...]]) -> None:
        self._array, self._places, self._position = array, places, 0

    finished: Any = property(lambda self: self._position >= len(self._places))
    multi_index: Any = property(lambda self: self._places[self._position])
    value: Any = property(lambda self: self[0])

    def iternext(self) -> bool:
        """Go to the next entry, and say whether there is one."""
        self._position += 1
        return not self.finished

    def __getitem__(self, operand: int) -> Any:
        return (self._array[self.multi_index],)[operand]

    def __iter__(self) -> Iterator[Any]:
        while not self.finished:
            yield self[0]
            self.iternext()

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *error: object) -> None:
        return None


def _nditer(original: Any) -> Callable[..., Any]:
    """Return ``np.nditer`` for a traced array too."""

    @functools.wraps(original, updated=())
    def entries(
        op: Any, flags: Any = None, op_flags: Any = None, *args: Any, **options: Any
    ) -> Any:
        several = [*op] if isinstance(op, list | tuple) else [op]
        recorded = [each for each in several if is_live(each) and isinstance(each.now(), Recorded)]
        if not is_live(op) or (not recorded and "write" in str(op_flags)):
            if recorded:
                instead = f"zip({', '.join(f'{name}.flat' for name in 'xyzuvw'[: len(several)])})"
                messages.unsupported("np.nditer of several arrays", sys._getframe(1), instead)
            return original(op, flags, op_flags, *args, **options)
        places = original(plain(op), ["multi_index", "zerosize_ok"], None, *args, **options)
        return _Entries(op, [places.multi_index for _ in places])

    return entries


def _named(name: str) -> Any:
    return getattr(np, name)


class _Joining:
    """``np.c_`` or ``np.r_``, with traced values in it."""

    def __init__(self, original: Any, columns: bool) -> None:
        self._original = original
        self._columns = columns

    def __getitem__(self, items: Any) -> Any:
        parts = items if isinstance(items, tuple) else (items,)
        if not has_traced(parts):
            return self._original[items]
        parts = tuple(self._original[part] if isinstance(part, slice) else part for part in parts)
        return _columns(parts) if self._columns else np.concatenate([*map(np.atleast_1d, parts)])


def _columns(parts: tuple[Any, ...]) -> Any:
    """Return 1-D parts as columns beside the matrices."""
    columns = [np.reshape(part, (-1, 1)) if np.ndim(part) < 2 else part for part in parts]
    return np.concatenate(columns, axis=-1)


def _allocated(*arrays: Any) -> Any:
    """Return the array that NumPy makes for one result for each entry of some arrays."""
    return np.nditer([*arrays, None], ["zerosize_ok"]).operands[-1]


def _vectorized(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what an object of ``np.vectorize`` does when it is called."""

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_tracing() or not has_traced([*args, *kwargs.values()]):
            return original(self, *args, **kwargs)
        each = functools.partial(vectorized, self)
        result = composed(np.vectorize, each, args, kwargs, sys._getframe(1))
        return laid_out(result, _allocated, args, {})

    return call


def _replaced() -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the name of each function that is replaced: the original, and the new one."""
    for names, make in (
        (_MAKING, _making),
        (_CONVERTING, _converting),
        (_OF_LISTS, _of_lists),
        (_JOINING, _of_parts),
        (("take",), _of_places),
    ):
        for name in names:
            original = getattr(*_member(name), None)
            if callable(original) and not isinstance(original, type | np.ufunc):
                new = make(name, original)
                vars(new)["replaced"] = original
                yield name, (original, new)
    ufuncs = {name: each for name, each in vars(np).items() if isinstance(each, np.ufunc)}
    new_ufuncs = {original: _Ufunc(original) for original in ufuncs.values()}
    yield from ((name, (original, new_ufuncs[original])) for name, original in ufuncs.items())
    yield "vectorize.__call__", (np.vectorize.__call__, _vectorized(np.vectorize.__call__))
    yield "ndenumerate", (np.ndenumerate, _ndenumerate(np.ndenumerate))
    yield "nditer", (np.nditer, _nditer(np.nditer))
    for name, columns in (("c_", True), ("r_", False)):
        original = getattr(np, name)
        yield name, (original, _Joining(original, columns))


REPLACED = dict(_replaced())
"""Of each function that is replaced, by its name in ``numpy``: the original, and the new one."""

_OF_NUMPY = [{name: both[k] for name, both in REPLACED.items() if "." not in name} for k in (0, 1)]
_OF_PARTS = [(*_member(name), both) for name, both in REPLACED.items() if "." in name]
