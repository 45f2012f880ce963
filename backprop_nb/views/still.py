"""A picture of its own beside a live view: what a notebook shows when it is opened the next day.

JupyterLab never shows the picture in a view's own output: once the model is gone, it writes "model
not found" there.  So another output goes before it, with a style sheet that shows one of the two:
the picture as long as there is no live view in the output that follows.  It looks for the view's
place from child to child: a browser would search all of a view at each of its steps for what may be
anywhere in it.  Where nobody knows JupyterLab's classes it stays hidden, and a view's own picture
stands in for it; so it does in a notebook that JupyterLab does not trust, where it takes away the
style sheet, and empty attributes.
"""

from __future__ import annotations

from string import Template
from typing import Any

from IPython.core.getipython import get_ipython

from backprop_nb.views.cells import running
from backprop_nb.views.paper import as_html
from backprop_nb.views.style import read


def publish_still(picture: bytes, alt: str) -> bool:
    """Publish the picture, a PNG, of the view that is shown next, if a notebook may keep it.

    Only who shows a notebook to people, as JupyterLab does, tells in which cell it runs code: a
    program that runs one would store a picture twice.  Return whether it is published.
    """
    if running() is None:
        return False
    shell: Any = get_ipython()
    shell.display_pub.publish({"text/html": still(picture, alt)})
    return True


def still(picture: bytes, alt: str) -> str:
    """Return a picture, a PNG, as HTML that is seen only while no live view follows it."""
    return Template(read("still.html")).substitute(picture=as_html(picture, alt))
