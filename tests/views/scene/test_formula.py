"""Formulas reach the page as elements, and texts in them as text."""

import json

from backprop_nb.tracing.emit.latex import adjoint_to_latex, name_to_latex
from backprop_nb.views.scene.formula import mathml


def walk(element):
    yield element
    for child in element[3]:
        yield from walk(child)


def tags(element):
    return {tag for tag, *_ in walk(element)}


def test_a_derivative_is_a_fraction_with_subscripts():
    found = tags(mathml(adjoint_to_latex("L", "f1")))
    assert {"math", "mfrac", "msub"} <= found


def test_a_formula_is_plain_json():
    json.dumps(mathml(r"\frac{\partial L}{\partial A_{1}} \odot {x}^{\top}"))


def test_a_hostile_name_stays_text():
    element = mathml(name_to_latex("<img src=x onerror=alert(1)>"))
    assert "img" not in tags(element)
    assert all(tag in {"math", "mrow", "mi", "mo", "mn", "mtext", "msub"} for tag in tags(element))


def test_only_known_attributes_travel():
    attributes = {name for element in walk(mathml(r"\mathrm{loss}(x)")) for name in element[2]}
    assert attributes <= {"mathvariant", "width", "stretchy", "fence"}
