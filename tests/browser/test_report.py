"""A report in a real JupyterLab: its colours follow the theme, and it opens by keyboard."""

import pytest
from accessibility import violations
from page_tools import expect

from backprop_nb import check_gradient
from backprop_nb.views import widgets
from backprop_nb.views.palette import THEMES
from backprop_nb.views.report import report_html

CELLS = [
    "import backprop_nb as bp\n"
    "from backprop_nb.checking.mistakes import make_backward\n"
    "name = 'sigma_prime_missing_in_hidden'\n"
    "bp.check_backward(make_backward(name, samples='single', layers={name: [1]}))",
    f"def loss(w):\n    return w * w\n\ndef gradient(w):\n    return 3 * w  #{' long' * 60}\n\n"
    "bp.check_gradient(loss, gradient, 2.0)",
]


def channels(colour):
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def test_a_report_follows_the_theme_and_opens_by_keyboard(open_notebook):
    notebook = open_notebook("report.ipynb", width=700, cells=CELLS)
    notebook.run_all()
    report = notebook.page.locator(".bpnb-report").first
    expect(report).to_be_visible()
    expect(report).to_contain_text("4 of 6 gradients right")
    expect(report.locator("strong").nth(1)).to_have_text(
        "dA[0]: consistent with “σ′ is missing at layer 1”."
    )

    closed = report.locator("details:not([open])")
    count = closed.count()
    closed.first.locator("summary").focus()
    notebook.page.keyboard.press("Enter")
    expect(closed).to_have_count(count - 1)
    assert report.evaluate("each => each.scrollWidth <= each.clientWidth + 1")

    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        # The end of the scale is the palette's own colour, in this theme.
        end = report.locator(".bpnb-shade").last.evaluate(
            "each => getComputedStyle(each).backgroundColor"
        )
        right = channels(THEMES[theme]["adjoint-positive"])
        numbers = end.removeprefix("color(srgb ").removeprefix("rgb(").rstrip(")").replace(",", " ")
        scale = 255 if end.startswith("color(") else 1
        assert [round(scale * float(each)) for each in numbers.split()] == right

        assert violations(notebook.page, ".bpnb-report") == []


def test_the_code_of_a_report_scrolls_in_its_own_box(open_notebook):
    notebook = open_notebook("report.ipynb", width=700, cells=CELLS)
    notebook.run_all()
    report = notebook.page.locator(".bpnb-report").nth(1)
    expect(report.locator("mark")).to_have_text("3 * w")
    expect(report.locator(".bpnb-here")).to_contain_text("✗ 5 |     return 3 * w")
    code = report.locator(".bpnb-code")
    assert code.evaluate("each => each.scrollWidth > each.clientWidth + 100")
    assert report.evaluate("each => each.scrollWidth <= each.clientWidth + 1")
    code.focus()
    notebook.page.keyboard.press("End")
    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        assert violations(notebook.page, ".bpnb-report") == []


LOOKS = """() => [...document.querySelectorAll(".bpnb-report, .bpnb-report *")].map(each => {
    const { x, y, width, height } = each.getBoundingClientRect();
    const { color, backgroundColor, font, borderRadius } = getComputedStyle(each);
    return [each.className, x, y, width, height, color, backgroundColor, font, borderRadius];
})"""


@pytest.mark.parametrize("first", ["report", "views"])
def test_a_report_looks_the_same_beside_views(chromium, first):
    report = report_html(check_gradient(lambda w: w * w, lambda w: 3 * w, 2.0))
    sheets = [getattr(widgets, name)._css for name in widgets.__all__]
    views = f"<style>{' '.join(sheets)}</style>"
    page = chromium.new_page()
    page.set_content(report)
    alone = page.evaluate(LOOKS)
    assert len(alone) > 20
    page.set_content(report + views if first == "report" else views + report)
    assert page.evaluate(LOOKS) == alone
    page.close()
