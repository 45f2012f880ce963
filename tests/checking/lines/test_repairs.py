"""The edits that a person would make: each kind mends what it is for, and says so."""

import numpy as np
import pytest
from nonempty import nonempty

from backprop_nb.checking.lines.blame import Blame
from backprop_nb.checking.lines.facts import Facts, Ref
from backprop_nb.checking.lines.followed import Followed, traced
from backprop_nb.checking.lines.known import Known
from backprop_nb.checking.lines.mended import Mended
from backprop_nb.checking.lines.repairs import (
    edits,
    exchanges,
    over,
    plus,
    quantity,
    scaled,
    times,
)

rng = np.random.default_rng(0)
X, T = rng.standard_normal((5, 3)), rng.standard_normal(5)
W = [rng.standard_normal((3, 3)) for _ in range(3)]
V, B = rng.standard_normal(3), rng.standard_normal(3)


def squares(v):
    return np.sum((X @ v - T) ** 2)


def biased(b):
    return np.sum((X + b) ** 2)


def shared(v):
    return np.sum((X @ v) ** 2) + np.sum((T * v[0]) ** 2)


def deep(W):
    a = X.T
    for w in W:
        a = np.tanh(w @ a)
    return np.sum(a**2)


def summed(v):
    total = 0.0
    for k in range(5):
        total = total + (v @ X[k] - T[k]) ** 2
    return total


def rectified(v):
    return np.sum(np.maximum(X * v, 0) ** 2)


def softplus(v):
    return np.sum(np.log(1 + np.exp(X @ v)))


def squashed(v):
    return np.sum(np.tanh(X @ v))


def operator(v):
    return [2 * (X.T @ (X @ v + T))]


def transposed(W):
    z = [X.T]
    for w in W:
        z.append(np.tanh(w @ z[-1]))
    d2 = 2 * z[3] * (1 - z[3] ** 2)
    d1 = W[2] @ d2 * (1 - z[2] ** 2)
    d0 = W[1].T @ d1 * (1 - z[1] ** 2)
    return [d0 @ z[0].T, d1 @ z[1].T, d2 @ z[2].T]


def number(v):
    return [3 * (X.T @ (X @ v - T))]


def axis(b):
    e = 2 * (X + b)
    return [np.sum(e, axis=1)[:3]]


def mean(b):
    e = 2 * (X + b)
    return [np.mean(e, axis=0)]


def not_summed(b):
    e = 2 * (X + b)
    return [e]


def index(v):
    g = 2 * (X.T @ (X @ v))
    extra = np.zeros(3)
    extra[0] = 2 * np.sum(T**2 * v[1])
    return [g + extra]


def accumulated(v):
    g = np.zeros(3)
    for k in range(5):
        g = 2 * (v @ X[k] - T[k]) * X[k]
    return [g]


def assigned(v):
    g = np.zeros(3)
    for k in range(5):
        g[:] = 2 * (v @ X[k] - T[k]) * X[k]
    return [g]


def comparison(v):
    z = X * v
    return [np.sum(2 * z * (z < 0) * X, axis=0)]


def function(v):
    s = np.tanh(X @ v)
    return [X.T @ s]


def squared(v):
    t = np.tanh(X @ v)
    return [X.T @ (1 - t)]


def operand(v):
    e = X @ v - T
    r = X @ v
    g = 2 * X.T @ r
    return [g + 0 * np.sum(e)]


def walking(W):
    a = [X.T]
    for w in W:
        a.append(np.tanh(w @ a[-1]))
    d = 2 * a[-1] * (1 - a[-1] ** 2)
    g = [None] * 3
    for k in (2, 1, 0):
        g[k] = d @ a[k].T
        if k:
            d = W[0].T @ d * (1 - a[k] ** 2)
    return g


def mending(loss, gradient, arg):
    """Return the kind and the words of every edit that makes all gradients right."""
    count = len(arg) if isinstance(arg, list) else 1
    which = set(range(count))
    known = Known(traced(loss, [arg], which))
    facts = Facts(Followed(gradient, [arg], which), known, known.adjoints[:count])
    mended, found = Mended(facts), set()
    assert len(mended.right) < count
    for stage in Blame(facts, []).stages:
        for group in stage:
            at = group.at(facts)
            for repair in (*edits(facts, at[-1]), *exchanges(facts, at)):
                new = mended.improved({k: repair.change(facts, k) for k in at})
                if new is not None and len(new[1]) == count:
                    found.add((repair.kind, repair.words(facts, at[-1])))
    return found


@pytest.mark.parametrize(
    ("loss", "gradient", "arg", "kind", "words"),
    [
        (squares, operator, V, "operator", "write (X @ v) - T"),
        (deep, transposed, W, "operator", "write W[2].T @ d2"),
        (squares, number, V, "number", "2 in place of 3"),
        (biased, axis, B, "axis", "write np.sum(…, axis=0)"),
        (biased, mean, B, "axis", "write np.sum(…, axis=0)"),
        (biased, not_summed, B, "axis", "sum it over axis 0"),
        (shared, index, V, "index", "the index is off by one (-1)"),
        (summed, accumulated, V, "accumulation", "write += in place of ="),
        (summed, assigned, V, "accumulation", "write += in place of ="),
        (rectified, comparison, V, "comparison", "np.greater in place of np.less"),
        (softplus, function, V, "function", "use sigmoid here"),
        (squashed, squared, V, "operand", "square t"),
        (squares, operand, V, "operand", "e in place of r"),
        (deep, walking, W, "operand", "W1 in place of W[0]"),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
@np.errstate(all="ignore")
def test_an_edit_mends_what_it_is_for(loss, gradient, arg, kind, words):
    found = mending(loss, gradient, arg)
    assert (kind, words) in found, found


@pytest.fixture(scope="module")
def neuron():
    """A gradient function without the slope, the record of its error, and its slope."""

    def loss(v):
        a = np.tanh(X @ v)
        return np.sum(a * T)

    def gradient(v):
        a = np.tanh(X @ v)
        d = T * a
        return [X.T @ d]

    known = Known(traced(loss, [V], {0}))
    facts = Facts(Followed(gradient, [V], {0}), known, known.adjoints[:1])
    names = [getattr(each.row, "name", "") for each in facts.followed.records]
    return facts, names.index("tanh"), names.index("multiply")


def test_factors_terms_and_numbers_are_made_of_what_stands_there(neuron):
    facts, tanh, at = neuron
    a, values = np.tanh(X @ V), facts.followed.values
    slope, value = Ref(facts.place_at[tanh], slope=True), Ref(facts.place_at[tanh])
    made = [
        (times(1.0, slope), T * a * (1 - a**2)),
        (times(1.0, value, rest=True), T * a * (1 - a)),
        (over(1.0, value), T),
        (plus(1.0, value, -2.0, "−2"), T * a - 2 * a),
        (scaled(1.0, 0.5, "1/2"), T * a / 2),
    ]
    for repair, expected in nonempty(made):
        np.testing.assert_allclose(repair.make(facts, at, values), expected)


def test_factors_and_terms_are_said_in_the_students_names(neuron):
    facts, tanh, at = neuron
    slope, value = Ref(facts.place_at[tanh], slope=True), Ref(facts.place_at[tanh])
    assert times(1.0, slope).words(facts, at).startswith("multiply it by ∂")
    made = [times(1.0, value, rest=True), over(1.0, value), plus(1.0, value, -1.0, "−")]
    name = times(1.0, value).words(facts, at).removeprefix("multiply it by ")
    assert [repair.words(facts, at) for repair in made] == [
        f"multiply it by (1 − {name})",
        f"leave out the factor {name}",
        f"add −{name}",
    ]


def test_a_true_quantity_takes_the_shape_that_is_needed(neuron):
    facts, _, at = neuron
    key = next(key for key in facts.known.arrays if facts.known.symbol(key) == "∂L/∂v")
    expected = facts.known.arrays[key]
    values = facts.followed.values
    column = quantity(2.0, key, False, (3, 1), -2.0).make(facts, at, values)
    np.testing.assert_allclose(column, -2 * expected.reshape(3, 1))
    # Found where all was shorter, it has the shape that the record has here.
    [like, *_] = [k for k, value in enumerate(values) if np.size(value) == 3]
    here = quantity(2.0, key, False, (2, 1), -2.0).make(facts, like, values)
    np.testing.assert_allclose(here, -2 * expected.reshape(values[like].shape))


def test_no_edit_leaves_everything_as_it_is(neuron):
    """Among the signs of a product is not its own one, and a number is not put for itself."""
    facts, _, at = neuron
    found = [each.words(facts, at) for each in edits(facts, at) if each.kind == "operator"]
    assert "write T * a" not in found
    assert any("+" in words for words in found)
