"""Bad input at the network's door: what is said, and that nothing has changed."""

import re
import textwrap
from functools import partial

import dask.array as da
import numpy as np
import pytest

from backprop_nb import trace
from backprop_nb.errors import (
    BackpropError,
    BackpropWarning,
    InvalidValueError,
    ShapeError,
    UnsupportedError,
)
from backprop_nb.network import Network, SigmoidNetwork
from backprop_nb.network.validation import named

METHODS = ["__call__", "forward", "loss", "backward", "loss_and_gradient", "trace"]
WITH_TARGET = METHODS[2:]


@pytest.fixture
def net():
    return SigmoidNetwork((4, 3, 1), seed=0)


@pytest.fixture
def wide():
    return SigmoidNetwork((4, 3, 2), seed=0)


def arguments(method, x, y):
    return (x, y) if method in WITH_TARGET else (x,)


def message(kind, call, *args, **kwargs):
    with pytest.raises(kind) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def text(block):
    return textwrap.dedent(block).strip()


# --- widths, scale, seed ----------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "widths", "expected"),
    [
        (
            InvalidValueError,
            (4, 0, 1),
            """
            `widths[1]` is 0: a layer without units has nothing to compute.
              given:    widths[1] = 0
              expected: a positive integer""",
        ),
        (
            InvalidValueError,
            (4,),
            """
            A network needs an input and at least one layer.
              given:    widths = (4,)
              expected: the width of every layer, input first: at least two positive integers
              instead:  SigmoidNetwork((4, 1))""",
        ),
        (
            UnsupportedError,
            4,
            """
            `widths` must be a sequence.
              given:    widths = 4
              expected: the width of every layer, input first: at least two positive integers
              instead:  SigmoidNetwork((4, 1))""",
        ),
        (
            UnsupportedError,
            (4, "3"),
            """
            `widths[1]` must be a positive integer.
              given:    widths[1] = '3'
              instead:  3""",
        ),
        (
            UnsupportedError,
            (4, 3.0),
            """
            `widths[1]` must be a positive integer.
              given:    widths[1] = 3.0""",
        ),
        (
            UnsupportedError,
            (4, True),
            """
            `widths[1]` must be a positive integer.
              given:    widths[1] = True""",
        ),
    ],
)
def test_widths(kind, widths, expected):
    assert message(kind, SigmoidNetwork, widths) == text(expected)


@pytest.mark.parametrize("typed", [(4, 3), (4, 3, 2)])
def test_widths_without_their_own_brackets_are_put_into_them(typed):
    said = message(UnsupportedError, SigmoidNetwork, *typed)
    assert said.endswith(f"instead:  SigmoidNetwork({typed})")


@pytest.mark.parametrize("widths", [3, 0, "342", None, (3,), (), 5.0])
def test_the_network_that_is_written_instead_can_be_made(widths):
    with pytest.raises((UnsupportedError, InvalidValueError)) as caught:
        Network(widths, seed=0)
    assert eval(caught.value.instead).K == 1


def test_weights_of_a_course_that_writes_x_at_W_are_turned_round():
    A, b = [np.ones((3, 4)), np.ones((4, 2))], [np.ones(4), np.ones(2)]
    with pytest.raises(ShapeError, match="does not fit `A") as caught:
        Network.from_parameters(A, b)
    assert caught.value.instead == "[W.T for W in A], if a layer is x @ W"
    assert Network.from_parameters([W.T for W in A], b).widths == (3, 4, 2)


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        *(("activation", value, "relu") for value in ("ReLU", "RELU", ["relu"])),
        *(("activation", value, "leaky relu") for value in ("leaky_relu", "LeakyReLU")),
        *(("activation", value, "tanh") for value in ("Tanh", np.tanh)),
        *(("output", value, "identity") for value in ("linear", "logits", None)),
        *(("loss", value, "squared error") for value in ("MSE", "squared_error")),
        *(("loss", value, "cross-entropy") for value in ("cross_entropy", "BCE", "crossentropy")),
        ("activation", "sigmiod", "sigmoid"),
        *(("activation", value, None) for value in ("elu", "gelu", "softplus", np.sin)),
        *(("loss", value, None) for value in ("hinge", "huber", 3)),
    ],
)
def test_a_choice_under_another_name_is_answered_with_its_own(name, value, meant):
    with pytest.raises(InvalidValueError, match=f"`{name}` must be") as caught:
        Network((3, 2), **{name: value})
    assert caught.value.instead == (f'{name}="{meant}"' if meant else None)


@pytest.mark.parametrize("scale", [-1, np.nan, np.inf, "glorot", True, [1]])
def test_scale(scale):
    assert message(InvalidValueError, SigmoidNetwork, (4, 1), scale=scale) == text(
        f"""
        `scale` must be "xavier", "document", or a finite number that is not negative.
          given:    scale = {scale!r}"""
    )


@pytest.mark.parametrize("seed", [-1, "a", 0.5])
def test_seed(seed):
    assert message(InvalidValueError, SigmoidNetwork, (4, 1), seed=seed) == text(
        f"""
        `seed` must be None, an integer that is not negative, or a numpy.random.Generator.
          given:    seed = {seed!r}"""
    )


# --- from_parameters --------------------------------------------------------


def zeros(*shapes):
    return [np.zeros(shape) for shape in shapes]


@pytest.mark.parametrize(
    ("kind", "A", "b", "expected"),
    [
        pytest.param(
            ShapeError,
            zeros((3, 4), (1, 3)),
            zeros(2, 1),
            """
            `b[0]` does not fit `A[0]`.
              given:    b[0] of shape (2,), A[0] of shape (3, 4)
              expected: b[0] of shape (3,)""",
            id="bias",
        ),
        pytest.param(
            ShapeError,
            zeros((3, 4), (1, 5)),
            zeros(3, 1),
            """
            `A[1]` does not fit `A[0]`.
              given:    A[1] of shape (1, 5), A[0] of shape (3, 4)
              expected: A[1] of shape (1, 3)""",
            id="layers",
        ),
        pytest.param(
            ShapeError,
            zeros((3, 4), (1, 3)),
            zeros(3),
            """
            `A` and `b` must hold one array for each layer.
              given:    2 in A, 1 in b
              expected: as many in both, at least one""",
            id="counts",
        ),
        pytest.param(
            UnsupportedError,
            2.5,
            1,
            """
            `A` must be a list.
              given:    A = 2.5
              expected: a list with one array per layer
              instead:  [A]""",
            id="no lists",
        ),
        pytest.param(
            ShapeError,
            [],
            [],
            """
            `A` and `b` must hold one array for each layer.
              given:    0 in A, 0 in b
              expected: as many in both, at least one""",
            id="nothing",
        ),
        pytest.param(
            ShapeError,
            zeros((3, 4)),
            zeros((3, 1)),
            """
            `b[0]` must be a vector.
              given:    b[0] of shape (3, 1)
              expected: a vector with one entry per unit of the layer
              instead:  b[0].ravel()""",
            id="column",
        ),
        pytest.param(
            ShapeError,
            zeros((1, 4)),
            [0.5],
            """
            `b[0]` must be a vector.
              given:    b[0] of shape ()
              expected: a vector with one entry per unit of the layer""",
            id="number",
        ),
        pytest.param(
            ShapeError,
            np.zeros((1, 4)),
            np.zeros(1),
            """
            `A[0]` must be a matrix.
              given:    A[0] of shape (4,)
              expected: a matrix with one row per unit of the layer
              instead:  [A] and [b], for a network of one layer""",
            id="no list",
        ),
        pytest.param(
            InvalidValueError,
            zeros((0, 4), (1, 0)),
            zeros(0, 1),
            """
            `A[0]` is empty: a layer without units has nothing to compute.
              given:    A[0] of shape (0, 4)
              expected: at least one unit in every layer""",
            id="zero width",
        ),
        pytest.param(
            UnsupportedError,
            [np.zeros((1, 2), complex)],
            zeros(1),
            """
            `A[0]` must hold real numbers.
              given:    A[0] of dtype complex128
              expected: integers or floats
              instead:  A[0].real""",
            id="complex",
        ),
        pytest.param(
            ShapeError,
            [[[1, 2], [3]]],
            zeros(2),
            """
            `A[0]` is not rectangular.
              given:    A[0] with rows of different lengths
              expected: rows of one length""",
            id="ragged",
        ),
    ],
)
def test_from_parameters(kind, A, b, expected):
    assert message(kind, SigmoidNetwork.from_parameters, A, b) == text(expected)


def test_from_parameters_warns_of_nan():
    with pytest.warns(BackpropWarning) as caught:
        SigmoidNetwork.from_parameters([[[1, 2], [3, 4]]], [[0, np.nan]])
    assert [str(w.message) for w in caught] == [
        "`b[0][1]` is nan: what is computed from it means nothing."
    ]


def test_parameters_are_named_layer_by_layer_so_that_the_first_bad_one_is_the_deepest():
    A, b = zeros((3, 4), (1, 3)), zeros(3, 1)
    assert [name for name, _ in named(A, b)] == ["A[0]", "b[0]", "A[1]", "b[1]"]
    assert [name for name, _ in named(A, [])] == ["A[0]", "A[1]"]


# --- parameters that the user assigned --------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_an_assigned_weight_that_does_not_fit(net, method):
    net.A[1] = np.zeros((3, 1))
    assert message(
        ShapeError, getattr(net, method), *arguments(method, np.ones(4), np.ones(1))
    ) == text(
        """
        `A[1]` does not fit this network of widths (4, 3, 1).
          given:    A[1] of shape (3, 1)
          expected: A[1] of shape (1, 3)
          instead:  A[1].T"""
    )


def test_an_assigned_bias_that_does_not_fit(net):
    net.b[0] = np.zeros((3, 1))
    assert message(ShapeError, net, np.ones(4)) == text(
        """
        `b[0]` does not fit this network of widths (4, 3, 1).
          given:    b[0] of shape (3, 1)
          expected: b[0] of shape (3,)
          instead:  b[0].ravel()"""
    )


def test_a_parameter_too_few(net):
    del net.b[1]
    assert message(ShapeError, net, np.ones(4)) == text(
        """
        A network of widths (4, 3, 1) has `A[0]` to `A[1]`, and `b[0]` to `b[1]`.
          given:    2 in A, 1 in b
          expected: 2 in each"""
    )


# --- x ----------------------------------------------------------------------

X_EXPECTED = "x of shape (4,), or (N, 4) with one input per row"


@pytest.mark.parametrize(
    ("x", "problem", "instead"),
    [
        (np.ones((2, 5)), "`x` has 5 columns, `A[0]` expects 4.", None),
        (np.ones(3), "`x` has 3 entries, `A[0]` expects 4.", None),
        (7.0, "`x` has 1 entry, `A[0]` expects 4.", None),
        (np.ones((4, 10)), "`x` has 10 columns, `A[0]` expects 4.", "x.T"),
        (np.ones((4, 1)), "`x` has 1 column, `A[0]` expects 4.", "x.ravel()"),
        (np.ones(12), "`x` has 12 entries, `A[0]` expects 4.", "x.reshape(-1, 4)"),
    ],
)
def test_x_of_another_width(net, x, problem, instead):
    lines = [
        problem,
        f"  given:    x of shape {np.atleast_1d(x).shape}, A[0] of shape (3, 4)",
        f"  expected: {X_EXPECTED}",
        *([f"  instead:  {instead}"] if instead else []),
    ]
    assert message(ShapeError, net, x) == "\n".join(lines)


def test_a_row_of_single_features_is_not_a_batch():
    net = SigmoidNetwork((1, 1))
    assert "instead:  x.reshape(-1, 1)" in message(ShapeError, net, [1, 2, 3])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("kind", "x", "expected"),
    [
        pytest.param(
            ShapeError,
            np.ones((1, 5)),
            f"""
            `x` has 5 columns, `A[0]` expects 4.
              given:    x of shape (1, 5), A[0] of shape (3, 4)
              expected: {X_EXPECTED}""",
            id="width",
        ),
        pytest.param(
            InvalidValueError,
            np.ones((0, 4)),
            """
            `x` is empty.
              given:    x of shape (0, 4)
              expected: at least one row""",
            id="empty",
        ),
        pytest.param(
            ShapeError,
            np.ones((2, 2, 4)),
            """
            `x` has 3 dimensions.
              given:    x of shape (2, 2, 4)
              expected: one vector, or a matrix with one vector per row
              instead:  x.reshape(2, -1)""",
            id="dimensions",
        ),
        pytest.param(
            UnsupportedError,
            np.ones((1, 4), complex),
            """
            `x` must hold real numbers.
              given:    x of dtype complex128
              expected: integers or floats
              instead:  x.real""",
            id="complex",
        ),
        pytest.param(
            UnsupportedError,
            [[1, 2, None, 4]],
            """
            `x` must hold real numbers.
              given:    x of dtype object
              expected: integers or floats
              instead:  np.array(x, dtype=float)""",
            id="object",
        ),
        pytest.param(
            ShapeError,
            [[1, 2, 3, 4], [1, 2]],
            """
            `x` is not rectangular.
              given:    x with rows of different lengths
              expected: rows of one length""",
            id="ragged",
        ),
    ],
)
def test_every_method_refuses_a_bad_x(net, method, kind, x, expected):
    call = getattr(net, method)
    assert message(kind, call, *arguments(method, x, np.ones((1, 1)))) == text(expected)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_warns_of_nan_on_the_users_own_line(net, method):
    x, y = np.ones((2, 4)), np.ones((2, 1))
    x[1, 2] = np.nan
    with pytest.warns(BackpropWarning) as caught:
        getattr(net, method)(*arguments(method, x, y))
    own = [w for w in caught if str(w.message).startswith("`x[1, 2]` is nan")]
    assert len(own) == 1
    assert own[0].filename == __file__
    assert str(own[0].message) == "`x[1, 2]` is nan: what is computed from it means nothing."


@pytest.mark.parametrize(
    "stored", [np.asarray, np.ndarray.tolist, partial(da.from_array, chunks=1)]
)
def test_a_loss_of_finite_data_that_is_infinite_warns_on_the_users_own_line(stored):
    net = Network((4, 3, 1), activation="identity", output="identity", seed=0)
    x, y = np.full((2, 4), 1e200), np.ones((2, 1))
    net.loss_and_gradient(np.ones((2, 4)), y)  # the next one on arrays takes the fast path
    with pytest.warns(BackpropWarning) as caught:
        assert net.loss_and_gradient(stored(x), y)[0] == np.inf
    assert [str(each.message) for each in caught] == [
        "The loss is inf: numbers so large that float64 has no loss of them.\n"
        "  instead:  x and y scaled to about −1 to 1"
    ]
    assert caught[0].filename == __file__


def test_a_number_beyond_float32_warns_as_infinity():
    net = SigmoidNetwork.from_parameters(np.ones((1, 1, 2), np.float32), np.ones((1, 1), "f4"))
    with pytest.warns(BackpropWarning, match=r"^`x\[1\]` is inf: "):
        net([0, 1e300])


# --- y ----------------------------------------------------------------------


@pytest.mark.parametrize("method", WITH_TARGET)
def test_every_method_refuses_a_flat_y_for_a_batch(net, method):
    call = getattr(net, method)
    assert message(ShapeError, call, np.ones((5, 4)), np.ones(5)) == text(
        """
        `x` is a batch of 5 rows, `y` is a single target.
          given:    y of shape (5,), x of shape (5, 4)
          expected: y of shape (5, 1), one target per row
          instead:  y.reshape(-1, 1)"""
    )


@pytest.mark.parametrize(
    ("x_shape", "y_shape", "expected"),
    [
        pytest.param(
            (5, 4),
            (3, 2),
            """
            `x` has 5 rows, `y` has 3 rows.
              given:    y of shape (3, 2), x of shape (5, 4)
              expected: y of shape (5, 2), one target per row""",
            id="rows",
        ),
        pytest.param(
            (5, 4),
            (5, 3),
            """
            `y` has 3 columns, `A[1]` gives 2.
              given:    y of shape (5, 3), x of shape (5, 4), A[1] of shape (2, 3)
              expected: y of shape (5, 2), one target per row""",
            id="width",
        ),
        pytest.param(
            (5, 4),
            (2, 5),
            """
            `y` has 5 columns, `A[1]` gives 2.
              given:    y of shape (2, 5), x of shape (5, 4), A[1] of shape (2, 3)
              expected: y of shape (5, 2), one target per row
              instead:  y.T""",
            id="transposed",
        ),
        pytest.param(
            (4,),
            (3,),
            """
            `y` has 3 entries, `A[1]` gives 2.
              given:    y of shape (3,), x of shape (4,), A[1] of shape (2, 3)
              expected: y of shape (2,)""",
            id="single width",
        ),
        pytest.param(
            (4,),
            (2, 1),
            """
            `x` is a single input, `y` is a batch of 2 rows.
              given:    y of shape (2, 1), x of shape (4,)
              expected: y of shape (2,)
              instead:  y.ravel()""",
            id="column",
        ),
        pytest.param(
            (4,),
            (5, 2),
            """
            `x` is a single input, `y` is a batch of 5 rows.
              given:    y of shape (5, 2), x of shape (4,)
              expected: y of shape (2,)""",
            id="y batch",
        ),
        pytest.param(
            (1, 4),
            (2,),
            """
            `x` is a batch of 1 row, `y` is a single target.
              given:    y of shape (2,), x of shape (1, 4)
              expected: y of shape (1, 2), one target per row
              instead:  y.reshape(-1, 2)""",
            id="one row",
        ),
    ],
)
def test_y_that_does_not_fit_x(wide, x_shape, y_shape, expected):
    assert message(ShapeError, wide.loss, np.ones(x_shape), np.ones(y_shape)) == text(expected)


@pytest.mark.parametrize(
    ("kind", "y", "problem"),
    [
        (InvalidValueError, np.ones((0, 1)), "`y` is empty."),
        (UnsupportedError, ["setosa"], "`y` must hold real numbers."),
        (UnsupportedError, None, "`y` must hold real numbers."),
        (ShapeError, np.ones((1, 1, 1)), "`y` has 3 dimensions."),
    ],
)
def test_y_of_the_wrong_kind(net, kind, y, problem):
    assert message(kind, net.loss, np.ones(4), y).startswith(problem)


def test_y_with_nan_warns(net):
    with pytest.warns(BackpropWarning, match=r"^`y\[0\]` is nan: "):
        assert np.isnan(net.loss(np.ones(4), [np.nan]))


# --- nothing changed --------------------------------------------------------


@pytest.mark.parametrize("method", WITH_TARGET)
def test_an_error_leaves_the_network_as_it_was(net, method):
    A, b = list(net.A), list(net.b)
    values = [p.copy() for p in (*A, *b)]
    for x, y in [(np.ones(5), 1), (np.ones((5, 4)), np.ones(5)), (np.ones(4), [1j])]:
        with pytest.raises((ShapeError, UnsupportedError)):
            getattr(net, method)(x, y)
    assert all(now is before for now, before in zip((*net.A, *net.b), (*A, *b), strict=True))
    assert all(np.array_equal(p, v) for p, v in zip((*A, *b), values, strict=True))


@pytest.mark.parametrize("method", ["__call__", "loss"])
def test_a_traced_value_is_sent_to_the_networks_own_trace(net, method):
    args = arguments(method, np.ones(4), np.ones(1)) if method == "loss" else (np.ones(4),)
    assert message(UnsupportedError, trace, getattr(net, method), *args) == (
        "A network computes with plain numbers, so a trace of its methods sees nothing.\n"
        "  given:    x as a traced value\n"
        "  instead:  net.trace(x, y), which traces the network's loss"
    )


class Sparse:
    """As scipy.sparse has them."""

    def __init__(self, array):
        self.array = array

    def toarray(self):
        return self.array


CLASSES = np.array(["setosa", "virginica", "setosa"])


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (Sparse(np.ones((3, 4))), np.eye(3)),
        ((row for row in np.ones((3, 4))), np.eye(3)),
        (np.ones((3, 4)).astype(str), np.eye(3)),
        (np.ones((3, 4)), CLASSES),
        (np.ones((3, 4)), CLASSES.astype(object)),
        (np.ones((3, 4)), list(CLASSES)),
        (np.ma.masked_greater(np.arange(12.0).reshape(3, 4), 7), np.eye(3)),
    ],
    ids=["sparse", "generator", "text", "names", "objects", "list of names", "masked"],
)
def test_what_it_says_to_write_for_other_data_works(x, y):
    classes = 2 if np.ndim(y) == 1 else 3
    net = SigmoidNetwork((4, classes), seed=0)
    with pytest.raises(BackpropError) as caught:
        net.loss(x, y)
    advice = re.split(", (?:if|or) ", caught.value.instead)[0]
    name = "x" if "x" in advice else "y"
    given = {"x": x, "y": y}
    assert np.isfinite(net.loss(**given | {name: eval(advice, {"np": np}, given)}))


def test_masked_entries_are_not_taken_for_numbers():
    net = SigmoidNetwork((4, 3), seed=0)
    x = np.ma.masked_greater(np.arange(12.0).reshape(3, 4), 7)
    with pytest.raises(InvalidValueError, match="masked entries"):
        net.fit(x, np.eye(3), learning_rate=1.0)
    nothing = np.ma.masked_greater(x.data, 99)
    assert net.loss(nothing, np.eye(3)) == net.loss(x.data, np.eye(3))


def test_a_table_with_a_column_of_text_is_told_to_leave_it_out():
    class Table:
        def __array__(self, dtype=None, copy=None):
            return np.array([[1.0, 2.0, "a"], [3.0, 4.0, "b"]], object)

        def select_dtypes(self, kinds):
            raise NotImplementedError

    with pytest.raises(UnsupportedError) as caught:
        SigmoidNetwork((2, 3), seed=0).loss(Table(), np.eye(3)[:2])
    assert caught.value.instead == 'x.select_dtypes("number")'
