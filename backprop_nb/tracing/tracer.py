"""Run a NumPy function once, on a tape, and keep what it computed as data."""

from __future__ import annotations

import sys
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeVar

import numpy as np

from backprop_nb.errors import UnsupportedError, noticed, rendered, warn
from backprop_nb.tracing import calling, messages, pytree
from backprop_nb.tracing.agreement import MixedError, check_agreement, failing_alone
from backprop_nb.tracing.array import Traced
from backprop_nb.tracing.collector import young_only
from backprop_nb.tracing.graph import TRACED, Check, Trace, laid
from backprop_nb.tracing.libraries import from_library, to_write, warned_at_the_line
from backprop_nb.tracing.prepared import preparing
from backprop_nb.tracing.record import Guard, Record, is_piecewise_constant, outline
from backprop_nb.tracing.source import describe_place
from backprop_nb.tracing.tape import Recorded, Tape, is_live, plain, taken_in, writes
from backprop_nb.tracing.varying import that_matter

_FORM = "bp.trace({f}, {args})"
_FLOAT = np.dtype(float)

Made = TypeVar("Made", bound=Trace)


def record(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    kind: type[Made],
    beside: np.dtype[Any] | None = None,
) -> Made:
    """Run ``f`` once on traced arguments; see :func:`backprop_nb.trace`.

    ``kind`` is what the result becomes: the bare :class:`Trace`, or one with methods.
    ``beside`` is the type that numbers of Python's take, of themselves that of the arguments.
    """
    calling.check_callable(f, _FORM)
    tape = Tape(Traced, sys._getframe(0))
    usual = _narrowest([*args, *kwargs.values()])
    beside = beside or usual
    arguments, begun = _Arguments(tape, f, args, kwargs, beside), writes()
    try:
        with young_only(), preparing(), warned_at_the_line(), noticed() as refused:
            result = f(*arguments.args, **arguments.kwargs)
            output = _output(tape, result, f)
            tape.check_read(plain(tape.records[output].value))
    except Exception as error:
        ours = messages.find_own(error) or messages.of_product(error, tape.stood_in)
        ours = ours or from_library(error, lambda each: type(each) is Traced)
        if ours is None and isinstance(error, TypeError):
            calling.check_bound(error, f, args, kwargs, _FORM)
            ours = failing_alone(f, args, kwargs, tape, error)
        if ours is None:
            calling.note_plain(error, args, arguments.names)
            if instead := to_write(error):
                error.add_note(f"  instead:  {instead}")
            error.__dict__["_render_traceback_"] = rendered
            raise
        try:
            raise ours.with_traceback(error.__traceback__) from None
        finally:
            del ours  # or the error and this frame would keep each other alive
    finally:
        captured, records = tape.captured, tape.close()
    inputs, name = tuple(arguments.inputs), calling.function_name(f)
    trace = kind(
        *_needed(tape, records, output),
        is_smooth=tape.is_smooth,
        input_names=inputs,
        arguments=arguments.trees,
        given=arguments.given,
        function_name=name,
        laid=laid([*args, *map(kwargs.get, arguments.keywords)]) if writes() > begun else None,
        from_integers=frozenset(arguments.from_integers),
        is_stopped=tape.is_stopped,
        again=_Again(f, len(args), arguments.keywords, kwargs, kind, tape.given, usual),
    )
    narrower = _narrowest(captured, beside) if tape.given else beside
    is_mixed = arguments.is_mixed or narrower != beside
    try:
        check_agreement(f, args, kwargs, trace, tape, refused, captured, is_mixed)
    except MixedError:
        if narrower == beside:
            raise
        return record(f, args, kwargs, kind, narrower)
    finally:
        refused.clear()  # or an error and this frame would keep each other alive
    _warn_not_finite(trace)
    return trace


class _Again(NamedTuple):
    """What it takes to trace the same function on other arguments.

    ``given`` has the type of each input that was a number of Python's, ``beside`` is that of the
    arguments that such numbers stood beside.
    """

    f: Callable[..., Any]
    positional: int
    keywords: tuple[str, ...]
    others: dict[str, Any]
    kind: type[Trace]
    given: dict[int, type]
    beside: np.dtype[Any]

    def __call__(self, args: Sequence[Any]) -> Trace:
        """Trace the function on new values of its traced arguments."""
        return record(self.f, *self._arguments(args), self.kind)

    def has_types_of(self, args: Sequence[Any], inputs: Sequence[Any]) -> bool:
        """Whether new arguments have the types of the trace where they have no float type.

        ``inputs`` are those of the trace.  Whole numbers in an array are float64 in each trace.
        """
        if all(type(each) is np.ndarray and each.dtype.kind == "f" for each in args):
            return True  # as most are, and need not be taken apart
        positional, named = self._arguments(args)
        beside = _narrowest([*positional, *named.values()])
        leaves = [*filter(_is_number, pytree.flatten(list(args)))]
        if len(leaves) != len(inputs):
            return True  # a list in the place of an array has the type of that
        return all(
            (beside == self.beside and k in self.given)
            if not hasattr(leaf, "dtype")
            else _float_of(leaf) or each.value.dtype == _FLOAT
            for k, (leaf, each) in enumerate(zip(leaves, inputs, strict=True))
        )

    def _arguments(self, args: Sequence[Any]) -> tuple[Sequence[Any], dict[str, Any]]:
        named = dict(zip(self.keywords, args[self.positional :], strict=True))
        return args[: self.positional], self.others | named


def _needed(
    tape: Tape, records: Sequence[Record], output: int
) -> tuple[tuple[Record, ...], int, tuple[Guard, ...], tuple[Check, ...]]:
    """Sort out what only decisions need: it is no part of the computation.

    Returns the records, the position of the output among them, the decisions, and the
    records of what was looked at for a decision only.
    """
    guards = that_matter(tape.guards, records)
    if tape.is_smooth and not guards:
        return tuple(records), output, (), ()
    flat = [is_piecewise_constant(each) for each in records]
    main = _reached(records, [output, *(k for k, is_flat in enumerate(flat) if not is_flat)])
    checked = _reached(records, [guard.position for guard in guards]) - main
    places, looked_at = sorted(main), sorted(checked)
    order = [*places, *looked_at]
    moved = tuple(_moved(records, order))
    after = (bisect(places, old) for old in looked_at)
    checks = tuple(map(Check, after, moved[len(places) :]))
    new = {old: position for position, old in enumerate(order)}
    kept = tuple(guard._replace(position=new[guard.position]) for guard in guards)
    return moved[: len(places)], new[output], kept, checks


def _reached(records: Sequence[Record], starts: Sequence[int]) -> set[int]:
    """Return the records that some others are computed from, those included."""
    pending, seen = list(starts), set[int]()
    while pending:
        index = pending.pop()
        if index not in seen:
            seen.add(index)
            pending += [parent for parent in records[index].parents if parent is not None]
    return seen


def trace_rule(rule: Callable[..., Any], values: Sequence[Any]) -> Trace:
    """Trace a rule on values of a trace: all of them are inputs, and nothing is said."""
    [(trace, _)], _ = trace_rules(lambda *args: [rule(*args)], values, len(values), in_full=True)
    return trace


def trace_rules(
    rules: Callable[..., Iterable[Any]],
    values: Sequence[Any],
    kept: int = 1,
    in_full: bool = False,
) -> tuple[list[tuple[Trace, tuple[int, ...]]], bool]:
    """Trace several rules at once on values of a trace.

    Returns each, without its large values unless ``in_full``, and with the positions of the
    values that are its inputs, which are the first ``kept`` and those that it uses; and whether
    no decision was taken on a value.
    """
    tape = Tape(Traced, sys._getframe(0))
    try:
        with np.errstate(all="ignore"):
            results = list(rules(*map(tape.input, values)))
        outputs = [_output(tape, result, rules) for result in results]
    finally:
        records = tape.close()
    count = len(values)
    if not in_full:  # the inputs' values are kept by the trace that they are of
        records = (
            *map(outline, records[:kept]),
            *records[kept:count],
            *map(outline, records[count:]),
        )
    found = []
    for output in outputs:
        order = sorted(_reached(records, [output, *range(kept)]))
        leaves = tuple(index for index in order if index < count)
        names = tuple(f"x{k}" for k in leaves)
        traced = Trace(
            tuple(_moved(records, order)),
            order.index(output),
            input_names=names,
            arguments=tuple((name, True) for name in names),
            function_name=calling.function_name(rules),
        )
        found.append((traced, leaves))
    return found, not (tape.guards or tape.is_stopped)


def _moved(records: Sequence[Record], order: Sequence[int]) -> Iterator[Record]:
    """Yield some records in this order, which has the parents of each before it."""
    new = {old: position for position, old in enumerate(order)}
    for index in order:
        parents = tuple(None if p is None else new[p] for p in records[index].parents)
        yield records[index]._replace(parents=parents)


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
    keywords
        The name of each keyword argument that is traced.
    args, kwargs
        What ``f`` is called with.
    trees
        The name of each argument, and its structure with ``True`` for every input.
    given
        The structure of each argument with what is not traced, such as a flag.
    is_mixed
        Whether a number of Python's has taken a narrower type, that of the arrays beside it.
    """

    def __init__(
        self,
        tape: Tape,
        f: Callable[..., Any],
        args: Sequence[Any],
        kwargs: dict[str, Any],
        beside: np.dtype[Any],
    ) -> None:
        self.inputs: dict[str, None] = {}  # in order
        self.from_integers: set[int] = set()
        self._beside = beside
        self.is_mixed = False
        self.names = calling.parameter_names(f, len(args))
        positional = list(zip(self.names, args, strict=True))
        named = [(key, value) for key, value in kwargs.items() if _is_float(value)]
        self.args = [self._wrap(tape, *each) for each in positional]
        if not self.inputs and not named:
            calling.check_numbers(args, self.names)
        self.keywords = tuple(key for key, _ in named)
        self.kwargs = kwargs | {key: self._wrap(tape, key, value) for key, value in named}
        self.trees = tuple(
            (name, pytree.rebuild(tree, lambda _, leaf: _is_number(leaf)))
            for name, tree in [*positional, *named]
        )
        self.given = tuple(
            pytree.rebuild(tree, lambda _, leaf: TRACED if _is_number(leaf) else _kept(leaf))
            for _, tree in [*positional, *named]
        )

    def _wrap(self, tape: Tape, name: str, tree: Any) -> Any:
        def wrap(label: str, leaf: Any) -> Any:
            if not _is_number(leaf):
                return leaf
            value = _input_value(leaf, label)
            if type(leaf) in (int, float) and value.dtype != self._beside:
                value, self.is_mixed = value.astype(self._beside), True
            while label in self.inputs:
                label += "_"
            if getattr(leaf, "dtype", value.dtype).kind in "iu":
                self.from_integers.add(len(self.inputs))
            self.inputs[label] = None
            return tape.input(value, type(leaf) if type(leaf) in (int, float) else None)

        return pytree.rebuild(tree, wrap, pytree.identifier(name))


def _narrowest(trees: Sequence[Any], default: Any = _FLOAT) -> np.dtype[Any]:
    """Return the type of the floats beside which numbers of Python's stand: they have none."""
    floats = filter(None, map(_float_of, pytree.flatten(list(trees))))
    return min(floats, key=lambda dtype: dtype.itemsize, default=default)


_FLOATS = {np.dtype(kind).name for kind in (np.float16, np.float32, np.float64, np.longdouble)}


def _float_of(leaf: Any) -> np.dtype[Any] | None:
    """Return the float type of an array, of another library's too; ``None`` if it has none."""
    dtype = getattr(leaf, "dtype", None)
    name = str(getattr(dtype, "name", dtype)).rpartition(".")[2]
    return np.dtype(name) if name in _FLOATS else None


def _kept(leaf: Any) -> Any:
    """Return an argument that is not traced so that later changes do not reach it."""
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _is_number(leaf: Any) -> bool:
    """Whether an argument's leaf is traced: numbers are; truth values, enums and text are not."""
    if isinstance(leaf, np.ndarray | np.generic | Traced):
        return leaf.dtype.kind in "iufcO"
    # A table or a tensor is refused later, or it would not be traced.
    number = isinstance(leaf, int | float | complex) and not isinstance(leaf, bool | Enum)
    return number or hasattr(type(leaf), "__array__")


def _is_float(leaf: Any) -> bool:
    """Whether a keyword argument is traced; integers there are counts and axes."""
    if isinstance(leaf, np.ndarray | np.generic | Traced):
        return leaf.dtype.kind in "fcO"
    return isinstance(leaf, float | complex) and not isinstance(leaf, Enum)


def _input_value(leaf: Any, name: str) -> Any:
    """Return a float copy that later changes by the learner cannot reach."""
    array = taken_in(leaf, f"The argument {name}")
    if isinstance(array, Recorded):
        return array
    array = array.astype(np.float64) if array.dtype.kind in "iu" else array
    return array if isinstance(leaf, np.ndarray) else array[()]


def _output(tape: Tape, result: Any, f: Callable[..., Any]) -> int:
    """Return the record of what ``f`` returned.

    Raises
    ------
    UnsupportedError
        If it is not one number or one array.
    """
    result = result.now() if is_live(result) else result
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
    instead = f"\n  instead:  {messages.WITHOUT_EXP}" if first.op == "exp" else ""
    warn(f"The result is not finite; {first.name} is the first node with {what}.{instead}{at}")


def _is_finite(value: Any) -> bool:
    return bool(np.all(np.isfinite(plain(value))))
