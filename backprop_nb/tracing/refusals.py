"""What a learner is told when the tracer cannot go on.

Every message names the learner's own line and says what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType, TracebackType
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

_EXPECTED = {
    "matmul": "as many columns on the left as rows on the right: (n, k) @ (k,) or (n, k) @ (k, m)",
    "getitem": "an index within the shape",
} | dict.fromkeys(
    ("add", "subtract", "multiply", "divide", "power"),
    "equal shapes, or axes of length 1 that stretch",
)

_REDUCTIONS = {
    "np.add.reduce": "np.sum(x, axis=…)",
    "np.multiply.reduce": "np.prod(x, axis=…)",
    "np.multiply.outer": "np.outer(x, y)",
}


class UnsupportedMethodError(UnsupportedError, AttributeError):
    """An array method without a rule, so that ``hasattr`` answers no."""


class OutOfRangeError(ShapeError, IndexError):
    """An index or an axis that does not exist."""


def learner_frame(frame: FrameType) -> FrameType:
    """Return the nearest frame that is neither the tracer's nor NumPy's."""
    while frame.f_code.co_filename.startswith((_TRACING, _NUMPY)) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _at(frame: FrameType) -> tuple[str, str]:
    """Return the learner's expression, and the line it stands on as a message says it."""
    frame = learner_frame(frame)
    place = locate(frame.f_code, frame.f_lasti)
    text = place.module.text(place.node) if place else ""
    return text, describe_place(frame.f_code, frame.f_lasti)


def supported_functions() -> str:
    """Return the names of the functions that have a rule, for a message."""
    inner = {"getitem", "scatter_add"}
    return ", ".join(sorted({row.name for row in TABLE.values()} - inner))


def function_name(function: Callable[..., Any]) -> str:
    """Return ``np.linalg.inv`` for a function of NumPy, else the bare name."""
    name = function.__name__
    if isinstance(function, np.ufunc):
        return f"np.{name}" if getattr(np, name, None) is function else name
    module = getattr(function, "__module__", None) or ""
    return f"{module.replace('numpy', 'np', 1)}.{name}" if module else name


def unsupported(what: str, frame: FrameType) -> NoReturn:
    """Refuse a call that has no differentiation rule."""
    _, at = _at(frame)
    raise UnsupportedError(
        f"{what} has no differentiation rule.",
        instead=_REDUCTIONS.get(what, f"functions that have one: {supported_functions()}"),
        at=at,
    )


def unsupported_method(name: str, frame: FrameType) -> NoReturn:
    """Refuse a method of an array that has no rule."""
    _, at = _at(frame)
    raise UnsupportedMethodError(
        f"The array method .{name} has no differentiation rule.",
        instead=f"functions that have one: {supported_functions()}",
        at=at,
    )


def unsupported_option(row: Row, option: str, frame: FrameType) -> NoReturn:
    """Refuse a keyword that a rule does not know."""
    _, at = _at(frame)
    known = ", ".join(f"{key}=" for key in options(row))
    raise UnsupportedError(
        f"np.{row.name} cannot be traced with {option}=.",
        expected=f"no option but {known}" if known else "no options",
        at=at,
    )


def options(row: Row) -> list[str]:
    """Return the keywords that a row's rules understand."""
    return [key for key in row.signature[len(row.vjps) :] if key not in ("dtype", "out")]


def detached(how: str, shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse what would turn a traced value into a plain one."""
    text, at = _at(frame)
    raise DetachedError(
        f"{how} would cut a traced value off from its history.",
        given=f"a traced value of shape {shape}",
        instead=_instead_of(text),
        at=at,
    )


def _instead_of(text: str) -> str:
    """Say what to write in place of the call that asked for a plain value."""
    if found := re.match(r"math\.(\w+)", text):
        return f"np.{found[1]}, because the functions of math see only plain numbers"
    if re.match(r"np\.(array|asarray)\(\s*[\[(]", text):
        return "index the array that the entries came from, or join them with a NumPy function"
    if text.startswith(("np.array(", "np.asarray(")):
        return "the value as it is: it already behaves like an array"
    if text.startswith("range("):
        return "pass a count as a keyword argument: integers among those are not traced"
    if re.fullmatch(r"\w+\[.*\]", text):
        return "build the array in one piece: a plain array cannot hold a traced value"
    return "keep the value as it is, and read the number from graph.value afterwards"


def item_assigned(shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse ``x[i] = value``."""
    _, at = _at(frame)
    raise InPlaceError(
        "An entry of a traced array cannot be assigned: the trace would not see it.",
        given=f"a traced array of shape {shape}",
        instead="build the new array in one piece, for example np.where(mask, new, x)",
        at=at,
    )


def out_given(row: Row, frame: FrameType) -> NoReturn:
    """Refuse ``out=``, and ``plain_array += traced``, which is the same to NumPy."""
    _, at = _at(frame)
    raise InPlaceError(
        f"np.{row.name} would write into an array behind the trace's back.",
        given="out=, or += on a plain array with a traced value on the right",
        instead="y = x + …, which makes a new array",
        at=at,
    )


def changed_in_place(problem: str, given: str, frame: FrameType) -> NoReturn:
    """Refuse ``+=`` and its kin where they would differ from what NumPy does."""
    _, at = _at(frame)
    raise InPlaceError(problem, given=given, instead="x = x + … in place of x += …", at=at)


def misfit(
    row: Row, shapes: Sequence[tuple[int, ...]], error: Exception, frame: FrameType
) -> ShapeError:
    """Return NumPy's complaint about shapes with the learner's names in it."""
    frame = learner_frame(frame)
    place = locate(frame.f_code, frame.f_lasti)
    given = []
    for position, shape in enumerate(shapes):
        node = operand(place, position, len(shapes)) if place else None
        text = place.module.text(node) if place and node is not None else "an argument"
        given.append(f"{text} of shape {shape}")
    complaint = _inner(*shapes) if row.name == "matmul" else _complaint(error)
    kind = OutOfRangeError if isinstance(error, IndexError) else ShapeError
    return kind(
        f"np.{row.name} does not fit: {complaint}.",
        given=", ".join(given),
        expected=_EXPECTED.get(row.name, "shapes that NumPy can combine"),
        at=describe_place(frame.f_code, frame.f_lasti),
    )


def _inner(left: tuple[int, ...], right: tuple[int, ...]) -> str:
    """Say which two lengths of a matrix product differ."""
    if not left or not right:
        return "a number cannot be multiplied with @"
    rows = right[-2] if len(right) > 1 else right[0]
    return f"{left[-1]} columns on the left meet {rows} rows on the right"


def _complaint(error: Exception) -> str:
    """Return NumPy's own words without its internal signature notation."""
    text = re.sub(r"^\w+: ", "", str(error).split("\n")[0])
    return re.sub(r", with gufunc signature \S+ ", " ", text).strip(" .")


def require_real(value: Any, what: str) -> None:
    """Refuse arrays of anything but real numbers.

    Raises
    ------
    UnsupportedError
        For complex numbers, objects, text and ragged lists.
    """
    if value.dtype.kind not in "biuf":
        kind = _KINDS.get(value.dtype.kind, value.dtype.name)
        raise UnsupportedError(
            f"{what} must hold real numbers.",
            given=f"{kind} values of shape {value.shape}",
            expected="floats or integers",
        )


def find_own(error: BaseException) -> BackpropError | None:
    """Return the error of ours that NumPy may have wrapped in one of its own."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, BackpropError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Return the traceback up to the learner's last line."""
    kept = []
    while traceback is not None:
        kept.append(traceback)
        traceback = traceback.tb_next
    while kept and kept[-1].tb_frame.f_code.co_filename.startswith((_TRACING, _NUMPY)):
        kept.pop()
    short: TracebackType | None = None
    for link in reversed(kept):
        short = TracebackType(short, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return short
