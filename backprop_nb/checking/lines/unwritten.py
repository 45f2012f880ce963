"""A frame to be filled in: the dots ``...`` that still stand where code belongs."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import FunctionType
from typing import Any

from backprop_nb.checking.compare import MISSING
from backprop_nb.checking.lines.program import definition, reachable
from backprop_nb.checking.report import NOT_WRITTEN, Finding, Report
from backprop_nb.errors import in_words
from backprop_nb.tracing.code_text import find_text
from backprop_nb.tracing.source import Module, Place, Source, module_of


def unwritten(function: Any) -> list[Source]:
    """Return the dots in a function, and in those of the same notebook or file that it calls.

    The dots of an index, ``x[..., 0]``, are code.

    Examples
    --------
    >>> def gradient(w, x):
    ...     error = w * x
    ...     return ..., 2 * error * w
    >>> [(dots, dots.start[0]) for dots in unwritten(gradient)]
    [('...', 3)]
    """
    return [dots for each in reachable(function) for dots in _dots(each)]


def half_written(report: Report, dots: Sequence[Source]) -> Report:
    """Return what a report says where dots still stand, with where they are.

    What is missing is not written yet; what is wrong with the rest is said as ever. Where
    a whole line is still to be written, the rest may only wait for it: no line of it is blamed.
    """
    parameters = tuple(
        replace(each, remark=NOT_WRITTEN) if each.remark.startswith(MISSING) else each
        for each in report.parameters
    )
    missing = {each.name for each in parameters if each.is_open}
    waits = any(_is_whole_line(each) for each in dots)
    said = [each for each in report.findings if not waits and each.parameter not in missing]
    rank = 1 + max((each.rank for each in said), default=0)
    first = next((each.name for each in parameters if not each.ok), parameters[0].name)
    left = Finding("not_written", first, rank, not_written(dots))
    return replace(report, parameters=parameters, findings=(*said, left))


def not_written(dots: Sequence[Source]) -> str:
    """Say what is still to be written, and where.

    >>> not_written([Source("...", start=(3, 11))])
    'Put your own code in place of the dots in line 3.'
    """
    lines = list(dict.fromkeys(str(each.start[0]) for each in dots))
    where = f" in line{'s' if len(lines) > 1 else ''} {in_words(lines)}" if lines else ""
    return f"Put your own code in place of the dots{where}."


def _dots(function: FunctionType) -> Iterator[Source]:
    text = find_text(function.__code__).text
    if text is None:
        return
    module = module_of(text)
    body = getattr(definition(module, function.__code__), "body", [])
    for part in body if isinstance(body, list) else [body]:
        for each in ast.walk(part):
            is_dots = isinstance(each, ast.Constant) and each.value is Ellipsis
            if is_dots and not _is_index(module, each):
                yield Place(module, each, function.__code__).source()


def _is_whole_line(dots: Source) -> bool:
    line = dots.around.splitlines()[dots.start[0] - 1]
    return line.partition("#")[0].strip() == dots


def _is_index(module: Module, node: ast.AST) -> bool:
    above = module.parent[node]
    if isinstance(above, ast.Tuple):
        node, above = above, module.parent[above]
    return isinstance(above, ast.Subscript) and above.slice is node
