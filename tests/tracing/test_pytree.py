"""Arguments as trees: their leaves, the names of the leaves, and the way back."""

import copy
import functools
import keyword
import operator
from collections import OrderedDict, defaultdict
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_nb.tracing.pytree import flatten, identifier, paths, rebuild


class Layer(NamedTuple):
    A: object
    b: object


def leaf_names(tree, name="p"):
    seen = []
    rebuild(tree, lambda label, leaf: seen.append(label), name)
    return seen


@pytest.mark.parametrize(
    ("tree", "names"),
    [
        (1.0, ["p"]),
        ([1.0, 2.0], ["p0", "p1"]),
        ((1.0, (2.0, 3.0)), ["p0", "p1_0", "p1_1"]),
        ({"w": 1.0, "b": 2.0}, ["p_w", "p_b"]),
        ({"w": [1.0], 3: 2.0, -1: 4.0}, ["p_w0", "p3", "p__1"]),
        ([Layer(1.0, 2.0)], ["p0_0", "p0_1"]),
        ({"learning rate": 1.0, "": 2.0, "x²": 3.0}, ["p_learning_rate", "p_", "p_x2"]),
        ([], []),
    ],
    ids=repr,
)
def test_a_leafs_name_tells_its_place(tree, names):
    assert leaf_names(tree) == names
    assert all(map(str.isidentifier, names))


def test_the_structure_and_its_types_are_kept():
    tree = {"layers": [Layer(1.0, (2.0, None))], "rate": 3.0}
    found = rebuild(tree, lambda name, leaf: leaf and leaf * 10)
    assert found == {"layers": [Layer(10.0, (20.0, None))], "rate": 30.0}
    assert type(found["layers"][0]) is Layer


class Named(dict):
    __getattr__ = dict.__getitem__


class Twice(list):
    def __init__(self, item):
        super().__init__([item, item])


@pytest.mark.parametrize(
    "tree",
    [Named(w=1.0), OrderedDict(b=1.0, a=2.0), defaultdict(float, w=1.0), Twice(1.0)],
    ids=lambda tree: type(tree).__name__,
)
def test_a_dict_or_a_list_of_another_class_stays_one(tree):
    before = copy.copy(tree)
    found = rebuild(tree, lambda name, leaf: leaf * 10)
    assert type(found) is type(tree)
    assert flatten(found) == [10 * leaf for leaf in flatten(tree)]
    assert tree == before
    assert not isinstance(tree, defaultdict) or found["new"] == 0.0


def test_the_original_is_left_alone():
    tree = [1.0, [2.0]]
    found = rebuild(tree, lambda name, leaf: 0.0)
    assert (tree, found) == ([1.0, [2.0]], [0.0, [0.0]])


@given(st.text())
def test_any_text_becomes_a_name_that_python_accepts(text):
    name = identifier(text)
    assert name.isidentifier()
    assert not keyword.iskeyword(name)


@given(st.from_regex(r"[^\W\d]\w{0,8}", fullmatch=True))
def test_a_name_stays_as_python_reads_it(name):
    assert identifier(identifier(name)) == identifier(name)
    if name.isascii() and not keyword.iskeyword(name):
        assert identifier(name) == name


@given(st.dictionaries(st.text() | st.integers(), st.floats(), max_size=4))
def test_every_leaf_of_a_dict_has_a_name_that_python_accepts(tree):
    names = leaf_names(tree)
    assert len(names) == len(tree)
    assert [name for name in names if not name.isidentifier()] == []


def test_paths_lead_to_the_leaves_in_their_order():
    tree = {"a": [1.0, (2.0, {"b": 3.0})], "c": [], "d": 4.0}
    found = [*paths(tree)]
    assert [leaf for _, leaf in found] == flatten(tree) == [1.0, 2.0, 3.0, 4.0]
    for keys, leaf in found:
        assert functools.reduce(operator.getitem, keys, tree) == leaf


def test_a_leaf_is_not_asked_what_it_stands_for():
    class Leaf:
        @property
        def __class__(self):
            raise AssertionError  # a traced value looks for the frame that asks

    leaf = Leaf()
    tree = [leaf, {"w": leaf}, (leaf,)]
    assert [each is leaf for each in flatten(tree)] == [True] * 3
    assert rebuild(tree, lambda name, each: name) == ["x0", {"w": "x1_w"}, ("x2_0",)]
