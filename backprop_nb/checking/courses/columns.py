"""Samples in columns, ``W @ X``, a dict of parameters: tanh, sigmoid, as deeplearning.ai does."""

import numpy as np

from backprop_nb.tracing import sigmoid as logistic

SETTING = (
    "X has one sample per column, and Y a 0 or 1 for each output. The loss is the cross-entropy of "
    "sigmoids, the mean over the samples."
)


def loss(parameters, X, Y):
    Z1 = parameters["W1"] @ X + parameters["b1"]
    A1 = np.tanh(Z1)
    Z2 = parameters["W2"] @ A1 + parameters["b2"]
    A2 = logistic(Z2)
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / X.shape[1]


def arguments(rng):
    W1, b1 = rng.normal(size=(3, 3)), rng.normal(size=(3, 1))
    W2, b2 = rng.normal(size=(3, 3)), rng.normal(size=(3, 1))
    Y = np.array([[0.0, 1, 1, 0, 0], [1, 0, 1, 0, 1], [1, 1, 0, 0, 1]])
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}, rng.normal(size=(3, 5)), Y


def backward_propagation(parameters, X, Y):
    m = X.shape[1]
    W1, b1 = parameters["W1"], parameters["b1"]
    W2, b2 = parameters["W2"], parameters["b2"]
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


PASS = (backward_propagation,)
BACKWARD = (
    ("dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ A1.T"),
    ("dA1 = W2.T @ dZ2", "dA1 = W2 @ dZ2"),
    ("dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (1 - Z1**2)"),
    ("dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (1 - A1)"),
    ("dW1 = dZ1 @ X.T / m", "dW1 = dA1 @ X.T / m"),
    (
        "db1 = np.sum(dZ1, axis=1, keepdims=True) / m",
        "db1 = np.mean(dZ1, axis=1, keepdims=True) / m",
    ),
)
FORWARD = (
    ("Z2 = W2 @ A1 + b2", "Z2 = W2 @ Z1 + b2"),
    ("A2 = 1 / (1 + np.exp(-Z2))", "A2 = np.tanh(Z2)"),
)
