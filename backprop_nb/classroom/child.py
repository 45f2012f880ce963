"""What runs in a submission's own process: its code, then its function on the probes.

Nothing in here is to be trusted once the submission has run; see ``messages.py``.
"""

from __future__ import annotations

import difflib
import linecache
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any, Final

from backprop_nb.checking.diagnosis import line_of, may_have_line
from backprop_nb.checking.probes import Probe, ask_all
from backprop_nb.checking.report import Hints
from backprop_nb.classroom.messages import encode, encode_line

NAME = "submission"
_MAX_NAMES = 8


def answer(
    cells: Sequence[Sequence[str]], function: str, probes: Sequence[Probe], hints: Hints
) -> Iterator[dict[str, Any]]:
    """Run a submission's cells, ask its function about the probes, and yield two messages.

    Parameters
    ----------
    cells : sequence of pairs
        What to call each, and its source.
    function : str
        The name to look for, once all have run.
    probes : sequence of Probe
    hints : str
        How much the report will give away.

    Yields
    ------
    dict
        As JSON can hold it.  The first has ``notes`` on cells that raised, and either the answers
        of :func:`~backprop_nb.classroom.messages.encode` or, under ``missing``, a sentence.  The
        second is on the wrong line, and empty where none is known.
    """
    module = types.ModuleType(NAME)
    vars(module).update(_NOTEBOOK)
    sys.modules[NAME] = module  # dataclasses and pickle look a module up by its name
    notes = [note for name, source in cells if (note := _run(name, source, module.__dict__))]
    found = module.__dict__.get(function)
    if not callable(found):
        yield {"notes": notes, "missing": _missing(function, found, module.__dict__)}
        yield {}
        return
    answers = ask_all(found, probes)
    yield encode(answers, probes) | {"notes": notes}
    course = probes[0].course
    line = line_of(found, course, hints) if may_have_line(answers, course, hints) else None
    yield {} if line is None else encode_line(line)


class _Nothing:
    """Stands for whatever a notebook has and a process has not; all that is done with it works."""

    def __getattr__(self, name: str) -> _Nothing:
        return self

    def __call__(self, *_: Any, **__: Any) -> _Nothing:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def _display(*objects: Any, **_: Any) -> _Nothing:
    """Print, as a notebook shows; what it returns may be updated."""
    print(*objects)
    return _Nothing()


# What a notebook's code may use without an import, and a script that was made from one.
_NOTEBOOK: Final = {"get_ipython": _Nothing, "display": _display}


def _run(name: str, source: str, space: dict[str, Any]) -> str:
    """Run a cell, and say what it raised; the next one gets its chance all the same."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        exec(compile(source, name, "exec", dont_inherit=True), space)
    except BaseException as error:  # sys.exit too
        return f"{name} raised {_said(error, name)}"
    return ""


def _said(error: BaseException, name: str) -> str:
    line = error.lineno if isinstance(error, SyntaxError) else None
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == name:
            line = step.tb_lineno
        step = step.tb_next
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error).split("\n")[0][:300]
    except Exception:
        text = ""
    where = f" (line {line})" if line else ""
    return f"{type(error).__name__}{f': {text}' if text else ''}{where}"


def _missing(function: str, found: Any, space: dict[str, Any]) -> str:
    if found is not None:
        return f"`{function}` is not a function, but an object of type {type(found).__name__}."
    names = [
        name
        for name, value in space.items()
        if isinstance(value, types.FunctionType | type) and value.__module__ == NAME
    ]
    close = difflib.get_close_matches(function, names, n=1, cutoff=0.5)
    there = f" It defines {', '.join(names[:_MAX_NAMES])}." if names else ""
    meant = f" Did you mean {close[0]}?" if close else ""
    return f"It does not define `{function}`.{there}{meant}"
