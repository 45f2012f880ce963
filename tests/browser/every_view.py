"""One of each live view, in a state worth showing: for tests of what they have in common."""

from collections.abc import Callable

import backprop_nb as bp
from backprop_nb.views.live_view import LiveView

X, Y = [0.5, -1.0, 2.0], [1.0, 0.0]


def _net() -> bp.SigmoidNetwork:
    return bp.SigmoidNetwork((3, 3, 2), seed=0)


def _playground() -> LiveView:
    playground = bp.Playground(seed=1)
    playground.train(12)
    return playground


EXAMPLES: dict[str, Callable[[], LiveView]] = {
    "GraphExplorer": lambda: _net().trace(X, Y).explore(),
    "GradientFlow": lambda: bp.GradientFlow(_net(), X, Y),
    "ChainRule": lambda: bp.ChainRule(_net(), X, Y),
    "SigmoidExplorer": lambda: bp.SigmoidExplorer(z=1),
    "Playground": _playground,
    "FindTheBug": lambda: bp.FindTheBug("easy", seed=0),
}
VIEWS = {name: EXAMPLES.get(name, getattr(bp, name)) for name in bp.widgets.__all__}
"""A view without an example here is made without arguments."""
