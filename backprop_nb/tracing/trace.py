"""Run a NumPy function once, on a tape, and keep what it computed as data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from backprop_nb.errors import UnsupportedError, warn
from backprop_nb.tracing import calling, pytree, refusals
from backprop_nb.tracing.array import Traced
from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import CONSTANT, Record
from backprop_nb.tracing.source import describe_place
from backprop_nb.tracing.tape import Tape, plain

_FORM = "bp.trace({f}, {args})"


Made = TypeVar("Made", bound=Trace)


def record(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    kind: type[Made],
) -> Made:
    """Run ``f`` once on traced arguments; see :func:`backprop_nb.trace`.

    ``kind`` is what the result becomes: the bare :class:`Trace`, or one with methods.
    """
    calling.check_callable(f, _FORM)
    tape = Tape(Traced, sys._getframe(0))
    arguments = _Arguments(tape, f, args, kwargs)
    try:
        result = f(*arguments.positional, **arguments.named)
        output = _output(tape, result, f)
    except Exception as error:
        ours = refusals.find_own(error)
        if ours is None:
            if isinstance(error, TypeError):
                calling.check_bound(error, f, args, kwargs, _FORM)
            calling.note_plain(error, args, arguments.positional_names)
            raise
        try:
            raise ours.with_traceback(error.__traceback__) from None
        finally:
            del ours  # or the error and this frame would keep each other alive
    finally:
        records = tape.close()
    names, trees = tuple(arguments.names), tuple(arguments.arguments)
    trace = kind(records, names, output, trees, calling.function_name(f))
    _warn_not_finite(trace)
    return trace


def trace_rule(rule: Callable[..., Any], values: Sequence[Any]) -> Trace:
    """Trace a rule on values of a trace: all of them are inputs, and nothing is said."""
    tape = Tape(Traced, sys._getframe(0))
    names = tuple(f"x{k}" for k in range(len(values)))
    try:
        with np.errstate(all="ignore"):
            result = rule(*map(tape.input, values))
        output = _output(tape, result, rule)
    finally:
        records = tape.close()
    trees = tuple((name, True) for name in names)
    return Trace(records, names, output, trees, calling.function_name(rule))


class _Arguments:
    """The arguments of one trace: wrapped for the call, and their structure afterwards."""

    def __init__(
        self, tape: Tape, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        self.names: list[str] = []
        names = self.positional_names = calling.parameter_names(f, len(args))
        self.positional = [
            self._wrap(tape, tree, name) for name, tree in zip(names, args, strict=True)
        ]
        traced = {key: value for key, value in kwargs.items() if _is_float(value)}
        if not self.names and not traced:
            calling.check_numbers(args, names)
        self.named = kwargs | {key: self._wrap(tape, value, key) for key, value in traced.items()}
        self.arguments = [
            (name, pytree.rebuild(tree, lambda _, leaf: _is_number(leaf)))
            for name, tree in [*zip(names, args, strict=True), *traced.items()]
        ]

    def _wrap(self, tape: Tape, tree: Any, name: str) -> Any:
        def wrap(label: str, leaf: Any) -> Any:
            if not _is_number(leaf):
                return leaf
            value = _input_value(leaf, label)
            while label in self.names:
                label += "_"
            self.names.append(label)
            return tape.input(value)

        return pytree.rebuild(tree, wrap, pytree.identifier(name))


def _is_number(leaf: Any) -> bool:
    """Whether an argument's leaf is traced: numbers are, truth values and text are not."""
    if type(leaf) is Traced:
        return True
    if isinstance(leaf, np.ndarray | np.generic):
        return leaf.dtype.kind in "iufcO"
    if hasattr(type(leaf), "__array__"):  # a table or a tensor: refused, or it would not be traced
        return True
    return isinstance(leaf, int | float | complex) and not isinstance(leaf, bool)


def _is_float(leaf: Any) -> bool:
    """Whether a keyword argument is traced; integers there are counts and axes."""
    if isinstance(leaf, np.ndarray | np.generic | Traced):
        return leaf.dtype.kind in "fcO"
    return isinstance(leaf, float | complex)


def _input_value(leaf: Any, name: str) -> Any:
    """Return a float copy that later changes by the learner cannot reach."""
    if type(leaf) is Traced:
        return leaf.copy()
    array = _float(refusals.real_copy(leaf, f"The argument {name}"))
    return array if isinstance(leaf, np.ndarray) else array[()]


def _float(value: Any) -> Any:
    """Return integers as floats, and everything else as it is."""
    return value.astype(np.float64) if value.dtype.kind in "iu" else value


def _output(tape: Tape, result: Any, f: Callable[..., Any]) -> int:
    """Return the record of what ``f`` returned.

    Raises
    ------
    UnsupportedError
        If it is not one number or one array.
    """
    if tape.holds(result):
        return tape.index(result)
    name = calling.function_name(f)
    if result is None:
        raise UnsupportedError(
            f"{name} returned nothing.",
            expected="one number or one array",
            instead=f"end {name} with a return statement",
        )
    if isinstance(result, list | tuple | dict):
        raise UnsupportedError(
            f"{name} returned a {type(result).__name__} of {len(result)}.",
            expected="one number or one array",
            instead="return the one value to differentiate, and trace again for another",
        )
    if not (_is_number(result) or np.asarray(result).dtype.kind == "b"):
        raise UnsupportedError(
            f"{name} returned {calling.kind_of(result)}.",
            expected="one number or one array",
        )
    return tape.constant(result)


def _warn_not_finite(trace: Trace) -> None:
    """Name the first node with a NaN or an infinity, if the output has one."""
    if _is_finite(trace.value):
        return
    first = next(i for i, record in enumerate(trace.records) if not _is_finite(record.value))
    record = trace.records[first]
    what = "a NaN" if np.any(np.isnan(plain(record.value))) else "an infinity"
    warn(
        f"The result is not finite; {trace.nodes[first].name} is the first node "
        f"with {what}.{_where(record)}"
    )


def _where(record: Record) -> str:
    if record.row is None or record.row is CONSTANT or record.scope is None:
        return ""
    return f"\n  at:       {describe_place(record.scope.code, record.lasti)}"


def _is_finite(value: Any) -> bool:
    return bool(np.all(np.isfinite(plain(value))))
