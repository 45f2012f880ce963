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
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from backprop_nb.errors import InvalidValueError, NotFoundError

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
        It is not a folder, or has no submission in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise NotFoundError("`submissions` must be a folder.", given=str(root))
    found = [path for path in root.rglob("*") if _is_submission(path, root, pattern)]
    if not found:
        raise NotFoundError(
            "This folder has no submissions.",
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
    """Return a submission's name, its path in the folder."""
    return _as_text(path.relative_to(root).as_posix())


def _as_text(name: str) -> str:
    """Return a file name; what is no text in it is written as escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def read(path: Path, root: Path) -> Submission:
    """Read a submission; what is wrong with it is told in it, and never raised."""
    name, digest = name_of(path, root), ""
    try:
        data = _bytes(path, root)
        digest = hashlib.sha256(data).hexdigest()
        text = data.decode("utf-8-sig")
        is_notebook = path.suffix.lower() == ".ipynb"
        cells = tuple(_cells(text)) if is_notebook else ((_as_text(path.name), text),)
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
