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
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from backprop_nb.errors import InvalidValueError, NotFoundError

ENDINGS = (".ipynb", ".py")
MOST = 20_000_000
"""So many bytes of a file are read."""
CODE = 1_000_000
"""So many characters of code are run."""


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
    """

    name: str
    digest: str
    cells: tuple[tuple[str, str], ...] = ()
    problem: str = ""


def find(folder: str | os.PathLike[str], pattern: str = "*") -> list[Path]:
    """Return the submissions in a folder and those below it, in the order of their names.

    What is hidden (``.ipynb_checkpoints``) and ``__pycache__`` are left out.

    Parameters
    ----------
    folder
    pattern
        As of a shell, for the path in the folder: ``"*/backprop.ipynb"``.

    Raises
    ------
    NotFoundError
        There is no such folder, or no submission in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise NotFoundError(
            "There is no such folder of submissions.", given=str(root), expected="a folder"
        )
    found = [path for path in root.rglob("*") if _is_submission(path, root, pattern)]
    if not found:
        raise NotFoundError(
            "There is no submission in this folder.",
            given=f"{root}, pattern {pattern!r}",
            expected=f"files that end in {' or '.join(ENDINGS)}",
        )
    return sorted(found, key=lambda path: name_of(path, root))


def _is_submission(path: Path, root: Path, pattern: str) -> bool:
    parts = path.relative_to(root).parts
    if path.suffix.lower() not in ENDINGS or any(
        part.startswith((".", "__pycache__")) for part in parts
    ):
        return False
    return fnmatchcase(name_of(path, root), pattern) and not path.is_dir()


def name_of(path: Path, root: Path) -> str:
    """Return a submission's name; what is no text in a file name is written as escapes."""
    name = path.relative_to(root).as_posix()
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def read(path: Path, root: Path) -> Submission:
    """Read a submission; what is wrong with it is told in it, and never raised."""
    name = name_of(path, root)
    try:
        data = _bytes(path, root)
    except InvalidValueError as error:
        return Submission(name, "", problem=error.problem)
    except (OSError, RuntimeError) as error:  # no permission; links that lead in a circle
        return Submission(name, "", problem=_reason(error))
    digest = hashlib.sha256(data).hexdigest()
    try:
        text = data.decode("utf-8-sig")
        cells = tuple(_cells(text) if path.suffix.lower() == ".ipynb" else _script(path.name, text))
    except UnicodeDecodeError:
        return Submission(name, digest, problem="It is not text in UTF-8.")
    except InvalidValueError as error:
        return Submission(name, digest, problem=error.problem)
    if sum(len(source) for _, source in cells) > CODE:
        return Submission(name, digest, problem=f"It has more than {CODE} characters of code.")
    if not any(source.strip() for _, source in cells):
        return Submission(name, digest, problem="There is no code in it.")
    return Submission(name, digest, cells)


def _reason(error: Exception) -> str:
    why = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
    return f"It cannot be read: {why or type(error).__name__}."


def _bytes(path: Path, root: Path) -> bytes:
    if not path.resolve().is_relative_to(root.resolve()):
        raise InvalidValueError("It is a link to a place outside of the folder, and not followed.")
    if not stat.S_ISREG(path.stat().st_mode):  # to read a pipe would wait for ever
        raise InvalidValueError("It is no ordinary file.")
    with path.open("rb") as stream:
        data = stream.read(MOST + 1)
    if len(data) > MOST:
        raise InvalidValueError(f"It has more than {MOST} bytes.")
    return data


def _script(name: str, text: str) -> Iterator[tuple[str, str]]:
    yield os.fsencode(name).decode("utf-8", "backslashreplace"), text


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
        raise InvalidValueError("It is no notebook that can be read.") from error


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
