"""A trace and its reverse pass as one straight program for another array library."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.errors import UnsupportedError
from backprop_nb.tracing.elsewhere.functions import OPERATORS, built, missing
from backprop_nb.tracing.elsewhere.library import LackingError, Library
from backprop_nb.tracing.elsewhere.types import computed_in
from backprop_nb.tracing.emit.algebra import Expression
from backprop_nb.tracing.emit.numpy_code import OffPathError
from backprop_nb.tracing.emit.program import Program
from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import Guard, Record
from backprop_nb.tracing.rules.row import full_name
from backprop_nb.tracing.source import describe_place

Path = Callable[..., tuple[Any, tuple[Any, ...]]]


class _Step(NamedTuple):
    """One call: what computes it, from the values at which places, and what must come out.

    ``outside`` tells of the same values whether there is no such entry, if the result cannot.
    """

    compute: Callable[..., Any]
    places: tuple[int, ...]
    guards: tuple[Guard, ...]
    outside: Callable[..., Any] | None


def path_elsewhere(trace: Trace, library: Library) -> Path:
    """Return the program as a function ``(*args) -> (value, gradients)`` of another library.

    It raises :class:`OffPathError` where the trace does not hold.

    Raises
    ------
    UnsupportedError
        If the library lacks a function, or a type of floats, that the program needs.
    """
    program = Program(trace)
    _check_types(library, program)
    layout = _Layout(library, program)
    calls = [each for each in program.needed if each.row is not None]
    steps = [layout.step(each) for each in calls]
    inputs = [layout.place(program.forward[node.index]) for node in trace.inputs]
    gradients = [_Gradient(library, layout, program, k) for k in range(len(inputs))]
    value_at = layout.place(program.value)
    trees = [tree for _, tree in trace.arguments]
    nodes = trace.inputs
    held, count = dict(layout.held), layout.count

    def run(*args: Any) -> tuple[Any, tuple[Any, ...]]:
        values: list[Any] = [None] * count
        for place, constant in held.items():
            values[place] = constant
        given = [leaf for pair in zip(trees, args, strict=True) for leaf in _leaves(*pair)]
        for place, leaf, node in zip(inputs, given, nodes, strict=True):
            if library.is_other_float(leaf, node.value.dtype):
                raise OffPathError
            values[place] = library.array(leaf, node.value.dtype)
            if tuple(values[place].shape) != node.shape:
                library.check_shape(values[place])
                raise OffPathError
        missed: list[Any] = []
        for place, (compute, places, guards, outside) in enumerate(steps, start=layout.first):
            try:
                values[place] = compute(*[values[k] for k in places])
                if outside is not None:
                    missed.append(outside(*[values[k] for k in places]))
            except (IndexError, TypeError) as error:
                if any(library.is_unknown(values[k]) for k in places):
                    raise _unknown(program, calls[place - layout.first], error) from error
                raise
            except RuntimeError as error:
                if type(error).__name__ == "_LinAlgError":  # PyTorch's
                    raise np.linalg.LinAlgError(str(error)) from error
                raise
            for guard in guards:
                _check(library, guard, values[place])
        value, *found = values[value_at], *[each.of(values) for each in gradients]
        if missed:
            any_missed = reduce(or_, missed)
            value, *found = (_or_nan(library, any_missed, x) for x in (value, *found))
        return value, trace.restore(found)

    return run


class _Layout:
    """Where each value of a program is kept: leaves first, then one place for each call.

    Attributes
    ----------
    held
        The captured arrays and the numbers, by their places.
    count
        How many places there are.
    first
        The place of the first call.
    """

    def __init__(self, library: Library, program: Program) -> None:
        self._library = library
        self._places: dict[Expression, int] = {}
        self._guards: dict[Expression, list[Guard]] = {}
        self.held: dict[int, Any] = {}
        inputs = set(program.forward[: program.trace.input_count])
        for each in (*program.forward[: program.trace.input_count], *program.needed):
            if each.row is None and each not in self._places and not each.is_number:
                self._places[each] = len(self._places)
                if each not in inputs:
                    self.held[self._places[each]] = library.array(each.value, each.value.dtype)
        calls = [each for each in program.needed if each.row is not None]
        self._numbers: dict[tuple[Any, ...], int] = {}
        # A number has a place for each type that it takes beside an array.
        texts = [key for call in calls for key in self._typed(call)]
        for key in dict.fromkeys(key for key in texts if key is not None):
            self._put(key)
        if program.value.is_number:
            self._put(_key(program.value, np.dtype(float)))
        self._retyped: dict[tuple[Expression, np.dtype[Any]], int] = {}
        for call in calls:
            for each, dtype in zip(call.operands, computed_in(call), strict=True):
                if dtype is not None and self._places.get(each, -1) in self.held:
                    self._retype(each, dtype)
        self.first = len(self._places) + len(self._numbers) + len(self._retyped)
        for place, call in enumerate(calls, start=self.first):
            self._places[call] = place
        self.count = self.first + len(calls)
        for expression, guard in program.decisions:
            if not expression.is_number:
                self._guards.setdefault(expression, []).append(guard)

    def _put(self, key: tuple[Any, ...]) -> None:
        if key in self._numbers:
            return
        _, number, dtype = key
        place = self._numbers[key] = len(self._places) + len(self._numbers)
        if dtype is not None:
            self.held[place] = self._library.array(number, np.dtype(dtype))
        else:  # from a truth value PyTorch does not subtract
            self.held[place] = int(number) if isinstance(number, bool) else number

    def _retype(self, array: Expression, dtype: np.dtype[Any]) -> None:
        """Keep a captured array in the type that some call computes in, too."""
        if (array, dtype) not in self._retyped:
            place = len(self._places) + len(self._numbers) + len(self._retyped)
            self._retyped[array, dtype] = place
            self.held[place] = self._library.array(array.value.astype(dtype), dtype)

    def place(self, expression: Expression) -> int:
        """Return where a value is kept."""
        if expression.is_number:
            return self._numbers[_key(expression, np.dtype(float))]
        return self._places[expression]

    def step(self, call: Expression) -> _Step:
        """Return what computes a call.

        Raises
        ------
        UnsupportedError
            If the library lacks the function.
        """
        assert call.row is not None
        try:
            compute = built(self._library, call)
            outside = missing(self._library, call, compute)
        except LackingError as lacking:
            raise _lacks(self._library, call, str(lacking)) from None
        places, types = [], []
        for each, key, dtype in zip(
            call.operands, self._typed(call), computed_in(call), strict=True
        ):
            retyped = None if dtype is None else self._retyped.get((each, dtype))
            if key is not None:
                places.append(self._numbers[key])
            else:
                places.append(self._places[each] if retyped is None else retyped)
            types.append(dtype if key is None and retyped is None else None)
        if any(types):
            compute = _in_types(self._library, compute, types)
        guards = tuple(self._guards.get(call, ()))
        return _Step(compute, tuple(places), guards, outside)

    def _typed(self, call: Expression) -> Iterator[tuple[Any, ...] | None]:
        """Yield for each operand that is a number what tells it apart, and its type.

        It has none where it may stay a number of Python's.
        """
        assert call.row is not None
        others = [each.value.dtype for each in call.operands if not each.is_number]
        name = full_name(call.row.function).removeprefix("np.")
        stays = name in OPERATORS and any(kind.kind == "f" for kind in others)
        for each, dtype in zip(call.operands, computed_in(call), strict=True):
            if not each.is_number:
                yield None
            elif stays:
                yield _key(each, None)
            elif isinstance(each.value, bool) and dtype is None:
                yield _key(each, np.dtype(bool))
            elif dtype is not None:
                yield _key(each, dtype)
            elif others and isinstance(each.value, int | float):
                yield _key(each, np.result_type(each.value, *others))
            else:
                yield _key(each, np.asarray(each.value).dtype if others else call.value.dtype)


def _in_types(
    library: Library, compute: Callable[..., Any], types: Sequence[np.dtype[Any] | None]
) -> Callable[..., Any]:
    """Return a call that takes its arrays in other types, where it needs to."""

    def computed(*arrays: Any) -> Any:
        pairs = zip(arrays, types, strict=True)
        return compute(*[x if kind is None else library.as_type(x, kind) for x, kind in pairs])

    return computed


def _key(number: Expression, dtype: np.dtype[Any] | None) -> tuple[Any, ...]:
    return repr(number.value), number.value, None if dtype is None else dtype.name


class _Gradient:
    """The gradient of one input, in its shape and type."""

    def __init__(self, library: Library, layout: _Layout, program: Program, k: int) -> None:
        self._library = library
        self._node = program.trace.inputs[k]
        gradient = program.gradients[k]
        self._place: int | None = None
        self._number = 0.0
        if gradient is None or gradient.is_number:
            self._number = 0.0 if gradient is None else float(gradient.value)
        else:
            self._place = layout.place(gradient)

    def of(self, values: list[Any]) -> Any:
        """Return it from all values of a run."""
        dtype = self._node.value.dtype
        if self._place is None:
            return self._library.array(np.full(self._node.shape, self._number, dtype), dtype)
        return self._library.as_type(values[self._place], dtype)


def _leaves(tree: Any, arg: Any) -> Iterator[Any]:
    """Yield what is given for each traced leaf of an argument."""
    if tree is True:
        yield arg
    elif isinstance(tree, dict):
        for key, item in tree.items():
            yield from _leaves(item, arg[key])
    elif isinstance(tree, list | tuple):
        for item, own in zip(tree, arg, strict=True):
            yield from _leaves(item, own)


def _check(library: Library, guard: Guard, value: Any) -> None:
    """See that a decision falls out as in the trace."""
    if guard.asked == "shape":
        holds = tuple(value.shape) == guard.answer
    else:
        try:
            found = bool(value) if guard.asked == "truth" else library.plain(value)
        except TypeError as error:
            raise undecided(guard) from error
        holds = bool(np.array_equal(found, guard.answer))
    if not holds:
        raise OffPathError


def _or_nan(library: Library, missed: Any, x: Any) -> Any:
    """Return a result, or NaN throughout if an entry was missed on the way."""
    dtype = library.dtype_of(x)
    if dtype.kind == "f":
        # Times NaN, and not NaN in its place, so that the library's own gradient is NaN, too.
        factors = (library.array(factor, dtype) for factor in (np.nan, 1.0))
        return x * library.get("where")(missed, *factors)
    try:
        is_missed = bool(missed)
    except TypeError as error:
        raise UnsupportedError(
            "Whether an index is out of range is not known while another library compiles the "
            "function, and a value that is no float cannot be NaN.",
            given=f"a value of type {dtype}",
            instead=f"1.0 * value, or {_UNCOMPILED}",
        ) from error
    if is_missed:
        raise OffPathError  # for NumPy's error at the learner's line
    return x


def undecided(guard: Guard) -> UnsupportedError:
    """Return the error for a decision of which the library does not know yet how it falls out."""
    line = _line_of(guard)
    instead = (text for form, text in _WITHOUT_DECISION.items() if re.search(form, line))
    return UnsupportedError(
        "A decision that depends on the values cannot be checked while another library compiles "
        "the function.",
        given=line,
        instead=", or ".join([*islice(instead, 1), _UNCOMPILED]),
    )


_WITHOUT_DECISION = {
    r"np\.piecewise\(": "np.where(condition, f(x), g(x)) in place of np.piecewise",
    r"\blstsq\(": "np.linalg.pinv(A) @ b in place of np.linalg.lstsq(A, b)[0]",
    r"(?<![.\w])max\(": "np.maximum(a, b) in place of max(a, b)",
    r"(?<![.\w])min\(": "np.minimum(a, b) in place of min(a, b)",
    r"(?<![.\w])int\(": "a computed place as it is, x[np.argmax(x)], in place of int(…)",
    r"\b(if|while|and|or|not|assert)\b": "np.where(…) in place of an if",
    r"\]\s*=\s*np\.arg": "a list that is appended to in place of an array of whole numbers",
    r"[\w)]\[[^][<>=:]*[a-zA-Z_]": "np.take(x, i, axis=0) in place of x[i] with a computed i",
}
"""What to write in lines that decide by the values themselves; the first that fits counts."""


_UNCOMPILED = "call what graph.compile(xp=…) returns as it is"


_OF_A_MASK = {"np.nonzero", "np.flatnonzero", "np.argwhere", "np.where"}
_CHANGES_CHOSEN = r"\]\s*(\*\*|//|[-+*/%])?=(?!=)[^[]*$"
"""The line of ``x[mask] *= 2``, where nothing else is picked."""


def _unknown(program: Program, call: Expression, error: Exception) -> UnsupportedError:
    """Return the error for a call that must know the values, as under ``jax.jit``."""
    assert call.row is not None
    name = full_name(call.row.function)
    is_mask, finds = isinstance(error, IndexError), call.row.shape_varies and name != "getitem"
    problem, instead = f"{name} needs the values, which are not known", _UNCOMPILED
    if is_mask or finds:
        what = f"{name} finds" if finds else "a mask picks"
        problem = f"How many entries {what} is not known"
    # What only a decision needs stands with the decisions.
    pairs: list[tuple[Expression, Record | Guard]] = [
        *zip(program.forward, program.trace.records, strict=False),
        *program.decisions,
    ]
    made = next((maker for each, maker in pairs if each is call), None)
    line = _line_of(made) if made else ""
    if "[" in line and (is_mask or name in _OF_A_MASK):
        index = "mask" if is_mask else f"{name}(mask)"
        instead = f"np.where(mask, x, 0.0) in place of x[{index}], np.sum(mask) for their number, "
        instead += f"or {_UNCOMPILED}"
    if is_mask and re.search(_CHANGES_CHOSEN, line):
        instead = f"x = np.where(mask, new, x) in place of x[mask] = new, or {_UNCOMPILED}"
    return UnsupportedError(
        f"{problem} while another library compiles the function.",
        given=line or "a step back",
        instead=instead,
    )


def _check_types(library: Library, program: Program) -> None:
    """See that the library has the types of floats that a program computes in.

    Raises
    ------
    UnsupportedError
        If it lacks one.
    """
    records = dict(zip(program.forward, program.trace.records, strict=False))
    inputs = program.forward[: program.trace.input_count]
    for each in (*inputs, *program.needed):
        dtype = np.asarray(each.value).dtype
        if dtype.kind != "f":
            continue
        try:
            library.dtype(dtype)
        except LackingError:
            made = records.get(each)
            raise UnsupportedError(
                f"The program computes with {dtype.name}, and there is no {dtype.name} in "
                f"{library.name}.",
                given=_line_of(made) if made and made.scope else "an argument, or what is captured",
                instead="np.float32 or np.float64; or graph.compile(), which runs with NumPy",
            ) from None


def _line_of(made: Guard | Record) -> str:
    """Return the learner's line where a value was computed, or looked at."""
    place = describe_place(made.scope.code, made.lasti) if made.scope else "a rule"
    return " ".join(place.split())


def _lacks(library: Library, call: Expression, name: str) -> UnsupportedError:
    assert call.row is not None
    wanted = full_name(call.row.function)
    needs = "" if name in (wanted, f"{wanted.removeprefix('np.')}") else f", which needs {name}"
    why = f"there is no {name} in {library.name}"
    if library.has(name.removeprefix("np.")):  # with options of its own, or another result
        why = f"it is not known how {library.name} computes that as NumPy does"
    other = _OTHERS.get(wanted, "other functions")
    return UnsupportedError(
        f"The program calls {wanted}{needs}, and {why}.",
        instead=f"graph.compile(), which runs with NumPy; or write it with {other}",
    )


_OTHERS = {
    "np.partition": "np.sort(x): entries that are not in order lie as NumPy alone puts them",
    "np.argpartition": "np.argsort(x): entries that are not in order lie as NumPy alone puts them",
    "np.nanargmax": "np.argmax(np.where(np.isnan(x), -np.inf, x))",
    "np.nanargmin": "np.argmin(np.where(np.isnan(x), np.inf, x))",
}
