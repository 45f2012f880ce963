"""Word vectors: the naive softmax, and negative sampling."""

import numpy as np

outside = 2
negatives = [0, 3, 3, 4]


def loss(centerWordVec, outsideVectors):
    score = outsideVectors @ centerWordVec
    good = np.log(1 / (1 + np.exp(-score[outside])))
    return -good - np.sum(np.log(1 / (1 + np.exp(score[negatives]))))


def arguments(rng):
    return rng.normal(size=3), rng.normal(size=(5, 3))


def sigmoid(x):
    s = 1 / (1 + np.exp(-x))
    return s


def gradient(centerWordVec, outsideVectors):
    v = centerWordVec
    u_o = outsideVectors[outside]
    gradOutsideVecs = np.zeros_like(outsideVectors)
    s = sigmoid(u_o @ v)
    value = -np.log(s)
    gradCenterVec = (s - 1) * u_o
    gradOutsideVecs[outside] += (s - 1) * v
    for k in negatives:
        u_k = outsideVectors[k]
        s_k = sigmoid(-u_k @ v)
        value -= np.log(s_k)
        gradCenterVec += (1 - s_k) * u_k
        gradOutsideVecs[k] += (1 - s_k) * v
    return value, (gradCenterVec, gradOutsideVecs)


def gradient_at_once(v, U):
    labels = np.concatenate([[1.0], np.zeros(len(negatives))])
    rows = np.array([outside, *negatives])
    p = sigmoid(U[rows] @ v)
    d = p - labels
    dv = U[rows].T @ d
    dU = np.zeros(U.shape)
    np.add.at(dU, rows, np.outer(d, v))
    return dv, dU


WRONG = {
    "gradient": [
        ("gradCenterVec = (s - 1) * u_o", "gradCenterVec = (1 - s) * u_o", "sign"),
        ("(s - 1) * v", "(s - 1) * u_o", "operand"),
        ("gradOutsideVecs[k] +=", "gradOutsideVecs[k] =", "accumulation"),
        ("gradCenterVec += (1 - s_k) * u_k", "gradCenterVec += s_k * (1 - s_k) * u_k", "slope"),
        ("s_k = sigmoid(-u_k @ v)", "s_k = sigmoid(u_k @ v)", "sign"),
    ],
    "gradient_at_once": [
        ("dU = np.zeros(U.shape)", "dU = np.zeros(U.shape) + v", "accumulation"),
        ("d = p - labels", "d = p * (1 - p) * (p - labels)", "slope"),
        ("s = 1 / (1 + np.exp(-x))", "s = 1 / (1 + np.exp(-x / 2))", "forward"),
    ],
}
