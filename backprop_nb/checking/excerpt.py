"""The lines of a student's code around the expressions that a report is about."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeGuard

from backprop_nb.tracing.source import Source

_WHOLE: Final = 18
"""A function of no more lines is shown whole."""
_ABOVE, _BELOW = 5, 6


class CodeLine(NamedTuple):
    """A line of code."""

    number: int
    """Its number in the file or cell, from 1."""
    text: str
    marks: tuple[tuple[int, int], ...] = ()
    """Where the marked expressions are: first column, and the one after the last."""
    starts: bool = False
    """Whether one of them begins here."""


def is_placed(source: str) -> TypeGuard[Source]:
    """Whether an expression knows the text that it stands in."""
    return isinstance(source, Source) and bool(source.around) and source.start[0] > 0


def placed_source(
    name: str, text: str, first: int, start: int, last: int, end: int, *block: int
) -> Source | None:
    r"""Return the expression at a place of a text; None if the text has no such place.

    Lines count from 1, columns from 0; ``block`` is the first and last line around it.

    >>> placed_source("cell 1", "a = 1\nb = a + 1", 2, 4, 2, 9, 1, 2)
    'a + 1'
    """
    rows = _lines(text)
    if not (1 <= first <= last <= len(rows) and start <= len(rows[first - 1])):
        return None
    rows = rows[first - 1 : last]
    if end > len(rows[-1]) or (first, start) >= (last, end):
        return None
    rows[-1] = rows[-1][:end]
    rows[0] = rows[0][start:]
    low, high = block
    return Source("\n".join(rows), name, (first, start), (last, end), (low, high), text)


def marked_lines(sources: Sequence[Source]) -> list[CodeLine]:
    """Return the lines that some expressions of one text stand in, in order."""
    texts = _lines(sources[0].around)
    numbers = sorted({line for each in sources for line in _spanned(each)})
    return [_code_line(texts, number, sources) for number in numbers if number <= len(texts)]


def function_lines(sources: Sequence[Source]) -> list[CodeLine | int]:
    """Return the function around some expressions, with a count in place of lines left out.

    Of a long one that is its first line and what is near the expressions.
    """
    texts = _lines(sources[0].around)
    first = min(min(each.block[0] or each.start[0], each.start[0]) for each in sources)
    last = min(max(max(each.block[1], each.end[0]) for each in sources), len(texts))
    near = set(range(first, last + 1))
    if len(near) > _WHOLE:
        spans = [_spanned(each) for each in sources]
        near &= {first}.union(*(range(s.start - _ABOVE, s.stop + _BELOW) for s in spans))
    shown: list[CodeLine | int] = []
    for number in range(first, last + 1):
        lonely = {number - 1, number + 1} <= near  # a word on it would take as much room
        if number in near or lonely:
            shown.append(_code_line(texts, number, sources))
        elif shown and isinstance(shown[-1], int):
            shown[-1] += 1
        else:
            shown.append(1)
    return shown


def caret_lines(sources: Sequence[Source]) -> Iterator[str]:
    r"""Yield the lines of some expressions of one text, each with carets below them.

    Examples
    --------
    >>> source = Source("b + 1", "", (2, 8), (2, 13), (1, 2), "def f(b):\n    a = b + 1")
    >>> print(*caret_lines([source]), sep="\n")
      2 |     a = b + 1
                  ^^^^^
    """
    lines = marked_lines(sources) if sources else []
    width = max((len(str(each.number)) for each in lines), default=0)
    for each in lines:
        yield f"  {each.number:>{width}} | {each.text}".rstrip()
        below = "".join(
            ("^" if any(start <= k < end for start, end in each.marks) else _blank(character))
            * _columns(character)
            for k, character in enumerate(each.text)
        )
        if below.strip():
            yield f"  {'':>{width}}   {below}".rstrip()


def _lines(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)  # splitlines() splits at a form feed, too


def _spanned(source: Source) -> range:
    return range(source.start[0], source.end[0] + 1)


def _code_line(texts: Sequence[str], number: int, sources: Sequence[Source]) -> CodeLine:
    text = texts[number - 1]
    marks = sorted({_mark(text, number, each) for each in sources if number in _spanned(each)})
    starts = any(number == each.start[0] for each in sources)
    return CodeLine(number, text, tuple(mark for mark in marks if mark[0] < mark[1]), starts)


def _mark(text: str, number: int, source: Source) -> tuple[int, int]:
    """Return the columns of an expression in one of its lines, without the space around it."""
    start = source.start[1] if number == source.start[0] else len(text) - len(text.lstrip())
    end = source.end[1] if number == source.end[0] else len(text.rstrip())
    return start, end


def _columns(character: str) -> int:
    """Return how many columns a character takes on a terminal."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "FW" else 1


def _blank(character: str) -> str:
    return character if character == "\t" else " "
