"""What a learner is told when the tracer cannot go on.

Every message names the learner's own line and says what to write instead.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Sequence
from opcode import opmap
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import Any, NoReturn

import numpy as np

from backprop_nb.errors import (
    BackpropError,
    DetachedError,
    InPlaceError,
    ShapeError,
    UnsupportedError,
)
from backprop_nb.tracing.rules import TABLE, Row
from backprop_nb.tracing.source import describe_place, locate, operand

_TRACING = str(Path(__file__).parent)
_NUMPY = str(Path(np.__file__).parent)
_KINDS = {"c": "complex", "O": "object", "U": "text", "S": "bytes"}

_EXPECTED = (
    {
        "matmul": "as many columns on the left as rows on the right: "
        "(n, k) @ (k,) or (n, k) @ (k, m)",
        "getitem": "an index within the shape",
        "reshape": "a shape with as many entries",
        "transpose": "every axis once",
        "stack": "equal shapes",
        "einsum": "one label for each axis, and equal lengths under one label",
        "squeeze": "an axis of length 1",
        "take": "positions within the array",
        "cross": "vectors of 3 entries",
        "array_split": "at least one piece",
    }
    | dict.fromkeys(
        [
            "sum",
            "mean",
            "swapaxes",
            "expand_dims",
            "moveaxis",
            "rollaxis",
            "roll",
            "flip",
            "rot90",
            "sort",
            "partition",
            "norm",
            "prod",
            "max",
            "min",
            "ptp",
            "var",
            "std",
            "nansum",
            "nanmean",
            "cumsum",
            "cumprod",
            "diff",
            "trace",
        ],
        "an axis that the array has",
    )
    | dict.fromkeys(
        ["concatenate", "hstack", "vstack", "dstack", "column_stack", "append", "block"],
        "equal lengths along every axis but the joined one",
    )
    | dict.fromkeys(
        ["split", "hsplit", "vsplit", "dsplit"],
        "a number of pieces that divides the length, or the positions of the cuts",
    )
    | dict.fromkeys(
        ["dot", "vdot", "inner", "vecdot", "tensordot"],
        "equal lengths along the axes that are summed over",
    )
    | dict.fromkeys(["inv", "solve", "det", "slogdet"], "an invertible square matrix")
    | dict.fromkeys(
        [
            *("add", "subtract", "multiply", "divide", "power", "where", "clip", "hypot"),
            *("maximum", "minimum", "fmax", "fmin", "remainder", "fmod", "float_power"),
            *("logaddexp", "logaddexp2", "arctan2"),
        ],
        "equal shapes, or axes of length 1 that stretch",
    )
)

_GENERAL = "np.stack([x0, x1])"

_OTHERWISE = {
    "where": "choose the entries with np.where(mask, …, 0.0)",
    "dtype": "x.astype(…) in place of x",
    "initial": "the result combined with it afterwards",
}

_REDUCTIONS = {
    "np.add.reduce": "np.sum(x, axis=…)",
    "np.multiply.reduce": "np.prod(x, axis=…)",
    "np.multiply.outer": "np.outer(x, y)",
    "np.maximum.reduce": "np.max(x, axis=…)",
    "np.minimum.reduce": "np.min(x, axis=…)",
    "np.add.accumulate": "np.cumsum(x, axis=…)",
    "np.multiply.accumulate": "np.cumprod(x, axis=…)",
    "np.divmod": "x // y and x % y, one by one",
}


class UnsupportedMethodError(UnsupportedError, AttributeError):
    """An array method without a rule, so that ``hasattr`` answers no."""


class OutOfRangeError(ShapeError, IndexError):
    """An index or an axis that does not exist."""


def learner_frame(frame: FrameType) -> FrameType:
    """Return the nearest frame that is neither the tracer's nor NumPy's."""
    while _is_inside(frame) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _is_inside(frame: FrameType) -> bool:
    """Whether the frame is the tracer's or NumPy's."""
    return frame.f_code.co_filename.startswith((_TRACING, _NUMPY))


def _at(frame: FrameType) -> tuple[str, str]:
    """Return the learner's expression, and the line it stands on as a message says it."""
    frame = learner_frame(frame)
    at = describe_place(frame.f_code, frame.f_lasti)
    place = locate(frame.f_code, frame.f_lasti)
    return place.module.text(place.node) if place else "", at


def supported_functions() -> list[str]:
    """Return the names of the functions that have a rule."""
    inner = {"astype", "getitem", "scatter_add", "add_along_axis", "horner"}
    return sorted({row.name for row in TABLE.values()} - inner)


def _something_else(what: str) -> str:
    """Say where to look for a function that has a rule, the closest names first."""
    name = what.rpartition(".")[2]
    close = difflib.get_close_matches(name, supported_functions(), n=3, cutoff=0.8)
    hint = f"such as {', '.join(close)}; " if close else ""
    return f"a function that has one, {hint}the README lists all {len(supported_functions())}"


def function_name(function: Callable[..., Any]) -> str:
    """Return ``np.linalg.inv`` for a function of NumPy, else the bare name."""
    name = function.__name__
    if name == "getitem":
        return "Indexing"
    if isinstance(function, np.ufunc):
        return f"np.{name}" if getattr(np, name, None) is function else name
    module = getattr(function, "__module__", None) or ""
    return f"{module.replace('numpy', 'np', 1)}.{name}" if module.startswith("numpy") else name


def unsupported(what: str, frame: FrameType) -> NoReturn:
    """Refuse a call that has no differentiation rule."""
    _, at = _at(frame)
    raise UnsupportedError(
        f"{what} has no differentiation rule.",
        instead=_REDUCTIONS.get(what) or _something_else(what),
        at=at,
    )


def unsupported_method(name: str, frame: FrameType) -> NoReturn:
    """Refuse a method of an array that has no rule."""
    _, at = _at(frame)
    raise UnsupportedMethodError(
        f"The array method .{name} has no differentiation rule.",
        instead=_something_else(name),
        at=at,
    )


def unsupported_option(row: Row, option: str, value: Any, frame: FrameType) -> NoReturn:
    """Refuse a keyword that a rule does not know, or a traced value for one that it does."""
    if option in ("axis", *options(row)):
        as_index(getattr(value, "shape", ()), frame)
    _, at = _at(frame)
    known = ", ".join(f"{key}=" for key in options(row))
    raise UnsupportedError(
        f"{function_name(row.function)} cannot be traced with {option}=.",
        expected=f"no option but {known}" if known else "no options",
        instead=_OTHERWISE.get(option),
        at=at,
    )


def order_of_memory(row: Row, order: Any, frame: FrameType) -> NoReturn:
    """Refuse an order of entries that depends on how the array lies in memory."""
    _, at = _at(frame)
    raise UnsupportedError(
        f"{function_name(row.function)} cannot be traced with order={order!r}: "
        "the result depends on how the array lies in memory.",
        expected="order='C', row by row, or order='F', column by column",
        at=at,
    )


def options(row: Row) -> list[str]:
    """Return the keywords that a row's rules understand."""
    hidden = {"out"} if row.name == "astype" else {"out", "dtype"}
    return [key for key in row.signature[len(row.vjps) :] if key not in hidden]


def detached(how: str, shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse what would turn a traced value into a plain one."""
    text, at = _at(frame)
    if _is_looked_up(learner_frame(frame)):  # an array asks for the index as an array
        as_index(shape, frame)
    raise DetachedError(
        f"{how} would cut a traced value off from its history.",
        given=f"a traced value of shape {shape}",
        instead=_instead_of(text),
        at=at,
    )


def power_meant(shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse ``x^2``, which is a power in mathematics and not in Python."""
    _, at = _at(frame)
    raise UnsupportedError(
        "In Python ^ combines bits; it is no power.",
        given=f"a traced value of shape {shape}",
        instead="x**2 for the square of x",
        at=at,
    )


def as_index(shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse a traced value where Python or NumPy wants a plain integer."""
    _, at = _at(frame)
    raise DetachedError(
        "Using it as an index or a count would cut a traced value off from its history.",
        given=f"a traced value of shape {shape}",
        instead="pass counts and indices as keyword arguments: integers among those are not traced",
        at=at,
    )


def ambiguous(shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse ``if x:`` for an array that is not a single number."""
    _, at = _at(frame)
    raise ShapeError(
        "An array is neither true nor false.",
        given=f"a traced array of shape {shape}",
        expected="a single number",
        instead="np.any(…) or np.all(…) of a comparison",
        at=at,
    )


def ended(frame: FrameType) -> NoReturn:
    """Refuse a traced value that has left the function it was traced in."""
    _, at = _at(frame)
    raise DetachedError(
        "A traced value was used after its trace had ended.",
        instead="return it from the traced function, or compute with graph.value",
        at=at,
    )


def _is_looked_up(frame: FrameType) -> bool:
    """Whether the learner's expression is ``array[…]`` and not an assignment to it."""
    place = locate(frame.f_code, frame.f_lasti)
    node = place.node if place else None
    return isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)


def _instead_of(text: str) -> str:
    """Say what to write in place of the call that asked for a plain value."""
    found = re.match(r"math\.(\w+)", text)
    if found and hasattr(np, found[1]):
        return f"np.{found[1]}, because the functions of math see only plain numbers"
    if re.match(r"(np|numpy)\.(array|asarray)\(\s*[\[(]", text):
        return _stacked(text)
    if re.match(r"(np|numpy)\.(array|asarray)\(", text):
        return "the value as it is: it already behaves like an array"
    if re.match(r"(np|numpy)(\.\w+)+\(\s*\[", text):
        return _of_stacked(text)
    if re.fullmatch(r"\w+\[.*\]", text):
        return "build the array in one piece: a plain array cannot hold a traced value"
    return "keep the value as it is, and read the number from graph.value afterwards"


def _stacked(text: str) -> str:
    """Return ``np.array([x0, x1])`` as the call of ``np.stack`` that can be traced."""

    def stack(node: ast.expr) -> str:
        if not isinstance(node, ast.List | ast.Tuple):
            return ast.unparse(node)
        return f"np.stack([{', '.join(map(stack, node.elts))}])"

    try:
        call = ast.parse(text, mode="eval").body
    except SyntaxError:
        return _GENERAL
    match call:
        case ast.Call(args=[ast.List() | ast.Tuple() as entries, *_]):
            return stack(entries)
        case ast.Call(args=[ast.ListComp() as entries, *_]):
            return f"np.stack({ast.unparse(entries)})"
    return _GENERAL


def _of_stacked(text: str) -> str:
    """Return ``np.sum([x0, x1])`` with an array that can be traced in place of the list."""
    try:
        call = ast.parse(text, mode="eval").body
    except SyntaxError:
        return _GENERAL
    match call:
        case ast.Call(args=[ast.List() | ast.ListComp() as entries, *rest]):
            stacked = _stacked(f"np.array({ast.unparse(entries)})")
            call.args = [ast.parse(stacked, mode="eval").body, *rest]
            return ast.unparse(call)
    return _GENERAL


def item_assigned(shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse ``x[i] = value``."""
    _, at = _at(frame)
    raise InPlaceError(
        "An entry of a traced array cannot be assigned: the trace would not see it.",
        given=f"a traced array of shape {shape}",
        instead="build the new array in one piece, for example np.where(mask, new, x)",
        at=at,
    )


def out_given(function: Callable[..., Any], frame: FrameType) -> NoReturn:
    """Refuse ``out=``, and ``plain_array += traced``, which is the same to NumPy."""
    _, at = _at(frame)
    raise InPlaceError(
        f"{function_name(function)} would write into an array behind the trace's back.",
        given="out=, or += on a plain array with a traced value on the right",
        instead="y = x + …, which makes a new array",
        at=at,
    )


def changed_in_place(problem: str, given: str, frame: FrameType) -> NoReturn:
    """Refuse ``+=`` and its kin where they would differ from what NumPy does."""
    _, at = _at(frame)
    raise InPlaceError(problem, given=given, instead="x = x + … in place of x += …", at=at)


def method_in_place(name: str, shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse ``x.sort()`` and its kin, which change x behind the trace's back."""
    _, at = _at(frame)
    raise InPlaceError(
        f"The array method .{name} changes the array in place: the trace would not see it.",
        given=f"a traced array of shape {shape}",
        instead=f"y = np.{name}(x), which makes a new array",
        at=at,
    )


def misfit(
    row: Row, shapes: Sequence[tuple[int, ...]], error: Exception, frame: FrameType
) -> BackpropError:
    """Return NumPy's complaint about a call with the learner's names in it."""
    frame = learner_frame(frame)
    at = describe_place(frame.f_code, frame.f_lasti)
    place = locate(frame.f_code, frame.f_lasti)
    method = place is not None and _is_method(place.node, frame)
    given = []
    for position, shape in enumerate(shapes):
        node = operand(place, row, position, len(shapes), method) if place else None
        text = place.module.text(node) if place and node is not None else "an argument"
        given.append(f"{' '.join(text.split())} of shape {shape}")
    complaint = _inner(*shapes) if row.name == "matmul" else None
    kind, expected = _kind(error), _EXPECTED.get(row.name, "shapes that NumPy can combine")
    return kind(
        f"{function_name(row.function)} does not fit: {complaint or _complaint(error)}.",
        given=", ".join(given),
        expected=None if kind is UnsupportedError else expected,
        at=at,
    )


def _kind(error: Exception) -> type[BackpropError]:
    if isinstance(error, TypeError):
        return UnsupportedError
    return OutOfRangeError if isinstance(error, IndexError) else ShapeError


def _is_method(node: ast.AST, frame: FrameType) -> bool:
    """Whether a call is one of a method, such as ``x.sum()``, and not ``np.sum(x)``."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner: ast.AST = node.func.value
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    names = {**frame.f_globals, **frame.f_locals}
    return not (isinstance(owner, ast.Name) and isinstance(names.get(owner.id), ModuleType))


def _inner(left: tuple[int, ...], right: tuple[int, ...]) -> str:
    """Say which two lengths of a matrix product differ."""
    if not left or not right:
        return "a number cannot be multiplied with @"
    rows = right[-2] if len(right) > 1 else right[0]
    if left[-1] == rows:
        return f"stacks of {left[:-2]} and {right[:-2]} matrices do not broadcast"
    return f"{left[-1]} columns on the left meet {rows} rows on the right"


def _complaint(error: Exception) -> str:
    """Return NumPy's own words without its internal signature notation."""
    text = re.sub(r"^\w+: ", "", str(error).split("\n")[0])
    return re.sub(r", with gufunc signature \S+ ", " ", text).strip(" .")


def real_copy(value: Any, what: str, frame: FrameType | None = None) -> Any:
    """Return ``value`` as an array of real numbers that nobody else holds.

    Raises
    ------
    UnsupportedError
        For complex numbers, objects, text and ragged lists, and for arrays that
        are not plain, such as a masked one: its mask would be lost.
    """
    at = _at(frame)[1] if frame else None
    plain = type(value) is np.ndarray or isinstance(value, np.generic | np.memmap)
    if hasattr(type(value), "__array__") and not plain:
        raise UnsupportedError(
            f"{what} must be a plain NumPy array.",
            given=f"a {type(value).__name__}",
            instead="np.asarray(…) of it",
            at=at,
        )
    try:
        copy = np.array(value)
    except ValueError as error:
        raise find_own(error) or UnsupportedError(
            f"{what} must be rectangular.", given="rows of unequal length", at=at
        ) from None
    if copy.dtype.kind not in "biuf":
        kind = _KINDS.get(copy.dtype.kind, copy.dtype.name)
        raise UnsupportedError(
            f"{what} must hold real numbers.",
            given=f"{kind} values of shape {copy.shape}",
            expected="floats or integers",
            at=at,
        )
    return copy


def find_own(error: BaseException) -> BackpropError | None:
    """Return the error of ours that NumPy may have wrapped in one of its own.

    What the learner's own ``raise`` says stays as it is.
    """
    seen: BaseException | None = error
    while seen is not None and not (seen is not error and _is_raised(error)):
        if isinstance(seen, BackpropError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _is_raised(error: BaseException) -> bool:
    """Whether a ``raise`` statement made the error, and not a function of NumPy's."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return False
    return last.tb_frame.f_code.co_code[last.tb_lasti] == opmap["RAISE_VARARGS"]


def without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Return the traceback from the learner's first line to the last."""
    kept = []
    while traceback is not None:
        kept.append(traceback)
        traceback = traceback.tb_next
    while kept and _is_inside(kept[0].tb_frame):
        kept.pop(0)
    while kept and _is_inside(kept[-1].tb_frame):
        kept.pop()
    short: TracebackType | None = None
    for link in reversed(kept):
        short = TracebackType(short, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return short
