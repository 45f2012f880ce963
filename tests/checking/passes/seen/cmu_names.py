"""Parameters in a dict under names made of parts, the gradients beside them under grad_."""

import numpy as np

DATA = 2


def loss(params, X, y):
    post = 1 / (1 + np.exp(-(X @ params["Wlayer1"] + params["blayer1"])))
    s = post @ params["Woutput"] + params["boutput"]
    p = np.exp(s) / np.sum(np.exp(s), axis=1, keepdims=True)
    return -np.sum(y * np.log(p))


def arguments(rng):
    params = {
        "Wlayer1": rng.normal(size=(3, 4)),
        "blayer1": rng.normal(size=4),
        "Woutput": rng.normal(size=(4, 3)),
        "boutput": rng.normal(size=3),
    }
    return params, rng.normal(size=(5, 3)), np.eye(3)[[0, 1, 1, 2, 0]]


def large_arguments(rng):
    params = {
        "Wlayer1": rng.normal(size=(784, 128)) / 28,
        "blayer1": rng.normal(size=128),
        "Woutput": rng.normal(size=(128, 10)) / 11,
        "boutput": rng.normal(size=10),
    }
    return params, rng.uniform(size=(64, 784)), np.eye(10)[rng.integers(0, 10, 64)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    res = np.exp(x - np.max(x, axis=1)[:, np.newaxis])
    return res / np.sum(res, axis=1)[:, np.newaxis]


def linear_deriv(post_act):
    return np.ones_like(post_act)


def sigmoid_deriv(post_act):
    return post_act * (1.0 - post_act)


def forward(X, params, cache, name, activation):
    W = params["W" + name]
    b = params["b" + name]
    pre_act = X @ W + b
    post_act = activation(pre_act)
    cache["cache_" + name] = (X, pre_act, post_act)
    return post_act


def backwards(delta, params, cache, grads, name, activation_deriv):
    W = params["W" + name]
    X, pre_act, post_act = cache["cache_" + name]
    delta = delta * activation_deriv(post_act)
    grads["grad_W" + name] = X.T @ delta
    grads["grad_b" + name] = np.sum(delta, axis=0)
    grad_X = delta @ W.T
    return grad_X


def gradient(params, X, y):
    cache, grads = {}, {}
    h1 = forward(X, params, cache, "layer1", sigmoid)
    probs = forward(h1, params, cache, "output", softmax)
    delta1 = probs - y
    delta2 = backwards(delta1, params, cache, grads, "output", linear_deriv)
    backwards(delta2, params, cache, grads, "layer1", sigmoid_deriv)
    return grads


WRONG = {
    "gradient": [
        ("activation_deriv(post_act)", "activation_deriv(pre_act)", "slope"),
        ("delta = delta * activation_deriv(post_act)", "delta = delta * post_act", "slope"),
        ("np.sum(delta, axis=0)", "delta[0]", "sum"),
        ("grad_X = delta @ W.T", "grad_X = post_act @ W.T", "operand"),
        ("return post_act * (1.0 - post_act)", "return 1.0 - post_act**2", "slope"),
        ("linear_deriv", "sigmoid_deriv", "slope"),
        ("post_act = activation(pre_act)", "post_act = activation(pre_act - b)", "forward"),
        ("sum(res, axis=1)[:, np.newaxis]", "sum(res, axis=1)[0]", "forward"),
        ("sigmoid", "np.tanh", "forward"),
    ],
}
