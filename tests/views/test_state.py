"""What may be assigned to a view: the rules, their words, and the order of assignment."""

import numpy as np
import pytest
import traitlets

import backprop_nb as bp
from backprop_nb.errors import either, must_be
from backprop_nb.views.state import State, flag, integer, number, one_of, text


class View(traitlets.HasTraits):
    """One of each rule; the range of one depends on another."""

    most = State(integer(0), 3, "The end of another range.")
    row = State(integer(0, lambda view: view.most), 0, "From 0 to that.")
    z = State(number(-6, 6), 0.0, "A number.")
    side = State(one_of(["left", "right"]), "left", "One of two.")
    name = State(one_of(lambda view: map(str, range(view.most))), "0", "One of some.")
    playing = State(flag, False, "A flag.")
    label = State(text, "", "Any text.")


@pytest.fixture
def view():
    return View()


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("row", np.int64(3), 3),
        ("most", 10**9, 10**9),
        ("z", 6, 6.0),
        ("z", np.float32(0.5), 0.5),
        ("side", "right", "right"),
        ("playing", np.True_, True),
        ("label", "σ", "σ"),
    ],
)
def test_what_is_kept_is_of_pythons_own_kind(view, name, value, kept):
    setattr(view, name, value)
    assert getattr(view, name) == kept
    assert type(getattr(view, name)) is type(kept)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("row", 4, "an integer from 0 to 3"),
        ("row", False, "an integer from 0 to 3"),
        ("row", 1.5, "an integer from 0 to 3"),
        ("row", "a", "an integer from 0 to 3"),
        ("row", None, "an integer from 0 to 3"),
        ("most", -1, "an integer of at least 0"),
        ("z", float("nan"), "a number from −6 to 6"),
        ("z", "1", "a number from −6 to 6"),
        ("z", True, "a number from −6 to 6"),
        ("z", None, "a number from −6 to 6"),
        ("side", ["up"], '"left" or "right"'),
        ("side", 1, '"left" or "right"'),
        ("side", None, '"left" or "right"'),
        ("name", "3", '"0", "1" or "2"'),
        ("playing", 1, "True or False"),
        ("label", None, "text"),
    ],
)
def test_a_refusal_says_what_it_must_be_and_changes_nothing(view, name, value, expected):
    before = getattr(view, name)
    with pytest.raises(bp.InvalidValueError) as caught:
        setattr(view, name, value)
    assert str(caught.value) == f"`{name}` must be {expected}.\n  given:    {name} = {value!r}"
    assert getattr(view, name) == before


def test_a_range_may_depend_on_other_state(view):
    view.most = 5
    view.row = 5
    assert view.row == 5


def test_a_rule_may_be_any_function_of_the_view():
    def even(view, name, value):
        if value % 2:
            raise must_be("even", name, value, instead="twice as much")
        return float(value)

    class Steps(traitlets.HasTraits):
        length = State(even, 0, "Of a step.")

    view = Steps(length=4)
    assert type(view.length) is float
    with pytest.raises(bp.InvalidValueError, match=r"^`length` must be even") as caught:
        view.length = 3
    assert caught.value.instead == "twice as much"


def test_all_of_it_is_state_that_goes_to_the_browser(view):
    assert set(view.trait_names(sync=True)) == set(view.trait_names())


def test_a_choice_in_words():
    assert [either("a"), either("ab"), either("abc")] == ['"a"', '"a" or "b"', '"a", "b" or "c"']
