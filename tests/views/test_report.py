"""A report as HTML says what its text says, no more than the hints allow, and hides no markup."""

import re
from html import unescape

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.mistakes import make_backward
from backprop_nb.checking.report import HINTS, Checked, Finding, Report
from backprop_nb.views import numbers
from backprop_nb.views.palette import LIGHT, diverging, ink
from backprop_nb.views.report import report_html


def checked(mistake, **options):
    return bp.check_backward(make_backward(mistake, samples="single"), **options)


def text_of(html):
    """The words of a page, without its style sheet, its tags and what forbids a line's end."""
    html = html.replace("\N{WORD JOINER}", "")
    without_style = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]*>", " ", without_style))


def grids(html):
    """For each heat map its title and the texts of its cells."""
    found = re.findall(r"<p>([^<]*)</p><table.*?>(.*?)</table>", html)
    return [(title, re.findall(r"<td[^>]*>([^<]*)</td>", body)) for title, body in found]


def test_a_notebook_shows_the_page_and_keeps_the_text_beside_it():
    report = checked("sign_flipped")
    bundle = report._repr_mimebundle_()
    assert bundle == {"text/html": report_html(report), "text/plain": str(report)}
    assert report_html(report) == report_html(checked("sign_flipped"))


@pytest.mark.parametrize("mistake", ["sign_flipped", "sigma_prime_missing_in_hidden"])
def test_all_that_the_text_says_is_on_the_page(mistake):
    report = checked(mistake)
    page = " ".join(text_of(report_html(report)).split())
    assert report.headline in page
    for finding in report.findings:
        assert finding.message in page
    for each in report.parameters:
        assert f"{each.name} {each.text}" in page


def test_what_two_findings_say_alike_is_said_once():
    backward = make_backward("sign_flipped", "layer_input_off_by_one", samples="single")
    report = bp.check_backward(backward, hints="none")
    assert len(report.findings) == 2
    assert text_of(report_html(report)).count("is the first gradient that is wrong") == 1


def test_given_expected_and_difference_are_there_on_one_scale():
    report = checked("sigma_prime_missing_in_hidden")
    html = report_html(report)
    wrong = [each for each in report.parameters if not each.ok]
    shown = grids(html)
    assert len(shown) == 3 * len(wrong)
    scale = numbers.fit_scale(
        [
            part
            for each in wrong
            for part in (each.given, each.expected, each.given - each.expected)
        ],
        log=True,
    )
    arrays = [part for e in wrong for part in (e.given, e.expected, e.given - e.expected)]
    for (title, cells), array in zip(shown, arrays, strict=True):
        assert title.endswith(numbers.shape_text(array.shape))
        assert [cell.rstrip("∗") for cell in cells] == [numbers.short(x) for x in array.ravel()]
    assert f"gradients {scale.text}" in text_of(html)
    heat = numbers.heat(float(wrong[0].given.flat[0]), scale)
    colour = diverging(LIGHT, "adjoint", round(heat, 3))
    assert f"background-color: {colour}; color: {ink(colour)}" in html


def test_the_entry_that_differs_most_is_marked_in_every_map():
    report = checked("missing_factor_2")
    wrong = [each for each in report.parameters if not each.ok]
    shown = grids(report_html(report))
    assert len(shown) == 3 * len(wrong) > 0
    for k, (_, cells) in enumerate(shown):
        each = wrong[k // 3]
        place = int(np.ravel_multi_index(each.worst, each.expected.shape))
        assert [j for j, cell in enumerate(cells) if cell.endswith("∗")] == [place]


def test_the_legend_explains_the_mark_only_where_there_is_one():
    assert "differs most" in text_of(report_html(checked("missing_factor_2")))
    assert "differs most" not in text_of(report_html(checked("weight_gradient_transposed")))


def test_a_finding_begins_with_what_and_where_in_bold():
    html = report_html(checked("sigma_prime_missing_in_hidden"))
    lead = "dA[1]: consistent with “σ′ is missing in the hidden layers”."
    assert f'<p class="bpnb-finding"><strong>{lead}</strong> Wrong first' in html


def test_the_gradient_that_is_wrong_first_is_open_and_no_other():
    html = report_html(checked("sigma_prime_missing_in_hidden"))
    opened = re.findall(r"<details open><summary>.*?<code[^>]*>([^<]*)</code>", html)
    assert opened == ["dA[1]"]


@pytest.mark.parametrize("hints", HINTS)
def test_the_solution_is_on_the_page_with_plain_hints_only(hints):
    report = checked("missing_factor_2", hints=hints)
    html = report_html(report)
    titles = [title.split(",")[0] for title, _ in grids(html)]
    kinds = {
        "none": set(),
        "vague": {"given"},
        "clear": {"given"},
        "plain": {"given", "expected", "given − expected"},
    }
    assert set(titles) == kinds[hints]
    worst = report.parameters[0]
    assert (f"{worst.expected[worst.worst]:.6g}" in html) == (hints == "plain")


def test_what_a_submission_says_is_text_and_never_markup():
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    bad = Checked(f'x"{hostile}', False, 1.0, (0,), np.ones(2), np.zeros(2))
    finding = Finding("not_recognised", bad.name, 1, hostile)
    report = Report(hostile, (bad,), (finding,), (finding,), (hostile,), f"</pre>{hostile}")
    html = report_html(report)
    assert "<script" not in html
    assert "<img" not in html
    assert 'aria-label="x' not in html
    assert text_of(html).count(hostile) >= 6


@pytest.mark.parametrize(
    ("given", "titles"),
    [
        (np.array([np.nan, 1.0]), 3),
        (np.array([np.inf, 1.0]), 3),
        (np.zeros((2, 1)), 2),
        (None, 0),
        (np.zeros(0), 0),
    ],
)
def test_odd_gradients_are_shown_as_far_as_they_can_be(given, titles):
    report = bp.check_gradient(lambda x: np.sum(x * x), given, np.array([1.0, 2.0]))
    assert len(grids(report_html(report))) == titles


def test_a_large_gradient_shows_its_beginning_and_how_much_is_left():
    x = np.arange(400.0).reshape(20, 20)
    html = report_html(bp.check_gradient(lambda x: np.sum(x * x), 2 * x + np.eye(20), x))
    [(title, cells), *_] = grids(html)
    assert len(cells) == numbers.ROWS * numbers.COLUMNS
    assert title == f"given, (20, 20), {400 - len(cells)} more"


def test_answers_have_the_colours_of_values_and_a_letter_has_no_map():
    mine = bp.exercise(1)
    report = mine.check(mine.key() | {"f[1]": [9, 9], "delta[2]": 9, "mistake": "z"})
    html = report_html(report)
    assert [title for title, _ in grids(html)] == ["given, (2,)", "given, (1,)"]
    assert "answers (values) −9 … 0 … +9" in text_of(html)
    assert "answers (gradients) −9 … 0 … +9" in text_of(html)


def test_a_page_is_small_and_fetches_nothing():
    html = report_html(checked("missing_factor_2"))
    assert len(html.encode()) < 40_000
    assert not re.search(r"https?://|@import|url\(|<script|\bon\w+=", html)
    defined = set(re.findall(r"--bpnb-([\w-]+):", html))
    assert set(re.findall(r"var\(--bpnb-([\w-]+)\)", html)) <= defined
