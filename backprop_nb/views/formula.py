"""LaTeX as MathML, in the form of plain data that a page can build without markup."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from xml.etree import ElementTree

from backprop_nb.views.links import as_classes
from backprop_nb.views.schema import Element, Formula, FormulaShape

_ATTRIBUTES = frozenset({"mathvariant", "width", "stretchy", "fence"})
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_GAP = 9_000_001
"""The first of the numbers that stand in the gaps of a shape while it is converted."""
_IN_A_GAP = re.compile(r'(?<=["av])(9\d{6})(?=")')


def mathml(latex: str) -> Element:
    """Return a formula as nested ``[tag, text, attributes, children]``, without an empty rest.

    A page makes the elements one by one and puts the texts in as text, so that
    nothing in a formula can become markup.  The element of a marked name has
    its link as ``data-link``.
    """
    return filled(*_shaped(latex))


def filled(shape: FormulaShape, texts: Sequence[str]) -> Element:
    """Return the element that a shape is with texts in its gaps, as ``filled`` in elements.mjs."""
    parts = (part if isinstance(part, str) else texts[part] for part in shape)
    element: Element = json.loads("".join(parts))
    return element


class Formulas:
    """The formulas of a scene, of which each shape travels once."""

    def __init__(self) -> None:
        self._numbers: dict[FormulaShape, int] = {}

    @property
    def shapes(self) -> list[FormulaShape]:
        """The shapes of all formulas so far."""
        return list(self._numbers)

    def formula(self, latex: str) -> Formula:
        """Return a formula by its shape; ``filled`` makes it whole."""
        shape, texts = _shaped(latex)
        return [self._numbers.setdefault(shape, len(self._numbers)), *texts]


def _shaped(latex: str) -> tuple[FormulaShape, list[str]]:
    """Return the shape of a formula, and the numbers in its gaps.

    The formulas of a graph differ in hardly anything but their numbers: z₁ = σ(x₁)
    and z₂ = σ(x₂) have one shape.  So each shape is converted once.
    """
    texts = _NUMBER.findall(latex)
    shape = _shape(_NUMBER.sub("0", latex), len(texts))
    return (shape, texts) if shape else (_whole(latex), [])


@lru_cache(maxsize=4096)
def _shape(key: str, gaps: int) -> FormulaShape | None:
    """Return the shape of all formulas that are like ``key``, but for their numbers.

    ``None`` if a number comes out neither as an element of its own nor in a link.
    """
    numbers = [str(_GAP + k) for k in range(gaps)]
    left = iter(numbers)
    shape = _converted(_NUMBER.sub(lambda _: next(left), key))
    if sorted(_in_gaps(shape)) != numbers:
        return None
    parts: list[str | int] = list(_IN_A_GAP.split(_json(shape)))
    parts[1::2] = [int(number) - _GAP for number in parts[1::2]]
    return tuple(parts)


@lru_cache(maxsize=4096)
def _whole(latex: str) -> FormulaShape:
    return (_json(_converted(latex)),)


def _json(element: Element) -> str:
    return json.dumps(_trimmed(element), separators=(",", ":"))


def _in_gaps(element: Element) -> list[str]:
    """Return the numbers that stand alone in an element, a link or a child."""
    _, text, attributes, children = element
    own = [each for each in (text, attributes.get("data-link", "")[1:]) if _is_gap(each)]
    return own + [found for child in children for found in _in_gaps(child)]


def _is_gap(text: str) -> bool:
    return text.isdecimal() and int(text) >= _GAP


def _trimmed(element: Element) -> Element:
    tag, text, attributes, children = element
    kept = [tag, text, attributes, [_trimmed(child) for child in children]]
    while not kept[-1]:
        kept.pop()
    return kept


def _converted(latex: str) -> Element:
    from latex2mathml.converter import convert

    return _plain(ElementTree.fromstring(convert(as_classes(latex))))


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
