"""The live views: traits and wiring in Python, pictures in the ES modules beside them."""

from backprop_nb.views.widgets.graph_explorer import GraphExplorer

__all__ = ["GraphExplorer"]
