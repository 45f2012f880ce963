"""Layers as classes that keep what they saw and their gradients: y = xW + b, ReLU, softmax."""

import numpy as np

rng = np.random.default_rng(8)
x_train = rng.normal(size=(4, 3))
t_train = np.eye(3)[[0, 2, 1, 2]]


def loss(W1, b1, W2, b2):
    s = np.maximum(x_train @ W1 + b1, 0) @ W2 + b2
    p = np.exp(s) / np.sum(np.exp(s), axis=1, keepdims=True)
    return -np.sum(t_train * np.log(p)) / 4


def arguments(rng):
    return (
        rng.normal(size=(3, 5)),
        rng.normal(size=5),
        rng.normal(size=(5, 3)),
        rng.normal(size=3),
    )


class Relu:
    def __init__(self):
        self.mask = None

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class Affine:
    def __init__(self, W, b):
        self.W = W
        self.b = b
        self.x = None
        self.dW = None
        self.db = None

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, dout):
        dx = np.dot(dout, self.W.T)
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return dx


class SoftmaxWithLoss:
    def forward(self, x, t):
        self.t = t
        e = np.exp(x - np.max(x, axis=1, keepdims=True))
        self.y = e / np.sum(e, axis=1, keepdims=True)
        return -np.sum(t * np.log(self.y + 1e-7)) / len(t)

    def backward(self, dout=1):
        batch_size = self.t.shape[0]
        return (self.y - self.t) / batch_size


class TwoLayerNet:
    def __init__(self, W1, b1, W2, b2):
        self.layers = [Affine(W1, b1), Relu(), Affine(W2, b2)]
        self.last_layer = SoftmaxWithLoss()

    def gradient(self, x, t):
        for layer in self.layers:
            x = layer.forward(x)
        self.last_layer.forward(x, t)
        dout = self.last_layer.backward(1)
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        first, _, second = self.layers
        return {"W1": first.dW, "b1": first.db, "W2": second.dW, "b2": second.db}


def gradient(W1, b1, W2, b2):
    return TwoLayerNet(W1, b1, W2, b2).gradient(x_train, t_train)


class Net:
    """The same in one class, with a cache."""

    def __init__(self, *params):
        self.W1, self.b1, self.W2, self.b2 = params
        self.cache = {}
        self.grads = {}

    def forward(self, x):
        self.cache["x"] = x
        self.cache["a1"] = x @ self.W1 + self.b1
        self.cache["h"] = np.maximum(self.cache["a1"], 0)
        scores = self.cache["h"] @ self.W2 + self.b2
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        self.cache["y"] = scores / scores.sum(axis=1, keepdims=True)
        return self.cache["y"]

    def backward(self, t):
        da2 = self.cache["y"] - t
        self.grads["W2"] = self.cache["h"].T @ da2
        self.grads["b2"] = da2.sum(axis=0)
        da1 = da2 @ self.W2.T
        da1 = da1 * (self.cache["a1"] > 0)
        self.grads["W1"] = self.cache["x"].T @ da1
        self.grads["b1"] = da1.sum(axis=0)
        for key in self.grads:
            self.grads[key] = self.grads[key] / len(t)


def gradient_with_a_cache(W1, b1, W2, b2):
    net = Net(W1, b1, W2, b2)
    net.forward(x_train)
    net.backward(t_train)
    return net.grads["W1"], net.grads["b1"], net.grads["W2"], net.grads["b2"]


WRONG = {
    "gradient": [
        ("dout[self.mask] = 0", "dout[~self.mask] = 0", "mask"),
        ("dot(self.x.T, dout)", "dot(self.x.T, dout) / len(dout)", "factor"),
        ("self.db = np.sum(dout, axis=0)", "self.db = np.sum(dout)", "sum"),
        ("(self.y - self.t) / batch_size", "(self.y - self.t) / self.t.size", "factor"),
        ("return np.dot(x, self.W) + self.b", "return np.dot(x, self.W)", "forward"),
        ("out[self.mask] = 0", "out[self.mask] = 1", "forward"),
    ],
    "gradient_with_a_cache": [
        ('da1 = da1 * (self.cache["a1"] > 0)', 'da1 = da1 * self.cache["a1"]', "slope"),
        ('da1 = da1 * (self.cache["a1"] > 0)', "da1 = da1 * (da1 > 0)", "mask"),
        ("grads[key] / len(t)", "grads[key] / len(self.grads[key])", "factor"),
        ('cache["h"].T', 'cache["a1"].T', "operand"),
        ('cache["h"] @ self', 'cache["a1"] @ self', "forward"),
    ],
}
