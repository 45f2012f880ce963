"""What a learner is told when a function and what it is called with do not fit.

A call is written as a template, such as ``bp.grad({f})({args})``, so that each
message can show the very call that would work.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections import deque
from collections.abc import Callable, Iterator, Sequence, Set, ValuesView
from enum import Enum
from inspect import Parameter, Signature
from types import (
    BuiltinMethodType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

import numpy as np

from backprop_nb.errors import UnsupportedError, counted
from backprop_nb.tracing import pytree
from backprop_nb.tracing.rules.row import signature_of

_PLAIN = {list: "a list", tuple: "a tuple", dict: "a dict", str: "text", type(None): "None"}
_ROWS = (deque, Set, ValuesView)  # what holds numbers as a list does, and is none


def check_callable(f: Any, form: str) -> None:
    """Refuse what is no function: most often the result ``f(x)`` in place of ``f``."""
    if not callable(f):
        raise UnsupportedError(
            "`f` must be a function.",
            given=_said(f),
            expected="the function itself",
            instead=f"{_written(form, 'f', ['x'])}, with f and not f(x)",
        )
    if inspect.isgeneratorfunction(f) or inspect.iscoroutinefunction(f):
        is_async = inspect.iscoroutinefunction(f)
        raise UnsupportedError(
            "`f` must return its value, and a call of this one only prepares to compute it.",
            given=f"{function_name(f)}, {'async def' if is_async else 'a function with yield'}",
            instead="def in place of async def" if is_async else "return in place of yield",
        )
    if isinstance(f, MethodDescriptorType | WrapperDescriptorType):
        raise UnsupportedError(
            "`f` must be a function of arrays; a method of a type takes no traced value.",
            given=f"{f.__objclass__.__name__}.{f.__name__}",
            instead=f"np.{f.__name__}"
            if f.__objclass__ is np.ndarray and hasattr(np, f.__name__)
            else f"lambda x: x.{f.__name__}()",
        )
    if isinstance(f, BuiltinMethodType) and isinstance(f.__self__, np.ndarray):
        raise UnsupportedError(
            "`f` must be a function of arrays; the method of a plain array takes no traced value.",
            given=f".{f.__name__} of an array of shape {f.__self__.shape}",
            instead="lambda x: np.dot(A, x), with A for the array"
            if f.__name__ == "dot"
            else f"lambda x: x.{f.__name__}()",
        )


def check_bound(
    error: TypeError,
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    form: str,
) -> None:
    """Say which arguments ``f`` takes, if that is why the call of it failed.

    A ``TypeError`` from within ``f`` is the learner's own and stays as it is.
    """
    signature = _signature(f)
    inside = error.__traceback__ is None or error.__traceback__.tb_next is not None
    if signature is None or inside:
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as misfit:
        name = _name(f)
        bare = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
        many = counted(len(args), "argument")
        raise UnsupportedError(
            f"{name} cannot be called like this: {misfit}.",
            given=", ".join([many, *(f"{key}=" for key in kwargs)]),
            expected=f"{name}{Signature(bare)}",
            instead=_keyword_meant(signature, kwargs) or right_call(f, form),
        ) from None


def check_numbers(args: Sequence[Any], names: Sequence[str]) -> None:
    """Refuse arguments of which none holds a number; truth values may stand alone."""
    if args and all(type(each) in _PLAIN or isinstance(each, set) for each in args):
        raise UnsupportedError(
            "No argument holds a number, so there is nothing to differentiate by.",
            given=", ".join(f"{name} = {each!r}" for name, each in zip(names, args, strict=True)),
            expected="numbers, arrays, or lists, tuples and dicts of them",
        )


def check_slope(arg: Any, name: str) -> None:
    """Refuse to differentiate by truth values alone: the gradient would be ``None``."""
    leaves = pytree.flatten(arg)
    if leaves and all(
        getattr(leaf, "dtype", type(leaf)) in (bool, np.dtype(bool)) for leaf in leaves
    ):
        raise UnsupportedError(
            f"{name} holds truth values, and there is no slope between two of them.",
            given=f"{name} = {arg!r:.60}",
            expected="numbers",
            instead=f"1.0 * {name}" if len(leaves) == 1 else None,
        )


def check_objects(f: Callable[..., Any], args: Sequence[Any]) -> None:
    """Refuse objects that hold numbers: these would be constants without a word."""
    if all(type(each) in (float, np.ndarray) for each in args):
        return
    for argument, tree in zip(parameter_names(f, len(args)), args, strict=True):
        pytree.rebuild(tree, functools.partial(_check_object, argument), argument)


def _check_object(argument: str, name: str, leaf: Any) -> None:
    is_number = _is_number(leaf) or hasattr(type(leaf), "__array__")
    found = None if is_number else next(_numbers_at(leaf, name, 4), None)
    if found is not None:
        kind = "list" if isinstance(leaf, _ROWS) else "dict of its arrays"
        raise UnsupportedError(
            f"{name} is an object with numbers in it, which cannot be traced there.",
            given=f"{name} of type {type(leaf).__name__}, which has {found}",
            expected="numbers, arrays, or lists, tuples, dicts and namedtuples of them",
            instead=f"a {kind} in place of {name}; or {argument}=… by keyword, where "
            "nothing is to be differentiated by it",
        )


def _numbers_in(holder: Any, name: str, depth: int = 4) -> Iterator[str]:
    """Yield what numbers the attributes of an object are called, those of its parts included."""
    if depth == 0 or isinstance(holder, type | Enum | ModuleType | FunctionType | MethodType):
        return
    slots = getattr(type(holder), "__slots__", ())
    named = {each: getattr(holder, each, None) for each in slots} | getattr(holder, "__dict__", {})
    for attribute, value in named.items():
        yield from _numbers_at(value, f"{name}.{attribute}", depth)


def _numbers_at(value: Any, name: str, depth: int) -> Iterator[str]:
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if isinstance(value, float) or kind in {"i", "u", "f", "c"}:
        yield name
    elif isinstance(value, (list, tuple, dict, *_ROWS)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _numbers_at(item, f"{name}[{key!r}]", depth - 1) if depth else ()
    else:
        yield from _numbers_in(value, name, depth - 1)


def note_plain(error: Exception, args: Sequence[Any], names: Sequence[str]) -> None:
    """Add to an error of Python's what it does not say: a list stays a list inside ``f``."""
    for name, each in zip(names, args, strict=True):
        kind = type(each)
        named = f"'{kind.__name__}'" in str(error) or "multiply sequence" in str(error)
        if isinstance(error, TypeError) and kind in _PLAIN and named:
            array = kind in (list, tuple) and all(_is_number(item) for item in each)
            error.add_note(
                f"{name} is {_PLAIN[kind]}, and stays one inside the traced function."
                + (f"\n  instead:  np.array({each!r})" if array and len(each) < 8 else "")
            )


def parameter_names(f: Callable[..., Any], count: int) -> list[str]:
    """Return a name for each positional argument, from the signature of ``f``."""
    signature = _signature(f)
    parameters = list(signature.parameters.values()) if signature else []
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    names = [each.name for each in parameters if each.kind in kinds]
    several = [each.name for each in parameters if each.kind is Parameter.VAR_POSITIONAL]
    rest = range(len(names), count)
    more = [f"{several[0]}{k - rest.start}" if several else f"x{k}" for k in rest]
    return [*names, *more][:count]


def function_name(f: Callable[..., Any]) -> str:
    """Return the name of a function, or of the class of what can be called."""
    while isinstance(f, functools.partial):
        f = f.func
    return str(getattr(f, "__name__", type(f).__name__))


def right_call(f: Callable[..., Any], form: str) -> str | None:
    """Return the call that gives ``f`` all that it needs, by the names of its parameters."""
    signature = _signature(f)
    if signature is None:
        return None
    needed = [
        f"{each.name}=…" if each.kind is each.KEYWORD_ONLY else each.name
        for each in signature.parameters.values()
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    return _written(form, _name(f), needed)


def kind_of(value: Any) -> str:
    """Say what a value is that is no number.

    >>> kind_of("a"), kind_of({1})
    ('text', 'a set')
    """
    return _PLAIN.get(type(value)) or f"a {type(value).__name__}"


def _signature(f: Callable[..., Any]) -> Signature | None:
    try:
        return signature_of(f)
    except (TypeError, ValueError):  # some functions written in C have no signature
        return None


def _keyword_meant(signature: Signature, kwargs: dict[str, Any]) -> str | None:
    """Return the keyword that was probably meant by one that does not exist."""
    for key in kwargs:
        close = difflib.get_close_matches(key, signature.parameters, n=1)
        if close and close[0] != key:
            return f"{close[0]}= in place of {key}="
    return None


def _written(form: str, name: str, args: Sequence[str]) -> str:
    return form.format(f=name, args=", ".join(args)).replace(", )", ")").replace("(,)", "()")


def _name(f: Callable[..., Any]) -> str:
    name = str(getattr(f, "__name__", "f"))
    return name if name.isidentifier() else "f"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _said(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.shape:
        return f"an array of shape {value.shape}"
    if _is_number(value) or isinstance(value, np.number | np.ndarray):
        return f"the number {value:.4g}"
    return kind_of(value)
