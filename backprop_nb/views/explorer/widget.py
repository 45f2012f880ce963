"""``GraphExplorer``: step a computation graph forward and backward, with real numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import traitlets

from backprop_nb.errors import InvalidValueError, UnsupportedError
from backprop_nb.network import Network
from backprop_nb.tracing import Graph
from backprop_nb.views.explorer.figure import draw_graph
from backprop_nb.views.explorer.geometry import Geometry, cards_of, check_folded, geometry
from backprop_nb.views.explorer.scene import describe_graph, graph_scene
from backprop_nb.views.live_view import Replay
from backprop_nb.views.paper import Drawing
from backprop_nb.views.style import module, style_sheet

_PAGE_CARDS = 1500
"""So many cards may the geometries have that a page takes along."""


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
    ShapeError
        If the output of ``graph`` is not a single number.
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

    selected = traitlets.Unicode("", help="The node whose numbers are shown.").tag(sync=True)
    predict = traitlets.Unicode("off", help="What is asked before a step back.").tag(sync=True)
    predictions = traitlets.Dict(help="What has become of each question.").tag(sync=True)
    notation = traitlets.Unicode("numpy", help="How the backward pass is written.").tag(sync=True)
    score = traitlets.Dict(help="Predictions right at the first try, and asked.").tag(sync=True)

    folded = traitlets.List(traitlets.Unicode(), help="The groups shown as one card.").tag(
        sync=True
    )
    geometry = traitlets.Dict(help="Where things lie, as plain data.").tag(sync=True)

    def __init__(
        self,
        graph: Graph,
        *,
        step: int = 0,
        folded: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.graph = _checked(graph)
        scene = graph_scene(graph, graph.backward())
        self._names = {node["name"] for node in scene["nodes"]}
        self._geometries: dict[tuple[str, ...], Geometry] = {}
        first = check_folded(scene, scene["folded"] if folded is None else folded)
        self._geometries[tuple(first)] = places = geometry(scene, first)
        super().__init__(scene, step=step, folded=first, geometry=places, **kwargs)

    @property
    def groups(self) -> list[str]:
        """The ids of all groups, each after the one around it."""
        return [group["id"] for group in self.scene["groups"]]

    @traitlets.validate("folded")
    def _check_folded(self, proposal: Any) -> list[str]:
        return check_folded(self.scene, proposal["value"])

    @traitlets.observe("folded")
    def _lay_out(self, change: Any) -> None:
        self.geometry = self._geometry_of(self.folded)

    def _geometry_of(self, folded: Sequence[str]) -> Geometry:
        """Return where things lie in a state, which is worked out once."""
        key = tuple(folded)
        if key not in self._geometries:
            self._geometries[key] = geometry(self.scene, key)
        return self._geometries[key]

    @traitlets.default("score")
    def _no_score(self) -> dict[str, int]:
        return {"right": 0, "asked": 0}

    @traitlets.validate("predict")
    def _check_predict(self, proposal: Any) -> str:
        return _one_of(PREDICT, proposal["value"], "There is no such prediction.")

    @traitlets.validate("notation")
    def _check_notation(self, proposal: Any) -> str:
        return _one_of(NOTATIONS, proposal["value"], "There is no such notation.")

    @traitlets.observe("predict")
    def _begin_anew(self, _: Any) -> None:
        self.predictions, self.score = {}, self._no_score()

    @traitlets.validate("selected")
    def _check_selected(self, proposal: Any) -> str:
        name = str(proposal["value"])
        if name and name not in self._names:
            self.graph.node(name)  # says which names there are
        return name

    def _own_state(self) -> dict[str, Any]:
        # A page has no kernel to ask for another geometry; it takes some along.
        return super()._own_state() | {"geometries": list(self._near_geometries())}

    def _near_geometries(self) -> Iterator[Geometry]:
        """Yield what can be reached by turning groups over, the nearest first, within limits."""
        start, ids = tuple(self.folded), self.groups
        queue = deque(dict.fromkeys([start, tuple(ids), *self._turned(start), ()]))
        seen, known, cards = set(queue), set(), 0
        while queue:
            folded = queue.popleft()
            count = len(cards_of(self.scene, folded))
            if folded != start and cards + count > _PAGE_CARDS:
                continue
            found = self._geometry_of(folded)
            if tuple(found["folded"]) in known:
                continue
            known.add(tuple(found["folded"]))
            cards += count
            yield found
            further = [each for each in self._turned(folded) if each not in seen]
            seen.update(further)
            queue.extend(further)

    def _turned(self, folded: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Return what becomes of a state when one of the groups that show is turned over."""
        found, groups = self._geometry_of(folded), self.groups
        turners = [*found["cards"], *found["groups"]]
        shown = sorted(each["group"] for each in turners if "group" in each)
        ids = [groups[index] for index in shown]
        return [tuple(g for g in groups if (g in folded) != (g == name)) for name in ids]

    def describe(self) -> str:
        """Return the text twin: nodes and contributions with numbers, groups as they are folded."""
        return describe_graph(self.graph, self.folded)

    def draw(self, **options: Any) -> Drawing:
        """Return the picture at the shown step as a matplotlib figure."""
        if "folded" not in options:
            options["places"] = self.geometry
        return draw_graph(self.graph, **{"step": self.step, "scene": self.scene, **options})

    def static_figure(self) -> Drawing:
        """Return the whole replay, at its end."""
        return draw_graph(self.graph, scene=self.scene, places=self.geometry)

    def heading(self) -> str:
        """Return what a page of its own is called."""
        return f"Computation graph of {self.graph.function_name}"

    def __repr__(self) -> str:
        return (
            f"GraphExplorer({self.graph.function_name}, {len(self.graph.records)} nodes, "
            f"step {self.step} of {self.last_step})"
        )


def _one_of(known: Sequence[str], value: str, message: str) -> str:
    if value not in known:
        expected = f"one of {', '.join(map(repr, known))}"
        raise InvalidValueError(message, given=repr(value), expected=expected)
    return value
