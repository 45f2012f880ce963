"""A function for each kind of layer, forward and backward, as *Deep Learning from Scratch* does."""

import numpy as np

SETTING = (
    "x has one sample per row, and the output is linear. The loss is the mean of all squared "
    "errors plus reg times the squares of the weights."
)


def loss(params, x, t, reg):
    z1 = x @ params["W1"] + params["b1"]
    h1 = np.maximum(z1, 0)
    out = h1 @ params["W2"] + params["b2"]
    penalty = np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2)
    return np.mean((out - t) ** 2) + reg * penalty


def arguments(rng):
    W1, b1 = rng.normal(size=(3, 3)), rng.normal(size=3)
    W2, b2 = rng.normal(size=(3, 3)), rng.normal(size=3)
    params = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    return params, rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), 0.1


def affine(x, W, b):
    return x @ W + b


def affine_backward(dout, x, W):
    dx = dout @ W.T
    dW = x.T @ dout
    db = np.sum(dout, axis=0)
    return dx, dW, db


def relu_backward(dout, x):
    return dout * (x > 0)


def gradient(params, x, t, reg):
    W1, W2 = params["W1"], params["W2"]
    z1 = affine(x, W1, params["b1"])
    h1 = np.maximum(z1, 0)
    out = affine(h1, W2, params["b2"])
    dout = 2 * (out - t) / t.size
    dh1, dW2, db2 = affine_backward(dout, h1, W2)
    dz1 = relu_backward(dh1, z1)
    dx, dW1, db1 = affine_backward(dz1, x, W1)
    dW1 += 2 * reg * W1
    dW2 += 2 * reg * W2
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


PASS = (affine, affine_backward, relu_backward, gradient)
BACKWARD = (
    ("dx = dout @ W.T", "dx = dout @ W"),
    ("db = np.sum(dout, axis=0)", "db = np.mean(dout, axis=0)"),
    ("dout = 2 * (out - t) / t.size", "dout = 2 * (out - t) / len(t)"),
    ("dout = 2 * (out - t) / t.size", "dout = (out - t) / t.size"),
    ("dW1 += 2 * reg * W1", "dW1 += reg * W1"),
    ("dW2 += 2 * reg * W2", "dW2 += 2 * reg * W1"),
)
FORWARD = (("h1 = np.maximum(z1, 0)", "h1 = np.maximum(z1, 1)"),)
