"""Which foldings a page takes along, which has no kernel to ask for another geometry."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from backprop_nb.views.explorer.geometry import cards_of, shown_groups
from backprop_nb.views.schema import ExplorerGeometry, ExplorerScene, FoldedState

_MAX_CARDS = 1500
"""So many cards may the geometries have, taken together."""

Folded = tuple[str, ...]


def stops(scene: ExplorerScene, places: ExplorerGeometry) -> list[int]:
    """Return the steps where a reader stops: a folded group takes one, as in ``folding.mjs``."""
    found: list[int] = []
    before = None
    for step, frame in enumerate(scene["frames"]):
        node, here = frame["node"], None
        if node is not None and places["cards"][places["card_of"][node]]["group"] is not None:
            here = frame["phase"], places["card_of"][node]
        if here is not None and here == before:
            found.pop()
        found.append(step)
        before = here
    return found


def to_be_told(scene: ExplorerScene, places: ExplorerGeometry) -> tuple[list[int], set[int]]:
    """Return the steps where a reader stops, and the nodes that are on cards."""
    nodes = {card["node"] for card in places["cards"] if card["node"] is not None}
    return stops(scene, places), nodes


def near_states(
    scene: ExplorerScene, start: Folded, geometry_of: Callable[[Folded], ExplorerGeometry]
) -> list[FoldedState]:
    """Return what can be reached by turning groups over, the nearest first, within limits.

    Parameters
    ----------
    scene
        The scene.
    start
        The groups that are folded now, in the scene's order.
    geometry_of
        Lays the scene out.
    """
    everything = tuple(group["id"] for group in scene["groups"])
    queue = deque([start, everything, *_turned(scene, start).values(), ()])
    known: dict[frozenset[tuple[int, bool]], Folded] = {}  # by what shows
    cards = 0
    while queue:
        folded = queue.popleft()
        shown = frozenset(shown_groups(scene, folded).items())
        count = len(cards_of(scene, folded)[0])
        if shown in known or (known and cards + count > _MAX_CARDS):
            continue
        known[shown] = folded
        cards += count
        queue.extend(_turned(scene, folded).values())
    return [
        {
            "geometry": geometry_of(folded),
            "turned": {
                group: number
                for group, wish in _turned(scene, folded).items()
                if (number := _nearest(scene, list(known), wish, group)) is not None
            },
        }
        for folded in known.values()
    ]


def _turned(scene: ExplorerScene, folded: Folded) -> dict[str, Folded]:
    """Return for each group that shows what is folded when it has been turned over."""
    ids = [group["id"] for group in scene["groups"]]
    turners, wanted = [ids[number] for number in shown_groups(scene, folded)], set(folded)
    return {
        turned: tuple(group for group in ids if (group in wanted) != (group == turned))
        for turned in turners
    }


def _nearest(
    scene: ExplorerScene, known: list[frozenset[tuple[int, bool]]], wish: Folded, group: str
) -> int | None:
    """Return the known state with one group as it is wished, and as little else changed."""
    wished = shown_groups(scene, wish)
    number = next(k for k in wished if scene["groups"][k]["id"] == group)
    fit = [k for k, shown in enumerate(known) if (number, wished[number]) in shown]
    return min(fit, key=lambda k: len(known[k] ^ wished.items()), default=None)
