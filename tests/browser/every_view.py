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
