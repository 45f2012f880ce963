"""What goes to the browser is the scene, without saying anything twice."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.explorer.scene import graph_scene
from backprop_nb.views.explorer.wire import packed

MODULE = Path(bp.__file__).parent / "views/explorer/scene.mjs"
UNPACK = """
import { unpacked } from MODULE;
let text = "";
for await (const part of process.stdin) text += part;
process.stdout.write(JSON.stringify(unpacked(JSON.parse(text))));
"""


def layer(A, b, x):
    return bp.sigmoid(A @ x + b)


def loss(A, b, x):
    for i in range(len(A)):
        x = layer(A[i], b[i], x)
    wide = np.ones((50, 3)) @ A[0]
    return np.sum(np.abs(x - 1.0)) + np.sum(A[0] * 1e-7) + np.sum(wide[:30]) + np.sum(wide)


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(0)
    A = [rng.normal(size=(3, 3)) for _ in range(12)]
    graph = bp.trace(loss, A, [np.zeros(3)] * 12, np.ones(3))
    return graph_scene(graph, graph.backward())


def size(value):
    return len(json.dumps(value, separators=(",", ":")))


def test_the_browser_unpacks_what_python_packed(scene, cannot_run):
    node = shutil.which("node") or cannot_run("there is no node on the PATH")
    code = UNPACK.replace("MODULE", json.dumps(MODULE.as_uri()))
    done = subprocess.run(
        [node, "--input-type=module", "--eval", code],
        input=json.dumps(packed(scene)),
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    shown = json.loads(done.stdout)
    scene = json.loads(json.dumps(scene))
    for here, there in zip(scene["frames"], shown["frames"], strict=True):
        assert [here["phase"], here["node"], here["words"]] == [
            there["phase"],
            there["node"],
            there["words"],
        ]
        assert here.get("ask") == there["ask"]
        for given, gift in zip(here["gifts"], there["gifts"], strict=True):
            assert gift["ask"] == given["ask"]
            assert gift["names"] == [list(name) for name in given["names"]]
            assert f'"data-link": "a{gift["parent"]}"' in json.dumps(gift["formula"])
            assert {key: gift[key] for key in ("parent", "edge", "line", "symbol", "arrival")} == {
                key: given[key] for key in ("parent", "edge", "line", "symbol", "arrival")
            }
            same_tensor(given["value"], gift["value"])
            same_tensor(given["sum"], gift["sum"])
            for factor, shown_factor in zip(given["factors"], gift["factors"], strict=True):
                assert factor["text"] == shown_factor["text"]
                assert factor["family"] == shown_factor["family"]
                assert [list(name) for name in factor["names"]] == shown_factor["names"]
                same_tensor(factor["value"], shown_factor["value"])
    for here, there in zip(scene["nodes"], shown["nodes"], strict=True):
        for key in ("name", "kind", "symbol", "text", "source", "parents", "group", "code"):
            assert here[key] == there[key]
        assert here.get("marks") == there.get("marks")
        same_tensor(here["value"], there["value"])
        same_tensor(here["adjoint"], there["adjoint"])
        assert there["title"][0] == "math"
    assert shown["edges"] == scene["edges"]
    assert any(node["value"]["map"] for node in shown["nodes"])


def same_tensor(here, there):
    if here is None:  # the adjoint of a constant
        assert there is None
        return
    for key in ("shape", "single", "rows", "columns", "long", "omitted", "fits"):
        assert here[key] == there[key]
    assert np.allclose(here["heat"], there["heat"], atol=0.006)
    assert there["short"] == (here["short"] if here["fits"] else [])
    assert (here["map"] is None) == (there["map"] is None)
    if here["map"]:
        assert np.allclose(here["map"]["heat"], there["map"]["heat"], atol=0.026)
        assert here["map"] | {"heat": []} == there["map"] | {"heat": []}


def test_it_is_less_than_half_of_the_scene(scene):
    assert size(packed(scene)) < size(scene) / 2


def test_packing_leaves_the_scene_alone(scene):
    before = json.dumps(scene)
    packed(scene)
    assert json.dumps(scene) == before
