"""A real JupyterLab in a real, headless browser, for tests that need to see.

A test asks for ``open_notebook`` and gets a :class:`NotebookPage`::

    def test_the_explorer_steps(open_notebook):
        notebook = open_notebook("00_start_here.ipynb", theme="dark", width=700)
        notebook.run_all()
        notebook.page.get_by_role("button", name="Step forward").click()

At its end every page it opened must have seen no error: neither an exception
or an error on the console, nor a request to anything but JupyterLab itself.
"""

import json
import os
import runpy
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from backprop_nb import Graph
from backprop_nb.views.scene import Scene, graph_scene

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent.parent / "notebooks"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever is not served by this machine does not exist, and asking for it
    # is an error on the console: the package promises to fetch nothing.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

SERVER_CONFIG = {
    "ServerApp": {"ip": "127.0.0.1", "port_retries": 0, "open_browser": False, "allow_root": True},
    "LabApp": {
        "expose_app_in_browser": True,  # as window.jupyterapp, whose commands the tests call
        "extension_manager": "readonly",
        "news_url": None,
        "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    },
}

LAB_SETTINGS = {
    # Every cell in the page, also those that are scrolled away.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests last: the quick ones fail first, and playwright's event loop,
    which stays in the main thread once it is started, cannot disturb them."""
    items.sort(key=lambda item: HERE in item.path.parents)


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
def scene(graph: Graph) -> Scene:
    return graph_scene(graph, graph.backward())


# --- the server ---------------------------------------------------------------


@dataclass
class Lab:
    """A running JupyterLab."""

    process: subprocess.Popen[bytes]
    url: str
    token: str
    root: Path
    log: Path

    def request(self, path: str, method: str = "GET") -> Any:
        """Ask the server's API; the answer is the decoded JSON, None if there is none."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.loads(response.read() or "null")

    def is_ready(self) -> bool:
        try:
            return "kernels" in self.request("/api/status")
        except (urllib.error.URLError, ConnectionError):
            return False

    def wait_until_ready(self, attempts: int = 600) -> None:
        for _ in range(attempts):
            if self.is_ready():
                return
            try:  # the pause between two attempts ends at once if the server does
                self.process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
            break
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()}")

    def put(self, name: str) -> None:
        """Bring a fresh copy of a notebook, so that no test sees what another one saved."""
        shutil.copy(NOTEBOOKS / name, self.root / name)

    def write(self, name: str, cells: Sequence[str]) -> None:
        """Bring a notebook made of these code cells."""
        kernel = {"name": "python3", "display_name": "Python 3"}  # else JupyterLab asks for one
        notebook = new_notebook(
            cells=[new_code_cell(source) for source in cells], metadata={"kernelspec": kernel}
        )
        nbformat.write(notebook, self.root / name)

    def end_sessions(self) -> None:
        """End every kernel, so that the next page starts with a new one."""
        for session in self.request("/api/sessions"):
            self.request(f"/api/sessions/{session['id']}", method="DELETE")

    def stop(self) -> None:
        self.process.terminate()  # upon which the server ends its kernels, then itself
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def isolated_environment(home: Path) -> dict[str, str]:
    """The environment of a server that sees no settings of the user and leaves none behind.

    The kernel and the widgets' browser code come from this Python's own prefix.
    """
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    ours = {variable: str(home / folder) for variable, folder in folders.items()}
    return os.environ | ours | {"JUPYTER_PREFER_ENV_PATH": "1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on a copy of the notebooks, with settings of its own."""
    home = tmp_path_factory.mktemp("lab")
    write_json(home / "config/jupyter_lab_config.json", SERVER_CONFIG)
    write_json(home / "config/labconfig/default_setting_overrides.json", LAB_SETTINGS)
    root = home / "notebooks"
    shutil.copytree(NOTEBOOKS, root, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    port, token, log = free_port(), "for-the-tests-only", home / "server.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", str(root)),
                *(f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"),
            ],
            env=isolated_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    server = Lab(process, f"http://127.0.0.1:{port}", token, root, log)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


# --- the browser --------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium(cannot_run: Callable[[str], None]) -> Iterator["Browser"]:
    """The system's Chromium, driven by playwright."""
    names = ["chromium", "chromium-browser", "google-chrome"]
    executable = next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        cannot_run(f"there is no browser: none of {', '.join(names)} is on the PATH")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        cannot_run("the Python package playwright is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@dataclass
class NotebookPage:
    """A notebook that is open in JupyterLab, over the full width of the page."""

    page: "Page"
    name: str
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.errors.append(f"{error}\n{error.stack}"))
        self.page.on("console", self._note)

    def _note(self, message: "ConsoleMessage") -> None:
        # JupyterLab's own complaint when a kernel restarts while its debugger asks for something.
        if message.type == "error" and "restore the debugger state" not in message.text:
            self.errors.append(f"{message.text} ({message.location['url']})")

    def open(self, lab: Lab) -> None:
        self.page.goto(f"{lab.url}/doc/tree/{self.name}?token={lab.token}&reset")
        self.wait_until_idle()
        self.page.evaluate(
            """() => {
                const { shell } = window.jupyterapp;
                shell.collapseLeft();
                shell.collapseRight();
            }"""
        )

    def command(self, name: str, timeout: float = 60, **arguments: object) -> Any:
        """Run one of JupyterLab's own commands and wait; the result is what its promise gives."""
        return self.page.evaluate(
            """([name, args, seconds]) => Promise.race([
                window.jupyterapp.commands.execute(name, args),
                new Promise((_, reject) => setTimeout(
                    () => reject(new Error(`${name} took more than ${seconds} s`)), seconds * 1000,
                )),
            ])""",
            [name, arguments, timeout],
        )

    def wait_until_idle(self, timeout: float = 60) -> None:
        """Wait for the notebook and its kernel to be there, and for the kernel to rest."""
        self.page.wait_for_function(
            """name => {
                const panel = window.jupyterapp?.shell.currentWidget;
                return panel?.context?.path === name
                    && panel.context.isReady
                    && panel.sessionContext.isReady
                    && panel.sessionContext.session?.kernel?.status === "idle";
            }""",
            arg=self.name,
            timeout=timeout * 1000,
        )

    def run_all(self, timeout: float = 120) -> None:
        """Run every cell and wait until the last one is done and every widget shows something.

        A cell that raises fails the test, and so does a widget that stays empty.
        """
        succeeded = self.command("notebook:run-all-cells", timeout)
        self.wait_until_idle(timeout)
        shown_errors = self.page.locator("[data-mime-type='application/vnd.jupyter.stderr']")
        assert succeeded, "\n".join(["a cell raised:", *shown_errors.all_inner_texts()])
        self.page.wait_for_function(
            """() => [...document.querySelectorAll(".jp-OutputArea-output.lm-Panel")]
                .every(panel => panel.firstElementChild?.hasChildNodes())""",
            timeout=10_000,
        )

    def restart_kernel(self) -> None:
        """Begin anew with a kernel that knows nothing of what is shown."""
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
        )
        self.wait_until_idle()

    def set_theme(self, theme: str) -> None:
        """Change to the "light" or the "dark" theme and wait until it shows."""
        self.command("apputils:change-theme", theme=THEMES[theme])
        is_light = json.dumps(theme == "light")
        self.page.locator(f"body[data-jp-theme-light={is_light}]").wait_for(state="attached")

    def cell(self, index: int) -> "Locator":
        """Return one cell, counted from 0, texts included."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def screenshot(self, path: Path | str) -> None:
        """Save what the window shows."""
        self.page.screenshot(path=path)


@pytest.fixture
def open_notebook(chromium: "Browser", lab: Lab) -> Iterator[Callable[..., NotebookPage]]:
    """A function that opens a notebook in a window of its own.

    The notebook is one of ``notebooks/``, or a new one made of the given code cells.
    """
    opened: list[NotebookPage] = []

    def open_one(
        name: str,
        theme: str = "light",
        width: int = 1400,
        height: int = 900,
        cells: Sequence[str] = (),
    ) -> NotebookPage:
        if cells:
            lab.write(name, cells)
        else:
            lab.put(name)
        page = chromium.new_page(viewport={"width": width, "height": height})
        opened.append(notebook := NotebookPage(page, name))
        notebook.open(lab)
        notebook.set_theme(theme)
        return notebook

    yield open_one
    for notebook in opened:
        notebook.page.close()
    lab.end_sessions()
    errors = [error for notebook in opened for error in notebook.errors]
    assert not errors, "\n".join(errors)
