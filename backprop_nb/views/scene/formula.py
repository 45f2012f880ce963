"""LaTeX as MathML, in the form of plain data that a page can build without markup."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

Element = list[Any]
"""``[tag, text, attributes, children]``."""

_ATTRIBUTES = frozenset({"mathvariant", "width", "stretchy", "fence"})


def mathml(latex: str) -> Element:
    """Return a formula as nested ``[tag, text, attributes, children]``.

    A page makes the elements one by one and puts the texts in as text, so that
    nothing in a formula can become markup.
    """
    from latex2mathml.converter import convert

    return _plain(ElementTree.fromstring(convert(latex)))


def _plain(element: ElementTree.Element) -> Element:
    tag = element.tag.rpartition("}")[2]
    kept = {key: value for key, value in element.attrib.items() if key in _ATTRIBUTES}
    return [tag, (element.text or "").strip(), kept, [_plain(child) for child in element]]
