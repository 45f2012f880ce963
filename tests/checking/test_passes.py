"""Backward passes as courses have them written: the right are right, the wrong are wrong."""

import ast
from collections import Counter
from functools import cache

import numpy as np
import pytest
from collection import PAIRS, RIGHT, WRONG
from entry import KINDS, WHERE
from judge import TOLERANCE, error, given, slopes
from nonempty import nonempty

BY_NAME = {each.name: each for each in RIGHT}


@cache
def at(course, k):
    """Return the ``k``-th arguments of a course and what is right there."""
    right = next(each for each in RIGHT if each.course == course)
    args = right.args(k)
    return args, slopes(right, args)


def wrong_by(entry, k=0):
    args, expected = at(entry.course, k)
    return error(given(entry, args), expected)


def right_of(entry):
    return BY_NAME[entry.name.rpartition(".")[0]]


def test_the_collection_is_large_and_of_many_kinds():
    assert len(RIGHT) >= 45
    assert len({each.course for each in RIGHT}) >= 20
    assert len(WRONG) >= 110
    assert len(PAIRS) >= 25
    kinds = Counter(each.kinds[0] for each in WRONG)
    assert set(kinds) == set(KINDS)
    assert {each.where[0] for each in WRONG} == set(WHERE)
    assert kinds["forward"] == sum(each.where == ("forward",) for each in WRONG)
    assert 0.35 <= np.mean([each.is_held_out for each in WRONG]) <= 0.45
    assert not {e.course for e in WRONG if e.is_held_out} & {
        e.course for e in WRONG if not e.is_held_out
    }


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: right.name)
def test_a_right_pass_is_right(right):
    assert max(wrong_by(right, k) for k in (0, 1)) < TOLERANCE


def test_each_wrong_pass_is_wrong():
    """Each at two draws: what is right by luck at one of them has no wrong line."""
    too_near = {
        each.name: errors
        for each in nonempty(WRONG)
        if min(errors := [wrong_by(each, k) for k in (0, 1)]) < 1e-3
    }
    assert too_near == {}


def test_each_wrong_pass_differs_in_one_line():
    for each in nonempty(WRONG):
        texts = [entry.text.splitlines() for entry in (right_of(each), each)]
        changed = [k for k, (a, b) in enumerate(zip(*texts, strict=True), 1) if a != b]
        assert tuple(changed) == each.lines
        assert ast.parse(each.text)


def test_in_each_pair_both_lines_are_to_blame():
    """Together they give other gradients than each alone, and wrong ones."""
    alone = {each.name: each for each in WRONG}
    idle = []
    for pair in nonempty(PAIRS):
        name, _, numbers = pair.name.rpartition(".")
        singles = [alone[f"{name}.{number}"] for number in numbers.split("+")]
        assert pair.lines == tuple(single.lines[0] for single in singles)
        args, expected = at(pair.course, 0)
        both = given(pair, args)
        if error(both, expected) < 1e-3 or any(same(given(e, args), both) for e in singles):
            idle.append(pair.name)
    assert idle == []


def same(some, others):
    """Whether the gradients are the same, where there are any."""
    if any(one is None for one in (*some, *others)):
        return False
    return error(some, others) < 1e-4
