"""The scene of a chain rule as it goes to the browser: the same content, nothing said twice.

``chainUnpacked`` in ``chain_wire.mjs`` undoes this.  In Python a scene is what it always is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backprop_nb.views.explorer.wire import levels
from backprop_nb.views.formula import Formulas

Scene = dict[str, Any]

MATRIX = (
    *("name", "math", "family", "shape", "lit", "words", "picture", "numbers"),
    *("layout", "meaning", "zeros", "note"),
)
"""What a view is told of a matrix, in this order; LaTeX is for paper alone."""
FRAME = ("words", "title", "lines", "notes", "now", "done", "cost", "total", "run", "code")
WAYS = ("left", "right", "transposes")


def packed_chains(scene: Scene) -> Scene:
    """Return a scene whose matrices are told by their number, and keys only once."""
    formulas, shapes = Formulas(), _Shapes()
    place = {name: number for number, name in enumerate(scene["matrices"])}
    matrices = [_matrix(each, formulas, shapes) for each in scene["matrices"].values()]
    chains = {
        i: {
            **chain,
            "factors": [place[name] for name in chain["factors"]],
            "steps": [place[name] for name in chain["steps"]],
            **{way: [_frame(frame, place) for frame in chain[way]] for way in WAYS},
        }
        for i, chain in scene["chains"].items()
    }
    network = scene["network"]
    return {
        **scene,
        "matrix": MATRIX,
        "frame": FRAME,
        "matrices": matrices,
        "chains": chains,
        "network": {**network, "shapes": [shapes.row(each) for each in network["shapes"]]},
        "formulas": formulas.shapes,
        "shapes": shapes.known,
        "keys": shapes.keys,
    }


class _Shapes:
    """The shapes of pictures: what many matrices have in common once, and keys once."""

    def __init__(self) -> None:
        self.known: list[list[Any]] = []
        self.keys: list[list[str]] = []
        self._places: dict[str, int] = {}

    def row(self, shape: Mapping[str, Any]) -> list[Any]:
        """Return the values of a shape behind the number of its keys."""
        names = list(shape)
        if names not in self.keys:
            self.keys.append(names)
        return [self.keys.index(names), *shape.values()]

    def add(self, shape: Mapping[str, Any]) -> int | list[Any]:
        """Return the number of a shape; a heat map is itself, its heats as letters."""
        if shape["kind"] == "heat":
            return self.row({**shape, "heats": levels(shape["heats"])})
        row = self.row(shape)
        place = self._places.setdefault(repr(row), len(self.known))
        if place == len(self.known):
            self.known.append(row)
        return place


def _matrix(matrix: Mapping[str, Any], formulas: Formulas, shapes: _Shapes) -> list[Any]:
    picture, numbers = matrix["picture"], matrix["numbers"]
    told = {
        **matrix,
        "math": formulas.add(matrix["latex"]),
        "lit": _lit(matrix["lit"]),
        "words": matrix["words"].removeprefix(f"{matrix['name']}, {matrix['shape']}: "),
        "picture": [
            picture["width"],
            picture["height"],
            *(shapes.add(shape) for shape in picture["shapes"]),
        ],
        "numbers": numbers
        and {**numbers, "heat": levels(numbers["heat"]), "long": " ".join(numbers["long"])},
    }
    return [told.get(key, "") for key in MATRIX]


def _lit(lit: Sequence[str]) -> list[Any]:
    """Return the beginnings of keys by their letter, of those in a row the first and the last.

    >>> _lit(["A:1", "A:2", "f:1", "layer:1", "f:2", "layer:2", "L"])
    [['A', 1, 2], ['f', 1, 2], ['layer', 1, 2], ['L']]
    """
    numbers: dict[str, list[int]] = {}
    for key in lit:
        letter, _, number = key.partition(":")
        numbers.setdefault(letter, []).extend([int(number)] if number else [])
    return [[letter, *({of[0]: 0, of[-1]: 0} if of else ())] for letter, of in numbers.items()]


def _frame(frame: Mapping[str, Any], place: Mapping[str, int]) -> list[Any]:
    def told(items: Sequence[str]) -> list[int | str]:
        return [place.get(item, item) for item in items]

    words: list[Any] = [frame["words"]]
    for number, note in enumerate(frame["notes"]):
        before, found, after = words[-1].partition(note)
        if found:
            words[-1:] = [before, number, after]
    done = frame["done"]
    row = {
        **frame,
        "words": words,
        "title": told(frame["title"]),
        "lines": [[line["title"], *told(line["items"])] for line in frame["lines"]],
        "done": [done[0], done[-1]] if done else [],
    }
    return [row.get(key) for key in FRAME]
