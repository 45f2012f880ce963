"""What a line may be meant to read in the place of what it reads: names, entries, lengths."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, TypeGuard

from backprop_nb.checking.lines.formulas import (
    Way,
    constant,
    formula,
    is_called,
    is_factor,
    likeness,
)
from backprop_nb.checking.lines.program import exchanged, placed
from backprop_nb.checking.lines.rewrites import in_place
from backprop_nb.checking.lines.scope import Scope, text_of

ENTRYWISE = ("exp", "tanh", "log", "abs", "sqrt", "square")


def other_lengths(scope: Scope, node: ast.expr) -> Iterator[Way]:
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
            if not over:
                yield Way(new, "number", 1.0)
            elif its != over and scope.evaluated(new, node.lineno) in scope.means:
                instead = in_place(new, text_of(node))
                said = f"{instead}, for the mean is over {its} and not over {over}"
                yield Way(new, "count", 0.85, said)
            elif its != over:
                yield Way(new, "count", 1.0)


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


def is_widened(node: ast.expr) -> TypeGuard[ast.Subscript]:
    """Whether an array is given an axis of length 1, as by ``d[:, None]``."""
    if not (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)):
        return False
    indices = (each for each in ast.walk(node.slice) if isinstance(each, ast.Constant))
    return any(each.value is None for each in indices)


def other_names(scope: Scope, node: ast.Name, name: str, parent: ast.AST | None) -> Iterator[Way]:
    """Yield what may be read in the place of a name."""
    kind = scope.kinds.get(name)
    if kind is None or name == "np":
        return
    # A loop goes through the rows of an array as through a list of them.
    is_zipped = isinstance(parent, ast.Call) and text_of(parent.func) == "zip"
    alike = {"array", "list"} if is_zipped and kind in ("array", "list") else {kind}
    is_function = is_called(node, parent)
    is_slope = isinstance(parent, ast.Call) and not is_function and is_factor(scope, parent)
    for other, its in scope.kinds.items():
        if other != name and its in alike and other != "np":
            if kind == its == "array" and scope.dimensions.get(name) != scope.dimensions.get(other):
                continue
            # Nobody computes what nobody reads; of a shape that is unpacked not all is needed.
            is_needed = scope.reads.get(name) == 1 and name not in scope.unpacked
            cost = 1.1 - 0.2 * likeness(name, other) + 0.7 * is_needed
            # A mask asks for what the ReLU was handed.
            cost -= 0.2 * (isinstance(parent, ast.Compare) and other in scope.rectified)
            # A slope is one of z, rather than another function of f.
            cost -= 0.15 * (is_slope and kind == "array")
            cost += 0.3 * (is_function and likeness(name, other) == 0)
            yield Way(ast.Name(other, ast.Load()), "name", cost)
    if is_function:
        for text, new in scope.helpers.items():
            if text != name and scope.kinds.get(text) != "function":
                yield Way(new, "function", 1.0 if likeness(name, text) else 1.4)
    elif kind == "array":
        for new in scope.expressions.values():
            if not isinstance(new, ast.Name):
                yield Way(new, "operand", 1.2)
        if isinstance(parent, ast.BinOp):
            yield Way(formula("1"), "number", 1.2)
    elif kind in ("str", "function"):
        for new in scope.entries.values():
            yield Way(new, "name", 1.1)


def other_attributes(scope: Scope, node: ast.Attribute, parent: ast.AST | None) -> Iterator[Way]:
    """Yield what may be read in the place of an attribute."""
    owner = node.value
    if node.attr == "T":
        yield Way(owner, "transpose", 0.9)
        yield Way(formula("x[::-1, ::-1]", x=owner), "index", 1.1)
        return
    if node.attr in ENTRYWISE and not is_called(node, parent):
        for new in scope.helpers.values():  # a function is handed over
            yield Way(new, "function", 1.0)
    if isinstance(owner, ast.Name) and scope.kinds.get(owner.id) == "object":
        for attr in scope.attributes:
            if attr != node.attr:
                cost = 1.1 - 0.2 * likeness(attr, node.attr)
                yield Way(ast.Attribute(owner, attr, ast.Load()), "name", cost)
        for new in scope.expressions.values():
            if isinstance(new, ast.Name):
                yield Way(new, "operand", 1.2)


def other_entries(scope: Scope, node: ast.Subscript) -> Iterator[Way]:
    """Yield what may be read in the place of an entry."""
    if is_widened(node):
        brackets = text_of(node).removeprefix(text_of(node.value))
        yield Way(node.value, "operand alone", 0.8, f"leave out {brackets}")
    if isinstance(node.slice, ast.Compare) and isinstance(node.ctx, ast.Load):
        yield Way(formula("x * mask", x=node.value, mask=node.slice), "operator", 0.9)
    read = {each.id for each in ast.walk(node.slice) if isinstance(each, ast.Name)}
    for label in filter(read.__contains__, scope.labels):
        yield Way(at_labels(node.value, label, node.ctx), "index", 0.9)
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


def at_labels(x: ast.expr, label: str, ctx: ast.expr_context) -> ast.Subscript:
    """Return the entries of which each row has one, at its label."""
    return ast.Subscript(x, formula(f"(np.arange(len({label})), {label})"), ctx)


def less_labels(scope: Scope, node: ast.BinOp) -> Iterator[Way]:
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


def is_count(scope: Scope, node: ast.AST) -> bool:
    """Whether an expression counts something."""
    is_whole = isinstance(node, ast.Name) and scope.kinds.get(node.id) == "int"
    return is_whole or (isinstance(node, ast.expr) and text_of(node) in scope.sizes)


def other_constants(
    scope: Scope, node: ast.Constant, value: Any, parent: ast.AST | None
) -> Iterator[Way]:
    """Yield what may stand in the place of a number or a text."""
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
                # The slope of a ReLU is 1 or 0, wherever it is chosen by a mask.
                is_slope = isinstance(parent, ast.Call) and text_of(parent.func) == "np.where"
                if_zero = -0.05 if is_bound else -0.2 if is_slope else 0.1
                cost = 1.0 + if_zero * (number == 0) + 0.15 * is_factor
                yield Way(constant(number), "number", cost)
        for name, kind in scope.kinds.items():
            if kind == "int":
                yield Way(ast.Name(name, ast.Load()), "index", 1.0)
        for new in scope.expressions.values() if parent is None else ():
            yield Way(new, "operand", 1.2)
    elif isinstance(value, str):
        for other in scope.strings:
            if other != value:
                yield Way(ast.Constant(other), "name", 1.0)
