"""The live views in a real JupyterLab: from a cell to its picture, steps, a slider, the state sent,
and how many frames a second a playground trains and paints.

    python tests/benchmarks/browser.py

Times are taken inside the page with its own clock. A picture or a slider counts until
the frame after its change; a step is the page's own work for it, layout included.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "browser"))
from jupyterlab_page import CHROMIUM_FLAGS, NotebookPage, chromium_executable, running_lab

ROUNDS = 3
STEPS = 40

START = "import numpy as np\nimport backprop_nb as bp\nbp.widgets"
# Nodes, layers (a network's graph has five nodes a layer) and what is folded: None is as it begins.
GRAPHS = [(20, 3, []), (200, 34, None), (200, 34, []), (2000, 334, None), (2000, 334, [])]
GRAPH = """net = bp.SigmoidNetwork((3,) * {layers}, seed=0)
view = bp.GraphExplorer(net.trace(np.linspace(-1, 1, 3), np.zeros(3)), folded={folded})
view"""
FLOW = "view = bp.GradientFlow(more=True); view"
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
        for k, v in state.items() if k not in ("_esm", "_css")),
    len(view._esm) + len(view._css)]))"""

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
    const shown = () => parts.map(part => root.querySelector(`.bpnb-flow-${part}`).textContent);
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


def playgrounds(shown, closed) -> None:
    """Print how fast playgrounds play: a frame is trained in the kernel, sent and painted."""
    print("Playground    frames a second  a frame (95 %)   state")
    for name, cell in PLAYGROUNDS.items():
        notebook, _ = shown(cell)
        times = notebook.page.evaluate(PLAY, WARM_UP + FRAMES)[WARM_UP:]
        _, state, _ = closed(notebook)
        late = sorted(times)[int(0.95 * FRAMES)]
        print(
            f"{name:12}  {1000 * FRAMES / sum(times):15.1f}  "
            f"{statistics.median(times):4.0f} ms ({late:.0f})  {state / 1000:5.0f} kB",
            flush=True,
        )


def main() -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_executable(), args=CHROMIUM_FLAGS
        )
        with running_lab(Path(home)) as lab:

            def shown(cell):
                """Run the second cell of a new notebook; return the notebook and the time."""
                lab.write("bench.ipynb", [START, cell, STATE])
                notebook = NotebookPage(
                    browser.new_page(viewport={"width": 1400, "height": 900}), "bench.ipynb"
                )
                notebook.open(lab)
                notebook.page.evaluate(
                    "() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }"
                )
                notebook.command("notebook:run-cell")
                return notebook, notebook.page.evaluate(RUN)

            def closed(notebook):
                notebook.page.evaluate(
                    "() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 2; }"
                )
                notebook.command("notebook:run-cell")
                text = notebook.page.locator(".jp-OutputArea-output pre").last.inner_text()
                notebook.page.close()
                lab.end_sessions()
                return json.loads(text)

            print("nodes          cell to picture  a step (95 %)   state   module")
            for wanted, layers, folded in GRAPHS:
                times, steps = [], []
                for _ in range(ROUNDS):
                    notebook, time = shown(GRAPH.format(layers=layers, folded=folded))
                    times.append(time)
                    steps += notebook.page.evaluate(STEP, min(STEPS, 4 * layers))
                    nodes, state, module = closed(notebook)
                assert 0.5 < nodes / wanted < 2
                steps.sort()
                print(
                    f"{nodes:5} {'folded' if folded is None else 'open':>6}  "
                    f"{statistics.median(times) / 1000:12.2f} s  "
                    f"{statistics.median(steps):5.1f} ms ({steps[int(0.95 * len(steps))]:.0f})"
                    f"  {state / 1000:5.0f} kB  {module / 1000:.0f} kB",
                    flush=True,
                )
            notebook, time = shown(FLOW)
            slides = notebook.page.evaluate(SLIDE, ["weight scale", 20])
            _, state, module = closed(notebook)
            print(
                f"GradientFlow: picture {time / 1000:.2f} s, slider to repaint "
                f"{statistics.median(slides):.0f} ms, state {state / 1000:.0f} kB"
            )
            playgrounds(shown, closed)
        browser.close()


if __name__ == "__main__":
    main()
