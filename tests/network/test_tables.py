"""Numbers, matrices and tables as they are shown: aligned, short, and never as markup."""

import numpy as np
import pytest

from backprop_nb.network.tables import (
    escaped,
    markdown_table,
    matrix_latex,
    matrix_text,
    number_text,
    prose,
    residual_text,
    text_table,
    wrapped,
)

ROWS = [("name", "count"), ("a", "1"), ("longer", "1,000")]


def test_columns_are_aligned_to_their_side():
    assert text_table(ROWS, "<>") == "name    count\na           1\nlonger  1,000"


def test_columns_without_room_follow_below_with_the_first_again():
    names = [f"saturated_{k:02}" for k in range(12)]
    tables = text_table([["epoch", *names], ["1", *"abcdefghijkl"]], "<" + ">" * 12).split("\n\n")
    heads, bodies = zip(*(each.splitlines() for each in tables), strict=True)
    assert [head.split() for head in heads] == [["epoch", *names[:6]], ["epoch", *names[6:]]]
    assert [body.split() for body in bodies] == [["1", *"abcdef"], ["1", *"ghijkl"]]
    assert max(map(len, heads)) <= 100
    assert len(text_table([["a" * 120, "b" * 120]], "<<").splitlines()) == 1


def test_a_markdown_table_says_the_side():
    assert markdown_table(ROWS[:2], "<>") == "| name | count |\n| :-- | --: |\n| a | 1 |"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>", "&lt;b&gt;"),
        ("a & b", "a &amp; b"),
        ("f_1 | *x*", "f&#95;1 &#124; &#42;x&#42;"),
        ("$x$ `y`", "&#36;x&#36; &#96;y&#96;"),
        ("[a](b)\\", "&#91;a&#93;(b)&#92;"),
    ],
)
def test_text_is_no_markup(text, shown):
    assert escaped(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("f_K of A_i", "$f_{K}$ of $A_{i}$"),
        ("θ_{K−2}.", r"$\theta_{K-2}$."),
        ("∂L/∂θ_12", r"$\partial L/\partial \theta_{12}$"),
        ("net.x_1, sigma_prime", "net.x&#95;1, sigma&#95;prime"),
        ("θ_{<b>}", "θ&#95;{&lt;b&gt;}"),
    ],
)
def test_the_symbols_of_a_sentence_are_formulas(text, shown):
    assert prose(text) == shown


@pytest.mark.parametrize(
    ("residual", "dtype", "text"),
    [
        (0.0, np.float64, "< 1e-12"),
        (9e-13, np.float64, "< 1e-12"),
        (1.5e-12, np.float64, "1.5e-12"),
        (9e-5, np.float32, "< 1e-4"),
        (2e-4, np.float32, "0.0002"),
        (0.59471, np.float64, "0.595"),
        (np.nan, np.float64, "nan"),
        (np.inf, np.float64, "inf"),
    ],
)
def test_rounding_is_shown_as_a_bound(residual, dtype, text):
    assert residual_text(residual, dtype) == text


def test_numbers_have_four_digits_and_zero_no_sign():
    assert [number_text(v) for v in (1 / 3, -0.0, 12345.6, 1e-7, np.float32(0.1))] == [
        "0.3333",
        "0",
        "1.235e+04",
        "1e-07",
        "0.1",
    ]


def test_a_vector_is_a_row_and_a_matrix_is_aligned():
    assert matrix_text(np.array([1.0, 2.0])) == "[1  2]"
    assert matrix_text(np.array([[1.0, -20.0], [0.5, 3.0]])) == "[  1  -20]\n[0.5    3]"


def test_a_large_matrix_is_cut():
    text = matrix_text(np.ones((20, 30))).splitlines()
    assert len(text) == 7
    assert text[0] == "[1  1  1  1  1  1  1  1  …]"
    assert text[-1] == "[" + "  ".join("…" * 9) + "]"
    assert matrix_latex(np.ones((7, 1))).count(r"\\") == 6
    assert r"\vdots \end{bmatrix}" in matrix_latex(np.ones((7, 1)))
    assert r"& \cdots \end{bmatrix}" in matrix_latex(np.ones(9))


def test_a_matrix_as_latex():
    assert matrix_latex(np.array([[1.0, 2e-9], [3e5, 0.5]])) == (
        r"\begin{bmatrix} 1 & 2 \cdot 10^{-9} \\ 3 \cdot 10^{5} & 0.5 \end{bmatrix}"
    )


def test_a_paragraph_is_wrapped_and_indented():
    lines = wrapped("word " * 40, indent="  ").splitlines()
    assert len(lines) == 3
    assert all(line.startswith("  word") and len(line) <= 88 for line in lines)
