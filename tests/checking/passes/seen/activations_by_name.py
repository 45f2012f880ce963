"""Any activation by its name, looked up with its slope in a table; the name is an argument."""

import numpy as np

DATA = 3
SLOPES = {"tanh": lambda a: 1 - a**2, "linear": lambda a: 1.0 + 0 * a}


def loss(params, X, Y, hidden):
    A = X
    for layer in params[:-1]:
        Z = layer["W"] @ A + layer["b"][:, None]
        A = np.tanh(Z) if hidden == "tanh" else np.where(Z > 0, Z, 0.1 * Z)
    out = params[-1]["W"] @ A + params[-1]["b"][:, None]
    return np.mean((out - Y) ** 2)


def arguments(rng):
    sizes = [3, 4, 4, 2]
    params = [
        {"W": rng.normal(size=(n, m)), "b": rng.normal(size=n)} for m, n in zip(sizes, sizes[1:])
    ]
    return params, rng.normal(size=(3, 5)), rng.normal(size=(2, 5)), "tanh"


def large_arguments(rng):
    sizes = [784, 128, 10]
    params = [
        {"W": rng.normal(size=(n, m)) / m**0.5, "b": rng.normal(size=n)}
        for m, n in zip(sizes, sizes[1:])
    ]
    return params, rng.normal(size=(784, 64)), rng.normal(size=(10, 64)), "tanh"


def activate(Z, name):
    if name == "tanh":
        return np.tanh(Z)
    return Z


def gradient(params, X, Y, hidden):
    names = [hidden] * (len(params) - 1) + ["linear"]
    memory = {"A0": X}
    for k, layer in enumerate(params, 1):
        memory["Z" + str(k)] = np.dot(layer["W"], memory["A" + str(k - 1)]) + layer["b"][:, None]
        memory["A" + str(k)] = activate(memory["Z" + str(k)], names[k - 1])
    grads = []
    dA = 2 * (memory["A" + str(len(params))] - Y) / Y.size
    for k in range(len(params), 0, -1):
        dZ = dA * SLOPES[names[k - 1]](memory["A" + str(k)])
        dW = np.dot(dZ, memory["A" + str(k - 1)].T)
        db = dZ.sum(axis=1)
        grads.insert(0, {"W": dW, "b": db})
        dA = np.dot(params[k - 1]["W"].T, dZ)
    return grads


def gradient_per_sample(params, X, Y, hidden):
    total = [{"W": np.zeros_like(p["W"]), "b": np.zeros_like(p["b"])} for p in params]
    for x, y in zip(X.T, Y.T):
        acts = [x]
        for p in params[:-1]:
            acts.append(np.tanh(p["W"] @ acts[-1] + p["b"]))
        out = params[-1]["W"] @ acts[-1] + params[-1]["b"]
        d = out - y
        for p, g, a in zip(params[::-1], total[::-1], acts[::-1]):
            g["W"] += np.outer(d, a)
            g["b"] += d
            d = (p["W"].T @ d) * (1 - a**2)
    for g in total:
        g["W"] *= 2 / Y.size
        g["b"] *= 2 / Y.size
    return total


WRONG = {
    "gradient": [
        ('(memory["A" + str(k)])', '(memory["Z" + str(k)])', "slope"),
        ("SLOPES[names[k - 1]]", "SLOPES[names[-1]]", "slope missing"),
        ("a: 1 - a**2", "a: a * (1 - a)", "slope"),
        ('params[k - 1]["W"].T, dZ', 'params[k - 1]["W"].T, dA', "operand"),
        (
            'dW = np.dot(dZ, memory["A" + str(k - 1)].T)',
            'dW = np.dot(dZ, memory["A" + str(k - 1)].T) / X.shape[1]',
            "factor",
        ),
        ('memory["Z" + str(k)], names[k - 1]', 'memory["Z" + str(k)], hidden', "forward"),
    ],
    "gradient_per_sample": [
        ('g["W"] *= 2 / Y.size', 'g["W"] *= 2 / len(X.T)', "factor"),
        ('g["b"] += d', 'g["b"] += d.sum()', "sum"),
        ('g["b"] += d', 'g["b"] = d', "accumulation"),
        ('d = (p["W"].T @ d) * (1 - a**2)', 'd = (p["W"].T @ d) * (a - a**2)', "slope"),
        ('tanh(p["W"] @ acts[-1] + p["b"])', 'tanh(p["W"] @ acts[-1]) + p["b"]', "forward"),
    ],
}
