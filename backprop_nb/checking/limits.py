"""What a call may take: so much time, and so many characters of text."""

from __future__ import annotations

import contextlib
import io
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from backprop_nb.errors import must_be


class OutOfTime(BaseException):
    """A call took too long.  No ``except Exception`` inside of it keeps it running."""


def check_seconds(seconds: float | None) -> None:
    """Raise ``InvalidValueError`` unless it is a limit, or none."""
    if seconds is not None and not seconds > 0:
        raise must_be("above 0", "seconds", seconds)


class TimeLimit:
    """A function that is stopped when a call takes too long, and not called again."""

    def __init__(self, function: Callable[..., Any], seconds: float) -> None:
        self.function, self.seconds = function, seconds
        self.stopped: OutOfTime | None = None

    def __call__(self, *args: Any) -> Any:
        """Return what the function returns, or raise ``OutOfTime``."""
        if self.stopped is not None:
            raise self.stopped  # the same, with the line where it was
        with self._alarm():
            return self.function(*args)

    @contextlib.contextmanager
    def _alarm(self) -> Iterator[None]:
        """Raise ``OutOfTime`` where the code inside is then, and again if it goes on."""
        main = threading.current_thread() is threading.main_thread()
        if not (main and hasattr(signal, "setitimer")):  # a thread, or Windows
            yield
            return

        def stop(*_: Any) -> None:
            self.stopped = self.stopped or OutOfTime(f"no answer after {self.seconds:g} s")
            raise self.stopped

        before = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, self.seconds, 0.1)
        try:
            try:
                yield
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        finally:  # even if the alarm went off in the line above
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


class _LimitedText(io.TextIOBase):
    """A stream that keeps the beginning of what is written to it."""

    def __init__(self, room: int) -> None:
        self._room, self._start, self._lost = room, "", 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        start = text[: self._room - len(self._start)]
        self._start += start
        self._lost += len(text) - len(start)
        return len(text)

    @property
    def text(self) -> str:
        """What was written, and how much more there was."""
        return self._start + (f"\n… {self._lost} more characters" if self._lost else "")


@contextlib.contextmanager
def quiet(room: int = 0) -> Iterator[_LimitedText]:
    """What is printed is kept, so many characters of it, and nothing goes to standard error."""
    with (
        contextlib.redirect_stdout(_LimitedText(room)) as output,
        contextlib.redirect_stderr(_LimitedText(0)),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        yield output
