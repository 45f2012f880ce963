"""What can be known of a training before its first step, said as warnings.

Nothing here forbids anything: each warning gives what was found, in numbers, why
it matters, and what to write instead.  A few rows are looked at, those that
training samples anyway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from backprop_nb.errors import BackpropError, counted, warn
from backprop_nb.network.base import Parameters
from backprop_nb.network.protocols import Sample
from backprop_nb.network.validation import FloatArray, is_chunked, one_hot_of, usual_deviation

_FLAT = 0.001
"""A unit whose slope is below this share of the largest is at its end, not only on the way."""

_MOST = 0.9
"""Trained networks, and weights of deviation 1 on 784 inputs from 0 to 1, stay below it."""

_LEARNED = 0.01
"""A squared error, of one entry of the output, that leaves little to learn."""

_SLACK = 1e-3
"""So much may a target miss what it should be by rounding."""


def warn_of_prospects(
    net: Parameters, sample: Sample, saturation: FloatArray, given: tuple[Any, Any]
) -> None:
    """Warn of what keeps a network from learning, where its parameters and some rows show it.

    Parameters
    ----------
    net
        As it is before the first step.
    sample
        Some rows of the data, as training uses them.
    saturation
        The share of each layer's outputs over these rows that are saturated, of shape (K,).
    given
        The user's own x and y, for what to write; nothing is read from them.

    Warns
    -----
    BackpropWarning
        Targets that the output cannot reach; layer 1 at the ends of its activation;
        units of a hidden layer that stay equal; a layer of ReLUs that are all 0; rows
        of x that are all alike.

    Examples
    --------
    >>> import warnings
    >>> from backprop_nb import Network
    >>> net, x = Network((2, 3, 1), seed=0), np.eye(2)
    >>> y = np.array([[0.0], [7.0]])
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_of_prospects(net, Sample(x, y, y), net.saturation(x), (x, y))
    >>> str(caught[0].message).partition(":")[0]
    '1 of 2 targets cannot be reached'
    """
    if sample.y.shape != (len(sample.x), net.widths[-1]):
        return  # a chunk that does not fit, which is refused when it is met
    written = given[1]
    found = [
        *_out_of_reach(net, sample.targets, _name("y", written), written),
        *_at_its_ends(net, sample, _name("x", given[0])),
        *(list(_equal_units(net)) or _dead_layer(net, saturation)),
        *_equal_rows(sample),
    ]
    for problem in found:
        warn(str(problem))


def _name(name: str, value: Any) -> str:
    """Return what to write for the data, as something that can be computed with."""
    return name if isinstance(value, np.ndarray) or is_chunked(value) else f"np.array({name})"


def _network(net: Parameters, widths: tuple[int, ...] | None = None, **choices: str) -> str:
    """Return the call that makes such a network with other choices."""
    now = {"activation": net.activation, "output": net.output, "loss": net.loss_name} | choices
    usual = {"activation": "sigmoid", "output": "sigmoid", "loss": "squared error"}
    said = [f"{name}={value!r}" for name, value in now.items() if value != usual.get(name)]
    said += [] if net.bias else ["bias=False"]
    return f"net = Network({', '.join([str(widths or net.widths), *said])})"


# --- targets -------------------------------------------------------------------


def _out_of_reach(
    net: Parameters, y: FloatArray, name: str, written: Any
) -> Iterator[BackpropError]:
    """Tell of targets outside of what the output layer can give."""
    # The cross-entropy refuses what is no probability; chunks are checked as they are met.
    if net.loss_name == "cross-entropy":
        return
    output = net.activations[-1]
    low, high = output.reach
    if not low - _SLACK <= y.min() <= y.max() <= high + _SLACK:  # soon known, in no memory
        y = y.astype(float)
        outside = (y < low - _SLACK) | (y > high + _SLACK)
        reach = f"between {low:g} and {high:g}" if np.isfinite(high) else f"above {low:g}"
        yield BackpropError(
            f"{np.count_nonzero(outside):,} of {counted(y.size, 'target')} cannot be reached: "
            f"the output, of {net.output}, lies {reach}. Training drives it to the end of its "
            "range, where no gradient is left.",
            given=f"y from {y.min():g} to {y.max():g}",
            instead=_within_reach(net, y, name, written),
        )
    elif output.adds_up and (off := np.abs(y.sum(axis=-1, dtype=float) - 1) > _SLACK).any():
        scaled = f"{name} / {name}.sum(axis=-1, keepdims=True), or "
        yield BackpropError(
            f"{np.count_nonzero(off):,} of {counted(len(y), 'target')} cannot be reached: the "
            "entries of a softmax add up to 1, so the error never comes near 0.",
            given=f"a row of y that adds up to {y[off.argmax()].sum():g}",
            instead=f"{scaled if y.any(axis=-1).all() else ''}{_network(net, output='sigmoid')}",
        )


def _within_reach(net: Parameters, y: FloatArray, name: str, written: Any) -> str:
    """Return what to write: other targets, if their range allows it, or another output."""
    low, high = net.activations[-1].reach
    linear = _network(net, output="identity")
    first, last = y.min(), y.max()
    classes = int(last) + int(first == 0) if np.isfinite(last) else 0
    whole = first in (0, 1) and bool((y == np.rint(y)).all()) and len(np.unique(y)) == classes
    if y.shape[-1] == 1 and whole and classes > 2:
        made = _network(net, (*net.widths[:-1], classes), output="softmax", loss="cross-entropy")
        one_hot = one_hot_of("y", classes, int(first), written)
        return f"y = {one_hot} and {made}, for the numbers of classes; {linear}, for quantities"
    if low == 0 and high == 1 and not net.activations[-1].adds_up:
        if len(np.unique(y)) == 2:
            return f"{name} == np.max(y)"
        if first >= -1 and last <= 1:
            return f"({name} + 1) / 2, or {_network(net, output='tanh')}"
        if first >= 0:
            return f"{name} / np.max(y), or {linear}"
        if first < last:
            return f"({name} - np.min(y)) / (np.max(y) - np.min(y)), or {linear}"
    return f"{name} / np.max(np.abs(y)), or {linear}" if low == -1 else linear


# --- the first layer -------------------------------------------------------------


def _at_its_ends(net: Parameters, sample: Sample, name: str) -> Iterator[BackpropError]:
    """Tell of a layer 1 whose units pass no gradient, and of the scale that mends it.

    Only of an activation that is flat at both ends: half of a ReLU always is.
    The slope of an output cancels in the cross-entropy.  A network that has learned
    already may well be there.
    """
    x, ((A, *rest), biases) = sample.x, net.parameters()
    first = net.activations[0]
    ends = np.isfinite(first.reach).all() and not first.adds_up
    if not ends or (not rest and net.loss_name == "cross-entropy"):
        return

    def share(x: FloatArray, A: FloatArray, b: Any) -> float:
        f = first.of(x @ A.T + b)
        return float(np.mean(first.slope(f) < _FLAT * first.steepest))

    with np.errstate(all="ignore"):
        b = biases[0] if biases else 0
        now = share(x, A, b)
        if (
            now <= _MOST
            or net.compute.of_stored([A, *rest], biases, x, sample.y)[0] < _LEARNED * net.widths[-1]
        ):
            return
        is_bytes = x.min() >= 0 and 1 < x.max() <= 255 and bool((x == np.rint(x)).all())
        middle, spread = x.mean(axis=0), x.std(axis=0)
        scaled = x / 255 if is_bytes else (x - middle) / (spread + _SLACK)
        usual = A / max(A.std(), 1e-300) * usual_deviation(*reversed(A.shape))
        deviations = f"{name}.std(axis=0) + {_SLACK:g}"
        rescale = (
            f"{name} / 255" if is_bytes else f"({name} - {name}.mean(axis=0)) / ({deviations})"
        )
        if share(scaled, A, b) < _MOST:
            instead = f"x = {rescale}"
        elif share(x, usual, 0) < _MOST:
            instead = f"{_network(net)}, whose weights are as small as usual"
        else:
            instead = f"x = {rescale} and {_network(net)}, whose weights are as small as usual"
    yield BackpropError(
        f"Layer 1 is saturated before the first step: {100 * now:.0f} % of the slopes of its "
        f"{counted(len(A), 'unit')} over {counted(len(x), 'row')} are below {100 * _FLAT:.1f} % of "
        "the largest possible, so hardly any gradient passes.",
        given=f"x from {x.min():g} to {x.max():g}, A[0] from {A.min():.3g} to {A.max():.3g}",
        instead=instead,
    )


# --- what stays equal ------------------------------------------------------------


def _equal_units(net: Parameters) -> Iterator[BackpropError]:
    """Tell of the units of a hidden layer that no step can make differ.

    Units with the same weights in *and* out get the same gradient, whatever the
    rows.  The same in only, or out only, is not enough: the other side tells them apart.
    """
    A, b = net.parameters()
    for i, width in enumerate(net.widths[1:-1]):
        around = np.hstack([A[i], A[i + 1].T, *([b[i][:, None]] if b else [])])
        equal = max(Counter(row.tobytes() for row in around + 0.0).values())  # −0 is 0
        if equal > 1:
            zero = ", all of them 0" if not around.any() else ""
            yield BackpropError(
                f"{equal} of the {counted(width, 'unit')} of layer {i + 1} have the same weights, "
                f"in and out{zero}: they get the same gradient, so they stay equal for ever and "
                "learn what a single unit would.",
                given=f"equal rows of A[{i}] and equal columns of A[{i + 1}]",
                instead=f"{_network(net)}, whose weights are drawn at random",
            )
            return


def _dead_layer(net: Parameters, saturation: FloatArray) -> Iterator[BackpropError]:
    """Tell of a layer of ReLUs that are 0 for every row: what never rises gets no gradient."""
    for i, (share, activation) in enumerate(zip(saturation, net.activations, strict=True)):
        if share == 1 and activation.reach == (0, np.inf):
            is_output, leaky = i == len(net.activations) - 1, "leaky relu"
            instead = _network(net, output=leaky) if is_output else _network(net, activation=leaky)
            yield BackpropError(
                f"Layer {i + 1} gives 0 for every row that was looked at: all of its ReLUs are "
                "below their kink, where no gradient passes, so no layer up to it can learn.",
                given=f"A[{i}] from {net.A[i].min():.3g} to {net.A[i].max():.3g}",
                instead=instead,
            )
            return


def _equal_rows(sample: Sample) -> Iterator[BackpropError]:
    """Tell of inputs that are all zero, or all the same where the targets are not.

    A column that is constant is none of this: its weights act as a bias, or not at all.
    """
    x, y = sample.x, sample.y
    if len(x) < 2 or not (x == x[0]).all():
        return
    if not x.any():
        why = "are zero, so `A[0]` gets no gradient and the output is the same for each"
    elif (y != y[0]).any():
        why = "are the same, so the output is the same for each, though the targets differ"
    else:
        return
    yield BackpropError(
        f"All {counted(len(x), 'row')} of x that were looked at {why}.",
        given=f"x[0] from {x[0].min():g} to {x[0].max():g}, like all the others",
        expected="inputs that differ: an integer dtype, `//` or a loop that fills x can lose that",
    )
