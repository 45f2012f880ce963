"""The options of a call of NumPy's: an axis, a shape, an index, a count."""

from __future__ import annotations

import functools
import itertools
import operator
import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.errors import BackpropError
from backprop_nb.tracing import messages, pytree
from backprop_nb.tracing.rules import (
    COMPOSITES,
    OTHER_FORMS,
    PIECEWISE_CONSTANT,
    row_of,
)
from backprop_nb.tracing.rules.row import full_name, parameters_of
from backprop_nb.tracing.rules.template import literal
from backprop_nb.tracing.tape import Recorded, decided_by, has_traced, plain


def fixed_index(index: Any) -> Any:
    """Return an index that later changes of the learner cannot reach."""
    return tuple(map(_fixed_item, index)) if isinstance(index, tuple) else _fixed_item(index)


def fixed(value: Any, option: str = "") -> Any:
    """Return an axis, a shape or an index that later changes of the learner cannot reach."""
    if option == "index":
        return fixed_index(value)
    if option == "at":  # several indices
        return tuple(map(fixed_index, value))
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return tuple(map(fixed, value)) if isinstance(value, list | tuple | range) else value


def _fixed_item(item: Any) -> Any:
    if isinstance(item, Recorded):
        item = item.now()
        if item.dtype.kind not in "biu":
            messages.as_index(item.shape, sys._getframe(1))
    if isinstance(item, slice):
        return slice(*map(_fixed_bound, (item.start, item.stop, item.step)))
    if isinstance(item, list | tuple | range):  # an empty list is a list of no positions
        positions = list(map(_fixed_bound, item))
        return np.array(positions) if positions else np.array(positions, dtype=np.intp)
    return np.array(item) if isinstance(item, np.ndarray) else item


def _fixed_bound(bound: Any) -> Any:
    return operator.index(bound) if isinstance(bound, Recorded) else bound


# --- of a kind that NumPy may not take, or reads in its own way ----------------------------


class _Options(NamedTuple):
    """The options of a function of NumPy's: by position, and which types are usual in each."""

    names: list[str]
    start: int
    kinds: dict[str, frozenset[type]]

    def are_for_numbers(self, args: tuple[Any, ...]) -> bool:
        """Whether the function folds axes, of which its first argument, a number, has none."""
        is_number = bool(args) and getattr(args[0], "shape", None) == ()
        return is_number and type(None) in self.kinds.get("axis", ())


@functools.cache
def _options(function: Callable[..., Any]) -> _Options | None:
    if isinstance(function, np.ufunc) or not full_name(function).startswith("np."):
        return None
    row = row_of(function) or PIECEWISE_CONSTANT.get(function)
    if not (row or function in COMPOSITES or function in OTHER_FORMS):
        return None  # np.save, which would write its file before it is refused
    usual = _USUAL if row else _USUAL - {int}
    if not row or row.bind:  # whose arrays may stand anywhere
        usual |= {np.ndarray}
    more: dict[type, set[type]] = {bool: {bool}, str: {str}, type(np._NoValue): {bool}}
    more[type(None)] = {str, type(None)}
    parameters = parameters_of(function).values()
    kinds = {
        each.name: usual | more.get(type(each.default), set()) | _FLAGS.get(each.name, set())
        for each in parameters
        if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    }
    named = itertools.takewhile(lambda each: each.kind <= each.POSITIONAL_OR_KEYWORD, parameters)
    return _Options([each.name for each in named], row.arrays if row else 0, kinds)


_USUAL = frozenset({int, type(np._NoValue), type, np.dtype})
_FLAGS: dict[str, set[type]] = {"stable": {bool}}  # whose default, None, does not say so


def odd_options(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Return the options of a call that are of no usual type, such as an axis 1.0.

    An axis of a number, which has none, is one of them: NumPy takes 0 and −1.
    """
    known = _options(function) if len(args) > 1 or kwargs else None
    if known is None:
        return {}
    named = zip(known.names[known.start :], args[known.start :], strict=False)
    given = [*named, *kwargs.items()]
    is_number = known.are_for_numbers(args)
    return {
        key: each
        for key, each in given
        if (is_number and key == "axis") or not _is_usual(each, known.kinds.get(key))
    }


def _is_usual(value: Any, kinds: frozenset[type] | None) -> bool:
    if kinds is None:  # an argument that the function does not have
        return True
    if isinstance(value, list | tuple) and any(isinstance(each, np.ndarray) for each in value):
        return np.ndarray in kinds
    if type(value) is tuple:
        return all(_is_usual(each, _USUAL) for each in value)
    if type(value) is str and value.isdigit():
        return False
    return type(value) in kinds or isinstance(value, np.dtype) or has_traced(value)


def as_numpy_takes_it(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    odd: dict[str, Any],
    answered: Callable[..., Any],
    frame: FrameType,
) -> Any:
    """Answer a call with odd options as NumPy does, or refuse it.

    NumPy takes a count of 1.0 here and refuses it there; what it says is asked for, and what
    the rules make of such an option is compared with it, there and back.
    """
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what there is to warn of is said by the call itself
            expected = function(*_copied(args), **_copied(kwargs))
    except Exception as error:  # whatever NumPy says of it
        decided_by(error, args, frame)
        raise messages.not_taken(full_name(function), odd, error, frame) from None
    known = _options(function)
    assert known is not None
    usual = {
        key: int(each) if isinstance(each, bool | np.integer) else each for key, each in odd.items()
    }
    if known.are_for_numbers(args) and isinstance(usual.get("axis"), int | tuple):
        usual["axis"] = None
    names = itertools.chain(known.names, itertools.repeat(""))
    args = tuple(usual.get(name, each) for name, each in zip(names, args, strict=False))
    kwargs |= {key: usual[key] for key in kwargs if key in usual}
    try:
        result = answered(function, args, kwargs, frame)
        pairs = zip(pytree.flatten(result), pytree.flatten(expected), strict=True)
        is_right = all(_is_same(*pair) and _has_slopes(pair[0]) for pair in pairs)
        _ = [literal(fixed(each)) for each in odd.values()]  # which a program can print
    except BackpropError:
        raise
    except (ValueError, IndexError, TypeError, ArithmeticError):
        is_right = False
    if not is_right:
        messages.odd_refused(full_name(function), odd, frame)
    return result


def _copied(tree: Any) -> Any:
    """Return the plain arguments of a call, whose arrays it may change."""
    return pytree.rebuild(
        tree, lambda _, leaf: np.copy(leaf) if type(leaf := plain(leaf)) is np.ndarray else leaf
    )


def _is_same(found: Any, expected: Any) -> bool:
    found = plain(found)
    if not isinstance(expected, np.ndarray | np.generic | int | float):
        return type(found) is type(expected)
    return np.shape(found) == np.shape(expected) and np.allclose(found, expected, equal_nan=True)


def _has_slopes(value: Any) -> bool:
    """Whether the rules of a recorded call take its options, too."""
    if not isinstance(value, Recorded) or value.is_changing:
        return True
    record = value._tape.records[value._index]
    arrays, answer = [*map(plain, record.args)], plain(value)
    return (
        not record.row
        or record.row.is_flat
        or all(
            np.shape(rule(np.ones_like(answer), answer, *arrays, **record.keywords))
            == np.shape(array)
            for k, array in enumerate(arrays)
            if record.parents[k] is not None and (rule := record.row.vjps[k])
        )
    )
