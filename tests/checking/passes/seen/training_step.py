"""A step of training that returns new weights; the gradient is read off the step."""

import numpy as np

DATA = 2


def loss(W1, W2, x, t):
    return np.mean((np.tanh(x @ W1) @ W2 - t) ** 2)


def arguments(rng):
    return (
        rng.normal(size=(3, 4)),
        rng.normal(size=(4, 2)),
        rng.normal(size=(5, 3)),
        rng.normal(size=(5, 2)),
    )


def step(W1, W2, x, t, lr=0.5):
    h = np.tanh(x @ W1)
    o = h @ W2
    d_o = 2 * (o - t) / t.size
    new_W2 = W2 - lr * h.T @ d_o
    d_h = d_o @ W2.T
    new_W1 = W1 - lr * x.T @ (d_h * (1 - h**2))
    return new_W1, new_W2


def gradient(W1, W2, x, t):
    new_W1, new_W2 = step(W1, W2, x, t, 0.5)
    return (W1 - new_W1) / 0.5, (W2 - new_W2) / 0.5


def gradient_and_update(W1, W2, x, t):
    h = np.tanh(x @ W1)
    o = h @ W2
    d = (o - t) * 2 / o.size
    old_W2 = W2.copy()
    grad_W2 = h.T @ d
    W2 -= 0.1 * grad_W2
    d = d @ old_W2.T * (1 - h * h)
    grad_W1 = x.T @ d
    W1 -= 0.1 * grad_W1
    return grad_W1, grad_W2


def gradient_with_momentum(W1, W2, x, t):
    velocity = [np.zeros_like(W1), np.zeros_like(W2)]
    beta, lr = 0.9, 1.0
    h = np.tanh(x @ W1)
    dy = 2 / t.size * (h @ W2 - t)
    grads = [x.T @ (dy @ W2.T * (1 - h**2)), h.T @ dy]
    velocity = [beta * v + lr * g for v, g in zip(velocity, grads)]
    return velocity


WRONG = {
    "gradient": [
        ("d_h = d_o @ W2.T", "d_h = d_o @ new_W2.T", "operand"),
        ("d_o = 2 * (o - t) / t.size", "d_o = 2 * (o - t) / len(t)", "factor"),
        ("new_W2 = W2 - lr * h.T @ d_o", "new_W2 = W2 + lr * h.T @ d_o", "sign"),
        ("T @ (d_h * (1 - h**2))", "T @ d_h", "slope missing"),
    ],
    "gradient_and_update": [
        ("d = d @ old_W2.T * (1 - h * h)", "d = d @ W2.T * (1 - h * h)", "operand"),
        ("old_W2 = W2.copy()", "old_W2 = W2", "operand"),
        ("return grad_W1, grad_W2", "return -0.1 * grad_W1, -0.1 * grad_W2", "factor"),
        ("o = h @ W2", "o = h @ W2 + h.mean()", "forward"),
    ],
    "gradient_with_momentum": [
        ("v + lr", "v + (1 - beta)", "factor"),
        ("T * (1 - h**2)", "T", "slope missing"),
    ],
}
