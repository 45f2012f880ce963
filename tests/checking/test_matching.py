"""Whose gradient is which in an answer: every shape in which courses hand gradients over."""

import re
from collections import namedtuple
from dataclasses import make_dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from backprop_nb.checking.matching import Matched, Unmatched, match

W1, b1, W2, b2 = np.ones((4, 3)), np.ones(4), np.ones((2, 4)), np.ones(2)
FOUR, NAMES = [W1, b1, W2, b2], ["W1", "b1", "W2", "b2"]
DW1, DB1, DW2, DB2 = GRADIENTS = [k * each for k, each in enumerate(FOUR, start=2)]
KEYED = dict(zip(NAMES, GRADIENTS, strict=True))
PREFIXED = {f"d{name}": each for name, each in KEYED.items()}
X, Y = np.ones((5, 3)), np.ones((5, 2))

SEPARATE = FOUR, NAMES
LISTS = [[W1, W2], [b1, b2]], ["W", "b"]
DICT = [dict(zip(NAMES, FOUR, strict=True))], ["params"]
DICTS = [[{"W": W1, "b": b1}, {"W": W2, "b": b2}]], ["layers"]
PAIRS = [[(W1, b1), (W2, b2)]], ["params"]
NESTED = [{"hidden": {"W": W1, "b": b1}, "out": {"W": W2, "b": b2}}], ["p"]

INTERLEAVED = {"separate": SEPARATE, "dict": DICT, "dicts": DICTS, "pairs": PAIRS, "nested": NESTED}


def numbers_of(found):
    """Which gradient is at each leaf: 2 for that of W1, 3 for b1, and so on."""
    assert isinstance(found, Matched), found.sentence
    return [None if leaf is None else float(np.ravel(leaf)[0]) for leaf in found.leaves]


def vector(parts):
    return np.concatenate([np.ravel(each) for each in parts])


def spelled(template):
    return {template.format(name): each for name, each in KEYED.items()}


Pair = namedtuple("Pair", ["db", "dW"])
Flagged = make_dataclass("Flagged", ["dW1", "db1", "dW2", "db2", "loss"])


# --- what can be read -------------------------------------------------------------


@pytest.mark.parametrize("kept", INTERLEAVED)
@pytest.mark.parametrize(
    "answer",
    [
        tuple(GRADIENTS),
        GRADIENTS,
        [(DW1, DB1), (DW2, DB2)],
        vector(GRADIENTS),
        vector(GRADIENTS).tolist(),
        (0.25, tuple(GRADIENTS)),
        (vector(GRADIENTS), np.float64(0.25)),
        (0.25, *GRADIENTS),
        (*GRADIENTS, 0.25),
    ],
    ids=[
        *("tuple", "list", "pairs", "vector", "numbers", "loss first", "loss last"),
        *("loss before", "loss behind"),
    ],
)
def test_gradients_in_the_order_of_the_arguments_are_read_in_any_nesting(kept, answer):
    assert numbers_of(match(answer, *INTERLEAVED[kept])) == [2, 3, 4, 5]


@pytest.mark.parametrize("kept", ["separate", "dict"])
@pytest.mark.parametrize(
    "template",
    [
        *("{}", "d{}", "d_{}", "grad_{}", "{}_grad", "g{}", "D{}", "dL/d{}", "dL_d{}", "dJd{}"),
        *("∇{}", "∂L/∂{}", "∂{}", "nabla_{}", "{}.grad"),
    ],
)
def test_keys_are_read_with_what_says_that_they_are_gradients(kept, template):
    found = match(spelled(template), *INTERLEAVED[kept])
    assert numbers_of(found) == [2, 3, 4, 5]
    assert found.spelled == tuple(template.format(name) for name in NAMES) or template == "{}"


OF_LISTS = {
    "prefixed": PREFIXED,
    "two lists by name": {"db": [DB1, DB2], "dW": [DW1, DW2]},
    "nested": {"grads": KEYED, "loss": 0.5},
    "counted from 0": {"dW0": DW1, "db0": DB1, "dW1": DW2, "db1": DB2},
    "dicts": [{"dW": DW1, "db": DB1}, {"dW": DW2, "db": DB2}],
    "beside the parameters": {**DICT[0][0], **PREFIXED, "dZ1": X, "A0": X},
    "beside the loss": (0.5, PREFIXED),
    "attributes": SimpleNamespace(**PREFIXED, W1=W1),
    "dataclass": Flagged(DW1, DB1, DW2, DB2, 0.5),
    "namedtuple": Pair([DB1, DB2], [DW1, DW2]),
    "as the arguments": ([DW1, DW2], [DB1, DB2]),
    "biases first": ([DB1, DB2], [DW1, DW2]),
    "layer by layer": GRADIENTS,
    "one after the other": [DW1, DW2, DB1, DB2],
}


@pytest.mark.parametrize("answer", OF_LISTS.values(), ids=OF_LISTS)
def test_the_gradients_of_two_lists_are_read_by_names_and_by_shapes(answer):
    assert numbers_of(match(answer, *LISTS)) == [2, 4, 3, 5]


def test_nested_dicts_are_read_with_prefixed_keys():
    answer = {"hidden": {"dW": DW1, "db": DB1}, "out": {"dW": DW2, "db": DB2}}
    assert numbers_of(match(answer, *NESTED)) == [2, 3, 4, 5]
    flat = {"hidden_W": DW1, "hidden_b": DB1, "out_W": DW2, "out_b": DB2}
    assert numbers_of(match(flat, *NESTED)) == [2, 3, 4, 5]


def test_one_argument_needs_no_tuple_and_may_have_one():
    for answer in (DW1, (DW1,), [DW1], {"dW1": DW1}, (0.5, DW1), DW1.tolist()):
        assert numbers_of(match(answer, [W1], ["W1"])) == [2]
    assert match((0.5, DW1), [W1], ["W1"]).loss == 0.5


# --- data ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [tuple(GRADIENTS), vector(GRADIENTS), PREFIXED, (0.5, PREFIXED)],
    ids=["tuple", "vector", "keys", "beside the loss"],
)
@pytest.mark.parametrize("first", [True, False])
def test_inputs_and_targets_need_no_gradient(answer, first):
    arguments, names = ([X, Y, *FOUR], ["x", "y", *NAMES]) if first else (
        [*FOUR, X, Y], [*NAMES, "x", "y"]
    )  # fmt: skip
    found = match(answer, arguments, names)
    assert [each for each in numbers_of(found) if each is not None] == [2, 3, 4, 5]
    assert found.data == ((0, 1) if first else (4, 5))


def test_whole_numbers_and_text_need_no_gradient():
    found = match((DW1, DB1), [W1, b1, np.arange(3), "mean"], ["W", "b", "which", "how"])
    assert found.data == (2, 3)
    assert match(np.ones(3), [np.arange(3)], ["k"]).data == ()  # it has one


def test_an_input_behind_all_parameters_needs_no_gradient():
    for answer in (tuple(GRADIENTS), vector(GRADIENTS), PREFIXED):
        found = match(answer, [*FOUR, X], [*NAMES, "x"])
        assert numbers_of(found) == [2, 3, 4, 5, None]
        assert found.data == (4,)


@pytest.mark.parametrize("answer", [0.5, np.ones((3, 1)), np.ones(2), "text"])
def test_one_answer_of_a_wrong_shape_is_the_gradient_of_what_is_no_data(answer):
    found = match(answer, [np.zeros(3), np.zeros(3)], ["f", "target"])
    assert found.data == (1,)
    assert found.leaves[0] is answer
    two = [np.zeros(3), np.zeros(3), np.zeros(3)]
    assert isinstance(match(answer, two, ["v", "w", "target"]), Unmatched)


def test_an_argument_that_may_be_a_parameter_is_missing_and_not_data():
    assert isinstance(match((DW1,), [W1, X], ["W", "x"]), Unmatched)
    found = match({"dW1": DW1}, *SEPARATE)
    assert numbers_of(found) == [2, None, None, None]
    assert found.data == ()
    # Who has the gradient by x has that by y.
    assert not match({"dW": DW1, "dx": X}, [W1, X, Y], ["W", "x", "y"]).data


# --- what shapes cannot tell ------------------------------------------------------------


def test_of_another_order_those_of_one_shape_keep_theirs():
    arguments = [[np.ones((3, 3)), np.ones((3, 3))], [np.ones(3), np.ones(3)]]
    given = [k * each for k, each in enumerate((*arguments[0], *arguments[1]), start=2)]
    found = match([given[0], given[2], given[1], given[3]], arguments, ["W", "b"])
    assert numbers_of(found) == [2, 3, 4, 5]


def test_names_that_fit_two_readings_are_no_reading():
    found = match({"dW1": W1, "dW2": W1}, [[W1, W1, W1]], ["W"])
    assert isinstance(found, Unmatched)


def test_a_gradient_of_a_wrong_shape_is_handed_on_as_it_is():
    found = match((DW1.T, DB1), [W1, b1], ["W1", "b1"])
    assert [np.shape(leaf) for leaf in found.leaves] == [(3, 4), (4,)]
    assert match((DW1, None), [W1, b1], ["W1", "b1"]).leaves[1] is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "Nothing was returned. Return (dW1, db1, dW2, db2), in the order"),
        ({"a": 1, "b": 2}, "A dict with the keys 'a' and 'b' was returned."),
        ({}, "An empty dict was returned."),
        ((DW1,), "A tuple of 1 was returned."),
        (7.0, "One number was returned."),
        (np.ones(7), "An array of shape (7,) was returned."),
        (SimpleNamespace(weights=1), "type SimpleNamespace with the attributes weights was"),
        (object(), "An object of type object was returned."),
        (dict.fromkeys("abcdefghij"), "'g', 'h' and others was returned."),
        ((0.5, 0.5), "A tuple of 2 was returned."),
        (np, "An object of type module with"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_said_with_how_to_hand_it_over(answer, words):
    found = match(answer, *SEPARATE)
    assert isinstance(found, Unmatched)
    assert words in found.sentence
    assert '"dW1", "db1", "dW2" and "db2"' in found.sentence


def test_following_the_advice_works():
    advice = match(None, [*FOUR, X, Y], [*NAMES, "x", "y"]).instead
    assert advice.startswith("Return (dW1, db1, dW2, db2), ")
    assert match(tuple(GRADIENTS), [*FOUR, X, Y], [*NAMES, "x", "y"]).data == (4, 5)
    assert match(None, [W1, X, Y], ["W", "x", "y"]).instead == (
        "Return the gradient by W, in the structure of W."
    )
    assert match(DW1, [W1, X, Y], ["W", "x", "y"]).data == (1, 2)


class Unruly:
    """Answers every question wrongly."""

    def __array__(self, *_, **__):
        raise RuntimeError("no")

    def __len__(self):
        raise RuntimeError("no")

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None


def test_no_object_disturbs_the_reading():
    assert isinstance(match(Unruly(), *SEPARATE), Unmatched)
    found = match((Unruly(), DB1), [W1, b1], ["W1", "b1"])
    assert isinstance(found.leaves[0], Unruly)
    endless = []
    endless.append(endless)
    assert isinstance(match(endless, *SEPARATE), Unmatched)


@pytest.mark.parametrize("beside", [(), (0.5,)], ids=["gradients", "loss first"])
@pytest.mark.parametrize("nested", [False, True])
def test_one_of_a_wrong_shape_leaves_the_others_where_they_are(beside, nested):
    x, y, W, b = np.ones((4, 3)), np.ones((4, 2)), np.zeros((3, 2)), np.zeros(2)
    gradients = (W + 1, np.zeros(4))  # of a bias that is summed over the wrong axis
    answer = (*beside, gradients) if nested and beside else (*beside, *gradients)
    found = match(answer, [x, y, W, b], ["x", "y", "W", "b"])
    assert found.data == (0, 1)
    assert found.leaves[2] is gradients[0]
    assert found.leaves[3] is gradients[1]
    assert found.loss == (0.5 if beside else None)


@pytest.mark.parametrize(
    ("renamed", "key"),
    [
        ({"dw": "dW"}, "dw"),
        ({"dw": "dww"}, "dw"),
        ({"dw": "weights"}, "dw"),
        ({"db": "dbias"}, "db"),
        ({"dw": "grad_v", "db": "grad_b"}, "grad_w"),
        ({"dw": "u", "db": "b"}, "w"),
    ],
)
def test_a_key_that_is_misspelt_is_told_and_the_advice_works(renamed, key):
    answer = {"dw": np.ones((3, 2)), "db": 2.0}
    given = {renamed.get(name, name): value for name, value in answer.items()}
    arguments = [np.zeros((3, 2)), 0.0], ["w", "b"]
    [advice] = match(given, *arguments).misspelt.values()
    wrong, right = re.findall("'(.*?)'", advice)
    assert right == key
    mended = {right if name == wrong else name: value for name, value in given.items()}
    assert [np.shape(leaf) for leaf in match(mended, *arguments).leaves] == [(3, 2), ()]


def test_a_loss_and_what_has_another_shape_are_no_misspelt_gradients():
    arguments = [np.zeros((3, 2)), 0.0], ["w", "b"]
    assert not match({"dw": np.ones((3, 2)), "loss": 0.5}, *arguments).misspelt
    assert not match({"db": 0.5, "hidden": np.ones((2, 3))}, *arguments).misspelt


def test_only_a_name_is_said_to_be_the_key_that_is_meant():
    params = {("W", 1): np.ones(2), "b": np.ones(3)}
    given = {"b": np.ones(3), "x": np.ones(2)}
    assert match(given, [params], ["params"]).misspelt == {}
    layers = {"W": [np.ones((2, 3)), np.ones((3, 2))], "b": np.ones(2)}
    given = {"dW0": np.ones((2, 3)), "db": np.ones(2), "dWW1": np.ones((3, 2))}
    assert match(given, [layers], ["layers"]).misspelt == {1: "if 'dWW1' is it, call it 'dW1'"}
