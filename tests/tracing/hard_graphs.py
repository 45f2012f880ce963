"""Graphs that the languages of diagrams have to bear."""

import numpy as np

import backprop_nb as bp


def cell(h, x, W):
    return np.tanh(W @ h + x)


def loop(xs, W):
    h = np.zeros(2)
    for x in xs:
        h = cell(h, x, W)
    return np.sum(h**2)


def hard(p, θ, my_loss, none):
    v = np.einsum("ij,j->i", p['W "1"\\'], p["b"]) * θ
    several = np.stack([v[0]] * 9)
    return np.sum(v * (my_loss > 0)) * p["k"][0] + np.sum(none) + np.sum(several**3)


def accented(ŷ, größe, Å):
    return ŷ * 2 - größe**2 + Å


GRAPHS = {
    "accented": bp.trace(accented, 1.0, 2.0, 3.0),
    "loop": bp.trace(loop, [np.ones(2)] * 3, np.eye(2)),
    "hard": bp.trace(
        hard,
        {'W "1"\\': np.eye(2), "b": np.ones(2), "k": [2.0]},
        3.0,
        -1e-9,
        np.zeros((0, 3)),
    ),
    "network": bp.SigmoidNetwork((2, 3, 2), seed=0).trace([1, 2], [0, 1]),
    "input alone": bp.trace(lambda x: x, 1.0),
    "array": bp.trace(lambda x: np.exp(x) - 1, np.ones((5, 5))),
}
