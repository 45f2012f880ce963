"""A picture as lines that a reader can follow, for the snapshots of scenes."""

from collections.abc import Iterator, Mapping
from typing import Any

from matplotlib.figure import Figure

from backprop_nb.views.chart import text_width


def shapes(picture: Mapping[str, Any], step: int = 10) -> Iterator[str]:
    """Say what a picture's texts are and where its named shapes lie, rounded to some pixels."""

    def near(*numbers: float) -> str:
        return ", ".join(str(step * round(number / step)) for number in numbers)

    yield f"{picture['width']:g} x {picture['height']:g}: {picture['alt'] or 'no alternative'}"
    for shape in picture["shapes"]:
        when = f" from step {shape['since']}" if "since" in shape else ""
        key = f" {shape['key']}" if "key" in shape else ""
        if shape["kind"] == "text":
            text = shape.get("text", "") + shape.get("sub", "")
            yield f"  ‘{text}’ at {near(*shape['at'])}{key}{when}"
        elif key:
            points = shape.get("points") or [shape.get("centre") or shape["box"][:2]]
            to = f" to {near(*points[-1])}" if len(points) > 1 else ""
            colour = shape.get("fill") or shape.get("stroke") or shape.get("family")
            if not isinstance(colour, str):
                colour = f"{colour[0]} {colour[1]:.1f}"
            yield f"  {shape['kind']}{key}, {colour}, at {near(*points[0])}{to}{when}"


def texts(picture: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the texts of a picture."""
    return [shape for shape in picture["shapes"] if shape["kind"] == "text"]


def written(picture: Mapping[str, Any]) -> list[str]:
    """Return all that is written in a picture, in its cells too."""
    return [
        text
        for shape in picture["shapes"]
        for text in ([shape["text"]] if shape["kind"] == "text" else shape.get("texts", []))
    ]


def drawn(figure: Figure) -> list[str]:
    """Return the texts of a picture on paper."""
    return [text.get_text() for text in figure.axes[0].texts]


def cut_off(picture: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of a picture that do not end within it, on the safe side."""
    for text in texts(picture):
        width = text_width(text["text"] + text.get("sub", ""), text["size"])
        if text.get("turned"):
            width = text["size"]
        left = text["at"][0] - {"start": 0, "middle": width / 2, "end": width}[text["anchor"]]
        if left < -1 or left + width > picture["width"] + 1:
            yield text["text"]
