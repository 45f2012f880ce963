"""A few lines without biases: rows of samples, two arrays, half of the squares summed."""

import numpy as np

X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=float)
y = np.array([[0.0, 1.0, 1.0, 0.0]]).T


def loss(syn0, syn1):
    hidden = 1 / (1 + np.exp(-X @ syn0))
    return 0.5 * np.sum((y - 1 / (1 + np.exp(-hidden @ syn1))) ** 2)


def arguments(rng):
    return rng.normal(size=(3, 4)), rng.normal(size=(4, 1))


def nonlin(x, deriv=False):
    if deriv:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))


def gradient(syn0, syn1):
    l0 = X
    l1 = nonlin(np.dot(l0, syn0))
    l2 = nonlin(np.dot(l1, syn1))
    l2_error = l2 - y
    l2_delta = l2_error * nonlin(l2, deriv=True)
    l1_error = l2_delta.dot(syn1.T)
    l1_delta = l1_error * nonlin(l1, deriv=True)
    return l0.T.dot(l1_delta), l1.T.dot(l2_delta)


def gradient_sample_by_sample(syn0, syn1):
    g0 = np.zeros_like(syn0)
    g1 = np.zeros_like(syn1)
    for i in range(len(X)):
        x = X[i : i + 1]
        h = nonlin(x @ syn0)
        o = nonlin(h @ syn1)
        d_o = (o - y[i]) * o * (1 - o)
        d_h = d_o * syn1.T * h * (1 - h)
        g1 += h.T @ d_o
        g0 += x.T @ d_h
    return g0, g1


def gradient_in_one_breath(w0, w1):
    a = 1 / (1 + np.exp(-(X.dot(w0))))
    b = 1 / (1 + np.exp(-(a.dot(w1))))
    d = (b - y) * (b * (1 - b))
    return [X.T.dot(d.dot(w1.T) * (a * (1 - a))), a.T.dot(d)]


WRONG = {
    "gradient": [
        ("l2_delta = l2_error * nonlin(l2, deriv=True)", "l2_delta = l2_error", "slope missing"),
        ("l1_error = l2_delta.dot(syn1.T)", "l1_error = l2_error.dot(syn1.T)", "operand"),
        ("l1, deriv=True", "l1", "slope"),
        ("return x * (1 - x)", "return x * (x - 1)", "slope"),
        ("l1.T.dot", "-0.1 * l1.T.dot", "factor"),
        ("l2 = nonlin(np.dot(l1, syn1))", "l2 = np.dot(l1, syn1)", "forward"),
    ],
    "gradient_sample_by_sample": [
        ("g0 += x.T @ d_h", "g0 = x.T @ d_h", "accumulation"),
        ("d_h = d_o * syn1.T * h * (1 - h)", "d_h = d_o * syn1.T * (1 - h)", "slope"),
        ("d_o = (o - y[i]) * o * (1 - o)", "d_o = (o - y[0]) * o * (1 - o)", "index"),
    ],
    "gradient_in_one_breath": [
        ("dot(w1.T) * (a * (1 - a))", "dot(w1.T) * a", "slope"),
        ("d = (b - y) * (b * (1 - b))", "d = b - y", "slope missing"),
        ("b = 1 / (1 + np.exp(-(a.dot(w1))))", "b = 1 / (1 + np.exp(a.dot(w1)))", "forward"),
    ],
}
