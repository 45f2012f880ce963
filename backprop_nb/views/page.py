"""A live view as one file that needs neither a kernel nor a network: HTML, or an ES module."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Any

from backprop_nb.views.style import page_module, page_style_sheet, read, without_exports


@dataclass(frozen=True)
class Snapshot:
    """A live view as it is now, with all that it takes to show it without Python."""

    kind: str
    """The name of the view's class."""
    title: str
    """The heading, and the title of the window."""
    state: str
    """What the view asks its model for, :func:`packed`."""
    module: str
    """The source of the ES module that draws the view; it names its default export ``widget``."""
    style: str
    """The style sheet of the view."""
    picture: str
    """What stands in for the view where no script runs: a PNG, in Base64."""
    alt: str
    """The text alternative of the picture."""
    words: str
    """The text twin."""
    hint: str
    """What the keys do."""


def page(view: Snapshot) -> bytes:
    """Return a view as an HTML document that fetches nothing; its browser enforces that.

    The same snapshot gives the same bytes.

    Notes
    -----
    The scripts and the style sheet are the package's own, and the policy names
    them by their hash, so that no other one could run.  Whatever a learner may
    have written is escaped as HTML, or packed with the ``state``.
    """
    script = f"\n{view.module}\n{page_module()}\nmount(widget, document);\n"
    style = f"\n{view.style}\n{page_style_sheet()}"
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    text = Template(read("page.html")).substitute(
        policy=policy,
        title=html.escape(view.title),
        style=style,
        picture=view.picture,
        alt=html.escape(view.alt),
        words=html.escape(view.words),
        hint=html.escape(view.hint),
        state=view.state,
        script=script,
    )
    # A lone surrogate in a learner's string has no UTF-8.
    return text.encode("utf-8", "xmlcharrefreplace")


def es_module(view: Snapshot) -> bytes:
    """Return a view as an ES module: its default export renders it, with its state and style."""
    own = without_exports(f"{view.module}\n{page_module()}")
    last = f"export default embedded(widget, {json.dumps(view.state)}, {json.dumps(view.style)});\n"
    return f"{own}\n{last}".encode()


def script(view: Snapshot) -> bytes:
    """Return a script that shows all views of a kind in a page, each from its own state.

    It is no module, which a browser does not load from a file that is opened from disk.
    """
    own = without_exports(f"{view.module}\n{page_module()}")
    start = f"mountAll(widget, {json.dumps(view.kind)}, document);"
    return f'(() => {{\n"use strict";\n{own}\n{start}\n}})();\n'.encode()


def as_json(data: Mapping[str, Any]) -> bytes:
    """Return data as JSON, in characters of which each is a byte.

    Deflated or not, ``unpacked`` in ``scene_model.mjs`` undoes this.

    >>> as_json({"frames": [1, 2]})
    b'{"frames":[1,2]}'
    """
    encoded = json.dumps(data, allow_nan=False, check_circular=False, separators=(",", ":"))
    return encoded.encode("ascii")


def packed(data: Mapping[str, Any]) -> str:
    """Return data as text that no browser could take for HTML: deflated, in Base64."""
    return base64.b64encode(zlib.compress(as_json(data))).decode("ascii")


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
