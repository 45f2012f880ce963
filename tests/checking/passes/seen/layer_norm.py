"""Word vectors through a layer normalisation, as transformers have them, with a mean of them."""

import numpy as np

words = np.array([[0, 2, 1], [2, 3, 2]])
pull = np.random.default_rng(43).normal(size=(2, 4))
EPS = 1e-5


def loss(table, scale, shift):
    x = table[words]
    d = x - np.mean(x, axis=2, keepdims=True)
    y = d / np.sqrt(np.mean(d * d, axis=2, keepdims=True) + EPS) * scale + shift
    return np.sum(np.tanh(np.mean(y, axis=1)) * pull)


def arguments(rng):
    return rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4)


def forward(table, scale, shift):
    x = table[words]
    mu = x.mean(axis=-1, keepdims=True)
    std = np.sqrt(x.var(axis=-1, keepdims=True) + EPS)
    norm = (x - mu) / std
    pooled = (scale * norm + shift).mean(axis=1)
    return norm, std, np.tanh(pooled)


def gradient(table, scale, shift):
    norm, std, out = forward(table, scale, shift)
    T = words.shape[1]
    dpooled = pull * (1 - out**2)
    dy = np.repeat(dpooled[:, None, :], T, axis=1) / T
    dscale = (dy * norm).sum(axis=(0, 1))
    dshift = dy.sum(axis=(0, 1))
    dnorm = dy * scale
    mean = dnorm.mean(axis=-1, keepdims=True)
    along = (dnorm * norm).mean(axis=-1, keepdims=True)
    dx = (dnorm - mean - norm * along) / std
    dtable = np.zeros_like(table)
    for n in range(len(words)):
        for t in range(T):
            dtable[words[n, t]] += dx[n, t]
    return dtable, dscale, dshift


WRONG = {}
