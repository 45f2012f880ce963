"""``backprop-nb lab`` as a newcomer meets it: the first lesson, run, saved, there the next day."""

import shlex
import sys

import pytest
from jupyterlab_page import NotebookPage, serving
from page_tools import expect

pytestmark = pytest.mark.slow

LESSON = "00_start_here.ipynb"


def by_the_command(root, options):
    command = [sys.executable, "-m", "backprop_nb", "lab", str(root)]
    return [*command, f"--jupyter={shlex.join(options)}"]


# Run the cells up to the first view, and no other.
RUN_TO_VIEW = """async () => {
    const { commands, shell } = window.jupyterapp;
    const { content, sessionContext } = shell.currentWidget;
    await sessionContext.ready;
    content.activeCellIndex = 0;
    while (!shell.currentWidget.node.querySelector(".bpnb-graph_explorer")) {
        await commands.execute("notebook:run-cell-and-select-next");
        if (content.activeCellIndex > 14) throw new Error("There is no view.");
    }
    return content.activeCellIndex - 1;
}"""


def test_a_saved_view_returns_though_most_of_its_lesson_was_not_run(chromium, tmp_path):
    root = tmp_path / "my course"
    with serving(tmp_path, root, by_the_command) as server:
        page = chromium.new_page()
        notebook = NotebookPage(page, LESSON)
        page.goto(f"{server.url}/?token={server.token}")
        notebook.wait_until_idle()
        number = page.evaluate(RUN_TO_VIEW)
        notebook.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")
        notebook.command("docmanager:save")
        server.end_sessions()
        page.close()
    with serving(tmp_path, root, by_the_command) as server:
        page = chromium.new_page()
        notebook = NotebookPage(page, LESSON)
        page.goto(f"{server.url}/?token={server.token}")
        notebook.wait_until_idle()
        page.evaluate(
            "number => window.jupyterapp.shell.currentWidget.content.scrollToItem(number)", number
        )
        words = "This view was saved with its notebook"
        expect(page.locator(".bpnb-notice:visible").first).to_contain_text(words)
        page.close()


def test_the_first_lesson_opens_runs_is_saved_and_kept(chromium, tmp_path):
    root = tmp_path / "my course"
    with serving(tmp_path, root, by_the_command) as server:
        page = chromium.new_page()
        notebook = NotebookPage(page, LESSON)
        page.goto(f"{server.url}/?token={server.token}")  # the address that the browser is given
        notebook.wait_until_idle()
        notebook.run_all()
        expect(page.get_by_role("button", name="Step forward").first).to_be_visible()
        notebook.command("docmanager:save")
        server.end_sessions()
        page.close()
        assert notebook.errors == []
    saved = (root / LESSON).read_bytes()

    with serving(tmp_path, root, by_the_command) as server:
        page = chromium.new_page()
        page.goto(f"{server.url}/?token={server.token}")
        expect(page.locator(".jp-OutputArea-output img").first).to_be_visible()
        page.close()
    assert "written" not in server.log.read_text(encoding="utf-8")
    assert (root / LESSON).read_bytes() == saved
