"""Lists of biases and weights, sample by sample in columns, half of the squares."""

import numpy as np

rng = np.random.default_rng(3)
training_data = [(rng.normal(size=(3, 1)), rng.uniform(size=(4, 1))) for _ in range(4)]


def loss(biases, weights):
    total = 0.0
    for x, y in training_data:
        for b, w in zip(biases, weights):
            x = 1 / (1 + np.exp(-(w @ x + b)))
        total = total + 0.5 * np.sum((x - y) ** 2)
    return total / len(training_data)


def arguments(rng):
    sizes = [3, 4, 4, 4]
    biases = [rng.normal(size=(n, 1)) for n in sizes[1:]]
    weights = [rng.normal(size=(n, m)) for m, n in zip(sizes, sizes[1:])]
    return biases, weights


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def backprop(biases, weights, x, y):
    nabla_b = [np.zeros(b.shape) for b in biases]
    nabla_w = [np.zeros(w.shape) for w in weights]
    activation = x
    activations = [x]
    zs = []
    for b, w in zip(biases, weights):
        z = np.dot(w, activation) + b
        zs.append(z)
        activation = sigmoid(z)
        activations.append(activation)
    delta = (activations[-1] - y) * sigmoid_prime(zs[-1])
    nabla_b[-1] = delta
    nabla_w[-1] = np.dot(delta, activations[-2].transpose())
    for l in range(2, len(weights) + 1):
        z = zs[-l]
        sp = sigmoid_prime(z)
        delta = np.dot(weights[-l + 1].transpose(), delta) * sp
        nabla_b[-l] = delta
        nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
    return nabla_b, nabla_w


def gradient(biases, weights):
    nabla_b = [np.zeros(b.shape) for b in biases]
    nabla_w = [np.zeros(w.shape) for w in weights]
    for x, y in training_data:
        delta_nabla_b, delta_nabla_w = backprop(biases, weights, x, y)
        nabla_b = [nb + dnb for nb, dnb in zip(nabla_b, delta_nabla_b)]
        nabla_w = [nw + dnw for nw, dnw in zip(nabla_w, delta_nabla_w)]
    n = len(training_data)
    return [nb / n for nb in nabla_b], [nw / n for nw in nabla_w]


def gradient_of_the_batch(biases, weights):
    X = np.hstack([x for x, _ in training_data])
    Y = np.hstack([y for _, y in training_data])
    A = [X]
    for b, w in zip(biases, weights):
        A.append(sigmoid(w @ A[-1] + b))
    m = X.shape[1]
    dw = [None] * len(weights)
    db = [None] * len(weights)
    D = (A[-1] - Y) * A[-1] * (1 - A[-1])
    for l in reversed(range(len(weights))):
        dw[l] = D @ A[l].T / m
        db[l] = D.sum(axis=1, keepdims=True) / m
        if l > 0:
            D = weights[l].T @ D * A[l] * (1 - A[l])
    return db, dw


WRONG = {
    "gradient": [
        ("(activations[-1] - y) * sigmoid_prime(zs[-1])", "(activations[-1] - y)", "slope missing"),
        ("weights[-l + 1]", "weights[-1]", "index"),
        ("z = zs[-l]", "z = activations[-l]", "slope"),
        ("z = zs[-l]", "z = zs[-2]", "index"),
        ("nabla_b[-l] = delta", "nabla_b[-l] = delta * sp", "slope"),
        ("nb + dnb", "dnb", "accumulation"),
        ("return [nb / n for nb in nabla_b]", "return nabla_b", "factor"),
        ("return sigmoid(z) * (1 - sigmoid(z))", "return sigmoid(z) * (1 - z)", "slope"),
        ("activation = sigmoid(z)", "activation = np.tanh(z)", "forward"),
        ("z = np.dot(w, activation) + b", "z = np.dot(w, activation)", "forward"),
    ],
    "gradient_of_the_batch": [
        ("D = weights[l].T @ D * A[l] * (1 - A[l])", "D = weights[l].T @ D * (1 - A[l])", "slope"),
        ("dw[l] = D @ A[l].T / m", "dw[l] = D @ A[l].T", "factor"),
        ("db[l] = D.sum(axis=1, keepdims=True) / m", "db[l] = D / m", "sum"),
        ("D = (A[-1] - Y) * A[-1] * (1 - A[-1])", "D = (A[-1] - Y) * A[1] * (1 - A[1])", "index"),
    ],
}
