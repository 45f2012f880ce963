"""Losses of classifiers and regressions, with loops and without."""

import numpy as np
from program import list_of, normal, positive, program

rng = np.random.default_rng(2)
X = rng.normal(size=(6, 4))
y = np.array([0, 2, 1, 1, 0, 2])
t = rng.normal(size=6)
signs = np.array([1, -1, 1, 1, -1, -1])


def softmax_loss_naive(W, X, y, reg):
    loss = 0.0
    num_train = X.shape[0]
    for i in range(num_train):
        scores = X[i].dot(W)
        scores -= np.max(scores)
        p = np.exp(scores[y[i]]) / np.sum(np.exp(scores))
        loss += -np.log(p)
    loss /= num_train
    loss += reg * np.sum(W * W)
    return loss


@program(normal(4, 3))
def softmax_naive(W):
    return softmax_loss_naive(W, X, y, 0.1)


@program(normal(4, 3))
def svm_vectorised(W):
    scores = X.dot(W)
    correct = scores[range(len(X)), y].reshape(-1, 1)
    margins = np.maximum(0, scores - correct + 1)
    margins[np.arange(len(X)), y] = 0
    return np.sum(margins) / len(X) + 0.01 * np.sum(W * W)


@program(normal(4), normal())
def hinge_binary(w, b):
    margins = 1 - signs * (X @ w + b)
    margins[margins < 0] = 0
    return margins.mean() + 0.5 * w @ w


@program(normal(5, 1))
def logistic_with_bias_column(theta):
    Xb = np.c_[np.ones((len(X), 1)), X]
    h = 1.0 / (1.0 + np.exp(-Xb.dot(theta)))
    target = (signs > 0).reshape(-1, 1)
    cost = -(target.T.dot(np.log(h)) + (1 - target).T.dot(np.log(1 - h))) / len(X)
    return cost[0, 0]


@program(normal(4))
def lasso(w):
    return np.mean((X @ w - t) ** 2) + 0.1 * np.linalg.norm(w, 1)


@program(normal(4))
def huber(w):
    r = t - X @ w
    small = np.abs(r) <= 1.0
    loss = np.where(small, 0.5 * r**2, np.abs(r) - 0.5)
    return loss.mean()


@program(normal(4))
def quantile_loss(w):
    e = t - X.dot(w)
    total = 0
    for q in (0.1, 0.5, 0.9):
        total = total + np.sum(np.maximum(q * e, (q - 1) * e))
    return total


@program(normal(3))
def polynomial_fit(c):
    x = np.linspace(-1, 1, 7)
    A = np.vander(x, 3, increasing=True)
    return np.sum((A.dot(c) - np.sin(3 * x)) ** 2)


@program(normal(4, 3))
def label_smoothing(W):
    z = X @ W
    z = z - z.max(1)[:, None]
    logp = z - np.log(np.sum(np.exp(z), axis=1))[:, None]
    target = np.full((len(y), 3), 0.1 / 2)
    target[np.arange(len(y)), y] = 0.9
    return -np.sum(target * logp) / len(y)


@program(normal(4, 2), normal(4, 2), normal(4, 2))
def triplet_loss(anchor, pos, neg):
    d_pos = np.sum(np.square(anchor - pos), axis=-1)
    d_neg = np.sum(np.square(anchor - neg), axis=-1)
    basic = d_pos - d_neg + 0.2
    return np.sum(np.maximum(basic, 0.0))


@program(positive(3))
def poisson_regression(w):
    mu = np.exp(0.3 * X[:, :3] @ w)
    counts = np.array([0, 3, 1, 2, 0, 1])
    log_factorials = [sum(np.log(k) for k in range(1, n + 1)) for n in counts]
    return np.sum(mu - counts * np.log(mu) + np.array(log_factorials))


@program(normal(4, 3))
def accuracy_printed_beside_loss(W):
    scores = X @ W
    predicted = np.argmax(scores, axis=1)
    accuracy = np.mean(predicted == y)
    assert 0 <= accuracy <= 1
    correct = scores[np.arange(6), predicted]
    return np.sum(correct) - np.sum(scores[np.arange(6), y])


@program(normal(4, 3))
def multilabel_bce_with_clip(W):
    p = 1 / (1 + np.exp(-X @ W))
    p = np.clip(p, 1e-7, 1 - 1e-7)
    Y = np.zeros((6, 3))
    for i, k in enumerate(y):
        Y[i, k] = 1
    return -(Y * np.log(p) + (1 - Y) * np.log(1 - p)).sum(axis=1).mean()


@program(list_of(normal(4, 5), normal(5), normal(5, 3), normal(3)))
def two_layer_net(params):
    W1, b1, W2, b2 = params
    hidden = np.maximum(0, X.dot(W1) + b1)
    scores = hidden.dot(W2) + b2
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    probs = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
    data_loss = np.sum(-np.log(probs[range(6), y])) / 6
    return data_loss + 0.5 * 0.1 * (np.sum(W1 * W1) + np.sum(W2 * W2))
