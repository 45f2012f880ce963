"""The chain rule as a matplotlib figure: equation, heat maps, a step, the network, the costs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from backprop_nb.errors import InvalidValueError, NotFoundError
from backprop_nb.views.chain.cost_picture import BAR
from backprop_nb.views.chain.matrix_picture import fraction
from backprop_nb.views.chart import text_width
from backprop_nb.views.paper import Drawing, draw_pictures
from backprop_nb.views.picture import Picture
from backprop_nb.views.schema import PictureData

WIDTH = 1300.0
"""Where a row of matrices goes on in the next one, in pixels."""
HEAD, GAP = 62.0, 12.0
_SIGN = 22.0
_CHARACTERS = 150
"""So many characters of a note stand in a line."""

Scene = Mapping[str, Any]


def draw_chain(
    scene: Scene,
    *,
    i: int = 0,
    side: Literal["left", "right"] = "left",
    section: Literal["product", "transposes"] = "product",
    step: int = 0,
    theme: Literal["light", "dark"] = "light",
) -> Drawing:
    """Draw one moment of a scene of :func:`~backprop_nb.views.chain.scene.chain_scene`.

    Raises
    ------
    NotFoundError
        The scene has no such i.
    InvalidValueError
        There is no such side, section, step or theme.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> net = bp.SigmoidNetwork((2, 3, 2), seed=0)
    >>> bp.ChainRule(net, [1, 2], [0, 1]).draw().alt
    'The chain rule of a 2-3-2 network, factor by factor.'
    """
    chain = _chosen(scene["chains"], str(i), f"i = {i}")
    way = _way(side, section)
    frames = chain[way]
    if not 0 <= step < len(frames):
        raise InvalidValueError(
            "There is no such step.",
            given=f"step {step}",
            expected=f"a step from 0 to {len(frames) - 1}",
        )
    frame, matrices = frames[step], scene["matrices"]
    product = section == "product"
    factors = [_labelled(matrices[name]) for name in chain["factors" if product else "steps"]]
    left_side = [_name(chain["name"]), _sign("=")] if product else []
    rows = [[_title(f"Equation [chain-general], i = {i}"), _general()]]
    rows += _rows([*left_side, *factors])
    rows.append([_title(f"Step {step} of {len(frames) - 1}")])
    for line in frame["lines"]:
        if line["title"]:
            rows.append([_note(line["title"])])
        rows += _rows(_item(item, matrices) for item in line["items"])
    rows += [[_note(note)] for note in frame["notes"]]
    rows.append([scene["network"], *([_costs(chain, side, frame)] if product else [])])
    rows += [[_note(text)] for text in chain["why"]] if product else []
    rows.append([_legend(scene["legend"])])
    return draw_pictures(rows, alt=scene["alt"], theme=theme)


def _chosen(of: Mapping[str, Any], key: str, given: str) -> Any:
    if key not in of:
        raise NotFoundError(
            "That chain is not in the scene.", given=given, expected=f"i = {', '.join(of)}"
        )
    return of[key]


def _way(side: str, section: str) -> str:
    for name, value, values in (
        ("side", side, ("left", "right")),
        ("section", section, ("product", "transposes")),
    ):
        if value not in values:
            raise InvalidValueError(
                f"There is no such {name}.",
                given=f"{name} = {value!r}",
                expected=" or ".join(f'"{each}"' for each in values),
            )
    return side if section == "product" else section


def _general() -> PictureData:
    """Return the equation as it stands in the document."""
    picture, x = Picture(470, 44), 20.0
    for above, below in _GENERAL:
        if below:
            x += fraction(picture, (x, 22), above, below) + 12
        else:
            picture.text((x + 4, 22), above, size=15, anchor="middle")
            x += 18
    return picture.data()


_GENERAL = (
    ("L", "θ_i"), ("=", ""), ("L", "f_K"), ("f_K", "f_K−1"), ("⋯", ""), ("f_i+2", "f_i+1"),
    ("f_i+1", "θ_i"),
)  # fmt: skip


def _rows(pictures: Iterable[Picture]) -> list[list[Any]]:
    """Return matrices and signs in as many rows as they need."""
    rows: list[list[Picture]] = [[]]
    for picture in pictures:
        if rows[-1] and sum(p.width + GAP for p in rows[-1]) + picture.width > WIDTH:
            # A sign goes with what it stands in front of.
            sign = [rows[-1].pop()] if rows[-1][-1].width == _SIGN else []
            rows.append(sign)
        rows[-1].append(picture)
    return [[picture.data() for picture in row] for row in rows]


def _item(item: str, matrices: Scene) -> Picture:
    return _labelled(matrices[item]) if item in matrices else _sign(item)


def _name(name: str) -> Picture:
    picture = Picture(34, HEAD)
    _fraction(picture, (0, 22), name)
    return picture


def _sign(sign: str) -> Picture:
    picture = Picture(_SIGN, HEAD + 20)
    picture.text((_SIGN / 2, HEAD + 10), sign, size=16, anchor="middle", fill="muted")
    return picture


def _labelled(matrix: Scene) -> Picture:
    """Return a matrix with its name and its shape above."""
    heat, shape = matrix["picture"], matrix["shape"]
    name = matrix["name"].partition(",")[0].partition(" of ")[0].partition(" for ")[0]
    label = 44.0 if name.startswith("∂") else text_width(name, 13)
    width = max(heat["width"], label, text_width(shape, 11))
    picture = Picture(width, HEAD + heat["height"])
    if name.startswith("∂"):
        _fraction(picture, ((width - 30) / 2, 22), name)
    else:
        picture.text((width / 2, 22), name, size=13, anchor="middle")
    picture.text((width / 2, 51), shape, fill="muted", size=11, anchor="middle")
    picture.place(heat, ((width - heat["width"]) / 2, HEAD))
    return picture


def _fraction(picture: Picture, at: tuple[float, float], name: str) -> None:
    above, below = (part.removeprefix("∂") for part in name.split("/"))
    fraction(picture, at, above, below)


def _costs(chain: Scene, side: str, frame: Scene) -> dict[str, Any]:
    """Return the bars with what is paid so far."""
    data: dict[str, Any] = {**chain["costs"]}
    data["shapes"] = [
        shape | {"box": [*shape["box"][:2], frame["run"] * BAR, shape["box"][3]]}
        if shape.get("key") == f"run:{side}"
        else shape
        for shape in data["shapes"]
    ]
    return data


def _title(text: str) -> PictureData:
    picture = Picture(text_width(text, 14), 20)
    picture.text((0, 10), text, size=14, bold=True)
    return picture.data()


def _note(text: str) -> PictureData:
    lines = textwrap.wrap(text, _CHARACTERS)
    picture = Picture(max(text_width(line, 12) for line in lines), 16.0 * len(lines))
    for k, line in enumerate(lines):
        picture.text((0, 16 * k + 8), line, size=12, fill="muted")
    return picture.data()


def _legend(legend: Scene) -> PictureData:
    width = sum(82 + text_width(text, 11) for text in legend.values())
    picture, x = Picture(width, 20), 0.0
    for family in ("value", "adjoint"):
        for k in range(21):
            picture.rect((x + 2.6 * k, 5, 2.7, 10), fill=(family, -1 + k / 10))
        picture.text((x + 62, 10), legend[family], fill="muted", size=11)
        x += 62 + text_width(legend[family], 11) + 20
    picture.text((x, 10), legend["sizes"], fill="muted", size=11)
    return picture.data()
