"""A picture of its own beside a live view: what a notebook shows when it is opened the next day.

JupyterLab never shows the picture in a view's own output: once the model is gone, it writes "model
not found" there. So another output goes before it, with a style sheet that shows one of the two:
the picture as long as there is no live view in the output that follows, or in that before, as where
a display is updated with another view. It looks for the view's place from child to child: a browser
would search all of a view at each of its steps for what may be anywhere in it. Where nobody knows
JupyterLab's classes, any live view in the page hides the pictures. In a notebook that JupyterLab
does not trust, where it takes away the style sheet and shows no live view, they are seen.

To draw the picture takes longer than all else, so its output only keeps the place until the cell
has run: nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from string import Template
from typing import Any
from uuid import uuid4

from IPython.core.getipython import get_ipython

from backprop_nb.views.paper import as_html
from backprop_nb.views.style import read

Bundle = tuple[dict[str, Any], dict[str, Any]]
"""The data of an output by their types, and what is to be known of them."""


def publish_still(draw: Callable[[], Bundle]) -> None:
    """Publish a place for a picture, which is drawn when the cell has run."""
    shell: Any = get_ipython()
    place = {"display_id": uuid4().hex}
    shell.display_pub.publish({"text/html": _still("")}, transient=place)

    def deliver(result: Any) -> None:
        shell.events.unregister("post_run_cell", deliver)
        shell.display_pub.publish(*draw(), transient=place, update=True)

    shell.events.register("post_run_cell", deliver)


def still(picture: bytes, alt: str) -> str:
    """Return a picture, a PNG, as HTML that is seen only while no live view follows it."""
    return _still(as_html(picture, alt))


def _still(picture: str) -> str:
    return Template(read("still.html")).substitute(picture=picture)
