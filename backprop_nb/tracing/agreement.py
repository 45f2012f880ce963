"""Whether a function that asks what x is gives the value that it gives without a tracer.

``isinstance`` is told what a traced value stands for; ``type`` cannot be, and a traced
number has the methods of an array.  Whole numbers are floats in a trace, what is refused
may be caught, and ``activation is np.tanh`` finds what stands in the module ``numpy``
while a trace runs.  A function that asks so, which few do, is computed once more on plain
arguments; and at a second point, since two branches may have one value at the first.
"""

from __future__ import annotations

import copy
import dis
import functools
import inspect
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import CellType, CodeType, FunctionType
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.errors import BackpropError, DetachedError, UnsupportedError
from backprop_nb.tracing import messages, pytree
from backprop_nb.tracing.calling import function_name
from backprop_nb.tracing.evaluate import inputs_of, replayed
from backprop_nb.tracing.graph import Trace, laid, owner
from backprop_nb.tracing.libraries import is_learners_code
from backprop_nb.tracing.prepared import REPLACED
from backprop_nb.tracing.purity import global_draws, silence
from backprop_nb.tracing.source import describe_place
from backprop_nb.tracing.tape import Tape, is_foreign

_ASKING = frozenset(
    {
        *("type", "__class__", "hasattr", "getattr", "suppress", "getsizeof", "id"),
        *("Iterable", "Sized", "Container", "Collection", "floating", "generic", "inexact"),
        *("may_share_memory", "shares_memory"),
    }
)
_OF_INTEGERS = frozenset(
    {
        *("dtype", "itemsize", "nbytes", "result_type", "can_cast", "astype", "isinstance"),
        *("zeros_like", "ones_like", "empty_like", "full_like"),
    }
)
"""What answers otherwise of whole numbers than of floats."""

MAX_EXACT = 2**53
"""Up to here every whole number is a float64."""

_EMPTY = CellType()


class MixedError(UnsupportedError):
    """A number of Python's would need several types in one trace."""


class _Reason(NamedTuple):
    """Why a function may have another value in a trace, and what to write instead."""

    problem: str
    instead: str
    at: str | None = None


def check_agreement(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    trace: Trace,
    tape: Tape,
    refused: Sequence[BackpropError],
    captured: Sequence[Any],
    is_mixed: bool,
) -> None:
    """Refuse a function of which the trace has another value than the function itself.

    Only what asks, or has caught one of the errors in ``refused``, is computed again; what
    is given numbers of Python's beside a narrower type, which they take (``is_mixed``); and
    what writes into an argument that it has ``captured`` as well.
    What is another value every time, such as one with random numbers in it, says nothing.
    """
    leaves = pytree.flatten([list(args), kwargs])
    if any(map(is_foreign, (trace.value, *leaves))):
        return
    if trace.laid and trace.laid[0] and _owners(leaves) & _owners(captured):
        _check_captured(f, args, kwargs, leaves, trace)
    if not is_mixed:
        _check_text(f, args, kwargs, trace, tape)
    reason = _reason(f, tape, leaves) or _tangled([*args, kwargs], leaves, trace)
    if not (reason or refused or is_mixed):
        return
    given = ""
    for where, new, named, value in _points(trace, args, kwargs, is_mixed):
        plain = _value(f, new, named, bool(refused))
        if plain is None or (_agree(plain, value) and not (is_mixed and _is_wider(value, plain))):
            continue
        again = _value(f, new, named, bool(refused))
        if again is not None and _agree(plain, again):
            shown = [
                f"{each!r} of {each.dtype}" if is_mixed else str(each) for each in (value, plain)
            ]
            given = f"{shown[0]} in the trace, {shown[1]} without{where}"
    if not given:
        return
    if refused:
        raise refused[0].with_traceback(None)
    if is_mixed:
        raise _disagreement(trace, _MIXED, given, MixedError)
    assert reason is not None
    raise _disagreement(trace, reason, given)


def _disagreement(
    trace: Trace, reason: _Reason, given: str, kind: type[UnsupportedError] = UnsupportedError
) -> UnsupportedError:
    return kind(
        f"{trace.function_name} gives another value when it is traced: {reason.problem}.",
        given=given,
        instead=reason.instead,
        at=reason.at,
    )


def _check_text(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    trace: Trace,
    tape: Tape,
) -> None:
    """Refuse a function that reads a number from the text of a value, as ``eval(f"{x}")``.

    A step nearby then moves its value along, and that of the trace by less.  What is asked
    of the text, such as its length, is a decision: there a step changes nothing, or much.
    """
    texts = [
        each
        for each in trace.guards
        if each.asked == "text" and each.scope is not None and _is_moving(trace, each.position)
    ]
    if not texts or trace.is_stopped or trace.value.dtype.kind != "f":
        return
    if not any(map(_reads, {*_codes(f), *tape.codes})):
        return
    places = ((each.scope.code, each.lasti) for each in texts if each.scope)
    place = next((each for each in places if not messages.is_only_kept(*each)), None)
    if place is None:
        return
    others = tuple(guard for guard in trace.guards if guard.asked != "text")
    fixed = replace(trace, guards=others)

    def both(step: float) -> tuple[Any, Any] | None:
        """Return the value in the trace, and that without, after a step."""
        new = pytree.rebuild(list(args), lambda _, leaf: _nearby(leaf, step))
        named = {key: _nearby(kwargs[key], step) for key in trace.again.keywords}
        with np.errstate(all="ignore"):
            values = replayed(fixed, inputs_of(fixed, [*new, *named.values()]))
        near = _value(f, new, kwargs | named, True)
        if values is None or near is None:
            return None
        return np.asarray(values[trace.output_index]), near

    with global_draws() as has_drawn:
        parting = _parting(both, float(np.cbrt(np.finfo(trace.value.dtype).eps)))
        # Last: what f keeps of its runs is of its arguments.
        here = _value(f, args, kwargs, True)
        if has_drawn():
            return
    if parting is not None and here is not None and _agree(here, trace.value):
        traced, near = parting
        raise DetachedError(
            f"{trace.function_name} computes with numbers that are read from text, which would be "
            "disconnected from the computation graph.",
            given=f"{traced} in the trace, {near} without, at a point nearby",
            instead=messages.NOT_AS_TEXT,
            at=describe_place(*place),
        )


def _is_moving(trace: Trace, position: int) -> bool:
    """Whether a small step moves a value; what only decisions need, as np.round(x), is flat."""
    return position < len(trace.records) and trace.carries[position]


def _parting(
    both: Callable[[float], tuple[Any, Any] | None], smallest: float
) -> tuple[Any, Any] | None:
    """Return two values that part as a number does which is read from text; ``None`` if none do.

    Text of few digits says the same after a small step, so the largest comes first; where the
    function decides otherwise, smaller ones follow.  A number moves by as much in the other
    direction, and by twice as much after two steps, but for digits and a bend; an answer that
    is looked up by text does not, nor does what is random.
    """
    for step in (*(each for each in (0.1, 1e-2, 1e-3, 1e-4) if each > smallest), smallest):
        pair = both(step)
        if pair is None:
            continue
        if _agree(*pair):
            return None
        here, again, back, twice = (_gap(both(each)) for each in (step, step, -step, 2 * step))
        if any(each is None for each in (here, again, back, twice)):
            continue
        with np.errstate(all="ignore"):
            apart = max(map(np.linalg.norm, (here + back, here - twice / 2)))
            if np.array_equal(here, again) and apart <= 0.6 * np.linalg.norm(here):
                return pair
    return None


def _gap(pair: tuple[Any, Any] | None) -> Any:
    if pair is None or np.shape(pair[0]) != np.shape(pair[1]):
        return None
    with np.errstate(all="ignore"):
        return np.ravel(pair[1] - pair[0])


@functools.lru_cache(maxsize=4096)
def _reads(code: CodeType) -> bool:
    """Whether code, or what is defined in it, may read a number from text."""
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return not messages.READING.isdisjoint(code.co_names) or any(map(_reads, inner))


def _nearby(leaf: Any, step: float) -> Any:
    """Return a number, or an array of them, after a small step; whole numbers become floats."""
    if isinstance(leaf, float) or _kind(leaf) in "iuf":
        return leaf + step * (1 + abs(leaf))
    return leaf


def _owners(values: Sequence[Any]) -> set[int]:
    return {id(owner(each)) for each in values if type(each) is np.ndarray}


def _check_captured(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    leaves: Sequence[Any],
    trace: Trace,
) -> None:
    """Refuse a function that writes into an argument which it has captured, where it shows."""
    arrays = [each for each in leaves if type(each) is np.ndarray and each.flags.writeable]
    before = [each.copy() for each in arrays]

    def value() -> Any:
        try:  # on the arrays themselves: a copy would not be the one that is captured
            return _value(f, args, kwargs, False, copied=lambda tree: tree)
        finally:
            for each, entries in zip(arrays, before, strict=True):
                each[...] = entries

    plain = value()
    if plain is None or _agree(plain, np.asarray(trace.value)):
        return
    again = value()  # random numbers are others each time
    if again is not None and _agree(plain, again):
        raise _disagreement(trace, _SHARED, f"{trace.value} in the trace, {plain} without")


def check_shared(f: Callable[..., Any], args: Sequence[Any], trace: Trace, **kwargs: Any) -> None:
    """Refuse a function that writes into arguments which share entries, where it shows."""
    plain = _value(f, args, kwargs, True)
    if plain is not None and not _agree(plain, np.asarray(trace.value)):
        raise _disagreement(trace, _SHARED, f"{trace.value} in the trace, {plain} without")


def failing_alone(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    tape: Tape,
    error: Exception,
) -> BackpropError | None:
    """Return what to say of a function that asks what x is, and fails in a trace alone."""
    leaves = pytree.flatten([list(args), kwargs])
    reason = _reason(f, tape, leaves)
    if reason is None or any(map(is_foreign, leaves)) or _value(f, args, kwargs, False) is None:
        return None
    return UnsupportedError(
        f"{function_name(f)} fails when it is traced: {reason.problem}.",
        given=f"{type(error).__name__}: {error}",
        instead=reason.instead,
        at=reason.at,
    )


_SHARED = _Reason(
    "it changes an argument that is, or shares entries with, another one or a captured array",
    "a copy for one of the two",
)
_MIXED = _Reason(
    "a number of Python's takes the type of each array that it meets, and a traced one has a "
    "single type",
    "np.float32(…) or np.float64(…) of the number, as the function needs it",
)


def _reason(f: Callable[..., Any], tape: Tape, leaves: Sequence[Any]) -> _Reason | None:
    """Return why a function may have another value in a trace; ``None`` where nothing says so."""
    codes = {*_codes(f), *tape.codes}
    known = next((name for name, _ in map(_compared_by_is, codes) if name), "")
    if known:
        return _Reason(
            f"it asks for the very function np.{known}, and while it is traced another one "
            "stands there",
            f'activation.__name__ == "{known}" in place of activation is np.{known}',
        )
    arrays = [id(each) for each in leaves if isinstance(each, np.ndarray)]
    integers = [each for each in leaves if _kind(each) in "iu"]
    for guard in tape.guards if integers or tape.given else ():
        if guard.asked == "text" and guard.scope is not None:
            return _Reason(
                "it makes text of a value, and there a number is one of NumPy's and a float",
                "a format such as f'{x:.6g}', which is the same of all numbers",
                describe_place(guard.scope.code, guard.lasti),
            )
    for code in filter(is_learners_code, codes):
        at = _asking(code, bool(integers), len({*arrays}) < len(arrays))
        if at is not None:
            return _Reason(
                "it asks what a value is, or catches an error, and of a traced value the answer "
                "is another one" + ("; whole numbers are floats there" if integers else ""),
                "x.astype(float), or float(x), as the argument"
                if integers
                else "isinstance(x, np.ndarray), isinstance(x, float) or np.ndim(x) == 0",
                describe_place(code, at),
            )
    for code in filter(is_learners_code, codes):
        _, at = _compared_by_is(code)
        if at is not None:
            return _Reason(
                "it compares with True or False by `is`, and what NumPy compares is neither",
                "`if x > 0:` in place of `if (x > 0) is True:` or of `case True:`",
                describe_place(code, at),
            )
    if any(np.asarray(each).itemsize < np.dtype(int).itemsize for each in integers):
        return _Reason(
            "whole numbers of few bits wrap around, and in a trace they are floats",
            "x.astype(float) as the argument",
        )
    if any(np.any(np.abs(np.asarray(each, float)) > MAX_EXACT) for each in integers):
        return _Reason("whole numbers as large are rounded as floats", "smaller numbers")
    return None


def _tangled(tree: Any, leaves: Sequence[Any], trace: Trace) -> _Reason | None:
    """Return what a function could see of how its arguments lie in memory, if it may have."""
    arrays = [each for each in leaves if type(each) is np.ndarray]
    holders = [*map(id, _holders(tree))]
    if len({*holders}) < len(holders) or (trace.laid and not laid(arrays)[0]):
        return _SHARED
    if trace.laid and not all(each.flags.forc for each in arrays):
        return _Reason(
            "it writes through a view of an argument that is a part of a larger array, and a copy "
            "in one piece stands for that",
            "x.copy() as the argument",
        )
    return None


def _holders(tree: Any) -> Iterator[Any]:
    """Yield each list and each dict of a tree."""
    if isinstance(tree, list | tuple | dict):
        if not isinstance(tree, tuple):
            yield tree
        for each in tree.values() if isinstance(tree, dict) else tree:
            yield from _holders(each)


def copied(tree: Any) -> Any:
    """Return a deep copy in which arrays lie in memory, and share it, as they do in ``tree``."""
    known: dict[int, Any] = {}
    for each in pytree.flatten(tree):
        if type(each) is np.ndarray and (whole := owner(each)).flags.forc:
            block = known.setdefault(id(whole), whole.copy("K"))
            start, first = (x.__array_interface__["data"][0] for x in (each, whole))
            known[id(each)] = np.ndarray(each.shape, each.dtype, block, start - first, each.strides)
    return copy.deepcopy(tree, known)


def _kind(leaf: Any) -> str:
    """Return NumPy's letter for the kind of a number; a space for anything else."""
    if isinstance(leaf, int) and not isinstance(leaf, bool):
        return "i"
    return leaf.dtype.kind if isinstance(leaf, np.ndarray | np.generic) else " "


def _codes(f: Callable[..., Any]) -> Iterator[CodeType]:
    """Yield the code of a function, and of the learner's functions that it has names for."""
    f = inspect.unwrap(f)
    pending, seen = [getattr(f, "__func__", f)], set[CodeType]()
    for each in pending:
        if type(each) is not FunctionType or each.__code__ in seen:
            continue
        code = each.__code__
        seen.add(code)
        if is_learners_code(code):
            yield code
            pending += [*map(each.__globals__.get, code.co_names)]
            filled = (cell for cell in each.__closure__ or () if cell != _EMPTY)
            pending += [cell.cell_contents for cell in filled]


@functools.lru_cache(maxsize=4096)
def _asking(code: CodeType, is_whole: bool, is_twice: bool) -> int | None:
    """Return where code asks what a value is, or catches an error; ``None`` for nowhere.

    Of whole numbers it may ask for their type, and of an array that was given twice
    whether it is the other one.
    """
    names = _ASKING | _OF_INTEGERS if is_whole else _ASKING
    found, handled, before = None, 0, ""
    for each in dis.get_instructions(code):
        if each.opname in ("PUSH_EXC_INFO", "WITH_EXCEPT_START"):
            handled += 1 if each.opname == "PUSH_EXC_INFO" else -1
        is_same = is_twice and each.opname == "IS_OP" and before != "LOAD_CONST"
        if is_same or (isinstance(each.argval, str) and each.argval in names):
            found = each.offset if found is None else found
        before = each.opname
    return 0 if found is None and handled > 0 else found


@functools.lru_cache(maxsize=4096)
def _compared_by_is(code: CodeType) -> tuple[str, int | None]:
    """Return the function of NumPy's that code compares by ``is``, or where it does True so."""
    names, truth_at = deque([""], maxlen=3), None
    before: Any = None
    for each in dis.get_instructions(code) if dis.opmap["IS_OP"] in code.co_code[::2] else ():
        if each.opname == "IS_OP":
            known = next((name for name in names if name in REPLACED), "")
            if known:
                return known, None
            if isinstance(before, bool) and truth_at is None:
                truth_at = each.offset
        names.append(each.argval if each.opname == "LOAD_ATTR" else "")
        is_of_numpy = names[-1] in ("True_", "False_")
        before = is_of_numpy or (each.argval if each.opname == "LOAD_CONST" else None)
    return "", truth_at


def _points(
    trace: Trace, args: Sequence[Any], kwargs: dict[str, Any], is_mixed: bool
) -> Iterator[tuple[str, Sequence[Any], dict[str, Any], Any]]:
    """Yield a point nearby and the value of the trace there, then the arguments and its value.

    In this order, since what a function keeps of its last run shall be of its arguments.
    """
    if not (trace.is_stopped or is_mixed):
        named = {key: _moved(key, kwargs[key]) for key in trace.again.keywords}
        new = pytree.rebuild(list(args), _moved)
        with np.errstate(all="ignore"):
            values = replayed(trace, inputs_of(trace, [*new, *named.values()]))
        if values is not None:
            found = np.asarray(values[trace.output_index])
            yield ", at a point nearby", new, kwargs | named, found
    yield "", args, kwargs, trace.value


def _moved(_: str, leaf: Any) -> Any:
    """Return a number, or an array of numbers, of the same type and a little larger."""
    kind = "f" if isinstance(leaf, float) else _kind(leaf)
    if kind not in "iuf":
        return leaf
    with np.errstate(all="ignore"):
        moved = leaf + (0.01 * abs(leaf) + 0.01 if kind == "f" else 1)
    return np.asarray(moved) if isinstance(leaf, np.ndarray) else moved


def _value(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    is_refused: bool,
    copied: Callable[[Any], Any] = copied,
) -> Any:
    """Return the plain value of a function, ``None`` where it has none; it prints nothing."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(), silence():
            warnings.simplefilter("ignore")
            new, named = copied((list(args), kwargs))
            return np.asarray(f(*new, **named))
    except Exception as error:  # whatever it is: the trace has gone through
        if is_refused and isinstance(error, BackpropError):  # in a trace within, of traced values
            raise
        return None


def _agree(first: Any, second: Any) -> bool:
    if np.shape(first) != np.shape(second):
        return False
    digits = 1e-9 if first.dtype.kind != "f" else max(1e-9, 100 * np.finfo(first.dtype).eps)
    return bool(np.allclose(first, second, rtol=digits, atol=0.0, equal_nan=True))


def _is_wider(value: Any, plain: Any) -> bool:
    """Whether the value of a trace is of a wider float type than without it."""
    is_float = value.dtype.kind == plain.dtype.kind == "f"
    return is_float and bool(value.itemsize > plain.itemsize)
