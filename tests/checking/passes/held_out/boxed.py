"""Arrays in boxes with their gradient as an attribute g, the parts as functions that fill it."""

import numpy as np

rng = np.random.default_rng(27)
x_train = rng.normal(size=(6, 3))
y_train = rng.normal(size=6)


def loss(w1, b1, w2, b2):
    pred = (np.maximum(x_train @ w1 + b1, 0.0) - 0.5) @ w2 + b2
    return np.mean((pred[:, 0] - y_train) ** 2)


def arguments(rng):
    return rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(4, 1)), rng.normal(size=1)


class Tensor:
    def __init__(self, data):
        self.data = data
        self.g = None


def mse_grad(inp, targ):
    inp.g = 2.0 * (inp.data[:, 0] - targ)[:, None] / inp.data.shape[0]


def relu_grad(inp, out):
    inp.g = (inp.data > 0) * out.g


def lin_grad(inp, out, w, b):
    inp.g = out.g @ w.data.T
    w.g = (inp.data[:, :, None] * out.g[:, None, :]).sum(0)
    b.g = out.g.sum(0)


def gradient(w1, b1, w2, b2):
    inp, w1, b1, w2, b2 = (Tensor(each) for each in (x_train, w1, b1, w2, b2))
    l1 = Tensor(inp.data @ w1.data + b1.data)
    l2 = Tensor(l1.data.clip(0.0) - 0.5)
    out = Tensor(l2.data @ w2.data + b2.data)
    mse_grad(out, y_train)
    lin_grad(l2, out, w2, b2)
    relu_grad(l1, l2)
    lin_grad(inp, l1, w1, b1)
    return w1.g, b1.g, w2.g, b2.g


class Module:
    def __call__(self, *args):
        self.args = args
        self.out = self.forward(*args)
        return self.out


class Lin(Module):
    def __init__(self, w, b):
        self.w, self.b = w, b

    def forward(self, inp):
        return inp @ self.w + self.b

    def backward(self, g):
        (inp,) = self.args
        self.wg = inp.T @ g
        self.bg = g.sum(0)
        return g @ self.w.T


class ShiftedRelu(Module):
    def forward(self, inp):
        return np.where(inp > 0, inp, 0.0) - 0.5

    def backward(self, g):
        (inp,) = self.args
        return np.where(inp > 0, g, 0.0)


class Mse(Module):
    def forward(self, inp, targ):
        return ((inp.squeeze(1) - targ) ** 2).mean()

    def backward(self):
        inp, targ = self.args
        diff = inp.squeeze(1) - targ
        return 2 * diff[:, None] / len(targ)


def gradient_of_modules(w1, b1, w2, b2):
    layers = [Lin(w1, b1), ShiftedRelu(), Lin(w2, b2)]
    x = x_train
    for layer in layers:
        x = layer(x)
    criterion = Mse()
    criterion(x, y_train)
    g = criterion.backward()
    for layer in reversed(layers):
        g = layer.backward(g)
    return layers[0].wg, layers[0].bg, layers[2].wg, layers[2].bg


WRONG = {
    "gradient": [
        ("inp.g = (inp.data > 0) * out.g", "inp.g = (out.data > 0) * out.g", "mask"),
        ("inp.g = (inp.data > 0) * out.g", "inp.g = out.g", "slope missing"),
        ("b.g = out.g.sum(0)", "b.g = out.data.sum(0)", "operand"),
        ("[:, None] / inp.data.shape[0]", "[:, None]", "factor"),
        (
            "w.g = (inp.data[:, :, None] * out.g[:, None, :]).sum(0)",
            "w.g = (inp.data[:, :, None] * out.g[:, None, :]).mean(0)",
            "factor",
        ),
        ("l2 = Tensor(l1.data.clip(0.0) - 0.5)", "l2 = Tensor(l1.data.clip(0.0) + 0.5)", "forward"),
        ("l2 = Tensor(l1.data.clip(0.0) - 0.5)", "l2 = Tensor(l1.data - 0.5)", "forward"),
    ],
    "gradient_of_modules": [
        ("return np.where(inp > 0, g, 0.0)", "return np.where(g > 0, g, 0.0)", "mask"),
        ("return np.where(inp > 0, g, 0.0)", "return np.where(inp > 0.5, g, 0.0)", "mask"),
        ("return g @ self.w.T", "return g.sum() * self.w.T", "product"),
        ("diff = inp.squeeze(1) - targ", "diff = targ - inp.squeeze(1)", "sign"),
        ("return inp @ self.w + self.b", "return inp @ self.w", "forward"),
    ],
}
