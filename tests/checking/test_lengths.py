"""A factor of a wrong gradient that stands for a length of the problem."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.lengths import length_behind

F, Y = np.array([0.3, 0.8, 0.6]), np.array([1.0, 0.0, 0.0])


def mean_square(f, y):
    return np.mean((y - f) ** 2)


@pytest.mark.parametrize(
    ("gradient", "mistake", "words"),
    [
        (
            lambda f, y: 2 * (f - y),
            "batch_not_averaged",
            "df is 3 times the right one, and 3 is the number of entries of f: a division by it "
            "is missing.",
        ),
        (lambda f, y: f - y, "batch_not_averaged", "is 3/2 times the right one, and 3 is"),
        (lambda f, y: 2 * (y - f), "batch_not_averaged", "missing, and the sign is wrong."),
        (lambda f, y: 2 * (f - y) / len(f) ** 2, "batch_averaged", "a division by it is too many."),
        (lambda f, y: 2 * (f - y) / (len(f) - 1), "wrong_count", "one less stands in its place."),
        (lambda f, y: 2 * (f - y) / np.sqrt(len(f)), "wrong_count", "its square root is missing."),
    ],
)
@pytest.mark.parametrize("hints", ["vague", "clear", "plain"])
def test_a_length_that_is_not_divided_by_is_named_beside_the_line(gradient, mistake, words, hints):
    report = bp.check_gradient(mean_square, gradient, F, Y, hints=hints)
    line, length = report.findings
    assert line.mistake == "wrong_line"
    assert length.mistake == mistake
    assert words in length.message
    assert "3 is" not in str(bp.check_gradient(mean_square, gradient, F, Y, hints="none"))


def test_a_number_that_stays_where_the_length_is_another_one_is_no_length():
    def cubes(x):
        return np.sum(x**3) / 3

    report = bp.check_gradient(cubes, lambda x: 3 * x**2, F)
    assert "number of" not in str(report)
    assert [each.line is not None for each in report.findings] == [True]


def test_where_no_length_can_be_another_one_it_is_said_what_may_be():
    def loss(w):
        return np.mean((w - Y) ** 2)

    report = bp.check_gradient(loss, lambda w: 2 * (w - Y), F)
    assert "3 is the number of entries of w: perhaps a division by it is missing." in str(
        report
    ).replace("\n", " ")
    x = np.array([1.0, 2.0])
    report = bp.check_gradient(loss_of_two, lambda w: 2 * (w - X2), x)
    assert report.findings[-1].message == (
        "dw is twice the right one, and 2 is the number of entries of w: perhaps a division by it "
        "is missing."
    )


def half_of_two(w):
    return 0.5 * np.sum((w - X2) ** 2)


def test_a_2_is_no_length_where_the_loss_takes_no_mean_over_two():
    report = bp.check_gradient(half_of_two, lambda w: 2 * (w - X2), np.array([1.0, 2.0]))
    assert report.findings[-1].message == "dw is twice the right one."


X2 = np.array([0.5, -1.0])


def loss_of_two(w):
    return np.mean((w - X2) ** 2)


def test_of_single_numbers_nothing_is_said_that_another_length_does_not_show():
    def mse(w, x):
        return np.mean((w * x - 1) ** 2)

    def gradient(w, x):
        return np.sum(2 * (w * x - 1) * x), 2 * (w * x - 1) * w / len(x)

    report = bp.check_gradient(mse, gradient, 0.5, F)
    assert "dw is 3 times the right one, and 3 is the number of entries of x" in str(report)
    values = bp.check_gradient(mse, gradient(0.5, F), 0.5, F)
    assert "number of" not in str(values)


def test_of_all_gradients_at_once_it_is_said_once():
    def mse(w, b, x, y):
        return np.mean((x @ w + b - y) ** 2)

    def gradient(w, b, x, y):
        e = 2 * (x @ w + b - y)
        return x.T @ e, np.sum(e)

    x = np.random.default_rng(0).normal(size=(5, 3))
    report = bp.check_gradient(mse, gradient, F, 0.1, x, np.ones(5))
    assert report.findings[-1].message == (
        "Like all others, dw is 5 times the right one, and 5 is the number of rows of x: a "
        "division by it is missing."
    )


def test_a_line_that_lacks_the_factor_alone_says_what_its_number_counts():
    def ridge(w, x, y):
        return np.sum((x @ w - y) ** 2) / len(y) + np.sum(w**2)

    x = np.random.default_rng(0).normal(size=(5, 3))
    report = bp.check_gradient(
        ridge, lambda w, x, y: 2 * x.T @ (x @ w - y) + 2 * w, F, x, np.ones(5)
    )
    assert "5 is the number of rows of x." in report.findings[0].message


def test_no_factor_is_guessed_beside_a_count_that_is_proved_wrong():
    def loss(W, b, X, Y):
        z = X @ W + b
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return -np.mean(np.sum(Y * log_p, axis=1)) + 0.05 * np.sum(W**2)

    def gradient(W, b, X, Y):
        N = X.shape[1]
        e = np.exp(X @ W + b)
        d = (e / e.sum(axis=1, keepdims=True) - Y) / N
        return X.T @ d + 0.1 * W, d.sum(axis=0)

    rng = np.random.default_rng(0)
    W, b, X = (rng.normal(size=shape) for shape in ((4, 3), 3, (6, 4)))
    [finding] = bp.check_gradient(loss, gradient, W, b, X, np.eye(3)[[0, 1, 2] * 2]).findings
    assert (finding.source, finding.proved) == ("X.shape[1]", True)


def test_a_factor_is_read_with_the_likeliest_length():
    known, other = {"rows of X": 4, "columns of X": 8}, {"rows of X": 5, "columns of X": 8}
    mistake, words = length_behind(4.0, known, [(other, 5.0)])
    assert (mistake, "rows of X" in words) == ("batch_not_averaged", True)
    assert "columns of X" in length_behind(4.0, known, [(other, 4.0)])[1]
    assert length_behind(7.0, known, []) == ("", "")


def test_a_sign_and_a_2_are_no_length_however_they_are_rounded():
    known = {"rows of W": 4}
    assert length_behind(-2.0000000000000004, known, []) == length_behind(-2.0, known, [])
    assert length_behind(-2.0000000000000004, known, []) == ("", "")
