"""Pictures as plain data: positions, numbers, colours and words."""

from backprop_nb.views.scene.geometry import Geometry, cards_of, check_folded, geometry
from backprop_nb.views.scene.graph_scene import Scene, alt_text, describe_graph, graph_scene
from backprop_nb.views.scene.wire import packed

__all__ = [
    "Geometry",
    "Scene",
    "alt_text",
    "cards_of",
    "check_folded",
    "describe_graph",
    "geometry",
    "graph_scene",
    "packed",
]
