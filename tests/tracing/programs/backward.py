"""Gradients and training steps written by hand, themselves functions of the weights."""

import numpy as np
from program import dict_of, normal, positive, program

rng = np.random.default_rng(5)
X = rng.normal(size=(5, 4))
y = np.array([0, 2, 1, 1, 0])
t = rng.normal(size=(5, 2))


def norm2(*grads):
    return sum(np.sum(g**2) for g in grads)


def svm_loss_vectorized(W, X, y, reg):
    num_train = X.shape[0]
    scores = X.dot(W)
    correct = scores[np.arange(num_train), y][:, np.newaxis]
    margins = np.maximum(0, scores - correct + 1)
    margins[np.arange(num_train), y] = 0
    loss = np.sum(margins) / num_train + reg * np.sum(W * W)
    binary = margins
    binary[margins > 0] = 1
    row_sum = np.sum(binary, axis=1)
    binary[np.arange(num_train), y] = -row_sum.T
    dW = np.dot(X.T, binary) / num_train + 2 * reg * W
    return loss, dW


@program(normal(4, 3))
def svm_gradient_by_hand(W):
    loss, dW = svm_loss_vectorized(W, X, y, 0.1)
    return loss + norm2(dW)


@program(normal(4, 3))
def svm_gradient_loops(W):
    dW = np.zeros(W.shape)
    for i in range(len(X)):
        scores = X[i].dot(W)
        for j in range(3):
            if j == y[i]:
                continue
            margin = scores[j] - scores[y[i]] + 1
            if margin > 0:
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    dW /= len(X)
    dW += 2 * 0.05 * W
    return norm2(dW)


@program(normal(4, 3))
def softmax_gradient_by_hand(W):
    scores = X @ W
    scores = scores - np.max(scores, axis=1, keepdims=True)
    P = np.exp(scores)
    P /= np.sum(P, axis=1, keepdims=True)
    dscores = P
    dscores[range(len(y)), y] -= 1
    dscores /= len(y)
    dW = X.T.dot(dscores)
    return norm2(dW)


@program(dict_of(W1=normal(4, 6), b1=normal(6), W2=normal(6, 3), b2=normal(3)))
def two_layer_net_by_hand(params):
    W1, b1 = params["W1"], params["b1"]
    W2, b2 = params["W2"], params["b2"]
    N, D = X.shape
    a1 = X.dot(W1) + b1
    h1 = np.maximum(0, a1)
    scores = h1.dot(W2) + b2
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    grads = {}
    dscores = probs.copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N
    grads["W2"] = h1.T.dot(dscores) + 0.1 * W2
    grads["b2"] = np.sum(dscores, axis=0)
    dhidden = dscores.dot(W2.T)
    dhidden[h1 <= 0] = 0
    grads["W1"] = X.T.dot(dhidden) + 0.1 * W1
    grads["b1"] = dhidden.sum(axis=0)
    return norm2(*grads.values())


@program(normal(4, 3), normal(3, 2))
def mlp_sigmoid_backprop_columns(W1, W2):
    sig = lambda z: 1 / (1 + np.exp(-z))
    z1 = W1.T.dot(X.T)
    a1 = sig(z1)
    z2 = W2.T.dot(a1)
    a2 = sig(z2)
    delta2 = (a2 - t.T) * a2 * (1 - a2)
    delta1 = W2.dot(delta2) * a1 * (1 - a1)
    m = X.shape[0]
    dW2 = (1 / m) * delta2.dot(a1.T)
    dW1 = (1 / m) * delta1.dot(X)
    return norm2(dW1, dW2)


class Affine:
    def __init__(self, W, b):
        self.W = W
        self.b = b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        dx = dout @ self.W.T
        self.dW = self.x.T @ dout
        self.db = np.sum(dout, axis=0)
        return dx


class Relu:
    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class MSE:
    def forward(self, x, t):
        self.diff = x - t
        return np.mean(self.diff**2)

    def backward(self):
        return 2 * self.diff / self.diff.size


@program(normal(4, 5), normal(5), normal(5, 2), normal(2))
def layer_classes_backward(W1, b1, W2, b2):
    layers = [Affine(W1, b1), Relu(), Affine(W2, b2)]
    out = X
    for layer in layers:
        out = layer.forward(out)
    loss = MSE()
    value = loss.forward(out, t)
    grad = loss.backward()
    for layer in reversed(layers):
        grad = layer.backward(grad)
    return value + norm2(layers[0].dW, layers[0].db, layers[2].dW, layers[2].db)


@program(normal(5, 3), normal(3))
def batch_norm_backward(x, gamma):
    N, D = x.shape
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    xhat = (x - mu) / np.sqrt(var + 1e-5)
    dout = np.ones((N, D)) * np.arange(N)[:, None] * xhat
    dxhat = dout * gamma
    dx = 1 / N / np.sqrt(var + 1e-5)
    dx = dx * (N * dxhat - np.sum(dxhat, axis=0) - xhat * np.sum(dxhat * xhat, axis=0))
    return norm2(dx)


@program(normal(4, 4), normal(2, 2))
def conv_backward_loops(x, w):
    out = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = np.sum(x[i : i + 2, j : j + 2] * w)
    dout = 2 * out
    dx = np.zeros_like(x)
    dw = np.zeros_like(w)
    for i in range(3):
        for j in range(3):
            dx[i : i + 2, j : j + 2] += dout[i, j] * w
            dw += dout[i, j] * x[i : i + 2, j : j + 2]
    return norm2(dx, dw)


@program(normal(4, 4))
def max_pool_backward(x):
    dx = np.zeros_like(x)
    for i in range(0, 4, 2):
        for j in range(0, 4, 2):
            window = x[i : i + 2, j : j + 2]
            mask = window == np.max(window)
            dx[i : i + 2, j : j + 2] += mask * np.max(window) ** 2
    return np.sum(dx**2) + dx[0, 0]


@program(normal(3), normal(3))
def momentum_steps_in_place(w, v):
    grad = lambda w: 4 * w**3 - np.array([1.0, 2.0, 3.0])
    w = 0.3 * w
    for _ in range(4):
        v *= 0.9
        v -= 0.01 * grad(w)
        w += v
    return np.sum(w**4 - w)


@program(normal(4), positive(low=0.01, high=0.2))
def adam_steps(w, lr):
    m = np.zeros_like(w)
    v = np.zeros_like(w)
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    for step in range(1, 5):
        g = 2 * (w - 1) + np.sin(w)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**step)
        v_hat = v / (1 - beta2**step)
        w = w - lr * m_hat / (np.sqrt(v_hat) + eps)
    return np.sum((w - 1) ** 2)


@program(dict_of(W=normal(2, 4), b=normal(2)))
def adagrad_dict_in_place(params):
    cache = {key: np.zeros_like(value) for key, value in params.items()}
    for _ in range(3):
        err = X @ params["W"].T + params["b"] - t
        grads = {"W": err.T @ X / 5, "b": err.mean(axis=0)}
        for key in params:
            cache[key] += grads[key] ** 2
            params[key] -= 0.1 * grads[key] / (np.sqrt(cache[key]) + 1e-2)
    return np.mean((X @ params["W"].T + params["b"] - t) ** 2)


@program(normal(4), positive(low=0.01, high=0.1))
def rmsprop_out_arguments(w, lr):
    g = np.zeros_like(w)
    s = np.zeros_like(w)
    for _ in range(3):
        np.multiply(w, 2.0, out=g)
        s = 0.9 * s + 0.1 * g * g
        np.subtract(w, lr * g / np.sqrt(s + 1e-3), out=w)
    return w @ w


@program(normal(2), positive())
def gradient_descent_with_clipping(w, lr):
    path = [w]
    for _ in range(5):
        g = np.array([2 * w[0] + w[1], 4 * w[1] + w[0]])
        norm = np.linalg.norm(g)
        if norm > 1.0:
            g = g / norm
        w = w - 0.1 * lr * g
        path.append(w)
    path = np.vstack(path)
    return np.sum(path**2)


@program(positive(low=0.05, high=0.3))
def unrolled_linear_regression(lr):
    w, b = 0.0, 0.0
    losses = []
    for _ in range(6):
        pred = w * X[:, 0] + b
        err = pred - t[:, 0]
        losses.append(np.mean(err**2))
        w -= lr * 2 * np.mean(err * X[:, 0])
        b -= lr * 2 * np.mean(err)
    return losses[-1]


@program(normal(4), normal())
def perceptron_training(w, b):
    labels = np.where(y > 0, 1, -1)
    for _ in range(2):
        for xi, target in zip(X, labels):
            update = 0.1 * (target - (1 if np.dot(xi, w) + b >= 0 else -1))
            w = w + update * xi
            b = b + update
    return np.sum(w**2) + b**2


@program(normal(2))
def newton_method_rosenbrock(x):
    for _ in range(2):
        g = np.array([-2 * (1 - x[0]) - 40 * x[0] * (x[1] - x[0] ** 2), 20 * (x[1] - x[0] ** 2)])
        H = np.array([[2 - 40 * (x[1] - x[0] ** 2) + 80 * x[0] ** 2, -40 * x[0]], [-40 * x[0], 20]])
        x = x - np.linalg.solve(H + 30 * np.eye(2), g)
    return (1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2


@program(normal(3))
def numerical_gradient_in_place(x):
    """Central differences as courses write them; the entry is changed and put back."""
    h = 1e-2
    grad = np.zeros_like(x)
    for i in range(x.size):
        old = x[i]
        x[i] = old + h
        up = np.sum(x**3)
        x[i] = old - h
        down = np.sum(x**3)
        x[i] = old
        grad[i] = (up - down) / (2 * h)
    return np.sum(grad**2)


@program(normal(3, 3))
def logistic_hessian(W):
    w = W[0]
    p = 1 / (1 + np.exp(-X[:, :3] @ w))
    S = np.diag(p * (1 - p))
    H = X[:, :3].T @ S @ X[:, :3] + np.eye(3)
    return w @ np.linalg.inv(H) @ w


@program(normal(3, 4), normal(4, 3))
def embedding_gradient_add_at(E, W):
    ids = np.array([0, 1, 0, 2])
    h = E[ids] @ W
    dh = 2 * h
    dE = np.zeros_like(E)
    np.add.at(dE, ids, dh @ W.T)
    return norm2(dE)
