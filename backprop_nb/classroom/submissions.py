"""The submissions in a folder, and the code in each.

A submission is a ``.py`` or an ``.ipynb`` file; who it is from shows in its
path, as in ``ada.py`` or nbgrader's ``ada/backprop/backprop.ipynb``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backprop_nb.errors import InvalidValueError

ENDINGS = (".ipynb", ".py")
MAX_BYTES = 20_000_000
"""Of a file, without what a notebook has printed."""
MAX_NOTEBOOK = 400_000_000
"""Of a notebook, with all of its pictures."""
MAX_CODE = 1_000_000
"""Characters of code in a submission."""


@dataclass(frozen=True)
class Submission:
    """One file, read."""

    name: str
    """Its path in the folder, with ``/``."""
    digest: str
    """Of its bytes, so that a change shows."""
    cells: tuple[tuple[str, str], ...] = ()
    """What to call each piece of code, and its source."""
    problem: str = ""
    """Why there is no code; empty if there is."""
    place: str = ""
    """Where it lies in its student's own folder, with ``/``."""
    beside: tuple[tuple[str, str], ...] = ()
    """What else belongs into that folder: the path there, and where the file is."""


def name_of(path: Path, root: Path) -> str:
    """Return a submission's name, its path in the folder."""
    return as_text(path.relative_to(root).as_posix())


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def as_text(name: str) -> str:
    r"""Return a file name; what is no text in it, or would steer a terminal, is an escape.

    >>> as_text("a\nb\x1b[1m.py")
    'a\\nb\\x1b[1m.py'
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def read(path: Path, root: Path) -> Submission:
    """Read a submission; what is wrong with it is told in it, and never raised."""
    name, digest = name_of(path, root), ""
    try:
        is_notebook = path.suffix.lower() == ".ipynb"
        if path.suffix and path.suffix.lower() not in ENDINGS:
            raise InvalidValueError(f"{as_text(path.name)} is neither a notebook nor Python.")
        data = _bytes(path, root, MAX_NOTEBOOK if is_notebook else MAX_BYTES)
        digest = hashlib.sha256(data).hexdigest()
        cells = notebook_cells(data) if is_notebook else ((as_text(path.name), _text(data)),)
        _check_code(cells)
    except InvalidValueError as error:
        return Submission(name, digest, problem=error.problem)
    except OSError as error:
        return Submission(name, digest, problem=f"It cannot be read: {error.strerror or error}.")
    except RuntimeError:
        return Submission(name, digest, problem="It cannot be read: its links lead in a circle.")
    return Submission(name, digest, cells)


def _bytes(path: Path, root: Path, most: int) -> bytes:
    if not path.resolve().is_relative_to(root.resolve()):
        raise InvalidValueError("It links to a place outside of the folder, which is not followed.")
    if not stat.S_ISREG(path.stat().st_mode):  # to read a pipe would wait for ever
        raise InvalidValueError("It is not an ordinary file.")
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise InvalidValueError(f"It has more than {most} bytes.")
    return data


def _text(data: bytes) -> str:
    """Return the text of a file of Python, in the encoding that it names."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except SyntaxError as error:  # what it names does not exist, or its first lines are in another
        unknown = str(error.msg).startswith("unknown")
        why = f": {error.msg}" if unknown else " in UTF-8, and names no other encoding"
        raise InvalidValueError(f"It is not text{why}.") from error
    except UnicodeDecodeError as error:
        raise InvalidValueError(f"It is not text in {encoding.upper()}.") from error
    return _with_newlines(text)


def _with_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_code(cells: Sequence[tuple[str, str]]) -> None:
    if sum(len(source) for _, source in cells) > MAX_CODE:
        raise InvalidValueError(f"It has more than {MAX_CODE} characters of code.")
    if not any(source.strip() for _, source in cells):
        raise InvalidValueError("It has no code.")


# --- notebooks ----------------------------------------------------------------------------


def notebook_cells(data: bytes) -> tuple[tuple[str, str], ...]:
    """Return the code cells of a notebook, each with its number among all cells.

    Raises ``InvalidValueError``: it is no notebook, or one in another language.
    """
    if len(data) > MAX_BYTES and len(data := _without_outputs(data)) > MAX_BYTES:
        raise InvalidValueError(f"It has more than {MAX_BYTES} bytes without its outputs.")
    try:
        notebook = json.loads(data)
        cells = tuple(_cells(notebook))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidValueError("It cannot be read as a notebook.") from error
    language = _language(notebook)
    if not language.lower().startswith(("python", "ipython")):
        raise InvalidValueError(f"It is a notebook in {as_text(language)}, not in Python.")
    return cells


def _language(notebook: dict[str, Any]) -> str:
    """Return the language that a notebook says its kernel has, Python's if it says none."""
    metadata = notebook.get("metadata")
    for part, key in (("language_info", "name"), ("kernelspec", "language")):
        found = metadata.get(part) if isinstance(metadata, dict) else None
        if isinstance(found, dict) and isinstance(name := found.get(key), str) and name:
            return name
    return "python"


def _cells(notebook: Any) -> Iterator[tuple[str, str]]:
    if "cells" in notebook:
        cells = notebook["cells"]
    else:  # as it was before IPython 3
        cells = [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
    for number, cell in enumerate(cells, 1):
        if cell["cell_type"] == "code":
            yield f"cell {number}", _source(cell)


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"] if "source" in cell else cell["input"]
    return _with_newlines(source if isinstance(source, str) else "".join(source))


_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]')
_LEFT_OUT = {b'"outputs"', b'"attachments"', b'"widgets"'}
_MAX_TOKENS = 5_000_000


def _without_outputs(data: bytes) -> bytes:
    """Return a notebook without what it shows, which is most of it when it is large."""
    kept: list[bytes] = []
    start, depth, left_out = 0, 0, None  # where what is kept begins; how deep what is not began
    for count, token in enumerate(_TOKEN.finditer(data)):
        if count > _MAX_TOKENS:
            raise InvalidValueError("It has too many parts to be looked at.")
        text = token[0]
        if text in (b"[", b"{"):
            depth += 1
        elif text in (b"]", b"}"):
            depth -= 1
            if left_out == depth:
                kept.append(b"null")
                start, left_out = token.end(), None
        elif left_out is None and text in _LEFT_OUT:
            value = _VALUE.match(data, token.end())
            if value is not None:
                kept.append(data[start : value.end() - 1])
                left_out = depth
    return b"".join([*kept, data[start:]])


_VALUE = re.compile(rb"\s*:\s*[\[{]")
"""Of a key, in brackets."""
