"""A backward pass as a student writes it, and what one changed line makes of it.

Each module of ``seen/`` and ``held_out/`` is written as one course has it:

``loss(*args)``
    What is differentiated; it shares no line with the passes below it.
``arguments(rng)``
    Draws the arguments.  The last ``DATA`` of them are data, by which nobody differentiates.
``gradient...(*args)``
    One or more right passes in different styles, with the helpers that they call.
``large_arguments(rng)``
    Where there is one: those of 784 inputs, 128 units, 10 outputs and 64 samples.
``WRONG``
    For each of these what to change: a part of one line of the pass, or else of what it calls, what
    stands there then, and the kind of mistake.
"""

import ast
import atexit
import importlib.util
import itertools
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

KINDS = {
    "slope missing": "the error is sent back without the slope of the activation",
    "slope": "the slope of another function, or at another place",
    "factor": "a constant factor: 2, 1/N, a rate",
    "sign": "a sign",
    "product": "*, @, dot and outer exchanged",
    "transpose": "a transpose too many, or one missing",
    "sum": "a sum over another axis, or none",
    "operand": "another quantity in the place of the right one",
    "index": "another index or key, or a loop that starts elsewhere",
    "accumulation": "= for +=, or a start that is not 0",
    "penalty": "the penalty on the weights left out or counted twice",
    "mask": "a mask inverted, left out or taken from elsewhere",
    "term": "a part of a sum left out",
    "forward": "the student's own forward pass computes something else",
}
WHERE = ("backward", "forward")

NOT_THE_PASS = ("loss", "arguments", "large_arguments")

_FOLDER = tempfile.TemporaryDirectory(prefix="passes-")
atexit.register(_FOLDER.cleanup)


@dataclass(frozen=True)
class Entry:
    """A pass, right or wrong, as a text that can be imported."""

    name: str
    """The course and its function; of a wrong one also the numbers of the changed lines' rows."""
    entry: str
    """The function that returns the gradients."""
    text: str
    is_held_out: bool
    lines: tuple[int, ...] = ()
    """The lines that were changed, counted from 1; empty for a right pass."""
    kinds: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    """Of each change, what it is, and in which of the two passes."""
    changes: tuple[tuple[str, str], ...] = ()
    """Of each change, the line before and after."""

    @cached_property
    def module(self) -> ModuleType:
        """The text in a file of its own, imported."""
        name = "".join(letter if letter.isalnum() else "_" for letter in self.name)
        path = Path(_FOLDER.name) / f"{name}.py"
        path.write_text(self.text, encoding="utf-8")
        return imported(path)

    @property
    def course(self) -> str:
        return self.name.partition(".")[0]

    @property
    def data(self) -> int:
        """How many of the last arguments are data."""
        return getattr(self.module, "DATA", 0)

    @property
    def loss(self) -> Callable[..., Any]:
        return self.module.loss

    @property
    def gradient(self) -> Callable[..., Any]:
        return getattr(self.module, self.entry)

    @property
    def has_large(self) -> bool:
        return hasattr(self.module, "large_arguments")

    def args(self, k: int, large: bool = False) -> list[Any]:
        """Return the ``k``-th draw of the arguments."""
        rng = np.random.default_rng([k, zlib.crc32(self.course.encode())])
        draw = self.module.large_arguments if large else self.module.arguments
        return list(draw(rng))


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- from the files ---------------------------------------------------------------------------


def right_passes(path: Path) -> list[Entry]:
    """Return the right passes of a file."""
    text = path.read_text(encoding="utf-8")
    names = [n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    return [
        Entry(f"{path.stem}.{name}", name, text, path.parent.name == "held_out")
        for name in names
        if name.startswith("gradient")
    ]


def wrong_passes(right: Entry) -> list[Entry]:
    """Return what becomes of a right pass where one of its lines is changed."""
    rows = right.module.WRONG.get(right.entry, ())
    return [_changed(right, str(k), [row]) for k, row in enumerate(rows, start=1)]


def pairs(right: Entry) -> Iterator[Entry]:
    """Yield what becomes of a right pass where two of its lines are changed."""
    rows = right.module.WRONG.get(right.entry, ())
    for (j, one), (k, other) in itertools.combinations(enumerate(rows, start=1), 2):
        if _place(right, one[0]) != _place(right, other[0]):
            yield _changed(right, f"{j}+{k}", [one, other])


def _changed(right: Entry, number: str, rows: Sequence[tuple[str, str, str]]) -> Entry:
    before = right.text.splitlines(keepends=True)
    lines, places = before.copy(), [_place(right, old) for old, *_ in rows]
    for place, (old, new, _) in zip(places, rows, strict=True):
        lines[place] = lines[place].replace(old, new)
    kinds = tuple(kind for *_, kind in rows)
    return Entry(
        f"{right.name}.{number}",
        right.entry,
        "".join(lines),
        right.is_held_out,
        tuple(place + 1 for place in places),
        kinds,
        tuple("forward" if kind == "forward" else "backward" for kind in kinds),
        tuple((before[place].strip(), lines[place].strip()) for place in places),
    )


def _place(right: Entry, part: str) -> int:
    """Return the line, from 0, that has a part: in the pass itself, or else in what it calls."""
    nodes = ast.parse(right.text.partition("\nWRONG = ")[0]).body
    named = [(getattr(node, "name", ""), node) for node in nodes]
    own = [node for name, node in named if name == right.entry]
    others = [node for name, node in named if name not in NOT_THE_PASS]
    lines = right.text.splitlines()
    whole = rf"(?:\b|(?=\W)){re.escape(part)}(?:\b|(?<=\W))"  # and no part of a name
    for group in (own, others):
        places = (k for node in group for k in range(node.lineno - 1, node.end_lineno))
        found = [k for k in places for _ in re.findall(whole, lines[k])]
        if found:
            break
    if len(found) != 1:
        raise ValueError(f"{right.name}: {len(found)} places read {part!r}")
    return found[0]
