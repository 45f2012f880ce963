"""The text that a function was compiled from: the right one, or none.

A file may have changed since it was imported, several functions share a made-up file
name such as ``<string>``, and what ``exec`` ran has no file at all.  So a text is
believed only if compiling it gives the very code that runs.
"""

from __future__ import annotations
import __future__

import ast
import copy
import dis
import inspect
import linecache
import os
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

_MAX_KEPT = 4096
_FUTURE = __future__.annotations.compiler_flag


class CodeText:
    """A code object and, where it can be found, the text it was compiled from.

    Attributes
    ----------
    text
        The whole text of the file or notebook cell; ``None`` where there is none that
        compiles to this code.
    missing
        Why there is no text, or no column in it; a clause that an advice follows.
        Empty where nothing is missing.
    """

    def __init__(self, code: CodeType, module_globals: dict[str, Any] | None = None) -> None:
        self.code = code  # held, so that its id stays its own
        self._files = [code.co_filename]
        if module_globals is not None and code.co_filename.startswith("<"):
            self._files.append(str(module_globals.get("__file__", "")))
        self._first_seen = [_lines(file, module_globals) for file in self._files]
        self._spans = tuple(code.co_positions())
        self.text: str | None = None
        self.missing = ""

    def find(self) -> CodeText:
        """Look for the text, unless it has been found before, and return this object."""
        if self.text is None:
            for text in map("".join, self._candidates()):
                twin = _twin(text, self.code)
                if twin is not None:
                    self.text = _once(text)
                    if twin.co_code == self.code.co_code:  # its columns may be better
                        self._spans = tuple(twin.co_positions())
                    break
            self.missing = self._reason()
        return self

    def span(self, lasti: int) -> tuple[int | None, ...]:
        """Return where the expression of an instruction stands; a part that is unknown is None."""
        return self._spans[lasti // 2] if 0 <= lasti // 2 < len(self._spans) else (None,) * 4

    def _candidates(self) -> Iterator[Iterable[str]]:
        """Yield the lines of the texts that it may have been compiled from."""
        files = [*self._first_seen, *map(_lines, self._files)]
        yield from files
        line = max((span[0] or 0 for span in self._spans), default=0)
        for each in files:
            yield from _parts("".join(each), line)
        # From Python 3.13 on the prompt's texts are kept by code, not by name.
        lines_of = getattr(linecache, "_getlines_from_code", None)
        if lines_of is not None:
            yield lines_of(self.code)
        if self.code.co_filename.startswith("<"):
            yield from _texts_of_magics()

    def _reason(self) -> str:
        name = self.code.co_filename
        if self.text is not None:
            has_columns = any(span[2] is not None for span in self._spans)
            return "" if has_columns else _NO_COLUMNS
        if name.startswith("<"):
            return _MADE_UP
        file = re.split(r"[\\/]", name)[-1]
        known = _lines(name) or os.access(name, os.F_OK)
        return (_CHANGED if known else _UNREADABLE).format(file)


def _lines(file: str, module_globals: dict[str, Any] | None = None) -> list[str]:
    """Return the text of a file, or what is known under a made-up name, as it is now."""
    linecache.checkcache(file)
    return linecache.getlines(file, module_globals)


@lru_cache(maxsize=64)
def _once(text: str) -> str:
    """Return one string for all that are equal: many functions share a long text."""
    return text


_NO_COLUMNS = (
    "Python was started with -X no_debug_ranges or PYTHONNODEBUGRANGES. Start it without that"
)
_MADE_UP = (
    "Python keeps no text of what exec runs or what is typed at its prompt. "
    "Define it in a file or in a notebook cell"
)
_CHANGED = "{} has changed since it was imported. Import it again and trace anew"
_UNREADABLE = "{} cannot be read. Put it where it was when it was imported"

KEPT: dict[int, CodeText] = {}
"""What has run in a trace, by the id of its code."""


def keep_text(code: CodeType, module_globals: dict[str, Any] | None = None) -> CodeText:
    """Note the text of a code object, which may be another one when somebody asks for it."""
    known = KEPT.get(id(code))
    if known is None:
        if len(KEPT) >= _MAX_KEPT:
            KEPT.clear()
        known = KEPT[id(code)] = CodeText(code, module_globals)
    return known


def find_text(code: CodeType) -> CodeText:
    """Return a code object with the text that it was compiled from, where that can be found."""
    return keep_text(code).find()


def function_text(function: Callable[..., Any]) -> str | None:
    """Return the definition of a function, ``None`` where it has no text or another one by now."""
    code = getattr(function, "__code__", None)
    text = None if code is None else find_text(code).text
    if code is None or text is None:
        return None
    return "".join(inspect.getblock(text.splitlines(keepends=True)[code.co_firstlineno - 1 :]))


# --- is this the text? --------------------------------------------------------------


def _twin(text: str, code: CodeType) -> CodeType | None:
    """Return what compiles to the same code in ``text``, if it has that."""
    in_function = code.co_flags & inspect.CO_OPTIMIZED or not code.co_name.startswith("<")
    key = (code.co_name, code.co_firstlineno) if in_function else ("<module>", 1)
    for twin in _by_place(text, code.co_flags & _FUTURE).get(key, ()):
        if code == twin and code.co_linetable == twin.co_linetable:
            return twin
        if _parameters(code) != _parameters(twin):
            continue
        # pytest compiles other code for its asserts.
        skipped = _lines_of_asserts(text) if "@pytest_ar" in code.co_names else frozenset()
        ours, theirs = _instructions(code, skipped), _instructions(twin, skipped)
        if not _has_columns(code):
            ours, theirs = ([i._replace(span=i.span[:1]) for i in each] for each in (ours, theirs))
        # IPython compiles the statements of a cell one by one.
        if ours == theirs or (not in_function and set(ours) <= set(theirs)):
            return twin
    return _reloaded_twin(text, code) if _AUTORELOAD in sys.modules else None


@lru_cache(maxsize=128)
def _by_place(text: str, flags: int) -> dict[tuple[str, int], list[CodeType]]:
    """Return the module that a text is and all functions in it, by name and first line."""
    compiled = _compiled(text, flags)
    found = {("<module>", 1): compiled[:1]}
    for each in compiled[1:]:
        found.setdefault((each.co_name, each.co_firstlineno), []).append(each)
    return found


def _compiled(text: str, flags: int = 0) -> list[CodeType]:
    """Return the module that a text is and all functions in it; nothing if it is none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            module = compile(text, "", "exec", flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return _with_inner(module)


def _with_inner(code: CodeType) -> list[CodeType]:
    """Return a code object and all that are in it."""
    found = [code]
    for each in found:  # which grows while it is read
        found += [const for const in each.co_consts if isinstance(const, CodeType)]
    return found


class _Instruction(NamedTuple):
    operation: str
    argument: Any
    span: tuple[int | None, ...]


# How a function begins and ends, and how a variable is reached: a statement of a cell is
# compiled alone, and `%%timeit` puts a cell into a function of its own.
_AROUND = re.compile(
    "RESUME|COPY_FREE_VARS|MAKE_CELL|PUSH_NULL|EXTENDED_ARG|CACHE|NOP|POP_TOP|PRINT_EXPR"
    "|CALL_INTRINSIC_1|KW_NAMES|RETURN_.*"
)
_REACHED = re.compile("_(FAST|GLOBAL|NAME|DEREF|CLOSURE)(_CHECK)?$")


def _parameters(code: CodeType) -> tuple[Any, ...]:
    kinds = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount
    starred = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    return *kinds, starred, code.co_varnames[: sum(kinds[::2]) + starred.bit_count()]


def _instructions(code: CodeType, skipped: frozenset[int]) -> list[_Instruction]:
    """Return what a code object does and where in its text, however it was compiled."""
    found = []
    for each in dis.get_instructions(code):
        span = tuple(each.positions or ())
        if not _AROUND.fullmatch(each.opname) and span[:1] and span[0] not in skipped:
            is_jump = each.opcode in dis.hasjrel or each.opcode in dis.hasjabs
            argument = None if is_jump else each.argval
            if isinstance(argument, CodeType):
                argument = argument.co_name
            # Up to Python 3.11, of a module imported in the same text no method is looked up.
            operation = _REACHED.sub("", each.opname).replace("LOAD_METHOD", "LOAD_ATTR")
            found.append(_Instruction(operation, (type(argument), repr(argument)), span))
    return found


@lru_cache(maxsize=16)
def _lines_of_asserts(text: str) -> frozenset[int]:
    asserts = (node for node in ast.walk(parse(text)) if isinstance(node, ast.Assert))
    return frozenset(
        line for each in asserts for line in range(each.lineno, (each.end_lineno or 0) + 1)
    )


def parse(text: str) -> ast.Module:
    """Return the syntax tree of a text, without the warnings that compiling it gave once."""
    with warnings.catch_warnings(action="ignore"):
        return ast.parse(text)


def _has_columns(code: CodeType) -> bool:
    """Whether Python kept the columns of an instruction, beside its line."""
    return any(span[2] is not None for span in code.co_positions())


# --- compiled from a part of a file -------------------------------------------------


def _parts(text: str, line: int) -> Iterator[str]:
    """Yield what may have been compiled alone of the statement at a line, at its own lines.

    marimo stores a cell as a function in a file, and compiles its body, without its indent
    and without what it returns.  A definition that has a cell to itself is compiled without
    marimo's decorator.
    """
    rows = text.split("\n")
    for node in _statements(text):
        if not node.lineno <= line <= (node.end_lineno or 0):
            continue
        body: list[ast.stmt] = getattr(node, "body", [])
        if len(body) > 1 and isinstance(body[-1], ast.Return):
            body = body[:-1]
        if body and first_line(body[0]) > node.lineno:
            yield _alone(_without_indent(rows, body), first_line(body[0]), body[-1].end_lineno)
        for decorator in getattr(node, "decorator_list", ())[:1]:
            yield _alone(rows, (decorator.end_lineno or 0) + 1, node.end_lineno)


@lru_cache(maxsize=8)
def _statements(text: str) -> list[ast.stmt]:
    try:
        return parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def first_line(node: ast.stmt) -> int:
    """Return where a statement begins, with its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def _alone(rows: Sequence[str], first: int, last: int | None) -> str:
    """Return some rows, with empty ones above, so that they keep their numbers."""
    return "\n" * (first - 1) + "\n".join(rows[first - 1 : last]) + "\n"


def _without_indent(rows: Sequence[str], body: Sequence[ast.stmt]) -> list[str]:
    """Return rows in which a block stands at the margin.

    A string over several lines loses the indent with it, unless a line of it has less.
    """
    indent = rows[body[0].lineno - 1][: body[0].col_offset]
    kept: set[int] = set()
    for node in (each for statement in body for each in ast.walk(statement)):
        if isinstance(node, ast.JoinedStr | ast.Constant) and node.end_lineno != node.lineno:
            inside = range(node.lineno, node.end_lineno or 0)
            if any(rows[k].strip() and not rows[k].startswith(indent) for k in inside):
                kept.update(inside)
    rows = [row if row.strip() else indent + row[len(indent) :] for row in rows]
    return [row if k in kept else row.removeprefix(indent) for k, row in enumerate(rows)]


# --- reloaded by IPython ------------------------------------------------------------

_AUTORELOAD = "IPython.extensions.autoreload"
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _reloaded_twin(text: str, code: CodeType) -> CodeType | None:
    """Return the code in a file that IPython's ``%autoreload`` made other code of.

    It compiles an edited function or a new class alone, from its syntax tree written out
    anew, so that lines and columns are not those of the file.
    """
    flags = code.co_flags & _FUTURE
    try:
        tree = parse(text)
    except SyntaxError:
        return None
    for around in ast.walk(tree):
        if not isinstance(around, ast.Module | ast.ClassDef):
            continue
        for node in around.body:
            if not isinstance(node, _Definition):
                continue
            first = min(each.lineno for each in (node, *node.decorator_list))
            for original in _by_place(text, flags).get((node.name, first), ()):
                for alone in _written_anew(node, isinstance(around, ast.ClassDef)):
                    reloaded = next(c for c in _compiled(alone, flags) if c.co_name == node.name)
                    pairs = zip(_with_inner(original), _with_inner(reloaded), strict=True)
                    for twin, each in pairs:
                        if code == each and code.co_code == twin.co_code:
                            return twin
    return None


def _written_anew(node: _Definition, in_class: bool) -> Iterator[str]:
    """Yield the texts that autoreload makes of a definition, with its decorators and without."""
    bare = copy.copy(node)
    bare.decorator_list = []
    for each in (node, bare):
        text = ast.unparse(each)
        yield f"class C:\n{textwrap.indent(text, '    ')}" if in_class else text


# --- inside of IPython's magics -----------------------------------------------------

_OPTIONS = re.compile(r"(\s*-\w+(\s+\d+)?(?=\s))*\s*")


def _texts_of_magics() -> Iterator[str]:
    """Yield what magics such as ``%%time`` compiled themselves, the last cell first.

    IPython keeps the text of a cell, in which that of a magic is an argument.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return
    for entry in reversed(list(linecache.cache.values())):
        cell = "".join(entry[2]) if len(entry) == 4 else ""
        if "get_ipython().run_" not in cell:
            continue
        try:
            tree = parse(cell)
        except SyntaxError:  # no cell, but a text that speaks of such calls
            continue
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="run_cell_magic" | "run_line_magic"),
                    args=[_, *arguments],
                ):
                    for argument in arguments:
                        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                            yield shell.transform_cell(_OPTIONS.sub("", argument.value, count=1))
