"""How a course writes it, read from the call of ``check_backward`` in its assignment.

A teacher has said it there, and must not have to say it again.  The file is read, and never run.
"""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from backprop_nb.checking.convention import Course
from backprop_nb.classroom.jupyter import body
from backprop_nb.classroom.submissions import read
from backprop_nb.errors import InvalidValueError, NotFoundError
from backprop_nb.files import nothing_at

_CALL: Final = "check_backward"
_KEPT: Final = {each.name for each in fields(Course)} - {"seed"}


def options_in(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what the calls of ``check_backward`` in a file say on the course.

    Parameters
    ----------
    path
        A ``.py`` or ``.ipynb`` file.

    Returns
    -------
    dict
        The options of a course that are given, and as ``function`` the name of what is checked.
        Hints, seed and seconds are left out: an assignment may differ in them from its grading.

    Raises ``NotFoundError``: there is no such file, or no such call in it.
    Raises ``InvalidValueError``: the file cannot be read; an option is no plain value; two calls
    say different things.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "assignment.py")
    >>> text = 'bp.check_backward(my_pass, samples="rows", widths=(3, 4, 2), hints="vague")'
    >>> _ = file.write_text(text)
    >>> options_in(file)
    {'samples': 'rows', 'widths': (3, 4, 2), 'function': 'my_pass'}
    """
    file = Path(path)
    if not file.is_file():
        raise nothing_at(file, "course", "a file")
    submission = read(file, file.parent)
    if submission.problem:
        raise _unreadable(submission.problem, path)
    said: dict[str, dict[str, Any]] = {}
    for name, source in submission.cells:
        try:
            tree = body(source, name)
        except (SyntaxError, ValueError, RecursionError) as error:
            raise _unreadable(f"{name} is not Python: {error}.", path) from error
        for call in _calls(tree):
            said.setdefault(ast.unparse(call), _options(call))
    if not said:
        raise NotFoundError(
            "`course` has no call that says how the course writes it.",
            given=f"course={str(path)!r}",
            expected=f"a file with a call such as bp.{_CALL}(backward, samples='rows')",
        )
    (first, options), *others = said.items()
    for other, different in others:
        if different != options:
            raise InvalidValueError(
                "`course` has two calls that say different things.",
                given=f"{first} and {other}",
                expected="one call, or several that differ in hints, seed and seconds alone",
            )
    return options


def _unreadable(why: str, path: str | os.PathLike[str]) -> InvalidValueError:
    return InvalidValueError(
        f"`course` must be a file of Python, or a notebook. {why}",
        given=f"course={str(path)!r}",
        expected=f"a .py or .ipynb file with a call of {_CALL}",
    )


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield the calls of ``check_backward``, by whatever name its module is called."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name == _CALL:
                yield node


def _options(call: ast.Call) -> dict[str, Any]:
    """Return what a call says on the course, and the name of the function that it checks."""
    options: dict[str, Any] = {}
    checked = call.args[:1]
    for each in call.keywords:
        if each.arg == "backward":
            checked = [each.value]
        elif each.arg is None or each.arg in _KEPT:
            options[each.arg or ""] = _value(each)
    match checked:
        case [ast.Name(id=name)]:
            options["function"] = name
    return options


def _value(option: ast.keyword) -> Any:
    if option.arg is not None:
        with contextlib.suppress(ValueError):
            return ast.literal_eval(option.value)
    raise InvalidValueError(
        "An option of the course must be a plain value: the file is read, and not run.",
        given=ast.unparse(option),
        instead='the value itself, such as samples="rows"',
    )
