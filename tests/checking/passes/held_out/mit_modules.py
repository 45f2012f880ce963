"""Modules that hand back the derivative of their input, samples in columns, softmax with NLL."""

import numpy as np

rng = np.random.default_rng(23)
X = rng.normal(size=(2, 4))
Y = np.eye(3)[:, [0, 1, 2, 1]]


def loss(W1, W10, W2, W20):
    s = W2.T @ np.tanh(W1.T @ X + W10) + W20
    return np.sum(np.log(np.sum(np.exp(s), axis=0)) - np.sum(Y * s, axis=0))


def arguments(rng):
    return (
        rng.normal(size=(2, 4)),
        rng.normal(size=(4, 1)),
        rng.normal(size=(4, 3)),
        rng.normal(size=(3, 1)),
    )


class Linear:
    def __init__(self, W, W0):
        self.W, self.W0 = W, W0

    def forward(self, A):
        self.A = A
        return self.W.T @ A + self.W0

    def backward(self, dLdZ):
        self.dLdW = self.A @ dLdZ.T
        self.dLdW0 = dLdZ.sum(axis=1).reshape((-1, 1))
        return self.W @ dLdZ


class Tanh:
    def forward(self, Z):
        self.A = np.tanh(Z)
        return self.A

    def backward(self, dLdA):
        return dLdA * (1.0 - self.A**2)


class SoftMax:
    def forward(self, Z):
        return np.exp(Z) / np.sum(np.exp(Z), axis=0)

    def backward(self, dLdZ):
        return dLdZ


class NLL:
    def forward(self, Ypred, Y):
        self.Ypred = Ypred
        self.Y = Y
        return float(np.sum(-Y * np.log(Ypred)))

    def backward(self):
        return self.Ypred - self.Y


class Sequential:
    def __init__(self, modules, loss):
        self.modules = modules
        self.loss = loss

    def forward(self, Xt):
        for m in self.modules:
            Xt = m.forward(Xt)
        return Xt

    def backward(self, delta):
        for m in self.modules[::-1]:
            delta = m.backward(delta)


def gradient(W1, W10, W2, W20):
    first, second = Linear(W1, W10), Linear(W2, W20)
    nn = Sequential([first, Tanh(), second, SoftMax()], NLL())
    nn.loss.Ypred, nn.loss.Y = nn.forward(X), Y
    nn.backward(nn.loss.backward())
    return first.dLdW, first.dLdW0, second.dLdW, second.dLdW0


WRONG = {
    "gradient": [
        ("return dLdA * (1.0 - self.A**2)", "return dLdA * (1.0 - self.A) * self.A", "slope"),
        ("return dLdA * (1.0 - self.A**2)", "return dLdA", "slope missing"),
        ("return dLdA * (1.0 - self.A**2)", "return dLdA * (1.0 - np.tanh(self.A) ** 2)", "slope"),
        ("dLdZ.sum(axis=1)", "dLdZ[:, -1]", "sum"),
        ("return self.W @ dLdZ", "return self.dLdW @ dLdZ", "operand"),
        ("return self.Ypred - self.Y", "return (self.Ypred - self.Y) / self.Y.shape[1]", "factor"),
        ("exp(Z), axis=0", "exp(Z)", "forward"),
        ("return self.W.T @ A + self.W0", "return self.W.T @ A + self.W0**2", "forward"),
        ("self.A = np.tanh(Z)", "self.A = 1 / (1 + np.exp(-Z))", "forward"),
    ],
}
