"""LaTeX as MathML, in the form of plain data that a page can build without markup."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from backprop_nb.views.links import as_classes

Element = list[Any]
"""``[tag, text, attributes, children]``; in a shape, ``text`` may be the number of a gap, and
``data-link`` the letter of a link with the gap of its node."""
Formula = list[Any]
"""The number of a shape, then what stands in its gaps."""

_ATTRIBUTES = frozenset({"mathvariant", "width", "stretchy", "fence"})
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MARK = 9_000_001
"""The first of the numbers that stand in the gaps of a shape while it is converted."""


def mathml(latex: str) -> Element:
    """Return a formula as nested ``[tag, text, attributes, children]``.

    A page makes the elements one by one and puts the texts in as text, so that
    nothing in a formula can become markup.  The element of a marked name has
    its link as ``data-link``.
    """
    from latex2mathml.converter import convert

    return _plain(ElementTree.fromstring(convert(as_classes(latex))))


class Formulas:
    """The formulas of one scene, of which each shape is kept once.

    The formulas of a graph differ in hardly anything but their numbers: z₁ = σ(x₁)
    and z₂ = σ(x₂) have one shape.  So converting one and sending one is enough.

    Attributes
    ----------
    shapes
        Formulas with gaps, numbered from 0, in place of their numbers.

    Examples
    --------
    >>> formulas = Formulas()
    >>> formulas.add("x_{1}"), formulas.add("x_{25}"), len(formulas.shapes)
    ([0, '1'], [0, '25'], 1)
    """

    def __init__(self) -> None:
        self.shapes: list[Element] = []
        self._known: dict[str, int] = {}

    def add(self, latex: str) -> Formula:
        """Return a formula as the number of its shape and the texts in its gaps."""
        key = _NUMBER.sub("0", latex)
        texts = _NUMBER.findall(latex)
        shape = _shape(key, len(texts))
        if shape is None:
            key, texts, shape = latex, [], mathml(latex)
        if key not in self._known:
            self._known[key] = len(self.shapes)
            self.shapes.append(shape)
        return [self._known[key], *texts]


@lru_cache(maxsize=4096)
def _shape(key: str, gaps: int) -> Element | None:
    """Return the shape of all formulas that are like ``key``, but for their numbers.

    ``None`` if a number comes out neither as an element of its own nor in a link.
    """
    marks = iter(range(_MARK, _MARK + gaps))
    shape = mathml(_NUMBER.sub(lambda _: str(next(marks)), key))
    found: list[int] = []
    pending = [shape]
    while pending:
        element = pending.pop()
        pending += element[3]
        text, link = element[1], element[2].get("data-link", "")
        if text.isdecimal() and _MARK <= int(text) < _MARK + gaps:
            element[1] = int(text) - _MARK
            found.append(element[1])
        if link:
            element[2]["data-link"] = [link[0], int(link[1:]) - _MARK]
            found.append(int(link[1:]) - _MARK)
    return shape if sorted(found) == list(range(gaps)) else None


def _plain(element: ElementTree.Element) -> Element:
    tag = element.tag.rpartition("}")[2]
    kept = {key: value for key, value in element.attrib.items() if key in _ATTRIBUTES}
    children = [_plain(child) for child in element]
    link = {"data-link": element.attrib["class"]} if "class" in element.attrib else {}
    if tag == "mrow" and len(children) == 1 and "data-link" not in children[0][2]:
        # A row of one is that one.
        only_tag, text, attributes, inside = children[0]
        return [only_tag, text, attributes | link, inside]
    return [tag, (element.text or "").strip(), kept | link, children]
