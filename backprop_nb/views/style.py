"""What a widget brings to the page: its style sheet and its ES module, each as one text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from backprop_nb.views.palette import DARK, LIGHT, ON_DARK, palette_sheet, properties

_HERE = Path(__file__).resolve().parent

_IMPORT = re.compile(r'^(?:import \{[^}]*\}|export \*) from "([\w./-]+\.mjs)";\n', re.MULTILINE)
_COMMENT = re.compile(
    r"^(?:[ \t]*(?://.*|/\*\*[^*]*(?:\*(?!/)[^*]*)*\*/[ \t]*)?\n)*[ \t]*", re.MULTILINE
)
"""Comments with lines of their own, empty lines, and the white space that a line begins with."""
_ASIDE = re.compile(r"(?<=[;,{}()\]]) // [^\"'`\n]*$", re.MULTILINE)
"""A comment at the end of a line; one with a quotation mark in it could be part of a text."""
_BROKEN = re.compile(r",?\n(?=[)\]}])|(?<=[,({\[])\n")
"""What a formatter writes where it breaks a line inside of brackets."""
_TEXTLESS = re.compile(r"^[^\"'`/\n]+$", re.MULTILINE)
"""A line with no text in it, and no pattern."""
_SPACED = re.compile(r" ?(=>|[=,:{}]) ?")
"""Signs that need no space around them."""
_NAMED = re.compile(r"^export (?!default)", re.MULTILINE)
"""Of a widget's module all that anybody imports is its default export."""
_EXPORT = re.compile(r"^export (?:default \w+;\n)?", re.MULTILINE)
_PART = re.compile(r"^(?=(?:export |async |function |class |const |let )(?!\*))", re.MULTILINE)
"""Where something begins that a module declares outside of everything."""
_DECLARED = re.compile(r"(?:export )?(?:async )?(?:function|class|const|let) (\w+)")
_WORD = re.compile(r"\w+")
_KEYFRAMES = re.compile(r"^@keyframes .*\}\n", re.MULTILINE)
_SERIF = 'Georgia, "Times New Roman", "DejaVu Serif", serif'


@cache
def style_sheet(room: str, name: str, *neighbours: str) -> str:
    """Return a widget's style sheet: the palette, what all views share, and its room's own.

    A page may have many widgets, and their sheets in any order.  So the rules of its own
    hold within the widget alone, and are stronger there than the shared ones of a sheet
    that comes later: they are nested in its class.
    """
    own = "\n".join(read(f"{room}/{each}.css") for each in (*neighbours, "widget"))
    return "\n".join(
        [
            f".bpnb {{ --bpnb-serif: {_SERIF}; }}",
            palette_sheet(),
            read("view.css"),
            *_KEYFRAMES.findall(own),  # which cannot be nested
            f".bpnb-{name} {{\n{_KEYFRAMES.sub('', own)}\n}}",
        ]
    )


@cache
def page_palette() -> str:
    """Return the colours of a page of its own: with no host to ask, it asks the reader's system.

    A page that lets its reader choose says so as ``data-theme`` of its root.
    """
    light, dark = properties(LIGHT), f"{properties(DARK)} --bpnb-on-light: {ON_DARK};"

    def both(root: str) -> str:
        return f"{root} .bpnb-page, {root} .bpnb-page .bpnb {{ {dark} }}"

    return "\n".join(
        [
            f".bpnb-page {{ {light} }}",
            "@media screen and (prefers-color-scheme: dark) {",  # paper is white
            both(":root:not([data-theme=light])"),
            "}",
            f"@media screen {{ {both(':root[data-theme=dark]')} }}",
            ":root { color-scheme: light dark; }",
            ":root[data-theme=light] { color-scheme: light; }",
            ":root[data-theme=dark] { color-scheme: dark; }",
        ]
    )


@cache
def page_style_sheet() -> str:
    """Return what a page of one view adds to the view's own style sheet."""
    return f"{page_palette()}\n{read('page.css')}"


@cache
def module(room: str) -> str:
    """Return the source of a room's ES module, after that of every neighbour it imports.

    A browser gets the module as a text of its own, which has no neighbours to
    import from.  So the imports are taken out, and what they name stands above.
    Every instance of a widget carries the text, so comments, indents, spaces, and what
    neighbours have for other widgets alone stay here.
    """
    sources: dict[Path, str] = {}
    _collect(_HERE / room / "widget.mjs", sources)
    source = _NAMED.sub("", "".join(_used(_PART.split("\n".join(sources.values())))))
    return _TEXTLESS.sub(lambda line: _SPACED.sub(r"\1", line[0]), source)


def _used(parts: Sequence[str]) -> list[str]:
    """Return the parts of a module without comments, and without what is declared for nobody.

    What only such a part mentions is not needed either.
    """
    kept = [_BROKEN.sub("", _ASIDE.sub("", _COMMENT.sub("", part))) for part in parts]
    of_page = set(_WORD.findall(read("page.mjs")))
    while True:
        mentions = Counter(word for part in kept for word in set(_WORD.findall(part)))
        needed = [
            part
            for part in kept
            if not (found := _DECLARED.match(part)) or mentions[found[1]] > 1 or found[1] in of_page
        ]
        if len(needed) == len(kept):
            return kept
        kept = needed


@cache
def page_module() -> str:
    """Return what a page adds to a view's module, which has all that this imports."""
    return _IMPORT.sub("", read("page.mjs"))


def without_exports(source: str) -> str:
    """Return the source of a module as part of another one, or of a script."""
    return _EXPORT.sub("", source)


def _collect(path: Path, sources: dict[Path, str]) -> None:
    if path in sources:
        return
    source = path.read_text(encoding="utf-8")
    for neighbour in _IMPORT.findall(source):
        _collect((path.parent / neighbour).resolve(), sources)
    sources[path] = _IMPORT.sub("", source)


@cache
def read(name: str) -> str:
    """Return the text of a file, by its path from this folder."""
    return (_HERE / name).read_text(encoding="utf-8")
