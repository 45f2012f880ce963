"""A vector and a column that are both stretched are marked, unless somebody means it."""

import numpy as np
import pytest
from matplotlib.text import Text

import backprop_nb as bp
from backprop_nb.tracing.stretching import BROADCAST

X = np.random.default_rng(0).normal(size=(4, 3))
Y = np.array([0.5, -1.0, 2.0, 0.0])
W = np.array([[0.3], [-0.2], [0.9]])


def marked(f, *args):
    """Return what is said of broadcasts, by the node's name."""
    graph = bp.trace(f, *args)
    return {n.name: m.text for n in graph.nodes for m in n.health if m.kind == BROADCAST}


def squared_error(W):
    pred = X @ W
    error = pred - Y
    return np.mean(error**2)


def test_the_mark_says_what_was_stretched_and_what_to_write():
    [(name, text)] = marked(squared_error, W).items()
    assert name == "error"
    target = bp.trace(squared_error, W).node("error").parents[1].name
    assert text == (
        f"pred of shape (4, 1) and {target} of shape (4,) are both stretched to (4, 4), so each "
        "entry of one meets every entry of the other; entry by entry it is pred[:, 0], or "
        f"{target}[:, None]"
    )


def test_what_the_mark_says_to_write_gives_the_loss_that_was_meant():
    def upright(W):
        pred = X @ W
        return np.mean((pred - Y[:, None]) ** 2)

    def flat(W):
        pred = X @ W
        return np.mean((pred[:, 0] - Y) ** 2)

    meant = np.mean([(x @ W[:, 0] - y) ** 2 for x, y in zip(X, Y, strict=True)])
    assert squared_error(W) != pytest.approx(meant)
    for mended in (upright, flat):
        assert mended(W) == pytest.approx(meant)
        assert marked(mended, W) == {}


def keepdims_of_softmax(z):
    picked = z[np.arange(4), [0, 1, 2, 0]]
    total = np.sum(np.exp(z), axis=1, keepdims=True)
    return np.mean(np.log(total) - picked)


def vector_of_predictions(w):
    targets = Y.reshape(-1, 1)
    return np.mean((X @ w - targets) ** 2)


def in_the_same_expression(w):
    return np.mean((X @ w - Y.reshape(-1, 1)) ** 2)


def reshaped_before(w):
    pred = (X @ w).reshape(-1, 1)
    return np.mean((pred - Y) ** 2)


def chosen(W):
    pred = X @ W
    return np.sum(np.where(Y > 0, pred, Y))


def hinge(W):
    margin = 1 - (X @ W) * Y
    return np.sum(np.maximum(0, margin))


def divided(W):
    return np.sum(bp.sigmoid(X @ W) / np.exp(Y))


def hit(W):
    return np.sum((X @ W) ** 2) + np.mean((X @ W > 0) == (Y > 0))


WRONG = [
    (keepdims_of_softmax, X),
    (vector_of_predictions, W[:, 0]),
    (in_the_same_expression, W[:, 0]),
    (reshaped_before, W[:, 0]),
    (chosen, W),
    (hinge, W),
    (divided, W),
    (hit, W),
    (lambda pred, y: np.sum(np.maximum(pred, y)), X[:, :1], Y),
]


@pytest.mark.parametrize(("f", "args"), [(f, args) for f, *args in WRONG])
def test_every_way_to_it_is_marked_once_and_nothing_warns(f, args):
    assert len(marked(f, *args)) == 1
    bp.grad(f)(*args)


def upright_first(x):
    column = np.exp(-x[:, None])
    return np.sum(column * x)


def expanded(x):
    column = np.expand_dims(x, 1)
    return np.sum((column - Y) ** 2)


def itself_upright(x):
    column = x.reshape(-1, 1)
    return np.sum((column - x) ** 2)


def rows_to_rows(X):
    columns = np.sum(X**2, axis=1, keepdims=True)
    return np.sum(columns + np.sum(X**2, axis=1) - 2 * X @ X.T)


MEANT = {
    "axis added": (lambda x: np.sum((x[:, None] - x) ** 2), Y),
    "axis added to data": (lambda x: np.sum((x - Y[:, np.newaxis]) ** 2), Y),
    "axis added before": (upright_first, Y),
    "expanded": (expanded, Y),
    "itself": (itself_upright, Y),
    "pairs of rows": (rows_to_rows, X),
    "row and column": (lambda x: np.sum((x.reshape(-1, 1) - x.reshape(1, -1)) ** 2), Y),
    "other lengths": (lambda W: np.sum(X @ W - np.arange(5.0)), W),
    "a bias": (lambda b: np.sum(np.ones((4, 4)) + b + Y[:, None]), Y),
    "a scale per row": (lambda X: np.sum(X[:, :3] / np.sum(X, axis=1, keepdims=True)), X),
    "one row": (lambda W: np.sum(X[:1] @ W - Y[:1]), W),
    "a square and both": (
        lambda W: np.sum(np.where(np.eye(4) > 0, X @ W, Y)),
        W,
    ),
    "outer": (lambda x: np.sum(np.multiply.outer(x, x)), Y),
}


@pytest.mark.parametrize("case", MEANT)
def test_what_is_meant_is_not_marked(case):
    assert marked(*MEANT[case]) == {}


def test_the_mark_is_drawn_and_described():
    graph = bp.trace(squared_error, W)
    assert "broadcast: pred of shape (4, 1) and" in graph.describe()
    assert "broadcast of both" in [text.get_text() for text in graph.draw().findobj(Text)]
