"""The grader's side: have a submission asked in a process of its own, and read what it answers."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import backprop_nb
from backprop_nb.checking.asking import Answers
from backprop_nb.checking.convention import Course
from backprop_nb.checking.probes import make_probes
from backprop_nb.checking.report import Finding, Hints
from backprop_nb.classroom import messages
from backprop_nb.classroom.cells import seconds_in_words
from backprop_nb.classroom.limits import Limits
from backprop_nb.classroom.messages import most_bytes
from backprop_nb.classroom.supervisor import ATTEMPTS, NO_ANSWER, OUT_OF_MEMORY
from backprop_nb.errors import InvalidValueError

Cells = Sequence[tuple[str, str]]

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from backprop_nb.classroom.supervisor import serve; serve()"
)
KEPT = 32
"""So many different answers are kept with what was said of them: mistakes are shared by many."""
_STARTING = 60.0
_REMINDED = 1.0
"""Seconds after which a process that has not answered is told to go on, if it was stopped."""
_CLEARING = 10.0

# Nothing of the grader's own environment: it may hold what is nobody's business.
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "agg",
    "PYTHONHASHSEED": "0",  # so that the same submission does the same again
    "PYTHONDONTWRITEBYTECODE": "1",
    # Threads would take part of the address space, and of the other submissions' processors.
    **dict.fromkeys(["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"], "1"),
}

_SIGNALS = {
    "SIGSEGV": ": it crashed, as a recursion without end does",
    "SIGKILL": ": something killed it, perhaps for want of memory",
}


@dataclass(frozen=True)
class Reply:
    """What came of asking a submission."""

    outcome: str
    """``"answered"``, ``"no function"``, ``"stopped"`` (by an error, before there was one), ``"too
    slow"`` or ``"ended"``."""
    answers: Answers | None = None
    """If it answered."""
    problem: str = ""
    """Otherwise: what happened, as a sentence."""
    notes: tuple[str, ...] = ()
    line: Finding | None = None
    """The line that is proved to be wrong, as far as the submission's process can be believed."""


def ask(
    cells: Cells,
    function: str,
    course: Course,
    limits: Limits,
    hints: Hints = "plain",
    file: str = "submission.ipynb",
    beside: Sequence[tuple[str, str]] = (),
) -> Reply:
    """Run the cells of a submission in a process of their own, and ask its function.

    Parameters
    ----------
    cells
        What to call each, and its source.
    file
        Its path in the folder that it finds itself in; what ends in ``.ipynb`` is a notebook.
    beside
        What else is in that folder: the path there, and the file to be copied.

    Raises ``OSError``: there is no room for a process or its folder, or :func:`stop` was called:
    this says nothing on the submission.
    """
    request = {
        "cells": [list(cell) for cell in cells],
        "function": function,
        "course": _said(course),
        "limits": _said(limits),
        "hints": hints,
        "file": file,
        "beside": [list(each) for each in beside],
    }
    probes = make_probes(course)
    for _ in range(2):
        with _borrowed() as supervisor:
            patience = ATTEMPTS * limits.total_patience
            (end, lost), message, line = supervisor.ask(request, patience, most_bytes(probes))
            if supervisor.stopped:
                raise InterruptedError("it was stopped")
            if end.startswith("fault"):
                raise OSError(end.partition(" ")[2])
        if end != "gone":
            break  # otherwise once more: perhaps the system killed it for want of memory
    left_out = tuple(_left_out(each, cells, limits) for each in lost)
    if end != "message":
        kind = "too slow" if end.startswith("time") else "ended"
        return Reply(kind, problem=f"It {_ended(end, limits)}.", notes=left_out)
    try:
        data = messages.parse(message)
        notes = messages.notes(data) + left_out
        if "slow" in data:
            return Reply("too slow", problem=messages.clean_text(data["slow"]), notes=notes)
        if "missing" in data:
            hurried = data.get("hurried") is True or any(end == "time" for *_, end in lost)
            kind = "too slow" if hurried else "ended" if lost else "stopped"
            kind = "no function" if data.get("renamed") is True else kind  # an error is not why
            return _without_function(messages.clean_text(data["missing"]), notes, kind)
        answers = _decoded(message, course)
        return Reply("answered", answers, notes=notes, line=_line_in(line, cells))
    except InvalidValueError as error:
        return Reply("ended", problem=f"{error.problem[:-1]}: {error.given}.")


@lru_cache(KEPT)
def _decoded(message: bytes, course: Course) -> Answers:
    """Return the answers in a message; those are the same for whom every byte is."""
    return messages.decode(messages.parse(message), make_probes(course))


@cache
def _said(what: Course | Limits) -> str:
    """Return it as text, by which the process knows it again."""
    return json.dumps(asdict(what))


def _line_in(message: bytes, cells: Cells) -> Finding | None:
    """Return the wrong line in a message; its answers count, whatever it says of a line."""
    try:
        return messages.decode_line(messages.parse(message), cells)
    except InvalidValueError:
        return None


def _without_function(missing: str, notes: tuple[str, ...], kind: str) -> Reply:
    if not notes:
        return Reply("no function", problem=missing)
    first, *others = notes
    return Reply(kind, problem=f"{first}. {missing}", notes=tuple(others))


def _left_out(lost: tuple[int, int, str], cells: Cells, limits: Limits) -> str:
    """Say that a statement was left out, and why."""
    number, line, end = lost
    name = cells[number][0] if number < len(cells) else "it"
    return f"{name} {_ended(end, limits)} (line {line}), and was run again without that"


def _ended(end: str, limits: Limits) -> str:
    """Say how a process ended, without a subject."""
    kind, _, what = end.partition(" ")
    if kind == "time":
        return f"did not come to an end within {seconds_in_words(limits.timeout)}"
    if kind == "much":
        return "sent far more than gradients"
    if kind == "exit" and what == str(OUT_OF_MEMORY):
        return f"ran out of its {limits.memory} MB of memory"
    if kind == "exit" and what == str(NO_ANSWER):
        return "could not send its answers: it has closed, or changed, what they go through"
    if kind == "exit":
        return f"ended its own process, with exit code {what}"
    if kind == "signal":
        return f"had its process ended by the signal {what}{_SIGNALS.get(what, '')}"
    return "killed the process that watched it"


# --- the process in between ------------------------------------------------------------------


class _Supervisor:
    """A running ``supervisor.py``, which asks one submission after the other."""

    def __init__(self) -> None:
        self.stopped = False
        self.folder = tempfile.mkdtemp(prefix="backprop-nb-")
        self.process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-c", _START, json.dumps(_places())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_ENVIRONMENT | {"TMPDIR": self.folder},
            bufsize=0,
            start_new_session=True,  # an interrupt is for the grader alone
        )

    def ask(
        self, request: dict[str, Any], patience: float, most: int
    ) -> tuple[tuple[str, list[tuple[int, int, str]]], bytes, bytes]:
        """Return how it ended and what was left out, and the messages that it left."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        reading = self.process.stdout.fileno()
        deadline = time.monotonic() + _STARTING + patience + _CLEARING
        try:
            asked = json.dumps(request).encode("ascii")
            messages.write_message(self.process.stdin.fileno(), asked)
            while not messages.is_ready(reading, _REMINDED) and time.monotonic() < deadline:
                self.process.send_signal(signal.SIGCONT)  # a submission may have stopped it
            said = json.loads(messages.read_message(reading, most=10_000, deadline=deadline))
            message, line = (
                messages.read_message(reading, most=each, deadline=deadline)
                for each in (most, messages.MAX_LINE)
            )
        except (EOFError, BrokenPipeError, TimeoutError, messages.TooMuchError):
            self.close()
            return ("gone", []), b"", b""
        return (said["end"], [tuple(each) for each in said["lost"]]), message, line

    def stop(self) -> None:
        """Let it end what it runs, and itself; whoever waits for the answer is told."""
        self.stopped = True
        assert self.process.stdin is not None
        self.process.stdin.close()

    def close(self) -> None:
        """End it; what it has started ends with it."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        try:
            self.process.wait(_CLEARING)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)  # if it could not do so itself


_idle: list[_Supervisor] = []
_busy: list[_Supervisor] = []


@contextlib.contextmanager
def _borrowed() -> Iterator[_Supervisor]:
    """Lend a supervisor to one thread; whoever is alive afterwards serves the next one."""
    try:
        supervisor = _idle.pop()
    except IndexError:
        supervisor = _Supervisor()
    _busy.append(supervisor)
    try:
        yield supervisor
    except BaseException:
        supervisor.close()
        raise
    finally:
        _busy.remove(supervisor)
    if supervisor.process.poll() is None:
        _idle.append(supervisor)


def stop() -> None:
    """End all submissions that are running; the threads that have asked them get an OSError."""
    for supervisor in tuple(_busy):
        supervisor.stop()


@atexit.register
def close_idle() -> None:
    """End the processes that wait for further submissions."""
    while _idle:
        _idle.pop().close()


def _places() -> list[str]:
    """Return where the process may import from: where this one does, this package first.

    The folder that happens to be the current one is none of them: it may hold
    a submission that is called numpy.py.
    """
    root = str(Path(backprop_nb.__file__).parent.parent)
    here = os.path.realpath(Path.cwd())
    others = [each for each in sys.path if each and os.path.realpath(each) != here]
    return list(dict.fromkeys([root, *(str(Path(each).absolute()) for each in others)]))
