"""The live views: traits and wiring in Python, pictures in the ES modules beside them."""

from backprop_nb.views.bug.widget import FindTheBug
from backprop_nb.views.chain.widget import ChainRule
from backprop_nb.views.explorer.widget import GraphExplorer
from backprop_nb.views.flow.widget import GradientFlow
from backprop_nb.views.playground.widget import Playground
from backprop_nb.views.sigmoid.widget import SigmoidExplorer

__all__ = [
    "ChainRule",
    "FindTheBug",
    "GradientFlow",
    "GraphExplorer",
    "Playground",
    "SigmoidExplorer",
]
