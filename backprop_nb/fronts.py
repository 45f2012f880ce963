"""The front of a wing: its names, each loaded from its module when it is first asked for.

So whoever needs one module of a wing, as a process that many copies are made of, loads no more.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def later(package: str, names: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package whose modules have these names.

    >>> later("backprop_nb.tracing", {"graph": ["Node"]})("Node")
    <class 'backprop_nb.tracing.graph.Node'>
    """
    home = {name: f"{package}.{module}" for module, many in names.items() for name in many}

    def load(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(home[name]), name)

    return load
