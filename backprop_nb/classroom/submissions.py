"""The submissions in a folder, and the code in each.

A submission is a ``.py`` or an ``.ipynb`` file; who it is from shows in its
path, as in ``ada.py`` or nbgrader's ``ada/backprop/backprop.ipynb``.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backprop_nb.errors import InvalidValueError

ENDINGS = (".ipynb", ".py")
MAX_BYTES = 20_000_000
"""Of a file."""
MAX_CODE = 1_000_000
"""Characters of code in a submission."""


@dataclass(frozen=True)
class Submission:
    """One file, read.

    Attributes
    ----------
    name : str
        Its path in the folder, with ``/``.
    digest : str
        Of its bytes, so that a change shows.
    cells : tuple of pairs
        What to call each piece of code, and its source.
    problem : str
        Why there is no code; empty if there is.
    place : str
        Where it lies in its student's own folder, with ``/``.
    beside : tuple of pairs
        What else belongs into that folder: the path there, and where the file is.
    """

    name: str
    digest: str
    cells: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    place: str = ""
    beside: tuple[tuple[str, str], ...] = ()


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
        data = _bytes(path, root)
        digest = hashlib.sha256(data).hexdigest()
        text = data.decode("utf-8-sig")
        is_notebook = path.suffix.lower() == ".ipynb"
        cells = tuple(_cells(text)) if is_notebook else ((as_text(path.name), text),)
        _check_code(cells)
    except UnicodeDecodeError:
        return Submission(name, digest, problem="It is not text in UTF-8.")
    except InvalidValueError as error:
        return Submission(name, digest, problem=error.problem)
    except OSError as error:
        return Submission(name, digest, problem=f"It cannot be read: {error.strerror or error}.")
    except RuntimeError:
        return Submission(name, digest, problem="It cannot be read: its links lead in a circle.")
    return Submission(name, digest, cells)


def _bytes(path: Path, root: Path) -> bytes:
    if not path.resolve().is_relative_to(root.resolve()):
        raise InvalidValueError("It links to a place outside of the folder, which is not followed.")
    if not stat.S_ISREG(path.stat().st_mode):  # to read a pipe would wait for ever
        raise InvalidValueError("It is not an ordinary file.")
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InvalidValueError(f"It has more than {MAX_BYTES} bytes.")
    return data


def _check_code(cells: Sequence[tuple[str, str]]) -> None:
    if sum(len(source) for _, source in cells) > MAX_CODE:
        raise InvalidValueError(f"It has more than {MAX_CODE} characters of code.")
    if not any(source.strip() for _, source in cells):
        raise InvalidValueError("It has no code.")


# --- notebooks ----------------------------------------------------------------------------


def _cells(text: str) -> Iterator[tuple[str, str]]:
    """Yield the code cells of a notebook, each with its number among all cells."""
    try:
        notebook = json.loads(text)
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        for number, cell in enumerate(cells, 1):
            if cell["cell_type"] == "code":
                yield f"cell {number}", python_of(_source(cell))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise InvalidValueError("It cannot be read as a notebook.") from error


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"] if "source" in cell else cell["input"]
    text = source if isinstance(source, str) else "".join(source)
    return text.replace("\r\n", "\n")


# These run the rest of their cell as Python; any other one is written in another language.
_PYTHON_MAGICS = {"capture", "prun", "time", "timeit"}
_MAGIC = re.compile(r"^(\s*)(?:[%!].*|\?.*|[\w.]+\?{1,2}\s*)$")
_ASSIGNED = re.compile(r"^(\s*[\w, ]+=\s*)[%!].*$")


def python_of(source: str) -> str:
    r"""Return a cell as plain Python: what only IPython understands does nothing.

    Lines keep their numbers.

    Examples
    --------
    >>> python_of("%matplotlib inline\nx = 1\nif x:\n    !ls\nfiles = !ls\nprint?")
    'pass\nx = 1\nif x:\n    pass\nfiles = None\npass'
    >>> python_of("%%time\ny = 2"), python_of("%%bash\nls")
    ('pass\ny = 2', '')
    """
    first = source.lstrip()
    if first.startswith("%%"):
        words = first[2:].split()
        if not words or words[0] not in _PYTHON_MAGICS:
            return ""
        source = source.replace(first.split("\n")[0], "pass", 1)
    if _is_python(source):  # a line may begin with % inside of an expression or a text
        return source
    return "\n".join(
        _ASSIGNED.sub(r"\1None", _MAGIC.sub(r"\1pass", line)) for line in source.split("\n")
    )


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
