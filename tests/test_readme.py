"""What the README promises is true: its code runs, its numbers are right, its files exist."""

import ast
import contextlib
import re
import runpy
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from links import address, binder, for_the_index, tag
from nonempty import nonempty

from backprop_nb.tracing.rules import TABLE

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


SHOWN_AT_ONCE = {"print", "train", "to_html", "to_mjs", "figures", "save"}


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_in_one_cell_shows_all_that_it_speaks_of(block):
    *before, last = ast.parse(block).body
    assert isinstance(last, ast.Expr)  # which a notebook shows, and nothing before it
    calls = [each.value.func for each in before if isinstance(each, ast.Expr)]
    assert {getattr(call, "attr", getattr(call, "id", "")) for call in calls} <= SHOWN_AT_ONCE


def test_the_first_example_gives_the_number_that_stands_beside_it(ran):
    written = re.search(r"gradients\)\s+# (-?[\d.]+)…", BLOCKS[0])[1]
    assert float(ran[0]["backward"].gradients[0]) == pytest.approx(float(written), abs=5e-4)


def test_the_mistake_in_the_wrong_pass_is_the_one_that_is_named(ran):
    named = re.search(r'explains it: "(.*)"', README)[1]
    assert f"“{named}”" in ran[0]["report"].findings[0].message


def test_the_views_are_those_that_are_described(ran):
    space, _ = ran
    assert "4-3-3-3-3-3-3, tanh, one input" in space["view"].heading()
    assert space["playground"].last_epoch == 50


def test_the_network_learns(ran):
    assert ran[0]["history"].loss[-1] < ran[0]["loss"]


def test_the_files_that_are_written_are_there(ran):
    assert ran[1] >= {"flow.html", "page.html", "page.mjs", "iris.npz"}


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_every_link_into_the_project_leads_somewhere(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("lesson", sorted(ROOT.glob("notebooks/*.ipynb")), ids=lambda p: p.stem)
def test_every_lesson_has_a_line_of_the_table_with_its_minutes(lesson):
    text = lesson.read_text(encoding="utf-8")
    minutes = re.search(r"\*\*Time:\*\* (?:about )?(\d+)", text)[1]
    number, link = lesson.stem.partition("_")[0], f"notebooks/{lesson.name}"
    line = rf"^\| \[{number} · .+\]\({link}\) \| {minutes} min \| .+ \|$"
    assert re.search(line, README, re.MULTILINE)


def test_the_map_of_the_code_names_files_that_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+/)` \| .+ \| (.+) \|$", text, re.MULTILINE)
    assert {wing for wing, _ in rows} == {
        *("tracing/", "network/", "checking/", "views/", "classroom/", "course/")
    }
    for wing, way in rows:
        for name in nonempty(re.findall(r"`([\w/]+\.\w+)`", way)):
            assert (ROOT / "backprop_nb" / wing / name).is_file(), name


def test_the_ways_of_calls_name_files_that_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("| a user writes |")[2].partition("\n\n")[0]
    for line in nonempty(table.splitlines()[2:]):
        first, *others = re.findall(r"`([\w/]+\.\w+)`", line.split(" | ")[1])
        room = (ROOT / "backprop_nb" / first).parent
        assert (ROOT / "backprop_nb" / first).is_file(), first
        for name in others:
            assert any((folder / name).is_file() for folder in (room, ROOT / "backprop_nb")), name


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


COMMANDS = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)


def test_two_commands_lead_to_the_first_lesson_and_one_to_the_tests():
    first, tests = COMMANDS
    assert first == 'python -m pip install ".[lab]"\nbackprop-nb lab\n'
    install, run = tests.splitlines()
    assert install == 'python -m pip install -e ".[test]"'
    assert run.startswith("pytest -n auto --dist loadfile ")
    assert [path for path in run.split()[5:] if not (ROOT / path).is_dir()] == []


def test_the_short_run_leaves_the_browser_out_and_the_full_one_nothing():
    paths = COMMANDS[1].split()
    assert "notebooks" in paths
    assert {"tests", "tests/browser", "tests/assignment"}.isdisjoint(paths)
    full = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert re.search(r'^pytest .*-m ""', full, re.MULTILINE)


def test_what_convinces_stands_on_the_first_screen():
    top = README.partition("\n## ")[0]
    assert top.count("<picture>") == 1
    assert "[![Open in Binder]" in top
    assert COMMANDS[0] in top
    assert len(top.splitlines()) < 30


def test_the_release_on_binder_is_that_of_the_address_and_the_version():
    [link] = re.findall(r"\[!\[Open in Binder\]\(\S+\)\]\((.*?)\)", README)
    assert link == binder(address(), tag())
    assert README.count(address().rpartition("/")[2] + "/v") == 1


# --- as the package index shows it ----------------------------------------------


@pytest.fixture(scope="module")
def shown():
    """The description in the metadata of the package."""
    return WheelBuilder(str(ROOT)).metadata.core.readme


def test_the_index_has_no_link_that_needs_the_repository_around_it(shown):
    assert (
        re.findall(r"\]\((?!https://|#)[^)]*\)", re.sub(r"```.*?```", "", shown, flags=re.DOTALL))
        == []
    )
    assert re.findall(r'(?:src|srcset)="(?!https://)', shown) == []


def test_the_links_of_the_index_lead_to_the_files_of_the_release(shown):
    start = f"{address()}/"
    found = re.findall(rf'{re.escape(start)}(blob|raw)/{re.escape(tag())}/([^)"]+)', shown)
    assert len(found) > 20
    assert [path for _, path in found if not (ROOT / path).is_file()] == []
    assert {path for kind, path in found if kind == "raw"} == {
        path for _, path in found if path.endswith(".png")
    }


def test_from_the_index_it_is_installed_by_its_name(shown):
    assert 'python -m pip install "backprop-nb[lab]"\nbackprop-nb lab\n' in shown
    assert "this folder" not in shown.partition("\n## ")[0]
    assert "<!--" not in shown


def test_brackets_in_code_are_no_links():
    code = "```python\nf[0](x)\n```\n"
    assert for_the_index(f"{code}[a](b)\n{code}", "https://a", "v1") == (
        f"{code}[a](https://a/blob/v1/b)\n{code}"
    )


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
    printed = space["graph"].to_numpy()
    assert printed.endswith(shown)
    before = printed.removesuffix(shown)
    for above in ("import numpy as np", "def sigmoid(", "\nx = ", "\ny = "):
        assert above in before
    alone = {}
    exec(printed, alone)
    value, _ = alone["loss_and_gradient"](*(node.value for node in space["graph"].inputs))
    assert value == pytest.approx(space["graph"].value)


def test_the_table_of_speed_is_of_what_was_measured():
    measured = (ROOT / "tests/benchmarks/network.md").read_text(encoding="utf-8")
    table = README.partition("and how it was measured")[2].partition("\n\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len(rows) == 5
    assert [row for row in rows if row not in measured] == []


def test_what_the_import_costs_is_what_was_measured():
    measured = (ROOT / "tests/benchmarks/imports.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| `import backprop_nb`(.*?) \| .+? \| ([\d.]+) ×", re.MULTILINE)
    ratios = dict(row.findall(measured))
    assert f"`import backprop_nb` takes {ratios['']} × as long as `import numpy`" in README
    assert float(ratios[""]) <= 1.25
    assert float(ratios[", without bytecode"]) <= 1.6


def test_the_table_of_other_libraries_is_of_what_they_computed():
    text = (ROOT / "tests/benchmarks/arrays.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, _, every, *rows = (
        [cell.strip(" `*") for cell in line.split("|")[1:-1]] for line in lines
    )
    assert head == ["rule", "numpy", "torch", "dask", "jax"]
    counts = [re.match(r"(\d+)/(\d+)", cell).groups() for cell in every[1:]]
    assert [
        int(right) / int(total) >= share
        for (right, total), share in zip(counts, (1.0, 0.99, 0.99, 0.99), strict=True)
    ] == [True] * 4
    assert {name for name, *_ in rows} <= {row.name for row in TABLE.values()}
    assert "wrong" not in text
    packages = ["numpy", "torch", "array-api-compat", "dask", "jax"]
    assert [each for each in packages if not re.search(rf"\b{each}\s\d+\.\d", text)] == []


def rows_of(table):
    """Return the rows of numbers in a table of the benchmarks, by their cells."""
    text = (ROOT / "tests/benchmarks" / table).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_the_table_of_training_has_every_network_in_both_types():
    rows = {(net, layers, dtype): cells for net, layers, _, dtype, *cells in rows_of("training.md")}
    large, types = ("784-30-10", "784-128-64-10"), ("float64", "float32")
    cases = [(net, layers) for layers in ("σ", "ReLU, softmax") for net in large]
    assert list(rows) == [(*case, dtype) for case in [*cases, ("2-3-2", "σ")] for dtype in types]
    times = {key: float(own.split()[0]) for key, (own, *_) in rows.items()}
    assert all(times[*case, "float32"] <= times[*case, "float64"] for case in cases)
    by_hand = {key: 1 / float(cells[1].split()[0]) for key, cells in rows.items()}
    assert all(by_hand[*case, dtype] <= 1.15 for case in cases for dtype in types)
    for dtype in types:  # what the classic network takes, to NumPy by hand and to JAX
        jax = float(rows["784-30-10", "σ", dtype][2].split()[0])
        assert (by_hand["784-30-10", "σ", dtype] <= 0.9, 1 / jax <= 1.3) == (True, True)


def test_the_table_of_chunks_has_what_a_killed_worker_costs():
    rows = {what: killed for what, _, _, *killed in rows_of("chunks.md")}
    del rows["the data alone"]
    assert len(rows) == 3
    ratios = [float(cell.split()[0]) for killed in rows.values() for cell in killed]
    assert max(ratios) <= 1.3


def test_the_table_of_the_views_has_what_a_large_graph_costs():
    rows = {
        what: [float(cell.split()[0]) for cell in cells] for what, *cells in rows_of("browser.md")
    }
    seen, before, _ = rows["1,670 nodes, open: from the cell to the picture, ms"]
    step, *_ = rows["1,670 nodes, open: a step, ms"]
    assert f"is seen after {seen / 1000:.1f} s, and a step takes {step:.0f} ms" in README
    assert seen <= 1500 < before
    slower = "1,670 nodes, open: a step at 95 %, ms", "GradientFlow: a slider to its repaint, ms"
    assert [rows[what][2] < 0.75 for what in slower] == [True, True]


def test_the_version_that_is_cited_is_that_of_the_package():
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    assert f"v{cited[1]}" == tag()
