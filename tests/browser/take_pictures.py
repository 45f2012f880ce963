"""Take the README's pictures anew, of the real views in a real JupyterLab.

    python tests/browser/take_pictures.py

They go to ``notebooks/images``, each view once for light pages and once for dark ones.
"""

import sys
import tempfile
from pathlib import Path

from jupyterlab_page import (
    CHROMIUM_FLAGS,
    NOTEBOOKS,
    THEMES,
    NotebookPage,
    chromium_executable,
    running_lab,
)
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(NOTEBOOKS))
sys.path.insert(0, str(NOTEBOOKS.parent / "tests/views"))
from execute import compact
from test_together import START, VIEWS

IMAGES = NOTEBOOKS / "images"
SIZE = {"width": 1350, "height": 2400}
"""Wide enough for two columns, and higher than any view."""


def main() -> None:
    """Open each view in both themes and store what it shows."""
    cells = {name: code for name, code in VIEWS.items() if "-" not in name}
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, running_lab(Path(home)) as lab:
        lab.write("views.ipynb", [START, *cells.values()])
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium_executable(), args=CHROMIUM_FLAGS
            )
            page = browser.new_page(viewport=SIZE)
            notebook = NotebookPage(page, "views.ipynb")
            notebook.open(lab)
            notebook.run_all()
            for theme in THEMES:
                notebook.set_theme(theme)
                for view, name in zip(page.locator(".bpnb").all(), cells, strict=True):
                    view.scroll_into_view_if_needed()
                    file = IMAGES / f"{name}-{theme}.png"
                    file.write_bytes(compact(view.screenshot(animations="disabled")))
                    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")
            browser.close()


if __name__ == "__main__":
    main()
