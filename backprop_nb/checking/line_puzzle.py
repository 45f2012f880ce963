"""A backward pass as a course writes it, with one line changed, which is to be found.

What is right is certain, since the wrong pass is the right one but for that line.  What is
told of it is what :func:`~backprop_nb.checking.gradient.check_gradient` says of the wrong
pass; what is told of any other line is what it computes in the right one.
"""

from __future__ import annotations

import inspect
import linecache
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from types import ModuleType
from typing import Any

import numpy as np

from backprop_nb.checking.courses import columns, layers, lists, ones, recurrent, rows
from backprop_nb.checking.gradient import check_gradient
from backprop_nb.checking.lines.followed import traceable_leaves, traced
from backprop_nb.checking.lines.known import Known
from backprop_nb.checking.puzzle import factor_between
from backprop_nb.checking.report import Finding, Report
from backprop_nb.tracing import pytree
from backprop_nb.tracing.record import Record
from backprop_nb.tracing.source import locate

COURSES: Mapping[str, ModuleType] = {
    "rows": rows,
    "columns": columns,
    "lists": lists,
    "layers": layers,
    "ones": ones,
    "recurrent": recurrent,
}
"""By convention a module with a pass, a loss that shares no line with it, and the changes."""
FEW = 6
"""So many lines there are to choose from where there are few."""


@dataclass(frozen=True)
class Change:
    """A line of a course's pass, and what stands in its place."""

    course: str
    right: str
    wrong: str


def changes(courses: Collection[str], *, forward: bool) -> list[Change]:
    """Return the changes to the passes of some courses; of their forward parts only if asked."""
    return [
        Change(each, *pair)
        for each in courses
        for pair in COURSES[each].BACKWARD + (COURSES[each].FORWARD if forward else ())
    ]


@dataclass(frozen=True)
class LineFacts:
    """What a line that is as it should be computes."""

    quantities: tuple[str, ...]
    """The true quantities that it gives in the right pass, such as ``∂L/∂z1``."""
    is_right: bool
    """Whether it gives nothing else in the wrong pass.  Otherwise what it uses is wrong there,
    since the line itself is the same."""


class LinePuzzle:
    """A pass with one line changed, and what is known of each line.

    Attributes
    ----------
    setting
        The course's convention and its loss, in a few sentences.
    lines
        The wrong pass, line by line.
    number
        Which of them is wrong, from 1.
    right_line
        What should stand there.

    Examples
    --------
    >>> puzzle = LinePuzzle(Change("rows", "dh = dscores @ W2.T", "dh = dscores @ W2"))
    >>> puzzle.lines[puzzle.number - 1].strip(), puzzle.right_line.strip()
    ('dh = dscores @ W2', 'dh = dscores @ W2.T')
    >>> puzzle.finding.repair, puzzle.facts[puzzle.number + 1]
    ('W2.T in place of W2', LineFacts(quantities=('∂L/∂z1',), is_right=False))
    """

    def __init__(self, change: Change) -> None:
        self.change, self._course = change, COURSES[change.course]
        self._texts: dict[str, tuple[int, None, list[str], str]] = {}
        self.setting: str = self._course.SETTING
        lines = "\n".join(map(inspect.getsource, self._course.PASS)).splitlines()
        [at] = [k for k, line in enumerate(lines) if line.strip() == change.right]
        self.number, self.right_line = at + 1, lines[at]
        self._right = self._compiled(lines)
        self.lines = lines.copy()
        self.lines[at] = lines[at].replace(change.right, change.wrong)
        self._wrong = self._compiled(self.lines)

    def _compiled(self, lines: Sequence[str]) -> Callable[..., Any]:
        """Return a pass as a function."""
        text = "".join(f"{line}\n" for line in lines)
        name = f"<a pass in {self.change.course}: {lines[self.number - 1].strip()}>"
        self._texts[name] = (len(text), None, text.splitlines(keepends=True), name)
        # It is none of the package's, and knows nothing of the loss.
        known = {k: v for k, v in vars(self._course).items() if not inspect.isfunction(v)}
        names = {**known, "__name__": name}
        exec(compile(text, name, "exec"), names)
        function: Callable[..., Any] = names[self._course.PASS[-1].__name__]
        return function

    @property
    def right(self) -> Callable[..., Any]:
        """The right pass."""
        return self._known(self._right)

    @property
    def wrong(self) -> Callable[..., Any]:
        """The pass with the wrong line."""
        return self._known(self._wrong)

    def _known(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Have the texts known as those of a notebook's cells are: others may have cleared them."""
        linecache.cache.update(self._texts)
        return function

    @property
    def loss(self) -> Callable[..., Any]:
        """What is differentiated."""
        loss: Callable[..., Any] = self._course.loss
        return loss

    @property
    def args(self) -> tuple[Any, ...]:
        """What the loss and the passes are called with: new arrays, always with the same values."""
        return tuple(self._course.arguments(np.random.default_rng(8)))

    @cached_property
    def report(self) -> Report:
        """What the check says of the wrong pass."""
        return check_gradient(self.loss, self.wrong, *self.args)

    @property
    def finding(self) -> Finding:
        """What the check says of the wrong line."""
        return self.report.findings[0]

    def factors(self) -> dict[str, float | None]:
        """Return by the name of each gradient how many times the right one it is."""
        return {
            each.name: None if each.given is None else factor_between(each.given, each.expected)
            for each in self.report.parameters
        }

    @cached_property
    def pickable(self) -> list[int]:
        """The lines that could be wrong: all but those that begin a function, or are empty."""
        return [
            k
            for k, line in enumerate(self.lines, start=1)
            if line.strip() and not line.startswith("def ")
        ]

    def offered(self, *seed: int) -> list[int]:
        """Return a few lines to choose from: the wrong one, and some that compute something."""
        others = [k for k in self.pickable if k != self.number and self.facts[k].quantities]
        chosen = np.random.default_rng(seed).permutation(others)[: FEW - 1].tolist()
        return sorted([*chosen, self.number])

    @cached_property
    def facts(self) -> dict[int, LineFacts]:
        """By line what is known of it; of the wrong one what it should give."""
        which = traceable_leaves(pytree.flatten(list(self.args)), ())
        known = Known(traced(self.loss, self.args, which))
        theirs, ours = (
            _by_line(traced(_flat(each), self.args, which).records)
            for each in (self.right, self.wrong)
        )
        return {
            k: LineFacts(
                tuple(
                    dict.fromkeys(filter(None, (_quantity(known, value) for value in theirs[k])))
                ),
                all(any(_same(one, other) for other in theirs[k]) for one in ours[k]),
            )
            for k in self.pickable
        }


def _same(one: Any, other: Any) -> bool:
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=1e-9)


def _flat(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a pass that gives all of its gradients as one vector."""

    def flat(*args: Any) -> Any:
        return np.concatenate([np.ravel(each) for each in pytree.flatten(f(*args))])

    return flat


def _quantity(known: Known, value: Any) -> str:
    """Return the true quantity that a value is, or a likely multiple of; "" if it is none."""
    first = known.trace.input_count
    # A value before a slope that it happens to equal, and δ before the bias gradient that it is.
    matches = sorted(
        known.matches(value),
        key=lambda m: (m.scale != 1, m.key.kind == "slope", m.key.record < first),
    )
    for match in matches:
        scale, symbol = known.factor(match.scale), known.symbol(match.key)
        if scale is not None and not match.transposed:
            return symbol if scale == "1" else f"{scale} · {symbol}"
    return ""


def _by_line(records: Sequence[Record]) -> defaultdict[int, list[Any]]:
    """Return by line the values that it hands on to other lines, in order.

    What a function returns is handed on by the line that calls it, too.
    """
    places = [dict(_places(each)) for each in records]
    used: list[list[int]] = [[] for _ in records]
    for index, record in enumerate(records):
        for parent in record.parents:
            if parent is not None:
                used[parent].append(index)
    values = defaultdict[int, list[Any]](list)
    for index, record in enumerate(records):
        for scope, line in places[index].items():
            if not used[index] or any(places[k].get(scope) != line for k in used[index]):
                values[line].append(record.value)
    return values


def _places(record: Record) -> Iterator[tuple[int, int]]:
    """Yield each call in a pass that a record is made in, and the line at which it is there."""
    scope, lasti = record.scope, record.lasti
    while scope is not None:
        place = locate(scope.code, lasti) if scope.code.co_filename.startswith("<a pass") else None
        if place is not None:
            yield id(scope), place.source().start[0]
        lasti, scope = scope.lasti, scope.parent


@cache
def _puzzle(change: Change) -> LinePuzzle:
    return LinePuzzle(change)


def make_line_puzzle(
    seed: int, number: int, courses: Collection[str], *, forward: bool = False
) -> LinePuzzle:
    """Return the puzzle of a round; the rounds go through the changes in an order of their own.

    Rounds count from 1.  The wrong line may be one of the ``forward`` part.

    Examples
    --------
    >>> puzzle = make_line_puzzle(0, 1, ["columns"])
    >>> puzzle.report.ok, puzzle.finding.line == puzzle.number
    (False, True)
    """
    those = changes(courses, forward=forward)
    lap, place = divmod(number - 1, len(those))
    order = np.random.default_rng([seed, lap]).permutation(len(those))
    return _puzzle(those[int(order[place])])
