"""The text of a traced value: a number that is read from it would be a plain one.

As text for a log, a title or a key it is text like any other.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any, SupportsIndex

from backprop_nb.tracing import messages
from backprop_nb.tracing.tape import Recorded, Tape


class Text(str):
    """Text made of a traced value, of which ``float`` and ``int`` make no number unseen.

    They ask the text itself first; an f-string of one value alone, ``str`` and ``repr`` hand
    it on as it is.  What has become part of a longer text is not known any more.
    """

    __slots__ = ("_made_of",)

    _made_of: list[tuple[weakref.ref[Tape], int]]

    @classmethod
    def of(cls, value: Recorded, text: str) -> Text:
        """Return the text of a value; the trace is not kept alive by it."""
        made, made._made_of = cls(text), []
        now: Any = value.now()
        while isinstance(now, Recorded):
            made._made_of.append((weakref.ref(now._tape), now._tape.index(now)))
            now = now._value
        return made

    def __float__(self) -> float:
        return float(self._read(float, sys._getframe(1)))

    def __int__(self) -> int:
        return int(self._read(int, sys._getframe(1)))

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return str, (str.__str__(self),)

    def _read(self, kind: Callable[[str], Any], frame: FrameType) -> Any:
        """Return the number, unless a gradient would be lost."""
        text = str.__str__(self)
        number = kind(text)
        for reference, index in self._made_of:
            tape = reference()
            if tape is None or tape.is_over:
                continue
            value = tape.records[index].value
            if not tape.is_flat(tape.kind(tape, index, value)):
                messages.read_from_text(value.shape, frame)
        return number
