"""A recurrent net over the letters of a word, back through time."""

import numpy as np

vocab_size = 3
inputs = [0, 2, 1, 0]
targets = [2, 1, 0, 1]


def loss(Wxh, Whh, Why, bh, by):
    h, total = np.zeros((4, 1)), 0.0
    for letter, target in zip(inputs, targets):
        h = np.tanh(Wxh[:, [letter]] + Whh @ h + bh)
        s = Why @ h + by
        total = total + np.log(np.sum(np.exp(s))) - s[target, 0]
    return total


def arguments(rng):
    return (
        0.5 * rng.normal(size=(4, 3)),
        0.5 * rng.normal(size=(4, 4)),
        rng.normal(size=(3, 4)),
        rng.normal(size=(4, 1)),
        rng.normal(size=(3, 1)),
    )


def gradient(Wxh, Whh, Why, bh, by):
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.zeros((4, 1))
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dh = np.dot(Why.T, dy) + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t - 1].T)
        dhnext = np.dot(Whh.T, dhraw)
    return dWxh, dWhh, dWhy, dbh, dby


WRONG = {
    "gradient": [
        ("dh = np.dot(Why.T, dy) + dhnext", "dh = np.dot(Why.T, dy)", "term"),
        ("dhraw = (1 - hs[t] * hs[t]) * dh", "dhraw = dh", "slope missing"),
        ("dhraw = (1 - hs[t] * hs[t]) * dh", "dhraw = (1 - hs[t]) * hs[t] * dh", "slope"),
        ("dWhh += np.dot(dhraw, hs[t - 1].T)", "dWhh += np.dot(dhraw, hs[t].T)", "index"),
        ("dhnext = np.dot(Whh.T, dhraw)", "dhnext = np.dot(Whh, dhraw)", "transpose"),
        ("dhnext = np.dot(Whh.T, dhraw)", "dhnext = np.dot(Whh.T, dh)", "operand"),
        ("dWxh += np.dot(dhraw, xs[t].T)", "dWxh = np.dot(dhraw, xs[t].T)", "accumulation"),
        ("dy[targets[t]] -= 1", "dy[targets[0]] -= 1", "index"),
        ("ys[t] = np.dot(Why, hs[t]) + by", "ys[t] = np.dot(Why, hs[0]) + by", "forward"),
        ("hs[-1] = np.zeros((4, 1))", "hs[-1] = np.ones((4, 1))", "forward"),
    ],
}
