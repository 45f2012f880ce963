"""Gradients and training steps written by hand, themselves functions of the weights."""

import numpy as np
from collection import RIGHT
from program import Program, add, dict_of, normal, positive, program

from backprop_nb.tracing import pytree

rng = np.random.default_rng(5)
X = rng.normal(size=(5, 4))
y = np.array([0, 2, 1, 1, 0])
t = rng.normal(size=(5, 2))


def norm2(*grads):
    return sum(np.sum(g**2) for g in grads)


def of_pass(each):
    """Return a backward pass of a course as a program: the squares of what it takes and gives.

    A gradient may depend on a bias by its masks alone.
    """
    drawn = each.args(0)
    count = len(drawn) - each.data

    def squares(parameters):
        gradients = each.gradient(*parameters, *drawn[count:])
        return norm2(*pytree.flatten([parameters, gradients]))

    name = each.name.replace(".", "_")
    return Program(name, squares, (lambda rng: list(each.module.arguments(rng))[:count],))


for each in RIGHT:
    if each.course != "plain_python":  # which takes numbers by float(), and is refused
        add(of_pass(each))


@program(normal(3), normal(3))
def momentum_steps_in_place(w, v):
    grad = lambda w: 4 * w**3 - np.array([1.0, 2.0, 3.0])
    w = 0.3 * w
    for _ in range(4):
        v *= 0.9
        v -= 0.01 * grad(w)
        w += v
    return np.sum(w**4 - w)


@program(normal(4), positive(low=0.01, high=0.2))
def adam_steps(w, lr):
    m = np.zeros_like(w)
    v = np.zeros_like(w)
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    for step in range(1, 5):
        g = 2 * (w - 1) + np.sin(w)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**step)
        v_hat = v / (1 - beta2**step)
        w = w - lr * m_hat / (np.sqrt(v_hat) + eps)
    return np.sum((w - 1) ** 2)


@program(dict_of(W=normal(2, 4), b=normal(2)))
def adagrad_dict_in_place(params):
    cache = {key: np.zeros_like(value) for key, value in params.items()}
    for _ in range(3):
        err = X @ params["W"].T + params["b"] - t
        grads = {"W": err.T @ X / 5, "b": err.mean(axis=0)}
        for key in params:
            cache[key] += grads[key] ** 2
            params[key] -= 0.1 * grads[key] / (np.sqrt(cache[key]) + 1e-2)
    return np.mean((X @ params["W"].T + params["b"] - t) ** 2)


@program(normal(4), positive(low=0.01, high=0.1))
def rmsprop_out_arguments(w, lr):
    g = np.zeros_like(w)
    s = np.zeros_like(w)
    for _ in range(3):
        np.multiply(w, 2.0, out=g)
        s = 0.9 * s + 0.1 * g * g
        np.subtract(w, lr * g / np.sqrt(s + 1e-3), out=w)
    return w @ w


@program(normal(2), positive())
def gradient_descent_with_clipping(w, lr):
    path = [w]
    for _ in range(5):
        g = np.array([2 * w[0] + w[1], 4 * w[1] + w[0]])
        norm = np.linalg.norm(g)
        if norm > 1.0:
            g = g / norm
        w = w - 0.1 * lr * g
        path.append(w)
    path = np.vstack(path)
    return np.sum(path**2)


@program(positive(low=0.05, high=0.3))
def unrolled_linear_regression(lr):
    w, b = 0.0, 0.0
    losses = []
    for _ in range(6):
        pred = w * X[:, 0] + b
        err = pred - t[:, 0]
        losses.append(np.mean(err**2))
        w -= lr * 2 * np.mean(err * X[:, 0])
        b -= lr * 2 * np.mean(err)
    return losses[-1]


@program(normal(4), normal())
def perceptron_training(w, b):
    labels = np.where(y > 0, 1, -1)
    for _ in range(2):
        for xi, target in zip(X, labels):
            update = 0.1 * (target - (1 if np.dot(xi, w) + b >= 0 else -1))
            w = w + update * xi
            b = b + update
    return np.sum(w**2) + b**2


@program(normal(2))
def newton_method_rosenbrock(x):
    for _ in range(2):
        g = np.array([-2 * (1 - x[0]) - 40 * x[0] * (x[1] - x[0] ** 2), 20 * (x[1] - x[0] ** 2)])
        H = np.array([[2 - 40 * (x[1] - x[0] ** 2) + 80 * x[0] ** 2, -40 * x[0]], [-40 * x[0], 20]])
        x = x - np.linalg.solve(H + 30 * np.eye(2), g)
    return (1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2


@program(normal(3))
def numerical_gradient_in_place(x):
    """Central differences as courses write them; the entry is changed and put back."""
    h = 1e-2
    grad = np.zeros_like(x)
    for i in range(x.size):
        old = x[i]
        x[i] = old + h
        up = np.sum(x**3)
        x[i] = old - h
        down = np.sum(x**3)
        x[i] = old
        grad[i] = (up - down) / (2 * h)
    return np.sum(grad**2)


@program(normal(3, 3))
def logistic_hessian(W):
    w = W[0]
    p = 1 / (1 + np.exp(-X[:, :3] @ w))
    S = np.diag(p * (1 - p))
    H = X[:, :3].T @ S @ X[:, :3] + np.eye(3)
    return w @ np.linalg.inv(H) @ w


@program(normal(3, 4), normal(4, 3))
def embedding_gradient_add_at(E, W):
    ids = np.array([0, 1, 0, 2])
    h = E[ids] @ W
    dh = 2 * h
    dE = np.zeros_like(E)
    np.add.at(dE, ids, dh @ W.T)
    return norm2(dE)
