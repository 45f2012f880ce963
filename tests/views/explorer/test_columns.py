"""The engine in plain Python: groups hold together, edges keep clear of cards."""

import random
from itertools import combinations, pairwise

import pytest
from nonempty import nonempty

from backprop_nb.views.explorer.columns import columns_of, placed
from backprop_nb.views.explorer.placement import MARGIN

CARD = (106.0, 78.0)


def network(seed):
    """A program of 40 calls with three functions, one inside another; what they call is mixed."""
    draw = random.Random(seed)
    edges = [
        (max(0, node - draw.choice((1, 1, 2, 3, 8))), node)
        for node in range(1, 40)
        for _ in range(draw.choice((1, 2, 2, 3)))
    ]
    sizes = [draw.choice((CARD, CARD, (106.0, 54.0), (180.0, 92.0))) for _ in range(40)]
    groups = [(None, [8, 9, 14, 15]), (0, [10, 11, 12, 13]), (None, [26, 27, 30, 31])]
    return sizes, edges, [draw.choice((1, 8)) for _ in edges], groups


def members(groups, number):
    inside = [k for k, (parent, _) in enumerate(groups) if parent == number]
    return {*groups[number][1], *(node for k in inside for node in members(groups, k))}


def overlap(first, second, slack=0.01):
    (a, b, w, h), (c, d, v, g) = first, second
    return a < c + v - slack and c < a + w - slack and b < d + g - slack and d < b + h - slack


def holds(outer, inner):
    (a, b, w, h), (c, d, v, g) = outer, inner
    return a < c and b < d and c + v < a + w and d + g < b + h


def along(path):
    """Return points on a path of cubic curves, end to end."""
    for start in range(0, len(path) - 1, 3):
        for t in (0.0, 0.1, 0.25, 0.5, 0.75, 0.9):
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
            corners = path[start : start + 4]
            yield tuple(
                sum(w * c[k] for w, c in zip(weights, corners, strict=True)) for k in (0, 1)
            )


@pytest.fixture(scope="module", params=range(6))
def drawn(request):
    given = network(request.param)
    return given, placed(*given)


def test_no_two_cards_overlap_and_all_lie_in_the_picture(drawn):
    _, picture = drawn
    assert not any(overlap(a, b) for a, b in combinations(picture.nodes, 2))
    lefts, tops = [x for x, *_ in picture.nodes], [y for _, y, *_ in picture.nodes]
    assert min(lefts) >= 0
    assert min(tops) >= 0
    assert max(x + w for x, _, w, _ in picture.nodes) <= picture.width + 0.01
    assert max(y + h for _, y, _, h in picture.nodes) <= picture.height + 0.01


def test_a_group_holds_its_own_cards_and_no_others(drawn):
    (_, _, _, groups), picture = drawn
    for number, box in enumerate(nonempty(picture.groups)):
        own = members(groups, number)
        assert all(holds(box, picture.nodes[node]) for node in own)
        assert not any(overlap(box, picture.nodes[k]) for k in range(40) if k not in own)


def test_groups_lie_inside_each_other_or_apart(drawn):
    _, picture = drawn
    outer, inner, other = picture.groups
    assert holds(outer, inner)
    assert inner[1] - outer[1] >= MARGIN - 0.01
    assert not overlap(outer, other)


def test_an_edge_runs_right_and_keeps_clear_of_all_other_cards(drawn):
    (_, edges, _, _), picture = drawn
    for (tail, head), path in zip(nonempty(edges), picture.edges, strict=True):
        points = list(along(path))
        assert all(a[0] <= b[0] + 0.01 for a, b in pairwise(points))
        others = [box for k, box in enumerate(picture.nodes) if k not in (tail, head)]
        assert not any(overlap(box, (x, y, 0.1, 0.1)) for x, y in points for box in others)


def test_an_edge_keeps_clear_of_groups_that_it_has_nothing_to_do_with():
    edges = [(0, 1), (1, 2), (2, 3), (0, 3)]
    picture = placed([CARD] * 4, edges, [1] * 4, [(None, [1, 2])])
    box = picture.groups[0]
    assert not any(overlap(box, (x, y, 0.1, 0.1)) for x, y in along(picture.edges[3]))


def test_a_card_stays_out_of_a_group_that_has_nothing_in_its_column():
    # 1 and 4 are in the group, in the first and in the last column.
    edges = [(0, 2), (2, 3), (3, 5), (1, 5), (1, 6), (0, 4), (3, 4)]
    groups = [(None, [1, 4])]
    picture = placed([CARD] * 7, edges, [1] * 7, groups)
    box = picture.groups[0]
    assert all(holds(box, picture.nodes[node]) for node in (1, 4))
    assert not any(overlap(box, picture.nodes[node]) for node in (0, 2, 3, 5, 6))


def middle(picture, node):
    _, top, _, height = picture.nodes[node]
    return top + height / 2


def test_a_chain_of_calls_runs_level_whatever_its_calls_are_given_besides():
    chain, given = [(0, 1), (1, 2), (2, 3), (3, 4)], [(5, 1), (6, 2), (7, 3), (8, 3), (9, 4)]
    picture = placed([CARD] * 10, [*chain, *given], [8] * 4 + [1] * 5, [])
    heights = [middle(picture, node) for node in range(5)]
    assert max(heights) - min(heights) < 0.01
    for path in picture.edges[:4]:
        assert path[0][1] == pytest.approx(path[-1][1])


def test_edges_that_need_not_cross_do_not():
    # Four inputs and what is made of each, the other way round.
    edges = [(k, 7 - k) for k in range(4)] + [(k, 8) for k in range(4, 8)]
    picture = placed([CARD] * 9, edges, [1] * len(edges), [])
    inputs = sorted(range(4), key=lambda k: middle(picture, k))
    made = sorted(range(4, 8), key=lambda k: middle(picture, k))
    assert made == [7 - k for k in inputs]


def test_an_input_stands_just_before_its_first_use():
    assert columns_of(4, [(0, 1), (1, 2), (3, 2)], [1] * 3) == [0, 1, 2, 1]


def test_what_is_used_more_than_it_uses_stands_where_it_is_used():
    # 5 is made of two inputs alone, and needed only at the end.
    edges = [(0, 1), (1, 2), (2, 3), (3, 4), (6, 5), (7, 5), (5, 4)]
    picture = placed([CARD] * 8, edges, [8, 8, 8, 8, 1, 1, 8], [])
    assert picture.nodes[5][0] == pytest.approx(picture.nodes[3][0])


def test_edges_in_a_circle_as_between_folded_groups_are_drawn_too():
    edges = [(0, 1), (1, 2), (2, 1), (2, 3)]
    picture = placed([CARD] * 4, edges, [1] * 4, [])
    assert not any(overlap(a, b) for a, b in combinations(picture.nodes, 2))
    for (tail, head), path in zip(edges, picture.edges, strict=True):
        for node, (x, y) in ((tail, path[0]), (head, path[-1])):
            left, top, w, h = picture.nodes[node]
            assert left - 0.01 <= x <= left + w + 0.01
            assert top <= y <= top + h


def test_long_chains_are_no_deeper_than_python_can_call():
    chain = [(k, k + 1) for k in range(1500)]
    picture = placed([CARD] * 1501, chain, [1] * 1500, [])
    assert picture.height == CARD[1]
