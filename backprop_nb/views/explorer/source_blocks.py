"""The learner's source beside the picture: the functions that made the nodes, each once."""

from __future__ import annotations

import io
import linecache
import textwrap
import tokenize
from collections.abc import Sequence

from backprop_nb.tracing import Node, Source
from backprop_nb.views.schema import CodeBlock, SourcePlace


def source_blocks(nodes: Sequence[Node]) -> tuple[list[CodeBlock], list[SourcePlace | None]]:
    """Return the blocks, the traced function first, and where each node's expression stands."""
    sources = [node.source for node in nodes]
    keys = list(dict.fromkeys((s.filename, s.block) for s in sources if s))
    blocks: list[CodeBlock] = []
    for filename, (first, last) in keys:
        text = "\n".join(_line(filename, number) for number in range(first, last + 1))
        lines = textwrap.dedent(text).split("\n")
        blocks.append({"first": first, "lines": lines, "comments": comments(lines)})
    places: list[SourcePlace | None] = []
    for source in sources:
        number = keys.index((source.filename, source.block)) if source else -1
        places.append(_place(source, number, blocks[number]) if source else None)
    return blocks, places


def _place(source: Source, number: int, block: CodeBlock) -> SourcePlace:
    start, end = (_inside(source.filename, place, block) for place in (source.start, source.end))
    return {"block": number, "start": start, "end": end}


def _inside(filename: str, place: tuple[int, int], block: CodeBlock) -> list[int]:
    """Return a line and column of a file as they are in a block, which has lost its indent."""
    line, column = place
    number = line - block["first"]
    cut = len(_line(filename, line)) - len(block["lines"][number])
    return [number, max(0, column - cut)]


def _line(filename: str, number: int) -> str:
    return linecache.getline(filename, number).rstrip("\n")


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
