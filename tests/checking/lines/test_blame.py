"""The search for the line: what is looked at, what comes first, and what is confirmed."""

import linecache

import numpy as np
from nonempty import nonempty

from backprop_nb.checking.lines.blame import LIKELY, Blame, confirms
from backprop_nb.checking.lines.facts import Facts, Group, path_of
from backprop_nb.checking.lines.followed import Followed, traced
from backprop_nb.checking.lines.known import Known
from backprop_nb.checking.lines.mended import Explanation, Mended
from backprop_nb.checking.lines.repairs import Repair, said, scaled
from backprop_nb.tracing.source import locate

rng = np.random.default_rng(0)
X, T = rng.standard_normal((5, 2)), rng.standard_normal((5, 2))
ARGS = [rng.standard_normal(shape) for shape in ((2, 3), (3, 2))]
OTHER = [rng.standard_normal(shape) for shape in ((2, 3), (3, 2))]


def loss(W1, W2):
    h = np.tanh(X @ W1)
    return np.sum((h @ W2 - T) ** 2)


def weight_gradient(a, d):
    return a.T @ d


def in_two_calls(W1, W2):
    h = np.tanh(X @ W1)
    e = 2 * (h @ W2 - T)
    d = e @ W2.T * (1 - h**2)
    return [weight_gradient(X, d), weight_gradient(h, e + e)]


def without_slope(W1, W2):
    h = np.tanh(X @ W1)
    e = 2 * (h @ W2 - T)
    d = e @ W2.T
    g1 = X.T @ d
    return [g1, h.T @ e]


def early(W1, W2):
    h = np.tanh(X @ W1)
    e = 2 * (h @ W2 + T)
    g2 = h.T @ e
    d = e @ W2.T * (1 - h**2)
    return [X.T @ d, g2]


def twice_wrong(W1, W2):
    h = np.tanh(X @ W1)
    e = 2 * (h @ W2 - T)
    d = e @ W2.T * (1 - h)
    return [X.T @ d, 3 * (h.T @ e)]


def right(W1, W2):
    h = np.tanh(X @ W1)
    e = 2 * (h @ W2 - T)
    return [X.T @ (e @ W2.T * (1 - h**2)), h.T @ e]


def in_rounds(W1, W2):
    h = np.tanh(X @ W1)
    e = 2 * (h @ W2 - T)
    d = e @ W2.T * (1 - h**2)
    found = []
    for a, b in ((X, d), (h, e)):
        found.append(a.T @ b)
    return found


def facts_of(gradient, args=ARGS):
    known = Known(traced(loss, args, {0, 1}))
    return Facts(Followed(gradient, args, {0, 1}), known, known.adjoints[:2])


def ways_of(gradient):
    facts = facts_of(gradient)
    with np.errstate(all="ignore"):
        ways = Blame(facts, [facts_of(gradient, OTHER)]).explain()
    return facts, ways


def text(explanation):
    """Return the line that an explanation blames, without its indentation."""
    code, lasti, _ = explanation.group.reported
    return linecache.getline(__file__, locate(code, lasti).source().start[0]).strip()


# --- what is looked at ----------------------------------------------------------------------


def test_expressions_are_looked_at_whole_by_call_and_by_round():
    facts = facts_of(in_two_calls)
    first, second, _ = Blame(facts, []).stages
    whole = [each for each in nonempty(first) if each.path is None]
    assert len(whole) == len(first)
    calls = [each for each in nonempty(second) if each.path is not None]
    records = facts.followed.records
    assert all({path_of(records[k]) for k in each.at(facts)} == {each.path} for each in calls)
    assert len({each.path for each in calls}) == 2
    _, _, third = Blame(facts_of(in_rounds), []).stages
    assert {each.round for each in third} == {0, -1}


def test_what_the_loss_computes_as_well_comes_second():
    facts = facts_of(without_slope)
    first, second, _ = Blame(facts, []).stages
    names = [
        {getattr(facts.followed.records[each.at(facts)[0]].row, "name", "") for each in stage}
        for stage in (first, second)
    ]
    assert "tanh" in names[1] - names[0]


def test_no_expression_of_the_package_is_blamed():
    facts = facts_of(right)
    files = {g.place[0].co_filename for s in Blame(facts, []).stages for g in s}
    assert files == {__file__}


# --- what comes first -----------------------------------------------------------------------


def test_where_two_lines_may_lack_the_slope_neither_is_preferred():
    """``d`` has one use: the slope may be missing in its line, or where it is used."""
    _, ways = ways_of(without_slope)
    [one], [other] = ways
    assert {text(one), text(other)} == {"d = e @ W2.T", "g1 = X.T @ d"}
    assert abs(one.cost - other.cost) < 0.25
    assert max(one.cost, other.cost) < LIKELY
    assert one.fixed == other.fixed == {0}


def test_a_quantity_whose_inputs_are_right_comes_before_what_is_made_of_it():
    """The wrong error spoils both gradients; it is the first that is no true quantity."""
    _, ways = ways_of(early)
    assert text(ways[0][0]) == "e = 2 * (h @ W2 + T)"
    assert ways[0][0].fixed == {0, 1}


def test_ways_are_in_the_order_of_their_cost():
    _, ways = ways_of(early)
    costs = [sum(each.cost for each in way) for way in nonempty(ways)]
    assert costs == sorted(costs)


def test_a_gradient_put_right_does_not_hide_what_is_wrong_before_it():
    """In ``g1`` itself the right gradient would explain everything too, from the end."""
    facts, ways = ways_of(without_slope)
    leaf = facts.followed.leaves[0]
    assert not any(leaf in each.at for way in nonempty(ways) for each in way if each.cost < LIKELY)


def test_one_call_of_a_helper_is_blamed_where_it_is_made():
    _, ways = ways_of(in_two_calls)
    assert [way[0].group.path for way in ways if text(way[0]).startswith("return [")]
    assert text(ways[0][0]).startswith("return [weight_gradient(X, d)")


def test_two_mistakes_are_one_way_of_two_expressions():
    _, ways = ways_of(twice_wrong)
    assert len(ways[0]) == 2
    assert {text(each) for each in ways[0]} == {
        "d = e @ W2.T * (1 - h)",
        "return [X.T @ d, 3 * (h.T @ e)]",
    }
    assert {each.fixed for each in ways[0]} == {frozenset({0}), frozenset({1})}


# --- what is confirmed ----------------------------------------------------------------------


def explanation(facts, index, repair):
    changes = {index: repair.change(facts, index)}
    return Explanation(Group(facts.place_at[index]), repair, frozenset({1}), 1.0, changes, (index,))


def tripled(W1, W2):
    h = np.tanh(X @ W1)
    e = 2 * (h @ W2 - T)
    g2 = 3 * (h.T @ e)
    return [X.T @ (e @ W2.T * (1 - h**2)), g2]


def test_a_repair_that_works_by_coincidence_at_one_point_is_refused():
    """The right array as a constant mends the one point alone; a factor mends any."""
    here, there = facts_of(tripled), facts_of(tripled, OTHER)
    leaf = here.followed.leaves[1]
    expected = here.expected[1]
    by_luck = Repair("term", 1.0, lambda facts, index, values: expected, said("luck"))
    always = scaled(1.0, 1 / 3, "1/3")
    for repair in (by_luck, always):
        assert Mended(here).improved(explanation(here, leaf, repair).changes) is not None
    assert not confirms(there, [explanation(here, leaf, by_luck)])
    assert confirms(there, [explanation(here, leaf, always)])


def test_without_what_confirms_there_is_no_explanation():
    facts = facts_of(tripled)
    elsewhere = facts_of(twice_wrong, OTHER)  # where no such repair helps
    with np.errstate(all="ignore"):
        assert Blame(facts, []).explain(depth=1) != []
        assert Blame(facts, [elsewhere]).explain(depth=1) == []


def test_mended_already_the_search_goes_on_with_the_rest():
    facts = facts_of(twice_wrong)
    leaf = facts.followed.leaves[1]
    third = Repair("constant", 1.0, lambda *_: facts.expected[1], said(""))
    first = explanation(facts, leaf, third)
    assert first.changes.keys() == {leaf}
    assert Mended(facts, [first]).right == {1}
    with np.errstate(all="ignore"):
        [best] = Blame(facts, []).explain(Mended(facts, [first]), depth=1)[0]
    assert text(best) == "d = e @ W2.T * (1 - h)"
