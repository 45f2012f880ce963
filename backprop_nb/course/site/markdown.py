"""Markdown as HTML: formulas as MathML, links to where a site has their targets."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

_TAG = re.compile(r"\\tag\{([^}]*)\}")
_ADDRESS = re.compile(r"""(?<=\s)(href|src)=(["'])(.*?)\2""")
_MARKUP = re.compile(r"<[^>]*>")
_UNKNOWN = re.compile(r"\\[A-Za-z]+")
_PRIMED = re.compile("<msup>(<mi>[^<]*</mi>)<mi>(&#x0203[234];)</mi></msup>")
"""A prime is a superscript by itself; in smaller letters many a font has but a dot of it."""
_NORM = re.compile("<mo>(?:&#x02016;|\u2016)</mo>")
"""A double bar, which a browser stretches by what stands on one side of it."""


class Heading(NamedTuple):
    """A heading of a page: its level, the id to link to, and its text as HTML."""

    level: int
    id: str
    text: str


def slug(heading: str) -> str:
    """Return the id of a heading, as GitHub makes it, with letters and digits of any alphabet.

    >>> slug("7 · What's `next`?"), slug("Trace-it,-and-step-through")
    ('7--whats-next', 'trace-it-and-step-through')
    """
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


def plain(markup: str) -> str:
    """Return HTML as text on one line.

    >>> plain("<p>a &lt; <em>b</em></p><p>c</p>")
    'a < b c'
    """
    return " ".join(html.unescape(_MARKUP.sub("", markup.replace("</p>", " "))).split())


class Writer(IPythonRenderer):
    """Writes the Markdown of one page, and remembers its headings.

    Parameters
    ----------
    resolve
        From an address in the Markdown to that on the page, or ``None`` if it leads nowhere.
    """

    def __init__(self, resolve: Callable[[str], str | None]) -> None:
        super().__init__(escape=False)
        self.resolve = resolve
        self.headings: list[Heading] = []
        self.formulas: list[str] = []
        """The formulas with a line of their own, as MathML."""
        self.unknown: list[str] = []
        """The formulas of which there is no MathML."""
        self.remote: list[str] = []
        """The addresses of pictures that are elsewhere, from where a page fetches nothing."""

    def write(self, source: str, attachments: Mapping[str, Any] | None = None) -> str:
        """Return Markdown as HTML."""
        self.attachments = dict(attachments or {})
        return MarkdownWithMath(renderer=self).render(source)

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        """Give a heading its id, which no other one of the page has."""
        first = own = slug(plain(text))
        number = 0
        while own in {heading.id for heading in self.headings}:
            number += 1
            own = f"{first}-{number}"
        self.headings.append(Heading(level, own, text))
        return f'<h{level} id="{html.escape(own)}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Link to where the site has the target; what leads nowhere stays a text."""
        address = self.resolve(url)
        return text if address is None else str(super().link(text, address, title))

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Show a picture from where the site has it."""
        embedded = url.startswith(("attachment:", "data:"))
        address = url if embedded else self._here(url)
        return text if address is None else str(super().image(text, address, title))

    def _here(self, url: str) -> str | None:
        """Return where the site has what a page loads by itself, if it has it."""
        if urlsplit(url).netloc:
            self.remote.append(url)
            return None
        return self.resolve(url)

    def table(self, text: str) -> str:
        """Write a table in a box of its own, in which a wide one can be moved."""
        return f'<div class="table"><table>\n{text}</table></div>\n'

    def block_html(self, html: str) -> str:
        """Let the addresses within HTML lead to where the site has their targets."""
        return str(super().block_html(self._resolved(html)))

    def inline_html(self, html: str) -> str:
        """Let the addresses within HTML lead to where the site has their targets."""
        return str(super().inline_html(self._resolved(html)))

    def _resolved(self, markup: str) -> str:
        def new(found: re.Match[str]) -> str:
            lead = self.resolve if found[1] == "href" else self._here
            address = lead(html.unescape(found[3]))
            return "" if address is None else f'{found[1]}="{html.escape(address)}"'

        return _ADDRESS.sub(new, markup)

    def inline_math(self, body: str) -> str:
        """Write a formula within a line."""
        return self.formula(body, "inline")

    def block_math(self, body: str) -> str:
        """Write a formula with a line of its own, and its tag beside it."""
        tags = _TAG.findall(body)
        tag = f'<span class="tag">({html.escape(tags[-1])})</span>' if tags else ""
        formula = self.formula(_TAG.sub("", body), "block")
        self.formulas.append(formula)
        return f'<span class="formula">{formula}{tag}</span>'

    def latex_environment(self, name: str, body: str) -> str:
        """Write an environment such as ``align``."""
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")

    def formula(self, latex: str, display: str) -> str:
        """Return a formula as MathML; as it is written if there is a command that nobody knows."""
        latex = latex.strip()
        try:
            markup = _NORM.sub('<mo stretchy="false">\u2016</mo>', convert(latex, display=display))
            markup = _PRIMED.sub(r'<mrow>\1<mo lspace="0" rspace="0">\2</mo></mrow>', markup)
        except Exception:  # it raises what it likes, KeyError and IndexError among them
            markup = ""
        if markup and not _UNKNOWN.search(plain(markup)):
            return markup
        self.unknown.append(latex)
        return f"<code>{html.escape(latex)}</code>"
