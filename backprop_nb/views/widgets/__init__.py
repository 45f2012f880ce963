"""The live views: traits and wiring in Python, pictures in ``view.mjs``."""

from backprop_nb.views.widgets.graph_explorer import GraphExplorer

__all__ = ["GraphExplorer"]
