"""Whether a function that asks what x is gives the value that it gives without a tracer.

``isinstance`` is told what a traced value stands for; ``type`` cannot be, and a traced
number has the methods of an array.  And ``activation is np.tanh`` finds what stands in
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

from backprop_nb.errors import UnsupportedError
from backprop_nb.tracing import pytree
from backprop_nb.tracing.prepared import REPLACED

_ASKING = frozenset({"type", "hasattr", "Iterable", "Sized", "Container", "Collection"})


def check_agreement(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    value: Any,
    codes: Iterable[CodeType],
) -> None:
    """Refuse a function of which the trace has another value than the function itself.

    Only what asks is computed again.  What is another value every time, such as
    one with random numbers in it, says nothing.
    """
    code = getattr(inspect.unwrap(f), "__code__", None)
    if code is None:
        return
    known = next(filter(None, map(_function_asked_for, codes)), "")
    if not known and _ASKING.isdisjoint(code.co_names):
        return
    if any(_is_traced(each) for each in (value, *pytree.flatten([list(args), kwargs]))):
        return
    plain = _value(f, args, kwargs)
    if plain is None or _agree(plain, value):
        return
    again = _value(f, args, kwargs)
    if again is None or not _agree(plain, again):
        return
    if known:
        raise UnsupportedError(
            f"{code.co_name} gives another value when it is traced: it asks for the very "
            f"function np.{known}, and while it is traced another one stands there.",
            given=f"{value} in the trace, {plain} without",
            instead=f'activation.__name__ == "{known}" in place of activation is np.{known}',
        )
    raise UnsupportedError(
        f"{code.co_name} gives another value when it is traced: it asks what x is, "
        "and of a traced value the answer is another one.",
        given=f"{value} in the trace, {plain} without",
        instead="isinstance(x, np.ndarray), isinstance(x, float) or np.ndim(x) == 0",
    )


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


def _value(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return the plain value of a function, ``None`` where it has none."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(f(*copy.deepcopy(list(args)), **copy.deepcopy(kwargs)))
    except Exception:  # whatever it is: the trace has gone through
        return None


def _agree(first: Any, second: Any) -> bool:
    if np.shape(first) != np.shape(second):
        return False
    return bool(np.allclose(first, second, rtol=1e-9, atol=0.0, equal_nan=True))


def _is_traced(value: Any) -> bool:
    return hasattr(type(value), "__array_function__") and not isinstance(value, np.ndarray)
