"""One state from step to step of a sequence: back through time, as in Karpathy's min-char-rnn."""

import numpy as np

SETTING = (
    "xs and ys have one step of a sequence per row; hs has the state before each step, and the "
    "last. The loss is the sum of all squared errors."
)


def loss(Wx, Wh, b, Wy, xs, ys):
    h0 = np.zeros(3)
    z1 = Wx @ xs[0] + Wh @ h0 + b
    h1 = np.tanh(z1)
    z2 = Wx @ xs[1] + Wh @ h1 + b
    h2 = np.tanh(z2)
    z3 = Wx @ xs[2] + Wh @ h2 + b
    h3 = np.tanh(z3)
    y1, y2, y3 = Wy @ h1, Wy @ h2, Wy @ h3
    return np.sum((y1 - ys[0]) ** 2) + np.sum((y2 - ys[1]) ** 2) + np.sum((y3 - ys[2]) ** 2)


def arguments(rng):
    Wx, Wh, Wy = (rng.normal(size=(3, 3)) for _ in range(3))
    return Wx, Wh, rng.normal(size=3), Wy, rng.normal(size=(3, 3)), rng.normal(size=(3, 3))


def backward(Wx, Wh, b, Wy, xs, ys):
    hs = [np.zeros(3)]
    for x in xs:
        z = Wx @ x + Wh @ hs[-1] + b
        hs.append(np.tanh(z))
    dWx, dWh, dWy = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wy)
    db, dnext = np.zeros(3), np.zeros(3)
    for t in reversed(range(len(xs))):
        dy = 2 * (Wy @ hs[t + 1] - ys[t])
        dWy += np.outer(dy, hs[t + 1])
        dh = Wy.T @ dy + dnext
        dz = dh * (1 - hs[t + 1] ** 2)
        dWx += np.outer(dz, xs[t])
        dWh += np.outer(dz, hs[t])
        db += dz
        dnext = Wh.T @ dz
    return dWx, dWh, db, dWy


PASS = (backward,)
BACKWARD = (
    ("dy = 2 * (Wy @ hs[t + 1] - ys[t])", "dy = Wy @ hs[t + 1] - ys[t]"),
    ("dWy += np.outer(dy, hs[t + 1])", "dWy += np.outer(dy, hs[t])"),
    ("dh = Wy.T @ dy + dnext", "dh = Wy @ dy + dnext"),
    ("dz = dh * (1 - hs[t + 1] ** 2)", "dz = dh * (1 - hs[t] ** 2)"),
    ("dWx += np.outer(dz, xs[t])", "dWx = np.outer(dz, xs[t])"),
    ("db += dz", "db += dh"),
    ("dnext = Wh.T @ dz", "dnext = Wh @ dz"),
)
FORWARD = (("z = Wx @ x + Wh @ hs[-1] + b", "z = Wx @ x + Wh.T @ hs[-1] + b"),)
