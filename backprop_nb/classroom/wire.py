"""A submission's answers on their way out of its process: as plain data, read with suspicion.

What comes back was written by a process in which a submission may have changed
anything.  So nothing in it is trusted: JSON with arrays as bytes, no pickle;
every name, type, length and shape is checked, and the rest is refused.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.probes import MAX_PRINTED, Answer, Answers, Probe, gradient_names
from backprop_nb.errors import InvalidValueError

MOST: Final = 8_000_000
"""So many bytes may an answer have."""

_ENTRIES = 10_000
_AXES = 8
_TEXT = 1_000
_NOTES = 10
_DTYPES = {"f2": "<f2", "f4": "<f4", "f8": "<f8"}
_CONTROL = re.compile(r"[^\S \n\t]|[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")

T = TypeVar("T")

# --- in the submission's process ----------------------------------------------------


def encode(answers: Answers) -> dict[str, Any]:
    """Return answers as what JSON can hold; what is far too large for a gradient stays behind."""
    return {
        "answers": [_encode_answer(each) for each in answers.answers],
        "again": _encode_answer(answers.again),
        "printed": answers.printed,
    }


def _encode_answer(answer: Answer) -> dict[str, Any]:
    invalid = {name: text[:_TEXT] for name, text in answer.invalid.items()}
    gradients = {}
    for name, array in answer.gradients.items():
        if array.size > _ENTRIES or array.ndim > _AXES:
            invalid[name] = f"an array of {array.size} entries on {array.ndim} axes"
        else:
            gradients[name] = _encode_array(array)
    return {
        "gradients": gradients,
        "invalid": invalid,
        "failure": answer.failure[:_TEXT],
        "raised": answer.raised,
        "modified": list(answer.modified),
    }


def _encode_array(array: NDArray[Any]) -> dict[str, Any]:
    dtype = f"f{array.dtype.itemsize}"
    data = np.ascontiguousarray(array, dtype=_DTYPES[dtype]).tobytes()
    return {
        "dtype": dtype,
        "shape": list(array.shape),
        "data": base64.b64encode(data).decode("ascii"),
    }


# --- where it is judged ----------------------------------------------------------------


def parse(message: bytes) -> dict[str, Any]:
    """Return the object that a message holds.

    Raises
    ------
    InvalidValueError
        It is no JSON, or no object.
    """
    try:
        data = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise _refusal("no JSON") from error
    return _of_type(data, dict)


def decode(data: dict[str, Any], probes: Sequence[Probe]) -> Answers:
    """Return the answers to the probes.

    Raises
    ------
    InvalidValueError
        They are not what :func:`encode` could have written.
    """
    answers = _entry(data, "answers", list)
    if len(answers) != len(probes):
        raise _refusal(f"{len(answers)} answers to {len(probes)} questions")
    return Answers(
        tuple(_answer(each, probe) for each, probe in zip(answers, probes, strict=True)),
        _answer(data.get("again"), probes[0]),
        text(data.get("printed"), MAX_PRINTED + 100),
    )


def notes(data: dict[str, Any]) -> tuple[str, ...]:
    """Return what the process noted besides."""
    return tuple(text(note, _TEXT) for note in _entry(data, "notes", list)[:_NOTES])


def text(value: Any, most: int = _TEXT) -> str:
    """Return a text, shortened, without characters that a terminal or a file would obey.

    Addresses are left out: they differ from run to run.
    """
    shown = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _of_type(value, str)[:most])
    shown = _ADDRESS.sub("0x…", shown)
    return shown.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate has no UTF-8


def _answer(data: Any, probe: Probe) -> Answer:
    data = _of_type(data, dict)
    names = gradient_names(probe.K)
    gradients, invalid = _entry(data, "gradients", dict), _entry(data, "invalid", dict)
    if not (gradients.keys() <= {*names} and invalid.keys() <= {*names, "dA", "db"}):
        raise _refusal("a gradient that does not exist")
    arguments = [f"{part}[{i}]" for part in "Ab" for i in range(probe.K)]
    modified = _entry(data, "modified", list)
    if not all(each in [*arguments, "x", "y", "the list A", "the list b"] for each in modified):
        raise _refusal("an argument that does not exist")
    return Answer(
        {name: _array(each) for name, each in gradients.items()},
        {name: text(remark) for name, remark in invalid.items()},
        text(data.get("failure")),
        _entry(data, "raised", bool),
        tuple(modified),
    )


def _array(data: Any) -> NDArray[Any]:
    data = _of_type(data, dict)
    dtype, shape = data.get("dtype"), _entry(data, "shape", list)
    if dtype not in ("f2", "f4", "f8"):
        raise _refusal("an array of another type")
    whole = len(shape) <= _AXES and all(type(n) is int and 0 <= n <= _ENTRIES for n in shape)
    if not whole or math.prod(shape) > _ENTRIES:
        raise _refusal("an array of an impossible shape")
    coded = _entry(data, "data", str)
    raw = _attempt(lambda: base64.b64decode(coded, validate=True))
    if len(raw) != math.prod(shape) * int(dtype[1]):
        raise _refusal("an array with too few or too many bytes")
    return np.frombuffer(raw, dtype=_DTYPES[dtype]).reshape(shape)


def _entry(data: dict[str, Any], name: str, kind: type[T]) -> T:
    return _of_type(data.get(name), kind)


def _of_type(value: Any, kind: type[T]) -> T:
    if type(value) is not kind:
        raise _refusal(f"{type(value).__name__} in place of {kind.__name__}")
    return value


def _attempt(read: Callable[[], bytes]) -> bytes:
    try:
        return read()
    except ValueError as error:
        raise _refusal("bytes that are none") from error


def _refusal(given: str) -> InvalidValueError:
    return InvalidValueError(
        "The process of the submission sent what is no answer.", given=given, expected="gradients"
    )
