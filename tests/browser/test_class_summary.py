"""The pages for a class in a real browser: in both themes, on narrow pages, on paper."""

import pytest
from accessibility import violations

from backprop_nb.checking.backward import check_backward
from backprop_nb.checking.convention import Course
from backprop_nb.checking.mistakes import MISTAKES, make_backward
from backprop_nb.classroom.page import feedback_page, summary_page
from backprop_nb.classroom.summary import summarise
from backprop_nb.classroom.verdict import make_settings
from backprop_nb.views.report import report_html

ATTACK = '<img src=x onerror="alert(1)">.py'


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The summary of a class that makes every mistake there is, with hostile names."""
    results = []
    for k, mistake in enumerate(MISTAKES):
        try:
            report = check_backward(make_backward(mistake.id, samples="rows"), samples="rows")
        except ValueError:
            continue
        row = {"submission": f"{k}{ATTACK}", "id": f"s{k}", "feedback": f"feedback/s{k}.html"}
        results.append(row | {"outcome": "answered"} | report.to_dict())
    results[0]["outcome"] = "too slow"
    path = tmp_path_factory.mktemp("summary") / "summary.html"
    path.write_bytes(summary_page(summarise(results, make_settings(samples="rows"), names=True)))
    return path


PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 20, 24)"}
TEXT = {"light": "rgb(27, 32, 39)", "dark": "rgb(232, 235, 239)"}


def width_of(page, width):
    """How wide the page is in a window of that width."""
    page.set_viewport_size({"width": width, "height": 900})
    return page.evaluate("document.documentElement.scrollWidth")


def opened(open_page, path, theme):
    """Open a page that has to be accessible, to fit, and to fetch and run nothing."""
    page = open_page(path, theme)
    assert page.locator("img").count() == 0
    # A table scrolls inside its frame; the page itself never scrolls sideways.
    assert [width for width in (1400, 700, 380) if width_of(page, width) > width] == []
    paper = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert paper == PAPER[theme]
    assert violations(page) == []
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible_fits_and_runs_nothing(open_page, written, theme):
    page = opened(open_page, written, theme)
    page.locator("summary").last.click()  # of many submissions the table is folded
    assert page.get_by_role("rowheader").filter(has_text=ATTACK).first.is_visible()
    assert violations(page) == []


def test_on_half_a_screen_the_last_column_is_in_sight(open_page, written):
    page = open_page(written, width=700)
    page.locator("summary").last.click()
    over = "all => all.map(each => each.scrollWidth - each.clientWidth)"
    assert max(page.locator(".wide").evaluate_all(over)) <= 0


def test_on_paper_it_is_light_and_keeps_its_heat(open_page, written):
    page = open_page(written, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    style = "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).printColorAdjust]"
    assert page.locator("h1").evaluate("e => getComputedStyle(e).color") == TEXT["light"]
    assert page.locator(".ramp .h10").evaluate(style) == [
        "color(srgb 0.121569 0.384314 0.690196)",
        "exact",
    ]


@pytest.fixture(scope="module")
def mailed(tmp_path_factory):
    """The feedback on a wrong submission, as a student gets it."""
    report = check_backward(make_backward("sigma_prime_missing_everywhere", samples="single"))
    path = tmp_path_factory.mktemp("feedback") / "feedback.html"
    path.write_bytes(feedback_page(f"{'a' * 80}{ATTACK}", report_html(report), Course()))
    return path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_feedback_is_accessible_fits_and_runs_nothing(open_page, mailed, theme):
    page = opened(open_page, mailed, theme)
    # The report brings a style sheet for notebooks with it; here the page's theme wins.
    colour = page.locator(".bpnb-report").evaluate("e => getComputedStyle(e).color")
    assert colour == TEXT[theme]


def test_feedback_on_paper_has_every_heat_map_and_is_light(open_page, mailed):
    page = open_page(mailed, "dark")
    maps = page.locator(".bpnb-heats")
    assert maps.last.is_hidden()
    page.emulate_media(media="print", color_scheme="dark")
    assert maps.count() == 6
    assert all(each.is_visible() for each in maps.all())
    assert page.locator("h1").evaluate("e => getComputedStyle(e).color") == TEXT["light"]
