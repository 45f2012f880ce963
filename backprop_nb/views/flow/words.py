"""The text twin of the gradient's flow: every number that the view can show."""

from __future__ import annotations

from collections.abc import Iterator

from backprop_nb import display
from backprop_nb.network.tables import text_table
from backprop_nb.views import numbers
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.flow.parameter import Parameter, indexed
from backprop_nb.views.flow.scene import COLUMNS, batch_text, table
from backprop_nb.views.flow.verdict import start_text, verdict
from backprop_nb.views.flow.weight_curve import weight_curve


def describe_flow(flow: Flow, parameter: Parameter, epsilon: float = 0.0) -> str:
    """Return all that the view shows, as text."""
    found = verdict(flow)
    rows = [[f"layer {row['layer']}", *row["cells"]] for row in table(flow)]
    lines = [
        f"Gradient flow, {flow.about}; loss L = {numbers.long(flow.loss)}",
        *filter(None, [batch_text(flow)]),
        found.text,
        start_text(flow),
        *(["= " + " × ".join(found.named_factors.values())] if found.factors else []),
    ]
    parts = [
        display.folded(lines),
        text_table([["back to", *COLUMNS[1:]], *rows], ">" * len(COLUMNS)),
        display.folded(_layers(flow)),
        "\n".join(_moved(flow, parameter, epsilon)),
    ]
    return "\n\n".join(parts)


def _layers(flow: Flow) -> Iterator[str]:
    net, forward, gradient = flow.net, flow.forward, flow.gradient
    yield f"x = {numbers.words(flow.shown(forward.f[0]))}"
    for i in range(1, flow.K + 1):
        A, b = indexed("A", i - 1), indexed("b", i - 1)
        sign = net.activations[i - 1].sign
        values = {
            A: net.A[i - 1],
            **({b: net.b[i - 1]} if net.bias else {}),
            indexed("z", i): flow.shown(forward.z[i]),
            f"{indexed('f', i)} = {sign}(z)": flow.shown(forward.f[i]),
            f"{sign}′(z)": flow.shown(flow.slopes[i]),
            f"{indexed('δ', i)} = ∂L/∂z": flow.shown(gradient.delta[i]),
            f"∂L/∂{A}": gradient.A[i - 1],
            **({f"∂L/∂{b}": gradient.b[i - 1]} if net.bias else {}),
        }
        width = max(map(len, values)) + 1
        yield f"layer {i}"
        yield from (f"  {name:<{width}}= {numbers.words(value)}" for name, value in values.items())


def _moved(flow: Flow, parameter: Parameter, epsilon: float) -> Iterator[str]:
    """Yield what moving one weight does: ε in halves, beside what the gradient says."""
    curve = weight_curve(flow, parameter, epsilon)
    name = parameter.symbol
    yield f"{name} = {numbers.long(curve.value)}, ∂L/∂{name} = {numbers.long(curve.slope)}"
    wanted = [curve.epsilons[-1] / 2**m for m in range(5)]
    chosen = sorted({epsilon or wanted[0], *wanted}, reverse=True)
    head = ("ε", "L", "actual ΔL", "gradient × ε", "difference")
    texts = curve.texts()
    rows = []
    for each in (texts[curve.epsilons.index(epsilon)] for epsilon in chosen):
        compared = (each["change"], each["linear"], each["difference"])
        rows.append([each["epsilon"], each["loss"], *compared])
    yield text_table([head, *rows], ">" * len(head))
