"""The process that stands between the grader and the submissions: it starts, watches and clears up.

It is trusted and never runs a line of a submission.  For each it makes a copy of
itself (``fork``, so that NumPy is loaded once), which gets its limits and then
becomes the submission's own process.  However that ends, its whole offspring is
killed and its folder removed.  When the grader disappears, so does all of this.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backprop_nb.checking.convention import Course
from backprop_nb.checking.probes import Probe, make_probes
from backprop_nb.checking.search import gradients_of
from backprop_nb.classroom import child, limits
from backprop_nb.classroom.messages import (
    MAX_LINE,
    GoneError,
    TooMuchError,
    most_bytes,
    read_message,
    write_message,
)

if TYPE_CHECKING:
    import resource

_MAX_REQUEST = 64_000_000
OUT_OF_MEMORY = 77
"""The exit code of a process whose memory did not suffice for an answer."""
_CLEARING = 5.0
_PAUSE = 0.005

_IN, _OUT = 0, 1


def serve() -> None:
    """Answer requests from standard input, one after the other, until it closes."""
    limits.adopt_orphans()
    limits.hide_memory()
    try:
        while True:
            request = json.loads(read_message(_IN, most=_MAX_REQUEST))
            try:
                end, message, line = _one(request)
            except OSError as error:  # no room for a folder or a process: nobody's fault
                end, message, line = "fault", str(error).encode(), b""
            for each in (end.encode("ascii"), message, line):
                write_message(_OUT, each)
    except (EOFError, GoneError, BrokenPipeError):
        shutil.rmtree(tempfile.gettempdir(), ignore_errors=True)  # the host has made it for this


def _one(request: dict[str, Any]) -> tuple[str, bytes, bytes]:
    """Return how the process of one submission ended, and the messages that it left.

    The first has its answers, the second the line that is wrong.
    """
    bounds = limits.Limits(**request["limits"])
    # Here, so that the next submission of the course finds them made.
    course = Course(**request["course"])
    probes = make_probes(course)
    for k in range(len(probes)):
        gradients_of(course, k)
    folder = tempfile.mkdtemp(prefix="submission-")
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _become_submission(request, probes, bounds, folder, writing)  # it does not return
    os.close(writing)
    try:
        end, *messages = _watch(reading, bounds.patience, most_bytes(probes))
    finally:
        os.close(reading)
        status, seconds = _clear(pid)
        with contextlib.suppress(Exception):  # whatever a submission has built there
            _remove(folder)
    message, line = messages
    return end or _ending(status, seconds >= bounds.timeout), message, line


def _remove(folder: str) -> None:
    """Remove a folder, also if there are folders in it that nobody may look into."""
    for place, names, _ in os.walk(folder):
        for inner in (Path(place, name) for name in names):
            if not inner.is_symlink():
                inner.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _watch(reading: int, patience: float, most: int) -> tuple[str, bytes, bytes]:
    deadline = time.monotonic() + patience
    try:
        message = read_message(reading, most=most, deadline=deadline, watched=[_IN])
    except TimeoutError:
        return "time", b"", b""
    except TooMuchError:
        return "much", b"", b""
    except EOFError:
        return "", b"", b""
    line = b""
    with contextlib.suppress(TimeoutError, TooMuchError, EOFError):  # the answers are there
        line = read_message(reading, most=MAX_LINE, deadline=deadline, watched=[_IN])
    return "message", message, line


def _ending(status: int, slow: bool) -> str:
    """Say how a process ended that left no message; ``slow``: it had no time left."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        slow = slow or number == signal.SIGXCPU
        return "time" if slow else f"signal {signal.Signals(number).name}"
    return f"exit {os.waitstatus_to_exitcode(status)}"


def _clear(pid: int) -> tuple[int, float]:
    """Kill a process and its offspring.

    Returns
    -------
    int
        The status with which it ended itself.
    float
        The seconds of the processor that it took.
    """
    ended, status, used = _wait_briefly(pid)
    deadline = time.monotonic() + _CLEARING
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    while time.monotonic() < deadline:
        # Who has left the group becomes a child of this process as soon as its parent is gone.
        for offspring in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(offspring, signal.SIGKILL)
        try:
            found, how, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if found == pid and not ended:
            status, used = how, usage
        if not found:
            time.sleep(_PAUSE)
    return status, used.ru_utime + used.ru_stime


def _wait_briefly(pid: int) -> tuple[bool, int, resource.struct_rusage]:
    """Let a process that has closed its pipe end by itself: how it does so tells why."""
    deadline = time.monotonic() + 20 * _PAUSE
    while True:
        found, status, usage = os.wait4(pid, os.WNOHANG)
        if found or time.monotonic() > deadline:
            return bool(found), status, usage
        time.sleep(_PAUSE)


def _children() -> list[int]:
    try:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:  # not on Linux
        return []
    return [int(each) for each in text.split()]


def _become_submission(
    request: dict[str, Any],
    probes: Sequence[Probe],
    bounds: limits.Limits,
    folder: str,
    writing: int,
) -> None:
    """Limit this process and run the submission in it; only the pipe is left of the outside."""
    try:
        os.setsid()
        limits.die_with_parent()
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nothing, fd)
        os.chdir(folder)
        os.environ.update(HOME=folder, TMPDIR=folder, MPLCONFIGDIR=folder)
        tempfile.tempdir = folder
        sys.argv = [child.NAME]
        bounds.apply()
        cells, function, hints = (request[name] for name in ("cells", "function", "hints"))
        for said in child.answer(cells, function, probes, hints):
            write_message(writing, json.dumps(said).encode("ascii"))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    finally:
        os._exit(0)
