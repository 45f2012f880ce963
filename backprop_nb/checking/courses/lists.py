"""A column at a time, weights and biases in lists: a loop over the layers, as Nielsen writes it."""

import numpy as np

from backprop_nb.tracing import sigmoid as logistic

SETTING = (
    "x and y are single columns, and every layer takes the sigmoid. The loss is ½ ‖a − y‖², with a "
    "the last activation."
)


def loss(biases, weights, x, y):
    z1 = weights[0] @ x + biases[0]
    a1 = logistic(z1)
    z2 = weights[1] @ a1 + biases[1]
    a2 = logistic(z2)
    z3 = weights[2] @ a2 + biases[2]
    a3 = logistic(z3)
    return 0.5 * np.sum((a3 - y) ** 2)


def arguments(rng):
    weights = [rng.normal(size=(3, 3)) for _ in range(3)]
    biases = [rng.normal(size=(3, 1)) for _ in range(3)]
    return biases, weights, rng.normal(size=(3, 1)), np.array([[0.0], [1.0], [0.0]])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def backprop(biases, weights, x, y):
    a, activations, zs = x, [x], []
    for b, w in zip(biases, weights):
        z = w @ a + b
        a = sigmoid(z)
        zs.append(z)
        activations.append(a)
    nabla_b = [np.zeros(b.shape) for b in biases]
    nabla_w = [np.zeros(w.shape) for w in weights]
    delta = (a - y) * sigmoid_prime(zs[-1])
    nabla_b[-1] = delta
    nabla_w[-1] = delta @ activations[-2].T
    for l in range(2, len(weights) + 1):
        delta = weights[-l + 1].T @ delta * sigmoid_prime(zs[-l])
        nabla_b[-l] = delta
        nabla_w[-l] = delta @ activations[-l - 1].T
    return nabla_b, nabla_w


PASS = (sigmoid, sigmoid_prime, backprop)
BACKWARD = (
    ("return sigmoid(z) * (1 - sigmoid(z))", "return 1 - sigmoid(z)"),
    ("delta = (a - y) * sigmoid_prime(zs[-1])", "delta = a - y"),
    ("nabla_w[-1] = delta @ activations[-2].T", "nabla_w[-1] = delta @ activations[-1].T"),
    (
        "delta = weights[-l + 1].T @ delta * sigmoid_prime(zs[-l])",
        "delta = weights[-l].T @ delta * sigmoid_prime(zs[-l])",
    ),
    (
        "delta = weights[-l + 1].T @ delta * sigmoid_prime(zs[-l])",
        "delta = weights[-l + 1] @ delta * sigmoid_prime(zs[-l])",
    ),
    (
        "delta = weights[-l + 1].T @ delta * sigmoid_prime(zs[-l])",
        "delta = weights[-l + 1].T @ delta * sigmoid_prime(zs[-l + 1])",
    ),
    (
        "delta = weights[-l + 1].T @ delta * sigmoid_prime(zs[-l])",
        "delta = weights[-l + 1].T @ delta",
    ),
)
FORWARD = (
    ("z = w @ a + b", "z = w.T @ a + b"),
    ("return 1 / (1 + np.exp(-z))", "return 1 / (1 + np.exp(z))"),
)
