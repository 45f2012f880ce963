"""A picture as lines that a reader can follow, for the snapshots of scenes."""

from collections.abc import Iterator, Mapping
from typing import Any


def shapes(picture: Mapping[str, Any], step: int = 10) -> Iterator[str]:
    """Say what a picture's texts are and where its named shapes lie, rounded to some pixels."""

    def near(*numbers: float) -> str:
        return ", ".join(str(step * round(number / step)) for number in numbers)

    yield f"{picture['width']:g} x {picture['height']:g}: {picture['alt'] or 'no alternative'}"
    for shape in picture["shapes"]:
        when = f" from step {shape['since']}" if "since" in shape else ""
        key = f" {shape['key']}" if "key" in shape else ""
        if shape["kind"] == "text":
            yield f"  ‘{shape['text']}{shape.get('sub', '')}’ at {near(*shape['at'])}{key}{when}"
        elif key:
            points = shape.get("points") or [shape.get("centre") or shape["box"][:2]]
            to = f" to {near(*points[-1])}" if len(points) > 1 else ""
            colour = shape.get("fill") or shape.get("stroke") or shape.get("family")
            if not isinstance(colour, str):
                colour = f"{colour[0]} {colour[1]:.1f}"
            yield f"  {shape['kind']}{key}, {colour}, at {near(*points[0])}{to}{when}"
