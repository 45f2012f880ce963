"""The steps of a view as files for slides and lecture notes: an animation, or a figure a step."""

from __future__ import annotations

import io
import os
import re
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from backprop_nb.display import progress_bar
from backprop_nb.errors import InvalidValueError, either, must_be
from backprop_nb.files import (
    check_folder,
    check_replaceable,
    folder_written_whole,
    written_whole,
)
from backprop_nb.views.paper import Drawing, few_colours, theme_named
from backprop_nb.views.state import is_real

FORMATS: Final = ("svg", "pdf", "png")
"""What a figure can be, in a folder of them."""

_DPI: Final = 110
_WIDEST: Final = 1920
"""A frame is at most so many pixels wide, which a projector shows."""
_NARROWEST: Final = 640
"""There is room for a caption."""
_SIZE: Final = 11.0
"""The caption's letters, in points."""
_LINES: Final = 3
"""So many lines of a caption are shown; the file of words has all."""
_MOST: Final = 500
"""A GIF is kept in memory until its end."""
_WORDS: Final = "steps.txt"
_OURS: Final = re.compile(rf"step-\d+\.({'|'.join(FORMATS)})|{re.escape(_WORDS)}")

_PICTURES: Final = frozenset(
    f".{each}" for each in (*FORMATS, "eps", "gif", "htm", "html", "jpeg", "jpg", "mp4", "tex")
) - {".pdf"}


class Step(NamedTuple):
    """A step of a view: its number, and what happens in it."""

    number: int
    words: str


class Story(NamedTuple):
    """What a view has to tell, step by step."""

    title: str
    """What is shown."""
    alt: str
    """One sentence that stands for the whole."""
    steps: Sequence[Step]
    """The steps, each of which has a picture."""
    draw: Callable[[int, Literal["light", "dark"]], Drawing]
    """From the number of a step and the name of a theme to the picture."""
    seconds: float
    """How long a step is shown."""

    def words(self) -> str:
        """Return what stands for the pictures where they cannot be seen: a line a step."""
        last = len(self.steps)
        lines = [f"{k} of {last}: {step.words}" for k, step in enumerate(self.steps, start=1)]
        return "\n".join([self.title, self.alt, "", *lines, ""])


# --- an animation -------------------------------------------------------------


def write_animation(
    story: Story,
    path: str | os.PathLike[str],
    *,
    seconds: float | None,
    theme: Literal["light", "dark"],
    progress: bool,
) -> Path:
    """Write an animation, and its words beside it; see :meth:`LiveView.animate`."""
    path, seconds = Path(path), story.seconds if seconds is None else seconds
    _check_animation(path, seconds, len(story.steps))
    with _bar(2 * len(story.steps), progress) as bar, TemporaryDirectory() as folder:
        pictures = []
        for step in story.steps:
            pictures.append(_pixels(story.draw(step.number, theme)))
            bar.update()
        file = Path(folder, f"animation{path.suffix}")
        _film(story, pictures, theme, seconds, file, bar)
        content = file.read_bytes()
    _write_with_words(path, content, story)
    return path


def _check_animation(path: Path, seconds: Any, count: int) -> None:
    """Raise what can be known to fail, before anything is drawn."""
    if path.suffix not in (".gif", ".mp4"):
        raise InvalidValueError(
            "An animation is a GIF or an MP4.",
            given=str(path),
            expected='a name that ends in ".gif" or ".mp4"',
            instead=f"{path.stem}.gif",
        )
    if not (is_real(seconds) and 0.02 <= seconds < 60):
        raise must_be("a number of seconds from 0.02 to 60", "seconds_per_step", seconds)
    if path.suffix == ".mp4" and not FFMpegWriter.isAvailable():
        raise InvalidValueError(
            "An MP4 is made by the program ffmpeg, which is not found.",
            given=str(path),
            expected='ffmpeg on the PATH, as by "apt install ffmpeg", "brew install ffmpeg" or '
            '"conda install ffmpeg"',
            instead=f"{path.stem}.gif, which needs no other program",
        )
    if path.suffix == ".gif" and count > _MOST:
        raise InvalidValueError(
            "A GIF of so many steps would be too large to open.",
            given=f"{count:,} steps",
            expected=f"at most {_MOST}",
            instead=f"{path.stem}.mp4, or fewer steps: of a graph, explorer.folded = "
            "explorer.groups",
        )
    check_folder(path)


def _film(
    story: Story, pictures: Sequence[bytes], theme: str, seconds: float, file: Path, bar: Any
) -> None:
    sizes = [Image.open(io.BytesIO(each)).size for each in pictures]
    captions = [f"{k} / {len(pictures)}   {step.words}" for k, step in enumerate(story.steps, 1)]
    stage = _Stage(sizes, captions, theme)
    about = {"title": story.title, "comment": story.alt}
    a_second: Any = 1 / seconds  # matplotlib's own annotation wants whole frames
    writer: AbstractMovieWriter
    if file.suffix == ".gif":
        writer = _Gif(a_second, metadata=about)
    else:
        # Some players stumble over less than a frame a second, so each is shown several times.
        writer = FFMpegWriter(a_second, "h264", metadata=about, extra_args=["-r", "25"])
    with writer.saving(stage.figure, str(file), _DPI):
        for number, picture in enumerate(pictures):
            stage.show(number, picture)
            writer.grab_frame()
            bar.update()
        writer.grab_frame()  # the end stays for a while


class _Stage:
    """A figure on which pictures of several sizes are shown one by one, each with its caption."""

    def __init__(
        self, sizes: Sequence[tuple[int, int]], captions: Sequence[str], theme: str
    ) -> None:
        colours, line = theme_named(theme), round(1.6 * _SIZE * _DPI / 72)
        width, height = (max(each) for each in zip(*sizes, strict=True))
        width = max(width, _NARROWEST)
        # A letter of the caption is about 0.6 times as wide as high.
        columns = int((width - 2 * line) / (0.6 * _SIZE * _DPI / 72))
        self._captions = [
            textwrap.wrap(each, columns, max_lines=_LINES, placeholder=" …") for each in captions
        ]
        below = line * (max(map(len, self._captions)) + 1)
        # The pixels of a video come in pairs.
        w, h = width + width % 2, height + below + (height + below) % 2
        self.figure = Figure(figsize=(w / _DPI, h / _DPI), dpi=_DPI, facecolor=colours["paper"])
        FigureCanvasAgg(self.figure)
        self._paper = Image.new("RGB", (width, height), colours["paper"])
        self._picture = self.figure.figimage(np.asarray(self._paper), 0, h - height, origin="upper")
        self._caption = self.figure.text(
            line / w,
            (h - height - line / 4) / h,
            "",
            va="top",
            fontsize=_SIZE,
            color=colours["text"],
            linespacing=1.4,
            parse_math=False,
        )

    def show(self, number: int, picture: bytes) -> None:
        """Show one of the pictures; their corners meet, so that nothing jumps."""
        paper = self._paper.copy()
        paper.paste(Image.open(io.BytesIO(picture)))
        self._picture.set_data(np.asarray(paper))
        self._caption.set_text("\n".join(self._captions[number]))


class _Gif(AbstractMovieWriter):
    """Writes a GIF with 256 colours a frame, without the dots that Pillow would mix others of."""

    def setup(self, fig: Figure, outfile: str | Path, dpi: float | None = None) -> None:
        super().setup(fig, outfile, dpi)
        self._frames: list[Image.Image] = []

    def grab_frame(self, **options: Any) -> None:
        stream = io.BytesIO()
        self.fig.savefig(stream, format="rgba", dpi=self.dpi, **options)
        frame = Image.frombytes("RGBA", self.frame_size, stream.getvalue())
        self._frames.append(few_colours(frame))

    def finish(self) -> None:
        first, *others = self._frames
        first.save(
            self.outfile,
            "GIF",
            save_all=True,
            append_images=others,
            duration=round(1000 / self.fps),
            loop=0,
            comment=self.metadata["comment"].encode(),
        )


def _pixels(drawing: Drawing) -> bytes:
    """Return a picture as PNG, which takes little room until all have been drawn."""
    stream = io.BytesIO()
    dpi = min(_DPI, _WIDEST / drawing.get_size_inches()[0])
    drawing.savefig(stream, format="png", dpi=dpi, pil_kwargs={"compress_level": 1})
    return stream.getvalue()


# --- figures ------------------------------------------------------------------


def write_figures(
    story: Story,
    path: str | os.PathLike[str],
    *,
    format: str,
    theme: Literal["light", "dark"],
    progress: bool,
) -> Path:
    """Write a figure for each step; see :meth:`LiveView.figures`."""
    path = Path(path)
    _check_figures(path, format)
    # A PDF writes its fonts when it is closed, and must find the setting of its texts then.
    with rc_context({"pdf.fonttype": 42}), _bar(len(story.steps), progress) as bar:
        if path.suffix == ".pdf":
            _write_with_words(path, _pages(story, theme, bar), story)
        else:
            with folder_written_whole(path) as folder:
                _write_files(folder, story, format, theme, bar)
    return path


def _check_figures(path: Path, format: str) -> None:
    """Raise what can be known to fail, before anything is drawn."""
    if format not in FORMATS:
        raise must_be(either(FORMATS), "format", format)
    if path.suffix in _PICTURES:
        raise InvalidValueError(
            "The figures of all steps make a folder, or the pages of one PDF.",
            given=str(path),
            expected="the name of a folder, or a name that ends in .pdf",
            instead=f'figures("{path.with_suffix("")}", format="{_format_of(path, format)}")',
        )
    if path.suffix == ".pdf":
        check_folder(path)
    else:
        check_replaceable(path, lambda name: bool(_OURS.fullmatch(name)))


def _write_files(
    folder: Path, story: Story, format: str, theme: Literal["light", "dark"], bar: Any
) -> None:
    digits = len(str(story.steps[-1].number))
    for step in story.steps:
        file = folder / f"step-{step.number:0{digits}}.{format}"
        about = _about(format, f"{story.title}, step {step.number}: {step.words}")
        story.draw(step.number, theme).savefig(file, metadata=about)
        bar.update()
    (folder / _WORDS).write_text(story.words(), encoding="utf-8")


def _format_of(path: Path, format: str) -> str:
    ending = path.suffix.removeprefix(".")
    return ending if ending in FORMATS else format


def _about(format: str, title: str) -> dict[str, Any]:
    """Return what stands in a file besides the picture, the same every time."""
    left_out = {"svg": "Date", "pdf": "CreationDate", "png": "Software"}
    return {"Title": title, left_out[format]: None}


def _pages(story: Story, theme: Literal["light", "dark"], bar: Any) -> bytes:
    from matplotlib.backends.backend_pdf import PdfPages  # it loads slowly, and for few

    stream = io.BytesIO()
    about = {"Title": story.title, "Subject": story.alt, "CreationDate": None}
    with PdfPages(stream, metadata=about) as pages:
        for step in story.steps:
            story.draw(step.number, theme).savefig(pages, format="pdf")
            bar.update()
    return stream.getvalue()


# --- what both do -------------------------------------------------------------


def _write_with_words(path: Path, content: bytes, story: Story) -> None:
    for file, what in (
        (path.with_name(f"{path.name}.txt"), story.words().encode()),
        (path, content),
    ):
        with written_whole(file) as stream:
            stream.write(what)


def _bar(total: int, progress: bool) -> Any:
    """Return a bar for who waits longer than a second."""
    return progress_bar(total, shown=progress, desc="draw", unit="picture", delay=1)
