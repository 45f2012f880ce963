"""The first lesson runs in a real JupyterLab, and an error in the browser would be noticed."""

FIRST_LESSON = "00_start_here.ipynb"

ON_PURPOSE = [
    ("pageerror", "setTimeout(() => { throw new Error('thrown') })", "thrown"),
    ("console", "console.error('logged')", "logged"),
    ("console", "fetch('https://elsewhere.invalid').catch(() => {})", "ERR_NAME_NOT_RESOLVED"),
]


def test_the_first_lesson_runs_in_both_themes_and_an_error_would_be_noticed(open_notebook):
    notebook = open_notebook(FIRST_LESSON, theme="dark")
    notebook.run_all()
    assert notebook.page.locator(".jp-OutputArea-output").count() > 0
    notebook.set_theme("light")
    assert notebook.errors == []
    for event, script, message in ON_PURPOSE:
        with notebook.page.expect_event(event):
            notebook.page.evaluate(script)
        assert message in notebook.errors.pop()
