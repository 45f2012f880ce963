"""What a gradient function computed beside what is true: places, groups, and how it is said."""

import numpy as np
import pytest
from nonempty import nonempty

from backprop_nb.checking.lines.facts import (
    Facts,
    Group,
    Ref,
    argument_texts,
    closed,
    name_of,
    path_of,
    ref_text,
    refs,
    walks,
)
from backprop_nb.checking.lines.followed import Followed, traced
from backprop_nb.checking.lines.known import Known

rng = np.random.default_rng(0)
W = [rng.standard_normal((3, 3)) for _ in range(3)]
X, T = rng.standard_normal((3, 5)), rng.standard_normal((3, 5))


def loss(W):
    a = X
    for w in W:
        z = w @ a
        a = np.tanh(z)
    return np.sum((a - T) ** 2) / 5


def slope(a):
    return 1 - a**2


def gradient(W):
    a = [X]
    for w in W:
        a.append(np.tanh(w @ a[-1]))
    e = 2 * (a[3] - T) / 5
    d2 = e * slope(a[3])
    d1 = W[2].T @ d2 * slope(a[2])
    d0 = W[1].T @ d1 * slope(a[1])
    g = []
    for k, d in enumerate((d0, d1, d2)):
        g.append(d @ a[k].T)
    return g


@pytest.fixture(scope="module")
def facts():
    known = Known(traced(loss, [W], {0, 1, 2}))
    return Facts(Followed(gradient, [W], {0, 1, 2}), known, known.adjoints[:3])


def rounds(facts, text):
    """Return the group of the expression with this text, and its records."""
    nodes = facts.followed.trace.nodes
    [place] = {
        facts.place_at[k]
        for k, node in enumerate(nodes)
        if node.source is not None and str(node.source) == text and facts.place_at[k][2] != "alias"
        and not facts.place_at[k][2].startswith("hand")
    }  # fmt: skip
    return Group(place), facts.places[place]


def test_an_expression_in_a_loop_is_one_place_with_a_record_for_each_round(facts):
    group, at = rounds(facts, "w @ a[-1]")
    assert len(at) == 3
    assert group.at(facts) == tuple(at) == tuple(sorted(at))
    assert [facts.round_of(k) for k in at] == [0, 1, 2]
    for k, a, w in zip(nonempty(at), [X, *_layers()], W, strict=False):
        np.testing.assert_allclose(facts.followed.values[k], w @ a)


def _layers():
    a, found = X, []
    for w in W:
        a = np.tanh(w @ a)
        found.append(a)
    return found


def test_every_record_has_one_place(facts):
    places = [k for indices in facts.places.values() for k in indices]
    assert sorted(places) == list(range(len(facts.followed.records)))
    assert all(facts.places[facts.place_at[k]].count(k) == 1 for k in nonempty(places))


def test_a_group_is_whole_or_of_one_round(facts):
    group, at = rounds(facts, "w @ a[-1]")
    assert [Group(group.place, round=k).at(facts) for k in (0, 1, -1)] == [
        (at[0],),
        (at[1],),
        (at[-1],),
    ]
    assert Group(group.place, round=3).at(facts) == ()
    assert Group(group.place).reported == group.place


def test_a_group_of_one_call_has_the_records_of_that_call_and_blames_the_call(facts):
    group, at = rounds(facts, "1 - a**2")
    paths = [path_of(facts.followed.records[k]) for k in at]
    assert len(set(paths)) == 3
    for k, path in zip(nonempty(at), paths, strict=True):
        single = Group(group.place, path)
        assert single.at(facts) == (k,)
        assert single.reported == path[0] != group.place


def test_the_latest_record_of_a_place_is_the_one_before(facts):
    group, at = rounds(facts, "w @ a[-1]")
    assert facts.latest(group.place, at[0]) is None
    assert facts.latest(group.place, at[1]) == at[0]
    assert facts.latest(group.place, 10**6) == at[-1]


def test_the_arguments_are_a_family_in_which_a_loop_walks(facts):
    assert facts.input_lists == [0, 0, 0]
    _, at = rounds(facts, "w @ a[-1]")
    weights = ("list", 0, "")
    assert facts.family(weights, at[0]) == [0, 1, 2]
    assert [facts.walked(weights, k, 0, 1) for k in at] == [0, 1, 2]
    assert [facts.walked(weights, k, -1, -1) for k in at] == [2, 1, 0]
    assert facts.walked(weights, at[2], 1, 1) is None


def test_walks_offer_the_other_layers_both_ways(facts):
    _, at = rounds(facts, "w @ a[-1]")
    offered = {ref.walk for ref, _, _ in walks(facts, at) if ref.place == ("list", 0, "")}
    assert {(0, 1), (2, -1)} <= offered
    assert list(walks(facts, at[:1])) == []


def test_what_a_repair_may_take_has_no_array_twice_and_nothing_later(facts):
    _, at = rounds(facts, "d @ a[k].T")
    found = refs(facts, at[:1])
    plain = [each for each in nonempty(found) if each[0].key is None and not each[0].slope]
    values = [(value.shape, value.tobytes()) for _, value, _ in found]
    assert len(set(values)) == len(values)
    assert all(facts.latest(ref.place, at[0]) is not None for ref, _, _ in plain)
    assert any(ref.slope for ref, _, _ in found)


def test_in_a_loop_no_single_true_quantity_is_taken(facts):
    _, at = rounds(facts, "w @ a[-1]")
    assert any(ref.key is not None for ref, _, _ in refs(facts, at[-1:]))
    assert all(ref.key is None for ref, _, _ in nonempty(refs(facts, at)))


def test_likely_factors_are_said_as_a_person_would(facts):
    said = [facts.constant(value) for value in (2.0, -0.5, 1 / 5, 2 / 3, 1 / 6, 9.0, 0.7312)]
    assert said == ["2", "−1/2", "1/5", "2/3", "1/(2·3)", "3·3", None]


def test_values_are_called_as_the_student_calls_them(facts):
    nodes = facts.followed.trace.nodes
    assert [name_of(facts, k) for k in range(3)] == [node.name for node in nodes[:3]]
    _, at = rounds(facts, "w @ a[-1]")
    assert argument_texts(facts, at[0])[0] == "w"
    _, [at] = rounds(facts, "2 * (a[3] - T)")
    assert argument_texts(facts, at) == ["2", "a[3] - T"]


def test_a_reference_takes_and_says_values_slopes_and_true_quantities(facts):
    values = facts.followed.values
    before = len(values) - 1
    tanh, at = rounds(facts, "np.tanh(w @ a[-1])")
    inner = facts.followed.records[at[-1]].parents[0]
    value = Ref(place=tanh.place)
    np.testing.assert_array_equal(value.get(facts, before, values), values[at[-1]])
    turned = Ref(place=tanh.place, transposed=True)
    np.testing.assert_array_equal(turned.get(facts, before, values), values[at[-1]].T)
    assert ref_text(facts, before, turned).endswith(".T")
    slope = Ref(place=tanh.place, slope=True)
    np.testing.assert_allclose(slope.get(facts, before, values), 1 - np.tanh(values[inner]) ** 2)
    assert ref_text(facts, before, slope).startswith("∂")
    key = next(key for key in facts.known.arrays if key.kind == "adjoint")
    np.testing.assert_array_equal(Ref(key=key).get(facts, before, values), facts.known.arrays[key])
    assert ref_text(facts, before, Ref(key=key)) == facts.known.symbol(key)
    with pytest.raises(LookupError):
        value.get(facts, at[0], values)


@pytest.mark.parametrize(
    ("text", "inside"),
    [("dZ2", "dZ2"), ("self.W", "self.W"), ("f(x)", "f(x)"), ("W[1]", "W[1]"),
     ("a - b", "(a - b)"), ("(a) * (b)", "((a) * (b))")],
)  # fmt: skip
def test_what_is_more_than_a_name_is_closed(text, inside):
    assert closed(text) == inside
