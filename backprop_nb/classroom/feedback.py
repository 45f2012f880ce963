"""What a student gets back: one text, and one page that can be mailed or put on a course site."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from backprop_nb.classroom.document import conventions, document
from backprop_nb.classroom.verdict import Settings


def as_text(name: str, result: dict[str, Any]) -> bytes:
    """Return the feedback on a submission as text."""
    return f"{name}\n\n{result['text']}\n".encode()


def as_html(name: str, result: dict[str, Any], settings: Settings) -> bytes:
    """Return the feedback as a page of its own: the report with its heat maps, and no script."""
    body = (
        f"<h1>Feedback on {escape(name)}</h1>\n"
        f'<p class="muted">{escape(conventions(settings.to_dict()["course"]))}</p>\n'
        f"{result['html']}"
    )
    return document(f"Feedback on {name}", body, _style())


@cache
def _style() -> str:
    return Path(__file__).with_name("feedback.css").read_text(encoding="utf-8")
