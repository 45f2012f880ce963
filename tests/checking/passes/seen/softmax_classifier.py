"""A linear classifier with softmax, of one array only."""

import numpy as np

rng = np.random.default_rng(6)
X = rng.normal(size=(5, 4))
y = np.array([0, 2, 1, 1, 0])


def loss(W):
    s = X @ W
    return np.mean(np.log(np.sum(np.exp(s), axis=1)) - s[np.arange(5), y]) + 0.2 * np.sum(W * W)


def arguments(rng):
    return [rng.normal(size=(4, 3))]


def gradient(W):
    dW = np.zeros_like(W)
    for i in range(X.shape[0]):
        f_i = X[i].dot(W)
        f_i -= np.max(f_i)
        sum_j = np.sum(np.exp(f_i))
        p = np.exp(f_i) / sum_j
        for k in range(W.shape[1]):
            dW[:, k] += (p[k] - (k == y[i])) * X[i]
    dW /= X.shape[0]
    dW += 0.4 * W
    return dW


def gradient_one_hot(W):
    N = len(y)
    Y = np.eye(W.shape[1])[y]
    Z = X @ W
    E = np.exp(Z)
    P = E / E.sum(axis=1, keepdims=True)
    G = P - Y
    return X.T @ G / N + 2 * 0.2 * W


def gradient_by_the_jacobian(W):
    dW = np.zeros(W.shape)
    for x, label in zip(X, y):
        e = np.exp(x @ W)
        p = e / e.sum()
        dp = np.zeros(3)
        dp[label] = -1 / p[label]
        J = np.diag(p) - np.outer(p, p)
        dz = J @ dp
        dW += np.outer(x, dz)
    return dW / len(X) + 0.4 * W


WRONG = {
    "gradient": [
        ("p = np.exp(f_i) / sum_j", "p = np.exp(f_i) / X.shape[0]", "forward"),
        ("dW[:, k] +=", "dW[:, k] =", "accumulation"),
        ("dW += 0.4 * W", "dW += 0.4 * W**2", "penalty"),
    ],
    "gradient_one_hot": [
        ("G = P - Y", "G = Y - P", "sign"),
        ("P = E / E.sum(axis=1, keepdims=True)", "P = E / E.sum(axis=0)", "forward"),
        ("return X.T @ G / N + 2 * 0.2 * W", "return X.T @ G / N + 0.2 * W", "penalty"),
    ],
    "gradient_by_the_jacobian": [
        ("J = np.diag(p) - np.outer(p, p)", "J = np.diag(p) - p * p", "product"),
        ("J = np.diag(p) - np.outer(p, p)", "J = np.diag(p)", "term"),
        ("dp[label] = -1 / p[label]", "dp[label] = 1 / p[label]", "sign"),
        ("dz = J @ dp", "dz = p * (1 - p) * dp", "product"),
    ],
}
