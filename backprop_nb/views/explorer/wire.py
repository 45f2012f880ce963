"""A scene as it goes to the browser: the same content, without saying anything twice.

``unpacked`` in ``scene.mjs`` undoes this.  In Python a scene is what it always is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backprop_nb.views.numbers import tensor_words

Scene = dict[str, Any]

NODE = (
    *("name", "title", "kind", "symbol", "text", "names", "formula", "source"),
    *("parents", "value", "adjoint", "group", "code", "marks"),
)
"""What a view is told of a node, in this order; LaTeX is for paper alone."""
GIFT = (
    *("parent", "edge", "line", "names", "formula", "symbol"),
    *("factors", "value", "arrival", "arrivals", "sum", "ask"),
)
ASK = ("entry", "at", "value", "wrong", "rule", "numbers")

LEVELS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcde"
"""The heat of a map's cell from -1 to 1, in twentieths."""


def packed(scene: Scene) -> Scene:
    """Return a scene in which equal arrays are sent once, and keys only with the first row."""
    tensors = _Tensors()
    nodes = [
        {**node, "value": tensors.add(node["value"]), "adjoint": tensors.add(node["adjoint"])}
        for node in scene["nodes"]
    ]
    frames = [_frame(frame, scene, tensors) for frame in scene["frames"]]
    return {
        **scene,
        "node": NODE,
        "gift": GIFT,
        "ask": ASK,
        "nodes": [[node.get(key) for key in NODE] for node in nodes],
        "edges": [[edge["tail"], edge["head"]] for edge in scene["edges"]],
        "frames": frames,
        "tensors": tensors.rows,
    }


def _frame(frame: Mapping[str, Any], scene: Scene, tensors: _Tensors) -> list[Any]:
    """Return phase, node, words, gifts and question; arrays in words are told by their number."""
    gifts = [
        {
            **gift,
            "value": tensors.add(gift["value"]),
            "sum": tensors.add(gift["sum"]),
            "ask": _question(gift["ask"]),
            "factors": [
                [
                    *(factor["text"], factor["names"], factor["family"][0]),
                    tensors.add(factor["value"]),
                ]
                for factor in gift["factors"]
            ],
        }
        for gift in frame["gifts"]
    ]
    said = [gift["value"] for gift in frame["gifts"]]
    if frame["phase"] == "forward":
        said = [scene["nodes"][frame["node"]]["value"]]
    if frame["phase"] == "backward":
        said.insert(0, scene["nodes"][frame["node"]]["adjoint"])
    words: list[Any] = [frame["words"]]
    for tensor in said:
        before, found, after = words[-1].partition(tensor_words(tensor))
        if found and len(found) > 4:
            words[-1:] = [before, tensors.add(tensor), after]
    rows = [[gift[key] for key in GIFT] for gift in gifts]
    return [frame["phase"], frame["node"], words, rows, _question(frame.get("ask"))]


def _question(ask: Mapping[str, Any] | None) -> list[Any] | None:
    return None if ask is None else [ask[key] for key in ASK]


class _Tensors:
    """Arrays as rows of numbers and texts, each once."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self._known: dict[Any, int] = {}

    def add(self, tensor: Mapping[str, Any] | None) -> int | None:
        """Return the number of an array."""
        if tensor is None:
            return None
        row = _tensor_row(tensor)
        key = repr(row)
        if key not in self._known:
            self._known[key] = len(self.rows)
            self.rows.append(row)
        return self._known[key]


def _tensor_row(tensor: Mapping[str, Any]) -> list[Any]:
    heat: Sequence[float] = tensor["heat"]
    return [
        tensor["shape"],
        tensor["rows"],
        tensor["columns"],
        [round(100 * each) for each in heat],
        tensor["long"],
        tensor["short"] if tensor["fits"] else 0,
        tensor["omitted"],
        *([_map_row(tensor["map"])] if tensor["map"] else []),
    ]


def _map_row(found: Mapping[str, Any]) -> list[Any]:
    return [found["rows"], found["columns"], found["block"], levels(found["heat"]), found["long"]]


def levels(heats: Sequence[float]) -> str:
    """Return heats from -1 to 1 as one letter each, in steps that no eye tells apart.

    >>> levels([-1.0, 0.0, 0.98])
    '0Ke'
    """
    return "".join(LEVELS[round(20 * each) + 20] for each in heats)
