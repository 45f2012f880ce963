"""The lines of code around an expression: their numbers, marks, and what is left out."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.excerpt import (
    CodeLine,
    caret_lines,
    function_lines,
    is_placed,
    marked_lines,
)
from backprop_nb.tracing.source import Source


def source(text, expression, block=None):
    """The first place of an expression in a text, whose whole is the function by default."""
    at = text.index(expression)
    start, end = (text[: at + n] for n in (0, len(expression)))
    places = [(t.count("\n") + 1, len(t) - t.rfind("\n") - 1) for t in (start, end)]
    return Source(expression, "cell", *places, block or (1, text.count("\n") + 1), text)


def columns_of(lines):
    return [[line.text[start:end] for start, end in line.marks] for line in lines]


def test_an_expression_is_marked_in_its_line_with_the_number_it_has_in_the_file():
    text = "x = 1\n\ndef f(a):\n    b = a + a\n    return b\n"
    place = source(text, "a + a", (3, 5))
    assert marked_lines([place]) == [CodeLine(4, "    b = a + a", ((8, 13),), True)]
    lines = function_lines([place])
    assert [line.number for line in lines] == [3, 4, 5]
    assert columns_of(lines) == [[], ["a + a"], []]


def test_the_place_that_the_tracer_gives_marks_the_expression_itself():
    def f(x):
        ä = x * 2  # a column in characters is not one in bytes
        return np.sum(ä * (ä + 3.0))

    node = next(each for each in bp.trace(f, np.ones(2)).nodes if each.op == "multiply"
                and each.source == "ä * (ä + 3.0)")  # fmt: skip
    (line,) = marked_lines([node.source])
    assert columns_of([line]) == [["ä * (ä + 3.0)"]]
    assert "def f(x):" in function_lines([node.source])[0].text


def test_an_expression_of_several_lines_is_marked_in_each_without_the_space_around_it():
    text = "def f(a):\n    b = max(\n        a,  \n        1,\n    )\n    return b"
    place = source(text, "max(\n        a,  \n        1,\n    )")
    lines = marked_lines([place])
    assert columns_of(lines) == [["max("], ["a,"], ["1,"], [")"]]
    assert [line.starts for line in lines] == [True, False, False, False]
    assert list(caret_lines([place]))[2:4] == ["  3 |         a,", "              ^^"]


def test_an_empty_line_within_an_expression_has_no_mark():
    text = "def f(a):\n    return (a\n\n        + 1)"
    lines = marked_lines([source(text, "(a\n\n        + 1)")])
    assert columns_of(lines) == [["(a"], [], ["+ 1)"]]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_python_counts_them(newline):
    text = newline.join(["def f(a):", '    "\f page \u2028"', "    return a + 1"])
    place = Source("a + 1", "cell", (3, 11), (3, 16), (1, 3), text)
    assert list(caret_lines([place])) == ["  3 |     return a + 1", "                 ^^^^^"]


@pytest.mark.parametrize(
    ("line", "space"),
    [("\ty = a + 1", "\t    "), ("y = '漢', a + 1", 10 * " "), ("y = 'a\u0301', a + 1", 9 * " ")],
)
def test_carets_stand_below_the_expression_whatever_stands_before_it(line, space):
    above, below = caret_lines([source(line, "a + 1")])
    assert above == f"  1 | {line}"
    assert below == f"      {space}^^^^^"


LONG = "def f(a):\n" + "\n".join(f"    a = a + {k}" for k in range(2, 40)) + "\n    return a"


def test_of_a_long_function_its_head_and_what_is_near_are_shown_and_the_rest_is_counted():
    lines = function_lines([source(LONG, "a + 20")])
    first, gap, *near, rest = lines
    assert first.number == 1
    assert [line.number for line in near] == list(range(15, 27))
    assert columns_of(near)[5] == ["a + 20"]
    shown = [line for line in lines if isinstance(line, CodeLine)]
    assert gap + rest + len(shown) == LONG.count("\n") + 1


def test_two_places_in_a_long_function_have_a_window_each():
    lines = function_lines([source(LONG, "a + 35"), source(LONG, "a + 8")])
    marked = [line.number for line in lines if isinstance(line, CodeLine) and line.marks]
    assert marked == [8, 35]
    assert [each for each in lines if isinstance(each, int)] == [15]


def test_a_single_line_is_shown_and_not_counted():
    lines = function_lines([source(LONG, "a + 8")])
    assert [line.number for line in lines[:3]] == [1, 2, 3]


def test_an_expression_without_a_text_has_no_place():
    assert not is_placed("a + 1")
    assert not is_placed(Source("a + 1", "cell", (1, 0), (1, 5)))
    assert is_placed(source("a + 1", "a + 1"))
    assert list(caret_lines([])) == []
