"""What a line may lack: a factor, a share or a term of what is there in the same function."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import numpy as np

from backprop_nb.checking.lines.formulas import Way, constant, formula, rewrite
from backprop_nb.checking.lines.program import placed
from backprop_nb.checking.lines.rewrites import Rewrite, parts_of
from backprop_nb.checking.lines.scope import PLACES, Scope, closed, text_of
from backprop_nb.checking.lines.values import is_count
from backprop_nb.checking.report import scaling


def additions(scope: Scope, statement: ast.AST) -> Iterator[Rewrite]:
    """Yield the ways to write one statement with something brought in."""
    for part, root, put in parts_of(statement):
        for slot in _slots(part):
            late = 0.3 * (isinstance(statement, ast.Return) and _is_handed_on(scope, slot))
            for way in _more(scope, slot):
                is_alike = late and _is_as_beside(scope, slot, way.new)
                cost = way.cost - 0.3 if is_alike else way.cost + late
                yield rewrite(part, root, put, slot, way._replace(cost=cost))
    if isinstance(statement, ast.AugAssign):
        yield from _then_scaled(scope, statement)


def _is_handed_on(scope: Scope, slot: ast.expr) -> bool:
    """Whether what is returned is a name, or a share of it such as ``dW / n``.

    What that lacks was to be brought in where it is computed.
    """
    if isinstance(slot, ast.BinOp) and isinstance(slot.op, ast.Mult | ast.Div):
        is_number = isinstance(slot.right, ast.Constant) or is_count(scope, slot.right)
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
            scaled = ast.AugAssign(statement.target, ast.Mult(), constant(number))
            both = placed(ast.If(ast.Constant(True), [statement, scaled], []), statement)
            said = f"after this line, {scaling(name, text)}"
            yield Rewrite(
                statement, statement, lambda new: new, statement, both, "constant", 1.0, said
            )


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
                new = formula("[each * n for each in row]", n=constant(number), row=slot)
                yield Way(new, "constant", 1.0, scaling("each of them", text))
    is_count = text_of(slot) in scope.sizes  # of which few would take a multiple
    if kind not in ("array", "object", "function", None):
        return
    for number, text in scope.constants.items():
        if number not in (0, 1):
            new = formula("x * number", x=slot, number=constant(number))
            # A name that holds as many digits says more than they do.
            cost = (1.15 if re.search(r"\.\d{4}|loss's", text) else 1.0) + 0.3 * is_count
            yield Way(new, "constant", cost, scaling("it", text))
    for text, size in scope.sizes.items() if not is_count else ():
        yield Way(formula("x / size", x=slot, size=size), "factor", 1.05, f"divide it by {text}")
    for n in scope.means if not is_count else ():
        if n % 1 == 0 and not scope.constants.keys() & {n, 1 / n}:
            new = formula("x / n", x=slot, n=constant(n))
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
                    new = formula("slot + term", slot=slot, term=term)
                    yield Way(new, "term", 1.15, f"add {text_of(term)}")
            yield Way(formula("slot + x", **own), "term", 1.1, f"add {text}")
            yield Way(formula("slot - x", **own), "term", 1.2, f"subtract {text}")


_FACTORS = (("x", 1.1), ("1 - x", 1.2), ("x * (1 - x)", 1.1), ("1 - x**2", 1.1), ("x > 0", 1.1))

_FACTORS_BY_HELPERS = (("f(x)", 1.08), ("1 - f(x)", 1.2))
