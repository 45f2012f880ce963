"""Numbers are short enough for their place and never mislead."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_nb.views.numbers import (
    CARD_CHARACTERS,
    COLUMNS,
    MINUS,
    ROWS,
    Scale,
    fit_scale,
    fit_value_scale,
    heat,
    heats,
    long,
    longs,
    pooled,
    short,
    tensor,
    tensors,
    unpacked_heats,
    words,
)

sizes = st.floats(min_value=1e-9, max_value=1e9) | st.just(0.0)
finite = st.builds(lambda size, sign: size * sign, sizes, st.sampled_from([-1.0, 1.0]))


def read(text):
    return float(text.replace(MINUS, "-"))


@given(finite)
def test_a_short_number_has_at_most_six_characters_and_the_right_size(number):
    text = short(number)
    assert len(text) <= 6
    assert read(text) == pytest.approx(number, rel=0.51, abs=0.0051 if abs(number) < 10 else 0.0)


@given(finite)
def test_a_long_number_is_right_to_four_digits(number):
    assert read(long(number)) == pytest.approx(number, rel=5.1e-4)


@pytest.mark.parametrize(
    ("number", "text"), [(np.nan, "NaN"), (np.inf, "∞"), (-np.inf, "−∞"), (0.0, "0"), (-0.0, "0")]
)
def test_special_numbers_have_their_own_signs(number, text):
    assert (short(number), long(number)) == (text, text)


@pytest.mark.parametrize(
    ("number", "text"),
    [(-12345.6, "−12350"), (99990.0, "99990"), (123400.0, "1.234e5"), (1e-4, "0.0001")],
)
def test_a_long_number_has_an_exponent_only_where_it_is_shorter(number, text):
    assert long(number) == text


def test_a_vector_is_a_row_and_stands_upright_when_asked():
    row = tensor(np.arange(3.0), Scale(1, 2))
    column = tensor(np.arange(3.0), Scale(1, 2), column=True)
    assert (row["rows"], row["columns"]) == (1, 3)
    assert (column["rows"], column["columns"]) == (3, 1)


def test_a_large_array_says_how_much_of_it_is_left_out():
    assert words(np.zeros((30, 40))).endswith(f"0, … {30 * 40 - ROWS * COLUMNS} more]")


def test_a_card_never_holds_more_text_than_it_has_room_for():
    few = tensor(np.array([0.12, -0.34, 0.56]), Scale(0.1, 1))
    assert few["short"] == ["0.12", f"{MINUS}0.34", "0.56"]
    assert not tensor(np.array([0.12, -0.34, 0.56, 0.78]), Scale(0.1, 1))["short"]
    assert not tensor(np.eye(2), Scale(1, 1))["short"]
    assert max(len(short(x)) for x in (-0.04, 12.3, -1e-5)) * 3 <= CARD_CHARACTERS + 3


def test_a_vector_of_which_only_a_part_is_shown_has_no_numbers_on_a_card():
    data = tensor(np.ones(20), Scale(1, 1))  # the twelve shown would have room, the map has twenty
    assert data["map"]
    assert not data["short"]


EMPTY = [np.zeros(shape) for shape in ((0,), (3, 0), (0, 3), (2, 0, 3))]


@pytest.mark.parametrize("value", [np.array([np.nan, np.inf, 1.0]), np.float32(2), *EMPTY])
def test_any_array_is_plain_json(value):
    json.dumps(tensor(value, fit_scale([value])), allow_nan=False)


def test_heat_grows_with_magnitude_and_keeps_the_sign():
    for scale in (Scale(0.001, 2.0), Scale(0.001, 2.0, log=True)):
        positions = [heat(x, scale) for x in (-2.0, -0.5, -0.01, 0.0, 0.01, 0.5, 2.0)]
        assert positions == sorted(positions)
        assert positions[0] == -1
        assert positions[3] == 0
        assert positions[-1] == 1


def test_a_wide_span_of_gradients_takes_a_logarithmic_scale_and_says_so():
    wide = fit_scale([np.array([1e-4, 1.0])], log=True)
    assert wide.log
    assert "log scale" in wide.text
    assert heat(1e-4, wide) >= 0.1
    assert not fit_scale([np.array([0.02, 1.0])], log=True).log
    assert not fit_scale([np.array([1e-4, 1.0])]).log


@pytest.mark.parametrize("values", [[], [np.zeros(3)], [np.array([np.nan, np.inf])]])
def test_a_scale_exists_even_where_there_is_nothing_to_measure(values):
    assert heat(0.0, fit_scale(values)) == 0


def test_a_rounded_number_does_not_look_like_a_whole_one():
    assert (short(1.003), short(1.0), short(5.1), short(0.5999)) == ("1.00", "1", "5.1", "0.60")


@pytest.mark.parametrize("shape", [(13,), (784,), (30, 20), (784, 128), (5, 4, 40)])
def test_the_map_of_a_large_array_shows_true_entries_and_all_of_it(shape):
    array = np.random.default_rng(0).normal(size=shape)
    array.flat[-1] = 50.0  # in the last corner, where a map that shows the first part has nothing
    found = tensor(array, Scale(0.1, 50.0))["map"]
    assert found["rows"] <= 32
    assert found["columns"] <= 48
    heat = unpacked_heats(found["heat"])
    assert len(heat) == len(found["long"]) == found["rows"] * found["columns"]
    assert found["long"][-1] == "50"
    assert heat[-1] == 1.0
    assert set(found["long"]) <= set(map(long, array.ravel()))
    rows = array.reshape(-1, shape[-1]).shape[0]
    assert (found["rows"] - 1) * found["block"][0] < rows <= found["rows"] * found["block"][0]


def test_a_map_shows_what_is_not_a_number():
    array = np.zeros((40, 40))
    array[39, 39] = np.nan
    array[0, 0] = -np.inf
    found = tensor(array, Scale(1.0, 1.0))["map"]
    heat = unpacked_heats(found["heat"])
    assert (found["long"][-1], heat[-1]) == ("NaN", 0.0)
    assert (found["long"][0], heat[0]) == ("−∞", -1.0)


def test_a_small_array_has_no_map():
    assert tensor(np.zeros((8, 12)), Scale(1.0, 1.0))["map"] is None


def test_a_block_shows_the_largest_of_its_entries_with_its_sign_and_what_is_no_number():
    matrix = np.zeros((200, 300))
    matrix[150, 299] = -7.0
    matrix[0, :2] = 3.0, -2.0
    assert pooled(matrix, [0, 100], [0, 100, 200]).tolist() == [[3, 0, 0], [0, 0, -7]]
    matrix[199, 0] = np.nan
    assert np.isnan(pooled(matrix, [0, 100], [0, 100])[1, 0])


def test_one_very_large_value_does_not_take_the_colour_of_all_others():
    values = [np.linspace(-0.3, 0.3, 100), np.array([12.0])]
    faint, seen = fit_scale(values), fit_value_scale(values)
    assert heat(0.3, faint) < 0.05
    assert 0.2 < heat(0.3, seen) < heat(2.0, seen) < heat(12.0, seen) == 1
    assert heat(-0.3, seen) == -heat(0.3, seen)
    assert seen.text.endswith("(log scale)")


def test_values_of_about_one_size_keep_a_linear_scale_though_some_are_tiny():
    scale = fit_value_scale([np.array([1.0, -2.0, 0.5, 1e-9])])
    assert not scale.log
    assert scale == fit_scale([np.array([1.0, -2.0, 0.5, 1e-9])])


@pytest.mark.parametrize("scale", [Scale(0.1, 2.0), Scale(1e-4, 3.0, log=True)])
def test_many_heats_are_those_of_each(scale):
    odd = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-40, 1e30, -2.0]
    entries = np.array([*odd, *np.random.default_rng(0).normal(0, 1, 92)]).reshape(10, 10)
    found = heats(entries, scale, digits=3)
    assert found == [round(heat(entry, scale), 3) for entry in entries.ravel().tolist()]
    assert heats(entries.astype(np.float32), scale) == pytest.approx(
        heats(entries, scale), abs=0.02
    )


@pytest.mark.parametrize("value", EMPTY)
def test_an_array_without_entries_has_none_to_be_seen(value):
    data = tensor(value, Scale(1.0, 1.0))
    assert (data["heat"], data["short"], data["words"], data["map"]) == ("", [], "[]", None)


def test_packed_heats_are_the_heats_and_those_of_a_map_have_two_digits():
    entries = np.random.default_rng(0).normal(size=(9, 13))
    scale = fit_scale([entries])
    data = tensor(entries, scale)
    assert unpacked_heats(data["heat"]) == heats(entries[:8, :12], scale, digits=3)
    assert unpacked_heats(data["map"]["heat"]) == heats(entries, scale, digits=2)
    few = tensor(np.array([0.5, -2.0, 0.0]), Scale(0.1, 2.0))
    assert few["heat"] == "+gAY/AAA"  # as in arrays.test.mjs


def test_many_arrays_are_shown_as_each_is():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((), (3,), (2, 3), (9, 13), (40, 50), (0,))]
    given = [(array, column) for array in arrays for column in (False, True)]
    scale = fit_scale(arrays)
    assert tensors(given, scale) == [tensor(array, scale, column) for array, column in given]


def test_the_words_of_an_array_are_its_numbers_in_their_order():
    array = np.array([[1.5, -0.0, np.nan], [-np.inf, 1e-7, -12345.6]])
    assert words(array) == f"[1.5, 0, NaN; {MINUS}∞, 1e{MINUS}7, {MINUS}12350]"
    assert words(array[0]) == tensor(array[0], Scale(1, 1))["words"] == "[1.5, 0, NaN]"
    assert tensor(array[0], Scale(1, 1), column=True)["words"] == "[1.5; 0; NaN]"


def test_many_numbers_are_written_as_each_is():
    odd = [0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, -1e4, 99995.0, 9999.5, 1e-4, -9.9995e-5]
    drawn = np.random.default_rng(0).normal(0, 1, 500) * 10 ** np.linspace(-9, 9, 500)
    assert longs([*odd, *drawn]) == [long(number) for number in [*odd, *drawn]]
    assert longs([1.0, -0.0]) == ["1", "0"]
    assert longs([]) == []
