"""What to write instead: from the learner's own expression to one that can be traced."""

from __future__ import annotations

import ast
import re
from types import FrameType
from typing import Any

import numpy as np

from backprop_nb.tracing.libraries import advice, in_numpy, learner_frame, library_of, twin
from backprop_nb.tracing.source import Place, locate

_NP_ARRAY = ast.parse("np.array", mode="eval").body


def place_of(frame: FrameType) -> Place | None:
    """Return the learner's expression, where the source is known."""
    frame = learner_frame(frame)
    return locate(frame.f_code, frame.f_lasti)


def node_of(frame: FrameType) -> ast.AST | None:
    """Return what it is in the syntax tree."""
    place = place_of(frame)
    return place.node if place else None


def owner_of(frame: FrameType) -> str:
    """Return whose attribute is asked for, as the learner writes it; ``x`` if that is long."""
    match node_of(frame):
        case ast.Attribute(value=owner) | ast.Call(func=ast.Attribute(value=owner)):
            text = ast.unparse(owner)
            return text if len(text) < 30 else "x"
    return "x"


def attached(frame: FrameType) -> str:
    """Say what to write in place of the expression that asked for a plain value."""
    match node_of(frame):
        case ast.Call(func=ast.Attribute(value=owner, attr="dot"), args=[factor]) if ast.unparse(
            owner
        ) not in ("np", "numpy"):
            return f"np.dot({ast.unparse(owner)}, {ast.unparse(factor)})"
        case ast.Subscript(ctx=ast.Store()) | ast.Call(func=ast.Attribute(attr="fill" | "put")):
            return to_receive(frame)
        case ast.Call(
            func=ast.Attribute(value=ast.Name("math" | "statistics" | "cmath" as module), attr=name)
        ) if twin(name):
            return f"{twin(name)}, because the functions of {module} see only plain numbers"
        case ast.BinOp(ast.Constant(str() as text), ast.Mod(), values):
            return f"{_as_f_strings(text, values)} in place of %, to show the value"
        case ast.BinOp(left, operator, right) if lists := _lists(left, right, frame=frame):
            return ast.unparse(ast.BinOp(lists[0], operator, lists[1]))
        case ast.AugAssign(target, operator, value) if lists := _lists(value, frame=frame):
            written = ast.BinOp(target, operator, lists[0])
            return f"{ast.unparse(target)} = {ast.unparse(written)}"
        case ast.Compare(left, operators, others) if lists := _lists(left, *others, frame=frame):
            return ast.unparse(ast.Compare(lists[0], operators, lists[1:]))
        case ast.Call(func=ast.Name("int"), args=[value]):
            return f"int(np.trunc({ast.unparse(value)})), a decision that the graph remembers"
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(name)) if in_numpy(name):
            return in_numpy(name)
        case ast.Call(func=function, args=[entries, *rest], keywords=options):
            path = ast.unparse(function)
            if path.startswith(("np.", "numpy.")):
                stacked = _stacked(entries)
                if path.endswith((".array", ".asarray")):
                    asis = "the value as it is: it already behaves like an array"
                    return asis if stacked is entries else ast.unparse(stacked)
                if stacked is not entries and not isinstance(entries, ast.Tuple):  # a shape
                    return ast.unparse(ast.Call(function, [stacked, *rest], options))
                if isinstance(entries, ast.Name) and isinstance(_value(entries, frame), list):
                    joined = ast.Call(_NP_ARRAY, [entries], [])
                    return ast.unparse(ast.Call(function, [joined, *rest], options))
    library = library_of(frame)
    if library:
        return advice(library, place_of(frame), learner_frame(frame))
    return "keep the value as it is, and read the number from graph.value afterwards"


def _as_f_strings(text: str, values: ast.expr) -> str:
    """Return the floats that ``"%.4f" % y`` shows as an f-string shows them."""
    forms = re.findall(r"%([-+ #0]*[\d.]*[a-zA-Z])", text.replace("%%", ""))
    each = values.elts if isinstance(values, ast.Tuple) else [values]
    shown = [
        f'f"{{{ast.unparse(value)}:{form}}}"'
        for form, value in zip(forms, each, strict=False)
        if form[-1] in "efg" and not isinstance(value, ast.Constant)
    ]
    return ", ".join(shown) or 'f"{x:.4f}"'


def _lists(*operands: ast.expr, frame: FrameType) -> list[ast.expr]:
    """Return operands with each list as an array; none if there is no list among them."""

    def is_list(node: ast.expr) -> bool:
        known = _value(node, frame) if isinstance(node, ast.Name) else None
        return isinstance(node, ast.List | ast.Tuple | ast.ListComp) or type(known) in (list, tuple)

    if not any(map(is_list, operands)):
        return []
    return [ast.Call(_NP_ARRAY, [each], []) if is_list(each) else each for each in operands]


def _value(name: ast.Name, frame: FrameType) -> Any:
    """Return what a name of the learner's is bound to."""
    frame = learner_frame(frame)
    return frame.f_locals.get(name.id, frame.f_globals.get(name.id))


def _stacked(entries: ast.expr) -> ast.expr:
    """Return ``[x0, x1]`` as a call of ``np.stack``, which can be traced, at every level."""
    stack = ast.parse("np.stack", mode="eval").body
    match entries:
        case ast.List(elts) | ast.Tuple(elts):
            return ast.Call(stack, [ast.List([*map(_stacked, elts)], ast.Load())], [])
        case ast.ListComp():
            return ast.Call(stack, [entries], [])
    return entries


def written_into(frame: FrameType) -> ast.expr | None:
    """Return the expression for the array that the learner's line writes into."""
    match node_of(frame):
        case ast.Subscript(value=owner, ctx=ast.Store()):
            return owner
        case ast.AugAssign(target=ast.Subscript(value=owner)) | ast.AugAssign(target=owner):
            return owner
        case ast.Call(func=ast.Attribute(value=owner, attr="fill" | "put" | "itemset")) if (
            ast.unparse(owner) not in ("np", "numpy")
        ):
            return owner
        case ast.Call(args=args, keywords=options):
            given = [option.value for option in options if option.arg == "out"]
            return next(iter(given or args), None)
    return None


def to_receive(frame: FrameType) -> str:
    """Say what to write before, so that an array can receive traced values."""
    array, frame = written_into(frame), learner_frame(frame)
    is_local = not isinstance(array, ast.Name) or array.id in frame.f_locals
    held: Any = _value(array, frame) if isinstance(array, ast.Name) else None
    if fields := getattr(getattr(held, "dtype", None), "names", None):
        made = ", ".join(f"{field!r}: np.zeros({held.shape})" for field in fields)
        return f"{{{made}}}, a dict in place of an array with fields"
    text = copied_first(array or ast.Name("a"), is_local)
    called = [name for name, each in {**frame.f_globals, **frame.f_locals}.items() if each is np]
    if called:
        return text if "np" in called else text.replace("np.", f"{called[0]}.")
    return f"import numpy as np, and {text}: the functions themselves, imported, are not traced"


def copied_first(array: ast.expr, is_local: bool) -> str:
    """Say to copy an array in the traced function before it is written into."""
    name = ast.unparse(array)
    copy = f"np.array({name}, dtype=float)"
    if not is_local:
        return f"new = {copy} at the start of the traced function, and new for {name} from there"
    return f"{name} = {copy} first, in the traced function"


def stored_into(place: Place) -> ast.expr | None:
    """Return the array of which an entry receives an expression at once."""
    match place.module.parent.get(place.node):
        case ast.Assign(targets=[ast.Subscript(value=array)]):
            return array
    return None
