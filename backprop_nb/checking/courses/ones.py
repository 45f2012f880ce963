"""The biases in the first column of each matrix, beside a column of ones, as Ng's exercise does."""

import numpy as np

from backprop_nb.tracing import sigmoid as logistic

SETTING = (
    "X has one sample per row, y a 0 or 1 for each output, and the first column of Theta is the "
    "bias. The loss is the cross-entropy of sigmoids, the mean over the samples."
)


def loss(Theta1, Theta2, X, y):
    z2 = X @ Theta1[:, 1:].T + Theta1[:, 0]
    a2 = logistic(z2)
    z3 = a2 @ Theta2[:, 1:].T + Theta2[:, 0]
    a3 = logistic(z3)
    return -np.sum(y * np.log(a3) + (1 - y) * np.log(1 - a3)) / len(X)


def arguments(rng):
    y = np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 0], [0, 1, 0]])
    return rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.normal(size=(5, 3)), y


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gradient(Theta1, Theta2, X, y):
    m = len(X)
    a1 = np.c_[np.ones(m), X]
    z2 = a1 @ Theta1.T
    a2 = np.c_[np.ones(m), sigmoid(z2)]
    z3 = a2 @ Theta2.T
    a3 = sigmoid(z3)
    d3 = a3 - y
    e2 = d3 @ Theta2[:, 1:]
    d2 = e2 * sigmoid(z2) * (1 - sigmoid(z2))
    Theta1_grad = d2.T @ a1 / m
    Theta2_grad = d3.T @ a2 / m
    return Theta1_grad, Theta2_grad


PASS = (sigmoid, gradient)
BACKWARD = (
    ("d3 = a3 - y", "d3 = y - a3"),
    ("e2 = d3 @ Theta2[:, 1:]", "e2 = d3 @ Theta1[:, 1:]"),
    ("d2 = e2 * sigmoid(z2) * (1 - sigmoid(z2))", "d2 = e2 * sigmoid(z2)"),
    ("Theta1_grad = d2.T @ a1 / m", "Theta1_grad = d2.T @ a2 / m"),
    ("Theta1_grad = d2.T @ a1 / m", "Theta1_grad = d3.T @ a1 / m"),
    ("Theta2_grad = d3.T @ a2 / m", "Theta2_grad = d3.T @ a2"),
)
FORWARD = (
    ("z3 = a2 @ Theta2.T", "z3 = a2 @ Theta1.T"),
    ("a3 = sigmoid(z3)", "a3 = sigmoid(-z3)"),
)
