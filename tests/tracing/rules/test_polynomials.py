"""Polynomials by their coefficients."""

import numpy as np
from rule_checks import MadeTests, RefusedTests

P, Q = np.array([0.5, -1.2, 0.8, 2.1]), np.array([1.5, -0.5])
X, Y = np.array([0.2, 0.9, 1.7, 2.2, 3.1]), np.array([0.3, 1.1, 0.2, -0.8, 0.4])

MADE = {
    "polyval": (np.polyval, P, X),
    "polyval at a number": (np.polyval, P, np.array(0.7)),
    "polyval of a list": (lambda x: np.polyval([1.0, 2.0, 3.0], x), X),
    "polyval of coefficients": (lambda p: np.polyval(p, [0.5, 2.0]), P),
    "polyadd": (np.polyadd, P, Q),
    "polysub": (np.polysub, Q, P),
    "polymul": (np.polymul, P, Q),
    "polyder": (np.polyder, P),
    "polyder twice": (lambda p: np.polyder(p, 2), P),
    "polyint": (np.polyint, P),
    "polyint twice": (lambda p: np.polyint(p, 2, k=[3.0, 1.0]), P),
    "poly": (np.poly, P),
    "vander": (np.vander, X),
    "vander of few": (lambda x: np.vander(x, 2), X),
    "vander from 1 up": (lambda x: np.vander(x, 3, increasing=True), X),
    "polyfit": (lambda x, y: np.polyfit(x, y, 2), X, Y),
    "polyfit at whole numbers": (lambda y: np.polyfit(range(5), y, 1), Y),
    "polyfit with weights": (lambda y, w: np.polyfit(X, y, 1, w=w), Y, X),
    "polyfit of several": (lambda y: np.polyfit(X, y, 1), np.stack([Y, X**2], axis=1)),
}
REFUSED = {
    "full": (lambda p: np.polyfit(X, Y * p[0], 1, full=True)[0], P, "full=False and cov=False"),
    "of a polynomial": (lambda p: np.polyval(p, np.poly1d([1.0, 2.0])), P, "places as arrays"),
    "of a matrix": (lambda p: np.poly(np.outer(p, p)), P, "a vector of zeros"),
}


class TestMade(MadeTests):
    """The tests that calls made of others share."""


class TestRefused(RefusedTests):
    """The tests that refused calls share."""
