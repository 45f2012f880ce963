"""Numbers and arrays as a reader sees them: few digits, few entries, a heat for each."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backprop_nb.views.schema import HeatMap, Tensor

MINUS = "\u2212"
ROWS, COLUMNS = 8, 12
MAP_ROWS, MAP_COLUMNS = 32, 48
"""So many cells of a map can be told apart on a card."""
DWARFED = 20
"""Values so many times smaller than the largest have hardly a colour on a linear scale."""
CARD_CHARACTERS = 15
"""How many characters stand side by side on a node's card."""


def short(number: float) -> str:
    """Return a number in at most five characters, for a narrow cell.

    >>> [short(x) for x in (0.61803, -0.0421, 12.345, 0.00042, 3.0, -12345.0)]
    ['0.62', '−0.04', '12.3', '4e−4', '3', '−1e4']
    """
    size = abs(number)
    if 0.01 <= size < 999.5:
        digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
        text = f"{size:.{digits}f}"
        if digits and float(text) == size:  # 1.003 is 1.00, not 1; but 5.1 is 5.1
            text = text.rstrip("0").rstrip(".")
        return MINUS + text if number < 0 else text
    if number == 0 or not math.isfinite(number):
        return long(number)
    mantissa, _, exponent = f"{number:.0e}".partition("e")
    return f"{mantissa}e{int(exponent)}".replace("-", MINUS)


def long(number: float) -> str:
    """Return a number with four digits that matter.

    >>> [long(x) for x in (0.61803, -0.0421, 1234.5, 2.0, 0.00001)]
    ['0.618', '−0.0421', '1234', '2', '1e−5']
    """
    return _readable(f"{number + 0.0:.4g}")  # no minus sign at zero


def longs(numbers: ArrayLike) -> list[str]:
    """Return :func:`long` of many numbers, which are written together.

    >>> longs([0.61803, -0.0421, 0.0, 0.00001])
    ['0.618', '−0.0421', '0', '1e−5']
    """
    entries = (np.ravel(numbers) + 0.0).tolist()
    return _readable(" ".join(["%.4g"] * len(entries)) % tuple(entries)).split()


_FOR_A_MACHINE = re.compile(r"[\d.]+e[+-]\d+|nan|inf")


def _readable(text: str) -> str:
    """Return numbers in C's notation as a reader writes them."""
    if "e" in text or "n" in text:
        text = _FOR_A_MACHINE.sub(_for_a_reader, text)
    return text.replace("-", MINUS)


def _for_a_reader(found: re.Match[str]) -> str:
    mantissa, _, exponent = found[0].partition("e")
    if not exponent:
        return "NaN" if mantissa == "nan" else "∞"
    return f"{float(found[0]):.0f}" if exponent == "+04" else f"{mantissa}e{int(exponent)}"


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as NumPy writes it, with a word for a single number.

    >>> shape_text((3, 2)), shape_text((3,)), shape_text(())
    ('(3, 2)', '(3,)', 'a number')
    """
    return str(tuple(shape)) if shape else "a number"


def tensor(value: Any, scale: Scale, column: bool = False, numbered: bool = True) -> Tensor:
    """Return a number or an array as plain data for a picture.

    More than two axes are shown as the rows of the last one.  A vector may stand upright as a
    ``column``.  If they are ``numbered``, the cells of a large array's map have their numbers.
    """
    return tensors([(value, column)], scale, numbered)[0]


def tensors(
    arrays: Sequence[tuple[Any, bool]], scale: Scale, numbered: bool = True
) -> list[Tensor]:
    """Return :func:`tensor` of many arrays, each with whether it is a column.

    Together they take a tenth of the time.
    """
    shapes = [np.shape(value) for value, _ in arrays]
    tables = [
        table(value).T if column and len(shape) < 2 else table(value)
        for (value, column), shape in zip(arrays, shapes, strict=True)
    ]
    shown = [each[:ROWS, :COLUMNS] for each in tables]
    large = [k for k, each in enumerate(tables) if each.size > shown[k].size]
    maps = dict(zip(large, _heat_maps([tables[k] for k in large], scale, numbered), strict=True))
    return [
        {
            "shape": shape_text(shape),
            "single": not shape,
            "rows": shown[k].shape[0],
            "columns": shown[k].shape[1],
            "heat": heat,
            "short": [] if k in maps else _on_a_card(shown[k]),
            "words": _words(shown[k], tables[k].size) if shape else long(tables[k].item()),
            "map": maps.get(k),
        }
        for k, (shape, heat) in enumerate(zip(shapes, _packed_heats(shown, scale, 3), strict=True))
    ]


def table(value: Any) -> NDArray[np.float64]:
    """Return an array as the rows of its last axis.

    >>> table(1.0).shape, table(np.ones(3)).shape, table(np.ones((2, 3, 4))).shape
    ((1, 1), (1, 3), (6, 4))
    """
    array = np.asarray(value, dtype=np.float64)
    if array.ndim < 2:
        return array.reshape(1, -1)
    return array.reshape(math.prod(array.shape[:-1]), array.shape[-1])


def _on_a_card(shown: NDArray[np.float64]) -> list[str]:
    """Return the short numbers of a row that has room on a card, else none."""
    if len(shown) != 1 or shown.size > CARD_CHARACTERS:
        return []
    texts = [short(entry) for entry in shown.ravel().tolist()]
    return texts if len(texts) * max(map(len, texts), default=0) <= CARD_CHARACTERS else []


def _packed_heats(
    arrays: Sequence[NDArray[np.float64]], scale: Scale, digits: int
) -> Iterator[str]:
    """Yield the heats of each array as text, worked out together."""
    flat = np.concatenate([np.zeros(0), *(each.ravel() for each in arrays)])
    found = np.rint(1000 * _rounded_heats(flat, scale, digits)).astype("<i2")
    end = 0
    for each in arrays:
        start, end = end, end + each.size
        yield base64.b64encode(found[start:end].tobytes()).decode("ascii")


def unpacked_heats(text: str) -> list[float]:
    """Return the heats of a :class:`Tensor` or of its map, as ``heatsOf`` in arrays.mjs does.

    >>> unpacked_heats(tensor(np.array([0.5, -2.0]), Scale(0.1, 2.0))["heat"])
    [0.25, -1.0]
    """
    found: list[float] = (np.frombuffer(base64.b64decode(text), "<i2") / 1000).tolist()
    return found


def _heat_maps(
    tables: Sequence[NDArray[np.float64]], scale: Scale, numbered: bool
) -> Iterator[HeatMap]:
    """Yield matrices as few enough cells to be seen at once.

    A cell stands for a block of entries by the largest of them: a mean would be zero
    wherever signs differ.
    """
    blocks = [[-(-len(each) // MAP_ROWS), -(-each.shape[1] // MAP_COLUMNS)] for each in tables]
    cells = [
        each
        if (down, across) == (1, 1)
        else pooled(each, range(0, len(each), down), range(0, each.shape[1], across))
        for each, (down, across) in zip(tables, blocks, strict=True)
    ]
    for block, each, heat in zip(blocks, cells, _packed_heats(cells, scale, 2), strict=True):
        yield {
            "rows": each.shape[0],
            "columns": each.shape[1],
            "block": block,
            "heat": heat,
            "long": longs(each) if numbered else [],
        }


def pooled(
    matrix: NDArray[Any], rows: Sequence[int], columns: Sequence[int]
) -> NDArray[np.float64]:
    """Return the entry of the largest size in each block of a matrix, with its sign.

    A block begins at each of the given rows and columns, and ends where the next
    one begins.  What is not a number must show, so it counts as the largest.

    >>> matrix = np.array([[1.0, -3.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.5]])
    >>> pooled(matrix, [0], [0, 2])
    array([[-3. ,  0.5]])
    """

    def over(reduce: np.ufunc) -> NDArray[np.float64]:
        along = reduce.reduceat(np.asarray(matrix, dtype=np.float64), rows, axis=0)
        reduced: NDArray[np.float64] = reduce.reduceat(along, columns, axis=1)
        return reduced

    high, low = over(np.maximum), over(np.minimum)
    return np.where(high >= -low, high, low)


def words(value: Any) -> str:
    """Return an array as one line of text for a reader who hears it.

    >>> words(np.array([[1.0, -2.0], [0.5, 0.0]]))
    '[1, −2; 0.5, 0]'
    """
    if np.ndim(value) == 0:
        return long(float(value))
    whole = table(value)
    return _words(whole[:ROWS, :COLUMNS], whole.size)


def _words(shown: NDArray[np.float64], size: int) -> str:
    """Return the words of an array of some size, of which so much is shown."""
    line = _readable(_pattern(*shown.shape) % tuple((shown.ravel() + 0.0).tolist()))
    omitted = size - shown.size
    return f"[{line}, … {omitted} more]" if omitted else f"[{line}]"


@cache
def _pattern(rows: int, columns: int) -> str:
    row = ", ".join(["%.4g"] * columns)
    return "; ".join([row] * rows) if row else ""


@dataclass(frozen=True, slots=True)
class Scale:
    """How magnitudes become heat, from ``low`` to ``high``."""

    low: float
    high: float
    log: bool = False

    @property
    def text(self) -> str:
        """What the legend says."""
        return f"{MINUS}{short(self.high)} … 0 … +{short(self.high)}" + (
            " (log scale)" if self.log else ""
        )


def fit_scale(values: Iterable[Any], log: bool = False) -> Scale:
    """Return a scale that covers all finite entries of ``values``.

    With ``log``, magnitudes that span more than two decades are shown on a
    logarithmic scale.
    """
    sizes = _sizes(values)
    if not sizes.size:
        return Scale(1.0, 1.0)
    high = float(sizes.max())
    # Rounding noise far below everything else must not flatten the scale.
    low = max(float(sizes.min()), high * 1e-6)
    return Scale(low, high, log and high / low > 100)


def _sizes(values: Iterable[Any]) -> NDArray[Any]:
    """Return the sizes of all entries that are numbers and not zero."""
    sizes = np.abs(np.concatenate([np.ravel(value) for value in values] or [np.zeros(0)]))
    shown: NDArray[Any] = sizes[np.isfinite(sizes) & (sizes > 0)]
    return shown


def fit_value_scale(values: Sequence[Any]) -> Scale:
    """Return a scale for values, of which a few may be much larger than all others.

    On a linear scale the others would then have no colour.  So it is logarithmic
    over two decades, below which all have the faintest one: enough to tell large
    from small, and unlike a gradient a value has no reason to be told from one
    that is a millionth of it.

    >>> fit_value_scale([np.array([0.5, -2.0])]).text
    '−2 … 0 … +2'
    >>> fit_value_scale([np.full(100, 0.1), np.array([12.0])]).text
    '−12 … 0 … +12 (log scale)'
    """
    scale, sizes = fit_scale(values), _sizes(values)
    if not sizes.size or float(np.median(sizes)) * DWARFED > scale.high:
        return scale
    return Scale(scale.high / 100, scale.high, log=True)


def heat(number: float, scale: Scale) -> float:
    """Return where a number lies on its scale, from -1 to 1.

    >>> heat(0.5, Scale(0.1, 2.0))
    0.25
    """
    if number == 0 or math.isnan(number):
        return 0.0
    size = min(abs(number) / scale.high, 1.0)
    if scale.log:
        decades = math.log10(scale.high / scale.low)
        size = max(0.1, 1 + 0.9 * math.log10(max(size, 1e-300)) / decades)
    return math.copysign(size, number)


def heats(numbers: NDArray[Any], scale: Scale, digits: int = 2) -> list[float]:
    """Return :func:`heat` of many numbers, to a few digits.

    >>> heats(np.array([0.5, -2.0, 0.0]), Scale(0.1, 2.0))
    [0.25, -1.0, 0.0]
    """
    found: list[float] = _rounded_heats(numbers, scale, digits).ravel().tolist()
    return found


def _rounded_heats(numbers: NDArray[Any], scale: Scale, digits: int) -> NDArray[np.float64]:
    numbers = np.asarray(numbers, dtype=np.float64)
    with np.errstate(over="ignore"):
        sizes = np.minimum(np.abs(numbers) / scale.high, 1.0)
    if scale.log:
        decades = math.log10(scale.high / scale.low)
        sizes = np.maximum(0.1, 1 + 0.9 * np.log10(np.maximum(sizes, 1e-300)) / decades)
    signed = np.copysign(sizes, numbers)
    signed[(numbers == 0) | np.isnan(numbers)] = 0.0
    rounded: NDArray[np.float64] = np.round(signed, digits)
    return rounded


def subscript(i: int) -> str:
    """Return an index as it stands below the line.

    >>> subscript(12)
    '₁₂'
    """
    return str(i).translate(_SUBSCRIPTS)


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
