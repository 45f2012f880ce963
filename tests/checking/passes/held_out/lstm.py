"""Two steps of an LSTM, its four gates in one array, back through both."""

import numpy as np

rng = np.random.default_rng(31)
xs = rng.normal(size=(3, 2))


def loss(Wx, Wh, b):
    h, c = np.zeros(3), np.zeros(3)
    for x in xs:
        i, f, o, g = np.split(Wx @ x + Wh @ h + b, 4)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
    return np.sum(h**2)


def arguments(rng):
    return rng.normal(size=(12, 2)), rng.normal(size=(12, 3)), rng.normal(size=12)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[0]
    a = Wx.dot(x) + Wh.dot(prev_h) + b
    i = sigmoid(a[:H])
    f = sigmoid(a[H : 2 * H])
    o = sigmoid(a[2 * H : 3 * H])
    g = np.tanh(a[3 * H :])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, i, f, o, g, next_c)


def lstm_step_backward(dnext_h, dnext_c, cache, Wh):
    x, prev_h, prev_c, i, f, o, g, next_c = cache
    tanh_c = np.tanh(next_c)
    do = dnext_h * tanh_c
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    df = dc * prev_c
    di = dc * g
    dg = dc * i
    dprev_c = dc * f
    da = np.hstack([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)])
    dprev_h = Wh.T.dot(da)
    return dprev_h, dprev_c, np.outer(da, x), np.outer(da, prev_h), da


def gradient(Wx, Wh, b):
    h, c, caches = np.zeros(3), np.zeros(3), []
    for x in xs:
        h, c, cache = lstm_step_forward(x, h, c, Wx, Wh, b)
        caches.append(cache)
    dh, dc = 2 * h, np.zeros(3)
    dWx, dWh, db = np.zeros(Wx.shape), np.zeros(Wh.shape), np.zeros(b.shape)
    for cache in reversed(caches):
        dh, dc, dWx_t, dWh_t, db_t = lstm_step_backward(dh, dc, cache, Wh)
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    return dWx, dWh, db


WRONG = {
    "gradient": [
        ("dnext_c + dnext_h", "dnext_h", "term"),
        ("o * (1 - tanh_c**2)", "o", "slope missing"),
        ("do = dnext_h * tanh_c", "do = dnext_h * next_c", "operand"),
        ("dprev_c = dc * f", "dprev_c = dc * i", "operand"),
        ("dWh += dWh_t", "dWh = dWh_t", "accumulation"),
        ("next_h = o * np.tanh(next_c)", "next_h = o * next_c", "forward"),
        ("g = np.tanh(a[3 * H :])", "g = sigmoid(a[3 * H :])", "forward"),
    ],
}
