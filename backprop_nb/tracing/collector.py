"""Python's collector of garbage, kept from walking over a graph while it grows.

A graph is a great many small objects, and all of them stay.  Whenever their number has
grown by a quarter, Python looks through every object of the process: half of the time
that a long trace takes, and half of that of its printed program.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEVER = 2**31 - 1

_running: list[None] = []  # one entry a block, in all threads together: a list needs no lock
_usual = gc.get_threshold()


@contextmanager
def young_only() -> Iterator[None]:
    """Let Python look for garbage among new objects only, as long as a block runs.

    Garbage that a learner's function makes is young, and still collected.  Blocks may be
    nested, and overlap in threads; the last one restores what was set before the first.
    """
    global _usual
    _running.append(None)
    now = gc.get_threshold()
    try:
        if now[2] != _NEVER:
            _usual = now
            gc.set_threshold(*now[:2], _NEVER)
        yield
    finally:
        _running.pop()
        if not _running and gc.get_threshold()[2] == _NEVER:
            gc.set_threshold(*_usual)
