"""The process that stands between the grader and the submissions: it starts, watches and clears up.

It is trusted and never runs a line of a submission.  For each it makes a copy of
itself (``fork``, so that NumPy is loaded once), which gets its limits and then
becomes the submission's own process.  However that ends, its whole offspring is
killed and its folder removed.  When the grader disappears, so does all of this.
"""

from __future__ import annotations

import contextlib
import gc
import json
import mmap
import os
import shutil
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backprop_nb.checking.convention import Course
from backprop_nb.checking.probes import Probe, make_probes
from backprop_nb.checking.report import SHOWS_LINE
from backprop_nb.classroom import child, limits
from backprop_nb.classroom.cells import ASKING, NOTHING, Place
from backprop_nb.classroom.jupyter import NEEDS_IPYTHON
from backprop_nb.classroom.messages import (
    MAX_LINE,
    GoneError,
    TooMuchError,
    is_ready,
    most_bytes,
    read_message,
    write_message,
)

if TYPE_CHECKING:
    import resource

_MAX_REQUEST = 64_000_000
OUT_OF_MEMORY = 77
"""The exit code of a process whose memory did not suffice for an answer."""
NO_ANSWER = 78
"""That of one that could not send its answer."""
ATTEMPTS = 4
"""So often is a submission run, each time without the statement that its process ended with."""
_ROUNDS = 8
"""So often Python has to see code before it runs it fast."""
_REHEARSED = "import numpy as np\ndef backward(*given): return given[:2]"
_GRACE = 2.0
"""Seconds for a process to end itself when its time is over."""
_CLEARING = 5.0
_PAUSE = 0.005

_IN, _OUT = 0, 1


def serve() -> None:
    """Answer requests from standard input, one after the other, until it closes."""
    place = tempfile.gettempdir()  # the host has made it for this
    limits.adopt_orphans()
    limits.hide_memory()
    try:
        while True:
            request = json.loads(read_message(_IN, most=_MAX_REQUEST))
            try:
                outcome = _answered(request)
            except OSError as error:  # no room for a folder or a process: nobody's fault
                outcome = Outcome(f"fault {error}")
            ends = json.dumps({"end": outcome.end, "lost": outcome.lost}).encode("ascii")
            for each in (ends, outcome.message, outcome.line):
                write_message(_OUT, each)
    except (EOFError, GoneError, BrokenPipeError):
        shutil.rmtree(place, ignore_errors=True)


@dataclass
class Outcome:
    """How the process of a submission ended, and the messages that it left."""

    end: str
    message: bytes = b""
    """Its answers."""
    line: bytes = b""
    """The line that is wrong."""
    lost: list[tuple[int, int, str]] = field(default_factory=list)
    """The statements that were left out, as they ended the process: cell, line, and how."""


def _answered(request: dict[str, Any]) -> Outcome:
    """Ask a submission, once more for each statement that its process does not survive."""
    bounds, probes = _bounds(request["limits"]), _probes(request["course"])
    if _load_for(request["hints"], (source for _, source in request["cells"])):
        _settle()
    limits.count_threads()
    question = child.Question(request["cells"], request["function"], probes, request["hints"])
    lost: list[tuple[int, int, str]] = []
    closer: list[Place] = []
    while True:
        left_out = [*(each[:2] for each in lost), *closer]
        outcome, place = _one(question, bounds, request, left_out)
        outcome.lost = lost
        kind = outcome.end.partition(" ")[0]
        once_more = kind in ("time", "exit", "signal") and len(left_out) < 2 * ATTEMPTS
        if not once_more or len(lost) == ATTEMPTS - 1 or place in (NOTHING, ASKING):
            return outcome
        if place[1] == 0:  # somewhere in that cell
            closer.append(place)
        else:
            lost = [*lost, (*place, outcome.end)]


@cache
def _bounds(said: str) -> limits.Limits:
    return limits.Limits(**json.loads(said))


@cache
def _probes(said: str) -> tuple[Probe, ...]:
    """Return the probes of a course, and do here what each copy would do first, and slowly."""
    probes = make_probes(Course(**json.loads(said)))
    rehearsal = child.Question([("it", _REHEARSED)], "backward", probes, "none", "it")
    for _ in range(_ROUNDS):
        for each in child.answer(rehearsal, limits.Limits(limits.MAX_TIMEOUT), _progress.begin):
            json.dumps(each)
    del sys.modules[child.NAME]
    _settle()
    return probes


def _settle() -> None:
    """Leave what is loaded alone: to look for garbage in it, each copy would copy all of it."""
    gc.collect()
    gc.freeze()


def _load_for(hints: str, sources: Iterable[str]) -> bool:
    """Load what a submission would have to wait for, and return whether anything was."""
    before = len(sys.modules)
    if hints in SHOWS_LINE:
        import backprop_nb.checking.wrong_line  # noqa: F401
    for source in sources:
        if NEEDS_IPYTHON.search(source):
            import IPython.display  # noqa: F401
        if "matplotlib" in source or "pylab" in source:
            import matplotlib.pyplot  # noqa: F401
    return len(sys.modules) > before


def _one(
    question: child.Question,
    bounds: limits.Limits,
    request: dict[str, Any],
    left_out: Sequence[Place],
) -> tuple[Outcome, Place]:
    """Return what came of one process, and the statement that it came to."""
    folder = _new_folder()
    places, file = [str(folder)], request["file"]
    if "/" in file:
        above = folder.joinpath(file).parents[: 1 + file.count("/")]
        above[0].mkdir(parents=True)
        places = [*map(str, above)]
    if not file.endswith(".ipynb"):
        question = replace(question, root=str(folder), file=file)
    for name, path in request["beside"]:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    _progress.begin(NOTHING)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _become_submission(question, bounds, left_out, places, writing)  # it does not return
    os.close(writing)
    outcome = Outcome("")
    try:
        outcome = _watch(pid, reading, bounds, most_bytes(question.probes))
    finally:
        os.close(reading)
        status, seconds = _clear(pid)
        with contextlib.suppress(Exception):  # whatever a submission has built there
            _remove(folder)
    outcome.end = outcome.end or _ending(status, seconds >= bounds.timeout)
    return outcome, _progress.place


_folder: Path | None = None


def _new_folder() -> Path:
    """Make the folder of a submission: of one name for all, so that what is told of it stays."""
    global _folder
    if _folder is not None:
        with contextlib.suppress(FileExistsError):  # something of the last one is still there
            _folder.mkdir(mode=0o700)
            return _folder
    name = tempfile.mkdtemp(prefix="submission-", dir=_folder and _folder.parent)
    os.environ.update(HOME=name, TMPDIR=name, MPLCONFIGDIR=name)
    tempfile.tempdir, _folder = name, Path(name)
    return _folder


class _Progress:
    """A page of memory in which a submission's process tells how far it has come."""

    _STRUCT = struct.Struct("<QQ")

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)

    def begin(self, place: Place) -> None:
        """Say that a statement begins."""
        self._STRUCT.pack_into(self._page, 0, *place)

    @property
    def place(self) -> Place:
        """The statement that has begun last."""
        cell, line = self._STRUCT.unpack_from(self._page)
        return cell, line


_progress = _Progress()


def _remove(folder: Path) -> None:
    """Remove a folder, also if there are folders in it that nobody may look into."""
    with contextlib.suppress(OSError):
        folder.rmdir()  # most are empty
        return
    for place, names, _ in os.walk(folder):
        for inner in (Path(place, name) for name in names):
            if not inner.is_symlink():
                inner.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _watch(pid: int, reading: int, bounds: limits.Limits, most: int) -> Outcome:
    try:
        message = _message(pid, reading, bounds, most)
    except TimeoutError:
        return Outcome("time")
    except TooMuchError:
        return Outcome("much")
    except EOFError:
        return Outcome("")
    line = b""
    with contextlib.suppress(TimeoutError, TooMuchError, EOFError):  # the answers are there
        line = _message(pid, reading, bounds.for_line, MAX_LINE)
    return Outcome("message", message, line)


def _message(pid: int, reading: int, bounds: limits.Limits, most: int) -> bytes:
    """Read a message of a process that comes on, or computes though it has little of the machine.

    Raises ``EOFError``, ``TimeoutError``, ``TooMuchError``, as in ``read_message``.
    """
    begun = time.monotonic()
    place, used = _progress.place, 0.0
    while not is_ready(reading, bounds.patience + _GRACE, watched=[_IN]):
        before, already, place, used = place, used, _progress.place, _seconds_of(pid)
        goes_on = place != before or limits.is_starved(used - already, bounds.timeout)
        if not goes_on or time.monotonic() - begun > bounds.total_patience:
            raise TimeoutError
    deadline = time.monotonic() + bounds.patience
    return read_message(reading, most=most, deadline=deadline, watched=[_IN])


def _seconds_of(pid: int) -> float:
    """Return the seconds of the processor that a process has taken, 0 where that is not told."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:  # not on Linux
        return 0.0
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


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
        try:
            found, how, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if found == pid and not ended:
            status, used = how, usage
        # Who has left the group becomes a child of this process as soon as its parent is gone.
        for offspring in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(offspring, signal.SIGKILL)
        if not found:
            time.sleep(_PAUSE)
    return status, used.ru_utime + used.ru_stime


def _wait_briefly(pid: int) -> tuple[bool, int, resource.struct_rusage]:
    """Let a process that has closed its pipe end by itself: how it does so tells why."""
    deadline, pause = time.monotonic() + 20 * _PAUSE, _PAUSE / 16
    while True:
        found, status, usage = os.wait4(pid, os.WNOHANG)
        if found or time.monotonic() > deadline:
            return bool(found), status, usage
        time.sleep(pause)
        pause = min(2 * pause, _PAUSE)


def _children() -> list[int]:
    try:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:  # not on Linux
        return []
    return [int(each) for each in text.split()]


def _become_submission(
    question: child.Question,
    bounds: limits.Limits,
    left_out: Sequence[Place],
    places: list[str],
    writing: int,
) -> None:
    """Limit this process and run the submission in it; only the pipe is left of the outside.

    Of the places to import from, the first is the folder that the submission lies in.
    """
    code, end = NO_ANSWER, os._exit  # as it is before anybody can put something in its place
    try:
        os.setsid()
        limits.die_with_parent()
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nothing, fd)
        here, *above = places
        os.chdir(here)
        sys.path[:0] = [here, ""]  # as in a notebook: what lies beside it can be imported
        sys.path += above  # as with python -m: packages are looked for where all of it lies
        sys.argv = [question.path or child.NAME]
        bounds.apply()
        for said in child.answer(question, bounds, _progress.begin, left_out):
            write_message(writing, json.dumps(said).encode("ascii"))
        code = 0
    except MemoryError:
        code = OUT_OF_MEMORY
    finally:
        end(code)
