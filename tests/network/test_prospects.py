"""What is said before the first step: only where it is so, and its advice helps."""

import contextlib
import warnings

import dask.array as da
import numpy as np
import pytest

from backprop_nb.errors import BackpropWarning, DivergenceError, ShapeError
from backprop_nb.network import Network, SigmoidNetwork

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((60, 4))
LABELS = RNG.integers(0, 3, 60)
LABELS[:3] = 0, 1, 2
PIXELS = RNG.integers(0, 256, (60, 64), dtype=np.uint8)


def warned(net, x, y, **options):
    """Return what one epoch in very small steps warns of."""
    stuck = contextlib.suppress(DivergenceError)  # what a warning has told may happen
    with warnings.catch_warnings(record=True) as caught, stuck:
        warnings.simplefilter("always")
        net.fit(
            x, y, **{"progress": False, "epochs": 1, "learning_rate": 1e-9, "seed": 0} | options
        )
    assert {w.category for w in caught} <= {BackpropWarning}
    assert {w.filename for w in caught} <= {__file__}
    return [str(w.message) for w in caught]


def advice(message):
    """Return every piece of code that a message offers."""
    instead = message.partition("  instead:  ")[2].splitlines()[0]
    for explained in (", for ", "; ", ", whose", ", if"):
        instead = instead.replace(explained, f", or # {explained}")
    return [text for text in instead.split(", or ") if not text.startswith("#")]


def follow(text, net, x, y):
    """Return net, x and y after a piece of advice; an expression is a new y."""
    scope = {"np": np, "Network": Network, "net": net, "x": x, "y": y}
    for statement in text.split(" and "):
        exec(statement if " = " in statement else f"y = {statement}", scope)
    return scope["net"], scope["x"], scope["y"]


SIGMOID = Network((4, 3, 1), seed=0)
TANH = Network((4, 3, 2), seed=0, activation="tanh", output="tanh")
RELU = Network((4, 8, 2), seed=1, activation="relu", output="relu")
SOFTMAX = Network((4, 3, 3), seed=0, output="softmax")
SIZES = np.abs(RNG.normal(0, 3, (60, 3))) + 0.1
BOTH = RNG.normal(0, 3, (60, 2))
WHITE = PIXELS / 255

DEAD = Network((4, 3, 2), seed=0, activation="relu", output="identity")
DEAD.A[0] = np.zeros((3, 4))

FOUND = {
    "dead units": (DEAD, ROWS, BOTH, "Layer 1 gives 0 for every row"),
    "dead outputs": (
        Network.from_parameters([-np.ones((2, 3))], [[0, 0]], output="relu"),
        SIZES,
        SIZES[:, :2],
        "Layer 1 gives 0 for every row",
    ),
    "classes from 0": (SIGMOID, ROWS, LABELS[:, None], r"\d\d of 60 targets cannot be reached"),
    "classes from 1": (SIGMOID, ROWS, LABELS[:, None] + 1, "between 0 and 1"),
    "classes as floats": (SIGMOID, ROWS, LABELS[:, None] + 0.0, "from 0 to 2"),
    "classes in a list": (SIGMOID, ROWS.tolist(), LABELS[:, None].tolist(), "from 0 to 2"),
    "one and two": (SIGMOID, ROWS, 1 + (LABELS[:, None] > 0), "from 1 to 2"),
    "signs": (SIGMOID, ROWS, np.sign(ROWS[:, :1]), "from -1 to 1"),
    "sines": (SIGMOID, ROWS, np.sin(ROWS[:, :1]), "between 0 and 1"),
    "quantities": (SIGMOID, ROWS, ROWS[:, :1] * 5, "between 0 and 1"),
    "positive quantities": (SIGMOID, ROWS, SIZES[:, :1], "from 0.1"),
    "one quantity": (SIGMOID, ROWS, np.full((60, 1), -7), "60 of 60"),
    "beyond tanh": (TANH, ROWS, BOTH, "of tanh, lies between -1 and 1"),
    "below relu": (RELU, ROWS, BOTH, "of relu, lies above 0"),
    "no distribution": (SOFTMAX, ROWS, SIZES / 10, "60 of 60 targets .* add up to 1"),
    "two labels": (SOFTMAX, ROWS, np.ones((60, 3)), "adds up to 3"),
    "no label": (SOFTMAX, ROWS, np.eye(4)[LABELS + 1][:, :3] * 0.0, "adds up to 0"),
    "not softmax": (SOFTMAX, ROWS, -SIZES, "from -"),
    "pixels": (Network((64, 10, 1), seed=0), PIXELS, WHITE[:, :1], r"9\d % of the slopes"),
    "pixels, tanh": (
        Network((64, 10, 1), seed=0, activation="tanh"),
        PIXELS.tolist(),
        WHITE[:, :1],
        "x from 0 to 255",
    ),
    "other units": (Network((4, 9, 1), seed=0), ROWS * 1e3, LABELS[:, None] > 0, "Layer 1 is sat"),
    "a wide column": (
        Network((4, 9, 1), seed=0),
        ROWS * [1, 1, 1e5, 0] + 1e3,
        LABELS[:, None] > 0,
        "over 60 rows",
    ),
    "large weights": (
        Network((4, 9, 1), seed=0, scale=1e3, bias=False),
        ROWS,
        LABELS[:, None] > 0,
        "Layer 1 is saturated",
    ),
    "large weights and pixels": (
        SigmoidNetwork((64, 9, 1), seed=0, scale=1e3),
        PIXELS,
        WHITE[:, :1],
        "Layer 1 is saturated",
    ),
    "zero": (SigmoidNetwork((4, 5, 1), scale=0), ROWS, LABELS[:, None] > 0, "5 of the 5 .* them 0"),
    "equal": (
        SigmoidNetwork.from_parameters([np.ones((3, 4)), np.ones((1, 3))], [np.ones(3), [0]]),
        ROWS,
        LABELS[:, None] > 0,
        "3 of the 3 units of layer 1",
    ),
    "two equal": (
        Network.from_parameters([[[1.0] * 4, [2.0] * 4, [1.0] * 4], [[3.0, 3.0, 3.0]]]),
        ROWS,
        LABELS[:, None] > 0,
        "2 of the 3 units of layer 1 have the same weights",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FOUND)
def test_it_is_found_said_at_the_users_line_and_mended_by_the_advice(case):
    net, x, y, expected = FOUND[case]
    [message] = warned(net, x, y)
    with pytest.warns(BackpropWarning, match=expected):
        warnings.warn(message, BackpropWarning, stacklevel=1)
    offered = advice(message)
    assert offered
    assert [warned(*follow(text, net, x, y)) for text in offered] == [[]] * len(offered)


def test_zero_rows_and_equal_rows_with_different_targets_are_told():
    y = LABELS[:, None] > 0
    net = Network((4, 3, 1), seed=0)
    assert "All 60 rows of x that were looked at are zero" in warned(net, 0 * ROWS, y)[0]
    assert "are the same" in warned(net, np.ones((60, 4)), y)[0]
    assert warned(net, np.ones((60, 4)), np.ones((60, 1))) == []
    assert warned(net, np.zeros(4), [1]) == []


def test_everything_that_is_found_is_said_once_and_before_the_first_step():
    net = SigmoidNetwork((4, 3, 1), scale=0)
    messages = warned(net, ROWS * 0, LABELS[:, None], epochs=3)
    assert [m.split()[-3] for m in messages] == sorted({m.split()[-3] for m in messages}, key=[
        m.split()[-3] for m in messages].index)  # fmt: skip
    assert len(messages) == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error", BackpropWarning)
        with pytest.raises(BackpropWarning):
            net.fit(ROWS, LABELS[:, None], progress=False)
    assert not np.any(net.A[0])


ONE_HOT = {
    "(N,)": (LABELS, "np.eye(3)[y]"),
    "bytes": (LABELS.astype(np.uint8), "np.eye(3)[y]"),
    "(N, 1)": (LABELS[:, None], "np.eye(3)[np.ravel(y).astype(int)]"),
    "(1, N)": (LABELS[None], "np.eye(3)[np.ravel(y).astype(int)]"),
    "floats": (LABELS.astype(float), "np.eye(3)[np.ravel(y).astype(int)]"),
    "from 1": (LABELS + 1, "np.eye(3)[y - 1]"),
    "a list": (LABELS.tolist(), "np.eye(3)[y]"),
    "a list from 1": ((LABELS + 1).tolist(), "np.eye(3)[np.ravel(y).astype(int) - 1]"),
    "Dask (N,)": (da.from_array(LABELS, 20), "y[:, None] == np.arange(3)"),
    "Dask (N, 1)": (da.from_array(LABELS[:, None], (20, 1)), "y == np.arange(3)"),
}


@pytest.mark.parametrize("case", ONE_HOT)
def test_numbers_of_classes_are_refused_with_the_one_hot_rows_to_write(case):
    y, expected = ONE_HOT[case]
    net = Network((4, 3), seed=0, output="softmax", loss="cross-entropy")
    with pytest.raises(ShapeError) as caught:
        net.fit(ROWS, y, progress=False)
    [written, *_] = caught.value.instead.split(", if y holds the number of a class per row")
    assert written == expected
    y = eval(written, {"np": np, "y": y})
    np.testing.assert_array_equal(np.argmax(y, axis=1), LABELS)
    assert warned(net, ROWS, y) == []


@pytest.mark.parametrize("y", [2, [2], np.array([2.0])])
def test_the_class_of_a_single_input_is_refused_alike(y):
    net = Network((4, 3), seed=0, output="softmax", loss="cross-entropy")
    with pytest.raises(ShapeError) as caught:
        net.loss(ROWS[0], y)
    written = caught.value.instead.split(", if y holds the number of a class")[0]
    assert eval(written, {"np": np, "y": y}).tolist() == [0, 0, 1]


@pytest.mark.parametrize("y", [LABELS + 5, LABELS - 1, LABELS + 0.5, ROWS[:, 0]])
def test_other_numbers_are_not_taken_for_classes(y):
    with pytest.raises(ShapeError) as caught:
        Network((4, 3), seed=0).loss(ROWS, y)
    assert caught.value.instead is None


# --- where nothing is to be said -----------------------------------------------


def usual_targets(output, shape):
    """Return targets in the reach of an output, its ends included."""
    rows, width = shape
    return {
        "sigmoid": RNG.integers(0, 2, shape),
        "tanh": RNG.choice([-1.0, 1.0], shape),
        "relu": np.where(RNG.random(shape) < 0.3, 0, 10 * RNG.random(shape)),
        "leaky relu": 10 * RNG.standard_normal(shape),
        "identity": 100 * RNG.standard_normal(shape),
        "softmax": np.eye(width)[RNG.integers(0, width, rows)].astype(np.float32),
    }[output]


INPUTS = {
    "normal": lambda shape: RNG.standard_normal(shape),
    "shares": lambda shape: RNG.random(shape),
    "pixels from 0 to 1": lambda shape: RNG.integers(0, 256, shape) / 255,
    "sparse": lambda shape: (RNG.random(shape) < 0.3) + np.eye(*shape),
    "centimetres of flowers": lambda shape: RNG.uniform(0.1, 8, shape),
    "signs": lambda shape: RNG.choice([-1, 1], shape) * (1 + np.arange(shape[0])[:, None] % 2),
}


@pytest.mark.parametrize("scale", ["xavier", "document", 0.01])
@pytest.mark.parametrize("kind", INPUTS)
def test_usual_trainings_hear_nothing(kind, scale):
    heard = []
    # Weights of deviation 1 on many inputs of size 1 do saturate.
    large = [] if scale == "document" else [(64, 30, 10), (784, 30, 10)]
    for widths in [(3, 1), (4, 30, 3), (5, 9, 9, 9, 4), *large]:
        for activation, output in [("sigmoid", "sigmoid"), ("tanh", "softmax"), ("relu", "relu"),
                                   ("tanh", "tanh"), ("leaky relu", "identity")]:  # fmt: skip
            net = Network(widths, seed=1, scale=scale, activation=activation, output=output)
            x = INPUTS[kind]((20, widths[0]))
            heard += warned(net, x, usual_targets(output, (20, widths[-1])))
    assert heard == []


def test_columns_that_are_constant_are_no_matter():
    assert (
        warned(Network((4, 3, 1), seed=0), ROWS * [0, 1, 1, 0] + [0, 0, 0, 1], ROWS[:, :1] > 0)
        == []
    )


def test_equal_weights_on_one_side_only_are_told_apart_by_the_other():
    out, into = Network((4, 3, 1), seed=0), Network((4, 3, 1), seed=0)
    into.A[0] = np.zeros((3, 4))
    out.A[1] = np.ones((1, 3))
    assert [warned(net, ROWS, ROWS[:, :1] > 0) for net in (out, into)] == [[], []]
    assert warned(Network((4, 1), scale=0), ROWS, ROWS[:, :1] > 0) == []


def test_the_cross_entropy_of_a_saturated_output_still_learns():
    net = Network((64, 3), seed=0, output="softmax", loss="cross-entropy")
    assert warned(net, PIXELS, np.eye(3)[LABELS]) == []
    net = Network((64, 1), seed=0, loss="cross-entropy")
    assert warned(net, PIXELS, LABELS[:, None] > 0) == []


# --- data in chunks ------------------------------------------------------------


def test_of_chunks_the_first_is_looked_at_and_nothing_is_read_again():
    read = []

    def chunk(block_info=None):
        read.append(block_info[None]["chunk-location"][0])
        return 1.0 * LABELS[:20, None]

    x = da.from_array(ROWS, (20, -1))
    y = da.map_blocks(chunk, chunks=((20,) * 3, (1,)), dtype=float)
    [message] = warned(Network((4, 3, 1), seed=0), x, y, batch_size=20)
    assert "of 20 targets cannot be reached" in message
    assert "instead:  y = y == np.arange(3) and net = " in message
    assert sorted(read) == [0, 0, 1, 2]  # once to look at, and each in the epoch
