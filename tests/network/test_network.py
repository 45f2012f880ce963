"""Every combination of choices, against central differences, the tracer and the document."""

import copy
import itertools
import pickle
import tracemalloc

import numpy as np
import pytest

from backprop_nb.data import load_iris
from backprop_nb.errors import InvalidValueError, NotFoundError, ShapeError, UnsupportedError
from backprop_nb.network import Network, SigmoidNetwork
from backprop_nb.network.activations import ACTIVATIONS, OUTPUTS
from backprop_nb.network.losses import LOSSES
from backprop_nb.network.theta import flatten, unflatten

CHOICES = [
    {"activation": activation, "output": output, "loss": loss, "bias": bias}
    for activation, loss, bias in itertools.product(ACTIVATIONS, LOSSES, (True, False))
    for output in LOSSES[loss].outputs
]

every_choice = pytest.mark.parametrize(
    "choices", CHOICES, ids=lambda c: " ".join(map(str, c.values()))
)
every_form = pytest.mark.parametrize("rows", [None, 1, 6])


def example(rows=None, widths=(4, 3, 3, 2), **choices):
    rng = np.random.default_rng(5)
    net = Network(widths, seed=2, scale=1.0, **choices)
    net.b = [rng.normal(size=b.shape) for b in net.b]
    lead = () if rows is None else (rows,)
    x, y = rng.normal(size=(*lead, widths[0])), rng.uniform(size=(*lead, widths[-1]))
    if choices.get("output") == "softmax":
        y /= y.sum(axis=-1, keepdims=True)
    return net, x, y


def theta(gradient):
    return flatten(gradient.A, gradient.b)


# --- the gradient of every combination --------------------------------------


def test_all_choices_are_tried():
    assert len(CHOICES) == 5 * 2 * (6 + 2)


@every_form
@every_choice
def test_the_gradient_is_that_of_central_differences(choices, rows):
    net, x, y = example(rows, **choices)
    found, start, h = theta(net.backward(x, y)), flatten(net.A, net.b), 1e-6
    slopes = np.empty_like(start)
    for k in range(start.size):
        losses = []
        for nudge in (h, -h):
            nudged = start.copy()
            nudged[k] += nudge
            net.A, net.b = unflatten(nudged, net.widths, net.bias)
            losses.append(net.loss(x, y))
        slopes[k] = (losses[0] - losses[1]) / (2 * h)
    np.testing.assert_allclose(found, slopes, atol=1e-7, rtol=1e-7)


@every_form
@every_choice
def test_the_tracer_finds_the_same(choices, rows):
    net, x, y = example(rows, **choices)
    graph = net.trace(x, y)
    assert float(graph.value) == pytest.approx(net.loss(x, y), rel=1e-13)
    found = graph.backward().gradients
    traced = flatten(*found) if net.bias else flatten(found[0], [])
    np.testing.assert_allclose(traced, theta(net.backward(x, y)), rtol=1e-12, atol=1e-14)


@every_form
@every_choice
def test_loss_and_gradient_are_those_of_loss_and_backward(choices, rows):
    net, x, y = example(rows, **choices)
    loss, gradient = net.loss_and_gradient(x, y)
    assert loss == pytest.approx(net.loss(x, y), rel=1e-13)
    np.testing.assert_allclose(theta(gradient), theta(net.backward(x, y)), rtol=1e-12, atol=1e-14)


@every_choice
def test_float32_stays_float32(choices):
    net, x, y = example(6, **choices)
    net.A, net.b = ([a.astype(np.float32) for a in part] for part in (net.A, net.b))
    if choices["output"] == "softmax":
        y = np.eye(2)[[0, 1, 1, 0, 1, 0]]
    loss, gradient = net.loss_and_gradient(x, y)
    assert type(loss) is float
    assert {a.dtype for a in (*gradient.A, *gradient.b, *net.forward(x).f)} == {np.dtype("f4")}


# --- data in any type ---------------------------------------------------------


@pytest.mark.parametrize("rows", [None, 1, 7, 4000])
@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int64, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("own", [np.float32, np.float64])
def test_numbers_count_as_those_of_the_network_whatever_they_are_stored_in(own, dtype, rows):
    net = Network((6, 20, 2), seed=0, dtype=own)
    lead = () if rows is None else (rows,)
    x, y = (np.random.default_rng(0).integers(0, 2, (*lead, n)).astype(dtype) for n in (6, 2))
    converted = x.astype(own), y.astype(own)
    assert net.loss(x, y) == net.loss(*converted)
    np.testing.assert_array_equal(net(x), net(converted[0]))
    (loss, gradient), (expected, other) = (
        net.loss_and_gradient(*data) for data in ((x, y), converted)
    )
    assert loss == expected
    for one, another in zip((*gradient.A, *gradient.b), (*other.A, *other.b), strict=True):
        assert one.dtype == own
        np.testing.assert_array_equal(one, another)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("asked", ["outputs", "loss", "loss_and_gradient"])
def test_data_in_another_type_are_not_copied(asked, dtype):
    net, x = Network((500, 30, 2), seed=0), np.ones((30_000, 500), dtype)
    y = np.zeros((len(x), 2), dtype)
    asking = {"outputs": lambda: net(x), "loss": lambda: net.loss(x, y)}.get(
        asked, lambda: net.loss_and_gradient(x, y)
    )
    tracemalloc.start()
    try:
        asking()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 25_000_000  # in float64 they are 120 MB


# --- what each choice is for ------------------------------------------------


def test_at_the_kink_the_tracer_agrees_with_the_pass():
    """An input of zeros meets biases of zero: every pre-activation is 0."""
    for activation in ("relu", "leaky relu"):
        net = Network((2, 3, 1), seed=0, activation=activation)
        x, y = np.zeros(2), np.ones(1)
        dA, db = net.trace(x, y).backward().gradients
        gradient = net.backward(x, y)
        np.testing.assert_allclose(flatten(dA, db), theta(gradient), atol=1e-15)
        assert np.abs(gradient.b[1]).max() > 0


def test_a_linear_output_gives_any_number():
    net = Network.from_parameters([[[2.0]]], [[30.0]], output="identity")
    assert net([10]) == [50]
    assert net.loss([10], [52]) == 4


def test_a_leaky_unit_lets_a_hundredth_through():
    net = Network.from_parameters([[[1.0]], [[1.0]]], activation="leaky relu", output="identity")
    assert net([-3]) == pytest.approx([-0.03])
    assert net.backward([-3], [0]).delta[1] == pytest.approx([2 * -0.03 * 0.01])


def test_a_saturated_wrong_output_learns_with_the_cross_entropy_alone():
    """The lesson on slow learning: σ′ is in one δ_K and not in the other."""
    A, b = [[[10.0]]], [[0.0]]
    squared = Network.from_parameters(A, b).backward([1], [0]).A[0].item()
    entropy = Network.from_parameters(A, b, loss="cross-entropy")
    assert squared < 1e-4
    assert entropy.backward([1], [0]).A[0].item() == pytest.approx(1, abs=1e-4)


def test_gradients_vanish_through_sigmoids_and_not_through_the_others():
    widths, x, y = (20,) * 12, np.linspace(-1, 1, 20), np.ones(20)

    def first_to_last(activation):
        dA = Network(widths, seed=0, activation=activation).backward(x, y).A
        return np.linalg.norm(dA[0]) / np.linalg.norm(dA[-1])

    assert first_to_last("sigmoid") < 1e-5
    others = [name for name in ACTIVATIONS if name != "sigmoid"]
    assert min(map(first_to_last, others)) > 0.1


def test_saturation_is_measured_by_the_slope_of_each_activation():
    A, b = [[[5.0], [0.1], [-5.0]], np.zeros((1, 3))], [np.zeros(3), [0]]
    shares = {
        name: Network.from_parameters(A, b, activation=name).saturation([1])[0]
        for name in ACTIVATIONS
    }
    assert shares == pytest.approx(
        {"sigmoid": 2 / 3, "tanh": 2 / 3, "relu": 1 / 3, "leaky relu": 1 / 3, "identity": 0}
    )


@pytest.mark.parametrize("rows", [None, 6])
def test_nan_and_infinity_stay_visible(rows):
    for activation in ACTIVATIONS:
        net, x, _ = example(rows, activation=activation)
        x[..., 0] = np.nan
        with pytest.warns(UserWarning, match="is nan"):
            assert np.isnan(net(x)).all()


# --- training, storage, chains ----------------------------------------------

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])


def test_it_trains_like_any_network():
    x, y = XOR
    net = Network((2, 8, 1), seed=1, activation="tanh", loss="cross-entropy")
    net.fit(x, y, learning_rate=0.5, epochs=300, momentum=0.9, seed=0, progress=False)
    assert net(x).round().ravel().tolist() == [0, 1, 1, 0]


def test_classes_are_learned_by_softmax():
    iris = load_iris()
    x, y = iris.data - iris.data.mean(axis=0), np.eye(3)[iris.target]
    net = Network((4, 8, 3), seed=0, activation="relu", output="softmax", loss="cross-entropy")
    history = net.fit(x, y, learning_rate=0.1, epochs=60, seed=0, progress=False)
    assert history.loss[-1] < 0.1
    assert np.mean(net(x).argmax(axis=1) == iris.target) > 0.95


def test_without_a_bias_a_line_through_the_origin_is_learned():
    x = np.linspace(-1, 1, 20)[:, None]
    net = Network((1, 1), seed=0, output="identity", bias=False)
    history = net.fit(x, 3 * x, learning_rate=0.5, epochs=50, seed=0, progress=False)
    assert net.A[0].item() == pytest.approx(3)
    assert net.b == []
    assert history.gradient_norms.shape == (50, 1)


def test_without_a_bias_there_is_no_b_anywhere():
    net, x, y = example(6, bias=False)
    assert (net.b, net.bias, net.backward(x, y).b) == ([], False, ())
    assert net.loss_and_gradient(x, y)[1].b == ()
    assert [node.name for node in net.trace(x, y).nodes if node.op is None] == ["A0", "A1", "A2"]
    assert net(np.zeros(4)).tolist() == pytest.approx(net(np.zeros((1, 4)))[0].tolist())
    net.b = [np.zeros(3)] * 3
    with pytest.raises(ShapeError, match="this one has no bias"):
        net(x)


@every_choice
def test_a_file_brings_the_network_back(choices, tmp_path):
    net, x, y = example(6, **choices)
    again = Network.load(net.save(tmp_path / "net"))
    assert repr(again) == repr(net)
    assert again.loss(x, y) == net.loss(x, y)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_has_the_choices_and_parameters_of_its_own(copied):
    net, x, y = example(6, activation="leaky relu", output="softmax", loss="cross-entropy")
    before, other = net.loss(x, y), copied(net)
    assert repr(other) == repr(net)
    other.A[0] += 1
    assert net.loss(x, y) == before != other.loss(x, y)


def test_a_file_of_the_general_network_names_its_class(tmp_path):
    path = Network((2, 1)).save(tmp_path / "net")
    with pytest.raises(InvalidValueError, match="holds a Network") as caught:
        SigmoidNetwork.load(path)
    assert caught.value.instead == "Network.load(path)"


def test_the_chain_of_jacobians_is_the_documents_alone():
    x, y = [1, 2], [0, 1]
    same = Network((2, 3, 2), seed=0).chain(x, y, 0).product()
    assert np.array_equal(same, SigmoidNetwork((2, 3, 2), seed=0).chain(x, y, 0).product())
    with pytest.raises(UnsupportedError) as caught:
        Network((2, 3, 2), activation="tanh").chain(x, y, 0)
    assert str(caught.value) == (
        "The chain of Jacobians holds for the document's network: σ in every layer, the squared "
        "error, and a bias.\n"
        "  given:    Network(widths=(2, 3, 2), activation='tanh', output='sigmoid', "
        "loss='squared error')\n"
        "  expected: a SigmoidNetwork"
    )


# --- bad choices ------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"activation": "elu"},
            '`activation` must be "sigmoid", "tanh", "relu", "leaky relu" or "identity".\n'
            "  given:    activation = 'elu'",
        ),
        (
            {"activation": "softmax"},
            '`activation` must be "sigmoid", "tanh", "relu", "leaky relu" or "identity".\n'
            "  given:    activation = 'softmax'",
        ),
        (
            {"output": None},
            '`output` must be "sigmoid", "tanh", "relu", "leaky relu", "identity" or "softmax".\n'
            "  given:    output = None\n"
            '  instead:  output="identity"',
        ),
        (
            {"loss": "hinge"},
            '`loss` must be "squared error" or "cross-entropy".\n  given:    loss = \'hinge\'',
        ),
        (
            {"output": "identity", "loss": "cross-entropy"},
            "The cross-entropy needs outputs that are probabilities.\n"
            "  given:    output = 'identity'\n"
            '  expected: `output` as "sigmoid" or "softmax"',
        ),
        ({"bias": 0}, "`bias` must be True or False.\n  given:    bias = 0"),
    ],
)
def test_an_unknown_choice_is_refused(options, expected):
    with pytest.raises(InvalidValueError) as caught:
        Network((2, 1), **options)
    assert str(caught.value) == expected


def test_the_documents_network_leaves_nothing_to_choose():
    with pytest.raises(TypeError, match="activation"):
        SigmoidNetwork((2, 1), activation="tanh")
    with pytest.raises(UnsupportedError) as caught:
        SigmoidNetwork.from_parameters([[[1.0]]], [[0.0]], activation="tanh")
    assert str(caught.value) == (
        "A `SigmoidNetwork` has no `activation`: it is the document's network.\n"
        "  given:    activation = 'tanh'\n"
        "  expected: A and b\n"
        "  instead:  Network.from_parameters(A, b, activation=...)"
    )
    with pytest.raises(ShapeError, match="must hold one array for each layer") as caught:
        SigmoidNetwork.from_parameters([[[1.0]]])
    assert caught.value.instead == "Network.from_parameters(A), which has no bias"


def test_the_cross_entropy_refuses_targets_that_are_no_probabilities():
    net = Network((2, 1), loss="cross-entropy")
    with pytest.raises(InvalidValueError) as caught:
        net.loss([[1, 2], [3, 4]], [[2], [-1]])
    assert str(caught.value) == (
        "`y` must hold probabilities: the cross-entropy compares them.\n"
        "  given:    y from -1 to 2\n"
        "  expected: y from 0 to 1"
    )


def test_a_softmax_refuses_targets_of_several_classes_in_one_row():
    net = Network((2, 3), output="softmax", loss="cross-entropy")
    with pytest.raises(InvalidValueError) as caught:
        net.loss([[1, 2], [3, 4]], [[0, 1, 0], [1, 1, 0]])
    assert str(caught.value) == (
        "`y` must add up to 1 in each row, as the output of a softmax does.\n"
        "  given:    row 1 of y adds up to 2\n"
        "  expected: the probability of each class, such as a single 1 for the right one\n"
        '  instead:  output="sigmoid", if an input may belong to several classes'
    )


def test_a_softmax_takes_targets_of_fewer_digits_than_its_own():
    net = Network((2, 3), seed=0, output="softmax", loss="cross-entropy")
    y = np.random.default_rng(0).dirichlet(np.ones(3), size=20).astype(np.float32)
    x = np.ones((20, 2))
    assert (y.astype(float).sum(axis=1) != 1).any()
    assert net.loss(x, y) == pytest.approx(net.loss(x, y.astype(float)), rel=1e-6)
    with pytest.raises(InvalidValueError, match=r"adds up to 1\.0001"):
        net.loss(x[0], [0.5, 0.25, 0.2501])


def test_the_delta_of_the_quick_way_is_asked_of_the_plain_pass():
    net, x, y = example(activation="tanh")
    with pytest.raises(NotFoundError, match="does not store `delta`"):
        net.loss_and_gradient(x, y)[1].delta[1]


def test_repr_names_the_choices():
    net = Network((2, 1), activation="tanh", bias=False)
    assert repr(net) == (
        "Network(widths=(2, 1), activation='tanh', output='sigmoid', loss='squared error', "
        "bias=False)"
    )
    assert repr(SigmoidNetwork((2, 1))) == "SigmoidNetwork(widths=(2, 1))"
    assert sorted(OUTPUTS) == sorted({*ACTIVATIONS, "softmax"})
