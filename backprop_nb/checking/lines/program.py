"""A student's functions as a program that can be run again with one statement written otherwise.

The text of a function is parsed, one of its statements is written in many ways at once, and the
function compiled a single time; a constant in the code says which of the ways is taken.  No text
is made and nothing of the student's stays changed: the code of the functions is put back.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import gc
import inspect
import io
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, TypeVar

import numpy as np

from backprop_nb.checking.raised import is_students
from backprop_nb.tracing.code_text import find_text
from backprop_nb.tracing.source import Module, Place, Source, module_of
from backprop_nb.tracing.tape import plain

T = TypeVar("T", bound=ast.AST)
Found = TypeVar("Found")

_WHICH = "which of the ways of writing it"
"""Stands in the code where the number of the way taken is put."""
_TURNS = "how often the loops may still turn"
_LOOPS = (ast.For, ast.While)
MAX_WAYS = 60
"""So many ways of writing a statement are compiled at once."""
_KEEP = "what keeps a value"


@dataclass(eq=False)
class Block:
    """A function of the student's that ran, with all that is defined in it."""

    functions: list[FunctionType]
    """The function objects with that code; a class that was defined twice has two."""
    code: CodeType
    """What runs."""
    module: Module
    node: ast.AST
    """The syntax tree of the text, and the definition in it."""
    seen: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By line what the names held when the line ran first, of the functions within, too."""
    order: dict[int, int] = field(default_factory=dict)
    """By line when it ran first, before or after the lines of other functions."""

    @cached_property
    def tree(self) -> ast.AST:
        """The whole statement of the module, such as a class."""
        node = self.node
        while not isinstance(self.module.parent[node], ast.Module):
            node = self.module.parent[node]
        return node

    def source(self, node: ast.AST) -> Source:
        """Return the text of a node, and where it stands."""
        return Place(self.module, node, self.code).source()

    @cached_property
    def statements(self) -> list[ast.stmt | ast.expr]:
        """What can be written otherwise: statements that ran, and bodies of lambdas."""
        found: list[ast.stmt | ast.expr] = []
        for node in ast.walk(self.node):
            if isinstance(node, ast.Lambda) and node is self.node:
                found.append(node.body)
            elif isinstance(node, ast.stmt) and not isinstance(node, _NOT_WRITTEN):
                first, last = self.lines(node)
                if any(line in self.seen for line in range(first, last + 1)):
                    found.append(node)
        return found

    @staticmethod
    def lines(statement: ast.stmt | ast.expr) -> tuple[int, int]:
        """Return the first and the last line of a statement, or of the head of a loop."""
        body = getattr(statement, "body", None)
        if isinstance(body, list) and body:
            return statement.lineno, max(statement.lineno, body[0].lineno - 1)
        return statement.lineno, statement.end_lineno or statement.lineno

    def compiled(
        self,
        ways: Mapping[ast.AST, Sequence[ast.AST | list[ast.AST]]],
        fixed: Mapping[ast.AST, ast.AST | list[ast.AST]],
    ) -> CodeType | None:
        """Return the code with some nodes written in several ways, and others in one.

        ``None`` where that is no Python.
        """
        new = {**fixed, **{node: _chosen(node, each) for node, each in ways.items()}}
        tree = ast.Module([_rebuilt(self.tree, new, self._paths(new))], [])
        try:
            with warnings.catch_warnings(action="ignore"):  # a text is called, as it seems
                flags = self.code.co_flags & _FUTURE
                module = compile(tree, self.code.co_filename, "exec", flags, True)
        except (SyntaxError, ValueError, TypeError, RecursionError):
            return None
        return _within(module, self.code)

    @property
    def may_be_endless(self) -> bool:
        """Whether it has a loop that ends by a condition."""
        return any(isinstance(each, ast.While) for each in self._loops)

    @cached_property
    def _loops(self) -> list[ast.AST]:
        return [each for each in ast.walk(self.node) if isinstance(each, _LOOPS)]

    def _paths(self, nodes: Mapping[ast.AST, Any]) -> set[ast.AST]:
        found = set[ast.AST](self._loops)
        for node in (*nodes, *self._loops):
            while node is not self.tree:
                node = self.module.parent[node]
                found.add(node)
        return found


_NOT_WRITTEN = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom),
    *(ast.Global, ast.Nonlocal, ast.Pass, ast.Try, ast.Break, ast.Continue),
)
_FUTURE = 0x1000000  # the flag of "from __future__ import annotations"


def _rebuilt(node: Any, new: Mapping[ast.AST, Any], paths: set[ast.AST]) -> Any:
    """Return a tree with some nodes exchanged; what does not change is shared."""
    if node in new:
        return new[node]
    if node not in paths:
        return node
    made = copy.copy(node)
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            row: list[Any] = []
            for each in value:
                done = _rebuilt(each, new, paths) if isinstance(each, ast.AST) else each
                row += done if isinstance(done, list) else [done]
            setattr(made, name, row)
        elif isinstance(value, ast.AST):
            setattr(made, name, _rebuilt(value, new, paths))
    if isinstance(made, _LOOPS):
        made.body.insert(0, placed(_turn(), made))
    return made


def kept(node: ast.expr) -> ast.expr:
    """Return an expression that hands its value to ``keep`` of :func:`chosen`, and is that."""
    return placed(ast.Call(ast.Constant(_KEEP), [node], []), node)


def _turn() -> ast.stmt:
    """Return the statement that counts the turns of a loop."""
    step = ast.Attribute(ast.Constant(_TURNS), "__next__", ast.Load())
    return ast.Expr(ast.Call(step, [], []))


def _chosen(node: Any, ways: Sequence[Any]) -> Any:
    """Return what takes one of several ways, the node itself first."""
    if isinstance(node, ast.expr):
        made: ast.expr = node
        for k in range(len(ways), 0, -1):
            made = ast.copy_location(ast.IfExp(_is_chosen(k, node), ways[k - 1], made), node)
        return made
    return [
        ast.copy_location(ast.If(_is_chosen(k, node), _as_list(way), []), node)
        for k, way in enumerate((node, *ways))
    ]


def _as_list(way: Any) -> list[Any]:
    return way if isinstance(way, list) else [way]


def _is_chosen(k: int, at: ast.AST) -> ast.expr:
    return placed(ast.Compare(ast.Constant(_WHICH), [ast.Eq()], [ast.Constant(k)]), at)


def placed(made: T, at: ast.AST) -> T:
    """Give all new nodes of an expression the place of the one that they stand for."""
    pending: list[ast.AST] = [made]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.expr | ast.stmt | ast.keyword):
            if hasattr(node, "lineno"):
                continue  # and so has all that is in it
            ast.copy_location(node, at)
        pending += ast.iter_child_nodes(node)
    return made


def _within(module: CodeType, code: CodeType) -> CodeType | None:
    """Return the code of a function in that of a module; ``None`` if it cannot be told."""
    found = [each for each in _inner(module) if _looks_like(each, code)]
    return _one_of(found, lambda each, start: start in _places(each), code)


def _looks_like(one: CodeType, other: CodeType) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("co_name", "co_firstlineno", "co_freevars", "co_argcount")
    )


def _one_of(
    found: Sequence[Found], begins_at: Callable[[Found, Any], bool], code: CodeType
) -> Found | None:
    """Return the only one; of several, as of lambdas in one line, the one that begins there."""
    if len(found) > 1:
        start = min(_places(code), default=None)
        found = [each for each in found if begins_at(each, start)]
    return found[0] if found else None


def _places(code: CodeType) -> set[tuple[int, int]]:
    """Return where the expressions of a function begin."""
    places = code.co_positions()
    return {(line, at) for line, _, at, end in places if line and at is not None and end}


class Endless(BaseException):
    """A loop turns too often; what a student catches does not catch it."""


class Turns:
    """How often all loops together may still turn."""

    def __init__(self, limit: int) -> None:
        self.limit = self.left = limit

    def __next__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Endless

    def reset(self) -> None:
        """Begin to count anew."""
        self.left = self.limit


def chosen(
    code: CodeType, k: int, turns: Turns, keep: Callable[[Any], Any] | None = None
) -> CodeType:
    """Return a code that takes the ``k``-th way, and whose loops end when ``turns`` does.

    ``keep`` is handed the values that are read in it.
    """
    put = {_WHICH: k, _TURNS: turns, _KEEP: keep}
    return code.replace(
        co_consts=tuple(
            chosen(const, k, turns, keep)
            if isinstance(const, CodeType)
            else put.get(const, const)
            if isinstance(const, str)
            else const
            for const in code.co_consts
        )
    )


@contextlib.contextmanager
def unseen() -> Iterator[None]:
    """Nothing that the student's code prints is shown, and its random numbers repeat."""
    state = np.random.get_state()
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            yield
        finally:
            np.random.set_state(state)


class _Look:
    """Which functions run, and what their names hold when a line runs first."""

    def __init__(self) -> None:
        self.codes: dict[CodeType, dict[int, dict[str, Any]]] = {}
        self.order: dict[tuple[CodeType, int], int] = {}

    def run(self, f: Callable[..., Any], *args: Any) -> None:
        before = sys.gettrace()
        sys.settrace(self._begin)
        try:
            f(*args)
        except KeyboardInterrupt:
            raise
        except BaseException:  # it may be wrong
            pass
        finally:
            sys.settrace(before)

    def _begin(self, frame: FrameType, what: str, _: Any) -> Any:
        if not is_students(frame):
            return None
        self.codes.setdefault(frame.f_code, {})
        return self._step

    def _step(self, frame: FrameType, what: str, _: Any) -> Any:
        self.order.setdefault((frame.f_code, frame.f_lineno), len(self.order))
        known = self.codes[frame.f_code].setdefault(frame.f_lineno, {})
        if not known or what == "return":  # only then a comprehension has names
            # A traced value is of no use once its trace has ended, and its plain one is.
            held = frame.f_locals.items()
            known |= {name: plain(x) for name, x in held}
        return self._step


_WRITES = {"open", "save", "savez", "savez_compressed", "savetxt", "savefig", "tofile", "dump"}
_WRITES |= {"to_csv", "write", "write_text", "write_bytes", "remove", "unlink", "rename"}
_WRITES |= {"rmtree", "mkdir", "system", "run", "Popen", "exec", "eval", "input"}
"""Names of what cannot be put back."""


def may_write(function: Callable[..., Any]) -> bool:
    """Whether a function, or one that it calls by name, may do what cannot be put back."""
    return any(not _WRITES.isdisjoint(each.__code__.co_names) for each in reachable(function))


def blocks(gradient: Callable[..., Any], args: Sequence[Any]) -> list[Block]:
    """Return the student's functions that run, with their syntax trees."""
    look = _Look()
    look.run(gradient, *args)
    codes = list(look.codes)
    if any(not _WRITES.isdisjoint(code.co_names) for code in codes):
        return []
    inner = {each for code in codes for each in _inner(code)}
    roots = [code for code in codes if code not in inner]
    functions: dict[CodeType, list[FunctionType]] = {code: [] for code in codes}
    for each in gc.get_referrers(*codes) if codes else ():
        if isinstance(each, FunctionType) and each.__code__ in functions:
            functions[each.__code__].append(each)
    found = []
    for code in roots:
        text = find_text(code).text
        if text is None or not functions[code]:
            continue
        module = module_of(text)
        node = definition(module, code)
        if node is None:
            continue
        seen: dict[int, dict[str, Any]] = {}
        order: dict[int, int] = {}
        for each in (code, *_inner(code)):
            for line, names in look.codes.get(each, {}).items():
                seen.setdefault(line, {}).update(names)
                order.setdefault(line, look.order.get((each, line), 0))
        found.append(Block(functions[code], code, module, node, seen, order))
    return found


def reachable(function: Any, seen: set[Any] | None = None) -> Iterator[FunctionType]:
    """Yield a function, and those of the same notebook or file that it leads to by name."""
    seen = set() if seen is None else seen
    try:
        function = inspect.unwrap(function)
    except ValueError:  # it wraps itself
        return
    function = getattr(function, "__func__", function)
    if not isinstance(function, FunctionType) or function in seen:
        return
    seen.add(function)
    yield function
    for name in function.__code__.co_names:
        other = function.__globals__.get(name)
        if getattr(other, "__globals__", None) is function.__globals__:
            yield from reachable(other, seen)


def _inner(code: CodeType) -> list[CodeType]:
    found = [const for const in code.co_consts if isinstance(const, CodeType)]
    return found + [each for one in found for each in _inner(one)]


def definition(module: Module, code: CodeType) -> ast.AST | None:
    """Return where a function is defined in its text; ``None`` if it cannot be told."""
    found = [node for node in module.parent if _defines(node, code)]
    return _one_of(found, _begins_at, code)


def _defines(node: ast.AST, code: CodeType) -> bool:
    name = "<lambda>" if isinstance(node, ast.Lambda) else getattr(node, "name", "")
    if not isinstance(node, ast.FunctionDef | ast.Lambda) or name != code.co_name:
        return False
    first = min(each.lineno for each in (node, *getattr(node, "decorator_list", ())))
    return bool(first == code.co_firstlineno)


def _begins_at(node: Any, start: Any) -> bool:
    first = node.body[0] if isinstance(node.body, list) else node.body
    return bool((first.lineno, first.col_offset) == start)


@contextlib.contextmanager
def running(block: Block, code: CodeType) -> Iterator[None]:
    """The functions of a block run another code for a while."""
    before = [each.__code__ for each in block.functions]
    try:
        for each in block.functions:
            each.__code__ = code
        yield
    finally:
        for each, own in zip(block.functions, before, strict=True):
            each.__code__ = own


_MAX_HELD = 10_000
_MAX_DEPTH = 5


class Held:
    """What the student's functions can change beside their arguments, to be put back.

    Small arrays, lists, dicts and objects are as they were after :meth:`restore`; nothing can
    be written into large arrays until :meth:`release`.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._seen: dict[int, Any] = {}
        self._arrays: list[tuple[Any, Any]] = []
        self._lists: list[tuple[list[Any], list[Any]]] = []
        self._dicts: list[tuple[dict[Any, Any], dict[Any, Any]]] = []
        self._shut: list[Any] = []
        for block in blocks:
            for function in block.functions:
                self._function(function)
            for names in block.seen.values():
                for value in names.values():
                    if _is_object(value):
                        self._hold(value, 0)

    def restore(self) -> None:
        """Put back what was changed."""
        for array, saved in self._arrays:
            array[...] = saved
        for row, entries in self._lists:
            row[:] = entries
        for table, items in self._dicts:
            if table.keys() != items.keys() or any(table[k] is not v for k, v in items.items()):
                table.clear()
                table.update(items)

    def release(self) -> None:
        """Put back what was changed, and let large arrays be written into again."""
        self.restore()
        for array in sorted(self._shut, key=lambda each: each.base is not None):
            array.flags.writeable = True  # of what another one is a view of first

    def _function(self, function: FunctionType) -> None:
        codes = [function.__code__, *_inner(function.__code__)]
        for name in {name for code in codes for name in code.co_names}:
            if name in function.__globals__:
                self._hold(function.__globals__[name], 0)
        for value in _closed_over(function):
            self._hold(value, 0)
        self._hold(function.__defaults__, 0)
        self._hold(function.__kwdefaults__, 0)

    def _hold(self, value: Any, depth: int) -> None:
        if id(value) in self._seen or depth > _MAX_DEPTH:
            return
        self._seen[id(value)] = value
        if isinstance(value, np.ndarray):
            if value.flags.writeable and value.size > _MAX_HELD:
                value.flags.writeable = False
                self._shut.append(value)
            elif value.flags.writeable:
                self._arrays.append((value, value.copy()))
            return
        if _is_object(value):
            value = vars(value)
        inside: Sequence[Any] = ()
        if isinstance(value, list):
            self._lists.append((value, list(value)))
            inside = value
        elif isinstance(value, tuple):
            inside = value
        elif isinstance(value, dict):
            self._dicts.append((value, dict(value)))
            inside = list(value.values())
        elif isinstance(value, FunctionType):
            inside = _closed_over(value)
        if len(inside) <= _MAX_HELD:
            for each in inside:
                self._hold(each, depth + 1)


def _closed_over(function: FunctionType) -> list[Any]:
    """Return the values of names around a function, of those that have one by now."""
    found = []
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # it is empty
            found.append(cell.cell_contents)
    return found


def _is_object(value: Any) -> bool:
    """Whether a value is an object of a class of the student's."""
    kind = type(value)
    is_plain = isinstance(value, type | ModuleType | FunctionType) or hasattr(value, "dtype")
    known = kind.__module__.partition(".")[0] in ("builtins", "numpy", "backprop_nb")
    return not (is_plain or known) and type(getattr(value, "__dict__", None)) is dict


def exchanged(root: T, node: ast.AST, new: Any) -> T:
    """Return an expression with one part exchanged."""
    if root is node:
        return new  # type: ignore[no-any-return]
    for name, value in ast.iter_fields(root):
        row = value if isinstance(value, list) else [value]
        for k, each in enumerate(row):
            done = exchanged(each, node, new) if isinstance(each, ast.AST) else each
            if done is not each:
                made = copy.copy(root)
                setattr(made, name, [*row[:k], done, *row[k + 1 :]] if row is value else done)
                return made
    return root
