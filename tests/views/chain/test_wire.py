"""What goes to the browser is the chain rule's scene, without saying anything twice."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.chain.scene import Case, chain_scene
from backprop_nb.views.chain.wire import packed_chains

MODULE = Path(bp.__file__).parent / "views/chain/wire.mjs"
UNPACK = """
import { chainUnpacked } from MODULE;
let text = "";
for await (const part of process.stdin) text += part;
process.stdout.write(JSON.stringify(JSON.parse(text).map(chainUnpacked)));
"""


def scene_of(widths, which=None):
    net, random = bp.SigmoidNetwork(widths, seed=0), np.random.default_rng(0)
    return chain_scene(Case(net, random.normal(size=widths[0]), random.random(widths[-1])), which)


def size(value):
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def rounded(scene):
    """The scene as JSON, without what is for paper alone, and with heats as numbers to compare."""
    heats = []
    for matrix in (scene := json.loads(json.dumps(scene)))["matrices"].values():
        matrix.pop("latex", None)
        heats += (matrix["numbers"] or {"heat": []}).pop("heat")
        for shape in matrix["picture"]["shapes"]:
            heats += shape.pop("heats", [])
    return scene, heats


@pytest.fixture(scope="module")
def scenes():
    """One with all numbers, one that is pooled, one with what is not built."""
    return [scene_of((3, 3, 2)), scene_of((32,) * 13, (3,)), scene_of((784, 128, 10))]


def test_the_browser_unpacks_what_python_packed(scenes, cannot_run):
    node = shutil.which("node") or cannot_run("there is no node on the PATH")
    done = subprocess.run(
        [node, "--input-type=module", "--eval", UNPACK.replace("MODULE", f'"{MODULE.as_uri()}"')],
        input=json.dumps([packed_chains(scene) for scene in scenes]),
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    for scene, shown in zip(scenes, json.loads(done.stdout), strict=True):
        (here, heats), (there, shown_heats) = rounded(scene), rounded(shown)
        assert np.allclose(heats, shown_heats, atol=0.026)
        assert here["network"] == there["network"]
        for name, matrix in here["matrices"].items():
            other = there["matrices"][name]
            assert sorted(matrix.pop("lit")) == sorted(other.pop("lit"))
            assert {"zeros": "", "layout": "", "meaning": ""} | matrix == other
        for i, chain in here["chains"].items():
            for way in ("left", "right", "transposes"):
                for frame, shown_frame in zip(
                    chain.pop(way), there["chains"][i].pop(way), strict=True
                ):
                    assert {"run": None, "code": None} | frame == shown_frame
            assert chain == there["chains"][i]


def test_fifty_layers_are_less_than_half_of_the_scene():
    scene = scene_of((20,) * 51, (0,))
    assert size(packed_chains(scene)) < size(scene) / 2


def test_packing_leaves_the_scene_alone(scenes):
    before = json.dumps(scenes)
    for scene in scenes:
        packed_chains(scene)
    assert json.dumps(scenes) == before
