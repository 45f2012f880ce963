"""What these tests rest on: an error in the browser would be noticed."""

ON_PURPOSE = [
    ("pageerror", "setTimeout(() => { throw new Error('thrown') })", "thrown"),
    ("console", "console.error('logged')", "logged"),
    ("console", "fetch('https://elsewhere.invalid').catch(() => {})", "ERR_NAME_NOT_RESOLVED"),
]


def test_an_error_in_the_browser_would_be_noticed(open_notebook):
    notebook = open_notebook("errors.ipynb", cells=["1 + 1"])
    notebook.run_all()
    assert notebook.page.locator(".jp-OutputArea-output").count() == 1
    assert notebook.errors == []
    for event, script, message in ON_PURPOSE:
        with notebook.page.expect_event(event):
            notebook.page.evaluate(script)
        assert message in notebook.errors.pop()
