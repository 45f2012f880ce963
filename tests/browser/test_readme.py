"""The README's examples in a real JupyterLab, each block pasted into a cell."""

import re

from jupyterlab_page import NOTEBOOKS

README = (NOTEBOOKS.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
VIEWS = re.compile(r"^(graph|explorer|view|playground|bp\.[A-Z]\w+\(.*\))\s*(#.*)?$", re.MULTILINE)


def test_each_block_shows_what_it_speaks_of(open_notebook):
    notebook = open_notebook("readme.ipynb", cells=BLOCKS, height=1200)
    notebook.run_all()
    for number, block in enumerate(BLOCKS):
        cell = notebook.cell(number)
        assert cell.locator(".jp-OutputArea-output:visible").count() > 0, block
        assert cell.locator(".bpnb:not(.bpnb-report):visible").count() == len(VIEWS.findall(block))
    assert notebook.page.locator(".bpnb-report").count() == 2
