"""Numbers too large for their type: each view shows ∞ or NaN and says which were the first."""

import warnings

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.errors import InvalidValueError
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.overflow import quietly, too_large

X, Y = [0.5, -1.0, 2.0], [1.0, 0.0]


def network(size, activation="identity", output="identity"):
    net = bp.Network((3, 4, 4, 4, 2), seed=0, activation=activation, output=output)
    net.A = [size * A for A in net.A]
    return net


def sigmoids(size, dtype=np.float64):
    net = bp.SigmoidNetwork((3, 3, 2), seed=0)
    A = [np.asarray(size * each, dtype) for each in net.A]
    return bp.SigmoidNetwork.from_parameters(A, [np.asarray(b, dtype) for b in net.b])


VIEWS = {
    "z of a deep layer": (lambda: bp.GradientFlow(network(1e100), X, Y), "z₄."),
    "z of an early layer": (lambda: bp.GradientFlow(network(1e160), X, Y), "z₂."),
    "z, with relu": (lambda: bp.GradientFlow(network(1e300, "relu"), X, Y), "z₂."),
    "in a batch": (lambda: bp.GradientFlow(network(1e100), [X, X], [Y, Y]), "z₄."),
    "the loss alone": (lambda: bp.GradientFlow(network(1.0), [1e200, 1, 1], Y), "L and ∂L/∂A₃."),
    "on the way back": (lambda: bp.GradientFlow(network(1e50), X, Y), "L and ∂L/∂A₃."),
    "the target": (lambda: bp.ChainRule(sigmoids(1), X, [1.7e308, 0]), "L and δ₂."),
    "the input": (lambda: bp.ChainRule(sigmoids(1e10), [1e300, 1, 1], Y), "z₁."),
    "single precision": (
        lambda: bp.ChainRule(sigmoids(1, np.float32), X, [1e30, 0]),
        "float32 (beyond 3.403e38): L.",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", VIEWS)
def test_what_is_too_large_is_named_and_every_form_is_made(name, tmp_path):
    make, first = VIEWS[name]
    view = make()
    said = " ".join(view.describe().split())
    assert "Too large for a float" in said
    assert f"{first} What follows from it can be ∞, or NaN, as ∞ − ∞ is." in said
    assert "is 0, so" not in said
    assert "Too large" in view.to_html(tmp_path / "page").read_text(encoding="utf-8")
    assert view.draw().alt


@pytest.mark.filterwarnings("ignore:.*what is computed from it means nothing")
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["x", "y", "A", "b"])
@pytest.mark.parametrize("view", [bp.ChainRule, bp.GradientFlow])
def test_what_is_given_as_nan_or_infinity_is_refused_where_it_is_given(view, where, number):
    net, x, y = sigmoids(1), np.array(X), np.array(Y)
    {"x": x, "y": y, "A": net.A[0], "b": net.b[1]}[where].flat[0] = number
    named = f"in `{where}`" if where in "xy" else "of `net`"
    with pytest.raises(InvalidValueError, match=f"{named} is NaN or infinite") as caught:
        view(net, x, y)
    assert str(number) in str(caught.value)


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e20])
def test_nothing_is_said_where_all_is_finite(size):
    net = network(size)
    assert Flow(net, X, Y).too_large == ""
    assert "Too large" not in bp.GradientFlow(net, X, Y).describe()
    assert "Too large" not in bp.ChainRule(sigmoids(size), X, Y).describe()


def test_numpy_warns_as_before_outside_of_the_views():
    net = network(1e100)
    with quietly():
        passes = net.forward(X), net.loss(X, Y), net.backward(X, Y)
    assert "z₄" in too_large(net, *passes)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        net.forward(X)
    assert seen


def test_an_explorer_names_the_node():
    with np.errstate(all="ignore"), pytest.warns(UserWarning, match="first node with a NaN"):
        graph = network(1e100).trace(X, Y)
    assert "NaN appears here first" in bp.GraphExplorer(graph).describe()


def test_points_too_far_apart_are_refused_and_the_advice_works():
    x = np.array([[1e308, 1.0], [-1.7e308, 2.0], [2.0, 1.0], [3.0, 1.0]])
    y = [0, 1, 0, 1]
    with pytest.raises(InvalidValueError, match="too far apart to be drawn"):
        bp.Playground(data=(x, y))
    assert bp.Playground(data=(x / np.abs(x).max(), y)).last_epoch == 0
