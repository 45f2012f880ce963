import numpy as np
import pytest

import backprop_nb as bp

random = np.random.default_rng(0)
X, U = random.normal(size=(2, 8, 4))
W, B = random.normal(size=(4, 4)), random.normal(size=4)


def normalised(z):
    away = z - z.mean(axis=0)
    return away / np.sqrt((away**2).mean(axis=0) + 1e-5)


def loss(w, b):
    """A bias in front of a batch normalisation changes nothing."""
    return np.sum(normalised(X @ w + b) * U)


def gradient(w, b):
    z = X @ w + b
    n, s = normalised(z), np.sqrt(z.var(axis=0) + 1e-5)
    dz = (U - U.mean(axis=0) - n * (U * n).mean(axis=0)) / s
    dw = X.T @ dz
    db = dz.sum(axis=0)
    return dw, db


def attention(q, k):
    """A bias of the keys moves all scores of a query by the same, and a softmax takes that away."""
    scores = (X + q) @ (X + k).T / 2
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return np.sum(p @ X * U)


def attention_gradient(q, k):
    scores = (X + q) @ (X + k).T / 2
    p = np.exp(scores)
    p /= p.sum(axis=1, keepdims=True)
    dp = U @ X.T
    ds = p * (dp - (p * dp).sum(axis=1, keepdims=True)) / 2
    return (ds @ (X + k)).sum(axis=0), (ds.T @ (X + q)).sum(axis=0)


@pytest.mark.parametrize(("f", "its_gradient"), [(loss, gradient), (attention, attention_gradient)])
@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_a_right_pass_is_right_where_a_gradient_is_zero_but_for_rounding(f, its_gradient, scale):
    first = W if f is loss else B
    report = bp.check_gradient(
        lambda a, b: scale * f(a, b), lambda a, b: [scale * g for g in its_gradient(a, b)], first, B
    )
    assert report.ok, report
    assert report.parameters[1].given.any()  # or nothing is tested
    assert not report.parameters[1].expected.any()


def test_a_gradient_that_should_be_zero_and_is_not_is_wrong():
    def summed_too_early(w, b):
        dw, _ = gradient(w, b)
        return dw, U.sum(axis=0)

    report = bp.check_gradient(loss, summed_too_early, W, B)
    assert [each.ok for each in report.parameters] == [True, False]


def test_no_other_line_is_blamed_for_the_rounding():
    def wrong(w, b):
        z = X @ w + b
        n, s = normalised(z), np.sqrt(z.var(axis=0) + 1e-5)
        dz = (U - U.mean(axis=0) - n * (U * n).mean(axis=0)) / s
        db, dw = dz.sum(axis=0), np.zeros_like(w)
        for x, row in zip(X, dz, strict=True):
            dw = np.outer(x, row)
        return dw, db

    finding = bp.check_gradient(loss, wrong, W, B).findings[0]
    assert finding.line == wrong.__code__.co_firstlineno + 6
    assert finding.proved


def test_a_gradient_that_is_merely_small_is_told_from_a_wrong_one():
    def f(w, b):
        return np.sum(w**2) + 1e-14 * np.sum(b**2)

    report = bp.check_gradient(f, lambda w, b: (2 * w, 1e-14 * b), W, B)
    assert [each.ok for each in report.parameters] == [True, False]
    assert bp.check_gradient(f, lambda w, b: (2 * w, 2e-14 * b), W, B).ok


def test_the_mean_of_what_adds_up_to_zero_is_no_rounding_that_is_right():
    Y = np.eye(4)[[0, 2, 1, 1, 3, 0, 2, 3]]

    def cross_entropy(z):
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        return -np.sum(Y * np.log(p)) / len(z)

    def averaged(z):
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        dz = np.mean(p - Y)
        return dz  # noqa: RET504 - which is not to blame

    lines = bp.check_gradient(cross_entropy, averaged, X).findings
    assert lines[0].line == averaged.__code__.co_firstlineno + 2
    assert lines[0].repair == "(p - Y) / len(p) in place of np.mean(p - Y)"
