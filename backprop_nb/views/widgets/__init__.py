"""The live views: traits and wiring in Python, pictures in the ES modules beside them."""

from backprop_nb.views.widgets.chain_rule import ChainRule
from backprop_nb.views.widgets.find_the_bug import FindTheBug
from backprop_nb.views.widgets.gradient_flow import GradientFlow
from backprop_nb.views.widgets.graph_explorer import GraphExplorer
from backprop_nb.views.widgets.playground import Playground
from backprop_nb.views.widgets.sigmoid_explorer import SigmoidExplorer

__all__ = [
    "ChainRule",
    "FindTheBug",
    "GradientFlow",
    "GraphExplorer",
    "Playground",
    "SigmoidExplorer",
]
