"""What the statements of a student's function can be made of: its names and what they hold."""

from __future__ import annotations

import ast
import copy
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, TypeGuard, TypeVar

import numpy as np

from backprop_nb.checking.lines.program import Block, exchanged
from backprop_nb.tracing.code_text import function_text, parse

Node = TypeVar("Node", bound=ast.AST)

PLACES = (ast.Name, ast.Subscript, ast.Attribute)
_PURE = (
    *(*PLACES, ast.BinOp, ast.UnaryOp, ast.Constant, ast.JoinedStr, ast.FormattedValue),
    *(ast.Slice, ast.Tuple, ast.operator, ast.unaryop, ast.expr_context, ast.keyword),
)
"""What an expression may consist of that is computed beside the program."""
_METHODS = frozenset(
    {"dot", "sum", "mean", "max", "min", "var", "std", "clip", "astype", "cumsum", "prod"}
    | {"transpose", "reshape", "ravel", "flatten", "squeeze", "copy"}
)


def text_of(node: ast.AST) -> str:
    """Return an expression on one line."""
    return " ".join(ast.unparse(node).split())


def line_of(node: ast.AST) -> int:
    """Return the line that an expression or a statement begins in."""
    return int(getattr(node, "lineno", 0))


def text_within(node: ast.AST, whole: ast.AST) -> str:
    """Return an expression on one line; of several in a whole that read the same, which it is.

    >>> whole = ast.parse("d * (d > 0)", mode="eval").body
    >>> text_within(whole.right.left, whole), text_within(whole.right, whole)
    ('the second d', 'd > 0')
    """
    text = text_of(node)
    alike = [e for e in ast.walk(whole) if isinstance(e, ast.expr) and text_of(e) == text]
    alike.sort(key=lambda each: (each.lineno, each.col_offset))
    if len(alike) < 2 or node not in alike:
        return text
    k = alike.index(node)
    return f"the {_ORDINALS[k] if k < len(_ORDINALS) else f'{k + 1}th'} {text}"


_ORDINALS = ("first", "second", "third", "fourth")


def _kind(value: Any) -> str:
    """Return what a value is good for; things of different kinds are not exchanged."""
    for kind, types in _KINDS.items():
        if isinstance(value, types):
            return kind
    return "array" if hasattr(value, "dtype") else "object"


_KINDS: dict[str, tuple[type, ...]] = {
    "bool": (bool, np.bool_),
    "int": (int, np.integer),
    "array": (float, np.floating, np.ndarray),
    "str": (str,),
    "list": (list, tuple),
    "dict": (dict,),
    "module": (ModuleType,),
    "function": (FunctionType, MethodType, BuiltinFunctionType, np.ufunc, type),
}


@dataclass(eq=False)
class Scope:
    """What the statements of one block can be made of."""

    block: Block
    functions: Sequence[str]
    """The student's functions of one parameter."""
    constants: Mapping[float, str] = field(default_factory=dict)
    texts: Sequence[str] = ()
    """The short texts in all of the student's functions."""
    data: Sequence[str] = ()
    """The globals that the loss reads."""
    means: Sequence[float] = ()
    """How many the loss takes means over."""

    @cached_property
    def kinds(self) -> dict[str, str]:
        """By name what it holds; globals as well."""
        found: dict[str, str] = {}
        for names in self.block.seen.values():
            for name, value in names.items():
                found.setdefault(name, _kind(value))
        glob = self.block.functions[0].__globals__
        for name in (*(each.id for each in self._all(ast.Name)), *self.data):
            if name not in found and name in glob:
                found[name] = _kind(glob[name])
        return {name: kind for name, kind in found.items() if name.isidentifier()}

    def _all(self, kind: type[Node]) -> list[Node]:
        """Return all nodes of a kind in the block."""
        return [node for node in ast.walk(self.block.node) if isinstance(node, kind)]

    @cached_property
    def _given(self) -> Mapping[str, int]:
        """By name how many places of the block give it a value."""
        return Counter(e.id for e in self._all(ast.Name) if isinstance(e.ctx, ast.Store))

    @cached_property
    def reads(self) -> Mapping[str, int]:
        """By name that the block gives a value to how often it is read there."""
        reads = (each.id for each in self._all(ast.Name) if isinstance(each.ctx, ast.Load))
        return Counter(name for name in reads if name in self._given)

    @cached_property
    def given_anew(self) -> frozenset[str]:
        """The names that more than one statement gives a value to, such as a sum's."""
        return frozenset(name for name, count in self._given.items() if count > 1)

    @cached_property
    def unpacked(self) -> frozenset[str]:
        """The names that get their values several at once, such as the lengths of a shape."""
        parts = (each for node in self._all(ast.Tuple) for each in node.elts)
        names = (each for each in parts if isinstance(each, ast.Name))
        return frozenset(each.id for each in names if isinstance(each.ctx, ast.Store))

    def holds_arrays(self, name: str) -> bool:
        """Whether a list has nothing but arrays in it wherever it has something in it."""
        found = [names[name] for names in self.block.seen.values() if name in names]
        entries = [each for row in found for each in row]
        return bool(entries) and all(_kind(each) == "array" for each in entries)

    @cached_property
    def helpers(self) -> dict[str, ast.expr]:
        """What can be called with one argument: functions, and methods of the same class."""
        found: dict[str, ast.expr] = {name: ast.Name(name, ast.Load()) for name in self.functions}
        if isinstance(self.block.tree, ast.ClassDef):
            for node in self.block.tree.body:
                if _is_helper(node):
                    own = ast.Name(node.args.args[0].arg, ast.Load())
                    calls = {e.attr for e in ast.walk(node) if isinstance(e, ast.Attribute)}
                    leads_back = getattr(self.block.node, "name", "") in calls
                    if own.id in self.kinds and node is not self.block.node and not leads_back:
                        found[f"{own.id}.{node.name}"] = ast.Attribute(own, node.name, ast.Load())
        return found

    @cached_property
    def dimensions(self) -> dict[str, int]:
        """By name of an array how many axes it has."""
        found: dict[str, int] = {}
        for names in (self.block.functions[0].__globals__, *self.block.seen.values()):
            found |= {k: np.ndim(v) for k, v in names.items() if _kind(v) == "array"}
        return found

    @cached_property
    def labels(self) -> list[str]:
        """The names of vectors of integers, which count classes or samples."""
        glob = self.block.functions[0].__globals__
        seen = [{name: glob.get(name) for name in self.kinds}, *self.block.seen.values()]
        return list(
            dict.fromkeys(
                name
                for names in seen
                for name, value in names.items()
                if name in self.kinds and isinstance(value, np.ndarray)
                if value.ndim == 1 and value.dtype.kind in "iu"
            )
        )

    @cached_property
    def unread(self) -> set[str]:
        """The attributes that one method of a class keeps for later, and no other reads.

        A layer that keeps a mask in its ``forward`` means to use it in its ``backward``.
        """
        if not isinstance(self.block.tree, ast.ClassDef):
            return set()
        uses = [_attributes(each) for each in self.block.tree.body]
        return {
            text
            for k, (kept, _) in enumerate(uses)
            for text in kept
            if not any(text in read for j, (_, read) in enumerate(uses) if j != k)
        }

    @cached_property
    def expressions(self) -> dict[str, ast.expr]:
        """The names, entries and attributes that are read in the block, by their text."""
        found: dict[str, ast.expr] = {}
        for name, kind in self.kinds.items():
            if kind == "array":
                found[name] = ast.Name(name, ast.Load())
        methods = self.block.tree if self.block.tree is not self.block.node else ast.Pass()
        kept = (each for each in ast.walk(methods) if isinstance(each, ast.Attribute))
        for node in (*ast.walk(self.block.node), *kept):
            if isinstance(node, ast.Subscript | ast.Attribute) and self._is_value(node):
                found.setdefault(text_of(node), as_read(node))
        for base in self.bases:
            indices = list(self.indices.values())
            indices += [ast.Constant(key) for key in self._keys(base)]
            for index in indices:
                if not isinstance(index, ast.Slice | ast.Tuple):
                    new = ast.Subscript(ast.Name(base, ast.Load()), index, ast.Load())
                    found.setdefault(text_of(new), new)
        return found

    def _keys(self, base: str) -> list[str]:
        """Return the keys of a dict that are texts, if there are few."""
        for names in self.block.seen.values():
            if isinstance(names.get(base), dict) and len(names[base]) <= 12:
                return [key for key in names[base] if isinstance(key, str)]
        return []

    def value(self, node: ast.expr, line: int) -> Any:
        """Return what an expression gives where a line ran first; ``None`` if it is no array."""
        value = self.evaluated(node, line)
        return value if _kind(value) == "array" else None

    def evaluated(self, node: ast.expr, line: int) -> Any:
        """Return whatever an expression gives where a line ran first; ``None`` if nothing."""
        key = (ast.unparse(node), line)
        if key not in self._values:
            self._values[key] = self._evaluated(node, line)
        return self._values[key]

    @cached_property
    def _values(self) -> dict[tuple[str, int], Any]:
        return {}

    def is_row(self, node: ast.expr) -> bool:
        """Whether an expression gives a list, or a tuple such as a shape."""
        return isinstance(self.evaluated(node, node.lineno), list | tuple)

    def _evaluated(self, node: ast.expr, line: int) -> Any:
        names = self.block.seen.get(line)
        if names is None or not all(map(_is_pure, ast.walk(node))):
            return None
        code = compile(ast.fix_missing_locations(ast.Expression(copy.copy(node))), "", "eval")
        try:
            return eval(code, self.block.functions[0].__globals__, dict(names))
        except Exception:  # it has no value there
            return None

    def fitting(self, slot: ast.expr) -> Iterator[tuple[str, ast.expr]]:
        """Yield the expressions that can be multiplied with another one, or added to it."""
        to, seen = self.value(slot, slot.lineno), set[int]()
        for text, x in self.expressions.items():
            value = self.value(x, slot.lineno)
            if value is None or id(value) in seen:
                continue
            if not isinstance(value, float):
                seen.add(id(value))
            if to is None or fits(np.shape(value), np.shape(to)):
                yield text, x

    def is_square_of(self, matrix: ast.expr, x: ast.expr) -> bool:
        """Whether a matrix has a row and a column for each entry of a vector."""
        to, value = self.value(matrix, matrix.lineno), self.value(x, matrix.lineno)
        return np.ndim(value) == 1 and np.shape(to) == 2 * np.shape(value)

    def _is_value(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Attribute):
            owner = node.value
            if isinstance(owner, ast.Name) and self.kinds.get(owner.id) == "object":
                for names in self.block.seen.values():
                    if owner.id in names and hasattr(names[owner.id], node.attr):
                        return _kind(getattr(names[owner.id], node.attr)) == "array"
            return False
        return isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice)

    @cached_property
    def bases(self) -> list[str]:
        """The lists and dicts that are indexed."""
        owners = (node.value for node in self._all(ast.Subscript))
        names = (each.id for each in owners if isinstance(each, ast.Name))
        return list(dict.fromkeys(e for e in names if self.kinds.get(e) in ("list", "dict")))

    @cached_property
    def indices(self) -> dict[str, ast.expr]:
        """What lists, dicts and arrays are indexed with."""
        return {text_of(node.slice): node.slice for node in self._all(ast.Subscript)}

    @cached_property
    def strings(self) -> list[str]:
        """The texts in the block, and the keys of its dicts."""
        found = texts_in(self.block.node)
        for names in self.block.seen.values():
            for value in names.values():
                if isinstance(value, dict):
                    found += [key for key in value if isinstance(key, str)]
                elif isinstance(value, str):
                    found.append(value)
        return list(dict.fromkeys([*(each for each in found if len(each) < 40), *self.texts]))

    @cached_property
    def entries(self) -> dict[str, ast.expr]:
        """What is read out of lists and dicts and is no array, such as a name of a function."""
        return {
            text_of(node): as_read(node)
            for node in self._all(ast.Subscript)
            if not isinstance(node.slice, ast.Slice)
        }

    @cached_property
    def counts(self) -> list[str]:
        """The names of whole numbers."""
        return [name for name, kind in self.kinds.items() if kind == "int"]

    @cached_property
    def calls(self) -> dict[str, list[ast.Call]]:
        """The calls in the block, by what is called."""
        found: dict[str, list[ast.Call]] = {}
        for node in self._all(ast.Call):
            if isinstance(node.func, ast.Name | ast.Attribute):
                found.setdefault(text_of(node.func), []).append(node)
        return found

    @cached_property
    def sizes(self) -> dict[str, ast.expr]:
        """How much something holds: names of whole numbers, lengths and shapes."""
        found: dict[str, ast.expr] = {}
        for node in ast.walk(self.block.node):
            match node:
                case ast.Attribute(attr="size") | ast.Call(func=ast.Name(id="len")):
                    found.setdefault(text_of(node), node)
                case ast.Subscript(value=ast.Attribute(attr="shape") as shape):
                    for axis in (0, 1):
                        its = ast.Subscript(shape, ast.Constant(axis), ast.Load())
                        found.setdefault(text_of(its), its)
        names = {name: ast.Name(name, ast.Load()) for name in self.counts}
        return {**names, **found} if found else {}

    @cached_property
    def right_counts(self) -> dict[ast.AST, ast.AST]:
        """What counts as many as the loss takes a mean over, for all that it is made of."""
        reads = (
            e for e in self._all(ast.expr) if isinstance(getattr(e, "ctx", ast.Load()), ast.Load)
        )
        counts = (e for e in reads if text_of(e) in self.sizes) if self.means else ()
        right = (each for each in counts if self.evaluated(each, each.lineno) in self.means)
        return {node: each for each in right for node in ast.walk(each)}

    @cached_property
    def rectified(self) -> list[str]:
        """The names of what the block hands to ``np.maximum``, as a ReLU does."""
        calls = (each for each in self._all(ast.Call) if text_of(each.func) == "np.maximum")
        names = (e.id for each in calls for e in each.args if isinstance(e, ast.Name))
        return list(dict.fromkeys(names))

    @cached_property
    def rates(self) -> list[str]:
        """The names of single floats, such as how strong a penalty is; of many the first."""
        floats = (name for name, ndim in self.dimensions.items() if not ndim)
        return [name for name in floats if self.kinds.get(name) == "array"][:3]

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of arrays that the block is called with."""
        args = getattr(getattr(self.block.node, "args", None), "args", ())
        return frozenset(each.arg for each in args if self.dimensions.get(each.arg))

    @cached_property
    def numbers(self) -> list[float]:
        """The numbers of the loss that are no lengths, such as the slope of a leaky ReLU."""
        return [x for x, text in self.constants.items() if "." in text and "/" not in text]

    @cached_property
    def attributes(self) -> list[str]:
        """The attributes of ``self`` and of other objects."""
        return list(
            dict.fromkeys(
                node.attr
                for node in ast.walk(self.block.tree)
                if isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and self.kinds.get(node.value.id) == "object"
            )
        )


def texts_in(node: ast.AST) -> list[str]:
    """Return the texts that stand in a piece of code."""
    return [
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]


def _is_helper(node: ast.AST) -> TypeGuard[ast.FunctionDef]:
    """Whether a part of a class is a method of one argument that keeps nothing in its object.

    A layer's ``forward`` keeps what its ``backward`` needs: to call it once more would change that.
    """
    return (
        isinstance(node, ast.FunctionDef)
        and len(node.args.args) == 2
        and not any(
            isinstance(each, ast.Attribute | ast.Subscript) and isinstance(each.ctx, ast.Store)
            for each in ast.walk(node)
        )
    )


def _attributes(method: ast.AST) -> tuple[set[str], set[str]]:
    """Return the attributes to which a method gives a value, and those that it reads."""
    nodes = [each for each in ast.walk(method) if isinstance(each, ast.Attribute)]
    kept = {text_of(each) for each in nodes if isinstance(each.ctx, ast.Store)}
    return kept, {text_of(each) for each in nodes if isinstance(each.ctx, ast.Load)}


def _is_pure(node: ast.AST) -> bool:
    """Whether computing a node changes nothing."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name) as function):
            return is_numpy(function) or name in _METHODS
        case ast.Call(func=ast.Name(id="len")):
            return True
    return isinstance(node, _PURE)


def fits(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether an array of one shape can be multiplied with another one, which keeps its shape."""
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False


def computes_only(function: FunctionType, depth: int = 3) -> bool:
    """Whether a function that did not run is nothing but formulas, and can be tried.

    It may call others that are, ``depth`` deep.
    """
    text = function_text(function)
    if text is None or not depth:
        return False
    try:
        [definition] = parse(textwrap.dedent(text)).body
    except (SyntaxError, ValueError):
        return False
    return (
        isinstance(definition, ast.FunctionDef)
        and not definition.decorator_list
        and all(
            isinstance(each, ast.Return | ast.Assign)
            and all(_is_formula(node, function, depth) for node in ast.walk(each))
            for each in definition.body
            if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        )
    )


def _is_formula(node: ast.AST, function: FunctionType, depth: int) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        called = function.__globals__.get(node.func.id)
        return isinstance(called, FunctionType) and computes_only(called, depth - 1)
    if isinstance(node, ast.Attribute):
        return is_numpy(node) or node.attr == "T"
    return _is_pure(node) or isinstance(node, ast.Return | ast.Assign | ast.Compare | ast.cmpop)


def is_numpy(node: ast.AST) -> bool:
    """Whether a function is one of NumPy's."""
    value = node.value if isinstance(node, ast.Attribute) else None
    return isinstance(value, ast.Name) and value.id in ("np", "numpy")


def as_read(node: ast.expr) -> ast.expr:
    """Return what is stored into as what is read."""
    return _in_context(node, ast.Load())


def as_stored(node: ast.expr) -> ast.expr:
    """Return what is read as what is stored into."""
    return _in_context(node, ast.Store())


def _in_context(node: ast.expr, context: ast.expr_context) -> ast.expr:
    made = copy.copy(node)
    made.ctx = context  # type: ignore[attr-defined]
    return made


def closed(node: ast.expr) -> str:
    """Return the text of an operand, in brackets where it is one of more."""
    text = text_of(node)
    return f"({text})" if isinstance(node, ast.BinOp | ast.Compare) else text


def fitted(new: ast.AST, node: ast.AST, around: ast.AST | None) -> str:
    """Return the text of what is written in the place of an expression, in brackets if need be.

    Those that the expression itself stands in stay where they are.

    >>> whole = ast.parse("d * (1 - h) ** 2", mode="eval").body
    >>> fitted(ast.parse("1 - h**2", mode="eval").body, whole.right, whole)
    '(1 - h ** 2)'
    """
    text = text_of(new)
    if isinstance(around, ast.Subscript | ast.stmt) and isinstance(new, ast.Tuple) and new.elts[1:]:
        return text[1:-1]
    if not isinstance(around, ast.expr) or _fits_in(new, node, around):
        return text
    return f"({text})" if _fits_in(node, node, around) else text


def operand(node: ast.expr, whole: ast.BinOp) -> str:
    """Return the text of an operand, in the brackets that it needs where it stands."""
    return text_of(node) if _fits_in(node, node, whole) else f"({text_of(node)})"


def _fits_in(new: ast.AST, node: ast.AST, around: ast.expr) -> bool:
    """Whether an expression keeps its meaning where its text is put in the place of another."""
    whole = text_of(exchanged(around, node, ast.Name(_GAP, ast.Load())))
    meant = text_of(exchanged(around, node, new))
    try:
        found, right = (
            ast.parse(e, mode="eval") for e in (whole.replace(_GAP, text_of(new)), meant)
        )
    except SyntaxError:  # as of a slice alone
        return True
    return ast.dump(found) == ast.dump(right)


_GAP = "__gap__"
