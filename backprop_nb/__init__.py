"""Backpropagation in Jupyter: trace NumPy code, step its backward pass, see every number.

Everything a learner types is here::

    import numpy as np
    import backprop_nb as bp

    graph = bp.trace(lambda x: np.sin(x) * x, 2.0)
    graph.backward().gradients  # the gradient, one per argument
    graph.explore()  # step it, with every number

The tracer, networks, the checker and the views each load when one of their names is first
asked for, so that importing the package stays light.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from backprop_nb.errors import (
    BackpropError,
    BackpropWarning,
    DetachedError,
    DivergenceError,
    EndedError,
    InPlaceError,
    InvalidValueError,
    NotFoundError,
    ShapeError,
    UnsupportedError,
    WrongGradientError,
)

if TYPE_CHECKING:
    from backprop_nb import checking
    from backprop_nb.checking import Report, check_backward, check_gradient, exercise, questions
    from backprop_nb.network import History, Network, SigmoidNetwork, document
    from backprop_nb.tracing import (
        Backward,
        Graph,
        Node,
        Step,
        define_rule,
        grad,
        jacobian,
        jvp,
        sigmoid,
        stop_gradient,
        supported_functions,
        trace,
        value_and_grad,
        vjp,
    )
    from backprop_nb.views import widgets
    from backprop_nb.views.widgets import (
        ChainRule,
        FindTheBug,
        GradientFlow,
        GraphExplorer,
        Playground,
        SigmoidExplorer,
    )

__version__ = "0.1.0"

__all__ = [
    "BackpropError",
    "BackpropWarning",
    "Backward",
    "ChainRule",
    "DetachedError",
    "DivergenceError",
    "EndedError",
    "FindTheBug",
    "GradientFlow",
    "Graph",
    "GraphExplorer",
    "History",
    "InPlaceError",
    "InvalidValueError",
    "Network",
    "Node",
    "NotFoundError",
    "Playground",
    "Report",
    "ShapeError",
    "SigmoidExplorer",
    "SigmoidNetwork",
    "Step",
    "UnsupportedError",
    "WrongGradientError",
    "check_backward",
    "check_gradient",
    "checking",
    "define_rule",
    "document",
    "exercise",
    "grad",
    "jacobian",
    "jvp",
    "questions",
    "sigmoid",
    "stop_gradient",
    "supported_functions",
    "trace",
    "value_and_grad",
    "vjp",
    "widgets",
]

_MODULES = {
    "document": "backprop_nb.network.document",
    "tracing": "backprop_nb.tracing",
    "network": "backprop_nb.network",
    "checking": "backprop_nb.checking",
    "widgets": "backprop_nb.views.widgets",
    "data": "backprop_nb.data",
}
_LAZY = ("tracing", "network", "checking", "widgets")


def __getattr__(name: str) -> Any:
    """Import what was left for first use, from the lowest module that offers it."""
    if name in _MODULES:
        return _imported(name)
    if name in __all__:
        for module in map(_imported, _LAZY):
            if name in module.__all__:
                return globals().setdefault(name, getattr(module, name))
    from backprop_nb.meant import no_attribute

    raise no_attribute(f"module {__name__!r}", [__name__], name, __dir__)


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(_MODULES[name])
    except AttributeError as error:  # of the module; Python would take it for a missing name
        raise ImportError(f"cannot import {_MODULES[name]!r}: {error}") from error


def __dir__() -> list[str]:
    return [*__all__, "data"]  # which a star import leaves to the learner's own data


class _Kept(ModuleType):
    """The package, whose names stay what they are: a check that is replaced checks nothing."""

    def __setattr__(self, name: str, value: Any) -> None:
        # Python itself puts a module that it has imported into its package.
        if name in __all__ and value is not sys.modules.get(f"{__name__}.{name}"):
            raise UnsupportedError(
                f"`backprop_nb.{name}` cannot be replaced.",
                given=f"bp.{name} = …",
                instead=f"{name} = …, a name of your own",
            )
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Kept
