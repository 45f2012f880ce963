"""Samples in rows, ``X @ W``: ReLU, softmax and cross-entropy, as cs231n and d2l write it."""

import numpy as np

SETTING = (
    "X has one sample per row, and y the number of its class. The loss is the cross-entropy of a "
    "softmax, the mean over the samples."
)


def loss(W1, b1, W2, b2, X, y):
    z1 = X @ W1 + b1
    h = np.maximum(0, z1)
    scores = h @ W2 + b2
    exp_scores = np.exp(scores)
    p = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(y)), y]))


def arguments(rng):
    W1, b1 = rng.normal(size=(3, 3)), rng.normal(size=3)
    W2, b2 = rng.normal(size=(3, 3)), rng.normal(size=3)
    return W1, b1, W2, b2, rng.normal(size=(5, 3)), np.array([0, 2, 1, 1, 2])


def backward(W1, b1, W2, b2, X, y):
    N = X.shape[0]
    z1 = X @ W1 + b1
    h = np.maximum(0, z1)
    scores = h @ W2 + b2
    exp_scores = np.exp(scores)
    p = exp_scores / exp_scores.sum(axis=1, keepdims=True)
    dscores = p.copy()
    dscores[range(N), y] -= 1
    dscores /= N
    dW2 = h.T @ dscores
    db2 = dscores.sum(axis=0)
    dh = dscores @ W2.T
    dz1 = dh * (z1 > 0)
    dW1 = X.T @ dz1
    db1 = dz1.sum(axis=0)
    return dW1, db1, dW2, db2


PASS = (backward,)
BACKWARD = (
    ("dscores /= N", "dscores /= len(W1)"),
    ("dW2 = h.T @ dscores", "dW2 = z1.T @ dscores"),
    ("db2 = dscores.sum(axis=0)", "db2 = dscores.mean(axis=0)"),
    ("dh = dscores @ W2.T", "dh = dscores @ W2"),
    ("dz1 = dh * (z1 > 0)", "dz1 = dh * h"),
    ("dz1 = dh * (z1 > 0)", "dz1 = dh * (dh > 0)"),
    ("db1 = dz1.sum(axis=0)", "db1 = dscores.sum(axis=0)"),
)
FORWARD = (
    ("scores = h @ W2 + b2", "scores = z1 @ W2 + b2"),
    (
        "p = exp_scores / exp_scores.sum(axis=1, keepdims=True)",
        "p = exp_scores / exp_scores.sum(axis=0, keepdims=True)",
    ),
)
