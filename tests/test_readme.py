"""What the README promises is true: its code runs, its numbers are right, its files exist."""

import contextlib
import re
import runpy
from pathlib import Path

import pytest

import backprop_nb as bp
from backprop_nb.tracing.rules import COMPOSITES
from backprop_nb.tracing.rules.row import full_name

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Every block of Python, from the top to the bottom as a newcomer runs them; what it left."""
    folder = tmp_path_factory.mktemp("readme")
    script = folder / "readme.py"  # a file, because names come from the source
    script.write_text("\n".join(BLOCKS), encoding="utf-8")
    with contextlib.chdir(folder):
        space = runpy.run_path(str(script))
    return space, {path.name for path in folder.iterdir()}


def test_the_first_example_gives_the_number_that_stands_beside_it(ran):
    written = re.search(r"gradients\s+# \((-?[\d.]+),\)", BLOCKS[0])[1]
    assert float(ran[0]["backward"].gradients[0]) == pytest.approx(float(written), abs=5e-4)


def test_the_mistake_in_the_wrong_pass_is_the_one_that_is_named(ran):
    named = re.search(r'explains it: "(.*)"', README)[1]
    assert f"“{named}”" in ran[0]["report"].findings[0].message


def test_the_views_are_those_that_are_described(ran):
    space, _ = ran
    assert "4-3-3, sigmoid, one input" in space["view"].heading()
    assert space["playground"].last_epoch == 50


def test_the_network_learns(ran):
    assert ran[0]["history"].loss[-1] < ran[0]["loss"]


def test_the_files_that_are_written_are_there(ran):
    assert ran[1] >= {"run.html", "page.html", "iris.npz"}


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_every_link_into_the_project_leads_somewhere(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("lesson", sorted(path.name for path in ROOT.glob("notebooks/*.ipynb")))
def test_every_lesson_has_a_line_of_the_table(lesson):
    number = lesson.partition("_")[0]
    assert re.search(
        rf"^\| \[{number} · .+\]\(notebooks/{lesson}\) \| .+ \|$", README, re.MULTILINE
    )


IMAGES = sorted((ROOT / "notebooks/images").iterdir())


def test_every_picture_is_there_for_light_and_for_dark_pages_and_in_words():
    pictures = re.findall(
        r'<source media="\(prefers-color-scheme: dark\)" srcset="(.*)-dark.png">\n'
        r'  <img src="(.*)-light.png".* alt="(.+)">',
        README,
    )
    assert len(pictures) == README.count("<picture>") > 3
    for dark, light, alt in pictures:
        assert dark == light
        assert len(alt) > 40
        assert {ROOT / f"{dark}-dark.png", ROOT / f"{light}-light.png"} <= set(IMAGES)


def test_the_pictures_are_small():
    sizes = [path.stat().st_size for path in IMAGES]
    assert max(sizes) < 120_000
    assert sum(sizes) < 700_000


@pytest.mark.parametrize(
    "command",
    [
        'python -m pip install -e ".[lab]" && jupyter lab notebooks/00_start_here.ipynb',
        'python -m pip install -e ".[test]" && pytest -n auto --dist loadfile',
    ],
)
def test_the_two_commands_that_do_all_the_setup_are_there(command):
    assert command in README


NETWORK = """
import numpy as np
import backprop_nb as bp

x, y = np.ones(2), np.zeros(2)

def loss(A0, b0, A1, b1):
    z1 = A0 @ x + b0
    f1 = bp.sigmoid(z1)
    z2 = A1 @ f1 + b1
    f2 = bp.sigmoid(z2)
    L = np.sum((y - f2) ** 2)
    return L

graph = bp.trace(loss, np.ones((3, 2)), np.ones(3), np.ones((2, 3)), np.ones(2))
"""


def test_the_printed_backward_pass_is_what_the_library_prints(tmp_path):
    script = tmp_path / "network.py"
    script.write_text(NETWORK, encoding="utf-8")
    space = {}
    exec(compile(NETWORK, script, "exec"), space)
    shown = re.search(r"```text\n(def .*?)```", README, re.DOTALL)[1]
    assert space["graph"].to_numpy().endswith(shown)


def test_the_functions_that_are_named_can_be_traced():
    section = README.split("### The functions that have a rule")[1].split("## Test")[0]
    examples, others = section.split("- entry by entry")[1].split("Several others")
    named = re.findall(r"`([\w.]+)`", examples)
    assert len(named) > 20
    assert {f"np.{name}" for name in named} <= set(bp.supported_functions())
    composed = re.findall(r"`([\w.]+)`", others)
    assert composed
    assert {f"np.{name}" for name in composed} <= {full_name(each) for each in COMPOSITES}


def test_the_table_of_speed_is_the_one_that_was_measured():
    measured = (ROOT / "tests/benchmarks/network.md").read_text(encoding="utf-8")
    rows = [line for line in measured.splitlines() if line.startswith("|")]
    assert len(rows) == 12
    assert "\n".join(rows) in README
