"""Programs of any length: chains, loops, wide calls, assignments.

Each has about as many nodes as it is asked for.
"""

import linecache
from functools import cache

import numpy as np


def chain(x, nodes):
    for _ in range(nodes // 4):
        x = x * 1.01
        x = x + 0.1
        x = x * x
        x = x / 1.7
    return x


def layers(A, b, x):
    for W, c in zip(A, b, strict=True):
        x = np.tanh(W @ x + c)
    return np.sum(x**2)


def neurons(weights, x):
    s = 0.0
    for w in weights:
        s = s + np.tanh(w * x)
    return s


def fan_out(x, nodes):
    products = [x * (k + 1.0) for k in range(nodes // 2)]
    s = products[0]
    for each in products[1:]:
        s = s + each
    return s


def recurrence(h, W, nodes):
    for _ in range(nodes // 2):
        h = np.tanh(W @ h)
    return np.sum(h)


def entries(x, nodes):
    out = np.zeros(nodes // 2)
    for i in range(len(out)):
        out[i] = x[i % 3] * 2.0
    return np.sum(out**2)


def prefix(x, nodes):
    out = np.zeros(nodes // 3)
    for i in range(1, len(out)):
        out[i] = out[i - 1] * 0.9 + x[0]
    return np.sum(out**2)


def iterated(x, nodes):
    s = 0.0
    for each in np.repeat(x, nodes // 9):
        s = s + each * each
    return s


def pieces(x, nodes):
    s = 0.0
    for each in np.split(np.repeat(x, nodes // 3), nodes // 3):
        s = s + np.sum(each)
    return s


def decided(x, nodes):
    for _ in range(nodes // 2):
        x = np.sin(x) * 1.01 if x > 0 else -x
    return x


def captured(x, nodes):
    arrays = [np.array([1.0, k, 2.0]) for k in range(nodes // 4)]
    return sum(np.sum(x * each) for each in arrays)


def calls(x, nodes):
    def cell(h):
        return np.tanh(h * 0.9 + x)

    h = x
    for _ in range(nodes // 3):
        h = cell(h)
    return h


def columns(x, nodes):
    a = np.zeros((3, nodes))
    a[:, 0] = x
    for k in range(nodes - 1):
        a[:, k + 1] = np.sin(a[:, k])
    return np.sum(a[:, -1])


def table(x, nodes):
    side = int((nodes / 3) ** 0.5) + 1
    best = np.full((side, side), 0.1)
    for i in range(1, side):
        for j in range(1, side):
            best[i, j] = np.minimum(best[i - 1, j], best[i, j - 1]) + x[(i + j) % 3]
    return best[-1, -1]


def joined(join):
    def wide(x, nodes):
        return np.sum(join([x * (k + 1.0) for k in range(nodes - 3)]) ** 2)

    return wide


def programs(nodes):
    """Return each program by its name, with its arguments and its options."""
    rng = np.random.default_rng(0)
    some, x = nodes // 5, rng.normal(size=3)
    matrices, vectors = rng.normal(size=(some, 3, 3)), rng.normal(size=(some, 3))
    size = {"nodes": nodes}
    return {
        "chain of scalars": (chain, (0.1,), size),
        "layers with parameters": (layers, ([*matrices], [*vectors], x), {}),
        "a list of weights": (neurons, ([*rng.normal(size=nodes // 4)], 0.3), {}),
        "fan-out and a sum": (fan_out, (0.5,), size),
        "vector recurrence": (recurrence, (x, rng.normal(size=(3, 3))), size),
        "entries assigned": (entries, (x,), size),
        "entries from entries": (prefix, (x,), size),
        "an array iterated": (iterated, (x,), size),
        "np.split": (pieces, (x,), size),
        "np.stack": (joined(np.stack), (x,), size),
        "np.concatenate": (joined(np.concatenate), (x,), size),
        "np.array of a list": (joined(lambda arrays: np.array(arrays)), (0.5,), size),
    }


def nested(x, nodes):
    return nested(np.sin(x), nodes - 1) if nodes else x


def returning(x, nodes):
    return np.sin(returning(x, nodes - 1)) if nodes else x


@cache
def written(body, nodes):
    """Return a function of x with so long a body, whose text is known as that of a file is."""
    terms = [f"np.sin(x * {k}.5)" for k in range(nodes // 3)]
    text = f"def program(x):\n{body(terms)}\n"
    file = f"<{body.__name__} of {nodes} nodes>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    exec(compile(text, file, "exec"), names := {"np": np})
    return names["program"]


def formula(terms):
    return f"    return {' + '.join(terms)}"


def lines(terms):
    return "\n".join(["    s = 0.0", *(f"    s = s + {term}" for term in terms), "    return s"])


def rounds(terms):
    body = "\n".join(f"        x = {term}" for term in terms)
    return f"    for _ in range(1):\n{body}\n    return x"


def others(nodes):
    """Return programs that the table of the benchmark does without."""
    size = {"nodes": nodes}
    return {
        "a long formula": (written(formula, nodes), (0.7,), {}),
        "many lines": (written(lines, nodes), (0.7,), {}),
        "many lines in a loop": (written(rounds, nodes), (0.7,), {}),
        "nested calls": (nested, (0.3,), size),
        "nested calls, on the way out": (returning, (0.3,), size),
        "decisions": (decided, (0.7,), size),
        "captured arrays": (captured, (np.array([0.3, 0.2, 0.1]),), size),
        "calls": (calls, (0.7,), size),
        "columns from columns": (columns, (np.array([0.3, 0.2, 0.1]),), size),
        "a table filled": (table, (np.array([0.3, 0.2, 0.1]),), size),
    }
