"""``FindTheBug`` in a real browser: played by mouse and by keyboard, with and without a kernel."""

import re

import pytest
from accessibility import violations
from page_tools import expect

import backprop_nb as bp
from backprop_nb.checking.line_puzzle import make_line_puzzle
from backprop_nb.checking.mistakes import STAGES
from backprop_nb.checking.puzzle import make_puzzle
from backprop_nb.views.numbers import short

CELLS = ["import backprop_nb as bp\ngame = bp.FindTheBug('easy', seed=0)\ngame", "game"]


def twin(level="easy", number=1):
    """The same round here, and the mistake that is in it, from the same seed."""
    return bp.FindTheBug(level, seed=0, round=number), make_puzzle(0, number).mistake


def choices(game):
    return [each for stage in game.scene["choices"] for each in stage["choices"]]


def wrong_choice(game, mistake):
    return next(each for each in choices(game) if each["id"] != mistake.id)


def notes(root):
    return root.locator(".bpnb-bug-notes")


def texts(picture):
    return picture.locator("text").all_text_contents()


def play_by_mouse(first, second, game, mistake):
    """Measure, ask, answer wrongly, then rightly; the other display follows."""
    expect(first.get_by_role("button", name="Answer")).to_be_disabled()
    expect(first.get_by_role("button", name="Answer")).to_have_text("Answer 2 points less if wrong")
    first.get_by_role("button", name="Measure").click()
    expect(first.locator(".bpnb-bug-title")).to_contain_text("worth 5 points")
    measured = [short(x) for x in make_puzzle(0, 1).measured[0][0].ravel()]
    shown = texts(first.locator(".bpnb-bug-gradients"))
    assert set(measured) <= set(shown)
    first.get_by_role("button", name="Hint 1").click()
    expect(notes(second)).to_contain_text(mistake.hints[0])
    expect(notes(first)).not_to_contain_text(mistake.hints[1])
    choice = wrong_choice(game, mistake)
    game.answer = choice["id"]
    first.get_by_label(choice["title"]).check()
    first.get_by_role("button", name="Answer").click()
    expect(notes(second)).to_contain_text(game.verdict)
    expect(first.locator(".bpnb-bug-title")).to_contain_text("worth 2 points")
    first.get_by_label(mistake.title).check()
    first.get_by_role("button", name="Answer").click()
    expect(notes(first)).to_contain_text(mistake.explanation)
    expect(notes(second)).to_contain_text(mistake.explanation)
    expect(first.locator(".bpnb-bug-title")).to_contain_text("score 2")
    # The wrong line, and the right one beneath it.
    assert first.locator(".bpnb-bug-code .bpnb-bug-wrong").count() >= 1
    assert first.locator(".bpnb-bug-code .bpnb-bug-right").count() >= 1


def play_by_keyboard(page, first, second):
    """The second round, from the button that goes there, without a mouse."""
    game, mistake = twin(number=2)
    expect(first.get_by_role("button", name="Next round")).to_be_focused()
    page.keyboard.press("Enter")
    expect(second.locator(".bpnb-bug-title")).to_contain_text("Round 2")
    page.keyboard.press("]")
    page.keyboard.press("]")
    words = game.scene["frames"][2]["words"]
    expect(second.locator(":scope > .bpnb-live")).to_have_text(f"Step 2 of 60. {words}")
    assert game.scene["frames"][2]["patch"]["norm:0:right"]["text"] in texts(first)
    first.get_by_label(choices(game)[0]["title"]).focus()
    page.keyboard.press("Space")
    place = [each["id"] for each in choices(game)].index(mistake.id)
    for _ in range(place):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(notes(second)).to_contain_text(mistake.explanation)
    expect(first.locator(".bpnb-bug-title")).to_contain_text("score 8")


def test_a_game_in_a_notebook(open_notebook):
    notebook = open_notebook("bug.ipynb", cells=CELLS)
    notebook.run_all()
    first, second = (notebook.page.locator(".bpnb").nth(k) for k in range(2))
    game, mistake = twin()
    assert mistake.explanation not in notebook.page.content()
    play_by_mouse(first, second, game, mistake)
    play_by_keyboard(notebook.page, first, second)
    notebook.set_theme("dark")  # which may take the focus
    assert violations(notebook.page, ".bpnb") == []
    first.get_by_label("all mistakes").check(force=True)
    expect(second.locator(".bpnb-bug-options input")).to_have_count(29)
    # Without a kernel nobody knows the answer any more; what is shown can be replayed.
    notebook.restart_kernel()
    expect(first.locator(".bpnb-notice")).to_be_visible()
    for name in ("Answer", "Measure", "Hint 1", "Tell me", "Next round"):
        expect(first.get_by_role("button", name=name)).to_be_disabled()
    first.get_by_role("button", name="To the end").click()
    expect(second.locator(".bpnb-count")).to_have_text("epoch 60 of 60")


@pytest.mark.parametrize(("theme", "width"), [("light", 700), ("dark", 1400)])
def test_a_round_on_a_page_of_its_own(open_page, tmp_path, theme, width):
    game, mistake = twin("medium", 3)
    page = open_page(game.to_html(tmp_path / "bug"), theme, width)
    root = page.locator(".bpnb")
    for text in (mistake.explanation, *mistake.hints):
        assert text not in page.content()
    root.get_by_role("button", name="Hint 1").click()
    choice = wrong_choice(game, mistake)
    root.get_by_label(choice["title"]).check()
    root.get_by_role("button", name="Answer").click()
    game.hints, game.answer = 1, choice["id"]
    expect(notes(root)).to_contain_text(game.verdict)
    root.get_by_label(mistake.title).check()
    page.keyboard.press("Enter")
    game.answer = mistake.id
    expect(root.locator(".bpnb-bug-title")).to_contain_text(f"score {game.score}")
    expect(notes(root)).to_contain_text(mistake.explanation)
    expect(root.get_by_role("button", name="Next round")).to_be_disabled()
    assert violations(page, ".bpnb") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


OVERLAID = """() => {
    const parts = document.querySelectorAll(".bpnb-bug-body :is(.bpnb-panel, svg.bpnb-picture)");
    const boxes = [...parts].filter(each => each.checkVisibility())
        .map(each => each.getBoundingClientRect());
    return boxes.flatMap((one, k) => boxes.slice(k + 1).filter(other =>
        one.left < other.right - 1 && other.left < one.right - 1 &&
        one.top < other.bottom - 1 && other.top < one.bottom - 1)).length;
}"""


@pytest.mark.parametrize(
    "options", [{"level": each} for each in ("easy", "hard")] + [{"course": "rows"}]
)
def test_nothing_lies_on_anything_at_any_width(open_page, tmp_path, options):
    game = bp.FindTheBug(**options, seed=1)
    game.given_up = True
    page = open_page(game.to_html(tmp_path / "bug"))
    for width in (1400, 1158, 1010, 916, 830, 700, 500):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(OVERLAID) == 0, width


@pytest.mark.parametrize("level", ["easy", "medium"])
@pytest.mark.parametrize("width", [1400, 1158, 900, 700])
def test_what_is_asked_for_is_told_beside_the_question(open_page, tmp_path, level, width):
    game, _ = twin(level)
    page = open_page(game.to_html(tmp_path / "bug"), width=width)
    root = page.locator(".bpnb")
    for button in ("Measure", "Hint 1", "Tell me"):
        root.get_by_role("button", name=button).click()
        told = notes(root).locator(".bpnb-note").last.bounding_box()
        question = root.locator(".bpnb-bug-question").bounding_box()
        assert told["y"] < question["y"] + question["height"] + 230


def test_all_mistakes_are_walked_by_stage_and_who_gives_up_wins_nothing(open_page, tmp_path):
    game, mistake = twin("hard", 5)
    page = open_page(game.to_html(tmp_path / "bug"))
    # Arrow keys go on from the last choice of a stage to the first of the next.
    stages = page.locator(".bpnb-bug-options fieldset")
    played = [each for each, mistakes in STAGES.items() if any(m.in_game for m in mistakes)]
    assert stages.locator("legend").all_inner_texts() == played
    stages.first.get_by_role("radio").last.check()
    page.keyboard.press("ArrowDown")
    expect(stages.nth(1).get_by_role("radio").first).to_be_checked()
    assert violations(page, ".bpnb") == []
    page.get_by_role("button", name="Measure").click()
    page.get_by_role("button", name="Tell me").click()
    expect(notes(page)).to_contain_text(f"It is: {mistake.title}.")
    expect(notes(page)).to_contain_text(mistake.explanation)
    expect(page.locator(".bpnb-bug-title")).to_contain_text("score 0")


@pytest.mark.parametrize(("theme", "width"), [("light", 700), ("dark", 1400)])
def test_the_wrong_line_of_a_course_is_clicked(open_page, tmp_path, theme, width):
    game, puzzle = bp.FindTheBug(course="rows", seed=0), make_line_puzzle(0, 1, ["rows"])
    page = open_page(game.to_html(tmp_path / "line"), theme, width)
    root = page.locator(".bpnb")
    expect(root.get_by_role("button", name="Play")).to_be_hidden()
    expect(root.get_by_role("button", name="Answer")).to_be_disabled()
    fine = puzzle.lines[2].strip()
    root.get_by_text(fine).click()
    root.get_by_role("button", name="Answer: line 3").click()
    expect(notes(root)).to_contain_text(f"Line 3, {fine}, is fine. It gives z1, as it should.")
    expect(root.locator(".bpnb-bug-title")).to_contain_text("worth 4 points")
    root.get_by_role("button", name="Check the gradients").click()
    right = [short(x) for x in puzzle.report.parameters[0].expected.ravel()]
    assert set(right) <= set(texts(root.locator(".bpnb-bug-gradients")))
    # By the keyboard to the wrong line; the first line is a def, which cannot be chosen.
    root.locator(".bpnb-bug-options input").nth(1).focus()
    for _ in range(puzzle.number - 3):
        page.keyboard.press("ArrowDown")
    expect(root.get_by_role("button", name=f"Answer: line {puzzle.number}")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(notes(root)).to_contain_text(puzzle.finding.message)
    expect(root.locator(".bpnb-bug-title")).to_contain_text("score 3")
    instead = root.locator(".bpnb-bug-instead")
    expect(instead).to_have_text(re.compile(rf"{re.escape(puzzle.right_line)}\s*should be this"))
    # The marks are of the answers, as in the other kind of round: a line well found has no cross.
    marks = root.locator("label b").filter(has_text=re.compile(r"\S"))
    assert marks.all_text_contents() == ["✗ not this", "✓ this one"]
    assert f"line {puzzle.number}: {puzzle.finding.source}" in texts(root)
    assert violations(page, ".bpnb") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # However narrow, a line is all there, and no mark lies on it.
    page.set_viewport_size({"width": 400, "height": 900})
    edges = """lines => lines.map((line) => [
        line.querySelector("code").getBoundingClientRect().right,
        line.querySelector("b").getBoundingClientRect().left,
    ])"""
    marked = root.locator(".bpnb-bug-options label:has(b)").evaluate_all(edges)
    assert [code <= mark for code, mark in marked] == [True] * len(marked) != []
    inside = "codes => codes.every((code) => code.scrollWidth <= code.clientWidth + 1)"
    assert root.locator(".bpnb-bug-options code").evaluate_all(inside)


def test_a_game_goes_on_with_the_passes_of_a_course(open_notebook):
    cells = ["import backprop_nb as bp\ngame = bp.FindTheBug()\ngame", "game.course = 'columns'"]
    notebook = open_notebook("lines.ipynb", cells=cells)
    notebook.run_all()
    root = notebook.page.locator(".bpnb")
    expect(root.get_by_role("heading", name="One line of this backward pass")).to_be_visible()
    expect(root.locator(".bpnb-count")).to_have_count(0)
    root.get_by_role("button", name="Next round").click()
    puzzle = make_line_puzzle(0, 2, ["columns"])
    wrong = puzzle.lines[puzzle.number - 1].strip()
    expect(root.locator(".bpnb-bug-options")).to_contain_text(wrong)
    root.get_by_label("six lines").check(force=True)
    expect(root.locator(".bpnb-bug-options input")).to_have_count(6)
    root.get_by_text(wrong).click()
    notebook.page.keyboard.press("Enter")
    expect(notes(root)).to_contain_text(puzzle.finding.message)
    expect(root.get_by_role("button", name="Next round")).to_be_enabled()
    assert violations(notebook.page, ".bpnb") == []
