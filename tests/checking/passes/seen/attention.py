"""One head of attention, with the softmax's rows by its Jacobian."""

import numpy as np

rng = np.random.default_rng(11)
T = rng.normal(size=(4, 3))


def loss(Q, K, V):
    s = Q @ K.T / np.sqrt(3)
    p = np.exp(s) / np.sum(np.exp(s), axis=1, keepdims=True)
    return 0.5 * np.sum((p @ V - T) ** 2)


def arguments(rng):
    return rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 3))


def softmax(S):
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def gradient(Q, K, V):
    d = Q.shape[1]
    S = Q @ K.T / np.sqrt(d)
    A = softmax(S)
    O = A @ V
    dO = O - T
    dV = A.T @ dO
    dA = dO @ V.T
    dS = A * (dA - np.sum(dA * A, axis=1, keepdims=True))
    dQ = dS @ K / np.sqrt(d)
    dK = dS.T @ Q / np.sqrt(d)
    return dQ, dK, dV


def gradient_row_by_row(Q, K, V):
    scale = 1 / np.sqrt(Q.shape[1])
    A = softmax(scale * Q @ K.T)
    dO = A @ V - T
    dA = dO @ V.T
    dS = np.zeros_like(A)
    for i in range(len(A)):
        jacobian = np.diag(A[i]) - np.outer(A[i], A[i])
        dS[i] = jacobian @ dA[i]
    dS = dS * scale
    return {"dQ": dS @ K, "dK": dS.T @ Q, "dV": A.T @ dO}


WRONG = {
    "gradient": [
        ("dV = A.T @ dO", "dV = A @ dO", "transpose"),
        ("dS = A * (dA - np.sum(dA * A, axis=1, keepdims=True))", "dS = A * (1 - A) * dA", "slope"),
        ("axis=1", "axis=0", "sum"),
        ("dK = dS.T @ Q / np.sqrt(d)", "dK = dS @ Q / np.sqrt(d)", "transpose"),
        ("dQ = dS @ K / np.sqrt(d)", "dQ = dS @ K", "factor"),
        ("S = Q @ K.T / np.sqrt(d)", "S = Q @ K.T / d", "forward"),
    ],
    "gradient_row_by_row": [
        ("np.outer(A[i], A[i])", "A[i] * A[i]", "product"),
        ("dS[i] = jacobian @ dA[i]", "dS[i] = A[i] * (1 - A[i]) * dA[i]", "slope"),
        ("dS = dS * scale", "dS = dS * scale**2", "factor"),
        ("dA = dO @ V.T", "dA = dO @ K.T", "operand"),
        ("sum(axis=-1, keepdims=True)", "sum(axis=0, keepdims=True)", "forward"),
    ],
}
