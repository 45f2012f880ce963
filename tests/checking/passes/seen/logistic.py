"""Logistic regression, samples in columns and in rows."""

import numpy as np

rng = np.random.default_rng(13)
X = rng.normal(size=(4, 6))
Y = np.array([[0, 1, 1, 0, 1, 0]])


def loss(w, b):
    logits = w.T @ X + b
    return np.mean(np.log(1 + np.exp(logits)) - Y * logits)


def arguments(rng):
    return rng.normal(size=(4, 1)), float(rng.normal())


def sigmoid(z):
    s = 1 / (1 + np.exp(-z))
    return s


def propagate(w, b, X, Y):
    m = X.shape[1]
    A = sigmoid(np.dot(w.T, X) + b)
    cost = -1 / m * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    dw = 1 / m * np.dot(X, (A - Y).T)
    db = 1 / m * np.sum(A - Y)
    return {"dw": dw, "db": db}, cost


def gradient(w, b):
    grads, cost = propagate(w, b, X, Y)
    return grads


def gradient_in_loops(w, b):
    m = X.shape[1]
    J, db = 0, 0
    dw = np.zeros(w.shape)
    for i in range(m):
        x_i = X[:, i].reshape(-1, 1)
        z_i = np.sum(w * x_i) + b
        a_i = 1 / (1 + np.exp(-z_i))
        J += -(Y[0, i] * np.log(a_i) + (1 - Y[0, i]) * np.log(1 - a_i))
        dz_i = a_i - Y[0, i]
        dw += x_i * dz_i
        db += dz_i
    dw /= m
    db /= m
    return J / m, (dw, db)


def gradient_without_the_short_cut(w, b):
    f = sigmoid(X.T @ w + b)
    t = Y.T
    df = (f - t) / (f * (1 - f)) / len(t)
    dz = df * f * (1 - f)
    return X @ dz, dz.sum()


WRONG = {
    "gradient": [
        ("dw = 1 / m * np.dot(X, (A - Y).T)", "dw = np.dot(X, (A - Y).T)", "factor"),
        ("db = 1 / m * np.sum(A - Y)", "db = 1 / m * np.sum(Y - A)", "sign"),
        ("A = sigmoid(np.dot(w.T, X) + b)", "A = np.tanh(np.dot(w.T, X) + b)", "forward"),
        ("s = 1 / (1 + np.exp(-z))", "s = 1 / (1 + np.exp(z))", "forward"),
    ],
    "gradient_in_loops": [
        ("dw += x_i * dz_i", "dw += w * dz_i", "operand"),
        ("dz_i = a_i - Y[0, i]", "dz_i = (a_i - Y[0, i]) * a_i * (1 - a_i)", "slope"),
        ("db += dz_i", "db = dz_i", "accumulation"),
        ("z_i = np.sum(w * x_i) + b", "z_i = np.sum(w * x_i)", "forward"),
    ],
    "gradient_without_the_short_cut": [
        ("dz = df * f * (1 - f)", "dz = df * f * (1 - t)", "operand"),
        ("df = (f - t) / (f * (1 - f)) / len(t)", "df = (f - t) / f / len(t)", "term"),
    ],
}
