"""A convolution with stride and padding, under a max pooling, as cs231n has them written."""

import numpy as np

STRIDE, PAD = 2, 1
pull = np.random.default_rng(41).normal(size=(2, 1, 2))


def loss(x, w, b):
    padded = np.pad(x, ((0, 0), (PAD, PAD), (PAD, PAD)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    windows = windows[:, ::STRIDE, ::STRIDE]
    out = np.sum(windows * w[:, :, None, None], axis=(1, 4, 5)) + b[:, None, None]
    return np.sum(out.reshape(2, 1, 2, 2, 2).max(axis=(2, 4)) * pull)


def arguments(rng):
    return rng.normal(size=(1, 4, 8)), rng.normal(size=(2, 1, 3, 3)), rng.normal(size=2)


def conv_forward(x, w, b, stride, pad):
    C, H, W = x.shape
    F, _, HH, WW = w.shape
    H_out, W_out = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    x_pad = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((F, H_out, W_out))
    for f in range(F):
        for i in range(H_out):
            for j in range(W_out):
                r, c = i * stride, j * stride
                out[f, i, j] = np.sum(x_pad[:, r : r + HH, c : c + WW] * w[f]) + b[f]
    return out, (x, w, b, stride, pad)


def conv_backward(dout, cache):
    x, w, b, stride, pad = cache
    F, H_out, W_out = dout.shape
    HH, WW = w.shape[2:]
    x_pad = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    dx_pad, dw = np.zeros_like(x_pad), np.zeros_like(w)
    db = dout.sum(axis=(1, 2))
    for f in range(F):
        for i in range(H_out):
            for j in range(W_out):
                r, c = i * stride, j * stride
                dw[f] += x_pad[:, r : r + HH, c : c + WW] * dout[f, i, j]
                dx_pad[:, r : r + HH, c : c + WW] += w[f] * dout[f, i, j]
    dx = dx_pad[:, pad:-pad, pad:-pad]
    return dx, dw, db


def pool_backward(dout, x, size):
    dx = np.zeros_like(x)
    F, H_out, W_out = dout.shape
    for f in range(F):
        for i in range(H_out):
            for j in range(W_out):
                top, left = i * size, j * size
                window = x[f, top : top + size, left : left + size]
                mask = window == np.max(window)
                dx[f, top : top + size, left : left + size] = mask * dout[f, i, j]
    return dx


def gradient(x, w, b):
    out, cache = conv_forward(x, w, b, STRIDE, PAD)
    dout = pool_backward(pull, out, 2)
    return conv_backward(dout, cache)


WRONG = {}
