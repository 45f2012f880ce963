"""One of each live view: for tests of what they have in common."""

from functools import partial

import backprop_nb as bp
from backprop_nb.views.live_view import LiveView

X, Y = [0.5, -1.0, 2.0], [1.0, 0.0]
NET = bp.SigmoidNetwork((3, 3, 2), seed=0)
NEEDED = {"GraphExplorer": (NET.trace(X, Y),), "ChainRule": (NET, X, Y)}
"""The arguments without which a view cannot be made."""

MAKERS = {name: partial(getattr(bp, name), *NEEDED.get(name, ())) for name in bp.widgets.__all__}
"""Each makes a view in its first state, but for the keywords that it is given."""


def _playground() -> LiveView:
    playground = bp.Playground(seed=1)
    playground.train(12)
    return playground


VIEWS = MAKERS | {
    "GradientFlow": lambda: bp.GradientFlow(NET, X, Y),
    "SigmoidExplorer": lambda: bp.SigmoidExplorer(z=1),
    "Playground": _playground,
    "FindTheBug": lambda: bp.FindTheBug("easy", seed=0),
}
"""Each makes a view in a state worth showing."""

KEYS = {"SigmoidExplorer": "ArrowRight", "GradientFlow": "[", "Playground": "["}
"""What changes a view, other than "]": one that begins at its end steps back."""

# The lines of code that an end of what scrolls cuts through, beyond a pixel that is rounded; those
# that reach beyond its side; and those that are hidden above empty room.
CUT_LINES = """() => [...document.querySelectorAll(".bpnb-codes .bpnb-panel")].flatMap(panel => {
    const edge = panel.getBoundingClientRect();
    const room = panel.closest(".bpnb-pass").getBoundingClientRect().bottom - edge.bottom;
    const lines = [...panel.querySelectorAll(".bpnb-line")];
    return lines.filter(line => {
        const { top, bottom, height } = line.getBoundingClientRect();
        const row = parseFloat(getComputedStyle(line).minHeight); // of a line that goes on below
        const cuts = end => top < end - 1 && bottom > end + 1 && (end - top + 1) % row > 2;
        return cuts(edge.top) || cuts(edge.bottom)
            || panel.scrollWidth > panel.clientWidth
            || top > edge.bottom - 1 && room > height + 10;
    }).map(line => line.textContent);
})"""
