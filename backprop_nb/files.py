"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def with_ending(path: str | os.PathLike[str], ending: str) -> Path:
    """Return ``path`` with ``ending`` added unless it is there.

    >>> with_ending("iris.2", ".npz").name, with_ending("iris.npz", ".npz").name
    ('iris.2.npz', 'iris.npz')
    """
    path = Path(path)
    return path if path.suffix == ending else path.with_name(f"{path.name}{ending}")


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing; if the writing is interrupted, the old file stays."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as stream:
            yield stream
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
