"""From a NumPy function to a computation graph, and back through the chain rule."""

from typing import TYPE_CHECKING

from backprop_nb.fronts import later

if TYPE_CHECKING:
    from backprop_nb.tracing.api import Graph as Graph
    from backprop_nb.tracing.api import trace as trace
    from backprop_nb.tracing.backward import Backward as Backward
    from backprop_nb.tracing.backward import Contribution as Contribution
    from backprop_nb.tracing.backward import Step as Step
    from backprop_nb.tracing.define import define_rule as define_rule
    from backprop_nb.tracing.graph import Node as Node
    from backprop_nb.tracing.rules import sigmoid as sigmoid
    from backprop_nb.tracing.rules import supported_functions as supported_functions
    from backprop_nb.tracing.source import Source as Source
    from backprop_nb.tracing.transforms import grad as grad
    from backprop_nb.tracing.transforms import jacobian as jacobian
    from backprop_nb.tracing.transforms import jvp as jvp
    from backprop_nb.tracing.transforms import stop_gradient as stop_gradient
    from backprop_nb.tracing.transforms import value_and_grad as value_and_grad
    from backprop_nb.tracing.transforms import vjp as vjp

_NAMES = {
    "api": ["Graph", "trace"],
    "backward": ["Backward", "Contribution", "Step"],
    "define": ["define_rule"],
    "graph": ["Node"],
    "rules": ["sigmoid", "supported_functions"],
    "source": ["Source"],
    "transforms": ["grad", "jacobian", "jvp", "stop_gradient", "value_and_grad", "vjp"],
}
__all__ = [name for names in _NAMES.values() for name in names]
__getattr__ = later(__name__, _NAMES)
