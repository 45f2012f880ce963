"""A course with one of everything, as notebooks that have run: for the tests of its site."""

import base64
from dataclasses import asdict
from functools import cache

import nbformat
from every_view import VIEWS
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import backprop_nb as bp
from backprop_nb.course.site.build import Built, build
from backprop_nb.course.site.kernel import SNAPSHOT
from backprop_nb.views.paper import as_html, png

TITLE = "A small course"
WIDGET = "application/vnd.jupyter.widget-view+json"
HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"

FIRST = """\
# Views: one of each

Every view *steps*. See [the text](1_text.ipynb#What-the-norm-is), or
[a part of it](1_text.ipynb#part-two), the [notes](extra/notes.md#deeplearningai), and
<a href="extra/numbers.csv">the numbers</a>; [nothing](nowhere.ipynb) is there.
"""
SECOND = r"""# Text

## What the norm is

The loss is $L = \lVert y - f_K \rVert^2$ for $\sigma'$.

$$\underbrace{\frac{\partial L}{\partial f_2}}_{1 \times 2} = 2\,(f_2 - y)^\top \tag{loss}$$

$$\nosuchcommand{x}$$

| factor | shape |
| :-- | --: |
| $\frac{a}{b}$ | $1 \times 2$ |

<details><summary>Answer</summary>

It *folds*, with $x^2$ in it.

</details>

## Part two

```python
x = 1
```

### Deeper

## Part two

[Up](#part-two), [elsewhere](https://example.org/), ![A dot](extra/dot.png),
![a badge](https://example.org/badge.svg).
"""
NOTES = "# Notes\n\n## deeplearning.ai\n\n[Back](../0_views.ipynb)\n"
BAR = "\rfit:  0%|   | 0/3\rfit: 100%|███| 3/3"


def shown(data, **metadata):
    return new_output("display_data", data=data, metadata=metadata)


def view_cell(name):
    """A cell that shows a view, as it is stored when the kernel has our extension."""
    snapshot = asdict(VIEWS[name]().snapshot())
    data = {SNAPSHOT: snapshot, "image/png": snapshot["picture"], "text/plain": name}
    return new_code_cell(f"bp.{name}()", outputs=[shown(data)])


def text_cells():
    dot = base64.b64encode(png(bp.trace(lambda x: x**2, 3.0).draw())).decode()
    drawing = {"image/png": dot, "text/html": as_html(b"", "A < B")}
    report = bp.check_gradient(lambda x: x**2, lambda x: 3 * x, 1.0)
    return [
        new_code_cell(
            f"print('{HOSTILE}')",
            outputs=[new_output("stream", text=f"{HOSTILE}\n" + "long " * 90)],
        ),
        new_code_cell(
            "1 / 0",
            outputs=[new_output("error", ename="ZeroDivisionError", evalue="division by zero")],
        ),
        new_code_cell(
            "plot()", outputs=[shown({"image/png": dot}, **{"image/png": {"alt": "A graph"}})]
        ),
        new_code_cell("graph.draw()", outputs=[shown(drawing)]),
        new_code_cell("document", outputs=[shown({"text/markdown": "**Bold** $x$"})]),
        new_code_cell(
            "report", outputs=[shown({"text/html": report._repr_mimebundle_()["text/html"]})]
        ),
        new_code_cell("import x\nx.slider", outputs=[shown({WIDGET: {}, "text/plain": "Slider"})]),
        new_code_cell("fit", outputs=[shown({WIDGET: {}, "text/plain": "fit:  0%|   | 0/3"})]),
        new_code_cell("fit", outputs=[new_output("stream", text=f"{BAR}\r\n")]),
        new_code_cell("chart", outputs=[shown({"text/html": "<p>Chart</p><script></script>"})]),
        new_code_cell("6 * 7", outputs=[shown({"text/plain": "<42>"})]),
        new_code_cell(""),
    ]


@cache
def files():
    """The files of the course, which take some seconds to make."""
    lessons = {
        "0_views": [new_markdown_cell(FIRST), *(view_cell(name) for name in VIEWS)],
        "1_text": [new_markdown_cell(SECOND), *text_cells()],
    }
    made = {
        f"{name}.ipynb": nbformat.writes(new_notebook(cells=cells)).encode()
        for name, cells in lessons.items()
    }
    return made | {
        "extra/notes.md": NOTES.encode(),
        "extra/numbers.csv": b"1,2\n",
        "extra/dot.png": png(bp.trace(lambda x: x**2, 3.0).draw()),
    }


def write(folder):
    """Write the course into a folder."""
    (folder / "extra").mkdir(parents=True)
    for name, content in files().items():
        (folder / name).write_bytes(content)


def as_stored(paths, done):
    """Stands for the run of notebooks, whose outputs are there already."""
    for path in paths:
        done(path)
    return [nbformat.read(path, as_version=4) for path in paths]


def built(folder, monkeypatch, **options) -> Built:
    """Build the site of the course in a folder, from its outputs as they are."""
    write(folder / "notebooks")
    monkeypatch.setattr("backprop_nb.course.site.build.executed", as_stored)
    options = {"title": TITLE, "address": "https://example.org/course"} | options
    return build(folder / "site", notebooks=folder / "notebooks", **options)
