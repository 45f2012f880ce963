"""How names, numbers and calls print: as NumPy source, and in the document's notation."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.tracing.graph import Node, Trace
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.tracing.rules.row import Row
from backprop_nb.tracing.rules.template import (
    ATOM,
    PRODUCT,
    UNARY,
    Printed,
    Template,
    number_text,
    quotient,
)

_LETTERS = (
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi "
    "psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
_GREEK = frozenset(_LETTERS.split())
_TYPED = dict(zip("αβγδεζηθκλμνξπρστφχψωΓΔΘΛΞΠΣΦΨΩ", _LETTERS.split(), strict=True))
"""Greek letters as a learner may type them; LaTeX wants their names."""
_ACCENTS = dict(
    zip(
        "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030c",
        ["grave", "acute", "hat", "tilde", "bar", "breve", "dot", "ddot", "check"],
        strict=True,
    )
)
"""What stands above a letter, of which TeX knows the name alone."""


@lru_cache(maxsize=4096)
def name_to_latex(name: str) -> str:
    r"""Return a name as mathematics: a letter is italic, a digit at the end a subscript.

    >>> name_to_latex("A0"), name_to_latex("theta"), name_to_latex("my_loss")
    ('A_{0}', '\\theta', '\\mathrm{my\\_loss}')
    >>> name_to_latex("θ1"), name_to_latex("dδ"), name_to_latex("ŷ2")
    ('\\theta_{1}', '\\mathrm{d{\\delta}}', '\\hat{y}_{2}')
    """
    digits = name[len(name.rstrip("0123456789")) :]
    stem = name.removesuffix(digits).removesuffix("_") if digits else name
    stem = _TYPED.get(stem, stem)
    if stem in _GREEK:
        text = f"\\{stem}"
    else:
        letters = _letters(stem)
        is_one = len(letters) == 1 and stem[0].isalpha()
        text = letters[0] if is_one else rf"\mathrm{{{''.join(letters)}}}"
    return f"{text}_{{{digits}}}" if digits else text


def _letters(name: str) -> list[str]:
    """Return the letters of a name, each with the accents above it."""
    letters: list[str] = []
    for each in unicodedata.normalize("NFC", name):
        apart = unicodedata.normalize("NFD", each)
        # A syllable of Korean comes apart as well, but into no accents.
        for letter in apart if all(map(unicodedata.combining, apart[1:])) else each:
            if letter in _ACCENTS and letters:
                letters[-1] = rf"\{_ACCENTS[letter]}{{{letters[-1]}}}"
            elif unicodedata.combining(letter) and letters:
                letters[-1] = unicodedata.normalize("NFC", rf"\text{{{letters[-1]}{letter}}}")
            elif letter in _TYPED:
                letters.append(rf"{{\{_TYPED[letter]}}}")
            elif letter.isalnum():  # TeX takes one of another alphabet among text alone
                letters.append(letter if letter.isascii() else rf"\text{{{letter}}}")
            else:
                letters.append(r"\_")
    return letters


def derivative_to_latex(output: str, name: str) -> str:
    r"""Return the derivative of ``output`` with respect to ``name``.

    >>> print(derivative_to_latex("L", "f1"))
    \frac{\partial L}{\partial f_{1}}
    """
    return rf"\frac{{\partial {name_to_latex(output)}}}{{\partial {name_to_latex(name)}}}"


def number_to_latex(value: Any) -> str:
    """Return a literal; an array that has no name is a bold c."""
    if np.ndim(value):
        return r"\mathbf{c}"
    if isinstance(value, bool | np.bool):
        return rf"\mathrm{{{str(value).lower()}}}"
    if not np.isfinite(value):
        return f"{value:g}".replace("inf", r"\infty").replace("nan", r"\mathrm{NaN}")
    if type(value) is float and (found := quotient(value)):
        top, below = found
        return rf"{'-' * (top < 0)}\frac{{{abs(top)}}}{{{below}}}"
    mantissa, _, exponent = f"{value:g}".partition("e")
    if not exponent:
        return mantissa
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


class Notation(NamedTuple):
    """One way to write a computation down.

    Attributes
    ----------
    name
        From a node's name to the text.
    adjoint
        From the name of the output and a node to the derivative of one by the other.
    number
        From a literal, or an array without a name, to the text.
    template
        From a row, and whether one of the arguments is a number, to how the call prints.
    """

    name: Callable[[str], str]
    adjoint: Callable[[str, Node], str]
    number: Callable[[Any], str]
    template: Callable[[Row, bool], Template]

    def literal(self, value: Any) -> Printed:
        """Return a number as it stands; a sign, a power of ten or a quotient is no atom."""
        text = self.number(value)
        if "^" in text or "/" in text or "frac" in text:
            return text, PRODUCT
        return text, UNARY if text.startswith("-") else ATOM

    def call(
        self,
        row: Row,
        arguments: Sequence[Printed],
        keywords: Mapping[str, Any],
        with_number: bool,
    ) -> Printed:
        """Return a call with its arguments put in, and brackets where they are needed."""
        template = self.template(row, with_number)
        texts = [
            f"({text})" if precedence < template.operand(k) else text
            for k, (text, precedence) in enumerate(arguments)
        ]
        return template.fill(texts, keywords), template.precedence

    def expressions(self, trace: Trace, leaves: Sequence[Printed]) -> list[Printed]:
        """Return every node of a trace as one expression in its inputs, the ``leaves``."""
        printed = list(leaves)
        for record in trace.records[len(leaves) :]:
            if record.row is CONSTANT:
                printed.append(self.literal(record.value))
                continue
            arguments = [
                self.literal(value) if parent is None else printed[parent]
                for parent, value in zip(record.parents, record.args, strict=True)
            ]
            with_number = any(np.ndim(value) == 0 for value in record.args)
            printed.append(self.call(record.row, arguments, record.keywords, with_number))
        return printed


NUMPY = Notation(
    name=str,
    adjoint=lambda output, node: node.adjoint_name,
    number=number_text,
    template=lambda row, with_number: row.numpy,
)
LATEX = Notation(
    name=name_to_latex,
    adjoint=lambda output, node: derivative_to_latex(output, node.name),
    number=number_to_latex,
    template=lambda row, with_number: (with_number and row.latex_with_number) or row.latex,
)
