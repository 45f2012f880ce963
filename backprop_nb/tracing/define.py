"""``define_rule``: teach the tracer a function of your own, or one of NumPy's that it lacks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from backprop_nb.errors import InvalidValueError
from backprop_nb.tracing.rules import TABLE, Form, Row
from backprop_nb.tracing.rules.row import call, dispatched


def define_rule(function: Callable[..., Any], *vjps: Callable[..., Any] | None) -> Any:
    """Make ``function`` one node of a trace, with the given rules.

    Parameters
    ----------
    function
        A function of arrays in plain NumPy, or a function of NumPy itself.
    *vjps
        For each array argument its vector-Jacobian product ``(g, ans, *args)``
        in plain NumPy: ``g`` is the adjoint of the result, ``ans`` the result.
        ``None`` for an argument through which no gradient flows.  Parameters
        beyond these are options and are passed on by name.

    Returns
    -------
    function
        The function to call from now on, in traced code and elsewhere.  For
        NumPy's own functions that is the function itself.

    Raises
    ------
    InvalidValueError
        If the function has a rule already, or there is no rule for any argument.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> def softplus(x):
    ...     return np.logaddexp(0.0, x)
    >>> softplus = bp.define_rule(softplus, lambda g, ans, x: g * bp.sigmoid(x))
    >>> bp.trace(softplus, 0.0).backward().gradients
    (np.float64(0.5),)
    """
    name = getattr(function, "__name__", type(function).__name__)
    if function in TABLE:
        raise InvalidValueError(f"{name} has a rule already.", instead="use it as it is")
    if not any(vjps):
        raise InvalidValueError(
            f"There is no rule for any argument of {name}.",
            expected="one function (g, ans, *args) for each array argument",
            instead=f"define_rule({name}, lambda g, ans, x: g * …)",
        )
    if not name.isidentifier():
        raise InvalidValueError(
            "A function with a rule needs a name, so that the backward pass can be printed.",
            given=repr(name),
            instead="write it with def",
        )
    numpy = (getattr(function, "__module__", None) or "").startswith("numpy")
    known = function if numpy else dispatched(function)
    TABLE[known] = Row(
        known,
        vjps,
        numpy=call(f"np.{name}" if numpy else name),
        latex=_latex_call(name),
        symbol=name if len(name) <= 7 else f"{name[:6]}…",
        signature=_signature(function),
        brings_source=not numpy,
    )
    return known


def _latex_call(name: str) -> Form:
    escaped = name.replace("_", r"\_")
    return Form(lambda arguments, keywords: rf"\mathrm{{{escaped}}}({', '.join(arguments)})")


def _signature(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the parameters, as far as Python knows them."""
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some functions written in C have no signature
        return ()
