"""Which foldings a page takes along, which has no kernel to ask for another geometry."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Mapping

from backprop_nb.views.explorer.schema import ExplorerGeometry, ExplorerScene, FoldedState

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

    Now those in ``start`` are folded, which are in the scene's order.
    """
    groups = _Groups(scene)
    first, everything = groups.numbers(start), frozenset(range(len(groups.ids)))
    none = frozenset[int]()
    queue = deque([(first, none), (everything, none)])
    queue.extend((first, frozenset({group})) for group in groups.shown(first))
    queue.append((none, none))
    known: dict[frozenset[tuple[int, bool]], frozenset[int]] = {}  # by what shows
    cards = 0
    while queue:
        before, turned = queue.popleft()
        folded = before ^ turned
        shown = groups.shown(folded)
        count = groups.cards(shown)
        if (key := frozenset(shown.items())) in known or (known and cards + count > _MAX_CARDS):
            continue
        known[key] = folded
        cards += count
        queue.extend((folded, frozenset({group})) for group in shown)
    states: list[FoldedState] = []
    for key, folded in known.items():
        nearest = {
            groups.ids[group]: _nearest(known, groups.shown(folded ^ {group}), group)
            for group, _ in sorted(key)
        }
        turns = {group: number for group, number in nearest.items() if number is not None}
        states.append({"geometry": geometry_of(groups.names(folded)), "turned": turns})
    return states


class _Groups:
    """The groups of a scene, asked for what shows in many states: each takes what shows alone."""

    def __init__(self, scene: ExplorerScene) -> None:
        self.ids = [group["id"] for group in scene["groups"]]
        self._own = Counter(node["group"] for node in scene["nodes"])
        self._inside: dict[int | None, list[int]] = defaultdict(list)
        for number, group in enumerate(scene["groups"]):
            self._inside[group["parent"]].append(number)

    def numbers(self, folded: Folded) -> frozenset[int]:
        """Return groups by their numbers."""
        wanted = set(folded)
        return frozenset(number for number, group in enumerate(self.ids) if group in wanted)

    def names(self, folded: frozenset[int]) -> Folded:
        """Return groups by their ids, in the scene's order."""
        return tuple(self.ids[number] for number in sorted(folded))

    def shown(self, folded: frozenset[int]) -> dict[int, bool]:
        """Return the groups that are in no folded one, each with whether it is a card itself."""
        found = list(self._inside[None])
        for group in found:  # which grows
            if group not in folded:
                found += self._inside[group]
        return {group: group in folded for group in sorted(found)}

    def cards(self, shown: Mapping[int, bool]) -> int:
        """Return how many cards there are where these groups show."""
        return self._own[None] + sum(
            1 if is_card else self._own[group] for group, is_card in shown.items()
        )


def _nearest(
    known: Collection[frozenset[tuple[int, bool]]], wished: Mapping[int, bool], group: int
) -> int | None:
    """Return the known state with one group as it is wished, and as little else changed."""
    fit = [
        (len(shown ^ wished.items()), k)
        for k, shown in enumerate(known)
        if (group, wished[group]) in shown
    ]
    return min(fit, default=(0, None))[1]
