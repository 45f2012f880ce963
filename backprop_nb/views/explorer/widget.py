"""``GraphExplorer``: step a computation graph forward and backward, with real numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, cast

import traitlets

from backprop_nb import display
from backprop_nb.errors import UnsupportedError, must_be
from backprop_nb.network import Network
from backprop_nb.tracing import Graph
from backprop_nb.tracing.collector import young_only
from backprop_nb.views.explorer.description import describe_graph
from backprop_nb.views.explorer.figure import draw_graph, is_readable
from backprop_nb.views.explorer.folding import near_states, stops, to_be_told
from backprop_nb.views.explorer.geometry import check_folded, geometry
from backprop_nb.views.explorer.scene import GraphScene
from backprop_nb.views.explorer.schema import ExplorerGeometry, ExplorerScene, Told
from backprop_nb.views.live_view import Replay
from backprop_nb.views.paper import Drawing
from backprop_nb.views.state import State, one_of
from backprop_nb.views.style import module, style_sheet

PREDICT = ("off", "value", "sign", "shape")
NOTATIONS = ("numpy", "formulas")


def _checked(graph: Any) -> Graph:
    """Return the graph; a function or a network is taken for one easily."""
    if isinstance(graph, Graph):
        return graph
    instead = None
    if isinstance(graph, Network):
        instead = "the network's trace: GraphExplorer(net.trace(x, y))"
    elif callable(graph):
        instead = "bp.trace(f, …) with f's arguments: GraphExplorer(bp.trace(f, …))"
    raise UnsupportedError(
        "GraphExplorer shows a traced graph.",
        given=f"a {type(graph).__name__}",
        expected="a Graph",
        instead=instead,
    )


def _node_or_none(view: GraphExplorer, name: str, value: Any) -> str:
    """The rule for the name of a node, which is empty for none."""
    return view.graph.node(str(value)).name if value else ""


def _groups(view: GraphExplorer, name: str, value: Any) -> list[str]:
    """The rule for names of groups."""
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise must_be("a list of names of groups", name, value)
    return check_folded(cast(ExplorerScene, view.scene), value)


class GraphExplorer(Replay):
    """Step through a computation graph: forward, then backward, with every number.

    Parameters
    ----------
    graph
        Any graph.  One whose output is an array has the way forward alone, since the
        way back starts from a single number.
    step
        The step to start with: 0 is before anything is computed, ``last_step``
        when every gradient is known.

    Attributes
    ----------
    step
        The step that is shown; assign it to go there.
    last_step
        The last step.
    selected
        The name of the node whose numbers are shown, or ``""`` for the current one.
    folded
        The groups that are shown as one card, by their ids; ``groups`` has them all.
        A large graph begins with groups folded, so that no more than 60 cards show.
    playing
        Whether it steps by itself, every ``interval`` milliseconds.
    predict
        What the reader is asked for before each step back is shown: ``"value"``,
        ``"sign"`` or ``"shape"`` of the contribution; ``"off"`` asks nothing.
        To set it is to begin anew.
    notation
        How the backward pass is written, line by line: ``"numpy"`` or ``"formulas"``.
    score
        How many predictions were ``"right"`` at the first try, of how many
        ``"asked"``, that is answered or revealed.
    predictions
        What has become of each question so far.

    Raises
    ------
    UnsupportedError
        If ``graph`` is no graph.
    InvalidValueError
        If ``step``, ``predict`` or ``notation`` does not exist; nothing is changed then.
    NotFoundError
        If ``selected`` or a group in ``folded`` does not exist; nothing is changed then.

    Notes
    -----
    By keyboard: ``[`` and ``]`` step, Home and End jump, Space plays, the arrow
    keys walk along the edges and through formula, code and numbers, Enter
    selects, Escape lets go of the selected node, ``f`` folds the group of a card
    or opens a folded one.  A step passes a folded group as a whole.

    Of a graph with more than 3000 nodes, what is folded away has its numbers alone: Python
    tells of it once a group is opened, a step or a node is asked for.  Until then nothing in
    it is predicted, and its lines in the backward pass are counted.  A page of its own takes
    along what can be opened there.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> explorer = bp.GraphExplorer(bp.trace(lambda x: x**2, 3.0))
    >>> explorer
    GraphExplorer(<lambda>, 2 nodes, step 0 of 3)
    >>> explorer.step = explorer.last_step
    """

    _esm = module("explorer")
    _css = style_sheet("explorer", "graph_explorer")
    hint = (
        "[ and ] step, Home and End jump, Space plays, the arrow keys walk along the edges and "
        "through formula, code and numbers, Enter keeps a node's numbers in view and Escape lets "
        "go of them, f folds the group of a card and opens a folded one."
    )

    selected = State(_node_or_none, "", "The node whose numbers are shown.")
    predict = State(one_of(PREDICT), "off", "What is asked before a step back.")
    notation = State(one_of(NOTATIONS), "numpy", "How the backward pass is written.")
    folded = State(_groups, [], "The groups shown as one card.")
    predictions = traitlets.Dict(help="What has become of each question.").tag(sync=True)
    score = traitlets.Dict(help="Predictions right at the first try, and asked.").tag(sync=True)
    geometry = traitlets.Dict(help="Where things lie, as plain data.").tag(sync=True)
    told = traitlets.Dict(help="What has been told of a large graph since.").tag(sync=True)

    @young_only()
    def __init__(
        self,
        graph: Graph,
        *,
        step: int = 0,
        folded: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.graph = _checked(graph)
        self._whole = GraphScene(graph)
        self._scene = scene = self._whole.data
        self._geometries: dict[tuple[str, ...], ExplorerGeometry] = {}
        first = check_folded(scene, scene["folded"] if folded is None else folded)
        places = self._geometry_of(first)
        self._whole.tell(*to_be_told(scene, places))
        super().__init__(scene, step=step, folded=first, geometry=places, **kwargs)

    @property
    def groups(self) -> list[str]:
        """The ids of all groups, each after the one around it."""
        return [group["id"] for group in self._scene["groups"]]

    @traitlets.observe("folded")
    def _lay_out(self, change: Any) -> None:
        places = self._geometry_of(self.folded)
        self._tell(*to_be_told(self._scene, places))
        self.set_trait("geometry", places)

    @traitlets.observe("step", "selected")
    def _tell_of_step(self, change: Any) -> None:
        """Tell of the step and of the node whose numbers are kept, which may be folded away."""
        if self._whole.in_full:
            return
        kept = [self.graph.node(self.selected).index] if self.selected else []
        shown = [card["node"] for card in self.geometry["cards"] if card["node"] is not None]
        self._tell([self.step, *self._whole.steps_to(kept, self.step)], [*kept, *shown])

    def _tell(self, steps: Collection[int], nodes: Collection[int]) -> None:
        new, old = self._whole.tell(steps, nodes), cast(Told, self.told)
        if new and old:
            new = {
                "nodes": {**old["nodes"], **new["nodes"]},
                "frames": {**old["frames"], **new["frames"]},
                "tensors": [*old["tensors"], *new["tensors"]],
                "shapes": [*old["shapes"], *new["shapes"]],
                "after": old["after"],
            }
        if new:
            self.set_trait("told", new)

    def _geometry_of(self, folded: Sequence[str]) -> ExplorerGeometry:
        """Return where things lie in a state, which is worked out once."""
        key = tuple(folded)
        if key not in self._geometries:
            self._geometries[key] = geometry(self._scene, key)
        return self._geometries[key]

    @traitlets.default("score")
    def _no_score(self) -> dict[str, int]:
        return {"right": 0, "asked": 0}

    @traitlets.observe("predict")
    def _begin_anew(self, _: Any) -> None:
        self.predictions, self.score = {}, self._no_score()

    def _own_state(self) -> dict[str, Any]:
        # A page has no kernel to ask for another geometry; it takes some along.
        states = near_states(self._scene, tuple(self.folded), self._geometry_of)
        for state in states:
            self._tell(*to_be_told(self._scene, state["geometry"]))
        return super()._own_state() | {"states": states, "told": {}}

    @display.words
    def describe(self) -> str:
        """Return the text twin: nodes and contributions with numbers, groups as they are folded."""
        return describe_graph(self.graph, self.folded)

    def draw(self, **options: Any) -> Drawing:
        """Return the picture at the shown step as a matplotlib figure."""
        if "folded" not in options:
            options["places"] = self._geometry_of(self.folded)
        return draw_graph(self.graph, **{"step": self.step, "scene": self._scene, **options})

    def static_figure(self) -> Drawing:
        """Return the replay at its end; where the reader is asked, at the step of the question.

        What is too wide to be read, and takes long to draw, is drawn as a large graph begins.
        """
        readable = is_readable(self._geometry_of(self.folded))
        folded = {} if readable else {"folded": self._scene["folded"]}
        return self.draw(step=None if self.predict == "off" else self.step, **folded)

    def _stops(self) -> list[int]:
        return stops(self._scene, self._geometry_of(self.folded))

    def _words_at(self, step: int) -> str:
        parts, tensors = self._scene["frames"][step]["words"], self._scene["tensors"]
        return "".join(p if isinstance(p, str) else tensors[p]["words"] for p in parts)

    def heading(self) -> str:
        """Return what a page of its own is called."""
        return f"Computation graph of {self.graph.function_name}"

    def __repr__(self) -> str:
        return (
            f"GraphExplorer({self.graph.function_name}, {len(self.graph.records)} nodes, "
            f"step {self.step} of {self.last_step})"
        )
