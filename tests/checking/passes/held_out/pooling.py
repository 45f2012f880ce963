"""Max pooling under a linear layer, with a dropout mask that is drawn beforehand."""

import numpy as np

rng = np.random.default_rng(37)
keep = (rng.uniform(size=(2, 4)) < 0.7) / 0.7
labels = np.array([1, 0])


def loss(images, W, b):
    blocks = images.reshape(2, 2, 2, 2, 2).transpose(0, 1, 3, 2, 4).reshape(2, 4, 4)
    s = (blocks.max(axis=2) * keep) @ W + b
    return np.mean(np.log(np.sum(np.exp(s), axis=1)) - s[np.arange(2), labels])


def arguments(rng):
    return rng.normal(size=(2, 4, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)


def pool_forward(x):
    N, H, W = x.shape
    out = np.zeros((N, H // 2, W // 2))
    for n in range(N):
        for i in range(H // 2):
            for j in range(W // 2):
                window = x[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                out[n, i, j] = np.max(window)
    return out


def pool_backward(dout, x):
    N, H, W = dout.shape
    dx = np.zeros_like(x)
    for n in range(N):
        for i in range(H):
            for j in range(W):
                window = x[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                mask = window == np.max(window)
                dx[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] += mask * dout[n, i, j]
    return dx


def gradient(images, W, b):
    pooled = pool_forward(images)
    flat = pooled.reshape(len(images), -1)
    dropped = flat * keep
    scores = dropped @ W + b
    probs = np.exp(scores)
    probs /= probs.sum(axis=1, keepdims=True)
    probs[np.arange(2), labels] -= 1
    dscores = probs / len(images)
    dW = dropped.T @ dscores
    db = dscores.sum(axis=0)
    dflat = (dscores @ W.T) * keep
    dimages = pool_backward(dflat.reshape(pooled.shape), images)
    return dimages, dW, db


WRONG = {
    "gradient": [
        ("dflat = (dscores @ W.T) * keep", "dflat = dscores @ W.T", "mask"),
        ("dW = dropped.T @ dscores", "dW = flat.T @ dscores", "operand"),
        ("mask = window == np.max(window)", "mask = window == np.min(window)", "mask"),
        ("mask = window == np.max(window)", "mask = window > 0", "mask"),
        ("dout[n, i, j]", "dout[n, j, i]", "index"),
        ("probs[np.arange(2), labels] -= 1", "probs[:, labels] -= 1", "index"),
        ("out[n, i, j] = np.max(window)", "out[n, i, j] = np.mean(window)", "forward"),
        ("scores = dropped @ W + b", "scores = flat @ W + b", "forward"),
    ],
}
