"""The chain rule as a matplotlib figure: equation, heat maps, a step, the network, the costs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from backprop_nb.views.chain.schema import ChainMatrix, ChainScene
from backprop_nb.views.chart import text_width
from backprop_nb.views.paper import Drawing, draw_pictures
from backprop_nb.views.picture import Picture, Point, patched
from backprop_nb.views.schema import PictureData

WIDTH = 1300.0
"""Where a row of matrices goes on in the next one, in pixels."""
HEAD, GAP = 62.0, 12.0
_SIGN = 22.0
_CHARACTERS = 150
"""So many characters of a note stand in a line."""


def draw_chain(
    scene: ChainScene, i: int, way: str, step: int, theme: Literal["light", "dark"]
) -> Drawing:
    """Draw a step of the chain for θ_i, one of the frames that a way has."""
    chain, matrices = scene["chains"][str(i)], scene["matrices"]
    frames = chain["frames"][way]
    frame, product = frames[step], way != "transposes"
    if product:
        factors = [_name(chain["name"]), _sign("=")]
        factors += [_labelled(matrices[name]) for name in chain["factors"]]
        beside = [patched(chain["costs"], frame["paid"])]
    else:
        factors, beside = [_labelled(matrices[name]) for name in chain["steps"]], []
    rows: list[Sequence[Mapping[str, Any]]]
    rows = [[_title(f"Equation [chain-general], i = {i}"), _general()], *_rows(factors)]
    rows.append([_title(f"Step {step} of {len(frames) - 1}")])
    for line in frame["lines"]:
        if line["title"]:
            rows.append([_note(line["title"])])
        items = line["items"]
        rows += _rows(_labelled(matrices[x]) if x in matrices else _sign(x) for x in items)
    rows += [[_note(note)] for note in frame["notes"]]
    rows.append([scene["network"], *beside])
    rows += [[_note(text)] for text in chain["why"]] if product else []
    rows.append([_legend(scene["legend"])])
    return draw_pictures(rows, alt=scene["alt"], theme=theme)


def _rows(pictures: Iterable[Picture]) -> list[list[PictureData]]:
    """Return matrices and signs in as many rows as they need."""
    rows: list[list[Picture]] = [[]]
    for picture in pictures:
        if rows[-1] and sum(p.width + GAP for p in rows[-1]) + picture.width > WIDTH:
            # A sign goes with what it stands in front of.
            sign = [rows[-1].pop()] if rows[-1][-1].width == _SIGN else []
            rows.append(sign)
        rows[-1].append(picture)
    return [[picture.data() for picture in row] for row in rows]


# --- the parts ----------------------------------------------------------------

_GENERAL = (
    *("∂L/∂θ_i", "=", "∂L/∂f_K", "∂f_K/∂f_K−1", "⋯", "∂f_i+2/∂f_i+1"),
    "∂f_i+1/∂θ_i",
)


def _general() -> PictureData:
    """Return the equation as it stands in the document."""
    picture, x = Picture(470, 44), 20.0
    for name in _GENERAL:
        if name.startswith("∂"):
            x += fraction(picture, (x, 22), name) + 12
        else:
            picture.text((x + 4, 22), name, size=15, anchor="middle")
            x += 18
    return picture.data()


def fraction(picture: Picture, at: Point, name: str) -> float:
    """Add a derivative with its bar at the height of ``at``; return its width.

    >>> picture = Picture(60, 40)
    >>> fraction(picture, (0, 20), "∂f_2/∂f_1")
    30.0
    >>> [shape.get("text") for shape in picture.shapes]
    ['∂f', '∂f', None]
    """
    (x, y), size = at, 15.0
    width = 2.0 * size
    for part, shift in zip(name.split("/"), (-0.72 * size, 0.72 * size), strict=True):
        text, _, index = part.partition("_")
        middle = (x + width / 2, y + shift)
        picture.text(middle, text, sub=index, italic=True, size=size, anchor="middle")
    picture.line([(x, y), (x + width, y)], stroke="text", width=1)
    return width


def _name(name: str) -> Picture:
    picture = Picture(34, HEAD)
    fraction(picture, (0, 22), name)
    return picture


def _sign(sign: str) -> Picture:
    picture = Picture(_SIGN, HEAD + 20)
    picture.text((_SIGN / 2, HEAD + 10), sign, size=16, anchor="middle", fill="muted")
    return picture


def _labelled(matrix: ChainMatrix) -> Picture:
    """Return a matrix with its name and its shape above."""
    heat, shape = matrix["picture"], matrix["shape"]
    name = matrix["name"].partition(",")[0].partition(" of ")[0].partition(" for ")[0]
    label = 44.0 if name.startswith("∂") else text_width(name, 13)
    width = max(heat["width"], label, text_width(shape, 11))
    picture = Picture(width, HEAD + heat["height"])
    if name.startswith("∂"):
        fraction(picture, ((width - 30) / 2, 22), name)
    else:
        picture.text((width / 2, 22), name, size=13, anchor="middle")
    picture.text((width / 2, 51), shape, fill="muted", size=11, anchor="middle")
    picture.place(heat, ((width - heat["width"]) / 2, HEAD))
    return picture


def _title(text: str) -> PictureData:
    picture = Picture(text_width(text, 14), 20)
    picture.text((0, 10), text, size=14, bold=True)
    return picture.data()


def _note(text: str) -> PictureData:
    lines = textwrap.wrap(text, _CHARACTERS, break_long_words=False, break_on_hyphens=False)
    picture = Picture(max(text_width(line, 12) for line in lines), 16.0 * len(lines))
    for k, line in enumerate(lines):
        picture.text((0, 16 * k + 8), line, size=12, fill="muted")
    return picture.data()


def _legend(legend: dict[str, str]) -> PictureData:
    width = sum(82 + text_width(text, 11) for text in legend.values())
    picture, x = Picture(width, 20), 0.0
    for family in ("value", "adjoint"):
        picture.heat((x, 5, 54, 10), 21, [-1 + k / 10 for k in range(21)], family, gap=0)
        picture.text((x + 62, 10), legend[family], fill="muted", size=11)
        x += 62 + text_width(legend[family], 11) + 20
    picture.text((x, 10), legend["sizes"], fill="muted", size=11)
    return picture.data()
