"""Messages through a pipe: a length, then as many bytes, and never more than was agreed on."""

from __future__ import annotations

import os
import select
import struct
import time
from collections.abc import Sequence

_LENGTH = struct.Struct(">Q")


class TooMuchError(Exception):
    """Somebody announces a longer message than was agreed on."""


class GoneError(Exception):
    """Somebody whose end of a pipe was watched is no longer there."""


def write_message(fd: int, message: bytes) -> None:
    """Write a message, however many writes that takes."""
    rest = memoryview(_LENGTH.pack(len(message)) + message)
    while rest:
        rest = rest[os.write(fd, rest) :]


def read_message(
    fd: int, *, most: int, deadline: float | None = None, watched: Sequence[int] = ()
) -> bytes:
    """Read a message.

    Parameters
    ----------
    fd
        The pipe's end to read from.
    most
        So many bytes are accepted.
    deadline
        When to give up, as ``time.monotonic()`` counts; None waits.
    watched
        Ends of pipes on which nothing should arrive: if something does, or they close,
        the wait is over.

    Raises
    ------
    EOFError
        The pipe closed before the message was complete.
    TimeoutError, TooMuchError, GoneError
        The deadline passed; the message is too long; something arrived on a watched end.
    """
    (length,) = _LENGTH.unpack(_read_exactly(fd, _LENGTH.size, deadline, watched))
    if length > most:
        raise TooMuchError(f"{length} bytes, of at most {most}")
    return _read_exactly(fd, length, deadline, watched)


def _read_exactly(fd: int, count: int, deadline: float | None, watched: Sequence[int]) -> bytes:
    parts: list[bytes] = []
    while count:
        _wait(fd, deadline, watched)
        part = os.read(fd, min(count, 1 << 16))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _wait(fd: int, deadline: float | None, watched: Sequence[int]) -> None:
    left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
    ready, _, _ = select.select([fd, *watched], [], [], left)
    if any(each in ready for each in watched):
        raise GoneError
    if not ready:
        raise TimeoutError
