"""The style sheet: the palette as custom properties, then the rules of ``view.css``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from backprop_nb.views.scene.palette import DARK, LIGHT, Theme

_HERE = Path(__file__).parent

# JupyterLab, VS Code, Colab and marimo each say in their own way that they are dark.
_DARK_HOSTS = ", ".join(
    f"{host} .bpnb"
    for host in (
        '[data-jp-theme-light="false"]',
        '[data-vscode-theme-kind="vscode-dark"]',
        'html[theme="dark"]',
        ".dark",
    )
)
_SERIF = 'Georgia, "Times New Roman", "DejaVu Serif", serif'


@cache
def style_sheet() -> str:
    """Return the whole style sheet of the widgets."""
    light, dark = _properties(LIGHT), _properties(DARK)
    return "\n".join(
        [
            f".bpnb {{ --bpnb-serif: {_SERIF}; {light} }}",
            f"{_DARK_HOSTS} {{ {dark} }}",
            (_HERE / "view.css").read_text(encoding="utf-8"),
        ]
    )


@cache
def page_style_sheet() -> str:
    """Return what a page of its own adds: with no host to ask, it asks the reader's system."""
    light, dark = _properties(LIGHT), _properties(DARK)
    return "\n".join(
        [
            f".bpnb-page {{ {light} }}",
            f"@media (prefers-color-scheme: dark) {{ .bpnb-page, .bpnb-page .bpnb {{ {dark} }} }}",
            (_HERE / "page.css").read_text(encoding="utf-8"),
        ]
    )


@cache
def module() -> str:
    """Return the source of the ES module that draws a scene."""
    return (_HERE / "view.mjs").read_text(encoding="utf-8")


def _properties(theme: Theme) -> str:
    # The host's own paper and text colours win, so that the view sits in its page.
    host = {"paper": "--jp-layout-color0", "text": "--jp-content-font-color0"}
    parts = []
    for role, colour in theme.items():
        value = f"var({host[role]}, {colour})" if role in host else colour
        parts.append(f"--bpnb-{role}: {value};")
    return " ".join(parts)
