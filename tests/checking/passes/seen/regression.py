"""Linear regression: w and b, the mean of the squares, a penalty on w."""

import numpy as np

DATA = 2


def loss(w, b, x, y):
    return np.mean((x @ w + b - y) ** 2) + 0.05 * np.sum(w**2)


def arguments(rng):
    return rng.normal(size=3), float(rng.normal()), rng.normal(size=(6, 3)), rng.normal(size=6)


def gradient(w, b, x, y):
    n = len(y)
    error = x @ w + b - y
    dw = 2 / n * x.T @ error + 2 * 0.05 * w
    db = 2 * np.mean(error)
    return dw, db


def gradient_in_loops(w, b, x, y):
    dw = np.zeros(len(w))
    db = 0
    for i in range(len(x)):
        y_hat = b
        for j in range(len(w)):
            y_hat += w[j] * x[i][j]
        e = 2 * (y_hat - y[i])
        for j in range(len(w)):
            dw[j] += e * x[i][j]
        db += e
    dw = dw / len(x) + 0.1 * w
    db = db / len(x)
    return dw, db


def gradient_other_order(w, b, x, y):
    residual = y - (x.dot(w) + b)
    db = -2 * residual.mean()
    dw = -2 * (residual[:, None] * x).mean(axis=0)
    dw += 0.1 * w
    return {"db": db, "dw": dw}


def gradient_bias_first(w, b, x, y):
    prediction = np.full(len(y), b)
    for j in range(len(w)):
        prediction = prediction + w[j] * x[:, j]
    slope = 2 * (prediction - y) / len(y)
    db = slope.sum()
    dw = np.array([slope @ x[:, j] for j in range(len(w))]) + 0.1 * w
    return db, dw


WRONG = {
    "gradient": [
        ("dw = 2 / n * x.T @ error + 2 * 0.05 * w", "dw = 2 / n * x.T @ error", "penalty"),
        ("db = 2 * np.mean(error)", "db = np.mean(error)", "factor"),
        ("error = x @ w + b - y", "error = x @ w - y", "forward"),
    ],
    "gradient_in_loops": [
        ("dw[j] += e * x[i][j]", "dw[j] = e * x[i][j]", "accumulation"),
        ("db = db / len(x)", "db = db / len(w)", "factor"),
        ("y_hat += w[j] * x[i][j]", "y_hat = w[j] * x[i][j]", "forward"),
        ("e = 2 * (y_hat - y[i])", "e = 2 * (y_hat - y[0])", "index"),
    ],
    "gradient_bias_first": [
        ("db = slope.sum()", "db = slope[0]", "sum"),
        ("prediction = prediction + w[j] * x[:, j]", "prediction = w[j] * x[:, j]", "forward"),
        ("x[:, j] for", "x[:, 0] for", "index"),
    ],
    "gradient_other_order": [
        ("db = -2 * residual.mean()", "db = 2 * residual.mean()", "sign"),
        ("mean(axis=0)", "mean()", "sum"),
    ],
}
