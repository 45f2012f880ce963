"""A scene as a matplotlib figure: the same picture for paper, PDF and GitHub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.patches import FancyBboxPatch
from matplotlib.path import Path

from backprop_nb.errors import InvalidValueError
from backprop_nb.views.explorer.geometry import Geometry, check_folded, geometry
from backprop_nb.views.explorer.marks import BADGE
from backprop_nb.views.explorer.scene import Scene, alt_text, graph_scene
from backprop_nb.views.palette import Theme, diverging, ink
from backprop_nb.views.paper import Drawing, theme_named

if TYPE_CHECKING:
    from backprop_nb.tracing import Graph

_MARGIN = 14.0
_LEGEND = 34.0
_FONT = 8.0
_WIDEST = 3000.0
"""The largest width of a figure, in pixels at 100 dots an inch."""
_READABLE = 0.6
"""Texts are left out of a picture that is drawn smaller than this."""
_SERIF = "dejavuserif"
_PASSED = "gradient has passed"

# Where things lie inside a card, in pixels from its top left corner.
_INSET = 6.0
_TOP = 25.0
_TOP_FOLDED = 38.0


def draw_graph(
    graph: Graph,
    *,
    step: int | None = None,
    theme: Literal["light", "dark"] = "light",
    folded: Sequence[str] | None = None,
    scene: Scene | None = None,
    places: Geometry | None = None,
) -> Drawing:
    """Draw a computation graph with its values and adjoints.

    Parameters
    ----------
    graph
        A graph whose output is a single number.
    step
        The moment of the replay; by default the last, when all is known.
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
    'Computation graph of <lambda> with 2 nodes, from the inputs x to v1 = 9.'
    """
    colours = theme_named(theme)
    scene = scene or graph_scene(graph, graph.backward())
    last = len(scene["frames"]) - 1
    if step is not None and not 0 <= step <= last:
        raise InvalidValueError(
            "There is no such step.", given=f"step {step}", expected=f"a step from 0 to {last}"
        )
    if places is None:
        places = geometry(scene, scene["folded"] if folded is None else check_folded(scene, folded))
    alt = alt_text(graph, len(places["folded"]))
    return _Drawer(scene, places, last if step is None else step, colours, alt).figure


class _Drawer:
    """Draws one moment of a scene; everything is in pixels, the y axis points down."""

    def __init__(self, scene: Scene, places: Geometry, step: int, theme: Theme, alt: str) -> None:
        self.scene, self.places, self.theme = scene, places, theme
        self.frame = scene["frames"][step]
        self.past = scene["frames"][: step + 1]
        self.card_of = _card_of(scene, places)
        width = max(places["width"], _legend_width(scene)) + 2 * _MARGIN
        height = places["height"] + 2 * _MARGIN + _LEGEND
        # A long chain is drawn smaller, and below a certain size without its texts.
        self.scale = min(1.0, _WIDEST / width)
        size = (width / 100 * self.scale, height / 100 * self.scale)
        self.figure = Drawing(figsize=size, facecolor=theme["paper"])
        self.figure.alt = alt
        self.axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.axes.set_axis_off()
        self.axes.set_xlim(-_MARGIN, width - _MARGIN)
        self.axes.set_ylim(height - _MARGIN, -_MARGIN)
        self._groups()
        self._edges()
        self._cards()
        self._legend()

    def _text(self, x: float, y: float, text: str, colour: str, **options: Any) -> None:
        if self.scale < _READABLE:
            return
        style = {"fontsize": _FONT, "va": "center", **options}
        style["fontsize"] *= self.scale
        self.axes.text(x, y, text, color=self.theme.get(colour, colour), **style)

    def _box(self, box: tuple[float, ...], **options: Any) -> None:
        x, y, w, h = box
        style = f"round,pad=0,rounding_size={options.pop('rounding', 8)}"
        self.axes.add_patch(FancyBboxPatch((x, y), w, h, boxstyle=style, **options))

    def _groups(self) -> None:
        for group in self.places["groups"]:
            line = {"edgecolor": self.theme["line"], "linestyle": (0, (4, 3))}
            self._box(group["box"], facecolor="none", linewidth=0.8, zorder=0, **line)
            x, y, _, _ = group["box"]
            name = self.scene["groups"][group["group"]]["name"]
            self._text(x + 8, y + 8, _escape(name), "muted", fontsize=7)

    def _edges(self) -> None:
        spent = {gift["edge"] for frame in self.past for gift in frame["gifts"]}
        now = {gift["edge"] for gift in self.frame["gifts"]}
        into = {
            k
            for k, edge in enumerate(self.scene["edges"])
            if self.frame["phase"] == "forward" and edge["head"] == self.frame["node"]
        }
        paths, heads, colours, widths = [], [], [], []
        for edge in self.places["edges"]:
            points, of = edge["path"], set(edge["of"])
            back, forward = not of.isdisjoint(spent), not of.isdisjoint(into)
            role = "backward" if back else "forward" if forward else "edge"
            paths.append(Path(points, [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1)))
            heads.append(_arrow_head(points[::-1] if back else points))
            colours.append(self.theme[role])
            widths.append(2.2 if forward or not of.isdisjoint(now) else 1.0)
        self.axes.add_collection(
            PathCollection(paths, facecolor="none", edgecolor=colours, linewidth=widths, zorder=1)
        )
        self.axes.add_collection(
            PolyCollection(heads, facecolor=colours, edgecolor="none", zorder=3)
        )

    def _cards(self) -> None:
        known = {frame["node"] for frame in self.past if frame["phase"] == "forward"}
        known |= {k for k, node in enumerate(self.scene["nodes"]) if node["kind"] != "operation"}
        adjoints = self._adjoints()
        current = None if self.frame["node"] is None else self.card_of[self.frame["node"]]
        for number, card in enumerate(self.places["cards"]):
            if "node" in card:
                shown, top = card["node"], _TOP
                marks = self.scene["nodes"][shown].get("marks", ()) if shown in known else ()
                self._node(self.scene["nodes"][shown], card["box"], current=number == current)
            else:
                group = self.scene["groups"][card["group"]]
                shown, top = group["output"], _TOP_FOLDED
                marks = [m for m in card.get("marks", ()) if not known.isdisjoint(m["nodes"])]
                self._folded(group, card["box"], current=number == current)
            if shown is not None:
                self._heats(shown, card["box"], top, shown in known, adjoints.get(shown))
            self._marks(marks, *card["box"][:2])

    def _heats(
        self, index: int, box: Sequence[float], top: float, computed: bool, adjoint: Any
    ) -> None:
        """Draw the value of a node and, once known, its adjoint below it."""
        x, y, w, h = box
        node = self.scene["nodes"][index]
        constant = node["kind"] == "constant"
        row = h - top - _INSET if constant else (h - top - _INSET - 4) / 2
        left, wide = x + _INSET, w - 2 * _INSET
        if computed:
            self._heat(node["value"], "value", (left, y + top, wide, row))
        if adjoint is not None:
            self._heat(adjoint, "adjoint", (left, y + top + row + 4, wide, row))

    def _adjoints(self) -> dict[int, Any]:
        known: dict[int, Any] = {}
        for frame in self.past:
            if frame["phase"] == "seed":
                known[frame["node"]] = self.scene["nodes"][frame["node"]]["adjoint"]
            known |= {gift["parent"]: gift["sum"] for gift in frame["gifts"]}
        return known

    def _card(self, box: Sequence[float], current: bool, plain: bool, dashed: bool) -> None:
        theme = self.theme
        back = self.frame["phase"] != "forward"
        edge = theme["backward" if back else "forward"] if current else theme["line"]
        self._box(
            tuple(box),
            facecolor=theme["card" if plain else "panel"],
            edgecolor=edge,
            linewidth=2.2 if current else 1.0,
            linestyle=(0, (3, 2)) if dashed else "solid",
            zorder=2,
        )

    def _node(self, node: Mapping[str, Any], box: Sequence[float], current: bool) -> None:
        self._card(box, current, node["kind"] == "operation", node["kind"] == "constant")
        x, y, w, _ = box
        self._text(x + _INSET, y + 13, _escape(node["symbol"]), "muted", zorder=4)
        name = f"${node['latex']}$"
        self._text(
            x + w - _INSET, y + 13, name, "text",
            ha="right", fontsize=11, math_fontfamily=_SERIF, zorder=4,
        )  # fmt: skip

    def _folded(self, group: Mapping[str, Any], box: Sequence[float], current: bool) -> None:
        """Draw a folded group: a pile of cards, its name, and how many nodes are in it."""
        x, y, w, h = box
        for under in (6.0, 3.0):
            line = {"facecolor": self.theme["card"], "edgecolor": self.theme["line"]}
            self._box((x + under, y + under, w, h), linewidth=0.8, zorder=1.9, **line)
        self._card(box, current, plain=True, dashed=False)
        name = _escape(group["name"])
        self._text(x + _INSET, y + 13, name, "text", fontsize=8.5, weight="bold", zorder=4)
        self._text(x + _INSET, y + 27, f"{group['size']} nodes", "muted", fontsize=7, zorder=4)

    def _marks(self, marks: Sequence[Mapping[str, Any]], x: float, y: float) -> None:
        for mark in marks:
            left, top, size, _ = mark["box"]
            self._badge(self.scene["marks"][mark["look"]], x + left, y + top, size)

    def _badge(self, look: Mapping[str, Any], x: float, y: float, size: float) -> None:
        """Draw the badge of a mark with its top left corner at (x, y)."""
        lines = [
            [(x + size * a, y + size * b) for a, b in line]
            for line in (look["outline"], *look["sign"])
        ]
        ground, ink, rim = (self.theme[look[part]] for part in ("ground", "ink", "rim"))
        plate = PolyCollection(
            lines[:1], facecolor=ground, edgecolor=rim, linewidth=0.9 * self.scale, zorder=5
        )
        sign = LineCollection(
            lines[1:], colors=ink, linewidth=1.3 * self.scale, capstyle="round", zorder=6
        )
        self.axes.add_collection(plate)
        self.axes.add_collection(sign)

    def _heat(self, tensor: Mapping[str, Any], family: str, box: tuple[float, ...]) -> None:
        """Draw an array as cells; the few numbers of a short row are written into them."""
        shown = tensor["map"] or tensor
        rows, columns = shown["rows"], shown["columns"]
        colours = [diverging(self.theme, family, heat) for heat in shown["heat"]]
        corners = list(_cells(box, rows, columns))
        self.axes.add_collection(
            PolyCollection(
                [_rectangle(*corner) for corner in corners],
                facecolor=colours,
                edgecolor="face" if tensor["map"] else self.theme["card"],
                linewidth=0.2 if tensor["map"] else 0.6,
                zorder=3,
            )
        )
        if tensor["fits"]:
            for (x, y, w, h), colour, text in zip(corners, colours, tensor["short"], strict=True):
                style = {"ha": "center", "fontsize": 6.6, "zorder": 4}
                self._text(x + w / 2, y + h / 2, text, ink(colour), **style)

    def _legend(self) -> None:
        x, y = 0.0, self.places["height"] + _MARGIN + 8
        for family, scale in self.scene["legend"].items():
            steps = [_rectangle(x + 2.6 * k, y - 5, 2.7, 10) for k in range(21)]
            ramp = [diverging(self.theme, family, -1 + k / 10) for k in range(21)]
            self.axes.add_collection(PolyCollection(steps, facecolor=ramp, edgecolor="none"))
            self._text(x + 62, y, f"{family} {scale}", "muted")
            x += 62 + _text_width(f"{family} {scale}")
        line = LineCollection([[(x, y), (x + 22, y)]], colors=self.theme["backward"], linewidth=1.4)
        self.axes.add_collection(line)
        self._text(x + 28, y, _PASSED, "muted")
        x += 28 + _text_width(_PASSED)
        for look in self.scene.get("marks", ()):
            self._badge(look, x, y - BADGE / 2, BADGE)
            self._text(x + BADGE + 6, y, look["legend"], "muted")
            x += BADGE + 6 + _text_width(look["legend"])


def _card_of(scene: Scene, places: Geometry) -> list[int]:
    """Return for every node the number of the card that it is on."""
    nodes = {card["node"]: k for k, card in enumerate(places["cards"]) if "node" in card}
    groups = {card["group"]: k for k, card in enumerate(places["cards"]) if "group" in card}
    found = []
    for index, node in enumerate(scene["nodes"]):
        group = node["group"]
        while index not in nodes and group not in groups:
            group = scene["groups"][group]["parent"]
        found.append(nodes[index] if index in nodes else groups[group])
    return found


def _text_width(text: str) -> float:
    """Return the room a text of the legend takes, with the gap behind it."""
    return 6.2 * len(text) + 24


def _legend_width(scene: Scene) -> float:
    scales = [62 + _text_width(f"{family} {text}") for family, text in scene["legend"].items()]
    marks = [BADGE + 6 + _text_width(look["legend"]) for look in scene.get("marks", ())]
    return sum(scales) + 28 + _text_width(_PASSED) + sum(marks)


def _cells(box: tuple[float, ...], rows: int, columns: int) -> Iterator[tuple[float, ...]]:
    x, y, width, height = box
    w, h = width / max(columns, 1), height / max(rows, 1)
    for row in range(rows):
        for column in range(columns):
            yield x + column * w, y + row * h, w, h


def _rectangle(x: float, y: float, w: float, h: float) -> list[tuple[float, float]]:
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


def _arrow_head(points: list[tuple[float, float]], size: float = 7.0) -> list[tuple[float, float]]:
    (fx, fy), (x, y) = points[-2], points[-1]
    length = ((x - fx) ** 2 + (y - fy) ** 2) ** 0.5 or 1.0
    dx, dy = (x - fx) / length * size, (y - fy) / length * size
    return [(x, y), (x - dx - dy / 2, y - dy + dx / 2), (x - dx + dy / 2, y - dy - dx / 2)]


def _escape(text: str) -> str:
    """Keep a dollar sign in a learner's name from starting a formula."""
    return text.replace("$", r"\$")
