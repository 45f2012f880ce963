"""The first lesson runs in a real JupyterLab, and an error in the browser would be noticed."""

import pytest

FIRST_LESSON = "00_start_here.ipynb"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_first_lesson_runs_without_an_error(open_notebook, theme):
    notebook = open_notebook(FIRST_LESSON, theme=theme)
    notebook.run_all()
    assert notebook.page.locator(".jp-OutputArea-output").count() > 0


ON_PURPOSE = [
    ("pageerror", "setTimeout(() => { throw new Error('thrown') })", "thrown"),
    ("console", "console.error('logged')", "logged"),
    ("console", "fetch('https://elsewhere.invalid').catch(() => {})", "ERR_NAME_NOT_RESOLVED"),
]


def test_an_error_in_the_browser_is_noticed(open_notebook):
    notebook = open_notebook(FIRST_LESSON)
    for event, script, message in ON_PURPOSE:
        with notebook.page.expect_event(event):
            notebook.page.evaluate(script)
        assert message in notebook.errors.pop()
