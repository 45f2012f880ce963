"""The document's statements in order, as it prints them and as they are right, with a check.

The document is a page of lecture notes on backpropagation (Jack David Carson,
1 February 2025), in the notation of *Mathematics for Machine Learning*, section
5.6.  Everywhere in this package a statement of it is referred to by its tag, as
in "equation [loss]".

The two sides of an equation are computed by means that know nothing of each
other, so that :meth:`Equation.check` can fail.

Examples
--------
>>> from backprop_nb import SigmoidNetwork
>>> net, x, y = SigmoidNetwork((2, 3, 2), seed=0), [1.0, 2.0], [0.0, 1.0]
>>> equation("loss").check(net, x, y) < 1e-12
True
>>> [erratum.tag for erratum in ERRATA]
['title', 'loss', 'chain-second']
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from backprop_nb import display
from backprop_nb.errors import BackpropError, InvalidValueError, NotFoundError, ShapeError
from backprop_nb.meant import one_of
from backprop_nb.network.network import Network
from backprop_nb.network.passes import sigma
from backprop_nb.network.sigmoid import SigmoidNetwork
from backprop_nb.network.tables import (
    Cells,
    escaped,
    markdown_table,
    prose,
    residual_text,
    text_table,
    wrapped,
)
from backprop_nb.network.theta import flatten, unflatten
from backprop_nb.network.validation import FloatArray

Form: TypeAlias = Literal["corrected", "printed"]
Sides: TypeAlias = Iterator[tuple[Any, Any]]

# --- what the sides are computed from ---------------------------------------


@dataclass(frozen=True, eq=False)
class Example:
    """A network with data that fit it, all checked."""

    net: Network
    A: list[FloatArray]
    b: list[FloatArray]
    x: FloatArray
    y: FloatArray

    @classmethod
    def checked(cls, net: Network, x: ArrayLike, y: ArrayLike) -> Example:
        """Return the example, or raise if the network is another or the data do not fit it."""
        net.check_is_document("An equation of the document")
        return cls(net, *net.checked(x, y))

    @property
    def rows(self) -> list[tuple[FloatArray, FloatArray]]:
        """Each input with its target."""
        return list(zip(np.atleast_2d(self.x), np.atleast_2d(self.y), strict=True))


# --- the equations' sides ---------------------------------------------------
#
# Each function yields pairs (left side, right side).  The left is the package's
# own way; the right is written once more, from the equation.


def _sigmoid(z: float) -> float:
    """Return 1 / (1 + e^(−z)) for one number; where e^(−z) is no float any more, that is 0."""
    try:
        return 1 / (1 + math.exp(-z))
    except OverflowError:
        return 0.0


def _layer(A: FloatArray, b: FloatArray, x: FloatArray) -> FloatArray:
    """Return f_i of x_{i−1}, for a single vector or for each row of a batch."""
    if x.ndim == 2:
        return np.array([_layer(A, b, row) for row in x])
    return np.array([_sigmoid(z) for z in (A @ x + b).tolist()])


def _composition(case: Example) -> Sides:
    f = case.x
    for A_i, b_i in zip(case.A, case.b, strict=True):
        f = _layer(A_i, b_i, f)
    yield case.net(case.x), f


def _one_layer(case: Example) -> Sides:
    f = case.net.forward(case.x).f
    for i in range(1, case.net.K + 1):
        yield f[i], _layer(case.A[i - 1], case.b[i - 1], f[i - 1])


def _sigmoid_curve(case: Example) -> Sides:
    for z in case.net.forward(case.x).z.values():
        yield sigma(z).ravel(), [_sigmoid(v) for v in z.ravel().tolist()]


def _loss(case: Example) -> Sides:
    norms = [np.linalg.norm(y - case.net(x)) for x, y in case.rows]
    yield case.net.loss(case.x, case.y), np.mean(np.square(norms))


def _loss_printed(case: Example) -> Sides:
    norms = [np.linalg.norm(y - case.net(x) ** 2) for x, y in case.rows]
    yield case.net.loss(case.x, case.y), np.mean(norms)


def _theta(case: Example) -> Sides:
    A, b = unflatten(flatten(case.A, case.b), case.net.widths)
    yield case.net(case.x), SigmoidNetwork.from_parameters(A, b)(case.x)


def _chain(case: Example, left: int, right: int) -> Sides:
    """Compare the gradient for θ_{K−left} with the chain for θ_{K−right}."""
    if right > case.net.K:
        raise NotFoundError(
            "A network of one layer has no equation [chain-second]: there is no θ_{K−2}.",
            given="K = 1",
            expected="K = 2 or more",
        )
    yield _gradient(case, case.net.K - left), _product(case, case.net.K - right)


def _chain_general(case: Example) -> Sides:
    for back in range(1, case.net.K + 1):
        yield from _chain(case, back, back)


def _gradient(case: Example, i: int) -> FloatArray:
    """Return ∂L/∂θ_i from the backward pass, which builds no Jacobian: a row."""
    gradient = case.net.backward(case.x, case.y)
    return flatten([gradient.A[i]], [gradient.b[i]])[np.newaxis]


def _product(case: Example, i: int) -> FloatArray:
    """Return ∂L/∂θ_i as a product of Jacobians; for a batch the mean over its rows."""
    products = [case.net.chain(x, y, i).product() for x, y in case.rows]
    mean: FloatArray = np.mean(products, axis=0)
    return mean


# --- a statement ------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Passage:
    """What the document says in one place.

    Attributes
    ----------
    tag : str
        How it is referred to.
    title : str
        A few words.
    printed : str
        What the document prints.
    corrected : str or None
        What it should be; None where the document is right.
    reason : str
        What it means; of an erratum, why it is one.
    """

    tag: str
    title: str
    printed: str
    corrected: str | None
    reason: str

    def __str__(self) -> str:
        return self.describe()

    def describe(self) -> str:
        """Return the passage as text: tag, title, both forms, reason."""
        forms = [f"  {self.printed}"]
        if self.corrected:
            forms = [f"  as printed:   {self.printed}", f"  as corrected: {self.corrected}"]
        head = f"[{self.tag}] {self.title}"
        return "\n".join([display.folded([head, *forms]), wrapped(self.reason, "  ")])


class Spelling(Passage):
    """An erratum in the document's words: no number goes wrong."""

    def _repr_markdown_(self) -> str:
        title, printed, reason = map(escaped, (self.title, self.printed, self.reason))
        words = f"As printed: {printed}. As corrected: {escaped(self.corrected or '')}."
        return f"**{title}**\n\n{words}\n\n{reason}"


@dataclass(frozen=True, eq=False, repr=False)
class Equation(Passage):
    r"""One equation of the document; its forms are LaTeX, in the notation of this package.

    Examples
    --------
    >>> loss = equation("loss")
    >>> loss
    <Equation [loss]: The loss, corrected>
    >>> print(loss.latex)
    L(\theta) = \lVert y - f_K(\theta, x) \rVert^2
    """

    sides: Callable[[Example], Sides]
    printed_sides: Callable[[Example], Sides] | None = None

    @property
    def latex(self) -> str:
        """The right one of the two forms."""
        return self.corrected or self.printed

    def check(self, net: Network, x: ArrayLike, y: ArrayLike, form: Form = "corrected") -> float:
        """Return the largest difference between the two sides, in numbers.

        Parameters
        ----------
        net : SigmoidNetwork
            A small one: the chain rule is worked out with its Jacobians.
        x : array_like of shape (n_0,) or (N, n_0)
        y : array_like of shape (n_K,) or (N, n_K)
            Of a batch both sides are taken for each row; a loss and a
            derivative are the mean over the rows.
        form : "corrected" or "printed"
            Which form to check; they are the same where the document is right.

        Raises
        ------
        ShapeError
            The sides differ in shape, or the data do not fit the network.
        NotFoundError
            Equation [chain-second] of a network of one layer.
        InvalidValueError
            Another form; a Jacobian too large to be built.
        UnsupportedError
            A network with other choices than the document's.

        Examples
        --------
        >>> net = SigmoidNetwork((3, 3, 3), seed=0)
        >>> x, y = [1.0, 2.0, 3.0], [0.0, 1.0, 0.0]
        >>> equation("chain-second").check(net, x, y) < 1e-12
        True
        >>> equation("chain-second").check(net, x, y, form="printed") > 1e-2
        True
        """
        return self.residual(Example.checked(net, x, y), form)

    def residual(self, case: Example, form: Form) -> float:
        """Return what :meth:`check` does, from what is checked already."""
        one_of("form", form, ("corrected", "printed"))
        sides = (self.printed_sides or self.sides) if form == "printed" else self.sides
        return float(np.max([self._difference(left, right) for left, right in sides(case)]))

    def _difference(self, left: ArrayLike, right: ArrayLike) -> float:
        left_shape, right_shape = np.shape(left), np.shape(right)
        if left_shape != right_shape:
            raise ShapeError(
                f"The two sides of equation [{self.tag}] differ in shape, so they cannot be equal.",
                given=f"{left_shape} on the left, {right_shape} on the right",
                expected="one shape",
                instead='form="corrected"',
            )
        return float(np.max(np.abs(np.subtract(left, right))))

    def __repr__(self) -> str:
        state = ", corrected" if self.corrected else ""
        return f"<Equation [{self.tag}]: {self.title}{state}>"

    @property
    def text(self) -> str:
        """The right form in one line of plain text.

        >>> equation("loss").text, equation("sigmoid").text
        ('L(θ) = ‖y − f_K(θ, x)‖²', 'σ(x) = 1 / (1 + e^{−x})')
        >>> equation("chain-second").text
        '∂L/∂θ_{K−2} = ∂L/∂f_K · ∂f_K/∂f_{K−1} · ∂f_{K−1}/∂θ_{K−2}'
        """
        text = self.latex
        for pattern, new in _IN_TEXT:
            text = re.sub(pattern, new, text)
        return text

    def _repr_latex_(self) -> str:
        return rf"$${self.latex} \tag{{{self.tag}}}$$"

    def _repr_markdown_(self) -> str:
        printed = ["As printed:", f"$${self.printed}$$", "As corrected:"] if self.corrected else []
        head = f"**{escaped(self.title)}**"
        return "\n\n".join([head, *printed, self._repr_latex_(), prose(self.reason)])


# --- the document -----------------------------------------------------------

_BY_OUTPUT = r"\frac{\partial L}{\partial f_K}"
_LAST_BY_INPUT = r"\frac{\partial f_K}{\partial f_{K-1}}"


_PART = r"((?:[^{}]|{[^{}]*})*)"
_IN_TEXT = (
    (rf"\\frac{{\\partial {_PART}}}{{\\partial {_PART}}}", r"∂\1/∂\2"),
    (rf"\\frac{{{_PART}}}{{{_PART}}}", r"\1 / (\2)"),
    (r" ?\\rVert\^2", "‖²"),
    (r" ?\\rVert", "‖"),
    (r"\\lVert ", "‖"),
    (r"\\cdots", "⋯"),
    (r"\\ldots", "…"),
    (r"\\circ", "∘"),
    (r"\\sigma", "σ"),
    (r"\\theta", "θ"),
    (r"_{(\w)}", r"_\1"),
    (r"\\(?=[{}])", ""),
    (r"(?<=[\w}⋯]) (?=[∂⋯])", " · "),
    ("-", "−"),
)
"""What stands in plain text for a formula's LaTeX, in this order."""


def _by_theta(above: str, index: str) -> str:
    return rf"\frac{{\partial {above}}}{{\partial \theta_{{{index}}}}}"


_SECOND = rf"{_BY_OUTPUT} {_LAST_BY_INPUT} {_by_theta('f_{K-1}', 'K-2')}"

EQUATIONS: tuple[Equation, ...] = (
    Equation(
        "composition",
        "A function made of functions",
        r"y = (f_K \circ f_{K-1} \circ \cdots \circ f_1)(x)",
        None,
        "The output is what K functions make of x one after the other, f_1 first. "
        "Here y is what the network computes; in equation [loss] it is what was observed.",
        _composition,
    ),
    Equation(
        "layer",
        "One layer",
        r"f_i(x_{i-1}) = \sigma(A_{i-1} x_{i-1} + b_{i-1})",
        None,
        "A layer multiplies by a matrix, adds a vector, and sends each entry through σ.",
        _one_layer,
    ),
    Equation(
        "sigmoid",
        "The sigmoid",
        r"\sigma(x) = \frac{1}{1 + e^{-x}}",
        None,
        "The activation squeezes any number between 0 and 1; of a vector, each entry by itself.",
        _sigmoid_curve,
    ),
    Equation(
        "loss",
        "The loss",
        r"L(\theta) = \lVert y - f_K(\theta, x)^2 \rVert",
        r"L(\theta) = \lVert y - f_K(\theta, x) \rVert^2",
        "The square belongs outside of the norm. Inside, it squares the output and not the "
        "distance: an output equal to y would cost something, and one equal to √y nothing.",
        _loss,
        _loss_printed,
    ),
    Equation(
        "theta",
        "The parameters",
        r"\theta = \{A_0, b_0, \ldots, A_{K-1}, b_{K-1}\}",
        None,
        "θ holds every number that may be changed, and nothing else decides f_K; "
        "θ_i is the share of one layer, A_i and b_i.",
        _theta,
    ),
    Equation(
        "chain-last",
        "The chain rule for the last layer",
        f"{_by_theta('L', 'K-1')} = {_BY_OUTPUT} {_by_theta('f_K', 'K-1')}",
        None,
        "The last parameters change the output, and the output changes the loss.",
        partial(_chain, left=1, right=1),
    ),
    Equation(
        "chain-second",
        "The chain rule one layer further back",
        f"{_by_theta('L', 'K-1')} = {_SECOND}",
        f"{_by_theta('L', 'K-2')} = {_SECOND}",
        "The right side ends in θ_{K−2}, so it is the derivative by θ_{K−2}. The derivative by "
        "θ_{K−1} is another one, and on unequal widths it has another shape.",
        partial(_chain, left=2, right=2),
        partial(_chain, left=1, right=2),
    ),
    Equation(
        "chain-general",
        "The chain rule for any layer",
        f"{_by_theta('L', 'i')} = {_BY_OUTPUT} {_LAST_BY_INPUT} \\cdots "
        rf"\frac{{\partial f_{{i+2}}}}{{\partial f_{{i+1}}}} {_by_theta('f_{i+1}', 'i')}",
        None,
        "Walk back from the loss one layer at a time, one factor each, and turn off into θ_i.",
        _chain_general,
    ),
)
"""The document's equations, in its order."""

ERRATA: tuple[Spelling | Equation, ...] = (
    Spelling(
        "title",
        "The spelling",
        "Backpropogation",
        "Backpropagation",
        "The title and the first paragraph spell it with an o; what is sent back is propagated.",
    ),
    *(each for each in EQUATIONS if each.corrected),
)
"""What the document gets wrong, in its order."""


def equation(tag: str) -> Equation:
    """Return the equation with this tag.

    Raises
    ------
    NotFoundError
        No equation has the tag; the message lists all tags.

    Examples
    --------
    >>> equation("layer")
    <Equation [layer]: One layer>
    """
    found = {each.tag: each for each in EQUATIONS}
    if tag not in found:
        close = difflib.get_close_matches(str(tag), found, n=1)
        raise NotFoundError(
            f"The document has no equation {tag!r}.",
            given=f"tag = {tag!r}",
            expected=f"one of {', '.join(found)}",
            instead=f'equation("{close[0]}")' if close else None,
        )
    return found[tag]


# --- all of it in numbers ---------------------------------------------------

# What stands in the table where an equation cannot be checked.
_NO_NUMBER = {ShapeError: "shape", NotFoundError: "none", InvalidValueError: "too large"}


@dataclass(frozen=True)
class Residual:
    """The largest difference between an equation's sides in each form, or why there is none."""

    tag: str
    printed: float | BackpropError
    corrected: float | BackpropError


@dataclass(frozen=True, eq=False, repr=False)
class Residuals:
    """Every equation in numbers, as printed and as corrected.

    Made by :func:`residuals`.

    Attributes
    ----------
    rows : tuple of Residual
        In the order of the document.
    widths : tuple of int
        Those of the network.
    dtype : numpy.dtype
        That of its parameters; it decides what is mere rounding.
    """

    rows: tuple[Residual, ...]
    widths: tuple[int, ...]
    dtype: np.dtype[Any]

    def __repr__(self) -> str:
        return f"<Residuals of {len(self.rows)} equations, widths {self.widths}>"

    def __str__(self) -> str:
        return self.describe()

    def describe(self) -> str:
        """Return the table as text."""
        return text_table(self._table(), "<<<")

    def _repr_markdown_(self) -> str:
        return markdown_table([list(map(escaped, row)) for row in self._table()], "<<<")

    def _table(self) -> Cells:
        rows = [("equation", "as printed", "as corrected")]
        return rows + [
            (f"[{row.tag}]", self._text(row.printed), self._text(row.corrected))
            for row in self.rows
        ]

    def _text(self, residual: float | BackpropError) -> str:
        if isinstance(residual, BackpropError):
            return f"{_NO_NUMBER[type(residual)]}: {residual.given}"
        return residual_text(residual, self.dtype)


def residuals(net: Network, x: ArrayLike, y: ArrayLike) -> Residuals:
    """Return how far apart the two sides of each equation are, as printed and as corrected.

    Parameters
    ----------
    net : SigmoidNetwork
        A small one: the chain rule is worked out with its Jacobians.
    x : array_like of shape (n_0,) or (N, n_0)
    y : array_like of shape (n_K,) or (N, n_K)

    Examples
    --------
    >>> net = SigmoidNetwork((2, 3, 2), seed=0)
    >>> print(residuals(net, [1.0, 2.0], [0.0, 1.0]))
    equation         as printed                                      as corrected
    [composition]    < 1e-12                                         < 1e-12
    [layer]          < 1e-12                                         < 1e-12
    [sigmoid]        < 1e-12                                         < 1e-12
    [loss]           0.143                                           < 1e-12
    [theta]          < 1e-12                                         < 1e-12
    [chain-last]     < 1e-12                                         < 1e-12
    [chain-second]   shape: (1, 8) on the left, (1, 9) on the right  < 1e-12
    [chain-general]  < 1e-12                                         < 1e-12
    """
    case = Example.checked(net, x, y)
    rows = (
        Residual(each.tag, _outcome(each, case, "printed"), _outcome(each, case, "corrected"))
        for each in EQUATIONS
    )
    return Residuals(tuple(rows), net.widths, case.A[0].dtype)


def _outcome(each: Equation, case: Example, form: Form) -> float | BackpropError:
    """Return the residual, or the error that stands for it."""
    try:
        return each.residual(case, form)
    except tuple(_NO_NUMBER) as error:
        return error
