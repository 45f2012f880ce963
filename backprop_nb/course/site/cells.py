"""The cells of a notebook as HTML."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from nbconvert.filters.ansi import ansi2html
from nbconvert.filters.highlight import Highlight2HTML
from nbformat import NotebookNode

from backprop_nb.course.site.kernel import SNAPSHOT
from backprop_nb.course.site.markdown import Writer
from backprop_nb.views.page import Snapshot
from backprop_nb.views.paper import LIGHT, compact

_VIEW = Template(Path(__file__).with_name("view.html").read_text(encoding="utf-8"))
_PICTURES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}
_IMAGE = re.compile(r'(?:<style>[^<]*</style>)?<img\b[^>]*?\balt="([^"]*)"[^>]*>')
_WIDGET = "application/vnd.jupyter.widget-view+json"
_BAR = re.compile(r"\d%\|")
"""How far something has come, as tqdm shows it; on a page it has come to its end."""
_OVERWRITTEN = re.compile(r".*\r(?!\n)")
"""What of a line a terminal would have written over, as a bar does that is a text."""
_FRAME = '<iframe src="{address}" title="{title}" width="100%" height="760"></iframe>'
_HIGHLIGHT = Highlight2HTML(pygments_lexer="ipython3")


@dataclass
class Cells:
    """The cells of one page, and what they bring to the site."""

    name: str
    """What the files that belong to the page begin with."""
    writer: Writer
    """Writes its Markdown."""
    address: str = ""
    """Where the site will be, or empty."""
    views: list[Snapshot] = field(default_factory=list)
    """The live views so far."""
    pictures: dict[str, bytes] = field(default_factory=dict)
    """The other pictures so far: the name of the file, and its bytes."""
    light: set[str] = field(default_factory=set)
    """Which of the pictures are of the light theme, and dark where the page is."""
    doubts: list[str] = field(default_factory=list)
    """What of the outputs does not work on a page, as the end of a sentence."""

    def markup(self, notebook: NotebookNode) -> Iterator[str]:
        """Yield the cells as HTML, one after the other."""
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                yield self.writer.write(cell.source, cell.get("attachments"))
            elif cell.cell_type == "code" and cell.source.strip():
                outputs = "".join(self._output(output, cell) for output in cell.outputs)
                yield f'<div class="cell">{_HIGHLIGHT(cell.source)}{outputs}</div>\n'

    def _output(self, output: NotebookNode, cell: NotebookNode) -> str:
        if output.output_type == "stream":
            kind = "output" if output.name == "stdout" else "output stderr"
            return f'<pre class="{kind}">{ansi2html(_OVERWRITTEN.sub("", output.text))}</pre>'
        if output.output_type == "error":
            text = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
            return f'<pre class="output stderr">{ansi2html(text)}</pre>'
        if SNAPSHOT in output.data:
            return self._view(Snapshot(**output.data[SNAPSHOT]))
        data = output.data
        # A figure has its words in HTML; its picture is a file here, which a browser keeps.
        image = _IMAGE.fullmatch(data.get("text/html", "")) if _PICTURES.keys() & data else None
        if "text/html" in data and not image:
            if "<script" in data["text/html"]:
                self.doubts.append(f"a script, which does not run there, of {_line(cell)}")
            return f'<div class="output html">{data["text/html"]}</div>'
        if "text/markdown" in data:
            return f'<div class="output">{self.writer.write(data["text/markdown"])}</div>'
        for kind, ending in _PICTURES.items():
            if kind in data:
                alt = html.unescape(image[1]) if image else _alt(output, cell)
                alt = alt or data.get("text/plain", "")
                is_light = image is not None and LIGHT in image[0]
                return self._picture(data[kind], ending, alt, is_light)
        if _WIDGET in data:
            if _BAR.search(data.get("text/plain", "")):
                return ""
            self.doubts.append(f"a widget, which is a text there, of {_line(cell)}")
        return f'<pre class="output">{html.escape(data.get("text/plain", ""))}</pre>'

    def _picture(self, data: str, ending: str, alt: str, is_light: bool) -> str:
        """Return what shows a picture, which is stored as a file of its own."""
        name = f"pictures/{self.name}-{len(self.pictures) + 1}.{ending}"
        content = data.encode() if ending == "svg" else base64.b64decode(data)
        self.pictures[name] = compact(content) if ending == "png" else content
        if is_light:
            self.light.add(name)
        kind = f"output {LIGHT}" if is_light else "output"
        return f'<img class="{kind}" src="{name}" alt="{html.escape(alt)}">'

    def _view(self, view: Snapshot) -> str:
        self.views.append(view)
        place = view_page(self.name, len(self.views))
        frame = _FRAME.format(address=self.address + place, title=html.escape(view.title))
        embed = f"<details><summary>To embed it</summary><pre>{html.escape(frame)}</pre></details>"
        return _VIEW.substitute(
            kind=html.escape(view.kind),
            title=html.escape(view.title),
            state=view.state,
            alt=html.escape(view.alt),
            words=html.escape(view.words),
            hint=html.escape(view.hint),
            page=place,
            picture=view_picture(self.name, len(self.views)),
            embed=embed if self.address else "",
        )


def view_page(name: str, number: int) -> str:
    """Return the page of its own that a view has, by the name of its lesson and its number."""
    return f"views/{name}-{number}.html"


def view_picture(name: str, number: int) -> str:
    """Return the picture of a view."""
    return f"views/{name}-{number}.png"


def _line(cell: NotebookNode) -> str:
    """Return the last line of a cell, of which the result is, as a rule."""
    return f'the cell that ends "{cell.source.strip().splitlines()[-1]}"'


def _alt(output: NotebookNode, cell: NotebookNode) -> str:
    """Return the text alternative, which stands in the metadata of an output or of its cell."""
    for kind in _PICTURES:
        if said := output.metadata.get(kind, {}).get("alt"):
            return str(said)
    return str(cell.metadata.get("alt", ""))
