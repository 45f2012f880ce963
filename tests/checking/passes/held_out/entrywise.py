"""Every sum of the chain rule written out as a loop over its index."""

import numpy as np

DATA = 2


def loss(W, V, x, t):
    out = V @ (1 / (1 + np.exp(-(W @ x))))
    return np.sum((out - t) ** 2) / len(t)


def arguments(rng):
    return (
        rng.normal(size=(3, 3)),
        rng.normal(size=(3, 3)),
        rng.normal(size=3),
        rng.normal(size=3),
    )


def gradient(W, V, x, t):
    n_hidden, n_in = W.shape
    n_out = V.shape[0]
    net = [0.0] * n_hidden
    hid = np.zeros(n_hidden)
    for j in range(n_hidden):
        for i in range(n_in):
            net[j] += W[j, i] * x[i]
        hid[j] = 1 / (1 + np.exp(-net[j]))
    out = np.zeros(n_out)
    for k in range(n_out):
        for j in range(n_hidden):
            out[k] += V[k, j] * hid[j]
    grad_V = np.zeros((n_out, n_hidden))
    grad_W = np.zeros((n_hidden, n_in))
    err = np.zeros(n_out)
    for k in range(n_out):
        err[k] = 2 * (out[k] - t[k]) / n_out
        for j in range(n_hidden):
            grad_V[k, j] = err[k] * hid[j]
    for j in range(n_hidden):
        back = 0
        for k in range(n_out):
            back += err[k] * V[k, j]
        back *= hid[j] * (1 - hid[j])
        for i in range(n_in):
            grad_W[j, i] = back * x[i]
    return grad_W, grad_V


def gradient_row_by_row(W, V, x, t):
    h = [1 / (1 + np.exp(-np.dot(row, x))) for row in W]
    o = [np.dot(row, h) for row in V]
    e = [2 * (a - b) / len(t) for a, b in zip(o, t)]
    dV = np.array([[ek * hj for hj in h] for ek in e])
    s = [sum(ek * row[j] for ek, row in zip(e, V)) for j in range(len(h))]
    dW = np.array([[sj * hj * (1 - hj) * xi for xi in x] for sj, hj in zip(s, h)])
    return dW, dV


WRONG = {
    "gradient": [
        ("back += err[k] * V[k, j]", "back += err[k] * V[j, k]", "transpose"),
        ("back += err[k] * V[k, j]", "back = err[k] * V[k, j]", "accumulation"),
        ("back *= hid[j] * (1 - hid[j])", "back *= 1 - hid[j]", "slope"),
        ("grad_W[j, i] = back * x[i]", "grad_W[j, i] = back * x[j]", "index"),
        ("err[k] = 2 * (out[k] - t[k]) / n_out", "err[k] = 2 * (out[k] - t[k])", "factor"),
        ("grad_V[k, j] = err[k] * hid[j]", "grad_V[k, j] = err[k] * net[j]", "operand"),
        ("out[k] += V[k, j] * hid[j]", "out[k] = V[k, j] * hid[j]", "forward"),
        ("net[j] += W[j, i] * x[i]", "net[j] += W[i, j] * x[i]", "forward"),
    ],
    "gradient_row_by_row": [
        ("row[j]", "row[0]", "index"),
        ("hj * (1 - hj) * xi", "xi", "slope missing"),
        ("o = [np.dot(row, h) for row in V]", "o = [np.dot(row, h) for row in W]", "forward"),
    ],
}
