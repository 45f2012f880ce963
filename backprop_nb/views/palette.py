"""Every colour of the package, once; the figure and the browser both read them here.

Values and weights lie on a blue-orange scale, gradients on a purple-green one;
both stay apart for colour-blind readers.  The ends are negative and positive,
the middle is a neutral grey that means zero.
"""

from __future__ import annotations

from typing import Final

Theme = dict[str, str]

LIGHT: Final[Theme] = {
    "value-negative": "#c25e00",
    "value-zero": "#eef0f2",
    "value-positive": "#1f62b0",
    "adjoint-negative": "#187a3c",
    "adjoint-zero": "#eeeef0",
    "adjoint-positive": "#77299a",
    "forward": "#1f62b0",
    "backward": "#77299a",
    "paper": "#ffffff",
    "card": "#ffffff",
    "panel": "#f6f7f9",
    "line": "#c3cad3",
    "edge": "#8a94a0",
    "text": "#1b2027",
    "muted": "#59626d",
    "faint": "#8b939d",
    "note": "#ffe89a",
    "note-ink": "#634a00",
    "alarm": "#c0212b",
    "alarm-ink": "#ffffff",
}

DARK: Final[Theme] = {
    "value-negative": "#f2a154",
    "value-zero": "#343a42",
    "value-positive": "#6fb1ff",
    "adjoint-negative": "#6ed58c",
    "adjoint-zero": "#37363d",
    "adjoint-positive": "#d79bf0",
    "forward": "#6fb1ff",
    "backward": "#d79bf0",
    "paper": "#111418",
    "card": "#1a1e24",
    "panel": "#171b20",
    "line": "#3a424c",
    "edge": "#77828e",
    "text": "#e8ebef",
    "muted": "#a5afba",
    "faint": "#7a8490",
    "note": "#f1d36b",
    "note-ink": "#2c2200",
    "alarm": "#ff8f88",
    "alarm-ink": "#330505",
}

ON_DARK: Final = "invert(0.93) hue-rotate(180deg) brightness(1.15)"
"""Makes a picture of the light theme dark: light and dark change places, and colours stay."""

THEMES: Final[dict[str, Theme]] = {"light": LIGHT, "dark": DARK}


def diverging(theme: Theme, family: str, position: float) -> str:
    """Return the colour at ``position`` between -1 and 1 on one of the two scales.

    >>> diverging(LIGHT, "value", 0.0)
    '#eef0f2'
    """
    position = max(-1.0, min(1.0, position))
    end = theme[f"{family}-positive" if position > 0 else f"{family}-negative"]
    return mix(theme[f"{family}-zero"], end, abs(position))


def mix(start: str, end: str, share: float) -> str:
    """Return the colour that lies ``share`` of the way from ``start`` to ``end``."""
    pairs = zip(_channels(start), _channels(end), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def ink(background: str) -> str:
    """Return black or white, whichever has more contrast on ``background`` (WCAG 2.2)."""
    return "#000000" if luminance(background) > 0.179 else "#ffffff"


def luminance(colour: str) -> float:
    """Return the relative luminance of an sRGB colour, as WCAG 2.2 defines it."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    dark, bright = sorted((luminance(first), luminance(second)))
    return (bright + 0.05) / (dark + 0.05)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


# --- in a page ----------------------------------------------------------------

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

# What ``ink`` does, for a text on the heat --cell.
_ON_HEAT = """\
.bpnb-grid span, .bpnb-on {
  --ink: clamp(0, (0.179 - y) * 100000, 1);
  color: var(--bpnb-text);
  color: color(
    from var(--cell) xyz-d65 calc(0.9505 * var(--ink)) var(--ink) calc(1.0891 * var(--ink))
  );
}"""


def palette_sheet() -> str:
    """Return the style sheet that gives every colour to what has the class ``bpnb``."""
    light, dark = properties(LIGHT), properties(DARK)
    return f".bpnb {{ {light} }}\n{_DARK_HOSTS} {{ {dark} }}\n{_ON_HEAT}"


def heat_property(family: str, position: float) -> str:
    """Return :func:`diverging` as a colour of CSS, which follows the page's theme.

    >>> heat_property("value", -0.5)
    'color-mix(in srgb, var(--bpnb-value-negative) 50%, var(--bpnb-value-zero))'
    """
    end = "positive" if position > 0 else "negative"
    share = f"{100 * min(abs(position), 1.0):.0f}%"
    return f"color-mix(in srgb, var(--bpnb-{family}-{end}) {share}, var(--bpnb-{family}-zero))"


def properties(theme: Theme) -> str:
    """Return the colours of a theme as custom properties, ``--bpnb-text`` and so on."""
    # The host's own paper and text colours win, so that the view sits in its page.
    host = {"paper": "--jp-layout-color0", "text": "--jp-content-font-color0"}
    parts = []
    for role, colour in theme.items():
        value = f"var({host[role]}, {colour})" if role in host else colour
        parts.append(f"--bpnb-{role}: {value};")
    return " ".join(parts)
