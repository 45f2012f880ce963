"""How objects are shown: each wing says ``display.draw(self)``, and ``views`` knows how.

Data stand below and pictures above them, so that ``import backprop_nb`` stays light.
What a type looks like is looked up in a registry.  It is empty until somebody asks for a
picture: then ``backprop_nb.views`` is imported, once, and registers what it can show.
"""

from __future__ import annotations

import functools
import importlib
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec

from backprop_nb.errors import UnsupportedError

_VIEWS = "backprop_nb.views"
P = ParamSpec("P")

WIDTH = 100
"""So many characters stand in a line of a notebook's cell."""

_handlers: dict[str, dict[str, str]] = {}


def register(kind: str, **handlers: str) -> None:
    """Say how the objects of a type are shown.

    Parameters
    ----------
    kind
        The type, as ``"module:name"``, so that nothing need be imported to name it.
    **handlers
        For ``draw``, ``explore``, ``describe`` and ``mimebundle`` the function that does
        it, as ``"module:name"``; its module is imported on first use.
    """
    _handlers.setdefault(kind, {}).update(handlers)


def draw(shown: Any, **options: Any) -> Any:
    """Return an object as a matplotlib figure."""
    return _handler("draw", shown)(shown, **options)


def explore(shown: Any, **options: Any) -> Any:
    """Return the interactive view of an object."""
    return _handler("explore", shown)(shown, **options)


def describe(shown: Any, **options: Any) -> str:
    """Return the text twin of an object's picture."""
    text: str = _handler("describe", shown)(shown, **options)
    return text


class Words(str):
    """A text twin: a text like any other, and folded where a cell ends with it.

    It says all that a picture shows, so that it would tell whoever reads on what the picture
    is going to ask.  ``print`` shows it in full.
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        from html import escape  # it loads a table of two thousand names

        text = f'<pre style="white-space: pre-wrap">{escape(self)}</pre>'
        return f"<details><summary>In words</summary>{text}</details>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def words(describe: Callable[P, str]) -> Callable[P, Words]:
    """Let a method that describes return :class:`Words`.

    Examples
    --------
    >>> described = words(lambda: "two cards")()
    >>> described, described._repr_html_()[:35]
    ('two cards', '<details><summary>In words</summary')
    """

    @functools.wraps(describe)
    def described(*args: P.args, **options: P.kwargs) -> Words:
        return Words(describe(*args, **options))

    return described


_ARRAY = re.compile(r"(?P<head>.*: )?(?P<name>[^:\[\]]*)\[(?P<rows>[^\[\]]*\][,.]?)")
_END_OF_ROW = re.compile(r"(?<=;) |(?<=,) (?=…)")
_NEXT = re.compile(r"(?<=\],) (?=[^:,()\[\]]+ = \[[^\[\]]*\][,.]?(?: |$))")


def folded(lines: Iterable[str], indent: str | None = None) -> str:
    """Return lines as a text in which none is longer than a cell, but what has no space.

    What a line goes on with is indented by two more, or by *indent*.  Where the words of arrays
    end it, each begins a line of its own, and its rows stay whole where they fit.  Tables and
    code are not for this.

    >>> row = ", ".join(["0.1235"] * 8)
    >>> print(folded([f"  W = input, (3, 8): [{row}; {row}; {row}]"]))
      W = input, (3, 8):
        [0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235;
         0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235;
         0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235]
    >>> print(folded([f"  W = [{row}; {row}]"]))
      W = [0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235;
           0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235]
    """
    each_line = (line for text in lines for line in text.split("\n"))
    return "\n".join(part for line in each_line for part in _parts(line, indent))


def _parts(line: str, indent: str | None) -> list[str]:
    if len(line) <= WIDTH:
        return [line]
    if indent is None:
        indent = " " * (len(line) - len(line.lstrip()) + 2)
    first, *others = _NEXT.split(line)
    arrays = [_ARRAY.fullmatch(each) for each in (first, *others)]
    parts: list[str] = []
    for k, found in enumerate(arrays):
        if found is None:
            return _filled(line, indent)
        head, name = (found["head"] or "").rstrip(), found["name"]
        before, rows = indent if k or head else "", _END_OF_ROW.split(found["rows"])
        parts += _filled(head, indent)
        longest = max(map(len, rows)) + 1
        if len(before + name) + longest > WIDTH >= len(indent) + longest and name.strip():
            parts += _filled(before + name.rstrip(), indent)
            before, name = indent, ""
        parts += _below(before + name, rows)
    return parts


def _below(name: str, rows: Sequence[str]) -> list[str]:
    """Return an array behind its name; the rows stand below each other, or side by side."""
    lines, line, indent = list[str](), f"{name}[{rows[0]}", " " * (len(name) + 1)
    deeper = f"{indent}  " if rows[0][-1:] == ";" else indent
    for k, row in enumerate(rows):
        if k and len(line) + 1 + len(row) > WIDTH:
            lines.append(line)
            line = indent + row
        elif k:
            line += f" {row}"
        *full, line = _filled(line, deeper)
        lines += full
    return [*lines, line]


def _filled(text: str, indent: str) -> list[str]:
    """Return a text in full lines; all but the first begin with an indent."""
    return textwrap.wrap(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def mimebundle(shown: Any, **options: Any) -> Any:
    """Return what a notebook shows of an object that is a cell's last line.

    What has no bundle of its own shows its interactive view.
    """
    handler = _registered("mimebundle", shown)
    if handler is not None:
        return handler(shown, **options)
    return explore(shown)._repr_mimebundle_(**options)


def progress_bar(total: int, *, shown: bool = True, **options: Any) -> Any:
    """Return a bar of tqdm, a text everywhere: in a saved notebook its widget would be gone.

    In a notebook it is printed, as what stands on ``stderr`` there looks like a warning, and
    costs a student of nbgrader the points of a cell.  A program without a console (``pythonw``)
    has no ``stderr`` and shows none.
    """
    from tqdm import tqdm  # takes as long to load as half of this package

    ipython = sys.modules.get("IPython")
    if ipython and hasattr(ipython.get_ipython(), "kernel"):
        options |= {"file": sys.stdout, "ncols": WIDTH}
    seen = options.get("file", sys.stderr) is not None
    return tqdm(total=total, disable=not (shown and seen), **options)


def _registered(action: str, shown: Any) -> Callable[..., Any] | None:
    """Return the function that is registered for the object's type, or one it derives from."""
    importlib.import_module(_VIEWS)
    for kind in type(shown).__mro__:
        name = _handlers.get(f"{kind.__module__}:{kind.__qualname__}", {}).get(action)
        if name is not None:
            module, _, function = name.partition(":")
            handler: Callable[..., Any] = getattr(importlib.import_module(module), function)
            return handler
    return None


def _handler(action: str, shown: Any) -> Callable[..., Any]:
    """Return the registered function.

    Raises
    ------
    UnsupportedError
        If there is none.
    """
    handler = _registered(action, shown)
    if handler is not None:
        return handler
    raise UnsupportedError(
        f"No view is registered that can {action} a {type(shown).__name__}.",
        instead=f'display.register("module:{type(shown).__name__}", {action}="module:function")',
    )
