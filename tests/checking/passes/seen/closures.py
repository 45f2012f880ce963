"""Operations that remember how to go back: a tape of closures, run from its end."""

import numpy as np

rng = np.random.default_rng(35)
x = rng.normal(size=(4, 3))
t = np.eye(2)[[0, 1, 1, 0]]


def loss(W1, b1, W2, b2):
    h = np.log(1 + np.exp(x @ W1 + b1))
    s = h @ W2 + b2
    return np.mean(np.log(np.sum(np.exp(s), axis=1)) - np.sum(t * s, axis=1))


def arguments(rng):
    return rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(4, 2)), rng.normal(size=2)


def linear(x, W, b, grads, k):
    def back(g):
        grads[f"W{k}"] = x.T @ g
        grads[f"b{k}"] = g.sum(axis=0)
        return g @ W.T

    return x @ W + b, back


def softplus(x):
    e = np.exp(x)
    return np.log(1 + e), lambda g: g * e / (1 + e)


def cross_entropy(s, t):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return lambda g: g * (p - t) / len(t)


def gradient(W1, b1, W2, b2):
    grads, tape = {}, []
    z, back = linear(x, W1, b1, grads, 1)
    tape.append(back)
    h, back = softplus(z)
    tape.append(back)
    s, back = linear(h, W2, b2, grads, 2)
    tape.append(back)
    tape.append(cross_entropy(s, t))
    g = 1.0
    while tape:
        g = tape.pop()(g)
    return grads


class Value:
    """A node that knows its parents."""

    def __init__(self, data, parents=()):
        self.data = np.asarray(data)
        self.grad = 0.0
        self.parents = parents
        self._backward = lambda: None

    def add(self, other):
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad = self.grad + out.grad
            other.grad = other.grad + out.grad.sum(axis=0)

        out._backward = _backward
        return out

    def matmul(self, other):
        out = Value(self.data @ other.data, (self, other))

        def _backward():
            self.grad = self.grad + out.grad @ other.data.T
            other.grad = other.grad + self.data.T @ out.grad

        out._backward = _backward
        return out

    def softplus(self):
        out = Value(np.log(1 + np.exp(self.data)), (self,))

        def _backward():
            self.grad = self.grad + out.grad * (1 - np.exp(-out.data))

        out._backward = _backward
        return out

    def nll(self, t):
        p = np.exp(self.data) / np.exp(self.data).sum(axis=1, keepdims=True)
        out = Value(-np.mean(np.sum(t * np.log(p), axis=1)), (self,))

        def _backward():
            self.grad = self.grad + out.grad * (p - t) / t.shape[0]

        out._backward = _backward
        return out

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()


def gradient_of_nodes(W1, b1, W2, b2):
    W1, b1, W2, b2 = Value(W1), Value(b1), Value(W2), Value(b2)
    h = Value(x).matmul(W1).add(b1).softplus()
    h.matmul(W2).add(b2).nll(t).backward()
    return W1.grad, b1.grad, W2.grad, b2.grad


WRONG = {
    "gradient": [
        ("e / (1 + e)", "e", "slope"),
        ("g * e / (1 + e)", "g", "slope missing"),
        ("return g @ W.T", "return x", "operand"),
        ("len(t)", "t.size", "factor"),
        ('grads[f"b{k}"] = g.sum(axis=0)', 'grads[f"b{k}"] = g.mean(axis=0)', "factor"),
        ("return x @ W + b, back", "return x @ W - b, back", "forward"),
        ("p = e / e.sum(axis=1, keepdims=True)", "p = e / e.max(axis=1, keepdims=True)", "forward"),
    ],
    "gradient_of_nodes": [
        ("grad * (1 - np.exp(-out.data))", "grad / (1 + np.exp(-out.data))", "slope"),
        ("T @ out.grad", "T @ out.data", "operand"),
        ("grad.sum(axis=0)", "grad.sum(axis=0) / 2", "factor"),
        ("1 + np", "2 + np", "forward"),
    ],
}
