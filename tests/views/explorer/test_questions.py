"""The questions carry the library's numbers, and call a wrong answer what it is."""

import json
import re

import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.views.explorer.scene import graph_scene


def network(A, b, x):
    f = bp.sigmoid(A @ x + b)
    return np.sum((1.0 - f) ** 2)


def fan_out(x):
    u = x**2
    v = u + np.exp(u)
    return np.sqrt(v) + np.cos(v)


def traced(f):
    rng = np.random.default_rng(3)
    if f is fan_out:
        return bp.trace(f, 0.7)
    return bp.trace(f, rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=2))


scene_of = graph_scene


def contributions_of(scene):
    return [one for frame in scene["frames"] for one in frame["contributions"]]


def asked(graph):
    """Every contribution with its question."""
    given = contributions_of(scene_of(graph))
    contributions = [c for step in graph.backward().steps for c in step.contributions]
    return list(zip(contributions, given, strict=True))


def index(ask):
    return tuple(json.loads(ask["at"] or "[]"))


@pytest.mark.parametrize("f", [network, fan_out])
def test_the_right_answer_is_the_librarys_and_stands_where_the_view_marks_it(f):
    graph = traced(f)
    tensors = scene_of(graph)["tensors"]
    sums = {}
    for contribution, one in nonempty(asked(graph)):
        ask = one["ask"]
        before = sums.get(one["parent"])
        total = contribution.value if before is None else before + contribution.value
        sums[one["parent"]] = total
        whole = one["arrivals"] > 1 and one["arrival"] == one["arrivals"]
        expected = total if whole else contribution.value
        assert ask["value"] == pytest.approx(float(expected[index(ask)]), rel=1e-5)
        shown = tensors[one["total" if whole else "value"]]["words"]
        shown = re.split("[,;] ", shown.strip("[]"))[ask["entry"]]
        assert float(shown.replace("\u2212", "-")) == pytest.approx(ask["value"], rel=1e-3)


def named(graph, name):
    return next(one["ask"] for c, one in asked(graph) if c.parent.name == name)


def test_a_forgotten_factor_has_a_name():
    graph = traced(network)
    backward = graph.backward()
    ask, f = named(graph, "v2"), graph.node("f").value  # v2 + b goes into the sigmoid
    at = index(ask)
    assert ask["wrong"]["incoming"] == pytest.approx(backward.adjoint("f")[at], rel=1e-5)
    assert ask["wrong"]["local"] == pytest.approx((f * (1 - f))[at], rel=1e-5)


def test_one_contribution_in_place_of_all_has_a_name():
    graph = traced(fan_out)
    (first, _), (second, last) = [(c, g) for c, g in asked(graph) if c.parent.name == "v"]
    assert last["ask"]["value"] == pytest.approx(float(first.value + second.value), rel=1e-5)
    assert last["ask"]["wrong"] == {
        "last": pytest.approx(float(second.value), rel=1e-5),
        "before": pytest.approx(float(first.value), rel=1e-5),
    }


def test_what_is_right_or_could_mean_two_mistakes_has_no_name():
    # -g: to forget the slope and to flip the sign are the same number.
    assert named(bp.trace(lambda x: -np.exp(x) * 2.0, 0.3), "v1")["wrong"] == {"local": -1.0}
    # exp at 0 has the slope 1, so nothing is forgotten that shows.
    assert named(bp.trace(lambda x: np.exp(x) * 3.0, 0.0), "x")["wrong"] == {"local": 1.0}


@pytest.mark.parametrize(
    ("f", "args", "name", "expected"),
    [
        (lambda x: np.sin(x) * 2.0, (0.5,), "x", "2 × 0.8776"),
        (lambda x: np.exp(x) / 3.0, (0.0,), "v1", "1 / 3.0"),
        (lambda x: -np.exp(x), (0.0,), "v1", "\u22121"),
        (lambda x: np.sum(x * x), (np.array([1.0, -3.0]),), "x", "(\u22123) + 1 × (\u22123)"),
        (
            lambda A, x: np.sum((v := A @ x) * v),
            (np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([1.0, 1.0])),
            "x",
            "2 × 6 + (\u22121) × (\u22122)",
        ),
    ],
    ids=["sine", "quotient", "minus", "product", "matrix"],
)
def test_the_last_hint_has_the_numbers_in_place(f, args, name, expected):
    graph = bp.trace(f, *args)
    ask = [one["ask"] for c, one in asked(graph) if c.parent.name == name][-1]
    assert ask["numbers"].replace("np.", "") == expected


def test_a_long_product_is_not_spelled_out():
    graph = bp.trace(lambda A, x: np.sum(A @ x), np.ones((9, 2)), np.ones(2))
    text = named(graph, "x")["numbers"]
    assert text == "1 × 1 + 1 × 1 + 1 × 1 + … (9 products)"


def test_the_first_hint_names_the_rule():
    scene = scene_of(traced(network))
    said = [one["ask"]["rule"] for one in contributions_of(scene)]
    assert said[-1].startswith("A matrix product")
    seed = next(frame["ask"] for frame in scene["frames"] if frame["phase"] == "seed")
    assert seed["rule"] == "By how much does network change when network changes by 1?"


def test_the_output_itself_is_asked_for_first():
    frame = next(f for f in scene_of(traced(fan_out))["frames"] if f["phase"] == "seed")
    assert (frame["ask"]["value"], frame["ask"]["wrong"]) == (1.0, {})


def test_rounding_noise_is_zero():
    graph = bp.trace(lambda x: np.sin(x) * 5.0, np.pi / 2)  # the slope is 6e-17
    assert named(graph, "x")["value"] == 0.0


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.norm(x) + np.max(x),
        lambda x: np.sum(np.cumsum(x)[1:] * np.where(x[1:] > 0, x[1:], 0.0)),
        lambda x: np.sum(np.outer(x, x) @ np.stack([x, x, x])),
        lambda x: np.linalg.det(np.outer(x, x) + np.eye(3)),
        lambda x: np.einsum("i,i->", x, x) / np.mean(x),
    ],
    ids=["norm", "running", "stacked", "determinant", "einsum"],
)
def test_every_kind_of_rule_can_be_asked_for(f):
    scene = scene_of(bp.trace(f, np.array([0.5, 2.0, -1.0])))
    json.dumps(scene, allow_nan=False)
    assert all(one["ask"]["numbers"] for one in nonempty(contributions_of(scene)))


def test_what_is_not_a_number_is_not_asked_for():
    with np.errstate(all="ignore"), pytest.warns(bp.BackpropWarning):
        scene = scene_of(bp.trace(lambda x: np.log(x) * 2.0, 0.0))
    assert contributions_of(scene)[-1]["ask"] is None
