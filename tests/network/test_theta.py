"""θ as one vector, and back."""

import numpy as np
import pytest

from backprop_nb.network import SigmoidNetwork
from backprop_nb.network.theta import flatten, layers, unflatten


def same(arrays, others):
    return len(arrays) == len(others) > 0 and all(map(np.array_equal, arrays, others))


@pytest.mark.parametrize("widths", [(1, 1), (4, 3, 1), (2, 5, 1, 3)])
def test_a_vector_holds_every_parameter_in_the_documents_order(widths):
    net = SigmoidNetwork(widths, seed=0)
    net.b = [np.arange(len(b), dtype=float) for b in net.b]
    theta = flatten(net.A, net.b)
    for i, layer in enumerate(layers(widths)):
        assert theta[layer].tolist() == [*net.A[i].ravel(), *net.b[i]]
    A, b = unflatten(theta, widths)
    assert same(A + b, net.A + net.b)
    assert theta.size == layers(widths)[-1].stop


def test_the_parameters_are_views_of_the_vector():
    theta = np.zeros(9)
    A, b = unflatten(theta, (2, 3))
    theta += 1
    assert A[0].tolist() == [[1, 1]] * 3
    assert b[0].tolist() == [1, 1, 1]


def test_flattening_copies_and_keeps_the_dtype():
    A, b = [np.zeros((1, 2), np.float32)], [np.zeros(1, np.float32)]
    theta = flatten(A, b)
    theta += 1
    assert theta.dtype == np.float32
    assert not A[0].any()
