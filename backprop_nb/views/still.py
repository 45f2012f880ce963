"""A picture of its own after a live view: what a notebook shows when it is opened the next day.

JupyterLab never shows the picture in a view's own output: once the model is gone, it writes "model
not found" there.  So the view is an output of its own, which is there at once, and its picture
comes in the next one, with a style sheet that shows one of the two: the picture as long as there is
no live view in the output before.  It looks for the view's place from child to child: a browser
would search all of a view at each of its steps for what may be anywhere in it.  Where nobody knows
JupyterLab's classes, any live view in the page hides the pictures.  In a notebook that JupyterLab
does not trust, where it takes away the style sheet and shows no live view, they are seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Any

from IPython.core.getipython import get_ipython

from backprop_nb.views.paper import as_html
from backprop_nb.views.style import read


def publish_live(data: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Publish a live view, for which nothing else stands: its picture is to follow."""
    shell: Any = get_ipython()
    shell.display_pub.publish({**data, "text/plain": "", "text/html": ""}, metadata)


def still(picture: bytes, alt: str) -> str:
    """Return a picture, a PNG, as HTML that is seen only while no live view is before it."""
    return Template(read("still.html")).substitute(picture=as_html(picture, alt))
