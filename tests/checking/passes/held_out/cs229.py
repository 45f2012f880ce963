"""Parameters in a dict, sigmoid and softmax, helpers for each derivative, with a penalty."""

import numpy as np

DATA = 3


def loss(params, data, labels, reg):
    hidden = 1 / (1 + np.exp(-(data @ params["W1"] + params["b1"])))
    s = hidden @ params["W2"] + params["b2"]
    p = np.exp(s) / np.sum(np.exp(s), axis=1, keepdims=True)
    weights = np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2)
    return -np.sum(labels * np.log(p)) / len(data) + reg * weights


def arguments(rng):
    params = {
        "W1": rng.normal(size=(3, 4)),
        "b1": rng.normal(size=4),
        "W2": rng.normal(size=(4, 2)),
        "b2": rng.normal(size=2),
    }
    return params, rng.normal(size=(6, 3)), np.eye(2)[[0, 1, 1, 0, 1, 0]], 0.15


def large_arguments(rng):
    params = {
        "W1": rng.normal(size=(784, 128)) / 28,
        "b1": rng.normal(size=128),
        "W2": rng.normal(size=(128, 10)) / 11,
        "b2": rng.normal(size=10),
    }
    return params, rng.uniform(size=(64, 784)), np.eye(10)[rng.integers(0, 10, 64)], 0.01


def softmax(x):
    x = x - np.max(x, axis=1, keepdims=True)
    return np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward_prop(data, params):
    h = sigmoid(data.dot(params["W1"]) + params["b1"])
    y = softmax(h.dot(params["W2"]) + params["b2"])
    return h, y


def gradient(params, data, labels, reg):
    h, y_hat = forward_prop(data, params)
    B = data.shape[0]
    delta = (y_hat - labels) / B
    gradient_W2 = np.dot(h.T, delta)
    gradient_b2 = np.sum(delta, axis=0)
    gradient_h = np.dot(delta, params["W2"].T) * h * (1 - h)
    gradient_W1 = np.dot(data.T, gradient_h)
    gradient_b1 = np.sum(gradient_h, axis=0)
    gradient_W1 += 2 * reg * params["W1"]
    gradient_W2 += 2 * reg * params["W2"]
    return {"W1": gradient_W1, "W2": gradient_W2, "b1": gradient_b1, "b2": gradient_b2}


def gradient_by_einsum(params, data, labels, reg):
    h, y_hat = forward_prop(data, params)
    e = y_hat - labels
    d = np.einsum("nk,hk,nh->nh", e, params["W2"], h - h * h)
    gW2 = np.einsum("nh,nk->hk", h, e) / len(e) + 2 * reg * params["W2"]
    gW1 = np.einsum("ni,nh->ih", data, d) / len(e) + 2 * reg * params["W1"]
    return {"dW1": gW1, "db1": d.mean(axis=0), "dW2": gW2, "db2": e.mean(axis=0)}


WRONG = {
    "gradient": [
        ("delta = (y_hat - labels) / B", "delta = y_hat - labels", "factor"),
        ("h * (1 - h)", "h", "slope"),
        ("h * (1 - h)", "sigmoid(h) * (1 - sigmoid(h))", "slope"),
        ("gradient_b2 = np.sum(delta, axis=0)", "gradient_b2 = np.mean(delta, axis=0)", "factor"),
        ('gradient_W1 += 2 * reg * params["W1"]', 'gradient_W1 += reg * params["W1"]', "penalty"),
        ("gradient_b1 = np.sum(gradient_h, axis=0)", "gradient_b1 = np.sum(gradient_h)", "sum"),
        ('dot(params["W1"]) + params["b1"]', 'dot(params["W1"])', "forward"),
    ],
    "gradient_by_einsum": [
        ("e, params", "y_hat, params", "operand"),
        ('len(e) + 2 * reg * params["W2"]', "len(e)", "penalty"),
    ],
}
