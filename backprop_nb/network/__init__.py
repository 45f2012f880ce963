"""The document's network, without the tracer: the two check each other.

The chain and the document load on first use: to train a network needs neither.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from backprop_nb.network.comparison import ComparisonNetwork
from backprop_nb.network.history import History
from backprop_nb.network.passes import Forward, Gradient, sigma, sigma_prime
from backprop_nb.network.sigmoid import SigmoidNetwork

if TYPE_CHECKING:
    from backprop_nb.network import document
    from backprop_nb.network.chain import Chain, PartialProduct
    from backprop_nb.network.factors import Factor
    from backprop_nb.network.transposes import Transposes, TransposeStep

__all__ = [
    "Chain",
    "ComparisonNetwork",
    "Factor",
    "Forward",
    "Gradient",
    "History",
    "PartialProduct",
    "SigmoidNetwork",
    "TransposeStep",
    "Transposes",
    "document",
    "sigma",
    "sigma_prime",
]

_ON_FIRST_USE = {
    "Chain": "chain",
    "PartialProduct": "chain",
    "Factor": "factors",
    "TransposeStep": "transposes",
    "Transposes": "transposes",
}


def __getattr__(name: str) -> Any:
    if name in _ON_FIRST_USE:
        module = importlib.import_module(f"backprop_nb.network.{_ON_FIRST_USE[name]}")
        return getattr(module, name)
    if name == "document":
        return importlib.import_module("backprop_nb.network.document")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
