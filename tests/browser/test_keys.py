"""Of the keys that are pressed in a view JupyterLab gets all but those that the view handles."""

from test_together import START, VIEWS

import backprop_nb as bp

CELLS = {name: VIEWS[name] for name in bp.widgets.__all__}
"""One cell for each view."""
CELLS["GraphExplorer"] = 'bp.GraphExplorer(net.trace(x, y), step=11, predict="value")'  # asks
FOCUSED = {
    "slider": "input[type=range]",
    "button": "button:enabled",
    "card": "[role=button][tabindex='0']",
    "choice": "input[type=radio]",
    "list": "select",
    "text": "input[type=text]",
    "panel": ".bpnb-panel[tabindex='0']",
}
"""What can have the focus in a view."""
COMMANDS = ["Ctrl S", "Ctrl Shift C", "Shift Enter", "Ctrl Enter", "Alt Enter", "Ctrl Shift M"]

# What one character does to cells or to the kernel.
LETTERS = """() => [...new Set(window.jupyterapp.commands.keyBindings
    .filter(({ selector }) => /jp-Notebook|jp-kernel-user/.test(selector))
    .flatMap(({ keys }) => keys.length > 1 || /^(Shift )?.$/.test(keys[0]) ? keys : []))]"""
# Press each where the focus is, and tell which come as far as the body of the page, untouched:
# above it JupyterLab listens.  There they end, so that nothing is done.
PASSED_ON = """all => {
    let arrived = null;
    const catchIt = (event) => ((arrived = event), event.stopPropagation());
    document.body.addEventListener("keydown", catchIt);
    const passed = all.filter(keys => {
        const key = keys.split(" ").at(-1);
        const event = new KeyboardEvent("keydown", {
            key: key.length > 1 ? key : key.toLowerCase(),
            ctrlKey: keys.includes("Ctrl"),
            shiftKey: keys.includes("Shift"),
            altKey: keys.includes("Alt"),
            bubbles: true,
            cancelable: true,
        });
        document.activeElement.dispatchEvent(event);
        return arrived === event && !event.defaultPrevented;
    });
    document.body.removeEventListener("keydown", catchIt);
    return passed;
}"""
NOTEBOOK = "window.jupyterapp.shell.currentWidget"
CELL_TYPES = f"() => [...{NOTEBOOK}.model.cells].map(({{ id, type }}) => [id, type])"


def save(page, number):
    """Change the notebook, press Ctrl+S, and wait until it is saved."""
    page.evaluate(f"() => {{ {NOTEBOOK}.model.dirty = true; }}")
    page.keyboard.press("Control+s")
    page.wait_for_function(f"() => !{NOTEBOOK}.model.dirty")


def open_palette(page, number):
    palette = page.locator("#modal-command-palette")
    page.keyboard.press("Control+Shift+C")
    palette.wait_for(state="visible")
    page.keyboard.press("Escape")
    palette.wait_for(state="hidden")


def run(page, number):
    """Press Shift+Enter, and wait until the cell has run once more."""
    count = f"{NOTEBOOK}.model.cells.get({number}).executionCount"
    before = page.evaluate(count)
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(f"() => {count} > {before}")


def test_a_view_takes_the_keys_that_it_handles_and_no_other(open_notebook):
    notebook = open_notebook("keys.ipynb", height=1200, cells=[START, *CELLS.values()])
    notebook.run_all()
    page = notebook.page
    letters = page.evaluate(LETTERS)
    assert {"A", "B", "D", "X", "M", "Y", "0", "I", "Shift M"} <= set(letters)
    notebook.cell(0).click(position={"x": 5, "y": 5})
    assert page.evaluate(PASSED_ON, letters) == letters  # outside of a view

    tried = {kind: set() for kind in FOCUSED}
    for number, name in enumerate(CELLS, start=1):
        view = notebook.cell(number).locator(".bpnb")
        cells = page.evaluate(CELL_TYPES)
        for kind, selector in FOCUSED.items():
            focused = view.locator(selector).first
            if focused.count():
                focused.focus()
                tried[kind].add(name)
                assert page.evaluate(PASSED_ON, letters) == [], (name, kind)
                focused.focus()
                assert page.evaluate(PASSED_ON, COMMANDS) == COMMANDS, (name, kind)
        assert page.evaluate(CELL_TYPES) == cells
        for command in (save, open_palette, run):
            view.locator(FOCUSED["slider"]).first.focus()
            command(page, number)
    assert tried["slider"] == set(CELLS)
    assert all(tried.values()), tried
