"""Where everything of a scene lies, for each way in which its groups can be folded.

A folded group is one card; the edges that cross its border are merged, and those
inside it are not drawn.  The rest of the scene does not depend on what is folded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from backprop_nb.errors import NotFoundError
from backprop_nb.views.explorer import badges
from backprop_nb.views.explorer.grouping import hidden_in
from backprop_nb.views.explorer.layout import layered
from backprop_nb.views.explorer.placement import Box
from backprop_nb.views.explorer.schema import CardMark, ExplorerGeometry, ExplorerScene

CARD = (106.0, 78.0)
CONSTANT_CARD = (106.0, 54.0)
"""Width and height of a card in pixels; a constant has no adjoint to show."""
FOLDED_CARD = (124.0, 92.0)
"""The smallest card of a folded group; a long name makes it wider."""
_LETTER = 7.0
_NAMES = 6
"""So many nodes with a mark are named on the card of a folded group."""

Card = tuple[int | None, int | None]
"""A folded group and the node that is its result (if it has one), or no group and a node."""


def check_folded(scene: ExplorerScene, folded: Sequence[str]) -> list[str]:
    """Return the groups in ``folded``, each once, in the scene's own order.

    Raises ``NotFoundError`` if there is no such group; the message lists those that there are.
    """
    known = [group["id"] for group in scene["groups"]]
    wanted, there = set(folded), set(known)
    for name in folded:
        if name not in there:
            more = ", …" if len(known) > 12 else ""
            raise NotFoundError(
                f"The graph has no group {name!r}.",
                expected=f"some of {', '.join(map(repr, known[:12]))}{more}"
                if known
                else "an empty list: this graph has no groups",
            )
    return [name for name in known if name in wanted]


def cards_of(scene: ExplorerScene, folded: Collection[str]) -> tuple[list[Card], list[int]]:
    """Return the cards that are to be seen, and for every node the number of the card it is on."""
    groups, wanted = scene["groups"], set(folded)
    hidden = hidden_in(
        [group["parent"] for group in groups],
        [node["group"] for node in scene["nodes"]],
        {index for index, group in enumerate(groups) if group["id"] in wanted},
    )
    numbers: dict[Card, int] = {}
    card_of = []
    for node, group in enumerate(hidden):
        card = (None, node) if group is None else (group, groups[group]["output"])
        card_of.append(numbers.setdefault(card, len(numbers)))
    return list(numbers), card_of


def shown_groups(scene: ExplorerScene, folded: Collection[str]) -> dict[int, bool]:
    """Return the groups that are in no folded one, each with whether it is a card itself."""
    found: dict[int, bool] = {}
    wanted = set(folded)
    for number, group in enumerate(scene["groups"]):
        if group["parent"] is None or found.get(group["parent"]) is False:
            found[number] = group["id"] in wanted
    return found


def geometry(scene: ExplorerScene, folded: Sequence[str]) -> ExplorerGeometry:
    """Return where the cards, edges and open groups of a scene lie when some groups are folded."""
    cards, card_of = cards_of(scene, folded)
    members: list[list[int]] = [[] for _ in cards]
    for node, card in enumerate(card_of):
        members[card].append(node)
    shown = shown_groups(scene, folded)
    groups = [group for group, is_card in shown.items() if not is_card]
    at: dict[int | None, int] = {group: number for number, group in enumerate(groups)}
    inside: dict[int, list[int]] = {group: [] for group in groups}
    for number, (group, _) in enumerate(cards):
        if group is None:
            around = scene["nodes"][members[number][0]]["group"]
        else:
            around = scene["groups"][group]["parent"]
        if around is not None:
            inside[around].append(number)
    edges = _merged(scene, cards, card_of)
    layout = layered(
        [_size(scene, *card) for card in cards],
        [(tail, head) for tail, head, _ in edges],
        [max(_weight(scene, k) for k in of) for _, _, of in edges],
        [(at.get(scene["groups"][group]["parent"]), of) for group, of in inside.items()],
    )
    return {
        "folded": list(folded),
        "width": _round(layout.width),
        "height": _round(layout.height),
        "card_of": card_of,
        "cards": [
            {
                "group": group,
                "node": node,
                "box": _rounded(box),
                "marks": _marks(scene, group, inner, box[2]),
            }
            for (group, node), box, inner in zip(cards, layout.nodes, members, strict=True)
        ],
        "edges": [
            {"tail": tail, "head": head, "of": of, "path": [list(map(_round, p)) for p in path]}
            for (tail, head, of), path in zip(edges, layout.edges, strict=True)
        ],
        "groups": [
            {"group": group, "box": _rounded(box)}
            for group, box in zip(groups, layout.groups, strict=True)
        ],
    }


def _merged(
    scene: ExplorerScene, cards: Sequence[Card], card_of: Sequence[int]
) -> list[tuple[int, int, list[int]]]:
    """Return the edges between cards, each with the scene's edges that it stands for."""
    merged: dict[tuple[int, int, int], list[int]] = {}
    for k, edge in enumerate(scene["edges"]):
        tail, head = card_of[edge["tail"]], card_of[edge["head"]]
        if tail != head:
            # Two uses of one value by one call are two edges; at a folded group they are one.
            own = k if cards[tail][0] is cards[head][0] is None else -1
            merged.setdefault((tail, head, own), []).append(k)
    return [(tail, head, of) for (tail, head, _), of in merged.items()]


def _size(scene: ExplorerScene, group: int | None, node: int | None) -> tuple[float, float]:
    if group is not None:
        width, height = FOLDED_CARD
        known = scene["groups"][group]
        below = 0 if node is None else len(scene["nodes"][node]["name"])
        lines = len(known["title"]), len(known["below"]) + below
        return max(width, 34 + _LETTER * max(lines)), height
    is_constant = node is not None and scene["nodes"][node]["kind"] == "constant"
    return CONSTANT_CARD if is_constant else CARD


def _weight(scene: ExplorerScene, edge: int) -> int:
    # The chain of calls is the spine of the picture; its edges should run straight.
    return 8 if scene["nodes"][scene["edges"][edge]["tail"]]["kind"] == "operation" else 1


def _marks(
    scene: ExplorerScene, group: int | None, members: Sequence[int], width: float
) -> list[CardMark]:
    """Return the badges on a card, in the middle of its upper edge.

    Each has its text and the nodes that it is about; a folded group has one of each style.
    """
    marks = [(node, mark) for node in members for mark in scene["nodes"][node]["marks"]]
    found = [(mark["style"], mark["text"], [node]) for node, mark in marks]
    if group is not None:
        by_style: dict[int, list[int]] = {}
        for node, mark in marks:
            by_style.setdefault(mark["style"], []).append(node)
        found = [(style, _summary(scene, style, of), of) for style, of in sorted(by_style.items())]
    boxes = badges.row(len(found), width)
    return [
        {"style": style, "text": text, "nodes": nodes, "box": box}
        for (style, text, nodes), box in zip(found, boxes, strict=True)
    ]


def _summary(scene: ExplorerScene, style: int, nodes: Sequence[int]) -> str:
    """Say which nodes of a folded group have a mark."""
    names = [scene["nodes"][node]["name"] for node in nodes]
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return f"{scene['marks'][style]['legend']}: {', '.join(names[:_NAMES])}{more}"


def _round(number: float) -> float:
    return round(number, 1)


def _rounded(box: Box) -> list[float]:
    return [_round(number) for number in box]
