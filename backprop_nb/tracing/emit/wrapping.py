"""Long lines of printed source as several, broken where a person would break them."""

from __future__ import annotations

import ast
import re
import textwrap
from bisect import bisect
from collections.abc import Iterator

WIDTH = 99

# A text, a bracket, or a space beside a comma or an operator; the rest stays together.
_MARKS = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[()\[\]{}]|(?<=,) | (?=[-+*/%@<>=!&|]+ )"""
)
# Not the sign that a text quotes.
_HEAD = re.compile(r"""return |[^'"]+? [-+]?= |(?=np\.add\.at\()""")
_RAISED = re.compile(r"""(raise \w+)\(((['"]).*\3)\)""")


def wrapped(line: str) -> str:
    """Return a statement, or a comment, in lines of at most ``WIDTH`` characters.

    What has no place to break at stays as long as it is.

    >>> print(wrapped("    total = " + " + ".join(f"a_long_name_{k}" for k in range(8))))
        total = (
            a_long_name_0 + a_long_name_1 + a_long_name_2 + a_long_name_3 + a_long_name_4
            + a_long_name_5 + a_long_name_6 + a_long_name_7
        )
    """
    if len(line) <= WIDTH:
        return line
    text = line.lstrip()
    indent = line[: len(line) - len(text)]
    if text.startswith("#"):
        return _comment(line, f"{indent}#     ")
    if raised := _RAISED.fullmatch(text):
        return indent + _in_pieces(ast.literal_eval(raised[2]), raised[1], indent)
    if text.startswith("if ") and text.endswith(":"):
        return indent + _condition(text[3:-1], indent) + ":"
    found = _HEAD.match(text)
    if found is None:
        return line
    head, rest = found[0], text[found.end() :]
    head = _targets(head, indent)
    begun = len(indent + head) if "\n" not in head else len(head) - head.rindex("\n") - 1
    if begun + len(rest) <= WIDTH:
        return indent + head + rest
    opening = _last_bracket(rest) if rest[-1:] in ")]}" else 0
    breaks = [space for space, depth in _breaks(rest[:opening]) if depth == 0]
    if rest[-1:] not in ")]}" or (breaks and head != "return ") or begun + opening >= WIDTH:
        return indent + _bracketed(f"({rest})", head, indent)
    return indent + _bracketed(rest[opening:], head + rest[:opening], indent)


def _targets(head: str, indent: str) -> str:
    """Return what is assigned to, and the sign, in several lines if it leaves no room.

    Several targets get brackets; an index has its own, and ``+=`` takes one target only.
    """
    target, _, sign = head[:-1].rpartition(" ")
    several = any(depth == 0 for _, depth in _breaks(target))
    if several and len(head) > WIDTH // 2:
        return f"{_bracketed(f'({target})', '', indent)} {sign} "
    if target.endswith("]") and len(indent + head) >= WIDTH:
        opening = _last_bracket(target)
        return f"{_bracketed(target[opening:], target[:opening], indent)} {sign} "
    return head


def _comment(line: str, indent: str) -> str:
    """Return a comment as ``textwrap.fill`` breaks it, in a fifth of its time."""
    lines = []
    while len(line) > WIDTH:
        cut = line.rfind(" ", len(indent), WIDTH + 1)
        if cut < 0:
            cut = line.find(" ", WIDTH)
        if cut < 0:
            break
        lines.append(line[:cut].rstrip())
        line = indent + line[cut:].lstrip()
    return "\n".join([*lines, line])


def _condition(text: str, indent: str) -> str:
    negated = text.startswith("not (") and _last_bracket(text) == len("not ")
    inner, before = (text[4:], "if not ") if negated else (f"({text})", "if ")
    return _bracketed(inner, before, indent)


def _in_pieces(text: str, before: str, indent: str) -> str:
    """Return a call with a text in several, which Python reads as one."""
    deeper = f"{indent}    "
    marks = len(repr(text)) - len(text)
    pieces = textwrap.wrap(
        text,
        WIDTH - len(deeper) - marks,
        expand_tabs=False,
        replace_whitespace=False,
        drop_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join([f"{before}(", *(f"{deeper}{piece!r}" for piece in pieces), f"{indent})"])


def _bracketed(text: str, before: str, indent: str) -> str:
    """Return what stands in brackets with the brackets on lines of their own."""
    deeper = f"{indent}    "
    inner = _filled(text[1:-1], deeper)
    return "\n".join([before + text[0], *inner, f"{indent}{text[-1]}"])


def _last_bracket(text: str) -> int:
    """Return where the bracket opens that closes at the end of the text."""
    opened: list[int] = []
    last = 0
    for found in _MARKS.finditer(text):
        if found[0] in "([{":
            opened.append(found.start())
        elif found[0] in ")]}":
            last = opened.pop()
    return last


def _breaks(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spaces where a line may end, and how many brackets are open there."""
    depth = 0
    for found in _MARKS.finditer(text):
        if found[0] == " ":
            yield found.start(), depth
        elif found[0] in "([{":
            depth += 1
        elif found[0] in ")]}":
            depth -= 1


def _filled(text: str, indent: str) -> Iterator[str]:
    """Yield full lines, broken outside of brackets, and inside where one is too long."""
    room = WIDTH - len(indent)
    breaks = [*_breaks(text)]
    # What is yet to be laid out, the last first: from where to where, its breaks, how deep.
    pending = [(0, len(text), breaks, 0)]
    while pending:
        start, end, within, depth = pending.pop()
        if end - start <= room or not within:
            yield indent + text[start:end]
            continue
        depth = max(depth, min(each for _, each in within))
        ends = [space for space, each in within if each == depth]
        lines = _full(start, [*ends, end], room)
        deeper = [each for each in within if each[1] > depth]
        places = [space for space, _ in deeper]
        for first, last in reversed(lines):
            inside = deeper[bisect(places, first) : bisect(places, last)]
            pending.append((first, last, inside, depth + 1))


def _full(start: int, ends: list[int], room: int) -> list[tuple[int, int]]:
    """Return from where to where each line goes that ends at some of the ends."""
    lines = []
    last = start
    for end in ends:
        if end - start > room and last > start:
            lines.append((start, last))
            start = last + 1
        last = end
    return [*lines, (start, last)]
