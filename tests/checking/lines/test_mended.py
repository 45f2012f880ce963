"""The filter of repairs by the first order: it must never reject one that works."""

import numpy as np
import pytest
from nonempty import nonempty

from backprop_nb.checking.lines.blame import Blame
from backprop_nb.checking.lines.facts import Facts, Group, refs
from backprop_nb.checking.lines.followed import Followed, traced
from backprop_nb.checking.lines.known import Known
from backprop_nb.checking.lines.mended import Explanation, Mended, constantly, stretches
from backprop_nb.checking.lines.repairs import Repair, edits, exchanges, over, plus, said, times

rng = np.random.default_rng(0)
W = [rng.standard_normal(shape) for shape in ((3, 2), (3, 3), (2, 3))]
B = [rng.standard_normal((n, 1)) for n in (3, 3, 2)]
X, T = rng.standard_normal((2, 4)), rng.standard_normal((2, 4))
N = 4


def loss(W, b):
    a = X
    for w, c in zip(W[:-1], b[:-1], strict=True):
        a = np.tanh(w @ a + c)
    return np.sum((W[-1] @ a + b[-1] - T) ** 2) / N


RIGHT = """
def gradient(W, b):
    a = [X]
    for w, c in zip(W[:-1], b[:-1]):
        a.append(np.tanh(w @ a[-1] + c))
    d = W[-1] @ a[-1] + b[-1] - T
    d = 2 * d / N
    gW, gb = [None] * 3, [None] * 3
    for l in (2, 1, 0):
        gW[l] = d @ a[l].T
        gb[l] = np.sum(d, axis=1, keepdims=True)
        if l > 0:
            d = W[l].T @ d
            d = d * (1 - a[l] ** 2)
    return [*gW, *gb]
"""

CHANGES = {
    "factor": ("2 * d / N", "d / N"),
    "slope": ("1 - a[l] ** 2", "1 - a[l]"),
    "transpose": ("W[1].T @ d", "W[1] @ d"),
    "mean": ("np.sum(d,", "np.mean(d,"),
    "forward": ("np.tanh(w @ a[-1] + c)", "np.tanh(w @ a[-1] - c)"),
}


def facts_of(text):
    """Return what a gradient function in text computes beside what is true."""
    space = {"np": np, "X": X, "T": T, "N": N}
    exec(compile(text, "<pass>", "exec"), space)
    args, which = [W, B], set(range(6))
    known = Known(traced(loss, args, which))
    return Facts(Followed(space["gradient"], args, which), known, known.adjoints[:6])


def wrong(change):
    old, new = CHANGES[change]
    text = RIGHT.replace("W[l].T @ d", "W[1].T @ d if l == 1 else W[2].T @ d")
    assert text.count(old) == 1
    return facts_of(text.replace(old, new))


@pytest.fixture(scope="module", params=CHANGES)
def mended(request):
    return Mended(wrong(request.param))


def groups(facts):
    """Return the expressions of a gradient function, whole, by call and by round."""
    return [group for stage in Blame(facts, []).stages for group in stage]


def repairs(facts, at):
    """Yield every repair that is made of what is known there."""
    yield from edits(facts, at[-1])
    yield from exchanges(facts, at)
    for ref, value, cost in refs(facts, at):
        if stretches(np.shape(value), np.shape(facts.followed.values[at[-1]])):
            yield times(cost, ref)
            yield times(cost, ref, rest=True)
            yield over(cost, ref)
            yield from (plus(cost, ref, sign, "") for sign in (1, -1))


@np.errstate(all="ignore")
def test_what_works_is_never_rejected(mended):
    """Every edit of every expression that makes more gradients right passes the filter."""
    facts, accepted, rejected, tried = mended.facts, 0, [], 0
    for group in nonempty(groups(facts)):
        at = group.at(facts)
        if mended.values[at[-1]].dtype.kind != "f":
            continue
        for repair in repairs(facts, at):
            if repair.kind == "accumulation":  # each round needs the one before it
                continue
            try:
                values = [repair.make(facts, index, mended.values) for index in at]
            except (ValueError, IndexError, LookupError, TypeError):
                continue
            tried += 1
            if mended.improved({k: repair.change(facts, k) for k in at}) is None:
                continue
            accepted += 1
            helps = (
                mended.may_help(at[0], values[0])
                if len(at) == 1
                else mended.may_help_together(at, values)
            )
            if not helps:
                rejected.append((group, repair.kind))
    assert rejected == []
    assert accepted > 0
    assert tried > 500


def test_what_changes_nothing_or_too_much_is_rejected():
    """Else the filter would be of no use: it must leave few of all multiples."""
    mended = Mended(wrong("factor"))
    [at] = [k for k, record in enumerate(mended.records) if _is_division(record)]
    value = mended.values[at]
    assert mended.may_help(at, 2 * value)
    for scale in (0.5, 1.0, 1.9, 3.0, -2.0):
        assert not mended.may_help(at, scale * value)
    assert list(mended.scales(at, value)) == pytest.approx([2.0])
    assert list(mended.terms(at, value)) == pytest.approx([1.0])


def _is_division(record):
    """Whether a record is the d / N of the pass."""
    return getattr(record.row, "name", "") == "divide" and record.scope is not None


def test_gradients_are_linear_in_what_only_sums_and_products_follow():
    mended = Mended(wrong("forward"))
    [at] = [k for k, record in enumerate(mended.records) if _is_division(record)]
    assert mended.is_affine(at)
    assert not mended.is_affine(0)  # through tanh


def test_what_spoils_a_right_gradient_does_not_improve():
    mended = Mended(wrong("mean"))  # the biases alone are wrong
    assert mended.right == {0, 1, 2}
    leaf = mended.facts.followed.leaves[3]
    expected = mended.facts.expected[3]
    values, right = mended.improved({leaf: constantly(expected)})
    assert right == {0, 1, 2, 3}
    np.testing.assert_allclose(values[leaf], expected)
    spoiled = mended.facts.followed.leaves[0]
    assert mended.improved({leaf: constantly(expected), spoiled: constantly(0.0)}) is None
    assert mended.improved({leaf: constantly(2 * expected)}) is None


def test_what_raises_does_not_improve():
    mended = Mended(wrong("mean"))

    def fails(values):
        raise ValueError

    assert mended.improved({mended.facts.followed.leaves[3]: fails}) is None
    assert mended.replay({mended.facts.followed.leaves[3]: fails}) is None


def test_what_was_mended_stays_so():
    first = Mended(wrong("mean"))
    leaf = first.facts.followed.leaves[3]
    found = Explanation(
        Group(first.facts.place_at[leaf]),
        Repair("quantity", 1.0, lambda facts, index, values: None, said("")),
        frozenset({3}),
        1.0,
        {leaf: constantly(first.facts.expected[3])},
        (leaf,),
    )
    second = Mended(first.facts, [found])
    assert second.right == first.right | {3}
    other = first.facts.followed.leaves[4]
    _, right = second.improved({other: constantly(first.facts.expected[4])})
    assert right == first.right | {3, 4}


@pytest.mark.parametrize(
    ("shape", "to", "fits"),
    [((3,), (3,), True), ((1, 3), (2, 3), True), ((), (3,), False), ((2,), (3,), False),
     ((2, 3), (3,), False)],
)  # fmt: skip
def test_an_array_stretches_to_another_shape(shape, to, fits):
    assert stretches(shape, to) is fits
