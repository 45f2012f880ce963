"""The hinge loss of a linear classifier, in loops and in arrays."""

import numpy as np

DATA = 2
REG = 0.1


def loss(W, X, y):
    s = X @ W
    gaps = np.maximum(0, s - s[np.arange(len(y)), y][:, None] + 1)
    return (np.sum(gaps) - len(y)) / len(y) + REG * np.sum(W**2)


def arguments(rng):
    return rng.normal(size=(4, 3)), rng.normal(size=(7, 4)), np.array([0, 1, 2, 2, 1, 0, 0])


def gradient(W, X, y):
    dW = np.zeros(W.shape)
    num_classes = W.shape[1]
    num_train = X.shape[0]
    for i in range(num_train):
        scores = X[i].dot(W)
        correct_class_score = scores[y[i]]
        for j in range(num_classes):
            if j == y[i]:
                continue
            margin = scores[j] - correct_class_score + 1
            if margin > 0:
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    dW /= num_train
    dW += 2 * REG * W
    return dW


def gradient_in_arrays(W, X, y):
    num_train = X.shape[0]
    scores = X.dot(W)
    correct = scores[np.arange(num_train), y].reshape(-1, 1)
    margins = np.maximum(0, scores - correct + 1)
    margins[np.arange(num_train), y] = 0
    mask = np.zeros(margins.shape)
    mask[margins > 0] = 1
    mask[np.arange(num_train), y] = -np.sum(mask, axis=1)
    dW = X.T.dot(mask)
    dW = dW / num_train + 2 * REG * W
    return dW


WRONG = {
    "gradient": [
        ("dW[:, j] += X[i]", "dW[:, j] = X[i]", "accumulation"),
        ("dW[:, y[i]] -= X[i]", "dW[:, y[i]] += X[i]", "sign"),
        ("dW += 2 * REG * W", "dW += REG * W", "penalty"),
        ("correct_class_score + 1", "correct_class_score - 1", "forward"),
    ],
    "gradient_in_arrays": [
        ("mask[margins > 0] = 1", "mask[margins > 0] = 2", "factor"),
        ("np.sum(mask, axis=1)", "1", "term"),
        ("dW = X.T.dot(mask)", "dW = X.T.dot(margins)", "operand"),
        ("correct + 1", "correct - 1", "forward"),
    ],
}
