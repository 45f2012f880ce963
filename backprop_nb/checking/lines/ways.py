"""The ways in which a person would write a statement otherwise.

What a wrong line lacks stands nearly always somewhere else in the same function: another name,
another index, a helper that is called elsewhere.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

import numpy as np

from backprop_nb.checking.lines.formulas import (
    Way,
    constant,
    formula,
    is_called,
    is_factor,
    likeness,
    rewrite,
    sign,
)
from backprop_nb.checking.lines.operations import (
    COMPARES,
    OPERATORS,
    SLOPES,
    by_column,
    exchanged_neighbours,
    handed,
    masked,
    other_calls,
    other_operators,
    slopes,
    turned,
    wrapped,
)
from backprop_nb.checking.lines.program import exchanged, placed
from backprop_nb.checking.lines.rewrites import Rewrite, in_place, parts_of, walk
from backprop_nb.checking.lines.scope import PLACES, Scope, text_of
from backprop_nb.checking.lines.values import (
    at_labels,
    is_count,
    less_labels,
    other_attributes,
    other_constants,
    other_entries,
    other_lengths,
    other_names,
)


def rewrites(scope: Scope, statement: ast.AST) -> Iterator[Rewrite]:
    """Yield the ways to write one statement, without those that bring in something."""
    for part, root, put in parts_of(statement):
        for node, parent in walk(part):
            right = scope.right_counts.get(node)
            for way in _instead(scope, node, parent):
                # A right count may stand where something else should, but for no other count.
                late = 0.3 * (right is not None and (node is not right or is_count(scope, way.new)))
                yield rewrite(part, root, put, node, way._replace(cost=way.cost + late))
        for way in _everywhere(scope, part):
            yield rewrite(part, root, put, part, way)
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


def _instead(scope: Scope, node: ast.expr, parent: ast.AST | None) -> Iterator[Way]:
    """Yield what may stand in the place of one expression."""
    is_target = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
    if is_target and isinstance(node, ast.Name | ast.Attribute):
        return
    match node:
        case ast.Name(id=name):
            yield from other_names(scope, node, name, parent)
            if scope.kinds.get(name) == "array" and is_factor(scope, node):
                yield from slopes(node, 1.0, SLOPES[1:])  # the first has only a factor more
                for text in scope.rectified:
                    yield Way(formula("z > 0", z=ast.Name(text, ast.Load())), "function", 0.95)
        case ast.Attribute():
            yield from other_attributes(scope, node, parent)
        case ast.Subscript():
            yield from other_entries(scope, node)
        case ast.BinOp():
            yield from by_column(scope, node)
            yield from other_operators(scope, node)
            yield from less_labels(scope, node)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield Way(operand, "sign", 0.9, f"leave out the sign: {text_of(operand)}")
            yield Way(formula("2 * x", x=operand), "sign", 1.0)
        case ast.Call():
            yield from other_calls(scope, node)
            if is_factor(scope, node):
                for x in (*handed(node), node):
                    # As well the function that is called may be wrong.
                    yield from slopes(x, 1.1)
        case ast.Constant(value=value):
            yield from other_constants(scope, node, value, parent)
            if parent is None and type(value) in (int, float):  # it was to be computed
                yield from (Way(x, "operand", 1.0) for _, x in scope.fitting(node))
        case ast.Compare(ops=[operator], left=left, comparators=[right]):
            for other in COMPARES:
                if not isinstance(operator, other):
                    # Rather a mask is too many than that it lets nearly all through.
                    cost = 0.9 + 0.4 * (other in (ast.Eq, ast.NotEq))
                    yield Way(ast.Compare(left, [other()], [right]), "comparison", cost)
            yield from masked(scope, node, left)
        case ast.Tuple(elts=elts):
            for row in exchanged_neighbours(elts):
                yield Way(ast.Tuple(row, node.ctx), "order", 1.0)
        case ast.IfExp(body=body, orelse=orelse):
            yield Way(body, "branch", 1.1)
            yield Way(orelse, "branch", 1.1)
    if is_count(scope, node):
        for text, size in scope.sizes.items():
            if text != text_of(node):
                # A name that was given to a count is there to be read.
                is_named = scope.kinds.get(text) == "int" and not isinstance(node, ast.Name)
                yield Way(size, "number", 1.0 - 0.1 * is_named)
    yield from other_lengths(scope, node)
    if isinstance(node, (*PLACES, ast.BinOp, ast.Call)) and not is_target:
        yield from turned(scope, node, parent)
        yield from wrapped(scope, node, parent)


def _everywhere(scope: Scope, part: ast.expr) -> Iterator[Way]:
    """Yield an expression with one value exchanged wherever it stands there."""
    places: dict[str, list[ast.expr]] = {}
    for node, parent in walk(part):
        is_read = isinstance(getattr(node, "ctx", None), ast.Load)
        if is_read and isinstance(node, PLACES) and not is_called(node, parent):
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
                cost = 1.2 - 0.2 * likeness(text, other)
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
                yield Way(new, "accumulation", cost, f"write {sign(operator())}= in place of =")
            yield from _masked_instead(scope, statement)
        case ast.AugAssign(target=target, op=op, value=value):
            yield from _masked_instead(scope, statement)
            new = ast.Assign([target], value)
            yield Way(new, "accumulation", 1.0, f"write = in place of {sign(op)}=")
            for other in OPERATORS.get(type(op), ()):
                new = ast.AugAssign(target, other(), value)
                words = f"write {sign(other())}= in place of {sign(op)}="
                yield Way(new, "accumulation", 1.0, words)
            yield Way(ast.Pass(), "statement", 0.95, "leave the line out")
            if isinstance(op, ast.Mult) and isinstance(target, ast.Name):  # ReLU, in place
                mask = formula("(x > 0)", x=ast.Name(target.id, ast.Load()))
                words = in_place(mask, text_of(value))
                yield Way(ast.AugAssign(target, op, mask), "function", 1.0, words)
            for label in scope.labels if isinstance(target, ast.Name) else ():
                part = at_labels(ast.Name(text_of(target), ast.Load()), label, ast.Store())
                words = in_place(part, text_of(target))
                yield Way(ast.AugAssign(part, op, value), "index", 1.0, words)
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
        new = ast.AugAssign(target, ast.Mult(), constant(number))
        yield Way(new, "accumulation", 1.05, in_place(new, text_of(statement)))
