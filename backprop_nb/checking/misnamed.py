"""Which name a gradient function means where it reads one that nobody defined."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from backprop_nb.checking.lines.program import Block, chosen, running
from backprop_nb.checking.lines.runs import Runs, Trial
from backprop_nb.checking.raised import alike

_UNKNOWN = re.compile(r"NameError: name '(\w+)' is not defined(?: \(did you mean (\w+)\?\))?")
_MAX_TRIED = 6
_LIKENESS = 0.4
"""Less than where nothing proves that a name is meant."""


def with_name_meant(
    failure: str, gradient: Callable[..., Sequence[Any]], args: Sequence[Any], right: Sequence[Any]
) -> tuple[str, bool]:
    """Return what a function failed with, and whether that names what was meant.

    Of the names that are spelled alike it is one with which all that it gives is right, if any.
    """
    found = _UNKNOWN.search(failure)
    if found is None:
        return failure, False
    name, close = found.groups()
    meant = next(_right_with(name, gradient, Trial(args, right)), close)
    if meant is None:
        return failure, False
    said = f"NameError: name {name!r} is not defined (did you mean {meant}?)"
    return failure.replace(found[0], said), True


def _right_with(name: str, gradient: Callable[..., Sequence[Any]], trial: Trial) -> Iterator[str]:
    """Yield the names in whose place of the unknown one all that it gives is right."""
    runs = Runs(gradient, trial, [], {})
    with runs.apart():
        for block in runs.blocks:
            read = _reads(block, name)
            known = dict.fromkeys(block.functions[0].__globals__)
            known |= dict.fromkeys(each for names in block.seen.values() for each in names)
            for other in alike(name, known, _MAX_TRIED, _LIKENESS) if read else ():
                new = {e: ast.copy_location(ast.Name(other, ast.Load()), e) for e in read}
                code = block.compiled({}, new)
                if code is not None:
                    with running(block, chosen(code, 0, runs.turns)):
                        right = runs.right(trial)
                    if right and len(right) == sum(each is not None for each in runs.gave):
                        yield other


def _reads(block: Block, name: str) -> list[ast.AST]:
    return [
        each
        for each in ast.walk(block.node)
        if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load)
    ]
