"""Whether a function that asks what x is gives the value that it gives without a tracer.

``isinstance`` is told what a traced value stands for; ``type`` cannot be, and a traced
number has the methods of an array.  What is refused may be caught, and the function goes
on in another way.  And ``activation is np.tanh`` finds what stands in
the module ``numpy`` while a trace runs.  A function that asks so, which few do, is
computed once more on plain arguments.
"""

from __future__ import annotations

import copy
import dis
import functools
import inspect
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from types import CodeType
from typing import Any

import numpy as np

from backprop_nb.errors import BackpropError, UnsupportedError
from backprop_nb.tracing import pytree
from backprop_nb.tracing.prepared import REPLACED
from backprop_nb.tracing.source import FOLDER

_ASKING = frozenset(
    {"type", "hasattr", "getattr", "suppress", "Iterable", "Sized", "Container", "Collection"}
)
_INSIDE = (FOLDER, np.__path__[0])


def check_agreement(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    value: Any,
    codes: Iterable[CodeType],
    refused: Sequence[BackpropError],
    is_mixed: bool,
) -> None:
    """Refuse a function of which the trace has another value than the function itself.

    Only what asks, or has caught one of the errors in ``refused``, is computed again;
    and what is given numbers of Python's beside a narrower type, which they take (``is_mixed``).
    What is another value every time, such as one with random numbers in it, says nothing.
    """
    code = getattr(inspect.unwrap(f), "__code__", None)
    if code is None:
        return
    known = next(filter(None, map(_function_asked_for, codes)), "")
    if not (known or refused or is_mixed or any(map(_asks, (code, *codes)))):
        return
    if any(_is_traced(each) for each in (value, *pytree.flatten([list(args), kwargs]))):
        return
    plain = _value(f, args, kwargs, bool(refused))
    if plain is None or _agree(plain, value):
        return
    again = _value(f, args, kwargs, bool(refused))
    if again is None or not _agree(plain, again):
        return
    if refused:
        raise refused[0].with_traceback(None)
    if is_mixed:
        raise UnsupportedError(
            f"{code.co_name} gives another value when it is traced: a number of Python's takes the "
            "type of each array that it meets, and a traced one has a single type.",
            given=f"{value!r} of {value.dtype} in the trace, {plain!r} of {plain.dtype} without",
            instead="np.float32(…) or np.float64(…) of the number, as the function needs it",
        )
    if known:
        raise UnsupportedError(
            f"{code.co_name} gives another value when it is traced: it asks for the very "
            f"function np.{known}, and while it is traced another one stands there.",
            given=f"{value} in the trace, {plain} without",
            instead=f'activation.__name__ == "{known}" in place of activation is np.{known}',
        )
    raise UnsupportedError(
        f"{code.co_name} gives another value when it is traced: it asks what x is, "
        "or catches an error, and of a traced value the answer is another one.",
        given=f"{value} in the trace, {plain} without",
        instead="isinstance(x, np.ndarray), isinstance(x, float) or np.ndim(x) == 0",
    )


@functools.lru_cache(maxsize=4096)
def _asks(code: CodeType) -> bool:
    """Whether code asks what a value is, or catches an error that only a plain one may raise."""
    ops = code.co_code[::2]
    if code.co_filename.startswith(_INSIDE):
        return False
    handled, left = (ops.count(dis.opmap[op]) for op in ("PUSH_EXC_INFO", "WITH_EXCEPT_START"))
    return handled > left or not _ASKING.isdisjoint(code.co_names)


@functools.lru_cache(maxsize=4096)
def _function_asked_for(code: CodeType) -> str:
    """Return the name of a function of NumPy's that code compares by ``is``; empty for none."""
    if dis.opmap["IS_OP"] not in code.co_code[::2]:
        return ""
    names = deque([""], maxlen=3)
    for each in dis.get_instructions(code):
        known = next((name for name in names if name in REPLACED), "")
        if each.opname == "IS_OP" and known:
            return known
        names.append(each.argval if each.opname == "LOAD_ATTR" else "")
    return ""


def _value(
    f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], is_refused: bool
) -> Any:
    """Return the plain value of a function, ``None`` where it has none."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(f(*copy.deepcopy(list(args)), **copy.deepcopy(kwargs)))
    except Exception as error:  # whatever it is: the trace has gone through
        if is_refused and isinstance(error, BackpropError):  # in a trace within, of traced values
            raise
        return None


def _agree(first: Any, second: Any) -> bool:
    if np.shape(first) != np.shape(second):
        return False
    digits = 1e-9 if first.dtype.kind != "f" else max(1e-9, 100 * np.finfo(first.dtype).eps)
    return bool(np.allclose(first, second, rtol=digits, atol=0.0, equal_nan=True))


def _is_traced(value: Any) -> bool:
    return hasattr(type(value), "__array_function__") and not isinstance(value, np.ndarray)
