"""An autoencoder whose decoder is the encoder's transpose: two parts of one gradient."""

import numpy as np

DATA = 1


def loss(W, b, c, x):
    h = np.tanh(x @ W + b)
    return 0.5 * np.sum((h @ W.T + c - x) ** 2)


def arguments(rng):
    return (
        rng.normal(size=(3, 3)),
        rng.normal(size=3),
        rng.normal(size=3),
        rng.normal(size=(4, 3)),
    )


def gradient(W, b, c, x):
    z = x @ W + b
    h = np.tanh(z)
    r = h @ W.T + c
    dr = r - x
    dc = dr.sum(axis=0)
    dW_dec = dr.T @ h
    dh = dr @ W
    dz = dh * (1 - h**2)
    dW_enc = x.T @ dz
    db = dz.sum(axis=0)
    return {"dW": dW_dec + dW_enc, "db": db, "dc": dc}


def gradient_step(W, b, c, x):
    def encode(v):
        return np.tanh(v @ W + b)

    def decode(v):
        return v @ W.T + c

    gW, gb, gc = np.zeros_like(W), np.zeros_like(b), np.zeros_like(c)
    for v in x:
        code = encode(v)
        miss = decode(code) - v
        back = (W.T @ miss) * (1 - code**2)
        gW += np.outer(miss, code)
        gW += np.outer(v, back)
        gb += back
        gc += miss
    return gW, gb, gc


WRONG = {
    "gradient": [
        ("dW_dec + dW_enc", "dW_enc", "term"),
        ("dW_dec = dr.T @ h", "dW_dec = h.T @ dr", "transpose"),
        ("dh = dr @ W", "dh = dr @ W.T", "transpose"),
        ("dz = dh * (1 - h**2)", "dz = dh * (1 - z**2)", "slope"),
        ("db = dz.sum(axis=0)", "db = dh.sum(axis=0)", "operand"),
        ("r = h @ W.T + c", "r = h @ W + c", "forward"),
    ],
    "gradient_step": [
        ("gW += np.outer(miss, code)", "gW += miss * code", "product"),
        ("gW += np.outer(v, back)", "gW += np.outer(back, v)", "transpose"),
        ("gW += np.outer(v, back)", "gW = np.outer(v, back)", "accumulation"),
        ("back = (W.T @ miss) * (1 - code**2)", "back = W.T @ miss - code**2", "product"),
        ("return np.tanh(v @ W + b)", "return np.tanh(v @ W)", "forward"),
    ],
}
