"""How a call prints: as NumPy source and as LaTeX, with brackets where they are needed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np


class Precedence(IntEnum):
    """How tightly a text holds together; a looser one inside a tighter needs brackets."""

    LOOSE = 0
    SUM = 1
    PRODUCT = 2
    UNARY = 3
    POWER = 4
    ATOM = 5


LOOSE, SUM, PRODUCT, UNARY, POWER, ATOM = Precedence


Printed = tuple[str, Precedence]
"""A text, and how tightly it holds together."""

Text = str | Callable[[Sequence[str], Mapping[str, Any]], str]
"""A pattern, or a function ``(arguments, keywords) -> text`` where a pattern cannot say it."""


class Template(NamedTuple):
    """How a call prints: ``#1``, ``#2`` stand for the arguments, as in a TeX macro.

    Parameters
    ----------
    text
        What is printed.
    precedence
        How tightly the printed text holds together.
    operands
        The precedence that each argument must have to go without brackets.  The
        last one counts for all further arguments.
    """

    text: Text
    precedence: Precedence = ATOM
    operands: tuple[Precedence, ...] = (LOOSE,)

    def fill(self, arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
        """Return the text with the printed ``arguments`` put in."""
        if callable(self.text):
            return self.text(arguments, keywords)
        return "".join(
            arguments[piece] if isinstance(piece, int) else piece for piece in _pieces(self.text)
        )

    def operand(self, position: int) -> Precedence:
        """Return the precedence that the argument at ``position`` must have."""
        return self.operands[min(position, len(self.operands) - 1)]


@lru_cache(maxsize=1024)
def _pieces(text: str) -> list[str | int]:
    """Return a text cut at its arguments, of which each is there by its position."""
    pieces: list[str | int] = list(re.split(r"#(\d)", text))
    pieces[1::2] = [int(number) - 1 for number in pieces[1::2]]
    return pieces


def infix(text: str, precedence: Precedence) -> Template:
    """Return the template of ``#1 sign #2``, read from the left."""
    return Template(text, precedence, (precedence, Precedence(precedence + 1)))


def latex_product(text: Text) -> Template:
    """Return the template of a product in LaTeX, where a second factor shows no bare sign."""
    return Template(text, PRODUCT, (PRODUCT, POWER))


def call_text(name: str, arguments: Iterable[str], keywords: Mapping[str, Any]) -> str:
    """Return an ordinary call, keywords included.

    >>> call_text("np.sum", ["x"], {"axis": 0})
    'np.sum(x, axis=0)'
    """
    named = (f"{key}={literal(value)}" for key, value in keywords.items())
    return f"{name}({', '.join([*arguments, *named])})"


def latex_name(name: str) -> str:
    r"""Return a function's name in LaTeX, ``\sin`` where LaTeX has a command for it."""
    escaped = name.replace("_", r"\_")
    return rf"\{name}" if name in _LATEX_COMMANDS else rf"\mathrm{{{escaped}}}"


def latex_call(name: str, arguments: Iterable[str], keywords: Mapping[str, Any]) -> str:
    r"""Return an ordinary call in LaTeX; its axis stands below, without which sums look alike.

    >>> print(latex_call(r"\mathrm{sum}", ["x"], {"axis": 0, "keepdims": True}))
    \mathrm{sum}_{\mathrm{axis}\,0}(x)
    """
    return f"{name}{latex_axis(keywords)}({', '.join(arguments)})"


def latex_axis(keywords: Mapping[str, Any]) -> str:
    """Return the axis, or the axes, of a call as an index in LaTeX; empty if it has none."""
    axis = keywords.get("axis")
    if axis is None:
        return ""
    axes = axis if isinstance(axis, tuple) else (axis,)
    which = [f"{{{each}}}" if each < 0 else str(each) for each in axes]
    kind = "axis" if len(axes) == 1 else "axes"
    return rf"_{{\mathrm{{{kind}}}\,{', '.join(which)}}}"


def array_name(array: np.ndarray[Any, Any], known: dict[Any, str]) -> str:
    r"""Return the name of an array of positions in LaTeX: a bold i for the first, then a j.

    >>> known = {}
    >>> [array_name(np.array(each), known) for each in ([0, 1], [2, 0], [0, 1])]
    ['\\mathbf{i}', '\\mathbf{j}', '\\mathbf{i}']
    """
    key = array.dtype.str, array.shape, array.tobytes()
    if key not in known:
        turn, letter = divmod(len(known), len(_INDICES))
        known[key] = rf"\mathbf{{{_INDICES[letter]}}}" + (f"_{{{turn}}}" if turn else "")
    return known[key]


_INDICES = "ijklmn"
_LATEX_COMMANDS = {
    *("arccos", "arcsin", "arctan", "cos", "cosh", "det", "exp"),
    *("log", "max", "min", "sin", "sinh", "tan", "tanh"),
}


class Source(str):
    """Source that stands for a value, and is printed as it is."""

    __slots__ = ()


def literal(value: Any) -> str:
    """Return Python source for a plain value: a number, an axis, a shape, an index.

    An array is made as the Array API has it, which other libraries follow.

    Raises
    ------
    TypeError
        For anything else, because printed code is built from known parts only.

    >>> literal((slice(None, 2), None, Ellipsis))
    '(slice(None, 2, None), None, ...)'
    """
    if isinstance(value, Source):
        return str(value)
    if value is Ellipsis:
        return "..."
    if isinstance(value, np.floating):
        value = float(value)
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return f"np.{value}".replace("np.-", "-np.")
    for kind in (bool, int, float, str):  # the repr of an IntEnum is no source
        if isinstance(value, kind):
            return kind.__repr__(value)
    if value is None:
        return "None"
    if isinstance(value, slice):
        return f"slice({literal(value.start)}, {literal(value.stop)}, {literal(value.step)})"
    if isinstance(value, tuple):
        items = ", ".join(map(literal, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, np.ndarray) and value.size == 0:
        return f"np.zeros({value.shape}, dtype=np.{value.dtype.name})"
    if isinstance(value, np.ndarray):
        return f"np.asarray({literal(value.tolist())}, dtype=np.{value.dtype.name})"
    raise TypeError(f"no source text for a {type(value).__name__}")


_READ_AT_ONCE = 12
"""A number of fewer digits is read as it stands."""
_LARGEST_NUMERATOR, _LARGEST_DENOMINATOR = 1000, 100_000


@lru_cache(maxsize=1024)
def quotient(number: float) -> tuple[int, int] | None:
    """Return the small whole numbers whose quotient is a number of many digits, to the last bit.

    >>> quotient(-2 / 150), quotient(0.25), quotient(2**0.5)
    ((-1, 75), None, None)
    """
    if len(repr(number)) < _READ_AT_ONCE or not math.isfinite(number):
        return None
    top, below = Fraction(number).limit_denominator(_LARGEST_DENOMINATOR).as_integer_ratio()
    is_small = 0 < abs(top) <= _LARGEST_NUMERATOR
    return (top, below) if is_small and top / below == number else None


def number_text(number: Any) -> str:
    """Return source for a number, as a quotient where that is what can be read.

    >>> number_text(2 / 150)
    '1 / 75'
    """
    found = quotient(number) if type(number) is float else None
    return literal(number) if found is None else f"{found[0]} / {found[1]}"


def typed(number: Any, dtype: Any) -> str:
    """Return source for a number of a NumPy type.

    >>> typed(1, np.dtype("float32"))
    'np.float32(1)'
    """
    return f"np.{np.dtype(dtype).name}({number_text(number)})"
