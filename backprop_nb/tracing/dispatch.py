"""From a call of NumPy's on recorded values to one record, or to a plain answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from backprop_nb.errors import BackpropError
from backprop_nb.tracing import pytree, refusals
from backprop_nb.tracing.rules import PLAIN_FUNCTIONS, STEPS, TABLE, Row
from backprop_nb.tracing.rules.spelled import SPELLED
from backprop_nb.tracing.tape import Recorded, Tape, innermost, plain, share

# What NumPy does when an option is not given; saying so changes nothing.
_DEFAULTS = {
    "axes": None,
    "axis": None,
    "copy": None,
    "dtype": None,
    "keepdims": False,
    "order": "C",
    "out": None,
    "subok": False,
    "where": True,
}


def dispatch(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record a call of a NumPy function, or answer it with a plain array."""
    frame = sys._getframe(1)
    if function in PLAIN_FUNCTIONS and not _is_kept(function, args):
        if _has_recorded(kwargs.get("out")):
            refusals.out_given(function, frame)
        return function(*map(_plain_tree, args), **_plain_tree(kwargs))
    if function in SPELLED:
        return _composed(function, args, kwargs, frame)
    row = TABLE.get(function) or STEPS.get(function)
    if row is None:
        refusals.unsupported(refusals.function_name(function), frame)
    bind = _bind_lists if row.bind else _bind
    operands, options = bind(row, args, kwargs, frame)
    traced = [item for item in operands if isinstance(item, Recorded)]
    if not traced:
        _refuse_arguments(function, frame)
    tape = innermost(traced)
    if row.pieces is None:
        return _applied(tape, row, operands, options, traced, frame)
    try:
        count = row.pieces(*map(plain, operands), **options)
    except (ValueError, IndexError, TypeError) as error:
        shapes = [np.shape(plain(item)) for item in operands]
        raise refusals.misfit(row, shapes, error, frame) from None
    each = [{**options, "piece": k} for k in range(count)]
    return row.gather([_applied(tape, row, operands, part, traced, frame) for part in each])


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


def _is_kept(function: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Whether a comparison is called by a rule whose program is being written."""
    if function not in STEPS:
        return False
    traced = [arg for arg in args if isinstance(arg, Recorded)]
    return bool(traced) and innermost(traced).keeps_comparisons


def _composed(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> Any:
    """Trace a function as the others that it is made of."""
    given = _without_out(function, kwargs, frame)
    try:
        return SPELLED[function](*args, **given)
    except BackpropError:
        raise
    except TypeError:
        _refuse_arguments(function, frame)


def _bind(
    row: Row, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> tuple[list[Any], dict[str, Any]]:
    """Split a call into array operands and options, however the learner passed them."""
    count = len(row.vjps)
    given = {**dict(zip(row.signature[count:], args[count:], strict=False)), **kwargs}
    operands = list(args[:count])
    missing = row.signature[len(operands) : count]
    operands += [given.pop(name) for name in missing if name in given]
    if len(args) > max(count, len(row.signature)):
        refusals.out_given(row.function, frame)
    given = _without_out(row.function, given, frame)
    if len(operands) < count:
        _refuse_arguments(row.function, frame)
    options = {
        key: _fixed(value, is_index=key == "index")
        for key, value in given.items()
        if not _is_default(key, value)
    }
    for key, value in options.items():
        if key not in refusals.options(row) or isinstance(value, Recorded):
            refusals.unsupported_option(row, key, value, frame)
        if key == "order" and value not in ("C", "F"):
            refusals.order_of_memory(row, value, frame)
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
        _refuse_arguments(row.function, frame)
    for key, value in options.items():
        if _has_recorded(value):
            refusals.unsupported_option(row, key, value, frame)
    return operands, {key: _fixed(value, is_index=key == "index") for key, value in options.items()}


def _without_out(
    function: Callable[..., Any], kwargs: dict[str, Any], frame: FrameType
) -> dict[str, Any]:
    """Return the options without ``out=None``; an array there is refused."""
    if kwargs.get("out") is not None:
        refusals.out_given(function, frame)
    return {key: value for key, value in kwargs.items() if key != "out"}


def _refuse_arguments(function: Callable[..., Any], frame: FrameType) -> Any:
    refusals.unsupported(f"{refusals.function_name(function)} with these arguments", frame)


def _is_default(key: str, value: Any) -> bool:
    """Whether an option says what NumPy does anyway; such options are not recorded."""
    if value is np._NoValue:
        return True
    default = _DEFAULTS.get(key, np._NoValue)
    return type(value) is type(default) and bool(value == default)


def _fixed(value: Any, is_index: bool = False) -> Any:
    """Return an axis, a shape or an index that later changes of the learner cannot reach."""
    if is_index:
        return tuple(map(_fixed_item, value)) if isinstance(value, tuple) else _fixed_item(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return tuple(map(_fixed, value)) if isinstance(value, list | tuple | range) else value


def _fixed_item(item: Any) -> Any:
    if isinstance(item, Recorded):
        refusals.as_index(np.shape(plain(item)), sys._getframe(1))
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
