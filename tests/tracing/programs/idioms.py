"""The many small ways in which NumPy is written."""

import numpy as np
from program import list_of, normal, positive, program

scale = np.array([1.0, 2.0, 0.5, 3.0])


@program(normal(5))
def swaps(x):
    x = x.copy()
    x[0], x[3] = x[3], x[0]
    x[[1, 2]] = x[[2, 1]]
    i, j = 2, 4
    x[i], x[j] = x[j], x[i]
    return np.sum(x * np.arange(1, 6))


@program(normal(3), normal(3))
def columns_and_rows(a, b):
    A = np.c_[a, b, np.ones(3)]
    r = np.r_[a, 1.0, b]
    return np.sum(A.T @ A) + r @ r


@program(normal(3))
def append_and_insert(x):
    y = np.array([])
    for v in x:
        y = np.append(y, v**2)
    y = np.insert(y, 0, x[0])
    return np.cumsum(y)[-1] * y[1]


@program(list_of(normal(2), normal(2), normal(2)))
def stacking(rows):
    A = np.vstack(rows)
    B = np.stack(rows, axis=1)
    C = np.column_stack(rows[:2])
    return np.trace(A @ B) + np.sum(C**2) + np.max(np.array(rows))


@program(normal(6))
def boolean_selection(x):
    positive = x[x > 0]
    if positive.size == 0:
        return np.sum(x**2)
    return np.mean(positive**2) + np.sum(x[~(x > 0)])


@program(normal(3))
def early_return(x):
    s = x.sum()
    if s < -1:
        return -s
    if s < 1:
        return s**2
    return np.exp(-s)


@program(normal(8))
def recursive_sum(x):
    def tree(v):
        if len(v) == 1:
            return v[0]
        half = len(v) // 2
        return np.tanh(tree(v[:half]) + 2 * tree(v[half:]))

    return tree(x)


class Value:
    def __init__(self, data, children=()):
        self.data = data
        self.children = children

    def __add__(self, other):
        return Value(self.data + other.data, (self, other))

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other))


def pairs(items):
    for i in range(len(items)):
        for j in range(i):
            yield items[i], items[j]


@program(normal(4))
def generators(x):
    return sum(np.cos(a - b) for a, b in pairs(x))


@program(normal(4))
def temporary_buffer_out(x):
    buf = np.empty(4)
    np.exp(x, out=buf)
    np.add(buf, scale, out=buf)
    np.log(buf, out=buf)
    return np.dot(buf, scale)


@program(normal(3, 4))
def writing_through_views(M):
    M = M.copy()
    row = M[1]
    row += 1
    M.T[0] = 2 * M[:, 1]
    flat = M.reshape(-1)
    flat[-1] *= 3
    last = M[:, -1]
    last -= M[:, 0]
    return np.sum(M**2)


@program(normal(6))
def one_hot_of_argmax(x):
    k = np.argmax(x)
    one_hot = np.zeros(6)
    one_hot[k] = 1
    soft = np.exp(x) / np.exp(x).sum()
    return np.sum((one_hot - soft) ** 2)


@program(normal(5))
def sign_floor_round(x):
    return np.sum(np.sign(x) * x + (x - np.floor(x)) ** 2 + np.round(x) * x)


@program(normal(6))
def ranking_argsort(x):
    order = np.argsort(-x)
    gains = np.array([3.0, 2.0, 0.0, 1.0, 0.0, 2.0])
    discount = 1 / np.log2(np.arange(2, 8))
    return np.sum(gains[order] * discount * x[order])


@program(normal(4, 3))
def iterating_rows_nditer_free(A):
    out = 0
    for i, row in enumerate(A):
        for j, v in enumerate(row):
            out += (i + 1) * v ** (j + 1)
    return out


@program(normal(6))
def try_and_assert(x):
    assert x.ndim == 1, "a vector"
    n = x.shape[0]
    try:
        m = x.reshape(2, n // 2)
    except ValueError:
        m = x.reshape(1, n)
    return np.prod(np.sum(m, axis=1))


@program(positive(5))
def geometric_and_harmonic(x):
    gm = np.prod(x) ** (1 / len(x))
    hm = len(x) / np.sum(1.0 / x)
    return x.mean() - gm + hm


@program(normal(6))
def circular_shift_moving_average(x):
    smooth = np.zeros(len(x))
    for k in (-1, 0, 1):
        smooth += np.roll(x, k) / 3
    w = np.ones(3) / 3
    valid = np.convolve(x, w, "valid")
    return np.sum(smooth**2) + valid[0]


@program(normal(4), normal(4))
def broadcasting_outer(x, y):
    D = x[:, np.newaxis] - y[np.newaxis, :]
    nearest = np.min(np.abs(D), axis=1)
    return nearest.mean() + np.ptp(x)


@program(normal(3, 3), normal(3))
def integer_powers_and_trace(A, b):
    P = np.eye(3)
    total = 0.0
    for k in range(4):
        total += np.trace(P) / (k + 1)
        P = P @ (A / 3)
    return total + b @ P @ b


@program(normal(3, 3))
def matrix_from_nested_append(A):
    rows = []
    for i in range(3):
        rows.append([])
        for j in range(3):
            rows[i].append(np.sin(A[i, j]) * A[j, i])
    return np.linalg.det(np.array(rows) + 2 * np.eye(3))


@program(normal(4))
def ones_times_and_tile(x):
    T = np.ones((3, 1)) * x
    U = np.tile(x, (3, 1))
    V = np.repeat(x, 2).reshape(4, 2)
    return np.sum(T * U) + np.sum(V[:, 0] ** 3)


@program(normal(6))
def soft_thresholding(x):
    y = np.sign(x) * np.maximum(np.abs(x) - 0.3, 0)
    return np.sum(y**2)


@program(normal(5))
def chained_comparison_and_logic(x):
    inside = np.logical_and(x > -0.5, x < 0.5)
    outside = ~inside & (x != 0)
    y = np.zeros_like(x)
    y[inside] = x[inside] ** 2
    y[outside] = np.abs(x[outside]) - 0.25
    if np.any(inside) and not np.all(x > 0):
        y = y * 2
    return y.sum()


@program(normal(5))
def nan_safe_log(x):
    p = np.exp(x) / (1 + np.exp(x))
    safe = np.maximum(p, 1e-12)
    return -np.nansum(p * np.log(safe))


@program(normal(4))
def np_float_and_int_conversions(x):
    n = np.float64(len(x))
    w = np.asarray([1, 2, 3, 4], dtype=float)
    return float(n) * np.average(x, weights=w) ** 2


@program(normal(6))
def select_and_piecewise(x):
    y = np.select([x < -0.5, x > 0.5], [-x, x**2], default=0.25)
    return np.sum(y * scale.mean())
