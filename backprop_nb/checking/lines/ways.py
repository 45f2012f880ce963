"""The ways in which a person would write a statement otherwise.

What a wrong line lacks stands nearly always somewhere else in the same function: another name,
another index, a helper that is called elsewhere.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from backprop_nb.checking.lines.program import exchanged, placed
from backprop_nb.checking.lines.rewrites import Put, Rewrite, in_place, parts_of, walk
from backprop_nb.checking.lines.scope import (
    PLACES,
    Scope,
    closed,
    is_numpy,
    operand,
    text_of,
)
from backprop_nb.checking.report import scaling


class Way(NamedTuple):
    """What may stand in the place of something, of what kind that is, and how unlikely."""

    new: ast.AST
    kind: str
    cost: float
    words: str = ""
    """What a person would do, unless it is to write the one in place of the other."""


_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.MatMult, ast.Add, ast.Sub),
    ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
}
_COMPARES = (ast.Gt, ast.GtE, ast.Lt, ast.LtE, ast.Eq, ast.NotEq)
_REDUCTIONS = ("sum", "mean", "max", "min")
_ACTIVATIONS = ("sigmoid", "tanh", "relu", "exp", "abs")
_FILLED = {"zeros": "ones", "ones": "zeros", "zeros_like": "ones_like", "ones_like": "zeros_like"}
_ENTRYWISE = ("exp", "tanh", "log", "abs", "sqrt", "square")


def formula(text: str, **parts: ast.AST) -> Any:
    """Return an expression with others in the place of names in it, and no place of its own.

    >>> text_of(formula("x * (1 - x)", x=formula("h[-1]")))
    'h[-1] * (1 - h[-1])'
    """
    return _filled(_parsed(text), parts)


@cache
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _filled(node: Any, parts: Mapping[str, ast.AST]) -> Any:
    if isinstance(node, list):
        return [_filled(each, parts) for each in node]
    if isinstance(node, ast.Name) and node.id in parts:
        return parts[node.id]
    if not isinstance(node, ast.AST):
        return node
    return type(node)(**{name: _filled(value, parts) for name, value in ast.iter_fields(node)})


def _number(value: float) -> ast.expr:
    if value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def rewrites(scope: Scope, statement: ast.AST) -> Iterator[Rewrite]:
    """Yield the ways to write one statement, without those that bring in something."""
    for part, root, put in parts_of(statement):
        for node, parent in walk(part):
            for way in _instead(scope, node, parent):
                yield _rewrite(part, root, put, node, way)
        for way in _everywhere(scope, part):
            yield _rewrite(part, root, put, part, way)
    if isinstance(statement, ast.For | ast.While):
        yield from _returned_behind(statement)
    for new, kind, cost, words in _statements(scope, statement):
        made = placed(new, statement)
        yield Rewrite(statement, statement, lambda new: new, statement, made, kind, cost, words)


def _returned_behind(loop: ast.For | ast.While) -> Iterator[Rewrite]:
    """Yield a loop that ends in its first round, with what is returned in it behind it."""
    last = loop.body[-1]
    if isinstance(last, ast.Return) and len(loop.body) > 1:
        made = copy.copy(loop)
        made.body = loop.body[:-1]
        both = placed(ast.If(ast.Constant(True), [made, last], []), loop)
        said = "move the line behind the loop, which ends here in its first round"
        yield Rewrite(loop, last, lambda _: both, last, last, "statement", 0.9, said)


def additions(scope: Scope, statement: ast.AST) -> Iterator[Rewrite]:
    """Yield the ways to write one statement with something brought in."""
    for part, root, put in parts_of(statement):
        for slot in _slots(part):
            late = 0.3 * (isinstance(statement, ast.Return) and _is_handed_on(scope, slot))
            for way in _more(scope, slot):
                is_alike = late and _is_as_beside(scope, slot, way.new)
                cost = way.cost - 0.3 if is_alike else way.cost + late
                yield _rewrite(part, root, put, slot, way._replace(cost=cost))
    if isinstance(statement, ast.AugAssign):
        yield from _then_scaled(scope, statement)


def _is_handed_on(scope: Scope, slot: ast.expr) -> bool:
    """Whether what is returned is a name, or a share of it such as ``dW / n``.

    What that lacks was to be brought in where it is computed.
    """
    if isinstance(slot, ast.BinOp) and isinstance(slot.op, ast.Mult | ast.Div):
        is_number = isinstance(slot.right, ast.Constant) or _is_count(scope, slot.right)
        return is_number and _is_handed_on(scope, slot.left)
    return isinstance(slot, ast.Name) and scope.kinds.get(slot.id) != "list"


def _is_as_beside(scope: Scope, slot: ast.expr, new: ast.AST) -> bool:
    """Whether a factor is brought in that another one of what is returned has."""
    row = getattr(scope.block.module.parent.get(slot), "elts", [])
    ways = [(type(e.op), text_of(e.right)) for e in (*row, new) if isinstance(e, ast.BinOp)]
    return ways.count(ways[-1]) > 1 if ways else False


def _then_scaled(scope: Scope, statement: ast.AugAssign) -> Iterator[Rewrite]:
    """Yield a statement that changes a value, and one behind it that multiplies it."""
    name = text_of(statement.target)
    for number, text in scope.constants.items():
        if number not in (0, 1):
            scaled = ast.AugAssign(statement.target, ast.Mult(), _number(number))
            both = placed(ast.If(ast.Constant(True), [statement, scaled], []), statement)
            said = f"after this line, {scaling(name, text)}"
            yield Rewrite(
                statement, statement, lambda new: new, statement, both, "constant", 1.0, said
            )


def _rewrite(part: ast.expr, root: ast.AST, put: Put, node: ast.expr, way: Way) -> Rewrite:
    new, kind, cost, said = way
    # What is stored is wrong more often than where.
    cost += 0.1 * isinstance(getattr(part, "ctx", None), ast.Store)
    return Rewrite(root, part, put, node, placed(new, node), kind, cost, said)


def _leave_out(text: str, node: ast.BinOp, last: bool = True) -> str:
    """Say what to leave out of an expression, and where it stands if that is not the only one."""
    is_only = text_of(node).count(text) < 2
    return f"leave out {text}" + ("" if is_only else " at the end" if last else " at the start")


def _instead(scope: Scope, node: ast.expr, parent: ast.AST | None) -> Iterator[Way]:
    """Yield what may stand in the place of one expression."""
    is_target = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
    if is_target and isinstance(node, ast.Name | ast.Attribute):
        return
    match node:
        case ast.Name(id=name):
            yield from _other_names(scope, node, name, parent)
            if scope.kinds.get(name) == "array" and _is_factor(scope, node):
                yield from _slopes(node, 1.0, _SLOPES[1:])  # the first has only a factor more
                for text in scope.rectified:
                    yield Way(formula("z > 0", z=ast.Name(text, ast.Load())), "function", 0.95)
        case ast.Attribute():
            yield from _other_attributes(scope, node, parent)
        case ast.Subscript():
            yield from _other_entries(scope, node)
        case ast.BinOp():
            yield from _by_column(scope, node)
            yield from _other_operators(node)
            yield from _less_labels(scope, node)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield Way(operand, "sign", 0.9, f"leave out the sign: {text_of(operand)}")
            yield Way(formula("2 * x", x=operand), "sign", 1.0)
        case ast.Call():
            yield from _other_calls(scope, node)
            if _is_factor(scope, node):
                for x in (*_handed(node), node):
                    # As well the function that is called may be wrong.
                    yield from _slopes(x, 1.1)
        case ast.Constant(value=value):
            yield from _other_constants(scope, node, value, parent)
            if parent is None and type(value) in (int, float):  # it was to be computed
                yield from (Way(x, "operand", 1.0) for _, x in scope.fitting(node))
        case ast.Compare(ops=[operator], left=left, comparators=[right]):
            for other in _COMPARES:
                if not isinstance(operator, other):
                    # Rather a mask is too many than that it lets nearly all through.
                    cost = 0.9 + 0.4 * (other in (ast.Eq, ast.NotEq))
                    yield Way(ast.Compare(left, [other()], [right]), "comparison", cost)
            yield from _masked(scope, node, left)
        case ast.Tuple(elts=elts):
            for row in _neighbours_exchanged(elts):
                yield Way(ast.Tuple(row, node.ctx), "order", 1.0)
        case ast.IfExp(body=body, orelse=orelse):
            yield Way(body, "branch", 1.1)
            yield Way(orelse, "branch", 1.1)
    if _is_count(scope, node):
        for text, size in scope.sizes.items():
            if text != text_of(node):
                # A name that was given to a count is there to be read.
                is_named = scope.kinds.get(text) == "int" and not isinstance(node, ast.Name)
                yield Way(size, "number", 1.0 - 0.1 * is_named)
    yield from _other_lengths(scope, node)
    if isinstance(node, (*PLACES, ast.BinOp, ast.Call)) and not is_target:
        yield from _turned(scope, node, parent)
        yield from _wrapped(scope, node, parent)


_SLOPES = ("x * (1 - x)", "1 - x**2", "x > 0")


def _slopes(f: ast.expr, cost: float, forms: Sequence[str] = _SLOPES) -> Iterator[Way]:
    """Yield the slopes of sigmoid, tanh and ReLU, by what these give or are handed."""
    for form in forms:
        yield Way(formula(form, x=f), "function", cost)


def _handed(call: ast.Call) -> Iterator[ast.expr]:
    """Yield what a function is applied to, other than a number: Z of ``np.maximum(0, Z)``."""
    parts = [each for each in call.args if not isinstance(each, ast.Constant | ast.Starred)]
    if len(parts) == 1 and not call.keywords:
        yield from parts


def _is_factor(scope: Scope, node: ast.expr) -> bool:
    above = scope.block.module.parent.get(node)
    return isinstance(above, ast.BinOp | ast.AugAssign) and isinstance(above.op, ast.Mult)


def _other_lengths(scope: Scope, node: ast.expr) -> Iterator[Way]:
    """Yield what may be counted in place of something else, or of a number that was typed.

    ``len(X)`` and ``X.shape[1]`` in place of ``X.size``.
    """
    own, above = list[str](), scope.block.module.parent.get(node)
    match node:
        case (
            ast.Attribute(value=ast.Name(id=name), attr="size")
            | ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)])
            | ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="shape"))
        ):
            own = [name]
        case ast.Constant(value=int() | float() as value) if value >= 1 and value % 1 == 0:
            here = scope.block.seen.get(node.lineno, {})
            own = [*dict.fromkeys([*scope.data, *here])] if isinstance(above, ast.Assign) else []
    is_divisor = isinstance(getattr(above, "op", None), ast.Div) and node not in (
        getattr(above, "left", None),
    )
    over = _over(node) if is_divisor or isinstance(above, ast.Assign) else ""
    for name in own:
        axes = scope.dimensions.get(name, 0)
        first = "x.shape[0]" if isinstance(node, ast.Subscript) else "len(x)"
        for form in (first,)[:axes] + ("x.shape[1]", "x.size")[: 2 * (axes > 1)]:
            new = formula(form, x=ast.Name(name, ast.Load()))
            its = _over(new)
            said = f"{in_place(new, text_of(node))}, for the mean is over {its} and not over {over}"
            if its != over or not over:
                if over:
                    yield Way(new, "count", 0.85, said)
                else:
                    yield Way(new, "number", 1.0)


def _over(count: ast.expr) -> str:
    """Return what a mean is over that is divided by a count of an array."""
    match count:
        case ast.Attribute(attr="size"):
            return "all numbers"
        case ast.Subscript(slice=ast.Constant(value=1)):
            return "the columns"
        case ast.Call() | ast.Subscript(slice=ast.Constant(value=0)):
            return "the rows"
    return ""


def _is_called(node: ast.expr, parent: ast.AST | None) -> bool:
    return isinstance(parent, ast.Call) and parent.func is node


def _neighbours_exchanged(row: Sequence[ast.expr]) -> Iterator[list[ast.expr]]:
    for k in range(len(row) - 1):
        yield [*row[:k], row[k + 1], row[k], *row[k + 2 :]]


def _wrapped(scope: Scope, node: ast.expr, parent: ast.AST | None) -> Iterator[Way]:
    """Yield a value that a function of one argument is applied to."""
    if isinstance(node, ast.Name) and scope.kinds.get(node.id) != "array":
        return
    if isinstance(parent, ast.Attribute | ast.Subscript | ast.keyword) or _is_called(node, parent):
        return
    for helper in scope.helpers.values():
        yield Way(formula("f(x)", f=helper, x=node), "function", 1.1)
    for form, cost in (("np.tanh(x)", 1.2), ("np.maximum(x, 0)", 1.4)):
        yield Way(formula(form, x=node), "function", cost)
    is_term = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add | ast.Sub)
    if is_term or not isinstance(parent, ast.BinOp | ast.Call):
        yield Way(formula("x**2", x=node), "function", 1.1, f"square {text_of(node)}")
    if not isinstance(parent, ast.BinOp | ast.Call):
        if isinstance(node, PLACES):
            yield Way(formula("x.copy()", x=node), "copy", 0.9, f"write {text_of(node)}.copy()")
        is_counted = isinstance(node, ast.Call) and text_of(node.func) in ("range", "reversed")
        for form in () if is_counted else _SUMS:
            yield Way(_reduced(form, node), "axis", 1.1)


_AXES = ("", ", axis=0", ", axis=1", ", axis=0, keepdims=True", ", axis=1, keepdims=True")
_SUMS = (*(f"np.sum(x{axis})" for axis in _AXES), "np.mean(x, axis=0)")


def _is_widened(node: ast.expr) -> TypeGuard[ast.Subscript]:
    """Whether an array is given an axis of length 1, as by ``d[:, None]``."""
    if not (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)):
        return False
    indices = (each for each in ast.walk(node.slice) if isinstance(each, ast.Constant))
    return any(each.value is None for each in indices)


def _reduced(form: str, x: ast.expr) -> ast.expr:
    """Return a sum or a mean; over all numbers of an array no axis of length 1 counts."""
    whole: ast.expr = formula(form, x=x.value if _is_widened(x) and "axis" not in form else x)
    return whole


def _turned(scope: Scope, node: ast.expr, parent: ast.AST | None) -> Iterator[Way]:
    """Yield a value with another sign, or transposed."""
    kind = scope.kinds.get(node.id) if isinstance(node, ast.Name) else "array"
    if kind == "int":
        for form in ("k + 1", "k - 1"):
            yield Way(formula(form, k=node), "index", 1.0)
    if kind != "array":
        return
    if isinstance(parent, ast.Attribute) or _is_called(node, parent):
        return
    if isinstance(parent, ast.Subscript) and parent.slice is node:
        if isinstance(node, ast.BinOp | ast.Call):
            for form in ("k + 1", "k - 1"):
                yield Way(formula(form, k=node), "index", 1.0)
        return
    # Rather the function is wrong than what it is handed.
    is_own = isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name)
    yield Way(formula("x.T", x=node), "transpose", 0.9 + 0.3 * is_own)
    is_free = not isinstance(parent, ast.UnaryOp | ast.BinOp) or isinstance(parent.op, ast.Add)
    if is_free and not _has_minus(node):
        is_handed = isinstance(parent, ast.Call) and not is_numpy(parent.func)
        is_computed = isinstance(node, ast.BinOp | ast.Call) or isinstance(parent, ast.Call)
        cost = 1.2 if is_handed else 0.9 if is_computed else 1.1
        yield Way(formula("-x", x=node), "sign", cost)


def _has_minus(node: ast.expr) -> bool:
    """Whether a product begins with a minus, which can be left out."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.MatMult):
        node = node.left
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def _likeness(one: str, other: str) -> float:
    """Return how easily one name is taken for another, from 0 to 1."""
    stem = str.maketrans("", "", "0123456789_[]-+'\"")
    if one.translate(stem) == other.translate(stem):
        return 1.0
    if len(one) == len(other) and one[1:] == other[1:]:
        return 0.8
    return 0.4 if one[:1] == other[:1] or one[-1:] == other[-1:] else 0.0


def _other_names(scope: Scope, node: ast.Name, name: str, parent: ast.AST | None) -> Iterator[Way]:
    kind = scope.kinds.get(name)
    if kind is None or name == "np":
        return
    # A loop goes through the rows of an array as through a list of them.
    is_zipped = isinstance(parent, ast.Call) and text_of(parent.func) == "zip"
    alike = {"array", "list"} if is_zipped and kind in ("array", "list") else {kind}
    is_called = _is_called(node, parent)
    is_slope = isinstance(parent, ast.Call) and not is_called and _is_factor(scope, parent)
    for other, its in scope.kinds.items():
        if other != name and its in alike and other != "np":
            if kind == its == "array" and scope.dimensions.get(name) != scope.dimensions.get(other):
                continue
            # Nobody computes what nobody reads; of a shape that is unpacked not all is needed.
            is_needed = scope.reads.get(name) == 1 and name not in scope.unpacked
            cost = 1.1 - 0.2 * _likeness(name, other) + 0.7 * is_needed
            # A mask asks for what the ReLU was handed.
            cost -= 0.2 * (isinstance(parent, ast.Compare) and other in scope.rectified)
            # A slope is one of z, rather than another function of f.
            cost -= 0.15 * (is_slope and kind == "array")
            cost += 0.3 * (is_called and _likeness(name, other) == 0)
            yield Way(ast.Name(other, ast.Load()), "name", cost)
    if is_called:
        for text, new in scope.helpers.items():
            if text != name and scope.kinds.get(text) != "function":
                yield Way(new, "function", 1.0 if _likeness(name, text) else 1.4)
    elif kind == "array":
        for new in scope.expressions.values():
            if not isinstance(new, ast.Name):
                yield Way(new, "operand", 1.2)
        if isinstance(parent, ast.BinOp):
            yield Way(formula("1"), "number", 1.2)
    elif kind in ("str", "function"):
        for new in scope.entries.values():
            yield Way(new, "name", 1.1)


def _other_attributes(scope: Scope, node: ast.Attribute, parent: ast.AST | None) -> Iterator[Way]:
    owner = node.value
    if node.attr == "T":
        yield Way(owner, "transpose", 0.9)
        yield Way(formula("x[::-1, ::-1]", x=owner), "index", 1.1)
        return
    if node.attr in _ENTRYWISE and not _is_called(node, parent):
        for new in scope.helpers.values():  # a function is handed over
            yield Way(new, "function", 1.0)
    if isinstance(owner, ast.Name) and scope.kinds.get(owner.id) == "object":
        for attr in scope.attributes:
            if attr != node.attr:
                cost = 1.1 - 0.2 * _likeness(attr, node.attr)
                yield Way(ast.Attribute(owner, attr, ast.Load()), "name", cost)
        for new in scope.expressions.values():
            if isinstance(new, ast.Name):
                yield Way(new, "operand", 1.2)


def _masked(scope: Scope, mask: ast.Compare, left: ast.expr) -> Iterator[Way]:
    """Yield what a mask may have been meant to let through."""
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult):
        own = ast.Compare(left.right, mask.ops, mask.comparators)
        words = f"brackets around the mask: {closed(own)}"
        yield Way(formula("x * mask", x=left.left, mask=own), "order", 0.9, words)
    elif not isinstance(left, ast.Constant):
        for text, x in scope.fitting(left):
            if text != text_of(left):
                words = f"multiply it by {text}"
                yield Way(formula("x * mask", x=x, mask=mask), "factor", 1.1, words)


def _other_entries(scope: Scope, node: ast.Subscript) -> Iterator[Way]:
    if _is_widened(node):
        brackets = text_of(node).removeprefix(text_of(node.value))
        yield Way(node.value, "operand alone", 0.8, f"leave out {brackets}")
    if isinstance(node.slice, ast.Compare) and isinstance(node.ctx, ast.Load):
        yield Way(formula("x * mask", x=node.value, mask=node.slice), "operator", 0.9)
    read = {each.id for each in ast.walk(node.slice) if isinstance(each, ast.Name)}
    for label in filter(read.__contains__, scope.labels):
        yield Way(_at_labels(node.value, label, node.ctx), "index", 0.9)
    is_row = scope.is_row(node.value)
    for index in _other_indices(scope, node.slice):
        if is_row and isinstance(index, ast.Slice) != isinstance(node.slice, ast.Slice):
            continue  # one entry of a list or of a shape is no list
        # Who takes the wrong axis of a shape means one that has a name among the sizes.
        cost = 1.0 + 0.05 * (getattr(node.value, "attr", "") == "shape")
        yield Way(ast.Subscript(node.value, index, node.ctx), "index", cost)
    if isinstance(node.ctx, ast.Load):
        for text, new in scope.expressions.items():
            base = text_of(new.value) if isinstance(new, ast.Subscript) else ""
            if base != text_of(node.value) and text != text_of(node):
                yield Way(new, "operand", 1.1 if base else 1.2)


def _other_indices(scope: Scope, own: ast.expr) -> Iterator[ast.expr]:
    """Yield what something may be indexed with in place of its own index."""
    for text, index in scope.indices.items():
        if text != text_of(own):
            yield index
    if not isinstance(own, ast.Slice | ast.Tuple | ast.Name):
        for count in scope.counts:
            if count not in scope.indices:
                yield ast.Name(count, ast.Load())
    if isinstance(own, ast.UnaryOp):  # from the end, as the layers are counted backward
        for count in scope.counts:
            for form in ("-k + 1", "-k - 1"):
                yield formula(form, k=ast.Name(count, ast.Load()))
    match own:
        case ast.Slice(lower=lower, upper=upper, step=step):
            for low, high in ((None, upper), (lower, None), (None, None)):
                if (low, high) != (lower, upper):
                    yield ast.Slice(low, high, step)
            yield ast.Slice(formula("1"), None, step)
            yield ast.Slice(None, formula("-1"), step)
        case ast.Tuple(elts=elts):
            for k, each in enumerate(elts):
                if isinstance(each, ast.Slice):
                    others = [e for e in elts if isinstance(e, ast.Slice) and e is not each]
                    for other in (*_slices(scope, each), *others):
                        yield ast.Tuple([*elts[:k], other, *elts[k + 1 :]], ast.Load())


def _at_labels(x: ast.expr, label: str, ctx: ast.expr_context) -> ast.Subscript:
    """Return the entries of which each row has one, at its label."""
    return ast.Subscript(x, formula(f"(np.arange(len({label})), {label})"), ctx)


def _less_labels(scope: Scope, node: ast.BinOp) -> Iterator[Way]:
    """Yield a difference from the rows that have a 1 at the label, in place of one from it."""
    if not isinstance(node.op, ast.Sub) or not isinstance(node.right, ast.Name | ast.Constant):
        return
    for label in scope.labels:
        rows = formula(f"np.eye(x.shape[1])[{label}]", x=node.left)
        new = ast.BinOp(node.left, node.op, rows)
        yield Way(new, "index", 1.0, f"{text_of(rows)} in place of {text_of(node.right)}")


def _slices(scope: Scope, node: ast.Slice) -> Iterator[ast.expr]:
    """Yield a slice with another name of a number wherever one stands."""
    read = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    for name in filter(read.__contains__, scope.counts):
        for other in scope.counts:
            if other != name:
                made: ast.expr = node
                for each in ast.walk(node):
                    if isinstance(each, ast.Name) and each.id == name:
                        new = placed(ast.Name(other, ast.Load()), each)
                        made = exchanged(made, each, new)
                yield made


_COUNTS = ("len", "np.size", "np.ndim")
"""What gives the same of w and of w - 1."""


def _regrouped(node: ast.BinOp) -> Iterator[ast.expr]:
    """Yield the same operands in other brackets, and a sum that a function is applied to."""
    left, right, operator = node.left, node.right, node.op
    if isinstance(right, ast.BinOp):
        yield ast.BinOp(ast.BinOp(left, operator, right.left), right.op, right.right)
    if isinstance(left, ast.BinOp):
        yield ast.BinOp(left.left, left.op, ast.BinOp(left.right, operator, right))
    match left:
        case ast.Call(func=function, args=[x], keywords=[]) if text_of(function) not in _COUNTS:
            yield ast.Call(function, [ast.BinOp(x, operator, right)], [])


def _other_operators(node: ast.BinOp) -> Iterator[Way]:
    left, right, operator = node.left, node.right, type(node.op)
    for other in _OPERATORS.get(operator, ()):
        is_far = {operator, other} in ({ast.Add, ast.Mult}, {ast.Sub, ast.Mult})
        yield Way(ast.BinOp(left, other(), right), "operator", 0.9 + 0.4 * is_far)
    if operator in (ast.Mult, ast.MatMult):
        yield Way(formula("np.outer(a, b)", a=left, b=right), "operator", 1.0)
    if operator in (ast.MatMult, ast.Sub, ast.Div, ast.Pow):
        is_error = operator is ast.Sub and not isinstance(left, ast.Constant)
        # That y - f was written for f - y is likelier than that a minus is missing.
        cost = 0.7 if is_error else 0.9
        yield Way(ast.BinOp(right, node.op, left), "operator", cost)
        if is_error:  # and that of the square with it
            yield Way(formula("2 * (b - a)", a=left, b=right), "operator", 1.0)
    if operator in (ast.MatMult, ast.Mult):
        for form in ("a.T @ b", "a @ b.T", "b @ a.T", "b.T @ a", "b.T @ a.T"):
            cost = 1.0 if form[0] == "a" else 1.2
            yield Way(formula(form, a=left, b=right), "operator", cost)
    match node:
        case ast.BinOp(ast.Constant(1), ast.Sub(), x) if isinstance(x, PLACES):  # half a slope
            new = formula("x * rest", x=x, rest=node)
            yield Way(new, "factor", 1.0, f"multiply it by {text_of(x)}")
        # The slope of the sigmoid, for that of tanh.
        case ast.BinOp(
            ast.BinOp(rest, ast.Mult(), a),
            ast.Mult(),
            ast.BinOp(ast.Constant(1), ast.Sub(), ast.Name() as x),
        ) if text_of(a) == text_of(x):
            yield Way(formula("rest * (1 - x**2)", rest=rest, x=x), "operand", 1.1)
    for new in _regrouped(node):
        yield Way(new, "order", 1.0)
    # Rather a number is too many that somebody thought of than that what makes up for it lacks.
    is_share = isinstance(right, ast.Constant) and operator is ast.Div
    words = _leave_out(f"{_sign(node.op)} {operand(right, node)}", node)
    yield Way(left, "operand alone", 0.7 if is_share else 1.0, words)
    if isinstance(left, ast.BinOp) and type(left.op) is operator:  # a slope has two factors
        both = (
            f"{_sign(left.op)} {operand(left.right, left)} {_sign(node.op)} {operand(right, node)}"
        )
        yield Way(left.left, "operand alone", 1.1, _leave_out(both, node))
    if operator not in (ast.Div, ast.Pow):
        words = _leave_out(f"{operand(left, node)} {_sign(node.op)}", node, last=False)
        yield Way(right, "operand alone", 1.0, words)


def _by_column(scope: Scope, node: ast.BinOp) -> Iterator[Way]:
    """Yield a product with one number for each row of a matrix."""
    for matrix, row in ((node.left, node.right), (node.right, node.left)):
        if isinstance(matrix, ast.Attribute) and matrix.attr == "T":
            axes = [np.ndim(scope.value(each, node.lineno)) for each in (matrix, row)]
            if axes == [2, 1] and isinstance(node.op, ast.Mult | ast.Div):
                column = formula("row[:, None]", row=row)
                yield Way(ast.BinOp(matrix.value, node.op, column), "transpose", 0.8)


def _sign(operator: ast.operator) -> str:
    """Return how an operator is written, a minus as in a sentence."""
    whole = text_of(ast.BinOp(ast.Name("a"), operator, ast.Name("b")))
    return whole.split()[1].replace("-", "−") if " " in whole else "**"


def _other_calls(scope: Scope, node: ast.Call) -> Iterator[Way]:
    function, args = node.func, node.args
    name = getattr(function, "attr", getattr(function, "id", ""))
    is_method = isinstance(function, ast.Attribute) and not is_numpy(function)
    if len(args) == 2 and not node.keywords:
        yield Way(ast.Call(function, args[::-1], []), "order", 1.0)
    if name in _FILLED and isinstance(function, ast.Attribute) and not is_method:
        other = formula(f"np.{_FILLED[name]}")
        yield Way(ast.Call(other, args, node.keywords), "function", 1.0)
    if is_method and args and not isinstance(args[-1], ast.Starred):
        yield Way(ast.Call(function, args[:-1], node.keywords), "argument", 1.1)
    for each in node.keywords:
        if each.arg == "keepdims":
            rest = [other for other in node.keywords if other is not each]
            left_out = ast.Call(function, args, rest)
            yield Way(left_out, "axis", 0.8, f"leave out keepdims={text_of(each.value)}")
    for call in scope.calls.get(text_of(function), ()):
        if list(map(text_of, call.keywords)) != list(map(text_of, node.keywords)):
            yield Way(ast.Call(function, args, call.keywords), "argument", 1.0)
    if len(args) > 2:
        for row in _neighbours_exchanged(args):
            yield Way(ast.Call(function, row, node.keywords), "order", 1.1)
    operands = [function.value, *args] if is_method else args  # type: ignore[attr-defined]
    if len(operands) == 1 and not isinstance(operands[0], ast.GeneratorExp):
        yield Way(operands[0], "operand alone", 1.1 + 0.3 * (name in scope.helpers))
    if name in ("dot", "matmul", "multiply", "outer") and len(operands) == 2:
        operator = ast.Mult() if name in ("multiply", "outer") else ast.MatMult()
        for way in _other_operators(ast.BinOp(operands[0], operator, operands[1])):
            yield way._replace(words="")
        form = "a @ b" if name == "multiply" else "a * b"
        yield Way(formula(form, a=operands[0], b=operands[1]), "operator", 0.9)
    match args:
        case [x, ast.Constant(value=0) as zero] if name == "maximum":
            for _, z in scope.fitting(x):  # the slope of ReLU, of what was handed to it
                yield Way(formula("x * (z > zero)", x=x, z=z, zero=zero), "function", 1.0)
    if name in _REDUCTIONS:
        for other in _REDUCTIONS:
            is_near = (other in _REDUCTIONS[:2]) == (name in _REDUCTIONS[:2])
            if is_near and other != name and isinstance(function, ast.Attribute):
                same = ast.Attribute(function.value, other, ast.Load())
                # Rather than that a factor is missing, but not than that one is too many.
                cost = 1.05 if _is_times_a_count(scope, node) else 0.95
                yield Way(ast.Call(same, args, node.keywords), "axis", cost)
            if not is_near:
                called = ast.Call(formula(f"np.{other}"), operands, node.keywords)
                yield Way(called, "function", 1.2)
            for axis in _AXES if is_near else ():
                cost = 0.9 + 0.2 * (other != name)
                yield Way(_reduced(f"np.{other}(x{axis})", operands[0]), "axis", cost)
        if name == "mean":  # of what should stay as it is, each with its share
            own = {"x": operands[0], "counted": _counted(scope, operands[0])}
            for form in ("x / len(counted)", "x / counted.size"):
                yield Way(formula(form, **own), "axis", 1.0)
    elif name in ("var", "std"):
        for axis in _AXES:
            yield Way(formula(f"np.{name}(x{axis})", x=operands[0]), "axis", 0.9)
    elif name in _ENTRYWISE and len(operands) == 1:
        for other in (*_ENTRYWISE, "sin"):
            if other != name:
                yield Way(formula(f"np.{other}(x)", x=operands[0]), "function", 1.1)
        for helper in scope.helpers.values():
            yield Way(formula("f(x)", f=helper, x=operands[0]), "function", 1.0)
    if len(args) == 1 and (name in _ACTIVATIONS or name in scope.helpers):
        for form in ("np.tanh(x)", "np.maximum(x, 0)", "1 / (1 + np.exp(-x))"):
            # Rather a function of one's own is wrong than that it is called.
            cost = 1.1 + 0.3 * (name in scope.helpers)
            yield Way(formula(form, x=args[0]), "function", cost)


def _is_times_a_count(scope: Scope, node: ast.expr) -> bool:
    """Whether something is multiplied with how many there are of something, or divided by it."""
    above = scope.block.module.parent
    inner, outer = node, above.get(node)
    while isinstance(outer, ast.BinOp) and isinstance(outer.op, ast.Mult | ast.Div):
        factor = outer.right if outer.left is inner else outer.left
        if any(_is_count(scope, each) for each in ast.walk(factor)):
            return True
        inner, outer = outer, above.get(outer)
    return False


def _is_count(scope: Scope, node: ast.AST) -> bool:
    is_whole = isinstance(node, ast.Name) and scope.kinds.get(node.id) == "int"
    return is_whole or (isinstance(node, ast.expr) and text_of(node) in scope.sizes)


def _counted(scope: Scope, x: ast.expr) -> ast.expr:
    """Return a name in an expression that is as long, or else all of it."""
    value = scope.value(x, x.lineno)
    for each in ast.walk(x) if value is not None else ():
        if isinstance(each, PLACES) and np.shape(scope.value(each, x.lineno)) == np.shape(value):
            return each
    return copy.deepcopy(x)  # with brackets of its own


def _other_constants(
    scope: Scope, node: ast.Constant, value: Any, parent: ast.AST | None
) -> Iterator[Way]:
    if isinstance(value, bool):
        yield Way(ast.Constant(not value), "number", 1.0)
    elif isinstance(value, int | float):
        others = [0, 1, 2, value + 1, value - 1, -value, 0.5, 1 - value, value * 2, value / 2]
        others += scope.numbers
        for number in dict.fromkeys(others):
            if number != value:
                # A factor is forgotten, rather than a 1 written for it.
                is_factor = value == 1 and isinstance(parent, ast.BinOp)
                # A mask asks for 0, and 0.5 would do on the data at hand alone.
                is_bound = isinstance(parent, ast.Compare)
                cost = 1.0 + (-0.05 if is_bound else 0.1) * (number == 0) + 0.15 * is_factor
                yield Way(_number(number), "number", cost)
        for name, kind in scope.kinds.items():
            if kind == "int":
                yield Way(ast.Name(name, ast.Load()), "index", 1.0)
        for new in scope.expressions.values() if parent is None else ():
            yield Way(new, "operand", 1.2)
    elif isinstance(value, str):
        for other in scope.strings:
            if other != value:
                yield Way(ast.Constant(other), "name", 1.0)


def _everywhere(scope: Scope, part: ast.expr) -> Iterator[Way]:
    """Yield an expression with one value exchanged wherever it stands there."""
    places: dict[str, list[ast.expr]] = {}
    for node, parent in walk(part):
        is_read = isinstance(getattr(node, "ctx", None), ast.Load)
        if is_read and isinstance(node, PLACES) and not _is_called(node, parent):
            places.setdefault(text_of(node), []).append(node)
    for text, nodes in places.items():
        if len(nodes) > 1:
            for helper in scope.helpers.values():  # of z, in a formula of f
                way: ast.expr = part
                for node in nodes:
                    way = exchanged(way, node, placed(formula("f(x)", f=helper, x=node), node))
                new = formula("f(x)", f=helper, x=nodes[0])
                yield Way(way, "operand", 1.1, f"{text_of(new)} in place of every {text}")
        for other, new in scope.expressions.items() if len(nodes) > 1 else ():
            if other != text:
                way = part
                for node in nodes:
                    way = exchanged(way, node, placed(new, node))
                cost = 1.2 - 0.2 * _likeness(text, other)
                yield Way(way, "operand", cost, f"{other} in place of every {text}")


def _statements(scope: Scope, statement: ast.AST) -> Iterator[Way]:
    """Yield other statements of the same parts."""
    match statement:
        case ast.Return(value=ast.Tuple(elts=elts)):
            factors = {text_of(e.left) if isinstance(e, ast.BinOp) else "" for e in elts}
            if len(factors) == 1 and "" not in factors and len(elts) > 1:
                rest = [each.right for each in elts if isinstance(each, ast.BinOp)]
                words = f"leave out {factors.pop()} *"
                yield Way(ast.Return(ast.Tuple(rest, ast.Load())), "operand", 1.0, words)
        case ast.Assign(targets=[ast.Name() | ast.Subscript() | ast.Attribute() as target]):
            for operator in (ast.Add, ast.Mult, ast.Sub):
                new: ast.stmt = ast.AugAssign(target, operator(), statement.value)
                cost = 0.9 if operator is ast.Add else 1.2
                yield Way(new, "accumulation", cost, f"write {_sign(operator())}= in place of =")
            yield from _masked_instead(scope, statement)
        case ast.AugAssign(target=target, op=op, value=value):
            yield from _masked_instead(scope, statement)
            new = ast.Assign([target], value)
            yield Way(new, "accumulation", 1.0, f"write = in place of {_sign(op)}=")
            for other in _OPERATORS.get(type(op), ()):
                new = ast.AugAssign(target, other(), value)
                words = f"write {_sign(other())}= in place of {_sign(op)}="
                yield Way(new, "accumulation", 1.0, words)
            yield Way(ast.Pass(), "statement", 0.95, "leave the line out")
            if isinstance(op, ast.Mult) and isinstance(target, ast.Name):  # ReLU, in place
                mask = formula("(x > 0)", x=ast.Name(target.id, ast.Load()))
                words = in_place(mask, text_of(value))
                yield Way(ast.AugAssign(target, op, mask), "function", 1.0, words)
            for label in scope.labels if isinstance(target, ast.Name) else ():
                part = _at_labels(ast.Name(text_of(target), ast.Load()), label, ast.Store())
                yield Way(
                    ast.AugAssign(part, op, value), "index", 1.0, in_place(part, text_of(target))
                )
        case ast.Expr(value=ast.Call()):
            yield Way(ast.Pass(), "statement", 1.05, "leave the line out")


def _masked_instead(scope: Scope, statement: ast.Assign | ast.AugAssign) -> Iterator[Way]:
    """Yield another array in which the entries of a mask are set, such as what is sent back.

    ``h[h <= 0] = 0`` was to be ``dh[h <= 0] = 0``; and for a leaky ReLU what is set is scaled.
    """
    match statement:
        case ast.Assign(targets=[ast.Subscript() as target], value=ast.Constant() as value):
            pass
        case ast.AugAssign(target=ast.Subscript() as target, value=value):
            pass
        case _:
            return
    own, mask = text_of(target.value), target.slice
    known = scope.value(mask, mask.lineno)
    if not isinstance(mask, ast.Compare) and getattr(known, "dtype", None) != np.bool_:
        return
    for text, x in scope.expressions.items():
        if text != own:
            other = ast.Subscript(x, mask, ast.Store())
            made: ast.stmt = ast.Assign([other], value)
            if isinstance(statement, ast.AugAssign):
                made = ast.AugAssign(other, statement.op, value)
            where = "" if text_of(target).count(own) < 2 else "the first "
            yield Way(made, "operand", 0.7, f"{text} in place of {where}{own}")
    yield Way(ast.Pass(), "statement", 0.65, "leave the line out")
    for number in scope.numbers if isinstance(statement, ast.Assign) else ():
        new = ast.AugAssign(target, ast.Mult(), _number(number))
        yield Way(new, "accumulation", 1.05, in_place(new, text_of(statement)))


def _slots(root: ast.expr) -> Iterator[ast.expr]:
    """Yield the parts of an expression that a factor or a term may be missing in."""
    if isinstance(getattr(root, "ctx", None), ast.Store):
        return
    match root:
        case ast.Tuple(elts=inside) | ast.List(elts=inside) | ast.Dict(values=inside):
            for each in inside:
                yield from _slots(each)
        case ast.Constant() | ast.JoinedStr():
            return
        case (
            ast.Lambda(body=each)
            | ast.ListComp(elt=each)
            | ast.GeneratorExp(elt=each)
            | ast.UnaryOp(operand=each)
        ):
            yield from _slots(each)
        case ast.Subscript(value=ast.BinOp() as inside):
            yield root
            yield from _slots(inside)
        case ast.Call(args=args):
            yield root
            if args and (len(args) == 1 or root.keywords):
                yield from _slots(args[0])
        case ast.BinOp(left=left, op=op, right=right):
            yield root
            if isinstance(op, ast.Add | ast.Sub | ast.MatMult):
                yield from _slots(left)
                yield from _slots(right)
            elif isinstance(right, ast.BinOp) and isinstance(right.op, ast.MatMult):
                yield from _slots(right)
            elif isinstance(left, ast.BinOp) and isinstance(left.op, ast.MatMult):
                yield from _slots(left)
            elif isinstance(op, ast.Div) and isinstance(left, PLACES):  # (P - Y) / N
                yield left
        case _:
            yield root


def _more(scope: Scope, slot: ast.expr) -> Iterator[Way]:
    """Yield an expression with something brought in."""
    name = slot.id if isinstance(slot, ast.Name) else ""
    kind = scope.kinds.get(name)
    if kind == "list" and scope.holds_arrays(name):
        for number, text in scope.constants.items():
            if number not in (0, 1):
                new = formula("[each * n for each in row]", n=_number(number), row=slot)
                yield Way(new, "constant", 1.0, scaling("each of them", text))
    is_count = text_of(slot) in scope.sizes  # of which few would take a multiple
    if kind not in ("array", "object", "function", None):
        return
    for number, text in scope.constants.items():
        if number not in (0, 1):
            new = formula("x * number", x=slot, number=_number(number))
            # A name that holds as many digits says more than they do.
            cost = (1.15 if re.search(r"\.\d{4}|loss's", text) else 1.0) + 0.3 * is_count
            yield Way(new, "constant", cost, scaling("it", text))
    for text, size in scope.sizes.items() if not is_count else ():
        yield Way(formula("x / size", x=slot, size=size), "factor", 1.05, f"divide it by {text}")
    for n in scope.means if not is_count else ():
        new = formula("x / n", x=slot, n=_number(n))
        yield Way(new, "constant", 1.08, f"divide it by {n:g}")
    for text, x in scope.fitting(slot) if not is_count else ():
        forms = [(formula(form, x=x), cost) for form, cost in _FACTORS]
        forms += [
            (formula(form, f=helper, x=x), cost)
            for form, cost in _FACTORS_BY_HELPERS
            for helper in scope.helpers.values()
        ]
        for form, cost in forms:
            new = formula("slot * form", slot=slot, form=form)
            cost -= 0.4 * (text in scope.unread)
            yield Way(new, "factor", cost, f"multiply it by {closed(form)}")
        own = {"slot": slot, "x": x}
        if text != text_of(slot) and np.all(scope.value(x, slot.lineno) > 0):  # as a p is
            yield Way(formula("slot / x", **own), "factor", 1.3, f"divide it by {text}")
        if scope.is_square_of(slot, x):
            new = formula("slot - np.outer(x, x)", **own)
            yield Way(new, "term", 1.2, f"subtract {text_of(new.right)}")
        if text != text_of(slot):
            for rate in scope.rates if text in scope.parameters else ():
                for form in ("rate * x", "2 * rate * x"):  # of a penalty on weights
                    term = formula(form, rate=ast.Name(rate, ast.Load()), x=x)
                    yield Way(
                        formula("slot + term", slot=slot, term=term),
                        "term",
                        1.15,
                        f"add {text_of(term)}",
                    )
            yield Way(formula("slot + x", **own), "term", 1.1, f"add {text}")
            yield Way(formula("slot - x", **own), "term", 1.2, f"subtract {text}")


_FACTORS = (("x", 1.1), ("1 - x", 1.2), ("x * (1 - x)", 1.1), ("1 - x**2", 1.1), ("x > 0", 1.1))
_FACTORS_BY_HELPERS = (("f(x)", 1.08), ("1 - f(x)", 1.2))
