"""From a call of NumPy's on recorded values to one record, or to a plain answer."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from backprop_nb.errors import BackpropError
from backprop_nb.tracing import messages, pytree
from backprop_nb.tracing.libraries import learner_frame
from backprop_nb.tracing.options import as_numpy_takes_it, fixed, fixed_index, odd_options
from backprop_nb.tracing.rules import (
    COMPOSITES,
    OTHER_FORMS,
    PIECEWISE_CONSTANT,
    PLAIN_FUNCTIONS,
    Row,
    row_of,
)
from backprop_nb.tracing.rules.changes import CHANGES
from backprop_nb.tracing.rules.indexing import getitem
from backprop_nb.tracing.rules.lists import ARRAY
from backprop_nb.tracing.rules.numerical import CHECKS
from backprop_nb.tracing.rules.piecewise_constant import TEXTS
from backprop_nb.tracing.rules.row import RefusedError, full_name
from backprop_nb.tracing.source import FOLDER
from backprop_nb.tracing.tape import (
    NO_OPTIONS,
    Recorded,
    Tape,
    decided,
    decided_by,
    has_traced,
    innermost,
    is_live,
    plain,
    shown,
)


def dispatch(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record a call of a NumPy function, or answer it with a plain array."""
    frame = sys._getframe(1)
    if len(args) > 2:
        args, kwargs = _with_named_out(function, args, kwargs)
    if "out" in kwargs:
        kwargs = dict(kwargs)
        out = kwargs.pop("out")
        if out is not None:
            return into(out, function, args, kwargs, frame)
    if function in CHANGES:
        return _changed(function, args, kwargs, frame)
    if function in _OF_EACH and len(args) > 1:
        return tuple(
            dispatch(function, (each,), kwargs) if is_live(each) else function(each)
            for each in args
        )
    if (odd := odd_options(function, args, kwargs)) and not any(
        map(callable, pytree.flatten(args))
    ):
        return as_numpy_takes_it(function, args, kwargs, odd, _answered, frame)
    return _answered(function, args, kwargs, frame)


def _answered(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> Any:
    """Record a call, or answer it with a plain array."""
    if any(map(_is_changing, args)) or any(map(_is_changing, kwargs.values())):
        if function in _ALIASING:
            return COMPOSITES[function](*args, **kwargs)
        return _of_changing(function, args, kwargs)
    if function in PLAIN_FUNCTIONS:
        return function(*_plain_tree(args), **_plain_tree(kwargs))
    if function in TEXTS:
        return function(shown(args[0], learner_frame(frame)), *args[1:], **kwargs)
    if function in CHECKS:
        composed(function, CHECKS[function], _plain_tree(args), _plain_tree(kwargs), frame)
    if function in COMPOSITES:
        result = composed(function, COMPOSITES[function], args, kwargs, frame)
        if function in _LAID_OUT:
            return laid_out(result, _LAID_OUT[function], args, kwargs)
        return result
    if function in OTHER_FORMS:
        result = composed(function, OTHER_FORMS[function], args, kwargs, frame)
        if result is not NotImplemented:
            return result
    row = row_of(function) or PIECEWISE_CONSTANT.get(function)
    if row is None:
        if hasattr(function, "replaced"):  # for as long as a trace runs
            return dispatch(function.replaced, args, kwargs)
        messages.unsupported(full_name(function), frame)
    operands, options = _bound(row, args, kwargs, frame)
    operands = [*map(joined, operands)]
    traced = [item for item in operands if isinstance(item, Recorded)]
    if not traced:
        _refuse_arguments(function, kwargs, frame)
    tape = innermost(traced)
    if row.is_flat or np.dtype(options.get("dtype", float)).kind != "f":
        tape.is_smooth = False
    if not row.outputs:
        return applied(tape, row, operands, options, frame)
    try:
        packed = (row.compute or function)(*map(plain, operands), **options)
    except (ValueError, IndexError, TypeError) as error:
        shapes = [np.shape(plain(item)) for item in operands]
        decided_by(error, operands, frame)
        raise messages.misfit(row, shapes, error, frame) from None
    each = [{**options, "output": k} for k in range(len(packed))]
    outputs = [applied(tape, row, operands, one, frame) for one in each]
    return type(packed)(outputs) if type(packed) in (list, tuple) else type(packed)(*outputs)


_OF_EACH = (np.atleast_1d, np.atleast_2d, np.atleast_3d)
"""What does the same to each of several arrays."""


def joined(operand: Any) -> Any:
    """Return lists that hold traced values as the array that they stand for."""
    if issubclass(type(operand), pytree.SEQUENCES) and has_traced(operand):
        return dispatch(ARRAY.function, (operand,), {})
    return operand


_ALIASING = frozenset({np.real, np.real_if_close, np.broadcast_arrays, np.unstack})
"""What NumPy answers with views, and the parts that it is made of with views too."""


def _is_changing(tree: Any) -> bool:
    """Whether an argument is, or holds, an array that is written to."""
    # isinstance would ask a traced value what it stands for.
    if issubclass(type(tree), pytree.SEQUENCES):
        return any(map(_is_changing, tree))
    return getattr(type(tree), "is_changing", False) is True


def _of_changing(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Answer a call on arrays that are written to: with a view, or from what they hold now."""
    found: list[Any] = [*filter(_is_changing, pytree.flatten([args, kwargs]))]
    changing = found[0]
    if function in PLAIN_FUNCTIONS:  # what is assigned need not be recorded to know a shape
        return changing.made(function(*_plain_tree(args), **_plain_tree(kwargs)))
    row = row_of(function)
    if row is not None and row.view and isinstance(changing, Recorded):
        operands, options = _bound(row, args, kwargs, sys._getframe(2))
        if operands[0] is changing:
            if row.outputs:
                count = len(function(changing._value, *args[1:], **kwargs))
                return changing.split(row, operands, options, count)
            view = changing.look(row, operands, options)
            if view is not None:
                return view
    args, kwargs = tuple(map(_now, args)), {key: _now(each) for key, each in kwargs.items()}
    if function is getitem:  # positions that are listed may be traced, and are decided now
        kwargs = {"index": fixed_index(kwargs["index"])}
    is_recorded = any(map(has_traced, (*args, *kwargs.values())))
    result = dispatch(function, args, kwargs) if is_recorded else function(*args, **kwargs)
    own: list[Any] = [each for each in found if isinstance(each, Recorded)]
    is_lent = [each.lend(result, full_name(function)) for each in own]
    return result if is_recorded or any(is_lent) else changing.made(result)


def _now(tree: Any) -> Any:
    """Return lists, tuples and dicts with what each array holds now."""
    if is_live(tree):  # the most frequent
        return tree.now()
    return pytree.rebuild(tree, lambda _, leaf: leaf.now() if is_live(leaf) else leaf)


def _with_named_out(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a call in which ``out`` stands by its name."""
    row = row_of(function) or PIECEWISE_CONSTANT.get(function)
    names = [*row.parameters] if row and not row.bind else []
    position = names.index("out") if "out" in names else len(args)
    if isinstance(function, np.ufunc) or position >= len(args) or args[position] is None:
        return args, kwargs
    return args[:position], kwargs | dict(zip(names[position:], args[position:], strict=False))


def into(
    out: Any,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    frame: FrameType,
) -> Any:
    """Compute a call and write the result into ``out``."""
    targets = out if isinstance(out, tuple) else (out,)
    if len(targets) != 1 or not isinstance(targets[0], Recorded):
        messages.out_given(full_name(function), out, frame)
    target: Any = targets[0]
    where = kwargs.pop("where", True) if isinstance(function, np.ufunc) else True
    if where is True:
        result = function(*args, **kwargs)
        if np.ndim(result) > target.ndim:  # an assignment would take it, NumPy does not
            messages.changed_in_place(
                "The result does not fit into `out`.",
                f"`out` of shape {target.shape}, result of shape {np.shape(result)}",
                frame,
                f"out = {full_name(function)}(…) in place of `out=`",
            )
        target.write(result, frame)
    else:  # what is not chosen stays, and the function does not see it
        mask = np.broadcast_to(where, target.shape)
        chosen = [np.broadcast_to(arg, target.shape)[mask] for arg in args]
        target.write(function(*chosen, **kwargs), frame, mask)
    return target


def _changed(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> Any:
    """Do what a function does that changes its first argument."""
    args, kwargs = tuple(map(joined, args)), {key: joined(each) for key, each in kwargs.items()}
    if args and not is_live(args[0]) and has_traced([*args[1:], *kwargs.values()]):
        if _is_step_of_numpys(frame):  # the message names the function that takes it
            messages.unsupported(full_name(function), frame)
        messages.out_given(full_name(function), args[0], frame)
    return composed(function, CHANGES[function], args, kwargs, frame)


def applied(
    tape: Tape, row: Row, operands: list[Any], options: dict[str, Any], frame: FrameType
) -> Any:
    """Record a call; remember which arrays share their entries with its result."""
    result = tape.apply(row, row.call, operands, options, frame)
    if not isinstance(result, Recorded):  # of a trace that is over
        return result
    if row.view and isinstance(operands[0], Recorded):
        tape.share(operands[0], result)
    is_masked = row.function is getitem and any(each.dtype.kind == "b" for each in operands[1:])
    if row.shape_varies or is_masked:  # so that the number of entries may change
        tape.decide(result, "shape", np.shape(plain(result)), frame)
    return result


def composed(
    function: Callable[..., Any],
    parts: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    frame: FrameType,
    name: str = "",
) -> Any:
    """Trace a function as the others that it is made of."""
    try:
        return parts(*args, **kwargs)
    except BackpropError:
        raise
    except RefusedError as refused:
        messages.form_refused(name or full_name(function), refused, frame)
    except TypeError as error:
        if messages.is_learners(error):  # of a function that was handed over
            raise
        _refuse_arguments(function, kwargs, frame, name)
    except (ValueError, IndexError, ArithmeticError) as error:
        if messages.is_learners(error):
            raise
        raise messages.not_taken(name or full_name(function), {}, error, frame) from None


_LAID_OUT: dict[Callable[..., Any], Callable[..., Any]] = {
    **{each: each for each in (np.delete, np.gradient, np.insert)},
    np.piecewise: lambda x, *args, **kw: np.empty_like(x),
}
"""What has the layout in memory that NumPy's function gives; the parts of these give another."""


def laid_out(
    result: Any, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Return the results of a composite laid out as ``function`` of plain arrays.

    Only then is a view of one, such as ``result.ravel()``, one of the same entries.
    """
    found = function(*_plain_tree(args), **_plain_tree(kwargs))
    results = result if type(result) is tuple else (result,)
    likes = found if type(found) is tuple else (found,) * len(results)
    both = zip(results, likes, strict=True)
    new = tuple(one.laid_as(like) if isinstance(one, Recorded) else one for one, like in both)
    return new if type(result) is tuple else new[0]


def _is_step_of_numpys(frame: FrameType) -> bool:
    """Whether a function of NumPy's, and not the learner, makes a call."""
    while frame.f_code.co_filename.startswith(FOLDER) and frame.f_back is not None:
        frame = frame.f_back
    return learner_frame(frame) is not frame


def _bound(
    row: Row, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> tuple[list[Any], dict[str, Any]]:
    """Split a call into its arrays and its options."""
    return (_bind_lists if row.bind else _bind)(row, args, kwargs, frame)


def _bind(
    row: Row, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> tuple[list[Any], dict[str, Any]]:
    """Split a call into array operands and options, however the learner passed them."""
    count = row.arrays
    if len(args) == count and not kwargs:  # the most frequent
        return [*args], NO_OPTIONS
    names = list(row.parameters)
    operands = list(args[:count])
    given = {**dict(zip(names[count:], args[count:], strict=False)), **kwargs}
    operands += [given.pop(name) for name in names[len(operands) : count] if name in given]
    given.pop("out", None)  # which is None, or the call would have gone to `into`
    if len(operands) < count or len(args) > len(names):
        _refuse_arguments(row.function, kwargs, frame)
    options = {
        key: _decided(fixed(value, key), frame)
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
    if row.function is getitem:
        kwargs = {"index": _plain_views(args[0], fixed_index(kwargs["index"]))}
    if row.is_flat:
        messages.check_keywords(row.function, kwargs, frame)
    try:
        operands, options = row.bind(*args, **kwargs)
    except BackpropError:
        raise
    except (TypeError, IndexError, KeyError):
        _refuse_arguments(row.function, kwargs, frame)
    options = {key: _decided(fixed(value, key), frame) for key, value in options.items()}
    for key, value in options.items():
        if has_traced(value):
            messages.unsupported_option(row, key, value, frame)
    return operands, options


def _decided(tree: Any, frame: FrameType) -> Any:
    """Return an option in which a count or a position is plain; the trace remembers which."""
    if isinstance(tree, list | tuple):
        return type(tree)(_decided(item, frame) for item in tree)
    if isinstance(tree, Recorded) and tree._tape.is_flat(tree):
        return decided(tree, frame)
    return tree


def _refuse_arguments(
    function: Callable[..., Any], kwargs: dict[str, Any], frame: FrameType, name: str = ""
) -> NoReturn:
    """Refuse a call; ``name`` is that of a method, which has arguments of its own."""
    if not name:
        messages.check_keywords(function, kwargs, frame)
    messages.unsupported(f"{name or full_name(function)} with these arguments", frame)


def _plain_views(x: Any, index: Any) -> Any:
    """Return an index that picks a view by plain integers only, so that it stays this view.

    Beside a slice an integer that was computed stays one, as long as no array that shares the
    entries is written to.
    """
    items = index if isinstance(index, tuple) else (index,)
    arrays = [item for item in items if hasattr(item, "ndim")]
    if any(item.ndim or item.dtype == bool for item in arrays):
        return index
    is_full = len(items) - items.count(None) >= x.ndim
    is_number = is_full and len(arrays) + sum(type(item) is int for item in items) == len(items)
    if is_number or (is_full and not _is_changing(x)):
        return index
    plain = (operator.index(item) if isinstance(item, Recorded) else item for item in items)
    return tuple(plain) if isinstance(index, tuple) else next(plain)


def _plain_tree(tree: Any) -> Any:
    """Return lists, tuples and dicts with every recorded value replaced by the plain one."""
    return pytree.rebuild(tree, lambda _, leaf: plain(leaf))
