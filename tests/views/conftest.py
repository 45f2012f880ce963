"""Scenes as text: what a change moves, drops or renames is seen in its difference."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

# MathML is made from the LaTeX beside it, and tested where that is done.
LEFT_OUT = {"math", "equation", "formula"}
STYLE = {"kind", "size", "anchor", "radius", "width", "italic", "bold"}
INLINE = 96


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 2) + 0.0
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items() if key not in LEFT_OUT}
    return [rounded(each) for each in value] if isinstance(value, (list, tuple)) else value


def line(shape: dict[str, Any]) -> str:
    """Return a shape of a picture on one line: its kind, then what it has."""
    values = (
        f"{key}={json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"
        for key, value in shape.items()
        if key not in STYLE
    )
    return " ".join([shape["kind"], *values])


def outline(value: Any, name: str = "", indent: str = "") -> Iterator[str]:
    """Yield plain data line by line: what is short on one line, and so every shape."""
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict) and "kind" in value:
        yield f"{indent}{line(value)}"
    elif len(text) <= INLINE or not isinstance(value, (dict, list)):
        yield f"{indent}{name}{text}"
    else:
        yield f"{indent}{name}".rstrip()
        inner = value.items() if isinstance(value, dict) else (("", each) for each in value)
        for key, each in inner:
            yield from outline(each, f"{key}: " if key else "- ", indent + " ")


@pytest.fixture
def same_as_before(request: pytest.FixtureRequest) -> Callable[[str, Any], None]:
    """A function that compares a scene, rounded, with the text file of that name beside the test.

    The scene may be text already, for a test that says itself what is to be seen of it.

    ``BACKPROP_NB_WRITE_SNAPSHOTS=1 pytest tests/views`` writes the files anew;
    read what ``git diff`` says of them before they are committed.
    """

    def compare(name: str, scene: Any) -> None:
        path = request.path.with_name(f"{name}.txt")
        lines = scene.splitlines() if isinstance(scene, str) else outline(rounded(scene))
        text = "\n".join(lines) + "\n"
        if os.environ.get("BACKPROP_NB_WRITE_SNAPSHOTS") == "1":
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text

    return compare
