"""From a call of NumPy's on recorded values to one record, or to a plain answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from backprop_nb.errors import BackpropError
from backprop_nb.tracing import messages, pytree
from backprop_nb.tracing.rules import (
    COMPOSITES,
    OTHER_FORMS,
    PIECEWISE_CONSTANT,
    PLAIN_FUNCTIONS,
    Row,
    row_of,
)
from backprop_nb.tracing.rules.row import RefusedError, full_name
from backprop_nb.tracing.tape import Recorded, Tape, innermost, plain, share


def dispatch(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record a call of a NumPy function, or answer it with a plain array."""
    frame = sys._getframe(1)
    if function in PLAIN_FUNCTIONS and not _is_recorded(function, args):
        if _has_recorded(kwargs.get("out")):
            messages.out_given(full_name(function), frame)
        return function(*map(_plain_tree, args), **_plain_tree(kwargs))
    if function in COMPOSITES:
        return composed(function, COMPOSITES[function], args, kwargs, frame)
    if function in OTHER_FORMS:
        result = composed(function, OTHER_FORMS[function], args, kwargs, frame)
        if result is not NotImplemented:
            return result
    row = row_of(function) or PIECEWISE_CONSTANT.get(function)
    if row is None:
        messages.unsupported(full_name(function), frame)
    bind = _bind_lists if row.bind else _bind
    operands, options = bind(row, args, kwargs, frame)
    traced = [item for item in operands if isinstance(item, Recorded)]
    if not traced:
        _refuse_arguments(full_name(function), frame)
    tape = innermost(traced)
    if not row.outputs:
        return _applied(tape, row, operands, options, traced, frame)
    try:
        packed = function(*map(plain, operands), **options)
    except (ValueError, IndexError, TypeError) as error:
        shapes = [np.shape(plain(item)) for item in operands]
        raise messages.misfit(row, shapes, error, frame) from None
    each = [{**options, "output": k} for k in range(len(packed))]
    outputs = [_applied(tape, row, operands, one, traced, frame) for one in each]
    return outputs if isinstance(packed, list) else type(packed)(*outputs)


def _applied(
    tape: Tape,
    row: Row,
    operands: list[Any],
    options: dict[str, Any],
    traced: list[Recorded],
    frame: FrameType,
) -> Any:
    """Record a call, and mark arrays that share their entries with its result."""
    result = tape.apply(row, row.call, operands, options, frame)
    if row.view:
        share(traced, result)
    return result


def _is_recorded(function: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Whether a comparison is called by a rule whose program is being written."""
    if function not in PIECEWISE_CONSTANT:
        return False
    traced = [arg for arg in args if isinstance(arg, Recorded)]
    return bool(traced) and innermost(traced).records_comparisons


def composed(
    function: Callable[..., Any],
    parts: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    frame: FrameType,
    name: str = "",
) -> Any:
    """Trace a function as the others that it is made of."""
    given = _without_out(function, kwargs, frame)
    try:
        return parts(*args, **given)
    except BackpropError:
        raise
    except RefusedError as refused:
        messages.form_refused(name or full_name(function), str(refused), frame)
    except TypeError as error:
        if messages.is_learners(error):  # of a function that was handed over
            raise
        _refuse_arguments(name or full_name(function), frame)


def _bind(
    row: Row, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> tuple[list[Any], dict[str, Any]]:
    """Split a call into array operands and options, however the learner passed them."""
    count, names = row.arrays, list(row.parameters)
    operands = list(args[:count])
    given = {**dict(zip(names[count:], args[count:], strict=False)), **kwargs}
    operands += [given.pop(name) for name in names[len(operands) : count] if name in given]
    given = _without_out(row.function, given, frame)
    if len(operands) < count or len(args) > len(names):
        _refuse_arguments(full_name(row.function), frame)
    options = {
        key: _fixed(value, is_index=key == "index")
        for key, value in given.items()
        if not row.is_default(key, value)
    }
    for key, value in options.items():
        if key not in row.options or isinstance(value, Recorded):
            messages.unsupported_option(row, key, value, frame)
        if key == "order" and value not in ("C", "F"):
            messages.order_of_memory(row, value, frame)
    return operands, options


def _bind_lists(
    row: Row, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> tuple[list[Any], dict[str, Any]]:
    """Split a call whose arrays stand in a list, or behind a text, as its row says."""
    assert row.bind is not None
    given = _without_out(row.function, kwargs, frame)
    try:
        operands, options = row.bind(*args, **given)
    except BackpropError:
        raise
    except (TypeError, IndexError, KeyError):
        _refuse_arguments(full_name(row.function), frame)
    for key, value in options.items():
        if _has_recorded(value):
            messages.unsupported_option(row, key, value, frame)
    return operands, {key: _fixed(value, is_index=key == "index") for key, value in options.items()}


def _without_out(
    function: Callable[..., Any], kwargs: dict[str, Any], frame: FrameType
) -> dict[str, Any]:
    """Return the options without ``out=None``; an array there is refused."""
    if kwargs.get("out") is not None:
        messages.out_given(full_name(function), frame)
    return {key: value for key, value in kwargs.items() if key != "out"}


def _refuse_arguments(name: str, frame: FrameType) -> NoReturn:
    messages.unsupported(f"{name} with these arguments", frame)


def _fixed(value: Any, is_index: bool = False) -> Any:
    """Return an axis, a shape or an index that later changes of the learner cannot reach."""
    if is_index:
        return tuple(map(_fixed_item, value)) if isinstance(value, tuple) else _fixed_item(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return tuple(map(_fixed, value)) if isinstance(value, list | tuple | range) else value


def _fixed_item(item: Any) -> Any:
    if isinstance(item, Recorded):
        messages.as_index(np.shape(plain(item)), sys._getframe(1))
    if isinstance(item, list | tuple | range):  # an empty list is a list of no positions
        return np.array(item) if len(item) else np.array(item, dtype=np.intp)
    return np.array(item) if isinstance(item, np.ndarray) else item


def _plain_tree(tree: Any) -> Any:
    """Return lists, tuples and dicts with every recorded value replaced by the plain one."""
    return pytree.rebuild(tree, lambda _, leaf: plain(leaf))


def _has_recorded(tree: Any) -> bool:
    if isinstance(tree, list | tuple):
        return any(map(_has_recorded, tree))
    return isinstance(tree, Recorded)
