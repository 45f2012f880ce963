"""The general passes, beside the document's transcript."""

import tracemalloc

import numpy as np
import pytest

from backprop_nb.network import Network, SigmoidNetwork
from backprop_nb.network.general import DOCUMENT, GeneralPasses
from backprop_nb.network.theta import flatten


def example(rows, widths=(4, 3, 3, 2)):
    rng = np.random.default_rng(5)
    net = SigmoidNetwork(widths, seed=2, scale=1.0)
    net.b = [rng.normal(size=b.shape) for b in net.b]
    lead = () if rows is None else (rows,)
    return net, rng.normal(size=(*lead, widths[0])), rng.uniform(size=(*lead, widths[-1]))


@pytest.mark.parametrize("rows", [None, 1, 6])
def test_for_the_documents_choices_they_give_the_transcripts_numbers(rows):
    net, x, y = example(rows)
    general = GeneralPasses(*DOCUMENT)
    forward, plain = general.forward(net.A, net.b, x), net.forward(x)
    assert len(forward.f) == len(plain.f) == 4
    pairs = [*zip(forward.f, plain.f, strict=True)]
    pairs += zip(forward.z.values(), plain.z.values(), strict=True)
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=1e-15)
    assert general.loss(forward, y) == pytest.approx(net.loss(x, y), rel=1e-14)
    gradient, expected = general.backward(net.A, forward, y), net.backward(x, y)
    assert list(gradient.delta) == list(expected.delta) == [1, 2, 3]
    np.testing.assert_allclose(
        flatten(gradient.A, gradient.b), flatten(expected.A, expected.b), rtol=1e-13
    )


@pytest.mark.parametrize("asked", ["output", "loss"])
def test_many_rows_go_through_in_blocks(asked):
    net = Network((5, 200, 200, 3), seed=0, activation="tanh", output="softmax")
    x = np.random.default_rng(0).normal(size=(9000, 5))
    y = np.eye(3)[np.arange(9000) % 3]
    forward = net.forward(x)
    tracemalloc.start()
    try:
        found = net(x) if asked == "output" else net.loss(x, y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    expected = forward.f[-1] if asked == "output" else np.mean(np.sum((y - forward.f[-1]) ** 2, 1))
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert peak < 10_000_000  # one layer of all rows has 14 MB
