"""What a notebook has and a process has not: ``get_ipython()`` with its magics, and ``display``.

A magic that runs Python runs it; one that writes a file or changes the folder does so
in the submission's own folder.  Whatever is for a shell, for the screen or in another
language is left aside, and gives nothing: ``x = !ls`` is an empty list.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import os
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, Final, Protocol

from backprop_nb.classroom.jupyter import CellMagic, cell_magic, parse
from backprop_nb.classroom.submissions import notebook_cells

_WITH_VALUE: Final = {
    "time": "",
    "timeit": "nrpv",
    "prun": "DlsT",
    "memit": "rti",
    "mprun": "fTc",
    "lprun": "fmDTu",
}
"""By the magic that runs the Python behind it, and below, the options that have a value."""

_OTHER_LANGUAGES: Final = {
    *("bash", "sh", "cmd", "script", "system", "sx", "!", "perl", "ruby", "pypy", "R", "julia"),
    *("python", "python2", "python3", "html", "HTML", "javascript", "js", "latex", "markdown"),
    *("svg", "SVG", "sql"),
}
"""What runs somewhere else: with ``%%python``, in a process of its own."""

_PYLAB: Final = (
    "import numpy\nnp = numpy\nfrom matplotlib import pylab, mlab, pyplot\nplt = pyplot\n"
    "from pylab import *\nfrom numpy import *"
)

# Without a %, where nothing else has their name: Jupyter takes a single line so.
_AUTOMATIC: Final = re.compile(
    r"\s*(alias|autoreload|cd|clear|conda|config|env|load_ext|ls|mamba|matplotlib|mkdir|pip|prun"
    r"|pwd|pylab|reload_ext|reset|run|rerun|time|timeit|who|whos|who_ls|xmode)\b(?!\s*[=,])(.*)$"
)


class Nothing:
    """Stands for whatever a notebook has and a process has not; all that is done with it works."""

    def __getattr__(self, name: str) -> Nothing:
        return self

    def __call__(self, *_: Any, **__: Any) -> Nothing:
        """Return nothing again."""
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())


class Output(list[str]):
    """The lines that a shell has printed: none."""

    s = n = p = ""
    grep = fields = lambda self, *_, **__: self


def display(*objects: Any, **_: Any) -> Nothing:
    """Print, as a notebook shows; what it returns may be updated."""
    print(*objects)
    return Nothing()


class Runner(Protocol):
    """Who runs the cells."""

    space: dict[str, Any]
    name: str
    """Of the cell."""

    def run_text(self, source: str) -> None:
        """Run the text of a cell, statement by statement."""

    def evaluate(self, tree: ast.Module, name: str, local: dict[str, Any] | None = None) -> Any:
        """Run statements as one, and return the value of the last expression."""

    def note(self, text: str) -> None:
        """Keep a remark on the cell that runs."""


class Shell(Nothing):
    """What ``get_ipython()`` returns; of what is missing here, nothing."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._own: dict[str, Callable[..., Any]] = {}

    def install(self) -> None:
        """Let all code find it, and a plain ``display``, as in a notebook."""
        get_ipython = lambda: self  # noqa: E731
        vars(builtins).update(get_ipython=get_ipython, display=display)
        for name in ("IPython", "IPython.core.getipython"):
            if name in sys.modules:
                sys.modules[name].get_ipython = get_ipython  # type: ignore[attr-defined]

    @property
    def user_ns(self) -> dict[str, Any]:
        """The names of the notebook."""
        return self._runner.space

    # -- what IPython's own transformation calls --------------------------------------

    def run_line_magic(self, magic_name: str, line: str = "", _stack_depth: int = 1) -> Any:
        """Run the Python behind a magic; of any other one, nothing."""
        return self._line(magic_name.lstrip("%"), line, sys._getframe(_stack_depth))

    def magic(self, line: str) -> Any:
        """Do the same with the magic and what stands behind it in one text."""
        name, _, rest = line.lstrip("%").partition(" ")
        return self._line(name, rest, sys._getframe(1))

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
        """Run a cell with a magic, as a file that was made from a notebook asks for it."""
        self.cell(CellMagic(magic_name.lstrip("%"), line, cell))

    def system(self, cmd: str) -> None:
        """Do nothing, with success."""
        self.user_ns["_exit_code"] = 0

    def getoutput(self, cmd: str, **_: Any) -> Output:
        """Return what a shell has printed: nothing."""
        return Output()

    def run_cell(self, raw_cell: str, *_: Any, **__: Any) -> Nothing:
        """Run a cell."""
        self._runner.run_text(raw_cell)
        return Nothing()

    def ex(self, cmd: str) -> None:
        """Run a text."""
        self._evaluate(cmd, sys._getframe(1))

    def ev(self, expr: str) -> Any:
        """Return the value of a text."""
        return self._evaluate(expr, sys._getframe(1))

    def push(self, variables: dict[str, Any], *_: Any, **__: Any) -> None:
        """Give names values."""
        self.user_ns.update(variables)

    def register_magic_function(
        self, func: Callable[..., Any], magic_kind: str = "line", magic_name: str | None = None
    ) -> None:
        """Know a magic of the submission's own."""
        self._own[magic_name or func.__name__] = func

    # -- a line ---------------------------------------------------------------------------

    def _line(self, name: str, line: str, frame: FrameType | None) -> Any:
        if name in self._own:
            return self._own[name](line)
        if name in _WITH_VALUE:
            source = _without_options(line, _WITH_VALUE[name])
            if name == "timeit":
                return self._timed(source, 1 if frame is None else frame.f_lineno)
            value = self._evaluate(source, frame)
            return value if name == "time" else None
        if name == "run":
            return self._run_file(line)
        if name == "pylab":
            return self._evaluate(_PYLAB, frame)
        if name in ("sx", "system", "sc"):
            return Output()
        if name == "cd":
            os.chdir(line.strip().strip("'\"") or os.environ["HOME"])
        elif name == "mkdir":
            Path(line.replace("-p", "").strip()).mkdir(parents=True, exist_ok=True)
        elif name in ("env", "set_env") and "=" in line:
            key, _, value = line.partition("=")
            os.environ[key.strip()] = value.strip()
        return str(Path.cwd()) if name in ("cd", "pwd") else None

    def _evaluate(self, source: str, frame: FrameType | None) -> Any:
        """Return the value of what stands in a line, in the function that the line is in."""
        if not source.strip():
            return None
        name, line, local = self._runner.name, 1, None
        if frame is not None:
            name, line = frame.f_code.co_filename, frame.f_lineno
            local = None if frame.f_code.co_name == "<module>" else dict(frame.f_locals)
        tree, _ = parse("\n" * (line - 1) + source.lstrip(), name)
        return self._runner.evaluate(tree, name, local)

    def automatic(self, source: str) -> Callable[[], Any] | None:
        """Return what runs a cell of a single line that is a magic without its %."""
        found = _AUTOMATIC.match(source.strip()) if "\n" not in source.strip() else None
        if found is None or found[1] in self.user_ns or hasattr(builtins, found[1]):
            return None
        name, line = found[1], found[2].strip()
        return lambda: self._line(name, line, None)

    def _timed(self, source: str, line: int = 1, setup: str = "") -> Nothing:
        """Run a text once in a function, as ``timeit`` does: its names stay there."""
        name = self._runner.name
        tree, _ = parse("\n" * (line - 1) + source, name)
        before = parse(setup)[0].body if setup.strip() else []
        function = ast.parse("def _timed(): pass\n_timed()")
        definition = function.body[0]
        assert isinstance(definition, ast.FunctionDef)
        definition.body = [*before, *tree.body, *definition.body]
        self._runner.evaluate(ast.fix_missing_locations(function), name)
        self.user_ns.pop("_timed", None)
        return Nothing()

    def _run_file(self, line: str) -> None:
        words = [word for word in _words(line) if not re.fullmatch(r"-[nipetdGN]\w*", word)]
        if not words:
            return
        path = Path(words[0])
        if not path.suffix:
            path = path.with_suffix(".py")
        if path.suffix == ".ipynb":
            for _, source in notebook_cells(path.read_bytes()):
                self._runner.run_text(source)
            return
        with tokenize.open(path) as stream:
            tree = ast.parse(stream.read(), str(path))
        space = {"__name__": "__main__", "__file__": str(path), "__builtins__": builtins}
        sys.argv = [str(path), *words[1:]]
        exec(compile(tree, str(path), "exec", dont_inherit=True), space)
        self.user_ns.update({key: space[key] for key in space if not key.startswith("__")})

    # -- a cell ------------------------------------------------------------------------------

    def cell(self, magic: CellMagic) -> None:
        """Run a cell that begins with a magic, as far as it is Python."""
        name, line, text = magic.name, magic.line, magic.text
        if name in self._own:
            self._own[name](line, magic.body)
        elif name in ("writefile", "file"):
            _write(line, magic.body)
        elif name == "capture":
            self._capture(line, text)
        elif name == "timeit":
            setup = _without_options(line, _WITH_VALUE[name])
            self._timed(text, setup=setup)
        elif name in _WITH_VALUE:
            self._runner.run_text(text)
        elif name not in _OTHER_LANGUAGES:
            self._unknown(name, text)

    def _capture(self, line: str, body: str) -> None:
        """Run a cell, and give what it prints the name that is asked for."""
        names = [word for word in line.split() if not word.startswith("-")]
        text = io.StringIO()
        with contextlib.redirect_stdout(text if names else sys.stdout):
            self._runner.run_text(body)
        if names:
            kept = SimpleNamespace(stdout=text.getvalue(), stderr="", outputs=[], show=Nothing())
            self.user_ns[names[0]] = kept

    def _unknown(self, name: str, text: str) -> None:
        """Run a cell with a magic that an extension may know, if its lines are Python."""
        try:
            if cell_magic(text) is None:
                parse(text)
        except (SyntaxError, ValueError):
            self._runner.note(f"%%{name} is not known here, and what is below it is left aside")
        else:
            self._runner.note(f"%%{name} is not known here, and what is below it runs without it")
            self._runner.run_text(text)


def _without_options(line: str, with_value: str) -> str:
    r"""Return what stands behind a magic's options.

    >>> _without_options("-n 10 -r3 -q -x + 1", "nr"), _without_options("--no-raise f()", "")
    ('-x + 1', 'f()')
    """
    while found := re.match(r"\s*-(?:-[\w-]+|([a-zA-Z])(\w*))(?=\s|$)\s*", line):
        letter, joined = found.groups()
        if letter is not None and letter not in with_value and letter not in "qoctnzruSs":
            break  # the statement itself
        line = line[found.end() :]
        if letter is not None and letter in with_value and not joined:
            line = line.lstrip().partition(" ")[2]
    return line


def _words(line: str) -> list[str]:
    """Return the words of a line; what is in quotes is one."""
    found = re.findall(r"\"[^\"]*\"|'[^']*'|\S+", line)
    return [word.strip("'\"") for word in found]


def _write(line: str, body: str) -> None:
    """Write what is below a magic to the file that it names."""
    words = _words(line)
    append = "-a" in words or "--append" in words
    names = [word for word in words if not word.startswith("-")]
    if names:
        path = Path(names[-1]).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if append else "w", encoding="utf-8") as stream:
            stream.write(body)
