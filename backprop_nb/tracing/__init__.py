"""From a NumPy function to a computation graph, and back through the chain rule."""

from backprop_nb.tracing.api import Graph, trace
from backprop_nb.tracing.backward import Backward, Contribution, Step
from backprop_nb.tracing.define import define_rule
from backprop_nb.tracing.graph import Node
from backprop_nb.tracing.rules import sigmoid, supported_functions
from backprop_nb.tracing.source import Source
from backprop_nb.tracing.transforms import (
    grad,
    jacobian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)

__all__ = [
    "Backward",
    "Contribution",
    "Graph",
    "Node",
    "Source",
    "Step",
    "define_rule",
    "grad",
    "jacobian",
    "jvp",
    "sigmoid",
    "stop_gradient",
    "supported_functions",
    "trace",
    "value_and_grad",
    "vjp",
]
