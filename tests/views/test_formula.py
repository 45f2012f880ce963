"""A formula is converted by its shape, and comes out as if it had been converted by itself."""

import json
from types import SimpleNamespace

import pytest

from backprop_nb.views import formula
from backprop_nb.views.formula import Formulas, filled, mathml
from backprop_nb.views.links import mark


@pytest.fixture
def by_itself(monkeypatch):
    """A function that converts a formula without its shape."""

    def convert(latex):
        with monkeypatch.context() as without:
            without.setattr(formula, "_shape", lambda key, gaps: None)
            return mathml(latex)

    return convert


@pytest.fixture
def conversions(monkeypatch):
    """How many formulas are converted, from now on."""
    formula._shape.cache_clear()
    converted, done = formula._converted, []
    monkeypatch.setattr(formula, "_converted", lambda latex: done.append(1) or converted(latex))
    return done


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
def test_a_formula_is_what_its_conversion_is(latex, by_itself):
    assert mathml(latex) == by_itself(latex)


def test_formulas_that_differ_in_numbers_are_converted_once(conversions, by_itself):
    latex = [rf"z_{{{k}}} = {k}.5 \, x_{{{k + 1}}}" for k in range(20)]
    made = [mathml(each) for each in latex]
    assert len(conversions) == 1
    assert made == [by_itself(each) for each in latex]


def test_the_node_of_a_link_is_its_own(conversions, by_itself):
    nodes = [SimpleNamespace(index=k) for k in (3, 12)]
    latex = [mark(rf"z_{{{node.index}}}", node, is_adjoint=True) + " + 1" for node in nodes]
    made = [mathml(each) for each in latex]
    assert len(conversions) == 1
    assert made == [by_itself(each) for each in latex]
    assert '"data-link": "a12"' in json.dumps(made[1])


def test_each_shape_of_a_scene_travels_once_and_its_formulas_are_whole():
    scene = Formulas()
    latex = ["x_{1}", "x_{2}", r"\text{2 of 3}", r"\text{3 of 3}", "x_{3}"]
    made = [scene.formula(each) for each in latex]
    assert [shape for shape, *_ in made] == [0, 0, 1, 2, 0]
    assert made[4] == [0, "3"]
    assert scene.shapes[0][1::2] == (0,)  # the browser tells pieces and gaps by their types
    whole = [filled(scene.shapes[shape], texts) for shape, *texts in made]
    assert whole == [mathml(each) for each in latex]


def test_a_digit_inside_of_a_name_stays_there(by_itself):
    first, second = (mathml(rf"\mathrm{{{name}}}") for name in ("x2y", "x3y"))
    assert first != second
    assert first == by_itself(r"\mathrm{x2y}")
