"""The source beside the picture: the functions that made the nodes, each once."""

from __future__ import annotations

import io
import tokenize
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise, takewhile
from operator import itemgetter

from backprop_nb.errors import PACKAGE
from backprop_nb.tracing import Node
from backprop_nb.views.explorer.schema import CodeBlock, CodePart

_Place = tuple[int, tuple[int, int], tuple[int, int]]
"""A node, and where its expression begins and ends: line from 1, column from 0."""
_Depth = tuple[int, int, int, int]


def source_blocks(nodes: Sequence[Node]) -> list[CodeBlock]:
    """Return the functions that made nodes, in the order of the first node of each.

    Each line is cut where expressions begin and end, so that every part of it knows
    whose expressions it belongs to.
    """
    by_block: dict[tuple[str, str, tuple[int, int]], list[_Place]] = {}
    for node in nodes:
        if source := node.source:
            block = (source.filename, source.around, source.block)
            by_block.setdefault(block, []).append((node.index, source.start, source.end))
    return [
        {
            "first": first,
            "own": not filename.startswith(PACKAGE),
            "lines": cut_lines(around.split("\n")[first - 1 : last], first, places),
        }
        for (filename, around, (first, last)), places in by_block.items()
    ]


def cut_lines(lines: Sequence[str], first: int, places: Sequence[_Place]) -> list[list[CodePart]]:
    """Return each line, the first of which has a given number, cut at expressions."""
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    begins = dict(comments([line[margin:] for line in lines]))
    on_line: list[list[_Place]] = [[] for _ in lines]
    for place in places:
        _, (top, _), (bottom, _) = place
        for here in on_line[max(0, top - first) : bottom + 1 - first]:
            here.append(place)
    return [
        _parts(line, margin, line[: begins.get(k, len(line)) + margin].rstrip(), first + k, here)
        for k, (line, here) in enumerate(zip(lines, on_line, strict=True))
    ]


def _parts(
    line: str, margin: int, code: str, number: int, places: Sequence[_Place]
) -> list[CodePart]:
    """Cut one line; a comment at its end belongs to no expression."""
    indent = len(line) - len(line.lstrip())
    spans: list[tuple[_Depth, int, int, int]] = []
    for index, (top, left), (bottom, right) in places:
        begin = max(margin, left if number == top else indent)
        end = min(len(line), right if number == bottom else len(code))
        # Of expressions around one place the innermost begins last; of those, it ends first.
        if begin < end:
            spans.append(((-top, -left, bottom, right), index, begin, end))
    spans.sort(key=itemgetter(0))
    begins: dict[int, list[int]] = defaultdict(list)
    ends: dict[int, list[int]] = defaultdict(list)
    for k, (_, _, begin, end) in enumerate(spans):
        begins[begin].append(k)
        ends[end].append(k)
    parts: list[CodePart] = []
    around: list[int] = []
    for start, stop in pairwise(sorted({margin, max(margin, len(line)), *begins, *ends})):
        for k in ends[start]:
            del around[bisect_left(around, k)]
        for k in begins[start]:
            insort(around, k)
        covering = [spans[k][1] for k in around]
        innermost = takewhile(lambda k: spans[k][0] == spans[around[0]][0], around)
        inner = covering[: sum(1 for _ in innermost)]
        parts.append({"text": line[start:stop], "inner": inner, "nodes": covering})
    return parts


def comments(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Return where comments begin in source: line and column, both from 0.

    >>> comments(["x = (  # the sum", "    'no # comment')"])
    [(0, 7)]
    """
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline))
    except (tokenize.TokenError, SyntaxError):  # a part of a source may be none by itself
        return []
    begins = [token.start for token in tokens if token.type == tokenize.COMMENT]
    return [(line - 1, column) for line, column in begins]
