"""A scene as a static picture: the same cards, edges and groups for paper, PDF and GitHub."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from backprop_nb.meant import suggesting
from backprop_nb.tracing import Graph
from backprop_nb.tracing.emit.notation import name_to_latex
from backprop_nb.views import numbers
from backprop_nb.views.explorer import badges
from backprop_nb.views.explorer.description import alt_text
from backprop_nb.views.explorer.geometry import CONSTANT_CARD, check_folded, geometry
from backprop_nb.views.explorer.scene import graph_scene
from backprop_nb.views.explorer.schema import (
    BadgeStyle,
    ExplorerCard,
    ExplorerGeometry,
    ExplorerScene,
)
from backprop_nb.views.paper import GAP, READABLE, Drawing, draw_pictures
from backprop_nb.views.picture import Picture, cut
from backprop_nb.views.schema import Family, Point
from backprop_nb.views.state import integer

_LEGEND = 34.0
_LINE = 18.0
_WIDEST = 3000.0
"""The largest width of a figure in pixels."""
_SCREEN = 1920.0
_LINE_OF = 1700.0
"""A picture that could not be read on such a screen goes on in lines about as wide as this."""
_MOST_LINES = 16
"""In so many lines at most; what is wider still is drawn smaller."""
_PASSED = "gradient has passed"
_RAMP = [-1 + k / 10 for k in range(21)]

# Where things lie inside a card, in pixels.
_INSET = 6.0
_TOP = 25.0
_TOP_FOLDED = 38.0
_GAP = 4.0
_PILE = 6.0
"""So far the cards stick out that lie under the one of a folded group."""
_LETTER = 6.2
"""About how wide a letter of a small text is."""
_BROAD = 0.6
"""About how wide a letter of a name is, for its size."""


@suggesting
def draw_graph(
    graph: Graph,
    *,
    step: int | None = None,
    theme: Literal["light", "dark"] = "light",
    folded: Sequence[str] | None = None,
    scene: ExplorerScene | None = None,
    places: ExplorerGeometry | None = None,
) -> Drawing:
    """Draw a computation graph with its values and adjoints.

    Parameters
    ----------
    graph
        Any graph; one whose output is an array is drawn with its values alone.
    step
        The step of the replay; by default the last, when all is known.
    theme
        ``"light"`` or ``"dark"``.
    folded
        The groups that are drawn as one card; by default those of a large graph.
    scene, places
        The graph's scene and its geometry, if they have been made already.

    Returns
    -------
    Drawing
        A matplotlib figure with an ``alt`` text.

    Raises
    ------
    InvalidValueError
        If there is no such step or theme.
    NotFoundError
        If there is no such group.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> figure = bp.trace(lambda x: x**2, 3.0).draw()
    >>> figure.alt
    'Computation graph of <lambda> with 2 nodes, from the input x to v1 = 9.'
    """
    scene = scene or graph_scene(graph, on_paper=True)
    last = len(scene["frames"]) - 1
    shown = last if step is None else integer(0, last)(None, "step", step)
    if places is None:
        places = geometry(scene, scene["folded"] if folded is None else check_folded(scene, folded))
    drawn = _GraphPicture(scene, places, shown)
    alt = alt_text(graph, sum(card["group"] is not None for card in places["cards"]))
    lines = [drawn.picture.data()]
    if not is_readable(places):
        lines = cut(lines[0], drawn.between(), max(_LINE_OF, places["width"] / _MOST_LINES))
    rows = [[each] for each in (*lines, drawn.legend.data())]
    return draw_pictures(rows, alt=alt, theme=theme, widest=_WIDEST)


def is_readable(places: ExplorerGeometry) -> bool:
    """Return whether a screen has room for the texts on its cards in one line."""
    return places["width"] * READABLE <= _SCREEN


class _GraphPicture:
    """Makes the picture of a scene at one step of its replay."""

    def __init__(self, scene: ExplorerScene, places: ExplorerGeometry, step: int) -> None:
        self.scene, self.places = scene, places
        self.frame, self.past = scene["frames"][step], scene["frames"][: step + 1]
        room = _LEGEND + _LINE * bool(self._folded_away())
        self.picture = Picture(places["width"], places["height"])
        self.legend = Picture(0, room - GAP)
        for group in places["groups"]:
            x, y, _, _ = group["box"]
            self.picture.rect(group["box"], stroke="line", width=1.1, dash=(4.4, 3.3), radius=8)
            name = scene["groups"][group["group"]]["name"]
            self.picture.text((x + 8, y + 8), name, fill="muted", size=10)
        self._edges()
        self._cards()
        self.legend.width = self._legend()

    def between(self) -> list[float]:
        """Return where the picture can be cut from top to bottom: no card, no name is there."""
        taken = [(x, x + w + _PILE) for x, _, w, _ in (c["box"] for c in self.places["cards"])]
        for group in self.places["groups"]:
            name, x = self.scene["groups"][group["group"]]["name"], group["box"][0]
            taken.append((x, x + 8 + _LETTER * len(name)))
        cuts, end = [], math.inf
        for left, right in sorted(taken):
            if left > end:
                cuts.append((end + left) / 2)
            end = right if math.isinf(end) else max(end, right)
        return cuts

    def _edges(self) -> None:
        frame = self.frame
        spent = {given["edge"] for past in self.past for given in past["contributions"]}
        now = {given["edge"] for given in frame["contributions"]}
        into = {
            number
            for number, edge in enumerate(self.scene["edges"])
            if frame["phase"] == "forward" and edge["head"] == frame["node"]
        }
        for edge in self.places["edges"]:
            path, of = edge["path"], set(edge["of"])
            role = "backward" if of & spent else "forward" if of & into else "edge"
            self.picture.curve(path, stroke=role, width=3.0 if of & (into | now) else 1.4)
            head = _arrow_head(path[1::-1] if of & spent else path[-2:])
            self.picture.line(head, fill=role, close=True)

    def _cards(self) -> None:
        nodes = self.scene["nodes"]
        known = {frame["node"] for frame in self.past if frame["phase"] == "forward"}
        known |= {index for index, node in enumerate(nodes) if node["kind"] != "operation"}
        adjoints = {
            given["parent"]: given["total"] for past in self.past for given in past["contributions"]
        }
        output = self.scene["output"]
        if any(frame["phase"] == "seed" for frame in self.past):
            adjoints[output] = nodes[output]["adjoint"]
        at = self.frame["node"]
        current = None if at is None else self.places["card_of"][at]
        for number, card in enumerate(self.places["cards"]):
            self._card(card, is_current=number == current)
            x, y, _, _ = card["box"]
            for mark in card["marks"]:
                if not known.isdisjoint(mark["nodes"]):
                    left, top, _, _ = mark["box"]
                    self._badge(self.picture, self.scene["marks"][mark["style"]], x + left, y + top)
            node = card["node"]
            if node is not None and node in known:
                self._heat(card, nodes[node]["value"], "value")
            if node is not None:
                self._heat(card, adjoints.get(node), "adjoint")

    def _card(self, card: ExplorerCard, is_current: bool) -> None:
        """Draw a card with its texts; a folded group is a pile of cards with a name."""
        picture, box = self.picture, card["box"]
        x, y, w, h = box
        way = "forward" if self.frame["phase"] == "forward" else "backward"
        rim, width = (way, 3.0) if is_current else ("line", 1.4)
        if card["group"] is not None:
            group = self.scene["groups"][card["group"]]
            for under in (_PILE, _PILE / 2):
                picture.rect(
                    (x + under, y + under, w, h), fill="card", stroke="line", width=1.1, radius=8
                )
            picture.rect(box, fill="card", stroke=rim, width=width, radius=8)
            picture.text((x + _INSET, y + 13), group["title"], size=12, bold=True)
            picture.text((x + _INSET, y + 27), group["below"], fill="muted", size=10)
            return
        if card["node"] is None:
            return
        node = self.scene["nodes"][card["node"]]
        ground = "card" if node["kind"] == "operation" else "panel"
        dash = (4.2, 2.8) if node["kind"] == "constant" else ()
        picture.rect(box, fill=ground, stroke=rim, width=width, radius=8, dash=dash)
        if node["symbol"]:
            picture.text((x + _INSET, y + 13), node["symbol"], fill="muted", size=11)
        room = w - 2 * _INSET - (_LETTER * len(node["symbol"]) + 6 if node["symbol"] else 0)
        latex, size = _name_within(room, node["name"], node["latex"])
        picture.text((x + w - _INSET, y + 13), latex, anchor="end", italic=True, size=size)

    def _heat(self, card: ExplorerCard, number: int | None, family: Family) -> None:
        """Draw an array on a card, the adjoint below the value."""
        if number is None:
            return
        tensor = self.scene["tensors"][number]
        x, y, w, h = card["box"]
        folded = card["group"] is not None
        top = _TOP_FOLDED if folded else _TOP
        room = h - top - _INSET
        height = room if h == CONSTANT_CARD[1] else (room - _GAP) / 2
        y += top + (0 if family == "value" else height + _GAP)
        shown = tensor["map"] or tensor
        if not shown["heat"]:  # a mask that picks nothing leaves an array without entries
            return
        self.picture.heat(
            (x + _INSET, y, w - 2 * _INSET, height),
            shown["columns"],
            numbers.unpacked_heats(shown["heat"]),
            family,
            texts=tensor["short"],
            gap=0 if tensor["map"] else 0.8,
            size=9.2,
        )

    def _badge(self, picture: Picture, style: BadgeStyle, x: float, y: float) -> None:
        """Draw the badge of a mark with its top left corner at (x, y)."""

        def at(line: Sequence[Point]) -> list[tuple[float, float]]:
            return [(x + badges.SIZE * a, y + badges.SIZE * b) for a, b in line]

        picture.line(
            at(style["outline"]), fill=style["ground"], stroke=style["rim"], width=1.2, close=True
        )
        for line in style["sign"]:
            picture.line(at(line), stroke=style["ink"], width=1.8)

    def _legend(self) -> float:
        """Draw the legend below the picture, and return its width."""
        x, y = 0.0, 22 - GAP

        def explained(width: float, text: str) -> None:
            nonlocal x
            self.legend.text((x + width + 6, y), text, fill="muted", size=11)
            x += width + 6 + _LETTER * len(text) + 24

        legend = self.scene["legend"]
        scales: dict[Family, str] = {"value": legend["value"]}
        if any(
            frame["phase"] == "seed" for frame in self.past
        ):  # how large they get is for the reader to find out
            scales["adjoint"] = legend["adjoint"]
        for family, scale in scales.items():
            if scale:
                self.legend.heat((x, y - 5, 56, 10), len(_RAMP), _RAMP, family, gap=0)
                explained(56, f"{family} {scale}")
        if self.scene["note"]:
            explained(0, self.scene["note"])
        elif any(frame["contributions"] for frame in self.past):
            self.legend.line([(x, y), (x + 22, y)], stroke="backward", width=1.9)
            explained(22, _PASSED)
        for style in self.scene["marks"]:
            self._badge(self.legend, style, x, y - badges.SIZE / 2)
            explained(badges.SIZE, style["legend"])
        width = x
        if away := self._folded_away():
            x, y = -6.0, y + _LINE
            explained(0, away)
        return max(width, x)

    def _folded_away(self) -> str:
        """Say how much the picture leaves out, and how to see it."""
        groups = [card["group"] for card in self.places["cards"] if card["group"] is not None]
        if not groups:
            return ""
        inside = sum(self.scene["groups"][group]["size"] for group in groups)
        return (
            f"{inside:,} of {len(self.scene['nodes']):,} nodes are folded away: graph.explore() "
            "opens them, graph.draw(folded=[…]) folds only what it names."
        )


def _name_within(room: float, name: str, latex: str) -> tuple[str, float]:
    r"""Return a name as a formula, and its size: smaller where it is long, then with an ellipsis.

    >>> _name_within(60, "weights_of_a_layer", "")
    ('\\mathrm{weights\\_}\\ldots', 11.0)
    """
    size = min(15.0, max(11.0, room / (_BROAD * max(1, len(name)))))
    most = int(room / (_BROAD * size))
    if len(name) <= most:
        return latex, size
    return rf"{name_to_latex(name[: max(1, most - 1)])}\ldots", size


def _arrow_head(line: Sequence[Point]) -> list[tuple[float, float]]:
    """Return the corners of the head of an arrow along a line from point to point."""
    (fx, fy), (x, y) = line
    length = ((x - fx) ** 2 + (y - fy) ** 2) ** 0.5 or 1.0
    dx, dy = 7.0 * (x - fx) / length, 7.0 * (y - fy) / length
    return [(x, y), (x - dx - dy / 2, y - dy + dx / 2), (x - dx + dy / 2, y - dy - dx / 2)]
