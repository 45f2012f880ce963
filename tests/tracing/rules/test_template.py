"""Templates fill in their arguments, and literals evaluate to what they are printed from."""

import numpy as np
import pytest

from backprop_nb.tracing.rules.template import (
    Precedence,
    Template,
    call_text,
    infix,
    latex_name,
    literal,
)

# --- templates --------------------------------------------------------------------


def test_a_pattern_takes_its_arguments_by_number():
    assert Template("#2 - #1").fill(["a", "b"], {}) == "b - a"


def test_an_argument_that_looks_like_a_placeholder_is_left_alone():
    assert Template("#1 + #2").fill(["#2", r"\1"], {}) == r"#2 + \1"


def test_the_last_need_counts_for_all_further_arguments():
    template = Template("", operands=(Precedence.SUM, Precedence.ATOM))
    assert [template.operand(k) for k in range(4)] == [Precedence.SUM, *[Precedence.ATOM] * 3]


def test_a_call_prints_its_options_by_name():
    options = {"keepdims": True, "axis": (0, 1)}
    assert call_text("np.f", ["x", "y"], options) == "np.f(x, y, keepdims=True, axis=(0, 1))"


def test_the_right_operand_of_an_infix_must_hold_together_more_tightly():
    template = infix("#1 - #2", Precedence.SUM)
    assert template.operands == (Precedence.SUM, Precedence.PRODUCT)


def test_a_function_has_its_latex_command_or_upright_letters():
    assert latex_name("sin") == r"\sin"
    assert latex_name("take_along") == r"\mathrm{take\_along}"


# --- literals -----------------------------------------------------------------

VALUES = [
    None,
    True,
    -3,
    0.1,
    "C",
    1e-300,
    float("inf"),
    -float("inf"),
    np.float64(0.1),
    np.float32(0.1),
    np.longdouble(0.5),
    np.int64(7),
    np.True_,
    (),
    (1,),
    (0, -1),
    [1, [2.5, None]],
    slice(None, 2),
    (slice(1, None, -1), None, 0),
]
ARRAYS = [
    np.arange(6).reshape(2, 3),
    np.array([0.1, -np.inf, np.nan]),
    np.array([True, False]),
    np.float32([0.1, 0.2]),
    np.array([0.5], dtype=np.longdouble),
    np.zeros((0, 3)),
    np.array([], dtype=np.intp),
    np.array(2.5),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_literal_evaluates_to_the_value(value):
    assert eval(literal(value), {"np": np}) == value


@pytest.mark.parametrize("value", ARRAYS, ids=repr)
def test_an_array_evaluates_to_the_same_shape_dtype_and_entries(value):
    found = eval(literal(value), {"np": np})
    assert (found.shape, found.dtype) == (value.shape, value.dtype)
    np.testing.assert_array_equal(found, value)


def test_an_ellipsis_and_not_a_number_are_literals_too():
    assert eval(literal(...)) is ...
    assert np.isnan(eval(literal(float("nan")), {"np": np}))


@pytest.mark.parametrize("value", [object(), print, {"a": 1}, np.array([print])])
def test_nothing_unknown_becomes_code(value):
    with pytest.raises(TypeError, match="no source text for a "):
        literal(value)


def test_text_cannot_end_its_own_quotes():
    hostile = "x'); print('owned"
    assert eval(literal(hostile)) == hostile
