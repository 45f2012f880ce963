"""Scenes as text: what a change moves, drops or renames is seen in its difference."""

import os
from collections.abc import Callable, Iterable

import pytest


@pytest.fixture
def same_as_before(request: pytest.FixtureRequest) -> Callable[[str, Iterable[str]], None]:
    """A function that compares what is to be seen of a scene with the text file of that name.

    The file is beside the test, which says what there is to be seen, line by line.

    ``BACKPROP_NB_WRITE_SNAPSHOTS=1 pytest tests/views`` writes the files anew;
    read what ``git diff`` says of them before they are committed.
    """

    def compare(name: str, lines: Iterable[str]) -> None:
        path = request.path.with_name(f"{name}.txt")
        text = "\n".join(lines) + "\n"
        if os.environ.get("BACKPROP_NB_WRITE_SNAPSHOTS") == "1":
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text

    return compare
