"""A folder of notebooks as a web site."""

from __future__ import annotations

import base64
import posixpath
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath
from textwrap import shorten
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from nbformat import NotebookNode

from backprop_nb.course import notebooks as course
from backprop_nb.course.site.cells import Cells, view_page, view_picture
from backprop_nb.course.site.execution import executed
from backprop_nb.course.site.markdown import Heading, Writer, plain, slug
from backprop_nb.errors import InvalidValueError, counted, must_be
from backprop_nb.files import write
from backprop_nb.views.page import page, script
from backprop_nb.views.style import page_palette

_HERE: Final = Path(__file__).parent
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# Only what the site itself has, which `file:` is for one that is opened from disk.
_POLICY: Final = (
    "default-src 'none'; script-src 'self' file:; style-src 'self' file: 'unsafe-inline'; "
    "img-src 'self' file: data:; base-uri 'none'; form-action 'none'"
)
_INDEX: Final = "index.html"
_ABOUT: Final = (
    "Backpropagation with real numbers: step through every computation forward and backward, "
    "in picture, formula and code."
)
_DESCRIPTION: Final = 160
"""So much of a description a search engine shows."""


@dataclass
class Page:
    """A page of the site, as the templates ask for it."""

    source: PurePosixPath
    """Its file, from the folder of the notebooks."""
    path: str
    """Its own, from the top of the site."""
    root: str
    writer: Writer
    title: str = ""
    description: str = ""
    """What search engines show."""
    content: str = ""
    """The lesson as HTML."""
    kinds: list[str] = field(default_factory=list)
    picture: str | None = None
    picture_is_light: bool = False
    notebook: str | None = None
    before: Page | None = None
    after: Page | None = None

    @property
    def sections(self) -> list[Heading]:
        """What there is to jump to."""
        return [heading for heading in self.writer.headings if heading.level == 2]

    @property
    def short(self) -> str:
        """What the page is called in the row of all lessons: what stands before a colon."""
        return re.split(r"[:,]", self.title, maxsplit=1)[0]


@dataclass(frozen=True)
class Built:
    """What was built: the folder, the pages in it, and what is not as it should be."""

    out: Path
    pages: list[str]
    views: int
    doubts: list[str]

    def __str__(self) -> str:
        size = sum(path.stat().st_size for path in self.out.rglob("*") if path.is_file())
        said = f"{counted(len(self.pages), 'page')} with {counted(self.views, 'view')}"
        lines = [*self.doubts, f"{said}, {size / 1e6:.1f} MB: open {self.out / 'index.html'}"]
        return "\n".join(lines)


def build(
    out: Path,
    *,
    notebooks: Path | None = None,
    title: str,
    address: str | None = None,
    tell: Callable[[str], Any] = lambda line: None,
) -> Built:
    """Run notebooks and write them as a site, in which every view works without a kernel.

    Parameters
    ----------
    out
        The folder of the site. What is there and is no part of it stays.
    notebooks
        A folder of notebooks; by default the course's own.
    title
        The name of the site.
    address
        Where it will be; for the canonical addresses and the sitemap of search engines.
    tell
        Is called with a line about each notebook that has run.

    Raises
    ------
    InvalidValueError
        If a folder does not fit, or a notebook raises; nothing is written then.
    EndedError
        If a notebook does not end, or ends its kernel; nothing is written then.
    """
    if course.no_folder(out):
        raise must_be("a folder", "OUT", str(out), instead="the name of one, or a new name")
    with _folder(notebooks) as folder:
        paths = sorted(folder.glob("*.ipynb"))
        if not paths:
            raise must_be("a folder with notebooks", "--notebooks", str(notebooks))
        site = _Site(folder, paths, title, address and address.rstrip("/") + "/")
        site.fill(executed(paths, lambda path: tell(f"{path.name} has run.")))
        site.finish()
    for name, content in site.files.items():
        write(out / name, content)
    pages = [each.path for each in site.pages.values()]
    return Built(out, ["index.html", *pages], site.views, site.doubts)


@contextmanager
def _folder(notebooks: Path | None) -> Iterator[Path]:
    """Give the folder of the notebooks: of the course's own a copy, in which they may write."""
    if notebooks is not None:
        yield notebooks.resolve()
        return
    with tempfile.TemporaryDirectory() as copy:
        course.write(copy)
        yield Path(copy).resolve()


class _Site:
    """The pages of a site, as they grow, and all of its files."""

    def __init__(
        self, folder: Path, lessons: Sequence[Path], title: str, address: str | None
    ) -> None:
        self.folder = folder
        self.title = title
        self.address = address
        self.pages: dict[PurePosixPath, Page] = {}
        self.files: dict[str, bytes] = {}
        self.views = 0
        self.doubts: list[str] = []
        self._unwritten: list[Page] = []
        self.lessons = [self._page(PurePosixPath(path.name)) for path in lessons]
        for before, after in pairwise(self.lessons):
            before.after, after.before = after, before

    # --- the pages ----------------------------------------------------------------

    def fill(self, run: Sequence[NotebookNode]) -> None:
        """Fill the lessons from their notebooks, and every page of Markdown that they lead to."""
        for one, notebook in zip(self.lessons, run, strict=True):
            self._fill_lesson(one, notebook)
        while self._unwritten:
            one = self._unwritten.pop()
            one.content = one.writer.write(self._text(one.source))
            self._describe(one, one.content)

    def _page(self, source: PurePosixPath) -> Page:
        path = str(source.with_suffix(".html"))
        if path == _INDEX:
            raise InvalidValueError(
                f"{source} would become {_INDEX}, which is the list of all lessons.",
                instead=f"another name than {source}",
            )
        writer = Writer(lambda address: self._resolved(made, address))
        made = Page(source, path, "../" * (len(source.parts) - 1), writer)
        self.pages[source] = made
        return made

    def _fill_lesson(self, one: Page, notebook: NotebookNode) -> None:
        cells = Cells(one.source.stem, one.writer, self.address or "")
        markup = list(cells.markup(notebook))
        one.content = "".join(markup)
        self._describe(one, markup[0] if markup else "")
        one.notebook = self._copied(one.source)
        self.doubts += [f"{one.source}: there is {doubt}." for doubt in cells.doubts]
        one.kinds = list(dict.fromkeys(view.kind for view in cells.views))
        self.files |= cells.pictures
        self.views += len(cells.views)
        for number, view in enumerate(cells.views, 1):
            self.files[view_page(cells.name, number)] = page(view)
            self.files[view_picture(cells.name, number)] = base64.b64decode(view.picture)
            self.files[f"assets/{view.kind}.js"] = script(view)
            self.files[f"assets/{view.kind}.css"] = view.style.encode()
        pictures = [*cells.pictures, *([view_picture(cells.name, 1)] if cells.views else [])]
        one.picture = pictures[-1] if pictures else None
        one.picture_is_light = bool(cells.views) or one.picture in cells.light

    def _describe(self, one: Page, beginning: str) -> None:
        """Name a page by its first heading, and describe it by what follows there."""
        first = next(iter(one.writer.headings), None)
        one.title = plain(first.text) if first else one.source.stem
        text = plain(beginning.partition("</h1>")[2] or beginning)
        one.description = shorten(text, _DESCRIPTION, placeholder=" …")
        for address in one.writer.remote:
            self.doubts.append(
                f"{one.source}: the picture {address} is left out, for a page fetches nothing from "
                "elsewhere; put a copy of it beside the notebooks."
            )
        for formula in one.writer.unknown:
            self.doubts.append(f"{one.source}: no MathML of ${formula}$, which is shown as it is.")

    # --- where links lead ---------------------------------------------------------

    def _resolved(self, one: Page, address: str) -> str | None:
        """Return where an address in a notebook leads on the site."""
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return address
        anchor = f"#{slug(unquote(parts.fragment))}" if parts.fragment else ""
        if not parts.path:
            return anchor or None
        target = PurePosixPath(posixpath.normpath(one.source.parent / unquote(parts.path)))
        if target not in self.pages:
            if target.parts[0] == ".." or not (self.folder / target).is_file():
                self.doubts.append(f"{one.source}: nothing is at {address}, to which it links.")
                return None
            if target.suffix != ".md":
                return quote(one.root + self._copied(target))
            self._unwritten.append(self._page(target))
        return quote(one.root + self.pages[target].path) + anchor

    def _copied(self, source: PurePosixPath) -> str:
        """Take a file along, and return its path."""
        self.files[str(source)] = (self.folder / source).read_bytes()
        return str(source)

    def _text(self, source: PurePosixPath) -> str:
        return (self.folder / source).read_text(encoding="utf-8")

    # --- the rest -----------------------------------------------------------------

    def finish(self) -> None:
        """Write the pages, now that each knows all others, and what they have in common."""
        index = Page(PurePosixPath(_INDEX), _INDEX, "", Writer(str), self.title)
        index.description = _ABOUT
        index.picture = next((one.picture for one in self.lessons if one.picture), None)
        self._render("index.html", index)
        for one in self.pages.values():
            self._render("lesson.html", one)
        sheet = f"{page_palette()}\n{(_HERE / 'site.css').read_text(encoding='utf-8')}"
        self.files["assets/site.css"] = sheet.encode()
        self.files["assets/site.js"] = (_HERE / "site.js").read_bytes()
        self.files[".nojekyll"] = b""  # GitHub Pages takes the files as they are
        if self.address:
            paths = ["", *(one.path for one in self.pages.values())]
            sitemap = _TEMPLATES.get_template("sitemap.xml").render(
                address=self.address, paths=paths
            )
            self.files["sitemap.xml"] = sitemap.encode()

    def _render(self, template: str, one: Page) -> None:
        text = _TEMPLATES.get_template(template).render(site=self, page=one, policy=_POLICY)
        # A lone surrogate in a learner's string has no UTF-8.
        self.files[one.path] = text.encode("utf-8", "xmlcharrefreplace")
