"""Samples in columns, the parameters in a dict, the factor 1/m at every gradient."""

import numpy as np

DATA = 2


def loss(parameters, X, Y):
    hidden = np.tanh(parameters["W1"] @ X + parameters["b1"])
    logits = parameters["W2"] @ hidden + parameters["b2"]
    output = 1 / (1 + np.exp(-logits))
    return -np.mean(Y * np.log(output) + (1 - Y) * np.log(1 - output))


def arguments(rng):
    parameters = {
        "W1": rng.normal(size=(4, 3)),
        "b1": rng.normal(size=(4, 1)),
        "W2": rng.normal(size=(1, 4)),
        "b2": rng.normal(size=(1, 1)),
    }
    X = rng.normal(size=(3, 5))
    return parameters, X, np.array([[1.0, 0.0, 0.0, 1.0, 1.0]])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward_propagation(X, parameters):
    W1 = parameters["W1"]
    b1 = parameters["b1"]
    W2 = parameters["W2"]
    b2 = parameters["b2"]
    Z1 = np.dot(W1, X) + b1
    A1 = np.tanh(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = sigmoid(Z2)
    cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    return A2, cache


def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    W2 = parameters["W2"]
    A1 = cache["A1"]
    A2 = cache["A2"]
    dZ2 = A2 - Y
    dW2 = 1 / m * np.dot(dZ2, A1.T)
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    dW1 = 1 / m * np.dot(dZ1, X.T)
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def gradient(parameters, X, Y):
    A2, cache = forward_propagation(X, parameters)
    return backward_propagation(parameters, cache, X, Y)


def gradient_by_the_chain(parameters, X, Y):
    m = Y.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    A2 = sigmoid(parameters["W2"] @ A1 + parameters["b2"])
    grads = {}
    dA2 = -(np.divide(Y, A2) - np.divide(1 - Y, 1 - A2)) / m
    dZ2 = dA2 * A2 * (1 - A2)
    grads["W2"] = dZ2 @ A1.T
    grads["b2"] = dZ2.sum(axis=1, keepdims=True)
    dA1 = parameters["W2"].T @ dZ2
    dZ1 = dA1 * (1 - A1**2)
    grads["W1"] = dZ1 @ X.T
    grads["b1"] = dZ1.sum(axis=1, keepdims=True)
    return grads


WRONG = {
    "gradient": [
        ("dW2 = 1 / m * np.dot(dZ2, A1.T)", "dW2 = np.dot(dZ2, A1.T)", "factor"),
        ("dot(W2.T, dZ2) * (1 - np.power(A1, 2))", "dot(W2.T, dZ2)", "slope missing"),
        ("db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)", "db1 = 1 / m * np.sum(dZ1)", "sum"),
        ('A1 = cache["A1"]', 'A1 = cache["Z1"]', "operand"),
        ("Z1 = np.dot(W1, X) + b1", "Z1 = np.dot(W1, X)", "forward"),
        ("A2 = sigmoid(Z2)", "A2 = np.tanh(Z2)", "forward"),
        ("return 1 / (1 + np.exp(-z))", "return 1 / (1 + np.exp(z))", "forward"),
    ],
    "gradient_by_the_chain": [
        ("dZ2 = dA2 * A2 * (1 - A2)", "dZ2 = dA2 * A2", "slope"),
        ("dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (1 - dA1**2)", "slope"),
        ("dZ2.sum", "dZ2.mean", "factor"),
        ("divide(Y, A2) - np", "divide(Y, A2) + np", "sign"),
    ],
}
