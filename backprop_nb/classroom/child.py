"""What runs in a submission's own process: its code, then its function on the probes.

Nothing in here is to be trusted once the submission has run; see ``messages.py``.
"""

from __future__ import annotations

import difflib
import linecache
import re
import sys
import types
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from backprop_nb.checking.asking import Answers, ask_all
from backprop_nb.checking.limits import OutOfTime
from backprop_nb.checking.probes import Probe
from backprop_nb.checking.report import SHOWS_LINE, Hints
from backprop_nb.classroom.cells import ASKING, LAST_VALUE, Cells, Place, seconds_in_words
from backprop_nb.classroom.limits import Limits, time_limit
from backprop_nb.classroom.messages import encode, encode_line
from backprop_nb.tracing.source import links

NAME = "submission"
_MAX_NAMES = 8


@dataclass(frozen=True)
class Question:
    """What a submission is asked."""

    cells: Sequence[Sequence[str]]
    """What to call each, and its source."""
    function: str
    """The name to look for, once all have run."""
    probes: Sequence[Probe]
    hints: Hints
    """How much the report will give away."""
    file: str = ""
    """The path of a file of Python in the folder of all that was handed in; empty for a
    notebook."""
    root: str = ""
    """That folder."""

    @property
    def path(self) -> str:
        """Where the file of Python is; empty for a notebook."""
        return self.file and f"{self.root}/{self.file}"


def answer(
    question: Question,
    bounds: Limits,
    begin: Callable[[Place], None],
    left_out: Collection[Place] = (),
) -> Iterator[dict[str, Any]]:
    """Run a submission's cells, ask its function about the probes, and yield two messages.

    As JSON can hold them.  The first has ``notes`` on cells that raised, and the answers of
    :func:`~backprop_nb.classroom.messages.encode`, or a sentence: under ``slow`` that the
    function takes too long, under ``missing`` that there is none, and ``hurried`` is then
    whether a cell took too long.  The second is on the wrong line, and empty where none is known.

    ``begin`` is told of each statement before it runs, and at last of the call of the function.
    Those in ``left_out`` are not run.
    """
    # dataclasses and pickle look a module up by its name, which a notebook shares with a program.
    module = types.ModuleType(NAME if question.file else "__main__")
    sys.modules[module.__name__] = module
    if question.file:
        module.__file__ = question.path
        # So that `from .net import backward` finds what lies beside it, as with python -m.
        module.__path__ = [question.root]
        module.__package__ = f"{NAME}/{question.file}".rpartition("/")[0].replace("/", ".")
    space = vars(module)
    keeps_values = any(LAST_VALUE.search(source) for _, source in question.cells)
    cells = Cells(space, bounds, begin, left_out, keeps_values)
    cells.shell.install()
    for name, source in question.cells:
        cells.run(name, source)
    function = question.function
    if not callable(space.get(function)):
        cells.run_main_blocks()
    found = space.get(function)
    if not callable(found):
        missing, renamed = _missing(question, found, space)
        yield {
            "notes": cells.notes,
            "missing": missing,
            "renamed": renamed,
            "hurried": cells.slow,
        }
        yield {}
        return
    begin(ASKING)
    asked = _Stoppable(found)
    try:
        with time_limit(bounds.timeout, bounds):  # for all calls together
            answers = ask_all(asked, question.probes)
    except OutOfTime as error:  # between two of them
        asked.stopped = asked.stopped or error
    if asked.stopped is not None:
        where = _place_of(asked.stopped, [name for name, _ in question.cells])
        within = f"did not come to an end within {seconds_in_words(bounds.timeout)}"
        yield {"notes": cells.notes, "slow": f"`{function}` {within}{where}."}
        yield {}
        return
    yield encode(answers, question.probes) | {"notes": cells.notes}
    yield _wrong_line(found, answers, question, bounds)


def _wrong_line(found: Any, answers: Answers, question: Question, bounds: Limits) -> dict[str, Any]:
    """Return the line that is wrong, if it is found in time and its text is the student's."""
    course, hints = question.probes[0].course, question.hints
    if hints not in SHOWS_LINE:
        return {}
    # See `supervisor._load_for`.
    from backprop_nb.checking.wrong_line import (
        line_of,
        may_have_line,
        raised_line,
    )

    line = raised_line(answers, hints)
    if may_have_line(answers, course, hints):
        try:
            with time_limit(bounds.for_line.timeout, bounds):
                line = line_of(found, course, hints)
        except OutOfTime:
            return {}
    if line is None or line.place is None:
        return {}
    name, (first, _), (last, _) = line.place.filename, line.place.start, line.place.end
    ran = [linecache.getline(name, number) for number in range(first, last + 1)]
    text = next((text for cell, text in question.cells if cell == name), "")
    written = text.split("\n")[first - 1 : last]
    is_own = [each.rstrip() for each in ran] == [each.rstrip() for each in written]
    return encode_line(line) if is_own else {}


class _Stoppable:
    """A function that is not called again once it was stopped."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.stopped: OutOfTime | None = None

    def __call__(self, *args: Any) -> Any:
        if self.stopped is not None:
            raise self.stopped  # the same, with the line where it was
        try:
            return self.function(*args)
        except OutOfTime as error:
            self.stopped = error
            raise
        except KeyboardInterrupt as error:  # its own, and nobody's wish to end it
            raise RuntimeError("KeyboardInterrupt") from error


def _place_of(error: BaseException, names: Collection[str]) -> str:
    """Say in brackets where in the cells an error came from, if it did."""
    where = ""
    for step in links(error):
        if step.tb_frame.f_code.co_filename in names:
            where = f" ({step.tb_frame.f_code.co_filename}, line {step.tb_lineno})"
    return where


def _missing(question: Question, found: Any, space: dict[str, Any]) -> tuple[str, bool]:
    """Say that there is no such function, and whether one of another name is meant.

    Where it is written, no other is meant: an error stopped the code before it.
    """
    function = question.function
    if found is not None:
        kind = type(found).__name__
        return f"`{function}` is not a function, but an object of type {kind}.", False
    names = [
        name
        for name, value in space.items()
        if isinstance(value, types.FunctionType | type) and value.__module__ == space["__name__"]
    ]
    written = re.compile(rf"^\s*(?:async\s+)?def\s+{re.escape(function)}\b", re.MULTILINE)
    is_written = any(written.search(source) for _, source in question.cells)
    # `forward` is spelt like `backward` to a half: each is asked for beside the other.
    close = difflib.get_close_matches(function, () if is_written else names, n=1, cutoff=0.6)
    owners = [name for name in names if callable(getattr(space[name], function, None))]
    if owners:
        return (
            f"It does not define `{function}` outside of a class: `{function}` is a method of "
            f"{owners[0]}. A function of that name, which calls the method, is asked for.",
            False,
        )
    there = f" It defines {', '.join(names[:_MAX_NAMES])}." if names else ""
    meant = f" Rename {close[0]} to `{function}`." if close else ""
    return f"It does not define `{function}`.{there}{meant}", bool(close)
