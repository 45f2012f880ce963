"""The live views in a real JupyterLab: from a cell to its picture, steps, a slider, the state sent,
and how many frames a second a playground trains and paints.

    python tests/benchmarks/browser.py [--beside FOLDER] [--rounds N] [--write]

Times are taken inside the page with its own clock. A picture or a slider counts until
the frame after its change; a step is the page's own work for it, layout included.
--beside is the folder of another build's `backprop_nb`, measured in turn with this one, which tells
what is the machine's; --write puts the table into browser.md.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from network import digits, line
from timing import of_build, publish

sys.path.insert(0, str(Path(__file__).parent.parent / "browser"))
from jupyterlab_page import CHROMIUM_FLAGS, NotebookPage, chromium_executable, running_lab

FILE = Path(__file__).with_suffix(".md")
ROOT = Path(__file__).parent.parent.parent
AGAIN = 3
STEPS = 40

START = "import numpy as np\nimport backprop_nb as bp\nbp.widgets"
# Nodes, layers (a network's graph has five nodes a layer) and what is folded: None is as it begins.
GRAPHS = [(20, 3, []), (200, 34, None), (200, 34, []), (2000, 334, None), (2000, 334, [])]
GRAPH = """net = bp.SigmoidNetwork((3,) * {layers}, seed=0)
view = bp.GraphExplorer(net.trace(np.linspace(-1, 1, 3), np.zeros(3)), folded={folded})
view"""
# An older build has no "more", and shows all at once.
FLOW = """view = bp.GradientFlow()
if hasattr(view, "more"):
    view.more = True
view"""
PLAYGROUNDS = {
    "one view": "view = bp.Playground(seed=1); view",
    "two displays": "view = bp.Playground(seed=1); display(view, view)",
    "2-8-8-1": "view = bp.Playground('spiral', (2, 8, 8, 1), activation='tanh', "
    "learning_rate=2, epochs_per_frame=2); view",
}
WARM_UP, FRAMES = 20, 100
STATE = """import json
state = view.get_state()
print(json.dumps([len(view.graph.nodes) if hasattr(view, "graph") else 0,
    sum(len(v if isinstance(v, bytes) else json.dumps(v))
        for k, v in state.items() if k not in ("_esm", "_css"))]))"""

RUN = """async () => {
    const { commands, shell } = window.jupyterapp;
    shell.currentWidget.content.activeCellIndex = 1;
    const start = performance.now();
    const ran = commands.execute("notebook:run-cell");
    while (!document.querySelector(".bpnb")) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    const time = performance.now() - start;
    await ran;
    return time;
}"""

# The steps begin at moments spread over the whole replay, and each changes what is to be seen.
STEP = """async count => {
    const root = document.querySelector(".bpnb");
    const button = root.querySelector("[aria-label='Step forward']");
    const slider = root.querySelector("[aria-label='Step']");
    const times = [];
    for (let k = 0; k < count; k++) {
        slider.value = Math.floor((k * slider.max) / count);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        const before = slider.value;
        const start = performance.now();
        button.click();
        root.getBoundingClientRect();
        times.push(performance.now() - start);
        if (slider.value === before) throw new Error(`no step at ${before}`);
    }
    return times;
}"""

# A move counts until every part shows other numbers than before, and the frame after that.
SLIDE = """async ([label, count]) => {
    const root = document.querySelector(".bpnb");
    const labels = [...root.querySelectorAll(".bpnb-slider")];
    const wanted = labels.find(each => each.firstChild.textContent === label);
    const slider = wanted.querySelector("input");
    const parts = ["net", "waterfall", "verdict", "table", "facts", "change"];
    const at = part => root.querySelector(`.bpnb-flow-${part}`);
    const there = parts.filter(at);
    const shown = () => there.map(part => at(part).textContent);
    const times = [];
    for (let k = 0; k < count; k++) {
        const before = shown();
        await new Promise(requestAnimationFrame);
        const start = performance.now();
        slider.value = Number(slider.value) + Number(slider.step) * (k % 2 ? -1 : 1);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        while (shown().some((text, n) => text === before[n])) {
            if (performance.now() > start + 3000) throw new Error(`nothing new after move ${k}`);
            await new Promise(requestAnimationFrame);
        }
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - start);
    }
    return times;
}"""

PLAY = """async count => {
    const root = document.querySelector(".bpnb");
    const epoch = () => root.querySelector(".bpnb-readings b").textContent;
    root.querySelector("[aria-label=Play]").click();
    const times = [];
    for (let seen = null; times.length <= count; ) {
        await new Promise(requestAnimationFrame);
        if (epoch() !== seen) times.push(performance.now());
        seen = epoch();
    }
    root.querySelector("[aria-label=Pause]").click();
    return times.slice(1).map((time, k) => time - times[k]);
}"""


@contextmanager
def lab() -> Iterator[tuple]:
    """Functions that run a cell in a new notebook, with its time, and that close it again."""
    from playwright.sync_api import sync_playwright

    def choose(notebook, cell):
        notebook.page.evaluate(
            "k => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = k; }", cell
        )

    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_executable(), args=CHROMIUM_FLAGS
        )
        with running_lab(Path(home)) as server:

            def shown(cell):
                server.write("bench.ipynb", [START, cell, STATE])
                page = browser.new_page(viewport={"width": 1400, "height": 900})
                notebook = NotebookPage(page, "bench.ipynb")
                notebook.open(server)
                choose(notebook, 0)
                notebook.command("notebook:run-cell")
                return notebook, notebook.page.evaluate(RUN)

            def closed(notebook):
                choose(notebook, 2)
                notebook.command("notebook:run-cell")
                text = notebook.page.locator(".jp-OutputArea-output pre").last.inner_text()
                notebook.page.close()
                server.end_sessions()
                return json.loads(text)

            yield shown, closed
        browser.close()


def graph(shown, closed, wanted, layers, folded):
    """Yield what an explorer takes: until it is seen, for a step, and what is sent."""
    times, steps = [], []
    for _ in range(AGAIN):
        notebook, time = shown(GRAPH.format(layers=layers, folded=folded))
        times.append(time)
        steps += notebook.page.evaluate(STEP, min(STEPS, 4 * layers))
        nodes, state = closed(notebook)
    assert 0.5 < nodes / wanted < 2
    what = f"{nodes:,} nodes, {'folded' if folded is None else 'open'}"
    yield f"{what}: from the cell to the picture, ms", statistics.median(times)
    yield f"{what}: a step, ms", statistics.median(steps)
    yield f"{what}: a step at 95 %, ms", sorted(steps)[int(0.95 * len(steps))]
    yield f"{what}: what is sent, kB", state / 1000


def flow(shown, closed):
    """Yield what a move of a slider takes, of which the kernel makes new numbers."""
    notebook, time = shown(FLOW)
    slides = notebook.page.evaluate(SLIDE, ["weight scale", STEPS])
    closed(notebook)
    yield "GradientFlow: from the cell to the picture, ms", time
    yield "GradientFlow: a slider to its repaint, ms", statistics.median(slides)


def playground(shown, closed, name, cell):
    """Yield how often a playground trains in the kernel and is painted."""
    notebook, _ = shown(cell)
    times = notebook.page.evaluate(PLAY, WARM_UP + FRAMES)[WARM_UP:]
    closed(notebook)
    yield f"Playground, {name}: a frame, ms", statistics.median(times)


def measured():
    """Yield each thing that is measured of the build that Python finds, and its number."""
    with lab() as (shown, closed):
        for each in GRAPHS:
            yield from graph(shown, closed, *each)
        yield from flow(shown, closed)
        for name, cell in PLAYGROUNDS.items():
            yield from playground(shown, closed, name, cell)


def report(builds, rounds):
    """Yield the lines of the table."""
    found = {build: [] for build in builds}
    for _ in range(rounds):
        for build, root in builds.items():
            found[build].append(of_build(root, __file__, "--ask"))
    others = [f"{name} | ratio" for name in builds if name != "here"]
    yield line("in a real JupyterLab", "here", *others)
    yield line("---", *["--:"] * (2 * len(builds) - 1))
    for what in found["here"][0]:
        own, *rest = (statistics.median(each[what] for each in runs) for runs in found.values())
        ratios = [cell for each in rest for cell in (digits(each, 3), f"{own / each:.2f} ×")]
        yield line(what, digits(own, 3), *ratios)
    yield (
        f"\nMedians of {rounds} round{'s' * (rounds > 1)} in turn; a graph is shown {AGAIN} times "
        f"in each, with up to {STEPS} steps.\nHeadless Chromium "
        f"at 1400 × 900; {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, JupyterLab {version('jupyterlab')}, ipywidgets "
        f"{version('ipywidgets')}, anywidget {version('anywidget')}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--beside", type=Path, metavar="FOLDER", help="another build, in turn")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--write", action="store_true", help=f"the table into {FILE.name}")
    parser.add_argument("--ask", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        print(json.dumps(dict(measured())))
        return
    builds = {"here": ROOT} | ({given.beside.name: given.beside} if given.beside else {})
    lines = report(builds, given.rounds)
    publish("The live views in JupyterLab", lines, FILE if given.write else None)


if __name__ == "__main__":
    main()
