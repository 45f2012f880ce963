"""``GraphExplorer``: step a computation graph forward and backward, with real numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from backprop_nb.views.figures import Drawing, draw_graph
from backprop_nb.views.scene import describe_graph, graph_scene
from backprop_nb.views.widgets.live_view import Replay
from backprop_nb.views.widgets.style import module, style_sheet

if TYPE_CHECKING:
    from backprop_nb.tracing.graph import Graph


class GraphExplorer(Replay):
    """Step through a computation graph: forward, then backward, with every number.

    Parameters
    ----------
    graph
        A graph whose output is a single number.
    step
        The moment to start with: 0 is before anything is computed, ``last_step``
        when every gradient is known.

    Attributes
    ----------
    step
        The moment that is shown; assign it to go there.
    last_step
        The last moment.
    selected
        The name of the node whose numbers are shown, or ``""`` for the current one.
    playing
        Whether it steps by itself, every ``interval`` milliseconds.

    Raises
    ------
    ShapeError
        If the output of ``graph`` is not a single number.
    InvalidValueError
        If ``step`` or ``selected`` does not exist; nothing is changed then.

    Notes
    -----
    By keyboard: ``[`` and ``]`` step, Home and End jump, Space plays, the arrow
    keys walk along the edges, Escape lets go of the selected node.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> explorer = bp.GraphExplorer(bp.trace(lambda x: x**2, 3.0))
    >>> explorer
    GraphExplorer(<lambda>, 2 nodes, step 0 of 3)
    >>> explorer.step = explorer.last_step
    """

    _esm = module("graph_explorer")
    _css = style_sheet("graph_explorer")
    hint = (
        "[ and ] step, Home and End jump, Space plays, the arrow keys walk along the edges, "
        "Enter keeps a node's numbers in view and Escape lets go of them."
    )

    selected = traitlets.Unicode("", help="The node whose numbers are shown.").tag(sync=True)

    def __init__(self, graph: Graph, *, step: int = 0, **kwargs: Any) -> None:
        self.graph = graph
        scene = graph_scene(graph, graph.backward())
        self._names = {node["name"] for node in scene["nodes"]}
        super().__init__(scene=scene, step=step, **kwargs)

    @traitlets.validate("selected")
    def _check_selected(self, proposal: Any) -> str:
        name = str(proposal["value"])
        if name and name not in self._names:
            self.graph.node(name)  # says which names there are
        return name

    def describe(self) -> str:
        """Return the text twin: every node and every contribution, with numbers."""
        return describe_graph(self.graph)

    def draw(self, **options: Any) -> Drawing:
        """Return the picture at the shown step as a matplotlib figure."""
        return draw_graph(self.graph, **{"step": self.step, "scene": self.scene, **options})

    def still(self) -> Drawing:
        """Return the whole replay, at its end."""
        return draw_graph(self.graph, scene=self.scene)

    def heading(self) -> str:
        """Return what a page of its own is called."""
        return f"Computation graph of {self.graph.function_name}"

    def __repr__(self) -> str:
        return (
            f"GraphExplorer({self.graph.function_name}, {len(self.graph.records)} nodes, "
            f"step {self.step} of {self.last_step})"
        )
