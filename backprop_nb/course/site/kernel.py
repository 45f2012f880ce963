"""An extension of IPython for the kernel of a notebook that is to become a page.

With it, every view that is displayed is stored with all that a page without a kernel needs.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from backprop_nb.views.live_view import LiveView

SNAPSHOT: Final = "application/vnd.backprop-nb.snapshot+json"
"""The media type of a :class:`~backprop_nb.views.page.Snapshot`."""


def load_ipython_extension(shell: Any) -> None:
    """Store a snapshot beside every view that the shell displays from now on."""
    LiveView.formats[SNAPSHOT] = lambda view: asdict(view.snapshot())
