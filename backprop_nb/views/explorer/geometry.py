"""Where everything of a scene lies, for each way in which its groups can be folded.

A folded group is one card; the edges that cross its border are merged, and those
inside it are not drawn.  The rest of the scene does not depend on what is folded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from backprop_nb.errors import NotFoundError
from backprop_nb.views.explorer import marks
from backprop_nb.views.explorer.grouping import outermost
from backprop_nb.views.explorer.layout import Box, layered

CARD = (106.0, 78.0)
CONSTANT_CARD = (106.0, 54.0)
"""Width and height of a card in pixels; a constant has no adjoint to show."""
FOLDED_CARD = (124.0, 92.0)
"""The smallest card of a folded group; a long name makes it wider."""
_LETTER = 7.0

Geometry = dict[str, Any]
Scene = dict[str, Any]


def check_folded(scene: Scene, folded: Sequence[str]) -> list[str]:
    """Return the groups in ``folded``, each once, in the scene's own order.

    Raises
    ------
    NotFoundError
        If there is no such group; the message lists those that there are.
    """
    known = [group["id"] for group in scene["groups"]]
    for name in folded:
        if name not in known:
            raise NotFoundError(
                f"The graph has no group {name!r}.",
                expected=f"some of {', '.join(map(repr, known[:12]))}"
                + (", …" if len(known) > 12 else "")
                if known
                else "an empty list: this graph has no groups",
            )
    wanted = set(folded)
    return [name for name in known if name in wanted]


def cards_of(scene: Scene, folded: Collection[str]) -> list[tuple[str, int]]:
    """Return what is to be seen: ``("node", index)`` or ``("group", index)``, in order."""
    return list(dict.fromkeys(_places(scene, folded)))


def _places(scene: Scene, folded: Collection[str]) -> Iterator[tuple[str, int]]:
    """Yield for every node the card that it is on."""
    groups = scene["groups"]
    out = outermost(
        [group["parent"] for group in groups],
        [k for k, group in enumerate(groups) if group["id"] in folded],
    )
    for index, node in enumerate(scene["nodes"]):
        group = None if node["group"] is None else out[node["group"]]
        yield ("node", index) if group is None else ("group", group)


def geometry(scene: Scene, folded: Collection[str]) -> Geometry:
    """Return boxes and paths of a scene in which some groups are folded.

    Returns
    -------
    dict
        ``width``, ``height``; ``folded``, the groups that are to be seen as a card;
        ``cards``, each with its ``box`` and its ``node`` or its ``group``;
        ``edges``, each with the cards at its ends, its ``path`` and the scene's
        edges it stands for (``of``); ``groups``, the open ones with their ``box``.
    """
    places = list(_places(scene, folded))
    cards = list(dict.fromkeys(places))
    at = {place: card for card, place in enumerate(cards)}
    edges = _merged(scene, [at[place] for place in places], cards)
    chains = _open_chains(scene, cards)
    members: dict[tuple[str, ...], list[int]] = {chain: [] for chain in chains.values()}
    for card, (kind, index) in enumerate(cards):
        around = scene["nodes"][index]["group"] if kind == "node" else _parent(scene, index)
        if around is not None:
            members[chains[around]].append(card)
    sizes = [_size(scene, kind, index) for kind, index in cards]
    weights = [max(_weight(scene, k) for k in of) for _, _, of in edges]
    layout = layered(sizes, [(tail, head) for tail, head, _ in edges], weights, members)
    return {
        "folded": [
            scene["groups"][k]["id"] for k in sorted(k for kind, k in cards if kind == "group")
        ],
        "width": _round(layout.width),
        "height": _round(layout.height),
        "cards": [
            {kind: index, "box": _rounded(box)} | _group_marks(scene, kind, index, box)
            for (kind, index), box in zip(cards, layout.nodes, strict=True)
        ],
        "edges": [
            {"tail": tail, "head": head, "of": of, "path": [list(map(_round, p)) for p in path]}
            for (tail, head, of), path in zip(edges, layout.edges, strict=True)
        ],
        "groups": [
            {"group": group, "box": _rounded(layout.groups[chain])}
            for group, chain in chains.items()
        ],
    }


def _merged(
    scene: Scene, card_of: Sequence[int], cards: Sequence[tuple[str, int]]
) -> list[tuple[int, int, list[int]]]:
    """Return the edges between cards, each with the scene's edges that it stands for."""
    merged: dict[tuple[int, int, int], list[int]] = {}
    for k, edge in enumerate(scene["edges"]):
        tail, head = card_of[edge["tail"]], card_of[edge["head"]]
        if tail == head:
            continue
        # Two uses of one value by one call are two edges; at a folded group they are one.
        own = k if cards[tail][0] == cards[head][0] == "node" else -1
        merged.setdefault((tail, head, own), []).append(k)
    return [(tail, head, of) for (tail, head, _), of in merged.items()]


def _open_chains(scene: Scene, cards: Sequence[tuple[str, int]]) -> dict[int, tuple[str, ...]]:
    """Return the open groups, each with the chain of groups that leads to it."""
    shown = {index for kind, index in cards if kind == "group"}
    chains: dict[int, tuple[str, ...]] = {}
    hidden: set[int] = set(shown)
    for index, group in enumerate(scene["groups"]):
        if group["parent"] in hidden:
            hidden.add(index)
        if index not in hidden:
            chains[index] = (*chains.get(group["parent"], ()), group["id"])
    return chains


def _parent(scene: Scene, group: int) -> int | None:
    parent: int | None = scene["groups"][group]["parent"]
    return parent


def _size(scene: Scene, kind: str, index: int) -> tuple[float, float]:
    if kind == "group":
        width, height = FOLDED_CARD
        return max(width, 34 + _LETTER * len(scene["groups"][index]["name"])), height
    return CONSTANT_CARD if scene["nodes"][index]["kind"] == "constant" else CARD


def _weight(scene: Scene, edge: int) -> int:
    # The chain of calls is the spine of the picture; its edges should run straight.
    return 8 if scene["nodes"][scene["edges"][edge]["tail"]]["kind"] == "operation" else 1


def _group_marks(scene: Scene, kind: str, index: int, box: Box) -> dict[str, Any]:
    """Return the health marks of what is folded: each kind once, with the nodes that have it."""
    if kind == "node" or "marks" not in scene:
        return {}
    found: dict[int, list[int]] = {}
    for member in members_of(scene, index):
        for mark in scene["nodes"][member].get("marks", ()):
            found.setdefault(mark["look"], []).append(member)
    badges = []
    for number, (look, nodes) in enumerate(sorted(found.items())):
        names = [scene["nodes"][node]["name"] for node in nodes]
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        text = f"{scene['marks'][look]['legend']}: {', '.join(names[:6])}{more}"
        place = marks.row(number, len(found), box[2])
        badges.append({"text": text, "look": look, "nodes": nodes, "box": place})
    return {"marks": badges} if badges else {}


def members_of(scene: Scene, group: int) -> list[int]:
    """Return all nodes of a group, those of the groups inside it too."""
    inside = {group}
    for index, each in enumerate(scene["groups"]):
        if each["parent"] in inside:
            inside.add(index)
    return [index for index, node in enumerate(scene["nodes"]) if node["group"] in inside]


def _round(number: float) -> float:
    return round(number, 1)


def _rounded(box: Box) -> list[float]:
    return [_round(number) for number in box]
