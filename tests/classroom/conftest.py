"""Submissions to grade: what a class hands in, and what nobody should."""

import pytest

from backprop_nb.classroom.host import close_idle

RIGHT = """
import numpy as np

def sigma(z):
    return 1 / (1 + np.exp(-z))

def backward(A, b, x, y):
    f = [x]
    for A_i, b_i in zip(A, b):
        f.append(sigma(A_i @ f[-1] + b_i))
    delta = 2 * (f[-1] - y) * f[-1] * (1 - f[-1])
    dA, db = [None] * len(A), [None] * len(A)
    for i in reversed(range(len(A))):
        dA[i], db[i] = np.outer(delta, f[i]), delta
        delta = A[i].T @ delta * f[i] * (1 - f[i])
    return dA, db
"""


@pytest.fixture(scope="session")
def right():
    """The source of a right submission."""
    return RIGHT


@pytest.fixture(scope="session")
def sign_flipped():
    """The same with a mistake of the catalogue."""
    return RIGHT.replace("(f[-1] - y)", "(y - f[-1])")


@pytest.fixture(scope="session", autouse=True)
def _nobody_is_left():
    yield
    close_idle()
