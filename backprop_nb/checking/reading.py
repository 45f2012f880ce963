"""What a learner writes as an answer, read as a text, some texts, or numbers."""

from __future__ import annotations

import ast
import math
import operator
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

_SIGNS = str.maketrans({"−": "-", "–": "-", "×": "x", "_": " "})
_ASIDE = re.compile(
    r"(?<=[a-z]{2})-(?=[a-z]{2})"  # held-out
    r"|^(?:(?:about|only|the|an?)\s+)+(?=\w)"
    r"|(?<=\w)\[(?=\d\])|(?<=\[\d)\]"  # dA[1] and dA1
    r"|(?<=^[a-z])\)$"  # b)
    r"|\s+"
)
"""What makes no difference between two short texts."""
_BETWEEN = (",", ";", "&", "/", r"\+", r"\band\b", r"\bor\b", r"\s")
"""What stands between the texts of a list, unless it stands in one of the right ones."""
_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], Any]] = {
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_FACTORS = re.compile(r"[,;x×]|\band\b|\bby\b")
"""What stands between numbers: (2, 3), and 2 x 3."""
_IN_PYTHON = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "^": "**", "⁄": "/"})
_FRACTION = re.compile("[¼-¾⅐-⅞]")
_BETWEEN_THOUSANDS = re.compile(r"(?<=\d)[\s_](?=\d{3}(?!\d))")
"""What stands in 1 000 and in 1_000, but not in 1 1/2."""
_PER_CENT = re.compile(r"%(?=\s*(?:$|\)|/|\*(?!\*)))")
"""The sign behind a number, and not the operator in 5 % 2; nor is a share raised to a power."""
_TWO_READINGS = re.compile(r"(?<![\d.,])([1-9]\d{0,2}),(\d{3})(?![\d.,])")
"""A thousand with an English comma, or a number with three digits behind a German one."""
_WORDS = {
    **dict.fromkeys(["minus", "negative", "subtract"], "-"),
    **dict.fromkeys(["plus", "positive", "add"], "+"),
    **dict.fromkeys(["true", "y"], "yes"),
    **dict.fromkeys(["false", "n"], "no"),
}
"""What people write for short answers."""


def as_text(given: Any) -> str | None:
    """Return a short answer without what makes no difference; None if it is no text.

    >>> as_text("(b)"), as_text("Held-out."), as_text(["d_A[1]"]), as_text(16), as_text(True)
    ('b', 'heldout', 'da1', '16', 'yes')
    """
    if isinstance(given, list | tuple) and len(given) == 1:
        given = given[0]
    if isinstance(given, int | float | np.number | np.bool_) and not np.iscomplexobj(given):
        given = str(given) if isinstance(given, bool | np.bool_) else f"{given:g}"
    if not isinstance(given, str):
        return None
    text = _ASIDE.sub("", _bare(given.translate(_SIGNS).casefold()))
    return _WORDS.get(text, text)


def _bare(text: str) -> str:
    """Return a text without marks around it, and without brackets around all of it."""
    text = text.strip(" \t\n\"'`").rstrip(". \"'`")
    return _bare(text[1:-1]) if text[:1] in set("([{") and text[-1:] in set(")]}") else text


def as_set(given: Any, expected: Sequence[Any]) -> set[str | None]:
    """Return the texts of a list, however they are separated; none of what is no list."""
    marks = [mark for mark in _BETWEEN if not any(re.search(mark, each) for each in expected)]
    between = re.compile("|".join(marks) or "(?!)", re.IGNORECASE)
    entries = [_bare(given)] if isinstance(given, str) else given
    try:
        texts = (between.split(each) if isinstance(each, str) else [each] for each in entries)
        return {as_text(each) for each in chain.from_iterable(texts) if each != ""}
    except TypeError:
        return set()


def as_numbers(given: Any, shape: tuple[int, ...]) -> Any:
    """Return an answer as floats of a shape; None if it is none."""
    try:
        if isinstance(given, str):
            given = given.strip().removesuffix(".")
            # 0,5 is one half where one number is asked for
            one = given.strip("[] ").replace(",", ".")
            parts = _FACTORS.split(given.strip("()[] ")) if shape else [one]
            given = [_as_number(each.strip()) for each in parts]
        elif isinstance(given, list | tuple):
            given = [_as_number(each) if isinstance(each, str) else each for each in given]
        array = np.asarray(float(given) if type(given) is int else given)  # 2**64 is a number
        if array.dtype.kind not in "iuf" or array.size != np.prod(shape, dtype=int):
            return None
        return array.astype(float).reshape(shape)
    except Exception:  # whatever a learner writes there
        return None


def two_readings(text: str) -> tuple[str, ...]:
    """Return both numbers that a text with a comma may stand for; none where it is plain.

    The second, with a decimal comma, is what it is read as.

    >>> two_readings("1,000"), two_readings("0,125")
    (('1000', '1.000'), ())
    """
    found = _TWO_READINGS.search(text)
    return (f"{found[1]}{found[2]}", f"{found[1]}.{found[2]}") if found else ()


def _as_number(text: str) -> float:
    """Return a number as it is written; ``parseNumber`` in the explorer's answers.mjs does too.

    >>> _as_number("1 / 4"), _as_number("−2.5 %"), _as_number("(1/4)^2"), _as_number("3/4^2")
    (0.25, -0.025, 0.0625, 0.1875)
    """
    written = _FRACTION.sub(lambda sign: f"({unicodedata.normalize('NFKC', sign[0])})", text)
    written = _PER_CENT.sub("/100", _BETWEEN_THOUSANDS.sub("", written)).translate(_IN_PYTHON)
    if not re.fullmatch(r"[0-9eE.+*/()\s-]*", written):  # 0x10 and 10_00 are Python's
        raise ValueError("no number")
    written = re.sub(r"(?<![\d.])0+(?=\d)", "", written)  # 07, which Python refuses
    number = _computed(ast.parse(written.strip(), mode="eval").body)
    if not math.isfinite(number):  # 1e999
        raise ValueError("no number")
    return number


def _computed(node: ast.expr) -> float:
    """Return the value of a product, a quotient or a power of numbers, or raise."""
    match node:
        case ast.Constant(value=int() | float() as number) if type(number) is not bool:
            return float(number)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
            return -_computed(operand) if isinstance(op, ast.USub) else _computed(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return float(_OPERATORS[type(op)](_computed(left), _computed(right)))
    raise ValueError("no number")
