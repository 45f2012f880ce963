"""Messages from a submission's process: answers as plain data, read with suspicion.

A message in a pipe is a length and as many bytes, and never more than was agreed on.
What comes back was written by a process in which a submission may have changed
anything.  So nothing in it is trusted: JSON with arrays as bytes, no pickle;
every name, type, length and shape is checked, and the rest is refused.
"""

from __future__ import annotations

import base64
import json
import math
import os
import re
import select
import struct
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.asking import MAX_PRINTED, Answers, modified_arguments
from backprop_nb.checking.excerpt import placed_source
from backprop_nb.checking.probes import Probe, gradient_names
from backprop_nb.checking.report import Finding, are_numbers
from backprop_nb.checking.returned import Answer, Kept
from backprop_nb.errors import InvalidValueError

MAX_LINE: Final = 1_000_000
"""So many bytes may the message on a wrong line have."""

_LENGTH = struct.Struct(">Q")
_MAX_BYTES = 8_000_000
_MAX_ENTRIES = 10_000
_BYTES_AN_ENTRY = 16
"""Of an array in JSON, with room to spare."""
_MAX_AXES = 8
_MAX_TEXT = 1_000
_MAX_NOTES = 10
_MAX_NUMBER = 30
_DTYPES = {"f2": "<f2", "f4": "<f4", "f8": "<f8"}
_CONTROL = re.compile(r"[^\S \n\t]|[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")

T = TypeVar("T")


# --- through a pipe -----------------------------------------------------------------------


class TooMuchError(Exception):
    """Somebody announces a longer message than was agreed on."""


class GoneError(Exception):
    """Somebody whose end of a pipe was watched is no longer there."""


def write_message(fd: int, message: bytes) -> None:
    """Write a message, however many writes that takes."""
    rest = memoryview(_LENGTH.pack(len(message)) + message)
    while rest:
        rest = rest[os.write(fd, rest) :]


def is_ready(fd: int, seconds: float | None, watched: Sequence[int] = ()) -> bool:
    """Wait until there is something to read, or the pipe closes; False if nothing comes in time.

    Raises ``GoneError``: something arrived on an end on which nothing should.
    """
    ready, _, _ = select.select([fd, *watched], [], [], seconds)
    if any(each in ready for each in watched):
        raise GoneError
    return bool(ready)


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

    Raises ``EOFError``: the pipe closed before the message was complete.
    Raises ``TimeoutError``, ``TooMuchError``, ``GoneError``: the deadline passed; the message
    is too long; something arrived on a watched end.
    """

    def exactly(count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            if not is_ready(fd, left, watched):
                raise TimeoutError
            parts.append(os.read(fd, min(count, 1 << 16)))
            if not parts[-1]:
                raise EOFError
            count -= len(parts[-1])
        return b"".join(parts)

    (length,) = _LENGTH.unpack(exactly(_LENGTH.size))
    if length > most:
        raise TooMuchError(f"{length} bytes, of at most {most}")
    return exactly(length)


def most_entries(probes: Sequence[Probe]) -> int:
    """Return how many entries an array may have: twice those of the largest parameter."""
    return max(_MAX_ENTRIES, *(2 * each.size for probe in probes for each in probe.A))


@lru_cache
def most_bytes(probes: tuple[Probe, ...]) -> int:
    """Return how many bytes an answer may have: twice what right ones have, one asked twice."""
    asked = (probes[0], *probes)
    right = sum(each.size for probe in asked for each in (*probe.A, *probe.b))
    return _MAX_BYTES + 2 * _BYTES_AN_ENTRY * right


# --- in the submission's process ----------------------------------------------------------


def encode(answers: Answers, probes: Sequence[Probe]) -> dict[str, Any]:
    """Return answers as what JSON can hold; what is far too large for a gradient stays behind."""
    most = most_entries(probes)
    return {
        "answers": [_encode_answer(each, most) for each in answers.answers],
        "again": _encode_answer(answers.again, most),
        "printed": answers.printed,
    }


def encode_line(finding: Finding) -> dict[str, Any]:
    """Return what is known of a wrong line as what JSON can hold; nothing if it has no place."""
    place = finding.place
    if place is None:
        return {}
    arrays = {"given": finding.given, "expected": finding.expected}
    return {
        "cell": place.filename,
        "span": [*place.start, *place.end, *place.block],
        "quantity": finding.quantity,
        "repair": finding.repair,
        "proved": finding.proved,
        "of": finding.of,
        "values": {
            name: _encode_array(np.asarray(each, dtype=np.float64))
            for name, each in arrays.items()
            if are_numbers(each) and each.size <= _MAX_ENTRIES and each.ndim <= _MAX_AXES
        },
    }


def _encode_array(array: NDArray[Any]) -> dict[str, Any]:
    dtype = f"f{array.dtype.itemsize}"
    data = np.ascontiguousarray(array, dtype=_DTYPES[dtype]).tobytes()
    text = base64.b64encode(data).decode("ascii")
    return {"dtype": dtype, "shape": list(array.shape), "data": text}


def _encode_answer(answer: Answer, most: int) -> dict[str, Any]:
    invalid = {name: text[:_MAX_TEXT] for name, text in answer.invalid.items()}
    gradients = {}
    for name, array in answer.gradients.items():
        if array.size > most or array.ndim > _MAX_AXES:
            invalid[name] = f"an array of {array.size} entries on {array.ndim} axes"
        else:
            gradients[name] = _encode_array(array)
    return {
        "gradients": gradients,
        "invalid": invalid,
        "failure": answer.failure[:_MAX_TEXT],
        "raised": answer.raised,
        "loss": None if answer.loss is None else repr(answer.loss),
        "after": [[list(part) for part in each] for each in answer.after],
    }


# --- where it is judged -------------------------------------------------------------------


def parse(message: bytes) -> dict[str, Any]:
    """Return the object that a message holds.

    Raises ``InvalidValueError``: it is no JSON, or no object.
    """
    try:
        data = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise _invalid("no JSON") from error
    return _of_type(data, dict)


def decode(data: dict[str, Any], probes: Sequence[Probe]) -> Answers:
    """Return the answers to the probes.

    Raises ``InvalidValueError``: they are not what :func:`encode` could have written.
    """
    answers = _of_type(data.get("answers"), list)
    if len(answers) != len(probes):
        raise _invalid(f"{len(answers)} answers to {len(probes)} questions")
    most = most_entries(probes)
    return Answers(
        tuple(_answer(each, probe, most) for each, probe in zip(answers, probes, strict=True)),
        _answer(data.get("again"), probes[0], most),
        clean_text(data.get("printed"), MAX_PRINTED + 100),
    )


def decode_line(data: dict[str, Any], cells: Sequence[tuple[str, str]]) -> Finding | None:
    """Return what a process said of the wrong line in its cells; None if there is none.

    The text is taken from the cells, and is not believed.

    Raises ``InvalidValueError``: it is not what :func:`encode_line` could have written.
    """
    if not data:
        return None
    texts = dict(cells)
    name, span = _of_type(data.get("cell"), str), _of_type(data.get("span"), list)
    whole = len(span) == 6 and all(type(n) is int and n >= 0 for n in span)
    source = placed_source(name, texts[name], *span) if whole and name in texts else None
    if source is None:
        raise _invalid("a line that does not exist")
    values = _of_type(data.get("values"), dict)
    given, expected = (
        _array(values[key], _MAX_ENTRIES) if key in values else None
        for key in ("given", "expected")
    )
    return Finding(
        "wrong_line",
        "",
        1,
        "",
        line=source.start[0],
        source=source,
        quantity=clean_text(data.get("quantity")),
        repair=clean_text(data.get("repair")),
        proved=_of_type(data.get("proved"), bool),
        given=given,
        expected=expected,
        of=clean_text(data.get("of", "")),
    )


def notes(data: dict[str, Any]) -> tuple[str, ...]:
    """Return what the process noted besides."""
    return tuple(clean_text(note) for note in _of_type(data.get("notes"), list)[:_MAX_NOTES])


def clean_text(value: Any, most: int = _MAX_TEXT) -> str:
    """Return a text, shortened, without characters that a terminal or a file would obey.

    Addresses are left out: they differ from run to run.

    Raises ``InvalidValueError``: it is no text.
    """
    shown = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _of_type(value, str)[:most])
    shown = _ADDRESS.sub("0x…", shown)
    return shown.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate has no UTF-8


def _answer(value: Any, probe: Probe, most: int) -> Answer:
    data = _of_type(value, dict)
    gradients, invalid = (_of_type(data.get(part), dict) for part in ("gradients", "invalid"))
    raised = _of_type(data.get("raised"), bool)
    names = gradient_names(probe.K)
    if not (gradients.keys() <= {*names} and invalid.keys() <= {*names, "dA", "db"}):
        raise _invalid("a gradient that does not exist")
    return Answer(
        {name: _array(each, most) for name, each in gradients.items()},
        {name: clean_text(remark) for name, remark in invalid.items()},
        clean_text(data.get("failure")),
        raised,
        _number(data.get("loss")),
        modified=() if raised else _modified(data.get("after"), probe),
    )


def _modified(value: Any, probe: Probe) -> tuple[str, ...]:
    """Return which arguments were changed: what they were is known here, and is not asked."""
    after = [
        Kept(*(tuple(map(clean_text, _of_type(part, list))) for part in _of_type(each, list)))
        for each in _of_type(value, list)
        if len(_of_type(each, list)) == 2
    ]
    try:
        return modified_arguments(probe, after)
    except ValueError as error:
        raise _invalid("other arguments than it was given") from error


def _number(value: Any) -> float | None:
    """Return a number, which is sent as text, since JSON has no NaN; None of none."""
    try:
        return None if value is None else float(_of_type(value, str)[:_MAX_NUMBER])
    except ValueError as error:
        raise _invalid("no number") from error


def _array(value: Any, most: int) -> NDArray[Any]:
    data = _of_type(value, dict)
    dtype = _DTYPES.get(_of_type(data.get("dtype"), str))
    shape = _of_type(data.get("shape"), list)
    if dtype is None:
        raise _invalid("an array of another type")
    whole = len(shape) <= _MAX_AXES and all(type(n) is int and 0 <= n <= most for n in shape)
    if not whole or math.prod(shape) > most:
        raise _invalid("an array of an impossible shape")
    try:
        entries = np.frombuffer(
            base64.b64decode(_of_type(data.get("data"), str), validate=True), dtype
        )
        return entries.reshape(shape)
    except ValueError as error:
        raise _invalid("an array with other bytes than it needs") from error


def _of_type(value: Any, kind: type[T]) -> T:
    if type(value) is not kind:
        raise _invalid(f"{type(value).__name__} in place of {kind.__name__}")
    return value


def _invalid(given: str) -> InvalidValueError:
    return InvalidValueError("Its process sent something other than gradients.", given=given)
