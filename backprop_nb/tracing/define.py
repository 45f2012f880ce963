"""``define_rule``: teach the tracer a function of your own, or one of NumPy's that it lacks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from backprop_nb.errors import InvalidValueError
from backprop_nb.tracing.rules import row_of
from backprop_nb.tracing.rules.row import dispatched, parameters_of, row


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
        The function to call from now on, in traced code and elsewhere.  It
        carries the rule; ``function`` itself is as before.

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
    for each in (function, *vjps):
        if each is not None and not callable(each):
            raise InvalidValueError(
                "A rule must be a function.",
                given=repr(each),
                expected="a function, and one (g, ans, *args) for each of its array arguments",
            )
    name = getattr(function, "__name__", type(function).__name__)
    if row_of(function) is not None:
        raise InvalidValueError(f"{name} has a rule already.", instead="use it as it is")
    if not any(vjps):
        raise InvalidValueError(
            f"`define_rule` needs a rule for at least one argument of {name}.",
            expected="one function (g, ans, *args) for each array argument",
            instead=f"define_rule({name}, lambda g, ans, x: g * …)",
        )
    if not name.isidentifier():
        raise InvalidValueError(
            "A function with a rule needs a name, so that the backward pass can be printed.",
            given=repr(name),
            instead="write it with def",
        )
    for vjp in filter(None, vjps):
        _check_takes(vjp, len(vjps), list(parameters_of(function)))
    known: Any = dispatched(function)
    known.__row__ = row(known, *vjps)
    return known


def _check_takes(vjp: Callable[..., Any], count: int, names: Sequence[str]) -> None:
    """Refuse a rule that cannot be called as the reverse pass will call it.

    Raises
    ------
    InvalidValueError
        If it does not take the adjoint, the result and ``count`` arguments.
    """
    try:
        taken = inspect.signature(vjp)
    except (TypeError, ValueError):  # some functions written in C have no signature
        return
    options = {name: None for name in names[count:] if name in taken.parameters}
    try:
        taken.bind(*[None] * (2 + count), **options)
    except TypeError:
        arguments = [*names[:count], *(f"x{k}" for k in range(len(names), count))]
        wanted = ", ".join(["g", "ans", *arguments, *(f"{name}=…" for name in options)])
        raise InvalidValueError(
            "A rule cannot be called with the adjoint, the result and the arguments.",
            given=f"a rule {taken}",
            expected=f"a rule ({wanted})",
        ) from None
