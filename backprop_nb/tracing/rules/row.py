"""What one row of the rule table says, and the two helpers that rows share.

A row answers five questions about one NumPy function: how it is computed, how
it prints (as NumPy and as LaTeX), how a cotangent flows back through it, at
which points its slope deserves a remark, and from which numbers its test may
draw.  Nothing else in the package knows any of this, so a new function is one
new row.

Every vector-Jacobian product is plain NumPy on ``(g, ans, *args, **kwargs)``,
in that order: ``g`` is the adjoint of the result, ``ans`` the result, and the
rest is what the function was called with.  Plain NumPy can be traced, which is
how the backward pass prints itself.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

Vjp = Callable[..., Any]
"""A vector-Jacobian product ``(g, ans, *args, **kwargs) -> gradient of one argument``."""


class Binding(IntEnum):
    """How tightly an expression holds together; a looser one inside a tighter needs brackets."""

    LOOSE = 0
    SUM = 1
    PRODUCT = 2
    UNARY = 3
    POWER = 4
    ATOM = 5


@dataclass(frozen=True, slots=True)
class Form:
    """How a call prints: ``#1``, ``#2`` stand for the arguments, as in a TeX macro.

    Parameters
    ----------
    text
        The pattern, or a function ``(arguments, keywords) -> text`` where a
        pattern cannot say it.
    binding
        How tightly the printed text holds together.
    needs
        The binding that each argument must have to go without brackets.  The
        last one counts for all further arguments.
    """

    text: str | Callable[[Sequence[str], Mapping[str, Any]], str]
    binding: Binding = Binding.ATOM
    needs: tuple[Binding, ...] = (Binding.LOOSE,)

    def fill(self, arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
        """Return the text with the printed ``arguments`` put in."""
        if callable(self.text):
            return self.text(arguments, keywords)
        return re.sub(r"#(\d)", lambda m: arguments[int(m[1]) - 1], self.text)

    def need(self, position: int) -> Binding:
        """Return the binding that the argument at ``position`` must have."""
        return self.needs[min(position, len(self.needs) - 1)]


SATURATED = 0.2
"""An entry whose slope is below this share of the largest slope is saturated."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reader is told about a call at certain points, such as a kink.

    Parameters
    ----------
    kind
        ``"kink"``, ``"tie"`` or ``"saturated"``.
    at
        Where it applies: ``(ans, *args, **options) -> booleans``, called with
        what a vector-Jacobian product gets, ``g`` left out.
    says
        The convention that the rule follows there, in one sentence.  ``{0}`` and
        ``{1}`` stand for the arguments, ``{places}`` for how many of how many.
    """

    kind: str
    at: Callable[..., Any]
    says: str


def saturated(vjp: Vjp, largest: float) -> Remark:
    """Return the remark of a function that flattens out and whose slope is ``largest`` at most."""
    return Remark(
        "saturated",
        lambda ans, x: vjp(1.0, ans, x) < SATURATED * largest,
        "the slope is below a fifth of its maximum{places}, so hardly any gradient passes",
    )


Interval = tuple[float, float]

REAL: Interval = (-2.0, 2.0)
POSITIVE: Interval = (0.5, 3.0)


@dataclass(frozen=True, slots=True)
class Row:
    """One NumPy function: computed, printed, reversed, tested.

    Parameters
    ----------
    function
        The function itself; calling it is how the row is computed.
    vjps
        One vector-Jacobian product for each array argument, in order; ``None``
        for an argument that carries no gradient, such as a condition.
    numpy, latex
        How a call prints in the two notations.
    symbol
        The few characters that a card in the picture has room for.
    latex_with_number
        The LaTeX form when one of the arguments is a number, if that differs.
    signature
        Names of all positional parameters, so that ``np.sum(x, 0)`` and
        ``np.sum(x, axis=0)`` are recorded alike.
    domain
        For each array argument the interval from which tests draw.
    view
        Whether NumPy may return a view of the first argument; writing into
        either would then change both.
    brings_source
        Whether NumPy lacks the function, so that printed code carries its source.
    bind, compute
        For a function whose arrays do not stand one by one (``np.stack([x, y])``,
        ``np.einsum("ij,j", A, x)``): ``bind(*args, **kwargs)``, called as the
        function is, gives the list of arrays and a dict of everything else, and
        ``compute(*arrays, **options)`` is the function on those.
    each
        For a row with any number of arrays: one rule for all of them,
        ``(position, g, ans, *arrays, **options)``; ``vjps`` is empty then.
    pieces
        For a function that returns a list: how many pieces a call gives,
        ``pieces(*arrays, **options)``.  ``compute`` receives ``piece=k``.
    gather
        What the function returns its pieces in.
    remarks
        The points where the slope follows a convention, or hardly exists.
    """

    function: Callable[..., Any]
    vjps: tuple[Vjp | None, ...]
    numpy: Form
    latex: Form
    symbol: str
    latex_with_number: Form | None = None
    signature: tuple[str, ...] = ()
    domain: tuple[Interval, ...] = (REAL,)
    view: bool = False
    brings_source: bool = False
    bind: Callable[..., tuple[list[Any], dict[str, Any]]] | None = None
    compute: Callable[..., Any] | None = None
    each: Vjp | None = None
    pieces: Callable[..., int] | None = None
    gather: Callable[[list[Any]], Any] = list
    remarks: tuple[Remark, ...] = ()

    @property
    def name(self) -> str:
        """The function's NumPy name, such as ``"add"``."""
        return str(self.function.__name__)

    @property
    def call(self) -> Callable[..., Any]:
        """What computes the row from its operands and options."""
        return self.compute or self.function

    def vjp(self, position: int) -> Vjp | None:
        """Return the rule of the argument at ``position``; ``None`` where nothing flows."""
        if self.each is not None:
            return functools.partial(self.each, position)
        return self.vjps[position]


def call(name: str, *positional: str) -> Form:
    """Return the form of an ordinary function call, keywords included.

    Keywords that are named in ``positional`` print without their name.

    >>> call("np.sum").fill(["x"], {"axis": 0})
    'np.sum(x, axis=0)'
    """

    def fill(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
        first = [literal(keywords[key]) for key in positional]
        named = [
            f"{key}={literal(value)}" for key, value in keywords.items() if key not in positional
        ]
        return f"{name}({', '.join([*arguments, *first, *named])})"

    return Form(fill)


def literal(value: Any) -> str:
    """Return Python source for a plain value: a number, an axis, a shape, an index.

    Raises
    ------
    TypeError
        For anything else, because printed code is built from known pieces only.

    >>> literal((slice(None, 2), None, Ellipsis))
    '(slice(None, 2, None), None, ...)'
    """
    if value is Ellipsis:
        return "..."
    if isinstance(value, np.floating):
        value = float(value)
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return f"np.{value}".replace("np.-", "-np.")
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, slice):
        return f"slice({literal(value.start)}, {literal(value.stop)}, {literal(value.step)})"
    if isinstance(value, tuple):
        items = ", ".join(map(literal, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, np.ndarray) and value.size == 0:
        return f"np.zeros({value.shape}, dtype={value.dtype.name!r})"
    if isinstance(value, np.ndarray):
        return f"np.array({literal(value.tolist())}, dtype={value.dtype.name!r})"
    raise TypeError(f"no source text for a {type(value).__name__}")


def typed(number: Any, dtype: Any) -> str:
    """Return source for a number of a NumPy type.

    >>> typed(1, np.dtype("float32"))
    'np.float32(1)'
    """
    return f"np.{np.dtype(dtype).name}({literal(number)})"


def dispatched(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``function`` honour ``__array_function__`` as NumPy's own functions do.

    A traced array then sees the call as one node.  Arrays and numbers take the
    short way straight into ``function``.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for arg in (*args, *kwargs.values()):
            if not isinstance(arg, np.ndarray | np.generic | float | int):
                handler = getattr(type(arg), "__array_function__", None)
                if handler is not None:
                    return handler(arg, wrapper, (type(arg),), args, kwargs)
        return function(*args, **kwargs)

    return wrapper


def unbroadcast(g: Any, like: Any) -> Any:
    """Sum ``g`` down to the shape of ``like``: the transpose of broadcasting.

    Where NumPy stretched an argument, one entry was used many times, so the
    gradients of all its uses add up.

    >>> unbroadcast(np.ones((2, 3)), np.zeros((3,)))
    array([2., 2., 2.])
    """
    shape: tuple[int, ...] = like.shape
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    if extra:
        g = np.sum(g, axis=0 if extra == 1 else tuple(range(extra)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    if stretched:
        g = np.sum(g, axis=stretched[0] if len(stretched) == 1 else stretched, keepdims=True)
    return g
