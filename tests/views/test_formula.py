"""A formula is its shape and what stands in the gaps, and comes out as if converted whole."""

import json
from types import SimpleNamespace

import pytest

from backprop_nb.views.formula import Formulas, mathml
from backprop_nb.views.links import mark


def whole(formulas, reference):
    """Fill the gaps of a formula, as the browser does."""
    number, *texts = reference

    def filled(element):
        tag, text, attributes, children = element
        link = attributes.get("data-link")
        if isinstance(link, list):
            attributes = {**attributes, "data-link": link[0] + texts[link[1]]}
        return [
            tag,
            texts[text] if isinstance(text, int) else text,
            attributes,
            [filled(child) for child in children],
        ]

    return filled(formulas.shapes[number])


@pytest.mark.parametrize(
    "latex",
    [
        "x",
        "x_{12}",
        r"\frac{\partial L}{\partial f_{1}} = 2 \, x_{3}^{2}",
        r"\mathrm{x2y}_{3} + 1.001 \cdot 10^{-3}",
        r"\sigma(z_{10}) \; \text{+=} \; 0.5",
        r"\mathrm{layer\_1\_z}_{7}",
    ],
)
def test_a_formula_is_what_its_conversion_is(latex):
    formulas = Formulas()
    assert whole(formulas, formulas.add(latex)) == mathml(latex)


def test_formulas_that_differ_in_numbers_share_a_shape():
    formulas = Formulas()
    references = [formulas.add(rf"z_{{{k}}} = {k}.5 \, x_{{{k + 1}}}") for k in range(20)]
    assert len(formulas.shapes) == 1
    assert references[3] == [0, "3", "3.5", "4"]


def test_the_node_of_a_link_is_a_gap_too():
    formulas = Formulas()
    nodes = [SimpleNamespace(index=k) for k in (3, 12)]
    latex = [mark(rf"z_{{{node.index}}}", node, is_adjoint=True) + " + 1" for node in nodes]
    references = [formulas.add(text) for text in latex]
    assert references == [[0, "3", "3", "1"], [0, "12", "12", "1"]]
    assert [whole(formulas, each) for each in references] == [mathml(text) for text in latex]
    assert '"data-link": "a12"' in json.dumps(whole(formulas, references[1]))


def test_a_digit_inside_of_a_name_is_no_gap():
    formulas = Formulas()
    first, second = formulas.add(r"\mathrm{x2y}"), formulas.add(r"\mathrm{x3y}")
    assert first != second
    assert whole(formulas, first) == mathml(r"\mathrm{x2y}")
