"""A view may be stepped for a whole lecture: nothing piles up in its page."""

import numpy as np
import pytest

import backprop_nb as bp

NET = bp.SigmoidNetwork((3, 3, 2), seed=0)
X, Y = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0])

VIEWS = {
    "GraphExplorer": lambda: NET.trace(X, Y).explore(),
    "GradientFlow": lambda: bp.GradientFlow(NET, X, Y),
    "ChainRule": lambda: bp.ChainRule(NET, X, Y),
    "FindTheBug": lambda: bp.FindTheBug("easy", seed=0),
}

STEP = """count => {
    const button = name => document.querySelector(`.bpnb [aria-label="${name}"]`);
    for (let k = 0; k < count; k++) button(k % 20 < 10 ? "Step forward" : "Step back").click();
}"""


@pytest.mark.parametrize("name", VIEWS)
def test_memory_does_not_grow_over_a_thousand_steps(open_page, tmp_path, name):
    page = open_page(VIEWS[name]().to_html(tmp_path / name))
    page.get_by_role("button", name="Step forward").wait_for()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def used():
        session.send("HeapProfiler.collectGarbage")
        metrics = session.send("Performance.getMetrics")["metrics"]
        found = {each["name"]: each["value"] for each in metrics}
        return {key: found[key] for key in ("Nodes", "JSEventListeners", "JSHeapUsedSize")}

    page.evaluate(STEP, 100)  # whatever is made at first use is made
    before = used()
    page.evaluate(STEP, 1000)
    after = used()
    assert after["Nodes"] <= before["Nodes"] * 1.05 + 50
    assert after["JSEventListeners"] <= before["JSEventListeners"] * 1.05 + 20
    assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] + 1_000_000
