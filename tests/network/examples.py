"""Networks with data that fit them, and what the tests of this wing ask of functions."""

from itertools import pairwise

import numpy as np
import pytest

from backprop_nb.network import SigmoidNetwork


def example(widths, rows=None, seed=1, dtype=float):
    """Return a network with weights and biases far from zero, and data for it."""
    rng = np.random.default_rng(seed)
    net = SigmoidNetwork.from_parameters(
        [rng.normal(size=(m, n)).astype(dtype) for n, m in pairwise(widths)],
        [rng.normal(size=m).astype(dtype) for m in widths[1:]],
    )
    lead = () if rows is None else (rows,)
    x, y = rng.normal(size=(*lead, widths[0])), rng.uniform(size=(*lead, widths[-1]))
    return net, x.astype(dtype), y.astype(dtype)


def nudged(function, point, h=1e-5):
    """Return the Jacobian of a function of a vector: a row an output, a column an input."""
    columns = []
    for place in range(len(point)):
        above, below = list(point), list(point)
        above[place] += h
        below[place] -= h
        pairs = zip(function(above), function(below), strict=True)
        columns.append([(u - v) / (2 * h) for u, v in pairs])
    return np.array(columns).T


def error_of(call, kind):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)
