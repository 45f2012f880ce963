"""Samples in rows, ReLU, softmax with cross-entropy and L2, the loss beside its gradients."""

import numpy as np

rng = np.random.default_rng(4)
X = rng.normal(size=(6, 4))
y = np.array([0, 2, 1, 2, 0, 1])
reg = 0.3


def loss(params):
    hidden = np.maximum(0, X @ params["W1"] + params["b1"])
    s = hidden @ params["W2"] + params["b2"]
    log_p = s - np.log(np.sum(np.exp(s), axis=1, keepdims=True))
    data = -np.mean(log_p[np.arange(6), y])
    return data + 0.5 * reg * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))


def arguments(rng):
    return [
        {
            "W1": rng.normal(size=(4, 5)),
            "b1": rng.normal(size=5),
            "W2": rng.normal(size=(5, 3)),
            "b2": rng.normal(size=3),
        }
    ]


def gradient(params):
    W1, b1 = params["W1"], params["b1"]
    W2, b2 = params["W2"], params["b2"]
    N = X.shape[0]
    z1 = X.dot(W1) + b1
    a1 = np.maximum(0, z1)
    scores = a1.dot(W2) + b2
    scores -= np.max(scores, axis=1, keepdims=True)
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    value = -np.sum(np.log(probs[range(N), y])) / N
    value += 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
    grads = {}
    dscores = probs
    dscores[range(N), y] -= 1
    dscores /= N
    grads["W2"] = np.dot(a1.T, dscores)
    grads["b2"] = np.sum(dscores, axis=0)
    dhidden = np.dot(dscores, W2.T)
    dhidden[a1 <= 0] = 0
    grads["W1"] = np.dot(X.T, dhidden)
    grads["b1"] = np.sum(dhidden, axis=0)
    grads["W2"] += reg * W2
    grads["W1"] += reg * W1
    return value, grads


def affine_forward(x, w, b):
    out = x.dot(w) + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T)
    dw = x.T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    x = cache
    return dout * (x > 0)


def softmax_loss(x, y):
    shifted = x - np.max(x, axis=1, keepdims=True)
    Z = np.sum(np.exp(shifted), axis=1, keepdims=True)
    log_probs = shifted - np.log(Z)
    probs = np.exp(log_probs)
    N = x.shape[0]
    value = -np.sum(log_probs[np.arange(N), y]) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return value, dx


def gradient_by_layers(params):
    out1, fc1 = affine_forward(X, params["W1"], params["b1"])
    hidden, relu = relu_forward(out1)
    scores, fc2 = affine_forward(hidden, params["W2"], params["b2"])
    value, dscores = softmax_loss(scores, y)
    grads = {}
    dhidden, dW2, grads["b2"] = affine_backward(dscores, fc2)
    dout1 = relu_backward(dhidden, relu)
    _, dW1, grads["b1"] = affine_backward(dout1, fc1)
    grads["W2"] = dW2 + reg * params["W2"]
    grads["W1"] = dW1 + reg * params["W1"]
    return grads


WRONG = {
    "gradient": [
        ("dscores /= N", "dscores /= 1", "factor"),
        ("dscores[range(N), y] -= 1", "dscores[range(N), y] -= 2", "factor"),
        ("dhidden[a1 <= 0] = 0", "dhidden[a1 > 0] = 0", "mask"),
        ("dhidden[a1 <= 0] = 0", "dhidden[dhidden <= 0] = 0", "mask"),
        ('grads["W2"] += reg * W2', 'grads["W2"] += 2 * reg * W2', "penalty"),
        ('grads["W1"] += reg * W1', 'grads["W1"] = reg * W1', "accumulation"),
        ('grads["b1"] = np.sum(dhidden, axis=0)', 'grads["b1"] = np.sum(dhidden)', "sum"),
        ('grads["W2"] = np.dot(a1.T, dscores)', 'grads["W2"] = np.dot(z1.T, dscores)', "operand"),
        ("a1 = np.maximum(0, z1)", "a1 = np.abs(z1)", "forward"),
        ("scores = a1.dot(W2) + b2", "scores = a1.dot(W2) - b2", "forward"),
        ("exp_scores, axis=1, keepdims=True", "exp_scores", "forward"),
    ],
    "gradient_by_layers": [
        ("return dout * (x > 0)", "return dout", "slope missing"),
        ("db = np.sum(dout, axis=0)", "db = np.mean(dout, axis=0)", "factor"),
        ('grads["W1"] = dW1 + reg * params["W1"]', 'grads["W1"] = dW1', "penalty"),
        ("dx[np.arange(N), y] -= 1", "dx[np.arange(N), y] += 1", "sign"),
        ("shifted = x - np.max(x, axis=1, keepdims=True)", "shifted = x / np.max(x)", "forward"),
        ("out = x.dot(w) + b", "out = x.dot(w) + b.sum()", "forward"),
    ],
}
