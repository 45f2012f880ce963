"""Each loss with each output it can judge, against central differences and to its extremes."""

import itertools

import numpy as np
import pytest

from backprop_nb.network import Network
from backprop_nb.network.activations import OUTPUTS
from backprop_nb.network.losses import LOSSES

PAIRS = [(loss, output) for loss, row in LOSSES.items() for output in row.outputs]


def test_the_cross_entropy_judges_probabilities_alone():
    assert list(LOSSES["squared error"].outputs) == list(OUTPUTS)
    assert list(LOSSES["cross-entropy"].outputs) == ["sigmoid", "softmax"]


@pytest.mark.parametrize(("loss", "output"), PAIRS)
def test_delta_is_the_derivative_by_z(loss, output):
    row, activation, rng = LOSSES[loss], OUTPUTS[output], np.random.default_rng(1)
    z, y, h = rng.normal(size=(5, 3)), rng.uniform(size=(5, 3)), 1e-6
    y /= y.sum(axis=1, keepdims=True)
    slopes = np.empty_like(z)
    for n, j in itertools.product(range(5), range(3)):
        nudge = np.zeros_like(z)
        nudge[n, j] = h
        above, below = (row.rows(place, y, activation) for place in (z + nudge, z - nudge))
        slopes[n, j] = (above.sum() - below.sum()) / (2 * h)
    np.testing.assert_allclose(row.delta(activation.of(z), y, activation), slopes, atol=1e-8)


@pytest.mark.parametrize(("loss", "output"), PAIRS)
def test_the_formula_names_the_output(loss, output):
    latex = LOSSES[loss].latex("f_{3}", OUTPUTS[output])
    assert "f_{3}" in latex
    assert latex.count("{") == latex.count("}")
    assert (r"(1 - f_{3})" in latex) == ((loss, output) == ("cross-entropy", "sigmoid"))


def test_a_softmax_gives_probabilities_however_large_its_inputs():
    net = Network.from_parameters(
        [[[1000.0], [-1000.0], [0.0]]], output="softmax", loss="cross-entropy"
    )
    assert net([1]).tolist() == [1, 0, 0]
    assert net.loss([1], [0, 1, 0]) == 2000
    assert net.backward([1], [0, 1, 0]).delta[1].tolist() == [1, -1, 0]


def test_the_cross_entropy_is_stable_however_wrong_a_saturated_output():
    net = Network.from_parameters([[[1000.0]]], [[0]], loss="cross-entropy")
    assert net.loss([1], [0]) == 1000
    assert net.backward([1], [0]).delta[1] == 1
