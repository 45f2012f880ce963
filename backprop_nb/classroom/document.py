"""An HTML file that fetches nothing and runs nothing: what the pages for a class have in common."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

from backprop_nb.views.palette import DARK, palette_sheet, properties

# Styles come from this package alone; a report gives each cell of a heat map its own.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def document(title: str, body: str, style: str = "") -> bytes:
    """Return a whole file, the same for the same arguments.

    Parameters
    ----------
    title
        Plain text.
    body
        What stands on the page, as HTML.
    style
        What this page adds to the common style sheet.
    """
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{_style()}{style}</style>\n</head>",
        f'<body class="bpnb">\n<main>\n{body}\n</main>\n</body>\n</html>\n',
    ]
    # A lone surrogate in a text has no UTF-8.
    return "\n".join(parts).encode("utf-8", "xmlcharrefreplace")


def conventions(course: Mapping[str, Any]) -> str:
    """Return a line on how a course writes the backward pass.

    >>> conventions({"samples": "rows", "reduction": "sum", "half": True, "layers": 3})
    'Loss ½‖y − f‖², sum over the samples; samples as rows; networks of 3 layers.'
    """
    loss = "½‖y − f‖²" if course["half"] else "‖y − f‖²"
    several = "" if course["samples"] == "single" else f", {course['reduction']} over the samples"
    samples = {"single": "one sample", "rows": "samples as rows", "columns": "samples as columns"}
    layers = f"{course['layers']} layer{'' if course['layers'] == 1 else 's'}"
    return f"Loss {loss}{several}; {samples[course['samples']]}; networks of {layers}."


@cache
def _style() -> str:
    """Return the common style sheet: there is no host to ask for a theme, and paper is light."""
    dark = f"html .bpnb {{ {properties(DARK)} }}"  # wins over a report's own sheet
    return (
        f":root {{ color-scheme: light dark; }}\n{palette_sheet()}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ {dark} }}\n"
        + Path(__file__).with_name("document.css").read_text(encoding="utf-8")
    )
