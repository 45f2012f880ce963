"""The cells of a submission, run statement by statement, so that what is defined counts.

As in Jupyter, an error ends a statement and no more than that is lost: the next one gets its
chance all the same.  So does the one after a loop that takes too long.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import linecache
import re
import time
from collections.abc import Callable, Collection
from functools import partial
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeGuard

from backprop_nb.checking.limits import OutOfTime
from backprop_nb.classroom.jupyter import cell_magic, parse, parts
from backprop_nb.classroom.limits import Limits, time_limit
from backprop_nb.classroom.shell import Shell
from backprop_nb.errors import in_words
from backprop_nb.tracing.code_text import first_line
from backprop_nb.tracing.source import links

if TYPE_CHECKING:
    import asyncio

Place: TypeAlias = tuple[int, int]
"""A statement: the number of its cell, from 0, and its first line there; 0 is all of the cell."""

NOTHING: Final[Place] = (1 << 31, 0)
"""In the place of a statement: none has begun."""

ASKING: Final[Place] = (1 << 30, 0)
"""In the place of a statement: the function itself is called."""

_FUTURE: Final = __future__.annotations.compiler_flag
LAST_VALUE: Final = re.compile(r"\b_\b(?!\s*(?:,|in\b|=(?!=)))")
"""The value of the last line of a cell, where it is asked for."""
_IN_NOTEBOOK: Final = re.compile(r"cell \d+")


class Cells:
    """Runs the cells of a submission.

    Parameters
    ----------
    space
        Their names, as those of a module.
    bounds
    begin
        Told of each statement before it runs.
    left_out
        Statements that end the process, or do not come to an end in it.  A cell that has one, or
        is one of them itself, is run statement by statement.
    keeps_values
        Whether the value of the last line of a cell is to be known as ``_``.

    Attributes
    ----------
    notes : list of str
        What a cell raised, and where it took too long.
    slow : bool
        Whether one took too long.
    """

    def __init__(
        self,
        space: dict[str, Any],
        bounds: Limits,
        begin: Callable[[Place], None] = lambda place: None,
        left_out: Collection[Place] = (),
        keeps_values: bool = False,
    ) -> None:
        self.space, self.notes, self.slow = space, list[str](), False
        self.name, self._keeps_values = "", keeps_values
        self._bounds, self._begin, self._left_out = bounds, begin, left_out
        self._number, self._flags = -1, 0
        self._raised: list[tuple[str, int]] = []
        self._main: list[ast.If] = []
        self._whole: list[str] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unrun = False
        self._seen: tuple[str, CodeType | None] = "", None
        self.shell = Shell(self)

    def run(self, name: str, source: str) -> None:
        """Run a cell of a notebook, or all of a file."""
        self._number += 1
        self.name, self._raised, self._main, self._whole = name, [], [], []
        self._seen = "", None
        whole = _IN_NOTEBOOK.fullmatch(name) or self._code_of(source)
        for part in (source,) if whole else parts(source):
            self.run_text(part)
        self._tell()

    def run_main_blocks(self) -> None:
        """Run what a file does only as a program."""
        name = self.space["__name__"]
        if name == "__main__":
            return
        self.space["__name__"] = "__main__"
        trees = [parse(source, self.name, self._flags)[0] for source in self._whole]
        for node in [*self._main, *(node for tree in trees for node in tree.body)]:
            if _is_main(node):
                self._statements(node.body)
        self.space["__name__"] = name
        self._tell()

    def note(self, text: str) -> None:
        """Keep a remark on the cell that runs."""
        self.notes.append(f"{self.name}: {text}")

    def run_text(self, source: str) -> None:
        """Run the text of a cell."""
        line = source[: len(source) - len(source.lstrip())].count("\n") + 1
        magic = cell_magic(source)
        if magic is not None:
            self._guarded(lambda: self.shell.cell(magic), line)
            return
        automatic = self.shell.automatic(source)
        if automatic is not None:
            self._guarded(automatic, line)
            return
        done = self._run_whole(source)
        if done is None:
            return
        try:
            tree, text = parse(source, self.name, self._flags)
        except Exception as error:  # a text too deep for Python, too
            self._raised.append(_said(error, self.name))
            return
        _remember(self.name, text)
        self._statements([node for node in tree.body if first_line(node) > done])

    def _run_whole(self, source: str) -> int | None:
        """Run a text at once if it is Python; return up to which line it ran, None for all.

        To make statements of it takes longer than to run most of them.
        """
        one_by_one = self._number in {number for number, _ in self._left_out}
        if one_by_one or self._keeps_values:
            return 0
        code = self._code_of(source)
        if code is None:
            return 0
        _remember(self.name, source)
        self._whole.append(source)
        error = self._guarded(partial(self._execute, code, self.space), 0)
        return None if error is None else _line_in(error, self.name, "<module>")

    def _code_of(self, source: str) -> CodeType | None:
        """Return a text as code, the last one without another look; None if it is no Python."""
        if self._seen[0] != source:
            try:
                self._seen = source, self._compiled(source, self.name, "exec")
            except Exception:  # a text too deep for Python, too
                self._seen = source, None
        return self._seen[1]

    def _statements(self, body: list[ast.stmt]) -> None:
        for node in body:
            run = partial(self.evaluate, ast.Module([node], []), self.name)
            self._guarded(run, node.lineno)
            if _is_main(node):
                self._main.append(node)

    def _guarded(self, run: Callable[[], Any], line: int) -> BaseException | None:
        """Run something, and keep what it raises, and that it takes too long."""
        place = (self._number, line)
        if place in self._left_out:
            return None
        seconds = self._bounds.seconds_after(time.process_time())
        if not seconds:
            self._unrun = True
            return None
        self._begin(place)
        try:
            with time_limit(seconds, self._bounds):
                run()
        except OutOfTime as error:
            self.slow = True
            self.notes.append(
                f"{self.name} did not come to an end within {seconds_in_words(seconds)} "
                f"(line {_line_in(error, self.name) or line}), and was stopped there"
            )
            return error
        except BaseException as error:  # sys.exit too
            self._raised.append(_said(error, self.name))
            return error
        return None

    def evaluate(self, tree: ast.Module, name: str, local: dict[str, Any] | None = None) -> Any:
        """Run statements as one, and return the value of the last expression, None without one."""
        names = self.space if local is None else local
        *body, last = tree.body or [ast.Pass()]
        if not isinstance(last, ast.Expr):
            body = tree.body
        if body:
            self._execute(self._compiled(ast.Module(body, []), name, "exec"), names)
        if not isinstance(last, ast.Expr):
            return None
        value = self._execute(self._compiled(ast.Expression(last.value), name, "eval"), names)
        if value is not None:
            self.space["_"] = value
        return value

    def _compiled(self, tree: Any, name: str, mode: str) -> CodeType:
        flags = self._flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(tree, name, mode, flags, dont_inherit=True)
        assert isinstance(code, CodeType)
        self._flags |= code.co_flags & _FUTURE
        return code

    def _execute(self, code: CodeType, names: dict[str, Any]) -> Any:
        value = eval(code, self.space, names)
        if not code.co_flags & inspect.CO_COROUTINE:
            return value
        if self._loop is None:
            import asyncio  # few submissions wait, and each would carry its copy

            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(value)

    def _tell(self) -> None:
        """Say what the cell raised, its first error in full."""
        if self._raised:
            (first, _), *others = self._raised
            lines = list(dict.fromkeys(f"line {line}" for _, line in others if line))
            after = f"; after that, {in_words(lines)} raised errors too" if lines else ""
            self.notes.append(f"{self.name} raised {first}{after}")
            self._raised = []
        if self._unrun:
            self.notes.append(
                f"{self.name} was not run to its end, as everything before had taken "
                f"{seconds_in_words(self._bounds.total)}"
            )
            self._unrun = False


def seconds_in_words(seconds: float) -> str:
    """Return a time in words.

    >>> seconds_in_words(1.0), seconds_in_words(2.5)
    ('1 second', '2.5 seconds')
    """
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


def _remember(name: str, text: str) -> None:
    """Keep the text of a cell for whoever asks for its lines; parts of a file add up."""
    lines = [f"{line}\n" for line in text.split("\n")]
    above = next((k for k, line in enumerate(lines) if line.strip()), 0)
    before = linecache.cache.get(name)
    if before is not None and len(before) == 4:
        lines[:above] = before[2][:above]
    linecache.cache[name] = (sum(map(len, lines)), None, lines, name)


def _is_main(node: ast.stmt) -> TypeGuard[ast.If]:
    """Whether a statement asks for the name that a program has."""
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _line_in(error: BaseException, name: str, function: str = "") -> int | None:
    """Return the line of a cell, or of a function there, that an error came through last."""
    line = None
    for step in links(error):
        code = step.tb_frame.f_code
        if code.co_filename == name and code.co_name.startswith(function):
            line = step.tb_lineno
    return line


def _said(error: BaseException, name: str) -> tuple[str, int]:
    """Return what an error is in words, and its line in the cell, or 0."""
    is_syntax = isinstance(error, SyntaxError)
    line = _line_in(error, name)
    if is_syntax and error.filename == name:  # type: ignore[attr-defined]
        line = error.lineno  # type: ignore[attr-defined]
    try:
        text = str(error.msg if is_syntax else error).split("\n")[0][:300]  # type: ignore[attr-defined]
    except Exception:
        text = ""
    where = f" (line {line})" if line else ""
    return f"{type(error).__name__}{f': {text}' if text else ''}{where}", line or 0
