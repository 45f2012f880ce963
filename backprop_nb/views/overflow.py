"""What is said of a network whose numbers are too large for their type."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop_nb.errors import InvalidValueError
from backprop_nb.network import Gradient, Network
from backprop_nb.network.passes import Forward
from backprop_nb.views.numbers import long, subscript

quietly = partial(np.errstate, over="ignore", invalid="ignore")
"""In here NumPy does not warn: the view says in words what was too large."""


def too_large(net: Network, forward: Forward, loss: float, gradient: Gradient) -> str:
    """Return which quantities, each the first of its pass, are not finite; "" if all are.

    >>> net = Network((1, 1), output="identity")
    >>> net.A = [np.array([[1e300]])]
    >>> with quietly():
    ...     passes = net.forward([1e7]), net.loss([1e7], [0.0]), net.backward([1e7], [0.0])
    >>> print(too_large(net, *passes)[:60])
    Too large for a float64 (beyond 1.798e308): L and ∂L/∂A₀. Wh
    """
    layers = range(1, net.K + 1)
    found = [f"z{subscript(i)}" for i in layers if not _finite(forward.z[i])][:1]
    if not found:  # or nothing behind it is a surprise
        backward = [
            (f"{symbol}{subscript(index)}", array)
            for i in reversed(layers)
            for symbol, index, array in (
                ("δ", i, gradient.delta[i]),
                ("∂L/∂A", i - 1, gradient.A[i - 1]),
            )
        ]
        found = ["L"] if not _finite(loss) else []
        found += [name for name, array in backward if not _finite(array)][:1]
    if not found:
        return ""
    kind = np.result_type(*gradient.A)
    return (
        f"Too large for a {kind} (beyond {long(float(np.finfo(kind).max))}): "
        f"{' and '.join(found)}. What follows from it can be ∞, or NaN, as ∞ − ∞ is."
    )


def must_be_finite(net: Network, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> None:
    """Refuse NaN and infinity where they are given, which no arithmetic has made.

    Raises ``InvalidValueError``, which says what argument holds one.
    """
    given = [("A weight or a bias of `net`", array) for array in (*net.A, *net.b)]
    for what, array in [*given, ("A number in `x`", x), ("A number in `y`", y)]:
        if not _finite(array):
            raise InvalidValueError(
                f"{what} is NaN or infinite: there is no gradient to be seen.",
                given=f"{array[~np.isfinite(array)][0]}",
                expected="finite numbers",
            )


def _finite(array: ArrayLike) -> bool:
    return bool(np.isfinite(array).all())
