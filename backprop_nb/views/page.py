"""A live view as one HTML file that needs neither a kernel nor a network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import zlib
from collections.abc import Mapping
from string import Template
from typing import Any

from backprop_nb.views.paper import Drawing, png
from backprop_nb.views.style import page_module, page_style_sheet, read


def page(
    *,
    title: str,
    state: dict[str, Any],
    module: str,
    style: str,
    picture: Drawing,
    words: str,
    hint: str,
) -> bytes:
    """Return a view as an HTML document that fetches nothing; its browser enforces that.

    Parameters
    ----------
    title
        The heading, and the title of the window.
    state
        What the view asks its model for; anything that JSON can hold.
    module
        The source of the ES module that draws the view; it names its default
        export ``widget``.
    style
        The style sheet of the view.
    picture
        What stands in for the view where no script runs.
    words
        The text twin.
    hint
        What the keys do.

    Returns
    -------
    bytes
        The same for the same arguments.

    Notes
    -----
    The scripts and the style sheet are the package's own, and the policy names
    them by their hash, so that no other one could run.  Whatever a learner may
    have written is escaped as HTML, or packed with the ``state``.
    """
    script = f"\n{module}\n{page_module()}\nmount(widget, document);\n"
    style = f"\n{style}\n{page_style_sheet()}"
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    text = Template(read("page.html")).substitute(
        policy=policy,
        title=html.escape(title),
        style=style,
        picture=base64.b64encode(png(picture)).decode("ascii"),
        alt=html.escape(picture.alt),
        words=html.escape(words),
        hint=html.escape(hint),
        state=packed(state),
        script=script,
    )
    # A lone surrogate in a learner's string has no UTF-8.
    return text.encode("utf-8", "xmlcharrefreplace")


def deflated(data: Mapping[str, Any]) -> bytes:
    """Return data as JSON, deflated, for much of it repeats.

    ``unpacked`` in ``scene_model.mjs`` undoes this.

    >>> zlib.decompress(deflated({"frames": [1, 2]}))
    b'{"frames":[1,2]}'
    """
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return zlib.compress(text.encode("ascii"))


def packed(data: Mapping[str, Any]) -> str:
    """Return data as text that no browser could take for HTML: deflated, in Base64."""
    return base64.b64encode(deflated(data)).decode("ascii")


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
