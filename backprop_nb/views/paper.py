"""Pictures as a matplotlib figure: for paper, PDF, GitHub and whoever has no browser."""

from __future__ import annotations

import base64
import html
import io
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
from IPython.core.getipython import get_ipython
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.collections import PolyCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Bbox, TransformedBbox
from PIL import Image

from backprop_nb import display
from backprop_nb.errors import InvalidValueError
from backprop_nb.views.palette import ON_DARK, THEMES, Theme, diverging, ink
from backprop_nb.views.picture import Box, unpacked

_MARGIN = 12.0
GAP = 12.0
"""Between pictures, in pixels."""
_DOTS = 100
_DPI = 110
"""How many points of a PNG there are to an inch of a figure."""
_HEATS = np.linspace(-1, 1, 65)
"""The heats of a field are drawn in so many steps, which keeps its file small."""
_POINT = 72 / _DOTS
"""A pixel in points, in which matplotlib measures lines and texts."""
_SVG: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "backprop_nb"}
"""In an SVG texts stay texts, and the same figure has the same ids."""
LIGHT: Final = "bpnb-on-light"
"""The class of a picture of the light theme, which is dark where a page is."""
_ON_LIGHT: Final = f'<style>[data-jp-theme-light="false"] .{LIGHT} {{ filter: {ON_DARK}; }}</style>'
READABLE = 0.6
"""Texts are left out of a picture that is drawn smaller than this."""


class Drawing(Figure):
    """A matplotlib figure that shows itself in a notebook, with its alt text.

    Attributes
    ----------
    alt
        One sentence that stands for the picture.
    theme
        That of its colours.
    """

    alt: str = ""
    theme: Literal["light", "dark"] = "light"

    def savefig(self, fname: Any, **options: Any) -> None:
        """Save the figure; in an SVG texts stay texts, which can be found and edited.

        The arguments are those of :meth:`matplotlib.figure.Figure.savefig`.
        """
        with rc_context(_SVG):
            super().savefig(fname, **options)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        shell: Any = get_ipython()
        _leave_drawings_alone(shell)
        formats = _formats_asked_for(shell)
        width, height = (round(inches * _DPI) for inches in self.get_size_inches())
        metadata: dict[str, Any] = {"alt": self.alt}
        if "retina" in formats:
            picture = png(self, scale=2)
            metadata |= {"width": width, "height": height}
        else:
            picture = png(self)
        data = {"image/png": picture, "text/plain": display.folded([self.alt])}
        about: dict[str, Any] = {"theme": self.theme, "width": metadata.get("width")}
        if "svg" in formats:
            data["image/svg+xml"] = vector = svg(self)
            picture, about = vector.encode(), about | {"kind": "svg+xml", "width": width}
        data["text/html"] = as_html(picture, self.alt, **about)
        return data, {"image/png": metadata}

    def _mime_(self) -> tuple[str, str]:
        # marimo asks this of every matplotlib figure, and has no other place for the words.
        return "text/html", as_html(png(self), self.alt, theme=self.theme)


def _formats_asked_for(shell: Any) -> set[str]:
    """Return what ``%config InlineBackend.figure_format`` says; empty where nobody did."""
    config = sys.modules.get("matplotlib_inline.config")
    if config is not None and config.InlineBackend.initialized():
        return set(config.InlineBackend.instance().figure_formats)
    # Until pyplot makes its first figure, IPython only notes what it is asked for.
    noted = {} if shell is None else shell.config.get("InlineBackend", {})
    several = noted.get("figure_formats")  # or what is to be added to them, in a file of settings
    several = several if isinstance(several, set | list | tuple) else ()
    return {*several, noted.get("figure_format", "png")}


def _leave_drawings_alone(shell: Any) -> None:
    """Keep the printers away that IPython has for every figure: they know no words."""
    if shell is not None:
        for kind in ("image/png", "image/svg+xml", "image/jpeg", "application/pdf"):
            shell.display_formatter.formatters[kind].for_type(Drawing, _print_nothing)


def _print_nothing(drawing: Drawing) -> None:
    """Add nothing to what a drawing says of itself."""


def as_html(
    picture: bytes,
    alt: str,
    *,
    theme: str = "light",
    kind: str = "png",
    width: int | None = None,
) -> str:
    """Return a picture as HTML with the words that stand for it.

    It is the only form in which JupyterLab, nbconvert and MyST hand them on.  One of the light
    theme is dark where a notebook is.

    >>> as_html(b"", "A < B", theme="dark")
    '<img src="data:image/png;base64," alt="A &lt; B" style="max-width: 100%">'
    """
    encoded = base64.b64encode(picture).decode("ascii")
    size = "" if width is None else f' width="{width}"'
    source = f"data:image/{kind};base64,{encoded}"
    sheet, kind_of = (_ON_LIGHT, f' class="{LIGHT}"') if theme == "light" else ("", "")
    attributes = f'src="{source}" alt="{html.escape(alt)}"{size}{kind_of} style="max-width: 100%"'
    return f"{sheet}<img {attributes}>"


def png(figure: Figure, scale: int = 1) -> bytes:
    """Return a figure as PNG, the same bytes every time."""
    stream = io.BytesIO()
    quick = {"compress_level": 1}
    figure.savefig(
        stream, format="png", dpi=_DPI * scale, metadata={"Software": None}, pil_kwargs=quick
    )
    return compact(stream.getvalue())


def svg(figure: Drawing) -> str:
    """Return a figure as SVG, the same text every time."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def compact(png: bytes) -> bytes:
    """Return a picture with its 256 most telling colours, a quarter of its size.

    One with transparent parts stays as it is, and one that has no more colours.
    """
    picture = Image.open(io.BytesIO(png))
    if picture.mode == "P" or picture.convert("RGBA").getchannel("A").getextrema() != (255, 255):
        return png
    few_colours(picture).save(file := io.BytesIO(), "PNG")
    return file.getvalue()


def few_colours(picture: Image.Image) -> Image.Image:
    """Return a picture with its 256 most telling colours, and none mixed of dots."""
    every = picture.convert("RGB")
    # This method keeps a rare colour, such as that of one bar; but it moves those of large areas.
    few = every.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    shade = np.asarray(every).astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    kinds, counts = np.unique(np.asarray(few).astype(np.uint32) << 24 | shade, return_counts=True)
    kinds = kinds[np.argsort(counts, kind="stable")]
    palette = np.zeros(256, ">u4")
    palette[kinds >> 24] = kinds << 8  # of those that share an entry the most frequent comes last
    palette = palette.view(np.uint8).reshape(-1, 4)[:, :3]
    few.putpalette(palette.tobytes())
    return few


def theme_named(name: str) -> Theme:
    """Return the colours of a theme.

    Raises ``InvalidValueError`` if `theme` is neither.
    """
    if name not in THEMES:
        raise InvalidValueError('`theme` must be "light" or "dark".', given=f"theme = {name!r}")
    return THEMES[name]


def draw_pictures(
    rows: Sequence[Sequence[Mapping[str, Any]]],
    *,
    alt: str,
    theme: Literal["light", "dark"] = "light",
    widest: float = math.inf,
) -> Drawing:
    """Draw pictures in rows, as large as they are.

    Parameters
    ----------
    rows
        For each row its pictures from left to right, as :meth:`Picture.data` gives them.
    alt
        What stands for the whole where it cannot be seen.
    theme
        ``"light"`` or ``"dark"``.
    widest
        The largest width in pixels.  What is wider is drawn smaller, and without its
        texts where nobody could read them.

    Raises ``InvalidValueError`` if `theme` is neither.

    >>> from backprop_nb.views.picture import Picture
    >>> picture = Picture(120, 40)
    >>> picture.text((60, 20), "σ", anchor="middle")
    >>> draw_pictures([[picture.data()]], alt="The letter sigma.").alt
    'The letter sigma.'
    """
    colours = theme_named(theme)
    widths = [sum(p["width"] for p in row) + GAP * (len(row) - 1) for row in rows]
    heights = [max(p["height"] for p in row) for row in rows]
    width = max(widths) + 2 * _MARGIN
    height = sum(heights) + GAP * (len(rows) - 1) + 2 * _MARGIN
    scale = min(1.0, widest / width)
    size = (width / _DOTS * scale, height / _DOTS * scale)
    figure = Drawing(figsize=size, facecolor=colours["paper"])
    figure.alt, figure.theme = alt, theme
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    y = _MARGIN
    for row, row_height in zip(rows, heights, strict=True):
        x = _MARGIN
        for picture in row:
            _Painter(axes, colours, (x, y), scale, _within(picture, x, y)).paint(picture["shapes"])
            x += picture["width"] + GAP
        y += row_height + GAP
    return figure


def _within(picture: Mapping[str, Any], x: float, y: float) -> Box | None:
    """Return where a picture may be painted if it was cut: half of the gap around it too."""
    if not picture.get("cut"):
        return None
    room = GAP / 2
    return x - room, y - room, picture["width"] + 2 * room, picture["height"] + 2 * room


class _Painter:
    """Adds shapes to axes, shifted to where their picture lies; its texts are scaled with it."""

    def __init__(
        self,
        axes: Any,
        theme: Theme,
        corner: tuple[float, float],
        scale: float,
        within: Box | None = None,
    ) -> None:
        self.axes, self.theme, self.scale = axes, theme, scale
        self.left, self.top = corner
        self.clip = within and TransformedBbox(Bbox.from_bounds(*within), axes.transData)
        self._heats: dict[tuple[str, float], str] = {}

    def paint(self, shapes: Sequence[Mapping[str, Any]]) -> None:
        for order, shape in enumerate(shapes):
            getattr(self, f"_{shape['kind']}")(shape, order)

    def _at(self, point: Sequence[float]) -> tuple[float, float]:
        return self.left + point[0], self.top + point[1]

    def _colour(self, colour: Any) -> str:
        if colour is None:
            return "none"
        return self.theme[colour] if isinstance(colour, str) else diverging(self.theme, *colour)

    def _heat_colour(self, family: str, heat: float) -> str:
        known = self._heats.get((family, heat))
        if known is None:
            known = self._heats[family, heat] = diverging(self.theme, family, heat)
        return known

    def _add(self, artist: Artist) -> None:
        self.axes.add_artist(artist)  # unlike `add_patch` it measures nothing: limits are set
        if self.clip:
            artist.set_clip_box(self.clip)

    def _style(self, shape: Mapping[str, Any], order: int) -> dict[str, Any]:
        style: dict[str, Any] = {
            "facecolor": self._colour(shape.get("fill")),
            "edgecolor": self._colour(shape.get("stroke")),
            "linewidth": shape.get("width", 0) * _POINT,
            "zorder": order,
        }
        if "dash" in shape:
            # matplotlib measures dashes in widths of their line.
            style["linestyle"] = (0, [each / shape["width"] for each in shape["dash"]])
        return style

    def _line(self, shape: Mapping[str, Any], order: int) -> None:
        points = [self._at(point) for point in shape["points"]]
        path = Path(points + points[:1], closed=True) if shape.get("close") else Path(points)
        style = self._style(shape, order) | {"capstyle": "butt", "joinstyle": "round"}
        self._add(PathPatch(path, **style))

    def _curve(self, shape: Mapping[str, Any], order: int) -> None:
        points = [self._at(point) for point in shape["points"]]
        codes = [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1)
        self._add(PathPatch(Path(points, codes), **self._style(shape, order)))

    def _rect(self, shape: Mapping[str, Any], order: int) -> None:
        x, y, width, height = shape["box"]
        style = self._style(shape, order)
        if radius := shape.get("radius"):
            box = f"round,pad=0,rounding_size={radius}"
            patch = FancyBboxPatch(self._at((x, y)), width, height, boxstyle=box, **style)
            self._add(patch)
        else:
            self._add(Rectangle(self._at((x, y)), width, height, **style))

    def _circle(self, shape: Mapping[str, Any], order: int) -> None:
        circle = Circle(self._at(shape["centre"]), shape["radius"], **self._style(shape, order))
        self._add(circle)

    def _field(self, shape: Mapping[str, Any], order: int) -> None:
        x, y, width, height = shape["box"]
        left, top = self._at((x, y))
        ramp = [diverging(self.theme, shape["family"], heat) for heat in _HEATS]
        image = AxesImage(
            self.axes,
            cmap=ListedColormap(ramp),
            norm=Normalize(0, 255),
            extent=(left, left + width, top + height, top),
            interpolation="bilinear",
            interpolation_stage="data",
        )
        image.set_data(unpacked(shape["levels"], shape["rows"]))
        image.set_zorder(order)
        self.axes.add_image(image)

    def _heat(self, shape: Mapping[str, Any], order: int) -> None:
        x, y, width, height = shape["box"]
        columns, gap = shape["columns"], shape.get("gap", 0)
        rows = len(shape["heats"]) // columns
        w, h = width / columns, height / rows
        corners = [self._at((x + c * w, y + r * h)) for r in range(rows) for c in range(columns)]
        colours = [self._heat_colour(shape["family"], heat) for heat in shape["heats"]]
        cell = np.array([(0, 0), (w - gap, 0), (w - gap, h - gap), (0, h - gap)])
        cells = np.array(corners).reshape(-1, 1, 2) + cell
        self._add(PolyCollection(cells, facecolor=colours, edgecolor="none", zorder=order))
        for (a, b), colour, text in zip(corners, colours, shape.get("texts", ()), strict=False):
            at = (a + (w - gap) / 2, b + (h - gap) / 2)
            self._write(at, text, shape["size"], order, color=ink(colour), ha="center")

    def _text(self, shape: Mapping[str, Any], order: int) -> None:
        on = shape.get("on")
        self._write(
            self._at(shape["at"]),
            _label(shape),
            shape["size"],
            order,
            color=ink(self._colour(on)) if on else self._colour(shape["fill"]),
            fontweight="bold" if shape.get("bold") else "normal",
            ha={"start": "left", "middle": "center", "end": "right"}[shape["anchor"]],
            rotation=90 if shape.get("turned") else 0,
            math_fontfamily="dejavuserif",
        )

    def _write(
        self, at: tuple[float, float], text: str, size: float, order: int, **style: Any
    ) -> None:
        if self.scale >= READABLE:
            style |= {"fontsize": size * _POINT * self.scale, "va": "center_baseline"}
            self.axes.text(*at, text, zorder=order, **style)


def _label(shape: Mapping[str, Any]) -> str:
    """Return the text; a symbol or a subscript makes it a formula."""
    text = str(shape.get("text", "")).replace("$", r"\$")
    sub = shape.get("sub")
    if not sub and not shape.get("italic"):
        return text
    stem = text if shape.get("italic") else rf"\mathrm{{{text}}}"
    return f"${stem}_{{{sub}}}$" if sub else f"${stem}$"
