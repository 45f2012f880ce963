"""Numbers, matrices and tables as the chain and the document show them: text and Markdown."""

from __future__ import annotations

import html
import math
import re
import textwrap
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from backprop_nb import display
from backprop_nb.network.validation import FloatArray

ROWS, COLUMNS = 6, 8
"""How much of a matrix is shown; the rest is an ellipsis."""

Cells: TypeAlias = Sequence[Sequence[str]]
"""A table row by row, the head first."""

# --- tables -----------------------------------------------------------------


def text_table(rows: Cells, align: str) -> str:
    """Return rows of cells as aligned lines, the head first; `align` is < or > for each column.

    Columns that a cell of a notebook has no room for follow as a table below, which begins with
    the first column again.

    >>> print(text_table([("factor", "entries"), ("∂L/∂f_2", "2")], "<>"))
    factor   entries
    ∂L/∂f_2        2
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    parts, room = [[0]], display.WIDTH - widths[0]
    for column, width in enumerate(widths[1:], start=1):
        if width + 2 > room and len(parts[-1]) > 1:
            parts.append([0])
            room = display.WIDTH - widths[0]
        parts[-1].append(column)
        room -= width + 2
    return "\n\n".join(
        "\n".join(
            "  ".join(f"{row[k]:{align[k]}{widths[k]}}" for k in part).rstrip() for row in rows
        )
        for part in parts
    )


def markdown_table(rows: Cells, align: str) -> str:
    """Return rows of cells as a Markdown table; the cells are Markdown already.

    >>> print(markdown_table([("factor", "entries"), ("$x$", "2")], "<>"))
    | factor | entries |
    | :-- | --: |
    | $x$ | 2 |
    """
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    rule = "| " + " | ".join({"<": ":--", ">": "--:"}[side] for side in align) + " |"
    return "\n".join([head, rule, *body])


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no end of a cell.

    >>> escaped("a < b | *c*")
    'a &lt; b &#124; &#42;c&#42;'
    """
    text = html.escape(text, quote=False)
    for mark in "|*_`$[]\\":
        text = text.replace(mark, f"&#{ord(mark)};")
    return text


_NAME = r"[A-Za-zθ]_(?:\{[\w+−]+\}|\w+)"
_SYMBOL = rf"(?<![\w.])(∂(?:{_NAME}|\w)/∂(?:{_NAME}|\w)|{_NAME})"


def prose(text: str) -> str:
    r"""Return a sentence as Markdown: its symbols as formulas, the rest as it is.

    >>> print(prose("The last is ∂f_1/∂θ_0, in A[0] * 2 numbers."))
    The last is $\partial f_{1}/\partial \theta_{0}$, in A&#91;0&#93; &#42; 2 numbers.
    """
    parts = re.split(_SYMBOL, text)
    return "".join(_symbol_latex(p) if k % 2 else escaped(p) for k, p in enumerate(parts))


def _symbol_latex(symbol: str) -> str:
    indexed = re.sub(r"_(\w+)", r"_{\1}", symbol)
    for character, command in {"∂": r"\partial ", "θ": r"\theta", "−": "-"}.items():
        indexed = indexed.replace(character, command)
    return f"${indexed}$"


def wrapped(text: str, indent: str = "") -> str:
    """Return a paragraph in lines of a comfortable length.

    >>> print(wrapped("one row times one matrix", indent="  "))
      one row times one matrix
    """
    return textwrap.fill(text, 88, initial_indent=indent, subsequent_indent=indent)


# --- numbers ----------------------------------------------------------------


def residual_text(residual: float, dtype: DTypeLike) -> str:
    """Return a residual in three digits, or the bound that rounding stays below.

    Rounding differs from one machine to the next, so its digits are not shown.

    >>> residual_text(3e-17, np.float64), residual_text(3e-8, np.float32)
    ('< 1e-12', '< 1e-4')
    >>> residual_text(0.18712, np.float64)
    '0.187'
    """
    power = math.ceil(math.log10(512 * float(np.finfo(np.dtype(dtype)).eps)))
    return f"< 1e{power}" if residual < 10.0**power else f"{residual:.3g}"


def number_text(value: float) -> str:
    """Return a number in four digits, zero without a sign.

    >>> number_text(-0.0), number_text(2 / 3)
    ('0', '0.6667')
    """
    return f"{value + 0.0:.4g}"


def matrix_text(array: FloatArray) -> str:
    """Return a vector or a matrix as lines, one for each row of it.

    >>> print(matrix_text(np.array([[0.5, -1.0], [0.0, 10.0]])))
    [0.5  -1]
    [  0  10]
    """
    cells = _cells(array, "…", "…")
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (zip(row, widths, strict=True) for row in cells)
    return "\n".join("[" + "  ".join(f"{c:>{w}}" for c, w in line) + "]" for line in lines)


def matrix_latex(array: FloatArray) -> str:
    r"""Return a vector or a matrix as LaTeX.

    >>> print(matrix_latex(np.array([[0.5, 1e-7]])))
    \begin{bmatrix} 0.5 & 1 \cdot 10^{-7} \end{bmatrix}
    """
    cells = [[_power_of_ten(c) for c in row] for row in _cells(array, r"\cdots", r"\vdots")]
    rows = r" \\ ".join(" & ".join(row) for row in cells)
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"


def _cells(array: FloatArray, across: str, down: str) -> list[list[str]]:
    """Return the numbers as text, row by row; an ellipsis stands for what there is no room for."""
    table: Any = np.atleast_2d(array)
    cells = [
        [number_text(value) for value in row[:COLUMNS]] + [across] * (len(row) > COLUMNS)
        for row in table[:ROWS].tolist()
    ]
    return cells + [[down] * len(cells[0])] * (len(table) > ROWS)


def _power_of_ten(text: str) -> str:
    mantissa, e, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e else text
