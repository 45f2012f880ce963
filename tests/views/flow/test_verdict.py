"""The verdict says what becomes of the gradient and names what is to blame."""

import math

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.flow.verdict import verdict

x, y = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0])
DEEP = (3, *(5,) * 8, 2)


def network(scale=None, activation="sigmoid", widths=DEEP, **options):
    return bp.Network(widths, seed=0, scale=scale, activation=activation, **options)


@pytest.mark.parametrize(
    ("net", "words", "blame"),
    [
        (network(), "vanishes", "The slope σ′ is to blame: it is at most ¼."),
        (network(6.0), "vanishes", "Saturation is to blame: σ′ is far below ¼."),
        (network(0.1, "identity"), "vanishes", "The matrices A are to blame: they shrink it."),
        (
            network(3.0, "identity", loss="cross-entropy"),
            "explodes",
            "The matrices A are to blame: they stretch it.",
        ),
        (network(2.0, "tanh", (3, 4, 2)), "arrives", ""),
    ],
)
def test_the_verdict_names_what_is_to_blame(net, words, blame):
    found = Flow(net, x, y)
    said = verdict(found)
    assert said.text.startswith(f"The gradient {words}: ")
    assert said.text.endswith(blame)
    assert said.ratio == pytest.approx(found.norms[1] / found.norms[net.K])
    assert math.prod(said.factors.values()) == pytest.approx(said.ratio, rel=1e-12)


def test_a_gradient_that_dies_or_never_begins_is_said():
    net = network(1.0, "relu", (3, 4, 4, 2))
    net.b[1] = np.full(4, -100.0)
    said = verdict(Flow(net, x, y))
    assert said.text == (
        "The gradient dies: δ₂ is 0, because σ′(z₂) is 0 wherever something arrives."
    )
    net.A[2] = np.zeros((2, 4))
    said = verdict(Flow(net, x, y))
    assert said.text == "The gradient dies: δ₂ is 0, because A₂ lets nothing through."
    flat = network(0, widths=(3, 2, 2))
    assert verdict(Flow(flat, x, [0.5, 0.5])).text.startswith("δ₂ is 0, so nothing goes back: ")
    assert "one layer" in verdict(Flow(network(widths=(3, 2)), x, y)).text
