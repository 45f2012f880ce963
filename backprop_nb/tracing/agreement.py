"""Whether a function that asks what x is gives the value that it gives without a tracer.

``isinstance`` is told what a traced value stands for; ``type`` cannot be, and a traced
number has the methods of an array.  A function that asks so, which few do, is computed
once more on plain arguments.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop_nb.errors import UnsupportedError
from backprop_nb.tracing import pytree

_ASKING = frozenset({"type", "hasattr", "Iterable", "Sized", "Container", "Collection"})


def check_agreement(
    f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], value: Any
) -> None:
    """Refuse a function of which the trace has another value than the function itself.

    Only what asks is computed again.  What is another value every time, such as
    one with random numbers in it, says nothing.
    """
    code = getattr(inspect.unwrap(f), "__code__", None)
    if code is None or _ASKING.isdisjoint(code.co_names):
        return
    if any(_is_traced(each) for each in (value, *pytree.flatten([list(args), kwargs]))):
        return
    plain = _value(f, args, kwargs)
    if plain is None or _agree(plain, value):
        return
    again = _value(f, args, kwargs)
    if again is None or not _agree(plain, again):
        return
    raise UnsupportedError(
        f"{code.co_name} gives another value when it is traced: it asks what x is, "
        "and of a traced value the answer is another one.",
        given=f"{value} in the trace, {plain} without",
        instead="isinstance(x, np.ndarray), isinstance(x, float) or np.ndim(x) == 0",
    )


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
