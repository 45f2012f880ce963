"""Run a NumPy function once, on a tape, and keep what it computed as data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from backprop_nb.errors import UnsupportedError, warn
from backprop_nb.tracing import calling, messages, pytree
from backprop_nb.tracing.agreement import check_agreement
from backprop_nb.tracing.array import Traced
from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.libraries import from_library
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
        result = f(*arguments.args, **arguments.kwargs)
        output = _output(tape, result, f)
    except Exception as error:
        ours = messages.find_own(error) or from_library(error, lambda each: type(each) is Traced)
        if ours is None:
            if isinstance(error, TypeError):
                calling.check_bound(error, f, args, kwargs, _FORM)
            calling.note_plain(error, args, arguments.names)
            raise
        try:
            raise ours.with_traceback(error.__traceback__) from None
        finally:
            del ours  # or the error and this frame would keep each other alive
    finally:
        records = tape.close()
    inputs, name = tuple(arguments.inputs), calling.function_name(f)
    integers = frozenset(arguments.from_integers)
    trace = kind(records, inputs, output, arguments.trees, name, integers)
    _warn_not_finite(trace)
    check_agreement(f, args, kwargs, trace.value)
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
    """The arguments of one trace: wrapped for the call, and their structure afterwards.

    Attributes
    ----------
    inputs
        The name of each input.
    from_integers
        The positions of the inputs that were given as integers.
    names
        The name of each positional argument.
    args, kwargs
        What ``f`` is called with.
    trees
        The name of each argument, and its structure with ``True`` for every input.
    """

    def __init__(
        self, tape: Tape, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        self.inputs: list[str] = []
        self.from_integers: set[int] = set()
        self.names = calling.parameter_names(f, len(args))
        positional = list(zip(self.names, args, strict=True))
        named = [(key, value) for key, value in kwargs.items() if _is_float(value)]
        self.args = [self._wrap(tape, *each) for each in positional]
        if not self.inputs and not named:
            calling.check_numbers(args, self.names)
        self.kwargs = kwargs | {key: self._wrap(tape, key, value) for key, value in named}
        self.trees = tuple(
            (name, pytree.rebuild(tree, lambda _, leaf: _is_number(leaf)))
            for name, tree in [*positional, *named]
        )

    def _wrap(self, tape: Tape, name: str, tree: Any) -> Any:
        def wrap(label: str, leaf: Any) -> Any:
            if not _is_number(leaf):
                return leaf
            value = _input_value(leaf, label)
            while label in self.inputs:
                label += "_"
            if getattr(leaf, "dtype", value.dtype).kind in "iu":
                self.from_integers.add(len(self.inputs))
            self.inputs.append(label)
            return tape.input(value, type(leaf) if type(leaf) in (int, float) else None)

        return pytree.rebuild(tree, wrap, pytree.identifier(name))


def _is_number(leaf: Any) -> bool:
    """Whether an argument's leaf is traced: numbers are, truth values and text are not."""
    if isinstance(leaf, np.ndarray | np.generic | Traced):
        return leaf.dtype.kind in "iufcO"
    # A table or a tensor is refused later, or it would not be traced.
    number = isinstance(leaf, int | float | complex) and not isinstance(leaf, bool)
    return number or hasattr(type(leaf), "__array__")


def _is_float(leaf: Any) -> bool:
    """Whether a keyword argument is traced; integers there are counts and axes."""
    if isinstance(leaf, np.ndarray | np.generic | Traced):
        return leaf.dtype.kind in "fcO"
    return isinstance(leaf, float | complex)


def _input_value(leaf: Any, name: str) -> Any:
    """Return a float copy that later changes by the learner cannot reach."""
    if isinstance(leaf, Traced):
        return leaf.copy()
    array = messages.real_copy(leaf, f"The argument {name}")
    array = array.astype(np.float64) if array.dtype.kind in "iu" else array
    return array if isinstance(leaf, np.ndarray) else array[()]


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
    given, instead = calling.kind_of(result), None
    if result is None:
        given, instead = "nothing", f"end {name} with a return statement"
    elif isinstance(result, list | tuple | dict):
        given = f"a {type(result).__name__} of {len(result)}"
        instead = "return the one value to differentiate, and trace again for another"
    elif _is_number(result) or np.asarray(result).dtype.kind == "b":
        return tape.constant(result)
    raise UnsupportedError(
        f"{name} returned {given}.", expected="one number or one array", instead=instead
    )


def _warn_not_finite(trace: Trace) -> None:
    """Name the first node with a NaN or an infinity, if the output has one."""
    if _is_finite(trace.value):
        return
    first = next(node for node in trace.nodes if not _is_finite(node.value))
    what = "a NaN" if np.any(np.isnan(plain(first.value))) else "an infinity"
    scope, lasti = first.record.scope, first.record.lasti
    at = f"\n  at:       {describe_place(scope.code, lasti)}" if scope else ""
    warn(f"The result is not finite; {first.name} is the first node with {what}.{at}")


def _is_finite(value: Any) -> bool:
    return bool(np.all(np.isfinite(plain(value))))
