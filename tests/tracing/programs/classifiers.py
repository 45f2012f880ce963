"""Classifiers and searches in the style of X.dot(w), with decisions by what comes out."""

import numpy as np
from program import list_of, normal, program

rng = np.random.default_rng(6)
X = rng.normal(size=(5, 3))
y = np.array([1, -1, 1, 1, -1])
t = rng.normal(size=5)


@program(normal(3))
def least_squares_normal_equations(w):
    gradient = X.T.dot(X.dot(w)) - X.T.dot(t)
    return gradient.dot(gradient)


@program(normal(3))
def misclassified_rows(w):
    predictions = np.where(X @ w > 0, 1, -1)
    wrong = np.where(predictions != y)[0]
    loss = 0.05 * w @ w
    for i in wrong:
        loss -= y[i] * (X[i] @ w)
    return loss


@program(normal(3))
def ranked_by_score(w):
    order = np.argsort(X @ w)
    ranked = X[order]
    return np.sum(np.arange(5) * ranked.dot(w))


@program(normal(3, 2))
def sums_of_products_in_a_buffer(W):
    out = np.zeros((5, 2))
    out += X.dot(W)
    for i in range(5):
        out[i] -= X[i].dot(W).mean()
    out[X.dot(W) < 0] = 0
    return np.sum(out**2)


@program(normal(5, 2))
def nearest_neighbour(points):
    distances = [np.linalg.norm([p[0] - 0.3, p[1] + 0.2]) for p in points]
    k = min(range(5), key=lambda i: distances[i])
    return distances[k] + np.sum(points[k] ** 2)


@program(list_of(normal(2), normal(2)))
def list_argument_in_place(params):
    params[0] -= 0.1 * params[1]
    params[1] *= 2
    params.append(params[0] * params[1])
    return np.sum(params[2])


@program(normal(2, 3))
def rows_and_columns_in_place(A):
    A = A.copy()
    for row in A:
        row -= row.mean()
    for column in A.T:
        column /= np.sqrt(column @ column)
    return A[0] @ A[1] + A[0, 0]


@program(normal(2, 3))
def ndenumerate_weights(A):
    total = 0
    for (i, j), value in np.ndenumerate(A):
        total += (i + 2 * j) * value**2
    return total
