"""What a submission's process may use, and what this system has no limit for."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from backprop_nb.checking.limits import OutOfTime
from backprop_nb.errors import InvalidValueError

MAX_FILE: Final = 64
"""Megabytes of a file that a submission writes."""
MAX_TIMEOUT: Final = 86_400
MIN_MEMORY: Final = 256
_MORE_PROCESSES = 32
_OPEN_FILES = 128
_HOLDS = 5.0
"""Seconds for which a count of threads holds, but for those that have come."""
_PATIENCE = 3
_TOTAL = 3
_FOR_LINE = 10.0
"""Seconds, of which most lines take one."""
_LATER = 0.05
_LAST = 4
_ALL = 7
_AGAIN = 0.1
"""Seconds after which a time limit reminds who has not listened."""
_LEAST_WAIT = 1.0
_COMPUTING = 0.1
"""Who takes this share of the seconds allowed does not wait, but has little of a busy machine."""

_PR_SET_PDEATHSIG = 1
_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Limits:
    """The limits of one submission.

    Raises ``InvalidValueError``: no time, more than a day, or less memory than Python and NumPy
    need.
    """

    timeout: float = 10.0
    """Seconds of the processor, so that a busy machine changes no verdict; for those who only wait,
    :attr:`patience` on the clock.  Each statement of a cell may take them, and all calls of the
    function together; see :meth:`seconds_after`."""
    memory: int = 1024
    """Megabytes (2²⁰ bytes) of address space."""

    def __post_init__(self) -> None:
        if not 0 < self.timeout <= MAX_TIMEOUT:
            raise InvalidValueError(
                f"`timeout` must be above 0 and at most {MAX_TIMEOUT} seconds, a day.",
                given=f"timeout={self.timeout!r}",
            )
        if not self.memory >= MIN_MEMORY:
            raise InvalidValueError(
                f"`memory` must be at least {MIN_MEMORY} megabytes: Python and NumPy need them.",
                given=f"memory={self.memory!r}",
            )

    @property
    def patience(self) -> float:
        """The seconds on the clock that a statement, or the function, may take."""
        return _PATIENCE * self.timeout

    @property
    def total(self) -> float:
        """The seconds of the processor that the cells may take together, before they hurry."""
        return _TOTAL * self.timeout

    @property
    def total_patience(self) -> float:
        """The seconds on the clock after which everything ends."""
        return _ALL * self.patience

    @property
    def for_line(self) -> Limits:
        """The limits while the wrong line is looked for: no shorter ones change what is found."""
        return replace(self, timeout=max(self.timeout, _FOR_LINE))

    def seconds_after(self, used: float) -> float:
        """Return what the next statement may take when those before it took so many seconds.

        After :attr:`total`, it is enough to define something; in the end there is nothing left.

        >>> limits = Limits(timeout=10.0)
        >>> [limits.seconds_after(used) for used in (0.1, 29, 31, 41)]
        [10.0, 10.0, 0.5, 0.0]
        """
        if used < self.total:
            return self.timeout
        return _LATER * self.timeout if used < _LAST * self.timeout else 0.0

    def apply(self) -> None:
        """Limit this process, and all that it will start."""
        _limit("RLIMIT_AS", self.memory << 20)
        self.allow(self.timeout)
        _limit("RLIMIT_FSIZE", MAX_FILE << 20)
        _limit("RLIMIT_CORE", 0)
        _limit("RLIMIT_NOFILE", _OPEN_FILES)
        if os.geteuid() != 0 and (running := _threads.count()) is not None:  # root has no limit
            _limit("RLIMIT_NPROC", running + _MORE_PROCESSES)

    def allow(self, seconds: float) -> None:
        """Allow this process so many more seconds of the processor, and end it then."""
        most = math.ceil(_ALL * self.timeout + _FOR_LINE) + 2
        # The first of the two only asks to end, with a signal that says why.
        _limit("RLIMIT_CPU", min(math.ceil(time.process_time() + seconds) + 1, most), most)


@contextlib.contextmanager
def time_limit(seconds: float, bounds: Limits) -> Iterator[None]:
    """Raise ``OutOfTime`` where the code inside is after so many seconds of the processor.

    It is raised again if it does not help; soon after that the system ends the process.  On the
    clock there are more seconds, as for :attr:`Limits.patience`, and as many once more for who
    computes all the same.  Limits may be nested.
    """
    patience = max(_PATIENCE * seconds, _LEAST_WAIT)
    used = time.process_time()

    def stop(number: int, _: Any) -> None:
        nonlocal used
        before, used = used, time.process_time()
        if number != signal.SIGALRM or not is_starved(used - before, seconds):
            raise OutOfTime(f"no answer after {seconds:g} s")
        signal.setitimer(signal.ITIMER_REAL, patience, _AGAIN)

    bounds.allow(seconds)
    kinds = {
        signal.ITIMER_PROF: (signal.SIGPROF, seconds),
        signal.ITIMER_REAL: (signal.SIGALRM, patience),
    }
    before = {kind: signal.getitimer(kind) for kind in kinds}
    for kind, (number, delay) in kinds.items():
        signal.signal(number, stop)
        signal.setitimer(kind, delay, _AGAIN)
    try:
        try:
            yield
        finally:
            for kind in kinds:
                signal.setitimer(kind, *before[kind])
    finally:  # even if a timer went off in the lines above
        for kind in kinds:
            signal.setitimer(kind, *before[kind])


def is_starved(used: float, seconds: float) -> bool:
    """Whether who may take some seconds of the processor did not just wait, but got too few."""
    return _COMPUTING * seconds < used < seconds


def absent() -> tuple[str, ...]:
    """Say which limits do not hold on this system, for this user.

    >>> all(each.endswith(".") for each in absent())
    True
    """
    missing = []
    if not sys.platform.startswith("linux"):
        missing.append(
            "This system does not enforce a limit on memory, nor on the number of processes, and "
            "processes that a submission leaves behind may be missed."
        )
    elif os.geteuid() == 0:
        missing.append(
            "Run by root, no limit on the number of processes holds, and a submission may read "
            "and change every file."
        )
    return tuple(missing)


def _limit(name: str, value: int, hard: int | None = None) -> None:
    """Set a limit that cannot be raised again, unless the system has none or a lower one."""
    import resource  # not on Windows, where this module can be imported all the same

    kind = getattr(resource, name, None)
    if kind is not None:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (value, value if hard is None else hard))


def _threads_of_this_user() -> int | None:
    """Return how many there are: the system counts all of a user's, whoever started them."""
    if not sys.platform.startswith("linux"):
        return None
    count, mine = 0, str(os.getuid()).encode()
    for process in os.scandir("/proc"):
        if not process.name.isdecimal():
            continue
        with contextlib.suppress(OSError, IndexError):  # it may have ended meanwhile
            text = Path(process.path, "status").read_bytes()
            if text.partition(b"\nUid:\t")[2].split(maxsplit=1)[0] == mine:
                count += int(text.partition(b"\nThreads:\t")[2].split(maxsplit=1)[0])
    return count


class _Threads:
    """How many threads a user has, counted anew where more than a few may have come or gone."""

    def __init__(self) -> None:
        self._mine: int | None = None
        self._all = 0
        self._counted = -math.inf

    def count(self) -> int | None:
        """Return the number, or None on a system that does not tell."""
        everybodys = _threads_of_all()
        old = time.monotonic() - self._counted > _HOLDS or everybodys < self._all
        if self._mine is None or old:
            self._mine, self._all = _threads_of_this_user(), everybodys
            self._counted = time.monotonic()
        # Whoever has come since then may be of this user.
        return None if self._mine is None else self._mine + everybodys - self._all


def _threads_of_all() -> int:
    """Return how many threads there are on this machine, which one small file says."""
    try:
        text = Path("/proc/loadavg").read_text("ascii")
    except OSError:
        return 0
    return int(text.split()[3].partition("/")[2])


_threads = _Threads()


def count_threads() -> None:
    """Count once for the processes that are copies of this one."""
    if sys.platform != "win32" and os.geteuid() != 0:
        _threads.count()


# --- what only Linux has ------------------------------------------------------------------


def die_with_parent() -> None:
    """Let this process be killed when the one that started it ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent ends, so that none is lost."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def hide_memory() -> None:
    """Let no other process of this user look into this one's memory, environment and pipes."""
    _prctl(_PR_SET_DUMPABLE, 0)


@contextlib.contextmanager
def hidden_memory() -> Iterator[None]:
    """Do the same for a while."""
    before = _prctl(_PR_GET_DUMPABLE, 0)
    hide_memory()
    try:
        yield
    finally:
        if before == 1:
            _prctl(_PR_SET_DUMPABLE, 1)


def _prctl(option: int, value: int) -> int:
    """Ask the system something about this process, or for it; -1 where that is not possible."""
    return int(_system_call()(option, value, 0, 0, 0))


@functools.cache
def _system_call() -> Callable[..., int]:
    known = sys.platform.startswith("linux")
    return getattr(ctypes.CDLL(None), "prctl", _unknown) if known else _unknown


def _unknown(*_: int) -> int:
    return -1
