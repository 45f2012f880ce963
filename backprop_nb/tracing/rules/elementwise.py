"""Functions of each entry by itself, from sums to angles: a table of derivatives.

Rules say nothing about broadcasting (but for the power): where NumPy stretched an argument,
the row sums its gradient down again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import (
    POSITIVE,
    REAL,
    TAKEN_AS_0,
    Remark,
    dispatched,
    row,
    saturated,
    unbroadcast,
)
from backprop_nb.tracing.rules.template import (
    ATOM,
    LOOSE,
    POWER,
    PRODUCT,
    SUM,
    UNARY,
    Template,
    infix,
    latex_product,
)

LOG_2 = math.log(2.0)
LOG_10 = math.log(10.0)

INSIDE = (-0.9, 0.9)
ABOVE_1 = (1.2, 3.0)

# --- powers, roots and remainders -------------------------------------------------


def _power_base(g: Any, ans: Any, x: Any, y: Any) -> Any:
    """``y x^(y-1)``, with the exponents that every course uses written as a course would."""
    if isinstance(y, int | float):
        if y in (0, 1):
            return g * y
        return y * g * (x if y == 2 else x ** (y - 1))
    # The slope of x^0 is 0, also at x = 0, where x^(y-1) is infinite.
    return unbroadcast(g * y * x ** np.where(np.logical_and(x == 0, y == 0), 1.0, y - 1.0), x)


def _power_exponent(g: Any, ans: Any, x: Any, y: Any) -> Any:
    """``x^y log x``; at x = 0 the limit 0 is taken."""
    if isinstance(x, int | float):
        return unbroadcast(g * ans * (np.log(x) if x else 0.0), y)
    return unbroadcast(g * ans * np.log(np.where(x == 0, 1.0, x)), y)


def _hypot(g: Any, ans: Any, x: Any) -> Any:
    """``x / hypot(x, y)``, and 0 at the tip of the cone."""
    return g * x / np.where(ans == 0, 1.0, ans)


def _whole(x: Any, y: Any, remainder: Any) -> Any:
    """Return how many times y was taken from x: x / y itself may round to the next one."""
    return ((x - remainder) / y + 0.5) // 1.0


def _is_jump(ans: Any, x: Any, y: Any) -> Any:
    # np.remainder jumps at 0 too; np.fmod, which takes the sign of x, does not.
    return (ans == 0) & np.isfinite(y)


_POWER_OF_0 = Remark(
    "kink",
    lambda ans, x, y: (x == 0) & (y > 0) & (y < 1),
    "{0} is 0{places}, where a power below 1 rises vertically: the slope is infinite",
)
_ROOT_OF_0 = Remark(
    "kink",
    lambda ans, x: x == 0,
    "{0} is 0{places}, where the root rises vertically: the slope is infinite",
)
_CORNER = Remark(
    "kink",
    lambda ans, x: x == 0,
    "{0} is 0{places}, where |{0}| has a corner: " + TAKEN_AS_0,
    "{0}**2 in place of the square of |{0}|",
)
_TIP = Remark(
    "kink",
    lambda ans, x, y: ans == 0,
    "{0} and {1} are both 0{places}, the tip of a cone: " + TAKEN_AS_0,
    "{0}**2 + {1}**2 in place of the square of the distance",
)
_JUMP = "{0} is a multiple of {1}{places}, where the remainder jumps: the slope beside it is taken"

_STEP = Remark(
    "kink",
    lambda ans, x, h: x == 0,
    "{0} is 0{places}, where the step is: the value is {1} and receives the gradient there",
)

# --- functions that flatten out ---------------------------------------------------


@dispatched
def sigmoid(x: Any) -> Any:
    """Return the sigmoid 1 / (1 + exp(-x)) of each element, without overflow.

    Parameters
    ----------
    x
        A number or an array of any shape; integers count as floats.

    Returns
    -------
    number or array
        Of the shape and float type of ``x``, between 0 and 1.

    Notes
    -----
    In a traced function this is one node, with the rule σ′ = σ (1 − σ).  Far
    on the negative side exp(-x) is infinite, and 1 / (1 + ∞) = 0 is the right
    answer, so the overflow is no reason for a warning.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> bp.sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-1.0 * np.asarray(x)))


def _printed_sigmoid(x: Any) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def _sigmoid(g: Any, ans: Any, x: Any) -> Any:
    return g * ans * (1 - ans)


def _tanh(g: Any, ans: Any, x: Any) -> Any:
    return g * (1 - ans**2)


# --- angles -----------------------------------------------------------------------


def _sinc(g: Any, ans: Any, x: Any) -> Any:
    """``(cos πx - sinc x) / x``.

    Both terms are 1 at 0 and cancel near it, so there the series of the slope
    takes over: -π²x/3 + π⁴x³/30 - π⁶x⁵/840.  It makes the higher derivatives
    right at 0 as well.
    """
    t = np.square(np.pi * x)
    near = -(np.pi**2) * x * (1 / 3 - t / 30 + t**2 / 840)
    far = (np.cos(np.pi * x) - ans) / np.where(x == 0, 1.0, x)
    return g * np.where(np.abs(x) < 0.01, near, far)


_VERTICAL = (
    "{{0}} is {}{{places}}, where the curve rises or falls vertically: the slope is infinite"
)
_ENDS = Remark("kink", lambda ans, x: np.abs(x) == 1, _VERTICAL.format("1 or −1"))
_START = Remark("kink", lambda ans, x: x == 1, _VERTICAL.format("1"))
_NO_ANGLE = Remark(
    "kink",
    lambda ans, y, x: (y == 0) & (x == 0),
    "{0} and {1} are both 0{places}, where there is no angle: the slope is NaN",
)
_DEGREES = Template(r"\frac{180}{\pi} \, #1", PRODUCT, (POWER,))
_RADIANS = Template(r"\frac{\pi}{180} \, #1", PRODUCT, (POWER,))

# --- in words ---------------------------------------------------------------------

_OF_A_SUM = "A sum hands its adjoint on to each of its terms, with the sign that the term has."
_OF_A_PRODUCT = "A product: a factor receives the adjoint times the other factor."
_OF_A_QUOTIENT = (
    "A quotient: the numerator receives the adjoint divided by the denominator, the "
    "denominator minus the quotient times that."
)
_OF_A_POWER = "A power: the exponent comes down as a factor and drops by one, times the adjoint."
_OF_A_SQUARE = "A square: its slope is twice the base, times the adjoint."
_OF_A_SIGMOID = "The slope of the sigmoid can be told from its value alone. Times the adjoint."


def _times_number(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    """A number that comes second takes a dot, or it would be read as a part of the name."""
    first, second = arguments
    sign = r"\cdot" if second[0].isdigit() else r"\,"
    return f"{first} {sign} {second}"


def _one_each(ans: Any, *args: Any) -> int:
    """One multiplication for each entry of the result."""
    return int(np.size(ans))


ROWS = (
    # --- sums and products
    row(
        np.add,
        lambda g, ans, x, y: g,
        lambda g, ans, x, y: g,
        numpy=infix("#1 + #2", SUM),
        latex=infix("#1 + #2", SUM),
        symbol="+",
        operator="add",
        in_words=_OF_A_SUM,
    ),
    row(
        np.subtract,
        lambda g, ans, x, y: g,
        lambda g, ans, x, y: -g,
        numpy=infix("#1 - #2", SUM),
        latex=infix("#1 - #2", SUM),
        symbol="−",
        operator="sub",
        in_words=_OF_A_SUM,
    ),
    row(
        np.multiply,
        lambda g, ans, x, y: g * y,
        lambda g, ans, x, y: g * x,
        numpy=infix("#1 * #2", PRODUCT),
        latex=latex_product(r"#1 \odot #2"),
        latex_with_number=latex_product(_times_number),
        symbol="×",
        operator="mul",
        product="×",
        multiplications=_one_each,
        in_words=_OF_A_PRODUCT,
    ),
    row(
        np.true_divide,
        lambda g, ans, x, y: g / y,
        lambda g, ans, x, y: -g * ans / y,
        numpy=infix("#1 / #2", PRODUCT),
        latex=Template(r"\frac{#1}{#2}", POWER),
        symbol="÷",
        operator="truediv",
        multiplications=_one_each,
        in_words=_OF_A_QUOTIENT,
        domain=(REAL, POSITIVE),
    ),
    row(
        np.negative,
        lambda g, ans, x: -g,
        numpy=Template("-#1", UNARY, (UNARY,)),
        latex=Template("-#1", UNARY, (POWER,)),
        symbol="−",
        operator="neg",
    ),
    row(
        np.positive,
        lambda g, ans, x: g,
        numpy=Template("+#1", UNARY, (UNARY,)),
        latex=Template("+#1", UNARY, (POWER,)),
        symbol="+",
        operator="pos",
    ),
    row(
        np.reciprocal,
        lambda g, ans, x: -g * ans**2,
        latex=Template(r"\frac{1}{#1}", POWER),
        symbol="1/x",
        domain=(POSITIVE,),
    ),
    # --- powers and roots
    row(
        np.square,
        lambda g, ans, x: 2 * g * x,
        latex=Template("#1^2", POWER, (ATOM,)),
        symbol="x²",
        in_words=_OF_A_SQUARE,
    ),
    row(
        np.power,
        _power_base,
        _power_exponent,
        fitted=True,
        numpy=Template("#1 ** #2", POWER, (ATOM, UNARY)),
        latex=Template("#1^{#2}", POWER, (ATOM, LOOSE)),
        symbol="xʸ",
        operator="pow",
        in_words=_OF_A_POWER,
        domain=(POSITIVE, REAL),
        remarks=(_POWER_OF_0,),
    ),
    row(
        np.float_power,
        _power_base,
        _power_exponent,
        fitted=True,
        latex=Template("#1^{#2}", POWER, (ATOM, LOOSE)),
        symbol="xʸ",
        domain=(POSITIVE, REAL),
        remarks=(_POWER_OF_0,),
    ),
    row(
        np.sqrt,
        lambda g, ans, x: g / (2 * ans),
        latex=r"\sqrt{#1}",
        symbol="√",
        domain=(POSITIVE,),
        remarks=(_ROOT_OF_0,),
    ),
    row(
        np.cbrt,
        lambda g, ans, x: g / (3 * ans**2),
        latex=r"\sqrt[3]{#1}",
        symbol="∛",
        domain=(POSITIVE,),
        remarks=(_ROOT_OF_0,),
    ),
    row(
        np.hypot,
        lambda g, ans, x, y: _hypot(g, ans, x),
        lambda g, ans, x, y: _hypot(g, ans, y),
        latex=Template(r"\sqrt{#1^2 + #2^2}", ATOM, (ATOM,)),
        remarks=(_TIP,),
    ),
    # --- exponentials and logarithms
    row(np.exp, lambda g, ans, x: g * ans),
    row(np.exp2, lambda g, ans, x: g * ans * LOG_2, latex=Template("2^{#1}", POWER), symbol="2ˣ"),
    row(
        np.expm1,
        lambda g, ans, x: g * (ans + 1),
        latex=Template(r"\exp(#1) - 1", SUM),
        symbol="exp−1",
    ),
    row(np.log, lambda g, ans, x: g / x, domain=(POSITIVE,)),
    row(
        np.log2,
        lambda g, ans, x: g / (x * LOG_2),
        latex=r"\log_2(#1)",
        symbol="log₂",
        domain=(POSITIVE,),
    ),
    row(
        np.log10,
        lambda g, ans, x: g / (x * LOG_10),
        latex=r"\log_{10}(#1)",
        symbol="log₁₀",
        domain=(POSITIVE,),
    ),
    row(
        np.log1p,
        lambda g, ans, x: g / (1 + x),
        latex=Template(r"\log(1 + #1)", ATOM, (PRODUCT,)),
        symbol="log(1+x)",
        domain=(POSITIVE,),
    ),
    # The share of each term in the sum; a difference of exponents cannot overflow.
    row(
        np.logaddexp,
        lambda g, ans, x, y: g * np.exp(x - ans),
        lambda g, ans, x, y: g * np.exp(y - ans),
        latex=r"\log(\exp(#1) + \exp(#2))",
        symbol="log Σexp",
    ),
    row(
        np.logaddexp2,
        lambda g, ans, x, y: g * np.exp2(x - ans),
        lambda g, ans, x, y: g * np.exp2(y - ans),
        latex=r"\log_2(2^{#1} + 2^{#2})",
        symbol="log₂ Σ2ˣ",
    ),
    row(
        sigmoid,
        _sigmoid,
        printed=_printed_sigmoid,
        latex=r"\sigma(#1)",
        symbol="σ",
        in_words=_OF_A_SIGMOID,
        remarks=(saturated(_sigmoid, largest=0.25),),
    ),
    # --- angles
    row(np.sin, lambda g, ans, x: g * np.cos(x)),
    row(np.cos, lambda g, ans, x: -g * np.sin(x)),
    row(np.tan, lambda g, ans, x: g * (1 + ans**2), domain=((-1.2, 1.2),)),
    row(np.arcsin, lambda g, ans, x: g / np.sqrt(1 - x**2), domain=(INSIDE,), remarks=(_ENDS,)),
    row(np.arccos, lambda g, ans, x: -g / np.sqrt(1 - x**2), domain=(INSIDE,), remarks=(_ENDS,)),
    row(np.arctan, lambda g, ans, x: g / (1 + x**2)),
    row(
        np.arctan2,
        lambda g, ans, y, x: g * x / (x**2 + y**2),
        lambda g, ans, y, x: -g * y / (x**2 + y**2),
        latex=r"\mathrm{atan2}(#1, #2)",
        symbol="atan2",
        domain=((0.5, 2.0), REAL),
        remarks=(_NO_ANGLE,),
    ),
    row(np.sinc, _sinc),
    # A change of unit is linear: the adjoint changes its unit alike.
    row(np.degrees, lambda g, ans, x: np.degrees(g), latex=_DEGREES, symbol="deg"),
    row(np.rad2deg, lambda g, ans, x: np.rad2deg(g), latex=_DEGREES, symbol="deg"),
    row(np.radians, lambda g, ans, x: np.radians(g), latex=_RADIANS, symbol="rad"),
    row(np.deg2rad, lambda g, ans, x: np.deg2rad(g), latex=_RADIANS, symbol="rad"),
    # --- hyperbolic functions
    row(np.sinh, lambda g, ans, x: g * np.cosh(x)),
    row(np.cosh, lambda g, ans, x: g * np.sinh(x)),
    row(np.tanh, _tanh, remarks=(saturated(_tanh, largest=1.0),)),
    # The slope of an inverse is one over the slope of the function, taken at the result.
    row(
        np.arcsinh,
        lambda g, ans, x: g / np.cosh(ans),
        latex=r"\mathrm{arsinh}(#1)",
        symbol="arsinh",
    ),
    row(
        np.arccosh,
        lambda g, ans, x: g / np.sinh(ans),
        latex=r"\mathrm{arcosh}(#1)",
        symbol="arcosh",
        domain=(ABOVE_1,),
        remarks=(_START,),
    ),
    row(
        np.arctanh,
        lambda g, ans, x: g / (1 - x**2),
        latex=r"\mathrm{artanh}(#1)",
        symbol="artanh",
        domain=(INSIDE,),
    ),
    # --- corners and jumps
    row(
        np.absolute,
        lambda g, ans, x: g * np.sign(x),
        numpy="np.abs(#1)",
        latex="|#1|",
        symbol="|x|",
        operator="abs",
        remarks=(_CORNER,),
    ),
    row(np.fabs, lambda g, ans, x: g * np.sign(x), latex="|#1|", symbol="|x|", remarks=(_CORNER,)),
    # What is left of a division: x = y · floor(x / y) + remainder.
    row(
        np.remainder,
        lambda g, ans, x, y: g,
        lambda g, ans, x, y: -g * (x // y),
        numpy=infix("#1 % #2", PRODUCT),
        latex=latex_product(r"#1 \; \mathrm{mod} \; #2"),
        symbol="mod",
        operator="mod",
        domain=(REAL, POSITIVE),
        remarks=(Remark("kink", _is_jump, _JUMP),),
    ),
    row(
        np.fmod,
        lambda g, ans, x, y: g,
        lambda g, ans, x, y: -g * _whole(x, y, ans),
        domain=(REAL, POSITIVE),
        remarks=(Remark("kink", lambda ans, x, y: _is_jump(ans, x, y) & (x != 0), _JUMP),),
    ),
    row(
        np.heaviside,
        None,
        lambda g, ans, x, h: np.where(x == 0, g, 0.0),
        latex=r"\mathrm{H}(#1)",
        symbol="step",
        remarks=(_STEP,),
    ),
    # What was replaced is a constant.
    row(
        np.nan_to_num,
        lambda g, ans, x, nan=0.0, posinf=None, neginf=None: np.where(np.isfinite(x), g, 0.0),
        latex=r"\mathrm{finite}(#1)",
        symbol="finite",
    ),
)
