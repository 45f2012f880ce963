"""A real JupyterLab and a notebook that is open in it: for the tests and for the benchmarks."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Error, Locator, Page

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
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
    "JupyterNotebookApp": {"expose_app_in_browser": True},
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


# What others may complain of: JupyterLab's debugger asks a kernel that restarts, and its list of
# kernels is asked for while one of them ends; anywidget is told after two seconds that a model is
# not there yet, on a machine that is busy, and shows it all the same when it is.
OF_OTHERS = (
    "restore the debugger state",
    "/api/kernels?",
    "[anywidget] Failed to initialize model.",
)

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
        except OSError:  # not there, or still too busy to answer
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


def by_jupyterlab(root: Path, options: Sequence[str]) -> list[str]:
    """Start JupyterLab itself."""
    return [sys.executable, "-m", "jupyterlab", str(root), *options]


@contextmanager
def serving(
    home: Path, root: Path, command: Callable[[Path, Sequence[str]], list[str]] = by_jupyterlab
) -> Iterator[Lab]:
    """JupyterLab on a folder, with settings of its own, started by a command."""
    write_json(home / "config/jupyter_lab_config.json", SERVER_CONFIG)
    write_json(home / "config/labconfig/default_setting_overrides.json", LAB_SETTINGS)
    port, token, log = free_port(), "for-the-tests-only", home / "server.log"
    options = [f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command(root, options),
            cwd=home,
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


@contextmanager
def running_lab(home: Path) -> Iterator[Lab]:
    """JupyterLab on a copy of the notebooks, with settings of its own, all of it in a folder."""
    root = home / "notebooks"
    shutil.copytree(NOTEBOOKS, root, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with serving(home, root) as server:
        yield server


def chromium_executable() -> str | None:
    """Return the system's Chromium, or None."""
    names = ["chromium", "chromium-browser", "google-chrome"]
    return next(filter(None, map(shutil.which, names)), None)


# --- the page -----------------------------------------------------------------


@dataclass
class NotebookPage:
    """A notebook that is open in JupyterLab, over the full width of the page."""

    page: "Page"
    name: str
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", self._note_error)
        self.page.on("console", self._note)

    def _note_error(self, error: "Error") -> None:
        self._append(f"{error}\n{error.stack}")

    def _note(self, message: "ConsoleMessage") -> None:
        if message.type == "error":
            self._append(f"{message.text} ({message.location['url']})")

    def _append(self, text: str) -> None:
        if not any(each in text for each in OF_OTHERS):
            self.errors.append(text)

    def open(self, lab: Lab) -> None:
        """Open the notebook; a page that shows JupyterLab already need not load it again."""
        if self.page.evaluate("'jupyterapp' in window"):
            self.command("docmanager:open", path=self.name)
        else:
            self.page.goto(f"{lab.url}/doc/tree/{self.name}?token={lab.token}&reset")
        self.wait_until_idle()
        self.page.evaluate(
            """() => {
                const { shell } = window.jupyterapp;
                shell.collapseLeft();
                shell.collapseRight();
            }"""
        )

    def close(self) -> None:
        """Close the notebook as it is, and leave the page as the next one expects it."""
        self.page.evaluate(
            "() => [...window.jupyterapp.shell.widgets('main')].forEach(each => each.dispose())"
        )
        self.page.emulate_media(reduced_motion="null")
        self.page.mouse.move(0, 0)
        self.page.remove_listener("pageerror", self._note_error)
        self.page.remove_listener("console", self._note)

    def command(self, name: str, timeout: float = 60, **arguments: object) -> bool:
        """Run one of JupyterLab's own commands and wait: whether its promise gives anything."""
        return self.page.evaluate(
            """([name, args, seconds]) => Promise.race([
                window.jupyterapp.commands.execute(name, args).then(Boolean),
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
                .every(panel => panel.firstElementChild?.hasChildNodes())"""
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
