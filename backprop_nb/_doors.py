"""The doors: the few places where a lower wing reaches up to a higher one.

Imports in this package run downward only, which keeps ``import backprop_nb``
light and every wing usable without those above it.  A learner still wants to
write ``graph.explore()``.  So a handful of short functions import what lies
above them *when they are called*, and each of them is named here, as
``("module:qualname", "imported module")``.  ``tests/test_imports.py`` reads
this list: a local import that is missing from it fails, and so does an entry
that no longer has its import.
"""

from __future__ import annotations

DOORS: tuple[tuple[str, str], ...] = (
    ("backprop_nb.tracing.graph:Graph.backward", "backprop_nb.tracing.backward"),
    ("backprop_nb.tracing.graph:Graph.compile", "backprop_nb.tracing.emit.numpy_code"),
    ("backprop_nb.tracing.graph:Graph.describe", "backprop_nb.views.explorer.scene"),
    ("backprop_nb.tracing.graph:Graph.draw", "backprop_nb.views.explorer.figure"),
    ("backprop_nb.tracing.graph:Graph.evaluate", "backprop_nb.tracing.replay"),
    ("backprop_nb.tracing.graph:Graph.explore", "backprop_nb.views.widgets"),
    ("backprop_nb.tracing.graph:Graph.to_latex", "backprop_nb.tracing.emit.derivation"),
    ("backprop_nb.tracing.graph:Graph.to_numpy", "backprop_nb.tracing.emit.numpy_code"),
    ("backprop_nb.tracing.graph:Node.health", "backprop_nb.tracing.health"),
    ("backprop_nb.checking.numeric:StepCurve.draw", "backprop_nb.views.charts"),
    ("backprop_nb.checking.report:Report._repr_mimebundle_", "backprop_nb.views.report"),
    ("backprop_nb.tracing.backward:Contribution.explain", "backprop_nb.tracing.emit.rule"),
    (
        "backprop_nb.network.sigmoid:SigmoidNetwork._chunked_loss_and_gradient",
        "backprop_nb.network.chunks",
    ),
    ("backprop_nb.network.sigmoid:SigmoidNetwork.fit", "backprop_nb.network.training"),
    ("backprop_nb.network.comparison:ComparisonNetwork.trace", "backprop_nb.tracing"),
    ("backprop_nb.network.training:_chunks", "backprop_nb.network.chunks"),
    ("backprop_nb.network.history:History.draw", "backprop_nb.views.charts"),
    ("backprop_nb.network.sigmoid:SigmoidNetwork.chain", "backprop_nb.network.chain"),
    ("backprop_nb.network.sigmoid:SigmoidNetwork.trace", "backprop_nb.tracing"),
)
