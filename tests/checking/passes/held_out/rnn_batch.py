"""A recurrent net over batches in one array (N, T, D), step functions and a table of words."""

import numpy as np

DATA = 2


def loss(E, h0, Wx, Wh, b, words, target):
    h = h0
    for t in range(words.shape[1]):
        h = np.tanh(E[words[:, t]] @ Wx + h @ Wh + b)
    return 0.5 * np.sum((h - target) ** 2)


def arguments(rng):
    words = np.array([[0, 3, 1], [2, 2, 0]])
    return (
        rng.normal(size=(4, 3)),
        rng.normal(size=(2, 3)),
        rng.normal(size=(3, 3)),
        rng.normal(size=(3, 3)),
        rng.normal(size=3),
        words,
        rng.normal(size=(2, 3)),
    )


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(prev_h.dot(Wh) + x.dot(Wx) + b)
    return next_h, (x, prev_h, next_h)


def rnn_step_backward(dnext_h, cache, Wx, Wh):
    x, prev_h, next_h = cache
    draw = dnext_h * (1 - next_h**2)
    dx = draw.dot(Wx.T)
    dprev_h = draw.dot(Wh.T)
    dWx = x.T.dot(draw)
    dWh = prev_h.T.dot(draw)
    db = draw.sum(axis=0)
    return dx, dprev_h, dWx, dWh, db


def gradient(E, h0, Wx, Wh, b, words, target):
    N, T = words.shape
    x = E[words]
    h, caches = h0, []
    for t in range(T):
        h, cache = rnn_step_forward(x[:, t], h, Wx, Wh, b)
        caches.append(cache)
    dh = h - target
    dx = np.zeros(x.shape)
    dWx, dWh, db = np.zeros(Wx.shape), np.zeros(Wh.shape), np.zeros(b.shape)
    for t in reversed(range(T)):
        dx[:, t], dh, dWx_t, dWh_t, db_t = rnn_step_backward(dh, caches[t], Wx, Wh)
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    dE = np.zeros_like(E)
    np.add.at(dE, words, dx)
    return dE, dh, dWx, dWh, db


WRONG = {
    "gradient": [
        ("np.add.at(dE, words, dx)", "dE[words] += dx", "accumulation"),
        ("dprev_h = draw.dot(Wh.T)", "dprev_h = draw.dot(Wx.T)", "operand"),
        ("dWh = prev_h.T.dot(draw)", "dWh = next_h.T.dot(draw)", "operand"),
        ("dx = draw.dot(Wx.T)", "dx = dnext_h.dot(Wx.T)", "slope missing"),
        ("for t in reversed(range(T)):", "for t in reversed(range(1, T)):", "index"),
        ("db = draw.sum(axis=0)", "db = draw.sum(axis=1).mean()", "sum"),
        ("dWx += dWx_t", "dWx = dWx_t", "accumulation"),
        ("h, Wx, Wh", "h0, Wx, Wh", "forward"),
        ("x = E[words]", "x = E[words - 1]", "forward"),
        ("dot(Wh)", "dot(Wh.T)", "forward"),
    ],
}
