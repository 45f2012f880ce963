"""The form of a call: taken apart and filled again it is the call."""

import numpy as np

from backprop_nb.tracing.rules.form import Hole, fill, is_array, take_apart, text_of

X, Y = np.arange(3.0), np.ones(2)


def test_a_call_that_is_taken_apart_and_filled_is_the_call():
    arrays, form = take_apart((X, [1.0, Y], "ij"), {"axis": 0, "out": (X,)})
    assert [each is right for each, right in zip(arrays, (X, Y, X), strict=True)] == [True] * 3
    args, kwargs = form.filled(arrays)
    assert args[0] is X
    assert args[1][1] is Y
    assert (args[1][0], args[2], kwargs["axis"]) == (1.0, "ij", 0)
    assert kwargs["out"][0] is X


def test_it_prints_with_names_and_with_numbers():
    _, form = take_apart((X, [1.0, Y]), {"axis": (0,), "where": X > 1})
    assert form.text(["a", "b", "c"]) == "a, [1.0, b], axis=(0,), where=c"
    assert repr(form) == "(#1, [1.0, #2], axis=(0,), where=#3)"


def test_trees_of_every_kind():
    tree = {"k": [Hole(1), (Hole(0),)], "n": None}
    assert fill(tree, ["a", "b"]) == {"k": ["b", ("a",)], "n": None}
    assert text_of(tree, ["x", "y"]) == "{'k': [y, (x,)], 'n': None}"


def test_numbers_of_numpys_are_literals():
    assert is_array(X)
    assert not is_array(np.float64(1.0))
    assert not is_array(1.0)
