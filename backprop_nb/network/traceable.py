"""The losses as a learner writes them, for the tracer, which shows their code and their names.

Each call of ``layer`` becomes a group, its values z1, f1, z2, f2, …; the data are x
and y, and the output is L.  No annotations here, since a reader sees these lines.
"""

import numpy as np


def loss_of_one(x, y, sigmoid):
    """Return the document's loss of one input, as a function of A and b."""

    def layer(A, b, x):
        z = A @ x + b
        return sigmoid(z)

    def loss(A, b):
        f = x
        for i in range(len(A)):
            f = layer(A[i], b[i], f)
        L = np.sum((y - f) ** 2)
        return L

    return loss


def loss_of_rows(x, y, sigmoid):
    """Return the mean loss of a batch with one input per row, as a function of A and b."""

    def layer(A, b, x):
        z = x @ A.T + b
        return sigmoid(z)

    def loss(A, b):
        f = x
        for i in range(len(A)):
            f = layer(A[i], b[i], f)
        L = np.mean(np.sum((y - f) ** 2, axis=1))
        return L

    return loss


def loss_with_bias(x, y, hidden, cost):
    """Return the mean cost of any network, of one input or a batch, as a function of A and b."""

    def layer(A, b, x):
        z = x @ A.T + b
        return hidden(z)

    def loss(A, b):
        f = x
        for i in range(len(A) - 1):
            f = layer(A[i], b[i], f)
        z = f @ A[-1].T + b[-1]
        L = np.mean(cost(z, y))
        return L

    return loss


def loss_without_bias(x, y, hidden, cost):
    """Return the mean cost of a network that has no bias, as a function of A."""

    def layer(A, x):
        z = x @ A.T
        return hidden(z)

    def loss(A):
        f = x
        for i in range(len(A) - 1):
            f = layer(A[i], f)
        z = f @ A[-1].T
        L = np.mean(cost(z, y))
        return L

    return loss
