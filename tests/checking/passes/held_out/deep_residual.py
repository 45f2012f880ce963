"""Blocks in a loop, each with a layer norm and a skip; the gradients under numbered keys."""

import numpy as np

rng = np.random.default_rng(33)
x0 = rng.normal(size=(4, 3))
BLOCKS = 3


def loss(params):
    x = x0
    for k in range(BLOCKS):
        n = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-3)
        x = x + np.tanh(n @ params[f"W{k}"] + params[f"b{k}"])
    return np.mean(x**2)


def arguments(rng):
    weights = {f"W{k}": rng.normal(size=(3, 3)) for k in range(BLOCKS)}
    return [weights | {f"b{k}": rng.normal(size=3) for k in range(BLOCKS)}]


def layernorm_backward(dout, n, std):
    mean_d = np.mean(dout, axis=1, keepdims=True)
    mean_dn = np.mean(dout * n, axis=1, keepdims=True)
    return (dout - mean_d - n * mean_dn) / std


def gradient(params):
    x, caches = x0, []
    for k in range(BLOCKS):
        mu = np.mean(x, axis=1, keepdims=True)
        std = np.sqrt(np.var(x, axis=1, keepdims=True) + 1e-3)
        n = (x - mu) / std
        t = np.tanh(n @ params[f"W{k}"] + params[f"b{k}"])
        x = x + t
        caches.append((n, std, t))
    grads = {}
    dx = 2 * x / x.size
    for k in reversed(range(BLOCKS)):
        n, std, t = caches[k]
        dz = dx * (1 - t * t)
        grads[f"grad_W{k}"] = n.T @ dz
        grads[f"grad_b{k}"] = dz.sum(axis=0)
        dn = dz @ params[f"W{k}"].T
        dx = dx + layernorm_backward(dn, n, std)
    return grads


WRONG = {
    "gradient": [
        ("dx = dx + layernorm_backward(dn, n, std)", "dx = layernorm_backward(dn, n, std)", "term"),
        ('dn = dz @ params[f"W{k}"].T', 'dn = dz @ params["W2"].T', "index"),
        ('dn = dz @ params[f"W{k}"].T', 'dn = dz @ params[f"W{k}"]', "transpose"),
        ("n, std, t = caches[k]", "n, std, t = caches[-1]", "index"),
        ("return (dout - mean_d - n * mean_dn) / std", "return (dout - mean_d) / std", "term"),
        ("dx = 2 * x / x.size", "dx = 2 * x / len(x)", "factor"),
        ("dz = dx * (1 - t * t)", "dz = dx * t * (1 - t)", "slope"),
        ("n = (x - mu) / std", "n = (x - mu) / std**2", "forward"),
        ("x = x + t", "x = x0 + t", "forward"),
    ],
}
