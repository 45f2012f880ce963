"""A report as HTML says what its text says, no more than the hints allow, and hides no markup."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.exercises import answer_key
from backprop_nb.checking.mistakes import make_backward
from backprop_nb.checking.report import HINTS, Checked, Finding, Report
from backprop_nb.tracing.source import Source
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
    arrays = [part for e in wrong for part in (e.given, e.expected, e.given - e.expected)]
    scale = numbers.fit_scale(arrays, log=True)
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
    report = mine.check(answer_key(mine) | {"f[1]": [9, 9], "delta[2]": 9, "mistake": "z"})
    html = report_html(report)
    assert [title for title, _ in grids(html)] == ["given, (2,)", "given, (1,)"]
    assert "answers (values) −9 … 0 … +9" in text_of(html)
    assert "answers (gradients) −9 … 0 … +9" in text_of(html)


def f(w, x):
    return np.sum((w * x) ** 2)


def two_products(w, x):
    error = w * x
    dw = 2 * error * x  # right, and 1 < 2
    dx = 2 * error * x
    return dw, dx


@pytest.fixture(scope="module")
def lines():
    """The reports of one wrong line at every level of hints."""
    args = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    return {hints: bp.check_gradient(f, two_products, *args, hints=hints) for hints in HINTS}


def code_of(html):
    """Each box of code: its lines as text, and the texts that are marked."""
    boxes = re.findall(r"<pre><code>(.*?)</code></pre>", html, flags=re.DOTALL)
    plain = [unescape(re.sub(r"<[^>]*>", "", box)).splitlines() for box in boxes]
    marked = [[unescape(each) for each in re.findall("<mark>(.*?)</mark>", box)] for box in boxes]
    return list(zip(plain, marked, strict=True))


@pytest.mark.parametrize("hints", ["clear", "plain"])
def test_the_function_is_shown_with_the_wrong_expression_marked(lines, hints):
    report = lines[hints]
    first = two_products.__code__.co_firstlineno
    [(code, marked)] = code_of(report_html(report))
    assert len(code) == 5
    assert marked == ["2 * error * x"]
    wrong = [line for line in code if line.startswith("✗")]
    assert wrong == [f"✗ {first + 3} |     dx = 2 * error * x"]
    assert report.findings[0].line == first + 3
    assert f"  {first + 2} |     dw = 2 * error * x  # right, and 1 < 2" in code


@pytest.mark.parametrize("hints", ["none", "vague"])
def test_hints_that_hide_the_line_show_no_code(lines, hints):
    html = report_html(lines[hints])
    assert code_of(html) == []
    assert "two_products" not in html


@pytest.mark.parametrize(("hints", "maps"), [("clear", 1), ("plain", 2)])
def test_what_the_line_gives_and_should_give_stand_below_it_on_one_scale(lines, hints, maps):
    finding = replace(lines[hints].findings[0], given=2 * lines[hints].findings[0].given)
    html = report_html(replace(lines[hints], findings=(finding,)))
    own = [(title, cells) for title, cells in grids(html) if not title.startswith(("given", "exp"))]
    assert len(own) == maps
    arrays = [finding.given, finding.expected][:maps]
    assert own[0][0] == f"line {finding.line} gives, (2,)"
    for (_, cells), array in zip(own, arrays, strict=True):
        assert [cell.rstrip("∗") for cell in cells] == [numbers.short(x) for x in array]
    assert finding.difference in text_of(html)
    if hints == "plain":
        assert finding.difference
        assert own[1][0] == "it should give ∂L/∂x, (2,)"
        assert [[cell.endswith("∗") for cell in cells] for _, cells in own] == [[False, True]] * 2
    assert f"{numbers.fit_scale(arrays, log=True).text}" in text_of(html)


def test_a_line_that_gives_a_gradient_shows_its_numbers_once(lines):
    html = report_html(lines["plain"])
    titles = [title.partition(",")[0] for title, _ in grids(html)]
    assert titles == ["given", "expected", "given − expected"]
    assert "What is marked gives" not in text_of(html)
    assert html.count("<details open>") == 1


def placed(text, expression, line, **fields):
    column = text.splitlines()[line - 1].index(expression)
    place = (line, column), (line, column + len(expression))
    source = Source(expression, "cell", *place, (1, text.count("\n") + 1), text)
    given = fields.pop("given", np.array([1.0, 2.0]))
    return Finding(
        "wrong_line", "da", 1, f"Line {line}, {expression}.", line=line, source=source,
        given=given, **fields,
    )  # fmt: skip


def of_findings(*findings):
    wrong = Checked("da", False, 1.0, (), np.array(1.0), np.array(2.0))
    return Report("f", (wrong,), findings)


def test_several_expressions_of_one_function_are_marked_together_and_joined_in_words():
    text = "def f(a):\n    b = a + 1\n    return b * 2"
    report = of_findings(placed(text, "a + 1", 2), placed(text, "b * 2", 3))
    html = report_html(report)
    [(code, marked)] = code_of(html)
    assert marked == ["a + 1", "b * 2"]
    assert [line[0] for line in code] == [" ", "✗", "✗"]
    assert report.choice in text_of(html)
    assert "either line 2 or line 3" in report.choice


def test_an_expression_within_another_is_marked_with_it():
    text = "def f(a):\n    return (a + 1) * 2"
    report = of_findings(placed(text, "(a + 1) * 2", 2), placed(text, "a + 1", 2))
    [(code, marked)] = code_of(report_html(report))
    assert marked == ["(a + 1) * 2"]
    assert code[1] == "✗ 2 |     return (a + 1) * 2"


def test_of_a_long_function_what_is_left_out_is_said():
    text = "\n".join(["def f(a):", *(f"    a = a + {k}" for k in range(2, 40)), "    return a"])
    [(code, _)] = code_of(report_html(of_findings(placed(text, "a + 20", 20))))
    left_out = [line.strip() for line in code if "⋯" in line]
    assert left_out == ["⋯   13 lines more", "⋯   14 lines more"]
    assert len(code) == 15


def test_code_is_text_and_never_markup():
    hostile = "'</code></pre><script>alert(1)</script><mark>'"
    text = f"def f(a):\n    return {hostile}"
    html = report_html(of_findings(placed(text, hostile, 2)))
    assert "<script" not in html
    [(code, marked)] = code_of(html)
    assert marked == [hostile]
    assert code[1].endswith(hostile)


@pytest.mark.parametrize(
    ("given", "expected", "maps", "starred"),
    [
        (np.ones((2, 3)), np.ones(3), 2, 0),
        (np.array([1.0, np.nan]), np.array([5.0, 1.0]), 2, 2),
        (np.array([1, 2]), np.array([1.0, 3.0]), 2, 2),
        (np.array([True, False]), np.array([True, True]), 2, 2),
        (np.array(2.0), np.array(3.0), 2, 2),
        (np.array([1j]), np.array([1.0]), 1, 0),
        (np.ones(2), np.zeros(0), 1, 0),
        (np.array("text"), np.array(None), 0, 0),
        (np.zeros(0), np.zeros(0), 0, 0),
        (np.ones((30, 20)), np.zeros((30, 20)), 2, 2),
    ],
)
def test_odd_values_of_a_line_are_shown_as_far_as_they_can_be(given, expected, maps, starred):
    report = of_findings(placed("a + 1", "a + 1", 1, given=given, expected=expected))
    shown = grids(report_html(report))[:maps]
    own = [(title, cells) for title, cells in shown if "line 1" in title or "should" in title]
    assert len(own) == maps
    assert sum(cell.endswith("∗") for _, cells in own for cell in cells) == starred


def test_a_page_is_small_and_fetches_nothing():
    html = report_html(checked("missing_factor_2"))
    assert len(html.encode()) < 40_000
    assert not re.search(r"https?://|@import|url\(|<script|\bon\w+=", html)
    defined = set(re.findall(r"--bpnb-([\w-]+):", html))
    assert set(re.findall(r"var\(--bpnb-([\w-]+)\)", html)) <= defined
