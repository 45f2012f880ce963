"""The contract with the browser: real scenes are what the schema says, to the last key."""

import copy
import functools
import operator
from collections.abc import Sequence

import numpy as np
import pytest
from contract import departures
from every_view import VIEWS

import backprop_nb as bp
from backprop_nb.checking.line_puzzle import make_line_puzzle
from backprop_nb.checking.puzzle import PLAYABLE, make_puzzle
from backprop_nb.views import numbers
from backprop_nb.views.bug.answers import secret
from backprop_nb.views.bug.lines import line_secret
from backprop_nb.views.bug.schema import BugFound, BugScene, BugSecret
from backprop_nb.views.chain.schema import ChainScene
from backprop_nb.views.explorer.scene import GraphScene
from backprop_nb.views.explorer.schema import ExplorerScene, FoldedState, Told
from backprop_nb.views.flow.schema import FlowCurve, FlowScene
from backprop_nb.views.picture import Picture, heat_levels
from backprop_nb.views.playground.schema import PlaygroundCurves, PlaygroundFrame, PlaygroundScene
from backprop_nb.views.schema import PictureData, Tensor
from backprop_nb.views.sigmoid.scene import sigmoid_scene
from backprop_nb.views.sigmoid.schema import SigmoidScene


def picture():
    made = Picture(120, 40, "All kinds of shapes.")
    made.line([(0, 0), (5, 5)], stroke="text", dash=(4, 2), key="line")
    made.rect((0, 0, 5, 5), fill=("value", 0.5), radius=2)
    made.circle((5, 5), 3, fill=("adjoint", -1.0), stroke="line")
    with made.during(since=2, until=3):
        made.text((6, 2), "σ", sub="1", on=("value", 0.5), bold=True, italic=True, turned=True)
    made.heat((0, 0, 10, 10), 2, [0.5, -0.5], "adjoint", texts=["1", "2"])
    made.field((0, 0, 10, 10), heat_levels(np.zeros((2, 2))), key="map")
    return made.data()


def line_round():
    puzzle = make_line_puzzle(0, 1, ["rows"])
    return line_secret(puzzle, puzzle.pickable)


def finished():
    game = bp.FindTheBug()
    game.measured, game.hints, game.given_up = True, 3, True
    return game.found


def marked(x):
    return np.sum(np.maximum(x, 0.0)) + 1.0


def explored(*args, **options):
    return bp.trace(marked, *args).explore(**options)


def folded_states():
    def outer(x):
        return marked(x) * marked(x)

    return bp.trace(outer, np.zeros(3)).explore()._own_state()["states"]


def told_later():
    scene = GraphScene(bp.trace(marked, np.array([0.0, 1.0])), in_full=False)
    return scene.tell(range(len(scene.data["frames"])))


X, Y = [[1.0, 0.5], [-1.0, 2.0]], [[0.9, 0.2], [0.1, 0.8]]


def chain_rule(*widths, rows=None):
    net = bp.SigmoidNetwork(widths, seed=0)
    x, y = (X, Y) if rows else (np.ones(widths[0]), np.zeros(widths[-1]))
    return bp.ChainRule(net, x, y)


def gradient_flow(**choices):
    return bp.GradientFlow(bp.Network((2, 12, 2), seed=0, **choices), X, Y)


SCALE = numbers.Scale(0.1, 2.0)
REAL = {
    "a picture": (picture, PictureData),
    "a number": (lambda: numbers.tensor(1.5, SCALE), Tensor),
    "a large array": (lambda: numbers.tensor(np.ones((40, 90)), SCALE), Tensor),
    "an empty array": (lambda: numbers.tensor(np.ones((0, 3)), SCALE), Tensor),
    "SigmoidExplorer": (sigmoid_scene, SigmoidScene),
    "Playground": (lambda: bp.Playground().scene, PlaygroundScene),
    "a frame of Playground": (lambda: bp.Playground().frame, PlaygroundFrame),
    "the curves of Playground": (lambda: bp.Playground().curves, PlaygroundCurves),
    "GraphExplorer": (lambda: explored(np.array([0.0, 1.0])).scene, ExplorerScene),
    "GraphExplorer, large": (lambda: explored(np.zeros((40, 90))).scene, ExplorerScene),
    "GraphExplorer, an array": (
        lambda: bp.trace(lambda x: x * 2.0, np.ones(3)).explore().scene,
        ExplorerScene,
    ),
    "GraphExplorer, folded": (folded_states, Sequence[FoldedState]),
    "GraphExplorer, told later": (told_later, Told),
    "ChainRule": (lambda: chain_rule(2, 3, 2, rows=2).scene, ChainScene),
    "ChainRule, pooled": (lambda: chain_rule(*(32,) * 13).scene, ChainScene),
    "ChainRule, not built": (lambda: chain_rule(1100, 1100, 1).scene, ChainScene),
    "GradientFlow": (lambda: gradient_flow().scene, FlowScene),
    "GradientFlow, no bias": (lambda: gradient_flow(bias=False).scene, FlowScene),
    "GradientFlow, default": (lambda: bp.GradientFlow().scene, FlowScene),
    "a curve of GradientFlow": (lambda: gradient_flow().curves["A_0[0, 0]"], FlowCurve),
    "FindTheBug, easy": (lambda: bp.FindTheBug("easy").scene, BugScene),
    "FindTheBug, hard": (lambda: bp.FindTheBug("hard").scene, BugScene),
    "FindTheBug, a line": (lambda: bp.FindTheBug("easy", course="rows").scene, BugScene),
    "FindTheBug, all of a line": (line_round, BugSecret),
    "FindTheBug at the beginning": (lambda: bp.FindTheBug().found, BugFound),
    "FindTheBug in the end": (finished, BugFound),
    "FindTheBug, all of it": (lambda: secret(make_puzzle(0, 1), PLAYABLE), BugSecret),
}


@pytest.mark.parametrize(("make", "declared"), REAL.values(), ids=list(REAL))
def test_what_python_hands_over_is_what_the_schema_says(make, declared):
    assert not list(departures(make(), declared))


SCENES = (BugScene, ChainScene, ExplorerScene, FlowScene, PlaygroundScene, SigmoidScene)


@pytest.mark.parametrize("make", VIEWS.values(), ids=list(VIEWS))
def test_the_scene_of_every_view_is_one_that_the_schema_has(make):
    assert list(departures(make().scene, functools.reduce(operator.or_, SCENES))) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data.pop("alt"), "scene: no 'alt'"),
        (lambda data: data.update(size=1), "scene: nobody declares 'size'"),
        (lambda data: data.update(width="120"), "scene.width: '120' is no float"),
        (lambda data: data["shapes"][0].update(points=3), "scene.shapes[0].points: 3 is no list"),
        (lambda data: data["shapes"][2].pop("centre"), "scene.shapes[2]: no 'centre'"),
        (
            lambda data: data["shapes"][3].update(anchor="left"),
            "scene.shapes[3].anchor: 'left' is not one of 'start', 'middle', 'end'",
        ),
    ],
)
def test_a_departure_is_told_with_its_place(spoil, said):
    data = copy.deepcopy(picture())
    spoil(data)
    assert list(departures(data, PictureData)) == [said]
