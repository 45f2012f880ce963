"""Pictures as plain data: positions, numbers, colours and words."""

from backprop_nb.views.scene.graph_scene import Scene, alt_text, describe_graph, graph_scene

__all__ = ["Scene", "alt_text", "describe_graph", "graph_scene"]
