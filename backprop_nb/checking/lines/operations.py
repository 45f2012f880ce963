"""What a line may be meant to do with what it reads: operators, functions, axes and signs."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence

import numpy as np

from backprop_nb.checking.lines.formulas import Way, formula, is_called, sign
from backprop_nb.checking.lines.scope import PLACES, Scope, closed, is_numpy, operand, text_of
from backprop_nb.checking.lines.values import ENTRYWISE, is_count, is_widened

OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.MatMult, ast.Add, ast.Sub),
    ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
}

COMPARES = (ast.Gt, ast.GtE, ast.Lt, ast.LtE, ast.Eq, ast.NotEq)

_REDUCTIONS = ("sum", "mean", "max", "min")

_ACTIVATIONS = ("sigmoid", "tanh", "relu", "exp", "abs")

_FILLED = {"zeros": "ones", "ones": "zeros", "zeros_like": "ones_like", "ones_like": "zeros_like"}


def _leave_out(text: str, node: ast.BinOp, last: bool = True) -> str:
    """Say what to leave out of an expression, and where it stands if that is not the only one."""
    is_only = text_of(node).count(text) < 2
    return f"leave out {text}" + ("" if is_only else " at the end" if last else " at the start")


SLOPES = ("x * (1 - x)", "1 - x**2", "x > 0")


def slopes(f: ast.expr, cost: float, forms: Sequence[str] = SLOPES) -> Iterator[Way]:
    """Yield the slopes of sigmoid, tanh and ReLU, by what these give or are handed."""
    for form in forms:
        yield Way(formula(form, x=f), "function", cost)


def handed(call: ast.Call) -> Iterator[ast.expr]:
    """Yield what a function is applied to, other than a number: Z of ``np.maximum(0, Z)``."""
    parts = [each for each in call.args if not isinstance(each, ast.Constant | ast.Starred)]
    if len(parts) == 1 and not call.keywords:
        yield from parts


def exchanged_neighbours(row: Sequence[ast.expr]) -> Iterator[list[ast.expr]]:
    """Yield a row with two neighbours in it exchanged."""
    for k in range(len(row) - 1):
        yield [*row[:k], row[k + 1], row[k], *row[k + 2 :]]


def wrapped(scope: Scope, node: ast.expr, parent: ast.AST | None) -> Iterator[Way]:
    """Yield a value that a function of one argument is applied to."""
    if isinstance(node, ast.Name) and scope.kinds.get(node.id) != "array":
        return
    if isinstance(parent, ast.Attribute | ast.Subscript | ast.keyword) or is_called(node, parent):
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


def _reduced(form: str, x: ast.expr) -> ast.expr:
    """Return a sum or a mean; over all numbers of an array no axis of length 1 counts."""
    whole: ast.expr = formula(form, x=x.value if is_widened(x) and "axis" not in form else x)
    return whole


def turned(scope: Scope, node: ast.expr, parent: ast.AST | None) -> Iterator[Way]:
    """Yield a value with another sign, or transposed."""
    kind = scope.kinds.get(node.id) if isinstance(node, ast.Name) else "array"
    if kind == "int":
        for form in ("k + 1", "k - 1"):
            yield Way(formula(form, k=node), "index", 1.0)
    if kind != "array":
        return
    if isinstance(parent, ast.Attribute) or is_called(node, parent):
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


def masked(scope: Scope, mask: ast.Compare, left: ast.expr) -> Iterator[Way]:
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


def other_operators(scope: Scope, node: ast.BinOp) -> Iterator[Way]:
    """Yield other operators of the same operands, and these in another order or alone."""
    left, right, operator = node.left, node.right, type(node.op)
    for other in OPERATORS.get(operator, ()):
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
    is_quotient = operator is ast.Div and not isinstance(right, ast.Constant)
    if is_quotient or (operator is ast.Mult and is_count(scope, right)):  # in place of the 2
        yield Way(formula("2 * x", x=left), "operator", 1.0)
        if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Sub):
            error = formula("2 * (b - a)", a=left.left, b=left.right)
            yield Way(error, "operator", 1.0)
    for new in _regrouped(node):
        yield Way(new, "order", 1.0)
    # Rather a number is too many that somebody thought of than that what makes up for it lacks.
    is_share = isinstance(right, ast.Constant) and operator is ast.Div
    words = _leave_out(f"{sign(node.op)} {operand(right, node)}", node)
    yield Way(left, "operand alone", 0.7 if is_share else 1.0, words)
    if isinstance(left, ast.BinOp) and type(left.op) is operator:  # a slope has two factors
        both = f"{sign(left.op)} {operand(left.right, left)} {sign(node.op)} {operand(right, node)}"
        yield Way(left.left, "operand alone", 1.1, _leave_out(both, node))
    if operator not in (ast.Div, ast.Pow):
        words = _leave_out(f"{operand(left, node)} {sign(node.op)}", node, last=False)
        yield Way(right, "operand alone", 1.0, words)


def by_column(scope: Scope, node: ast.BinOp) -> Iterator[Way]:
    """Yield a product with one number for each row of a matrix."""
    for matrix, row in ((node.left, node.right), (node.right, node.left)):
        if isinstance(matrix, ast.Attribute) and matrix.attr == "T":
            axes = [np.ndim(scope.value(each, node.lineno)) for each in (matrix, row)]
            if axes == [2, 1] and isinstance(node.op, ast.Mult | ast.Div):
                column = formula("row[:, None]", row=row)
                yield Way(ast.BinOp(matrix.value, node.op, column), "transpose", 0.8)


def other_calls(scope: Scope, node: ast.Call) -> Iterator[Way]:
    """Yield other functions of the same arguments, and other axes and options."""
    function, args = node.func, node.args
    name = getattr(function, "attr", getattr(function, "id", ""))
    is_method = isinstance(function, ast.Attribute) and not is_numpy(function)
    owner: ast.expr | None = getattr(function, "value", None) if is_method else None
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
        is_chosen = name == "where" and isinstance(args[0], ast.Compare)  # nothing else asks
        for row in exchanged_neighbours(args):
            if not is_chosen or isinstance(row[0], ast.Compare):
                yield Way(ast.Call(function, row, node.keywords), "order", 1.1)
    operands = args if owner is None else [owner, *args]
    if len(operands) == 1 and not isinstance(operands[0], ast.GeneratorExp):
        yield Way(operands[0], "operand alone", 1.1 + 0.3 * (name in scope.helpers))
    if name in _BOUNDS and len(operands) > 1:  # rather than a mask that lets all through
        within = [each for each in operands if not _is_a_number(each)]
        if len(within) == 1:
            yield Way(within[0], "operand alone", 0.9)
    if name in ("dot", "matmul", "multiply", "outer") and len(operands) == 2:
        operator = ast.Mult() if name in ("multiply", "outer") else ast.MatMult()
        for way in other_operators(scope, ast.BinOp(operands[0], operator, operands[1])):
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
                # Who takes the largest along an axis means one, though the one of all would do.
                is_of_all = name in _REDUCTIONS[2:] and bool(node.keywords) and not axis
                cost = 0.9 + 0.2 * (other != name) + 0.1 * is_of_all
                yield Way(_reduced(f"np.{other}(x{axis})", operands[0]), "axis", cost)
        if name == "mean":  # of what should stay as it is, each with its share
            own = {"x": operands[0], "counted": _counted(scope, operands[0])}
            for form in ("x / len(counted)", "x / counted.size"):
                yield Way(formula(form, **own), "axis", 1.0)
    elif name in ("var", "std"):
        for axis in _AXES:
            yield Way(formula(f"np.{name}(x{axis})", x=operands[0]), "axis", 0.9)
    elif name in ENTRYWISE and len(operands) == 1:
        for other in (*ENTRYWISE, "sin"):
            if other != name:
                yield Way(formula(f"np.{other}(x)", x=operands[0]), "function", 1.1)
        for helper in scope.helpers.values():
            yield Way(formula("f(x)", f=helper, x=operands[0]), "function", 1.0)
    if len(args) == 1 and (name in _ACTIVATIONS or name in scope.helpers):
        for form in ("np.tanh(x)", "np.maximum(x, 0)", "1 / (1 + np.exp(-x))"):
            # Rather a function of one's own is wrong than that it is called.
            cost = 1.1 + 0.3 * (name in scope.helpers)
            yield Way(formula(form, x=args[0]), "function", cost)


_BOUNDS = ("clip", "round", "around", "maximum", "minimum")
"""What is done with numbers beside an array, and mostly leaves it as it is."""


def _is_a_number(node: ast.expr) -> bool:
    node = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(node, ast.Constant)


def _is_times_a_count(scope: Scope, node: ast.expr) -> bool:
    """Whether something is multiplied with how many there are of something, or divided by it."""
    above = scope.block.module.parent
    inner, outer = node, above.get(node)
    while isinstance(outer, ast.BinOp) and isinstance(outer.op, ast.Mult | ast.Div):
        factor = outer.right if outer.left is inner else outer.left
        if any(is_count(scope, each) for each in ast.walk(factor)):
            return True
        inner, outer = outer, above.get(outer)
    return False


def _counted(scope: Scope, x: ast.expr) -> ast.expr:
    """Return a name in an expression that is as long, or else all of it."""
    value = scope.value(x, x.lineno)
    for each in ast.walk(x) if value is not None else ():
        if isinstance(each, PLACES) and np.shape(scope.value(each, x.lineno)) == np.shape(value):
            return each
    return copy.deepcopy(x)  # with brackets of its own
