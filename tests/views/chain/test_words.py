"""The text twin of the chain rule has every number."""

import numpy as np
import pytest

from backprop_nb import SigmoidNetwork
from backprop_nb.views import numbers
from backprop_nb.views.chain.scene import Sample, chain_scene
from backprop_nb.views.chain.words import describe_chain

NET = SigmoidNetwork((2, 3, 2), seed=0)
SAMPLE = Sample(NET, np.array([1.0, 2.0]), np.array([0.0, 1.0]))


@pytest.mark.parametrize("side", ["left", "right"])
def test_every_factor_step_and_cost_is_said(side):
    text = describe_chain(SAMPLE, 0, side)
    flat = " ".join(text.split())
    chain = SAMPLE.chain(0)
    for factor in chain.factors:
        assert f"{factor.symbol}" in text
        assert factor.layout in flat
        assert numbers.words(factor.matrix) in flat
    scene = chain_scene(SAMPLE, 0)["chains"]["0"]
    for frame in [*scene["frames"][side], *scene["frames"]["transposes"]]:
        assert " ".join(frame["words"].split()) in flat
    for reason in scene["why"]:
        assert reason in flat
    for cost in (chain.cost_from_left, chain.cost_from_right, chain.cost_of_backward):
        assert str(cost) in text


def test_a_row_of_a_batch_is_named():
    sample = Sample(NET, SAMPLE.x, SAMPLE.y, 3, 5)
    assert "Row 3 of a batch of 5; the gradient of the batch is the mean" in describe_chain(
        sample, 1, "left"
    )


def test_what_is_not_built_is_said_too():
    net = SigmoidNetwork((784, 128, 2), seed=0)
    text = describe_chain(Sample(net, np.zeros(784), np.zeros(2)), 0, "left")
    assert "not built: 12,861,440 entries" in text
