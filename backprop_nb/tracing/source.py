"""From a place in a running function to the expression that stands there.

Python keeps, for every bytecode instruction, the exact span of the source text
it came from.  So the instruction at which a traced call happened gives the
learner's own expression, and the syntax tree around it gives the name that the
result was assigned to.
"""

from __future__ import annotations

import ast
import keyword
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from opcode import opname
from types import CodeType, TracebackType
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.tracing.code_text import CodeText, find_text, parse
from backprop_nb.tracing.record import CONSTANT, Record, Scope

FOLDER = __file__.removesuffix(f"{os.sep}source.py")
"""Where the tracer's own code lies; what runs from elsewhere is the learner's."""

_COMPREHENSIONS = {"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"}

_Span = tuple[int | None, ...]
"""First line, last line, first column, last column, as ``co_positions`` gives them."""

_NOWHERE = (1, 1, 0, 0)

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

_APART = (ast.Lambda, ast.IfExp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
"""Expressions of which a part is computed later, not at all, or several times."""


class Source(str):
    """The text of an expression that knows where it stands.

    Attributes
    ----------
    filename
        The file, or the name under which a notebook cell was compiled.
    start, end
        ``(line, column)`` of the first character and of the one after the last;
        lines count from 1, columns from 0.
    block
        First and last line of the function around it.
    around
        The whole text that it stands in.
    """

    filename: str
    start: tuple[int, int]
    end: tuple[int, int]
    block: tuple[int, int]
    around: str

    def __new__(
        cls,
        text: str,
        filename: str = "",
        start: tuple[int, int] = (0, 0),
        end: tuple[int, int] = (0, 0),
        block: tuple[int, int] = (0, 0),
        around: str = "",
    ) -> Source:
        """Return the text with its place attached."""
        self = super().__new__(cls, text)
        self.filename, self.start, self.end, self.block = filename, start, end, block
        self.around = around
        return self


class Label(NamedTuple):
    """What the learner's source says about one record."""

    name: str
    source: Source | None
    scope: tuple[str, ...]
    given: bool


class Module:
    """The syntax tree of one source text, indexed by span."""

    def __init__(self, text: str) -> None:
        self.whole = text
        self.lines = text.encode().splitlines(keepends=True)
        self.by_span: dict[_Span, ast.AST] = {}
        self.parent: dict[ast.AST, ast.AST] = {}
        self._function: dict[ast.AST, ast.AST] = {}
        self._widest: dict[ast.AST, ast.AST] = {}
        self.imported = {"np", "numpy"}  # a notebook imports them in another cell
        pending: list[ast.AST] = [parse(text)]
        while pending:
            node = pending.pop()
            # A statement that is only an expression has the expression's span;
            # children come later, so the expression wins.
            self.by_span[_span(node)] = node
            self.by_span.setdefault(_method_span(node), node)
            if isinstance(node, ast.Import):
                names = (each.asname or each.name for each in node.names)
                self.imported.update(name.partition(".")[0] for name in names)
            for child in ast.iter_child_nodes(node):
                self.parent[child] = node
                # From the top down: to climb from every term of a sum would take their square.
                own = isinstance(node, ast.Module) or isinstance(child, _FUNCTIONS)
                self._function[child] = child if own else self._function[node]
                self._widest[child] = self._widest[node] if _is_at_once(node) else child
                pending.append(child)

    def text(self, node: ast.AST) -> str:
        """Return the source text of ``node``; columns count UTF-8 bytes."""
        first, last, start, end = _span(node)
        rows = self.lines[first - 1 : last]
        rows[-1] = rows[-1][:end]
        rows[0] = rows[0][start:]
        return b"".join(rows).decode()

    def column(self, line: int, offset: int) -> int:
        """Return the column in characters of a byte offset."""
        return len(self.lines[line - 1][:offset].decode())

    def is_method(self, call: ast.Call) -> bool:
        """Whether a call is one of a method, ``x.sum()``, and not of a module, ``np.sum(x)``."""
        owner: ast.AST = call.func
        if not isinstance(owner, ast.Attribute):
            return False
        while isinstance(owner, ast.Attribute):
            owner = owner.value
        return not (isinstance(owner, ast.Name) and owner.id in self.imported)

    def function(self, node: ast.AST) -> ast.AST:
        """Return the function around ``node``, or the outermost statement."""
        return self._function.get(node, node)

    def widest(self, node: ast.AST) -> ast.AST:
        """Return the whole formula that ``node`` is a part of, all of which is computed at once."""
        return self._widest.get(node, node)


def _is_at_once(node: ast.AST) -> bool:
    """Whether the parts of an expression are computed with it, each once."""
    return isinstance(node, ast.expr | ast.keyword) and not isinstance(node, _APART)


def _span(node: ast.AST) -> tuple[int, int, int, int]:
    if not isinstance(node, ast.expr | ast.stmt):
        return _NOWHERE
    last, end = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return node.lineno, last, node.col_offset, end


def _method_span(call: ast.AST) -> tuple[int, int, int, int]:
    """Return the span that Python gives to ``.sum()`` on a line of its own: without the owner."""
    attribute = call.func if isinstance(call, ast.Call) else call
    (first, last, _, end), (_, line, _, column) = _span(call), _span(attribute)
    if not isinstance(attribute, ast.Attribute) or first == line:
        return first, last, _span(call)[2], end
    return line, last, column - len(attribute.attr.encode()), end


module_of = lru_cache(maxsize=128)(Module)
"""From a text to its syntax tree; once for all functions in it."""


@dataclass(frozen=True, slots=True)
class Place:
    """An expression in a source text.

    ``stores`` says whether it is the target of an assignment to entries, ``out[i] = …``,
    and the instruction is the one that stores.  In ``out[i] += v`` another one reads
    from the same place.  ``iterates`` says whether a loop takes its next element of it.
    """

    module: Module
    node: ast.AST
    code: CodeType = field(hash=False)  # which would read all of it
    stores: bool = False
    iterates: bool = False

    def source(self, node: ast.AST | None = None) -> Source:
        """Return the text and location of the expression, or of another node of the module."""
        node = node or self.node
        first, last, start, end = _span(node)
        above, below, *_ = _span(self.module.function(node))
        return Source(
            self.module.text(node),
            self.code.co_filename,
            (first, self.module.column(first, start)),
            (last, self.module.column(last, end)),
            (min(above, first), below),  # a decorator stands above its function
            self.module.whole,
        )


def locate(code: CodeType, lasti: int) -> Place | None:
    """Return the expression at an instruction, or ``None`` where no source text is known."""
    return _place(find_text(code), lasti)


def place_in(record: Record, depth: int, calls: int) -> Place | None:
    """Return where a record was made as its ``depth``-th call saw it, 0 being the traced function.

    That is its own expression, or the call that leads to it.  There are ``calls`` with a
    name around it: counted from within, the few that matter are soon found.
    """
    scope, lasti = record.scope, record.lasti
    while scope is not None and calls > depth:
        calls -= _call_name(scope) is not None
        lasti = scope.lasti
        scope = scope.parent
    return locate(scope.code, lasti) if scope else None


def _place(known: CodeText, lasti: int) -> Place | None:
    if known.text is None:
        return None
    module = module_of(known.text)
    node = module.by_span.get(known.span(lasti))
    if isinstance(node, ast.For):  # Python before 3.13 says the whole loop
        node = node.iter
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        node = node.generators[0].iter if len(node.generators) == 1 else None
    if node is None:
        return None
    operation = opname[known.code.co_code[lasti]]
    stores = operation in ("STORE_SUBSCR", "STORE_SLICE")
    return Place(module, node, known.code, stores, operation == "FOR_ITER")


def _assignment(place: Place) -> ast.AST:
    """Return the statement that a target belongs to; the target where that is a loop's."""
    node = place.node
    while isinstance(node, ast.expr) and node in place.module.parent:
        node = place.module.parent[node]
    return node if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) else place.node


def describe_place(code: CodeType, lasti: int) -> str:
    """Return ``expression   (line 3 of loss)``, for error messages."""
    known = find_text(code)
    line = known.span(lasti)[0] or code.co_firstlineno
    # A notebook cell is compiled under a made-up file name that says nothing.
    cell = re.search(r"ipykernel|__marimo__cell_|^<", code.co_filename)
    file = re.split(r"[\\/]", code.co_filename)[-1]
    where = f"line {line} of {code.co_name}" + ("" if cell else f" in {file}")
    text = "" if known.text is None else known.text.split("\n")[line - 1].strip()
    return f"{text}   ({where})" if text else where


def assigned_name(
    place: Place,
    item: int | None = None,
    stored: Collection[ast.AST] = (),
    output: int | None = None,
) -> str | None:
    """Return the name that the value of the expression is assigned to, if any.

    Of what is unpacked, as in ``w, b = theta``, ``item`` says which one, and ``output`` of what
    a call returns, as in ``i, f = np.split(z, 2)``.  The targets in ``stored`` are buffers: what
    is stored into one is not the buffer itself.
    """
    if place.stores:
        return _target_name(place.node)
    node, parent = _branch(place)
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Store):
        return _target_name(node, item)
    match parent:
        case _ if isinstance(node, ast.AugAssign):
            return None if node.target in stored else _target_name(node.target)
        case ast.Tuple(elts=values) | ast.List(elts=values):
            match place.module.parent.get(parent):
                case ast.Assign(targets=[ast.Tuple(elts=targets) | ast.List(elts=targets), *_]):
                    fits = len(targets) == len(values)
                    pairs = zip(targets, values, strict=True) if fits else ()
                    found = (t for t, v in pairs if v is node and t not in stored)
                    names = (_target_name(target, output) for target in found)
                    return next(names, None)
        case ast.Assign(targets=targets):
            targets = [each for each in targets if each not in stored]
            return next(filter(None, (_target_name(each, output) for each in targets)), None)
        case ast.AnnAssign(target=target) | ast.NamedExpr(target=target):
            return _target_name(target)
        case ast.For(target=target, iter=values) | ast.comprehension(target=target, iter=values):
            return _target_name(target) if values is node else None
    return None


def _target_name(target: ast.AST, item: int | None = None) -> str | None:
    """Return the name of a target; of one that unpacks, the name that takes an item."""
    match target:
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            starred = (k for k, part in enumerate(parts) if isinstance(part, ast.Starred))
            if item is not None and item < next(starred, len(parts)):
                return _target_name(parts[item])
        case ast.Subscript(value=value):
            return _target_name(_viewed(value))
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def _viewed(node: ast.AST) -> ast.AST:
    """Return the array behind views: ``M`` of ``M.T`` and of ``M.reshape(-1)``."""
    match node:
        case ast.Attribute(value=value, attr="T" | "mT" | "flat" | "real"):
            return _viewed(value)
        case ast.Call(func=ast.Attribute(value=value)) | ast.Subscript(value=value):
            return _viewed(value)
    return node


def is_returned(place: Place) -> bool:
    """Whether the value of the expression is what its function returns."""
    return isinstance(_branch(place)[1], ast.Return | ast.Lambda)


def _branch(place: Place) -> tuple[ast.AST, ast.AST | None]:
    """Return the expression, or the ``… if … else …`` it is a branch of, and what is around it."""
    node, parent = place.node, place.module.parent.get(place.node)
    while isinstance(parent, ast.IfExp) and node is not parent.test:
        node, parent = parent, place.module.parent.get(parent)
    return node, parent


def operand(
    place: Place, row: Any, position: int, count: int, method: bool | None = None
) -> ast.AST | None:
    """Return the expression of one of the ``count`` operands of a call or an operator.

    ``None`` where the source does not say, as in ``functools.reduce(np.add, terms)``.
    Whether the call is one of a method is judged from the text, unless it is known.
    """
    if method is None:
        method = isinstance(place.node, ast.Call) and place.module.is_method(place.node)
    operands: dict[int | str | None, ast.AST] = {}
    match place.node:
        case ast.Subscript(value=value, slice=index) if place.stores:
            operands = {0: _viewed(value), 2: index}
            match place.module.parent.get(place.node):
                case ast.Assign(value=assigned):
                    operands[1] = assigned
        case ast.BinOp(left=left, right=right):
            operands = {0: left, 1: right}
        case ast.AugAssign(target=target, value=value):
            operands = {0: target, 1: value}
        case ast.UnaryOp(operand=value) | ast.Subscript(value=value) | ast.Attribute(value=value):
            operands = {0: value}
        case ast.Call(func=ast.Attribute(value=owner), args=args) if method:
            operands = dict(enumerate([owner, *args]))
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=args, keywords=named):
            args = args if row.bind is None else list(_listed(args))
            complete = row.bind is None or len(args) + len(named) >= count
            if complete and (name == row.name or getattr(np, name, None) == row.function):
                operands = dict(enumerate(args)) | {each.arg: each.value for each in named}
    if any(isinstance(each, ast.Starred) for each in operands.values()):
        return None
    names = [] if row.bind else list(row.parameters)
    by_name = operands.get(names[position]) if position < len(names) else None
    return operands.get(position) or by_name


def _listed(args: Sequence[ast.expr]) -> Iterator[ast.expr]:
    """Yield the arrays of ``np.stack([x, y])`` and of ``np.einsum("i,i", x, y)``."""
    for argument in args:
        if isinstance(argument, ast.List | ast.Tuple):
            yield from _listed(argument.elts)
        elif not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            yield argument


def label_records(
    records: Sequence[Record], input_names: Sequence[str], output: int, function_name: str
) -> list[Label]:
    """Return a unique name, the source expression and the scope of every record.

    An output that the learner gave no name takes the name of the function.
    """
    texts = _texts(records)
    located = cache(lambda code, lasti: _place(texts[code], lasti))  # loops come back to a place
    places = [located(id(r.scope.code), r.lasti) if r.scope else None for r in records]
    known = {id(place): _source(place) for place in {id(p): p for p in places if p}.values()}
    sources = [known.get(id(place)) for place in places]
    stored = {place.node for place in places if place and place.stores}
    wanted = [_wanted_name(*each, stored) for each in zip(records, places, strict=True)]
    for index, name, source in _constants(records, places):
        wanted[index], sources[index] = name, source
    wanted[: len(input_names)] = input_names
    for index, record in enumerate(records):
        # A row that prints as a statement makes the next version of its first array, whose
        # name it has, also where it is written through a view.
        if getattr(record.row, "statement", None) and record.parents[0] is not None:
            wanted[index] = wanted[record.parents[0]] or wanted[index]
    taken = {*input_names, *wanted}
    fits = function_name.isidentifier() and not keyword.iskeyword(function_name)
    if wanted[output] is None and fits and function_name not in taken:
        wanted[output] = function_name
    names = unique_names(input_names, wanted[len(input_names) :], records)
    scopes = _scope_names(records)
    return [
        Label(name, source, scopes[record.scope], want is not None)
        for name, source, record, want in zip(names, sources, records, wanted, strict=True)
    ]


def _texts(records: Sequence[Record]) -> dict[int, CodeText]:
    """Return the text of every function that ran, by the id of its code."""
    codes = {id(record.scope.code): record.scope.code for record in records if record.scope}
    return {key: find_text(code) for key, code in codes.items()}


def missing_source(records: Sequence[Record]) -> str:
    """Return in a sentence or two why records have no source; empty where all have it.

    A function that Python does not run, such as ``np.exp``, has none to miss.
    """
    functions: dict[str, list[str]] = {}
    for known in _texts(records).values():
        name = known.code.co_qualname.split("<locals>.")[-1]
        if known.missing and not known.code.co_filename.startswith(FOLDER):
            functions.setdefault(known.missing, []).append(name)
    return " ".join(
        f"No names and no code for {', '.join(dict.fromkeys(names))}: {missing}."
        for missing, names in functions.items()
    )


def _source(place: Place) -> Source:
    """Return the expression; what is unpacked stands on the right of the assignment.

    Of an assignment to entries it is the statement.
    """
    if place.stores:
        return place.source(_assignment(place))
    above = place.module.parent.get(place.node)
    unpacked = isinstance(place.node, ast.Tuple | ast.List) and isinstance(above, ast.Assign)
    if unpacked and isinstance(above, ast.Assign) and place.node in above.targets:
        return place.source(above.value)
    return place.source()


def _wanted_name(record: Record, place: Place | None, stored: Collection[ast.AST]) -> str | None:
    """Return the name in the learner's code; a value returned at once takes the caller's."""
    scope = record.scope
    item, output = record.keywords.get("index"), record.keywords.get("output")
    while place is not None and scope is not None:
        name = assigned_name(place, item if isinstance(item, int) else None, stored, output)
        if name is not None or not is_returned(place) or scope.parent is None:
            return name
        if _is_own(scope.parent):  # a trace inside a trace: the caller is not the learner
            return None
        place = locate(scope.parent.code, scope.lasti)
        scope = scope.parent
    return None


def _constants(
    records: Sequence[Record], places: Sequence[Place | None]
) -> Iterator[tuple[int, str | None, Source]]:
    """Yield each constant with the name and expression at its first use."""
    seen: set[int] = set()
    for record, place in zip(records, places, strict=True):
        for position, parent in enumerate(record.parents):
            if parent is None or records[parent].row is not CONSTANT or parent in seen:
                continue
            seen.add(parent)
            node = operand(place, record.row, position, len(record.parents)) if place else None
            if place is not None and node is not None:
                simple = isinstance(node, ast.Name | ast.Attribute)
                yield parent, _target_name(node) if simple else None, place.source(node)


def unique_names(
    inputs: Sequence[str], wanted: Sequence[str | None], records: Sequence[Record]
) -> list[str]:
    """Make names unique: ``z`` assigned three times becomes ``z1``, ``z2``, ``z3``.

    A value without a name is called ``v1``, ``v2``, … and a constant ``c1``, ….
    """
    times = Counter(filter(None, wanted))
    taken = {*inputs, *times}
    names = list(inputs)
    counts: Counter[str] = Counter()
    for name, record in zip(wanted, records[len(inputs) :], strict=True):
        if name is not None and times[name] == 1 and name not in inputs:
            names.append(name)
            continue
        stem = name or ("c" if record.row is CONSTANT else "v")
        if stem[-1].isdigit():
            stem += "_"
        counts[stem] += 1
        while f"{stem}{counts[stem]}" in taken:
            counts[stem] += 1
        names.append(f"{stem}{counts[stem]}")
    return names


def _scope_names(records: Sequence[Record]) -> dict[Scope | None, tuple[str, ...]]:
    """Return, for every scope, the chain of calls below the traced function."""
    scopes: dict[Scope, None] = {}  # in order, each after the scope around it
    for record in records:
        around = []
        scope = record.scope
        while scope is not None and scope not in scopes:
            around.append(scope)
            scope = scope.parent
        scopes |= dict.fromkeys(reversed(around))
    calls = Counter(map(_call_name, scopes))
    numbers: Counter[str] = Counter()
    chains: dict[Scope | None, tuple[str, ...]] = {None: ()}
    for scope in scopes:
        chains[scope] = chains[scope.parent]
        name = _call_name(scope)
        if name is not None:
            numbers[name] += 1
            chains[scope] += (f"{name} {numbers[name]}" if calls[name] > 1 else name,)
    return chains


def _is_own(scope: Scope) -> bool:
    """Whether it is a call of the tracer's, such as a trace inside a traced function."""
    return scope.code.co_filename.startswith(FOLDER)


def _call_name(scope: Scope) -> str | None:
    """Return the called function's name; ``None`` for the traced one and comprehensions."""
    if scope.parent is None or _is_own(scope) or scope.code.co_name in _COMPREHENSIONS:
        return None
    qualified = scope.code.co_qualname.split("<locals>.")[-1]
    owner, _, name = qualified.rpartition(".")
    return owner if owner and name == "__call__" else name.replace("<lambda>", "λ")


def links(error: BaseException) -> Iterator[TracebackType]:
    """Yield where an error passed, from the outermost call to the place where it was raised."""
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next
