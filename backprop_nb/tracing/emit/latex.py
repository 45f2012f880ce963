"""Names and numbers in LaTeX, in the document's notation."""

from __future__ import annotations

from typing import Any

import numpy as np

_LETTERS = (
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi "
    "psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
_GREEK = frozenset(_LETTERS.split())


def name_to_latex(name: str) -> str:
    r"""Return a name as mathematics: a letter is italic, a digit at the end a subscript.

    >>> name_to_latex("A0"), name_to_latex("theta"), name_to_latex("my_loss")
    ('A_{0}', '\\theta', '\\mathrm{my\\_loss}')
    """
    digits = name[len(name.rstrip("0123456789")) :]
    stem = name.removesuffix(digits).removesuffix("_") if digits else name
    if stem in _GREEK:
        text = f"\\{stem}"
    elif len(stem) == 1 and stem.isalpha():
        text = stem
    else:
        letters = "".join(c if c.isalnum() else r"\_" for c in stem)
        text = rf"\mathrm{{{letters}}}"
    return f"{text}_{{{digits}}}" if digits else text


def adjoint_to_latex(output: str, name: str) -> str:
    r"""Return the derivative of ``output`` with respect to ``name``.

    >>> print(adjoint_to_latex("L", "f1"))
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
    mantissa, _, exponent = f"{value:g}".partition("e")
    if not exponent:
        return mantissa
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
