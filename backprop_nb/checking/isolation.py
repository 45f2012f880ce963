"""A function called in a copy of this process, so that it may hang or crash and harm nobody.

A check in an assignment runs in the same kernel as the code that it checks.  Where
that never ends, or ends the process, no grader has a score for anything else either.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import math
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from backprop_nb.errors import EndedError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

FORKS = sys.platform == "linux"
"""Whether a process with threads, as a kernel is, may be copied."""

_PATIENCE = 1.0
_CALL_HERE = b"here"
"""In place of what was returned: it came to an end, and has to be seen in this process."""


def run_isolated(function: Callable[..., Any], *args: Any, seconds: float = 2.0) -> Any:
    """Call a function in a copy of this process, and return what it returns.

    What it changes stays in the copy.  What it prints is shown, on standard output
    only.  If it raises, or returns what cannot be sent, it is called here once more,
    so that the error has its traceback.

    Parameters
    ----------
    function : callable
    *args
        What it is called with.
    seconds : float
        How long it may take.

    Raises
    ------
    EndedError
        It did not come to an end in time, or ended its process.

    Notes
    -----
    Only Linux can copy a process with threads safely, and graders run on Linux as a
    rule.  On other systems the function is simply called.

    Examples
    --------
    >>> import numpy as np
    >>> run_isolated(np.exp, [0.0])
    array([1.])
    """
    __tracebackhide__ = True  # whoever reads a traceback wants to see the function
    if not FORKS:
        return function(*args)
    message = _in_a_copy(function, args, seconds)
    if message == _CALL_HERE:
        return function(*args)
    value, printed = pickle.loads(message)
    print(printed, end="")
    return value


def _in_a_copy(function: Callable[..., Any], args: Any, seconds: float) -> bytes:
    """Return what the copy sends before it ends."""
    from multiprocessing import connection  # there is none in a browser

    reading, writing = connection.Pipe(duplex=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.12 warns that threads are not copied
        copy = os.fork()
    if copy == 0:
        _send(writing, function, args, seconds)
    writing.close()
    message = None
    try:
        message = reading.recv_bytes() if reading.poll(seconds) else None
    except (EOFError, OSError):  # it has closed its pipe: how it ends by itself tells why
        message = b""
        watching = os.pidfd_open(copy)
        connection.wait([watching], _PATIENCE)
        os.close(watching)
    finally:
        reading.close()
        _kill(copy)
        _, status = os.waitpid(copy, 0)
    if message:
        return message
    raise EndedError(
        f"{getattr(function, '__name__', 'The function')} did not return.",
        given=f"still running after {seconds:g} s" if message is None else _how(status),
        expected="a function that returns",
    )


def _send(writing: Connection, function: Callable[..., Any], args: Any, seconds: float) -> NoReturn:
    """Be the copy: call the function, send the answer, and end without any clearing up."""
    try:
        os.setsid()  # an interrupt is for the process that waits
        faulthandler.disable()  # a crash is told by whoever waits
        _end_some_day(seconds)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        writing.send_bytes(_answer(function, args))
    finally:
        os._exit(0)


def _answer(function: Callable[..., Any], args: Any) -> bytes:
    printed = io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            return pickle.dumps((function(*args), printed.getvalue()))
    except Exception:  # and nothing else: sys.exit ends the copy, and not this process
        return _CALL_HERE


def _end_some_day(seconds: float) -> None:
    """Limit the processor's time, in case nobody is left to end this process."""
    import resource  # there is none on Windows

    most = 10 * math.ceil(seconds)
    with contextlib.suppress(ValueError, OSError):  # the limit is lower already
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))


def _kill(copy: int) -> None:
    """End the copy, if it has not ended yet, and what it has started."""
    for kill in (os.killpg, os.kill):  # it may not have a group yet
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(copy, signal.SIGKILL)


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"the process ended by the signal {signal.Signals(-code).name}"
    return f"the process ended with exit code {code}"
