"""What an error of the learner's says: of their own line, names and shapes."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator, Set
from difflib import get_close_matches
from functools import lru_cache
from types import FrameType, TracebackType
from typing import Any, Final

import numpy as np

from backprop_nb.checking.convention import Course
from backprop_nb.checking.packing import argument_names, names_of_arguments
from backprop_nb.errors import PACKAGE, in_words
from backprop_nb.tracing import pytree
from backprop_nb.tracing.libraries import is_learners_code, to_write
from backprop_nb.tracing.source import Source, links, locate

NO_SUCH_KEY: Final = "has no such key"
"""Said of a dict that the submission made itself."""

_SHAPES = re.compile("shape|dimension|broadcast")


def said_of(error: BaseException, step: TracebackType | None) -> str:
    """Return what an error says; of shapes that do not fit together, which array has which.

    NumPy speaks of operand 1 and of its core dimension.
    """
    try:
        text = str(error).strip().split("\n")[0][:300]
    except Exception:
        return ""
    if step is not None and type(error) is NameError and error.name:
        frame = step.tb_frame  # as Python says it under a traceback, which is not shown here
        meant = alike(error.name, {**frame.f_globals, **frame.f_locals}, 1)
        return f"{text} (did you mean {meant[0]}?)" if meant else text
    if step is None or not isinstance(error, ValueError) or not _SHAPES.search(text):
        return text
    place = locate(step.tb_frame.f_code, step.tb_lasti)
    shapes = _shapes(place.node, step.tb_frame) if place else ""
    return f"the shapes do not fit: {shapes}" if shapes else text


def alike(name: str, known: Iterable[str], most: int, likeness: float = 0.6) -> list[str]:
    """Return the names that are spelled like another one, the likeliest first.

    >>> alike("Z1", ["z2", "h", "z1"], 2, 0.4)
    ['z1', 'z2']
    """
    by_letters = {each.lower(): each for each in known if each != name}
    found = get_close_matches(name.lower(), by_letters, most, likeness)
    return [by_letters[each] for each in found]


def _shapes(node: ast.AST, frame: FrameType) -> str:
    """Return the shapes of the two sides of an operation, or else of all that is named in it."""
    space = {**frame.f_globals, **frame.f_locals}
    sides = [node.left, node.right] if isinstance(node, ast.BinOp) else getattr(node, "args", [])
    said = [_shape(each, space) for each in sides]
    if not all(said):
        names = {each.id: each for each in ast.walk(node) if isinstance(each, ast.Name)}
        said = [
            _shape(each, space) for name, each in names.items() if not callable(space.get(name))
        ]
    said = list(filter(None, said))
    return in_words(said) if len(said) > 1 else ""


_PURE: Final = (
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.Constant, ast.Compare),
    *(ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.cmpop, ast.expr_context, ast.Dict),
)


def _value(node: ast.expr, space: dict[str, Any]) -> Any:
    """Return what an expression gives; None if it calls something, or gives nothing."""
    if not all(isinstance(each, _PURE) for each in ast.walk(node)):
        return None
    try:
        return eval(compile(ast.Expression(node), "", "eval"), space)
    except Exception:
        return None


def _shape(node: ast.expr, space: dict[str, Any]) -> str:
    """Say what shape an expression has; "" if it calls something, or is no array."""
    value = _value(node, space)
    if isinstance(value, np.ndarray):
        return f"{ast.unparse(node)} is {value.shape}"
    if isinstance(value, list):
        return f"{ast.unparse(node)} is a list of {len(value)}"
    return f"{ast.unparse(node)} is a function" if callable(value) else ""


def source_of(step: TracebackType | None) -> Source | None:
    """Return the learner's own expression that raised, where its text is known."""
    place = locate(step.tb_frame.f_code, step.tb_lasti) if step else None
    return place.source() if place else None


def error_in_words(error: BaseException, last: TracebackType | None, where: str = "") -> str:
    """Say what a function raised, at its ``last`` step, and what to write instead."""
    text = said_of(error, last)
    if instead := to_write(error):
        where += f"; write {instead}"
    return f"it raised {type(error).__name__}{f': {text}' if text else ''}{where}"


def pass_error_in_words(error: BaseException, last: TracebackType | None, course: Course) -> str:
    """Say it of a course's backward pass, with its line, and what of its call may be amiss."""
    where = ""
    if last is not None:
        where = f" (in {last.tb_frame.f_code.co_name}, line {last.tb_lineno})"
        if isinstance(error, KeyError):
            first = next(_own_steps(error), last).tb_frame
            where += _without_key(last, {*course.leaf_names.values(), *course.symbols}, first)
    return error_in_words(error, last, where + _order(error, course))


def _order(error: BaseException, course: Course) -> str:
    """Say in which order a function is called that takes the same arguments in another one.

    It may write X for x; and one may have a name of its own, as params for parameters.
    """
    called = names_of_arguments(course)
    code = next((each.tb_frame.f_code for each in _own_steps(error)), None)
    own = list(code.co_varnames[: code.co_argcount]) if code else []
    known = {each.lower(): each for each in called}
    meant = [known.pop(each.lower(), "") for each in own]
    if len(known) == meant.count("") == 1:
        meant[meant.index("")] = known.popitem()[1]
    if known or "" in meant or meant == called:
        return ""
    calls = " ".join(meant).replace(" ".join(argument_names(course, "parameters")), "parameters")
    return (
        f". It is called with ({', '.join(called)}), and takes ({', '.join(own)}): if that is your "
        f"course, check it with calls={calls!r}"
    )


def _without_key(last: TracebackType, of_parameters: Set[str], called: FrameType) -> str:
    """Say which dict of the submission's own lacks a key; "" for one that holds parameters.

    These are what its first function is ``called`` with.
    """
    frame, place = last.tb_frame, locate(last.tb_frame.f_code, last.tb_lasti)
    match place and place.node:
        case ast.Subscript(value=owner) | ast.Call(func=ast.Attribute(value=owner, attr="pop")):
            own = _value(owner, {**frame.f_globals, **frame.f_locals})
            if type(own) is dict and (of_parameters.isdisjoint(own) or not _is_of(own, called)):
                return f": {ast.unparse(owner)} {NO_SUCH_KEY}"
    return ""


def _is_of(own: dict[Any, Any], called: FrameType) -> bool:
    """Whether a dict is what a function is called with, or holds some of that."""
    code = called.f_code
    stars = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + stars]
    given = [called.f_locals[each] for each in names if each in called.f_locals]
    held = {id(each) for each in pytree.flatten(given)}
    is_given = any(each is own for each in given)
    return is_given or not held.isdisjoint(map(id, pytree.flatten(own)))


def last_step(error: BaseException) -> TracebackType | None:
    """Return where an error left the learner's code."""
    return next(reversed([*_own_steps(error)]), None)


def _own_steps(error: BaseException) -> Iterator[TracebackType]:
    return (each for each in links(error) if is_students(each.tb_frame))


def is_students(frame: FrameType) -> bool:
    """Whether a frame runs code of the student's, and not the package's or a library's."""
    file, module = frame.f_code.co_filename, str(frame.f_globals.get("__name__", ""))
    # What a dataclass of ours is made of stands in no file; an example in a docstring is none.
    is_ours = _is_ours(file) or (file == "<string>" and module.startswith("backprop_nb."))
    return is_learners_code(frame.f_code) and not is_ours


@lru_cache(maxsize=1024)
def _is_ours(filename: str) -> bool:
    return filename.startswith((PACKAGE, "<frozen"))
