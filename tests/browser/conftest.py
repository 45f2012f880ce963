"""A real JupyterLab in a real, headless browser, for tests that need to see.

A test asks for ``open_notebook`` and gets a :class:`NotebookPage`::

    def test_the_explorer_steps(open_notebook):
        notebook = open_notebook("00_start_here.ipynb", theme="dark", width=700)
        notebook.run_all()
        notebook.page.get_by_role("button", name="Step forward").click()

At its end every page it opened must have seen no error: neither an exception
or an error on the console, nor a request to anything but JupyterLab itself.
"""

import runpy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from jupyterlab_page import (
    CHROMIUM_FLAGS,
    NOTEBOOKS,
    Lab,
    NotebookPage,
    chromium_executable,
    running_lab,
)

from backprop_nb import Graph
from backprop_nb.views.explorer.scene import graph_scene
from backprop_nb.views.explorer.schema import ExplorerScene

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Request

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests last: the quick ones fail first, and playwright's event loop,
    which stays in the main thread once it is started, cannot disturb them.

    Among them those in JupyterLab come first, which take longest: so that of several workers none
    is left with a long file while the others have nothing to do.
    """
    long = {item.path for item in items if "open_notebook" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: (HERE in item.path.parents, item.path not in long))


# --- the library --------------------------------------------------------------


@pytest.fixture(scope="session")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """The first lesson's graph, traced here: what the shown numbers are checked against."""
    cells = nbformat.read(NOTEBOOKS / "00_start_here.ipynb", as_version=4).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    end = next(k for k, source in enumerate(code) if "graph = bp.trace" in source)
    script = tmp_path_factory.mktemp("lesson") / "lesson.py"
    script.write_text("\n\n".join(code[: end + 1]), encoding="utf-8")
    return runpy.run_path(str(script))["graph"]


@pytest.fixture(scope="session")
def scene(graph: Graph) -> ExplorerScene:
    return graph_scene(graph)


# --- the server and the browser -----------------------------------------------


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on a copy of the notebooks, with settings of its own."""
    with running_lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="session")
def chromium(cannot_run: Callable[[str], None]) -> Iterator["Browser"]:
    """The system's Chromium, driven by playwright."""
    executable = chromium_executable()
    if executable is None:
        cannot_run("there is no browser: neither chromium nor google-chrome is on the PATH")
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        cannot_run("the Python package playwright is not installed")
    expect.set_options(timeout=60_000)  # beside other tests a kernel may take more than 5 s
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab_pages(chromium: "Browser") -> Iterator[list["Page"]]:
    """The page on which notebooks are opened, one after the other, or none at first.

    To load JupyterLab takes longer than most of what is tested in it.
    """
    pages: list[Page] = []
    yield pages
    for page in pages:
        page.close()


@pytest.fixture
def open_notebook(
    chromium: "Browser", lab: Lab, lab_pages: list["Page"], request: pytest.FixtureRequest
) -> Iterator[Callable[..., NotebookPage]]:
    """A function that opens a notebook in JupyterLab, one in a test.

    The notebook is one of ``notebooks/``, or a new one made of the given code cells, or the
    ``content`` of a file.
    """
    opened: list[NotebookPage] = []
    failed = request.session.testsfailed

    def open_one(
        name: str,
        theme: str = "light",
        width: int = 1400,
        height: int = 900,
        cells: Sequence[str] = (),
        content: bytes = b"",
    ) -> NotebookPage:
        if content:
            (lab.root / name).write_bytes(content)
        elif cells:
            lab.write(name, cells)
        else:
            lab.put(name)
        page = lab_pages.pop() if lab_pages else chromium.new_page()
        page.set_viewport_size({"width": width, "height": height})
        opened.append(notebook := NotebookPage(page, name))
        notebook.open(lab)
        notebook.set_theme(theme)
        return notebook

    yield open_one
    errors = [error for notebook in opened for error in notebook.errors]
    for notebook in opened:
        if errors or request.session.testsfailed > failed:
            notebook.page.close()
        else:
            notebook.close()
            lab_pages.append(notebook.page)
    lab.end_sessions()
    assert not errors, "\n".join(errors)


# A view asks how wide it is when the browser lays it out, in the frame that comes next.
MEASURED = """() =>
    new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"""


@pytest.fixture
def open_page(chromium: "Browser") -> Iterator[Callable[..., "Page"]]:
    """A function that opens a file; nothing else may be asked for, and no error may be seen.

    A page of a site may ask for what is ``within`` its folder.
    """
    contexts: list[BrowserContext] = []
    wrong: list[str] = []
    allowed = ["blob:"]  # which a page has made itself

    def on_request(request: "Request") -> None:
        if not request.url.startswith(tuple(allowed)):
            wrong.append(f"asked for {request.url}")

    def open_one(
        file: Path,
        theme: str = "light",
        width: int = 1400,
        within: Path | None = None,
        **options: object,
    ) -> "Page":
        allowed.extend(path.as_uri() for path in (file, within) if path)
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, offline=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", on_request)
        page.on("pageerror", lambda error: wrong.append(f"{error}\n{error.stack}"))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.goto(file.as_uri())
        if options.get("java_script_enabled", True):  # a view is there once its state is unpacked
            page.wait_for_function(
                """() => {
                    const place = document.getElementById("bpnb-view");
                    return !place || place.hasChildNodes();
                }"""
            )
            page.evaluate(MEASURED)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not wrong, "\n".join(wrong)
