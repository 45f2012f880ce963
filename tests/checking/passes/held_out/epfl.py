"""One vector at a time, the gradients added into prepared arrays, tanh at both layers."""

import numpy as np

rng = np.random.default_rng(25)
train_input = rng.normal(size=(4, 3))
train_target = np.array([[0.9, -0.9], [-0.9, 0.9], [0.9, -0.9], [0.9, 0.9]])


def loss(w1, b1, w2, b2):
    out = np.tanh(np.tanh(train_input @ w1.T + b1) @ w2.T + b2)
    return np.sum((out - train_target) ** 2)


def arguments(rng):
    return (
        rng.normal(size=(4, 3)),
        rng.normal(size=4),
        rng.normal(size=(2, 4)),
        rng.normal(size=2),
    )


def sigma(x):
    return np.tanh(x)


def dsigma(x):
    return 1 - np.tanh(x) ** 2


def dsquares(v, t):
    return 2 * (v - t)


def forward_pass(w1, b1, w2, b2, x):
    x0 = x
    s1 = w1 @ x0 + b1
    x1 = sigma(s1)
    s2 = w2 @ x1 + b2
    x2 = sigma(s2)
    return x0, s1, x1, s2, x2


def backward_pass(w1, b1, w2, b2, t, x, s1, x1, s2, x2, dl_dw1, dl_db1, dl_dw2, dl_db2):
    x0 = x
    dl_dx2 = dsquares(x2, t)
    dl_ds2 = dsigma(s2) * dl_dx2
    dl_dx1 = w2.T @ dl_ds2
    dl_ds1 = dsigma(s1) * dl_dx1
    dl_dw2 += dl_ds2.reshape(-1, 1) @ x1.reshape(1, -1)
    dl_db2 += dl_ds2
    dl_dw1 += dl_ds1.reshape(-1, 1) @ x0.reshape(1, -1)
    dl_db1 += dl_ds1


def gradient(w1, b1, w2, b2):
    dl_dw1, dl_db1 = np.zeros(w1.shape), np.zeros(b1.shape)
    dl_dw2, dl_db2 = np.zeros(w2.shape), np.zeros(b2.shape)
    sums = dl_dw1, dl_db1, dl_dw2, dl_db2
    for n in range(len(train_input)):
        x0, s1, x1, s2, x2 = forward_pass(w1, b1, w2, b2, train_input[n])
        backward_pass(w1, b1, w2, b2, train_target[n], x0, s1, x1, s2, x2, *sums)
    return sums


WRONG = {
    "gradient": [
        ("dl_ds2 = dsigma(s2) * dl_dx2", "dl_ds2 = dsigma(x2) * dl_dx2", "slope"),
        ("dl_ds2 = dsigma(s2) * dl_dx2", "dl_ds2 = dl_dx2", "slope missing"),
        ("dl_ds1 = dsigma(s1) * dl_dx1", "dl_ds1 = sigma(s1) * dl_dx1", "slope"),
        ("dl_ds1 = dsigma(s1) * dl_dx1", "dl_ds1 = dsigma(s1) * dl_dx1.sum()", "sum"),
        ("dl_db1 += dl_ds1", "dl_db1 += dl_dx1", "operand"),
        ("x1.reshape", "s1.reshape", "operand"),
        ("return 2 * (v - t)", "return v - t", "factor"),
        ("return 1 - np.tanh(x) ** 2", "return 1 - x**2", "slope"),
        ("s2 = w2 @ x1 + b2", "s2 = w2 @ x1 + b2.sum()", "forward"),
        ("x2 = sigma(s2)", "x2 = s2", "forward"),
        ("dl_db2 += dl_ds2", "dl_db2[:] = dl_ds2", "accumulation"),
    ],
}
